"""JSON and JSON lines to rows, with bounded memory; a document that is no array is read whole.

Python's own decoder reads one resource after the other from a window of the text, so that each keeps its text. What
decodes lines is orjson where it is installed; what it refuses is given to Python's decoder, which has the last word.

Long because lines and documents share how JSON is decoded, and how what is wrong with it is shown.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from astra_filter.cli import messages
from astra_filter.cli.sources import Row
from astra_filter.language.names import path_text
from astra_filter.language.span import Span
from astra_filter.request.field_lists import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from astra_filter.cli.sources import Source

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,:\[\]{}"]+')
_LONG_NUMBER = re.compile(r"-?[0-9]{4301,}")
_SPACE = re.compile(r"[ \t\r\n]*")
_KEPT = 1 << 20
"""How much of a text that has been read stays in the window, to show the line of an error."""
_NEAR_END = 16
"""An error this near to the end of what has been read so far may be that more is to be read."""

_quick: Callable[[bytes], Any] | None
try:
    from orjson import loads as _quick
except ModuleNotFoundError:
    _quick = None


class _NotANumberError(Exception):
    """NaN or an infinity, which Python's reader takes for numbers."""


def _refuse(word: str) -> None:
    raise _NotANumberError(word)


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def parse_json(text: str, name: str, line: int | None = None) -> Any:
    """Parse a text of JSON; ``line`` is its line in the file, where the file has many texts.

    Raises:
        InputError: it is none.
    """
    first = line or 1
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        place = Span(error.pos, error.pos + 1)
        raise messages.not_json(name, text, place, messages.bad_json(error.msg), first) from None
    except _NotANumberError as error:
        raise _not_a_number(name, text, str(error), (first, 1)) from None
    except RecursionError:
        raise messages.deep_json(name, line) from None
    except ValueError:  # Python converts no integer of more digits, because that takes quadratic time.
        raise _long_number(name, text, (first, 1)) from None


def _not_a_number(name: str, text: str, word: str, at: tuple[int, int]) -> messages.InputError:
    place = next(token.span() for token in _TOKEN.finditer(text) if token[0] == word)
    return messages.not_json(name, text, Span(*place), messages.not_a_json_number(word), *at)


def _long_number(name: str, text: str, at: tuple[int, int]) -> messages.InputError:
    place = next(token.span() for token in _TOKEN.finditer(text) if _LONG_NUMBER.fullmatch(token[0]))
    return messages.not_json(name, text, Span(*place), messages.LONG_NUMBER, *at)


def is_object(line: bytes) -> bool:
    """Whether a line is a JSON object by itself."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def json_document(source: Source) -> Any:
    """Return the document that a file of JSON holds."""
    return parse_json(decoded(source.input.all(), source.name, 1), source.name)


def kind(value: object) -> str:
    """Return what a value is called in messages."""
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
        case dict():
            return "an object"
        case _:
            return f"a {type(value).__name__}"


def decoded(data: bytes, name: str, line: int) -> str:
    """Return the text of bytes that begin on a line.

    Raises:
        InputError: they are not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise messages.not_text(name, line + data.count(b"\n", 0, error.start), error) from None


# Lines ---------------------------------------------------------------------------------------------------------------


def lines(source: Source) -> Iterator[Row | None]:
    """Yield the rows of JSON lines; as `astra_filter.cli.reading.rows`."""
    number = 0
    rest = b""
    for chunk in source.input.chunks():
        if not chunk:
            yield None
            continue
        whole = (rest + chunk).split(b"\n")
        rest = whole.pop()
        for number, line in enumerate(whole, number + 1):  # noqa: B020  # It goes on from the last chunk's.
            row = _line(line, number, source)
            if row is not None:
                yield row
    row = _line(rest, number + 1, source)
    if row is not None:
        yield row


def _line(line: bytes, number: int, source: Source) -> Row | None:
    if _quick is not None:
        try:
            value = _quick(line)
            if type(value) is dict:
                return Row(value, line)
        except ValueError:
            pass
    if not line.strip():
        return None
    try:
        value = parse_json(decoded(line, source.name, number), source.name, number)
        if isinstance(value, dict):
            return Row(value, line)
        raise messages.not_a_resource(source.name, f"line {number}", kind(value))
    except messages.InputError as error:
        source.passes_over(error)
        return None


# Documents -----------------------------------------------------------------------------------------------------------


def document_rows(source: Source) -> Iterator[Row | None]:
    """Yield the rows of a document: of an array as it is read, of another one after it was read."""
    first, _ = source.input.line(0)
    if first.startswith(b"[") and source.options.items is None:
        yield from _elements(source)
        return
    text = decoded(source.input.all(), source.name, 1)
    document = parse_json(text, source.name)
    path, items = find_items(source, document)
    if path is None:
        yield Row(document, text.strip())
        return
    try:
        window = _Window(iter((text,)), source)
        window.enter(path)
        found = [row for row in window.elements(source) if row is not None]
    except messages.InputError:
        found = []
    if [row.value for row in found] == items:
        yield from found
    else:  # A name stands twice in an object, or an element is no object.
        yield from _of_values(source, items)


def _of_values(source: Source, items: list[Any]) -> Iterator[Row]:
    for number, value in enumerate(items, 1):
        if isinstance(value, dict):
            yield Row(value, json.dumps(value, ensure_ascii=False))
        else:
            source.passes_over(messages.not_a_resource(source.name, f"item {number}", kind(value)))


def _elements(source: Source) -> Iterator[Row | None]:
    window = _Window(texts(source), source)
    yield from window.elements(source)
    window.finish()


def find_items(source: Source, document: Any) -> tuple[tuple[str, ...] | None, Any]:
    """Return where the resources are in a document, and the array; None and the document where it is one itself.

    Raises:
        InputError: there is no array of objects, or more than one and nothing tells which.
    """
    asked = source.options.items
    if asked is not None:
        named, problems = read(asked, "items", 1)
        if problems or named[0].rest:
            raise messages.bad_items(asked)
        path = named[0].path
        found = document
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if not isinstance(found, list):
            raise messages.no_array_there(source.name, asked, list(map(path_text, _arrays(document, (), any_=True))))
        return path, found
    if isinstance(document, list):
        return (), document
    if not isinstance(document, dict):
        raise messages.no_items(source.name)
    if isinstance(document.get("items"), list):
        return ("items",), document["items"]
    arrays = _arrays(document, (), any_=False)
    if len(arrays) == 1:
        path = next(iter(arrays))
        source.notes.append(messages.found_items(source.name, path_text(path), len(arrays[path])))
        return path, arrays[path]
    if arrays:
        raise messages.which_items(source.name, list(map(path_text, arrays)))
    if source.format is None:
        return None, document
    raise messages.no_items(source.name)


def _arrays(value: Any, path: tuple[str, ...], *, any_: bool) -> dict[tuple[str, ...], list[Any]]:
    """The arrays of objects that a document leads to without passing through another array; ``any_``: any arrays."""
    if isinstance(value, list):
        fits = any_ or (value and all(isinstance(element, dict) for element in value))
        return {path: value} if fits and path else {}
    found: dict[tuple[str, ...], list[Any]] = {}
    if isinstance(value, dict) and len(path) < 8:
        for name, member in value.items():
            found |= _arrays(member, (*path, name), any_=any_)
    return found


def texts(source: Source) -> Iterator[str]:
    """Yield the text of an input in pieces; nothing, ``""``, where a pipe is silent."""
    line = 1
    rest = b""
    for chunk in source.input.chunks():
        data = rest + chunk
        try:
            text, rest = data.decode(), b""
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                raise messages.not_text(source.name, line + data.count(b"\n", 0, error.start), error) from None
            text, rest = data[: error.start].decode(), data[error.start :]
        line += text.count("\n")
        yield text
    if rest:
        decoded(rest, source.name, line)


class _Place(NamedTuple):
    line: int
    column: int


class _Window:
    """The part of a long text that is being read.

    Args:
        pieces: the text.
        source: where it comes from.
    """

    def __init__(self, pieces: Iterator[str], source: Source) -> None:
        self._pieces = pieces
        self._name = source.name
        self._text = ""
        self._at = 0
        self._ended = False
        self._first = _Place(1, 1)
        """Where the window begins in the file."""

    def elements(self, source: Source) -> Iterator[Row | None]:
        """Yield the elements of the array that begins here."""
        self._expect("[")
        if self._peek() == "]":
            self._at += 1
            return
        number = 0
        while True:
            number += 1
            while not self._skip(wait=False):
                yield None
            start = self._at
            value, self._at = self._value()
            if isinstance(value, dict):
                yield Row(value, self._text[start : self._at])
            else:
                source.passes_over(messages.not_a_resource(self._name, f"item {number}", kind(value)))
            while not self._skip(wait=False):
                yield None
            mark = self._peek()
            if mark == "]":
                self._at += 1
                return
            if mark != ",":
                raise self._wrong("Expecting ',' delimiter")
            self._at += 1
            self._forget()

    def enter(self, path: tuple[str, ...]) -> None:
        """Go to the first member of the document that a path leads to."""
        for name in path:
            self._expect("{")
            while True:
                self._skip()
                key, self._at = self._value()
                self._expect(":")
                self._skip()
                if key == name:
                    break
                _, self._at = self._value()
                self._expect(",")

    def finish(self) -> None:
        """See that nothing follows.

        Raises:
            InputError: something does.
        """
        if self._peek():
            raise self._wrong("Extra data")

    def _expect(self, mark: str) -> None:
        if self._peek() != mark:
            raise self._wrong(f"Expecting '{mark}' delimiter")
        self._at += 1

    def _peek(self) -> str:
        self._skip()
        return self._text[self._at : self._at + 1]

    def _skip(self, *, wait: bool = True) -> bool:
        """Go past white space; return False where a pipe is silent, and that is not to be waited for."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space is not None else self._at
            if self._at < len(self._text) or self._ended:
                return True
            if not self._more() and not self._ended and not wait:
                return False

    def _more(self) -> bool:
        """Read on, twice as much as there is, so that a long element is looked at a few times only.

        Returns:
            Whether there is more now; at the end there is none, and from a silent pipe not yet.
        """
        wanted = max(len(self._text) - self._at, 1)
        parts = [self._text]
        while wanted > 0 and not self._ended:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
            elif not piece:
                break
            else:
                parts.append(piece)
                wanted -= len(piece)
        self._text = "".join(parts)
        return len(parts) > 1

    def _value(self) -> tuple[Any, int]:
        while True:
            try:
                return _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                partial = error.msg.startswith("Unterminated string") or error.pos > len(self._text) - _NEAR_END
                if not partial or (not self._more() and self._ended):
                    raise self._wrong(error.msg, error.pos) from None
            except _NotANumberError as error:
                raise _not_a_number(self._name, self._text, str(error), self._first) from None
            except RecursionError:
                raise messages.deep_json(self._name, None) from None
            except ValueError:  # As in `parse_json`.
                raise _long_number(self._name, self._text, self._first) from None

    def _wrong(self, reason: str, at: int | None = None) -> messages.InputError:
        place = self._at if at is None else at
        return messages.not_json(
            self._name, self._text, Span(place, place + 1), messages.bad_json(reason), *self._first
        )

    def _forget(self) -> None:
        """Let go of what has been read, but for the line that is being read."""
        if self._at < _KEPT:
            return
        gone = self._text.rfind("\n", 0, self._at) + 1
        if self._at - gone > _KEPT:
            gone = self._at - 1000
        past = self._text[:gone]
        newlines = past.count("\n")
        column = gone - past.rfind("\n") if newlines else self._first.column + gone
        self._first = _Place(self._first.line + newlines, column)
        self._text = self._text[gone:]
        self._at -= gone
