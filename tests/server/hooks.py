"""What schemathesis cannot tell from JSON Schema: the language of filters, and that tokens come from the server.

Loaded by ``schemathesis run`` through SCHEMATHESIS_HOOKS.
"""

from __future__ import annotations

import schemathesis
from hypothesis import strategies as st
from running import ACCOUNT, SECRET

from astra_filter import QueryError, SchemaError
from astra_filter.server import TASK
from astra_filter.server.tasks import example_tasks
from astra_filter.testing.strategies import filters

PLACEHOLDER = "a token"

schemathesis.openapi.format("filter", filters(TASK, example_tasks()).map(str))
schemathesis.openapi.format("continue-token", st.just(PLACEHOLDER))


@schemathesis.hook
def before_call(context, case, kwargs):
    """Put a token of the request in its place: one that follows the first of the example's tasks."""
    query = case.query or {}
    if query.get("continue") == PLACEHOLDER:
        order = query.get("orderBy")
        pairs = [("limit", "1")]
        if order:
            pairs.append(("orderBy", order if isinstance(order, str) else ",".join(order)))
        whole = [
            (name, text if isinstance(text, str) else ",".join(text) if name in ("orderBy", "include") else str(text))
            for name, given in query.items()
            if name != "continue"  # Which is but the placeholder.
            for text in (given if name == "filter" and isinstance(given, list) else [given])
        ]
        try:
            # What is refused for any of its parameters stays as it is.
            TASK.query(whole)
            token = TASK.query(pairs, scope=ACCOUNT, secret=SECRET).page(example_tasks()).next_token
        except (QueryError, SchemaError, TypeError):
            return
        rest = {name: value for name, value in query.items() if name not in ("filter", "skip")}
        case.query = {**rest, "continue": token}
