"""The operation over HTTP: routes, bearer tokens, problem documents."""

# Annotations are not postponed here: FastAPI reads those of its functions, and they name dependencies that are local.

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Request, Response
from pydantic_core import to_json
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from astra_filter import problem
from astra_filter.adapters import openapi
from astra_filter.adapters.fastapi import ListParameters, ListQuery, ProblemResponse, handle_errors
from astra_filter.server.logs import HEADER, RequestLog, correlation_id
from astra_filter.server.store import Store
from astra_filter.server.tasks import EXAMPLE_ACCOUNT, TASK

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

_PATH = "/accounts/{account_id}/core/v1/tasks"
_READY = "/readyz"


def create_app(store: Store, accounts: Mapping[str, str], secret: bytes | str) -> FastAPI:
    """Return the application.

    Args:
        store: the tasks; closed when the application ends.
        accounts: the account that each bearer token is for.
        secret: authenticates ``continue`` tokens.
    """
    tokens = BearerTokens(accounts)
    lists = ListParameters(
        TASK,
        scope=lambda request: str(request.path_params["account_id"]),
        secret=secret,
        default_limit=DEFAULT_LIMIT,
        max_limit=MAX_LIMIT,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        store.close()

    app = FastAPI(title="Tasks", version="1.1", lifespan=lifespan, redoc_url=None, redirect_slashes=False)

    async def permitted(
        request: Request,
        account_id: Annotated[str, Path(description="The account.", examples=[EXAMPLE_ACCOUNT])],
    ) -> str:
        """The account asked for, which the token must be for."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        account = tokens.account(token.strip(" ")) if scheme.lower() == "bearer" else None
        if account is None:
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        request.state.account = account
        if account != account_id:
            known = account_id in tokens.known or await run_in_threadpool(store.has, account_id)
            raise HTTPException(403 if known else 404)
        return account

    @app.get(
        _PATH,
        summary="List all tasks",
        response_description="A page of the tasks that match.",
        responses={
            200: {"content": {"application/json": {"schema": openapi.collection(TASK)}}},
            401: openapi.problem_response("No bearer token, or one that is not known."),
            403: openapi.problem_response("The token is for another account."),
            404: openapi.problem_response("There is no such account."),
            503: openapi.problem_response("The database does not answer."),
        },
        openapi_extra={**lists.openapi, "security": [{"bearer": []}]},
    )
    def list_tasks(
        account: Annotated[str, Depends(permitted)], query: Annotated[ListQuery, Depends(lists)]
    ) -> Response:
        page = store.page(query, account)
        body = page.body(type="application/astra-tasks", version="1.1")
        return Response(to_json(body), media_type="application/json")

    @app.get(
        _READY,
        summary="Whether requests can be answered",
        responses={503: openapi.problem_response("The database does not answer.")},
    )
    def ready() -> dict[str, str]:
        store.has(EXAMPLE_ACCOUNT)
        return {"status": "ready"}

    _answer_problems(app)
    app.add_middleware(RequestLog, failure=lambda name: _document(500, name))
    _document_exactly(app)
    return app


class BearerTokens:
    """The accounts of bearer tokens.

    Args:
        accounts: the account of each token.
    """

    def __init__(self, accounts: Mapping[str, str]) -> None:
        self._accounts = [(_digest(token), account) for token, account in accounts.items()]
        self.known = frozenset(accounts.values())

    def account(self, token: str) -> str | None:
        """Return the account of a token, in a time that tells nothing about any token."""
        given = _digest(token)
        found = None
        for digest, account in self._accounts:
            if compare_digest(digest, given):
                found = account
        return found


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


# Problems ------------------------------------------------------------------------------------------------------------

_DOCUMENTS = {401: problem.missing_token, 403: problem.not_permitted, 404: problem.collection_not_found}


def _document(status: int, name: str) -> dict[str, Any]:
    if status in _DOCUMENTS:
        return _DOCUMENTS[status](correlation_id=name)
    # Other problems than those of SPEC §1 have no type of their own (RFC 9457, section 4.2.1).
    known = HTTPStatus(status)
    return {
        "type": "about:blank",
        "title": known.phrase,
        "detail": known.description or known.phrase,
        "status": str(status),
        "correlationID": name,
    }


def _answer_problems(app: FastAPI) -> None:
    async def refuse(request: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, HTTPException)  # noqa: S101  # The handler is registered for nothing else.
        document = _document(error.status_code, correlation_id(request))
        return ProblemResponse(document, error.status_code, headers=error.headers)

    async def unavailable(request: Request, _: Exception) -> ProblemResponse:
        return ProblemResponse(_document(503, correlation_id(request)), 503)

    handle_errors(app, correlation_id=correlation_id)
    app.add_exception_handler(HTTPException, refuse)
    app.add_exception_handler(OperationalError, unavailable)
    app.add_exception_handler(PoolTimeoutError, unavailable)


def _document_exactly(app: FastAPI) -> None:
    """Remove from the OpenAPI document the answers that FastAPI gives and this server does not; add its header."""
    made = app.openapi

    def openapi_document() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            header = {"description": "Names the request in the server's log.", "schema": {"type": "string"}}
            for operations in document["paths"].values():
                responses = operations["get"]["responses"]
                responses.pop("422", None)
                for response in responses.values():
                    response["headers"] = {HEADER: header}
            document["components"] = {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}}
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi_document  # type: ignore[method-assign]  # FastAPI's way of changing the document.
