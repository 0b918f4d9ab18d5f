"""The syntax tree of a filter: its shape, with a numbered slot where each literal stood.

The literals travel beside the tree, as a tuple indexed by slot number. Equality ignores spans. Each docstring shows the
surface syntax of its node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from astra_filter.language.records import Record

if TYPE_CHECKING:
    from astra_filter.language.operators import Kind, Operator
    from astra_filter.language.span import Span


Literal: TypeAlias = str | bool | None
"""A raw literal: the text of a string without quotes, the text of a number as written, true, false or null."""


class _AnyKey(str):
    __slots__ = ()


ANY_KEY = _AnyKey()
"""Stands for the key of a map at the end of a path, in the tree of a shape. No name is empty."""


class Slot(Record, ignored=1):
    """``'text'``, ``12``, ``true`` or ``null``."""

    __slots__ = ()

    number: int
    kind: Kind
    span: Span


class Path(Record, ignored=2):
    """``name.name``"""

    __slots__ = ()

    names: tuple[str, ...]
    spans: tuple[Span, ...]
    span: Span


class Comparison(Record, ignored=2):
    """``path eq literal``, ``path contains 'text'`` — every operator but ``in (…)``."""

    __slots__ = ()

    path: Path
    operator: Operator
    slot: Slot
    operator_span: Span
    span: Span


class Membership(Record, ignored=2):
    """``path in (literal, …)`` or ``path not in (literal, …)``; the operator is ``IN`` or ``IIN``."""

    __slots__ = ()

    path: Path
    operator: Operator
    slots: tuple[Slot, ...]
    negated: bool
    operator_span: Span
    span: Span


class Element(Record, ignored=1):
    """``path[condition]``: some element of the array satisfies the condition."""

    __slots__ = ()

    path: Path
    condition: Node
    span: Span


class Not(Record, ignored=1):
    """``not operand``"""

    __slots__ = ()

    operand: Node
    span: Span


class And(Record, ignored=1):
    """``operand and operand …``; no operand is itself an `And`."""

    __slots__ = ()

    operands: tuple[Node, ...]
    span: Span


class Or(Record, ignored=1):
    """``operand or operand …``; no operand is itself an `Or`."""

    __slots__ = ()

    operands: tuple[Node, ...]
    span: Span


Node: TypeAlias = Comparison | Membership | Element | Not | And | Or
