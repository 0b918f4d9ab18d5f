"""The order of rows, and the ranges of it that follow a position: keyset pagination (SPEC §6).

A position is the sort values of a row, here of one with the keys ``state desc, id desc``. The rows after it are a few
ranges, each of which an index that has the order can seek:

    (state = ? AND id < ?)      those of the same state
    (state < ?)                 those of the states after it
    (state IS NULL)             the smallest, where the column can be null
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from astra_filter.fields import Integer, String
from astra_filter.sql.dialects.base import fill
from astra_filter.sql.fragment import Fragment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astra_filter.fields import Field
    from astra_filter.sql.dialects.base import Dialect
    from astra_filter.sql.operands import Operand

_MOST_SORTED = 8_000
"""How many bytes of text ORDER BY compares where it needs pieces: about as many as a ``continue`` token can hold."""


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
        return Fragment(self.operand.compared(), " IS NULL")

    def equal(self) -> Fragment:
        """Return the test that the key has the position's value."""
        return self.is_null() if self.null else self.test("=")

    def beyond(self) -> list[Fragment]:
        """Return the ranges of values after the position's. Nulls are the smallest values."""
        if self.null:
            return [] if self.descending else [Fragment(self.operand.compared(), " IS NOT NULL")]
        ranges = [self.test("<" if self.descending else ">")]
        return [*ranges, self.is_null()] if self.descending and self.nullable else ranges


def ranges(keys: Sequence[Key], dialect: Dialect, unique: Field) -> list[Fragment]:
    """Return a condition for each range of rows after the position, the nearest range last.

    Args:
        keys: the sort keys, in order of weight.
        dialect: the database's SQL.
        unique: the field of the last key.
    """
    return [_all(tests) for tests in _ranges(keys, dialect, unique)] or [_NOTHING]


def wide_ranges(keys: Sequence[Key], dialect: Dialect, unique: Field) -> list[Fragment]:
    """Return what `ranges` returns as at most two conditions, each of which is a range of the first key.

    An index seeks the range by the first key alone, and reads the rows that have the position's first value from their
    beginning. What is said of each range besides, such as a long filter, is then said twice at most.
    """
    first = keys[0]
    found = [_all(tests) for tests in _ranges(keys, dialect, unique)]
    apart: list[Fragment] = []
    if first.null:
        # Ascending, the values follow the nulls.
        apart = [] if first.descending else [found.pop(0)]
        bound = first.is_null()
    else:
        # Descending, the nulls follow the values; no range of an index holds both.
        apart = [found.pop(1)] if first.descending and first.nullable else []
        bound = first.test("<=" if first.descending else ">=")
    near = [_all([bound, Fragment.join(" OR ", found).parenthesised()])] if found else []
    return [*apart, *near] or [_NOTHING]


_NOTHING = Fragment("1 = 0")


def _ranges(keys: Sequence[Key], dialect: Dialect, unique: Field) -> list[list[Fragment]]:
    """Return the tests of each range.

    What lies beyond all nulls or all values of the first key is the first of them where the position is null, and the
    second where it is a value.
    """
    row_values = dialect.ranges_row_values and not (dialect.rowid_alias and isinstance(unique, Integer))
    if not dialect.ranges_collated and any(key.operand.exact for key in keys):
        row_values = False
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
    return found


def _all(tests: Sequence[Fragment]) -> Fragment:
    return Fragment.join(" AND ", tests).parenthesised()


def sort_terms(operand: Operand, field: Field, *, descending: bool) -> Fragment:
    """Return what stands in ORDER BY for a sort key."""
    dialect = operand.dialect
    way = direction(dialect, operand.nullable, descending)
    if not is_sorted_in_pieces(dialect, field):
        return Fragment(operand.ordered(), way)
    text = fill(dialect.exact, x=operand.compared())
    length = field.max_length if isinstance(field, String) else None
    size = min(4 * (length or _MOST_SORTED), _MOST_SORTED)
    pieces = [fill(dialect.sorted_piece, x=text, start=str(start)) for start in range(1, size, 1000)]
    return Fragment.join(", ", [Fragment(piece, way) for piece in pieces])


def is_sorted_in_pieces(dialect: Dialect, field: Field) -> bool:
    """Whether ORDER BY needs pieces of a field's text, so that no index has its order."""
    most = dialect.sorted_length
    return most is not None and isinstance(field, String) and (field.max_length is None or field.max_length > most)


def direction(dialect: Dialect, nullable: bool, descending: bool) -> str:
    """Return what follows a sort key in ORDER BY, and in an index that serves it: nulls are the smallest values."""
    nulls = "" if dialect.nulls_smallest or not nullable else " NULLS LAST" if descending else " NULLS FIRST"
    return (" DESC" if descending else "") + nulls
