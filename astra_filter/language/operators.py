"""The operators of the language and the kinds of its literals (SPEC §2, §3)."""

from __future__ import annotations

from enum import Enum


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


EQUALITY = frozenset({Operator.EQ, Operator.NE, Operator.IN})
"""The operators that every scalar type has, and the only ones that take null."""
ORDER = EQUALITY | {Operator.LT, Operator.LTE, Operator.GT, Operator.GTE}
"""The operators of types whose values have an order."""
TEXT = frozenset({Operator.CONTAINS, Operator.STARTSWITH, Operator.ENDSWITH})
"""The operators that look inside text."""
