"""The reference server over real HTTP (SPEC §1)."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest
from running import ACCOUNT, HEADERS, OTHER, OTHER_TOKEN, PATH, ROOT, TOKEN, Server, namespace, running

from astra_filter.cli.messages import InputError
from astra_filter.cli.serve import serve
from astra_filter.request.tokens import check_token_length
from astra_filter.server import TASK, Store
from astra_filter.server.app import BearerTokens
from astra_filter.server.tasks import account_of, example_tasks, generated_tasks

pytestmark = pytest.mark.slow

EXAMPLE = json.loads((ROOT / "tests/data/astra_tasks.json").read_text())


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: Any


def ask(server: Server, target: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, target, headers=HEADERS if headers is None else headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, json.loads(response.read()))
    finally:
        connection.close()


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server
        assert server.stop() == 0
        assert server.errors == ""
        assert not [line for line in server.lines if "traceback" in line or line.get("status", 0) >= 500]


# The published example -----------------------------------------------------------------------------------------------


def test_the_example_response(server):
    answer = ask(server, PATH)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.body == {
        "type": EXAMPLE["type"],
        "version": EXAMPLE["version"],
        "items": EXAMPLE["items"],
        "metadata": {},
    }


def test_include_gives_arrays_in_that_order(server):
    first, second = EXAMPLE["items"]
    names = ask(server, f"{PATH}?include=id,name").body["items"]
    assert names == [[first["id"], first["name"]], [second["id"], second["name"]]]
    assert ask(server, f"{PATH}?include=name,id").body["items"] == [name[::-1] for name in names]
    assert ask(server, f"{PATH}?include=id").body["items"] == [name[:1] for name in names]


def test_continue_leads_to_the_second_task(server):
    first = ask(server, f"{PATH}?limit=1").body
    assert first["items"] == EXAMPLE["items"][:1]
    second = ask(server, f"{PATH}?limit=1&continue={first['metadata']['continue']}").body
    assert second["items"] == EXAMPLE["items"][1:]
    assert second["metadata"] == {}


def test_the_example_filter_names_an_unknown_field(server):
    answer = ask(server, f"{PATH}?filter=field%20eq%20%27value%27")
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    name = answer.body.pop("correlationID")
    assert answer.headers["x-correlation-id"] == name
    assert answer.body == {
        "type": "https://astra.netapp.io/problems/5",
        "title": "Invalid query parameters",
        "detail": "The supplied query parameters are invalid.",
        "status": "400",
        "invalidParams": [
            {"name": "filter", "reason": "unknown field 'field'", "code": "unknown_field", "start": 0, "end": 5}
        ],
    }


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["state eq 'running'"], [0]),
        (["percentDone gte 20.25"], [0, 1]),
        (["percentDone lt 100", "name in 'backup'"], [0]),
        (["parentTaskID ne null"], [0]),
        (["endTime lte '2020-08-06T14:26:52.256624+02:00'"], [1]),
        (["resourceCollectionURI contains 'appBackups'"], [1]),
        (["stateTransitions[from eq 'paused' and to eq 'running']"], [0, 1]),
        (["stateTransitions[from eq 'paused' and to eq 'paused']"], []),
        (["metadata.labels.name eq 'env'"], []),
        (["name eq 'astra.backup' or 1 eq 1"], None),
    ],
)
def test_filters(server, filters, expected):
    query = urlencode([("filter", text) for text in filters], quote_via=quote)
    answer = ask(server, f"{PATH}?{query}")
    if expected is None:
        assert answer.status == 400
    else:
        assert answer.body["items"] == [EXAMPLE["items"][place] for place in expected]


def test_sibling_parameters(server):
    first, second = (task["id"] for task in EXAMPLE["items"])
    assert ask(server, f"{PATH}?include=id&orderBy=name").body["items"] == [[second], [first]]
    assert ask(server, f"{PATH}?include=id&orderBy=name%20desc&skip=1").body["items"] == [[second]]
    assert ask(server, f"{PATH}?include=id&count=true&limit=1").body["metadata"]["count"] == 2


def test_all_problems_together(server):
    answer = ask(server, f"{PATH}?filter=nme%20eq%201&include=x&limit=0&skip=-1&orderBy=id%20up&count=2&y=1")
    assert answer.status == 400
    assert sorted(entry["name"] for entry in answer.body["invalidParams"]) == [
        "count", "filter", "include", "limit", "orderBy", "skip", "y",
    ]  # fmt: skip


# Who may ask ---------------------------------------------------------------------------------------------------------

PROBLEMS = {
    401: ("3", "Missing bearer token", "The request is missing the required bearer token."),
    403: ("11", "Operation not permitted", "The requested operation isn't permitted."),
    404: ("2", "Collection not found", "The collection specified in the request URI wasn't found."),
}


@pytest.mark.parametrize(
    ("path", "authorization", "status"),
    [
        (PATH, None, 401),
        (PATH, "Bearer", 401),
        (PATH, "Bearer ", 401),
        (PATH, f"Basic {TOKEN}", 401),
        (PATH, f"Bearer {TOKEN}x", 401),
        (PATH, f"Bearer {TOKEN[:-1]}", 401),
        (PATH, "Bearer \xe9", 401),
        (PATH, f"bearer {TOKEN}", 200),
        (PATH, f"Bearer   {TOKEN}", 200),
        (f"{PATH}?limit=x", None, 401),
        (f"{PATH}?limit=x", f"Bearer {OTHER_TOKEN}", 403),
        (PATH, f"Bearer {OTHER_TOKEN}", 403),
        (PATH.replace(ACCOUNT, OTHER), f"Bearer {TOKEN}", 403),
        (PATH.replace(ACCOUNT, OTHER), f"Bearer {OTHER_TOKEN}", 200),
        (PATH.replace(ACCOUNT, ACCOUNT.upper()), f"Bearer {TOKEN}", 404),
        (PATH.replace(ACCOUNT, "nobody"), f"Bearer {TOKEN}", 404),
        (PATH.replace(ACCOUNT, "%27%20OR%201%3D1"), f"Bearer {TOKEN}", 404),
        (PATH.replace(ACCOUNT, "%ff%00"), f"Bearer {TOKEN}", 404),
        (PATH.replace(ACCOUNT, "nobody"), None, 401),
        (PATH + "/", f"Bearer {TOKEN}", 404),
        ("/accounts", f"Bearer {TOKEN}", 404),
    ],
)
def test_who_may_ask_for_what(server, path, authorization, status):
    answer = ask(server, path, {} if authorization is None else {"Authorization": authorization})
    assert answer.status == status
    if status != 200:
        number, title, detail = PROBLEMS[status]
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.headers["www-authenticate"] == "Bearer") is (status == 401)
        assert answer.body.pop("correlationID") == answer.headers["x-correlation-id"]
        assert answer.body == {
            "type": f"https://astra.netapp.io/problems/{number}",
            "title": title,
            "detail": detail,
            "status": str(status),
        }


def test_an_account_without_a_token_of_its_own_is_known_by_its_tasks(tmp_path):
    tasks = tmp_path / "tasks.json"
    tasks.write_text(json.dumps(list(generated_tasks(1, "third"))))
    with running("--data", str(tasks)) as server:
        assert ask(server, PATH.replace(ACCOUNT, "third")).status == 403


def test_no_request_sees_another_account():
    mine = {task["id"] for task in [*example_tasks(), *generated_tasks(300, ACCOUNT)]}
    theirs = {task["id"] for task in generated_tasks(300, OTHER)}
    filters = ["version gt ''", "not (version eq '')", "name eq ''') OR 1=1 --' or version gt ''"]
    with running("--generate", "300") as server:
        for text in [None, *filters]:
            seen: set[str] = set()
            token = ""
            while token is not None:
                query = [("include", "id"), ("count", "true")]
                query += [("filter", text)] if text else []
                query += [("continue", token)] if token else []
                body = ask(server, f"{PATH}?{urlencode(query, quote_via=quote)}").body
                seen |= {item[0] for item in body["items"]}
                assert body["metadata"]["count"] == len(mine)
                token = body["metadata"].get("continue")
            assert seen == mine
        assert not mine & theirs
        token = ask(server, f"{PATH}?limit=1").body["metadata"]["continue"]
        there = PATH.replace(ACCOUNT, OTHER)
        answer = ask(server, f"{there}?continue={token}", {"Authorization": f"Bearer {OTHER_TOKEN}"})
        assert [entry["code"] for entry in answer.body["invalidParams"]] == ["bad_token"]
        for hidden in ("account_id", "filter=account_id%20eq%20'x'"):
            query = hidden if "=" in hidden else f"include={hidden}"
            assert ask(server, f"{PATH}?{query}").status == 400


def test_every_token_is_compared_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(
        "astra_filter.server.app.compare_digest", lambda one, two: compared.append((one, two)) or one == two
    )
    tokens = BearerTokens({"a": "1", "b": "2", "c": "3"})
    assert [tokens.account(token) for token in ("a", "c", "", "x" * 10_000)] == ["1", "3", None, None]
    assert len(compared) == 4 * 3
    assert {(len(one), len(two)) for one, two in compared} == {(32, 32)}


# HTTP ----------------------------------------------------------------------------------------------------------------


def test_other_methods_are_not_allowed(server):
    answer = ask(server, PATH, method="DELETE")
    assert (answer.status, answer.headers["allow"]) == (405, "GET")
    assert answer.headers["content-type"] == "application/problem+json"
    assert {**answer.body, "correlationID": ""} == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "detail": "Specified method is invalid for this resource",
        "status": "405",
        "correlationID": "",
    }


def test_the_longest_filter_reaches_the_check(server):
    """SPEC §8: 8,192 characters, each of which may take three bytes of the URL; a head has 32 kB at most."""
    inside = f"name eq '{'+' * (8192 - 10)}'"
    assert ask(server, f"{PATH}?filter={quote(inside)}").status == 200
    answer = ask(server, f"{PATH}?filter={quote(inside + ' ')}")
    assert [entry["code"] for entry in answer.body["invalidParams"]] == ["text_too_long"]


def test_a_client_that_hangs_up_does_no_harm(server):
    host, port = server.url.removeprefix("http://").split(":")
    for _ in range(20):
        with socket.create_connection((host, int(port))) as connection:
            request = f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
            connection.sendall(request.encode() * 50)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert ask(server, PATH).status == 200


def test_ready(server):
    assert ask(server, "/readyz", {}).body == {"status": "ready"}


def test_every_request_is_logged_once_under_its_correlation_id():
    text = """name ne '"\\n' """
    with running() as server:
        answers = [
            ask(server, f"{PATH}?limit=1&filter={quote(text)}"),
            ask(server, f"{PATH}?filter={'x' * 5000}"),
            ask(server, PATH, {}),
            ask(server, "/%0a%22"),
        ]
        server.stop()
    lines = {line["correlationID"]: line for line in server.lines if line["message"] == "request"}
    assert len(lines) == len(answers)
    found = [lines[answer.headers["x-correlation-id"]] for answer in answers]
    assert [line["status"] for line in found] == [200, 400, 401, 404] == [answer.status for answer in answers]
    assert found[0]["account"] == ACCOUNT
    assert found[0]["query"] == "limit=1&filter=name%20ne%20%27%22%5Cn%27%20"
    assert (found[0]["method"], found[0]["path"], found[0]["client"]) == ("GET", PATH, "127.0.0.1")
    assert len(found[1]["query"]) == 2000
    assert found[2]["account"] is None
    assert found[3]["path"] == '/\n"'
    for line in server.lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])
        assert line["level"] == "info"
        assert TOKEN not in json.dumps(line)


def test_requests_under_way_are_finished_when_it_stops():
    with running("--generate", "3000") as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            request = f"GET {PATH}?limit=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
            connection.sendall(request.encode())
            # The first bytes show that the answer has begun; most of it does not fit the socket's buffers yet.
            received = connection.recv(10)
            server.process.send_signal(signal.SIGTERM)
            while chunk := connection.recv(65536):
                received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert len(json.loads(body)["items"]) == 1000
        assert server.wait() == 0


# Storage -------------------------------------------------------------------------------------------------------------


def test_no_sortable_text_can_make_a_token_too_long():
    check_token_length(TASK.leaves.values(), "id", TASK.limits.order_keys, TASK.limits.token_length)


def test_the_example_is_the_published_one():
    assert example_tasks() == EXAMPLE["items"]


def test_generated_tasks_are_repeatable_and_whole():
    tasks = list(generated_tasks(200, "a"))
    assert tasks[:50] == list(generated_tasks(50, "a"))
    assert {account_of(task) for task in tasks} == {"a"}
    for task in tasks:
        row = TASK.to_row(task, "sqlite")
        assert TASK.from_row(row, "sqlite") == task
    for path, leaf in TASK.leaves.items():
        if path not in [("type",), ("version",), ("metadata", "modifiedBy")]:
            assert len({str(leaf.field.read(_at(task, path))) for task in tasks}) > 1 or path == ("stateTransitions",)


def _at(task, path):
    for name in path:
        task = task.get(name) if task else None
    return task


def test_data_from_a_file_and_a_restart(tmp_path):
    """Restarting with the same options changes nothing; new tasks are added."""
    tasks = list(generated_tasks(3, ACCOUNT))
    data = tmp_path / "tasks.jsonl"
    data.write_text("\n".join(map(json.dumps, tasks[:2])))
    options = ["--database", f"sqlite:///{tmp_path}/tasks.db", "--data", str(data)]
    expected = sorted([*EXAMPLE["items"], *tasks[:2]], key=lambda task: task["id"])
    for _ in range(2):
        with running(*options) as server:
            first = ask(server, f"{PATH}?limit=1").body
            assert ask(server, PATH).body["items"] == expected
            assert server.stop() == 0
    data.write_text("\n".join(map(json.dumps, tasks)))
    with running(*options) as server:
        assert ask(server, f"{PATH}?count=true&limit=1").body["metadata"]["count"] == 5
        # With the same secret, a token outlives the server that made it.
        token = first["metadata"]["continue"]
        assert ask(server, f"{PATH}?limit=1&continue={token}").status == 200


def test_removed_examples_do_not_come_back(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/tasks.db")
    assert store.fill(example_tasks(), ()) == 2
    with sqlite3.connect(tmp_path / "tasks.db") as connection:
        connection.execute("DELETE FROM tasks")
    connection.close()
    assert store.fill(example_tasks(), ()) == 0
    assert not store.has(ACCOUNT)
    store.close()


def test_killed_while_filling_nothing_is_half_there(tmp_path):
    """The table and its tasks come in one transaction."""
    database = f"sqlite:///{tmp_path}/tasks.db"
    code = f"""
from astra_filter.server import Store
from astra_filter.server.tasks import generated_tasks

def tasks():
    yield from generated_tasks(2000, "a")
    print("filling", flush=True)
    import time
    time.sleep(600)

Store({database!r}).fill((), tasks())
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "filling\n"
    process.kill()
    process.wait()
    process.stdout.close()
    with running("--database", database) as server:
        assert ask(server, f"{PATH}?count=true").body["metadata"]["count"] == 2


def test_on_postgresql(postgresql):
    with namespace(postgresql) as url, running("--database", url, "--generate", "20") as server:
        tasks = sorted([*EXAMPLE["items"], *generated_tasks(20, ACCOUNT)], key=lambda task: task["id"])
        assert ask(server, f"{PATH}?filter=percentDone%20gte%20'x'").status == 400
        assert ask(server, PATH).body["items"] == tasks
        assert ask(server, PATH.replace(ACCOUNT, "nobody")).status == 404
        assert ask(server, PATH.replace(ACCOUNT, "a%00b")).status == 404
        # The server's connections die, as when the database is started again.
        killed = postgresql.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s",
            (postgresql.namespace,),
        )
        assert killed[0][0] > 0
        assert ask(server, PATH).body["items"] == tasks
        assert server.stop() == 0
        assert not [line for line in server.lines if line.get("status", 0) >= 500]


NO_URL = "this is no database URL: write sqlite:///FILE or postgresql://USER@HOST/DATABASE"

# Starting ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"token": ["x"]}, "--token: write TOKEN=ACCOUNT, each token once"),
        ({"token": ["=x"]}, "--token: write TOKEN=ACCOUNT, each token once"),
        ({"token": ["a=x", "a=y"]}, "--token: write TOKEN=ACCOUNT, each token once"),
        ({"token": ["a\udce9=x"]}, "--token: write TOKEN=ACCOUNT, each token once"),
        ({"token": ["a=x\udce9"]}, "--token: write TOKEN=ACCOUNT, each token once"),
        ({"token": ["a=x/y"]}, "--token: an account stands in a path, and so cannot hold /"),
        ({"secret": "\udce9"}, "--secret: this is not UTF-8 text"),
        ({"secret": ""}, "--secret: an empty one authenticates nothing"),
        ({"secret": "x", "old_secret": [""]}, "--secret: an empty one authenticates nothing"),
        ({"token_file": "/nowhere"}, "--token-file: /nowhere: No such file or directory"),
        ({"database": "x"}, NO_URL),
        ({"database": "postgresql://u@h:abc/db"}, NO_URL),
        ({"database": "postgresql://u@h/d\udce9"}, NO_URL),
        ({"database": "sqlite+aiosqlite:///x.db"}, NO_URL),
        ({"database": "sqlite+nosuch:///x"}, NO_URL),
        ({"database": "nosuch:///x"}, "nosuch is not served from, but sqlite and postgresql are"),
        ({"database": "sqlite:///x.db?timeout=abc"}, NO_URL),
        ({"database": "sqlite:///x.db?timeout=1&timeout=2"}, NO_URL),
        ({"database": "sqlite://host/x.db"}, NO_URL),
        ({"database": "mysql://127.0.0.1/x"}, "mysql is not served from, but sqlite and postgresql are"),
        ({"database": "sqlite:////nowhere/x.db"}, "this database cannot be used: unable to open database file"),
        ({"data": "/nowhere"}, "/nowhere: No such file or directory"),
    ],
)
def test_what_cannot_be_served_is_said(options, message):
    with pytest.raises(InputError) as error:
        serve(**{"token": ["a=b"]} | options)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({}, "task 1: its resourceURI names no account"),
        (
            {"resourceURI": "/accounts/a/x"},
            "task 1: type is missing or has no value of its type, and its column is NOT NULL",
        ),
    ],
)
def test_tasks_that_are_none_are_refused(task, message, tmp_path):
    data = tmp_path / "tasks.json"
    data.write_text(json.dumps([task]))
    with pytest.raises(InputError) as error:
        serve(token=["a=b"], data=str(data))
    assert str(error.value) == message


def test_the_landing_page_tells_what_this_is(server):
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        text = response.read().decode()
        assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    finally:
        connection.close()
    assert "curl --get" in text
    assert "/openapi.json" in text


def test_a_database_is_no_data(tmp_path):
    sqlite3.connect(tmp_path / "x.db").execute("CREATE TABLE tasks (id TEXT)").connection.close()
    with pytest.raises(InputError) as error:
        serve(token=["a=b"], data=str(tmp_path / "x.db"))
    assert str(error.value).endswith("x.db: this is a database, and --data takes files of resources")


def test_a_table_of_something_else_is_refused(tmp_path):
    sqlite3.connect(tmp_path / "x.db").execute("CREATE TABLE tasks (id TEXT)").connection.close()
    with pytest.raises(InputError) as error:
        serve(token=["a=b"], database=f"sqlite:///{tmp_path}/x.db")
    assert str(error.value) == "this database cannot be used: no such column: tasks.type"


def test_a_driver_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError) as error:
        serve(token=["a=b"], database="postgresql://u@127.0.0.1/db")
    assert str(error.value).startswith("this database cannot be used: import of psycopg halted")


def test_the_command_ends_with_status_2():
    command = [sys.executable, "-m", "astra_filter.cli", "serve", "--token", "x"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (2, "--token: write TOKEN=ACCOUNT, each token once\n")


def test_without_a_token_one_is_made_up():
    command = [sys.executable, "-m", "astra_filter.cli", "serve", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    hint = process.stderr.readline()
    for line in process.stdout:
        if "running on " in line:
            break
    process.terminate()
    process.communicate()
    assert re.fullmatch(rf"curl -H 'Authorization: Bearer [\w-]{{43}}' http://127\.0\.0\.1:0{PATH}\n", hint)
