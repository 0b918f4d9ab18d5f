"""``include``: which fields are returned, and in which form (SPEC §6).

Values come out in the canonical form that JSON holds: timestamps as fixed-width UTC text, UUIDs in lower case, numbers
as doubles. A value of another type than its field's is null. With ``include``, an item is a list, with null for
what is missing. Without it an item is a dictionary of the declared, returnable members at every depth. A member that is
null or missing, which SQL cannot tell apart, is left out, and so is a nullable object with nothing in it; any other
object is there even when empty. The elements of an array keep their places, as null where they have not the array's
type. An open schema returns what it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from astra_filter.fields import Map, Object
from astra_filter.language.names import path_text
from astra_filter.limits import MOST_PROBLEMS
from astra_filter.request.field_lists import chain, read, unresolved
from astra_filter.wording import request as wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astra_filter.errors import Problem
    from astra_filter.fields import Field
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.meaning.leaves import Leaf

Path: TypeAlias = tuple[str, ...]


def is_included(leaf: Leaf, include: tuple[Path, ...] | None) -> bool:
    """Whether a leaf is returned, given the paths of ``include`` without keys of maps, or None for whole objects."""
    return leaf.returnable and (include is None or any(leaf.path[: len(path)] == path for path in include))


def parse_include(
    text: str | None, declaration: Declaration, max_names: int, room: int = MOST_PROBLEMS
) -> tuple[tuple[Path, ...] | None, tuple[Path, ...] | None, list[Problem]]:
    """Read ``include``.

    Args:
        text: the parameter's value; None where it is not given.
        declaration: what the schema declares.
        max_names: how many names ``text`` may have (SPEC §8).
        room: how many problems are looked for.

    Returns:
        The paths to return, in order, None for whole objects; the same without the keys of maps, as the schema declares
        them; and the problems of the text.
    """
    if text is None:
        return None, None, []
    items, problems = read(text, "include", max_names)
    paths: dict[Path, Path] = {}
    for item in items:
        if len(problems) >= room:
            break
        found = chain(declaration.root, item.path)
        if item.rest:
            problems.append(wording.text_after_name(text, item.rest_span, "include", text[slice(*item.whole)]))
        elif len(found) < len(item.path):
            problems.append(unresolved(text, item, "include", found, _suggested(declaration)))
        elif not all(field.returnable for field in found):
            problems.append(wording.not_returnable(text, item.span, path_text(item.path)))
        elif item.path in paths:
            problems.append(wording.repeated_item(text, item.span, "include", path_text(item.path)))
        else:
            paths[item.path] = item.path[:-1] if len(found) > 1 and isinstance(found[-2], Map) else item.path
    return tuple(paths), tuple(paths.values()), sorted(problems, key=lambda problem: problem.span)


def _suggested(declaration: Declaration) -> tuple[str, ...]:
    return declaration.memo.made("returnable", _returnable_paths, declaration)


def _returnable_paths(declaration: Declaration) -> tuple[str, ...]:
    return tuple(map(path_text, returnable(declaration.root)))


def returnable(owner: Field, prefix: Path = ()) -> Iterator[Path]:
    """Yield the paths that ``include`` may name, but for the keys of maps; none of an open schema, which takes any."""
    for name, field in owner.members.items() if isinstance(owner, Object) else ():
        if field.returnable:
            yield (*prefix, name)
            yield from returnable(field, (*prefix, name))
