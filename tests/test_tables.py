"""The ready-made parse tables are those of the grammar, and the quick lexer takes what Lark's own takes (SPEC §2)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lark
import pytest

from astra_filter import FilterError, parser, tables

ROOT = Path(__file__).parent.parent


def test_the_tables_are_those_of_the_grammar():
    if lark.__version__ != tables.LARK:
        pytest.skip("another version of Lark reads the grammar itself")
    made = subprocess.run(
        [sys.executable, ROOT / "grammar" / "tables.py", "--print"], capture_output=True, check=True, encoding="utf-8"
    ).stdout
    assert made == (ROOT / "astra_filter" / "tables.py").read_text(encoding="utf-8")


def test_another_version_of_lark_reads_the_grammar(monkeypatch):
    monkeypatch.setattr(tables, "LARK", "0")
    text = "not (a.b eq 'x' or c in (1, null)) and d[e contains 'y']"
    expected = parser.parse(text)
    monkeypatch.setattr(parser, "_lark", parser._make())
    assert parser.parse(text) == expected


def outcome(text):
    try:
        return parser.parse(text)
    except FilterError as error:
        return [(p.code, p.span, p.expected, p.hint) for p in error.problems]


@pytest.mark.parametrize(
    "text",
    [
        "a eq 'x' and b in (1, 2.5, null) or not contains(c, 'y') and d[e ne true]",
        " \t\r\na\neq\r\n'x' ",
        "eq eq 'eq' and in in ('in') and contains contains 'contains' and `a``b`.not eq 1",
        "a.b.c not in ('x')  ",
        "ın eq 1 and é_1 eq 2 and `not` eq 3",
        "",
        "  ",
        "a",
        "a eq",
        "a eq 'x",
        "a eq x",
        "a == 1",
        "a eq 1 b eq 2",
        "a eq 01",
        "a eq 1and b eq 2",
        "a eq 'x' and",
        "(a eq 1",
        "a eq 1)",
        "a eq \x00",
        "and eq 1",
        "a eq 1 \N{NO-BREAK SPACE}",
        "a\n\neq\n\n==",
    ],
)
def test_the_quick_lexer_changes_nothing(text, monkeypatch):
    quick = outcome(text)
    plain = lark.Lark(parser.grammar(), transformer=parser._Builder(parser._state), **parser.OPTIONS)
    monkeypatch.setattr(parser, "_lark", plain)
    assert outcome(text) == quick
