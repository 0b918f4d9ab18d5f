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
        filters = query.get("filter", [])
        try:
            # What is refused for its filters stays as it is.
            TASK.query([*pairs, *[("filter", text) for text in ([filters] if isinstance(filters, str) else filters)]])
            token = TASK.query(pairs, scope=ACCOUNT, secret=SECRET).page(example_tasks()).next_token
        except (QueryError, SchemaError, TypeError):
            return
        rest = {name: value for name, value in query.items() if name not in ("filter", "skip")}
        case.query = {**rest, "continue": token}
