"""Write ``astra_filter/syntax/lalr_tables.py`` from ``filter.lark``: ``python grammar/make_tables.py``.

A test compares the two.
"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from pathlib import Path
from pprint import pformat
from typing import TYPE_CHECKING, Any

import lark
from lark.parsers.lalr_analysis import Shift

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lark.grammar import Rule
    from lark.parsers.lalr_analysis import IntParseTable

HERE = Path(__file__).parent
OPTIONS = {"parser": "lalr", "lexer": "contextual", "maybe_placeholders": False}


def source() -> str:
    """Return the text of the module."""
    with _no_conflicts():
        made = lark.Lark((HERE / "filter.lark").read_text(encoding="utf-8"), debug=True, **OPTIONS)
    table = made.parser.parser._parse_table  # noqa: SLF001  # Lark shows it to none but its own generator.
    rules = {rule: number for number, rule in enumerate(made.rules)}
    states, end = _states(table, rules)
    skipped, tokens = _terminals(made)
    return f'''"""The parse tables of ``grammar/filter.lark``, made by ``grammar/make_tables.py``: not to be edited."""

from __future__ import annotations

from typing import Any

OPTIONS: dict[str, Any] = {_literal(OPTIONS)}
"""What Lark is to be told to read the grammar as the tables do."""

SKIPPED = {skipped!r}
"""What may stand between tokens, as a regular expression."""

TOKENS: dict[str, str] = {_literal(tokens)}
"""The regular expressions of the terminals; of two that match the same text, the first counts."""

STATES: tuple[dict[str, int], ...] = {_literal(states)}
"""Of each state, the first one the start, the step by symbol: to a state, or for ``-1 - n`` a reduction by rule n."""

END = {end}
"""The state in which the end of the text makes it a filter."""

RULES: tuple[tuple[str, int, str | None, tuple[tuple[int, bool], ...] | None], ...] = {_literal(_rules(made.rules))}
"""Of each rule, the symbol that it makes, of how many, and how: the builder's method; ``*`` for a list that the next
rule takes in; None where the only symbol's value passes through. Last, which values are taken, by their place from the
end, and whether as lists; None for all of them, none of them a list."""
'''


@contextmanager
def _no_conflicts() -> Iterator[None]:
    """Make an error of a conflict in the grammar, which Lark would settle by itself and only log."""
    found: list[str] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    level = lark.logger.level
    lark.logger.setLevel(logging.DEBUG)
    lark.logger.addHandler(handler)
    try:
        yield
    finally:
        lark.logger.removeHandler(handler)
        lark.logger.setLevel(level)
    conflicts = [message for message in found if "conflict" in message.lower()]
    if conflicts:
        raise SystemExit("\n".join(conflicts))


def _states(table: IntParseTable, rules: dict[Rule, int]) -> tuple[tuple[dict[str, int], ...], int]:
    """Number states as they are reached: Lark's own numbers differ from run to run."""

    def follow(row: dict[str, Any], state: int) -> int:
        # A state that does nothing but pass on the value it was entered with is stepped over.
        while len(only := set(table.states[state].values())) == 1:
            action, rule = only.pop()
            if action is Shift or not _passes(rule):
                break
            _, state = row[rule.origin.name]
        return state

    reached = {table.start_states["start"]: 0}
    states: list[dict[str, int]] = []
    for state in (waiting := list(reached)):  # Grows as it goes.
        row = table.states[state]
        steps: dict[str, int] = {}
        for symbol, (action, argument) in sorted(row.items()):
            if action is not Shift:
                steps[symbol] = -1 - rules[argument]
                continue
            following = follow(row, argument)
            if following not in reached:
                reached[following] = len(reached)
                waiting.append(following)
            steps[symbol] = reached[following]
        states.append(steps)
    return tuple(states), reached[table.end_states["start"]]


def _passes(rule: Rule) -> bool:
    """Whether a rule's value is that of its only symbol."""
    single = rule.options.expand1 or rule.origin.name.startswith("_")
    return len(rule.expansion) == 1 and single and not rule.alias


def _terminals(made: lark.Lark) -> tuple[str, dict[str, str]]:
    ranked = sorted(made.terminals, key=lambda terminal: (-terminal.priority, terminal.name))
    patterns = {terminal.name: terminal.pattern.to_regexp() for terminal in ranked}
    skipped = [patterns.pop(name) for name in made.ignore_tokens]
    return f"(?:{'|'.join(skipped)})*", patterns


def _rules(rules: list[Rule]) -> tuple[Any, ...]:
    """Say of each rule what Lark's tree builder does with it, for the options that the grammar uses."""
    # A rule named `_…` gives its parent its values. Where that is always one, it need be no list.
    lists = {rule.origin.name for rule in rules if rule.origin.name.startswith("_") and not _passes(rule)}
    made = []
    for rule in rules:
        name, length = str(rule.origin.name), len(rule.expansion)
        taken = tuple(
            [
                (place - length, symbol.name in lists)
                for place, symbol in enumerate(rule.expansion)
                if not (symbol.is_term and symbol.filter_out)
            ]
        )
        build = None if _passes(rule) else "*" if name in lists else str(rule.alias or name)
        whole = taken == tuple([(place - length, False) for place in range(length)])
        made.append((name, length, build, None if whole else taken))
    return tuple(made)


def _literal(value: object) -> str:
    return pformat(value, indent=0, width=119, compact=True, sort_dicts=False)


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        sys.stdout.write(source())
    else:
        (HERE.parent / "astra_filter" / "syntax" / "lalr_tables.py").write_text(source(), encoding="utf-8")
