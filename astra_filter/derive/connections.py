"""What can be done with the connections of all drivers alike: tell their dialect, and run a statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from astra_filter.sql.dialects import DIALECTS
from astra_filter.wording import derive as wording

if TYPE_CHECKING:
    from astra_filter.sql.dialects.base import Dialect

_DRIVERS = {driver: record for record in DIALECTS.values() for driver in record.drivers}


def dialect_of(connection: object) -> Dialect:
    """Return the dialect that a connection speaks, by the module of its class.

    Raises:
        SchemaError: it is of no driver that is known here.
    """
    for cls in type(connection).__mro__:
        found = _DRIVERS.get(cls.__module__.partition(".")[0])
        if found is not None:
            return found
    raise wording.unknown_driver(type(connection), sorted(DIALECTS))


def run(connection: Any, statement: str, params: Any = ()) -> list[tuple[Any, ...]]:
    """Run a statement, and return its rows as tuples, whatever rows the connection makes."""
    # A cursor of DuckDB would be a connection of its own, with other temporary tables.
    if hasattr(connection, "execute"):
        cursor = connection.execute(statement, params)
    else:
        cursor = connection.cursor()
        cursor.execute(statement, params)
    rows = cursor.fetchall() if cursor.description else ()
    return [tuple(row.values()) if isinstance(row, Mapping) else tuple(row) for row in rows]
