"""The command ``astra-filter``: filters over files, databases and standard input. Needs the extra ``cli``."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_EXTRA = ("rich", "typer")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 when it did its work, 2 when it was given something wrong, 130 after Ctrl-C.

    Args:
        arguments: what stands after the command's name; default those of the process.
    """
    if hasattr(signal, "SIGPIPE"):
        # Who reads the output may stop reading; like any filter of a pipeline this then ends without a word.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # For the rest of the process.
    try:
        run = _load()
        run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:
        sys.exit(130)


def _load() -> Callable[[list[str]], None]:
    try:
        from astra_filter.cli.commands import run
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        from astra_filter.wording.installation import missing_extra  # Only those pay for it who lack the extra.

        sys.stderr.write(f"{missing_extra('cli', error)}\n")
        sys.exit(2)
    return run
