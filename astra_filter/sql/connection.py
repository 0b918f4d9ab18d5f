"""The settings of a connection and its database under which the SQL means what it should (SPEC §5)."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from astra_filter.sql.dialects import find_dialect
from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Setting(NamedTuple):
    """A setting that changes what a comparison, an order or a value means."""

    name: str
    query: str
    """Reads it, as one row of one column."""
    holds: Callable[[Any], bool]
    """Whether the SQL means what it should under a value."""
    wanted: str
    """What must hold, in words."""


_LONGEST_SORTED = 1024
_EVERY_ROW = 2**64 - 1

SETTINGS: Mapping[str, tuple[Setting, ...]] = {
    "sqlite": (Setting("encoding", "PRAGMA encoding", "UTF-8".__eq__, "UTF-8, by which text sorts by code point"),),
    "postgresql": (
        Setting("server_encoding", "SHOW server_encoding", "UTF8".__eq__, "UTF8, which has every character"),
        Setting("client_encoding", "SHOW client_encoding", "UTF8".__eq__, "UTF8, which has every character"),
        Setting(
            "extra_float_digits",
            "SHOW extra_float_digits",
            lambda value: int(value) > 0,
            "at least 1, so that numbers come back as they are",
        ),
        Setting("standard_conforming_strings", "SHOW standard_conforming_strings", "on".__eq__, "on"),
    ),
    "mysql": (
        Setting(
            "sql_mode",
            "SELECT @@sql_mode",
            lambda value: "EMPTY_STRING_IS_NULL" not in str(value).split(","),
            "without EMPTY_STRING_IS_NULL, under which '' is no text",
        ),
        *(
            Setting(name, f"SELECT @@{name}", "utf8mb4".__eq__, "utf8mb4, which has every character")
            for name in ("character_set_client", "character_set_connection", "character_set_results")
        ),
        Setting(
            "max_sort_length",
            "SELECT @@max_sort_length",
            lambda value: int(value) >= _LONGEST_SORTED,
            f"at least {_LONGEST_SORTED}, so that text sorts by all of its pieces",
        ),
        Setting(
            "sql_select_limit",
            "SELECT @@sql_select_limit",
            lambda value: int(value) == _EVERY_ROW,
            "without a limit, so that no page ends early",
        ),
    ),
    "duckdb": (
        Setting(
            "default_collation",
            "SELECT current_setting('default_collation')",
            lambda value: str(value).lower() in ("", "c", "binary"),
            "binary, by which text compares by code point",
        ),
        Setting(
            "default_order",
            "SELECT current_setting('default_order')",
            lambda value: str(value).lower() in ("asc", "ascending"),
            "ASC, which an order without a word means",
        ),
    ),
}
"""The settings of each dialect that the SQL itself cannot make harmless."""


def check_connection(connection: Any, dialect: str) -> None:
    """Make sure of the settings of a connection; arguments and errors as in `Schema.check_connection`."""
    found = []
    for name, query, holds, wanted in SETTINGS[find_dialect(dialect).name]:
        value = _read(connection, query, own_cursor=dialect != "duckdb")
        if not holds(value):
            found.append(wording.setting(name, value, wanted))
    if found:
        raise wording.connection_settings(dialect, found)


def _read(connection: Any, query: str, *, own_cursor: bool) -> Any:
    if not own_cursor:  # A cursor of DuckDB is a connection of its own, with settings of its own.
        return connection.execute(query).fetchone()[0]
    with closing(connection.cursor()) as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    return next(iter(row.values())) if isinstance(row, dict) else row[0]
