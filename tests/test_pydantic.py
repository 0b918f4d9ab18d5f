"""Schemas of pydantic models (SPEC §3)."""

from __future__ import annotations

import enum
import importlib
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import (
    UUID4,
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    HttpUrl,
    PlainSerializer,
    PlainValidator,
    PostgresDsn,
    SecretStr,
    computed_field,
    create_model,
    field_serializer,
)

from astra_filter import Schema, SchemaError, fields
from astra_filter.errors import MissingExtraError

A = "ae1e6561-9e22-406c-8a5a-762f4604da00"


class State(enum.Enum):
    RUNNING = "running"
    DONE = "done"


class Label(BaseModel):
    name: str
    value: str | None = None


class Task(BaseModel):
    id: UUID
    name: Annotated[str, Field(max_length=63, description="What it is called.")]
    percent_done: float | None = Field(default=None, alias="percentDone")
    state: State = State.RUNNING
    kind: Literal["a", "b"] | None = None
    price: Decimal = Decimal(0)
    count: int = 0
    open: bool = True
    start: datetime | None = None
    day: date | None = None
    labels: list[Label] = []
    notes: list[str] | None = None
    first: Label | None = None
    password: str = Field(default="secret", exclude=True)


class Node(BaseModel):
    parent: Node | None = None


def test_members() -> None:
    schema = Schema.from_pydantic(Task, key="id")
    assert {name: (type(field).__name__, field.nullable) for name, field in schema.root.members.items()} == {
        "id": ("Uuid", False),
        "name": ("String", False),
        "percent_done": ("Number", True),
        "state": ("Enum", False),
        "kind": ("Enum", True),
        "price": ("Number", False),
        "count": ("Integer", False),
        "open": ("Boolean", False),
        "start": ("Timestamp", True),
        "day": ("Date", True),
        "labels": ("Array", False),
        "notes": ("Array", True),
        "first": ("Object", True),
    }
    assert schema.key == "id"
    name = schema.root.members["name"]
    assert (name.max_length, name.description) == (63, "What it is called.")
    assert "percentDone" in Schema.from_pydantic(Task, by_alias=True).root.members


def test_instances_match() -> None:
    schema = Schema.from_pydantic(Task)
    task = Task(
        id=UUID(int=1), name="x", percentDone=20, labels=[Label(name="env", value="prod")], price=Decimal("0.1")
    )
    chosen = "percent_done gte 20 and state eq 'running' and labels[name eq 'env' and value eq 'prod'] and price eq 0.1"
    assert schema.compile(chosen).matches(task)
    assert not schema.compile("first.name ne null or kind eq 'a'").matches(task)


@pytest.mark.parametrize(
    ("model", "code"),
    [(Node, "recursive"), (dict, "not_a_model"), (None, "not_a_model")],
)
def test_refused(model: Any, code: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Schema.from_pydantic(model)
    assert caught.value.code == code


def test_types_that_no_field_represents() -> None:
    class Odd(BaseModel):
        id: int
        anything: dict[str, list[int]]

    with pytest.raises(SchemaError, match="anything"):
        Schema.from_pydantic(Odd)
    assert set(Schema.from_pydantic(Odd, omit_unsupported=True).root.members) == {"id"}


def test_dicts_are_maps() -> None:
    class Labelled(BaseModel):
        labels: dict[str, str]
        counts: Mapping[Annotated[str, Field(pattern="^[a-z]+$")], int] | None
        prices: dict[str, Decimal]
        seen: dict[str, datetime | None] = {}
        anything: dict[str, Any]
        bare: dict  # type: ignore[type-arg]

    root = Schema.from_pydantic(Labelled).root
    maps = {
        "labels": fields.Map(fields.String()),
        "counts": fields.Map(fields.Integer(), nullable=True),
        "prices": fields.Map(fields.Number()),
        "seen": fields.Map(fields.Timestamp()),
        "anything": fields.Map(fields.String()),
        "bare": fields.Map(fields.String()),
    }
    assert root.signature() == fields.Object(maps).signature()
    found = Schema.from_pydantic(Labelled).compile("labels.env eq 'x' and counts.a gt 1")
    one = Labelled(labels={"env": "x"}, counts={"a": 2}, prices={}, anything={}, bare={})
    assert found.matches(one)


@pytest.mark.parametrize("kind", [dict[int, str], dict[UUID, str], Mapping[Literal["a"], str]])
def test_maps_have_keys_of_text(kind: Any) -> None:
    with pytest.raises(SchemaError, match="kind"):
        Schema.from_pydantic(create_model("Keyed", id=(int, 1), kind=(kind, ...)))


class Foreign:
    pass


@pytest.mark.parametrize(
    "kind",
    [
        set[str],
        frozenset[int],
        deque[str],
        Iterable[int],
        HttpUrl,
        PostgresDsn,
        IPv4Address,
        IPv6Network,
        Path,
        FilePath,
        re.Pattern[str],
        timedelta,
        time,
        bytes,
        complex,
        Callable[[], int],
        type[int],
        Foreign,
        list[Path],
        set[str] | None,
        str | Path,
        Annotated[Path, Field(description="Where.", examples=["/"])],
    ],
)
def test_what_no_field_can_read_is_refused_or_left_out(kind: Any) -> None:
    model = create_model("Odd", __config__=ConfigDict(arbitrary_types_allowed=True), id=(int, ...), odd=(kind, ...))
    with pytest.raises(SchemaError, match=r"^#/properties/odd"):
        Schema.from_pydantic(model)
    assert set(Schema.from_pydantic(model, omit_unsupported=True).root.members) == {"id"}


def test_fields_are_of_what_instances_hold_not_of_how_they_are_written() -> None:
    class Written(BaseModel):
        n: int
        at: datetime
        parsed: Annotated[str, PlainValidator(str)]
        opaque: Annotated[int, PlainValidator(int), PlainSerializer(str)] = 0
        inner: Label
        id: UUID4
        words: Sequence[str]
        pair: tuple[int, ...]
        key: SecretStr
        mail: Annotated[str, AfterValidator(str.strip)] | None = None

        @field_serializer("n")
        def write_n(self, n: int) -> str:
            return str(n)

        @field_serializer("at", when_used="json")
        def write_at(self, at: datetime) -> float:
            return at.timestamp()

        @field_serializer("inner", mode="wrap")
        def write_inner(self, inner: Label, _: Any) -> str:
            return inner.name

        @computed_field
        @property
        def twice(self) -> int:
            return self.n * 2

    schema = Schema.from_pydantic(Written, omit_unsupported=True)
    assert {name: type(field).__name__ for name, field in schema.root.members.items()} == {
        "n": "Integer",
        "at": "Timestamp",
        "parsed": "String",
        "inner": "Object",
        "id": "Uuid",
        "words": "Array",
        "pair": "Array",
        "key": "String",
        "mail": "String",
        "twice": "Integer",
    }
    assert not schema.root.members["key"].returnable
    one = Written(
        n=1,
        at=datetime(2020, 1, 1, tzinfo=UTC),
        parsed="a",
        inner=Label(name="b"),
        id=A,
        words=["c"],
        pair=(3,),
        key="d",
    )
    holds = f"n eq 1 and at eq '2020-01-01' and parsed eq 'a' and inner.name eq 'b' and id eq '{A}' and words eq 'c'"
    assert schema.compile(f"{holds} and pair eq 3 and twice eq 2").matches(one)


def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic", None)
    monkeypatch.delitem(sys.modules, "astra_filter.derive.pydantic", raising=False)
    with pytest.raises(MissingExtraError, match=r"'astra-filter\[pydantic\]'"):
        importlib.import_module("astra_filter.derive.pydantic")
