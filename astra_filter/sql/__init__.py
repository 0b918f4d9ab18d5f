"""SQL for the supported dialects: WHERE clauses, whole SELECTs, rows and DDL (SPEC §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.sql.dialects import DIALECTS, find_dialect
from astra_filter.sql.fragment import SQL, Prepared
from astra_filter.sql.where import where

if TYPE_CHECKING:
    from astra_filter.meaning.conditions import Condition

__all__ = ["DIALECTS", "SQL", "Prepared", "prepare_where"]


def prepare_where(
    condition: Condition, dialect: str, placeholders: str | None = None, alias: str | None = None, first: int = 1
) -> Prepared:
    """Return the condition of a WHERE clause, ready to be bound; arguments and errors are those of `Filter.sql`."""
    record = find_dialect(dialect)
    style = record.style(placeholders)
    return where(condition, record, alias).prepare(style, first)
