"""List requests in Starlette. Needs the extra ``starlette``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.adapters._web import Parameters
from astra_filter.adapters.openapi import PROBLEM_TYPE
from astra_filter.errors import RequestError
from astra_filter.problem import BASE_URL
from astra_filter.wording import installation as wording

try:
    from starlette.requests import Request
    from starlette.responses import JSONResponse
except ModuleNotFoundError as error:
    raise wording.missing_extra("starlette", error) from error

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

    from astra_filter.query import ListQuery


class ProblemResponse(JSONResponse):
    """A problem document (RFC 9457)."""

    media_type = PROBLEM_TYPE


class ListParameters(Parameters[Request]):
    """The query parameters of a list operation: called with a request, returns its checked `ListQuery`.

    The arguments are those of `Parameters`. For example:

        lists = ListParameters(TASK, default_limit=50, max_limit=500)

        async def tasks(request):
            return JSONResponse(lists(request).page(TASKS).body())
    """

    def __call__(self, request: Request) -> ListQuery:
        """Check the parameters of a request.

        Raises:
            QueryError: holds every problem of the request; `handle_errors` answers with it.
        """
        return self.read(request, request.scope["query_string"])


def handle_errors(
    app: Starlette,
    *,
    base_url: str = BASE_URL,
    correlation_id: Callable[[Request], str | None] = lambda _: None,
) -> None:
    """Let an application answer with the 400 document of SPEC §1 when a list request or a filter is wrong.

    Args:
        app: gets an exception handler.
        base_url: what the problem's type starts with.
        correlation_id: tells by which name the server's log knows a request.
    """

    async def answer(request: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, RequestError)  # noqa: S101  # The handler is registered for nothing else.
        return ProblemResponse(error.problem(base_url=base_url, correlation_id=correlation_id(request)), 400)

    app.add_exception_handler(RequestError, answer)
