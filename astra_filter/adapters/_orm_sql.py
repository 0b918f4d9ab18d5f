"""The SQL of a condition and of an order as parts of a statement that an ORM writes.

The ORM knows its columns, aliases and joins; the meaning of SPEC §4 stands once, in `astra_filter.sql`. So that room
writes the tests, with a `Place` wherever the ORM puts a column, or a subquery over related rows, of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from astra_filter.adapters._orm_forms import LARGEST, as_read, converter_of
from astra_filter.fields import Date, Decimal, Number, String, Timestamp, Uuid
from astra_filter.language.operators import Operator
from astra_filter.language.records import replace
from astra_filter.meaning.conditions import AllOf, AnyOf, Compare, Condition, In, IsNull, Some, Test
from astra_filter.sql.dialects import with_fold
from astra_filter.sql.dialects.base import Dialect, Storage, fill
from astra_filter.sql.fragment import Fragment, Param
from astra_filter.sql.keyset import Key, ranges, sort_terms
from astra_filter.sql.operands import folded_column, folded_operand, resource_operand
from astra_filter.sql.rows import resource
from astra_filter.sql.where import SUBQUERY_DEPTH, Term, Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Self

    from astra_filter.adapters._orm_forms import Form
    from astra_filter.fields import AnyField
    from astra_filter.meaning.conditions import Ref
    from astra_filter.meaning.leaves import Column, Leaf
    from astra_filter.sql.operands import Operand

Path: TypeAlias = tuple[str, ...]
PlaceKey: TypeAlias = "str | Test"
"""The name of a column, or a test on related rows."""


class Place(Param):
    """Where the ORM writes what ``value``, a `PlaceKey`, stands for."""

    __slots__ = ()

    def __init__(self, key: PlaceKey) -> None:
        super().__init__(None, value=key)


@dataclass(frozen=True, kw_only=True)
class _Embedded(Dialect):
    """A dialect whose columns are places."""

    def column(self, name: str, alias: str | None) -> Fragment:  # noqa: ARG002  # The ORM's own aliases count.
        return Fragment(Place(name))


@cache
def _embedded(name: str) -> Dialect:
    record = with_fold("mysql" if name == "mariadb" else name)
    options = {field.name: getattr(record, field.name) for field in fields(record)}
    if record.embedded_document is not None:
        options["document"] = record.embedded_document
    return _Embedded(**options)


class _RowWriter(Writer):
    """Writes a condition on rows, some tests of which are subqueries of the ORM's."""

    def __init__(self, name: str, columns: Mapping[Path, Stored], related: frozenset[Test]) -> None:
        super().__init__(_embedded(name), "row", 0)
        self._name = name
        self._columns = columns
        self._related = related

    def condition(self, condition: Condition) -> Term:
        if not isinstance(condition, (AllOf, AnyOf)) and condition in self._related:
            return Term(Fragment(Place(condition)), "", SUBQUERY_DEPTH)
        return super().condition(condition)

    def _folded(self, ref: Ref) -> Operand:
        column = self._columns[ref.path].column
        own = folded_column(self._dialect, column, "row") if ref.key is None else None
        return folded_operand(self._operand(ref)) if own is None else own

    def _operand(self, ref: Ref) -> Operand:
        operand = _operand(self._name, self._columns[ref.path], ref.field, sorting=False, key=ref.key)
        # MariaDB's own type of UUIDs compares as null with a UUID that the type does not take; NaN is no number; what a
        # converter does not know is bound as null.
        maybe = isinstance(ref.field, (Uuid, Number)) or converter_of(ref.field) is not None
        return operand._replace(nullable=True) if maybe else operand

    def _compare(self, test: Compare, operand: Operand) -> Fragment:
        bound = _BOUNDS.get(test.operator)
        field = test.ref.field
        plain = isinstance(field, Number) and test.ref.key is None and converter_of(field) is None
        if not plain or bound is None or self._columns[test.ref.path].column.json_path:
            return super()._compare(test, operand)
        # No field reads NaN, which is above all on PostgreSQL, or the infinities.
        positive = Fragment(super()._compare(replace(test, negated=False), operand), " AND ", operand.value, bound)
        return Fragment(positive.parenthesised(), self._dialect.not_true) if test.negated else positive


_BOUNDS = {
    Operator.GT: f" <= {LARGEST}",
    Operator.GTE: f" <= {LARGEST}",
    Operator.LT: f" >= -{LARGEST}",
    Operator.LTE: f" >= -{LARGEST}",
}
"""The other end of the numbers that an operator takes."""


class Stored(NamedTuple):
    """Where and how a value is stored."""

    column: Column
    form: Form = "plain"


def _operand(dialect: str, stored: Stored, field: AnyField, *, sorting: bool, key: int | None = None) -> Operand:
    operand = resource_operand(_embedded(dialect), stored.column, field, "row", key)
    if key is not None:
        return operand
    if converter_of(field) is not None:
        # What its function makes is compared as the column's own type does.
        return operand._replace(storage=Storage(operand.storage.type))
    if dialect == "postgresql" and isinstance(field, (Date, Timestamp)):
        # The ORM binds a value of its column's type, not text.
        operand = operand._replace(storage=Storage(operand.storage.type))
    if isinstance(field, Decimal) and not stored.column.json_path:
        # ORMs give decimals the affinity NUMERIC on SQLite, which makes them doubles.
        real = fill("CAST({x} AS REAL)", x=operand.value)
        return operand._replace(value=real, storage=Storage("REAL")) if dialect == "sqlite" else operand
    return as_read(stored.form, dialect, operand, sorting=sorting)


class Where(NamedTuple):
    """The shape of a condition on rows."""

    condition: Condition
    columns: tuple[tuple[Path, Stored], ...]
    """Where the values are stored that the condition's own tests look at."""
    related: frozenset[Test]
    """The tests that are subqueries over related rows."""

    def fragment(self, dialect: str) -> Fragment:
        """Return the condition, in parentheses; its slots are those of the tests outside subqueries."""
        writer = _RowWriter(dialect, dict(self.columns), self.related)
        return writer.condition(self.condition).sql.parenthesised()


class Sort(NamedTuple):
    """A term of ORDER BY: nulls are the smallest values, text goes by code point (SPEC §6)."""

    stored: Stored
    field: AnyField
    descending: bool

    @property
    def place(self) -> str:
        """The name of the column that the ORM puts in its place."""
        return self.stored.column.name

    def fragment(self, dialect: str) -> Fragment:
        """Return the term."""
        operand = _operand(dialect, self.stored, self.field, sorting=True)
        return sort_terms(operand, self.field, descending=self.descending)


class Seek(NamedTuple):
    """The condition on the rows that follow a position, by keyset pagination."""

    keys: tuple[Sort, ...]
    nulls: tuple[bool, ...]
    """Which of the position's values are null."""

    def fragment(self, dialect: str) -> Fragment:
        """Return the condition, in parentheses; slot n is the value of key n."""
        record = _embedded(dialect)
        keys = [
            Key(_operand(dialect, stored, field, sorting=True), descending, null, slot)
            for slot, ((stored, field, descending), null) in enumerate(zip(self.keys, self.nulls, strict=True))
        ]
        return Fragment.join(" OR ", ranges(keys, record, self.keys[-1].field)).parenthesised()


def tests(condition: Condition) -> Iterator[Test]:
    """Return the tests on rows in a condition."""
    if isinstance(condition, (AllOf, AnyOf)):
        for operand in condition.operands:
            yield from tests(operand)
    else:
        yield condition


def slots(condition: Condition) -> Iterator[tuple[int, AnyField]]:
    """Return the slots of a condition, and the field that each slot's value is of; `KEY` for the key of a map."""
    match condition:
        case AllOf(operands) | AnyOf(operands):
            for operand in operands:
                yield from slots(operand)
            return
        case Compare(slot=slot):
            several: tuple[int, ...] = (slot,)
        case In(slots=several):
            pass
        case Some(condition=inner):
            several = ()
            yield from slots(inner)
        case IsNull():
            several = ()
    if condition.ref.key is not None:
        yield condition.ref.key, KEY
    for slot in several:
        yield slot, condition.ref.field


KEY = String()
"""The field of the keys of maps."""


class Scope(Protocol):
    """Where paths begin: the rows of a model."""

    @property
    def leaves(self) -> Mapping[Path, Leaf]:
        """The leaves of the schema's object for these rows."""

    def is_relation(self, name: str) -> bool:
        """Whether a member is reached through a relation."""

    def related(self, name: str) -> Self:
        """Return the scope of a relation's rows."""

    def value(self, instance: Any, leaf: Leaf) -> Any:
        """Return what an instance holds of a leaf's column, as it is compared and shown."""

    def relatives(self, instance: Any, name: str) -> Any:
        """Return the related instance, None, or a list of the related instances."""


def inside(scope: Scope, shown: Iterable[Path]) -> dict[str, list[Path]]:
    """Return the relations that the paths ``shown`` go through, each with the paths to show of its rows."""
    found: dict[str, list[Path]] = {}
    for path in shown:
        if scope.is_relation(path[0]):
            # A path that ends at a to-many relation shows all of its rows.
            found.setdefault(path[0], []).extend([path[1:]] if len(path) > 1 else scope.related(path[0]).leaves)
    return found


def read(instance: Any, scope: Scope, shown: Sequence[Path]) -> dict[str, Any]:
    """Return the resource of an ORM's instance, as far as the paths ``shown`` go."""
    own = [scope.leaves[path] for path in shown if not scope.is_relation(path[0])]
    found = resource(own, {leaf.column.name: scope.value(instance, leaf) for leaf in own})
    for name, deeper in inside(scope, shown).items():
        relatives, inner = scope.relatives(instance, name), scope.related(name)
        if isinstance(relatives, list):
            found[name] = [read(relative, inner, deeper) for relative in relatives]
        elif relatives is not None:
            found[name] = read(relatives, inner, deeper)
    return found
