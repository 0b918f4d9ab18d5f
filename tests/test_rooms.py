"""Who may import whom: no cycles, lazy imports included, and a module of the core knows no extra."""

from __future__ import annotations

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "astra_filter"
EXTRAS = ("adapters", "cli", "server", "testing")
FILES = {
    ".".join(("astra_filter", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def imports(name: str) -> set[str]:
    """The modules that a module imports at run time, at its top or inside functions."""
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    typing_only = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    skipped = {id(inner) for node in typing_only for statement in node.body for inner in ast.walk(statement)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {module for module in inner if module in FILES} or {node.module or ""}
    return found


def test_no_cycles():
    graph = {name: {found for found in imports(name) if found in FILES and found != name} for name in FILES}
    for facade in ("filter", "query"):
        # Their doors to an adapter, which stands on them, import it when they are used.
        graph[f"astra_filter.{facade}"].discard("astra_filter.adapters.sqlalchemy")
    order = list(TopologicalSorter(graph).static_order())
    assert (
        order.index("astra_filter.language.span")
        < order.index("astra_filter.errors")
        < order.index("astra_filter.schema")
    )


@pytest.mark.parametrize("name", [name for name in FILES if name.split(".")[1:2] not in ([extra] for extra in EXTRAS)])
def test_the_core_needs_lark_only(name):
    outside = {found.split(".")[0] for found in imports(name)} - {"astra_filter"}
    allowed = set(sys.stdlib_module_names) | ({"lark"} if name == "astra_filter.syntax.parser" else set())
    if name == "astra_filter.derive.pydantic":
        allowed.add("pydantic")
    assert outside <= allowed
    extras = {found for found in imports(name) if found.split(".")[1:2] in ([extra] for extra in EXTRAS)}
    assert extras <= {"astra_filter.adapters.sqlalchemy"} if name.endswith((".filter", ".query")) else not extras
