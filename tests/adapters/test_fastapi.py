"""The FastAPI and Starlette adapters: checked list requests (SPEC §6), problem documents (§1, §7), OpenAPI."""

# Annotations are not postponed here: FastAPI reads those of its functions, and they name dependencies that are local.

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
from asgi import get
from fastapi import Depends, FastAPI
from jsonschema import Draft202012Validator, ValidationError
from openapi_spec_validator import validate
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from astra_filter import Limits, QueryError, Schema, SchemaError, fields
from astra_filter.adapters import fastapi, openapi, starlette
from astra_filter.adapters.fastapi import ListQuery

TASK = Schema(
    {
        "id": fields.Integer(),
        "name": fields.String(operators=["eq", "startswith"]),
        "state": fields.Enum("running", "paused", description="How far it is."),
        "percentDone": fields.Number(nullable=True),
        "secret": fields.String(returnable=False),
        "tags": fields.Array(fields.String(), nullable=True),
        "metadata": fields.Object(
            {"labels": fields.Array(fields.Object({"name": fields.String()})), "created": fields.Timestamp()}
        ),
    },
    key="id",
)
TASKS = [
    {
        "id": number,
        "name": name,
        "state": "running",
        "metadata": {"labels": [{"name": "env"}], "created": "2020-08-06T12:24:52Z"},
    }
    for number, name in enumerate(("astra.backup", "astra.backup.prep", "astra.restore"))
]


def fastapi_app(**options):
    app = FastAPI()
    fastapi.handle_errors(app, correlation_id=lambda request: request.headers["host"])
    lists = fastapi.ListParameters(TASK, **options)

    @app.get("/{account}/tasks", openapi_extra=lists.openapi)
    def tasks(account: str, query: Annotated[ListQuery, Depends(lists)]):
        assert account in "ab"
        return query.page(TASKS).body(version="1.1")

    return app


def starlette_app(**options):
    lists = starlette.ListParameters(TASK, **options)

    async def tasks(request):
        return JSONResponse(lists(request).page(TASKS).body(version="1.1"))

    app = Starlette(routes=[Route("/{account}/tasks", tasks)])
    starlette.handle_errors(app, correlation_id=lambda request: request.headers["host"])
    return app


APPS = pytest.mark.parametrize("make", [fastapi_app, starlette_app])


@APPS
def test_a_page_and_the_one_after_it(make):
    app = make(default_limit=1, secret="s")
    first = get(app, "/a/tasks", "include=id,name&count=true&filter=name%20startswith%20'astra.backup'")
    assert first.status == 200
    token = first.body["metadata"].pop("continue")
    assert first.body == {"version": "1.1", "items": [[0, "astra.backup"]], "metadata": {"count": 2}}
    second = get(app, "/a/tasks", f"include=id&filter=name%20startswith%20'astra.backup'&continue={token}")
    assert second.body == {"version": "1.1", "items": [[1]], "metadata": {}}


@APPS
def test_all_problems_of_a_request_in_one_document(make):
    answer = get(make(), "/a/tasks", "filter=nme%20eq%201&limit=0&include=secret&x=%ff")
    assert (answer.status, answer.media_type) == (400, "application/problem+json")
    entries = answer.body.pop("invalidParams")
    assert [(entry["name"], entry["code"]) for entry in entries] == [
        ("x", "bad_encoding"),
        ("filter", "unknown_field"),
        ("include", "not_returnable"),
        ("limit", "bad_limit"),
    ]
    assert answer.body == {
        "type": "https://astra.netapp.io/problems/5",
        "title": "Invalid query parameters",
        "detail": "The supplied query parameters are invalid.",
        "status": "400",
        "correlationID": "127.0.0.1",
    }


@APPS
def test_the_problem_of_a_filter_alone_is_answered_too(make):
    app = make(scope=lambda _: str(TASK.compile("state eq 'gone'")))
    answer = get(app, "/a/tasks")
    assert (answer.status, answer.body["invalidParams"][0]["code"]) == (400, "undeclared_value")


@APPS
def test_a_token_is_bound_to_the_scope_and_the_secret(make):
    app = make(scope=lambda request: request.path_params["account"], secret="s")
    token = get(app, "/a/tasks", "limit=1").body["metadata"]["continue"]
    assert get(app, "/a/tasks", f"continue={token}").status == 200
    assert get(app, "/b/tasks", f"continue={token}").body["invalidParams"][0]["code"] == "bad_token"
    other = make(scope=lambda request: request.path_params["account"], secret="t")
    assert get(other, "/a/tasks", f"continue={token}").body["invalidParams"][0]["code"] == "bad_token"


@APPS
def test_options(make):
    app = make(max_limit=2, ignore=["pretty"], limits=Limits(tests=1))
    assert len(get(app, "/a/tasks", "limit=3&pretty=1").body["items"]) == 2
    answer = get(app, "/a/tasks", "filter=id%20eq%201%20or%20id%20eq%202")
    assert answer.body["invalidParams"][0]["code"] == "too_many_tests"


@pytest.mark.parametrize("module", [fastapi, starlette])
def test_contradicting_options_show_at_start(module):
    with pytest.raises(SchemaError) as error:
        module.ListParameters(TASK, default_limit=0)
    assert error.value.code == "bad_page_size"


def test_the_openapi_document():
    document = get(fastapi_app(default_limit=50, max_limit=500), "/openapi.json").body
    validate(document)
    operation = document["paths"]["/{account}/tasks"]["get"]
    parameters = {parameter["name"]: parameter for parameter in operation["parameters"]}
    assert list(parameters) == ["account", "filter", "include", "limit", "skip", "orderBy", "count", "continue"]
    description = parameters["filter"]["description"]
    assert "At most 8192 characters and 200 tests" in description
    assert description.splitlines()[2:] == [
        "| field | type | operators |",
        "|---|---|---|",
        "| `id` | integer | eq, ne, lt, lte, gt, gte, in |",
        "| `name` | string | eq, startswith |",
        "| `state` | enum: running, paused | eq, ne, in |",
        "| `percentDone` | number, nullable | eq, ne, lt, lte, gt, gte, in |",
        "| `secret` | string | eq, ne, lt, lte, gt, gte, in, contains, startswith, endswith, ieq, ine, iin, icontains, istartswith, iendswith |",
        "| `tags` | array of string, nullable | eq, ne, lt, lte, gt, gte, in, contains, startswith, endswith, ieq, ine, iin, icontains, istartswith, iendswith |",
        "| `metadata.labels` | array of object | […] |",
        "| `metadata.labels.name` | string | eq, ne, lt, lte, gt, gte, in, contains, startswith, endswith, ieq, ine, iin, icontains, istartswith, iendswith |",
        "| `metadata.created` | timestamp | eq, ne, lt, lte, gt, gte, in |",
    ]
    names = ["id", "name", "state", "percentDone", "tags", "metadata", "metadata.labels", "metadata.created"]
    assert parameters["include"]["schema"]["items"]["enum"] == names
    assert parameters["limit"]["description"].endswith("Without it 50. More than 500 is lowered to 500.")
    keys = parameters["orderBy"]["schema"]["items"]["enum"]
    assert keys[:3] == ["id", "id asc", "id desc"]
    assert {key.split()[0] for key in keys} == {"id", "name", "state", "percentDone", "metadata.created"}
    assert list(operation["responses"]["400"]["content"]) == ["application/problem+json"]


def test_the_examples_in_the_document_are_valid_requests():
    app = fastapi_app()
    examples = 0
    for parameter in openapi.parameters(TASK):
        values = [example["value"] for example in parameter.get("examples", {}).values()]
        for value in [*values, parameter.get("example")]:
            if value is not None:
                text = ",".join(value) if isinstance(value, list) else value
                answer = get(app, "/a/tasks", f"{parameter['name']}={text}".replace(" ", "%20"))
                assert answer.status == 200, answer
                examples += 1
    assert examples == 10


def test_parameters_that_a_schema_cannot_serve_are_not_documented():
    keyless = Schema({"tags": fields.Array(fields.String(), returnable=False)})
    assert [parameter["name"] for parameter in openapi.parameters(keyless)] == ["filter", "limit", "skip", "count"]
    assert [parameter["name"] for parameter in openapi.parameters(Schema.open())] == [
        "filter",
        "limit",
        "skip",
        "count",
    ]


def test_one_name_to_ignore_is_a_mistake():
    """Its letters would be ignored, and it would not."""
    with pytest.raises(SchemaError) as caught:
        starlette.ListParameters(TASK, ignore="pretty")
    assert caught.value.code == "bad_names"
    lists = starlette.ListParameters(TASK, ignore=iter(["pretty"]))
    for _ in range(2):
        assert lists.read(None, "pretty=true&limit=1").limit == 1


def test_elements_of_the_wrong_type_are_documented():
    """SPEC §4.6: they come out as null, and their members not at all."""
    inner = fields.Object({"x": fields.Integer()})
    element = fields.Object({"name": fields.String(), "in": inner, "more": fields.Array(fields.Date())})
    schema = Schema(
        {
            "id": fields.Integer(),
            "tags": fields.Array(fields.String()),
            "states": fields.Array(fields.Enum("on", "off", description="How it is.")),
            "labels": fields.Array(element),
            "in": inner,
        },
        key="id",
    )
    found = openapi.resource(schema)
    check = Draft202012Validator(found).validate
    values = {"tags": ["a", None, 5], "states": ["on", 5, None], "in": {"x": 1}}
    for labels in ([], [5, None], [{}], [{"name": 5, "in": {"x": "y"}, "more": [5]}], [{"in": 5, "more": 5}]):
        (item,) = schema.query("").page([{"id": 1, **values, "labels": labels}]).items
        check(item)
    assert found["properties"]["states"]["items"] == {
        "type": ["string", "null"],
        "enum": ["on", "off", None],
        "description": "How it is.",
    }
    assert found["required"] == list(schema.root.members)
    assert found["properties"]["in"]["required"] == ["x"]
    with pytest.raises(ValidationError):
        check({"id": 1, "tags": [5]})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a b", "`` `a b` ``"),
        ("`", "````` ```` `````"),
        ("a``b", "````` `a````b` `````"),
        ("x|y", "`` `x\\|y` ``"),
        ("a\r\nb", "`` `a  b` ``"),
    ],
)
def test_any_name_stands_in_the_table(name, code):
    """In a fence that its backquotes do not end, and in one cell."""
    schema = Schema({name: fields.Enum("a|b", "c\nd"), "z": fields.Integer(operators=["eq"])})
    rows = openapi.parameters(schema)[0]["description"].partition("|---|---|---|\n")[2]
    assert rows.split("\n") == [f"| {code} | enum: a\\|b, c d | eq, ne, in |", "| `z` | integer | eq |"]


@pytest.mark.parametrize("text", ["0", "007", "9", "0999999999999999999", str(10**18), str(2**63 - 1), str(2**63 - 10)])
def test_skips_that_are_documented(text):
    pattern = next(p for p in openapi.parameters(TASK) if p["name"] == "skip")["schema"]["pattern"]
    assert re.search(pattern, text)
    assert TASK.query({"skip": text}).skip == int(text)


@pytest.mark.parametrize("text", ["", "-1", "1.0", "x", str(2**63), "9223372036854775810", "9" * 19, "1" + "0" * 19])
def test_skips_that_are_not_documented(text):
    pattern = next(p for p in openapi.parameters(TASK) if p["name"] == "skip")["schema"]["pattern"]
    assert not re.search(pattern, text)
    with pytest.raises(QueryError):
        TASK.query({"skip": text})


def test_only_what_callers_may_use_is_documented():
    schema = Schema(
        {
            "id": fields.Integer(),
            "hidden": fields.String(operators=(), returnable=False),
            "some": fields.Array(fields.String(operators=())),
            "inner": fields.Object({"x": fields.Integer()}, returnable=False),
            "labels": fields.Array(fields.Object({"name": fields.String()}), operators=()),
        },
        key="id",
    )
    found = {parameter["name"]: parameter for parameter in openapi.parameters(schema, default_limit=50, max_limit=10)}
    rows = [line.split("`")[1] for line in found["filter"]["description"].splitlines() if line.startswith("| `")]
    assert rows == ["id", "inner.x", "labels", "labels.name"]
    assert found["orderBy"]["schema"]["items"]["enum"] == ["id", "id asc", "id desc"]
    assert found["limit"]["description"].endswith("Without it 10. More than 10 is lowered to 10.")


def test_the_schema_of_a_resource():
    assert openapi.resource(TASK) == {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "name": {"type": "string"},
            "state": {"type": "string", "enum": ["running", "paused"], "description": "How far it is."},
            "percentDone": {"type": "number"},
            "tags": {"type": "array", "items": {"type": ["string", "null"]}},
            "metadata": {
                "type": "object",
                "properties": {
                    "labels": {
                        "type": "array",
                        "items": {
                            "type": ["object", "null"],
                            "properties": {"name": {"type": "string"}},
                            "additionalProperties": False,
                        },
                    },
                    "created": {"type": "string", "format": "date-time"},
                },
                "required": ["labels", "created"],
                "additionalProperties": False,
            },
        },
        "required": ["id", "name", "state", "metadata"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [
        ("astra_filter.adapters.starlette", "starlette", "starlette"),
        ("astra_filter.adapters.fastapi", "fastapi", "fastapi"),
        ("astra_filter.adapters.flask", "flask", "flask"),
        ("astra_filter.testing", "hypothesis", "testing"),
        ("astra_filter.server", "fastapi", "server"),
        ("astra_filter.server", "sqlalchemy", "server"),
        ("astra_filter.server", "uvicorn", "server"),
    ],
)
@pytest.mark.slow
def test_without_the_extra_one_error_names_it(module, package, extra):
    code = f"""
import json, sys
sys.modules[{package!r}] = None
try:
    import {module}
except ImportError as error:
    print(json.dumps([type(error).__name__, error.code, str(error)]))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    message = f"the package {package} is not installed; install it with: pip install 'astra-filter[{extra}]'"
    assert json.loads(done.stdout) == ["MissingExtraError", "missing_extra", message]
