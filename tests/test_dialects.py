"""Fragments, placeholder styles and dialects (SPEC §5), and the styles in the drivers that speak them."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import pytest
from databases.backends import POSTGRES_URL, unreachable

from astra_filter import Schema, SchemaError, fields
from astra_filter.sql import SQL
from astra_filter.sql.dialects import DIALECTS, find_dialect
from astra_filter.sql.fragment import Fragment, Param, Verbatim

NAME = Param(0)
SIZE = Param(1, str)
EXAMPLE = Fragment("a = ", NAME, " AND b % 2 = ", SIZE, " OR c = ", NAME, " OR d = ", Param(None, value=7))


@pytest.mark.parametrize(
    ("style", "first", "text", "params"),
    [
        ("?", 1, "a = ? AND b % 2 = ? OR c = ? OR d = ?", ("x", "5", "x", 7)),
        ("%s", 1, "a = %s AND b %% 2 = %s OR c = %s OR d = %s", ("x", "5", "x", 7)),
        ("$1", 1, "a = $1 AND b % 2 = $2 OR c = $1 OR d = $3", ("x", "5", 7)),
        ("$1", 10, "a = $10 AND b % 2 = $11 OR c = $10 OR d = $12", ("x", "5", 7)),
        (":p1", 3, "a = :p3 AND b % 2 = :p4 OR c = :p3 OR d = :p5", {"p3": "x", "p4": "5", "p5": 7}),
    ],
)
def test_placeholder_styles(style, first, text, params):
    prepared = EXAMPLE.prepare(style, first)
    assert prepared.bind(("x", 5)) == SQL(text, params)
    # Bound again, nothing of the last values is left; values that no placeholder asks for are passed over.
    assert prepared.bind(("y", 6, "unused")).params == (
        {name: {"x": "y", "5": "6"}.get(value, value) for name, value in params.items()}
        if isinstance(params, dict)
        else tuple({"x": "y", "5": "6"}.get(value, value) for value in params)
    )


def test_a_percent_sign_is_doubled_without_parameters_too():
    assert Fragment("a % 2 = 1").prepare("%s").bind(()) == SQL("a %% 2 = 1", ())


@pytest.mark.parametrize(
    ("style", "condition", "names", "text", "params"),
    [
        ("?", "t = ? AND u LIKE 'x%'", (), "(t = ? AND u LIKE 'x%') AND a = ?", ("acme", "x")),
        # The caller's text is in the driver's style already.
        ("%s", "t = %s AND u LIKE 'x%%'", (), "(t = %s AND u LIKE 'x%%') AND a = %s", ("acme", "x")),
        ("$1", "t = $1", (), "(t = $1) AND a = $2", ("acme", "x")),
        (":p1", "t = :tenant", ("tenant",), "(t = :tenant) AND a = :p1", {"tenant": "acme", "p1": "x"}),
        (":p1", "t = :p1", ("p1",), "(t = :p1) AND a = :p2", {"p1": "acme", "p2": "x"}),
    ],
)
def test_verbatim_text(style, condition, names, text, params):
    verbatim = Verbatim(condition, (Param(None, value="acme"),), names)
    whole = Fragment(Fragment(verbatim).parenthesised(), " AND a = ", NAME)
    assert whole.prepare(style).bind(("x",)) == SQL(text, params)


def test_joining():
    joined = Fragment.join(", ", ["a", NAME, Fragment("b ", SIZE)])
    assert joined.prepare("?").text == "a, ?, b ?"
    assert Fragment.join(", ", []).prepare("?").text == ""


def test_unknown_names():
    with pytest.raises(SchemaError) as caught:
        find_dialect("oracle")
    assert caught.value.code == "unknown_dialect"
    assert all(name in str(caught.value) for name in DIALECTS)
    with pytest.raises(SchemaError) as caught:
        find_dialect("mysql").style("$1")
    assert caught.value.code == "unknown_placeholders"
    assert "%s, ?" in str(caught.value)
    compiled = Schema({"a": fields.String()}).compile("a eq 'x'")
    for arguments in ({"dialect": "SQLite"}, {"dialect": "sqlite", "placeholders": "%s"}):
        with pytest.raises(SchemaError):
            compiled.sql(**arguments)


def test_styles_by_dialect():
    assert {name: record.placeholders for name, record in DIALECTS.items()} == {
        "sqlite": ("?", ":p1"),
        "postgresql": ("%s", "$1", ":p1"),
        "mysql": ("%s", "?"),
        "duckdb": ("?", "$1"),
    }


def test_identifiers():
    assert find_dialect("postgresql").identifier('a"b`c') == '"a""b`c"'
    assert find_dialect("mysql").identifier('a"b`c') == '`a"b``c`'
    assert find_dialect("sqlite").column("a", "t").prepare("?").text == '"t"."a"'


SCHEMA = Schema(
    {
        "id": fields.Uuid(),
        "text": fields.String(nullable=True),
        "state": fields.Enum("on", "off", nullable=True),
        "n": fields.Integer(nullable=True),
        "x": fields.Number(nullable=True),
        "ok": fields.Boolean(nullable=True),
        "at": fields.Timestamp(nullable=True),
        "day": fields.Date(nullable=True),
        "tags": fields.Array(fields.String(), nullable=True),
        "o": fields.Object(
            {
                "text": fields.String(nullable=True),
                "id": fields.Uuid(nullable=True),
                "n": fields.Integer(nullable=True),
                "x": fields.Number(nullable=True),
                "ok": fields.Boolean(nullable=True),
                "at": fields.Timestamp(nullable=True),
                "day": fields.Date(nullable=True),
                "back\\slash": fields.String(nullable=True),
            }
        ),
    },
    key="id",
)
RESOURCE = {
    "id": "ae1e6561-9e22-406c-8a5a-762f4604da00",
    "text": "é😀",
    "state": "on",
    "n": 2**53 + 1,
    "x": 0.1,
    "ok": True,
    "at": datetime(2020, 8, 6, 12, 24, 52, 256624, UTC),
    "day": date(2020, 8, 6),
    "tags": ["a", "b"],
}
RESOURCE["o"] = {**{name: RESOURCE[name] for name in ("text", "id", "n", "x", "ok", "at", "day")}, "back\\slash": "x"}
EMPTY = {"id": "00000000-0000-0000-0000-000000000000"}
TESTS = [
    "id eq 'AE1E6561-9E22-406C-8A5A-762F4604DA00'",
    "text eq 'é😀'",
    "text startswith 'é'",
    "text endswith '😀'",
    "text contains '😀'",
    "text gte 'é' and text lt 'ê'",
    "text in ('x', 'é😀')",
    "state in ('on', 'off')",
    "n eq 9007199254740993",
    "n in (1, 9007199254740993)",
    "x eq 0.1",
    "ok eq true",
    "at eq '2020-08-06T14:24:52.256624+02:00'",
    "at in ('2020-08-06T12:24:52.256624Z', '2021-01-01')",
    "day lte '2020-08-06'",
    "tags eq 'a' and tags ne 'c'",
    "tags contains 'b'",
    "o.text eq 'é😀'",
    "o.text endswith '😀'",
    "o.id eq 'AE1E6561-9E22-406C-8A5A-762F4604DA00'",
    "o.n eq 9007199254740993",
    "o.x eq 0.1",
    "o.ok eq true",
    "o.at gt '2020-08-06T12:24:52.256623Z'",
    "o.day eq '2020-08-06'",
    r"o.`back\slash` eq 'x'",
]


@pytest.mark.parametrize("style", ["?", ":p1"])
def test_styles_in_sqlite3(sqlite, style):
    with sqlite.table(SCHEMA, [RESOURCE, EMPTY]) as table:
        for text in TESTS:
            assert table.select(SCHEMA.compile(text), placeholders=style) == [0], text


@pytest.mark.parametrize("style", ["?", "$1"])
def test_styles_in_duckdb(duckdb, style):
    with duckdb.table(SCHEMA, [RESOURCE, EMPTY]) as table:
        for text in TESTS:
            assert table.select(SCHEMA.compile(text), placeholders=style) == [0], text


def test_styles_in_asyncpg(postgresql):
    """asyncpg sends typed parameters: each must have the type that its place has on the server."""
    asyncpg = pytest.importorskip("asyncpg")

    async def select(table: str) -> None:
        connection = await asyncpg.connect(POSTGRES_URL)
        try:
            for text in TESTS:
                condition = SCHEMA.compile(text).sql("postgresql", placeholders="$1", first=2)
                statement = f"SELECT position_ FROM {table} WHERE position_ >= $1 AND ({condition.text})"
                found = await connection.fetch(statement, 0, *condition.params)
                assert [row["position_"] for row in found] == [0], text
        finally:
            await connection.close()

    with postgresql.table(SCHEMA, [RESOURCE, EMPTY], temporary=False) as table:
        asyncio.run(select(f"{postgresql.namespace}.{table.quoted}"))


def quoted(value):
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


ENDS = {
    "t": ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "2020-08-06T12:24:52.000001Z"],
    "d": ["0001-01-01", "9999-12-31", "2020-08-06"],
    "i": [-(2**63), 2**63 - 1, 0],
    "n": [-1.7976931348623157e308, 1.7976931348623157e308, 5e-324],
    "s": ["", "\U0010ffff", "a"],
    "b": [False, True, False],
    "u": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", RESOURCE["id"]],
}
"""The first value of each type, the last, and one between."""
BOUNDARIES = Schema(
    {
        "id": fields.Integer(),
        "t": fields.Timestamp(),
        "d": fields.Date(),
        "i": fields.Integer(),
        "n": fields.Number(),
        "s": fields.String(binary=True),
        "b": fields.Boolean(),
        "u": fields.Uuid(),
    },
    key="id",
)
END_ROWS = [{"id": place, **{name: values[place] for name, values in ENDS.items()}} for place in range(3)]
END_TESTS = [
    f"{name} {operator} {quoted(values[place])}"
    for name, values in ENDS.items()
    for place in range(3)
    for operator in (("eq", "ne") if name == "b" else ("eq", "ne", "lt", "lte", "gt", "gte"))
    if name != "u" or operator in ("eq", "ne")
]


def test_the_ends_of_the_range(backend):
    with backend.table(BOUNDARIES, END_ROWS) as table:
        for text in END_TESTS:
            chosen = BOUNDARIES.compile(text)
            assert table.select(chosen) == [place for place, row in enumerate(END_ROWS) if chosen.matches(row)], text


def test_the_ends_of_the_range_in_asyncpg(postgresql):
    """It sends the first and last dates and datetimes of Python as infinities, which equal nothing."""
    asyncpg = pytest.importorskip("asyncpg")

    async def select(table: str) -> None:
        connection = await asyncpg.connect(POSTGRES_URL)
        try:
            for text in END_TESTS:
                chosen = BOUNDARIES.compile(text)
                condition = chosen.sql("postgresql", placeholders="$1")
                statement = f"SELECT id FROM {table} WHERE {condition.text} ORDER BY id"
                found = [row["id"] for row in await connection.fetch(statement, *condition.params)]
                assert found == [row["id"] for row in END_ROWS if chosen.matches(row)], text
            for order in ("t", "t desc", "d", "d desc"):
                token = ""
                walked = []
                for _ in range(3):
                    parameters = {"orderBy": order, "limit": "1", **({"continue": token} if token else {})}
                    query = BOUNDARIES.query(parameters)
                    made = query.sql("page", "postgresql", placeholders="$1")
                    rows = await connection.fetch(
                        made.text.replace('FROM "page"', f'FROM {table} AS "page"'), *made.params
                    )
                    page = query.page_from_rows([tuple(row.values()) for row in rows])
                    walked += page.items
                    token = page.next_token
                assert walked == BOUNDARIES.query({"orderBy": order}).page(END_ROWS).items
        finally:
            await connection.close()

    with postgresql.table(BOUNDARIES, END_ROWS, temporary=False) as table:
        asyncio.run(select(f"{postgresql.namespace}.{table.quoted}"))


def test_the_ends_of_the_range_in_aiosqlite():
    aiosqlite = pytest.importorskip("aiosqlite")

    async def select() -> None:
        async with aiosqlite.connect(":memory:") as connection:
            await connection.execute(BOUNDARIES.create_table("t", "sqlite"))
            for row in END_ROWS:
                stored = BOUNDARIES.to_row(row, "sqlite")
                await connection.execute(
                    f"INSERT INTO t VALUES ({','.join('?' * len(stored))})", tuple(stored.values())
                )
            for text in END_TESTS:
                chosen = BOUNDARIES.compile(text)
                condition = chosen.sql("sqlite")
                found = await connection.execute_fetchall(
                    f"SELECT id FROM t WHERE {condition.text} ORDER BY id", condition.params
                )
                assert [number for (number,) in found] == [row["id"] for row in END_ROWS if chosen.matches(row)], text

    asyncio.run(select())


def test_question_marks_on_mysql(mysql):
    """No driver of the test suite speaks them, so a prepared statement does, with the parameters in its variables."""
    with mysql.table(SCHEMA, [RESOURCE, EMPTY]) as table:
        for text in TESTS:
            condition = SCHEMA.compile(text).sql("mysql", placeholders="?")
            assert "%s" not in condition.text
            mysql.execute("PREPARE chosen FROM %s", (f"SELECT position_ FROM {table.quoted} WHERE {condition.text}",))
            names = [f"@p{number}" for number in range(len(condition.params))]
            for name, value in zip(names, condition.params, strict=True):
                mysql.execute(f"SET {name} = %s", (value,))
            assert mysql.execute(f"EXECUTE chosen USING {', '.join(names)}") == [(0,)], text
    mysql.execute("DEALLOCATE PREPARE chosen")


def test_psycopg_with_parameters_bound_by_the_server(postgresql):
    """After five executions psycopg prepares a statement; so this is another way to the server."""
    with postgresql.table(SCHEMA, [RESOURCE, EMPTY]) as table:
        for text in TESTS:
            condition = SCHEMA.compile(text).sql("postgresql")
            statement = f"SELECT position_ FROM {table.quoted} WHERE {condition.text}"
            cursor = postgresql.connection.execute(statement, condition.params, prepare=True)
            assert cursor.fetchall() == [(0,)], text


def test_databases_are_not_skipped_in_ci(monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception):
        unreachable("duckdb", OSError())
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception):
        unreachable("duckdb", OSError())
