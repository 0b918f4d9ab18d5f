"""CSV and TSV to rows.

A cell is text, and an empty one is null. With a schema a cell is read as what its field is: JSON numbers, true and
false in any case, JSON in cells of arrays and objects. Without one, a column of which every cell is an integer (a
number, a boolean) as JSON writes it holds integers (numbers, booleans); leading zeros make text, as in post codes. What
every cell is, is told by the rows at the beginning; a later cell of another kind stays text.
"""

from __future__ import annotations

import csv
import json
import re
from math import isfinite
from typing import TYPE_CHECKING, Any

from astra_filter import fields
from astra_filter.cli import messages
from astra_filter.cli.json_text import texts
from astra_filter.cli.sources import SAMPLE_BYTES, SAMPLE_ROWS, Format, Row
from astra_filter.language.names import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from astra_filter.cli.sources import Source

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(NUMBER)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_MOST = 1 << 30
"""Of characters in a cell."""
_DELIMITERS = ",;\t|"


def rows(source: Source, declared: Mapping[str, fields.Field] | None) -> Iterator[Row | None]:
    """Yield the rows; as `astra_filter.cli.reading.rows`."""
    found = _rows(source)
    first = next(((line, row) for line, row in found if row is not None), None)
    assert first is not None  # noqa: S101  # The file is not blank.
    header = first[1]
    assert header is not None  # noqa: S101  # As the generator says.
    _check_header(source.name, first[0], header)
    source.columns = header
    full = _full(source, found, header)
    sample: list[list[str]] = []
    if declared is None:
        size = 0
        for row in full:
            if row is None:
                break
            sample.append(row)
            size += sum(map(len, row))
            if len(sample) >= SAMPLE_ROWS or size >= SAMPLE_BYTES:
                break
        read = [_guess(row[place] for row in sample) for place in range(len(header))]
    else:
        for name, field in declared.items():
            if not field.nullable and name not in header:
                raise messages.no_column(source.name, name, header)
        read = [_reader(declared.get(name)) for name in header]
    columns = list(zip(header, read, strict=True))
    for cells in sample:
        yield _row(columns, cells)
    for later in full:
        yield None if later is None else _row(columns, later)


def _row(columns: list[tuple[str, Callable[[str], Any]]], cells: list[str]) -> Row:
    value = {name: convert(cell) if cell else None for (name, convert), cell in zip(columns, cells, strict=True)}
    return Row(value, None, cells)


def _full(
    source: Source, found: Iterator[tuple[int, list[str] | None]], header: list[str]
) -> Iterator[list[str] | None]:
    """Yield the rows that have as many cells as the header; an error where one has not."""
    width = len(header)
    for line, row in found:
        if row is None or len(row) == width:
            yield row
        else:
            source.passes_over(messages.ragged_row(source.name, line, len(row), width))


def _rows(source: Source) -> Iterator[tuple[int, list[str] | None]]:
    """Yield the rows that are not blank, each with the line that it ends on; None where a pipe is silent."""
    csv.field_size_limit(_MOST)
    dialect = _dialect(source)
    lines = _Lines(source)
    reader = csv.reader(lines, dialect, strict=True)
    while True:
        lines.between = True
        try:
            row = next(reader)
        except _Silent:
            yield lines.number, None
        except StopIteration:
            return
        except csv.Error as error:
            source.passes_over(messages.bad_csv(source.name, lines.number, str(error)))
        else:
            if row:
                yield lines.number, row


class _Silent(Exception):  # noqa: N818  # No error: the pipe may go on.
    pass


class _Lines:
    """The lines of a text, however they end.

    Attributes:
        number: how many have been taken.
        between: whether the next one begins a row; there, and only there, silence may be told.
    """

    def __init__(self, source: Source) -> None:
        self.number = 0
        self.between = True
        self._texts = texts(source)
        self._lines: Iterator[str] = iter(())
        self._rest = ""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        while line is None:
            text = next(self._texts, None)
            if text is None:
                line, self._rest = self._rest, ""
                if not line:
                    raise StopIteration
            elif text:
                found = _LINE.findall(self._rest + text)
                # The last one may go on; or what ends it may be the half of what does.
                self._rest = "" if found[-1].endswith("\n") else found.pop()
                self._lines = iter(found)
                line = next(self._lines, None)
            elif self.between:
                raise _Silent
        self.number += 1
        self.between = False
        return line


def _dialect(source: Source) -> type[csv.excel]:
    """What separates cells: what the person says; tabs in TSV; else what the first line has most of outside quotes."""
    first = source.input.line(1 << 16)[0].decode("utf-8", "replace")
    bare = _QUOTED.sub('""', first)

    class Dialect(csv.excel):
        delimiter = _delimiter(source, bare)
        # Blanks after every delimiter of the header are how the file is written; others belong to their cells.
        skipinitialspace = bare.count(delimiter) > 0 and bare.count(delimiter) == bare.count(delimiter + " ")

    return Dialect


def _delimiter(source: Source, first: str) -> str:
    given = source.options.delimiter
    if given is not None:
        mark = {"\\t": "\t", "tab": "\t"}.get(given, given)
        if len(mark) != 1 or mark in '"\r\n':
            raise messages.bad_delimiter(given)
        return mark
    if source.format is Format.TSV:
        return "\t"
    return max(_DELIMITERS, key=first.count)


def _check_header(name: str, line: int, header: list[str]) -> None:
    for place, column in enumerate(header):
        if not column:
            raise messages.unnamed_column(name, line, place + 1)
        if column in header[:place]:
            raise messages.repeated_column(name, line, column)


def _guess(cells: Iterable[str]) -> Callable[[str], Any]:
    """Return what reads the cells of a column that nothing is known about."""
    filled = [cell for cell in cells if cell]
    for type_ in (fields.Integer, fields.Boolean):
        read = _reader(type_())
        if filled and not any(isinstance(read(cell), str) for cell in filled):
            return read
    return str


def _reader(field: fields.Field | None) -> Callable[[str], Any]:
    """Return what reads a cell as a field's value; a cell that it is not for stays text."""
    match field:
        case fields.Integer():
            return _integer
        case fields.Number():
            return _number
        case fields.Boolean():
            return lambda cell: {"true": True, "false": False}.get(cell.lower(), cell)
        case fields.Array() | fields.Map() | fields.Object():
            return _container
        case _:
            return str


def _integer(cell: str) -> float | str:
    # Longer than any 64-bit integer; and int() takes quadratic time.
    return int(cell) if len(cell) <= 20 and _INTEGER.fullmatch(cell) else _number(cell)


def _number(cell: str) -> float | str:
    return value if _NUMBER.fullmatch(cell) and isfinite(value := float(cell)) else cell


def _container(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell
