"""What one bearer token may ask for: so many requests a second, and so many at a time."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from astra_filter.server.bounds import Bounds


class Quota:
    """The requests of one bearer token: a bucket that fills at an even rate, from which each request takes one.

    It is asked from the event loop only, one request after the other.

    Args:
        bounds: the rate, the size of the bucket, and how many requests are answered at a time.
        clock: tells the time in seconds.
    """

    def __init__(self, bounds: Bounds, clock: Callable[[], float] = monotonic) -> None:
        self._bounds = bounds
        self._clock = clock
        self._left = float(bounds.burst)
        self._counted = clock()
        self._active = 0

    def enter(self) -> float:
        """Take a request in; return 0, or the seconds after which it may be tried again."""
        now = self._clock()
        rate = self._bounds.requests_per_second
        self._left = min(self._left + (now - self._counted) * rate, float(self._bounds.burst))
        self._counted = now
        if self._left < 1:
            return (1 - self._left) / rate
        if self._active >= self._bounds.concurrent:
            return 1.0
        self._left -= 1
        self._active += 1
        return 0

    def leave(self) -> None:
        """Let a request go that was taken in."""
        self._active -= 1
