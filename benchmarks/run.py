"""Measure the library beside other libraries and beside code written by hand: ``python -m benchmarks.run``.

Absolute times say little on another machine, so every target is a ratio of medians of one run, in which the works take
turns. A peer's answer is compared with ours before it is timed; one that differs has no figure.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from lark import Lark

from astra_filter import FilterError, Schema
from astra_filter.syntax import lalr_tables
from astra_filter.syntax.parser import grammar
from benchmarks import handwritten, statements, typed
from benchmarks.cases import (
    THREE,
    TIMESTAMP,
    TWO,
    Case,
    fields_of,
    listed,
    shape,
    sized,
    with_new_shape,
    with_new_values,
)
from benchmarks.chart import chart
from benchmarks.peers import CannotExpressError, Ours, Peer, Tasks, peers
from benchmarks.tasks import generate, schema
from benchmarks.timing import Work, in_turn

OURS = "astra-filter"
HAND = "by hand"
SIZES = (1, 3, 6, 20, 200)
NEW_SHAPES = 40
"""Shapes of one size at most; of the three tests there are 48."""

ANSWERS = 100
"""Tasks on which the answers of peers are compared with ours."""


class Settings(NamedTuple):
    """How much is measured."""

    tasks: int
    sample: int
    """Tasks that slow peers are asked about; ours on the same ones."""
    rounds: int
    texts: int
    processes: int
    rows: int
    postgresql: str | None
    shortest: float


class Row(NamedTuple):
    """One target: our time for a work is at most ``limit`` times another's for the same."""

    work: str
    against: str
    limit: float
    ratio: float | None
    """None when the other has no figure."""

    @property
    def met(self) -> bool | None:
        """Whether the target is met."""
        return None if self.ratio is None else self.ratio <= self.limit


class Report:
    """What a run found: tables of seconds, by row and column, and the targets."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, dict[str, float | None]]] = {}
        self.rows: list[Row] = []
        self.notes: dict[str, str] = {}

    def table(self, title: str, row: str, times: Mapping[str, float]) -> None:
        """Add a row of seconds to a table."""
        self.tables.setdefault(title, {})[row] = dict(times)

    def target(self, work: str, against: str, limit: float, times: Mapping[str, float], ours: str = OURS) -> None:
        """Add a target, by the names of two works in ``times``."""
        other = times.get(against)
        self.rows.append(Row(work, against, limit, None if other is None else times[ours] / other))


class Bench:
    """One run."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._report = Report()
        self._tasks = generate(settings.tasks)
        self._sample = self._tasks[: settings.sample]
        self._ours = Ours()
        self._peers, missing = peers()
        self._report.notes.update(missing)
        self._agreeing: dict[Any, list[Peer]] = {}
        # The tasks live as long as the run: the collector need not look at them before every measurement.
        gc.collect()
        gc.freeze()

    def run(self) -> Report:
        """Measure everything."""
        for part in (
            self._compile_known,
            self._compile_new,
            self._compile_growth,
            self._sql,
            self._select,
            self._select_peers,
            self._matches,
            self._timestamps,
            self._in_list,
            self._objects,
            self._items,
            self._refusals,
            self._start,
            self._statements,
        ):
            print(f"{part.__name__.strip('_')} ...", file=sys.stderr)
            part()
        return self._report

    # Compile

    def _compile_known(self) -> None:
        title = "compile a known shape with new values"
        for size in SIZES:
            case = sized(size)
            cases = _distinct(case, self._settings.texts, with_new_values, lambda c: c)
            ours = schema()
            ours.compile(self._ours.text(case))
            works: dict[str, Work] = {OURS: _each([self._ours.text(c) for c in cases], ours.compile)}
            works |= self._parsing(case, cases)
            times = self._time(works, len(cases))
            self._report.table(title, _tests(size), times)
            if size == 3:
                self._report.target("compile, known shape", "cql2 (Rust)", 0.5, times)
                self._report.target("compile, known shape", "odata-query", 1 / 15, times)

    def _compile_new(self) -> None:
        title = "compile a new shape"
        bare = Lark(grammar(), **lalr_tables.OPTIONS)
        for size in SIZES:
            case = sized(size)
            cases = _distinct(case, min(NEW_SHAPES, self._settings.texts), with_new_shape, shape)
            texts = [self._ours.text(c) for c in cases]
            works: dict[str, Work] = {OURS: _never_seen(texts), "bare Lark parse": _each(texts, bare.parse)}
            works |= self._parsing(case, cases)
            times = self._time(works, len(cases))
            self._report.table(title, _tests(size), times)
            if size == 3:
                self._report.target("compile, new shape", "bare Lark parse", 1.5, times)
                for peer in self._peers:
                    if not peer.compiled and peer.name != "jmespath":
                        self._report.target("compile, new shape", peer.name, 1.0, times)

    def _compile_growth(self) -> None:
        works = {}
        texts = min(NEW_SHAPES, self._settings.texts)
        for size in (20, 200):
            cases = _distinct(sized(size), texts, with_new_shape, shape)
            works[f"{size} tests"] = _never_seen([self._ours.text(c) for c in cases])
        times = self._time(works, texts)
        self._report.target("compile, new shape: 200 tests", "20 tests", 12, times, "200 tests")

    # SQL

    def _sql(self) -> None:
        title = "write SQL for a known shape"
        for size in SIZES:
            case = sized(size)
            cases = _distinct(case, self._settings.texts, with_new_values, lambda c: c)
            ours = schema()
            filters = [ours.compile(self._ours.text(c)) for c in cases]
            filters[0].sql("sqlite")
            works: dict[str, Work] = {OURS: _each(filters, lambda f: f.sql("sqlite"))}
            for peer in self._agreed(case):
                writer = peer.sql_writer(case)
                if writer is not None:
                    works[peer.name] = _each([writer], lambda write: write())
            times = self._time(works, len(cases))
            self._report.table(title, _tests(size), times)
            if size == 3:
                self._report.target("sql('sqlite'), known shape", "odata-query", 0.5, times)

    # Data in memory

    def _select(self) -> None:
        tasks = self._tasks
        ours = schema().compile(self._ours.text(TWO))
        hand = handwritten.select_two("running", 20.0)
        self._same(TWO, ours.select(tasks), hand(tasks))
        times = self._time({OURS: _again(ours.select, tasks), HAND: _again(hand, tasks)}, 1000)
        self._per_task("2 tests: string, number", times, tasks)
        self._report.target("select, string and number tests", HAND, 1.15, times)

    def _select_peers(self) -> None:
        title = "select, per task"
        for size, case in ((2, TWO), *[(size, sized(size)) for size in SIZES]):
            # The slowest peer takes a tenth of a second to put one task to 200 tests.
            sample = self._sample[: max(20, len(self._sample) // size)]
            works: dict[str, Work] = {OURS: _again(schema().compile(self._ours.text(case)).select, sample)}
            for peer in self._agreed(case):
                selector = peer.selector(case)
                if selector is not None:
                    works[peer.name] = _again(selector, peer.ready(sample))
            times = {name: time / len(sample) for name, time in self._time(works, 1000).items()}
            self._report.table(title, _tests(size), times)
            if case is TWO:
                for peer in ("jmespath", "rule-engine", "cel-python", "common-expression-language (Rust)"):
                    self._report.target("select, string and number tests", peer, 1 / 40, times)

    def _matches(self) -> None:
        tasks = self._sample
        for label, case, hand in (
            ("string and number tests", TWO, handwritten.matches_two("running", 20.0)),
            ("three tests", THREE, handwritten.matches_three("running", 20.0, _moment(TIMESTAMP.value))),
        ):
            matches = schema().compile(self._ours.text(case)).matches
            self._same(case, [t for t in tasks if matches(t)], [t for t in tasks if hand(t)])
            works = {OURS: _again(_each_task(matches), tasks), HAND: _again(_each_task(hand), tasks)}
            self._report.target(f"matches per dict, {label}", HAND, 1.3, self._time(works, 1000))

    def _timestamps(self) -> None:
        tasks = self._tasks
        ours = schema().compile(self._ours.text(TIMESTAMP))
        hand = handwritten.select_timestamp(_moment(TIMESTAMP.value))
        self._same(TIMESTAMP, ours.select(tasks), hand(tasks))
        times = self._time({OURS: _again(ours.select, tasks), HAND: _again(hand, tasks)}, 1000)
        self._per_task("1 test: timestamp", times, tasks)
        self._report.target("select, timestamp test on ISO text", HAND, 1.3, times)

    def _in_list(self) -> None:
        tasks = self._tasks
        case = listed(1000)
        ours = schema().compile(self._ours.text(case))
        hand = handwritten.select_in(frozenset(case.value))
        self._same(case, ours.select(tasks), hand(tasks))
        times = self._time({OURS: _again(ours.select, tasks), HAND: _again(hand, tasks)}, 1000)
        self._per_task("in, 1,000 items", times, tasks)
        self._report.target("select, in with 1,000 items", HAND, 1.2, times)

    def _objects(self) -> None:
        objects = [typed.typed(task) for task in self._tasks]
        dicts = [typed.native(task) for task in objects]
        for work, text, hand, limit, of_objects in typed.cases(objects[len(objects) // 2].id):
            data: Sequence[Any] = objects if of_objects else dicts
            ours = typed.SCHEMA.compile(text)
            if ours.select(data) != hand(data):
                raise AssertionError(text)
            label = f"{work}, {'objects' if of_objects else 'dicts'}"
            times = self._time({OURS: _again(ours.select, data), HAND: _again(hand, data)}, 1000)
            self._per_task(label, times, self._tasks)
            self._report.target(label, HAND, limit, times)
        sample = objects[: len(self._sample)]
        matches = typed.SCHEMA.compile("state eq 'running' and percentDone gte 20").matches
        works = {OURS: _again(_each_task(matches), sample), HAND: _again(_each_task(typed.matches_two), sample)}
        self._report.target("matches per object, string and number tests", HAND, 1.5, self._time(works, 1000))

    def _items(self) -> None:
        objects = [typed.typed(task) for task in self._tasks[: typed.PAGE + 1]]
        query = typed.SCHEMA.query(f"limit={typed.PAGE}")
        if list(query.page_from_resources(objects).items) != typed.items(objects):
            raise AssertionError(typed.items(objects))
        times = self._time({OURS: _again(query.page_from_resources, objects), HAND: _again(typed.items, objects)}, 1000)
        self._report.table("a page of objects", f"{typed.PAGE} items", times)
        self._report.target(f"a page of {typed.PAGE} objects", HAND, 1.5, times)

    def _refusals(self) -> None:
        count = min(1000, max(2, 2 * self._settings.texts))
        texts = {
            "accepted": [typed.accepted(number) for number in range(count)],
            "refused": [typed.refused(number) for number in range(count)],
        }

        def compile_all(texts: Sequence[str]) -> None:
            compiler = Schema(typed.SCHEMA.root.members, key="id")
            for text in texts:
                try:
                    compiler.compile(text)
                except FilterError:
                    pass

        def show_all(texts: Sequence[str]) -> None:
            compiler = Schema(typed.SCHEMA.root.members, key="id")
            for text in texts:
                try:
                    compiler.compile(text)
                except FilterError as error:
                    error.problem()

        works = {
            "accepted": _again(compile_all, texts["accepted"]),
            "refused": _again(compile_all, texts["refused"]),
            "refused and shown": _again(show_all, texts["refused"]),
        }
        times = {name: time / count for name, time in self._time(works, 1000).items()}
        self._report.table("a text of a new shape", "seconds", times)
        self._report.target("refused texts, new shapes", "accepted", 2, times, "refused")
        self._report.target("refused texts, new shapes, shown", "accepted", 4, times, "refused and shown")

    # Start-up

    def _start(self) -> None:
        compiled = (
            "from astra_filter import Schema, fields; "
            "Schema({'state': fields.Enum('running'), 'percentDone': fields.Number(), 'startTime': fields.Timestamp()})"
            f".compile({self._ours.text(THREE)!r})"
        )
        programs = {
            "import lark": "import lark",
            "import astra_filter": "import astra_filter",
            "first compile": compiled,
        }
        found: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(self._settings.processes + 1):
            for name, program in programs.items():
                found[name].append(_process(program))
        # The first of each only fills the caches.
        times = {name: median(measured[1:]) for name, measured in found.items()}
        self._report.table("a fresh process", "seconds", times)
        self._report.target("fresh process: import astra_filter", "import lark", 1 / 3, times, "import astra_filter")
        self._report.target("fresh process: import and first compile", "import lark", 1.15, times, "first compile")

    # Databases

    def _statements(self) -> None:
        for name, found in statements.measure(self._settings.rows, self._settings.postgresql, self._settings.rounds):
            if isinstance(found, str):
                self._report.notes[name] = found
                self._report.rows.append(Row(f"WHERE with an index, {name}", "SQL by hand", 1.05, None))
                continue
            self._report.table(f"a WHERE on {self._settings.rows:,} rows with an index", name, found)
            self._report.target(f"WHERE with an index, {name}: the same plan,", "SQL by hand", 1.05, found)

    # Helpers

    def _time(self, works: Mapping[str, Work], most: int) -> dict[str, float]:
        return in_turn(works, rounds=self._settings.rounds, most=most, shortest=self._settings.shortest)

    def _per_task(self, row: str, times: Mapping[str, float], tasks: Tasks) -> None:
        per_task = {name: time / len(tasks) for name, time in times.items()}
        self._report.table(f"select from {len(tasks):,} tasks, per task", row, per_task)

    def _parsing(self, case: Case, cases: Sequence[Case]) -> dict[str, Work]:
        works = {}
        for peer in self._agreed(case):
            works[peer.name] = _each([peer.text(c) for c in cases], peer.parse)
        return works

    def _agreed(self, case: Case) -> list[Peer]:
        """Return the peers whose answer to a case is ours."""
        agreed = self._agreeing.get(case)
        if agreed is None:
            agreed = self._agreeing[case] = []
            sample = self._sample[:ANSWERS]
            answer = self._ours.answer(case, sample)
            for peer in self._peers:
                key = f"{peer.name}, {_tests(len(fields_of(case)))}"
                try:
                    same = peer.answer(case, sample) == answer
                except CannotExpressError:
                    self._report.notes[key] = "cannot express it"
                except Exception as error:  # noqa: BLE001  # Peers raise what they like.
                    self._report.notes[key] = f"{type(error).__name__}: {error}"[:200]
                else:
                    if same:
                        agreed.append(peer)
                    else:
                        self._report.notes[key] = "answers otherwise"
        return agreed

    def _same(self, case: Case, ours: Sequence[Any], others: Sequence[Any]) -> None:
        if ours != others:
            raise AssertionError(case)


def _distinct(
    case: Case, count: int, vary: Callable[[Case, random.Random], Case], key: Callable[[Case], Any]
) -> list[Case]:
    """Return up to ``count`` cases made from one, no two with the same key."""
    rng = random.Random(5)  # Repeatable, not secret.
    found: dict[Any, Case] = {}
    for _ in range(count * 4):
        varied = vary(case, rng)
        found[key(varied)] = varied
        if len(found) == count:
            break
    return list(found.values())


def _each(things: Sequence[Any], do: Callable[[Any], object]) -> Work:
    """Do it to one thing after the other, and go on there the next time."""
    source = cycle(things)

    def prepare(count: int) -> Callable[[], None]:
        batch = list(islice(source, count))

        def run() -> None:
            for thing in batch:
                do(thing)

        return run

    return prepare


def _never_seen(texts: Sequence[str]) -> Work:
    """Compile texts of different shapes with a schema that knows none; at most each once."""
    return lambda count: _each(texts, schema().compile)(min(count, len(texts)))


def _again(do: Callable[[Any], object], data: Any) -> Work:
    return _each([data], do)


def _each_task(matches: Callable[[Any], object]) -> Callable[[Tasks], None]:
    def work(tasks: Tasks) -> None:
        for task in tasks:
            matches(task)

    return work


def _tests(count: int) -> str:
    return f"{count} test{'s' if count > 1 else ''}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _process(program: str) -> float:
    """Return the seconds that a program takes in a fresh process, without the interpreter's own start.

    Lark imports `regex` where it is installed, which some peers do; here, it is not.
    """
    timed = (
        "import sys; sys.modules['regex'] = None; from time import process_time as _now; "
        f"_start = _now(); {program}; print(_now() - _start)"
    )
    # Modules come compiled, as they do once installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([sys.executable, "-c", timed], capture_output=True, check=True, text=True, env=environment)
    return float(done.stdout)


# Output


def _seconds(time: float | None) -> str:
    if time is None:
        return "–"
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if time * scale >= 1:
            return f"{time * scale:.3g} {unit}"
    return f"{time * 1e9:.0f} ns"


def show(report: Report) -> None:
    """Print the tables on the terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=max(120, Console().width))
    for title, rows in report.tables.items():
        table = Table("", title=title, title_justify="left")
        names = list(dict.fromkeys(name for times in rows.values() for name in times))
        # Few rows of many libraries read better with the libraries down the side.
        for row in rows:
            table.add_column(row, justify="right")
        for name in names:
            table.add_row(name, *[_seconds(times.get(name)) for times in rows.values()])
        console.print(table)
    table = Table("our time for", "against", title="targets", title_justify="left")
    for column in ("at most", "measured", "met"):
        table.add_column(column, justify="right")
    for row in report.rows:
        ratio = "–" if row.ratio is None else f"{row.ratio:.3g} ×"
        met = {True: "[green]yes", False: "[red]no", None: "–"}[row.met]
        table.add_row(row.work, row.against, f"{row.limit:.3g} ×", ratio, met)
    console.print(table)
    for what, why in report.notes.items():
        console.print(f"– {what}: {why}", markup=False, highlight=False)


def document(report: Report, settings: Settings) -> dict[str, Any]:
    """Return a run's findings for machines; times are in seconds."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "versions": dict(_versions()),
        "settings": {key: value for key, value in settings._asdict().items() if key != "postgresql"},
        "targets": [{**row._asdict(), "met": row.met} for row in report.rows],
        "times": report.tables,
        "notes": report.notes,
    }


def _versions() -> Iterable[tuple[str, str]]:
    for name in (
        "lark",
        "odata-query",
        "pygeofilter",
        "rule-engine",
        "cel-python",
        "common-expression-language",
        "cql2",
        "jmespath",
        "pycel2sql",
        "scim2-filter-parser",
    ):
        try:
            yield name, version(name)
        except PackageNotFoundError:
            pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--short", action="store_true", help="compare all answers, and time next to nothing")
    parser.add_argument("--postgresql", metavar="DSN", help="a database for the million rows, such as dbname=test")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the findings for machines")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw the chart of the documentation, as SVG")
    options = parser.parse_args(arguments)
    dsn = options.postgresql
    if options.short:
        settings = Settings(1_000, 100, 1, 2, 1, 2_000, dsn, 0.0)
    else:
        settings = Settings(100_000, 2_000, 11, 400, 21, 1_000_000, dsn, 0.01)
    report = Bench(settings).run()
    show(report)
    if options.json:
        options.json.write_text(json.dumps(document(report, settings), indent=1, ensure_ascii=False) + "\n", "utf-8")
    if options.chart:
        options.chart.write_text(chart(report.tables), "utf-8")


if __name__ == "__main__":
    main()
