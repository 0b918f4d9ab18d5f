"""The filters that are measured, as data that each peer writes in its own syntax."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from benchmarks.tasks import KINDS, SERVICES, STATES, instant, spelled


@dataclass(frozen=True)
class Test:
    """``field operator value``. A timestamp's value is its text; ``in`` has a tuple of values."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True)
class Group:
    """Operands joined by ``and`` or ``or``."""

    word: str
    operands: tuple[Case, ...]


Case: TypeAlias = Test | Group

STRINGS = ("state", "service", "name")
NUMBERS = ("percentDone", "orderHint")
ORDERINGS = ("gt", "gte", "lt", "lte")

ONE = Test("state", "eq", "running")
TWO = Group("and", (ONE, Test("percentDone", "gte", 20)))
TIMESTAMP = Test("startTime", "lt", "2020-08-06T12:24:52Z")
THREE = Group("and", (*TWO.operands, TIMESTAMP))
"""``state eq 'running' and percentDone gte 20 and startTime lt '2020-08-06T12:24:52Z'``"""


def listed(count: int) -> Test:
    """Return an ``in`` with ``count`` items."""
    return Test("service", "in", tuple([f"s{n}" for n in range(0, count * 2, 2)]))


def sized(count: int) -> Case:
    """Return the case of ``count`` tests: 1, 3, or an ``or`` of three-test groups like the one of 3."""
    if count == 1:
        return ONE
    if count == 3:
        return THREE
    rng = random.Random(count)  # Repeatable, not secret.
    fields = ("state", "percentDone", "startTime", "service", "orderHint", "name")
    tests = [Test(field, _operator(field, rng), _value(field, rng)) for field in (fields * count)[:count]]
    groups = [tests[start : start + 3] for start in range(0, count, 3)]
    return Group("or", tuple([Group("and", tuple(g)) if len(g) > 1 else g[0] for g in groups]))


def with_new_values(case: Case, rng: random.Random) -> Case:
    """Return a case of the same shape with other values."""
    if isinstance(case, Group):
        return Group(case.word, tuple([with_new_values(operand, rng) for operand in case.operands]))
    if case.operator == "in":
        return Test(case.field, "in", tuple([_value(case.field, rng) for _ in case.value]))
    return Test(case.field, case.operator, _value(case.field, rng))


def with_new_shape(case: Case, rng: random.Random) -> Case:
    """Return a case of the same size: operands in another order, and other comparisons."""
    if isinstance(case, Group):
        operands = [with_new_shape(operand, rng) for operand in case.operands]
        return Group(case.word, tuple(rng.sample(operands, len(operands))))
    return Test(case.field, _operator(case.field, rng), _value(case.field, rng))


def shape(case: Case) -> Any:
    """Return what two cases of one shape have in common."""
    if isinstance(case, Group):
        return (case.word, *map(shape, case.operands))
    return (case.field, case.operator)


def write(case: Case, test: Callable[[Test], str], conjunction: str, disjunction: str) -> str:
    """Write a case as text: ``test`` writes the tests; a group in a group stands in parentheses."""
    if isinstance(case, Test):
        return test(case)
    word = conjunction if case.word == "and" else disjunction
    parts = [write(operand, test, conjunction, disjunction) for operand in case.operands]
    grouped = [f"({p})" if isinstance(o, Group) else p for p, o in zip(parts, case.operands, strict=True)]
    return f" {word} ".join(grouped)


def fields_of(case: Case) -> Sequence[str]:
    """Return the fields that a case tests."""
    if isinstance(case, Test):
        return (case.field,)
    return [field for operand in case.operands for field in fields_of(operand)]


def _operator(field: str, rng: random.Random) -> str:
    if field in STRINGS:
        return "eq"
    return rng.choice(ORDERINGS if field in NUMBERS else ORDERINGS[::2])  # All peers know strict orders of timestamps.


def _value(field: str, rng: random.Random) -> Any:
    match field:
        case "state":
            return rng.choice(STATES)
        case "name":
            return f"astra.{rng.choice(KINDS)}"
        case "service":
            return f"s{rng.randrange(SERVICES)}"
        case "startTime":
            return spelled(instant(rng).replace(microsecond=0))
        case _:
            return rng.choice((rng.randrange(101), round(rng.uniform(0, 100), 2)))
