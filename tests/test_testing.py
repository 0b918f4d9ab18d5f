"""The package that proves a schema: what it finds, what it shows, and the lines in the guide (SPEC §4)."""

from __future__ import annotations

import re
import sqlite3
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import find, settings
from schemas import SCHEMAS, TASK

from astra_filter import Schema, SchemaError, fields
from astra_filter.language.operators import Operator
from astra_filter.language.values import member
from astra_filter.testing import Table, assert_same, datasets, filter_texts, filters, prove, queries, resources
from astra_filter.testing.laws import laws
from astra_filter.testing.proof import check_laws


@pytest.mark.slow
def test_five_lines_of_the_readme(tmp_path: Path) -> None:
    """Saved beside a schema of one's own, they are a test that passes."""
    guide = (Path(__file__).parents[1] / "docs/guides/testing.md").read_text(encoding="utf-8")
    found = re.search(r"```python title=\"test_filters.py\"\n(import sqlite3\n(?:.*\n){0,6}?.*prove\(.*\n)```", guide)
    assert found is not None
    lines = [line for line in found[1].splitlines() if line.strip()]
    assert len(lines) == 5
    (tmp_path / "myapp.py").write_text("from schemas import TASK\n", encoding="utf-8")
    namespace: dict[str, Any] = {}
    source = found[1].replace("from myapp import", "from schemas import")
    exec(compile(source, "guide", "exec"), namespace)  # noqa: S102  # The guide's own.
    [test] = [value for name, value in namespace.items() if name.startswith("test_")]
    test()


@pytest.mark.slow
def test_proof_counts_what_it_compared() -> None:
    proof = prove(TASK, sqlite3.connect(":memory:"), examples=10)
    assert proof.backends == 3
    assert proof.datasets >= 10
    assert proof.pairs >= 2 * proof.datasets
    assert proof.rows >= proof.pairs
    assert 0 < proof.selected < proof.rows
    assert f"{proof.pairs:,} pairs" in str(proof)


@pytest.mark.parametrize("wrong", ["predicate", "sqlite"])
@pytest.mark.slow
def test_proof_finds_a_wrong_backend(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that takes lt for lte is found, in the smallest case, with all there is to see."""
    if wrong == "sqlite":
        where = import_module("astra_filter.sql.where")
        signs = where._signs
        monkeypatch.setattr(
            where, "_signs", lambda operator: signs(Operator.LTE if operator is Operator.LT else operator)
        )
    else:
        comparisons = import_module("astra_filter.memory.comparisons")
        monkeypatch.setattr(comparisons, "_LT", comparisons._LTE)
    schema = Schema({"day": fields.Date()})  # Of its own: what others have prepared is right.
    with pytest.raises(AssertionError) as caught:
        prove(schema, sqlite3.connect(":memory:"), examples=400)
    shown = str(caught.value).splitlines()
    assert shown[0] == ("sqlite" if wrong == "sqlite" else "Filter.matches") + " differs from the reference"
    assert shown[1].startswith("  filter  ")
    assert len(shown[1]) < 80
    assert "lt '" in shown[1]
    assert shown[2].startswith("  surplus {'day':")
    if wrong == "sqlite":
        assert shown[-2].startswith('  SQL     "day" ')
        assert shown[-1].startswith("  params  ('")


def test_assert_same_shows_the_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"key": 1, "title": "b"}, {"key": 2}]
    schema = SCHEMAS["columns"]
    chosen = schema.compile("title eq 'b'")
    monkeypatch.setattr(type(chosen), "matches", lambda *_: True)
    with pytest.raises(AssertionError) as caught:
        assert_same(schema, rows, chosen)
    assert str(caught.value) == (
        "Filter.matches differs from the reference\n  filter  title eq 'b'\n  surplus {'key': 2}"
    )


def test_a_test_that_raises_leaves_no_table() -> None:
    connection = sqlite3.connect(":memory:")
    with pytest.raises(ZeroDivisionError), Table(connection, TASK):
        raise ZeroDivisionError
    with Table(connection, TASK) as table:
        assert table.select(TASK.compile("name eq 'a'")) == []


def test_rows_of_any_form() -> None:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = lambda cursor, row: dict(zip([name for name, *_ in cursor.description], row, strict=True))
    assert prove(TASK, connection, examples=5).pairs >= 10


@pytest.mark.parametrize("make", [filters, filter_texts, queries, datasets, resources])
def test_an_open_schema_declares_nothing(make: Any) -> None:
    with pytest.raises(SchemaError) as caught:
        make(Schema.open())
    assert caught.value.code == "nothing_to_make"


def test_nothing_to_test() -> None:
    schema = Schema(
        {"a": fields.String(operators=[]), "b": fields.Array(fields.Object({"c": fields.Date(operators=[])}))}
    )
    for make in (filters, filter_texts):
        with pytest.raises(SchemaError) as caught:
            make(schema)
        assert caught.value.code == "nothing_to_test"
    find(queries(schema), lambda pairs: ("include", "a") in pairs, settings=QUIET)


def test_a_law_that_does_not_hold_shows_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = Schema({"n": fields.Integer(nullable=True)})
    connection = sqlite3.connect(":memory:")
    rows = [{"n": 5}, {}]
    with Table(connection, schema) as table:
        table.fill(rows)
        found = {"n eq 5": [0], "not n eq 5": []}
        monkeypatch.setattr(table, "select", lambda chosen: found.get(str(chosen), [0]))
        with pytest.raises(AssertionError) as caught:
            check_laws(schema, rows, schema.compile("n eq 5"), schema.compile("n eq 5"), [table])
    assert str(caught.value).splitlines() == [
        "partition does not hold on sqlite",
        "  filter  n eq 5",
        '  SQL     "n" = ?',
        "  params  (5,)",
        "  filter  not n eq 5",
        "  row     {}",
        '  SQL     "n" = ? IS NOT 1',
        "  params  (5,)",
    ]


def test_unknown_driver() -> None:
    with pytest.raises(SchemaError) as caught:
        Table(object(), TASK)
    assert caught.value.code == "unknown_driver"
    assert "builtins.object" in str(caught.value)
    assert "sqlite" in str(caught.value)


QUIET = settings(max_examples=3000, database=None, deadline=None, derandomize=True)


@pytest.mark.slow
def test_filters_cover_every_operator_and_literal() -> None:
    for operator in Operator:
        find(filters(TASK), lambda chosen, operator=operator: f" {operator.value} " in str(chosen), settings=QUIET)
    for piece in ("not ", " and ", " or ", "[", "null", "not in (", "''", ", "):
        find(filters(SCHEMAS["documents"]), lambda chosen, piece=piece: piece in str(chosen), settings=QUIET)
    find(filter_texts(TASK), lambda text: "`" in text, settings=QUIET)
    find(filter_texts(TASK), lambda text: "NOT" in text, settings=QUIET)


@pytest.mark.slow
def test_strategies_shrink_to_small_cases() -> None:
    assert len(str(find(filters(TASK), lambda _: True, settings=QUIET))) < 60
    assert len(str(find(filters(TASK), lambda chosen: " or " in str(chosen), settings=QUIET))) < 250
    assert len(find(datasets(TASK), lambda rows: len(rows) > 1, settings=QUIET)) == 2
    [row] = find(datasets(SCHEMAS["columns"]), lambda rows: member(rows[0], "key") == 1, settings=QUIET)
    assert row.keys() == {path[0] for path, leaf in SCHEMAS["columns"].leaves.items() if not leaf.nullable}


def test_laws_name_each_of_their_kinds() -> None:
    schema = SCHEMAS["documents"]
    chosen = schema.compile("objects.text in ('a', 'b') and texts not in ('a')")
    found = {law.name: law for law in laws(chosen, chosen)}
    assert found["in is a chain of eq"].right == "(objects.text eq 'a' or objects.text eq 'b') and not texts eq 'a'"
    assert found["a path through an array is a bracket"].right == "objects[text in ('a', 'b')] and texts not in ('a')"
    assert {"partition", "double negation", "De Morgan", "commutativity", "absorption"} < set(found)
