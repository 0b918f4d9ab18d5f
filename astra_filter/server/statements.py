"""The statements that the database is running, so that they can be interrupted.

Who asks is a `Call`: it is cancelled when its client hangs up. A statement is interrupted when its call is cancelled,
when its time is over, and when the server stops.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_TICK = 0.05
"""Seconds between two looks at the clock."""
_PATIENCE = 1.0
"""Seconds that PostgreSQL has to end a statement that it was asked to cancel."""


class Cancelled(Exception):  # noqa: N818  # It is no error.
    """The statement did not run, or not to its end: its client hung up, or the server stops."""


class Call:
    """One caller's wait for an answer."""

    def __init__(self) -> None:
        self.cancelled = False


class _Running:
    def __init__(self, connection: Connection, call: Call, deadline: float) -> None:
        self.driver: Any = connection.connection.dbapi_connection
        self.call = call
        self.deadline = deadline
        self.interrupted = False
        self.done = Event()


class Statements:
    """The statements under way.

    Args:
        seconds: how long a statement may run.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: set[_Running] = set()
        self._lock = Lock()
        self._stopping = False
        self._closed = Event()
        Thread(target=self._watch, name="statements", daemon=True).start()

    @contextmanager
    def run(self, connection: Connection, call: Call) -> Iterator[None]:
        """While the block runs, what it asks of a connection can be interrupted."""
        running = _Running(connection, call, time.monotonic() + self._seconds)
        with self._lock:
            if self._stopping or call.cancelled:
                raise Cancelled
            self._running.add(running)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(running)
            running.done.set()
            if running.interrupted:
                connection.invalidate()  # The interruption might reach the next statement.

    def cancel(self, call: Call) -> None:
        """Interrupt the statements of a call, and let it begin no other."""
        with self._lock:
            call.cancelled = True
            for running in self._running:
                if running.call is call:
                    _interrupt(running)

    def stop(self) -> None:
        """Interrupt all statements, and let none begin."""
        with self._lock:
            self._stopping = True
            for running in self._running:
                _interrupt(running)

    def close(self) -> None:
        """End the thread that looks at the clock."""
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(_TICK):
            now = time.monotonic()
            with self._lock:
                for running in self._running:
                    if running.deadline < now:
                        _interrupt(running)


def _interrupt(running: _Running) -> None:
    if running.interrupted:
        return
    running.interrupted = True
    if isinstance(running.driver, sqlite3.Connection):
        running.driver.interrupt()
    else:
        # It asks over a connection of its own, which takes a while.
        Thread(target=_cancel_in_postgresql, args=(running,), daemon=True).start()


def _cancel_in_postgresql(running: _Running) -> None:
    with suppress(Exception):  # Whatever it is, the connection is cut off next.
        running.driver.cancel_safe(timeout=_PATIENCE)
    if not running.done.wait(_PATIENCE):
        # The server is silent: who waits for it is told that the connection is gone.
        with suppress(Exception), socket.socket(fileno=os.dup(running.driver.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
