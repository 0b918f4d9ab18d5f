"""List requests from the client's side."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import requests

from astra_filter import QueryError, RequestError, Schema, fields, problem
from astra_filter.builder import field
from astra_filter.client import EndpointError, ListRequest, items, pages

SCHEMA = Schema({"id": fields.Integer(), "name": fields.String()}, key="id")
ROWS = [{"id": number, "name": f"it's {number}"} for number in range(10)]
URL = "http://127.0.0.1/tasks"


def answer(query):
    """What a server with these rows answers."""
    try:
        request = SCHEMA.query(query, default_limit=3, secret="s")
    except RequestError as error:
        return 400, error.problem()
    return 200, request.page(ROWS).body()


def handler(request):
    status, body = answer(request.url.query.decode())
    return httpx.Response(status, json=body)


class Adapter(requests.adapters.BaseAdapter):
    """Answers what `requests` sends."""

    def send(self, request, **_):
        status, body = answer(urlsplit(request.url).query)
        response = requests.Response()
        response.status_code = status
        response._content = httpx.Response(200, json=body).content
        return response

    def close(self):
        pass


def session():
    made = requests.Session()
    made.mount("http://", Adapter())
    return made


@pytest.fixture(params=["httpx", "requests"])
def client(request):
    made = httpx.Client(transport=httpx.MockTransport(handler)) if request.param == "httpx" else session()
    with made:
        yield made


def test_a_request_is_a_query_string():
    asked = ListRequest(
        filter=[field("name").eq("it's & 5"), "id gt 1"],
        include=["id", "name"],
        order_by=["name desc", "id"],
        limit=2,
        skip=0,
        count=True,
        token="t",
    )
    pairs = [
        ("filter", "name eq 'it''s & 5'"),
        ("filter", "id gt 1"),
        ("include", "id,name"),
        ("orderBy", "name desc,id"),
        ("limit", "2"),
        ("skip", "0"),
        ("count", "true"),
        ("continue", "t"),
    ]
    assert asked.parameters() == pairs
    assert parse_qsl(asked.query_string()) == pairs
    assert "+" not in asked.query_string()
    assert ListRequest().query_string() == ""


def test_all_pages_are_walked(client):
    asked = ListRequest(filter=field("id").ne(4), include=["id"], order_by="id desc", skip=1)
    assert list(items(client, URL, asked)) == [[8], [7], [6], [5], [3], [2], [1], [0]]
    assert [len(page["items"]) for page in pages(client, URL, asked)] == [3, 3, 2]


def test_problems_are_the_same_errors(client):
    with pytest.raises(QueryError) as error:
        list(items(client, URL, ListRequest(filter="nme eq 'x'", limit=0)))
    first, second = error.value.problems
    assert (first.code, first.parameter, first.text, first.span) == ("unknown_field", "filter", "nme eq 'x'", (0, 3))
    assert "did you mean name?" in first.message
    assert second.parameter == "limit"


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (httpx.Response(401, json=problem.missing_token()), "status 401: Missing bearer token The request is missing"),
        (httpx.Response(500, text="<html>"), "the endpoint answers with status 500, and with no JSON object"),
        (httpx.Response(200, json=[]), "the endpoint answers with status 200, and with no JSON object"),
        (httpx.Response(200, json={"items": 5}), "the endpoint answers with status 200"),
        (httpx.Response(400, json={"title": "no"}), "the endpoint answers with status 400: no"),
        (httpx.Response(200, json={"items": [], "metadata": {"continue": "a"}}), "its pages never end"),
    ],
)
def test_other_answers_are_errors(response, message):
    with (
        httpx.Client(transport=httpx.MockTransport(lambda _: response)) as client,
        pytest.raises(EndpointError) as error,
    ):
        list(items(client, URL, ListRequest()))
    assert message in str(error.value)
    assert error.value.status == response.status_code


def test_of_several_filters_the_whole_is_shown(client):
    with pytest.raises(QueryError) as error:
        list(items(client, URL, ListRequest(filter=["id eq 1", "nme eq 'x'"])))
    assert error.value.problems[0].text == "id eq 1 and nme eq 'x'"
