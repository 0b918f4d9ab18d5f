"""Field types: declarations that contradict themselves, and what each type reads (SPEC §3, §4.6, §4.7)."""

from __future__ import annotations

import enum
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from unittest.mock import Mock
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from astra_filter import Schema, SchemaError, errors, fields
from astra_filter.language.values import TIMESTAMP_PATTERN, member, read_instant
from astra_filter.meaning.leaves import leaves


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Broken(tzinfo):
    def utcoffset(self, _):
        raise RuntimeError


NOON = datetime(2020, 8, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        (fields.String(), "x", "x"),
        (fields.String(), Color.RED, "red"),
        (fields.String(), b"x", None),
        (fields.String(), 1, None),
        (fields.Enum(Color), Color.RED, "red"),
        (fields.Enum("a"), "undeclared", "undeclared"),
        (fields.Uuid(), UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (fields.Uuid(), "{AE1E6561-9E22-406C-8A5A-762F4604DA00}", "ae1e6561-9e22-406c-8a5a-762f4604da00"),
        (fields.Uuid(), "urn:uuid:{AE1E6561-9E22-406C-8A5A-762F4604DA00}", None),
        (fields.Uuid(), "ae1e65619e22-406c-8a5a-762f4604da00", None),
        (fields.Uuid(), 1, None),
        (fields.Integer(), 5, 5),
        (fields.Integer(), 5.0, 5),
        (fields.Integer(), Decimal("1e2"), 100),
        (fields.Integer(), Level.LOW, 1),
        (fields.Integer(), True, None),
        (fields.Integer(), 5.5, None),
        (fields.Integer(), float("inf"), None),
        (fields.Integer(), float("nan"), None),
        (fields.Integer(), 2**63 - 1, 2**63 - 1),
        (fields.Integer(), 2**63, None),
        (fields.Integer(), -(2**63), -(2**63)),
        (fields.Integer(), Decimal("1e999999999"), None),
        (fields.Integer(), Decimal("NaN"), None),
        (fields.Integer(), "5", None),
        (fields.Integer(), Fraction(5), None),
        (fields.Number(), 5, 5.0),
        (fields.Number(), 2**53 + 1, 2.0**53),
        (fields.Number(), 10**400, None),
        (fields.Number(), Decimal("0.1"), 0.1),
        (fields.Number(), Decimal("sNaN"), None),
        (fields.Number(), float("-inf"), None),
        (fields.Number(), False, None),
        (fields.Number(), "5", None),
        (fields.Boolean(), True, True),
        (fields.Boolean(), 1, None),
        (fields.Boolean(), Level.LOW, None),
        (fields.Timestamp(), NOON, NOON),
        (fields.Timestamp(), NOON.replace(tzinfo=None), NOON),
        (fields.Timestamp(), NOON.astimezone(timezone(timedelta(hours=-5))), NOON),
        (fields.Timestamp(), "2020-08-06T12:00:00", NOON),
        (fields.Timestamp(), "2020-08-06t14:00:00.0000009+02:00", NOON),
        (fields.Timestamp(), "2020-08-06T12:00:60Z", None),
        (fields.Timestamp(), "2020-08-06T24:00:00Z", None),
        (fields.Timestamp(), "2020-02-30T12:00:00Z", None),
        (fields.Timestamp(), "2020-W32-4T12:00:00Z", None),
        (fields.Timestamp(), "0001-01-01T00:00:00+00:01", None),
        (fields.Timestamp(), datetime(2020, 1, 1, tzinfo=Broken()), None),
        (fields.Timestamp(), date(2020, 8, 6), NOON.replace(hour=0)),
        (fields.Timestamp(), "2020-08-06", NOON.replace(hour=0)),
        (fields.Timestamp(), "2020-02-30", None),
        (fields.Timestamp(), 0, None),
        (fields.Date(), date(2020, 8, 6), date(2020, 8, 6)),
        (fields.Date(), NOON, None),
        (fields.Date(), "2020-08-06", date(2020, 8, 6)),
        (fields.Date(), "2020-8-6", None),
        (fields.Date(), "2020-02-30", None),
        (fields.Date(), 0, None),
        (fields.Array(fields.String()), ("x",), ("x",)),
        (fields.Array(fields.String()), {"x"}, None),
        (fields.Object({"a": fields.String()}), {"a": 1}, {"a": 1}),
        (fields.Object({"a": fields.String()}), "a", None),
    ],
)
def test_read(field, value, read):
    found = field.read(value)
    assert found == read
    assert type(found) is type(read)


class Raising:
    @property
    def name(self):
        raise RuntimeError


def test_member_never_raises_and_never_reaches_the_interpreter():
    assert member({"a": 1}, "a") == 1
    assert member({"a": 1}, "b") is None
    assert member(Raising(), "name") is None
    assert member("text", "upper") is None
    assert member([1], "append") is None
    assert member(Raising(), "__class__") is None
    assert member(Color.RED, "upper") is None


@pytest.mark.parametrize(
    ("declare", "code"),
    [
        (lambda: fields.Array(fields.String(), sortable=True), "unsortable"),
        (lambda: fields.String(sortable=True, returnable=False), "unsortable"),
        (lambda: fields.String(json_path=("a",)), "path_without_column"),
        (lambda: fields.String(column="a\0b"), "bad_identifier"),
        (lambda: fields.String(max_length=0), "bad_max_length"),
        (lambda: fields.Enum(), "bad_enum_values"),
        (lambda: fields.Enum("a", "a"), "bad_enum_values"),
        (lambda: fields.Enum(Level), "bad_enum_values"),
        (lambda: fields.Enum(["a", "b"]), "bad_enum_values"),
        (lambda: fields.String(max_length="9"), "bad_max_length"),
        (lambda: fields.String(max_length=True), "bad_max_length"),
        (lambda: fields.String(column="a", json_path="bc"), "bad_names"),
        (lambda: fields.String(column="a", json_path=[1]), "bad_identifier"),
        (lambda: fields.Array(fields.Integer), "not_a_field"),
        (lambda: fields.Object([fields.Integer()]), "bad_members"),
        (lambda: Schema(["a"]), "bad_members"),
        (lambda: fields.String(operators=("like",)), "unknown_operator"),
        (lambda: fields.Enum("a", operators=("lt",)), "operator_not_of_type"),
        (lambda: fields.Array(fields.Array(fields.String())), "array_of_arrays"),
        (lambda: fields.Object({}), "no_members"),
        (lambda: fields.Object({"a": str}), "not_a_field"),
        (lambda: fields.Object({"": fields.String()}), "bad_identifier"),
        (lambda: Schema({"a": fields.String()}, key="b"), "bad_key"),
        (lambda: Schema({"a": fields.String(nullable=True)}, key="a"), "bad_key"),
        (lambda: Schema({"a": fields.String(column="c", json_path=("x",))}, key="a"), "bad_key"),
    ],
)
def test_contradictions(declare, code):
    with pytest.raises(SchemaError) as caught:
        declare()
    assert caught.value.code == code


def test_where_leaves_are_stored():
    root = fields.Object(
        {
            "a": fields.String(folded="a_fold"),
            "b": fields.Object(
                {
                    "c": fields.Integer(),
                    "d": fields.String(column="own", binary=True),
                    "e": fields.Object({"f": fields.Array(fields.String())}),
                }
            ),
            "g": fields.String(column="doc", json_path=("x", "y"), nullable=True),
        }
    )
    assert {".".join(path): tuple(leaf.column) for path, leaf in leaves(root, binary=False).items()} == {
        "a": ("a", (), False, False, "a_fold"),
        "b.c": ("b", ("c",), True, False, None),
        "b.d": ("own", (), False, True, None),
        "b.e.f": ("b", ("e", "f"), True, False, None),
        "g": ("doc", ("x", "y"), True, False, None),
    }


def test_a_date_that_is_none_is_shown_as_written():
    with pytest.raises(errors.LiteralError, match=r"^'2020-02-30' is not a timestamp$"):
        fields.Timestamp().coerce("2020-02-30")


# Spellings of timestamps, and what stands in for parts of them.
SPELLED = st.sampled_from(
    [
        "2020-08-06T12:24:52Z",
        "2020-08-06T12:24:52.256624Z",
        "2020-02-30T23:59:59.9Z",
        "2020-08-06T12:24:52.2566241234Z",
        "2020-08-06T12:24:52.25+05:30Z",
        "2020-W01-1T12:24:52.123456Z",
        "20200806T122452.12345678Z",
    ]
)
PIECE = st.text("0123456789-+:.,TtZz 24W\0\u0665\u00b2", max_size=3)


@given(SPELLED, st.lists(st.tuples(st.integers(0, 27), st.integers(0, 3), PIECE), max_size=3))
@example("2020-08-06T12:24:52.Z", [])
@example("2020-08-06T24:00:00Z", [])
@example("2020-08-06T12:24:52.2Z\x00624Z", [])
@example("2020-08-06T12:Z\x00:52.25Z", [])
def test_the_quick_reader_of_timestamps_takes_nothing_else(text, changes):
    for start, length, piece in changes:
        text = text[:start] + piece + text[start + length :]
    quick = fields.usual_instant(text)
    match = TIMESTAMP_PATTERN.fullmatch(text)
    assert quick is None or (match is not None and quick == read_instant(match) and quick.tzinfo is UTC)
    assert (
        quick is not None
        or match is None
        or not text.endswith("Z")
        or len(text) > 27
        or read_instant(match) is None
        or text[10] != "T"
    )


# Data of classes that raise, or that say something else than they are (SPEC §4.6).


def fails(*_):
    raise RuntimeError


class Masked(str):
    __slots__ = ()

    def __str__(self):
        return "***"


class Secret(enum.Enum):
    ONE = "red"
    value = property(fails)


def of(base, *arguments, **methods):
    return type("Hostile", (base,), {"__module__": __name__, **methods})(*arguments)


class Nanoseconds(datetime):
    """As pandas has it: compares by more than its fields say."""

    def __eq__(self, other):
        return False

    __hash__ = datetime.__hash__


HOSTILE = {
    "lazy object whose target is gone": lambda: of(object, __class__=property(fails)),
    "enum": lambda: Secret.ONE,
    "text that cannot be shown": lambda: of(str, "red", __str__=fails),
    "text": lambda: of(str, "red", lower=fails, __getitem__=fails, __len__=fails),
    "integer": lambda: of(int, 5, __int__=fails, __index__=fails, __lt__=fails, __le__=fails, __eq__=fails),
    "number": lambda: of(float, 5.0, __float__=fails, is_integer=fails, __int__=fails),
    "decimal": lambda: of(Decimal, "5", is_finite=fails, __float__=fails),
    "uuid": lambda: of(UUID, "12345678-1234-1234-1234-123456789abc", __str__=fails),
    "date": lambda: of(date, 2020, 8, 6, __eq__=fails, __lt__=fails, __gt__=fails),
    "timestamp": lambda: of(datetime, 2020, 8, 6, utcoffset=fails),
    "list": lambda: of(list, ["red"], __iter__=fails),
    "dict": lambda: of(dict, {"x": "red"}, get=fails, __getitem__=fails, __iter__=fails),
}
EVERY_TYPE = Schema(
    {
        "string": fields.String(nullable=True),
        "enum": fields.Enum("red", nullable=True),
        "uuid": fields.Uuid(nullable=True),
        "integer": fields.Integer(nullable=True),
        "number": fields.Number(nullable=True),
        "boolean": fields.Boolean(nullable=True),
        "timestamp": fields.Timestamp(nullable=True),
        "date": fields.Date(nullable=True),
        "array": fields.Array(fields.String(), nullable=True),
        "objects": fields.Array(fields.Object({"x": fields.String()}), nullable=True),
        "object": fields.Object({"x": fields.String(nullable=True)}, nullable=True),
    }
)
TESTS = (
    *("string eq 'red'", "string contains 'e'", "enum eq 'red'", "uuid eq '12345678123412341234123456789abc'"),
    *("integer gte 5", "integer in (5, null)", "number lt 6", "number eq 5", "boolean eq true", "array contains 'e'"),
    *("timestamp gte '2020-08-06'", "timestamp in ('2020-08-06')", "date eq '2020-08-06'", "date lt '2021-01-01'"),
    *("objects.x eq 'red'", "objects[x ne 'red']", "object.x eq 'red'", "array eq null", "object.x eq null"),
)


@pytest.mark.parametrize("kind", HOSTILE)
def test_data_never_makes_anything_raise(kind):
    value = HOSTILE[kind]()
    rows = [
        value,
        dict.fromkeys(EVERY_TYPE.root.members, value),
        {"array": [value], "objects": [value, {"x": value}]},
    ]
    for test in TESTS:
        for schema in (EVERY_TYPE, Schema.open()):
            chosen, opposite = schema.compile(test), schema.compile(f"not {test}")
            for row in rows:
                assert chosen.matches(row) is not opposite.matches(row)
            assert len(chosen.select(rows)) + len(opposite.select(iter(rows))) == len(rows)
    sortable = ",".join(name for name, field in EVERY_TYPE.root.members.items() if field.sortable)
    for parameters in ("", f"orderBy={sortable}&include=string,object,objects,array&limit=1", "orderBy=object.x desc"):
        EVERY_TYPE.query(parameters).page(rows)


def test_values_are_what_they_are_not_what_their_class_says():
    assert fields.String().read(Masked("x")) == "x"
    assert EVERY_TYPE.compile("string eq 'x'").matches({"string": Masked("x")})
    assert not EVERY_TYPE.compile("string eq '***'").matches({"string": Masked("x")})
    assert fields.Integer().read(of(int, 5, __int__=lambda _: 6)) == 5
    assert fields.Number().read(of(float, 5.5, __float__=lambda _: 6.0)) == 5.5
    at = Nanoseconds(2020, 8, 6, 12, tzinfo=UTC)
    assert type(fields.Timestamp().read(at)) is datetime
    assert EVERY_TYPE.compile("timestamp eq '2020-08-06T12:00:00Z'").matches({"timestamp": at})
    assert type(fields.Date().read(of(date, 2020, 8, 6))) is date
    unique = "12345678-1234-1234-1234-123456789abc"
    assert fields.Uuid().read(of(UUID, unique, __str__=lambda value: value.hex)) == unique
    five = of(Decimal, "5", __float__=lambda _: 7.0, __int__=lambda _: 7, is_finite=lambda _: False)
    assert (fields.Integer().read(five), fields.Number().read(five)) == (5, 5.0)


@pytest.mark.parametrize("kind", [str, bool, int, float, UUID, datetime, date, Decimal])
def test_what_only_says_that_it_is_a_value_is_none(kind):
    impostor = Mock(spec=kind)
    assert isinstance(impostor, kind)
    for field in EVERY_TYPE.root.members.values():
        if field.scalar:
            assert field.read(impostor) is None


def test_names_and_values_are_kept_as_plain_text():
    """Generated code takes no constants of other classes."""

    class Name(str):
        __slots__ = ()

        def __str__(self):
            return "other"

    schema = Schema(
        {
            Name("a"): fields.Enum(Name("x"), column=Name("b"), json_path=[Name("c")]),
            Name("o"): fields.Object({Name("p"): fields.String()}),
            Name("k"): fields.Integer(),
        },
        key=Name("k"),
    )
    leaf = schema.leaves["a",]
    texts = [*schema.root.members, *schema.root.members["o"].members, *leaf.path, leaf.column.name]
    texts += [*leaf.column.json_path, *leaf.field.values]
    assert texts == ["a", "o", "k", "p", "a", "b", "c", "x"]
    assert {type(text) for text in texts} == {str}
    rows = [{"a": "x", "o": {"p": "y"}, "k": 1}]
    assert schema.query({"filter": "a eq 'x' and o.p eq 'y'", "orderBy": "a"}).page(rows).items == rows
