"""Build filters from values, for clients: no value is pasted into the text of a filter.

    field("state").eq("running") & ~field("percentDone").lt(20)

``str()`` of it is canonical text, quoted as SPEC §2 says.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias, assert_never
from uuid import UUID

from astra_filter.fields import Timestamp
from astra_filter.language.operators import Kind, Operator
from astra_filter.language.records import replace
from astra_filter.language.span import Span
from astra_filter.language.values import is_text
from astra_filter.limits import MOST_NESTING
from astra_filter.syntax.nodes import And, Comparison, Element, Literal, Membership, Node, Not, Or, Path, Slot
from astra_filter.syntax.tree import Syntax
from astra_filter.wording import builder as builder_wording
from astra_filter.wording import schema as schema_wording

if TYPE_CHECKING:
    from collections.abc import Iterable

Value: TypeAlias = "str | int | float | Decimal | bool | datetime | date | UUID | enum.Enum | None"
"""What can be compared with; a naive `datetime` means UTC, an `enum.Enum` member its value."""

_NOWHERE = Span(0, 0)
"""The span of all nodes here: there is no source text."""
_TOO_LARGE = 10**400
"""Larger than every double, and small enough for Python to write quickly."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter under construction: join conditions with ``&`` and ``|``, negate with ``~``; ``str()`` is the text.

    Raises:
        AstraFilterError: it is nested more deeply than any filter may be.
    """

    syntax: Syntax

    def __post_init__(self) -> None:
        if _nesting(self.syntax.root) > MOST_NESTING:
            raise builder_wording.condition_too_deep(MOST_NESTING)

    def __and__(self, other: Condition) -> Condition:
        return self._join(other, And)

    def __or__(self, other: Condition) -> Condition:
        return self._join(other, Or)

    def __invert__(self) -> Condition:
        return Condition(Syntax(Not(self.syntax.root, _NOWHERE), self.syntax.literals))

    def __str__(self) -> str:
        return str(self.syntax)

    def __bool__(self) -> bool:
        raise builder_wording.no_truth_value()

    def _join(self, other: Condition, group: type[And | Or]) -> Condition:
        if not isinstance(other, Condition):
            return NotImplemented
        literals = self.syntax.literals
        right = _renumbered(other.syntax.root, len(literals))
        operands = (*_operands(self.syntax.root, group), *_operands(right, group))
        return Condition(Syntax(group(operands, _NOWHERE), literals + other.syntax.literals))


@dataclass(frozen=True, slots=True)
class field:  # noqa: N801  # Read as a word of a sentence.
    """A field by its path: ``field("state")``, ``field("metadata", "labels")``.

    Args:
        names: the exact names on the way, not text of the language: a dot in a name is part of the name.

    Raises:
        SchemaError: a name is empty, or holds U+0000 or a lone surrogate.
    """

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        for name in names or ("",):
            if not is_text(name) or not name:
                raise schema_wording.bad_identifier("field", name)
        object.__setattr__(self, "names", names)

    def eq(self, value: Value) -> Condition:
        """Equal to the value; ``None`` asks for a field that is missing or null."""
        return self._compare(Operator.EQ, value)

    def ne(self, value: Value) -> Condition:
        """The opposite of `eq`."""
        return self._compare(Operator.NE, value)

    def lt(self, value: Value) -> Condition:
        """Less than the value."""
        return self._compare(Operator.LT, value)

    def lte(self, value: Value) -> Condition:
        """Less than the value or equal to it."""
        return self._compare(Operator.LTE, value)

    def gt(self, value: Value) -> Condition:
        """Greater than the value."""
        return self._compare(Operator.GT, value)

    def gte(self, value: Value) -> Condition:
        """Greater than the value or equal to it."""
        return self._compare(Operator.GTE, value)

    def contains(self, text: str) -> Condition:
        """Text that contains ``text``."""
        return self._compare(Operator.CONTAINS, text)

    def startswith(self, text: str) -> Condition:
        """Text that starts with ``text``."""
        return self._compare(Operator.STARTSWITH, text)

    def endswith(self, text: str) -> Condition:
        """Text that ends with ``text``."""
        return self._compare(Operator.ENDSWITH, text)

    def in_(self, values: Iterable[Value]) -> Condition:
        """Equal to one of the values; without values it is false."""
        return self._member(values, Operator.IN, negated=False)

    def not_in(self, values: Iterable[Value]) -> Condition:
        """The opposite of `in_`."""
        return self._member(values, Operator.IN, negated=True)

    def ieq(self, value: str | None) -> Condition:
        """Equal to the text but for the case of its letters."""
        return self._compare(Operator.IEQ, value)

    def ine(self, value: str | None) -> Condition:
        """The opposite of `ieq`."""
        return self._compare(Operator.INE, value)

    def icontains(self, text: str) -> Condition:
        """Text that contains ``text``, in any case."""
        return self._compare(Operator.ICONTAINS, text)

    def istartswith(self, text: str) -> Condition:
        """Text that starts with ``text``, in any case."""
        return self._compare(Operator.ISTARTSWITH, text)

    def iendswith(self, text: str) -> Condition:
        """Text that ends with ``text``, in any case."""
        return self._compare(Operator.IENDSWITH, text)

    def iin(self, values: Iterable[str | None]) -> Condition:
        """Equal to one of the values but for the case of their letters."""
        return self._member(values, Operator.IIN, negated=False)

    def not_iin(self, values: Iterable[str | None]) -> Condition:
        """The opposite of `iin`."""
        return self._member(values, Operator.IIN, negated=True)

    def some(self, condition: Condition) -> Condition:
        """An array of which some element satisfies the condition, whose paths begin at the element."""
        syntax = condition.syntax
        return Condition(Syntax(Element(self._path, syntax.root, _NOWHERE), syntax.literals))

    @property
    def _path(self) -> Path:
        return Path(self.names, (_NOWHERE,) * len(self.names), _NOWHERE)

    def _compare(self, operator: Operator, value: Value) -> Condition:
        kind, literal = _literal(value)
        match operator:
            case Operator.EQ | Operator.NE:
                takes = True
            case Operator.LT | Operator.LTE | Operator.GT | Operator.GTE:
                takes = kind is not Kind.NULL
            case Operator.IEQ | Operator.INE:
                takes = kind in (Kind.STRING, Kind.NULL)
            case (
                Operator.CONTAINS
                | Operator.STARTSWITH
                | Operator.ENDSWITH
                | Operator.ICONTAINS
                | Operator.ISTARTSWITH
                | Operator.IENDSWITH
            ):
                takes = kind is Kind.STRING
            case Operator.IN | Operator.IIN:
                raise AssertionError(operator)  # That is a `Membership`.
            case _:
                assert_never(operator)  # It needs a method above, too.
        if not takes:
            raise builder_wording.no_operand(operator.value, kind.value)
        return Condition(
            Syntax(Comparison(self._path, operator, Slot(0, kind, _NOWHERE), _NOWHERE, _NOWHERE), (literal,))
        )

    def _member(self, values: Iterable[Value], operator: Operator, *, negated: bool) -> Condition:
        if isinstance(values, (str, bytes)):  # A list of its characters is hardly meant.
            raise builder_wording.one_string(values)
        found = [_literal(value) for value in values]
        slots = tuple([Slot(number, kind, _NOWHERE) for number, (kind, _) in enumerate(found)])
        root = Membership(self._path, operator, slots, negated, _NOWHERE, _NOWHERE)
        return Condition(Syntax(root, tuple([literal for _, literal in found])))


def _operands(node: Node, group: type[And | Or]) -> tuple[Node, ...]:
    return node.operands if isinstance(node, group) else (node,)


def _literal(value: Value) -> tuple[Kind, Literal]:
    """Return a Python value as a raw literal, as the parser gives it.

    Raises:
        AstraFilterError: no literal stands for it.
    """
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None:
        return Kind.NULL, None
    if isinstance(value, bool):
        return Kind.BOOLEAN, value
    if isinstance(value, str) and is_text(value):
        return Kind.STRING, str(value)
    if isinstance(value, int) and abs(value) < _TOO_LARGE:
        return Kind.NUMBER, int.__repr__(value)
    if isinstance(value, float) and isfinite(value):
        return Kind.NUMBER, float.__repr__(value)
    if isinstance(value, Decimal) and value.is_finite():
        return Kind.NUMBER, str(value).lower()
    if isinstance(value, datetime):
        instant = Timestamp().read(value)
        if instant is not None:
            return Kind.STRING, Timestamp().json(instant)
    elif isinstance(value, date):
        return Kind.STRING, value.isoformat()
    if isinstance(value, UUID):
        return Kind.STRING, str(value)
    raise builder_wording.no_literal(value)


def _nesting(node: Node) -> int:
    """Return how many parentheses, brackets and ``not`` are open at the deepest place of the text."""
    match node:
        case Comparison():
            return 0
        case Membership():
            return 1
        case Element(condition=condition):
            return 1 + _nesting(condition)
        case Not(operand):
            return 1 + isinstance(operand, (And, Or)) + _nesting(operand)
        case And(operands):
            return max([_nesting(operand) + isinstance(operand, Or) for operand in operands])
        case Or(operands):
            return max([_nesting(operand) for operand in operands])
        case _:
            assert_never(node)


def _renumbered(node: Node, by: int) -> Node:
    """Return a node with the numbers of its slots raised by ``by``."""
    match node:
        case Comparison(slot=slot):
            return replace(node, slot=replace(slot, number=slot.number + by))
        case Membership(slots=slots):
            return replace(node, slots=tuple([replace(slot, number=slot.number + by) for slot in slots]))
        case Element(condition=condition):
            return replace(node, condition=_renumbered(condition, by))
        case Not(operand):
            return replace(node, operand=_renumbered(operand, by))
        case And(operands) | Or(operands):
            return replace(node, operands=tuple([_renumbered(operand, by) for operand in operands]))
        case _:
            assert_never(node)
