"""What the code of predicates calls; it has no builtins."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from astra_filter import fields
from astra_filter.language.fold import fold
from astra_filter.language.values import PLAIN_ENUMS, PLAIN_OBJECTS, entry, member, unwrap, usual_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from uuid import UUID


class View:
    """Gives a resource that is not a plain `dict` the one method of it that the generated code calls."""

    __slots__ = ("_owner",)

    def __init__(self, owner: object) -> None:
        self._owner = owner

    def get(self, name: str) -> object:
        """Return a member, None where it is missing."""
        return member(self._owner, name)


class Objects:
    """The functions for resources that are objects, which are generated when the first such resource comes.

    Args:
        make: makes ``matches`` of a resource, and ``select`` of a list.
    """

    __slots__ = ("matches", "select")

    matches: Callable[[object], bool]
    select: Callable[[list[Any]], list[Any]]

    def __init__(self, make: Callable[[], tuple[Callable[[object], bool], Callable[[list[Any]], list[Any]]]]) -> None:
        def matches(resource: object) -> bool:
            self.matches, self.select = make()
            return self.matches(resource)

        def select(resources: list[Any]) -> list[Any]:
            self.matches, self.select = make()
            return self.select(resources)

        self.matches, self.select = matches, select


class _NoUuid:
    """Stands for the class `uuid.UUID` before there are values of it: few programs have to pay for its import."""


def _read_uuid(value: object) -> str | None:
    text: str | None = _UUID.read(value)
    if text is not None and not isinstance(value, str) and NAMES["Uuid"] is _NoUuid:
        from uuid import UUID

        NAMES["Uuid"] = UUID
    return text


def uuid_number(value: UUID) -> int | None:
    """Return the number of a UUID; None where it has none, since it was not made as they are."""
    try:
        return value.int
    except AttributeError:
        return None


def decimal_class() -> type:
    """Return the class of decimals, for schemas that have such a field."""
    from decimal import Decimal  # Costs start-up time, which other schemas need not pay.

    return Decimal


def open_values(owner: View | dict[str, object], path: Sequence[str], *, elements: bool) -> list[object]:
    """Return what an open path leads to: one value, or one for each element of the arrays on the way.

    Args:
        owner: the resource, or an element, as a scope: what has a method ``get``.
        path: the members to step through, at least one.
        elements: an array at the end of the path stands for its elements.
    """
    values = [owner.get(path[0])]
    for name in path[1:]:
        values = [member(value, name) for value in _spread(values)]
    return _spread(values) if elements else [unwrap(value) for value in values]


def _spread(values: Iterable[object]) -> list[object]:
    """Put in place of each array its elements: ``[1, [2, 3]]`` becomes ``[1, 2, 3]``."""
    spread: list[object] = []
    for value in values:
        kind = type(value)
        elements = None if kind is dict or kind is str else _read_array(value)
        if elements is None:
            spread.append(value)
        else:
            spread.extend(elements)
    return spread


def open_elements(owner: View | dict[str, object], path: Sequence[str]) -> list[object]:
    """Return the elements of the array that an open path leads to; a value that is no array has none."""
    values = open_values(owner, path, elements=False)
    return [element for value in values for element in _read_array(value) or ()]


_UUID = fields.Uuid()
_read_array = fields.Array(fields.String()).read
NAMES: dict[str, object] = {
    "__builtins__": {},
    "__name__": __name__,
    **{kind.__name__: kind for kind in (type, dict, list, str, int, float, bool, date, datetime, Exception)},
    "len": len,
    "iter": iter,
    "utc": UTC,
    "Uuid": _NoUuid,
    "uuid_number": uuid_number,
    "get": dict.get,
    "fromisoformat": datetime.fromisoformat,
    "usual_instant": usual_instant,
    "fold": fold,
    "View": View,
    "view": View,
    "member": member,
    "plain_objects": PLAIN_OBJECTS,
    "plain_enums": PLAIN_ENUMS,
    "entry": entry,
    "open_values": open_values,
    "open_elements": open_elements,
    "read_string": fields.String().read,
    "read_enum": fields.Enum("").read,
    "read_uuid": _read_uuid,
    "read_integer": fields.Integer().read,
    "read_number": fields.Number().read,
    "read_boolean": fields.Boolean().read,
    "read_timestamp": fields.Timestamp().read,
    "read_date": fields.Date().read,
    "read_array": _read_array,
}
"""Everything that the code can name. It has no builtins."""
