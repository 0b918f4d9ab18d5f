"""The operators of the language, the kinds of its literals and the names of its types (SPEC §2, §3).

Each set is closed. A member that is added here is named by the type checker wherever it must be treated: there a
``match`` names every member and ends with `assert_never`.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal, TypeAlias, assert_never


class Kind(Enum):
    """The kind of a literal, as its spelling shows it."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"

    __hash__ = object.__hash__  # As an enumeration's own, without a call.


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
    IEQ = "ieq"
    INE = "ine"
    IIN = "iin"
    ICONTAINS = "icontains"
    ISTARTSWITH = "istartswith"
    IENDSWITH = "iendswith"

    __hash__ = object.__hash__


ScalarName: TypeAlias = Literal[
    "string", "enum", "uuid", "integer", "number", "decimal", "boolean", "timestamp", "date"
]
"""The types whose values are compared and sorted."""
TypeName: TypeAlias = Literal[ScalarName, "array", "object", "map", "any"]
"""The types of fields. ``any`` is that of an open schema's fields."""


def exact(operator: Operator) -> Operator:
    """Return the operator that means the same with regard to case: `EQ` for `IEQ`; any other is returned itself."""
    match operator:
        case Operator.IEQ:
            return Operator.EQ
        case Operator.INE:
            return Operator.NE
        case Operator.IIN:
            return Operator.IN
        case Operator.ICONTAINS:
            return Operator.CONTAINS
        case Operator.ISTARTSWITH:
            return Operator.STARTSWITH
        case Operator.IENDSWITH:
            return Operator.ENDSWITH
        case (
            Operator.EQ
            | Operator.NE
            | Operator.LT
            | Operator.LTE
            | Operator.GT
            | Operator.GTE
            | Operator.IN
            | Operator.CONTAINS
            | Operator.STARTSWITH
            | Operator.ENDSWITH
        ):
            return operator
        case _:
            assert_never(operator)


FOLDED = frozenset([operator for operator in Operator if exact(operator) is not operator])
"""The operators that ignore case (`astra_filter.language.fold`)."""


def group(operator: Operator) -> Literal["equality", "order", "text", "folded"]:
    """Return which of the sets below an operator comes into."""
    match operator:
        case Operator.EQ | Operator.NE | Operator.IN:
            return "equality"
        case Operator.LT | Operator.LTE | Operator.GT | Operator.GTE:
            return "order"
        case Operator.CONTAINS | Operator.STARTSWITH | Operator.ENDSWITH:
            return "text"
        case (
            Operator.IEQ | Operator.INE | Operator.IIN | Operator.ICONTAINS | Operator.ISTARTSWITH | Operator.IENDSWITH
        ):
            return "folded"
        case _:
            assert_never(operator)


EQUALITY = frozenset([operator for operator in Operator if group(operator) == "equality"])
"""The operators that every scalar type has."""
ORDER = EQUALITY | frozenset([operator for operator in Operator if group(operator) == "order"])
"""The operators of types whose values have an order."""
TEXT = frozenset([operator for operator in Operator if group(exact(operator)) == "text"])
"""The operators that look inside text, and take nothing else."""
NULLABLE = frozenset([operator for operator in Operator if group(exact(operator)) == "equality"])
"""The operators that take null."""
LISTS = frozenset([Operator.IN, Operator.IIN])
"""The operators that take a list."""


def spellings(operator: Operator) -> tuple[str, ...]:
    """Return how an operator may be written, the canonical spelling first; ``in`` before a string is `CONTAINS`."""
    match operator:
        case Operator.LTE:
            return "lte", "le"
        case Operator.GTE:
            return "gte", "ge"
        case Operator.CONTAINS:
            return "contains", "in"
        case (
            Operator.EQ
            | Operator.NE
            | Operator.LT
            | Operator.GT
            | Operator.IN
            | Operator.STARTSWITH
            | Operator.ENDSWITH
            | Operator.IEQ
            | Operator.INE
            | Operator.IIN
            | Operator.ICONTAINS
            | Operator.ISTARTSWITH
            | Operator.IENDSWITH
        ):
            return (operator.value,)
        case _:
            assert_never(operator)
