"""``orderBy`` and the order it stands for (SPEC §6)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from astra_filter import Limits, QueryError, Schema, fields

SCHEMA = Schema(
    {
        "id": fields.Integer(),
        "name": fields.String(nullable=True),
        "state": fields.Enum("b", "a", nullable=True),
        "owner": fields.Uuid(nullable=True),
        "count": fields.Integer(nullable=True),
        "share": fields.Number(nullable=True),
        "open": fields.Boolean(nullable=True),
        "since": fields.Timestamp(nullable=True),
        "day": fields.Date(nullable=True),
        "app/name": fields.String(),
        "not": fields.String(),
        "größe": fields.Number(),
        "hidden": fields.String(returnable=False, sortable=False),
        "fixed": fields.String(sortable=False),
        "tags": fields.Array(fields.String()),
        "more": fields.Object({"rank": fields.Number(nullable=True), "deep": fields.Object({"x": fields.Date()})}),
        "secret": fields.Object({"rank": fields.Number()}, returnable=False),
        "labels": fields.Array(fields.Object({"name": fields.String()})),
    },
    key="id",
)


def keys(text: str | None) -> str:
    return SCHEMA.query({"orderBy": text}).order.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "id"),
        ("name", "name, id"),
        ("name asc", "name, id"),
        ("name desc", "name desc, id desc"),
        (" \tname\r\nDESC , share Asc ", "name desc, share, id"),
        ("name,share desc", "name, share desc, id desc"),
        ("id", "id"),
        ("id desc", "id desc"),
        ("name, id desc", "name, id desc"),
        ("id desc, name", "id desc"),  # Nothing after the key can decide.
        ("`app/name`", "`app/name`, id"),
        ("`not` desc", "`not` desc, id desc"),
        ("`name`", "name, id"),
        ("größe", "größe, id"),
        ("more.rank desc, more . deep.`x`", "more.rank desc, more.deep.x, id"),
    ],
)
def test_keys(text: str | None, expected: str) -> None:
    assert keys(text) == expected


def test_without_a_key() -> None:
    """Without a key field, equal resources stay as they come, and nothing can be continued."""
    schema = Schema({"name": fields.String()})
    rows = [{"name": "b"}, {"name": "a"}, {"name": "b", "n": 1}]
    query = schema.query("limit=2&orderBy=name%20desc")
    assert query.order.text == "name desc"
    page = query.page(rows)
    assert page.items == [{"name": "b"}, {"name": "b"}]
    assert page.more
    assert page.next_token is None
    assert schema.query("limit=2").page(rows).items == [{"name": "b"}, {"name": "a"}]
    with pytest.raises(QueryError, match="no key field"):
        schema.query("continue=abc")


ORDERED: dict[str, list[Any]] = {
    "name": [None, "", " ", "A", "a", "a ", "aa", "b", "e\u0301", "é", "一", "\uffee", "\U0001f600"],
    "state": [None, "C", "a", "b", "undeclared"],
    "owner": [None, "0" * 32, "9cc8c3216af1406c81582c6582c247f8", "{a0000000-0000-4000-8000-000000000000}"],
    "count": [None, -(2**63), -1, 0, 2**53, 2**53 + 1, 2**63 - 1],
    "share": [None, -1e308, -2, -0.5, 0, 5e-324, 2, 1e308],
    "open": [None, False, True],
    "since": [
        None,
        "0001-01-01T00:00:00Z",
        "2020-08-06T12:24:52.256623Z",
        "2020-08-06T14:24:52.256624+02:00",
        "2020-08-06T12:24:52.256625Z",
        "9999-12-31T23:59:59.999999Z",
    ],
    "day": [None, "0001-01-01", "2020-08-06", "9999-12-31"],
}


@pytest.mark.parametrize("name", ORDERED)
def test_order_of_values(name: str) -> None:
    """SPEC §6: nulls are the smallest; text, enums and UUIDs by code point; false before true."""
    rows = [{name: value, "id": 100 - number} for number, value in enumerate(ORDERED[name])]
    for direction, expected in (("", rows), (" desc", rows[::-1])):
        query = SCHEMA.query({"orderBy": name + direction, "include": "id"})
        assert query.page(rows[::2] + rows[1::2]).items == [[row["id"]] for row in expected]
        ranks = [query.order.rank(query.order.values(row)) for row in expected]
        for before, after in pairwise(ranks):
            assert before < after
            assert not after < before
            assert before == query.order.rank(query.order.values(expected[ranks.index(before)]))


def test_values_that_have_not_their_type_are_null() -> None:
    """SPEC §4.6"""
    rows = [
        {"id": 1, "share": 0},
        {"id": 2, "share": "9"},
        {"id": 3, "share": True},
        {"id": 4, "share": float("nan")},
        {"id": 5},
    ]
    assert SCHEMA.query("orderBy=share&include=id").page(rows).items == [[2], [3], [4], [5], [1]]
    assert SCHEMA.query("orderBy=share desc&include=id").page(rows).items == [[1], [5], [4], [3], [2]]


def test_mixed_directions() -> None:
    rows = [
        {"id": number, "name": name, "share": share}
        for number, (name, share) in enumerate([("a", 1), ("b", 1), ("a", 2), (None, 2)])
    ]
    assert SCHEMA.query("orderBy=name desc,share,id&include=id").page(rows).items == [[1], [0], [2], [3]]
    assert SCHEMA.query("orderBy=share,name desc&include=id").page(rows).items == [[1], [0], [2], [3]]
    assert SCHEMA.query("orderBy=share desc,name&include=id").page(rows).items == [[3], [2], [0], [1]]


WRONG = [
    ("", [("missing_item", 0, 0)]),
    (" ", [("missing_item", 0, 1)]),
    ("name,", [("missing_item", 5, 5)]),
    (",name", [("missing_item", 0, 0)]),
    ("name,,id", [("missing_item", 5, 5)]),
    ("name up", [("bad_direction", 5, 7)]),
    ("name asc desc", [("bad_direction", 5, 13)]),
    ("name ٣", [("bad_direction", 5, 6)]),
    ("name deſc", [("bad_direction", 5, 9)]),
    ("nope", [("unknown_field", 0, 4)]),
    ("name.first", [("unknown_field", 0, 10)]),
    ("tags", [("not_sortable", 0, 4)]),
    ("more", [("not_sortable", 0, 4)]),
    ("hidden", [("not_sortable", 0, 6)]),
    ("fixed", [("not_sortable", 0, 5)]),
    ("secret.rank", [("not_sortable", 0, 11)]),
    ("labels.name", [("through_array", 0, 11)]),
    ("labels.nope", [("unknown_field", 0, 11)]),
    ("name, name desc", [("repeated_item", 6, 10)]),
    ("name, `name`", [("repeated_item", 6, 12)]),
    ("app/name", [("unknown_field", 0, 3), ("text_after_name", 3, 8)]),
    ("name desc,state-id", [("text_after_name", 15, 18)]),
    ("not", [("reserved_name", 0, 3)]),
    ("NULL", [("reserved_name", 0, 4)]),
    ("'name'", [("not_a_name", 0, 6)]),
    ("name.", [("not_a_name", 5, 5)]),
    (".name", [("not_a_name", 0, 5)]),
    ("``", [("not_a_name", 0, 2)]),
    ("`name", [("not_a_name", 0, 5)]),
    ("1name", [("not_a_name", 0, 5)]),
    ("x²", [("not_a_name", 1, 2)]),
    ("nope up, id down", [("unknown_field", 0, 4), ("bad_direction", 5, 7), ("bad_direction", 12, 16)]),
]


@pytest.mark.parametrize(("text", "problems"), WRONG)
def test_problems(text: str, problems: list[tuple[str, int, int]]) -> None:
    with pytest.raises(QueryError) as caught:
        keys(text)
    assert [(problem.code, *problem.span) for problem in caught.value.problems] == problems
    assert {problem.parameter for problem in caught.value.problems} == {"orderBy"}
    assert {problem.text for problem in caught.value.problems} == {text}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("naem", "unknown field 'naem'; did you mean name?"),
        ("hiden", "unknown field 'hiden'"),
        ("secret.rang", "unknown field 'secret.rang'; did you mean more.rank?"),
        ("name up", "unknown direction 'up'; expected: asc, desc"),
        ("not", "'not' is a keyword; as a name it needs backquotes: `not`"),
        ("labels.name", "'labels' is an array, whose elements have no names here; sort by a field that has one value"),
        (
            "tags",
            (
                "'tags' cannot be sorted by; "
                "sortable fields: id, name, state, owner, count, share, open, since, day, `app/name`, …"
            ),
        ),
        (
            "app/name",
            "unexpected '/name' after a field name; names are separated by commas; as one name write `app/name`",
        ),
    ],
)
def test_reasons(text: str, reason: str) -> None:
    with pytest.raises(QueryError) as caught:
        keys(text)
    assert caught.value.problem()["invalidParams"][-1]["reason"] == reason


@pytest.mark.slow
def test_limit() -> None:
    """SPEC §8: 8 keys, and one past it."""
    names = list(ORDERED)
    assert keys(",".join(names)) == ", ".join(names) + ", id"
    with pytest.raises(QueryError) as caught:
        keys(",".join([*names, "id"]))
    assert [(problem.code, problem.span) for problem in caught.value.problems] == [
        ("too_many_items", (len(",".join(names)) + 1, len(",".join(names)) + 3))
    ]
    with pytest.raises(QueryError):
        SCHEMA.query("orderBy=name,id", limits=Limits(order_keys=1))
    with pytest.raises(QueryError) as caught:
        SCHEMA.query({"orderBy": "," * 1_000_000})
    assert len(caught.value.problems) == 9


def test_open_schema() -> None:
    with pytest.raises(QueryError, match="cannot be sorted by"):
        Schema.open().query("orderBy=anything")
