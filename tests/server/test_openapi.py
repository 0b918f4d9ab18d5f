"""The server's OpenAPI document is valid, and schemathesis finds no request that the server answers against it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from running import PATH, ROOT, TOKEN, running

from astra_filter.language.operators import Operator
from astra_filter.server import TASK

pytestmark = pytest.mark.slow

EXAMPLES = os.environ.get("ASTRA_FILTER_EXAMPLES", "40")
"""How many requests schemathesis makes up; more to look harder."""


def test_the_document_is_valid_and_says_everything():
    with running() as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        connection.request("GET", "/openapi.json")
        document = json.loads(connection.getresponse().read())
        connection.close()
    OpenAPIV31SpecValidator(document).validate()
    operation = document["paths"]["/accounts/{account_id}/core/v1/tasks"]["get"]
    assert sorted(operation["responses"]) == ["200", "400", "401", "403", "404", "429", "503"]
    assert operation["security"] == [{"bearer": []}]
    description = next(p["description"] for p in operation["parameters"] if p["name"] == "filter")
    for path, leaf in TASK.leaves.items():
        operators = [operator.value for operator in Operator if operator in leaf.field.operators]
        assert any(
            line.startswith(f"| `{'.'.join(path)}` |")
            and (line.endswith(f"| {', '.join(operators)} |") or "[…]" in line)
            for line in description.splitlines()
        )
    assert PATH.replace(PATH.split("/")[2], "{account_id}") in document["paths"]


def test_schemathesis_finds_nothing():
    with running("--generate", "50") as server:
        command = [str(Path(sys.executable).parent / "schemathesis"), "run", f"{server.url}/openapi.json"]
        command += ["--checks", "all", "--mode", "all", "--max-examples", EXAMPLES, "--no-color"]
        command += ["--header", f"Authorization: Bearer {TOKEN}"]
        paths = os.pathsep.join(str(ROOT / folder) for folder in ("", "tests", "tests/server"))
        environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": paths}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout
    assert "No issues found" in done.stdout
    # It has asked for something, and not only for what is refused.
    requests = [line for line in server.lines if line["message"] == "request"]
    assert {200, 400, 401, 404, 405} <= set(Counter(line["status"] for line in requests))
    for name in ("filter", "include", "orderBy", "limit", "skip", "count", "continue"):
        assert any(line["status"] == 200 and f"{name}=" in line["query"] for line in requests), name
