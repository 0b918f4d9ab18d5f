"""A bar that shows how far a long piece of work is, when a person watches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

_T = TypeVar("_T")


class Progress:
    """Draws on standard error, and only where that and standard output are terminals."""

    def __init__(self) -> None:
        # A stream that was closed before the process began is None.
        self.watched = all(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr))

    def over(self, items: Iterable[_T], count: int, label: str, *, long: int = 100_000) -> Iterable[_T]:
        """Return the items, drawing a bar while they are taken if they are ``long`` or more."""
        if not self.watched or count < long:
            return items
        from rich.console import Console
        from rich.progress import track

        return track(items, label, total=count, console=Console(stderr=True), transient=True)
