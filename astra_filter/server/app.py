"""The operation over HTTP: routes, bearer tokens, problem documents."""

# Annotations are not postponed here: FastAPI reads those of its functions, and they name dependencies that are local.

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from math import ceil
from time import monotonic
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Request, Response
from pydantic_core import to_json
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from astra_filter import problem
from astra_filter.adapters import openapi
from astra_filter.adapters.fastapi import ListParameters, ListQuery, ProblemResponse
from astra_filter.errors import RequestError
from astra_filter.server.bounds import Bounds
from astra_filter.server.logs import HEADER, RequestLog, correlation_id
from astra_filter.server.metrics import CONTENT_TYPE, Metrics
from astra_filter.server.quotas import Quota
from astra_filter.server.statements import Call, Cancelled
from astra_filter.server.store import Store
from astra_filter.server.tasks import EXAMPLE_ACCOUNT, TASK

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

_PATH = "/accounts/{account_id}/core/v1/tasks"
_READY = "/readyz"
_METRICS = "/metrics"
_LANDING = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tasks</title>
</head>
<body>
<h1>Tasks</h1>
<p>The list operation of a collection of tasks, with filters. A filter says which tasks:</p>
<pre>curl --get 'http://HOST{_PATH.format(account_id=EXAMPLE_ACCOUNT)}' \\
    --header 'Authorization: Bearer TOKEN' \\
    --data-urlencode "filter=state eq 'running' and percentDone gte 20" \\
    --data include=id,name --data limit=2</pre>
<p>HOST is this server, and TOKEN what it was started with. Other parameters: orderBy, skip, count, continue.</p>
<ul>
<li><a href="/openapi.json">What it answers</a>, as an OpenAPI document</li>
<li><a href="{_READY}">Whether it can answer</a></li>
</ul>
<p>To write filters over the same fields with completion: <code>astra-filter playground</code>.</p>
</body>
</html>
"""


_PROMPT = 0.08
"""Seconds that ``/readyz`` waits for the database."""
_FRESH = 2.0
"""Seconds for which it trusts the database's last answer."""
_CLIENT_CLOSED_REQUEST = 499
"""What nobody reads, and the log tells."""


def create_app(
    store: Store,
    accounts: Mapping[str, str],
    secret: bytes | str | Sequence[bytes | str],
    bounds: Bounds = Bounds(),  # noqa: B008  # It never changes.
) -> FastAPI:
    """Return the application.

    Args:
        store: the tasks; closed when the application ends.
        accounts: the account that each bearer token is for.
        secret: authenticates ``continue`` tokens; of several, the first makes them and all are taken.
        bounds: what each caller is given at most.
    """
    tokens = BearerTokens(accounts)
    health = Health(store)
    quotas = {token: Quota(bounds) for token in accounts}
    metrics = Metrics() if bounds.metrics else None
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
        health.close()
        store.close()

    app = FastAPI(title="Tasks", version="1.1", lifespan=lifespan, redoc_url=None, redirect_slashes=False)

    async def permitted(
        request: Request,
        account_id: Annotated[str, Path(description="The account.", examples=[EXAMPLE_ACCOUNT])],
    ) -> AsyncIterator[str]:
        """The account asked for, which the token must be for."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip(" ")
        account = tokens.account(token) if scheme.lower() == "bearer" else None
        if account is None:
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        request.state.account = account
        if account != account_id:
            known = account_id in tokens.known or await run_in_threadpool(store.has, account_id)
            raise HTTPException(403 if known else 404)
        quota = quotas[token]
        wait = quota.enter()
        if wait:
            raise HTTPException(429, headers={"Retry-After": str(ceil(wait))})
        try:
            yield account
        finally:
            quota.leave()

    @app.get(
        _PATH,
        summary="List all tasks",
        response_description="A page of the tasks that match.",
        responses={
            200: {"content": {"application/json": {"schema": openapi.collection(TASK)}}},
            401: openapi.problem_response("No bearer token, or one that is not known."),
            403: openapi.problem_response("The token is for another account."),
            404: openapi.problem_response("There is no such account."),
            429: openapi.problem_response("Too many requests with this token."),
            503: openapi.problem_response("The database does not answer."),
        },
        openapi_extra={**lists.openapi, "security": [{"bearer": []}]},
    )
    async def list_tasks(
        request: Request, account: Annotated[str, Depends(permitted)], query: Annotated[ListQuery, Depends(lists)]
    ) -> Response:
        if metrics is not None and query.filter is not None:
            request.state.shape = query.filter.shape
        return await _answer(request, store, query, account)

    @app.get("/", include_in_schema=False)
    async def landing() -> Response:
        return Response(_LANDING, media_type="text/html", headers={"Content-Security-Policy": "default-src 'none'"})

    @app.get(
        _READY,
        summary="Whether requests can be answered",
        responses={503: openapi.problem_response("The database does not answer.")},
    )
    async def ready() -> dict[str, str]:
        if not await health.check():
            raise HTTPException(503)
        return {"status": "ready"}

    if metrics is not None:
        _serve_metrics(app, metrics)
    _answer_problems(app)
    app.add_middleware(HeadAsGet)
    app.add_middleware(
        RequestLog,
        failure=lambda name: _document(500, name),
        observe=None if metrics is None else metrics.observe,
    )
    _document_exactly(app)
    return app


async def _answer(request: Request, store: Store, query: ListQuery, account: str) -> Response:
    """Answer a list request, unless its client hangs up before."""
    call = Call()

    def answer() -> bytes:
        return to_json(store.page(query, account, call).body(type="application/astra-tasks", version="1.1"))

    async def hang_up() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        store.cancel(call)

    waiting = asyncio.create_task(hang_up())
    try:
        return Response(await run_in_threadpool(answer), media_type="application/json")
    except Cancelled:
        return Response(status_code=_CLIENT_CLOSED_REQUEST if call.cancelled else 503)
    finally:
        waiting.cancel()


def _serve_metrics(app: FastAPI, metrics: Metrics) -> None:
    @app.get(_METRICS, summary="Numbers for a monitoring system", include_in_schema=False)
    async def numbers() -> Response:
        return Response(metrics.text(TASK.cache_info()), media_type=CONTENT_TYPE)


class HeadAsGet:
    """Answers HEAD as GET, whose body the server then leaves out.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request (ASGI)."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


class Health:
    """Whether the database answers, asked in a thread and over a connection of its own.

    Args:
        store: the tasks.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, "health")
        self._asked: Future[None] | None = None
        self._answered = float("-inf")

    async def check(self) -> bool:
        """Return whether the database answers at once, or else answered a moment ago."""
        if self._asked is None or self._asked.done():
            self._asked = self._thread.submit(self._ask)
        asked = self._asked
        await asyncio.wait([asyncio.wrap_future(asked)], timeout=_PROMPT)
        if asked.done():
            return asked.exception() is None
        return monotonic() - self._answered < _FRESH

    def _ask(self) -> None:
        self._store.ping()
        self._answered = monotonic()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)


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

    async def invalid(request: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, RequestError)  # noqa: S101  # As above.
        request.state.codes = [each.code for each in error.problems]
        return ProblemResponse(error.problem(correlation_id=correlation_id(request)), 400)

    async def unavailable(request: Request, _: Exception) -> ProblemResponse:
        return ProblemResponse(_document(503, correlation_id(request)), 503)

    app.add_exception_handler(RequestError, invalid)
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
