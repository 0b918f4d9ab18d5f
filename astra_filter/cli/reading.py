"""Files to rows: what each is, and who reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.cli import inputs, messages
from astra_filter.cli.inputs import Input, open_input
from astra_filter.cli.sources import Format, Options, Resource, Row, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from astra_filter import fields
    from astra_filter.cli.progress import Progress

_FIRST_LINE = 16 << 20
"""The longest first line that is looked at whole, to tell JSON lines from a document."""

_SUFFIXES = {
    ".json": Format.JSON,
    ".geojson": Format.JSON,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".csv": Format.CSV,
    ".tsv": Format.TSV,
    ".tab": Format.TSV,
    ".yaml": Format.YAML,
    ".yml": Format.YAML,
    ".parquet": Format.PARQUET,
    ".arrow": Format.ARROW,
    ".feather": Format.ARROW,
    ".db": Format.SQLITE,
    ".sqlite": Format.SQLITE,
    ".sqlite3": Format.SQLITE,
}
_MAGIC = {inputs.SQLITE: Format.SQLITE, inputs.PARQUET: Format.PARQUET, inputs.ARROW: Format.ARROW}


def open_source(file: str, options: Options, progress: Progress) -> Source:
    """Open a file, or standard input for ``-``.

    Raises:
        InputError: it cannot be read, or nothing tells what it is.
    """
    source, magic, suffix = open_input(file, options.encoding, progress)
    try:
        form = _form(source, magic, suffix, options)
    except BaseException:
        source.close()
        raise
    return Source(source, form, options)


def _form(source: Input, magic: bytes, suffix: str, options: Options) -> Format | None:
    """What a file is; None for what looks like JSON.

    Raises:
        InputError: nothing tells, or the options are for other files.
    """
    form = options.form or _MAGIC.get(magic) or _SUFFIXES.get(suffix)
    if (form is Format.SQLITE or magic == inputs.SQLITE) and not source.seekable:
        raise messages.database_from_pipe(source.name)
    if form is not Format.SQLITE and magic not in (inputs.PARQUET, inputs.ARROW):
        first, _ = source.line(0)
        if not first:
            raise messages.empty(source.name)
        if form is None and not first.startswith((b"[", b"{")):
            raise messages.unknown_format(source.name)
    if options.items is not None and form not in (None, Format.JSON, Format.YAML):
        raise messages.items_elsewhere(source.name)
    if options.delimiter is not None and form not in (Format.CSV, Format.TSV):
        raise messages.delimiter_elsewhere(source.name)
    return form


def rows(source: Source, declared: Mapping[str, fields.Field] | None) -> Iterator[Row | None]:
    """Yield the rows of a file that is not a database; ``declared`` fields say what the cells of CSV are.

    Yields:
        A row; or None where a pipe is silent, so that those who wait for more may show what they have.

    Raises:
        InputError: the file is not what it says.
    """
    match source.format:
        case Format.CSV | Format.TSV:
            from astra_filter.cli import csv_text  # Each is paid by those who read such files.

            return csv_text.rows(source, declared)
        case Format.PARQUET | Format.ARROW:
            from astra_filter.cli import arrow  # As above.

            return arrow.rows(source)
        case Format.YAML:
            from astra_filter.cli import yaml_text  # As above.

            return yaml_text.rows(source)
        case form:
            from astra_filter.cli import json_text  # As above.

            if form is Format.JSONL or (source.options.items is None and _holds_lines(source)):
                return json_text.lines(source)
            return json_text.document_rows(source)


def load(source: Source, declared: Mapping[str, fields.Field] | None) -> list[Resource]:
    """Return all the resources of a file; arguments and errors as in `rows`."""
    return [row.value for row in rows(source, declared) if row is not None]


def _holds_lines(source: Source) -> bool:
    """Whether a file that may be JSON is JSON lines: its first line is an object, and more follow."""
    from astra_filter.cli import json_text  # As above.

    if not source.input.line(0)[0].startswith(b"{"):
        return False
    first, more = source.input.line(_FIRST_LINE)
    return more and json_text.is_object(first)
