"""The Flask adapter: checked list requests (SPEC §6), problem documents (§1, §7)."""

from __future__ import annotations

import pytest
from flask import Blueprint, Flask

from astra_filter import Schema, SchemaError, fields
from astra_filter.adapters.flask import ListParameters, handle_errors

TASK = Schema({"id": fields.Integer(), "name": fields.String()}, key="id")
TASKS = [{"id": number, "name": name} for number, name in enumerate(("astra.backup", "astra.clone", "astra.restore"))]


def client(**options):
    app = Flask(__name__)
    handle_errors(app, correlation_id=lambda request: request.method)
    lists = ListParameters(TASK, **options)

    @app.get("/<account>/tasks")
    def tasks(account):
        assert account in "ab"
        return lists().page(TASKS).body(version="1.1")

    return app.test_client()


def test_a_page_and_the_one_after_it():
    flask = client(default_limit=1, secret="s")
    first = flask.get("/a/tasks?include=id,name&count=true&filter=name%20gt%20'astra.backup'")
    assert first.status_code == 200
    token = first.json["metadata"]["continue"]
    assert first.json == {
        "version": "1.1",
        "items": [[1, "astra.clone"]],
        "metadata": {"continue": token, "count": 2},
    }
    second = flask.get(f"/a/tasks?filter=name%20gt%20'astra.backup'&continue={token}")
    assert second.json["items"] == [{"id": 2, "name": "astra.restore"}]


def test_all_problems_of_a_request_in_one_document():
    answer = client().get("/a/tasks?filter=nme%20eq%201&limit=0&x=%ff")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    document = answer.json
    assert [(entry["name"], entry["code"]) for entry in document.pop("invalidParams")] == [
        ("x", "bad_encoding"),
        ("filter", "unknown_field"),
        ("limit", "bad_limit"),
    ]
    assert document == {
        "type": "https://astra.netapp.io/problems/5",
        "title": "Invalid query parameters",
        "detail": "The supplied query parameters are invalid.",
        "status": "400",
        "correlationID": "GET",
    }


def test_a_token_is_bound_to_the_scope():
    flask = client(scope=lambda request: request.view_args["account"], secret="s")
    token = flask.get("/a/tasks?limit=1").json["metadata"]["continue"]
    assert flask.get(f"/a/tasks?continue={token}").status_code == 200
    assert flask.get(f"/b/tasks?continue={token}").json["invalidParams"][0]["code"] == "bad_token"


def test_a_blueprint_answers_for_its_own_views():
    lists = ListParameters(TASK, max_limit=2)
    blueprint = Blueprint("tasks", __name__)
    handle_errors(blueprint)

    @blueprint.get("/tasks")
    def tasks():
        return lists().page(TASKS).body()

    app = Flask(__name__)
    app.register_blueprint(blueprint)
    flask = app.test_client()
    assert len(flask.get("/tasks").json["items"]) == 2
    assert "correlationID" not in flask.get("/tasks?limit=x").json


def test_contradicting_options_show_at_start():
    with pytest.raises(SchemaError) as error:
        ListParameters(TASK, secret="")
    assert error.value.code == "bad_secret"


def test_the_parameters_are_documented():
    lists = ListParameters(TASK, default_limit=50)
    assert lists.openapi["parameters"][2]["description"] == "The most resources to return. Without it 50."
    assert list(lists.openapi["responses"]) == ["400"]
