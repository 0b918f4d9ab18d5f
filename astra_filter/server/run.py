"""Start and stop."""

from __future__ import annotations

import gc
import signal
import sys
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

import uvicorn

from astra_filter.server import logs
from astra_filter.server.app import create_app
from astra_filter.server.store import IN_MEMORY, Store
from astra_filter.server.tasks import example_tasks, generated_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import FrameType

_LONGEST_REQUEST = 256 * 1024
"""Bytes of a request's head: room for the longest filter of SPEC §8, each character twelve bytes in the URL."""
_GRACE = 10
"""Seconds for requests under way when the server is told to stop."""


def serve(
    *,
    database: str = IN_MEMORY,
    tasks: Iterable[dict[str, Any]] = (),
    accounts: Mapping[str, str],
    generate: int = 0,
    secret: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished.

    Args:
        database: the URL of the database; a new one gets the published example.
        tasks: what else to put in.
        accounts: the account that each bearer token is for.
        generate: how many made-up tasks to put in for each of these accounts.
        secret: authenticates ``continue`` tokens; None for one that lasts as long as the server.
        host: the address to listen at.
        port: 0 for any that is free, which the log tells.

    Raises:
        StoreError: the database or the tasks cannot be used.
    """
    store = Store(database)
    store.fill(example_tasks(), tasks)
    for account in sorted(set(accounts.values())):
        store.fill((), generated_tasks(generate, account))
    signal.signal(signal.SIGTERM, _stop)
    if hasattr(signal, "SIGPIPE"):
        # The command lets it end the process; a client that hangs up must not.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    app = create_app(store, accounts, secret or token_urlsafe())
    # What there is by now stays: no collection need ever look at it again.
    gc.freeze()
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=logs.config(),
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=_LONGEST_REQUEST,
        timeout_graceful_shutdown=_GRACE,
    )


def _stop(_: int, __: FrameType | None) -> None:
    """End well: uvicorn raises the signal again when it has stopped."""
    sys.exit(0)
