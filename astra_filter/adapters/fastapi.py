"""List requests in FastAPI. Needs the extra ``fastapi``."""

# Annotations are not postponed here: FastAPI 0.115 to 0.123.6 cannot read those of a callable object, and takes its
# request for a query parameter.

from astra_filter.wording import installation as wording

try:
    from fastapi import Request
except ModuleNotFoundError as error:
    raise wording.missing_extra("fastapi", error) from error

from astra_filter.adapters._web import Parameters
from astra_filter.adapters.starlette import ProblemResponse, handle_errors
from astra_filter.query import ListQuery

__all__ = ["ListParameters", "ListQuery", "ProblemResponse", "handle_errors"]


class ListParameters(Parameters[Request]):
    """The query parameters of a list operation: a dependency that yields the checked `ListQuery`.

    The arguments are those of `Parameters`. For example:

        lists = ListParameters(TASK, default_limit=50, max_limit=500)

        @app.get("/tasks", openapi_extra=lists.openapi)
        def tasks(query: Annotated[ListQuery, Depends(lists)]):
            return query.page(TASKS).body()
    """

    async def __call__(self, request: Request) -> ListQuery:
        """Check the parameters of a request.

        Raises:
            QueryError: holds every problem of the request; `handle_errors` answers with it.
        """
        return self.read(request, request.scope["query_string"])
