"""Start and stop."""

from __future__ import annotations

import gc
import os
import signal
import sys
from secrets import token_urlsafe
from threading import Timer
from typing import TYPE_CHECKING, Any

import uvicorn

from astra_filter.server import logs
from astra_filter.server.app import create_app
from astra_filter.server.bounds import Bounds
from astra_filter.server.connections import protocol
from astra_filter.server.store import IN_MEMORY, Store
from astra_filter.server.tasks import example_tasks, generated_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from socket import socket
    from types import FrameType

_NOT_STARTED = 3
"""The exit status of uvicorn, too."""
_HURRY = 0.6
"""Seconds after the grace, when statements have been interrupted, in which the server ends by itself."""


def serve(
    *,
    database: str = IN_MEMORY,
    tasks: Iterable[dict[str, Any]] = (),
    accounts: Mapping[str, str],
    generate: int = 0,
    secrets: Sequence[str] = (),
    host: str = "127.0.0.1",
    port: int = 8000,
    bounds: Bounds = Bounds(),  # noqa: B008  # It never changes.
) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished, if that takes no longer than the grace.

    Args:
        database: the URL of the database; a new one gets the published example.
        tasks: what else to put in.
        accounts: the account that each bearer token is for.
        generate: how many made-up tasks to put in for each of these accounts.
        secrets: the first authenticates ``continue`` tokens, the others are taken too; by default one that lasts as
            long as the server.
        host: the address to listen at.
        port: 0 for any that is free, which the log tells.
        bounds: what each caller is given at most.

    Raises:
        StoreError: the database or the tasks cannot be used.
    """
    store = Store(database, bounds)
    store.fill(example_tasks(), tasks)
    for account in sorted(set(accounts.values())):
        store.fill((), generated_tasks(generate, account))
    signal.signal(signal.SIGTERM, _stop)
    if hasattr(signal, "SIGPIPE"):
        # The command lets it end the process; a client that hangs up must not.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    app = create_app(store, accounts, secrets or (token_urlsafe(),), bounds)
    # What there is by now stays: no collection need ever look at it again.
    gc.freeze()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=protocol(bounds),
        log_config=logs.config(),
        access_log=False,
        server_header=False,
        proxy_headers=bool(bounds.trusted_proxies),
        forwarded_allow_ips=bounds.trusted_proxies,
        h11_max_incomplete_event_size=bounds.head_bytes,
        timeout_graceful_shutdown=bounds.grace,
    )
    server = _Server(config, store, bounds)
    server.run()
    if not server.started:
        sys.exit(_NOT_STARTED)


class _Server(uvicorn.Server):
    """A server that stops in time, whatever its statements do."""

    def __init__(self, config: uvicorn.Config, store: Store, bounds: Bounds) -> None:
        super().__init__(config)
        self._store = store
        self._grace = bounds.grace

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Stop: first let requests end, then interrupt what they wait for, at last leave."""
        for wait, act in ((self._grace, self._store.stop), (self._grace + _HURRY, _leave)):
            timer = Timer(wait, act)
            timer.daemon = True
            timer.start()
        await super().shutdown(sockets)


def _leave() -> None:
    """End the process although a thread waits for a database that neither answers nor hangs up."""
    os._exit(1)


def _stop(_: int, __: FrameType | None) -> None:
    """End well: uvicorn raises the signal again when it has stopped."""
    sys.exit(0)
