"""The rooms of the package and who imports whom: ``python tests/rooms.py`` prints the import graph.

`ROOMS` is the order of the house. A module may import from its own room and from those above it; imports inside
functions and under ``if TYPE_CHECKING`` count like any other. ``docs/architecture.md`` tells what each room is for.
"""

from __future__ import annotations

import ast
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "astra_filter"

ROOMS: tuple[tuple[str, ...], ...] = (
    ("problem", "limits", "memo"),
    ("language",),
    ("errors",),
    ("wording",),
    ("fields",),
    ("syntax",),
    ("meaning",),
    ("request",),
    ("memory",),
    ("sql",),
    ("derive",),
    ("filter",),
    ("query",),
    ("schema",),
    ("builder",),
    ("client",),
    ("adapters",),
    ("testing",),
    ("playground",),
    ("server",),
    ("cli",),
)
"""From the ground up; a name is a folder or a file. ``astra_filter/__init__.py`` stands above all."""

FILES = {
    ".".join(("astra_filter", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def room(module: str) -> str:
    """Return the room of a module: ``sql`` for ``astra_filter.sql.where``; empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


def floor(module: str) -> int:
    """Return the place of a module's room in `ROOMS`; raises where it has none."""
    if not room(module):
        return len(ROOMS)
    return next(place for place, names in enumerate(ROOMS) if room(module) in names)


def imports(module: str, *, at_run_time: bool = False) -> set[str]:
    """Return the modules that a module imports; at run time only, or for type checkers too."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    skipped: set[int] = set()
    if at_run_time:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                skipped |= {id(inner) for statement in node.body for inner in ast.walk(statement)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{module} imports relatively")
            # `from astra_filter.wording import check` names a module, `from astra_filter.fields import Field` does not.
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= named & FILES.keys()
            if not named <= FILES.keys():
                found.add(node.module or "")
    return found - {module}


def graph() -> dict[str, set[str]]:
    """Return which modules of the package each module imports."""
    return {module: {found for found in imports(module) if found in FILES} for module in FILES}


def upward(edges: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the imports of a room that stands above the importing one."""
    return [(module, found) for module, imported in edges.items() for found in imported if floor(found) > floor(module)]


def circle(edges: dict[str, set[str]]) -> list[str]:
    """Return the modules of a circle of imports, or nothing."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def main() -> None:
    """Print each room with the rooms that it imports, then circles and upward imports."""
    edges = graph()
    for names in ROOMS:
        for name in names:
            modules = [module for module in FILES if room(module) == name]
            below = {room(found) for module in modules for found in edges[module]} - {name}
            order = [other for level in ROOMS for other in level if other in below]
            print(f"{name:10} {len(modules):3} modules   imports {', '.join(order) or 'nothing'}")
    found = circle(edges)
    print(f"circles: {' -> '.join(found) or 'none'}")
    rising = upward(edges)
    print("upward imports: " + (", ".join(f"{module} -> {other}" for module, other in rising) or "none"))
    sys.exit(bool(found or rising))


if __name__ == "__main__":
    main()
