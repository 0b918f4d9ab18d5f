"""The page over HTTP, on loopback."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from astra_filter.playground.answers import Answers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from astra_filter.schema import Schema

_TYPES = {"page.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_LONGEST = 256 * 1024
"""Bytes of a question: room for the longest filter, however it is escaped."""
# A page of another site may have a name that leads to this machine; the name in the request then tells.
_HOSTS = ["127.0.0.1", "localhost", "[::1]"]


def create_playground(schema: Schema, resources: Sequence[Any], name: str) -> Starlette:
    """Return the application; arguments as `serve_playground` has them."""
    answers = Answers(schema, resources, name)
    routes = [Route("/", _file("page.html"))]
    routes += [Route(f"/{file}", _file(file)) for file in ("page.css", "page.js")]
    asked: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "/about": lambda _: answers.about(),
        "/check": lambda body: answers.check(_text(body), every=body.get("every") is True),
        "/complete": lambda body: answers.complete(_text(body), _number(body, "cursor")),
        "/explain": lambda body: answers.explain(_text(body), _number(body, "row")),
    }
    routes += [Route(path, _asked(answer), methods=["POST"]) for path, answer in asked.items()]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS)])


def serve_playground(schema: Schema, resources: Sequence[Any], name: str, port: int) -> None:
    """Serve the page on loopback until Ctrl-C.

    Args:
        schema: the fields of the resources.
        resources: mappings, as JSON gives them.
        name: what they are called on the page.
        port: 0 for any that is free, which is shown.
    """
    config = uvicorn.Config(create_playground(schema, resources, name), port=port, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    sys.stderr.write(f"http://127.0.0.1:{socket.getsockname()[1]}/   (Ctrl-C ends it)\n")
    sys.stderr.flush()
    server.run(sockets=[socket])


def _file(name: str) -> Callable[[Request], Response]:
    content = (files("astra_filter.playground") / name).read_bytes()

    def serve(_: Request) -> Response:
        return Response(content, media_type=_TYPES[name], headers=_HEADERS)

    return serve


def _asked(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        # No form of another site can send this type without asking first.
        if request.headers.get("content-type") != "application/json":
            return JSONResponse({}, 415)
        sent = b""
        async for chunk in request.stream():
            sent += chunk
            if len(sent) > _LONGEST:
                return JSONResponse({}, 413)
        try:
            asked = json.loads(sent)
        except (ValueError, RecursionError):
            return JSONResponse({}, 400)
        if not isinstance(asked, dict):
            return JSONResponse({}, 400)
        body = json.dumps(await run_in_threadpool(answer, asked))
        return Response(body, media_type="application/json", headers=_HEADERS)

    return serve


def _text(asked: dict[str, Any]) -> str:
    text = asked.get("filter")
    return text if isinstance(text, str) else ""


def _number(asked: dict[str, Any], name: str) -> int:
    number = asked.get(name)
    return number if type(number) is int else 0
