"""``astra-filter schema URL``: the schema of a table, as its database's catalogue tells it."""

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


def is_database(name: str) -> bool:
    """Whether a name is the URL of a database, and not a file."""
    return "://" in name or name.partition(":")[0] in ("sqlite", "duckdb")


def schema_of(database: str, table: str | None, key: str | None, *, omit_unsupported: bool) -> Schema:
    """Return the schema of a table, which a dot may qualify.

    Raises:
        InputError: there is no such database, its driver is not installed, or no table is named.
        SchemaError: as from `Schema.from_database`.
    """
    if table is None:
        raise messages.which_table_of(database.partition(":")[0])
    parts = tuple(table.split("."))
    options: dict[str, Any] = {} if key is None else {"key": key}
    with closing(_connect(database)) as connection:
        named = parts if len(parts) > 1 else table
        return Schema.from_database(connection, named, omit_unsupported=omit_unsupported, **options)


def _connect(database: str) -> Any:
    """Return a connection to the database of a URL.

    Raises:
        InputError: there is no such database, or its driver is not installed.
    """
    scheme = database.partition(":")[0]
    connect = _DATABASES.get(scheme)
    if connect is None:
        raise messages.unknown_scheme(scheme, sorted(_DATABASES))
    is_server = scheme not in ("sqlite", "duckdb")
    shown = f"{scheme}://{urlsplit(database).hostname or ''}" if is_server else _path(database)
    try:
        return connect(database)
    except ModuleNotFoundError as error:
        raise messages.missing_driver(shown, error) from None
    except OSError as error:
        raise messages.unreadable(shown, error) from None
    except Exception as error:  # noqa: BLE001  # Each driver has errors of its own.
        # A URL may hold a password, and no message does.
        password = urlsplit(database).password if is_server else None
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


def _path(url: str) -> str:
    """Return the path in ``sqlite:people.db``, ``sqlite:///people.db`` or ``sqlite:////data/people.db``."""
    return url.partition(":")[2].removeprefix("///")


def _sqlite(url: str) -> Any:
    connection = sqlite3.connect(f"{Path(_path(url)).resolve().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("SELECT 1 FROM sqlite_master")
    except BaseException:
        connection.close()
        raise
    return connection


def _duckdb(url: str) -> Any:
    import duckdb  # Only for its databases.

    return duckdb.connect(_path(url), read_only=True)


_DATABASES: Mapping[str, Callable[[str], Any]] = {
    "postgresql": _postgresql,
    "postgres": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
    "sqlite": _sqlite,
    "duckdb": _duckdb,
}
