"""Measure pages at the end of a long list beside its first page, and beside OFFSET: ``python -m benchmarks.paging``.

For each order the table has the one index that `Schema.create_index` advises. The pages of a round take turns, so what
slows the machine slows all of them, and all are asked for equally often, so that caches are equally warm.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from astra_filter import Schema, fields
from astra_filter.sql import SQL
from benchmarks.tasks import KINDS, STATES, instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from astra_filter.query import ListQuery

SCHEMA = Schema(
    {
        "id": fields.Uuid(),
        "name": fields.String(max_length=80),
        "state": fields.Enum(*STATES),
        "percentDone": fields.Number(nullable=True),
        "startTime": fields.Timestamp(nullable=True),
        "summary": fields.String(max_length=200),
    },
    key="id",
    binary=True,
)
ORDERS = ("id", "name", "startTime", "startTime desc", "state, percentDone desc", "percentDone desc, name, id desc")
LIMIT = 100
PAGES = 5
"""Pages that are measured in the middle of the walk, and at its end."""
TARGET = 1.5


class Figures(NamedTuple):
    """Median seconds of a page."""

    database: str
    order: str
    first: float
    middle: float
    """In the middle of the walk, by ``continue``."""
    last: float
    """At its end."""
    offset: float
    """The pages at its end by ``skip``."""

    @property
    def ratio(self) -> float:
        """What the end of the walk costs, in first pages."""
        return self.last / self.first


def rows(count: int) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of generated tasks, the same each time; timestamps are naive UTC."""
    rng = random.Random(20200806)  # Repeatable, not secret.
    for number in range(count):
        done = round(rng.uniform(0, 100), 2) if rng.random() < 0.9 else None
        began = instant(rng).replace(tzinfo=None) if rng.random() < 0.9 else None
        # Keys in random order, as those of a real table are.
        key = f"{rng.getrandbits(32):08x}-0000-4000-8000-{number:012x}"
        yield (
            key,
            f"astra.{rng.choice(KINDS)}",
            rng.choice(STATES),
            done,
            began,
            f"Task {number} " + "of an application " * 6,
        )


def fetched(cursor: Any) -> list[Any]:
    """Return all rows of a statement, if it has any."""
    return cursor.fetchall() if cursor.description else []


@contextmanager
def advised_index(execute: Callable[[SQL], list[Any]], dialect: str, order: str) -> Iterator[None]:
    """Give the table the index that is advised for an order, and take it away at the end."""
    execute(SQL(SCHEMA.create_index("tasks", dialect, order_by=order, name="advised"), ()))
    execute(SQL("ANALYZE" if dialect == "sqlite" else "VACUUM ANALYZE tasks", ()))
    yield
    execute(SQL("DROP INDEX advised", ()))


@contextmanager
def sqlite(count: int) -> Iterator[Callable[[SQL], list[Any]]]:
    """Fill a database file and yield what executes a statement in it."""
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "tasks.db")
        database.execute(SCHEMA.create_table("tasks", "sqlite"))
        stored = (
            (*row[:4], None if row[4] is None else row[4].isoformat(timespec="microseconds") + "Z", row[5])
            for row in rows(count)
        )
        database.executemany("INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?)", stored)
        database.commit()
        yield lambda statement: fetched(database.execute(*statement))
        database.close()


@contextmanager
def postgresql(url: str, count: int) -> Iterator[Callable[[SQL], list[Any]]]:
    """Fill a table in a schema of its own, which is dropped at the end, and yield what executes a statement there."""
    import psycopg  # Only SQLite can be measured without it.

    with psycopg.connect(url, autocommit=True) as database:
        database.execute("SET timezone = 'UTC'")
        database.execute("DROP SCHEMA IF EXISTS astra_filter_paging CASCADE")
        database.execute("CREATE SCHEMA astra_filter_paging")
        database.execute("SET search_path = astra_filter_paging")
        try:
            database.execute(SCHEMA.create_table("tasks", "postgresql"))
            with database.cursor().copy("COPY tasks FROM STDIN") as copy:
                for row in rows(count):
                    copy.write_row(row)
            yield lambda statement: fetched(database.execute(*statement))
        finally:
            database.execute("DROP SCHEMA astra_filter_paging CASCADE")


def walk(execute: Callable[[SQL], list[Any]], dialect: str, order: str, skip: int) -> list[tuple[ListQuery, int]]:
    """Walk a few pages from a place in the list; return the query of each, and the rows before it."""
    start = SCHEMA.query({"orderBy": order, "limit": "1", "skip": str(skip - 1)})
    token = start.page_from_rows(execute(start.sql("tasks", dialect))).next_token
    pages = []
    for _ in range(PAGES):
        query = SCHEMA.query({"orderBy": order, "limit": str(LIMIT), "continue": token})
        pages.append((query, skip))
        token = query.page_from_rows(execute(query.sql("tasks", dialect))).next_token
        skip += LIMIT
    return pages


def measure(execute: Callable[[SQL], list[Any]], dialect: str, order: str, count: int, rounds: int) -> Figures:
    """Return the figures of one order; also make sure that a page is the same by ``continue`` and by ``skip``."""

    def seconds(statement: SQL) -> float:
        start = perf_counter()
        execute(statement)
        return perf_counter() - start

    first = SCHEMA.query({"orderBy": order, "limit": str(LIMIT)}).sql("tasks", dialect)
    times: dict[str, list[float]] = {"first": [], "middle": [], "last": [], "offset": []}
    middle = walk(execute, dialect, order, count // 2)
    last = walk(execute, dialect, order, count - LIMIT * PAGES - 1)
    for (between, _), (query, skip) in zip(middle, last, strict=True):
        halfway = between.sql("tasks", dialect)
        by_token = query.sql("tasks", dialect)
        by_offset = SCHEMA.query({"orderBy": order, "limit": str(LIMIT), "skip": str(skip)}).sql("tasks", dialect)
        if execute(by_token) != execute(by_offset):
            sys.exit(f"{dialect}, {order}: the page after {skip} rows differs")
        for _ in range(rounds):
            times["first"].append(seconds(first))
            times["middle"].append(seconds(halfway))
            times["last"].append(seconds(by_token))
        times["offset"].append(seconds(by_offset))
    return Figures(dialect, order, *(median(times[name]) for name in Figures._fields[2:]))


def table(figures: Iterable[Figures]) -> str:
    """Return the figures as a table of Markdown."""
    lines = [
        f"| database | orderBy | first page, ms | middle | end | end ÷ first (at most {TARGET}) | end by OFFSET, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {f.database} | `{f.order}` | {f.first * 1e3:.2f} | {f.middle * 1e3:.2f} | {f.last * 1e3:.2f} "
        f"| {f.ratio:.2f} | {f.offset * 1e3:.0f} |"
        for f in figures
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000, help="tasks in the table (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=20, help="times that each page is asked for (default 20)")
    parser.add_argument("--postgresql", metavar="URL", help="measure PostgreSQL too, in a schema of its own")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if options.rows < LIMIT * (PAGES + 2):
        parser.error(f"--rows is at least {LIMIT * (PAGES + 2)}")
    places = [("sqlite", sqlite(options.rows))]
    if options.postgresql is not None:
        places.append(("postgresql", postgresql(options.postgresql, options.rows)))
    figures = []
    for dialect, place in places:
        with place as execute:
            for order in ORDERS:
                with advised_index(execute, dialect, order):
                    figures.append(measure(execute, dialect, order, options.rows, options.rounds))
    if options.json:
        print(json.dumps([f._asdict() for f in figures], indent=2))
    else:
        print(table(figures))


if __name__ == "__main__":
    main()
