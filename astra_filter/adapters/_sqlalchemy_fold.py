"""Gives each new connection to SQLite the function by which filters ignore case."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

from astra_filter.language.fold import FOLD_FUNCTION, fold_value


@event.listens_for(Pool, "connect")
def prepare(connection: Any, _record: Any) -> None:
    """Register the function; connections of other databases have no such method."""
    register = getattr(connection, "create_function", None)
    if register is not None and "sqlite" in type(connection).__module__:
        register(FOLD_FUNCTION, 1, fold_value, deterministic=True)
