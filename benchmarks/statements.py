"""A WHERE clause of ours and one written by hand, on a table with an index, in real databases."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.cases import TIMESTAMP, Group, Test
from benchmarks.peers import Ours
from benchmarks.tasks import STATES, instant, schema
from benchmarks.timing import in_turn

if TYPE_CHECKING:
    from datetime import datetime

CASE = Group("and", (Test("state", "eq", "running"), Test("percentDone", "gte", 95), TIMESTAMP))
COLUMNS = '"id", "state", "percentDone", "startTime"'


def measure(count: int, postgresql: str | None, rounds: int) -> Iterator[tuple[str, dict[str, float] | str]]:
    """Yield for each database the seconds of our statement and of the one by hand, or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", _sqlite(Path(folder) / "tasks.db", count, rounds)
    if postgresql is None:
        yield "PostgreSQL", "no database was named (--postgresql)"
    else:
        yield "PostgreSQL", _postgresql(postgresql, count, rounds)


def _rows(count: int) -> Iterator[tuple[str, str, float | None, datetime | None]]:
    rng = random.Random(6)  # Repeatable, not secret.
    for number in range(count):
        done = rng.randrange(101) if rng.random() < 0.9 else None
        began = instant(rng) if rng.random() < 0.9 else None
        yield f"{number:08x}-0000-4000-8000-{rng.getrandbits(48):012x}", rng.choice(STATES), done, began


def _sqlite(file: Path, count: int, rounds: int) -> dict[str, float] | str:
    ours = schema().compile(Ours().text(CASE)).sql("sqlite")
    database = sqlite3.connect(file)
    database.execute(
        'CREATE TABLE tasks ("id" TEXT PRIMARY KEY, "state" TEXT NOT NULL, "percentDone" REAL, "startTime" TEXT) STRICT'
    )
    stored = (
        (*row, None if began is None else began.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z")
        for *row, began in _rows(count)
    )
    database.executemany("INSERT INTO tasks VALUES (?, ?, ?, ?)", stored)
    database.execute('CREATE INDEX by_state ON tasks ("state", "percentDone")')
    database.execute("ANALYZE")
    hand = '"state" = ? AND "percentDone" >= ? AND "startTime" < ?', ("running", 95.0, "2020-08-06T12:24:52.000000Z")

    def plan(text: str, parameters: Any) -> Any:
        found = database.execute(f"EXPLAIN QUERY PLAN SELECT {COLUMNS} FROM tasks WHERE {text}", parameters).fetchall()
        return [row[3] for row in found]

    def ask(text: str, parameters: Any) -> list[Any]:
        return database.execute(f"SELECT {COLUMNS} FROM tasks WHERE {text}", parameters).fetchall()

    try:
        return _compare((ours.text, ours.params), hand, plan, ask, rounds)
    finally:
        database.close()


def _postgresql(dsn: str, count: int, rounds: int) -> dict[str, float] | str:
    import psycopg

    ours = schema().compile(Ours().text(CASE)).sql("postgresql")
    with psycopg.connect(dsn) as database:
        database.execute(
            'CREATE TEMPORARY TABLE tasks ("id" uuid PRIMARY KEY, "state" text COLLATE "C" NOT NULL,'
            ' "percentDone" double precision, "startTime" timestamptz)'
        )
        with database.cursor().copy(f"COPY tasks ({COLUMNS}) FROM STDIN") as copy:
            for row in _rows(count):
                copy.write_row(row)
        database.execute('CREATE INDEX by_state ON tasks ("state", "percentDone")')
        database.execute("ANALYZE tasks")
        moment = TIMESTAMP.value
        hand = '"state" = %s AND "percentDone" >= %s AND "startTime" < %s', ("running", 95.0, _moment(moment))

        def plan(text: str, parameters: Any) -> Any:
            statement = f"EXPLAIN (COSTS OFF) SELECT {COLUMNS} FROM tasks WHERE {text}"
            # In the client, so that the plan is made for the values, as a first execution's is.
            return psycopg.ClientCursor(database).execute(statement, parameters).fetchall()

        def ask(text: str, parameters: Any) -> list[Any]:
            return database.execute(f"SELECT {COLUMNS} FROM tasks WHERE {text}", parameters).fetchall()

        return _compare((ours.text, ours.params), hand, plan, ask, rounds)


def _compare(
    ours: tuple[str, Any],
    hand: tuple[str, Any],
    plan: Callable[[str, Any], Any],
    ask: Callable[[str, Any], Sequence[Any]],
    rounds: int,
) -> dict[str, float] | str:
    if sorted(ask(*ours)) != sorted(ask(*hand)):
        raise AssertionError(ours)
    if plan(*ours) != plan(*hand):
        return f"another plan: {plan(*ours)} instead of {plan(*hand)}"

    def work(statement: tuple[str, Any]) -> Callable[[int], Callable[[], None]]:
        def prepare(count: int) -> Callable[[], None]:
            def run() -> None:
                for _ in range(count):
                    ask(*statement)

            return run

        return prepare

    return in_turn({"astra-filter": work(ours), "SQL by hand": work(hand)}, rounds=rounds, most=100, clock=perf_counter)


def _moment(text: str) -> datetime:
    from datetime import datetime

    return datetime.fromisoformat(text).astimezone(UTC)
