"""Schemas inferred from sample data (SPEC §3, §4.6, §9)."""

from __future__ import annotations

import enum
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astra_filter import Schema, fields
from astra_filter.derive.sample import members
from astra_filter.errors import SchemaError

N = {"nullable": True}
ID = "ae1e6561-9e22-406c-8a5a-762f4604da00"


class State(enum.Enum):
    RUNNING = "running"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a"], fields.String(**N)),
        ([""], fields.String(**N)),
        ([None], fields.String(**N)),
        ([1, -(2**63), 2**63 - 1], fields.Integer(**N)),
        ([1, 2**63], fields.Number(**N)),
        ([1, 2.5], fields.Number(**N)),
        ([1, 2.0], fields.Number(**N)),
        ([1, Decimal(2)], fields.Integer(**N)),
        ([1, Decimal("2.5")], fields.Number(**N)),
        ([True, None], fields.Boolean(**N)),
        (["2020-08-06T12:24:52Z", None, "2020-08-06 12:24:52.256624+02:00"], fields.Timestamp(**N)),
        ([datetime(2020, 8, 6, tzinfo=UTC)], fields.Timestamp(**N)),
        (["2020-08-06T12:24:52Z", "2020-08-06"], fields.Timestamp(**N)),
        (["2020-08-06T12:24:52Z", ""], fields.String(**N)),
        (["2020-02-30T12:24:52Z"], fields.String(**N)),
        (["2020-08-06"], fields.Date(**N)),
        ([date(2020, 8, 6)], fields.Date(**N)),
        (["2020-02-30"], fields.String(**N)),
        ([ID, ID.upper()], fields.Uuid(**N)),
        ([UUID(ID)], fields.Uuid(**N)),
        ([ID, "ae1e6561"], fields.String(**N)),
        # 32 digits are as often an MD5 hash.
        ([ID.replace("-", "")], fields.String(**N)),
        ([State.RUNNING], fields.String(**N)),
        ([["a"], []], fields.Array(fields.String(**N), **N)),
        ([[1], (2.5,), None], fields.Array(fields.Number(**N), **N)),
        ([[]], fields.Array(fields.String(**N), **N)),
        ([[None]], fields.Array(fields.String(**N), **N)),
        ([{"a": 1}, {"b": "x"}], fields.Object({"a": fields.Integer(**N), "b": fields.String(**N)}, **N)),
        (
            [[{"a": 1}], [{"a": None}, {"b": ["x"]}]],
            fields.Array(
                fields.Object({"a": fields.Integer(**N), "b": fields.Array(fields.String(**N), **N)}, **N), **N
            ),
        ),
        # Mixed types: the most values win, the first seen on a tie.
        ([1, "a", "b"], fields.String(**N)),
        (["a", 1, 2], fields.Integer(**N)),
        ([1, "a"], fields.Integer(**N)),
        (["a", 1], fields.String(**N)),
        ([True, 1, 2], fields.Integer(**N)),
        ([ID, ID, 1], fields.Uuid(**N)),
        ([["a"], "b", ["c"]], fields.Array(fields.String(**N), **N)),
        ([[1, "a", "b"]], fields.Array(fields.String(**N), **N)),
        # Neither tells a type.
        ([float("nan"), float("inf"), 10**400, object(), "a"], fields.String(**N)),
    ],
)
def test_types(values, expected):
    assert members([{"x": value} for value in values])["x"].signature() == expected.signature()


@pytest.mark.parametrize("value", [{}, [[]], [["a"]], [{}], {"a": {}}, {"": 1}])
def test_what_no_field_represents_is_left_out(value):
    assert list(members([{"a": 1, "x": value}])) == ["a"]


@pytest.mark.parametrize("name", ["", "a\0", "\ud800", 1])
def test_unusable_names_are_left_out(name):
    assert list(members([{"a": 1, name: 1}])) == ["a"]


def test_depth_is_bounded():
    deep = 1
    for _ in range(900):
        deep = {"x": deep, "y": 1}
    field = fields.Object(members([deep]))
    depth = 0
    while "x" in field.members:
        field, depth = field.members["x"], depth + 1
    assert depth == 15


@pytest.mark.parametrize("resources", [[], [{}], [{"a": {}}, {}]])
def test_nothing_to_infer_from_is_an_error(resources):
    with pytest.raises(SchemaError) as caught:
        members(resources)
    assert caught.value.code == "nothing_to_infer"


def test_a_resource_is_a_mapping():
    with pytest.raises(SchemaError) as caught:
        members([{"a": 1}, ["a"]])
    assert str(caught.value) == "resource 1: a resource is an object with declared members, and this is list"


def test_the_published_example():
    tasks = json.loads(Path(__file__).with_name("data").joinpath("astra_tasks.json").read_text("utf-8"))["items"]
    found = members(tasks)
    assert {name: field.type for name, field in found.items()} == {
        "type": "string",
        "version": "string",
        "id": "uuid",
        "name": "string",
        "summary": "string",
        "description": "string",
        "service": "string",
        "parentTaskID": "uuid",
        "userID": "uuid",
        "resourceID": "uuid",
        "resourceURI": "string",
        "resourceCollectionURI": "array",
        "state": "string",
        "stateTransitions": "array",
        "stateDetails": "array",
        "orderHint": "integer",
        "percentDone": "number",
        "startTime": "timestamp",
        "endTime": "timestamp",
        "metadata": "object",
    }
    assert {name: field.type for name, field in found["metadata"].members.items()} == {
        "labels": "array",
        "creationTimestamp": "timestamp",
        "modificationTimestamp": "timestamp",
        "createdBy": "uuid",
    }
    transition = found["stateTransitions"].items
    assert {name: field.type for name, field in transition.members.items()} == {"from": "string", "to": "array"}


def test_a_key_is_not_nullable_unless_a_resource_lacks_it():
    assert not members([{"id": 1}, {"id": 2}], key="id")["id"].nullable
    assert members([{"id": 1}, {"id": None}], key="id")["id"].nullable
    assert members([{"id": 1}, {"id": "a"}], key="id")["id"].nullable
    assert members([{"a": 1}], key="id")["a"].nullable


def test_a_schema_is_inferred_with_its_key():
    schema = Schema.infer([{"id": 1, "name": "b"}, {"id": 2, "name": "a"}], key="id")
    assert schema.query("orderBy=name").page([{"id": 1, "name": "b"}]).items == [{"id": 1, "name": "b"}]
    assert [task["id"] for task in schema.compile("name eq 'a'").select([{"id": 2, "name": "a"}, {"id": 1}])] == [2]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["2020-08-06", "2020-08-06T12:24:52Z", ID]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=1), VALUES, max_size=3), max_size=4))
@pytest.mark.slow
def test_any_resources_make_a_schema_that_reads_them(resources):
    try:
        schema = Schema.infer(resources)
    except SchemaError as error:
        outcome = error.code
    else:
        outcome = len(schema.query([]).page(resources).items)
    assert outcome in ("nothing_to_infer", len(resources))
