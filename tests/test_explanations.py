"""Why a filter selects a resource, or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schemas import SCHEMAS

import astra_filter
from astra_filter import Schema, fields
from astra_filter.testing import datasets, filters

if TYPE_CHECKING:
    from astra_filter.memory.explain import Explanation

LABEL = fields.Object({"name": fields.String(), "value": fields.String(nullable=True)})
SCHEMA = Schema(
    {
        "state": fields.Enum("running", "failed"),
        "size": fields.Integer(nullable=True),
        "tags": fields.Array(fields.String()),
        "labels": fields.Array(LABEL),
    }
)
RESOURCE = {
    "state": "failed",
    "size": 5,
    "tags": ["a", "b"],
    "labels": [{"name": "env", "value": "prod"}, {"name": "app", "value": None}],
}


def lines(text: str) -> list[str]:
    return SCHEMA.compile(text).explain(RESOURCE).lines()


def test_a_tree_mirrors_the_filter() -> None:
    assert lines("(state eq 'running' or size gt 9) and not tags eq 'a'") == [
        "✗ and",
        "├── ✗ or",
        "│   ├── ✗ state eq 'running'   'failed'",
        "│   └── ✗ size gt 9   5",
        "└── ✗ not",
        "    └── ✓ tags eq 'a'   ['a', 'b'] ←",
    ]


def test_every_test_decides_where_all_are_needed() -> None:
    assert lines("state eq 'failed' and size in (4, 5)") == [
        "✓ and",
        "├── ✓ state eq 'failed'   'failed' ←",
        "└── ✓ size in (4, 5)   5 ←",
    ]


def test_a_bracket_shows_the_element_that_satisfies_it() -> None:
    found = SCHEMA.compile("labels[name eq 'app' and value eq null]").explain(RESOURCE)
    assert [(part.label, part.holds, part.decides) for part in (found, *found.operands)] == [
        ("labels[…]", True, True),
        ("and", True, False),
    ]
    assert [(part.label, part.value) for part in found.operands[0].operands] == [
        ("name eq 'app'", "app"),
        ("value eq null", None),
    ]


def test_a_bracket_that_no_element_satisfies_shows_the_first_elements() -> None:
    found = SCHEMA.compile("labels[name eq 'x']").explain(RESOURCE)
    assert [part.value for part in found.operands] == ["env", "app"]


def test_a_path_through_an_array_finds_what_the_elements_have() -> None:
    assert SCHEMA.compile("labels.name eq 'app'").explain(RESOURCE).value == ["env", "app"]
    assert SCHEMA.compile("labels.name eq 'app'").explain({"labels": 5}).value is None


def test_open_schemas_and_odd_data() -> None:
    chosen = astra_filter.compile("a.b eq 1 and c[d eq 2] or e ne null")
    for resource in ({"a": [{"b": 1}], "c": [{"d": 2}]}, {}, {"a": 5, "c": {"d": 2}, "e": 0}, {"e": None}):
        assert chosen.explain(resource).holds == chosen.matches(resource)


def deciding(part: Explanation) -> int:
    if part.label in ("and", "or", "not"):
        return sum(map(deciding, part.operands))
    return part.decides


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_root_is_what_the_predicate_says(schema: Schema, data: st.DataObject) -> None:
    resources = data.draw(datasets(schema, 3))
    chosen = data.draw(filters(schema, resources))
    for resource in resources:
        found = chosen.explain(resource)
        assert found.holds == chosen.matches(resource)
        assert deciding(found) >= 1
        assert found.lines()
