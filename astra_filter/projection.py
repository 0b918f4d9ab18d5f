"""``include``: which fields are returned, and in which form (SPEC §6).

Values come out in the canonical form that JSON holds: timestamps as fixed-width UTC text, UUIDs in lower case, numbers
as doubles; a value that has not its field's type is null. With ``include`` an item is a list in which null stands for
what is missing. Without it an item is a dictionary of the declared, returnable members at every depth. A member that is
null or missing, which SQL cannot tell apart, is left out, and so is a nullable object with nothing in it; any other
object is there even when empty. The elements of an array keep their places, as null where they have not the array's
type. An open schema returns what it is given.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

from astra_filter import errors
from astra_filter.fields import Array, Field, Object, Open, member
from astra_filter.names import path_text
from astra_filter.paths import MOST_PROBLEMS, chain, read, unresolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from astra_filter.errors import Problem
    from astra_filter.fields import Leaf

Path = tuple[str, ...]


class Projection:
    """What is returned of each resource.

    Args:
        root: the schema's fields.
        include: the paths to return, in order; None for whole objects.
    """

    __slots__ = ("_all", "_fields", "include", "root")

    def __init__(self, root: Object | Open, include: tuple[Path, ...] | None) -> None:
        self.root = root
        self.include = include
        self._all = _writer(root, nullable=False) if include is None else None
        self._fields: list[tuple[Path, Writer]] = []
        for path in include or ():
            fields = chain(root, path)
            self._fields.append((path, _writer(fields[-1], nullable=any(field.nullable for field in fields))))

    def __call__(self, resource: object) -> Any:
        """Return a resource as a page has it: a dictionary, or with ``include`` a list."""
        if self._all is not None:
            return self._all(resource)
        item = []
        for path, write in self._fields:
            value = resource
            for name in path:
                value = member(value, name)
            item.append(write(value))
        return item

    def needs(self, leaf: Leaf) -> bool:
        """Whether a leaf of the schema is part of what is returned."""
        if not all(field.returnable for field in chain(self.root, leaf.path)):
            return False
        return self.include is None or any(leaf.path[: len(path)] == path for path in self.include)


Writer: TypeAlias = "Callable[[object], Any]"
"""From a value in the data to what is returned of it."""


@lru_cache(maxsize=4096)
def _writer(field: Field, *, nullable: bool) -> Writer:
    """Return what writes the values of a field; ``nullable`` says whether an object with nothing in it is left out."""
    if isinstance(field, Open):
        return _same
    if isinstance(field, Array):
        return _array(field)
    if not isinstance(field, Object):
        # Most types have canonical values that JSON can hold as they are.
        return field.read if type(field).json is Field.json else field.output
    write = _members(field)
    return (lambda value: write(value) or None) if nullable else write


def _as_is(field: Field) -> type:
    """Return the type whose values a field returns as they are; a call for each would cost more than all else."""
    return {"string": str, "enum": str, "boolean": bool}.get(field.type, Field)


def _same(value: object) -> object:
    return value


def _members(field: Object) -> Writer:
    members = [
        # An object that is never null is there even when it is missing in the data; of nothing else is there anything.
        (name, _as_is(inner), _writer(inner, nullable=inner.nullable), isinstance(inner, Object) and not inner.nullable)
        for name, inner in field.members.items()
        if inner.returnable
    ]

    def write(owner: object) -> dict[str, Any]:
        found = {}
        get = owner.get if type(owner) is dict else partial(member, owner)
        for name, as_is, write_member, always in members:
            value = get(name)
            if type(value) is as_is:
                found[name] = value
            elif value is not None or always:
                value = write_member(value)
                if value is not None:
                    found[name] = value
        return found

    return write


def _array(field: Array) -> Writer:
    items = field.items
    as_is = _as_is(items)
    write_item = _writer(items, nullable=False)

    def write(value: object) -> list[Any] | None:
        elements = field.read(value)
        if elements is None:
            return None
        if isinstance(items, Object):
            return [
                write_item(element) if type(element) is dict or items.read(element) is not None else None
                for element in elements
            ]
        return [element if type(element) is as_is else write_item(element) for element in elements]

    return write


def parse_include(text: str | None, root: Object | Open, most: int) -> tuple[Projection, list[Problem]]:
    """Read ``include``.

    Args:
        text: the parameter's value; None where it is not given.
        root: the schema's fields.
        most: the names that ``text`` may have (SPEC §8).

    Returns:
        The projection, and what is wrong with the text.
    """
    if text is None:
        return Projection(root, None), []
    items, problems = read(text, "include", most)
    paths: dict[Path, None] = {}
    for item in items:
        if len(problems) >= MOST_PROBLEMS:
            break
        found = chain(root, item.path)
        if item.rest:
            problems.append(errors.text_after_name(text, item.rest_span, "include", text[slice(*item.whole)]))
        elif len(found) < len(item.path):
            problems.append(unresolved(text, item, "include", found, _returnable(root)))
        elif not all(field.returnable for field in found):
            problems.append(errors.not_returnable(text, item.span, path_text(item.path)))
        elif item.path in paths:
            problems.append(errors.repeated_item(text, item.span, "include", path_text(item.path)))
        else:
            paths[item.path] = None
    return Projection(root, tuple(paths)), sorted(problems, key=lambda problem: problem.span)


def _returnable(owner: Object | Open, prefix: Path = ()) -> Iterator[str]:
    """Return the paths that may be included."""
    if isinstance(owner, Open):
        return
    for name, field in owner.members.items():
        if field.returnable:
            yield path_text((*prefix, name))
            if isinstance(field, Object):
                yield from _returnable(field, (*prefix, name))
