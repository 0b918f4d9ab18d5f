"""The operators in Python: the template of each, and which a condition takes.

A value is compared in canonical form, so that Python's own operators say what SPEC §4 asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from astra_filter.language.operators import Operator
from astra_filter.meaning.conditions import In
from astra_filter.memory.codegen import Expression, constant

if TYPE_CHECKING:
    from astra_filter.meaning.conditions import Compare
    from astra_filter.memory.codegen import Code

# state eq 'a' -> value1 == literal1; size in (1, 2) -> value1 in literal1; name contains 'a' -> literal1 in value1
_EQ = Expression("VALUE == LITERAL")
_LT = Expression("VALUE < LITERAL")
_LTE = Expression("VALUE <= LITERAL")
_GT = Expression("VALUE > LITERAL")
_GTE = Expression("VALUE >= LITERAL")
_IN = Expression("VALUE in LITERAL")
_CONTAINS = Expression("LITERAL in VALUE")
_STARTSWITH = Expression("VALUE.startswith(LITERAL)")
_ENDSWITH = Expression("VALUE.endswith(LITERAL)")
# name icontains 'a' -> literal1 in (value1.lower() if value1.isascii() else fold(value1)), as `fold` does itself
_FOLD = Expression("VALUE.lower() if VALUE.isascii() else fold(VALUE)")
# For a type whose values have a range: size gt 5 -> literal1 < value1 <= 9223372036854775807
_RANGE_LT = Expression("LEAST <= X < LITERAL")
_RANGE_LTE = Expression("LEAST <= X <= LITERAL")
_RANGE_GT = Expression("LITERAL < X <= MOST")
_RANGE_GTE = Expression("LITERAL <= X <= MOST")


def holds(condition: Compare | In, value: str | Code, literal: str) -> Code:
    """Return the comparison of a value with the condition's literal, or set of literals."""
    if condition.ref.folded:
        value = _FOLD(VALUE=value)
    template = _IN if isinstance(condition, In) else _comparison(condition.operator)
    return template(VALUE=value, LITERAL=literal)


def _comparison(operator: Operator) -> Expression:
    match operator:
        case Operator.EQ:
            return _EQ
        case Operator.LT:
            return _LT
        case Operator.LTE:
            return _LTE
        case Operator.GT:
            return _GT
        case Operator.GTE:
            return _GTE
        case Operator.CONTAINS:
            return _CONTAINS
        case Operator.STARTSWITH:
            return _STARTSWITH
        case Operator.ENDSWITH:
            return _ENDSWITH
        case (
            Operator.NE
            | Operator.IN
            | Operator.IEQ
            | Operator.INE
            | Operator.IIN
            | Operator.ICONTAINS
            | Operator.ISTARTSWITH
            | Operator.IENDSWITH
        ):  # A negated `Compare`; an `In`; a `Compare` or `In` of a folded value.
            raise AssertionError(operator)
        case _:
            assert_never(operator)


def in_range(condition: Compare | In, x: str, literal: str, least: float, most: float) -> Code:
    """As `holds`, for a value that has the type: outside ``least`` and ``most`` it is not true.

    A value outside the type's range counts as null: an infinity, an integer of more than 64 bits.
    """
    if isinstance(condition, In):
        return _IN(VALUE=x, LITERAL=literal)
    match condition.operator:
        case Operator.LT:
            return _RANGE_LT(LEAST=constant(least), X=x, LITERAL=literal)
        case Operator.LTE:
            return _RANGE_LTE(LEAST=constant(least), X=x, LITERAL=literal)
        case Operator.GT:
            return _RANGE_GT(LITERAL=literal, X=x, MOST=constant(most))
        case Operator.GTE:
            return _RANGE_GTE(LITERAL=literal, X=x, MOST=constant(most))
        case Operator.EQ:  # A literal is within the range.
            return _EQ(VALUE=x, LITERAL=literal)
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
            raise AssertionError(condition.operator)  # No numbers have them; NE and IN as above.
        case _:
            assert_never(condition.operator)


def is_ordering(condition: Compare | In) -> bool:
    """Whether a condition compares by the order of values, which takes both to be values of the type."""
    if isinstance(condition, In):
        return False
    match condition.operator:
        case Operator.LT | Operator.LTE | Operator.GT | Operator.GTE:
            return True
        case (
            Operator.EQ
            | Operator.NE
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
            return False
        case _:
            assert_never(condition.operator)
