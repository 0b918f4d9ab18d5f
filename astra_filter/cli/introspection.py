"""The schema of a table, as its database's catalogue tells it: for ``astra-filter schema``."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from astra_filter.cli import messages
from astra_filter.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SQLITE_MAGIC = b"SQLite format 3\0"
_DUCKDB_MAGIC = slice(8, 12)


def is_database(name: str) -> bool:
    """Whether a command line names a database: by a URL, or as the file of an SQLite or DuckDB database."""
    if "://" in name:
        return True
    try:
        with Path(name).open("rb") as file:
            head = file.read(len(_SQLITE_MAGIC))
    except OSError:
        return False
    return head == _SQLITE_MAGIC or head[_DUCKDB_MAGIC] == b"DUCK"


def of_catalogue(database: str, table: str, *, omit_unsupported: bool) -> Schema:
    """Return the schema of a database's table, as the catalogue tells it.

    Args:
        database: a URL, or the file of an SQLite or DuckDB database.
        table: the table or view; qualified with a dot.
        omit_unsupported: leave out columns that no storage holds.

    Raises:
        InputError: there is no such database, or its driver is not installed.
        SchemaError: there is no such table, or no storage holds a column of it.
    """
    parts = tuple(table.split("."))
    with closing(_connect(database)) as connection:
        return Schema.from_database(connection, parts if len(parts) > 1 else table, omit_unsupported=omit_unsupported)


def _connect(database: str) -> Any:
    """Return a connection to a database that is named by a URL or is a file.

    Raises:
        InputError: there is no such database, or its driver is not installed.
    """
    scheme = database.partition("://")[0] if "://" in database else ""
    if scheme:
        connect = _SERVERS.get(scheme)
        if connect is None:
            raise messages.unknown_scheme(scheme, sorted(_SERVERS))
        shown = f"{scheme}://{urlsplit(database).hostname or ''}"
    else:
        connect, shown = _file, database
    try:
        return connect(database)
    except ModuleNotFoundError as error:
        raise messages.missing_driver(shown, error) from None
    except OSError as error:
        raise messages.unreadable(shown, error) from None
    except Exception as error:  # noqa: BLE001  # Each driver has errors of its own.
        # A URL may hold a password, and no message does.
        password = urlsplit(database).password if scheme else None
        told = str(error)
        raise messages.unreachable(shown, type(error).__name__ if password and password in told else told) from None


def _postgresql(url: str) -> Any:
    import psycopg  # Only for its databases.

    return psycopg.connect(url, connect_timeout=10)


def _mysql(url: str) -> Any:
    import pymysql  # type: ignore[import-untyped]  # Only for its databases.

    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.lstrip("/")) or None,
        charset="utf8mb4",
        connect_timeout=10,
    )


def _file(path: str) -> Any:
    with Path(path).open("rb") as file:
        head = file.read(_DUCKDB_MAGIC.stop)
    if head[_DUCKDB_MAGIC] == b"DUCK":
        import duckdb  # Only for its databases.

        return duckdb.connect(path, read_only=True)
    connection = sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("SELECT 1 FROM sqlite_master")
    except BaseException:
        connection.close()
        raise
    return connection


_SERVERS: Mapping[str, Callable[[str], Any]] = {
    "postgresql": _postgresql,
    "postgres": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
}
