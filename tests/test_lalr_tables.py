"""The parse tables are those that Lark makes of the grammar (SPEC §2)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from astra_filter.syntax import parser

ROOT = Path(__file__).parent.parent


def test_the_tables_are_those_of_the_grammar():
    made = subprocess.run(
        [sys.executable, ROOT / "grammar" / "make_tables.py", "--print"],
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout
    assert made == (ROOT / "astra_filter" / "syntax" / "lalr_tables.py").read_text(encoding="utf-8")


def test_a_filter_is_parsed_and_refused_without_lark():
    program = (
        "import sys, astra_filter\n"
        "astra_filter.parse(\"a eq 'x' or not b in (1, null)\")\n"
        "try:\n"
        "    astra_filter.parse('a == 1')\n"
        "except astra_filter.FilterError as error:\n"
        "    assert error.code == 'unknown_operator'\n"
        "    print('lark' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout
    assert printed == "False\n"


def test_the_grammar_is_found():
    assert "?start: disjunction" in parser.grammar()
