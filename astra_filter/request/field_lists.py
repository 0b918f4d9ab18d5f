"""Comma-separated lists of paths, which ``include`` and ``orderBy`` are (SPEC §2, §6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from astra_filter.fields import Array, Object, Open
from astra_filter.language.names import RESERVED, bad_name_character, nearest, path_text, unquote
from astra_filter.language.span import Span
from astra_filter.wording import request as wording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from astra_filter.errors import Problem
    from astra_filter.fields import Field

_SPACE = " \t\r\n"
_PIECE = re.compile(r"`(?:[^`]|``)*(?:`|$)|,|[^,`]+")
_TOKEN = re.compile(r"`(?:[^`\0\ud800-\udfff]|``)+`(?!`)|[^\0-@\[-^`{-\x7f][^\0-/:-@\[-^`{-\x7f]*|\.")


class Item(NamedTuple):
    """One item of a list: a path, and the text that follows it, stripped of white space."""

    path: tuple[str, ...]
    span: Span
    """Of the path."""
    rest: str
    rest_span: Span

    @property
    def whole(self) -> Span:
        """The place of path and rest."""
        return Span(self.span.start, max(self.span.end, self.rest_span.end))


def read(text: str, parameter: str, most: int) -> tuple[list[Item], list[Problem]]:
    """Split a list into its items.

    Args:
        text: the value of the parameter, decoded.
        parameter: its name, for problems.
        most: how many items are allowed; no more are read.

    Returns:
        The items that can be read, in order, and what is wrong with the others.
    """
    items: list[Item] = []
    problems: list[Problem] = []
    for count, span in enumerate(_pieces(text)):
        if count == most:
            problems.append(wording.too_many_items(text, span, parameter, most))
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
    """Return the fields that a path steps through, the last one its own; shorter than the path where it ends early."""
    fields: list[Field] = []
    owner: Field = root
    for name in path:
        if isinstance(owner, Object) and name in owner.members:
            owner = owner.members[name]
        elif not isinstance(owner, Open):
            break
        fields.append(owner)
    return fields


def unresolved(text: str, item: Item, parameter: str, found: list[Field], known: Iterable[str]) -> Problem:
    """Return what is wrong with a path that ends early, after the fields ``found``; ``known`` are those to suggest."""
    last = found[-1] if found else None
    if isinstance(last, Array) and isinstance(last.items, Object) and item.path[len(found)] in last.items.members:
        return wording.through_array(text, item.span, parameter, path_text(item.path[: len(found)]))
    name = path_text(item.path)
    return wording.unknown_item(text, item.span, parameter, name, nearest(name, known))
