"""A bar that shows how far a long piece of work is, when a person watches."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_T = TypeVar("_T")
_PATIENCE = 0.5
"""How many seconds nothing is shown: most files are read by then."""


class Progress:
    """Draws on standard error, and only where that and standard output are terminals; gone before the first row is."""

    def __init__(self) -> None:
        # A stream that was closed before the process began is None.
        self.watched = all(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr))
        self._begun = time.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def reading(self, count: int, size: int) -> None:
        """Show how many bytes have been read, of how many; 0 where nobody knows."""
        if not self.watched or time.monotonic() - self._begun < _PATIENCE:
            return
        if self._bar is None:
            from rich.console import Console
            from rich.progress import Progress as RichProgress

            self._bar = RichProgress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("reading", total=size or None)
            self._bar.start()
        if self._task is not None:
            self._bar.update(self._task, completed=count)

    def stop(self) -> None:
        """Take the bar away: something else is shown now."""
        self.watched = False
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def over(self, items: Iterable[_T], count: int, label: str, *, long: int = 100_000) -> Iterable[_T]:
        """Return the items, drawing a bar while they are taken if they are ``long`` or more."""
        if not self.watched or count < long:
            return items
        from rich.console import Console
        from rich.progress import track

        return track(items, label, total=count, console=Console(stderr=True), transient=True)
