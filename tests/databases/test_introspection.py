"""``astra-filter schema``: schemas of tables as Python to paste."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from databases.backends import MYSQL_URL, POSTGRES_URL

from astra_filter.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

PEOPLE = """\
from astra_filter import Schema, fields

PEOPLE = Schema(
    {
        'id': fields.Integer(%s),
        'name': fields.String(%s),
    },
    key='id',
)
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["astra-filter", "schema", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return (caught.value.code or 0, *capsys.readouterr())  # type: ignore[return-value]

    return run


def test_files_of_sqlite(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE NOT NULL)")
    connection.execute("CREATE TABLE odd (id INTEGER PRIMARY KEY, photo BLOB)")
    connection.close()
    expected = PEOPLE % ("", "storage='nocase'")
    assert run(f"sqlite:{path}", "--table", "people", "--name", "PEOPLE") == (0, expected, "")
    assert run(f"sqlite:{path}", "--table", "main.people", "--name", "PEOPLE") == (0, expected, "")
    code, out, error = run(f"sqlite:{path}", "--table", "odd")
    assert (code, out) == (2, "")
    assert "photo: its declared type is BLOB" in error
    code, out, _ = run(f"sqlite:{path}", "--table", "odd", "--omit-unsupported")
    assert code == 0
    assert "photo" not in out
    code, _, error = run(f"sqlite:{path}", "--table", "people", "--name", "a b")
    assert (code, error) == (2, "--name: 'a b' is no name of Python\n")
    code, out, _ = run(f"sqlite:{path}", "--table", "people", "--format", "json")
    assert code == 0
    assert json.loads(out)["properties"]["name"]["type"] == "string"
    assert run(f"sqlite:{path}")[2] == "sqlite: say which table with --table\n"
    code, _, error = run(f"sqlite:{path}", "--table", "none")
    assert (code, error) == (2, "the database has no table or view 'none'\n")


def test_files_of_duckdb(run: Any, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = str(tmp_path / "people.duckdb")
    connection = duckdb.connect(path)
    connection.execute("CREATE TABLE people (id UBIGINT PRIMARY KEY, name VARCHAR)")
    connection.close()
    expected = PEOPLE % ("storage='ubigint'", "nullable=True")
    assert run(f"duckdb:///{path}", "--table", "people", "--name", "PEOPLE") == (0, expected, "")


def test_postgresql(run: Any, postgresql: Any) -> None:
    postgresql.execute("CREATE TABLE IF NOT EXISTS people (id smallint PRIMARY KEY, name varchar(9))")
    expected = PEOPLE % ("storage='smallint'", "max_length=9, nullable=True")
    code, out, error = run(POSTGRES_URL, "--table", f"{postgresql.namespace}.people", "--name", "PEOPLE")
    postgresql.execute("DROP TABLE people")
    assert (code, out.replace("binary=True, ", ""), error) == (0, expected, "")


def test_mysql(run: Any, mysql: Any) -> None:
    mysql.execute("CREATE TABLE people (id int PRIMARY KEY, name varchar(9) CHARACTER SET latin1)")
    expected = PEOPLE % ("", "max_length=9, nullable=True, storage='charset:latin1'")
    url = MYSQL_URL.replace("mysql://", "mariadb://")
    found = run(url, "--table", f"{mysql.namespace}.people", "--name", "PEOPLE")
    mysql.execute("DROP TABLE people")
    assert found == (0, expected, "")


@pytest.mark.parametrize(
    ("database", "said"),
    [
        (
            "oracle://x/y",
            "oracle://: there is no such database; known are duckdb, mariadb, mysql, postgres, postgresql, sqlite",
        ),
        ("sqlite:no such file", "no such file: the database cannot be opened: unable to open database file"),
        (f"sqlite:{__file__}", "the database cannot be opened: file is not a database"),
        ("postgresql://u:hush@127.0.0.1:1/x", "postgresql://127.0.0.1: the database cannot be opened: "),
        ("postgresql://u:hush@127.0.0.1:1/x?hush=1", "postgresql://127.0.0.1: the database cannot be opened: "),
        ("mysql://u:hush@127.0.0.1:1/x", "mysql://127.0.0.1: the database cannot be opened: "),
    ],
)
def test_databases_that_cannot_be_opened(run: Any, database: str, said: str) -> None:
    code, out, error = run(database, "--table", "t")
    assert (code, out) == (2, "")
    assert said in error
    assert "hush" not in error


def test_a_driver_that_is_not_there(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    _, _, error = run("postgresql://h/d", "--table", "t")
    assert error == "postgresql://h: this needs psycopg: pip install psycopg\n"
