"""SQL for the supported dialects: WHERE clauses, whole SELECTs, rows and DDL (SPEC §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.language.fold import FOLD_FUNCTION, fold_value
from astra_filter.sql.dialects import DIALECTS, find_dialect, with_fold
from astra_filter.sql.fragment import SQL, Prepared
from astra_filter.sql.where import where

if TYPE_CHECKING:
    from sqlite3 import Connection

    from astra_filter.meaning.conditions import Condition

__all__ = ["DIALECTS", "SQL", "Prepared", "prepare_sqlite", "prepare_where"]


def prepare_where(
    condition: Condition,
    dialect: str,
    placeholders: str | None = None,
    alias: str | None = None,
    first: int = 1,
    *,
    sqlite_fold: bool = False,
) -> Prepared:
    """Return the condition of a WHERE clause, ready to be bound; arguments and errors are those of `Filter.sql`."""
    record = with_fold(dialect) if sqlite_fold else find_dialect(dialect)
    style = record.style(placeholders)
    return where(condition, record, alias).prepare(style, first)


def prepare_sqlite(connection: Connection) -> None:
    """Give a connection to SQLite the function by which filters ignore case there.

    Say so to the schema: ``Schema(…, sqlite_fold=True)``. Each new connection needs it anew.

    No index should use the function: every connection without it would fail to write to the table. An index on a
    column of folded text serves instead: ``fields.String(folded="name_fold")``.
    """
    connection.create_function(FOLD_FUNCTION, 1, fold_value, deterministic=True)
