"""Immutable records, such as syntax nodes are.

They are like frozen dataclasses with slots, but faster to make. Importing `dataclasses` and generating the methods of
all nodes would take longer than the rest of the library's start.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

R = TypeVar("R", bound="Record")

make = tuple.__new__
"""``make(Slot, (number, kind, span))`` is ``Slot(number, kind, span)``, of any named tuple, in half the time."""


@dataclass_transform(frozen_default=True)
class Record(tuple[Any, ...]):
    """The base of records: a subclass annotates its fields, and gives ``__slots__ = ()``.

    Fields are given by position or by name. Records are equal when they are of one class and their fields are equal,
    but for the last ``ignored`` ones, which tell where a record comes from and not what it is.

    Raises:
        TypeError: a field is missing, unknown or given twice.
    """

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]]
    _compared: ClassVar[int]

    def __init_subclass__(cls, ignored: int = 0) -> None:
        cls._fields = names = tuple(cls.__annotations__)
        cls._compared = len(names) - ignored
        setattr(cls, "__match_args__", names)  # noqa: B010  # Type checkers know better what it is.
        for index, name in enumerate(names):
            setattr(cls, name, property(itemgetter(index)))

    def __new__(cls, *values: object, **named: object) -> Self:
        """Make a record of its fields."""
        if named or len(values) != len(cls._fields):
            values = cls._in_order(values, named)
        return tuple.__new__(cls, values)

    @classmethod
    def _in_order(cls, values: tuple[object, ...], named: dict[str, object]) -> tuple[object, ...]:
        expected = cls._fields[len(values) :]
        if len(values) > len(cls._fields) or set(expected) != set(named):
            raise TypeError(f"{cls.__name__} takes the fields {', '.join(cls._fields)}, each once")
        return (*values, *[named[name] for name in expected])

    def __getnewargs__(self) -> tuple[object, ...]:
        return tuple(self)

    def __eq__(self, other: object) -> bool:
        # A plain tuple of the same values is not the record, whichever stands on the left.
        return type(other) is type(self) and self[: self._compared] == other[: self._compared]

    def __ne__(self, other: object) -> bool:
        return not self == other  # `tuple` has one of its own.

    def __hash__(self) -> int:
        return hash((type(self), self[: self._compared]))

    def __repr__(self) -> str:
        fields = ", ".join([f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True)])
        return f"{type(self).__name__}({fields})"


def replace(record: R, **changes: object) -> R:
    """Return a copy of a record with other values in the fields named.

    Raises:
        TypeError: the record has no field of that name.
    """
    return type(record)(**{**dict(zip(record._fields, record, strict=True)), **changes})
