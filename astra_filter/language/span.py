"""A place in a text, and how it is shown to a person (SPEC §7)."""

from __future__ import annotations

from typing import NamedTuple

_WIDTH = 72
_MARGIN = 20
_INDENT = "    "


class Span(NamedTuple):
    """The half-open range of characters ``text[start:end]``."""

    start: int
    end: int


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return the 1-based line and column of ``offset`` in ``text``; lines end at LF, CR or CR LF."""
    start, line = _line_start(text, offset)
    return line, offset - start + 1


def underline(text: str, span: Span) -> str:
    """Show the line of ``text`` that ``span`` begins in, with the place marked by carets below it.

    Characters that a terminal would not show as one visible cell (controls, bidirectional marks, combining marks,
    surrogates) are escaped, and a long line is clipped around the place (SPEC §7).
    """
    first, _ = _line_start(text, span.start)
    last = _line_end(text, span.start)
    begin, end = span.start, max(min(span.end, last), span.start)
    left = first
    right = last
    if last - first > _WIDTH:
        left = max(first, min(begin - _MARGIN, last - _WIDTH))
        right = min(last, left + _WIDTH)
        end = min(end, right)
    before, marked, after = (_visible(part) for part in (text[left:begin], text[begin:end], text[end:right]))
    if left > first:
        before = "…" + before
    if right < last:
        after += "…"
    carets = "^" * max(1, _cells(marked))
    return f"{_INDENT}{before}{marked}{after}\n{_INDENT}{' ' * _cells(before)}{carets}"


def visible(text: str, width: int = _WIDTH) -> str:
    """Return ``text`` fit for a message: escaped as in `underline`, cut after ``width`` characters."""
    return _visible(text) if len(text) <= width else _visible(text[:width]) + "…"


def _line_start(text: str, offset: int) -> tuple[int, int]:
    head = text[:offset].replace("\r\n", "\n ").replace("\r", "\n")
    # A "\r\n" cut in two by the offset still ends the line before it.
    start = max(head.rfind("\n") + 1, 0)
    if text[start : start + 1] == "\n" and start and text[start - 1] == "\r" and start < offset:
        start += 1
    return start, head.count("\n") + 1


def _line_end(text: str, offset: int) -> int:
    ends = [place for place in (text.find("\n", offset), text.find("\r", offset)) if place >= 0]
    return min(ends, default=len(text))


def _cells(shown: str) -> int:
    if shown.isascii():
        return len(shown)
    from unicodedata import east_asian_width  # Errors only: not paid at start-up.

    return sum(2 if east_asian_width(character) in "WF" else 1 for character in shown)


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    from unicodedata import category  # Errors only: not paid at start-up.

    if character == "\t":
        return " "
    if character == " " or category(character)[0] not in "CMZ":
        return character
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
