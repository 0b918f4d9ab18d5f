"""The command on the kinds of files that people have: nothing is lost, and counts are those of DuckDB (SPEC §2, §6)."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import yaml
import zstandard
from pyarrow import ipc, parquet
from schemas import SCHEMAS

from astra_filter import Schema
from astra_filter.cli import main

COMMAND = [sys.executable, "-m", "astra_filter.cli"]
# The package is this one, whatever folder the command runs in.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}


@pytest.fixture
def run(capfdbinary, monkeypatch, tmp_path):
    """Run the command in a folder of its own; return its status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        printed = capfdbinary.readouterr()
        return stopped.value.code or 0, printed.out.decode(), printed.err.decode()

    return run


@pytest.fixture
def file(tmp_path):
    def file(name, content):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return file


# Nothing is lost -----------------------------------------------------------------------------------------------------

AS_WRITTEN = [
    '{"z": 1, "a": 12345678901234567890, "n": 1.10, "e": 1E2, "t": "2020-08-06T12:24:45Z", "m": [[1, 2], [3]]}',
    '{"a": 1, "o": {}, "x": {"y": []}, "u": "A5F3E1D2-9E22-406C-8A5A-762F4604DA00", "n": 110}',
    '{"a": {"b": 1}, "n": null}',
    '{"a": "s"}',
]


@pytest.mark.parametrize("name", ["t.jsonl", "t.json"])
def test_documents_are_printed_as_they_are_written(run, file, name):
    text = "\n".join(AS_WRITTEN) if name == "t.jsonl" else "[" + ",\n ".join(AS_WRITTEN) + "]"
    expected = "".join(line + "\n" for line in AS_WRITTEN)
    assert run("query", file(name, text), "--format", "jsonl") == (0, expected, "")
    status, out, _ = run("query", name, "--format", "json")
    assert (status, [line.strip().rstrip(",") for line in out.splitlines()[2:-3]]) == (0, AS_WRITTEN)
    status, out, _ = run("query", name, "--skip", "0", "--format", "jsonl")
    assert (status, out) == (0, expected)


def test_documents_over_several_lines_become_one(run, file):
    name = file("t.json", '[\n  {\n    "a": "x  \\" y",\n    "b": [1.50,\n 2]\n  }\n]')
    assert run("query", name, "--format", "jsonl")[1] == '{"a":"x  \\" y","b":[1.50,2]}\n'


def test_cells_are_printed_as_they_are_written(run, file):
    text = "n,zip,at,b\n1.10,007,2020-08-06 12:24:52,TRUE\n1E2,1,2020-08-06T12:24:52+02:00,false\n"
    assert run("query", file("t.csv", text), "--format", "csv") == (0, text, "")
    assert run("query", "t.csv", "--format", "jsonl")[1].splitlines() == [
        '{"n": 1.10, "zip": "007", "at": "2020-08-06 12:24:52", "b": true}',
        '{"n": 1E2, "zip": "1", "at": "2020-08-06T12:24:52+02:00", "b": false}',
    ]
    # Numbers in the cells of JSON too.
    assert run("query", file("t.jsonl", '{"a": 1.10, "b": [1.0, {"c": 2.50}]}'), "--format", "csv")[1] == (
        'a,b\n1.10,"[1.0, {""c"": 2.50}]"\n'
    )


def test_only_what_is_not_returnable_is_left_out_at_every_depth(run, file):
    secret = {"type": "string", "writeOnly": True}
    inner = {"type": "object", "properties": {"x": {"type": "integer"}, "secret": secret}}
    properties = {"a": inner, "b": {"type": "array", "items": inner}, "secret": secret, "n": {"type": "number"}}
    file("s.json", json.dumps({"type": "object", "properties": properties}))
    name = file(
        "t.jsonl",
        '{"secret": 1, "n": 1.10, "u": 0, "b": [{"secret": 2, "x": 1, "v": 3}, 4], "a": {"x": 1, "secret": 5}}\n',
    )
    assert run("query", name, "--schema", "s.json", "--format", "jsonl") == (
        0,
        '{"n": 1.10, "u": 0, "b": [{"x": 1, "v": 3}, 4], "a": {"x": 1}}\n',
        "",
    )
    assert run("query", name, "--schema", "s.json", "--format", "csv")[1].splitlines()[0] == "n,u,b,a"


def test_what_counts_as_null_is_said(run, file):
    rows = [{"Title": "a", "y": "2020-01-01"}] * 12 + [{"Title": 1941, "y": "soon"}] * 9 + [{"Title": None}]
    name = file("movies.json", json.dumps(rows))
    told = "9 values of Title are numbers: counted as null\n"
    assert run("query", name, "--include", "Title", "--count-only") == (0, "22\n", told)
    assert run("query", name, "--filter", "Title eq null", "--count-only") == (0, "10\n", told)
    status, out, err = run("query", name, "--filter", "Title eq null", "--format", "jsonl")
    assert (status, out.count("1941"), err) == (0, 9, told)
    assert run("query", name, "--filter", "y eq null", "--count-only") == (0, "1\n", "")


def test_a_field_may_come_later_than_the_rows_that_are_looked_at_first(run, file, monkeypatch):
    monkeypatch.setattr("astra_filter.cli.selecting.SAMPLE_ROWS", 2)
    name = file("t.jsonl", '{"a": 1}\n' * 5 + '{"a": 1, "late": "x"}\n')
    assert run("query", name, "--filter", "late eq 'x'", "--format", "jsonl") == (0, '{"a": 1, "late": "x"}\n', "")
    status, out, err = run("query", name, "--format", "csv")
    assert (status, out.count("\n"), err) == (
        0,
        7,
        "1 value of late left out: the rows at the beginning lack it, so it has no column\n",
    )
    assert run("query", name, "--filter", "never eq 'x'")[0] == 2


# Kinds of files ------------------------------------------------------------------------------------------------------

ROWS = [{"id": number, "name": f"n{number % 7}", "score": number / 4, "ok": number % 3 == 0} for number in range(100)]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS)
CSV = "id,name,score,ok\n" + "".join(f"{r['id']},{r['name']},{r['score']},{str(r['ok']).lower()}\n" for r in ROWS)
FILTER = "score gte 5 and name in ('n1', 'n3') and ok eq true"
EXPECTED = duckdb.sql(
    "SELECT count(*) FROM (SELECT i, i / 4 AS score, 'n' || (i % 7) AS name, i % 3 = 0 AS ok FROM range(100) t(i)) "
    "WHERE score >= 5 AND name IN ('n1', 'n3') AND ok"
).fetchall()[0][0]


def arrow(rows):
    table = pa.Table.from_pylist(rows)
    sink = io.BytesIO()
    with ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def parquet_file(rows):
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


FILES = {
    "lines.jsonl": JSONL.encode(),
    "lines.ndjson": ("\ufeff" + JSONL.replace("\n", "\r\n")).encode(),
    "array.json": json.dumps(ROWS).encode(),
    "pretty.json": json.dumps(ROWS, indent=4).encode(),
    "items.json": json.dumps({"metadata": {}, "items": ROWS}).encode(),
    "map.geojson": json.dumps({"type": "x", "features": ROWS}).encode(),
    "deep.json": json.dumps({"response": {"took": 1, "data": ROWS}}).encode(),
    "lines.json": JSONL.encode(),
    "comma.csv": CSV.encode(),
    "semicolon.csv": CSV.replace(",", ";").encode(),
    "bar.csv": CSV.replace(",", "|").encode(),
    "tabs.csv": CSV.replace(",", "\t").encode(),
    "blanks.csv": CSV.replace(",", ", ").encode(),
    "mac.csv": CSV.replace("\n", "\r").encode(),
    "tabs.tsv": CSV.replace(",", "\t").encode(),
    "lines.jsonl.gz": gzip.compress(JSONL.encode(), mtime=0),
    "lines.jsonl.zst": zstandard.compress(JSONL.encode()),
    "comma.csv.bz2": bz2.compress(CSV.encode()),
    "array.json.xz": lzma.compress(json.dumps(ROWS).encode()),
    "list.yaml": yaml.safe_dump(ROWS).encode(),
    "documents.yml": yaml.safe_dump_all(ROWS).encode(),
    "items.yaml": yaml.safe_dump({"items": ROWS}).encode(),
    "table.parquet": parquet_file(ROWS),
    "table.arrow": arrow(ROWS),
    "table.parquet.gz": gzip.compress(parquet_file(ROWS), mtime=0),
    "anything": json.dumps(ROWS).encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_counts_are_those_of_duckdb(run, file, name):
    status, out, err = run("query", file(name, FILES[name]), "--filter", FILTER, "--count-only")
    assert (status, out) == (0, f"{EXPECTED}\n")
    assert not err or err.startswith(f"{name}: read the 100 objects of ")
    status, out, _ = run(
        "query", name, "--filter", FILTER, "--order-by", "id desc", "--limit", "2", "--format", "jsonl"
    )
    assert (status, [json.loads(line)["id"] for line in out.splitlines()]) == (0, [99, 87])


@pytest.mark.parametrize("name", ["lines.jsonl", "array.json", "tabs.tsv", "list.yaml", "table.parquet", "table.arrow"])
def test_standard_input_is_any_of_them(run, name):
    form = name.rpartition(".")[2]
    status, out, _ = run("query", "-", "--from", form, "--filter", FILTER, "--count-only", stdin=FILES[name])
    assert (status, out) == (0, f"{EXPECTED}\n")


def test_where_the_array_is(run, file):
    name = file("t.json", json.dumps({"a": {"b": [{"x": 1}]}, "c": [{"x": 2}], "n": [1], "e": []}))
    assert run("query", name) == (2, "", "t.json: say which array to read with --items; there are: a.b, c\n")
    assert run("query", name, "--items", "a.b", "--format", "jsonl") == (0, '{"x": 1}\n', "")
    assert run("query", name, "--items", "a.c") == (
        2,
        "",
        "t.json: there is no array at a.c; there are: a.b, c, n, e\n",
    )
    assert run("query", name, "--items", "n") == (
        2,
        "",
        "t.json, item 1: a resource is an object, and this is a number\n",
    )
    assert run("query", name, "--items", "a..b")[2].startswith("--items: 'a..b' is no path")
    assert run("query", file("t.csv", "a\n1\n"), "--items", "a") == (
        2,
        "",
        "t.csv: --items is for JSON and YAML documents, and this is neither\n",
    )
    name = file("t.json", '{"ok": true, "rows": [{"x": 1.10}, {"x": 2}]}')
    assert run("query", name, "--format", "jsonl") == (
        0,
        '{"x": 1.10}\n{"x": 2}\n',
        "t.json: read the 2 objects of rows (say so with --items rows)\n",
    )


def test_a_name_that_stands_twice_means_its_last_value(run, file):
    name = file("t.json", '{"items": [{"x": 1}], "items": [{"x": 2}, {"x": 3}]}')
    assert run("query", name, "--format", "jsonl")[1] == '{"x": 2}\n{"x": 3}\n'


def test_encodings(run, file):
    name = file("t.csv", "a\n\u00e9\n".encode("latin-1"))
    assert run("query", name)[0] == 2
    assert run("query", name, "--encoding", "latin-1", "--filter", "a eq '\u00e9'", "--count-only")[1] == "1\n"
    name = file("t.jsonl", JSONL.encode("utf-16"))
    assert run("query", name, "--encoding", "utf-16", "--filter", FILTER, "--count-only")[1] == f"{EXPECTED}\n"
    for wrong in ("nosuch", "rot13", "a\0b"):
        assert run("query", name, "--encoding", wrong)[0] == 2
    name = file("t.csv", b"a\n\x81\n")
    status, out, err = run("query", name, "--encoding", "cp1252")
    assert (status, out, err) == (2, "", "t.csv: this is not charmap text: character maps to <undefined>\n")


def test_delimiters(run, file):
    assert run("query", file("t.csv", "a:b\n1:2\n"), "--delimiter", ":", "--format", "jsonl")[1] == '{"a": 1, "b": 2}\n'
    assert run("query", file("t.csv", "a\tb\n1\t2\n"), "--delimiter", "tab", "--include", "b")[1] == "b\n2\n"
    assert run("query", "t.csv", "--delimiter", "::")[0] == 2
    assert run("query", file("t.json", "[]"), "--delimiter", ";") == (
        2,
        "",
        "t.json: --delimiter is for CSV, and this is none\n",
    )


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "t.jsonl",
            b'{"a": 1}\n{"a":\n[1]\n{"a": "\xff"}\n{"a": 2}',
            "t.jsonl: passed over 3 rows that cannot be read\n",
        ),
        ("t.csv", b"a,b\n1,1\n2\n2,2\n", "t.csv: passed over 1 row that cannot be read\n"),
        ("t.csv", b'a,b\n1,1\n"x"y,3\n2,2\n', "t.csv: passed over 1 row that cannot be read\n"),
        ("t.json", b'[{"a": 1}, 5, {"a": 2}]', "t.json: passed over 1 row that cannot be read\n"),
    ],
)
def test_what_cannot_be_read_may_be_passed_over(run, file, name, content, told):
    assert run("query", file(name, content))[0] == 2
    status, out, err = run("query", name, "--skip-invalid", "--include", "a")
    assert (status, out, err) == (0, "a\n1\n2\n", told)


def test_blanks_that_are_not_the_way_the_file_is_written_stay(run, file):
    assert run("query", file("t.csv", "a,b\n1, x\n"), "--format", "csv")[1] == "a,b\n1, x\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.json.gz", gzip.compress(b"[{}]", mtime=0)[:-9], "t.json.gz: this cannot be decompressed: "),
        ("t.json.gz", b"\x1f\x8bnonsense", "t.json.gz: this cannot be decompressed: "),
        ("t.json.zst", zstandard.compress(b"[{}]")[:6] + b"xxxx", "t.json.zst: this cannot be decompressed: "),
        ("t.json.xz", b"\xfd7zXZ\0rubbish", "t.json.xz: this cannot be decompressed: "),
        ("t.parquet", b"PAR1nonsense", "t.parquet: this cannot be read as parquet: "),
        ("t.arrow", b"ARROW1nonsense", "t.arrow: this cannot be read as arrow: "),
        ("t.yaml", b"a: [1,\n b: }", "t.yaml, line 2: not YAML: "),
        ("t.yaml", b"- 1\n- 2\n", "t.yaml, item 1: a resource is an object, and this is a number\n"),
        ("t.yaml", b"\xff", "t.yaml, line 1: not UTF-8 text (byte 0xff)\n"),
        ("t.yaml", b"!!python/object:os.system {}", "t.yaml, line 1: not YAML: could not determine a constructor"),
        (
            "t.db.gz",
            gzip.compress(b"SQLite format 3\0", mtime=0),
            "t.db.gz: a database cannot be read from a compressed file\n",
        ),
    ],
)
def test_files_that_are_not_what_they_say_are_refused_in_one_line(run, file, name, content, message):
    status, out, err = run("query", file(name, content))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(message)


def test_yaml_has_the_types_of_json(run, file):
    name = file("t.yaml", "- {at: 2020-08-06, no: no, n: 1.5, i: 012, z: ~, b: true, s: '1'}\n")
    assert run("query", name, "--format", "jsonl")[1] == (
        '{"at": "2020-08-06", "no": "no", "n": 1.5, "i": "012", "z": null, "b": true, "s": "1"}\n'
    )


def test_a_schema_may_be_yaml(run, file):
    schema = "components: {schemas: {v1.Task: {properties: {a: {type: string}, s: {type: string, writeOnly: true}}}}}"
    file("openapi.yaml", schema)
    name = file("t.json", '[{"a": "x", "s": "y"}]')
    assert run("query", name, "--schema", "openapi.yaml", "--ref", "Task", "--format", "jsonl") == (
        0,
        '{"a": "x"}\n',
        "",
    )
    assert run("query", name, "--schema", "openapi.yaml", "--ref", "Tsk")[2] == (
        "openapi.yaml, #: 'Tsk' is not found in the document; did you mean v1.Task?\n"
    )


# Output --------------------------------------------------------------------------------------------------------------


def test_parquet_is_written(run, file, tmp_path):
    rows = [{"id": 1, "tags": ["a"], "at": None}, {"id": 2, "tags": [], "at": "x"}]
    name = file("t.json", json.dumps(rows))
    with (tmp_path / "out.parquet").open("wb") as out:
        subprocess.run([*COMMAND, "query", name, "--format", "parquet"], stdout=out, check=True, env=ENVIRONMENT)
    assert parquet.read_table(tmp_path / "out.parquet").to_pylist() == rows
    with (tmp_path / "out.parquet").open("wb") as out:
        subprocess.run(
            [*COMMAND, "query", name, "--format", "parquet", "--include", "id"], stdout=out, check=True, env=ENVIRONMENT
        )
    assert parquet.read_table(tmp_path / "out.parquet").to_pylist() == [{"id": 1}, {"id": 2}]
    status, _, err = run("query", file("t.json", '[{"a": 1}, {"a": "x"}]'), "--format", "parquet")
    assert (status, err.startswith("--format parquet: a column has values of different types")) == (2, True)


def test_status_tells_whether_anything_matched(run, file):
    name = file("t.json", '[{"a": 1}]')
    assert run("query", name, "--exit-status", "--filter", "a eq 1")[0] == 0
    assert run("query", name, "--exit-status", "--filter", "a eq 2", "--count-only") == (1, "0\n", "")
    assert run("query", name, "--filter", "a eq 2", "--count-only") == (0, "0\n", "")


def test_a_summary_is_given_where_it_is_asked_for(run, file):
    err = run("query", file("t.jsonl", JSONL), "--filter", "id lt 10", "--summary")[2]
    assert err.startswith("100 rows read, 10 matched, ")


def test_the_schema_that_was_inferred(run, file):
    rows = [
        {"id": 1, "at": "2020-01-01T00:00:00Z", "o": {"x": [1.5], "l": [{"a": None}]}, "b": True},
        {"id": 2, "u": "a5f3e1d2-9e22-406c-8a5a-762f4604da00", "d": "2020-01-01", "s": "it's"},
    ]
    name = file("t.json", json.dumps(rows))
    inferred = Schema.infer(rows, key="id")
    status, out, err = run("schema", name)
    assert (status, err) == (0, "")
    assert Schema.from_json_schema(json.loads(out), key="id").signature == inferred.signature
    file("s.json", out)
    assert run("query", name, "--schema", "s.json", "--filter", "d eq '2020-01-01'", "--count-only") == (0, "1\n", "")
    status, out, err = run("schema", name, "--format", "python")
    assert (status, err) == (0, "")
    names = {}
    exec(out, names)  # noqa: S102  # It is the command's own.
    assert names["SCHEMA"].root.signature() == inferred.root.signature()


def test_python_source_says_all_that_was_declared():
    for schema in SCHEMAS.values():
        names = {}
        exec(schema.to_python(), names)  # noqa: S102  # As above.
        assert names["SCHEMA"].root.signature() == schema.root.signature()
        assert names["SCHEMA"].key == schema.key


def test_a_row_is_explained(run, file):
    name = file("t.jsonl", JSONL)
    assert run("query", name, "--filter", "id lt 2 and name eq 'n3'", "--explain-row", "4") == (
        0,
        "✗ and\n├── ✗ id lt 2   3 ←\n└── ✓ name eq 'n3'   'n3'\n",
        "",
    )
    assert run("query", name, "--explain-row", "1")[0] == 2
    assert run("query", name, "--filter", "id eq 1", "--explain-row", "101") == (
        2,
        "",
        "t.jsonl: there is no row 101; the file has 100 rows\n",
    )


def screen(arguments, width, folder):
    """What a terminal of a width is shown."""
    terminal, end = pty.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm", "COLUMNS": str(width), "NO_COLOR": "1"}
    with subprocess.Popen([*COMMAND, *arguments], stdout=end, stderr=end, cwd=folder, env=environment):
        os.close(end)
        output = b""
        while True:
            try:
                part = os.read(terminal, 65536)
            except OSError:  # The process has closed its end.
                break
            output += part
    os.close(terminal)
    return re.sub(r"\x1b\[[0-9;]*m", "", output.decode().replace("\r\n", "\n"))


def test_a_table_fits_the_terminal_or_becomes_records(file, tmp_path):
    name = file(
        "t.json", json.dumps([{"id": 1, "name": "x" * 30, "none": None}, {"id": 22, "name": "\x07", "none": 5}])
    )
    wide = screen(["query", name], 80, tmp_path)
    assert "\u2502 22 \u2502" in wide
    narrow = screen(["query", name], 20, tmp_path)
    assert narrow.startswith("\u2500\u2500 1 \u2500")
    assert "id    22" in narrow
    assert "\x07" not in narrow
    assert max(map(len, narrow.splitlines()[:-1])) <= 20
    assert narrow.replace("\n", "").replace(" ", "").count("x") >= 30


def test_version_and_help(run):
    status, out, _ = run("--version")
    assert (status, out.count(".")) == (0, 2)
    status, out, _ = run("query", "--help")
    assert status == 0
    assert "startswith" in out
    assert out.count("astra-filter query") >= 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("astra-filter query t.jsonl --filter 'na", ["name"]),
        ("astra-filter query t.jsonl --filter 'ok eq tr", ["ok eq true"]),
        ("astra-filter query nosuch.jsonl --filter 'na", []),
        ("astra-filter query - --filter 'na", []),
    ],
)
def test_a_shell_completes_filters(file, tmp_path, words, expected):
    file("t.jsonl", JSONL)
    asked = {"_ASTRA_FILTER_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "4"}
    done = subprocess.run(
        [*COMMAND], capture_output=True, cwd=tmp_path, env={**ENVIRONMENT, **asked}, check=False, text=True
    )
    assert (list(filter(None, done.stdout.split("\n"))), done.stderr) == (expected, "")


# Streams -------------------------------------------------------------------------------------------------------------


def lines_of(process, count):
    return [process.stdout.readline() for _ in range(count)]


def test_rows_come_out_as_they_are_read():
    command = [*COMMAND, "query", "-", "--filter", "level eq 'error'", "--format", "jsonl"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT) as process:
        process.stdin.write(b'{"level": "error", "n": 1}\n{"level": "info"}\n{"level": "error", "n": 2}\n')
        process.stdin.flush()
        assert lines_of(process, 2) == [b'{"level": "error", "n": 1}\n', b'{"level": "error", "n": 2}\n']
        process.stdin.write(b'{"level": "error", "n": 3}\n')
        process.stdin.flush()
        assert lines_of(process, 1) == [b'{"level": "error", "n": 3}\n']
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("form", "content"), [("csv", b"a,b\n1,2\n3,4\n"), ("jsonl", b'{"a":1}\n{"a":3}\n'), ("json", b'[{"a":1},{"a":3},')]
)
def test_a_limit_ends_an_endless_stream(form, content):
    command = [*COMMAND, "query", "-", "--from", form, "--limit", "2", "--include", "a"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT) as process:
        process.stdin.write(content)
        process.stdin.flush()
        assert process.stdout.read() == b"a\n1\n3\n"
        assert process.wait(60) == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell the memory")
@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("jsonl", b'{"a": 1, "text": "' + b"x" * 200 + b'"}\n'),
        ("csv", b"1," + b"x" * 200 + b"\n"),
        ("json", b'{"a": 1, "text": "' + b"x" * 200 + b'"},\n'),
    ],
)
def test_memory_is_bounded(tmp_path, form, line):
    path = tmp_path / f"t.{form}"
    count = 400_000
    with path.open("wb") as file:
        file.write({"jsonl": b"", "csv": b"a,text\n", "json": b"["}[form])
        file.write(line * count)
        file.write(b'{"a": 1}]' if form == "json" else b"")
    # The most that the process ever held; what `resource` says counts the process that it came from too.
    code = (
        "import re, sys\nfrom pathlib import Path\nfrom astra_filter.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(re.search(r'VmHWM:\\s*(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "query", str(path), "--filter", "a eq 2", "--count-only"],
        capture_output=True,
        check=True,
        env=ENVIRONMENT,
    )
    found, memory = map(int, done.stdout.split())
    assert found == 0
    assert memory < 100_000
