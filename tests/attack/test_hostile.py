"""Filters at the edges of the limits, and strange text in them, mean the same on every database (SPEC §3, §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from schemas import SCHEMAS

from astra_filter import FilterError, Schema, fields
from astra_filter.sql import DIALECTS
from astra_filter.syntax.printer import string_text
from astra_filter.testing import Table
from astra_filter.testing.oracle import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from databases.backends import Backend

SCHEMA = Schema(
    {
        "key": fields.Integer(),
        "text": fields.String(nullable=True),
        "n": fields.Integer(nullable=True),
        "x": fields.Number(nullable=True),
        "list": fields.Array(fields.String(), nullable=True),
        "objects": fields.Array(
            fields.Object({"text": fields.String(), "x": fields.Number(nullable=True)}), nullable=True
        ),
    },
    key="key",
)
STRANGE = (
    "\u202egnp.exe", "\u2066x\u2069", "\u200b", "a\u200db", "\ufeffa", "\u00ad", "а", "ɑ", "ａ", "\u0130", "ß", "ẞ", "ŉ", "ǆ",
    "e" + "\u0301" * 300, "\u0301", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚", "\U0001f468\u200d\U0001f469\u200d\U0001f466", "\U0010ffff", "\uffff", "\ue000", "\x01\x02",
    "\x7f", "\u2028\u2029", "\x85", " a", "a ", "\xa0", "\t", "\r\n", "'" * 50, "\\" * 50, '"' * 50, "%_%", "x" * 3000, "😀" * 900,
)  # fmt: skip
NUMBERS = (
    "0", "-0", "-0.0", "0e999999999", "1e308", "-1.7976931348623157e308", "1e-400", "-1e-400", "5e-324", "4.9e-324", "2.5e-324",
    "2.4e-324", "0." + "0" * 320 + "1", "1" + "0" * 308, "9007199254740993", "0.1", "0.10000000000000000555", "1E+2", "1e-0",
    "3." + "1" * 4000, "9223372036854775807", "9223372036854775808", "123456789012345678901234567890",
)  # fmt: skip
ROWS: list[dict[str, Any]] = [
    *({"text": text, "list": ["-", text], "objects": [{"text": text}]} for text in STRANGE),
    *({"x": float(number), "objects": [{"text": "n", "x": float(number)}]} for number in NUMBERS),
    *({"n": number} for number in (0, 2**63 - 1, -(2**63), 2**53 + 1)),
    {},
]
for _key, _row in enumerate(ROWS):
    _row["key"] = _key


@pytest.mark.slow
def test_strange_text(backend: Backend) -> None:
    """Neighbours in every alphabet stay apart; what cannot be seen is text like any other (SPEC §3, §4)."""
    with Table(backend.connection, SCHEMA) as table:  # type: ignore[attr-defined]
        table.fill(ROWS)
        for index, text in enumerate(STRANGE):
            literal = string_text(text)
            found = compare(ROWS, SCHEMA.compile(f"text eq {literal}"), [table])
            assert found == [index]
            assert compare(ROWS, SCHEMA.compile(f"list eq {literal} or objects.text in ({literal})"), [table]) == [
                index
            ]
            for operator in ("contains", "startswith", "endswith", "gte", "lt"):
                compare(
                    ROWS, SCHEMA.compile(f"text {operator} {literal} or objects.text {operator} {literal}"), [table]
                )


def test_pathological_numbers(backend: Backend) -> None:
    """Whatever a double or 64 bits can hold compares as what it is; digits are counted before they are converted."""
    with Table(backend.connection, SCHEMA) as table:  # type: ignore[attr-defined]
        table.fill(ROWS)
        for index, number in enumerate(NUMBERS, len(STRANGE)):
            found = compare(ROWS, SCHEMA.compile(f"x eq {number}"), [table])
            assert index in found
            for operator in ("lt", "gte", "ne"):
                compare(ROWS, SCHEMA.compile(f"x {operator} {number} or objects.x {operator} {number}"), [table])


@pytest.mark.parametrize(
    "number",
    [
        "1e309",
        "-1e309",
        "1e999999999",
        "1" + "0" * 309,
        "9" * 5000,
        "1e" + "9" * 5000,
        "NaN",
        "Infinity",
        "1_000",
        "0x1",
    ],
)
def test_numbers_that_are_refused(number: str) -> None:
    for path in ("x", "n", "objects.x"):
        with pytest.raises(FilterError):
            SCHEMA.compile(f"{path} eq {number}")


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "\udc00\ud800"])
def test_text_that_no_database_holds(text: str) -> None:
    for filter_text in (
        f"text eq '{text}'",
        f"`{text}` eq 'a'",
        f"text contains '{text}'",
        f"list in ('a', '{text}')",
        text,
    ):
        with pytest.raises(FilterError) as caught:
            SCHEMA.compile(filter_text)
        str(caught.value).encode()  # What is shown has no surrogates.


def nested(opening: str, inside: str, closing: str) -> Callable[[int], str]:
    return lambda depth: opening * depth + inside + closing * depth


EDGES: dict[str, tuple[Callable[[int], str], int, str]] = {
    "parentheses": (nested("(", "text eq 'a '", ")"), 32, "too_deep"),
    "nots": (nested("not ", "text eq 'a '", ""), 32, "too_deep"),
    "not and parentheses": (nested("not (", "text eq 'a '", ")"), 16, "too_deep"),
    "and in or": (nested("x lt 5 or (text ne 'q' and (", "text eq 'a '", "))"), 16, "too_deep"),
    "chain of or": (lambda n: " or ".join([f"text eq '{i}'" for i in range(n)]), 200, "too_many_tests"),
    "chain of and": (lambda n: " and ".join([f"x ne {i}" for i in range(n)]), 200, "too_many_tests"),
    "chain of brackets": (lambda n: " or ".join([f"objects[text eq '{i}']" for i in range(n)]), 200, "too_many_tests"),
    "chain of nots": (lambda n: " and ".join([f"not list contains '{i}x'" for i in range(n)]), 200, "too_many_tests"),
    "list": (lambda n: f"n in ({','.join(map(str, range(n)))})", 1000, "list_too_long"),
    "list of text": (lambda n: f"list not in ({','.join([repr(str(i)) for i in range(n)])})", 1000, "list_too_long"),
    "literals": (
        lambda n: " or ".join([f"n in ({','.join(['1'] * 900)})"] * 2 + [f"x in ({','.join(['2'] * (n - 1800))})"]),
        2000,
        "too_many_literals",
    ),
    "length": (lambda n: "text eq '" + "x" * (n - 10) + "'", 8192, "text_too_long"),
}


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.slow
@pytest.mark.no_cover  # Tracing lines would take longer than the test.
def test_edges_of_the_limits(edge: str, backend: Backend) -> None:
    """At the limit the filter runs, and means the same; one past it, it is refused (SPEC §8)."""
    make, bound, code = EDGES[edge]
    chosen = SCHEMA.compile(make(bound))
    with Table(backend.connection, SCHEMA) as table:  # type: ignore[attr-defined]
        table.fill(ROWS)
        compare(ROWS, chosen, [table])
    with pytest.raises(FilterError) as caught:
        SCHEMA.compile(make(bound + 1))
    assert caught.value.code == code


@pytest.mark.parametrize("dialect", DIALECTS)
def test_long_names(dialect: str) -> None:
    """Unknown, however long; and never in SQL."""
    for text in (
        "n" * 8000 + " eq 1",
        "`" + "n" * 8000 + "` eq 1",
        ".".join("n" * 4000) + " eq 1",
        "objects[" + "é" * 8000 + " eq 1]",
    ):
        with pytest.raises(FilterError) as caught:
            SCHEMA.compile(text)
        assert len(str(caught.value)) < 1000
    assert "n" * 100 not in SCHEMAS["task"].compile("name eq '" + "n" * 200 + "'").sql(dialect).text
