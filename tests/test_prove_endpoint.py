"""`prove_endpoint`: finds nothing wrong with the reference server, and what is wrong with others."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from adapters import asgi
from flask import Flask

from astra_filter import QueryError, Schema, SchemaError, fields
from astra_filter.adapters.flask import ListParameters, handle_errors
from astra_filter.server.app import create_app
from astra_filter.server.store import Store
from astra_filter.server.tasks import TASK, example_tasks, generated_tasks
from astra_filter.testing import prove_endpoint

ACCOUNT = "fdaa655c-15ab-4d34-aa61-1e9098e67be0"
THING = Schema(
    {
        "id": fields.Integer(),
        "name": fields.String(nullable=True, max_length=20),
        "size": fields.Number(nullable=True),
        "tags": fields.Array(fields.String()),
    },
    key="id",
)
THINGS = [
    {"id": number, "name": (None, "a", "b", "A")[number % 4], "size": None if number % 3 else number / 4, "tags": tags}
    for number, tags in enumerate([[], ["a"], ["a", "b"]] * 7)
]


class Server:
    """An endpoint in memory, of whose faults some can be switched on."""

    def __init__(self, *faults: str) -> None:
        self.faults = faults

    def get(self, url: str) -> SimpleNamespace:
        pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        if "ignores filter" in self.faults:
            first = next((pair for pair in pairs if pair[0] == "filter"), None)
            pairs = [pair for pair in pairs if pair[0] != "filter" or pair is first]
        try:
            query = THING.query(pairs, default_limit=50)
        except QueryError as error:
            return self._answer(400, error.problem())
        things: list[Any] = THINGS
        text = str(query.filter or "")
        if "drops null" in self.faults and re.search(r"name ne '", text):
            things = [thing for thing in things if thing["name"] is not None]
        if "hides" in self.faults and "orderBy" in dict(pairs):
            things = things[1:]
        if "repeats" in self.faults and query.position is not None:
            last = next(thing for thing in things if thing["id"] == query.position[-1])
            page = query.page(things)
            return self._answer(200, {**page.body(), "items": [last, *page.items]})
        page = query.page(things)
        return self._answer(200, page.body())

    @staticmethod
    def _answer(status: int, body: Any) -> SimpleNamespace:
        return SimpleNamespace(status_code=status, content=json.dumps(body).encode())


def test_reference_server() -> None:
    store = Store()
    store.fill([*example_tasks(), *generated_tasks(60, ACCOUNT)], [])
    app = create_app(store, {"token": ACCOUNT}, "secret")

    def get(url: str, headers: dict[str, str]) -> SimpleNamespace:
        parts = urlsplit(url)
        answer = asgi.get(app, parts.path, parts.query, headers)
        return Server._answer(answer.status, answer.body)

    found = prove_endpoint(
        SimpleNamespace(get=get),
        TASK,
        f"/accounts/{ACCOUNT}/core/v1/tasks",
        examples=15,
        headers={"Authorization": "Bearer token"},
    )
    store.close()
    assert found.resources > 30
    assert found.filters > 5
    assert found.errors == 11
    assert "with no fault" in str(found)


def test_right_server_in_memory() -> None:
    found = prove_endpoint(Server(), THING, "/things", examples=60)
    assert (found.resources, found.filters) == (21, 60)


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (["drops null"], ["selects other resources than the predicate"]),
        (["repeats"], ["a page repeats a resource"]),
        (["ignores filter"], ["two filters do not mean *and*"]),
        (["hides"], ["the order is another"]),
        (
            ["drops null", "repeats", "ignores filter"],
            [
                "selects other resources than the predicate",
                "a page repeats a resource",
                "two filters do not mean *and*",
            ],
        ),
    ],
    ids=lambda value: "+".join(value),
)
def test_faults_are_found(faults: list[str], said: list[str]) -> None:
    with pytest.raises(AssertionError) as caught:
        prove_endpoint(Server(*faults), THING, "/things", examples=100)
    lines = str(caught.value).splitlines()
    assert lines[0] == "/things has faults:"
    for fault in said:
        assert any(line.startswith(f"- {fault}: ") for line in lines), lines


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, {"items": []}), "a right request is not answered"),
        ((200, {"items": [{"id": 1}], "metadata": {"continue": "x"}}), "a page repeats a resource"),
        ((200, {"items": [], "metadata": {"continue": "x"}}), "pages do not advance"),
        ((200, {"items": [], "metadata": {}}), "a wrong request gets no problem document"),
        ((400, {"status": 400, "invalidParams": []}), "a wrong request gets no problem document"),
        ((500, "oops"), "a right request is not answered"),
    ],
    ids=str,
)
def test_answers_that_are_none(answer: tuple[int, Any], said: str) -> None:
    client = SimpleNamespace(get=lambda url: Server._answer(*answer))
    with pytest.raises(AssertionError, match=re.escape(said)):
        prove_endpoint(client, THING, "/things", examples=3)


def test_text_that_is_no_json() -> None:
    client = SimpleNamespace(get=lambda url: SimpleNamespace(status_code=502, content=b"<html>"))
    with pytest.raises(AssertionError, match="502: b'<html>'"):
        prove_endpoint(client, THING, "/things")


def test_schemas_without_a_key() -> None:
    with pytest.raises(SchemaError, match="pages can be walked only where the schema has a key"):
        prove_endpoint(Server(), Schema({"id": fields.Integer()}), "/things")


def test_flask() -> None:
    app = Flask(__name__)
    handle_errors(app)
    lists = ListParameters(THING)

    @app.get("/things")
    def things() -> Any:
        return lists().page(THINGS).body()

    found = prove_endpoint(app.test_client(), THING, "/things", examples=10)
    assert found.resources == 21
