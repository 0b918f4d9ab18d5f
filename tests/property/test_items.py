"""The generated code of pages does what the field types say, written down plainly here (SPEC §4.6, §6)."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType, SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from schemas import SCHEMAS

from astra_filter import Schema, fields
from astra_filter.fields import Array, Field, Map, Object
from astra_filter.language.values import entry, member
from astra_filter.sql.rows import columns, resource, to_row
from astra_filter.testing import datasets

# What is plain ------------------------------------------------------------------------------------------------------


def written(field: Field, value: object) -> Any:
    """What is returned of a value, None where that is nothing."""
    if isinstance(field, Array):
        elements = field.read(value)
        return None if elements is None else [element(field.items, each) for each in elements]
    if isinstance(field, Map):
        if isinstance(value, enum.Enum):
            value = value.value
        if not isinstance(value, Mapping):
            return None
        entries = {key: field.values.output(each) for key, each in value.items() if isinstance(key, str)}
        return {key: each for key, each in entries.items() if each is not None}
    if not isinstance(field, Object):
        return field.output(value)
    found = {name: written(inner, member(value, name)) for name, inner in field.members.items() if inner.returnable}
    found = {name: inner for name, inner in found.items() if inner is not None}
    return found or (None if field.nullable else {})


def element(field: Field, value: object) -> Any:
    """What is returned of an element, which keeps its place in the array."""
    if isinstance(field, Object):
        return None if field.read(value) is None else written(field, value) or {}
    return written(field, value)


def item(schema: Schema, resource: object, include: tuple[tuple[str, ...], ...] | None) -> Any:
    if include is None:
        return written(schema.root, resource)
    found = []
    for path in include:
        value, field, nullable = resource, schema.root, False
        for name in path:
            if isinstance(field, Map):
                value, field = entry(value, name), field.values
            else:
                value, field = member(value, name), field.members[name]
            nullable = nullable or field.nullable
        nothing = None if nullable or not isinstance(field, Object) else {}
        wrote = written(field, value)
        found.append(nothing if wrote is None or (wrote == {} and isinstance(field, Object)) else wrote)
    return found


# Data ---------------------------------------------------------------------------------------------------------------

State = enum.Enum("State", {"A": "a", "B": "it's", "N": 5, "T": True, "U": "12345678-1234-1234-1234-123456789abc"})
TEXTS = st.sampled_from(
    [
        "", "a", "\0", "\ud800", "true", "5", "NaN", "[]", "{}",
        "12345678-1234-1234-1234-123456789abc", "12345678-1234-1234-1234-123456789ABC", "12345678-1234-1234-1234-123456789abc\n",
        "12345678-1234-1234-1234-123456789ab٣", "{12345678-1234-1234-1234-123456789abc}", "123456781234123412341234-56789abc",
        "2020-08-06", "2020-02-30", "2020-W32-4", "20200806",
        "2020-08-06T12:24:52.256624Z", "2020-08-06T12:24:52.256624Z\n", "2020-08-31T00:00:00.000000Z", "2020-02-29T23:59:59.999999Z",
        "2021-02-29T23:59:59.999999Z", "2020-04-31T00:00:00.000000Z", "2020-13-01T00:00:00.000000Z", "2020-00-01T00:00:00.000000Z",
        "2020-01-00T00:00:00.000000Z", "0000-01-01T00:00:00.000000Z", "0001-01-01T00:00:00.000000Z", "2020-08-06T24:00:00.000000Z",
        "2020-08-06T12:24:60.000000Z", "2020-08-06t12:24:52.256624z", "2020-08-06T12:24:52.2566249Z", "2020-W32-4T12:24:52.256624Z",
        "2020-08-06T12:24:52,256624Z", "2020-08-06T12:24:52+02:00", "0001-01-01T00:00:00+00:01", "２０２０-08-06T12:24:52.256624Z",
    ]
)  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | TEXTS | st.text(max_size=5) | st.floats() | st.sampled_from([0.0, -0.0, 5.0, 1e300, 1e308])
    | st.integers() | st.sampled_from([0, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**400])
    | st.sampled_from([*State, Decimal("0.5"), Decimal(5), Decimal("NaN"), Decimal("1e999"), b"a", object()])
    | st.uuids() | st.just(UUID(int=5)) | st.dates() | st.datetimes()
    | st.sampled_from([datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), datetime(2020, 8, 6, tzinfo=UTC), date(1, 1, 1)])
)  # fmt: skip


KEYS = st.sampled_from(["a", "env", "app.io/name", "$", "`", "é", "'"])


class Mute:
    """Has no attributes that can be read."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


def arbitrary(field: Field) -> st.SearchStrategy[Any]:
    """Values for a field, right ones in part."""
    if isinstance(field, Array):
        elements = st.lists(arbitrary(field.items), max_size=3)
        return elements | elements.map(tuple) | SCALARS
    if isinstance(field, Map):
        entries = st.dictionaries(KEYS | TEXTS | st.just(5), SCALARS, max_size=3)
        return entries | entries.map(MappingProxyType) | entries.map(lambda found: SimpleNamespace(a=found)) | SCALARS
    if isinstance(field, Object):
        members = st.fixed_dictionaries({}, optional={name: arbitrary(inner) for name, inner in field.members.items()})
        others = members.map(lambda found: {**found, "undeclared": 1}) | members.map(MappingProxyType)
        return (
            members
            | others
            | members.map(lambda found: SimpleNamespace(**found))
            | SCALARS
            | st.builds(Mute)
            | st.just([])
        )
    return SCALARS


HIDDEN = Schema(
    {
        "id": fields.Integer(),
        "hidden": fields.String(returnable=False, nullable=True),
        "vault": fields.Object({"code": fields.String()}, returnable=False, nullable=True),
        "steps": fields.Array(fields.Object({"by": fields.Uuid(), "secret": fields.String(returnable=False)})),
        "deep": fields.Object(
            {
                "er": fields.Object({"x": fields.Date(), "secret": fields.String(returnable=False)}, nullable=True),
                "apart": fields.Boolean(column="flag", nullable=True),
                "placed": fields.Number(column="extra", json_path=("in it", "n"), nullable=True),
            }
        ),
        "beside": fields.Boolean(column="extra", json_path=("beside",), nullable=True),
    },
    key="id",
)
ALL = {**SCHEMAS, "hidden": HIDDEN}
EVERY_SCHEMA = pytest.mark.parametrize("schema", ALL.values(), ids=ALL)


def includes(schema: Schema) -> st.SearchStrategy[tuple[tuple[str, ...], ...] | None]:
    paths: list[tuple[str, ...]] = []
    maps: list[tuple[str, ...]] = []

    def visit(owner: Object, prefix: tuple[str, ...]) -> None:
        for name, field in owner.members.items():
            if field.returnable:
                paths.append((*prefix, name))
                if isinstance(field, Object):
                    visit(field, (*prefix, name))
                if isinstance(field, Map):
                    maps.append((*prefix, name))

    visit(schema.root, ())
    chosen = st.sampled_from(paths)
    if maps:
        chosen |= st.builds(lambda path, key: (*path, key), st.sampled_from(maps), KEYS)
    return st.none() | st.lists(chosen, min_size=1, max_size=4, unique=True).map(tuple)


def query(schema: Schema, include: tuple[tuple[str, ...], ...] | None) -> Any:
    quoted = include and ",".join([".".join([f"`{name.replace('`', '``')}`" for name in path]) for path in include])
    return schema.query({"include": quoted})


def same(found: object, plain: object) -> bool:
    """Equal, kinds of numbers and order of members included."""
    return repr(found) == repr(plain)


# Laws ---------------------------------------------------------------------------------------------------------------


@EVERY_SCHEMA
@given(data=st.data())
@pytest.mark.slow
def test_items_of_resources(schema: Schema, data: st.DataObject) -> None:
    include = data.draw(includes(schema))
    given_ = data.draw(datasets(schema) | st.lists(arbitrary(schema.root), max_size=3))
    # In order, as no such data may have a key.
    found = query(schema, include).page_from_resources(given_).items
    assert same(found, [item(schema, each, include) for each in given_])


@EVERY_SCHEMA
@given(data=st.data())
@pytest.mark.slow
def test_items_of_rows(schema: Schema, data: st.DataObject) -> None:
    include = data.draw(includes(schema))
    asked = query(schema, include)
    foreign = st.fixed_dictionaries({name: stored(schema, name) for name in asked.columns})
    own = datasets(schema).map(lambda found: [to_row(schema, each, "sqlite") for each in found])
    rows = data.draw(own | st.lists(foreign, max_size=3))
    plain = [
        item(schema, resource(schema.leaves.values(), {**dict.fromkeys(columns(schema)), **row}), include)
        for row in rows
    ]
    assert same(asked.page_from_rows(rows).items, plain)
    tuples = [tuple(row[name] for name in asked.columns) for row in rows]
    assert same(asked.page_from_rows(tuples).items, plain)


def stored(schema: Schema, column: str) -> st.SearchStrategy[Any]:
    """What a column may hold that somebody else wrote: any value, and where it is for JSON, any JSON as text or parsed."""
    leaf, *_ = columns(schema)[column]
    if leaf.field.scalar and not leaf.column.json_path:
        return SCALARS
    at = leaf.path[: len(leaf.path) - len(leaf.column.json_path)] or leaf.path[:1]
    field: Any = schema.root
    for name in at:
        field = field.members[name]
    values = arbitrary(field)

    def text(value: object) -> str:
        return json.dumps(value, default=str)

    return (
        values
        | values.map(text)
        | values.map(text).map(str.encode)
        | st.sampled_from(["", "{", "[" * 100_000, b"\xff"])
    )


@given(include=includes(HIDDEN))
@example(include=None)
def test_what_is_hidden_stays_hidden(include: tuple[tuple[str, ...], ...] | None) -> None:
    secrets = {
        "id": 1,
        "hidden": "secret",
        "vault": {"code": "secret"},
        "steps": [{"secret": "secret"}],
        "deep": {"er": {"secret": "secret"}},
    }
    assert "secret" not in repr(query(HIDDEN, include).page_from_resources([secrets]).items)
