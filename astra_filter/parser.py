"""Text to syntax tree. The only file that knows Lark; the syntax itself stands in ``grammar/filter.lark`` (SPEC §2).

To import Lark takes longer than all the rest of a start. Who may never parse therefore imports this module when needed.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, NamedTuple

import lark
from lark.exceptions import UnexpectedInput
from lark.lexer import ContextualLexer, Lexer

from astra_filter import errors, tables
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
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from lark.common import LexerConf
    from lark.lexer import LexerState
    from lark.parsers.lalr_parser_state import ParserState

    from astra_filter.fields import Field

_OPERATORS = {operator.value: operator for operator in Operator} | {"le": Operator.LTE, "ge": Operator.GTE}
_COMPARISONS = _OPERATORS | {"in": Operator.CONTAINS}


def parse(text: str, limits: Limits = DEFAULT_LIMITS, root: Field | None = None) -> Syntax:
    """Parse a filter, without a look at whether its fields exist.

    Args:
        text: the filter (SPEC §2).
        limits: the budgets of SPEC §8 that concern one text.
        root: the fields of the schema, which let the hints of a syntax error speak of them.

    Raises:
        FilterError: the text is no filter, or exceeds a limit.
    """
    if len(text) > limits.text_length:
        raise FilterError([errors.text_too_long(text, limits.text_length)])
    _check_nesting(text, limits)
    _state.reset(limits)
    try:
        tree: Node = _lark.parse(text)  # type: ignore[assignment]  # The builder makes nodes, which Lark cannot know.
    except UnexpectedInput as error:
        from astra_filter.diagnosis import diagnose  # Errors only: not paid by those who send none.

        stopped: Any = error  # Lark's kinds of error differ in their attributes.
        expected = getattr(stopped, "accepts", None) or getattr(stopped, "allowed", None) or stopped.expected
        at_end = getattr(getattr(stopped, "token", None), "type", None) == "$END"
        place = len(text) if at_end else stopped.pos_in_stream
        raise FilterError([diagnose(text, place, frozenset(expected), root)]) from None
    except _Refused as refused:
        raise FilterError([refused.problem(text)]) from None
    return Syntax(tree, tuple(_state.literals))


class _Refused(Exception):  # noqa: N818  # Not an error: it carries one out of Lark, which knows no source text.
    def __init__(self, wording: Any, span: Span, *details: object) -> None:
        super().__init__(wording, span, details)
        self._wording, self._span, self._details = wording, span, details

    def problem(self, text: str) -> errors.Problem:
        problem: errors.Problem = self._wording(text, self._span, *self._details)
        return problem


class _State(threading.local):
    """What one parse gathers beside the tree. Lark shares one builder among all parses, hence one per thread."""

    literals: list[Literal]
    tests: int
    limits: Limits

    def reset(self, limits: Limits) -> None:
        self.literals = []
        self.tests = 0
        self.limits = limits


_state = _State()


class _Token(NamedTuple):
    """What the parser and the builder look at in a token of Lark's, at a third of the time to make one."""

    type: str
    value: str
    start_pos: int
    end_pos: int
    # Lark copies them to the token it puts at the end.
    line = column = end_line = end_column = 0  # type: ignore[misc]  # No fields: constants.


class _Lexer(Lexer):
    """Lark's contextual lexer, and ahead of it one regular expression of all terminals.

    The expression makes all tokens of a text that is a filter. At a token that does not fit, or at none, the contextual
    lexer takes over: it says what is wrong there.
    """

    def __init__(
        self, conf: LexerConf, states: Mapping[Any, Collection[str]], always_accept: Collection[str] = ()
    ) -> None:
        self._contextual: Any = lambda: ContextualLexer(conf, dict(states), always_accept)
        # Of terminals that match the same text, the grammar ranks one higher.
        ranked = sorted(conf.terminals, key=lambda terminal: -terminal.priority)
        skipped = "|".join([t.pattern.to_regexp() for t in ranked if t.name in conf.ignore])
        tokens = "|".join([f"(?P<{t.name}>{t.pattern.to_regexp()})" for t in ranked if t.name not in conf.ignore])
        self._skip = re.compile(f"(?:{skipped})*").match
        # Without the last branch, a token that does not fit is looked for again at each character that follows.
        self._tokens = re.compile(f"(?:{tokens}|(?P<UNFIT>))(?:{skipped})*").finditer

    def lex(self, lexer_state: LexerState, parser_state: ParserState[Any]) -> Iterator[Any]:
        text = lexer_state.text.text
        states = parser_state.parse_conf.states
        stack = parser_state.state_stack
        place = self._skip(text).end()  # type: ignore[union-attr]  # It matches nothing at all, too.
        for match in self._tokens(text, place):
            kind: str = match.lastgroup  # type: ignore[assignment]  # Every alternative is a group.
            start, end = match.span(kind)
            if kind not in states[stack[-1]]:
                break
            place = match.end()
            yield _Token(kind, match[kind], start, end)
        if place < len(text):
            lexer_state.line_ctr.feed(text[:place])
            yield from self._contextual().lex(lexer_state, parser_state)


class _Builder:
    """The transformer inside the parser: each method makes the node of the rule or token that its docstring shows."""

    def __init__(self, state: _State) -> None:
        self._state = state

    # Literals reduce from left to right, so appending numbers the slots in source order.

    def _slot(self, token: _Token, kind: Kind, literal: Literal) -> Slot:
        literals = self._state.literals
        number = len(literals)
        span = Span(token.start_pos, token.end_pos)
        if number >= self._state.limits.literals:
            raise _Refused(errors.too_many_literals, span, self._state.limits.literals)
        literals.append(literal)
        return Slot(number, kind, span)

    def STRING(self, token: _Token) -> Slot:
        """``'text'``"""
        return self._slot(token, Kind.STRING, unquote(token.value))

    def NUMBER(self, token: _Token) -> Slot:
        """``-12.5e3``"""
        return self._slot(token, Kind.NUMBER, token.value.lower())

    def TRUE(self, token: _Token) -> Slot:
        """``true``"""
        return self._slot(token, Kind.BOOLEAN, True)

    def FALSE(self, token: _Token) -> Slot:
        """``false``"""
        return self._slot(token, Kind.BOOLEAN, False)

    def NULL(self, token: _Token) -> Slot:
        """``null``"""
        return self._slot(token, Kind.NULL, None)

    def path(self, tokens: list[_Token]) -> Path:
        """``name.name``"""
        spans = tuple([Span(token.start_pos, token.end_pos) for token in tokens])
        names = tuple([_name(token) for token in tokens])
        return Path(names, spans, Span(spans[0].start, spans[-1].end))

    def _test(self, span: Span) -> None:
        self._state.tests += 1
        if self._state.tests > self._state.limits.tests:
            raise _Refused(errors.too_many_tests, span, self._state.limits.tests)

    def comparison(self, children: list[Any]) -> Comparison:
        """``path eq literal``, ``path contains 'text'``, ``path in 'text'``"""
        path, token, slot = children
        span = Span(path.span.start, slot.span.end)
        self._test(span)
        return Comparison(path, _COMPARISONS[token.value.lower()], slot, Span(token.start_pos, token.end_pos), span)

    def call(self, children: list[Any]) -> Comparison:
        """``contains(path, 'text')``"""
        token, path, slot, closing = children
        span = Span(token.start_pos, closing.end_pos)
        self._test(span)
        return Comparison(path, _OPERATORS[token.value.lower()], slot, Span(token.start_pos, token.end_pos), span)

    def membership(self, children: list[Any]) -> Membership:
        """``path in (literal, …)``"""
        path, token, *slots, closing = children
        return self._membership(path, token, slots, closing, negated=False)

    def non_membership(self, children: list[Any]) -> Membership:
        """``path not in (literal, …)``"""
        path, _, token, *slots, closing = children
        return self._membership(path, token, slots, closing, negated=True)

    def _membership(
        self, path: Path, token: _Token, slots: list[Slot], closing: _Token, *, negated: bool
    ) -> Membership:
        span = Span(path.span.start, closing.end_pos)
        self._test(span)
        bound = self._state.limits.list_items
        if len(slots) > bound:
            raise _Refused(errors.list_too_long, slots[bound].span, bound)
        return Membership(path, tuple(slots), negated, Span(token.start_pos, token.end_pos), span)

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


def _name(token: _Token) -> str:
    name = token.value
    if name[0] == "`":
        return unquote(name)
    bad = bad_name_character(name)
    if bad is not None:
        start = token.start_pos + bad
        raise _Refused(errors.bad_name_character, Span(start, start + 1))
    return name


def _flat(children: Sequence[Node], group: type[And | Or]) -> tuple[Node, ...]:
    flat: list[Node] = []
    for child in children:
        if isinstance(child, group):
            flat.extend(child.operands)
        else:
            flat.append(child)
    return tuple(flat)


_NESTING_TOKEN = re.compile(
    r"'[^']*'?|`[^`]*`?|(?P<open>[(\[])|(?P<close>[)\]])|(?P<word>[^\0-@\[-^`{-\x7f][^\0-/:-@\[-^`{-\x7f]*)"
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


def _make() -> lark.Lark:
    builder = _Builder(_state)
    plugins = {"ContextualLexer": _Lexer}
    if lark.__version__ == tables.LARK:
        # Ready-made: to work the tables out of the grammar takes as long as to import Lark.
        load: Any = lark.Lark._load_from_dict  # noqa: SLF001  # As the parsers do that Lark generates.
        made: lark.Lark = load(tables.DATA, tables.MEMO, transformer=builder, _plugins=plugins)
        return made
    return lark.Lark(grammar(), transformer=builder, _plugins=plugins, **OPTIONS)


OPTIONS: dict[str, Any] = {"parser": "lalr", "lexer": "contextual", "maybe_placeholders": False}
"""What the parse tables depend on besides the grammar."""


def grammar() -> str:
    """Return the text of ``filter.lark``, from beside this file in a wheel, from ``grammar/`` in a checkout."""
    here = FilePath(__file__).resolve().parent
    for place in (here / "filter.lark", here.parent / "grammar" / "filter.lark"):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise errors.no_grammar(here)


_lark = _make()
