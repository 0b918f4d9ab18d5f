"""A case for each storage of each dialect: what its columns hold, and what they are compared with (SPEC §5)."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from astra_filter import fields
from astra_filter.language.operators import Operator
from astra_filter.sql.dialects import find_dialect
from astra_filter.syntax.printer import string_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from astra_filter.fields import Field

TEXTS = (
    "a", "A", "b", "ab", "aB", "AB", "a  b", "", "é", "e", "É", "ß", "ss", "z", "Z", "ı", "i", "I", "\x01", "~", "€",
    "ÿ", "_", "%", "0", "00", "running", "Running",
)  # fmt: skip
FOREIGN = ("😀", "中", "a ", " a", "a" * 300, "\u0130", "e\u0301", "\uffff", "\\", "'", '"', "?", "%s", "x\ty")
"""Text that some columns cannot hold."""
UUIDS = tuple(
    f"{number:032x}"[:8] + "-" + f"{number:032x}"[8:12] + "-4" + f"{number:032x}"[13:16] + "-8"
    + f"{number:032x}"[17:20] + "-" + f"{number:032x}"[20:]
    for number in (0, 1, 2**64 - 1, 2**127 + 5, 2**128 - 1, 0xABCDEF << 40, 0xABCDEE << 40, 2**100, 2**99 + 2**33)
)  # fmt: skip
INTEGERS = (
    0, 1, -1, 2, 100, 2**15 - 1, 2**15, -(2**15), -(2**15) - 1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53 + 1,
    2**63 - 1, -(2**63),
)  # fmt: skip
NUMBERS = (
    0.0, 1.0, -1.0, 0.5, 0.1, 0.30000001192092896, 16777216.0, 16777217.0, 3.4028234663852886e38, 3.5e38, -3.5e38, 1e300,
    -1e300, 1e-45, 1.401298464324817e-45, 5e-324, 2.5, 1e22, 123456789.0, 0.10000000149011612, 1.7976931348623157e308,
)  # fmt: skip


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


INSTANTS = tuple(
    map(
        instant,
        (
            "2020-08-06T12:24:52", "2020-08-06T12:24:52.256624", "2020-08-06T12:24:52.256", "2020-08-06T12:24:52.257",
            "2020-08-06T12:24:53", "2020-08-06", "2020-08-05T23:59:59.999999", "1970-01-01", "1969-12-31T23:59:59.999999",
            "1969-12-31T23:59:59", "1970-01-01T00:00:01", "2038-01-19T03:14:07", "2038-01-19T03:14:07.999999",
            "2038-01-19T03:14:08", "0001-01-01", "0001-01-01T00:00:00.000001", "9999-12-31T23:59:59",
            "9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999", "1677-01-01", "2262-12-31", "2020-02-29T12:00:00.1",
        ),
    )
)  # fmt: skip


DATES = (date(2020, 8, 6), date(2020, 8, 7), date(1970, 1, 1), date(2000, 2, 29), date(1850, 1, 1))
ADDRESSES = (
    "10.0.0.1", "10.0.0.1/24", "10.0.0.0/8", "192.168.0.1", "fe80::1", "fe80::1/64", "2001:db8::", "10.0.0.1/32",
    "10.0.0.01", "FE80::1", "fe80:0::1", "fe80::1%eth0", "::ffff:1.2.3.4", "::1", "255.255.255.255", "x", "",
    "10.0.0", "1.2.3.4.5", "fe80::1/128", "😀", "10.0.0.1/33", " 10.0.0.1", "10.0.0.1\n",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A storage."""

    dialect: str
    storage: str
    kind: type[Field]
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    """Statements that make what the column's type needs."""
    equality_only: bool = False
    """An index serves less than `served` says: of this field type equality only."""

    @property
    def name(self) -> str:
        return f"{self.dialect} {self.storage} {self.kind.type} {self.scalar.type}".replace(
            f"{self.kind.type} {self.kind.type}", self.kind.type
        )

    @property
    def known(self) -> str:
        return self.storage.partition(":")[0]

    def field(self, *, nullable: bool = False) -> Field:
        """Return a field of the storage."""
        return self.kind(*self.arguments, storage=self.storage, nullable=nullable, **self.options)

    @property
    def scalar(self) -> Field:
        """The field of the values that literals are of: of an array's elements."""
        found = self.field()
        return found.items if isinstance(found, fields.Array) else found

    def literals(self) -> list[Any]:
        """Return canonical values of the type, that the column can hold or not."""
        scalar = self.scalar
        if self.known == "inet":
            return list(ADDRESSES)
        match scalar.type:
            case "string":
                return [*TEXTS, *FOREIGN]
            case "enum":
                return list(scalar.values)  # type: ignore[attr-defined]
            case "boolean":
                return [True, False]
            case "date":
                return list(DATES)
            case "uuid":
                return list(UUIDS)
            case "integer":
                return list(INTEGERS)
            case "decimal":
                return [-1, 0, 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**20 - 1, 0.5, -0.5, 18446744073709551615.5]
            case "number":
                return list(NUMBERS)
            case "timestamp":
                return [moment + timedelta(microseconds=step) for moment in INSTANTS for step in STEPS(moment)]
            case _:
                raise AssertionError(self.kind)

    def values(self) -> list[Any]:
        """Return the canonical values that the column can hold, each once."""
        own = self.field()
        if isinstance(own, fields.Array):
            return self._arrays(own)
        holds = find_dialect(self.dialect).storage(own).holds or (lambda _: True)
        most = self.options.get("max_length")
        read = [own.read(value) for value in self.literals()]
        found = [
            value
            for value in read
            if value is not None and holds(value) and (most is None or len(value) <= most) and self._encodable(value)
        ]
        return list(dict.fromkeys(found))

    def many(self, count: int) -> list[Any]:
        """Return so many values that the column can hold, few of them equal."""
        start = instant("2020-08-06")
        numbers = range(count)
        if self.known == "inet":
            return [f"10.0.{number * 7919 % count // 250}.{number * 7919 % count % 250}" for number in numbers]
        match self.scalar.type:
            case "string":
                return [f"name {number * 7919 % count}" for number in numbers]
            case "enum":
                labels = self.scalar.values  # type: ignore[attr-defined]
                return [labels[number % 40 // 39 + number % 500 // 499] for number in numbers]
            case "uuid":
                return [f"{number * 7919 % count:08x}-0000-4000-8000-000000000000" for number in numbers]
            case "integer" | "decimal":
                return [number * 7919 % count for number in numbers]
            case "number":
                return [number * 7919 % count / 2 for number in numbers]
            case "boolean":
                return [number % 500 == 0 for number in numbers]
            case "date":
                return [date(2000, 1, 1) + timedelta(days=number * 7919 % count) for number in numbers]
            case _:
                return [start + timedelta(seconds=number * 7919 % count) for number in numbers]

    def _arrays(self, own: fields.Array) -> list[Any]:
        storage = find_dialect(self.dialect).storage(own)
        assert storage.elements is not None
        holds = storage.elements.storage.holds or (lambda _: True)
        pool = [value for value in map(own.items.read, self.literals()) if value is not None and holds(value)]
        numbers = random.Random(3)
        if self.known == "set":
            return [[label for label in pool if numbers.random() < 0.3] for _ in range(40)] + [[]]
        found: list[Any] = [[], [None], [None, None], pool[:1], pool[1:2], [*pool[:2], None], pool]
        return found + [numbers.choices([*pool, None], k=numbers.randrange(4)) for _ in range(40)]

    def _encodable(self, value: Any) -> bool:
        if self.known != "charset":
            return True
        try:
            value.encode("cp1252")
        except UnicodeEncodeError:
            return False
        return True

    def tests(self, path: str, seed: int, count: int | None = None) -> Iterator[str]:
        """Yield filters on a path: each operator with each literal, and lists; or so many of them, at random."""
        numbers = random.Random(seed)
        literals = [self.text(value) for value in self.literals()]
        operators = sorted(
            operator.value for operator in self.field().operators if operator not in (Operator.IN, Operator.IIN)
        )
        plain = [f"{path} {operator} {literal}" for operator, literal in itertools.product(operators, literals)]
        if count is None:
            yield from plain
            count = 60
        else:
            yield from numbers.sample(plain, min(count, len(plain)))
        for _ in range(count):
            chosen = ", ".join(numbers.sample(literals, numbers.randrange(1, min(6, len(literals) + 1))))
            text = f"{path} {numbers.choice(['in', 'not in'])} ({chosen})"
            if numbers.random() < 0.4:
                text = f"{numbers.choice(['not ', ''])}({text} {numbers.choice(['or', 'and'])} {numbers.choice(plain)})"
            yield text

    def text(self, value: Any) -> str:
        """Return a value as a literal."""
        if isinstance(value, datetime):
            return f"'{value.replace(tzinfo=None).isoformat()}Z'"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, date):
            return f"'{value.isoformat()}'"
        if isinstance(value, str):
            return string_text(value)
        if self.kind is fields.Decimal and isinstance(value, float):
            return f"{value:.1f}" if abs(value) < 10 else "18446744073709551615.5"
        return repr(value)


def STEPS(moment: datetime) -> Sequence[int]:  # noqa: N802
    return [step for step in (0, 1, -1) if 1 < moment.year < 9999 or not step]


_LABELS = ("pending", "running", "Paused", "a b", "é", "'q'", "zz")
_MOOD = (
    "CREATE SCHEMA IF NOT EXISTS mood",
    "DROP TYPE IF EXISTS mood.kind CASCADE",
    "CREATE TYPE mood.kind AS ENUM ('zz', 'running', '''q''', 'pending', 'Paused', 'a b', 'é')",
)
CASES = [
    *[Case("postgresql", name, fields.Integer) for name in ("integer", "smallint")],
    *[Case("postgresql", name, fields.Number) for name in ("real", "numeric")],
    *[Case("postgresql", name, fields.Timestamp) for name in ("timestamp", "epoch_s", "epoch_ms", "epoch_us")],
    Case("postgresql", "citext", fields.String, setup=("CREATE EXTENSION IF NOT EXISTS citext",)),
    Case("postgresql", "char", fields.String, options={"max_length": 12}),
    Case(
        "postgresql",
        "enum:mood.kind",
        fields.Enum,
        _LABELS,
        setup=_MOOD,
    ),
    Case(
        "postgresql",
        "inet",
        fields.String,
        options={"operators": ["eq", "ne", "in"], "sortable": False},
    ),
    *[
        Case("postgresql", f"array:{kind}", fields.Array, (items,))
        for kind, items in (
            ("text", fields.String()), ("varchar", fields.String()), ("smallint", fields.Integer()),
            ("integer", fields.Integer()), ("bigint", fields.Integer()), ("real", fields.Number()),
            ("double precision", fields.Number()), ("boolean", fields.Boolean()), ("uuid", fields.Uuid()),
            ("date", fields.Date()), ("timestamptz", fields.Timestamp()), ("text", fields.Enum(*_LABELS)),
        )
    ],
    Case("postgresql", "array:enum:mood.kind", fields.Array, (fields.Enum(*_LABELS),), setup=_MOOD),
    Case("mysql", "set", fields.Array, (fields.Enum(*_LABELS),)),
    *[
        Case("duckdb", "list", fields.Array, (items,))
        for items in (
            fields.String(), fields.Integer(), fields.Number(), fields.Boolean(), fields.Uuid(), fields.Date(),
            fields.Enum(*_LABELS),
        )
    ],
    Case("mysql", "float", fields.Number),
    Case("mysql", "unsigned", fields.Decimal, (20, 0)),
    Case("mysql", "unsigned", fields.Integer, equality_only=True),
    *[Case("mysql", name, fields.Timestamp) for name in ("datetime0", "datetime3", "timestamp")],
    Case("mysql", "enum", fields.Enum, _LABELS),
    Case("mysql", "charset:latin1", fields.String, options={"max_length": 255}),
    Case("mysql", "charset:latin1", fields.Enum, _LABELS),
    *[Case("mysql", name, fields.Uuid) for name in ("binary", "hex")],
    Case("mysql", "uuid", fields.Uuid),
    *[
        Case("sqlite", name, fields.Timestamp)
        for name in (
            "sqlalchemy", "django", "current_timestamp", "iso_s", "iso_ms", "epoch_s", "epoch_ms", "epoch_us",
        )
    ],
    *[Case("sqlite", name, fields.Uuid) for name in ("hex", "blob")],
    *[Case("sqlite", name, fields.String) for name in ("nocase", "rtrim")],
    *[Case("sqlite", name, fields.Enum, _LABELS) for name in ("nocase", "rtrim")],
    *[
        Case("duckdb", name, fields.Timestamp)
        for name in ("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns")
    ],
    Case("duckdb", "enum", fields.Enum, _LABELS),
    *[Case("duckdb", name, fields.Integer) for name in ("hugeint", "ubigint")],
    Case("duckdb", "float", fields.Number),
]  # fmt: skip
