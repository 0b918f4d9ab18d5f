"""The command ``playground``: a page in the browser to write filters over a file. Needs the extra ``server`` too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from astra_filter.cli import messages, reading, schemas
from astra_filter.cli.progress import Progress
from astra_filter.cli.selecting import tell
from astra_filter.cli.sources import Format
from astra_filter.errors import MissingExtraError
from astra_filter.schema import Schema

if TYPE_CHECKING:
    from astra_filter.cli.schemas import Given
    from astra_filter.cli.sources import Options, Resource
    from astra_filter.fields import Field

_MOST = 100_000
"""Rows that are held."""


def serve_playground(file: str | None, options: Options, given: Given, port: int) -> None:
    """Serve the page over a file, or over the published example, until Ctrl-C.

    Raises:
        InputError: the file is not what it says; or the extra is missing.
    """
    try:
        from astra_filter import playground
    except MissingExtraError as error:
        raise messages.InputError(f"astra-filter: {error}") from None

    declared = schemas.declared(given)
    if file is None:
        from astra_filter.server.tasks import TASK, example_tasks  # The example is the server's.

        playground.serve_playground(TASK, list(example_tasks()), "the published example", port)
        return
    name, resources = read_first(file, options, declared)
    fields = schemas.inferred(name, resources) if declared is None else declared
    playground.serve_playground(Schema(fields), resources, Path(name).name, port)


def read_first(file: str, options: Options, declared: dict[str, Field] | None) -> tuple[str, list[Resource]]:
    """Return what a file is called, and its first rows."""
    progress = Progress()
    with reading.open_source(file, options, progress) as source:
        if source.format is Format.SQLITE:
            raise messages.database_in_playground(source.name)
        resources: list[Resource] = []
        for row in reading.rows(source, declared):
            if row is None:
                continue
            if len(resources) == _MOST:
                tell(messages.only_the_first(source.name, _MOST))
                break
            resources.append(row.value)
        progress.stop()
        for note in source.notes:
            tell(note)
        return source.name, resources
