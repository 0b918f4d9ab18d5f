"""What people say in statements before a filter or a page is put to them.

A condition, an order and a limit can be added to a plain SELECT. Where a statement is distinct, grouped, limited or a
union, its rows are what is filtered and paged, so it becomes a subquery: of keys, where it selects a mapped class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm.context import FromStatement
from sqlalchemy.sql import coercions, roles

from astra_filter.wording import adapters as wording

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXPECTED = "a select() of a table or a mapped class"


def narrowable(statement: Any, target: Any = None) -> tuple[sa.Select[Any], Any]:
    """Return a SELECT of the same rows that takes conditions and an order, and what its fields are found in.

    Args:
        statement: a ``select()``, a union, or a ``from_statement()``.
        target: what the fields are found in; None for what the statement selects first.

    Raises:
        SchemaError: the statement is something else; or it is grouped, say, and selects more than one class.
    """
    if isinstance(statement, sa.CompoundSelect):
        return _of_subquery(statement)
    if isinstance(statement, FromStatement):
        return _of_keys(statement, statement.element, statement.column_descriptions)
    if not isinstance(statement, sa.Select):
        raise wording.bad_target(statement, _EXPECTED)
    descriptions = statement.column_descriptions
    if _is_plain(statement):
        return statement, _target(statement, descriptions[0]) if target is None else target
    first = descriptions[0]
    if first.get("entity") is None or first["expr"] is not first["entity"]:
        return _of_subquery(statement)
    # Which rows there are may depend on their order.
    ordered = bool(statement._distinct_on) or not all(end is None for end in _ends(statement))  # noqa: SLF001
    return _of_keys(statement, statement if ordered else statement.order_by(None), descriptions)


def _ends(statement: sa.Select[Any]) -> tuple[Any, ...]:
    """Return what else than its rows makes a SELECT: its ends, and in SQLAlchemy 2.1 extensions of its syntax."""
    names = ("limit", "offset", "fetch", "pre_columns", "post_select", "post_criteria", "post_body")
    return tuple([getattr(statement, f"_{name}_clause", None) for name in names])


def _is_plain(statement: sa.Select[Any]) -> bool:
    """Whether a SELECT has one row for each of the rows that its conditions take."""
    shaping = (
        statement._distinct,  # noqa: SLF001  # A statement tells these to nobody else.
        statement._distinct_on,  # noqa: SLF001
        statement._group_by_clauses,  # noqa: SLF001
        statement._having_criteria,  # noqa: SLF001
    )
    return not any(shaping) and all(end is None for end in _ends(statement))


def _target(statement: sa.Select[Any], first: Any) -> Any:
    target = first.get("entity")
    if target is None:
        target = getattr(first["expr"], "table", None)
    return statement.get_final_froms()[0] if target is None else target


def _of_subquery(statement: Any) -> tuple[sa.Select[Any], Any]:
    rows = statement.subquery()
    return sa.select(rows), rows


def _of_keys(statement: Any, rows: Any, descriptions: Sequence[Any]) -> tuple[sa.Select[Any], Any]:
    """Return a SELECT of a class's instances whose keys a statement has."""
    if len(descriptions) != 1:
        raise wording.bad_target(statement, "of what is distinct, grouped or limited, a select() of one class")
    target = descriptions[0]["entity"]
    mapper = sa.inspect(target).mapper
    names = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
    keys: list[sa.ColumnElement[Any]] = [
        coercions.expect(roles.ExpressionElementRole, getattr(target, name)) for name in names
    ]
    if isinstance(rows, sa.TextClause):
        rows = rows.columns(*[sa.column(column.name, column.type) for column in mapper.primary_key])
    inner = rows.subquery()
    found = []
    for key, column in zip(keys, mapper.primary_key, strict=True):
        held = inner.corresponding_column(key)
        found.append(inner.c[column.name] if held is None else held)
    whole = keys[0] if len(keys) == 1 else sa.tuple_(*keys)
    made = sa.select(target).where(whole.in_(sa.select(*found)))
    options = statement._with_options  # noqa: SLF001  # As above.
    return made.options(*options).execution_options(**statement.get_execution_options()), target
