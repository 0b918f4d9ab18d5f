"""Files to resources: JSON, JSON lines, CSV.

A cell of CSV is text, and an empty one is null. With a schema a cell is read as what its field is: JSON numbers, true
and false in any case, JSON in cells of arrays and objects. Without one, a column of which every cell is an integer (a
number, a boolean) as JSON writes it holds integers (numbers, booleans); leading zeros make text, as in post codes.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from astra_filter import fields
from astra_filter.cli import messages
from astra_filter.language.names import NUMBER
from astra_filter.language.span import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO

    from astra_filter.cli.progress import Progress

Resource = dict[str, Any]

_SQLITE = b"SQLite format 3\0"
_CHUNK = 1 << 20
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,:\[\]{}"]+')
_LONG_NUMBER = re.compile(r"-?[0-9]{4301,}")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(NUMBER)


class Format(StrEnum):
    """What a file holds."""

    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    SQLITE = "sqlite"


_SUFFIXES = {
    ".json": Format.JSON,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".csv": Format.CSV,
    ".db": Format.SQLITE,
    ".sqlite": Format.SQLITE,
    ".sqlite3": Format.SQLITE,
}


class Source(NamedTuple):
    """A file that has been opened: what to call it, what it is, and its bytes unless it is a database."""

    name: str
    format: Format | None
    """None where neither the person nor the file's name says it; the contents then look like JSON."""
    data: bytes
    path: Path | None


def open_source(file: str, given: Format | None, progress: Progress) -> Source:
    """Read a file, or standard input for ``-``.

    Raises:
        InputError: it cannot be read, or nothing tells what it is.
    """
    if file == "-":
        return _judged(_standard_input(given, progress))
    path = Path(file)
    try:
        with path.open("rb") as stream:
            head = stream.read(len(_SQLITE))
            found = given or (Format.SQLITE if head == _SQLITE else _SUFFIXES.get(path.suffix.lower()))
            if found is Format.SQLITE:
                return Source(file, found, b"", path)
            data = head + _read(stream, path.stat().st_size, progress)
    except OSError as error:
        raise messages.unreadable(file, error) from None
    except ValueError as error:  # A name with U+0000 in it.
        raise messages.InputError(f"{file!r}: {error}") from None
    return _judged(Source(file, found, data, path))


def _standard_input(given: Format | None, progress: Progress) -> Source:
    if sys.stdin is None:
        raise messages.closed("input")
    name = "standard input"
    try:
        return Source(name, given, _read(sys.stdin.buffer, 0, progress), None)
    except OSError as error:
        raise messages.unreadable(name, error) from None


def _read(stream: BinaryIO, size: int, progress: Progress) -> bytes:
    chunks = iter(lambda: stream.read(_CHUNK), b"")
    return b"".join(progress.over(chunks, size // _CHUNK, "reading", long=64))


def _judged(source: Source) -> Source:
    if source.data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise messages.utf16(source.name)
    start = source.data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if source.format is Format.SQLITE or source.data.startswith(_SQLITE):
        raise messages.database_from_pipe()
    if not start:
        raise messages.empty(source.name)
    if source.format is None and start not in (b"[", b"{"):
        raise messages.unknown_format(source.name)
    return source


def resources(source: Source, declared: Mapping[str, fields.Field] | None, progress: Progress) -> list[Resource]:
    """Return the resources of a file that is not a database; ``declared`` fields say what the cells of CSV are.

    Raises:
        InputError: the file is not what it says.
    """
    if source.format is Format.CSV:
        return _from_csv(source, declared, progress)
    if source.format is Format.JSONL:
        return _from_lines(source, progress)
    return _from_json(source, progress)


def json_document(source: Source) -> Any:
    """Return the JSON that a file holds."""
    return parse_json(_text(source), source.name)


# JSON ----------------------------------------------------------------------------------------------------------------


class _NotANumberError(ValueError):
    """NaN or an infinity, which Python's decoder would take."""


def parse_json(text: str, name: str, line: int | None = None) -> Any:
    """Parse JSON, strictly; messages call it ``name``, and by its ``line`` where it is one of many.

    Raises:
        InputError: it is not JSON, or more than can be read.
    """
    first = line or 1
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        at = Span(error.pos, error.pos + 1)
        raise messages.not_json(name, text, at, messages.bad_json(error.msg), first) from None
    except _NotANumberError as error:
        word = str(error)
        tokens = (token for token in _JSON_TOKEN.finditer(text) if token[0] == word)
        raise messages.not_json(
            name, text, Span(*next(tokens).span()), messages.not_a_json_number(word), first
        ) from None
    except RecursionError:
        raise messages.deep_json(name, line) from None
    except ValueError:  # Python converts no integer of more digits, because that takes quadratic time.
        tokens = (token for token in _JSON_TOKEN.finditer(text) if _LONG_NUMBER.fullmatch(token[0]))
        raise messages.not_json(name, text, Span(*next(tokens).span()), messages.LONG_NUMBER, first) from None


def _refuse(word: str) -> None:
    raise _NotANumberError(word)


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _from_json(source: Source, progress: Progress) -> list[Resource]:
    text = _text(source)
    try:
        document = parse_json(text, source.name)
    except messages.InputError:
        if _first_line_is_json(text):
            return _from_lines(source, progress)
        raise
    if isinstance(document, dict):
        if not isinstance(document.get("items"), list):
            if source.format is None:
                return [document]
            raise messages.no_items(source.name)
        document = document["items"]
    if not isinstance(document, list):
        raise messages.no_items(source.name)
    for number, resource in enumerate(document):
        if not isinstance(resource, dict):
            raise messages.not_a_resource(source.name, f"item {number + 1}", _kind(resource))
    return document


def _first_line_is_json(text: str) -> bool:
    """Whether text that is not JSON may yet be JSON lines."""
    line, _, rest = text.strip().partition("\n")
    try:
        return bool(rest) and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _from_lines(source: Source, progress: Progress) -> list[Resource]:
    found = []
    lines = source.data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for number, line in enumerate(progress.over(lines, len(lines), "reading"), 1):
        if line.strip():
            resource = parse_json(_decoded(line, source.name, number), source.name, number)
            if not isinstance(resource, dict):
                raise messages.not_a_resource(source.name, f"line {number}", _kind(resource))
            found.append(resource)
    return found


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


# CSV -----------------------------------------------------------------------------------------------------------------


def _from_csv(source: Source, declared: Mapping[str, fields.Field] | None, progress: Progress) -> list[Resource]:
    rows = _rows(source)
    line, header = next(rows)  # There is one: the file is not blank.
    _check_header(source.name, line, header)
    cells = []
    for line, row in progress.over(rows, source.data.count(b"\n"), "reading"):
        if len(row) != len(header):
            raise messages.ragged_row(source.name, line, len(row), len(header))
        cells.append(row)
    if declared is None:
        read = [_guess(row[place] for row in cells) for place in range(len(header))]
    else:
        for name, field in declared.items():
            if not field.nullable and name not in header:
                raise messages.no_column(source.name, name, header)
        read = [_reader(declared.get(name)) for name in header]
    return [
        {name: convert(cell) if cell else None for name, convert, cell in zip(header, read, row, strict=True)}
        for row in cells
    ]


def _rows(source: Source) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the line that it ends on."""
    text = _text(source)
    csv.field_size_limit(len(text) + 1)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise messages.bad_csv(source.name, reader.line_num, str(error)) from None
        if row:
            yield reader.line_num, row


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
        case fields.Array() | fields.Object():
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


# Text ----------------------------------------------------------------------------------------------------------------


def _text(source: Source) -> str:
    return _decoded(source.data.removeprefix(b"\xef\xbb\xbf"), source.name, 1)


def _decoded(data: bytes, name: str, line: int) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise messages.not_text(name, line + data.count(b"\n", 0, error.start), error) from None
