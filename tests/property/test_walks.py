"""Walking a collection by ``continue`` gives each resource once and in order, on every backend (SPEC §6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astra_filter import Schema, fields
from astra_filter.sql.rows import to_row

if TYPE_CHECKING:
    from databases.backends import Backend, Table

pytestmark = pytest.mark.slow

MEMBERS = {
    "name": lambda: fields.String(max_length=60),
    "binary": lambda: fields.String(max_length=60, binary=True, nullable=True),
    "state": lambda: fields.Enum("b", "a", "C", nullable=True),
    "count": fields.Integer,
    "share": lambda: fields.Number(nullable=True),
    "open": lambda: fields.Boolean(nullable=True),
    "since": lambda: fields.Timestamp(nullable=True),
    "at": fields.Timestamp,
    "day": lambda: fields.Date(nullable=True),
    "owner": lambda: fields.Uuid(nullable=True),
    "more": lambda: fields.Object(
        {
            "rank": fields.Number(nullable=True, column="more", json_path=["rank"]),
            "tags": fields.Array(fields.String(), nullable=True),
        },
        nullable=True,
    ),
}
SORTABLE = [*(name for name in MEMBERS if name != "more"), "more.rank"]
KEYS = {
    "uuid": (fields.Uuid, lambda number: f"{number * 2654435761 % 2**32:08x}-0000-4000-8000-{number:012x}"),
    "integer": (fields.Integer, lambda number: number - 5),
    "string": (
        lambda: fields.String(max_length=20),
        lambda number: "aZéb \U0001f600"[number % 6] * (1 + number % 3) + str(number),
    ),
}
SCHEMAS = {
    kind: Schema({**{name: make() for name, make in MEMBERS.items()}, "id": make()}, key="id", binary=kind == "uuid")
    for kind, (make, _) in KEYS.items()
}

EPOCH = datetime(2020, 8, 6, 12, 24, 52, tzinfo=UTC)
TEXTS = st.sampled_from(
    ["", " ", "a", "A", "b", "a ", "aa", "é", "e", "ß", "ss", "z", "Z", "\uffee", "\U0001f600", "%", "'", "١", "一"]
)
WORDS = st.builds("".join, st.lists(TEXTS, max_size=2))
NUMBERS = st.sampled_from([-1e300, -2.5, -1.0, -0.0, 0.0, 1e-300, 0.1, 2.0, 2.5, 2**53 + 0.0, 1e300])
INSTANTS = st.sampled_from([-(10**13), -1, 0, 1, 2, 10**6, 10**13]).map(
    lambda micros: EPOCH + timedelta(microseconds=micros)
)
VALUES = {
    "name": WORDS,
    "binary": st.none() | WORDS,
    "state": st.sampled_from([None, "a", "b", "C", "undeclared"]),
    "count": st.sampled_from([-(2**63), -2, -1, 0, 1, 2**53, 2**53 + 1, 2**63 - 1]),
    "share": st.none() | NUMBERS,
    "open": st.sampled_from([None, True, False]),
    "since": st.none() | INSTANTS,
    "at": INSTANTS,
    "day": st.none() | INSTANTS.map(lambda instant: instant.date().isoformat()),
    "owner": st.none() | st.sampled_from([f"{digit}0000000-0000-4000-8000-000000000000" for digit in "019af"]),
    "more": st.none()
    | st.fixed_dictionaries({"rank": st.none() | NUMBERS, "tags": st.none() | st.lists(WORDS, max_size=2)}),
}
RECORDS = st.fixed_dictionaries(VALUES)
FILTERS = st.sampled_from(
    [
        None,
        "count gt -1",
        "name ne 'a' or share eq null",
        "not (state in ('a', null))",
        "since gte '2020-08-06T12:24:52Z'",
    ]
)
ORDERS = st.lists(
    st.tuples(st.sampled_from([*SORTABLE, "id"]), st.sampled_from(["", " asc", " desc"])),
    max_size=3,
    unique_by=lambda key: key[0],
)
INCLUDES = st.none() | st.lists(
    st.sampled_from([*SORTABLE, "id", "more", "more.tags"]), min_size=1, max_size=3, unique=True
)


@st.composite
def requests(draw: Any) -> dict[str, str]:
    """Parameters of a list request, without limit."""
    parameters = {}
    order = draw(ORDERS)
    if order:
        parameters["orderBy"] = ", ".join(name + direction for name, direction in order)
    if (text := draw(FILTERS)) is not None:
        parameters["filter"] = text
    if (include := draw(INCLUDES)) is not None:
        parameters["include"] = ",".join(include)
    return parameters


class Memory:
    """A collection in a list, with the interface that `Stored` has."""

    def __init__(self, schema: Schema, resources: list[dict[str, Any]]) -> None:
        self.schema = schema
        self.resources = list(resources)

    def page(self, query: Any) -> Any:
        return query.page(iter(self.resources))

    def insert(self, resources: list[dict[str, Any]]) -> None:
        self.resources += resources

    def delete(self, keys: list[Any]) -> None:
        self.resources = [resource for resource in self.resources if resource["id"] not in keys]


class Stored:
    """A collection in a table."""

    def __init__(self, table: Table, resources: list[dict[str, Any]]) -> None:
        self.schema = table.schema
        self._table = table
        table.backend.execute(f"DELETE FROM {table.quoted}")
        self.insert(resources)

    def page(self, query: Any) -> Any:
        name = self._table.backend.name
        statement = query.sql(self._table.name, name)
        rows = self._table.backend.execute(*statement)
        assert query.limit is None or len(rows) <= query.limit + 1
        counted = query.count_sql(self._table.name, name)
        ((total,),) = self._table.backend.execute(*counted)
        return query.page_from_rows(rows, total=total)

    def insert(self, resources: list[dict[str, Any]]) -> None:
        if resources:
            self._table.insert([to_row(self.schema, resource, self._table.backend.name) for resource in resources])

    def delete(self, keys: list[Any]) -> None:
        for resource in keys:
            chosen = self.schema.compile("id eq " + (str(resource) if isinstance(resource, int) else f"'{resource}'"))
            text, params = chosen.sql(self._table.backend.name)
            self._table.backend.execute(f"DELETE FROM {self._table.quoted} WHERE {text}", params)


@pytest.fixture(params=SCHEMAS)
def kind(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def table(backend: Backend, kind: str) -> Any:
    with backend.table(SCHEMAS[kind], temporary=False) as made:
        yield made


def with_keys(kind: str, records: list[dict[str, Any]], first: int = 0) -> list[dict[str, Any]]:
    make = KEYS[kind][1]
    return [{**record, "id": make(first + number)} for number, record in enumerate(records)]


def walk(collection: Any, parameters: dict[str, str], limits: list[int], between: Any = None) -> list[Any]:
    """Return the items of all pages, whose limits are taken in turn."""
    items: list[Any] = []
    token: dict[str, str] = {}
    for number in range(200):
        limit = limits[number % len(limits)]
        query = collection.schema.query({**parameters, **token, "limit": str(limit)}, secret=b"s", scope="a")
        page = collection.page(query)
        items += page.items
        assert len(page.items) == limit or page.next_token is None
        if page.next_token is None:
            return items
        token = {"continue": page.next_token}
        if between is not None:
            between(collection, number)
    raise AssertionError("the walk does not end")


LIMITS = st.lists(st.integers(1, 4), min_size=1, max_size=3)
QUICK = settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck), database=None)


@QUICK
@given(records=st.lists(RECORDS, max_size=14), parameters=requests(), limits=LIMITS, data=st.data())
def test_memory(kind: str, records: list[Any], parameters: dict[str, str], limits: list[int], data: Any) -> None:
    """SPEC §6: pages joined are the unlimited answer; presorted resources give the same pages."""
    resources = data.draw(st.permutations(with_keys(kind, records)))
    schema = SCHEMAS[kind]
    full = schema.query(parameters).page(resources)
    assert full.next_token is None
    assert walk(Memory(schema, resources), parameters, limits) == full.items
    order = schema.query(parameters).order
    ranked = sorted(resources, key=lambda resource: order.rank(order.values(resource)))
    presorted = schema.query({**parameters, "skip": "1", "limit": "3"}).page(ranked, presorted=True)
    assert presorted == schema.query({**parameters, "skip": "1", "limit": "3"}).page(resources)


@QUICK
@given(records=st.lists(RECORDS, max_size=14), parameters=requests(), limits=LIMITS, skip=st.integers(0, 3))
def test_databases(
    table: Table, kind: str, records: list[Any], parameters: dict[str, str], limits: list[int], skip: int
) -> None:
    """SPEC §4, §6: every database gives the items that memory gives, in its order, at once and page by page."""
    resources = with_keys(kind, records)
    memory, stored = Memory(table.schema, resources), Stored(table, resources)
    query = table.schema.query({**parameters, "skip": str(skip), "count": "true"})
    expected = memory.page(query)
    assert stored.page(query) == expected
    query = table.schema.query({**parameters, "skip": str(skip), "limit": "2"})
    assert stored.page(query) == memory.page(query)
    whole = memory.page(table.schema.query(parameters)).items
    assert walk(stored, parameters, limits) == whole


@QUICK
@given(
    records=st.lists(RECORDS, min_size=3, max_size=12),
    later=st.lists(RECORDS, min_size=1, max_size=8),
    parameters=requests(),
    limits=LIMITS,
    data=st.data(),
)
def test_changes_between_pages(
    table: Table,
    kind: str,
    records: list[Any],
    later: list[Any],
    parameters: dict[str, str],
    limits: list[int],
    data: Any,
) -> None:
    """SPEC §6: rows inserted or deleted between pages make no page repeat or skip another row."""
    parameters = {**parameters, "include": "id"}
    resources = with_keys(kind, records)
    new = with_keys(kind, later, first=100)
    doomed = data.draw(st.lists(st.sampled_from([resource["id"] for resource in resources]), max_size=5, unique=True))
    steps = data.draw(st.lists(st.integers(0, 3), min_size=len(new) + len(doomed), max_size=len(new) + len(doomed)))

    def change(collection: Any, number: int) -> None:
        collection.insert([resource for resource, step in zip(new, steps, strict=False) if step == number])
        collection.delete([key for key, step in zip(doomed, steps[len(new) :], strict=True) if step == number])

    untouched = [resource for resource in resources if resource["id"] not in doomed]
    expected = [key for (key,) in Memory(table.schema, untouched).page(table.schema.query(parameters)).items]
    collections = [Memory(table.schema, resources), Stored(table, resources)]
    walks = [[key for (key,) in walk(collection, parameters, limits, change)] for collection in collections]
    for found in walks:
        assert len(set(found)) == len(found)
        assert [key for key in found if key in set(expected)] == expected
    assert walks[0] == walks[1]
