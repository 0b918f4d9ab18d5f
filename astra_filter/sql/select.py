"""The SELECT of a page and of the number of matches (SPEC §6).

A page that follows a position is found by keyset pagination: the rows after the position are a few ranges of the order,
each of which an index that has the order can seek. Their text depends on the shape of the request only: the filter's
shape, the order, which of the position's values are null, and whether there are a limit and something to skip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from astra_filter.fields import MAX_INTEGER, Integer, Open, String
from astra_filter.limits import keep
from astra_filter.sql.dialects import find_dialect
from astra_filter.sql.dialects.base import fill
from astra_filter.sql.fragment import SQL, Fragment, Param, Verbatim
from astra_filter.sql.operands import Operand, resource_operand
from astra_filter.sql.where import where as filter_condition
from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from astra_filter.fields import Field
    from astra_filter.query import ListQuery
    from astra_filter.sql.dialects.base import Dialect
    from astra_filter.sql.fragment import Part, Prepared

_MOST_SORTED = 8_000
"""Bytes of text that are sorted by, where pieces are needed; about as many as a ``continue`` token can hold."""
_MOST_PARAMETERS = 32_000
"""Parameters that a statement may have; SQLite ends at 32,766."""


def select(
    query: ListQuery,
    table: str,
    dialect: str,
    *,
    where: SQL | None = None,
    alias: str | None = None,
    placeholders: str | None = None,
    first: int = 1,
) -> SQL:
    """Return the SELECT of a page; arguments and errors as in `ListQuery.sql`."""
    position = query.position or ()
    limits = (None if query.limit is None else query.limit + 1, query.skip)
    shape = (
        query.include,
        query.order.text,
        query.limit is None,
        query.skip == 0,
        *[value is None for value in position],
    )
    key = (shape, query.position is None, table, dialect, alias, placeholders, first, _where_shape(where))
    prepared = _known(query, key)
    if prepared is None:
        statement = _Statement(query, table, find_dialect(dialect), alias, where)
        prepared = keep(_statements(query), key, statement.page().prepare(statement.dialect.style(placeholders), first))
    return prepared.bind((*_values(query, where), *limits, *position))


def select_count(
    query: ListQuery,
    table: str,
    dialect: str,
    *,
    where: SQL | None = None,
    alias: str | None = None,
    placeholders: str | None = None,
    first: int = 1,
) -> SQL:
    """Return the SELECT of the number of matches; arguments and errors as in `ListQuery.sql`."""
    key = ("count", table, dialect, alias, placeholders, first, _where_shape(where))
    prepared = _known(query, key)
    if prepared is None:
        statement = _Statement(query, table, find_dialect(dialect), alias, where)
        fragment = Fragment("SELECT COUNT(*)", statement.source())
        prepared = keep(_statements(query), key, fragment.prepare(statement.dialect.style(placeholders), first))
    return prepared.bind(_values(query, where))


def _known(query: ListQuery, key: object) -> Prepared | None:
    return cast("Prepared | None", _statements(query).get(key))


def _statements(query: ListQuery) -> dict[object, object]:
    return query.schema.prepared if query.filter is None else query.filter.template.prepared


def _where_shape(where: SQL | None) -> tuple[object, ...] | None:
    if where is None:
        return None
    if not isinstance(where, SQL):
        raise wording.bad_where(where)
    return (where.text, len(where.params), *(where.params if isinstance(where.params, dict) else ()))


def _values(query: ListQuery, where: SQL | None) -> tuple[Any, ...]:
    """Return the values that are bound, apart from those of the page: the filter's, then those of ``where``."""
    values = () if query.filter is None else query.filter.values
    if where is None:
        return values
    return (*values, *(where.params.values() if isinstance(where.params, dict) else where.params))


class Key(NamedTuple):
    """A sort key, and the place where the position's value is bound."""

    operand: Operand
    descending: bool
    null: bool
    """Whether the position's value is null."""
    slot: int
    least: str | None = None
    """The dialect's literal that no value is less than, where it has one."""

    @property
    def nullable(self) -> bool:
        """Whether the key can be null."""
        return self.operand.nullable

    def test(self, operator: str) -> Fragment:
        """Return the comparison of the key with the position's value, which is not null."""
        return Fragment(self.operand.ordered(), f" {operator} ", self.operand.ordered_parameter(self.slot))

    def is_null(self) -> Fragment:
        """Return the test that the key is null."""
        return Fragment(self.operand.value, " IS NULL")

    def equal(self) -> Fragment:
        """Return the test that the key has the position's value."""
        return self.is_null() if self.null else self.test("=")

    def beyond(self) -> list[Fragment]:
        """Return the ranges of values that come after the position's; nulls are the smallest."""
        if self.null:
            return [] if self.descending else [Fragment(self.operand.value, " IS NOT NULL")]
        ranges = [self.test("<" if self.descending else ">")]
        return [*ranges, self.is_null()] if self.descending and self.nullable else ranges


class _Statement:
    """The pieces of one statement. Its slots number what `_values` gives, the limit, the skip, and the position."""

    def __init__(self, query: ListQuery, table: str, dialect: Dialect, alias: str | None, where: SQL | None) -> None:
        if isinstance(query.schema.root, Open):
            raise wording.open_schema_has_no_columns()
        self.dialect = dialect
        self._query = query
        self._name = alias or table
        self._table = dialect.identifier(table) + (f" AS {dialect.identifier(alias)}" if alias else "")
        self._conditions: list[Fragment] = []
        self._slot = 0 if query.filter is None else len(query.filter.values)
        if where is not None:
            names = tuple(where.params) if isinstance(where.params, dict) else ()
            verbatim = Verbatim(where.text, tuple([self._param() for _ in where.params]), names)
            self._conditions.append(Fragment("(", verbatim, ")"))
        if query.filter is not None:
            condition = filter_condition(query.filter.template.condition, dialect, self._name)
            self._conditions.append(condition.parenthesised())

    def _param(self) -> Param:
        self._slot += 1
        return Param(self._slot - 1)

    def source(self, *more: Fragment) -> Fragment:
        """Return FROM and WHERE, with more conditions than those of the request."""
        conditions = [*self._conditions, *more]
        parts: list[Part] = [f" FROM {self._table}"]
        if conditions:
            parts += (" WHERE ", Fragment.join(" AND ", conditions))
        return Fragment(*parts)

    def page(self) -> Fragment:
        """Return the SELECT of the page, which has one row more than the limit where more rows follow."""
        limit_slot, skip_slot = self._param(), self._param()
        rows = None if self._query.limit is None else limit_slot
        limit = self._limit(rows, skip_slot if self._query.skip else None)
        seeks = self._seeks()
        if len(seeks) <= 1:
            return Fragment(self._select(), self.source(*seeks), self._order_by(self._name), limit)
        parameters = sum(_count(part) for part in Fragment(*self._conditions).parts)
        if self._is_seekable() and (parameters + len(seeks)) * len(seeks) < _MOST_PARAMETERS:
            if self.dialect.seeks == "merged":
                return self._merged(seeks, limit)
            if self.dialect.seeks == "limited":
                return self._limited(seeks, rows)
        either = Fragment.join(" OR ", seeks).parenthesised()
        return Fragment(self._select(), self.source(either), self._order_by(self._name), limit)

    def _merged(self, seeks: Iterable[Fragment], limit: Fragment) -> Fragment:
        """Let the database merge the seeks: with the names of the result in its ORDER BY, each is read in order."""
        branches = [Fragment(self._select(), self.source(seek)) for seek in seeks]
        return Fragment(Fragment.join(" UNION ALL ", branches), self._order_by(None), limit)

    def _limited(self, seeks: Iterable[Fragment], rows: Param | None) -> Fragment:
        """Limit each seek by itself."""
        name = "page"
        branches = [
            Fragment("(", self._select(), self.source(seek), self._order_by(self._name), self._limit(rows, None), ")")
            for seek in seeks
        ]
        columns = ", ".join(self.dialect.identifier(column) for column in self._query.columns)
        head = f"SELECT {columns} FROM ("
        tail = f") AS {self.dialect.identifier(name)}"
        return Fragment(
            head, Fragment.join(" UNION ALL ", branches), tail, self._order_by(name), self._limit(rows, None)
        )

    def _select(self) -> Fragment:
        dialect = self.dialect
        leaves = {leaf.column.name: leaf for leaf in self._query.leaves}
        parts: list[Part] = []
        for name, leaf in leaves.items():
            template = None if leaf.column.json_path else dialect.returned.get(leaf.field.type)
            stored: Part = dialect.column(name, self._name)
            if template is not None:
                stored = fill(template, x=stored)
            parts.append(Fragment(stored, f" AS {dialect.identifier(name)}"))
        return Fragment("SELECT ", Fragment.join(", ", parts))

    def _order_by(self, name: str | None) -> Fragment:
        """Return ORDER BY, of the table or subquery of that name; None for the columns of the result."""
        terms = []
        for leaf, descending in self._query.order.keys:
            operand = resource_operand(self.dialect, leaf.column, leaf.field, name)
            terms.append(sort_terms(operand, leaf.field, descending=descending))
        return Fragment(" ORDER BY ", Fragment.join(", ", terms)) if terms else Fragment()

    def _limit(self, rows: Param | None, skip: Param | None) -> Fragment:
        parts: list[Part] = []
        if rows is not None:
            parts += (" LIMIT ", rows)
        elif skip is not None:
            # Only PostgreSQL and DuckDB take OFFSET alone.
            parts += (" LIMIT ", Param(None, value=MAX_INTEGER))
        if skip is not None:
            parts += (" OFFSET ", skip)
        return Fragment(*parts)

    def _is_seekable(self) -> bool:
        """Whether an index can have the order."""
        return not any(leaf.column.json_path for leaf, _ in self._query.order.keys)

    def _seeks(self) -> list[Fragment]:
        """Return the conditions of the ranges that follow the position; together they hold each row after it once."""
        position = self._query.position
        if position is None:
            return []
        keys = []
        for slot, ((leaf, descending), value) in enumerate(
            zip(self._query.order.keys, position, strict=True), self._slot
        ):
            operand = resource_operand(self.dialect, leaf.column, leaf.field, self._name)
            keys.append(Key(operand, descending, value is None, slot, self.dialect.least.get(leaf.field.type)))
        return ranges(keys, self.dialect, self._query.order.keys[-1].leaf.field)


def ranges(keys: Sequence[Key], dialect: Dialect, unique: Field) -> list[Fragment]:
    """Return a condition for each range of rows after the position, the nearest range last.

    Args:
        keys: the sort keys, in order of weight.
        dialect: the database's SQL.
        unique: the field of the last key.
    """
    row_values = dialect.ranges_row_values and not (dialect.rowid_alias and isinstance(unique, Integer))
    found: list[list[Fragment]] = []
    equal: list[Fragment] = []
    for place, key in enumerate(keys):
        rest = keys[place:]
        one_way = all(other.descending is key.descending and not other.null for other in rest)
        if row_values and one_way and len(rest) > 1:
            left = Fragment.join(", ", [other.operand.ordered() for other in rest])
            right = Fragment.join(", ", [other.operand.ordered_parameter(other.slot) for other in rest])
            found.append([*equal, Fragment("(", left, ") < (" if key.descending else ") > (", right, ")")])
            if key.descending:
                for other in rest:
                    if other.nullable:
                        found.append([*equal, other.is_null()])
                    equal.append(other.equal())
            break
        found += [[*equal, beyond] for beyond in key.beyond()]
        equal.append(key.equal())
    first = keys[0]
    if first.null and first.descending and first.least is not None:
        # Without a second range, MariaDB reads all nulls up to the position, and may sort them.
        found.append([Fragment(first.operand.ordered(), " < ", first.least)])
    return [_all(tests) for tests in found] or [Fragment("1 = 0")]


def _count(part: str | Param | Verbatim) -> int:
    """Return how many parameters a part of a fragment has."""
    return len(part.params) if isinstance(part, Verbatim) else int(isinstance(part, Param))


def _all(tests: Sequence[Fragment]) -> Fragment:
    return Fragment.join(" AND ", tests).parenthesised()


def sort_terms(operand: Operand, field: Field, *, descending: bool) -> Fragment:
    """Return what stands in ORDER BY for a sort key."""
    dialect = operand.dialect
    way = direction(dialect, operand.nullable, descending)
    if not is_sorted_in_pieces(dialect, field):
        return Fragment(operand.ordered(), way)
    text = fill(dialect.exact, x=operand.value)
    length = field.max_length if isinstance(field, String) else None
    size = min(4 * (length or _MOST_SORTED), _MOST_SORTED)
    pieces = [fill(dialect.sorted_piece, x=text, start=str(start)) for start in range(1, size, 1000)]
    return Fragment.join(", ", [Fragment(piece, way) for piece in pieces])


def is_sorted_in_pieces(dialect: Dialect, field: Field) -> bool:
    """Whether ORDER BY does not compare all of a field's text, so that no index has its order."""
    most = dialect.sorted_length
    return most is not None and isinstance(field, String) and (field.max_length is None or field.max_length > most)


def direction(dialect: Dialect, nullable: bool, descending: bool) -> str:
    """Return what follows a sort key in ORDER BY, and in an index that serves it: nulls are the smallest values."""
    nulls = "" if dialect.nulls_smallest or not nullable else " NULLS LAST" if descending else " NULLS FIRST"
    return (" DESC" if descending else "") + nulls
