"""Resources as typed code and drivers hand them over: objects, `datetime`, `UUID` and `enum.Enum` values.

Each case has what a good Python programmer writes by hand, with the rules of SPEC §4.6 for the types that the data has.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from astra_filter import Schema, fields
from benchmarks.handwritten import MOST
from benchmarks.tasks import STATES

BEFORE = datetime(2020, 8, 6, 12, 24, 52, tzinfo=UTC)
PAGE = 20
Select = Callable[[Sequence[Any]], Sequence[Any]]


class State(enum.Enum):
    """The states, as many programs declare them."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Label:
    """A label of a task."""

    name: str
    value: str


@dataclass(slots=True)
class Task:
    """A task of `benchmarks.tasks` with typed values."""

    id: UUID
    name: str
    state: str
    phase: State
    price: Decimal
    percentDone: float | None  # noqa: N815  # The name of the field.
    startTime: datetime | None  # noqa: N815  # The same.
    labels: list[Label]


SCHEMA = Schema(
    {
        "id": fields.Uuid(),
        "name": fields.String(),
        "state": fields.Enum(*STATES),
        "phase": fields.Enum(*STATES),
        "price": fields.Decimal(9, 2),
        "percentDone": fields.Number(nullable=True),
        "startTime": fields.Timestamp(nullable=True),
        "labels": fields.Array(fields.Object({"name": fields.String(), "value": fields.String()})),
    },
    key="id",
)


def typed(task: dict[str, Any]) -> Task:
    """Return a task as an object."""
    started = task.get("startTime")
    state = task["state"]
    return Task(
        UUID(task["id"]),
        task["name"],
        state,
        State(state),
        Decimal(int(task["id"][:4], 16) % 100_000).scaleb(-2),
        task.get("percentDone"),
        None if started is None else datetime.fromisoformat(started),
        [Label(label["name"], label["value"]) for label in task["metadata"]["labels"]],
    )


def native(task: Task) -> dict[str, Any]:
    """Return an object as a dictionary with the same values."""
    return asdict(task)


class Case(NamedTuple):
    """One filter, and its code by hand."""

    work: str
    text: str
    hand: Select
    limit: float
    objects: bool


def cases(one: UUID) -> list[Case]:
    """Return the cases; ``one`` is the id of one of the tasks."""
    moment = "startTime lt '2020-08-06T12:24:52Z'"
    two = "state eq 'running' and percentDone gte 20"
    return [
        Case("select, string and number tests", two, _two, 1.5, objects=True),
        Case("select, timestamp test on datetime", moment, _moment_of_dict, 1.5, objects=False),
        Case("select, timestamp test on datetime", moment, _moment, 2.0, objects=True),
        Case(
            "select, UUID test on UUID",
            f"id eq '{one}'",
            lambda tasks: [t for t in tasks if type(i := t.get("id")) is UUID and i == one],
            2.0,
            objects=False,
        ),
        Case(
            "select, UUID test on UUID",
            f"id eq '{one}'",
            lambda tasks: [t for t in tasks if type(i := t.id) is UUID and i == one],
            2.0,
            objects=True,
        ),
        Case(
            "select, state test on members of an Enum",
            "phase eq 'running'",
            lambda tasks: [t for t in tasks if type(s := t.phase) is State and s.value == "running"],
            2.0,
            objects=True,
        ),
        Case(
            "select, decimal test on Decimal",
            "price gt 499.99",
            _dear,
            2.0,
            objects=True,
        ),
        Case(
            "select, name contains",
            "name contains 'prep'",
            lambda tasks: [t for t in tasks if type(n := t.name) is str and "prep" in n],
            2.0,
            objects=True,
        ),
        Case(
            "select, bracket over a list",
            "labels[name eq 'env' and value eq 'prod']",
            lambda tasks: [
                t
                for t in tasks
                if type(t.labels) is list
                and any(
                    type(label.name) is str
                    and label.name == "env"
                    and type(label.value) is str
                    and label.value == "prod"
                    for label in t.labels
                )
            ],
            1.5,
            objects=True,
        ),
    ]


def _two(tasks: Sequence[Any]) -> list[Any]:
    return [
        task
        for task in tasks
        if type(s := task.state) is str
        and s == "running"
        and (type(p := task.percentDone) is float or type(p) is int)
        and 20.0 <= p <= MOST
    ]


def _dear(tasks: Sequence[Any]) -> list[Any]:
    least, most, cent = Decimal("499.99"), Decimal("9999999.99"), Decimal("0.01")
    return [
        t
        for t in tasks
        if type(p := t.price) is Decimal and p.is_finite() and least < p <= most and p == p.quantize(cent)
    ]


def matches_two(task: Task) -> bool:
    """``state eq 'running' and percentDone gte 20`` of one object."""
    return (
        type(s := task.state) is str
        and s == "running"
        and (type(p := task.percentDone) is float or type(p) is int)
        and 20.0 <= p <= MOST
    )


def _moment(tasks: Sequence[Any]) -> list[Any]:
    return [t for t in tasks if type(m := t.startTime) is datetime and m.tzinfo is not None and m < BEFORE]


def _moment_of_dict(tasks: Sequence[Any]) -> list[Any]:
    return [t for t in tasks if type(m := t.get("startTime")) is datetime and m.tzinfo is not None and m < BEFORE]


def items(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Return the items of a page of objects, made by hand: what is null is left out."""
    made = []
    for task in tasks[:PAGE]:
        item = {
            "id": str(task.id),
            "name": task.name,
            "state": task.state,
            "phase": task.phase.value,
            "price": format(task.price, "f"),
            "percentDone": task.percentDone,
            "startTime": None if task.startTime is None else _iso(task.startTime),
            "labels": [{"name": label.name, "value": label.value} for label in task.labels],
        }
        made.append({name: value for name, value in item.items() if value is not None})
    return made


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def refused(number: int) -> str:
    """Return one of many texts that are no filters; each of its own shape."""
    return f"state == 'running' and name{number} eq 'x'"


def accepted(number: int) -> str:
    """Return one of many texts that are filters, as long as the refused ones; each of its own shape."""
    bits = [("gt", "gte", "lt", "lte")[number >> 2 * place & 3] for place in range(5)]
    tests = [f"percentDone {operator} {place}" for place, operator in enumerate(bits)]
    return "state eq 'running' and (" + " or ".join(tests) + ")"
