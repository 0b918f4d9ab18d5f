"""The command on files and standard input (SPEC §2, §6, §7)."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import astra_filter
from astra_filter import Schema
from astra_filter.cli import main, messages, reading, sources
from astra_filter.cli.inputs import Input
from astra_filter.cli.progress import Progress

TASKS = str(Path(__file__).with_name("data") / "astra_tasks.json")
ROOT = Path(astra_filter.__file__).parent.parent
COMMAND = [sys.executable, "-m", "astra_filter.cli"]
RUNNING = "ae1e6561-9e22-406c-8a5a-762f4604da00"
COMPLETED = "bc1e6561-9e22-406c-8a5a-762f4604da00"


@pytest.fixture(autouse=True)
def signals():
    """The command changes what a closed pipe does to the process, and this process is pytest's."""
    before = signal.getsignal(signal.SIGPIPE)
    yield
    signal.signal(signal.SIGPIPE, before)


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command; return its status, output and errors."""

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        printed = capsys.readouterr()
        return stopped.value.code or 0, printed.out, printed.err

    return run


@pytest.fixture
def lines(run):
    """Run a query that succeeds; return its items."""

    def lines(*arguments, stdin=b""):
        status, out, err = run("query", *arguments, "--format", "jsonl", stdin=stdin)
        assert (status, err) == (0, "")
        return [json.loads(line) for line in out.splitlines()]

    return lines


@pytest.fixture
def refused(run):
    """Run a query that fails; return what it says."""

    def refused(*arguments, stdin=b""):
        status, out, err = run("query", *arguments, stdin=stdin)
        assert (status, out) == (2, "")
        return err

    return refused


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a file, and return its name."""
    monkeypatch.chdir(tmp_path)

    def file(name, content):
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return file


# The main job --------------------------------------------------------------------------------------------------------


def test_the_running_task(run):
    assert run("query", TASKS, "--filter", "state eq 'running'", "--include", "id,name") == (
        0,
        "id\tname\nae1e6561-9e22-406c-8a5a-762f4604da00\tastra.backup.prep\n",
        "",
    )


def test_a_wrong_operator(run):
    assert run("query", TASKS, "--filter", "state == 'running'", "--include", "id,name") == (
        2,
        "",
        "unknown operator '=='\n    state == 'running'\n          ^^\nhint: use eq: state eq 'running'\n",
    )


def test_filters_are_joined_by_and(lines):
    arguments = (TASKS, "--include", "id")
    assert lines(*arguments, "--filter", "percentDone gt 20") == [[RUNNING], [COMPLETED]]
    assert lines(*arguments, "--filter", "percentDone gt 20", "--filter", "percentDone lt 30") == [[RUNNING]]


def test_order_and_pages(run, lines):
    arguments = (TASKS, "--include", "id", "--order-by", "percentDone desc")
    assert lines(*arguments) == [[COMPLETED], [RUNNING]]
    assert lines(*arguments, "--skip", "1") == [[RUNNING]]
    status, out, err = run("query", *arguments, "--limit", "1", "--count", "--format", "jsonl")
    assert (status, json.loads(out)) == (0, [COMPLETED])
    total, more = err.splitlines()
    assert total == "2 matches in all"
    text, _, token = more.rpartition(" ")
    assert text == "more follow; the next page: --continue"
    assert lines(*arguments, "--continue", token) == [[RUNNING]]


def test_problems_name_the_option(run):
    status, _, err = run("query", TASKS, "--include", "nam", "--order-by", "id up", "--limit", "0", "--skip", "x")
    assert status == 2
    assert [line.partition(":")[0] for line in err.splitlines() if line.startswith("--")] == [
        "--include",
        "--limit",
        "--skip",
        "--order-by",
    ]


def test_usage_is_an_error_without_arguments(run):
    status, out, err = run("query")
    assert (status, out) == (2, "")
    assert "FILE" in err


# Output --------------------------------------------------------------------------------------------------------------

ROWS = (
    '[{"id": 1, "a": "x,\\"y\\"", "b": [1.5], "c": true}, {"id": 2, "a": "\\u001b[31m\\ud800", "b": null, "c": null}]'
)


def test_json(run, file):
    name = file("t.json", ROWS)
    status, out, err = run("query", name, "--format", "json", "--limit", "1", "--count", "--order-by", "id")
    page = json.loads(out)
    assert (status, err) == (0, "")
    assert page["items"] == [{"id": 1, "a": 'x,"y"', "b": [1.5], "c": True}]
    assert page["metadata"]["count"] == 2
    assert page["metadata"]["continue"]


def test_json_lines_are_json(lines, file):
    # Lone surrogates have no UTF-8; JSON writes them as escapes.
    assert lines(file("t.json", ROWS), "--include", "a") == [['x,"y"'], ["\x1b[31m\ud800"]]


def test_csv(run, file):
    status, out, _ = run("query", file("t.json", ROWS), "--format", "csv", "--filter", "id eq 1")
    assert status == 0
    assert list(csv.reader(io.StringIO(out))) == [["id", "a", "b", "c"], ["1", 'x,"y"', "[1.5]", "true"]]


def test_control_characters_do_not_reach_the_terminal(run, file):
    _, out, _ = run("query", file("t.json", ROWS), "--include", "a")
    assert "\x1b" not in out
    assert "\\x1b[31m\\ud800" in out


def test_markup_is_text(run, file):
    assert "[red]x[/red]" in run("query", file("t.json", '[{"[b]a": "[red]x[/red]"}]'))[1]


def test_nothing_is_cut_where_no_terminal_is(run, file):
    assert "x" * 500 in run("query", file("t.json", json.dumps([{"a": "x" * 500}])))[1]


# JSON ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.json", '[{"a": 1}, {"a": 2}]'),
        ("t.json", '{"items": [{"a": 1}, {"a": 2}], "metadata": {}}'),
        ("t.json", '\ufeff [{"a": 1}, {"a": 2}]'),
        ("t.jsonl", '{"a": 1}\n\n{"a": 2}\n'),
        ("t.ndjson", '\ufeff{"a": 1}\r\n{"a": 2}'),
        ("t.JSONL", '{"a": 1}\n{"a": 2, "b": "\u2028"}'),
        # Many call JSON lines .json.
        ("t.json", '{"a": 1}\n{"a": 2}\n'),
        ("t.txt", '[{"a": 1}, {"a": 2}]'),
        ("t.txt", '{"a": 1}\n{"a": 2}\n'),
        ("t.csv", "a\n1\n2\n"),
    ],
)
def test_what_is_read(lines, file, name, content):
    assert lines(file(name, content), "--include", "a") == [[1], [2]]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b'[{"a": 1}, {"a": 2}]', ()),
        (b'{"a": 1}\n{"a": 2}\n', ()),
        (b'{"a": 1}\n{"a": 2}\n', ("--from", "jsonl")),
        (b"a\n1\n2\n", ("--from", "csv")),
    ],
)
def test_standard_input(lines, content, options):
    assert lines("-", *options, "--include", "a", stdin=content) == [[1], [2]]


def test_a_single_json_line_on_standard_input(lines):
    assert lines("-", stdin=b'{"a": 1}') == [{"a": 1}]


def test_cells_of_several_lines_are_quoted(run, file):
    values = ["a\rb", "a\nb", "a\r\nb", "a\r", "a,b"]
    resources = json.dumps([{"id": number, "s": value} for number, value in enumerate(values)])
    _, out, _ = run("query", file("t.json", resources), "--format", "csv")
    assert out == "id,s\n" + "".join(f'{number},"{value}"\n' for number, value in enumerate(values))


def test_no_resources_are_no_error(run, lines, file):
    assert lines(file("t.json", "[]"), "--filter", "a eq 1", "--include", "a") == []
    assert run("query", "t.json", "--filter", "a = 1")[0] == 2
    asked = ("query", "t.json", "--count", "--include", "b", "--order-by", "a desc", "--limit", "1", "--skip", "1")
    assert run(*asked, "--format", "csv") == (0, "b\n", "0 matches in all\n")
    assert json.loads(run(*asked, "--format", "json")[1]) == {"items": [], "metadata": {"count": 0}}


@pytest.mark.parametrize(
    ("option", "value"),
    [("--limit", "abc"), ("--skip", "-1"), ("--include", "a b"), ("--order-by", "a,"), ("--order-by", "a up")],
)
def test_requests_are_checked_without_resources_too(refused, file, option, value):
    assert refused(file("t.json", "[]"), option, value).startswith(f"{option}: ")


LONG = "1" * 5000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.json", "", "t.json: the file is empty\n"),
        ("t.json", " \n", "t.json: the file is empty\n"),
        (
            "t.json",
            '[{"a": 1},\n {"a": }]',
            't.json, line 2, column 8: not JSON: expecting value\n     {"a": }]\n           ^\n',
        ),
        (
            "t.jsonl",
            '{"a": 1}\n\n{"a": 1\n',
            "t.jsonl, line 3, column 8: not JSON: expecting ',' delimiter\n    {\"a\": 1\n           ^\n",
        ),
        (
            "t.json",
            '{"a": 1}\n{"a": 1}}\n',
            't.json, line 2, column 9: not JSON: extra data\n    {"a": 1}}\n            ^\n',
        ),
        (
            "t.json",
            '[{"NaN": "NaN", "a":\nNaN}]',
            "t.json, line 2, column 1: not JSON: NaN is no number in JSON\n    NaN}]\n    ^^^\n",
        ),
        (
            "t.jsonl",
            '{"a": -Infinity}',
            (
                "t.jsonl, line 1, column 7: not JSON: -Infinity is no number in JSON\n"
                '    {"a": -Infinity}\n          ^^^^^^^^^\n'
            ),
        ),
        ("t.json", "[1, 2]", "t.json, item 1: a resource is an object, and this is a number\n"),
        ("t.json", '[{}, "a"]', "t.json, item 2: a resource is an object, and this is a string\n"),
        ("t.json", '{"items": [null]}', "t.json, item 1: a resource is an object, and this is null\n"),
        ("t.jsonl", "true", "t.jsonl, line 1: a resource is an object, and this is a boolean\n"),
        ("t.jsonl", '{}\n["a"]', "t.jsonl, line 2: a resource is an object, and this is an array\n"),
        ("t.json", '{"a": 1}', "t.json: neither an array of resources nor a document with an array called items\n"),
        ("t.json", "1", "t.json: neither an array of resources nor a document with an array called items\n"),
        ("t.json", b'[{"a":\n"\xe9"}]', "t.json, line 2: not UTF-8 text (byte 0xe9)\n"),
        ("t.jsonl", b'{"a": 1}\n{"a": "\xe9"}', "t.jsonl, line 2: not UTF-8 text (byte 0xe9)\n"),
        ("t.json", "[]".encode("utf-16"), "t.json: this is UTF-16 text; read it with --encoding utf-16\n"),
        ("t.json", "[" * 100_000, "t.json: it is nested too deeply\n"),
        ("t.jsonl", '{"a": 1}\n' + "[" * 100_000, "t.jsonl, line 2: it is nested too deeply\n"),
        ("t.txt", "hello", "t.txt: this is not JSON; say what it is with --from json, jsonl, csv or sqlite\n"),
        ("t\x1b.txt", "hello", "t\\x1b.txt: this is not JSON; say what it is with --from json, jsonl, csv or sqlite\n"),
    ],
)
def test_bad_files_are_refused_with_a_place(refused, file, name, content, message):
    assert refused(file(name, content)) == message


@pytest.mark.parametrize("number", [LONG, f"-{LONG}"])
def test_numbers_of_too_many_digits_are_refused(refused, file, number):
    text = f'[{{"{LONG}": "{LONG}", "a": 1.{LONG}, "b": {number}}}]'
    column = text.index('"b"') + 6
    start = f"t.json, line 1, column {column}: a number of this many digits cannot be read\n    …"
    assert refused(file("t.json", text)).startswith(start)


def test_numbers_past_the_doubles_count_as_null(run, file):
    name = file("t.json", f'[{{"a": 1, "b": 1e999}}, {{"a": 1{"0" * 400}, "b": 2}}]')
    assert run("query", name, "--include", "a,b", "--format", "jsonl") == (
        0,
        "[1, null]\n[null, 2]\n",
        "1 value of b is no integer: counted as null\n1 value of a is no integer: counted as null\n",
    )


def test_fields_need_a_value_that_tells_their_type(run, file):
    name = file("t.json", '[{"a": {}}]')
    message = "t.json: no member has a value that tells its type; say what fields there are with --schema\n"
    assert run("query", name, "--filter", "a eq null") == (2, "", message)
    assert run("query", name, "--format", "jsonl") == (0, '{"a": {}}\n', "")


def test_files_that_cannot_be_read(refused, file):
    assert refused("nosuch.json") == "nosuch.json: No such file or directory\n"
    assert refused(".") == ".: Is a directory\n"
    assert refused("a\0b") == "'a\\x00b': embedded null byte\n"
    assert refused("-", stdin=b"hello") == (
        "standard input: this is not JSON; say what it is with --from json, jsonl, csv or sqlite\n"
    )
    assert refused("-", stdin=b"SQLite format 3\0") == (
        "a database cannot be read from standard input; name its file\n"
    )
    assert refused("-", "--from", "sqlite") == "a database cannot be read from standard input; name its file\n"
    assert refused(file("t.json", "[]"), "--table", "t") == (
        "t.json: --table is for SQLite databases, and this is none\n"
    )


# CSV -----------------------------------------------------------------------------------------------------------------


def test_cells_become_what_all_of_their_column_are(lines, file):
    name = file(
        "t.csv",
        "integer,number,boolean,zip,at,day,mixed,empty\r\n"
        '1,2.5,true,007,2020-08-06 12:24:52,2020-08-06,"a\nb",\r\n'
        ",,,,,,,\r\n"
        "\r\n"
        "-3,1e2,FALSE,1,2020-08-06T12:24:52+02:00,2021-01-01,2,\r\n",
    )
    assert lines(name) == [
        {
            "integer": 1,
            "number": 2.5,
            "boolean": True,
            "zip": "007",
            "at": "2020-08-06 12:24:52",
            "day": "2020-08-06",
            "mixed": "a\nb",
            "empty": None,
        },
        dict.fromkeys(["integer", "number", "boolean", "zip", "at", "day", "mixed", "empty"]),
        {
            "integer": -3,
            "number": 100.0,
            "boolean": False,
            "zip": "1",
            "at": "2020-08-06T12:24:52+02:00",
            "day": "2021-01-01",
            "mixed": "2",
            "empty": None,
        },
    ]
    assert lines(name, "--filter", "boolean eq true and `empty` eq null", "--include", "integer") == [[1]]


def test_integers_past_64_bits_are_not_integers(lines, file):
    assert lines(file("t.csv", f"a,b,c\n{2**63},{10**30},{'1' * 5000}\n")) == [
        {"a": 2**63, "b": 10**30, "c": "1" * 5000}
    ]


SCHEMA = json.dumps(
    {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string"},
            "size": {"type": "integer"},
            "cost": {"type": "number"},
            "done": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "labels": {"type": "object", "properties": {"env": {"type": "string"}}},
        },
    }
)


def test_a_schema_says_what_cells_are(run, lines, file):
    schema = file("schema.json", SCHEMA)
    name = file(
        "t.csv",
        'id,size,cost,done,tags,labels,other\n1,2,3,True,"[""a""]","{""env"": ""prod""}",x\n2,many,1e999,yes,[a],{,x\n',
    )
    assert lines(name, "--schema", schema) == [
        {"id": "1", "size": 2, "cost": 3, "done": True, "tags": ["a"], "labels": {"env": "prod"}, "other": "x"},
        {"id": "2", "size": "many", "cost": "1e999", "done": "yes", "tags": "[a]", "labels": "{", "other": "x"},
    ]
    filter_ = "tags eq 'a' and labels.env eq 'prod'"
    status, out, err = run("query", name, "--schema", schema, "--filter", filter_, "--include", "id", "--format", "csv")
    assert (status, out, err) == (0, "id\n1\n", "1 value of tags is a string: counted as null\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "t.csv: the file is empty"),
        ("\ufeff", "t.csv: the file is empty"),
        ("a,b\n1,2\n3\n", "t.csv, line 3: 1 cell in a row, where the header has 2"),
        ('a,b\n1,"x\ny"\n3,4,5\n', "t.csv, line 4: 3 cells in a row, where the header has 2"),
        ("a,b,a\n1,2,3\n", "t.csv, line 1: the header names 'a' twice"),
        ("a,,b\n1,2,3\n", "t.csv, line 1: column 2 of the header has no name"),
        ('a\n"x', "t.csv, line 2: not CSV: unexpected end of data"),
        ('a\n"x"y\n', "t.csv, line 2: not CSV: ',' expected after '\"'"),
        (b"a\n1\n\xe9\n", "t.csv, line 3: not UTF-8 text (byte 0xe9)"),
    ],
)
def test_bad_csv_is_refused_with_its_line(refused, file, content, message):
    assert refused(file("t.csv", content)) == message + "\n"


def test_integral_numbers_are_integers_where_a_schema_says_so(run, file):
    schema = file("schema.json", SCHEMA)
    name = file("t.csv", "id,size\n1,5.0\n2,5\n3,1e2\n4,5.5\n5,1e999\n")
    told = "1 value of size is no integer: counted as null\n1 value of size is a string: counted as null\n"
    arguments = ("--schema", schema, "--format", "csv", "--include")
    assert run("query", name, *arguments, "size") == (0, 'size\n5\n5\n100\n""\n""\n', told)
    assert run("query", name, *arguments, "id", "--filter", "size eq 5") == (0, "id\n1\n2\n", told)


def test_long_cells_are_read(lines, file):
    assert lines(file("t.csv", "a\n" + "x" * 200_000 + "\n")) == [{"a": "x" * 200_000}]


def test_a_required_column_must_be_there(refused, file):
    name, schema = file("t.csv", "size,cost\n1,2\n"), file("schema.json", SCHEMA)
    assert refused(name, "--schema", schema) == "t.csv: there is no column 'id'; there are: size, cost\n"


TEXT = st.text('{}[]",:\n\r ab1-.eE0\\u\t\ufeff', max_size=25).map(str.encode)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=20) | TEXT,
    st.sampled_from([None, *(form for form in sources.Format if form is not sources.Format.SQLITE)]),
)
def test_any_bytes_are_resources_or_an_input_error(content, form):
    try:
        stream = Input("f", io.BytesIO(content), None, 0, Progress())
        source = sources.Source(stream, reading._form(stream, b"", "", sources.Options(form)), sources.Options(form))
        outcome = reading.load(source, None)
    except messages.InputError as error:
        outcome = str(error)
    if isinstance(outcome, str):
        assert outcome.startswith(("f:", "f, ", "a database"))
    else:
        assert all(isinstance(resource, dict) for resource in outcome)


# Schemas and keys ----------------------------------------------------------------------------------------------------


def test_a_component_of_openapi(lines, file):
    document = {"components": {"schemas": {"Task": {"properties": {"a": {"type": "string"}}}}}}
    schema = file("openapi.json", json.dumps(document))
    assert lines(file("t.json", '[{"a": "x", "b": 1}]'), "--schema", schema, "--ref", "Task") == [{"a": "x", "b": 1}]


def test_what_a_schema_cannot_say_is_refused_or_left_out(lines, refused, file):
    schema = file("schema.json", '{"properties": {"a": {"type": "string"}, "b": {}}}')
    arguments = (file("t.json", '[{"a": "x", "b": 1}]'), "--schema", schema)
    assert refused(*arguments) == (
        "schema.json, #/properties/b: values of different types (anything) have no common field type\n"
        "hint: --omit-unsupported leaves out what no field represents\n"
    )
    assert lines(*arguments, "--omit-unsupported") == [{"a": "x", "b": 1}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "schema.json: a JSON Schema is an object\n"),
        ("openapi: 3.0.0", "schema.json, line 1, column 1: not JSON: expecting value\n    openapi: 3.0.0\n    ^\n"),
        ("", "schema.json: the file is empty\n"),
    ],
)
def test_a_bad_schema_file_is_refused(refused, file, content, message):
    assert refused(file("t.json", "[]"), "--schema", file("schema.json", content)) == message


def test_a_place_needs_a_document(refused, file):
    assert refused(file("t.json", "[]"), "--ref", "Task") == "--ref is a place in the document of --schema\n"


def test_resources_without_a_key_stay_as_they_come(run, lines, file):
    name = file("t.json", '[{"id": 2, "a": 1}, {"id": 2, "a": 2}, {"a": 3}]')
    assert lines(name, "--include", "a") == [[1], [2], [3]]
    assert run("query", name, "--include", "a", "--limit", "2", "--format", "jsonl") == (
        0,
        "[1]\n[2]\n",
        "stopped after 2 matches; for pages give --order-by or --skip 0\n",
    )
    assert run("query", name, "--include", "a", "--limit", "2", "--skip", "0", "--format", "jsonl") == (
        0,
        "[1]\n[2]\n",
        "more follow; to continue there, name the field that identifies a resource with --key\n",
    )
    assert lines(name, "--key", "a", "--include", "a") == [[1], [2], [3]]


def test_the_order_of_the_file_is_kept_where_no_other_is_asked_for(lines, file):
    name = file("t.json", '[{"id": 2, "a": 1}, {"id": 1, "a": 3}, {"id": 3, "a": 2}]')
    assert lines(name, "--include", "id") == [[2], [1], [3]]
    assert lines(name, "--include", "id", "--key", "a") == [[2], [1], [3]]
    assert lines(name, "--include", "id", "--skip", "0") == [[1], [2], [3]]
    assert lines(name, "--include", "id", "--skip", "0", "--key", "a") == [[2], [3], [1]]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("x", "there is no such field at the top level"),
        ("b", "it cannot be sorted by"),
        ("c", "it cannot be sorted by"),
        ("d", "it is missing or null in a resource, or two have the same value"),
        ("e", "it is missing or null in a resource, or two have the same value"),
    ],
)
def test_only_what_identifies_the_resources_is_a_key(refused, file, key, reason):
    name = file("t.json", '[{"b": [1], "c": {"x": 1}, "d": 1, "e": 1}, {"b": [1], "c": {"x": 1}, "d": 1}]')
    assert refused(name, "--key", key) == f"t.json: '{key}' cannot be the key: {reason}\n"


# sql, check, explain -------------------------------------------------------------------------------------------------


def test_sql(run, file):
    schema = file("schema.json", SCHEMA)
    statement = Schema.from_json_schema(json.loads(SCHEMA)).compile("id eq 'x' and size gt 1").sql("postgresql")
    arguments = ("sql", "--schema", schema, "--filter", "id eq 'x' and size gt 1")
    assert run(*arguments, "--dialect", "postgresql") == (0, f'{statement.text}\n["x", "x", 1]\n', "")
    status, out, _ = run(*arguments, "--placeholders", ":p1")
    assert (status, json.loads(out.splitlines()[-1])) == (0, {"p1": "x", "p2": 1})


def test_sql_of_a_page(run):
    status, out, _ = run("sql", "--sample", TASKS, "--table", "tasks", "--include", "id", "--limit", "5")
    text, _, parameters = out.rstrip("\n").rpartition("\n")
    assert status == 0
    assert text.startswith("SELECT ")
    assert 'FROM "tasks"' in text
    assert text.count("ORDER BY") == 1
    assert json.loads(parameters) == [6]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--filter", "a eq 1"), "say what fields there are: with --schema FILE, or --sample FILE to infer them from"),
        (("--sample", TASKS), "give a filter with --filter, or a table to select from with --table"),
        (("--sample", TASKS, "--limit", "1"), "a page is a SELECT, which needs a table: name it with --table"),
        (("--sample", TASKS, "--schema", "schema.json"), "give --schema or --sample, not both"),
        (("--sample", TASKS, "--filter", "x eq 1"), "unknown field 'x'"),
        (("--sample", TASKS, "--filter", "name eq 'a'", "--placeholders", "@"), "'@'"),
    ],
)
def test_what_sql_needs(run, file, arguments, message):
    file("schema.json", SCHEMA)
    status, out, err = run("sql", *arguments)
    assert (status, out) == (2, "")
    assert message in err


def test_check_prints_canonical_text(run, file):
    assert run("check", "a EQ 1 AND (B.c Le 2)") == (0, "a eq 1 and B.c lte 2\n", "")
    assert run("check", "a eq 'x' or") == (
        2,
        "",
        run("query", TASKS, "--filter", "a eq 'x' or")[2],
    )
    schema = file("schema.json", SCHEMA)
    assert run("check", "size gt 1", "--schema", schema)[0] == 0
    status, _, err = run("check", "siz gt 'x' or cost eq true", "--schema", schema)
    assert status == 2
    assert "siz" in err
    assert "did you mean size?" in err
    assert "cost eq true" in err
    assert run("check", "state eq 'x'", "--sample", TASKS)[0] == 0


@pytest.mark.parametrize("command", ["check", "explain"])
def test_a_table_is_one_of_the_sample(run, file, command):
    told = "--table is for the SQLite database of --sample\n"
    assert run(command, "a eq 1", "--table", "t") == (2, "", told)
    assert run(command, "a eq 1", "--table", "t", "--schema", file("schema.json", SCHEMA)) == (2, "", told)
    message = f"{TASKS}: --table is for SQLite databases, and this is none\n"
    assert run(command, "a eq 1", "--table", "t", "--sample", TASKS) == (2, "", message)


def test_explain_prints_a_tree(run):
    text = "not (a eq 1 or labels[name eq 'it''s' and value in ('x', null)]) and b contains '\u202e' and not c eq true"
    assert run("explain", text) == (
        0,
        (
            "and\n"
            "├── not\n"
            "│   └── or\n"
            "│       ├── a eq 1\n"
            "│       └── labels[…]\n"
            "│           └── and\n"
            "│               ├── name eq 'it''s'\n"
            "│               └── value in ('x', null)\n"
            "├── b contains '\\u202e'\n"
            "└── not\n"
            "    └── c eq true\n"
        ),
        "",
    )
    assert run("explain", "a ==")[0] == 2


# The process ---------------------------------------------------------------------------------------------------------


def test_the_extra_is_named_where_it_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "typer", None)
    monkeypatch.delitem(sys.modules, "astra_filter.cli.commands", raising=False)
    with pytest.raises(SystemExit) as stopped:
        main(["check", "a eq 1"])
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "typer" in printed.err
    assert "pip install 'astra-filter[cli]'" in printed.err


def test_other_missing_modules_are_not_hidden(monkeypatch):
    monkeypatch.setitem(sys.modules, "astra_filter.cli.sources", None)
    monkeypatch.delitem(sys.modules, "astra_filter.cli.commands", raising=False)
    with pytest.raises(ModuleNotFoundError):
        main(["check", "a eq 1"])


@pytest.mark.slow
def test_the_output_may_be_closed_early(tmp_path):
    file = tmp_path / "t.jsonl"
    file.write_text("".join(f'{{"a": {number}}}\n' for number in range(50_000)))
    command = [*COMMAND, "query", str(file), "--format", "jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b'{"a": 0}\n'
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == -signal.SIGPIPE


def test_ctrl_c_ends_quietly():
    command = [*COMMAND, "query", "-", "--from", "jsonl", "--filter", "a ne 1", "--format", "jsonl"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        # More than a pipe holds: once it is written, the command is reading.
        process.stdin.write(b'{"a": 1}\n' * 100_000)
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_ctrl_c_while_starting_ends_quietly(monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("astra_filter.cli.commands.run", interrupted)
    with pytest.raises(SystemExit) as stopped:
        main(["check", "a eq 1"])
    assert stopped.value.code == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("count", "shown"), [(2_000_000, True), (10, False)])
@pytest.mark.slow
def test_a_bar_is_drawn_where_a_person_waits(tmp_path, count, shown):
    file = tmp_path / "t.jsonl"
    file.write_text('{"a": 1}\n' * count)
    terminal, end = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    command = [*COMMAND, "query", str(file), "--filter", "a eq 2"]
    with subprocess.Popen(command, stdout=end, stderr=end, env=environment):
        os.close(end)
        output = b""
        while True:
            try:
                part = os.read(terminal, 65536)
            except OSError:  # The process has closed its end.
                break
            if not part:
                break
            output += part
    os.close(terminal)
    assert f"{count} rows read, 0 matched" in output.decode()
    assert (b"reading" in output) == shown


@pytest.mark.slow
def test_no_bar_where_output_is_no_terminal(tmp_path):
    file = tmp_path / "t.jsonl"
    file.write_text('{"a": 1}\n' * 150_000)
    done = subprocess.run([*COMMAND, "query", str(file), "--limit", "1"], capture_output=True, check=True)
    assert done.stderr == b"stopped after 1 match; for pages give --order-by or --skip 0\n"


@pytest.mark.slow
def test_output_is_utf8_whatever_the_locale(tmp_path):
    file = tmp_path / "t.json"
    file.write_text('[{"a": "\u20ac"}]', "utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    command = [*COMMAND, "query", str(file), "--format"]
    done = subprocess.run([*command, "jsonl"], capture_output=True, check=True, env=environment)
    assert done.stdout.decode() == '{"a": "\u20ac"}\n'
    done = subprocess.run([*command, "table"], capture_output=True, check=True, env=environment)
    assert b"\\u20ac" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    ("arguments", "redirection", "message"),
    [
        ("check 'a eq 1'", ">/dev/full", "standard output: No space left on device\n"),
        ("explain 'a eq 1'", ">/dev/full", "standard output: No space left on device\n"),
        ("query t.json", ">/dev/full", "standard output: No space left on device\n"),
        ("query t.json --format json", ">/dev/full", "standard output: No space left on device\n"),
        ("--help", ">/dev/full", "standard output: No space left on device\n"),
        ("check 'a eq 1'", ">&-", "standard output is closed\n"),
        ("query t.json", ">&-", "standard output is closed\n"),
        ("query -", "<&-", "standard input is closed\n"),
        ("query -", "0>write.only", "standard input: Bad file descriptor\n"),
        ("check 'a eq'", "2>&-", ""),
        ("check 'a eq'", "2>/dev/full", ""),
        ("query t.json", ">&- 2>&-", ""),
        ("query t.json --limit 1 --count", ">/dev/null 2>/dev/full", ""),
    ],
)
@pytest.mark.slow
def test_streams_that_cannot_be_used_are_errors(tmp_path, arguments, redirection, message):
    (tmp_path / "t.json").write_text('[{"a": 1}, {"a": 2}]')
    line = f"{shlex.quote(sys.executable)} -m astra_filter.cli {arguments} {redirection}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONUNBUFFERED", None)  # What is left in a buffer fails once more at the end.
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)
