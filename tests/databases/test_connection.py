"""Settings of sessions and databases that change what SQL means are found before they do (SPEC §5)."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from databases.backends import Mysql, Unreachable, unreachable

from astra_filter import Schema, SchemaError, StorageError, fields
from astra_filter.sql.connection import SETTINGS
from astra_filter.sql.dialects import DIALECTS

if TYPE_CHECKING:
    from databases.backends import Backend

SCHEMA = Schema({"id": fields.Integer(), "name": fields.String()}, key="id")


def test_every_dialect_has_settings() -> None:
    assert SETTINGS.keys() == DIALECTS.keys()
    with pytest.raises(SchemaError, match="there is no dialect"):
        SCHEMA.check_connection(sqlite3.connect(":memory:"), "oracle")


def test_usual_connections(backend: Backend) -> None:
    SCHEMA.check_connection(backend.connection, backend.name)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "setting", "undo", "found"),
    [
        ("postgresql", "SET extra_float_digits = 0", "RESET extra_float_digits", "extra_float_digits is '0'"),
        ("postgresql", "SET client_encoding = 'LATIN1'", "RESET client_encoding", "client_encoding is 'LATIN1'"),
        ("mysql", "SET sql_mode = 'EMPTY_STRING_IS_NULL'", "SET sql_mode = DEFAULT", "EMPTY_STRING_IS_NULL"),
        ("mysql", "SET max_sort_length = 64", "SET max_sort_length = DEFAULT", "max_sort_length is 64"),
        ("mysql", "SET sql_select_limit = 5", "SET sql_select_limit = DEFAULT", "sql_select_limit is 5"),
        ("duckdb", "SET default_collation = 'NOCASE'", "SET default_collation = ''", "default_collation is"),
        ("duckdb", "SET default_order = 'DESC'", "SET default_order = 'ASC'", "default_order is"),
    ],
)
def test_settings(request: pytest.FixtureRequest, name: str, setting: str, undo: str, found: str) -> None:
    backend: Any = request.getfixturevalue(name)
    backend.execute(setting)
    try:
        with pytest.raises(StorageError) as caught:
            SCHEMA.check_connection(backend.connection, name)
        assert caught.value.code == "connection_settings"
        assert found in str(caught.value)
    finally:
        backend.execute(undo)
    SCHEMA.check_connection(backend.connection, name)


@pytest.mark.database
def test_all_that_does_not_hold_is_said_at_once() -> None:
    try:
        backend = Mysql(charset="latin1")
    except Unreachable as error:
        unreachable("mysql", error)
    try:
        with pytest.raises(StorageError) as caught:
            SCHEMA.check_connection(backend.connection, "mysql")
        for name in ("character_set_client", "character_set_connection", "character_set_results"):
            assert f"{name} is 'latin1'" in str(caught.value)
    finally:
        backend.close()


def test_another_encoding_of_sqlite() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA encoding = 'UTF-16'")
    with pytest.raises(StorageError, match="encoding is 'UTF-16"):
        SCHEMA.check_connection(connection, "sqlite")
    connection.close()
