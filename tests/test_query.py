"""A whole list request: parameters, problems, pages in memory, and the response document (SPEC §1, §6, §8)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from astra_filter import Limits, QueryError, Schema, SchemaError, StorageError, fields

SCHEMA = Schema(
    {
        "id": fields.Uuid(),
        "name": fields.String(max_length=255),
        "state": fields.Enum("pending", "running", "paused", "completed", "failed", "cancelled"),
        "percentDone": fields.Number(nullable=True),
        "startTime": fields.Timestamp(nullable=True),
        "resourceCollectionURI": fields.Array(fields.String()),
        "metadata": fields.Object(
            {
                "labels": fields.Array(fields.Object({"name": fields.String(), "value": fields.String()})),
                "creationTimestamp": fields.Timestamp(),
            }
        ),
    },
    key="id",
)
TASKS = json.loads((Path(__file__).parent / "data" / "astra_tasks.json").read_text(encoding="utf-8"))["items"]
FIRST, SECOND = (task["id"] for task in TASKS)


def numbered(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"{number:032x}", "name": f"n{number % 7}", "percentDone": number % 3 or None} for number in range(count)
    ]


def names(items: list[Any]) -> list[int]:
    return [int(item["id"].replace("-", ""), 16) if isinstance(item, dict) else item[0] for item in items]


def problems(parameters: Any, **options: Any) -> list[dict[str, Any]]:
    with pytest.raises(QueryError) as caught:
        SCHEMA.query(parameters, **options)
    document = caught.value.problem()
    assert document["status"] == "400"
    return list(document["invalidParams"])


def test_published_example() -> None:
    """SPEC §1, §9"""
    query = SCHEMA.query(
        "filter=state%20eq%20'running'&include=id,name&limit=2",
        scope="account",
        secret="key",
        default_limit=50,
        max_limit=500,
        ignore=("pretty",),
    )
    assert query.include == (("id",), ("name",))
    assert query.limit == 2
    page = query.page(TASKS)
    body = page.body(type="application/astra-tasks", version="1.1", metadata={"createdBy": "x"})
    assert body == {
        "type": "application/astra-tasks",
        "version": "1.1",
        "items": [[FIRST, "astra.backup.prep"]],
        "metadata": {"createdBy": "x"},
    }
    assert json.loads(json.dumps(body)) == body


def test_pages() -> None:
    first = SCHEMA.query("limit=1&count=true&include=id").page(TASKS)
    assert first.items == [[FIRST]]
    assert first.more
    assert first.body()["metadata"] == {"continue": first.next_token, "count": 2}
    second = SCHEMA.query({"limit": "1", "count": "true", "include": "id", "continue": first.next_token}).page(TASKS)
    assert second.items == [[SECOND]]
    assert second.body() == {"items": [[SECOND]], "metadata": {"count": 2}}


def test_whole_resources() -> None:
    """What a schema declares comes back as it was published."""
    for item, task in zip(SCHEMA.query("").page(TASKS).items, TASKS, strict=True):
        expected = {
            name: task[name] for name in ("id", "name", "state", "percentDone", "startTime", "resourceCollectionURI")
        }
        assert item == {
            **expected,
            "metadata": {name: task["metadata"][name] for name in ("labels", "creationTimestamp")},
        }


REQUESTS: list[tuple[Any, dict[str, Any]]] = [
    ("", {}),
    ("?", {}),
    (b"", {}),
    ({}, {}),
    ([], {}),
    ("&&", {}),
    ("limit=5", {"limit": 5}),
    (b"limit=5", {"limit": 5}),
    ("?limit=5&skip=0", {"limit": 5}),
    ("limit=%35", {"limit": 5}),
    ("l%69mit=5", {"limit": 5}),
    ("limit=0005", {"limit": 5}),
    ({"limit": "5"}, {"limit": 5}),
    ({"limit": ["5"], "skip": []}, {"limit": 5}),
    ({"limit": None, "skip": "3", "count": "false"}, {"skip": 3}),
    ([("skip", "9223372036854775807"), ("count", "true")], {"skip": 2**63 - 1, "count": True}),
    ((pair for pair in [("skip", "1")]), {"skip": 1}),
    ("filter=name+eq+'a%2Bb'", {"filter": "name eq 'a+b'"}),
    ("filter=name%20eq%20'%C3%A9%F0%9F%98%80'", {"filter": "name eq 'é\U0001f600'"}),
    ("filter=name eq 'é'", {"filter": "name eq 'é'"}),
    ("filter=name eq 'é'".encode(), {"filter": "name eq 'é'"}),
    ("filter=name%20eq%20'a=b'", {"filter": "name eq 'a=b'"}),
    ("filter=name eq '100%'", {"filter": "name eq '100%'"}),
    ("filter=name eq 'a'&filter=state ne 'paused'", {"filter": "name eq 'a' and state ne 'paused'"}),
    (
        "filter=name eq 'a' or name eq 'b'&filter=not name eq 'c'",
        {"filter": "(name eq 'a' or name eq 'b') and not name eq 'c'"},
    ),
    (
        {"filter": ["name eq 'a'", "name eq 'b' and name eq 'c'"]},
        {"filter": "name eq 'a' and name eq 'b' and name eq 'c'"},
    ),
    (
        [("filter", "name eq 'a'"), ("limit", "1"), ("filter", "name eq 'b'")],
        {"filter": "name eq 'a' and name eq 'b'", "limit": 1},
    ),
]


@pytest.mark.parametrize(("parameters", "expected"), REQUESTS, ids=range(len(REQUESTS)))
def test_parameters(parameters: Any, expected: dict[str, Any]) -> None:
    query = SCHEMA.query(parameters)
    assert (query.limit, query.skip, query.count) == (
        expected.get("limit"),
        expected.get("skip", 0),
        expected.get("count", False),
    )
    assert (None if query.filter is None else str(query.filter)) == expected.get("filter")
    assert query.include is None
    assert query.order.text == "id"
    assert query.position is None


@pytest.mark.parametrize(
    ("text", "default", "most", "limit"),
    [
        (None, None, None, None),
        (None, 50, None, 50),
        (None, 50, 20, 20),
        (None, None, 20, 20),
        ("7", 50, 20, 7),
        ("20", 50, 20, 20),
        ("21", 50, 20, 20),
        ("9" * 30, 50, 20, 20),
        ("51", 50, None, 51),
        ("9" * 30, None, None, 2**63 - 2),
    ],
)
def test_limits_of_the_server(text: str | None, default: int | None, most: int | None, limit: int | None) -> None:
    """SPEC §6: above the maximum it is lowered to it; without it the default applies."""
    assert SCHEMA.query({"limit": text}, default_limit=default, max_limit=most).limit == limit


@pytest.mark.parametrize("value", [0, -1, 2.5, "5", True, 2**63])
def test_page_sizes_of_the_server(value: Any) -> None:
    for name in ("default_limit", "max_limit"):
        with pytest.raises(SchemaError) as caught:
            SCHEMA.query("", **{name: value})
        assert caught.value.code == "bad_page_size"


LIMIT = "limit is a whole number, at least 1; write digits 0 to 9 only: limit=50"
SKIP = "skip is a whole number from 0 to 9223372036854775807; write digits 0 to 9 only: skip=50"
COUNT = "count is true or false; write count=true"
TWICE = "the parameter is given more than once; only filter may be repeated"
TOKEN = (
    "this is not a continue token of this request; send metadata.continue of the last response unchanged, with the "
    "same filter and orderBy, or leave continue out to start again"
)
WRONG: list[tuple[str, list[tuple[str, str]]]] = [
    ("limit=0", [("limit", LIMIT)]),
    ("limit=-1", [("limit", LIMIT)]),
    ("limit=2.5", [("limit", LIMIT)]),
    ("limit=٣", [("limit", LIMIT)]),
    ("limit=1e3", [("limit", LIMIT)]),
    ("limit=", [("limit", LIMIT)]),
    ("limit", [("limit", LIMIT)]),
    ("limit=+5", [("limit", LIMIT)]),
    ("skip=-1", [("skip", SKIP)]),
    ("skip=9223372036854775808", [("skip", SKIP)]),
    ("skip=" + "9" * 100_000, [("skip", SKIP)]),
    ("count=yes", [("count", COUNT)]),
    ("count=True", [("count", COUNT)]),
    ("count=", [("count", COUNT)]),
    ("include=", [("include", "include is empty; name at least one field, or leave the parameter out")]),
    ("include=id,,name", [("include", "a field name is missing here; remove the comma, or name a field")]),
    ("include=id,id", [("include", "'id' is named twice")]),
    ("include=nope", [("include", "unknown field 'nope'")]),
    ("include=nmae", [("include", "unknown field 'nmae'; did you mean name?")]),
    ("orderBy=name up", [("orderBy", "unknown direction 'up'; expected: asc, desc")]),
    ("continue=abc", [("continue", TOKEN)]),
    ("continue=", [("continue", TOKEN)]),
    (
        "skip=1&continue=abc",
        [
            (
                "skip",
                (
                    "skip cannot be combined with continue, which already says where the page begins; "
                    "leave out one of them"
                ),
            ),
            ("continue", TOKEN),
        ],
    ),
    ("fliter=name", [("fliter", "there is no parameter 'fliter'; did you mean filter?")]),
    ("orderby=name", [("orderby", "there is no parameter 'orderby'; did you mean orderBy?")]),
    ("$top=5", [("$top", "there is no parameter '$top'; use limit: limit=5")]),
    ("=5", [("", "there is no parameter ''")]),
    ("x=1&x=2", [("x", "there is no parameter 'x'")]),
    ("limit=1&limit=1", [("limit", TWICE)]),
    ("limit=1&limit=0&limit=3", [("limit", TWICE)]),
    ("include=id&include=name", [("include", TWICE)]),
    ("limit=%ff", [("limit", "the text is not UTF-8 in percent-encoding")]),
    ("%ff=1", [("%ff", "the text is not UTF-8 in percent-encoding")]),
    ("filter=%ED%A0%80", [("filter", "the text is not UTF-8 in percent-encoding")]),
    (
        "limit=0&count=yes&include=nope&fliter=x",
        [
            ("fliter", "there is no parameter 'fliter'; did you mean filter?"),
            ("include", "unknown field 'nope'"),
            ("limit", LIMIT),
            ("count", COUNT),
        ],
    ),
]


@pytest.mark.parametrize(("parameters", "expected"), WRONG, ids=[text[:30] for text, _ in WRONG])
def test_problems(parameters: str, expected: list[tuple[str, str]]) -> None:
    assert [(entry["name"], entry["reason"]) for entry in problems(parameters)] == expected


def test_problems_of_every_filter() -> None:
    """SPEC §6: all problems of a request together, each in its own text."""
    with pytest.raises(QueryError) as caught:
        SCHEMA.query(
            {"filter": ["nmae eq 'x' and state eq 'x'", "name ==", "name eq 'fine'", "percentDone eq 'x'"], "skip": "x"}
        )
    found = [(problem.parameter, problem.code, problem.text[slice(*problem.span)]) for problem in caught.value.problems]
    assert found == [
        ("filter", "unknown_field", "nmae"),
        ("filter", "undeclared_value", "'x'"),
        ("filter", "unknown_operator", "=="),
        ("filter", "wrong_kind", "'x'"),
        ("skip", "bad_skip", "x"),
    ]


def test_one_filter_cannot_reach_into_another() -> None:
    with pytest.raises(QueryError):
        SCHEMA.query({"filter": ["name eq 'a') or (name eq 'b'", "name eq 'c'"]})
    with pytest.raises(QueryError):
        SCHEMA.query({"filter": ["name eq 'a", "' and name eq 'c'"]})
    with pytest.raises(QueryError):
        SCHEMA.query({"filter": ["name eq 'a'", ""]})


def test_a_bad_filter_hides_no_token() -> None:
    """Whether a token is right cannot be said without filter and order, so nothing is said of it."""
    assert [entry["name"] for entry in problems("filter=nope&continue=abc")] == ["filter"]
    assert [entry["name"] for entry in problems("orderBy=nope&continue=abc")] == ["orderBy"]


LONG = "name eq '" + "x" * 90 + "'"


def test_limits_of_all_filters_together() -> None:
    """SPEC §8: at the limit, and one past it."""
    limits = Limits(text_length=300, tests=3, literals=4, nesting=2, filters=3)
    SCHEMA.query({"filter": [LONG, LONG, LONG]}, limits=limits)
    more = "name eq '" + "x" * 91 + "'"
    ((entry),) = problems({"filter": [LONG, LONG, more]}, limits=limits)
    assert (entry["code"], entry["start"], entry["end"]) == ("text_too_long", 100, 101)
    ((entry),) = problems({"filter": ["name eq 'a'"] * 4}, limits=limits)
    assert entry["code"] == "too_many_filters"
    SCHEMA.query({"filter": ["name eq 'a' and name eq 'b'", "name in ('c', 'd')"]}, limits=limits)
    with pytest.raises(QueryError) as caught:
        SCHEMA.query({"filter": ["name eq 'a' and name eq 'b'", "name eq 'c'", "  name eq 'd'"]}, limits=limits)
    ((problem),) = caught.value.problems
    assert (problem.code, problem.text, problem.text[slice(*problem.span)]) == (
        "too_many_tests",
        "  name eq 'd'",
        "name eq 'd'",
    )
    with pytest.raises(QueryError) as caught:
        SCHEMA.query({"filter": ["name in ('a', 'b')", "name in ('c', 'd', 'e')"]}, limits=limits)
    ((problem),) = caught.value.problems
    assert (problem.code, problem.text[slice(*problem.span)]) == ("too_many_literals", "'e'")
    SCHEMA.query({"filter": ["not (name eq 'a')", "((name eq 'a'))"]}, limits=limits)
    ((entry),) = problems({"filter": ["name eq 'a'", "((not name eq 'a'))"]}, limits=limits)
    assert entry["code"] == "too_deep"


def test_defaults() -> None:
    """SPEC §8: ten filters of 8,192 characters together."""
    text = "name eq '" + "x" * (8192 - 9 * 11 - 10) + "'"
    SCHEMA.query({"filter": [text, *["name eq 'a'"] * 9]})
    assert problems({"filter": [text, *["name eq 'a'"] * 8, "name eq  'a'"]})[0]["code"] == "text_too_long"
    assert problems({"filter": ["name eq 'a'"] * 11})[0]["code"] == "too_many_filters"


def test_ignored_parameters() -> None:
    query = SCHEMA.query("pretty=1&pretty=2&count=nonsense", ignore=["pretty", "count"])
    assert not query.count
    assert problems("Pretty=1", ignore=["pretty"])[0]["name"] == "Pretty"


def test_hostile_parameters() -> None:
    found = problems("&".join(f"limi{number}=1" for number in range(5000)))
    assert len(found) == 20
    found = problems("&".join(f"{number}=%ff" for number in range(5000)))
    assert len(found) == 20
    assert problems({"x" * 1_000_000: "1"})[0]["reason"].endswith("…'")
    assert problems("limit=" + "%F0%9F" * 1000)[0]["code"] == "bad_encoding"
    assert problems("filter=\ud800")[0]["code"] == "bad_encoding"
    assert problems({"filter": "\ud800"})[0]["name"] == "filter"


@pytest.mark.parametrize(
    "value",
    [5, {"limit": 5}, {"limit": [5]}, [("limit",)], ["limit"], [("limit", "1", "2")], {5: "1"}, {"limit": b"5"}],
)
def test_parameters_of_no_use(value: Any) -> None:
    with pytest.raises(SchemaError) as caught:
        SCHEMA.query(value)
    assert caught.value.code == "bad_parameters"


def test_skip_and_limit() -> None:
    rows = numbered(20)
    assert names(SCHEMA.query("skip=5&limit=3").page(rows[::-1]).items) == [5, 6, 7]
    assert names(SCHEMA.query("skip=18").page(rows).items) == [18, 19]
    page = SCHEMA.query("skip=18&limit=2").page(rows)
    assert (names(page.items), page.more, page.next_token) == ([18, 19], False, None)
    assert SCHEMA.query("skip=9223372036854775807&limit=1").page(rows).items == []
    page = SCHEMA.query("skip=3&limit=2&count=true&filter=percentDone ne null&orderBy=percentDone desc").page(rows)
    assert (names(page.items), page.total) == ([8, 5], 13)


class Watched:
    """An iterable that can be read once, and tells how far it was read and how many of its items live."""

    def __init__(self, count: int) -> None:
        self.read = 0
        self.alive = 0
        self.most = 0
        self._count = count

    def __iter__(self) -> Iterator[Any]:
        for number in range(self._count):
            self.read += 1
            yield Resource(self, (number * 7919) % self._count)


class Resource(Mapping[str, Any]):
    def __init__(self, watch: Watched, number: int) -> None:
        self._watch = watch
        self._members = {"id": f"{number:032x}", "name": "n"}
        watch.alive += 1
        watch.most = max(watch.most, watch.alive)

    def __del__(self) -> None:
        self._watch.alive -= 1

    def __getitem__(self, name: str) -> Any:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def test_holds_only_what_the_page_needs() -> None:
    watched = Watched(5000)
    page = SCHEMA.query("limit=10&skip=5&filter=name eq 'n'&count=true").page(watched)
    assert names(page.items) == list(range(5, 15))
    assert (page.total, watched.read) == (5000, 5000)
    assert watched.most < 30


def test_presorted_stops_early() -> None:
    rows = iter(numbered(1000))
    page = SCHEMA.query("limit=10&filter=percentDone ne null").page(rows, presorted=True)
    assert names(page.items) == [1, 2, 4, 5, 7, 8, 10, 11, 13, 14]
    assert names([next(rows)]) == [17]  # 16 was read to know that more follow.
    rows = iter(numbered(1000))
    query = SCHEMA.query({"limit": "2", "filter": "percentDone ne null", "continue": page.next_token})
    assert names(query.page(rows, presorted=True).items) == [16, 17]
    assert names([next(rows)]) == [20]
    page = SCHEMA.query("limit=10&count=true").page(iter(numbered(100)), presorted=True)
    assert (names(page.items), page.total) == (list(range(10)), 100)


def test_rows() -> None:
    query = SCHEMA.query("include=name,metadata.creationTimestamp&limit=1")
    assert query.columns == ("id", "name", "metadata")
    with pytest.raises(StorageError, match="3 columns"):
        query.page_from_rows([("x", "y")])
    with pytest.raises(StorageError, match="metadata"):
        query.page_from_rows([{"id": "x", "name": "y"}])
    text = '{"creationTimestamp": "2020-08-06T12:24:52.256624Z"}'
    for document in (json.loads(text), text, text.encode()):
        page = query.page_from_rows([(FIRST, "y", document), (SECOND, "z", None)], total=7)
        assert page.items == [["y", "2020-08-06T12:24:52.256624Z"]]
        assert page.next_token is not None
        assert page.total is None  # It was not asked for.
    assert SCHEMA.query("include=name&count=true").page_from_rows([], total=7).total == 7
    assert query.page_from_rows([{"id": FIRST, "name": "y", "metadata": "no JSON", "more": 1}]).items == [["y", None]]
    assert query.page_from_rows([(FIRST, "y", "[" * 100_000)]).items == [["y", None]]
    with pytest.raises(SchemaError, match="open schema"):
        Schema.open().query("").page_from_rows([()])


def test_spelling_of_a_raw_query() -> None:
    """Whatever a client percent-encodes arrives as it was."""
    text = "name eq 'a+b&c=d %41 é \U0001f600 #?/'"
    assert str(SCHEMA.query("filter=" + quote(text, safe="")).filter) == text
    assert str(SCHEMA.query("filter=" + quote(text, safe="").replace("%20", "+")).filter) == text


@pytest.mark.parametrize("scope", [None, 5, b"account"])
def test_scope_is_text(scope: Any) -> None:
    with pytest.raises(SchemaError) as caught:
        SCHEMA.query("", scope=scope)
    assert caught.value.code == "bad_scope"


def test_ignored_names_are_several() -> None:
    with pytest.raises(SchemaError) as caught:
        SCHEMA.query("", ignore="pretty")
    assert caught.value.code == "bad_names"


def test_what_is_ignored_may_be_in_any_encoding() -> None:
    SCHEMA.query(b"pretty=%ff&limit=2", ignore=("pretty",))
    assert [entry["name"] for entry in problems(b"pretty=%ff&limit=%fe", ignore=("pretty",))] == ["limit"]


def test_presorted_takes_every_skip() -> None:
    query = SCHEMA.query(f"skip={2**63 - 1}&limit=1")
    assert query.page(numbered(3), presorted=True).items == []


def test_names_of_parameters_can_be_sent() -> None:
    [entry] = problems([("a\ud800\u202e", "1")])
    assert json.dumps(entry, ensure_ascii=False).encode()
    assert entry["name"].isascii()


@pytest.mark.parametrize(
    ("parameters", "hint"),
    [("FILTER=x", "filter"), ("orderby=name", "orderBy"), ("include=NAME", "name"), ("orderBy=NAME desc", "name")],
)
def test_near_names_in_any_case(parameters: str, hint: str) -> None:
    assert f"did you mean {hint}?" in problems(parameters)[0]["reason"]


def test_what_is_inside_something_hidden_is_not_sorted_by() -> None:
    """A token would show it (SPEC §6); nobody is told to, and it needs no bound."""
    hidden = fields.Object({"text": fields.String()}, returnable=False)
    schema = Schema({"id": fields.Integer(), "hidden": hidden}, key="id", bounded_tokens=True)
    assert not schema.leaves["hidden", "text"].sortable
    with pytest.raises(QueryError) as caught:
        schema.query("orderBy=hidden.text")
    assert caught.value.code == "not_sortable"
    assert "hidden" not in (caught.value.problems[0].hint or "")
