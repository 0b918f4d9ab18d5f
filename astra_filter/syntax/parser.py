"""Text to syntax tree: the parse tables that Lark makes of ``grammar/filter.lark``, run in a loop of our own (SPEC §2).

The loop does what Lark's does with them, without what only other grammars need. Lark itself, whose import takes longer
than all the rest of a start, is not needed here; tests compare the two.

Long because the loop and the builder of the nodes, one method for each rule, belong together.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, assert_never

from astra_filter.errors import FilterError
from astra_filter.language.names import WORD, bad_name_character, unquote
from astra_filter.language.operators import LISTS, Kind, Operator, spellings
from astra_filter.language.records import make
from astra_filter.language.span import Span
from astra_filter.limits import DEFAULT_LIMITS, MOST_NESTING, Limits
from astra_filter.syntax import lalr_tables
from astra_filter.syntax.nodes import And, Comparison, Element, Literal, Membership, Node, Not, Or, Path, Slot
from astra_filter.syntax.tree import Syntax
from astra_filter.wording import installation as installation_wording
from astra_filter.wording import syntax as syntax_wording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from astra_filter import errors
    from astra_filter.fields import Field

# To look up a member of an enumeration takes as long as to make a tuple.
_STRING, _NUMBER, _BOOLEAN, _NULL = Kind.STRING, Kind.NUMBER, Kind.BOOLEAN, Kind.NULL


def parse(text: str, limits: Limits = DEFAULT_LIMITS, root: Field | None = None) -> Syntax:
    """Parse a filter, without a look at whether its fields exist.

    Args:
        text: the filter (SPEC §2).
        limits: the budgets of SPEC §8 that concern one text.
        root: the fields of the schema, which let the hints of a syntax error speak of them.

    Raises:
        FilterError: the text is no filter, or exceeds a limit.
    """
    if not isinstance(text, str):
        raise syntax_wording.not_text(text)
    if len(text) > limits.text_length:
        raise FilterError([syntax_wording.text_too_long(text, limits.text_length)])
    _check_nesting(text, limits)
    builder = _Builder(limits)
    try:
        tree = _run(text, builder)
    except _Refused as refused:
        raise FilterError(partial(_explain_refusal, refused.with_traceback(None), text, root)) from None
    if tree is None:
        raise FilterError(partial(_explain, text, root))
    return Syntax(tree, tuple(builder.literals))


def _explain_refusal(refused: _Refused, text: str, root: Field | None) -> list[errors.Problem]:
    problem = refused.problem(text)
    if problem.code == "bad_name_character":
        from astra_filter.syntax.hints import hint_of_character  # Errors only: not paid by those who send none.

        problem = problem._replace(hint=hint_of_character(problem, root) or problem.hint)
    return [problem]


def _explain(text: str, root: Field | None) -> list[errors.Problem]:
    from astra_filter.syntax.diagnosis import diagnose  # Errors only: not paid by those who send none.

    return [diagnose(text, *_stopped(text), root)]


def _run(text: str, builder: _Builder) -> Node | None:
    """Run the parse tables; return None when the text is no filter."""
    row = _START
    rows = [row]
    values: list[Any] = []
    for match in _tokens(text, _skip(text).end()):  # type: ignore[union-attr]  # It matches nothing at all, too.
        kind: str = match.lastgroup  # type: ignore[assignment]  # Every alternative is a group.
        step = row.get(kind)
        while type(step) is tuple:
            symbol, length, build, taken = step
            del rows[-length:]
            if build is not None:
                if taken is None:
                    children = values[-length:]
                else:
                    children = []
                    for place, is_list in taken:
                        if is_list:
                            # It begins with the list so far, which nobody else needs: a copy each time is quadratic.
                            children = [*children, *values[place]] if children else values[place]
                        else:
                            children.append(values[place])
                del values[-length:]
                values.append(build(builder, children))
            row = rows[-1][symbol]
            rows.append(row)
            step = row.get(kind)
        if step is None:
            return None
        row = step
        rows.append(row)
        literal = _LITERALS.get(kind)
        values.append(match if literal is None else literal(builder, match))
    tree: Node = values[0]
    return tree


class Beginning(NamedTuple):
    """A text that a filter may begin with."""

    tokens: list[tuple[str, str, Span, bool]]
    """Its tokens: the terminal, the text, the place, and whether a name may stand there."""
    expected: frozenset[str]
    """The terminals that can follow; ``END`` where it is a filter."""


def beginning(text: str) -> Beginning | None:
    """Run the parse tables over a text that may stop between any two tokens; None where no filter begins so."""
    rows = [_START]
    tokens: list[tuple[str, str, Span, bool]] = []
    for match in _tokens(text, _skip(text).end()):  # type: ignore[union-attr]  # As in `_run`.
        kind: str = match.lastgroup  # type: ignore[assignment]  # As in `_run`.
        if kind == "END":
            break
        is_name = "NAME" in rows[-1]
        after = _shifted(rows, kind)
        if after is None:
            return None
        rows = after
        tokens.append((kind, _text(match), _span(match), is_name))
    terminals = {kind for kind in rows[-1] if kind.isupper()}
    return Beginning(tokens, frozenset([kind for kind in terminals if _shifted(rows, kind) is not None]))


def _shifted(rows: list[_Row], kind: str) -> list[_Row] | None:
    """Return the rows after a terminal; None where it cannot stand there."""
    rows = list(rows)
    step = rows[-1].get(kind)
    while type(step) is tuple:
        del rows[-step[1] :]
        rows.append(rows[-1][step[0]])
        step = rows[-1].get(kind)
    if step is None:
        return None
    rows.append(step)
    return rows


def _stopped(text: str) -> tuple[int, frozenset[str]]:
    """Return where the parse stops in a text that is no filter, and the terminals it could have gone on with."""
    rows = [_START]
    for match in _tokens(text, _skip(text).end()):  # type: ignore[union-attr]  # As in `_run`.
        kind: str = match.lastgroup  # type: ignore[assignment]  # As in `_run`.
        step = rows[-1].get(kind)
        while type(step) is tuple:
            del rows[-step[1] :]
            rows.append(rows[-1][step[0]])
            step = rows[-1].get(kind)
        if step is None:
            terminals = [each for each in rows[-1] if each.isupper()]
            place = len(text) if kind == "END" else match.start(kind)
            return place, frozenset([each for each in terminals if _shifted(rows, each) is not None])
        rows.append(step)
    raise AssertionError(text)


class _Refused(Exception):  # noqa: N818  # Not an error: it carries one out of the builder, which knows no source text.
    def __init__(self, wording: Any, span: Span, *details: object) -> None:
        super().__init__(wording, span, details)
        self._wording, self._span, self._details = wording, span, details

    def problem(self, text: str) -> errors.Problem:
        problem: errors.Problem = self._wording(text, self._span, *self._details)
        return problem


_Token: TypeAlias = re.Match[str]


def _span(token: _Token) -> Span:
    return make(Span, token.span(token.lastindex or 0))


def _text(token: _Token) -> str:
    return token[token.lastindex or 0]


class _Builder:
    """Makes the tree: each method the node of the rule or token that its docstring shows."""

    def __init__(self, limits: Limits) -> None:
        self.literals: list[Literal] = []
        self._tests = 0
        self._limits = limits

    # Literals reduce from left to right, so appending numbers the slots in source order.

    def _slot(self, token: _Token, kind: Kind, literal: Literal) -> Slot:
        number = len(self.literals)
        span = _span(token)
        if number >= self._limits.literals:
            raise _Refused(syntax_wording.too_many_literals, span, self._limits.literals)
        self.literals.append(literal)
        return make(Slot, (number, kind, span))

    def STRING(self, token: _Token) -> Slot:
        """``'text'``"""
        return self._slot(token, _STRING, unquote(_text(token)))

    def NUMBER(self, token: _Token) -> Slot:
        """``-12.5e3``"""
        return self._slot(token, _NUMBER, _text(token).lower())

    def TRUE(self, token: _Token) -> Slot:
        """``true``"""
        return self._slot(token, _BOOLEAN, True)

    def FALSE(self, token: _Token) -> Slot:
        """``false``"""
        return self._slot(token, _BOOLEAN, False)

    def NULL(self, token: _Token) -> Slot:
        """``null``"""
        return self._slot(token, _NULL, None)

    def path(self, tokens: list[_Token]) -> Path:
        """``name.name``"""
        if len(tokens) == 1:
            token = tokens[0]
            span = _span(token)
            return make(Path, ((_name(token),), (span,), span))
        spans = tuple([_span(token) for token in tokens])
        names = tuple([_name(token) for token in tokens])
        return Path(names, spans, Span(spans[0].start, spans[-1].end))

    def _test(self, span: Span) -> None:
        self._tests += 1
        if self._tests > self._limits.tests:
            raise _Refused(syntax_wording.too_many_tests, span, self._limits.tests)

    def comparison(self, children: list[Any]) -> Comparison:
        """``path eq literal``, ``path contains 'text'``, ``path in 'text'``"""
        path, token, slot = children
        span = make(Span, (path.span.start, slot.span.end))
        self._test(span)
        return make(Comparison, (path, _SPELLED[_text(token).lower()], slot, _span(token), span))

    def call(self, children: list[Any]) -> Comparison:
        """``contains(path, 'text')``"""
        token, path, slot, closing = children
        span = Span(token.start(), _span(closing).end)
        self._test(span)
        return Comparison(path, _SPELLED[_text(token).lower()], slot, _span(token), span)

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
        span = Span(path.span.start, _span(closing).end)
        self._test(span)
        bound = self._limits.list_items
        if len(slots) > bound:
            raise _Refused(syntax_wording.list_too_long, slots[bound].span, bound)
        operator = _LISTED[_text(token).lower()]
        return Membership(path, operator, tuple(slots), negated, _span(token), span)

    def element(self, children: list[Any]) -> Element:
        """``path[condition]``"""
        path, condition, closing = children
        return Element(path, condition, Span(path.span.start, _span(closing).end))

    def group(self, children: list[Node]) -> Node:
        """``(condition)``"""
        return children[0]

    def negation(self, children: list[Any]) -> Not:
        """``not condition``"""
        token, operand = children
        return Not(operand, Span(token.start(), operand.span.end))

    def conjunction(self, children: list[Node]) -> And:
        """``condition and condition``"""
        operands = _flat(children, And)
        return And(operands, Span(operands[0].span.start, operands[-1].span.end))

    def disjunction(self, children: list[Node]) -> Or:
        """``condition or condition``"""
        operands = _flat(children, Or)
        return Or(operands, Span(operands[0].span.start, operands[-1].span.end))


def _name(token: _Token) -> str:
    name = _text(token)
    if name[0] == "`":
        return unquote(name)
    bad = None if name.isascii() else bad_name_character(name)
    if bad is not None:
        start = token.start() + bad
        raise _Refused(syntax_wording.bad_name_character, Span(start, start + 1))
    return name


def _flat(children: Sequence[Node], group: type[And | Or]) -> tuple[Node, ...]:
    flat: list[Node] = []
    for child in children:
        if isinstance(child, group):
            flat.extend(child.operands)
        else:
            flat.append(child)
    return tuple(flat)


_NESTING_TOKEN = re.compile(rf"'[^']*'?|`[^`]*`?|(?P<open>[(\[])|(?P<close>[)\]])|(?P<word>{WORD})")


def _check_nesting(text: str, limits: Limits) -> None:
    """Count what is open at one place, before the parser is given the text."""
    bound = min(limits.nesting, MOST_NESTING)
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
            raise FilterError([syntax_wording.too_deep(text, Span(*match.span()), bound)])
        before = word or match[0]


def grammar() -> str:
    """Return the text of ``filter.lark``, from beside this file in a wheel, from ``grammar/`` in a checkout."""
    from pathlib import Path as FilePath  # Costs start-up time, and only errors need the grammar.

    here = FilePath(__file__).resolve().parent
    for place in (here / "filter.lark", here.parents[1] / "grammar" / "filter.lark"):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise installation_wording.no_grammar(here)


_Row: TypeAlias = "dict[str, Any]"
_LITERALS: dict[str, Callable[[_Builder, _Token], Slot]] = {
    name: getattr(_Builder, name) for name in lalr_tables.TOKENS if hasattr(_Builder, name)
}
_skip = re.compile(lalr_tables.SKIPPED).match
# The last alternative stops the search at a place where no token is.
_terminals = "|".join([f"(?P<{name}>{pattern})" for name, pattern in lalr_tables.TOKENS.items()])
_tokens = re.compile(rf"(?:{_terminals}|(?P<END>\Z)|(?P<UNFIT>)){lalr_tables.SKIPPED}").finditer


def _spelled() -> dict[str, Operator]:
    """Return the operator of each spelling between a path and one literal, or before both."""
    found: dict[str, Operator] = {}
    for operator in Operator:
        match operator:
            case Operator.IN | Operator.IIN:
                pass  # Of a list, which `_Builder.membership` makes.
            case (
                Operator.EQ
                | Operator.NE
                | Operator.LT
                | Operator.LTE
                | Operator.GT
                | Operator.GTE
                | Operator.CONTAINS
                | Operator.STARTSWITH
                | Operator.ENDSWITH
                | Operator.IEQ
                | Operator.INE
                | Operator.ICONTAINS
                | Operator.ISTARTSWITH
                | Operator.IENDSWITH
            ):
                found |= dict.fromkeys(spellings(operator), operator)
            case _:
                assert_never(operator)
    return found


_SPELLED = _spelled()
_LISTED = {operator.value: operator for operator in LISTS}


def _list(_: _Builder, children: list[Any]) -> list[Any]:
    return children


def _start() -> _Row:
    """Put rows and rules in the places of their numbers; return the first row."""
    rows: list[_Row] = [{} for _ in lalr_tables.STATES]
    builds = {None: None, "*": _list}
    rules = [
        (symbol, length, builds[build] if build in builds else getattr(_Builder, build or ""), taken)
        for symbol, length, build, taken in lalr_tables.RULES
    ]
    for row, steps in zip(rows, lalr_tables.STATES, strict=True):
        for symbol, step in steps.items():
            row["END" if symbol == "$END" else symbol] = rows[step] if step >= 0 else rules[-1 - step]
    rows[lalr_tables.END]["END"] = {}
    return rows[0]


_START = _start()
