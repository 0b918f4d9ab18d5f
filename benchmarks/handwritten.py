"""What a good Python programmer writes by hand for one filter: the limit for what any filter can cost.

Each has the rules of SPEC §4.6 for the types that JSON gives: what has not its field's type counts as null, so does
a number that is not finite, and a missing member is null.
"""

from __future__ import annotations

from datetime import UTC, datetime
from sys import float_info
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.peers import Tasks

MOST = float_info.max


def select_two(state: str, least: float) -> Callable[[Tasks], Sequence[Any]]:
    """``state eq … and percentDone gte …``"""

    def select(tasks: Tasks) -> Sequence[Any]:
        return [
            task
            for task in tasks
            if type(s := task.get("state")) is str
            and s == state
            and (type(p := task.get("percentDone")) is float or type(p) is int)
            and least <= p <= MOST
        ]

    return select


def matches_three(state: str, least: float, before: datetime) -> Callable[[dict[str, Any]], bool]:
    """``state eq … and percentDone gte … and startTime lt …``"""
    return lambda task: (
        type(s := task.get("state")) is str
        and s == state
        and (type(p := task.get("percentDone")) is float or type(p) is int)
        and least <= p <= MOST
        and (t := instant(task.get("startTime"))) is not None
        and t < before
    )


def matches_two(state: str, least: float) -> Callable[[dict[str, Any]], bool]:
    """``state eq … and percentDone gte …``"""
    return lambda task: (
        type(s := task.get("state")) is str
        and s == state
        and (type(p := task.get("percentDone")) is float or type(p) is int)
        and least <= p <= MOST
    )


def select_timestamp(before: datetime) -> Callable[[Tasks], Sequence[Any]]:
    """``startTime lt …``"""
    return lambda tasks: [t for t in tasks if (moment := instant(t.get("startTime"))) is not None and moment < before]


def select_in(items: frozenset[str]) -> Callable[[Tasks], Sequence[Any]]:
    """``service in (…)``"""
    return lambda tasks: [task for task in tasks if type(s := task.get("service")) is str and s in items]


def instant(value: object) -> datetime | None:
    """Read a timestamp as most programs do; `datetime.fromisoformat` takes some texts that RFC 3339 does not."""
    if type(value) is not str:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
