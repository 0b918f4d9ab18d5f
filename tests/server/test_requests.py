"""Random list requests over HTTP give what the same requests give in memory (SPEC §4, §6)."""

from __future__ import annotations

import http.client
import json
import os
from contextlib import ExitStack
from urllib.parse import quote, urlencode

import pytest
from databases.backends import backend_params
from hypothesis import HealthCheck, Phase, given, settings
from running import ACCOUNT, HEADERS, PATH, SECRET, namespace, running

from astra_filter.server import TASK
from astra_filter.server.app import DEFAULT_LIMIT, MAX_LIMIT
from astra_filter.server.tasks import example_tasks, generated_tasks
from astra_filter.testing import queries

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("ASTRA_FILTER_EXAMPLES", "100"))
"""How many requests are made up for each database, and followed to their last page; more to look harder."""
TASKS = [*example_tasks(), *generated_tasks(60, ACCOUNT)]


@pytest.fixture(params=backend_params(["sqlite", "postgresql"]))
def connection(request):
    with ExitStack() as stack:
        url = "sqlite://"
        if request.param == "postgresql":
            url = stack.enter_context(namespace(request.getfixturevalue("postgresql")))
        server = stack.enter_context(running("--database", url, "--generate", "60"))
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        yield connection
        connection.close()
        assert server.stop() == 0


@given(pairs=queries(TASK, TASKS))
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
def test_requests(connection, pairs):
    for _ in range(len(TASKS)):
        query = TASK.query(pairs, scope=ACCOUNT, secret=SECRET, default_limit=DEFAULT_LIMIT, max_limit=MAX_LIMIT)
        page = query.page(TASKS)
        connection.request("GET", f"{PATH}?{urlencode(pairs, quote_via=quote)}", headers=HEADERS)
        response = connection.getresponse()
        body = json.loads(response.read())
        assert response.status == 200, body
        assert body == page.body(type="application/astra-tasks", version="1.1")
        if page.next_token is None:
            break
        pairs = [pair for pair in pairs if pair[0] not in ("skip", "continue")] + [("continue", page.next_token)]
    else:
        pytest.fail("the pages never end")
