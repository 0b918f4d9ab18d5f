"""What is made once and kept: generated code, SQL statements."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

P = ParamSpec("P")
T = TypeVar("T")


class Memo:
    """Keeps what was made for a key. When it is full, the entry that was made first goes. Safe between threads.

    Args:
        entries: the most that is kept, so that ever-new keys (orders, aliases) do not fill the memory.
    """

    __slots__ = ("_entries", "_kept", "_lock")

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._kept: dict[Hashable, Any] = {}
        self._lock = Lock()

    def made(self, key: Hashable, make: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what is kept for a key; where there is nothing, call ``make`` and keep what it returns.

        Args:
            key: everything that the result depends on.
            make: makes it of the arguments that follow. Two threads may both call it; then the last result is kept.
            *args: for ``make``.
            **kwargs: for ``make``.
        """
        kept: T | None = self._kept.get(key)
        if kept is not None:
            return kept
        value = make(*args, **kwargs)
        with self._lock:
            if len(self._kept) >= self._entries and key not in self._kept:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = value
        return value

    def __len__(self) -> int:
        return len(self._kept)
