"""Times of works that are done in turn, so that what slows the machine down slows all of them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from statistics import median
from time import process_time
from typing import TypeAlias

Work: TypeAlias = Callable[[int], Callable[[], object]]
"""Prepares to do a thing so many times, and returns what does it."""

Clock: TypeAlias = Callable[[], float]

SHORTEST = 0.01
"""Seconds that one measurement should take at least: well above what reading the clock costs."""


def in_turn(
    works: Mapping[str, Work], *, rounds: int, most: int, shortest: float = SHORTEST, clock: Clock = process_time
) -> dict[str, float]:
    """Return the median seconds that each work takes for one thing.

    Every work is warmed up, which also tells how often it is to be repeated within a measurement (at most ``most``
    times); then each round measures each work once, each round beginning with another. Garbage is collected before a
    measurement and not during one, as `timeit` does. The clock is the process's own CPU time, which other programs on
    the machine disturb least; `perf_counter` for works that wait for another process.
    """
    counts = {name: _warm_up(work, most, shortest, clock) for name, work in works.items()}
    times: dict[str, list[float]] = {name: [] for name in works}
    names = list(works)
    for round_ in range(rounds):
        start = round_ % len(names)
        for name in names[start:] + names[:start]:
            times[name].append(_measure(works[name], counts[name], clock) / counts[name])
    return {name: median(measured) for name, measured in times.items()}


def _warm_up(work: Work, most: int, shortest: float, clock: Clock) -> int:
    count = 1
    while (took := _measure(work, count, clock)) < shortest and count < most:
        count = min(most, max(count * 2, int(count * shortest / max(took, 1e-9)) + 1))
    return count


def _measure(work: Work, count: int, clock: Clock) -> float:
    do = work(count)
    gc.collect()
    gc.disable()
    try:
        start = clock()
        do()
        return clock() - start
    finally:
        gc.enable()
