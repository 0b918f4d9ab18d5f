"""What the completion of shells asks: how a filter that is being written can go on."""

from __future__ import annotations

from astra_filter.cli import reading, schemas
from astra_filter.cli.messages import InputError
from astra_filter.cli.progress import Progress
from astra_filter.cli.schemas import Given
from astra_filter.cli.sources import Format, Options
from astra_filter.errors import AstraFilterError
from astra_filter.schema import Schema

_ROWS = 200
"""What is looked at: a person waits for each key."""


def continuations(file: str | None, schema: str | None, text: str) -> list[str]:
    """Return the texts that a filter may go on as; none where nothing tells what fields there are.

    Args:
        file: the file of the command, where it stands already.
        schema: that of ``--schema``.
        text: the filter so far.
    """
    try:
        fields = schemas.declared(Given(schema))
        if fields is None:
            if file is None or file == "-":
                return []
            with reading.open_source(file, Options(), Progress()) as source:
                if source.format is Format.SQLITE:
                    return []
                rows = (row.value for row, _ in zip(reading.rows(source, None), range(_ROWS), strict=False) if row)
                fields = schemas.inferred(source.name, list(rows))
        found = Schema(fields).complete(text)
    except (InputError, AstraFilterError):
        return []  # A shell shows no errors; the command does.
    return [text[: each.span.start] + each.insert for each in found]
