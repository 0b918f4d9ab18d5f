"""The long run: ``python tests/soak.py --pairs 200000 --processes 2 --seed 1``, with the library installed.

Compares random pairs of a filter and a data set on the reference evaluator, the predicate, SQLite, PostgreSQL, MariaDB
and DuckDB, and prints how many. Databases run in time zones far from UTC, and every other table has text columns whose
collation folds case and accents. A difference is printed and counted, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from contextlib import suppress
from multiprocessing import Pool
from typing import TYPE_CHECKING, NamedTuple

from databases.backends import BACKENDS, POSITION
from schemas import SCHEMAS

from astra_filter.testing.generate import dataset, filter_text
from astra_filter.testing.oracle import compare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from databases.backends import Backend, Table

    from astra_filter import Filter

FILTERS, DATASETS, ROWS = 25, 4, 8
"""In one round every filter meets every data set."""
_MOST_DIFFERENCES = 10
_SETTINGS = {
    "sqlite": (),
    "postgresql": ("SET TIME ZONE 'Asia/Kolkata'", "SET jit = off"),  # Compiling costs more than 8 rows do.
    "mysql": ("SET time_zone = '-09:30'",),
    "duckdb": ("SET TimeZone = 'America/St_Johns'",),
}


class Figures(NamedTuple):
    """How much was compared."""

    pairs: int = 0
    answers: int = 0
    selected: int = 0
    differences: int = 0

    def __add__(self, other: object) -> Figures:
        assert isinstance(other, Figures)
        return Figures(*[one + more for one, more in zip(self, other, strict=True)])


class _Asked:
    """A table of the harness, as `compare` takes it, which is asked all filters of a round in one statement.

    Each filter is a SELECT of its own, with its own WHERE and parameters; UNION ALL spares round trips. Where the whole
    raises, each is asked alone.
    """

    def __init__(self, table: Table, filters: Sequence[Filter]) -> None:
        self.dialect = table.backend.name
        self._table = table
        self._found: dict[int, list[int]] = {}
        conditions = [chosen.sql(self.dialect) for chosen in filters]
        selects = [
            f"SELECT {number}, {POSITION} FROM {table.quoted} WHERE {condition.text}"
            for number, condition in enumerate(conditions)
        ]
        params = [param for condition in conditions for param in condition.params]
        with suppress(Exception):
            rows = table.backend.execute(" UNION ALL ".join(selects), params)
            self._found = {id(chosen): [] for chosen in filters}
            for number, position in sorted(rows):
                self._found[id(filters[number])].append(position)

    def select(self, chosen: Filter) -> list[int]:
        found = self._found.get(id(chosen))
        return self._table.select(chosen) if found is None else found


def run(job: tuple[int, int]) -> Figures:
    """Compare at least ``job[1]`` pairs, seeded by ``job[0]``; the same seed compares the same."""
    seed, pairs = job
    numbers = random.Random(seed)  # Meant to be repeated.
    backends = [cls() for cls in BACKENDS.values()]
    for backend in backends:
        for statement in _SETTINGS[backend.name]:
            backend.execute(statement)
    figures = Figures()
    try:
        while figures.pairs < pairs and figures.differences < _MOST_DIFFERENCES:
            figures += _round(numbers, backends)
    finally:
        for backend in backends:
            backend.close()
    return figures


def _round(numbers: random.Random, backends: Sequence[Backend]) -> Figures:
    def pick(bound: int) -> int:
        return int(numbers.random() * bound)

    schema = numbers.choice(list(SCHEMAS.values()))
    hostile = pick(2) == 1
    data = [dataset(schema, pick, ROWS) for _ in range(DATASETS)]
    near = [resource for resources in data for resource in resources]
    texts = {filter_text(schema, pick, near, wild=pick(2) == 1) for _ in range(FILTERS)}
    filters = list({str(chosen): chosen for chosen in map(schema.compile, sorted(texts))}.values())
    figures = Figures()
    for resources in data:
        managers = [backend.table(schema, resources, hostile=hostile) for backend in backends]
        tables = [_Asked(manager.__enter__(), filters) for manager in managers]
        for chosen in filters:
            selected: Sequence[int] = ()
            differences = 0
            try:
                selected = compare(resources, chosen, tables)
            except Exception as error:  # noqa: BLE001  # A database's own error is a difference, too.
                differences = 1
                print(f"{type(error).__name__}: {error}\n  filter  {chosen}\n", flush=True)
            figures += Figures(1, len(resources), len(selected), differences)
        for manager in managers:
            manager.__exit__(None, None, None)
    return figures


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Compare filters on every backend.")
    parser.add_argument("--pairs", type=int, default=200_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    start = time.monotonic()
    share = -(-chosen.pairs // (4 * chosen.processes))
    jobs = [(chosen.seed * 1000 + number, share) for number in range(4 * chosen.processes)]
    total = Figures()
    with Pool(chosen.processes, maxtasksperchild=1) as pool:
        for done, figures in enumerate(pool.imap_unordered(run, jobs), 1):
            total += figures
            print(f"{done}/{len(jobs)}: {total.pairs:,} pairs, {total.differences} differences", flush=True)
    print(
        f"seed {chosen.seed}: {total.pairs:,} pairs of a filter and a data set, {total.answers:,} rows judged "
        f"({total.selected:,} selected) on each of {2 + len(BACKENDS)} backends: the reference evaluator, the predicate, "
        f"{', '.join(BACKENDS)}; {total.differences} differences; {(time.monotonic() - start) / 60:.0f} minutes"
    )
    return 1 if total.differences else 0


if __name__ == "__main__":
    sys.exit(main())
