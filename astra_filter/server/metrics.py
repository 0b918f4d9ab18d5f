"""Numbers for a monitoring system, in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from astra_filter.memo import CacheInfo

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MOST_SHAPES = 100
"""Shapes of filters with numbers of their own; a caller makes as many as it likes."""
_OTHER = "other"


class Metrics:
    """Counts requests. Safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: Counter[int] = Counter()
        self._refusals: Counter[str] = Counter()
        self._seconds: dict[str, tuple[int, float]] = {}

    def observe(self, status: int, seconds: float, shape: str | None, codes: Iterable[str]) -> None:
        """Count a request.

        Args:
            status: of the answer.
            seconds: how long it took.
            shape: of the filter; None without one.
            codes: of the problems for which it was refused.
        """
        with self._lock:
            self._requests[status] += 1
            self._refusals.update(codes)
            if shape is not None:
                if shape not in self._seconds and len(self._seconds) >= _MOST_SHAPES:
                    shape = _OTHER
                count, total = self._seconds.get(shape, (0, 0.0))
                self._seconds[shape] = (count + 1, total + seconds)

    def text(self, cache: CacheInfo) -> str:
        """Return all numbers, with those of a schema's caches."""
        with self._lock:
            lines = [
                *_family("astra_filter_requests_total", "counter", "Requests by status."),
                *(
                    f'astra_filter_requests_total{{status="{status}"}} {n}'
                    for status, n in sorted(self._requests.items())
                ),
                *_family(
                    "astra_filter_refusals_total", "counter", "Problems for which requests were refused, by code."
                ),
                *(f'astra_filter_refusals_total{{code="{code}"}} {n}' for code, n in sorted(self._refusals.items())),
                *_family("astra_filter_shapes", "gauge", "Shapes of filters that are known."),
                f"astra_filter_shapes {cache.shapes}",
                *_family("astra_filter_cache_bytes", "gauge", "Bytes that the caches of the schema hold, about."),
                f"astra_filter_cache_bytes {cache.held}",
                *_family("astra_filter_request_seconds", "summary", "Time to answer, by the shape of the filter."),
            ]
            for shape, (count, total) in self._seconds.items():
                lines.append(f'astra_filter_request_seconds_count{{shape="{shape}"}} {count}')
                lines.append(f'astra_filter_request_seconds_sum{{shape="{shape}"}} {total:.6f}')
        return "\n".join(lines) + "\n"


def _family(name: str, kind: str, about: str) -> tuple[str, str]:
    return (f"# HELP {name} {about}", f"# TYPE {name} {kind}")
