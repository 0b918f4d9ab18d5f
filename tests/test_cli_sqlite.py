"""The command on SQLite databases that this library did not make (SPEC §4.6, §5)."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from astra_filter import Schema, fields
from astra_filter.cli import main
from astra_filter.cli.database import Table, _quoted
from astra_filter.sql import rows

A = "ae1e6561-9e22-406c-8a5a-762f4604da00"

# Every storage class, and text that is and is not what some field would have.
VALUES = [
    None,
    "",
    "a",
    "B",
    "é",
    "5",
    "true",
    A,
    A.upper(),
    A.replace("-", ""),
    "2020-08-06",
    "2020-02-30",
    "2020-08-06T12:24:52Z",
    "2020-08-06 14:24:52.000000+02:00",
    "2020-08-06T12:24:52.256624Z",
    "[]",
    '["a", "b", null, 1]',
    '[{"name": "env", "size": 1.0, "at": "2020-08-06T12:24:52Z"}, 3]',
    '{"name": "env", "at": "2020-08-06 12:24:52"}',
    '{"name": 5, "at": "never", "inner": {"id": "AE1E65619E22406C8A5A762F4604DA00"}}',
    '{"name": "\\ud800"}',
    "[1,",
    0,
    1,
    5,
    -(2**63),
    2**63 - 1,
    2**53 + 1,
    0.0,
    1.0,
    5.5,
    9223372036854775808.0,
    1e300,
    float("inf"),
    float("-inf"),
    b"a",
    b"[]",
    b"\xff",
]

TYPES = {
    "string": fields.String(nullable=True),
    "enum": fields.Enum("a", "B", nullable=True),
    "uuid": fields.Uuid(nullable=True),
    "integer": fields.Integer(nullable=True),
    "number": fields.Number(nullable=True),
    "boolean": fields.Boolean(nullable=True),
    "timestamp": fields.Timestamp(nullable=True),
    "date": fields.Date(nullable=True),
    "strings": fields.Array(fields.String(), nullable=True),
    "map": fields.Map(fields.String(), nullable=True),
    "objects": fields.Array(
        fields.Object({"name": fields.String(), "size": fields.Integer(), "at": fields.Timestamp()}), nullable=True
    ),
    "object": fields.Object(
        {
            "name": fields.String(nullable=True),
            "at": fields.Timestamp(nullable=True),
            "inner": fields.Object({"id": fields.Uuid(nullable=True)}, nullable=True),
        },
        nullable=True,
    ),
}

FILTERS = [
    "string eq 'a'",
    "string lt 'b'",
    "string gte ''",
    "string contains '20'",
    "string ne 'a'",
    "string in ('5', null)",
    "enum eq 'B'",
    "enum not in ('a')",
    f"uuid eq '{A}'",
    "uuid eq null",
    "integer eq 5",
    "integer eq 1",
    "integer gt 9007199254740992",
    "integer lte 0",
    "integer ne 1",
    "number eq 1",
    "number gt 1e299",
    "number lt 0",
    "number eq null",
    "boolean eq true",
    "boolean ne true",
    "boolean eq null",
    "integer eq null",
    "integer eq 9223372036854775807",
    "integer eq -9223372036854775808",
    "timestamp eq '2020-08-06T12:24:52Z'",
    "timestamp gt '2020-08-06T12:24:52Z'",
    "timestamp eq null",
    "date eq '2020-08-06'",
    "date ne '2020-08-06'",
    "strings eq 'a'",
    "strings eq null",
    "strings ne 'b'",
    "objects[name eq 'env' and size eq 1]",
    "objects.at eq '2020-08-06T12:24:52Z'",
    "objects.name eq null",
    "object.name eq 'env'",
    "object.name eq null",
    "object.at lt '2021-01-01'",
    f"object.inner.id eq '{A}'",
]


def make(path, script, table=None, values=()):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(script)
        if values:
            marks = ", ".join("?" * len(values[0]))
            connection.executemany(f"INSERT INTO {_quoted(table)} VALUES ({marks})", values)
    return str(path)


@pytest.fixture(scope="module")
def messy(tmp_path_factory):
    """A table whose columns hold every value, as nobody's library would have stored it."""
    columns = ", ".join(["id INTEGER PRIMARY KEY", *TYPES])
    values = [[number, *[value] * len(TYPES)] for number, value in enumerate(VALUES)]
    return make(tmp_path_factory.mktemp("db") / "messy.db", f"CREATE TABLE t ({columns})", "t", values)


@pytest.mark.parametrize("text", [*FILTERS, *(f"not ({text})" for text in FILTERS)])
def test_sql_selects_what_the_predicate_selects(messy, text):
    schema = Schema({"id": fields.Integer(), **TYPES}, key="id")
    chosen = schema.compile(text)
    expected = []
    for number, value in enumerate(VALUES):
        stored = None if isinstance(value, bytes) else value
        row = {"id": number, **dict.fromkeys(TYPES, stored)}
        row["boolean"] = {0: False, 1: True}.get(value) if type(value) is int else None
        if chosen.matches(rows.from_row(schema, row)):
            expected.append([number])
    with closing(Table(Path(messy), messy, None)) as table:
        page = table.page(schema.query([("filter", text), ("include", "id"), ("count", "true")]))
    assert page.items == expected
    assert page.total == len(expected)


def run(capsys, *arguments):
    """Run the command; return its status, output and errors."""
    try:
        main(arguments)
    except SystemExit as stop:
        status = stop.code
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def lines(capsys, *arguments):
    status, out, err = run(capsys, "query", *arguments, "--format", "jsonl")
    assert (status, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


SCRIPT = """
CREATE TABLE "the ""x"" tasks" (
    Id TEXT PRIMARY KEY, name VARCHAR(20) COLLATE NOCASE, size INTEGER, cost NUMERIC, done BOOLEAN, at DATETIME,
    labels JSON, data BLOB, absent REAL, nobody INT, never TEXT, twice AS (size * 2)
);
CREATE VIEW large AS SELECT name, size FROM "the ""x"" tasks" WHERE size > 1;
"""
TASKS = [
    ("k1", "a", 1, 1, 1, "2020-08-06 12:24:52", '[{"name": "env"}]', b"x", None, None, None),
    ("k2", "A", 2, 1, 0, "2020-08-06T12:24:52+02:00", "[]", b"y", None, None, None),
    ("k3", b"a", "many", 2.5, None, None, None, None, None, None, None),
]


@pytest.fixture
def tasks(tmp_path):
    return make(tmp_path / "tasks.db", SCRIPT, 'the "x" tasks', TASKS)


def test_the_fields_of_a_table_are_inferred(tasks):
    with closing(Table(Path(tasks), tasks, 'THE "X" TASKS')) as table:
        found = {name: field.type for name, field in table.members().items()}
    assert found == {
        "Id": "string",
        "name": "string",
        "size": "integer",
        "cost": "number",
        "done": "boolean",
        "at": "timestamp",
        "labels": "array",
        "absent": "number",
        "nobody": "integer",
        "never": "string",
        "twice": "integer",
    }


def test_a_table_is_queried(capsys, tasks):
    arguments = (tasks, "--table", 'the "x" tasks', "--include", "Id,name,at,labels")
    assert lines(capsys, *arguments) == [
        ["k1", "a", "2020-08-06T12:24:52.000000Z", [{"name": "env"}]],
        ["k2", "A", "2020-08-06T10:24:52.000000Z", []],
        ["k3", None, None, None],
    ]
    assert [row[0] for row in lines(capsys, *arguments, "--filter", "name eq 'a'")] == ["k1"]
    assert [row[0] for row in lines(capsys, *arguments, "--filter", "name lt 'a'")] == ["k2"]
    assert [row[0] for row in lines(capsys, *arguments, "--filter", "size ne 1")] == ["k2", "k3"]
    assert [row[0] for row in lines(capsys, *arguments, "--order-by", "size desc")] == ["k2", "k1", "k3"]


def test_pages_follow_one_another(capsys, tasks):
    arguments = ("query", tasks, "--table", 'the "x" tasks', "--include", "Id", "--limit", "2", "--format", "json")
    first = json.loads(run(capsys, *arguments, "--count")[1])
    assert (first["items"], first["metadata"]["count"]) == ([["k1"], ["k2"]], 3)
    second = json.loads(run(capsys, *arguments, "--continue", first["metadata"]["continue"])[1])
    assert second == {"items": [["k3"]], "metadata": {}}


def test_a_view_is_queried(capsys, tasks):
    assert lines(capsys, tasks, "--table", "large", "--filter", "name eq 'A'") == [{"name": "A", "size": 2}]


def test_a_schema_says_what_the_columns_are(capsys, tasks, tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text(
        json.dumps({"properties": {"ID": {"type": "string"}, "at": {"type": "string"}}, "required": ["ID", "at"]})
    )
    arguments = (tasks, "--table", 'the "x" tasks', "--schema", str(schema))
    assert lines(capsys, *arguments, "--filter", "at contains '+02'") == [
        {"ID": "k2", "at": "2020-08-06T12:24:52+02:00"}
    ]
    # A null in a column that was declared never null is no reason to lose a row.
    assert lines(capsys, *arguments, "--filter", "at ne '2020-08-06 12:24:52'", "--include", "ID") == [
        ["k2"],
        ["k3"],
    ]


def test_a_missing_column_is_an_error(capsys, tasks, tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text('{"properties": {"state": {"type": "string"}}}')
    status, out, err = run(capsys, "query", tasks, "--table", "large", "--schema", str(schema))
    assert (status, out) == (2, "")
    assert err == f"{tasks}, table large: there is no column 'state'; there are: name, size\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), 'say which table to read with --table; there are: large, the "x" tasks'),
        (("--table", "x"), "there is no table 'x'; there are: large, the \"x\" tasks"),
        (("--table", "sqlite_master"), "there is no table 'sqlite_master'"),
        (("--table", "large", "--key", "x"), "'x' cannot be the key: there is no such field at the top level"),
    ],
)
def test_a_missing_table_or_key_is_an_error(capsys, tasks, arguments, message):
    status, out, err = run(capsys, "query", tasks, *arguments)
    assert (status, out) == (2, "")
    assert message in err


def test_only_what_identifies_the_rows_is_a_key(capsys, tmp_path):
    script = "CREATE TABLE t (a TEXT PRIMARY KEY, b INTEGER, c INTEGER, d JSON)"
    values = [("x", 1, 1, "[]"), (None, 2, 1, "[]"), (b"x", 3, "3", "[]")]
    file = make(tmp_path / "t.db", script, "t", values)
    arguments = ("query", file, "--include", "b", "--limit", "1", "--format", "jsonl")
    # The primary key of another's table may be null.
    assert run(capsys, *arguments) == (
        0,
        "[1]\n",
        "more follow; to continue there, name the field that identifies a resource with --key\n",
    )
    status, out, err = run(capsys, *arguments, "--key", "b", "--order-by", "b desc")
    assert (status, out, err[:40]) == (0, "[3]\n", "more follow; the next page: --continue A")
    for name, reason in {
        "c": "it is missing or null",
        "a": "it is missing or null",
        "d": "it cannot be sorted by",
    }.items():
        status, _, err = run(capsys, *arguments, "--key", name)
        assert status == 2
        assert f"table t: '{name}' cannot be the key: {reason}" in err


def test_indexes_serve_columns_that_need_no_test(tmp_path):
    script = (
        "CREATE TABLE loose (id INTEGER PRIMARY KEY, name TEXT);"
        "CREATE TABLE strict (id INTEGER PRIMARY KEY, name TEXT) STRICT; CREATE INDEX i ON strict (name);"
    )
    file = Path(make(tmp_path / "t.db", script))
    schema = Schema({"id": fields.Integer(), "name": fields.String(nullable=True)}, key="id")

    def plan(name, text):
        with closing(Table(file, "t.db", name)) as table:
            request = schema.query([("filter", text)])
            table.page(request)
            statement = request.sql(name, "sqlite")
            found = table._connection.execute("EXPLAIN QUERY PLAN " + statement.text, statement.params)
            return " ".join(row[-1] for row in found)

    assert "SEARCH main.loose USING INTEGER PRIMARY KEY" in plan("loose", "id eq 5")
    assert "SEARCH main.strict USING COVERING INDEX i" in plan("strict", "name eq 'a'")
    assert "SCAN main.loose" in plan("loose", "name eq 'a'")


def test_integers_so_far_may_be_numbers(tmp_path):
    script = "CREATE TABLE t (a NUMERIC, b, c INTEGER, d REAL)"
    file = make(tmp_path / "t.db", script, "t", [(1, 1, 1, 1)])
    with closing(Table(Path(file), file, None)) as table:
        found = {name: field.type for name, field in table.members().items()}
    assert found == {"a": "number", "b": "integer", "c": "integer", "d": "number"}


def test_what_looks_like_json_and_is_not_is_text(tmp_path):
    values = [("[x]", "{}", "[[1]]", "[]", "[1]", "[1]")] * 2 + [("[]", "{}", "[[1]]", "[]", "[1]", 5)]
    file = make(tmp_path / "t.db", "CREATE TABLE t (a, b, c, d, e, f)", "t", values)
    with closing(Table(Path(file), file, None)) as table:
        found = {name: field.type for name, field in table.members().items()}
    assert found == {"a": "string", "b": "string", "c": "string", "d": "array", "e": "array", "f": "string"}


def test_text_that_is_not_utf8_counts_as_null(capsys, tmp_path):
    script = """
        CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT);
        INSERT INTO t VALUES (1, CAST(x'61FE' AS TEXT)), (2, CAST(x'61FF' AS TEXT)), (3, 'a'), (4, CAST(x'EDA080' AS TEXT));
    """
    file = make(tmp_path / "t.db", script)
    arguments = (file, "--order-by", "s", "--include", "id,s")
    assert lines(capsys, *arguments) == [[1, None], [2, None], [4, None], [3, "a"]]
    found = []
    more = []
    while more is not None:
        page = json.loads(run(capsys, "query", *arguments, "--limit", "1", "--format", "json", *more)[1])
        found += page["items"]
        token = page["metadata"].get("continue")
        more = None if token is None else ("--continue", token)
        assert len(found) < 9
    assert found == [[1, None], [2, None], [4, None], [3, "a"]]


def test_text_that_is_not_utf8_in_a_strict_table_is_an_error(capsys, tmp_path):
    # Its columns are read as they are, so that their indexes serve.
    file = make(tmp_path / "t.db", "CREATE TABLE t (a TEXT) STRICT; INSERT INTO t VALUES (CAST(x'61FF' AS TEXT))")
    status, out, err = run(capsys, "query", file)
    assert (status, out) == (2, "")
    assert err.startswith(f"{file}: SQLite says: Could not decode to UTF-8 column 'a'")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["string", "timestamp", "array"])
def test_text_that_is_not_utf8_stops_no_query(capsys, tmp_path, kind):
    value = {"string": "a", "timestamp": "2020-01-01T00:00:00.000000Z", "array": "[1]"}[kind]
    script = f"""
        CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
        WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 10001) INSERT INTO t SELECT x, '{value}' FROM n;
        INSERT INTO t VALUES (10002, CAST(x'63616666e9' AS TEXT));
    """
    file = make(tmp_path / "t.db", script)
    assert lines(capsys, file, "--filter", "v eq null") == [{"id": 10002}]
    if kind != "array":
        status, out, _ = run(capsys, "query", file, "--order-by", "v", "--limit", "1", "--format", "jsonl")
        assert (status, out) == (0, '{"id": 10002}\n')


def test_a_collation_of_the_table_tells_no_keys_alike(capsys, tmp_path):
    script = "CREATE TABLE t (k TEXT COLLATE NOCASE) STRICT; INSERT INTO t VALUES ('b'), ('a'), ('A')"
    file = make(tmp_path / "t.db", script)
    assert lines(capsys, file, "--key", "k") == [{"k": "A"}, {"k": "a"}, {"k": "b"}]
    assert lines(capsys, file, "--key", "k", "--filter", "k eq 'a'") == [{"k": "a"}]
    assert lines(capsys, file, "--key", "k", "--filter", "k gt 'A'", "--order-by", "k desc") == [{"k": "b"}, {"k": "a"}]


def test_columns_without_a_name_are_left_out(capsys, tmp_path):
    file = make(tmp_path / "t.db", 'CREATE TABLE t (a, ""); INSERT INTO t VALUES (1, 2)')
    assert lines(capsys, file) == [{"a": 1}]


@pytest.mark.parametrize("script", ["CREATE TABLE t (a); INSERT INTO t VALUES (x'00')", 'CREATE TABLE t ("")'])
def test_a_table_without_a_field_is_refused(capsys, tmp_path, script):
    file = make(tmp_path / "t.db", script)
    assert run(capsys, "query", file) == (
        2,
        "",
        f"{file}, table t: no member has a value that tells its type; say what fields there are with --schema\n",
    )


def test_the_database_is_not_written_to(tmp_path):
    file = Path(make(tmp_path / "t.db", "CREATE TABLE t (a)"))
    with closing(Table(file, "t.db", None)) as table, pytest.raises(sqlite3.OperationalError, match="readonly"):
        table._connection.execute("INSERT INTO main.t VALUES (1)")


def test_utf16_databases_are_refused(capsys, tmp_path):
    # Their text sorts by code unit, and so differently past U+FFFF.
    file = make(tmp_path / "t.db", "PRAGMA encoding = 'UTF-16'; CREATE TABLE t (a)")
    assert run(capsys, "query", file) == (
        2,
        "",
        f"{file}: this database keeps its text as UTF-16, whose order SQLite gets wrong\n",
    )


def test_a_file_that_is_no_database_is_an_error(capsys, tmp_path):
    file = tmp_path / "t.db"
    file.write_bytes(b"SQLite format 3\0 but not really")
    assert run(capsys, "query", str(file)) == (
        2,
        "",
        f"{file}: not a database that SQLite can read: file is not a database\n",
    )
    file.write_bytes(b"")
    assert run(capsys, "query", str(file)) == (2, "", f"{file}: there is no table in this database\n")
    file = tmp_path / "tasks.sqlite"
    file.write_text('{"items": []}')
    assert "not a database that SQLite can read" in run(capsys, "query", str(file))[2]


def test_what_sqlite_cannot_do_is_an_error(capsys, tmp_path):
    file = make(tmp_path / "t.db", "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        broken = "CREATE VIEW v AS SELECT gone(a) AS a FROM t"
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'v'", (broken,))
    status, out, err = run(capsys, "query", file, "--table", "v")
    assert (status, out) == (2, "")
    assert err.startswith(f"{file}: SQLite says: no such function: gone")


def test_sql_for_a_table(capsys, tasks):
    arguments = ("sql", "--sample", tasks, "--table", 'the "x" tasks', "--include", "Id")
    status, out, _ = run(capsys, *arguments, "--filter", "at lt '2021-01-01'")
    assert status == 0
    assert out.startswith("SELECT ")
    assert 'FROM "the ""x"" tasks"' in out
    assert out.endswith('["2021-01-01T00:00:00.000000Z"]\n')


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads processor times from /proc")
@pytest.mark.slow
def test_ctrl_c_ends_a_long_query(tmp_path):
    script = "CREATE VIEW t AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    file = make(tmp_path / "t.db", script)
    command = [sys.executable, "-m", "astra_filter.cli", "query", file, "--filter", "x lt 0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        # Start-up and the sample take less than this; the endless query takes the rest.
        while _processor_seconds(process.pid) < 4:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (-signal.SIGINT, b"", b"")


def _processor_seconds(pid):
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
