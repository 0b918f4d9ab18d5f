"""Text to syntax tree. The only file that knows Lark; the syntax itself stands in ``grammar/filter.lark`` (SPEC §2)."""

from __future__ import annotations

import re
import threading
from functools import cache
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from astra_filter import errors
from astra_filter.errors import FilterError
from astra_filter.limits import DEFAULT_LIMITS, Limits
from astra_filter.names import bad_name_character, unquote
from astra_filter.nodes import (
    And,
    Comparison,
    Element,
    Kind,
    Literal,
    Membership,
    Node,
    Not,
    Operator,
    Or,
    Path,
    Slot,
    Syntax,
)
from astra_filter.span import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lark import Lark, Token

    from astra_filter.fields import Field

_OPERATORS = {operator.value: operator for operator in Operator} | {"le": Operator.LTE, "ge": Operator.GTE}


def parse(text: str, limits: Limits = DEFAULT_LIMITS, root: Field | None = None) -> Syntax:
    """Parse a filter, without a look at whether its fields exist.

    Args:
        text: the filter (SPEC §2).
        limits: the budgets of SPEC §8 that concern one text.
        root: the fields of the schema, which let the hints of a syntax error speak of them.

    Raises:
        FilterError: the text is no filter, or exceeds a limit.
    """
    check_length(text, limits)
    _check_nesting(text, limits)
    lark = _lark()
    _state.reset(limits)
    try:
        tree: Node = lark.parse(text)  # type: ignore[assignment]  # The transformer makes nodes, which Lark cannot know.
    except _lark_errors() as error:
        from astra_filter.diagnosis import diagnose  # Errors only: not paid by those who send none.

        expected = getattr(error, "accepts", None) or getattr(error, "allowed", None) or error.expected
        at_end = getattr(getattr(error, "token", None), "type", None) == "$END"
        place = len(text) if at_end else error.pos_in_stream
        raise FilterError([diagnose(text, place, frozenset(expected), root)]) from None
    except _Refused as refused:
        raise FilterError([refused.problem(text)]) from None
    return Syntax(tree, tuple(_state.literals))


def check_length(text: str, limits: Limits) -> None:
    """Raise the `FilterError` for a text that is longer than ``limits`` allow."""
    if len(text) > limits.text_length:
        raise FilterError([errors.text_too_long(text, limits.text_length)])


class _Refused(Exception):  # noqa: N818  # Not an error: it carries one out of Lark, which knows no source text.
    def __init__(self, wording: Any, span: Span, *details: object) -> None:
        super().__init__(wording, span, details)
        self._wording, self._span, self._details = wording, span, details

    def problem(self, text: str) -> errors.Problem:
        problem: errors.Problem = self._wording(text, self._span, *self._details)
        return problem


class _State(threading.local):
    """What one parse gathers beside the tree. Lark shares one transformer among all parses, hence one per thread."""

    literals: list[Literal]
    tests: int
    limits: Limits

    def reset(self, limits: Limits) -> None:
        self.literals = []
        self.tests = 0
        self.limits = limits


_state = _State()


class _Builder:
    """The transformer inside the parser: each method makes the node of the rule or token that its docstring shows."""

    def __init__(self, state: _State) -> None:
        self._state = state

    # Literals reduce from left to right, so appending numbers the slots in source order.

    def _slot(self, token: Token, kind: Kind, literal: Literal) -> Slot:
        literals = self._state.literals
        span = Span(token.start_pos, token.end_pos)  # type: ignore[arg-type]  # Set by the lexer.
        if len(literals) >= self._state.limits.literals:
            raise _Refused(errors.too_many_literals, span, self._state.limits.literals)
        literals.append(literal)
        return Slot(len(literals) - 1, kind, span)

    def STRING(self, token: Token) -> Slot:
        """``'text'``"""
        return self._slot(token, Kind.STRING, unquote(token))

    def NUMBER(self, token: Token) -> Slot:
        """``-12.5e3``"""
        return self._slot(token, Kind.NUMBER, str(token).lower())

    def TRUE(self, token: Token) -> Slot:
        """``true``"""
        return self._slot(token, Kind.BOOLEAN, True)

    def FALSE(self, token: Token) -> Slot:
        """``false``"""
        return self._slot(token, Kind.BOOLEAN, False)

    def NULL(self, token: Token) -> Slot:
        """``null``"""
        return self._slot(token, Kind.NULL, None)

    def path(self, tokens: list[Token]) -> Path:
        """``name.name``"""
        spans = tuple([Span(token.start_pos, token.end_pos) for token in tokens])  # type: ignore[arg-type]
        names = tuple([_name(token) for token in tokens])
        return Path(names, spans, Span(spans[0].start, spans[-1].end))

    def _test(self, span: Span) -> None:
        self._state.tests += 1
        if self._state.tests > self._state.limits.tests:
            raise _Refused(errors.too_many_tests, span, self._state.limits.tests)

    def comparison(self, children: list[Any]) -> Comparison:
        """``path eq literal``, ``path contains 'text'``, ``path in 'text'``"""
        path, token, slot = children
        operator = _OPERATORS[token.lower()]
        if operator is Operator.IN:
            operator = Operator.CONTAINS
        span = Span(path.span.start, slot.span.end)
        self._test(span)
        return Comparison(path, operator, slot, Span(token.start_pos, token.end_pos), span)

    def call(self, children: list[Any]) -> Comparison:
        """``contains(path, 'text')``"""
        token, path, slot, closing = children
        span = Span(token.start_pos, closing.end_pos)
        self._test(span)
        return Comparison(path, _OPERATORS[token.lower()], slot, Span(token.start_pos, token.end_pos), span)

    def membership(self, children: list[Any]) -> Membership:
        """``path in (literal, …)``"""
        path, token, *slots, closing = children
        return self._membership(path, token, slots, closing, negated=False)

    def non_membership(self, children: list[Any]) -> Membership:
        """``path not in (literal, …)``"""
        path, _, token, *slots, closing = children
        return self._membership(path, token, slots, closing, negated=True)

    def _membership(self, path: Path, token: Token, slots: list[Slot], closing: Token, *, negated: bool) -> Membership:
        span = Span(path.span.start, closing.end_pos)  # type: ignore[arg-type]  # Set by the lexer.
        self._test(span)
        bound = self._state.limits.list_items
        if len(slots) > bound:
            raise _Refused(errors.list_too_long, slots[bound].span, bound)
        return Membership(path, tuple(slots), negated, Span(token.start_pos, token.end_pos), span)  # type: ignore[arg-type]

    def element(self, children: list[Any]) -> Element:
        """``path[condition]``"""
        path, condition, closing = children
        return Element(path, condition, Span(path.span.start, closing.end_pos))

    def group(self, children: list[Node]) -> Node:
        """``(condition)``"""
        return children[0]

    def negation(self, children: list[Any]) -> Not:
        """``not condition``"""
        token, operand = children
        return Not(operand, Span(token.start_pos, operand.span.end))

    def conjunction(self, children: list[Node]) -> And:
        """``condition and condition``"""
        operands = _flat(children, And)
        return And(operands, Span(operands[0].span.start, operands[-1].span.end))

    def disjunction(self, children: list[Node]) -> Or:
        """``condition or condition``"""
        operands = _flat(children, Or)
        return Or(operands, Span(operands[0].span.start, operands[-1].span.end))


def _name(token: Token) -> str:
    if token[0] == "`":
        return unquote(token)
    bad = bad_name_character(token)
    if bad is not None:
        start = token.start_pos + bad  # type: ignore[operator]  # Set by the lexer.
        raise _Refused(errors.bad_name_character, Span(start, start + 1))
    return str(token)


def _flat(children: Sequence[Node], group: type[And | Or]) -> tuple[Node, ...]:
    flat: list[Node] = []
    for child in children:
        if isinstance(child, group):
            flat.extend(child.operands)
        else:
            flat.append(child)
    return tuple(flat)


_NESTING_TOKEN = re.compile(
    r"'[^']*'?|`[^`]*`?|(?P<open>[(\[])|(?P<close>[)\]])|(?P<word>[A-Za-z_\x80-\U0010FFFF][0-9A-Za-z_\x80-\U0010FFFF]*)"
)


def _check_nesting(text: str, limits: Limits) -> None:
    """Count what is open at one place, before the parser is given the text."""
    bound = limits.nesting
    if text.count("(") + text.count("[") + text.lower().count("not") <= bound:
        return
    depth = 0
    nots = [0]  # The `not`s whose operand is not finished, per open parenthesis or bracket.
    before = ""
    for match in _NESTING_TOKEN.finditer(text):
        word = (match["word"] or "").lower()
        if match["open"]:
            nots.append(0)
            depth += 1
        elif match["close"] and len(nots) > 1:
            depth -= nots.pop() + 1
            depth -= nots[-1]
            nots[-1] = 0
        elif word in ("and", "or"):
            depth -= nots[-1]
            nots[-1] = 0
        elif word == "not" and before in ("", "(", "[", "and", "or", "not"):
            nots[-1] += 1
            depth += 1
        if depth > bound:
            raise FilterError([errors.too_deep(text, Span(*match.span()), bound)])
        before = word or match[0]


@cache
def _lark_errors() -> tuple[type[Any], ...]:
    from lark.exceptions import UnexpectedInput  # Lark is imported when the first new shape is parsed.

    return (UnexpectedInput,)


_lock = threading.Lock()
_instance: Lark | None = None


def _lark() -> Lark:
    global _instance  # noqa: PLW0603  # One parser for the process, made when first needed.
    if _instance is None:
        with _lock:
            if _instance is None:
                _instance = _make()
    return _instance


def _make() -> Lark:
    from lark import Lark  # Costs more than all the rest of a start; a process that never parses does not pay.

    return Lark(grammar(), parser="lalr", lexer="contextual", transformer=_Builder(_state), maybe_placeholders=False)


def grammar() -> str:
    """Return the text of ``filter.lark``, from beside this file in a wheel, from ``grammar/`` in a checkout."""
    here = FilePath(__file__).resolve().parent
    for place in (here / "filter.lark", here.parent / "grammar" / "filter.lark"):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise errors.no_grammar(here)
