"""Many tests of one value become one: ``x eq 1 or x eq 2`` is ``x in (1, 2)``, and so for ``ne`` joined by *and*.

The meaning is the same on every value, null included. A database then reads the value once, which matters where it
stands inside JSON: 200 such tests of the elements of an array took MariaDB minutes on some thousand rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.language.operators import Operator
from astra_filter.language.records import replace
from astra_filter.meaning.conditions import AllOf, AnyOf, Compare, In, Some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astra_filter.meaning.conditions import Condition


def in_lists(condition: Condition) -> Condition:
    """Return a condition of the same meaning with one test for all values that one operand is compared with."""
    match condition:
        case AllOf() | AnyOf():
            operands = _joined(condition)
            return operands[0] if len(operands) == 1 else type(condition)(operands)
        case Some():
            return replace(condition, condition=in_lists(condition.condition))
        case _:
            return condition


def _joined(group: AllOf | AnyOf) -> tuple[Condition, ...]:
    """Join what can be; a joined test stands in the place of its first."""
    negated = isinstance(group, AllOf)
    operands: list[Condition] = []
    places: dict[object, int] = {}
    for operand in _operands(group):
        is_equality = isinstance(operand, In) or (isinstance(operand, Compare) and operand.operator is Operator.EQ)
        if isinstance(operand, (Compare, In)) and is_equality and operand.negated is negated:
            place = places.setdefault(operand.ref, len(operands))
            if place < len(operands):
                operands[place] = In(operand.ref, (*_slots(operands[place]), *_slots(operand)), negated)
                continue
        operands.append(in_lists(operand))
    return tuple(operands)


def _operands(group: AllOf | AnyOf) -> Iterator[Condition]:
    for operand in group.operands:
        if type(operand) is type(group):
            yield from _operands(operand)
        else:
            yield operand


def _slots(test: Condition) -> tuple[int, ...]:
    if isinstance(test, In):
        return test.slots
    assert isinstance(test, Compare)  # noqa: S101  # Only these are joined.
    return (test.slot,)
