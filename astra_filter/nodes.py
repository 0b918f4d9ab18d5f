"""The syntax tree of a filter: its shape, with a numbered slot where each literal stood.

The literals travel beside the tree, as a tuple indexed by slot number. Equality ignores spans. Each docstring shows the
surface syntax of its node.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from astra_filter.span import Span


class Kind(Enum):
    """What a literal is, as far as its spelling tells."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"


class Operator(Enum):
    """An operator by its canonical spelling."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IN = "in"
    CONTAINS = "contains"
    STARTSWITH = "startswith"
    ENDSWITH = "endswith"


Literal: TypeAlias = str | bool | None
"""A raw literal: the text of a string without quotes, the text of a number as written, true, false or null."""


@dataclass(frozen=True, slots=True)
class Slot:
    """``'text'``, ``12``, ``true`` or ``null``."""

    number: int
    kind: Kind
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Path:
    """``name.name``"""

    names: tuple[str, ...]
    spans: tuple[Span, ...] = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path eq literal``, ``path contains 'text'`` — every operator but ``in (…)``."""

    path: Path
    operator: Operator
    slot: Slot
    operator_span: Span = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Membership:
    """``path in (literal, …)`` or ``path not in (literal, …)``"""

    path: Path
    slots: tuple[Slot, ...]
    negated: bool
    operator_span: Span = field(compare=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Element:
    """``path[condition]``: some element of the array satisfies the condition."""

    path: Path
    condition: Node
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """``not operand``"""

    operand: Node
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """``operand and operand …``; no operand is itself an `And`."""

    operands: tuple[Node, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    """``operand or operand …``; no operand is itself an `Or`."""

    operands: tuple[Node, ...]
    span: Span = field(compare=False)


Node: TypeAlias = Comparison | Membership | Element | Not | And | Or


@dataclass(frozen=True, slots=True)
class Syntax:
    """A parsed filter: its shape, and the literal of each slot."""

    root: Node
    literals: tuple[Literal, ...]
