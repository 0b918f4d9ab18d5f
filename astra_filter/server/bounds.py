"""What the server gives each caller at most, and how long it waits."""

from __future__ import annotations

from typing import NamedTuple


class Bounds(NamedTuple):
    """Options of the server, each with a default; times are in seconds."""

    grace: int = 10
    """For requests under way when the server is told to stop."""
    statement_timeout: float = 30
    """For a statement of a request."""
    lock_timeout: float = 5
    """For a lock of the database."""
    connect_timeout: int = 5
    """For a connection to the database."""
    head_timeout: float = 10
    """From the first byte of a request, or the connection, to the end of its head."""
    head_bytes: int = 32 * 1024
    """Of the head of a request: room for the longest filter, percent-encoded."""
    connections: int = 1000
    """Clients that are connected."""
    requests_per_second: float = 200
    """Of one bearer token, on the average."""
    burst: int = 400
    """Requests of one bearer token at once, beyond the average."""
    concurrent: int = 32
    """Requests of one bearer token that are being answered."""
    trusted_proxies: str = ""
    """Addresses whose ``X-Forwarded-For`` is believed, separated by commas."""
    metrics: bool = False
    """Whether ``/metrics`` is there, for whoever asks."""
