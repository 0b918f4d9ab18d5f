"""Schemas from dataclasses and TypedDicts (SPEC §3, §4.7, §9)."""

from __future__ import annotations

import enum
import typing
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from dataclasses import InitVar, dataclass, field, make_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import (  # noqa: UP035  # List is still written by many.
    Annotated,
    Any,
    ClassVar,
    Dict,
    Generic,
    List,
    Literal,
    NewType,
    NotRequired,
    Optional,
    Required,
    TypedDict,
    TypeVar,
    Union,
)
from uuid import UUID

import pytest

from astra_filter import Schema, fields
from astra_filter.derive.annotations import members
from astra_filter.errors import SchemaError


class State(enum.Enum):
    RUNNING = "running"
    PAUSED = "paused"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Odd(enum.Enum):
    ONE = 1
    TWO = "two"


class Empty(enum.Enum):
    pass


@dataclass
class Label:
    name: str
    value: str | None


class Metadata(TypedDict, total=False):
    createdBy: Required[UUID]
    labels: list[Label]


TaskId = NewType("TaskId", UUID)
T = TypeVar("T")


def one(hint, **options):
    cls = make_dataclass("cls", [("a", str), ("x", hint)])
    return members(cls, **options)["x"]


def refused(cls, **options):
    with pytest.raises(SchemaError) as caught:
        members(cls, **options)
    return caught.value.code, str(caught.value)


LABEL = fields.Object({"name": fields.String(), "value": fields.String(nullable=True)})


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (str, fields.String()),
        (bool, fields.Boolean()),
        (int, fields.Integer()),
        (float, fields.Number()),
        (Decimal, fields.Number()),
        (datetime, fields.Timestamp()),
        (date, fields.Date()),
        (UUID, fields.Uuid()),
        (TaskId, fields.Uuid()),
        (State, fields.Enum("running", "paused")),
        (Level, fields.Integer()),
        (Literal["a", "b"], fields.Enum("a", "b")),
        (Literal["a", None], fields.Enum("a", nullable=True)),  # noqa: PYI061
        (Literal[State.PAUSED], fields.Enum("paused")),
        (Literal["a"] | Literal["b", "a", None], fields.Enum("a", "b", nullable=True)),  # noqa: PYI030, PYI061
        (Literal[1, 2], fields.Integer()),
        (Literal[True], fields.Boolean()),
        (str | None, fields.String(nullable=True)),
        (Optional[str], fields.String(nullable=True)),  # noqa: UP045
        (Union[None, int, float], fields.Number(nullable=True)),  # noqa: UP007
        (list[str], fields.Array(fields.String())),
        (List[str], fields.Array(fields.String())),  # noqa: UP006
        (Sequence[int | None], fields.Array(fields.Integer(nullable=True))),
        (MutableSequence[int], fields.Array(fields.Integer())),
        (tuple[date, ...], fields.Array(fields.Date())),
        (tuple[str, str], fields.Array(fields.String())),
        (list[str] | None, fields.Array(fields.String(), nullable=True)),
        (Label, LABEL),
        (list[Label], fields.Array(LABEL)),
        (
            Metadata,
            fields.Object({"createdBy": fields.Uuid(), "labels": fields.Array(LABEL, nullable=True)}),
        ),
        (Annotated[str, "a word", fields.String(max_length=9)], fields.String(max_length=9)),
        (Annotated[str, "a word"], fields.String()),
        (Annotated[str | None, fields.Timestamp()], fields.Timestamp(nullable=True)),
        (Annotated[str | int | None, fields.String()], fields.String(nullable=True)),
        (Annotated[str, fields.Timestamp()] | None, fields.Timestamp(nullable=True)),
        (Annotated[dict[str, str], fields.Object({"a": fields.String()})], fields.Object({"a": fields.String()})),
        (list[Annotated[str, fields.Uuid()]], fields.Array(fields.Uuid())),
        (dict[str, str], fields.Map(fields.String())),
        (Dict[str, int], fields.Map(fields.Integer())),  # noqa: UP006
        (Mapping[str, date | None] | None, fields.Map(fields.Date(), nullable=True)),
        (MutableMapping[str, State], fields.Map(fields.Enum("running", "paused"))),
        (dict[str, Annotated[Decimal, fields.Decimal(9, 2)]], fields.Map(fields.Decimal(9, 2))),
        (dict[str, Any], fields.Map(fields.String())),
        (dict[str, object], fields.Map(fields.String())),
    ],
)
def test_types(hint, expected):
    assert one(hint).signature() == expected.signature()


def test_a_given_field_is_not_changed():
    given = fields.String(max_length=9)
    assert one(Annotated[str | None, given]).nullable
    assert not given.nullable


@dataclass
class Base:
    kind: ClassVar[str] = "task"
    id: UUID
    seed: InitVar[int]
    _secret: str = ""


@dataclass
class Task(Base):
    state: State = State.RUNNING
    labels: list[Label] = field(default_factory=list)


def test_a_dataclass_has_its_public_fields_with_those_of_its_bases():
    expected = {"id": fields.Uuid(), "state": fields.Enum(State), "labels": fields.Array(LABEL)}
    assert fields.Object(members(Task)).signature() == fields.Object(expected).signature()


class Partial(TypedDict, total=False):
    a: str
    b: Required[str]


class Whole(Partial):
    c: str
    d: NotRequired[Annotated[str, fields.String(max_length=1)]]
    _id: Annotated[Required[str], "key"]


def test_not_required_members_are_nullable():
    nullable = {name: field.nullable for name, field in members(Whole).items()}
    assert nullable == {"a": True, "b": False, "c": False, "d": True, "_id": False}


@dataclass
class Node:
    name: str
    children: list[Node]


@dataclass
class Outer:
    a: str
    inner: Inner | None


@dataclass
class Inner:
    b: str
    outer: Outer


def test_a_class_that_contains_itself_is_refused_or_cut():
    assert refused(Node) == ("recursive", "Node.children: Node contains itself, and a schema ends somewhere")
    assert list(members(Node, omit_unsupported=True)) == ["name"]
    assert refused(Outer) == ("recursive", "Inner.outer: Outer contains itself, and a schema ends somewhere")
    assert list(members(Outer, omit_unsupported=True)["inner"].members) == ["b"]


def test_a_class_may_be_used_twice():
    class Pair(TypedDict):
        first: Label
        second: Label

    assert members(Pair)["first"].signature() == members(Pair)["second"].signature()


@dataclass
class Box(Generic[T]):
    content: T


@pytest.mark.parametrize(
    ("hint", "code", "words"),
    [
        (Any, "unknown_type", "Any has no field type; annotate it with one of astra_filter.fields"),
        (object, "unknown_type", "object has no field type"),
        (bytes, "unknown_type", "bytes has no field type"),
        (dict, "unknown_type", "dict has no field type"),
        (dict[int, str], "map_keys", "the keys of a map are text, and these are int"),
        (dict[str, list[str]], "map_of_containers", "scalars of one type, and these may be list[str]"),
        (Mapping[str, Label], "map_of_containers", "scalars of one type, and these may be Label"),
        (dict[str, dict[str, str]], "map_of_containers", "scalars of one type, and these may be dict[str, str]"),
        (dict[str, str | int], "mixed_types", "values of different types (str, int) have no common field type"),
        (list[dict[str, str]], "array_of_maps", "the elements of an array cannot be maps"),
        (set[str], "unknown_type", "set[str] has no field type"),
        (Box[int], "unknown_type", "Box[int] has no field type"),
        (Box, "unknown_type", "~T has no field type"),
        (str | int, "mixed_types", "values of different types (str, int) have no common field type"),
        (Literal["a", 1], "mixed_types", "values of different types (int, str)"),
        (Literal[b"a"], "mixed_types", "values of different types (bytes) have no common field type"),
        (Odd, "mixed_types", "values of different types (int, str)"),
        (Empty, "mixed_types", "values of different types (no values)"),
        (Literal[None], "only_null", "it can hold nothing but null"),  # noqa: PYI061
        (None, "only_null", "it can hold nothing but null"),
        (list, "untyped_elements", "an array needs one type of elements"),
        (List, "untyped_elements", "an array needs one type of elements"),  # noqa: UP006
        (tuple[()], "untyped_elements", "an array needs one type of elements"),
        (tuple[str, int], "untyped_elements", "an array needs one type of elements"),
        (list[list[str]], "nested_array", "the elements of an array cannot be arrays"),
    ],
)
def test_what_no_field_represents_is_refused_or_left_out(hint, code, words):
    cls = make_dataclass("cls", [("a", str), ("x", hint)])
    found, message = refused(cls)
    assert (found, words in message) == (code, True), message
    assert list(members(cls, omit_unsupported=True)) == ["a"]


def test_values_that_no_field_takes_are_refused_with_their_place():
    assert refused(make_dataclass("cls", [("x", Literal["\0"])]))[1].startswith("cls.x: an enum takes one or more")


class Plain:
    a: str


@pytest.mark.parametrize("cls", [Plain, dict, str, dict[str, str], Label("a", None)])
def test_only_dataclasses_and_typed_dicts_describe_a_resource(cls):
    assert refused(cls)[0] == "not_a_record"


@dataclass
class Unfinished:
    x: Missing  # noqa: F821


@dataclass
class Garbled:
    x: "1 +"  # noqa: F722


@dataclass
class Nothing:
    pass


def test_a_class_that_cannot_be_read_is_refused():
    assert refused(Unfinished) == ("unknown_name", "Unfinished: 'Missing' is not defined where the class is")
    assert refused(Garbled)[0] == "unreadable_annotation"
    assert refused(Nothing)[0] == "free_form_object"


@pytest.mark.parametrize("hint", ["typing.NoSuch", "1 / 0", "[].x", "'\\ud800'", "int[0]"])
def test_an_annotation_that_fails_is_refused(hint):
    cls = make_dataclass("cls", [("x", hint)], namespace={"__module__": __name__})
    code, message = refused(cls)
    assert code == "unreadable_annotation"
    assert message.startswith("cls: its annotations cannot be read: ")


@pytest.mark.parametrize("hint", [[], {}, list[1], "{}"])
def test_what_is_no_type_is_refused(hint):
    assert refused(make_dataclass("cls", [("x", hint)]))[1].startswith("cls.x: ")


def test_annotations_need_not_be_hashable():
    found = one(list[Annotated[str, {}]])
    assert found.signature() == fields.Array(fields.String()).signature()
    assert one(tuple[Annotated[int, []], ...]).items.type == "integer"


@pytest.mark.skipif(not hasattr(typing, "TypeAliasType"), reason="type aliases came with Python 3.12")
def test_type_aliases_are_looked_through():
    assert one(typing.TypeAliasType("Name", str)).signature() == fields.String().signature()


def test_a_schema_selects_objects():
    schema = Schema.from_type(Task, key="id")
    tasks = [Task(UUID(int=n), seed=0, labels=[Label("env", value)]) for n, value in enumerate(["prod", None])]
    assert schema.compile("labels[name eq 'env' and value eq null] and state eq 'running'").select(tasks) == tasks[1:]
    assert list(Schema.from_type(Node, omit_unsupported=True).leaves) == [("name",)]
