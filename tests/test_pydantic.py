"""Schemas of pydantic models (SPEC §3)."""

from __future__ import annotations

import enum
import importlib
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from astra_filter import Schema, SchemaError
from astra_filter.errors import MissingExtraError


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
        anything: dict[str, int]

    with pytest.raises(SchemaError, match="anything"):
        Schema.from_pydantic(Odd)
    assert set(Schema.from_pydantic(Odd, omit_unsupported=True).root.members) == {"id"}

    class Undescribed(BaseModel):
        call: Callable[[], int]

    with pytest.raises(SchemaError) as caught:
        Schema.from_pydantic(Undescribed)
    assert caught.value.code == "bad_model"


def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic", None)
    monkeypatch.delitem(sys.modules, "astra_filter.derive.pydantic", raising=False)
    with pytest.raises(MissingExtraError, match=r"'astra-filter\[pydantic\]'"):
        importlib.import_module("astra_filter.derive.pydantic")
