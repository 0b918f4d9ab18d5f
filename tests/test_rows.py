"""Resources as rows, and back (SPEC §5): on every database what was stored comes out again, in canonical form."""

from __future__ import annotations

import enum
import json
import sqlite3
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pytest

from astra_filter import Schema, SchemaError, StorageError, fields
from astra_filter.sql.dialects import DIALECTS

SCALARS = {
    "text": fields.String(nullable=True),
    "state": fields.Enum("on", "off", nullable=True),
    "uuid": fields.Uuid(nullable=True),
    "n": fields.Integer(nullable=True),
    "x": fields.Number(nullable=True),
    "ok": fields.Boolean(nullable=True),
    "at": fields.Timestamp(nullable=True),
    "day": fields.Date(nullable=True),
}
SCHEMA = Schema(
    {
        "id": fields.Integer(),
        **SCALARS,
        "o": fields.Object({**SCALARS, "deep": fields.Object({"a": fields.String(nullable=True)}, nullable=True)}),
        "tags": fields.Array(fields.String(), nullable=True),
        "times": fields.Array(fields.Timestamp(), nullable=True),
        "labels": fields.Array(
            fields.Object({"name": fields.String(nullable=True), "to": fields.Array(fields.Uuid(), nullable=True)}),
            nullable=True,
        ),
        "renamed": fields.String(nullable=True, column="other name"),
        "placed": fields.Number(nullable=True, column="extra", json_path=("deep", "in it")),
        "beside": fields.Boolean(nullable=True, column="extra", json_path=("beside",)),
    },
    key="id",
)


class State(enum.Enum):
    ON = "on"


ID = "ae1e6561-9e22-406c-8a5a-762f4604da00"
CANONICAL = {
    "text": "é😀 'q' \"d\" \\ % \n ",
    "state": "on",
    "uuid": ID,
    "n": 2**63 - 1,
    "x": 0.1,
    "ok": False,
    "at": "2020-08-06T12:24:52.256624Z",
    "day": "2020-08-06",
}
PYTHON = {
    **CANONICAL,
    "state": State.ON,
    "uuid": UUID(ID),
    "x": Decimal("0.1"),
    "at": datetime(2020, 8, 6, 14, 24, 52, 256624, timezone(timedelta(hours=2))),
    "day": date(2020, 8, 6),
}
REST = {
    "tags": ["a", "", "é"],
    "times": ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"],
    "labels": [{"name": "env", "to": [ID]}, {"to": []}, {}],
    "renamed": "r",
    "placed": 5e-324,
    "beside": True,
}
WHOLE = {"id": 1, **CANONICAL, "o": {**CANONICAL, "deep": {"a": "b"}}, **REST}
EMPTY = {"id": 2, "o": {}}


@pytest.mark.parametrize(
    ("resource", "canonical"),
    [
        pytest.param(WHOLE, WHOLE, id="canonical"),
        pytest.param(
            SimpleNamespace(id=1, o=SimpleNamespace(**PYTHON, deep={"a": "b"}), **PYTHON, **REST), WHOLE, id="objects"
        ),
        pytest.param(
            {
                **WHOLE,
                "uuid": "{" + ID.upper() + "}",
                "n": float(2**62),
                "x": 1,
                "at": "2020-08-06t12:24:52.2566249",
                "times": ("0001-01-01T00:00:00", datetime(9999, 12, 31, 23, 59, 59, 999999)),
                "undeclared": 1,
                "labels": [{"name": "env", "to": [ID.replace("-", "")], "other": 1}, {"name": 5, "to": ()}, {}],
            },
            {**WHOLE, "n": 2**62, "x": 1.0},
            id="other spellings",
        ),
        pytest.param(EMPTY, EMPTY, id="missing"),
        pytest.param({**dict.fromkeys(WHOLE), "id": 2}, EMPTY, id="null"),
        pytest.param(
            {
                "id": 2,
                "text": 5,
                "state": True,
                "uuid": "x",
                "n": 2**63,
                "x": float("nan"),
                "ok": 1,
                "at": "2020-02-30T00:00:00Z",
                "day": datetime(2020, 1, 1, tzinfo=UTC),
                "o": {"text": "\0", "state": "\ud800", "n": 0.5, "x": 10**400, "ok": "true", "deep": "a"},
                "tags": "a",
                "labels": {"name": "env"},
                "renamed": "\0",
                "placed": float("inf"),
                "beside": 0,
            },
            EMPTY,
            id="mistyped",
        ),
        pytest.param(
            {"id": 2, "o": {}, "tags": ["a", None, 1, "\0"], "labels": [None, 5, {"name": 1}], "times": ["x"]},
            {"id": 2, "o": {}, "tags": ["a", None, None, None], "labels": [None, None, {}], "times": [None]},
            id="mistyped elements keep their places",
        ),
        pytest.param({**EMPTY, "text": "", "tags": []}, {**EMPTY, "text": "", "tags": []}, id="blank"),
        pytest.param(
            {"id": -(2**63), "o": {"x": 1e308}, "x": -1e308, "at": "0001-01-01T00:00:00Z", "day": "0001-01-01"},
            {"id": -(2**63), "o": {"x": 1e308}, "x": -1e308, "at": "0001-01-01T00:00:00.000000Z", "day": "0001-01-01"},
            id="edges",
        ),
    ],
)  # fmt: skip
def test_there_and_back(backend, resource, canonical):
    with backend.table(SCHEMA) as table:
        table.insert([SCHEMA.to_row(resource, backend.name)])
        (row,) = table.rows()
    found = SCHEMA.from_row(row, backend.name)
    assert found == canonical
    # 5 and 5.0 are equal to Python, and 1 and True; not to a reader of JSON.
    assert json.dumps(found, sort_keys=True) == json.dumps(canonical, sort_keys=True)
    assert SCHEMA.to_row(found, backend.name) == SCHEMA.to_row(resource, backend.name)


def test_the_stored_form():
    """SPEC §5: the driver's value of each column; JSON compact, in canonical form, with what is null left out."""
    rows = {name: SCHEMA.to_row(WHOLE, name) for name in DIALECTS}
    for row in rows.values():
        assert list(row) == [
            "id", "text", "state", "uuid", "n", "x", "ok", "at", "day", "o", "tags", "times", "labels", "other name", "extra"
        ]  # fmt: skip
        assert row["extra"] == '{"deep":{"in it":5e-324},"beside":true}'
        assert row["labels"] == f'[{{"name":"env","to":["{ID}"]}},{{"to":[]}},{{}}]'
        assert row["tags"] == '["a","","é"]'
        assert '"n":9223372036854775807,"x":0.1,"ok":false,"at":"2020-08-06T12:24:52.256624Z"' in row["o"]
    at = datetime(2020, 8, 6, 12, 24, 52, 256624, UTC)
    assert {name: row["at"] for name, row in rows.items()} == {
        "sqlite": "2020-08-06T12:24:52.256624Z",
        "postgresql": at,
        "mysql": at.replace(tzinfo=None),
        "duckdb": "2020-08-06T12:24:52.256624Z",
    }
    assert type(rows["sqlite"]["ok"]) is int


REQUIRED = Schema(
    {
        "id": fields.String(max_length=3),
        "n": fields.Integer(),
        "tags": fields.Array(fields.String(max_length=2)),
        "o": fields.Object({"name": fields.String(max_length=2)}),
    },
    key="id",
)
STORED = {"id": "abc", "n": 1, "tags": ["a"], "o": {"name": "ab"}}


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"n": None}, "null_in_required", "n"),
        ({"n": "1"}, "null_in_required", "n"),
        ({"id": "\ud800"}, "null_in_required", "id"),
        ({"tags": None}, "null_in_required", "tags"),
        ({"tags": "a"}, "null_in_required", "tags"),
        ({"id": "abcd"}, "value_too_long", "id"),
        ({"o": {"name": "abc"}}, "value_too_long", "o.name"),
        ({"tags": ["a", "abc"]}, "value_too_long", "tags"),
    ],
)
def test_what_cannot_be_stored(change, code, named):
    for dialect in DIALECTS:
        REQUIRED.to_row(STORED, dialect)
        with pytest.raises(StorageError) as caught:
            REQUIRED.to_row({**STORED, **change}, dialect)
        assert caught.value.code == code
        assert str(caught.value).startswith(f"{named} is ")


def test_length_counts_code_points(backend):
    schema = Schema({"id": fields.Integer(), "name": fields.String(max_length=3)}, key="id")
    with backend.table(schema, [{"id": 1, "name": "😀😀😀"}]) as table:
        assert table.select(schema.compile("name eq '😀😀😀'")) == [0]


def test_rows_of_others():
    schema = Schema({"id": fields.Integer(), "o": fields.Object({"a": fields.Integer(nullable=True)})}, key="id")
    for document in ("{bad", "5", "[]", '{"a":"5"}', "[" * 100_000, None, b"\xff"):
        assert schema.from_row({"id": 1, "o": document}, "sqlite") == {"id": 1, "o": {}}
    for document in ('{"a":5,"b":6}', b'{"a":5.0}', {"a": 5}):
        assert schema.from_row({"id": 1, "o": document}, "sqlite") == {"id": 1, "o": {"a": 5}}
    # A text longer than may be stored can still be read.
    assert REQUIRED.from_row({"id": "abcdef", "n": 1, "tags": "[]", "o": "{}"}, "sqlite")["id"] == "abcdef"


def test_rows_of_sqlite3():
    schema = Schema({"id": fields.Integer(), "ok": fields.Boolean()}, key="id")
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    assert schema.from_row(connection.execute("SELECT 1 AS id, 1 AS ok").fetchone(), "sqlite") == {"id": 1, "ok": True}
    for row in (connection.execute("SELECT 1 AS id").fetchone(), {"id": 1}):
        with pytest.raises(StorageError) as caught:
            schema.from_row(row, "sqlite")
        assert caught.value.code == "missing_column"
    connection.close()


@pytest.mark.parametrize(
    "clash",
    [
        {"a": fields.String(column="c"), "b": fields.String(column="c")},
        {"a": fields.String(column="c"), "b": fields.String(column="c", json_path=("x",))},
        {"a": fields.String(column="c", json_path=("x",)), "b": fields.String(column="c", json_path=("x", "y"))},
        {"a": fields.Object({"b": fields.String()}), "b": fields.String(column="a", json_path=("b",))},
    ],
)
def test_two_fields_in_one_place(clash):
    with pytest.raises(SchemaError) as caught:
        Schema(clash).to_row({}, "sqlite")
    assert caught.value.code == "shared_place"


def test_an_open_schema_has_no_rows():
    for use in (
        lambda schema: schema.to_row({}, "sqlite"),
        lambda schema: schema.from_row({}, "sqlite"),
        lambda schema: schema.create_table("t", "sqlite"),
    ):
        with pytest.raises(SchemaError) as caught:
            use(Schema.open())
        assert caught.value.code == "open_schema"


def test_undeclared_values_of_an_enum_that_the_column_has_no_room_for() -> None:
    """MySQL's columns of enums have a length; elsewhere text has none."""
    schema = Schema({"id": fields.Integer(), "state": fields.Enum("a", "b")}, key="id")
    fits, too_long = "z" * 255, "z" * 256
    assert schema.to_row({"id": 1, "state": fits}, "mysql")["state"] == fits
    assert schema.to_row({"id": 1, "state": too_long}, "sqlite")["state"] == too_long
    with pytest.raises(StorageError) as caught:
        schema.to_row({"id": 1, "state": too_long}, "mysql")
    assert caught.value.code == "value_too_long"


@pytest.mark.parametrize("stored", ['["a"] x', '["a"]]', '["a"] []', ' ["a"', "", "[" * 5000, b'["a"]\xff'])
def test_documents_that_are_none_hold_nothing(stored):
    schema = Schema({"id": fields.Integer(), "tags": fields.Array(fields.String(), nullable=True)}, key="id")
    row = {"id": 1, "tags": stored}
    assert schema.from_row(row, "sqlite") == {"id": 1}
    assert schema.query("").page_from_rows([row]).items == [{"id": 1}]
    for spaced in ('["a"]', ' ["a"]', '["a"] \n', b'["a"]'):
        row = {"id": 1, "tags": spaced}
        assert (
            schema.from_row(row, "sqlite")
            == schema.query("").page_from_rows([row]).items[0]
            == {"id": 1, "tags": ["a"]}
        )
