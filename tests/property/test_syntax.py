"""Any text is a filter, the same on both ways and in its canonical text, or a `FilterError` (SPEC §2, §7, §8)."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest
from fuzz.targets import fuzz_filter, fuzz_query, fuzz_token
from hypothesis import example, given
from hypothesis import strategies as st
from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from schemas import SCHEMAS

from astra_filter import FilterError, Schema, parse
from astra_filter.limits import DEFAULT_LIMITS
from astra_filter.meaning.shapes import Shapes
from astra_filter.syntax import lalr_tables, parser
from astra_filter.syntax.diagnosis import diagnose
from astra_filter.testing import filter_texts, filters, mutations

EVERY_SCHEMA = pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
WORDS = st.sampled_from(
    [
        *(
            "and",
            "or",
            "not",
            "true",
            "false",
            "null",
            "eq",
            "ne",
            "lt",
            "lte",
            "le",
            "gt",
            "ge",
            "in",
            "contains",
            "NOT",
        ),
        *(
            "startswith",
            "(",
            ")",
            "[",
            "]",
            ",",
            ".",
            "'",
            "''",
            "'a'",
            "`",
            "``",
            "`a`",
            '"',
            "-",
            "+",
            "0",
            "01",
            "1",
        ),
        *("1.5", "1e5", "-0", "e5", "=", "!=", "&&", "name", "state", "n", "tags", "labels", "is", "like", "between"),
        *(
            "\t",
            "\n",
            "\r",
            "\0",
            "\ud800",
            "é",
            "ı",
            "ſ",
            "٣",
            "\u0301",
            "\u202e",
            "😀",
            "“",
            "”",
            "a-b",
            "x/y",
            "_",
            "$",
        ),
    ]
)
SOUP = st.lists(st.tuples(WORDS, st.sampled_from(["", " ", " "])).map("".join), max_size=14).map("".join)


def outcome(shapes: Shapes, text: str, schema: Schema) -> tuple[object, ...]:
    try:
        bound = shapes.compile(text, schema.limits)
    except FilterError as error:
        return error.problems
    return bound.root, bound.literals, bound.values


@EVERY_SCHEMA
@given(data=st.data())
@pytest.mark.slow
def test_canonical_text_is_the_filter(schema: Schema, data: st.DataObject) -> None:
    chosen = data.draw(filters(schema))
    text = str(chosen)
    assert schema.compile(text) == chosen
    assert parse(text) == chosen.syntax
    assert str(schema.compile(text)) == text


@EVERY_SCHEMA
@given(data=st.data())
@pytest.mark.slow
def test_spellings_mean_their_canonical_text(schema: Schema, data: st.DataObject) -> None:
    text = data.draw(filter_texts(schema))
    try:
        chosen = schema.compile(text)
    except FilterError as error:
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  # Its own.
        return
    assert schema.compile(str(chosen)) == chosen


@EVERY_SCHEMA
@given(data=st.data())
@pytest.mark.slow
def test_both_ways_agree(schema: Schema, data: st.DataObject) -> None:
    """A text, then texts near it, which are likely to share a shape or to look as if they did."""
    text = data.draw(filter_texts(schema))
    cached, plain = Shapes(schema), Shapes(schema, entries=0)
    near = [re.sub(r"'[^']*'", "1", text), re.sub(r"\b[0-9.]+\b", "'1'", text)]
    for each in [text, text, *near, *data.draw(st.lists(mutations(text), max_size=4)), text]:
        assert outcome(cached, each, schema) == outcome(plain, each, schema)


@given(st.one_of(SOUP, st.text(max_size=40)))
@example("name eq 'a'")
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    fuzz_filter(text.encode("utf-8", "surrogatepass"))
    try:
        syntax = parse(text)
    except FilterError:
        return
    assert parse(str(syntax)) == syntax


@given(st.one_of(st.binary(max_size=60), st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_any_bytes_are_a_list_request_or_a_query_error(data: bytes) -> None:
    fuzz_query(data)
    fuzz_query(b"filter=" + data)
    fuzz_query(b"orderBy=" + data)
    fuzz_query(b"include=" + data)


@given(
    st.integers(0, 4),
    st.one_of(
        st.binary(max_size=60),
        st.recursive(st.none() | st.integers() | st.text(), st.lists).map(
            lambda value: repr(value).encode("utf-8", "replace")
        ),
    ),
)
def test_any_token_is_read_or_refused(order: int, data: bytes) -> None:
    fuzz_token(bytes([order]) + data)


# The parser's own loop, and Lark's


class Read:
    """A token of Lark's as the builder takes it."""

    lastindex = 1

    def __init__(self, token: Token) -> None:
        self._token = token

    def __getitem__(self, _: int) -> str:
        return str(self._token)

    def span(self, _: int) -> tuple[int | None, int | None]:
        return self._token.start_pos, self._token.end_pos

    def start(self) -> int | None:
        return self._token.start_pos


class Transformer:
    """Has Lark call a builder."""

    builder: parser._Builder

    def __getattr__(self, name: str) -> Callable[[Any], object]:
        getattr(parser._Builder, name)  # An AttributeError tells Lark that there is no such method.

        def build(found: Any) -> object:
            made = Read(found) if isinstance(found, Token) else [Read(f) if isinstance(f, Token) else f for f in found]
            return getattr(self.builder, name)(made)

        return build


TRANSFORMER = Transformer()
LARK = Lark(parser.grammar(), transformer=TRANSFORMER, **lalr_tables.OPTIONS)


def by_lark(text: str, builder: parser._Builder) -> object:
    TRANSFORMER.builder = builder
    try:
        return LARK.parse(text)
    except UnexpectedInput:
        return None


def outcome_of(run: Callable[[str, parser._Builder], object], text: str) -> object:
    """Return the tree with its places, and the literals; None for what is no filter; or what a limit or name has."""
    builder = parser._Builder(DEFAULT_LIMITS)
    try:
        return repr(run(text, builder)), builder.literals
    except parser._Refused as refused:
        return refused.args


@given(st.one_of(SOUP, filter_texts(SCHEMAS["documents"]), filter_texts(SCHEMAS["task"]).flatmap(mutations)))
@example("in in ('a') and eq eq 'x' or contains contains 'x' and contains(in, 'x') and not not in ('a')")
@example(" \t\r\na\neq\r\n'x' ")
@example("eq eq 'eq' and in in ('in') and contains contains 'contains' and `a``b`.not eq 1")
@example("\u0131n eq 1 and \u00e9_1 eq 2 and `not` eq 3")
@example("a.b.c not in ('x', 1, null, true)  ")
@example("a eq 01")
@example("a eq 1and b eq 2")
@example("a eq 1 \N{NO-BREAK SPACE}")
@example("")
def test_the_tables_are_run_as_lark_runs_them(text: str) -> None:
    assert outcome_of(parser._run, text) == outcome_of(by_lark, text)


def stopped_by_lark(text: str) -> tuple[int, frozenset[str]] | None:
    TRANSFORMER.builder = parser._Builder(DEFAULT_LIMITS)
    try:
        LARK.parse(text)
    except UnexpectedCharacters as error:
        return error.pos_in_stream, frozenset(error.allowed)
    except UnexpectedToken as error:
        accepted = frozenset(error.accepts or error.expected)
        return len(text) if error.token.type == "$END" else error.pos_in_stream, accepted
    except parser._Refused:
        return None
    return None


@given(st.one_of(SOUP, filter_texts(SCHEMAS["task"]).flatmap(mutations)))
@example("n eq 5=5")
@example("name  ,like '_a%'")
@example("e eq 'run' ]")
@example("a not in (")
@example("")
def test_the_parser_stops_where_lark_stops(text: str) -> None:
    """What Lark expects at a place differs by reductions it has not made; what is said of the place does not."""
    expected = stopped_by_lark(text)
    if expected is not None:
        found = parser._stopped(text)
        assert found[0] == expected[0]
        assert diagnose(text, *found, SCHEMAS["task"].root) == diagnose(text, *expected, SCHEMAS["task"].root)
