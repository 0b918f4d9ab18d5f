"""Logging as JSON lines: one for each request, and one for every other message."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from astra_filter.adapters.starlette import ProblemResponse
from astra_filter.language.values import timestamp_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-correlation-id"

_LONGEST = 2000
"""Characters of a path or a query in the log, however many a client sends."""

_log = logging.getLogger("astra_filter.server")


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry: dict[str, Any] = {
            "time": timestamp_text(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "entry", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def config(level: str = "INFO") -> dict[str, Any]:
    """Return the configuration for `logging.config.dictConfig`: the server's and uvicorn's lines to standard output."""
    logger = {"handlers": ["lines"], "level": level, "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {
            "lines": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"},
        },
        "loggers": {_log.name: logger, "uvicorn": logger},
    }


def correlation_id(request: Request) -> str:
    """Return the correlation ID of the request."""
    name: str = request.state.correlation_id
    return name


class RequestLog:
    """Gives each request a correlation ID, logs it, and answers for an application that fails.

    Args:
        app: the application.
        failure: the problem document for status 500, made for a correlation ID.
        observe: is told of each request: status, seconds, shape of the filter, codes of problems.
    """

    def __init__(
        self,
        app: ASGIApp,
        failure: Callable[[str], dict[str, Any]],
        observe: Callable[[int, float, str | None, list[str]], None] | None = None,
    ) -> None:
        self._app = app
        self._failure = failure
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        name = str(uuid4())
        state = scope.setdefault("state", {})
        state["correlation_id"] = name
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER.encode(), name.encode())]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception:  # noqa: BLE001  # Whatever it is, the client gets a problem document.
            _log.exception("failed", extra={"entry": {"correlationID": name}})
            if not status:
                await ProblemResponse(self._failure(name), 500)(scope, receive, answer)
        finally:
            if self._observe is not None:
                self._observe(status, perf_counter() - began, state.get("shape"), state.get("codes", []))
            entry = {
                "correlationID": name,
                "client": scope["client"] and scope["client"][0],
                "account": state.get("account"),
                "method": scope["method"],
                "path": scope["path"][:_LONGEST],
                "query": scope["query_string"][:_LONGEST].decode("latin-1"),
                "status": status,
                "milliseconds": round((perf_counter() - began) * 1000, 3),
            }
            _log.info("request", extra={"entry": entry})
