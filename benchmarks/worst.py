"""The dearest request that the default limits allow: a search over filters and pages that mutates towards cost.

Run it as ``python benchmarks/worst.py``. It makes requests of a hostile schema, keeps the dearest, and mutates them:
repeats parts, nests them, lengthens lists, adds sort keys. What counts is told by ``--cost``:

- ``sql``: characters of a page's SQL beyond those of its filter (SPEC §8 allows three times the filter's, or 64 kB);
- ``backend``: MiB of memory that a new PostgreSQL connection takes for the page, over an empty table;
- ``refuse``: seconds until a request of 500 declared fields is refused;
- ``held``: bytes that the schema's caches hold after 5,000 hostile requests, beside 5,000 ordinary ones.

Each prints the dearest request that was found, and its cost.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from astra_filter import QueryError, Schema, fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from astra_filter import ListQuery

_OBJECT = fields.Object(
    {
        "n": fields.Number(nullable=True),
        "i": fields.Integer(nullable=True),
        "s": fields.String(nullable=True),
        "t": fields.Timestamp(nullable=True),
    },
    nullable=True,
)
KEYS = [f"k{number}" for number in range(8)]


def hostile() -> Schema:
    """A schema whose SQL is long: arrays of objects of objects, and eight sort keys that may be null."""
    return Schema(
        {
            "id": fields.Integer(),
            "name": fields.String(max_length=60),
            "o": _OBJECT,
            "l": fields.Array(
                fields.Object({"o": _OBJECT, "m": fields.Array(fields.Object({"o": _OBJECT}))}), nullable=True
            ),
            "tags": fields.Array(fields.String(), nullable=True),
            **{key: fields.Number(nullable=True) for key in KEYS},
        },
        key="id",
    )


def wide() -> Schema:
    """A schema of 500 fields with names like one another."""
    return Schema({f"storageVolumeSnapshot{number:03d}": fields.Integer() for number in range(500)})


class Request(NamedTuple):
    """A request: what is joined by which word, and what it is sorted by."""

    tests: tuple[str, ...]
    word: str
    order: tuple[str, ...]
    around: str
    """What stands around the filter, with ``{}`` in its place."""

    def parameters(self) -> dict[str, str]:
        return {
            "filter": self.around.format(f" {self.word} ".join(self.tests)),
            "orderBy": ", ".join(self.order),
            "limit": "5",
        }


PATHS = ["name", "o.n", "o.s", "o.t", "l.o.n", "l.o.i", "l.o.s", "l.o.t", "l.m.o.n", "l.m.o.s", "tags", "k0", "id"]
AROUND = ["{}", "not ({})", "({}) and name ne 'x'", "not (not ({}))"]


def literal(path: str, numbers: random.Random) -> str:
    last = path.rsplit(".", maxsplit=1)[-1]
    if last in ("s", "name", "tags"):
        return f"'{numbers.randrange(10**6)}'"
    return "'2020-01-01'" if last == "t" else str(numbers.randrange(100))


def test(numbers: random.Random) -> str:
    path = numbers.choice(PATHS)
    if numbers.random() < 0.2:
        items = ", ".join(literal(path, numbers) for _ in range(numbers.choice((1, 3, 10))))
        return f"{path} {numbers.choice(('in', 'not in'))} ({items})"
    operators = ["eq", "ne"] + (["contains", "startswith"] if path.endswith(("s", "name")) else ["lt", "gte"])
    return f"{numbers.choice(('', 'not '))}{path} {numbers.choice(operators)} {literal(path, numbers)}"


def first(numbers: random.Random) -> Request:
    order = tuple(f"{key} {numbers.choice(('asc', 'desc'))}" for key in numbers.sample(KEYS, numbers.randint(1, 8)))
    tests = tuple(test(numbers) for _ in range(numbers.randint(1, 200)))
    return Request(tests, numbers.choice(("and", "or")), order, numbers.choice(AROUND))


def mutated(request: Request, numbers: random.Random) -> Request:
    """Change one thing, mostly towards more."""
    match numbers.randrange(6):
        case 0:
            one = numbers.choice(request.tests)
            return request._replace(tests=(request.tests + (one,) * numbers.choice((1, 20, 199)))[:200])
        case 1:
            place = numbers.randrange(len(request.tests))
            return request._replace(tests=(*request.tests[:place], test(numbers), *request.tests[place + 1 :]))
        case 2:
            return request._replace(tests=(test(numbers),) * len(request.tests))
        case 3:
            return request._replace(order=first(numbers).order)
        case 4:
            return request._replace(word="or" if request.word == "and" else "and")
        case _:
            return request._replace(around=numbers.choice(AROUND))


def second_page(schema: Schema, request: Request) -> ListQuery:
    """Return the page after a row without nulls; raises a `QueryError` where the limits refuse it."""
    parameters = request.parameters()
    query = schema.query(parameters)
    assert query.request.tokens is not None
    token = query.request.tokens.write((*[1.5] * len(request.order), 7))
    return schema.query({**parameters, "continue": token})


def search(cost: Callable[[Request], float], rounds: int, seed: int) -> tuple[float, Request]:
    """Return the dearest request that was found; what costs nothing is refused."""
    numbers = random.Random(seed)
    kept: list[tuple[float, Request]] = []
    for round_ in range(rounds):
        fresh = round_ < rounds // 5 or not kept
        request = first(numbers) if fresh else mutated(numbers.choice(kept)[1], numbers)
        try:
            kept.append((cost(request), request))
        except QueryError:
            continue
        kept = sorted(kept, key=lambda found: -found[0])[:10]
    return kept[0]


def sql_cost(request: Request) -> float:
    """How much of what SPEC §8 allows a page's SQL takes, on the dialect where it takes most: 1 is all of it."""
    query = second_page(hostile(), request)
    assert query.filter is not None
    shares = []
    for dialect in ("sqlite", "postgresql", "mysql", "duckdb"):
        own = len(query.filter.sql(dialect).text)
        shares.append(len(query.sql("tasks", dialect).text) / max(3 * own, 65_536))
    return max(shares)


class Backend:
    """New connections to PostgreSQL, each of which runs one page."""

    def __init__(self, url: str) -> None:
        self._url = url

    def cost(self, request: Request) -> float:
        import psycopg

        schema = hostile()
        statement = second_page(schema, request).sql("worst_tasks", "postgresql")
        with psycopg.connect(self._url, autocommit=True, options="-c jit=off -c statement_timeout=20s") as connection:
            table = schema.create_table("worst_tasks", "postgresql").replace("CREATE TABLE", "CREATE TEMPORARY TABLE")
            connection.execute(table)
            connection.execute("SELECT 1")
            idle = peak(connection.info.backend_pid)
            connection.execute(*statement)
            return peak(connection.info.backend_pid) - idle


def peak(process: int) -> float:
    """The most memory that a process on this machine has taken, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found is not None
    return int(found[1]) / 1024


def refusal_cost(rounds: int, seed: int) -> tuple[float, str]:
    """The longest that a refusal takes: of misspelt names, in any number of parameters. The least of five is taken."""
    schema, numbers = wide(), random.Random(seed)
    names = list(schema.root.members)
    dearest, of = 0.0, ""

    def misspelt() -> str:
        name = numbers.choice(names)
        place = numbers.randrange(len(name))
        return name[:place] + numbers.choice("xq9") * numbers.randrange(3) + name[place + numbers.randrange(2) :]

    for _ in range(rounds):
        filters = numbers.choice((1, 5, 10))
        parameters = [
            ("filter", " and ".join(f"{misspelt()} eq 1" for _ in range(numbers.choice((1, 20, 200 // filters)))))
            for _ in range(filters)
        ]
        if numbers.random() < 0.5:
            parameters.append(("include", ",".join(misspelt() for _ in range(100))))
        if numbers.random() < 0.5:
            parameters.append(("orderBy", ",".join(misspelt() for _ in range(8))))
        least = min(refused(schema, parameters) for _ in range(5))
        if least > dearest:
            dearest, of = least, f"{len(parameters)} parameters, {sum(len(text) for _, text in parameters)} characters"
    return dearest, of


def refused(schema: Schema, parameters: list[tuple[str, str]]) -> float:
    began = time.process_time()
    try:
        schema.query(parameters)
    except QueryError:
        pass
    return time.process_time() - began


def held(count: int, seed: int, *, evil: bool) -> int:
    """Bytes that the caches hold after so many requests: of ever-new shapes, or of twenty."""
    schema, numbers = hostile(), random.Random(seed)
    usual = [first(random.Random(number))._replace(order=("k0 desc",)) for number in range(20)]
    names = list(schema.root.members)
    for _ in range(count):
        request = first(numbers) if evil else numbers.choice(usual)
        parameters = request.parameters()
        if evil:
            numbers.shuffle(names)
            parameters["include"] = ",".join(names)
        try:
            query = schema.query(parameters)
        except QueryError:
            continue
        query.sql("tasks", "postgresql")
    return schema.cache_info().held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cost", choices=["sql", "backend", "refuse", "held"], nargs="*", default=["sql", "refuse"])
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", default="postgresql://postgres@127.0.0.1:5432/postgres", help="for --cost backend")
    options = parser.parse_args()
    costs: dict[str, tuple[Callable[[Request], float], str]] = {
        "sql": (sql_cost, "of what a page's SQL may take"),
        "backend": (Backend(options.url).cost, "MiB in PostgreSQL"),
    }
    for name in options.cost:
        if name in costs:
            cost, unit = costs[name]
            found, request = search(cost, options.rounds, options.seed)
            print(
                f"{name}: {found:.2f} {unit}; {len(request.tests)} tests such as {request.tests[0]!r}, {request.order}"
            )
        elif name == "refuse":
            seconds, of = refusal_cost(options.rounds // 5, options.seed)
            print(f"refuse: {seconds * 1000:.2f} ms; {of}")
        else:
            usual, evil = (held(options.rounds, options.seed, evil=evil) for evil in (False, True))
            print(
                f"held: {evil:,} bytes after {options.rounds} hostile requests, {usual:,} after as many ordinary ones"
            )


if __name__ == "__main__":
    main()
