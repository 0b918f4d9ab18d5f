"""The façades: schema and filter (SPEC §9), and the cache of shapes behind them."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from types import MappingProxyType, SimpleNamespace

import pytest

import astra_filter
from astra_filter import FilterError, Limits, Schema, SchemaError, fields
from astra_filter.meaning.shapes import Shapes, scan
from astra_filter.memo import Budget
from astra_filter.testing import reference


def schema(**options):
    return Schema(
        {"id": fields.Integer(), "name": fields.String(nullable=True), "tags": fields.Array(fields.String())},
        key="id",
        **options,
    )


ROWS = [{"id": 1, "name": "a", "tags": ["x"]}, {"id": 2, "name": None, "tags": []}, {"id": 3}]


def test_select_takes_any_iterable_and_keeps_order():
    compiled = schema().compile("id gte 1 and name ne 'b'")
    assert compiled.select(iter(ROWS)) == ROWS
    assert compiled.select(()) == []


def test_mappings_and_objects_are_read_alike():
    compiled = schema().compile("name eq 'a' and tags eq 'x'")
    for row in (ROWS[0], MappingProxyType(ROWS[0]), SimpleNamespace(**ROWS[0])):
        assert compiled.matches(row)
        assert compiled.select([row]) == [row]
    assert not compiled.matches(SimpleNamespace(id=1))
    assert not compiled.matches(None)


class Lowered(dict):
    """Its own way of looking names up is not the filter's."""

    def get(self, name, default=None):
        return super().get(name.lower(), default)

    __getitem__ = get


@pytest.mark.parametrize(
    "others",
    [
        [],
        [SimpleNamespace(n=5, t="2020-08-06T12:24:52.256624Z")],
        [MappingProxyType({"n": 5, "t": datetime(2020, 8, 6, tzinfo=UTC)})],
        [
            Lowered(n=5, t="2020-08-06t12:24:52.25z"),
            defaultdict(list, n=5, t="2020-08-06T12:24:52Z"),
            defaultdict(list),
        ],
        [None, 5, "n", [], {"n": 5, "t": None}],
        [{"n": 5, "t": "2020-02-30T12:24:52.256624Z"}, {"n": 5, "t": "2020-08-06T24:00:00.000000Z"}],
        [{"n": 5, "t": "2020-W32-4T12:24:52.256624Z"}, {"n": 5, "t": "2020-08-06T12:24:52.2Z\x00624Z"}],
        [{"n": 2**53 + 1, "t": "2020-08-06T12:24:52.256624Z"}, {"n": True, "t": "2020-08-06T12:24:52.256624Z"}],
    ],
)
def test_select_and_matches_agree_on_whatever_a_list_holds(others):
    """The loop over a list takes its items for plain `dict`s and its timestamps for dates that exist."""
    schema = Schema({"n": fields.Number(nullable=True), "t": fields.Timestamp(nullable=True)})
    first = {"n": 5, "t": "2020-08-06T12:24:52.256624Z"}
    rows = [first, *others, first]
    for text in ("n gte 5 and t lt '2021-01-01T00:00:00Z'", "t ne null", "n eq 9007199254740992 or t eq null"):
        compiled = schema.compile(text)
        expected = [row for row in rows if reference.matches(compiled, row)]
        assert [row for row in rows if compiled.matches(row)] == expected
        for given in (rows, tuple(rows), iter(rows)):
            assert compiled.select(given) == expected
    assert not any(isinstance(row, defaultdict) and set(row) - {"n", "t"} for row in rows)


def test_an_error_of_the_iterable_is_its_own():
    def rows():
        yield {"n": 1}
        raise TypeError("no more")

    with pytest.raises(TypeError, match="no more"):
        Schema({"n": fields.Number()}).compile("n eq 1").select(rows())


def test_filters_of_one_shape_do_not_share_values():
    own = schema()
    one, two = own.compile("name eq 'a' or id in (7, 8)"), own.compile("name eq 'b' or id in (2, 9)")
    assert one.template is two.template
    assert [row["id"] for row in one.select(ROWS)] == [1]
    assert [row["id"] for row in two.select(ROWS)] == [2]
    assert str(one) == "name eq 'a' or id in (7, 8)"
    assert one != two
    assert one == own.compile("(name EQ 'a') or id in (7,8)")


def test_fingerprint_tells_filters_and_schemas_apart():
    assert schema().compile("id eq 1").fingerprint == schema().compile("id  EQ 1").fingerprint
    assert schema().compile("id eq 1").fingerprint != schema().compile("id eq 2").fingerprint
    assert schema().compile("id eq 1").fingerprint != schema(binary=True).compile("id eq 1").fingerprint
    assert len(schema().compile("id eq 1").fingerprint) == 32


def test_fingerprint_is_stable_between_processes():
    code = (
        "from astra_filter import Schema, fields;"
        "print(Schema({'a': fields.Enum('x', 'y')}).compile('a eq \\'x\\'').fingerprint)"
    )
    printed = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(printed) == 1


def test_limits_are_of_the_schema_or_the_call():
    small = schema(limits=Limits(tests=1))
    small.compile("id eq 1")
    with pytest.raises(FilterError):
        small.compile("id eq 1 or id eq 2")
    small.compile("id eq 1 or id eq 2", limits=Limits())
    with pytest.raises(FilterError):
        small.compile("id eq 1 or id eq 2")


def test_an_open_schema_has_no_columns():
    with pytest.raises(SchemaError):
        astra_filter.compile("a eq 1").sql("sqlite")


def test_an_open_schema_goes_through_arrays_of_the_data():
    row = {"a": [{"b": [1, 2]}, {"b": 3}], "c": {"d": None}}
    assert astra_filter.compile("a.b eq 2").matches(row)
    assert astra_filter.compile("a.b eq 3").matches(row)
    assert astra_filter.compile("a.b ne 4").matches(row)
    assert astra_filter.compile("a[b eq 3]").matches(row)
    assert not astra_filter.compile("c[d eq null]").matches(row)
    assert astra_filter.compile("c.d eq null and e eq null and c ne null").matches(row)
    assert astra_filter.compile("a.b in ('x', 3, null)").matches(row)
    assert not astra_filter.compile("__class__.__name__ eq 'object'").matches(object())


def test_start_up_is_cheap():
    code = "import sys, astra_filter; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert not {"lark", "hypothesis", "rich", "typer", "sqlite3", "json"} & set(printed.split())


# The cache of shapes


def shapes(**options):
    own = schema()
    return Shapes(own, **options)


def test_a_shape_is_parsed_once(monkeypatch):
    kept = shapes()
    first = kept.compile("name eq 'a'", Limits())
    monkeypatch.setattr("astra_filter.syntax.parser.parse", None)
    second = kept.compile("name eq 'it''s'", Limits())
    assert second.template is first.template
    assert second.values == ("it's",)


def test_the_cache_is_bounded_and_drops_the_least_recently_used():
    kept = shapes(entries=2)
    one = kept.compile("id eq 1", Limits()).template
    kept.compile("id ne 1", Limits())
    assert kept.compile("id eq 2", Limits()).template is one
    kept.compile("id gt 1", Limits())
    assert len(kept) == 2
    assert kept.compile("id eq 3", Limits()).template is one
    assert kept.compile("id eq 3", Limits()).template is one


def test_the_cache_is_bounded_in_bytes():
    kept = shapes(budget=Budget(12_000))
    for spaces in range(50):
        kept.compile("id eq 1" + " " * spaces, Limits())
    assert 1 <= len(kept) <= 5
    assert 0 < kept.info().held <= 12_000


@pytest.mark.parametrize(
    "text",
    ["name eq", "nme eq 'a'", "id eq 'a'", "id eq 1.5", "name eq 'a' or id eq 99999999999999999999"],
)
def test_refused_texts_are_refused_again_alike(text):
    kept = shapes()
    raised = []
    for _ in range(2):
        with pytest.raises(FilterError) as caught:
            kept.compile(text, Limits())
        raised.append(caught.value.problems)
    assert raised[0] == raised[1]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a eq 'x'", ["'x'"]),
        ("a eq 'it''s' and b1 eq -1.5e3", ["'it''s'", "-1.5e3"]),
        ("`it's` eq 1", ["1"]),
        ("x1 eq TRUE or truex eq null and y in (1, null)", ["1"]),
        ("a eq 01", []),
        ("a eq 1b", []),
        ("a eq 1٣", []),
        ("é1 eq 2", ["2"]),
        ("a eq 'x", []),
    ],
)
def test_scan(text, tokens):
    assert scan(text).tokens == tokens


def test_a_backquote_in_a_string_is_none_of_the_shape():
    assert scan("a eq '`'").key == scan("a eq 'b'").key
    assert scan("a eq '`'").key != scan("a eq 0").key
    kept = Schema({"a": fields.String()})
    kept.compile("a eq '`'")
    with pytest.raises(FilterError, match="a is a string, not a number"):
        kept.compile("a eq 0")


def test_backquoted_names_are_part_of_the_shape():
    assert scan("`a` eq 1").key != scan("`b` eq 1").key
    assert scan("`a` eq 1").key == scan("`a` eq 2").key
