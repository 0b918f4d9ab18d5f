"""Places in a text, and how they are shown (SPEC §7)."""

from __future__ import annotations

import pytest

from astra_filter.language.span import Span, line_and_column, underline, visible


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("abc", 0, (1, 1)),
        ("abc", 3, (1, 4)),
        ("a\nbc", 2, (2, 1)),
        ("a\rbc", 3, (2, 2)),
        ("a\r\nbc", 3, (2, 1)),
        ("a\r\nb\n\nc", 6, (4, 1)),
        ("é😀x", 2, (1, 3)),
    ],
)
def test_line_and_column(text, offset, place):
    assert line_and_column(text, offset) == place


@pytest.mark.parametrize(
    ("text", "span", "shown"),
    [
        ("state == 1", Span(6, 8), "    state == 1\n          ^^"),
        ("a\nb == 1\nc", Span(4, 6), "    b == 1\n      ^^"),
        ("a\r\nb == 1\r\nc", Span(5, 7), "    b == 1\n      ^^"),
        ("a", Span(1, 1), "    a\n     ^"),
        ("", Span(0, 0), "    \n    ^"),
        ("a\x00b", Span(1, 2), "    a\\x00b\n     ^^^^"),
        ("a\u202eb", Span(2, 3), "    a\\u202eb\n           ^"),
        ("日本 eq", Span(3, 5), "    日本 eq\n         ^^"),
        ("e\u0301 eq", Span(3, 5), "    e\\u0301 eq\n            ^^"),
        ("\U000e0001x", Span(1, 2), "    \\U000e0001x\n              ^"),
        ("a\tb", Span(2, 3), "    a b\n      ^"),
        # A span that goes on into the next line is marked to the end of the first.
        ("'ab\ncd", Span(0, 6), "    'ab\n    ^^^"),
    ],
)
def test_underline(text, span, shown):
    assert underline(text, span) == shown


def test_long_lines_are_clipped_around_the_place():
    text = "x" * 500 + "!!" + "y" * 500
    line, marks = underline(text, Span(500, 502)).split("\n")
    assert line == "    …" + "x" * 20 + "!!" + "y" * 50 + "…"
    assert marks == " " * 25 + "^^"


def test_long_spans_are_clipped():
    line, marks = underline("'" + "x" * 500, Span(0, 501)).split("\n")
    assert len(line) == 4 + 72 + 1
    assert marks == "    " + "^" * 72


def test_visible_cuts_and_escapes():
    assert visible("a\u200bb", 10) == "a\\u200bb"
    assert visible("abcdef", 3) == "abc…"
