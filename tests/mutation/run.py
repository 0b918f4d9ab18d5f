"""Mutation testing (extra ``mutation``): ``python tests/mutation/run.py``, or with the modules it is to be of.

Cosmic Ray makes the mutants; each is imported in a fork of its own, in place of the module, and nothing on disk changes.
First `quick` runs, then for what survives it, pytest with the tests of the module. A mutant that hangs is killed, too.
Those that were examined stand in ``survivors.md`` with the reason why no test tells them, and are not run again. Other
survivors are printed as they would stand there, and so is what stands there and is no mutant any more; the exit status
is then 1.

Of the operators that replace one operator by each of many others, two for each place are taken.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import random
import re
import signal
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import lark  # noqa: F401  # Not to be imported again in each fork.
import parso  # noqa: F401  # Cosmic Ray's plugins import it in a circle.
import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

TESTS = Path(__file__).resolve().parents[1]
PACKAGE = TESTS.parent / "astra_filter"
_SURVIVORS = TESTS / "mutation" / "survivors.md"
_TELLING = (  # Of the cases on databases, those that differ most from one to the next.
    "not test_conformance or (postgresql or mysql or duckdb) and "
    "(strings or collation or mistyped or elements or json_columns or names or nested or found)"
)
_IN_PYTHON = "not postgresql and not mysql and not duckdb and not sqlite"
_WHERE = ("test_where.py", "test_dialects.py", "databases/test_select.py", "test_conformance.py")
_PREDICATE = ("test_codegen.py", "test_schema.py", "test_fields.py", "test_reference.py", "property/test_laws.py")
_PYTEST: dict[str, tuple[str, ...]] = {
    "meaning/shapes": ("test_schema.py", "test_threads.py", "test_fuzz.py", "property/test_syntax.py"),
    "meaning/check": ("test_check.py", "test_schema.py", "test_errors.py", "test_fields.py", "property/test_syntax.py"),
    "memory/codegen": ("test_codegen.py", "property/test_generated_code.py"),
    "memory/comparisons": _PREDICATE,
    "memory/predicate": _PREDICATE,
    "memory/runtime": _PREDICATE,
    "memory/items": ("test_codegen.py", "test_query.py", "test_include.py", "test_fields.py", "property/test_items.py"),
    "sql/where": _WHERE,
    "sql/operands": _WHERE,
    "sql/fragment": (*_WHERE, "attack/test_injection.py"),
    "sql/dialects/base": ("test_rows.py", "test_ddl.py", *_WHERE, "property/test_walks.py"),
    "sql/dialects/sqlite": ("test_rows.py", "test_ddl.py", *_WHERE, "property/test_walks.py"),
    "sql/dialects/postgresql": ("test_rows.py", "test_ddl.py", *_WHERE, "property/test_walks.py"),
    "sql/dialects/mysql": ("test_rows.py", "test_ddl.py", *_WHERE, "property/test_walks.py"),
    "sql/dialects/duckdb": ("test_rows.py", "test_ddl.py", *_WHERE, "property/test_walks.py"),
    "sql/select": ("test_query.py", "databases", "property/test_walks.py"),
    "sql/rows": ("test_rows.py", "databases/test_select.py", "property/test_items.py"),
    "sql/items": ("test_rows.py", "test_query.py", "property/test_items.py"),
    "sql/ddl": ("test_ddl.py", "databases/test_select.py"),
}
_QUICK_SECONDS, _SLOW_SECONDS = 20, 150


class Mutant(NamedTuple):
    """A changed module."""

    module: str
    line: int
    operator: str
    before: str
    after: str
    source: str


def mutants(module: str) -> Iterator[Mutant]:
    """Yield the mutants of a module whose code differs in more than annotations and docstrings."""
    source = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")
    original = _meaning(source)
    lines = source.splitlines()
    taken: dict[tuple[str, tuple[int, int]], int] = {}
    names = sorted(operator_names())
    random.Random(module).shuffle(names)  # Which of many like ones are taken is the same each time.
    for name in names:
        cls = get_operator(name)
        if cls.arguments():
            continue
        family = name.partition("_")[0]
        positions = [place for node in ast_nodes(get_ast(source)) for place in cls().mutation_positions(node)]
        for occurrence, (start, _) in enumerate(positions):
            if taken.get((family, start), 0) >= 2:
                continue
            changed = mutate_code(source, cls(), occurrence)
            if changed is None or _meaning(changed) in (original, None) or "if not TYPE_CHECKING" in changed:
                continue
            taken[family, start] = taken.get((family, start), 0) + 1
            after = changed.splitlines()
            number = next(
                (n for n, pair in enumerate(zip(lines, after, strict=False)) if pair[0] != pair[1]), start[0] - 1
            )
            before = lines[number].strip() if number < len(lines) else ""
            yield Mutant(module, number + 1, name.partition("/")[2], before, after[number].strip(), changed)


def _meaning(source: str) -> str | None:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.Module, ast.ClassDef)):
            node.body = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            # What may be given by position or by name is for readers, as is that lengths are equal, below.
            arguments = node.args
            arguments.args = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            arguments.defaults += [default for default in arguments.kw_defaults if default is not None]
            arguments.posonlyargs, arguments.kwonlyargs, arguments.kw_defaults = [], [], []
        elif isinstance(node, ast.Call):
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "strict"]
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "TypeAlias" for t in node.targets
        ):
            node.value = ast.Constant(None)
    return ast.dump(tree)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutant in place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = "astra_filter." + mutant.module.replace("/", ".").removesuffix(".__init__")
        self._path = PACKAGE / f"{mutant.module}.py"
        self._source = mutant.source

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_file_location(name, self._path, loader=self) if name == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, str(self._path), "exec"), module.__dict__)  # noqa: S102


def survives(mutant: Mutant, *, quick: bool) -> bool:
    """Run in a fork: whether the tests pass with the mutant."""
    sys.meta_path.insert(0, _Finder(mutant))
    os.chdir(TESTS.parent)
    sys.path[:0] = [str(TESTS.parent), str(TESTS)]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        if quick:
            from mutation.quick import check

            return check()
        os.environ["HYPOTHESIS_PROFILE"] = "mutation"
        chosen = [str(TESTS / name) for name in _PYTEST[mutant.module]]
        telling = _TELLING if mutant.module.startswith("sql/") else _IN_PYTHON
        return pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-k", telling, *chosen]) == 0


def _fork(mutant: Mutant, *, quick: bool) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        signal.alarm(_QUICK_SECONDS if quick else _SLOW_SECONDS)  # Ends the process.
        status = 0 if survives(mutant, quick=quick) else 1
    except BaseException:  # noqa: BLE001, S110  # Whatever is raised has killed the mutant.
        pass
    os._exit(status)


def run(chosen: list[Mutant], processes: int, *, quick: bool) -> list[Mutant]:
    """Return the mutants that survive."""
    waiting, running, alive = list(reversed(chosen)), {}, []
    while waiting or running:
        while waiting and len(running) < processes:
            mutant = waiting.pop()
            running[_fork(mutant, quick=quick)] = mutant
        child, status = os.wait()
        if status == 0:
            alive.append(running[child])
        del running[child]
    return sorted(alive)


def examined() -> dict[str, set[tuple[str, str]]]:
    """Return the lines before and after that ``survivors.md`` has of each module: the heading, then blocks of pairs."""
    found: dict[str, set[tuple[str, str]]] = {}
    module = before = ""
    for line in _SURVIVORS.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## ([a-z/]+)\.py", line):
            module = heading[1]
        elif line.startswith("- "):
            before = line[2:]
        elif line.startswith("+ "):
            found.setdefault(module, set()).add((before, line[2:]))
    return found


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Test the tests.")
    parser.add_argument("modules", nargs="*", default=list(_PYTEST), help=f"of these: {', '.join(_PYTEST)}")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="leave out pytest")
    options = parser.parse_args()
    known = examined()
    surprises = 0
    for module in options.modules:
        start = time.monotonic()
        unchanged = Mutant(module, 0, "", "", "", (PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
        if not run([unchanged], 1, quick=True) or not (options.quick or run([unchanged], 1, quick=False)):
            sys.exit("the tests fail without a mutant")
        found = list(mutants(module))
        left = known.get(module, set())
        fresh = [mutant for mutant in found if (mutant.before, mutant.after) not in left]
        alive = run(fresh, options.processes, quick=True)
        if not options.quick:
            alive = run(alive, options.processes, quick=False)
        gone = sorted(left - {(mutant.before, mutant.after) for mutant in found})
        print(
            f"## {module}.py\n\n{len(found)} mutants: {len(fresh) - len(alive)} killed, {len(found) - len(fresh)} "
            f"examined before, {len(alive)} alive; {len(gone)} examined that are none any more; "
            f"{time.monotonic() - start:.0f} s\n",
            flush=True,
        )
        for mutant in alive:
            print(f"Line {mutant.line}:\n- {mutant.before}\n+ {mutant.after}\n", flush=True)
        for before, after in gone:
            print(f"None any more:\n- {before}\n+ {after}\n", flush=True)
        surprises += len(alive) + len(gone)
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
