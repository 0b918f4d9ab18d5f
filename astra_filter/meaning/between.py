"""Literals that lie between two values of their type, such as an instant finer than a microsecond (SPEC §3).

Such a literal is settled before any backend sees it: its test becomes one with a value of the type, that selects the
same. So predicate, SQL and adapters need to know nothing of it, whatever a column can hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from astra_filter.language.operators import Operator
from astra_filter.language.records import replace
from astra_filter.language.values import Between
from astra_filter.meaning.conditions import AllOf, AnyOf, Compare, In, IsNull, Some

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astra_filter.meaning.conditions import Condition


def settled(condition: Condition, values: Sequence[object]) -> tuple[Condition, tuple[object, ...]]:
    """Return a condition and values of the same meaning, in which no value is a `Between`."""
    found = list(values)
    made = _settled(condition, found)
    # What is left equals no value, and no test asks for it any more.
    return made, tuple([None if isinstance(value, Between) else value for value in found])


def _settled(condition: Condition, values: list[object]) -> Condition:
    match condition:
        case AllOf(operands) | AnyOf(operands):
            return replace(condition, operands=tuple([_settled(operand, values) for operand in operands]))
        case Some(condition=inner):
            return replace(condition, condition=_settled(inner, values))
        case In(slots=slots):
            return replace(condition, slots=tuple([slot for slot in slots if not isinstance(values[slot], Between)]))
        case Compare(slot=slot):
            value = values[slot]
            return _compare(condition, value, values) if isinstance(value, Between) else condition
        case IsNull():
            return condition
        case _:
            assert_never(condition)


def _compare(test: Compare, value: Between, values: list[object]) -> Condition:
    ref, negated = test.ref, test.negated
    match test.operator:
        case Operator.EQ:
            return In(ref, (), negated)
        case Operator.LT:
            if value.above is None:  # Behind all values.
                return IsNull(ref, not negated)
            values[test.slot] = value.above
        case Operator.GTE:
            if value.above is None:
                return In(ref, (), negated)
            values[test.slot] = value.above
        case Operator.LTE | Operator.GT:
            values[test.slot] = value.below
        case (
            Operator.NE
            | Operator.IN
            | Operator.CONTAINS
            | Operator.STARTSWITH
            | Operator.ENDSWITH
            | Operator.IEQ
            | Operator.INE
            | Operator.IIN
            | Operator.ICONTAINS
            | Operator.ISTARTSWITH
            | Operator.IENDSWITH
        ):
            raise AssertionError(test.operator)  # NE is a negated EQ, IN an `In`; no text lies between two others.
        case _:
            assert_never(test.operator)
    return test
