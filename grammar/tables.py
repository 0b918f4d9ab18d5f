"""Write ``astra_filter/tables.py`` from ``filter.lark``: ``python grammar/tables.py``; a test compares the two."""

from __future__ import annotations

import sys
from pathlib import Path
from pprint import pformat
from typing import Any

import lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

SHIFT = 0
"""How `IntParseTable` writes a shift, whose argument is a state; that of a reduction is a rule."""
HERE = Path(__file__).parent
OPTIONS = {"parser": "lalr", "lexer": "contextual", "maybe_placeholders": False}


def source() -> str:
    """Return the text of the module."""
    made = lark.Lark((HERE / "filter.lark").read_text(encoding="utf-8"), **OPTIONS)
    for terminal in made.terminals:
        _ = terminal.pattern.max_width  # Found on demand, and kept.
    data, memo = made.memo_serialize([TerminalDef, Rule])
    data["parser"]["parser"] = _renumbered(data["parser"]["parser"])
    return f'''"""The parse tables of ``grammar/filter.lark``, made by ``grammar/tables.py``: not to be edited."""

from __future__ import annotations

from typing import Any

LARK = {lark.__version__!r}
"""The version of Lark that made them, and can read them."""

DATA: dict[str, Any] = {_literal(data)}

MEMO: dict[int, Any] = {_literal(memo)}
'''


def _renumbered(table: dict[str, Any]) -> dict[str, Any]:
    """Number symbols by name, and states as they are reached: Lark's own numbers differ from run to run."""
    names = table["tokens"]
    symbols = {name: number for number, name in enumerate(sorted(names.values()))}
    reached = {state: number for number, state in enumerate(table["start_states"].values())}
    states: dict[int, dict[int, Any]] = {}
    for state in (waiting := list(reached)):  # Grows as it goes.
        row = states[reached[state]] = {}
        for symbol, (action, argument) in sorted(table["states"][state].items(), key=lambda item: names[item[0]]):
            if action == SHIFT and argument not in reached:
                reached[argument] = len(reached)
                waiting.append(argument)
            row[symbols[names[symbol]]] = (action, reached[argument] if action == SHIFT else argument)
    return table | {
        "tokens": {number: name for name, number in symbols.items()},
        "states": states,
        "start_states": {name: reached[state] for name, state in table["start_states"].items()},
        "end_states": {name: reached[state] for name, state in table["end_states"].items()},
    }


def _literal(value: object) -> str:
    return pformat(value, indent=0, width=119, compact=True, sort_dicts=False)


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        sys.stdout.write(source())
    else:
        (HERE.parent / "astra_filter" / "tables.py").write_text(source(), encoding="utf-8")
