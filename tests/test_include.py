"""``include``, and the form in which resources are returned (SPEC §6)."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest

from astra_filter import Limits, QueryError, Schema, fields

STEP = fields.Object(
    {"at": fields.Timestamp(nullable=True), "by": fields.Uuid(nullable=True), "secret": fields.String(returnable=False)}
)
SCHEMA = Schema(
    {
        "id": fields.Uuid(),
        "name": fields.String(),
        "count": fields.Integer(nullable=True),
        "share": fields.Number(nullable=True),
        "open": fields.Boolean(nullable=True),
        "since": fields.Timestamp(nullable=True),
        "day": fields.Date(nullable=True),
        "state": fields.Enum("a", "b", nullable=True),
        "app/name": fields.String(nullable=True),
        "a,b": fields.String(nullable=True),
        "tags": fields.Array(fields.String(), nullable=True),
        "times": fields.Array(fields.Timestamp(), nullable=True),
        "steps": fields.Array(STEP, nullable=True),
        "hidden": fields.String(returnable=False, sortable=False, nullable=True),
        "meta": fields.Object(
            {"by": fields.Uuid(nullable=True), "deep": fields.Object({"x": fields.Date()}, nullable=True)}
        ),
        "vault": fields.Object({"code": fields.String()}, returnable=False, nullable=True),
    },
    key="id",
)
ID = "ae1e6561-9e22-406c-8a5a-762f4604da00"


def one(resource: object, include: str | None = None) -> Any:
    (item,) = SCHEMA.query({"include": include}).page([resource]).items
    return item


def test_objects() -> None:
    """Declared returnable members at every depth, canonical, in declared order; null members are left out."""
    resource = {
        "extra": 1,
        "meta": {"by": ID.upper(), "deep": {"x": "2020-08-06", "y": 2}, "extra": 1},
        "name": "n",
        "id": "{" + ID.upper() + "}",
        "count": 5.0,
        "share": 100,
        "open": False,
        "since": "2020-08-06T14:24:52+02:00",
        "day": date(2020, 8, 6),
        "state": "undeclared",
        "app/name": "",
        "tags": ["b", 1, None, "a"],
        "times": ["2020-08-06t12:24:52.2566249z", "x"],
        "steps": [
            {"at": "2020-08-06T12:24:52Z", "by": ID.upper(), "secret": "s", "extra": 1},
            {"at": None},
            {},
            5,
            None,
        ],
        "hidden": "h",
        "vault": {"code": "c"},
    }
    item = one(resource)
    assert item == {
        "id": ID,
        "name": "n",
        "count": 5,
        "share": 100.0,
        "open": False,
        "since": "2020-08-06T12:24:52.000000Z",
        "day": "2020-08-06",
        "state": "undeclared",
        "app/name": "",
        "tags": ["b", None, None, "a"],
        "times": ["2020-08-06T12:24:52.256624Z", None],
        "steps": [{"at": "2020-08-06T12:24:52.000000Z", "by": ID}, {}, {}, None, None],
        "meta": {"by": ID, "deep": {"x": "2020-08-06"}},
    }
    assert [type(item[name]) for name in ("count", "share", "open")] == [int, float, bool]


def test_order_of_members() -> None:
    item = one({"day": "2020-08-06", "name": "n", "id": ID})
    assert list(item) == ["id", "name", "day", "meta"]


@pytest.mark.parametrize(
    "nothing", [{}, {"count": None, "meta": None}, {"count": "5", "since": "x", "tags": "x", "meta": 5, "open": 1}]
)
def test_nothing(nothing: dict[str, Any]) -> None:
    """What is missing, null or mistyped is left out; an object that is never null is there even when empty."""
    assert one({"id": ID, "name": "n", **nothing}) == {"id": ID, "name": "n", "meta": {}}
    names = "count,since,tags,open,steps,meta,meta.deep,meta.deep.x,meta.by"
    assert one({"id": ID, "name": "n", **nothing}, names) == [None, None, None, None, None, {}, None, None, None]


def test_include() -> None:
    resource = {
        "id": ID,
        "name": "n",
        "app/name": "app",
        "a,b": "comma",
        "tags": ["x"],
        "meta": {"by": ID, "deep": {"x": "2020-08-06"}},
        "steps": [{"secret": "s"}],
    }
    assert one(resource, "name,id") == ["n", ID]
    assert one(resource, " name ,\t`id`\r\n") == ["n", ID]
    assert one(resource, "`app/name`,`a,b`") == ["app", "comma"]
    assert one(resource, "meta.deep.x, meta . by, `meta`.`deep`, meta") == [
        "2020-08-06",
        ID,
        {"x": "2020-08-06"},
        resource["meta"],
    ]
    assert one(resource, "steps,tags") == [[{}], ["x"]]


def test_python_values() -> None:
    """SPEC §4.7"""

    class State(Enum):
        A = "a"

    resource = SimpleNamespace(
        id=uuid.UUID(ID),
        name="n",
        count=Decimal("1e2"),
        share=Decimal("0.5"),
        since=datetime(2020, 8, 6, 14, 24, 52, 256624, tzinfo=timezone(timedelta(hours=2))),
        state=State.A,
        tags=("x",),
        meta=SimpleNamespace(by=uuid.UUID(ID)),
    )
    assert one(resource) == {
        "id": ID,
        "name": "n",
        "count": 100,
        "share": 0.5,
        "since": "2020-08-06T12:24:52.256624Z",
        "state": "a",
        "tags": ["x"],
        "meta": {"by": ID},
    }
    assert one({"id": ID, "since": datetime(1, 1, 1)}, "since") == ["0001-01-01T00:00:00.000000Z"]
    assert one({"id": ID, "since": datetime(9999, 12, 31, tzinfo=UTC)}, "since") == ["9999-12-31T00:00:00.000000Z"]


def test_items_are_new() -> None:
    resource = {"id": ID, "name": "n", "tags": ["x"], "meta": {"by": ID}}
    item = one(resource)
    item["tags"].append("y")
    item["meta"]["by"] = "z"
    assert resource == {"id": ID, "name": "n", "tags": ["x"], "meta": {"by": ID}}


def test_no_negative_zero() -> None:
    assert str(one({"id": ID, "share": -0.0}, "share")) == "[0.0]"


WRONG = [
    ("", [("missing_item", 0, 0)]),
    ("id,,name", [("missing_item", 3, 3)]),
    ("id, ,name", [("missing_item", 3, 4)]),
    ("id,", [("missing_item", 3, 3)]),
    ("id,id", [("repeated_item", 3, 5)]),
    ("id, `id`", [("repeated_item", 4, 8)]),
    ("nope", [("unknown_field", 0, 4)]),
    ("meta.nope", [("unknown_field", 0, 9)]),
    ("name.x", [("unknown_field", 0, 6)]),
    ("hidden", [("not_returnable", 0, 6)]),
    ("vault", [("not_returnable", 0, 5)]),
    ("vault.code", [("not_returnable", 0, 10)]),
    ("steps.at", [("through_array", 0, 8)]),
    ("steps.nope", [("unknown_field", 0, 10)]),
    ("tags.x", [("unknown_field", 0, 6)]),
    ("id name", [("text_after_name", 3, 7)]),
    ("id desc", [("text_after_name", 3, 7)]),
    ("created-by", [("text_after_name", 7, 10)]),
    ("or", [("reserved_name", 0, 2)]),
    ("meta.true", [("reserved_name", 5, 9)]),
    ("*", [("not_a_name", 0, 1)]),
    ("id,\x00", [("not_a_name", 3, 4)]),
    ("`\ud800`", [("not_a_name", 0, 3)]),
    ("__class__", [("unknown_field", 0, 9)]),
    (
        "nope,id,id,hidden,",
        [("unknown_field", 0, 4), ("repeated_item", 8, 10), ("not_returnable", 11, 17), ("missing_item", 18, 18)],
    ),
]


@pytest.mark.parametrize(("text", "problems"), WRONG)
def test_problems(text: str, problems: list[tuple[str, int, int]]) -> None:
    with pytest.raises(QueryError) as caught:
        SCHEMA.query({"include": text})
    found = caught.value.problems
    assert [(problem.code, *problem.span) for problem in found] == problems
    assert {problem.parameter for problem in found} == {"include"}


def test_suggestions_know_no_secrets() -> None:
    """SPEC §6: what is not returned is not suggested here."""
    for text in ("hiddn", "valt", "vault.cod", "steps.secrte"):
        with pytest.raises(QueryError) as caught:
            SCHEMA.query({"include": text})
        assert "did you mean" not in str(caught.value)
    with pytest.raises(QueryError, match=r"did you mean meta\.deep\.x\?"):
        SCHEMA.query({"include": "meta.dep.x"})


@pytest.mark.slow
def test_limit() -> None:
    """SPEC §8: 100 names, and one past it."""
    schema = Schema({f"f{number}": fields.String() for number in range(101)})
    names = [f"f{number}" for number in range(101)]
    assert len(schema.query({"include": ",".join(names[:100])}).include or ()) == 100
    with pytest.raises(QueryError) as caught:
        schema.query({"include": ",".join(names)})
    assert [problem.code for problem in caught.value.problems] == ["too_many_items"]
    with pytest.raises(QueryError):
        schema.query({"include": "f1,f2"}, limits=Limits(include_names=1))
    with pytest.raises(QueryError) as caught:
        schema.query({"include": "nope," * 200_000})
    assert len(caught.value.problems) <= 21


def test_open_schema() -> None:
    """An open schema returns what it is given."""
    resource = {"a": {"b": [1, None]}, "c": None}
    assert Schema.open().query("").page([resource]).items == [resource]
    assert Schema.open().query("include=a.b,c,d.e").page([resource]).items == [[[1, None], None, None]]
