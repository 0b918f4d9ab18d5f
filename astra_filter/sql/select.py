"""The SELECT of a page and of the number of matches (SPEC §6).

A page that follows a position is found by keyset pagination: the rows after the position are a few ranges of the order,
each of which an index that has the order can seek. Their text depends on the shape of the request only: the filter's
shape, the order, which of the position's values are null, and whether there are a limit and something to skip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from astra_filter.fields import MAX_INTEGER, Open
from astra_filter.sql.dialects import dialect_of
from astra_filter.sql.dialects.base import TableName, fill, table_parts
from astra_filter.sql.fragment import SQL, Fragment, Param, Verbatim
from astra_filter.sql.keyset import Key, ranges, sort_terms, wide_ranges
from astra_filter.sql.operands import resource_operand, returned
from astra_filter.sql.where import where as filter_condition
from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from astra_filter.memo import Memo
    from astra_filter.request.request import Request
    from astra_filter.sql.dialects.base import Dialect
    from astra_filter.sql.fragment import Part, Prepared

_MOST_PARAMETERS = 32_000
"""The most parameters of a statement. SQLite takes 32,766."""
_REPEATED_TEXT = 65_536
"""Characters that a page's statement may have where it says its conditions more than once."""
_REPEATED_SHARE = 3
"""It may have more where that is no more than so many times its conditions, ..."""
_MOST_REPEATED_TEXT = 160_000
"""... but never more than this: PostgreSQL takes about 350 bytes of memory for each character."""


def select(
    request: Request,
    table: TableName,
    dialect: str,
    *,
    where: SQL | None,
    alias: str | None,
    placeholders: str | None,
    first: int,
) -> SQL:
    """Return the SELECT of a page; arguments and errors as in `ListQuery.sql`."""
    position = request.position or ()
    limits = (None if request.limit is None else request.limit + 1, request.skip)
    shape = (
        request.declared,
        request.order.text,
        request.limit is None,
        request.skip == 0,
        request.position is None,
        *[value is None for value in position],
    )
    _check_name(table)
    prepared = _memo(request).made(
        (shape, table, dialect, alias, placeholders, first, _where_shape(where)),
        _prepare_page,
        *(request, table, dialect, alias, where, placeholders, first),
    )
    return prepared.bind((*_values(request, where), *limits, *position))


def select_count(
    request: Request,
    table: TableName,
    dialect: str,
    *,
    where: SQL | None,
    alias: str | None,
    placeholders: str | None,
    first: int,
) -> SQL:
    """Return the SELECT of the number of matches; arguments and errors as in `ListQuery.sql`."""
    _check_name(table)
    prepared = _memo(request).made(
        ("count", table, dialect, alias, placeholders, first, _where_shape(where)),
        _prepare_count,
        *(request, table, dialect, alias, where, placeholders, first),
    )
    return prepared.bind(_values(request, where))


def _check_name(table: object) -> None:
    """Refuse what cannot be part of a key; the rest of the check is the dialect's."""
    if not isinstance(table, (str, tuple)):
        raise wording.bad_table(table)


def _memo(request: Request) -> Memo:
    return request.declaration.memo if request.filter is None else request.filter.template.memo


def _prepare_page(
    request: Request,
    table: TableName,
    dialect: str,
    alias: str | None,
    where: SQL | None,
    placeholders: str | None,
    first: int,
) -> Prepared:
    statement = _Statement(request, table, dialect_of(request.declaration, dialect), alias, where)
    return statement.page().prepare(statement.dialect.style(placeholders), first)


def _prepare_count(
    request: Request,
    table: TableName,
    dialect: str,
    alias: str | None,
    where: SQL | None,
    placeholders: str | None,
    first: int,
) -> Prepared:
    statement = _Statement(request, table, dialect_of(request.declaration, dialect), alias, where)
    return statement.count().prepare(statement.dialect.style(placeholders), first)


def _where_shape(where: SQL | None) -> tuple[object, ...] | None:
    if where is None:
        return None
    if not isinstance(where, SQL):
        raise wording.bad_where(where)
    return (where.text, len(where.params), *(where.params if isinstance(where.params, dict) else ()))


def _values(request: Request, where: SQL | None) -> tuple[Any, ...]:
    """Return the values to bind but for those of the page: the filter's, then those of ``where``."""
    values = () if request.filter is None else request.filter.values
    if where is None:
        return values
    return (*values, *(where.params.values() if isinstance(where.params, dict) else where.params))


class _Statement:
    """The pieces of one statement. Its slots are the values of `_values`, the limit, the skip and the position."""

    def __init__(
        self, request: Request, table: TableName, dialect: Dialect, alias: str | None, where: SQL | None
    ) -> None:
        if isinstance(request.declaration.root, Open):
            raise wording.open_schema_has_no_columns()
        self.dialect = dialect
        self._request = request
        # A qualified table goes by its own name in the statement.
        self._name = alias or table_parts(table)[-1]
        self._table = dialect.table(table) + (f" AS {dialect.identifier(alias)}" if alias else "")
        self._conditions: list[Fragment] = []
        self._slot = 0 if request.filter is None else len(request.filter.values)
        if where is not None:
            names = tuple(where.params) if isinstance(where.params, dict) else ()
            verbatim = Verbatim(where.text, tuple([self._param() for _ in where.params]), names)
            self._conditions.append(Fragment("(", verbatim, ")"))
        if request.filter is not None:
            condition = filter_condition(request.filter.template.condition, dialect, self._name)
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

    def count(self) -> Fragment:
        """Return the SELECT of the number of matches."""
        return Fragment("SELECT COUNT(*)", self.source())

    def page(self) -> Fragment:
        """Return the SELECT of the page, which has one row more than the limit where more rows follow."""
        limit_slot, skip_slot = self._param(), self._param()
        rows = None if self._request.limit is None else limit_slot
        limit = self._limit(rows, skip_slot if self._request.skip else None)
        keys = self._keys()
        unique = self._request.order.keys[-1].leaf.field if keys else None
        seeks = [] if unique is None else ranges(keys, self.dialect, unique)
        if len(seeks) <= 1:
            return Fragment(self._select(), self.source(*seeks), self._order_by(self._name), limit)
        if unique is not None and self.dialect.seeks != "or" and self._is_seekable():
            wide = wide_ranges(keys, self.dialect, unique)
            for split in (seeks, wide):
                statement = self._split(split, rows, limit)
                if len(split) == 1 or self._is_bearable(statement):
                    return statement
            return self._once(seeks, limit)
        either = Fragment.join(" OR ", seeks).parenthesised()
        return Fragment(self._select(), self.source(either), self._order_by(self._name), limit)

    def _split(self, seeks: Sequence[Fragment], rows: Param | None, limit: Fragment) -> Fragment:
        """Return the SELECT of the rows that are in one of the ranges, which share no row."""
        if len(seeks) == 1:
            return Fragment(self._select(), self.source(*seeks), self._order_by(self._name), limit)
        return self._merged(seeks, limit) if self.dialect.seeks == "merged" else self._limited(seeks, rows)

    def _is_bearable(self, statement: Fragment) -> bool:
        """Whether a statement says the conditions of the request not too often."""
        conditions = sum(map(_length, Fragment(*self._conditions).parts))
        most = max(_REPEATED_TEXT, min(_REPEATED_SHARE * conditions, _MOST_REPEATED_TEXT))
        return sum(map(_count, statement.parts)) < _MOST_PARAMETERS and sum(map(_length, statement.parts)) <= most

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
        columns = ", ".join(self.dialect.identifier(column) for column in self._request.columns)
        head = f"SELECT {columns} FROM ("
        tail = f") AS {self.dialect.identifier(name)}"
        return Fragment(
            head, Fragment.join(" UNION ALL ", branches), tail, self._order_by(name), self._limit(rows, None)
        )

    def _once(self, seeks: Iterable[Fragment], limit: Fragment) -> Fragment:
        """Say the conditions of the request once, of all seeks together, whose rows the database merges in order.

        PostgreSQL may sort the rows of a seek before it applies the conditions, instead of reading them in order.
        """
        ordered = self._order_by(self._name) if self.dialect.seeks == "limited" else Fragment()
        branches = [Fragment(f"SELECT * FROM {self._table} WHERE ", seek, ordered) for seek in seeks]
        if self.dialect.seeks == "limited":
            branches = [branch.parenthesised() for branch in branches]
        name = self.dialect.identifier(self._name)
        found = Fragment(" FROM (", Fragment.join(" UNION ALL ", branches), f") AS {name}")
        where = Fragment(" WHERE ", Fragment.join(" AND ", self._conditions)) if self._conditions else Fragment()
        return Fragment(self._select(), found, where, self._order_by(self._name), limit)

    def _select(self) -> Fragment:
        dialect = self.dialect
        leaves = {leaf.column.name: leaf for leaf in self._request.leaves}
        parts: list[Part] = []
        for name, leaf in leaves.items():
            stored = fill(returned(dialect, leaf), x=dialect.column(name, self._name))
            parts.append(Fragment(stored, f" AS {dialect.identifier(name)}"))
        return Fragment("SELECT ", Fragment.join(", ", parts))

    def _order_by(self, name: str | None) -> Fragment:
        """Return ORDER BY, of the table or subquery of that name; None for the columns of the result."""
        terms = []
        for leaf, descending in self._request.order.keys:
            operand = resource_operand(self.dialect, leaf.column, leaf.field, name)
            terms.append(sort_terms(operand, leaf.field, descending=descending))
        return Fragment(" ORDER BY ", Fragment.join(", ", terms)) if terms else Fragment()

    def _limit(self, rows: Param | None, skip: Param | None) -> Fragment:
        parts: list[Part] = []
        if rows is not None:
            parts += (" LIMIT ", rows)
        elif skip is not None:
            # SQLite and MariaDB take no OFFSET without LIMIT.
            parts += (" LIMIT ", Param(None, value=MAX_INTEGER))
        if skip is not None:
            parts += (" OFFSET ", skip)
        return Fragment(*parts)

    def _is_seekable(self) -> bool:
        """Whether an index can have the order."""
        return not any(leaf.column.json_path for leaf, _ in self._request.order.keys)

    def _keys(self) -> list[Key]:
        """Return the sort keys with the values of the position; nothing for the first page."""
        position = self._request.position
        if position is None:
            return []
        keys = []
        for slot, ((leaf, descending), value) in enumerate(
            zip(self._request.order.keys, position, strict=True), self._slot
        ):
            operand = resource_operand(self.dialect, leaf.column, leaf.field, self._name)
            keys.append(Key(operand, descending, value is None, slot, self.dialect.least.get(leaf.field.type)))
        return keys


def _count(part: str | Param | Verbatim) -> int:
    """Return how many parameters a part of a fragment has."""
    return len(part.params) if isinstance(part, Verbatim) else int(isinstance(part, Param))


def _length(part: str | Param | Verbatim) -> int:
    """Return about how many characters a part of a fragment has."""
    return len(part) if isinstance(part, str) else len(part.text) if isinstance(part, Verbatim) else len("$1000")
