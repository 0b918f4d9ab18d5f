"""The application without a server around it: what each route answers, and what it refuses."""

from __future__ import annotations

import pytest
from adapters.asgi import get

from astra_filter.cli.shell import continuations
from astra_filter.server.app import create_app
from astra_filter.server.bounds import Bounds
from astra_filter.server.store import Store
from astra_filter.server.tasks import account_of, example_tasks

[ACCOUNT] = {account_of(task) for task in example_tasks()}
TASKS = f"/accounts/{ACCOUNT}/core/v1/tasks"
BEARER = {"Authorization": "Bearer token"}


@pytest.fixture
def app():
    bounds = Bounds(metrics=True)
    store = Store("sqlite://", bounds)
    store.fill(example_tasks(), ())
    yield create_app(store, {"token": ACCOUNT, "other": "another"}, "secret", bounds)
    store.close()


def test_a_page(app):
    answer = get(app, TASKS, "filter=state%20eq%20'running'&include=name&count=true", BEARER)
    assert answer.status == 200
    assert answer.body["items"] == [["astra.backup.prep"]]
    assert answer.body["metadata"]["count"] == 1


@pytest.mark.parametrize(
    ("path", "query", "headers", "status"),
    [
        (TASKS, "filter=stat%20eq%20'x'", BEARER, 400),
        (TASKS, "", {}, 401),
        (TASKS, "", {"Authorization": "Bearer nobody's"}, 401),
        (TASKS, "", {"Authorization": "Bearer other"}, 403),
        ("/accounts/none/core/v1/tasks", "", BEARER, 404),
        ("/accounts/none", "", BEARER, 404),
    ],
)
def test_refusals(app, path, query, headers, status):
    answer = get(app, path, query, headers)
    assert answer.status == status
    assert answer.media_type == "application/problem+json"
    assert answer.body["status"] == str(status)


def test_what_is_beside_the_operation(app):
    for path in ("/readyz", "/openapi.json"):
        assert get(app, path).status == 200, path


def test_what_a_shell_offers(tmp_path):
    (tmp_path / "rows.json").write_text('[{"name": "a", "n": 1}]', encoding="utf-8")
    file = str(tmp_path / "rows.json")
    assert "n" in continuations(file, None, "")
    assert any(text.startswith("name eq") for text in continuations(file, None, "name e"))
    assert continuations(None, None, "") == continuations("-", None, "") == continuations(file + "x", None, "") == []
