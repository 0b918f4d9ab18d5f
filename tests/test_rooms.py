"""Who may import whom: no circle and no import upwards, type checkers' and lazy ones included; the core needs no package."""

from __future__ import annotations

import sys

import pytest
from rooms import FILES, ROOMS, circle, graph, imports, room, upward

EXTRAS = {"adapters", "cli", "playground", "server", "testing"}
THIRD_PARTY = {
    "astra_filter.derive.pydantic": {"pydantic"},
}
"""What modules of the core import besides the standard library."""
MOST_LINES = 400


def test_every_module_has_a_room():
    listed = [name for level in ROOMS for name in level]
    assert sorted(listed) == sorted({room(module) for module in FILES} - {""})


def test_no_import_upwards():
    assert upward(graph()) == []


def test_no_circle():
    assert circle(graph()) == []


def test_circles_and_upward_imports_are_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert upward({"astra_filter.language.names": {"astra_filter.schema"}})


@pytest.mark.parametrize("module", [module for module in FILES if room(module) not in EXTRAS])
def test_the_core_needs_no_package(module):
    outside = {found.partition(".")[0] for found in imports(module, at_run_time=True)} - {"astra_filter"}
    assert outside <= set(sys.stdlib_module_names) | THIRD_PARTY.get(module, set())


@pytest.mark.parametrize("module", FILES)
def test_long_files_say_why(module):
    """The docstring of a file of more than 400 lines has a sentence that says why it is long."""
    text = FILES[module].read_text(encoding="utf-8")
    docstring = text.split('"""', 2)[1] if text.startswith('"""') else ""
    assert text.count("\n") <= MOST_LINES or "Long because" in docstring or "not to be edited" in docstring


UNKNOWN = {
    "syntax.parser": {"fields"},
    "syntax.printer": {"fields"},
    "derive": {"syntax", "meaning", "request", "memory"},
    # All but the catalogues of databases.
    **{f"derive.{name}": {"sql"} for name in ("annotations", "json_schema", "pydantic", "sample", "source")},
    "builder": {"meaning", "request", "memory", "sql", "derive", "filter", "query", "schema"},
    "adapters": {"memory"},
    "testing.reference": {"syntax.parser", "syntax.printer", "memory", "sql"},
    "server": {"syntax", "meaning", "request", "memory"},
}
"""What rooms must not know though it stands below them, as ``docs/architecture.md`` says of them."""


@pytest.mark.parametrize("knower", UNKNOWN)
def test_what_rooms_must_not_know(knower):
    def within(module, name):
        return f"{module}.".startswith(f"astra_filter.{name}.")

    imported = {found for module in FILES if within(module, knower) for found in imports(module, at_run_time=True)}
    assert imported, knower
    assert not [found for found in imported for name in UNKNOWN[knower] if within(found, name)]
