"""``orderBy``: a total order over resources (SPEC §6).

Nulls are the smallest values; text, enums and UUIDs go by code point; false before true; the schema's key comes last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from astra_filter.fields import Boolean, Integer, Number
from astra_filter.language.names import path_text
from astra_filter.language.values import at
from astra_filter.limits import MOST_PROBLEMS
from astra_filter.request.field_lists import chain, read, unresolved
from astra_filter.wording import request as wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astra_filter.errors import Problem
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.meaning.leaves import Leaf

_NEGATABLE = (Boolean, Integer, Number)


class SortKey(NamedTuple):
    """One key of an order."""

    leaf: Leaf
    descending: bool

    @property
    def text(self) -> str:
        """The key as ``orderBy`` has it: ``name``, ``name desc``."""
        return path_text(self.leaf.path) + (" desc" if self.descending else "")


class Order:
    """The sort keys of a request, the schema's key last. Without any, resources stay in the order they come in.

    Args:
        keys: the sort keys, in order of weight.
    """

    __slots__ = ("_ranks", "_reads", "keys", "text")

    def __init__(self, keys: tuple[SortKey, ...]) -> None:
        self.keys = keys
        self.text = ", ".join([key.text for key in keys])
        self._reads = tuple([(key.leaf.path, key.leaf.field.read) for key in keys])
        self._ranks = tuple([(key.descending, isinstance(key.leaf.field, _NEGATABLE)) for key in keys])

    def values(self, resource: object) -> tuple[Any, ...]:
        """Return the canonical value of each sort key in a resource."""
        found = [(at(resource, path), read) for path, read in self._reads]
        return tuple([None if value is None else read(value) for value, read in found])

    def rank(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return a tuple that sorts resources by their canonical sort values, in the direction of each key."""
        rank: list[Any] = []
        for value, (descending, negatable) in zip(values, self._ranks, strict=True):
            if not descending:
                rank += (value is not None, value)
            elif value is None:
                rank += (True, None)
            else:
                rank += (False, -value if negatable else _Descending(value))
        return tuple(rank)


class _Descending:
    """Wraps a value so that it sorts in reverse."""

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]  # For sorting only.

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and self._value == other._value

    def __lt__(self, other: _Descending) -> bool:
        return bool(other._value < self._value)


def parse_order(
    text: str | None, declaration: Declaration, max_keys: int, room: int = MOST_PROBLEMS
) -> tuple[Order, list[Problem]]:
    """Read ``orderBy``.

    Args:
        text: the parameter's value; None where it is not given.
        declaration: what the schema declares.
        max_keys: how many sort keys ``text`` may have (SPEC §8).
        room: how many problems are looked for.

    Returns:
        The order, with the schema's key at its end, and the problems of the text.
    """
    leaves = declaration.leaves
    keys: list[SortKey] = []
    problems: list[Problem] = []
    if text is not None:
        items, problems = read(text, "orderBy", max_keys)
        for item in items:
            if len(problems) >= room:
                break
            found = chain(declaration.root, item.path)
            leaf = leaves.get(item.path)
            if len(found) < len(item.path):
                problems.append(unresolved(text, item, "orderBy", found, _sortable(declaration)))
            elif leaf is None or not leaf.sortable:
                problems.append(wording.not_sortable(text, item.span, path_text(item.path), _sortable(declaration)))
            elif any(leaf is other.leaf for other in keys):
                problems.append(wording.repeated_item(text, item.span, "orderBy", path_text(item.path)))
            else:
                keys.append(SortKey(leaf, item.rest.lower() == "desc"))
            if item.rest_span.start == item.span.end and item.rest:
                problems.append(wording.text_after_name(text, item.rest_span, "orderBy", text[slice(*item.whole)]))
            elif item.rest.lower() not in ("", "asc", "desc"):
                problems.append(wording.bad_direction(text, item.rest_span))
    if declaration.key is not None:
        keys = _complete(keys, leaves[(declaration.key,)])
    problems = [_other_spelling(problem, leaves) for problem in problems]
    return Order(tuple(keys)), sorted(problems, key=lambda problem: problem.span)


_SPELLINGS = frozenset({"bad_direction", "not_a_name", "text_after_name", "unknown_field"})


def _other_spelling(problem: Problem, leaves: Mapping[tuple[str, ...], Leaf]) -> Problem:
    """Show a sort key in the spelling of another API as it is written here: ``-name``, ``name:desc``."""
    if problem.code not in _SPELLINGS or "`" in problem.text:
        return problem
    from astra_filter.request.other_names import piece_at, sort_key  # Errors only: not paid by those who send none.

    piece = piece_at(problem.text, problem.span.start)
    key = sort_key(piece, leaves)
    # Where only the case differs, the name that is near says it.
    hint = "" if key is None or key.casefold() == piece.strip().casefold() else wording.direction_behind(key)
    return problem._replace(hint=hint) if hint else problem


def _sortable(declaration: Declaration) -> tuple[str, ...]:
    """Return the paths that may be sorted by."""
    return declaration.memo.made("sortable", _sortable_paths, declaration.leaves)


def _sortable_paths(leaves: Mapping[tuple[str, ...], Leaf]) -> tuple[str, ...]:
    return tuple([path_text(path) for path, leaf in leaves.items() if leaf.sortable])


def _complete(keys: list[SortKey], unique: Leaf) -> list[SortKey]:
    """End the keys with the unique one. Keys after it would never decide."""
    for place, key in enumerate(keys):
        if key.leaf is unique:
            return keys[: place + 1]
    return [*keys, SortKey(unique, bool(keys) and keys[-1].descending)]
