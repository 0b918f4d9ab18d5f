"""Resources that are objects, and values as drivers and typed code hand them over, give the answers that JSON gives."""

from __future__ import annotations

import enum
import gc
import linecache
from collections import UserDict
from collections.abc import Mapping
from dataclasses import dataclass, make_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_filter import Schema, fields
from astra_filter.language import values
from astra_filter.memory.runtime import View


class State(enum.Enum):
    RUNNING = "running"
    PAUSED = "paused"


class Loud(enum.Enum):
    """Says something else than it holds."""

    RUNNING = "paused"

    @property
    def value(self) -> str:
        return "running"


class Text(str, enum.Enum):  # noqa: UP042  # What many programs have.
    RUNNING = "running"


MEMBERS: dict[str, fields.Field] = {
    "name": fields.String(nullable=True),
    "state": fields.Enum("running", "paused", nullable=True),
    "size": fields.Integer(nullable=True),
    "share": fields.Number(nullable=True),
    "open": fields.Boolean(nullable=True),
    "made": fields.Timestamp(nullable=True),
    "day": fields.Date(nullable=True),
    "id": fields.Uuid(nullable=True),
    "price": fields.Decimal(5, 2, nullable=True),
    "owner": fields.Object({"name": fields.String(nullable=True), "made": fields.Timestamp(nullable=True)}),
    "disks": fields.Array(
        fields.Object({"name": fields.String(nullable=True), "id": fields.Uuid(nullable=True)}), nullable=True
    ),
    "tags": fields.Array(fields.String()),
    "days": fields.Array(fields.Timestamp()),
    "created-by": fields.String(nullable=True),
    "class": fields.String(nullable=True),
}
SCHEMA = Schema(MEMBERS)
ONE, TWO = UUID("12345678-1234-1234-1234-123456789abc"), UUID(int=5)
MOMENT = datetime(2020, 8, 6, 12, 24, 52, tzinfo=UTC)
FILTERS = [
    "name eq 'a'",
    "name contains 'a' and not size gt 5",
    "name eq null",
    "state eq 'running'",
    "state in ('running', 'paused')",
    "not state eq 'running'",
    "size in (1, 2) or share lt 1.5",
    "open eq true",
    "made lt '2020-08-06T12:24:53Z'",
    "made gte '2020-08-06T12:24:52Z'",
    "made in ('2020-08-06T12:24:52Z', '2021-01-01')",
    "made eq null",
    "day eq '2020-08-06'",
    "day gt '2020-08-05'",
    f"id eq '{ONE}'",
    f"not id in ('{ONE}', '{TWO}')",
    "id eq null",
    "price gte 1.5",
    "price eq 1.505",
    "not price in (1.5, 1.505, 0)",
    "price lt 1e9",
    "owner.name eq 'a'",
    "owner.made lt '2020-08-06T12:24:53Z' and owner.name ne 'a'",
    f"disks[name eq 'a' and id eq '{ONE}']",
    "disks.name eq 'a'",
    "disks eq null",
    "tags eq 'a'",
    "days gte '2020-08-06T12:24:52Z'",
    "`created-by` eq 'a'",
    "class eq 'a'",
]
COMPILED = [SCHEMA.compile(text) for text in FILTERS]
OPEN = [
    Schema.open().compile(text)
    for text in ("name eq 'a'", "owner.name eq 'a'", "disks[name eq 'a']", "not disks.name in ('a', null)", "size gt 1")
]


class Money(Decimal):
    """Is equal to nothing."""

    def __eq__(self, _: object) -> bool:
        return False

    __hash__ = Decimal.__hash__


CHOICES: list[Any] = [
    None, "", "a", "aa", "running", "2020-08-06", "2020-08-06T12:24:52Z", "2020-08-06T12:24:52.000000Z",
    "2020-02-30T12:24:52.000000Z", str(ONE), ONE.hex, 0, 1, 2.5, 10**20, float("nan"), float("inf"), True, False,
    State.RUNNING, State.PAUSED, Loud.RUNNING, Text.RUNNING,
    MOMENT, MOMENT.replace(tzinfo=None), MOMENT.replace(fold=1), MOMENT.astimezone(timezone(timedelta(hours=2))),
    datetime.min.replace(tzinfo=timezone(timedelta(hours=2))), datetime.max.replace(tzinfo=UTC), date(2020, 8, 6),
    ONE, TWO, [], ["a"], [MOMENT], {"name": "a"}, [{"name": "a", "id": ONE}], object(), b"a",
    Decimal("1.5"), Decimal("1.500"), Decimal("1.505"), Decimal("NaN"), Decimal("sNaN"), Decimal("-0.000"),
    Decimal("1e999999999"), Decimal("-Infinity"), Money("1.5"),
]  # fmt: skip
VALUES = st.sampled_from(CHOICES)
DATA = st.dictionaries(st.sampled_from(list(MEMBERS)), VALUES)

Slots = make_dataclass(
    "Slots", [(name, Any) for name in MEMBERS if name.isidentifier() and name != "class"], slots=True
)


def as_object(data: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(**{name: inner(value) for name, value in data.items()})


def inner(value: Any) -> Any:
    if isinstance(value, dict):
        return as_object(value)
    return [inner(each) for each in value] if isinstance(value, list) else value


class Raising:
    """Has members that raise, each in a way of its own."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.__dict__.update(data)

    @property
    def size(self) -> int:
        raise ValueError

    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


class Proxy:
    """Passes for an instance of another class."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    @property
    def __class__(self) -> Any:
        return dict

    @__class__.setter
    def __class__(self, _: Any) -> None: ...

    name = "not a mapping"


class Entries(Mapping[str, Any]):
    """A mapping with attributes that are not its members."""

    name = "a"

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    def __getitem__(self, name: str) -> Any:
        return self._data[name]

    def __iter__(self) -> Any:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)


class Computing:
    """Answers for each attribute."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    def __getattribute__(self, name: str) -> Any:
        return object.__getattribute__(self, "_data")[name]


class Dict(dict[str, Any]):
    def get(self, name: str, default: Any = None) -> Any:
        raise RuntimeError


FORMS = st.sampled_from([dict, as_object, Raising, Proxy, Entries, Computing, Dict, UserDict, str, list])


@given(st.lists(st.tuples(FORMS, DATA), max_size=6))
def test_every_way_gives_the_same_answer(made: list[tuple[Any, dict[str, Any]]]) -> None:
    resources = [form(data) for form, data in made]
    for compiled in (*COMPILED, *OPEN):
        # A view is what the careful way makes of any resource.
        expected = [resource for resource in resources if compiled.matches(View(resource))]
        for _ in range(2):  # The second time, all classes are known.
            assert list(map(id, compiled.select(resources))) == list(map(id, expected))
            assert list(map(id, compiled.select(iter(resources)))) == list(map(id, expected))
            assert [compiled.matches(each) for each in resources] == [
                any(each is other for other in expected) for each in resources
            ]


@given(st.lists(DATA, max_size=4))
def test_objects_are_as_their_dictionaries(data: list[dict[str, Any]]) -> None:
    names = list(Slots.__dataclass_fields__)
    objects = [as_object(each) for each in data]
    slots = [Slots(**{name: inner(each.get(name)) for name in names}) for each in data]
    for text, compiled in zip(FILTERS, COMPILED, strict=True):
        expected = [compiled.matches(each) for each in data]
        for _ in range(2):
            assert [compiled.matches(each) for each in objects] == expected
            if not {"class", "`created-by`"} & set(text.split()):
                assert [compiled.matches(each) for each in slots] == expected


@dataclass
class Task:
    state: str | None
    size: int = 0


def test_the_source_of_what_objects_are_asked() -> None:
    compiled = Schema({"state": fields.String(nullable=True)}).compile("state eq 'a'")
    assert compiled.select([Task("a"), Task("b"), {"state": "a"}]) == [Task("a"), {"state": "a"}]
    assert compiled.matches(Task("a"))
    sources = [
        "".join(linecache.getlines(name)) for name in linecache.cache if name.startswith("<astra_filter objects")
    ]
    assert any("(value1 := scope.state)" in source and "(value2 := resource.state)" in source for source in sources)


def test_a_class_that_becomes_a_mapping_is_none_before() -> None:
    class Late:
        def __init__(self, state: str) -> None:
            self.state = state

        def __getitem__(self, name: str) -> str:
            return "b"

        def get(self, name: str) -> str:
            return self[name]

    compiled = Schema({"state": fields.String()}).compile("state eq 'a'")
    assert compiled.matches(Late("a"))
    Mapping.register(Late)
    assert not compiled.matches(Late("a"))


def test_no_own_attribute_of_the_interpreter_is_reached() -> None:
    compiled = Schema({"__module__": fields.String(), "a": fields.String()}).compile(f"__module__ eq '{__name__}'")
    for _ in range(2):
        assert not compiled.matches(Task("a"))
        assert not compiled.select([Task("a")])


def test_the_iterator_of_a_resource_may_raise() -> None:
    def failing() -> Any:
        yield Task("a")
        raise LookupError

    with pytest.raises(LookupError):
        SCHEMA.compile("state eq 'running'").select(failing())


def test_classes_made_all_the_time_are_not_kept() -> None:
    compiled = Schema({"a": fields.Integer()}).compile("a eq 1")
    for _ in range(1100):
        assert compiled.matches(type("Made", (), {"a": 1})())
    assert len(values.PLAIN_OBJECTS) <= 512
    gc.collect()


@pytest.mark.parametrize("form", [dict, as_object])
def test_a_uuid_that_was_never_made_is_null(form: Any) -> None:
    resources = [form({"id": ONE}), form({"id": UUID.__new__(UUID)}), form({"id": TWO})]
    for _ in range(2):
        assert SCHEMA.compile(f"id eq '{TWO}'").select(resources) == resources[2:]
        assert SCHEMA.compile(f"not id eq '{ONE}'").select(resources) == resources[1:]
        assert [*map(SCHEMA.compile("id eq null").matches, resources)] == [False, True, False]
        assert [*map(SCHEMA.compile(f"id eq '{ONE}'").matches, resources)] == [True, False, False]
