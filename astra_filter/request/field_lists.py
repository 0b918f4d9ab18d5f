"""Read comma-separated lists of paths: ``include`` and ``orderBy`` (SPEC §2, §6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from astra_filter.fields import Array, Map, Object, Open
from astra_filter.language.names import (
    QUOTED_NAME,
    RESERVED,
    WORD,
    bad_name_character,
    nearest,
    path_text,
    unquote,
)
from astra_filter.language.span import Span
from astra_filter.wording import request as wording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from astra_filter.errors import Problem
    from astra_filter.fields import Field

_SPACE = " \t\r\n"
_PIECE = re.compile(r"`(?:[^`]|``)*(?:`|$)|,|[^,`]+")
_TOKEN = re.compile(rf"{QUOTED_NAME}|{WORD}|\.")


class Item(NamedTuple):
    """One item of a list: a path, and the text that follows it, stripped of white space."""

    path: tuple[str, ...]
    span: Span
    """The place of the path."""
    rest: str
    rest_span: Span

    @property
    def whole(self) -> Span:
        """The place of the path and the text after it."""
        return Span(self.span.start, max(self.span.end, self.rest_span.end))


def read(text: str, parameter: str, max_items: int) -> tuple[list[Item], list[Problem]]:
    """Split a list into its items.

    Args:
        text: the value of the parameter, decoded.
        parameter: its name, for problems.
        max_items: how many items are allowed; the rest is not read.

    Returns:
        The items that can be read, in order, and the problems of the others.
    """
    items: list[Item] = []
    problems: list[Problem] = []
    for count, span in enumerate(_pieces(text)):
        if count == max_items:
            problems.append(wording.too_many_items(text, span, parameter, max_items))
            break
        item = _item(text, span, parameter)
        if isinstance(item, Item):
            items.append(item)
        else:
            problems.append(item)
    return items, problems


def _pieces(text: str) -> list[Span]:
    """Split at the commas outside backquotes."""
    spans = []
    start = 0
    for match in _PIECE.finditer(text):
        if match[0] == ",":
            spans.append(Span(start, match.start()))
            start = match.end()
    spans.append(Span(start, len(text)))
    return spans


def _item(text: str, span: Span, parameter: str) -> Item | Problem:
    place = start = _skip(text, span.start, span.end)
    if place == span.end:
        return wording.missing_item(text, span, parameter)
    names: list[str] = []
    while True:
        match = _TOKEN.match(text, place, span.end)
        if match is None or match[0] == ".":
            return wording.not_a_name(text, Span(place, span.end), parameter)
        token = match[0]
        if token[0] == "`":
            names.append(unquote(token))
        else:
            bad = bad_name_character(token)
            if bad is not None:
                return wording.not_a_name(text, Span(place + bad, place + bad + 1), parameter)
            if token.isascii() and token.lower() in RESERVED:
                return wording.reserved_name(text, Span(*match.span()), parameter)
            names.append(token)
        end = match.end()
        place = _skip(text, end, span.end)
        if text[place : place + 1] != "." or place == span.end:
            break
        place = _skip(text, place + 1, span.end)
    rest = text[place : span.end].rstrip(_SPACE)
    return Item(tuple(names), Span(start, end), rest, Span(place, place + len(rest)))


def _skip(text: str, place: int, end: int) -> int:
    while place < end and text[place] in _SPACE:
        place += 1
    return place


def chain(root: Object | Open, path: tuple[str, ...]) -> list[Field]:
    """Return the field of each step of a path; fewer than the path has names where a name is not declared."""
    fields: list[Field] = []
    owner: Field = root
    for name in path:
        if isinstance(owner, Object) and name in owner.members:
            owner = owner.members[name]
        elif isinstance(owner, Map):
            owner = owner.values
        elif not isinstance(owner, Open):
            break
        fields.append(owner)
    return fields


def map_before_key(root: Object | Open, path: tuple[str, ...]) -> Map | None:
    """Return the map whose key a path ends with; None for other paths."""
    before = chain(root, path[:-1])[-1:]
    return before[0] if before and isinstance(before[0], Map) else None


def unresolved(text: str, item: Item, parameter: str, found: list[Field], known: Iterable[str]) -> Problem:
    """Return the problem of a path that is not declared.

    Args:
        text: the value of the parameter.
        item: the item that has the path.
        parameter: the name of the parameter.
        found: the fields of the steps that are declared.
        known: the paths to suggest.
    """
    last = found[-1] if found else None
    if isinstance(last, Array) and isinstance(last.items, Object) and item.path[len(found)] in last.items.members:
        return wording.through_array(text, item.span, parameter, path_text(item.path[: len(found)]))
    if found[-2:-1] and isinstance(found[-2], Map):
        key = ".".join(item.path[len(found) - 1 :])
        return wording.members_of_entry(text, item.span, parameter, path_text(item.path[: len(found) - 1]), key)
    name = path_text(item.path)
    return wording.unknown_item(text, item.span, parameter, name, nearest(name, known))
