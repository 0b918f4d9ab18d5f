"""What may come next in a filter that is being written, and fits the schema.

The parse tables say which terminals can follow; the fields say which names, operators and values make sense there. Each
candidate leads to a text that can be continued to a valid filter (a property test says so, limits apart).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from astra_filter.fields import Array, Enum, Map, Object, Open
from astra_filter.language.names import WORD_CHARACTER, name_text, unquote
from astra_filter.language.operators import FOLDED, LISTS, NULLABLE, TEXT, Operator, spellings
from astra_filter.language.span import Span
from astra_filter.syntax.parser import beginning
from astra_filter.syntax.printer import string_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from astra_filter.fields import Field
    from astra_filter.syntax.parser import Beginning

_WORD = re.compile(rf"{WORD_CHARACTER}+\Z")
_REST = re.compile(rf"{WORD_CHARACTER}*")
_NUMBER = re.compile(rf"(?<!{WORD_CHARACTER})-?[0-9][0-9A-Za-z.+-]*\Z|-\Z")
_OPERATORS = {text: operator for operator in Operator for text in spellings(operator)} | {"in": Operator.IN}
_EXAMPLES = {
    "uuid": "'ae1e6561-9e22-406c-8a5a-762f4604da00'",
    "timestamp": "'2020-08-06T12:24:52Z'",
    "date": "'2020-08-06'",
    "string": "''",
    "integer": "0",
    "number": "0",
    "decimal": "0",
}
_APART = "'`([.,)]"
"""What needs no blank before it."""
_MARKS = {"LPAR": "(", "RPAR": ")", "LSQB": "[", "RSQB": "]", "COMMA": ",", "DOT": "."}


class Candidate(NamedTuple):
    """One thing that may come next."""

    kind: str
    """``field``, ``operator``, ``keyword``, ``value`` (a declared one), ``literal`` (an example) or ``mark``."""
    text: str
    """What to show."""
    insert: str
    """What to put in the place of ``span``."""
    span: Span
    """What it takes the place of: the word that is being written, or nothing."""
    detail: str
    """A few words about it: the type of a field, its description."""


def complete(root: Object | Open, text: str, cursor: int) -> list[Candidate]:
    """Return what may come next at a place in a filter; arguments as `Schema.complete` has them."""
    cursor = max(0, min(cursor, len(text)))
    head = text[:cursor]
    start, end = _partial(text, head)
    before = beginning(head[:start])
    found: list[Candidate] = []
    if before is not None:
        found = [
            candidate
            for candidate in _Place(root, before, Span(start, end)).candidates()
            if candidate.insert.casefold().startswith(head[start:].casefold())
        ]
    if start < cursor and _is_whole(head, start):
        # What is written may be a whole word already; then a mark can stand behind it, or a quotation.
        after = beginning(head)
        if after is not None:
            place = _Place(root, after, Span(cursor, cursor))
            found += [candidate for candidate in place.candidates() if candidate.insert[0] in _APART]
    return found


def _partial(text: str, head: str) -> tuple[int, int]:
    """The place of the word, quotation or number that is being written at the end of ``head``."""
    opened = _opened(head)
    if opened is not None:
        quote = head[opened]
        close = text.find(quote, len(head))
        return opened, len(head) if close < 0 else close + 1
    match = _NUMBER.search(head) or _WORD.search(head)
    if match is None:
        return len(head), len(head)
    return match.start(), _REST.match(text, len(head)).end()  # type: ignore[union-attr]  # It matches nothing, too.


def _opened(head: str) -> int | None:
    """Where the quotation begins that is not closed; None where there is none."""
    place = 0
    while True:
        found = re.compile("['`]").search(head, place)
        if found is None:
            return None
        closing = head.find(found[0], found.end())
        if closing < 0:
            return found.start()
        place = closing + 1


def _is_whole(head: str, start: int) -> bool:
    return head[start] not in "'`" and head[-1] not in ".+-"


class _Path(NamedTuple):
    """What a path leads to."""

    field: Field | None
    """None where there is no such field."""
    nullable: bool


class _Place:
    """A place in a filter: the fields of its scope, the path, and the operator of the test that is being written."""

    def __init__(self, root: Object | Open, before: Beginning, span: Span) -> None:
        self._expected = before.expected
        self._span = span
        self._scopes: list[Field | None] = [root]
        self._names: list[str] = []
        self._operator: Operator | None = None
        self._call: Operator | None = None
        """The operator of a call whose path comes first."""
        self._listing = False
        last = ""
        for kind, text, _, is_name in before.tokens:
            self._take(kind, text, last, is_name=is_name)
            last = kind
        self._last = last

    def _take(self, kind: str, text: str, last: str, *, is_name: bool) -> None:
        if is_name and kind in ("NAME", "QUOTED_NAME", "COMPARISON", "TEXTOP", "IN", "IIN"):
            name = unquote(text) if kind == "QUOTED_NAME" else text
            if last != "DOT":
                self._names, self._operator, self._listing = [], None, False
            self._names.append(name)
        elif kind in ("COMPARISON", "TEXTOP", "IN", "IIN"):
            self._operator = _OPERATORS[text.lower()]
        elif kind == "LPAR" and last == "TEXTOP" and self._operator is None:
            self._call, self._names = _OPERATORS[self._names[0].lower()], []
        elif kind == "LPAR" and last in ("IN", "IIN"):
            self._listing = True
        elif kind == "COMMA" and self._call is not None:
            self._operator = self._call
        elif kind == "RPAR":
            self._call = None
        elif kind == "LSQB":
            field = self._resolved().field
            self._scopes.append(field.items if isinstance(field, Array) else field)
            self._names = []
        elif kind == "RSQB":
            self._scopes.pop()

    def _resolved(self) -> _Path:
        field = self._scopes[-1]
        nullable = False
        for place, name in enumerate(self._names):
            if isinstance(field, Open):
                return _Path(field, nullable=True)
            if isinstance(field, Array):
                field = field.items
                nullable = nullable or (bool(place) and field.nullable)
            if isinstance(field, Map):
                return _Path(field.values, nullable=True)
            if not isinstance(field, Object) or name not in field.members:
                return _Path(None, nullable=False)
            field = field.members[name]
            nullable = nullable or field.nullable
        return _Path(field, nullable)

    def candidates(self) -> list[Candidate]:
        """Return what may come next."""
        expected = self._expected
        if "NAME" in expected:
            found = [*self._fields()]
            if self._last != "DOT" and self._call is None:
                found += self._beginnings()
        elif expected & {"STRING", "NUMBER", "TRUE", "FALSE", "NULL"}:
            found = [*self._literals()]
        elif expected & {"COMPARISON", "TEXTOP", "IN", "IIN", "DOT"}:
            found = [*self._operators()]
        else:
            found = [self._made("keyword", word, word) for word in ("and", "or") if f"_{word.upper()}" in expected]
            found += [self._made("mark", _MARKS[kind], _MARKS[kind]) for kind in _MARKS if kind in expected]
        return found

    def _made(self, kind: str, text: str, insert: str, detail: str = "") -> Candidate:
        return Candidate(kind, text, insert, self._span, detail)

    def _fields(self) -> Iterator[Candidate]:
        owner = self._resolved().field if self._last == "DOT" else self._scopes[-1]
        inherited = self._resolved().nullable if self._last == "DOT" else False
        if isinstance(owner, Array):
            inherited = inherited or owner.items.nullable
            owner = owner.items
        if not isinstance(owner, Object):
            return
        for name, field in owner.members.items():
            if _testable(field, self._call, nullable=inherited or field.nullable):
                yield self._made("field", name, name_text(name), _described(field))

    def _beginnings(self) -> Iterator[Candidate]:
        scope = self._scopes[-1]
        if scope is None:
            return
        yield self._made("keyword", "not", "not")
        yield self._made("mark", "(", "(")
        for operator in sorted(TEXT, key=lambda each: each.value):
            if _within(scope, operator):
                yield self._made("operator", operator.value, f"{operator.value}(", "call")

    def _operators(self) -> Iterator[Candidate]:
        field, nullable = self._resolved()
        if self._last == "TEXTOP" and "LPAR" in self._expected:
            scope = self._scopes[-1]
            if scope is not None and _within(scope, _OPERATORS[self._names[-1].lower()]):
                yield self._made("mark", "(", "(")
        if self._last == "NOT":
            for operator in (Operator.IN, Operator.IIN):
                allowed = field is not None and _directly(field, operator, nullable=nullable)
                if operator.name in self._expected and allowed:
                    yield self._made("operator", operator.value, operator.value)
            return
        if field is None:
            return
        if self._call is not None:
            if _directly(field, self._call, nullable=nullable):
                yield self._made("mark", ",", ",")
        else:
            for operator in Operator:
                allowed = _directly(field, operator, nullable=nullable)
                if allowed or (operator is Operator.IN and _directly(field, Operator.CONTAINS, nullable=nullable)):
                    yield self._made("operator", operator.value, operator.value)
            for operator in (Operator.IN, Operator.IIN):
                if _directly(field, operator, nullable=nullable):
                    yield self._made("operator", f"not {operator.value}", f"not {operator.value}")
            inner = field.items if isinstance(field, Array) else field
            if isinstance(field, Open) or (
                isinstance(field, Array) and isinstance(inner, Object) and _within(inner, None)
            ):
                yield self._made("mark", "[", "[")
        inner = field.items if isinstance(field, Array) else field
        if isinstance(inner, (Object, Map)) and _within(inner, self._call):
            yield self._made("mark", ".", ".")

    def _literals(self) -> Iterator[Candidate]:
        field, nullable = self._resolved()
        operator = self._operator
        if field is None or operator is None:
            return
        if "LPAR" in self._expected and operator in LISTS and _directly(field, operator, nullable=nullable):
            yield self._made("mark", "(", "(")
        if operator is Operator.IN and not self._listing:  # Before a string, `in` means `contains`.
            if _directly(field, Operator.CONTAINS, nullable=nullable):
                yield self._made("literal", "''", "''", "text")
            return
        item = field.items if isinstance(field, Array) else field
        if isinstance(item, Open):
            yield from self._any_literal(operator)
        elif isinstance(item, Enum) and operator not in TEXT:
            for value in item.values:
                yield self._made("value", value, string_text(value))
        elif item.type == "boolean":
            for word in ("true", "false"):
                yield self._made("value", word, word)
        elif item.type in _EXAMPLES:
            yield self._made("literal", item.type, _EXAMPLES[item.type], "an example")
        if operator in NULLABLE and nullable and not isinstance(item, Open):
            yield self._made("value", "null", "null")
        if "RPAR" in self._expected:  # A list may be empty.
            yield self._made("mark", ")", ")")

    def _any_literal(self, operator: Operator) -> Iterator[Candidate]:
        yield self._made("literal", "string", "''", "text")
        if operator not in TEXT | FOLDED:
            yield self._made("literal", "number", "0", "a number")
        if operator in NULLABLE:
            for word in ("null",) if operator in FOLDED else ("true", "false", "null"):
                yield self._made("value", word, word)


def _directly(field: Field, operator: Operator, *, nullable: bool) -> bool:
    """Whether a test of the field itself takes an operator with some literal."""
    if isinstance(field, Open):
        return True
    if operator not in field.operators:
        return False
    if isinstance(field, (Object, Map)):
        return False
    if isinstance(field, Array) and isinstance(field.items, Object):
        return nullable and operator in NULLABLE
    return True


def _within(owner: Field, operator: Operator | None) -> bool:
    """Whether some member leads to a test, of an operator or of any."""
    if isinstance(owner, Open):
        return True
    if isinstance(owner, Map):
        return bool(owner.operators) if operator is None else operator in owner.operators
    return isinstance(owner, Object) and any(
        _testable(member, operator, nullable=member.nullable) for member in owner.members.values()
    )


def _testable(field: Field, operator: Operator | None, *, nullable: bool) -> bool:
    """Whether a path to the field, or through it, leads to a test, of an operator or of any."""
    operators: Sequence[Operator] = list(Operator) if operator is None else [operator]
    if any(_directly(field, each, nullable=nullable) for each in operators):
        return True
    return _within(field.items if isinstance(field, Array) else field, operator)


def _described(field: Field) -> str:
    kind = f"array of {field.items.type}" if isinstance(field, Array) else field.type
    return f"{kind}: {field.description}" if field.description else kind
