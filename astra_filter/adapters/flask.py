"""List requests in Flask. Needs the extra ``flask``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.adapters._web import Parameters
from astra_filter.adapters.openapi import PROBLEM_TYPE
from astra_filter.errors import RequestError
from astra_filter.problem import BASE_URL
from astra_filter.wording import installation as wording

try:
    from flask import Request, Response, jsonify, request
except ModuleNotFoundError as error:
    raise wording.missing_extra("flask", error) from error

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Blueprint, Flask

    from astra_filter.query import ListQuery


class ListParameters(Parameters[Request]):
    """The query parameters of a list operation: called in a view, returns the checked `ListQuery` of its request.

    The arguments are those of `Parameters`. For example:

        lists = ListParameters(TASK, default_limit=50, max_limit=500)

        @app.get("/tasks")
        def tasks():
            return lists().page(TASKS).body()
    """

    def __call__(self) -> ListQuery:
        """Check the parameters of the current request.

        Raises:
            QueryError: holds every problem of the request; `handle_errors` answers with it.
        """
        return self.read(request, request.query_string)


def handle_errors(
    app: Flask | Blueprint,
    *,
    base_url: str = BASE_URL,
    correlation_id: Callable[[Request], str | None] = lambda _: None,
) -> None:
    """Let an application answer with the 400 document of SPEC §1 when a list request or a filter is wrong.

    Args:
        app: gets an error handler.
        base_url: what the problem's type starts with.
        correlation_id: tells by which name the server's log knows a request.
    """

    def answer(error: RequestError) -> tuple[Response, int]:
        response = jsonify(error.problem(base_url=base_url, correlation_id=correlation_id(request)))
        response.mimetype = PROBLEM_TYPE
        return response, 400

    app.register_error_handler(RequestError, answer)
