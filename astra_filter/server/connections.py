"""HTTP connections that cost a bounded amount: unfinished heads end, long ones and too many clients are refused."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from astra_filter.server.bounds import Bounds

_END = b"\r\n\r\n"


def protocol(bounds: Bounds) -> type[H11Protocol]:
    """Return the class of the server's connections."""

    class Bounded(H11Protocol):
        """A connection that waits for the head of a request only so long, and takes only so much of it."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._waiting: asyncio.TimerHandle | None = None
            self._head = 0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > bounds.connections:
                self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            else:
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():
                return
            if self.conn.their_state is h11.IDLE:
                self._wait()
                end = data.find(_END)
                self._head += len(data) if end < 0 else end
                if self._head > bounds.head_bytes:
                    self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
                    return
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._stop_waiting()

        def _wait(self) -> None:
            if self._waiting is None:
                self._waiting = self.loop.call_later(bounds.head_timeout, self.transport.close)

        def _stop_waiting(self) -> None:
            self._head = 0
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

        def _refuse(self, status: HTTPStatus) -> None:
            document = {"type": "about:blank", "title": status.phrase, "detail": status.description or status.phrase}
            body = json.dumps({**document, "status": str(status.value)}).encode()
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
                f"content-length: {len(body)}\r\nretry-after: 1\r\nconnection: close\r\n\r\n"
            )
            self._stop_waiting()
            self.transport.write(head.encode() + body)
            self.transport.close()

    return Bounded
