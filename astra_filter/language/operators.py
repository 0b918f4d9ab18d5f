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

    __hash__ = object.__hash__


ScalarName: TypeAlias = Literal[
    "string", "enum", "uuid", "integer", "number", "decimal", "boolean", "timestamp", "date"
]
"""The types whose values are compared and sorted."""
TypeName: TypeAlias = Literal[ScalarName, "array", "object", "map", "any"]
"""The types of fields. ``any`` is that of an open schema's fields."""


def group(operator: Operator) -> Literal["equality", "order", "text"]:
    """Return which of the sets below an operator comes into."""
    match operator:
        case Operator.EQ | Operator.NE | Operator.IN:
            return "equality"
        case Operator.LT | Operator.LTE | Operator.GT | Operator.GTE:
            return "order"
        case Operator.CONTAINS | Operator.STARTSWITH | Operator.ENDSWITH:
            return "text"
        case _:
            assert_never(operator)


EQUALITY = frozenset([operator for operator in Operator if group(operator) == "equality"])
"""The operators that every scalar type has, and the only ones that take null."""
ORDER = EQUALITY | frozenset([operator for operator in Operator if group(operator) == "order"])
"""The operators of types whose values have an order."""
TEXT = frozenset([operator for operator in Operator if group(operator) == "text"])
"""The operators that look inside text, and take nothing else."""


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
        ):
            return (operator.value,)
        case _:
            assert_never(operator)
