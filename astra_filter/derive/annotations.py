"""Dataclasses and TypedDicts to fields."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from astra_filter import errors, fields
from astra_filter.wording import derive as wording

_SCALARS: dict[object, type[fields.Field]] = {
    str: fields.String,
    bool: fields.Boolean,
    int: fields.Integer,
    float: fields.Number,
    Decimal: fields.Number,
    datetime: fields.Timestamp,
    date: fields.Date,
    UUID: fields.Uuid,
}
_ARRAYS = frozenset({list, tuple, Sequence, MutableSequence})
_MAPS = frozenset({dict, Mapping, MutableMapping})
_WRAPPERS = frozenset({typing.Required, typing.NotRequired, getattr(typing, "ReadOnly", typing.Required)})


def members(cls: type, *, omit_unsupported: bool = False) -> dict[str, fields.Field]:
    """Return the fields of a resource that a class describes.

    ``Optional`` and ``NotRequired`` make a field nullable; `typing.Literal` and `enum.Enum` of strings are enums;
    lists, tuples and sequences are arrays; ``dict[str, T]`` and mappings are maps; nested dataclasses and TypedDicts
    are objects. A field in `typing.Annotated` stands for the type beside it, and is nullable where that type is:
    ``Annotated[str | None, fields.String(max_length=9)]``. A dataclass's members with a leading underscore are private
    and left out.

    Args:
        cls: a dataclass or a TypedDict.
        omit_unsupported: leave out members that no field can represent instead of refusing the class.

    Raises:
        SchemaError: a member has a type that no field represents, or the class contains itself; the message begins with
            the class and the member.
    """
    if not _is_record(cls):
        raise wording.underivable("not_a_record", getattr(cls, "__qualname__", None) or repr(cls))
    return _members(cls, (), omit=omit_unsupported)


def _members(cls: type, around: tuple[type, ...], *, omit: bool) -> dict[str, fields.Field]:
    """Return the fields of a class that is a member of the classes ``around``."""
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise wording.underivable("unknown_name", cls.__qualname__, repr(error.name)) from None
    except Exception as error:  # noqa: BLE001  # Annotations in quotes are code, which may raise anything.
        raise wording.underivable("unreadable_annotation", cls.__qualname__, repr(error)) from None
    if dataclasses.is_dataclass(cls):
        names = (declared.name for declared in dataclasses.fields(cls))
        hints = {name: hints[name] for name in names if not name.startswith("_")}
    optional = getattr(cls, "__optional_keys__", ())
    made: dict[str, fields.Field] = {}
    for name, hint in hints.items():
        place = f"{cls.__qualname__}.{name}"
        try:
            made[name] = _field(hint, place, (*around, cls), nullable=name in optional, omit=omit)
        except errors.SchemaError:
            if not omit:
                raise
    if not made:
        raise wording.underivable("free_form_object", cls.__qualname__)
    return made


def _field(hint: Any, place: str, around: tuple[type, ...], *, nullable: bool, omit: bool) -> fields.Field:
    given, hint, nullable = _unwrap(hint, place, nullable=nullable)
    if given is not None:
        return fields.changed(given, nullable=given.nullable or nullable)
    make = _maker(hint, place, around, omit=omit)
    try:
        return make(nullable=nullable)
    except errors.SchemaError as error:
        raise wording.refused_at(place, error) from None


def _unwrap(hint: Any, place: str, *, nullable: bool) -> tuple[fields.Field | None, Any, bool]:
    """Return the field that an annotation gives, the type inside its wrappers, and whether it is nullable."""
    given = None
    while True:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            given = given or next((word for word in hint.__metadata__ if isinstance(word, fields.Field)), None)
            hint = hint.__origin__
        elif origin in _WRAPPERS:
            # __optional_keys__ misses markers in annotations that are strings.
            nullable = origin is typing.NotRequired or (nullable and origin is not typing.Required)
            hint = arguments[0]
        elif origin is typing.Union or origin is types.UnionType:
            present = [argument for argument in arguments if argument is not types.NoneType]
            nullable = nullable or len(present) < len(arguments)
            if given is not None:
                return given, hint, nullable
            hint = present[0] if len(present) == 1 else _joined(present, place)
        elif origin is typing.Literal and None in arguments:
            nullable = True
            present = [argument for argument in arguments if argument is not None]
            if not present:
                raise wording.underivable("only_null", place)
            hint = typing.Literal[tuple(present)]
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":  # Since Python 3.12.
            hint = hint.__value__
        else:
            return given, hint, nullable


def _joined(present: Sequence[Any], place: str) -> Any:
    """Return one type for several: a Literal with the literals of all, or `float` for integers and floats."""
    if all(typing.get_origin(part) is typing.Literal for part in present):
        return typing.Literal[tuple(value for part in present for value in typing.get_args(part))]
    # An Annotated type is not hashable where its metadata is not; here and for elements.
    if all(part in (int, float, Decimal) for part in present):
        return float
    raise wording.underivable("mixed_types", place, ", ".join(map(_name, present)))


def _maker(hint: Any, place: str, around: tuple[type, ...], *, omit: bool) -> Callable[..., fields.Field]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return _of_values(arguments, place)
    if origin in _ARRAYS or (isinstance(hint, type) and hint in _ARRAYS):
        return partial(fields.Array, _element(arguments, place, around, omit=omit))
    if origin in _MAPS:
        return partial(fields.Map, _entry(arguments, place, around, omit=omit))
    if not isinstance(hint, type):
        raise wording.underivable("unknown_type", place, _name(hint))
    if hint is types.NoneType:
        raise wording.underivable("only_null", place)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if issubclass(hint, enum.Enum):
        return _of_values(tuple(hint), place)
    if _is_record(hint):
        if hint in around:
            raise wording.underivable("recursive", place, hint.__qualname__)
        return partial(fields.Object, _members(hint, around, omit=omit))
    raise wording.underivable("unknown_type", place, _name(hint))


def _of_values(values: Sequence[Any], place: str) -> Callable[..., fields.Field]:
    plain = [value.value if isinstance(value, enum.Enum) else value for value in values]
    kinds = {type(value) for value in plain}
    if kinds == {str}:
        return partial(fields.Enum, *dict.fromkeys(plain))
    if len(kinds) == 1 and kinds <= {bool, int, float}:
        return _SCALARS[kinds.pop()]
    raise wording.underivable("mixed_types", place, ", ".join(sorted(kind.__name__ for kind in kinds)) or "no values")


def _element(arguments: tuple[Any, ...], place: str, around: tuple[type, ...], *, omit: bool) -> fields.Field:
    """Return the field of an array's elements. A tuple of fixed length is an array if all its places have one type."""
    given = [argument for argument in arguments if argument is not ...]
    if not given or any(argument != given[0] for argument in given):
        raise wording.underivable("untyped_elements", place)
    element = _field(given[0], place, around, nullable=False, omit=omit)
    if isinstance(element, fields.Array):
        raise wording.underivable("nested_array", place)
    return element


def _entry(arguments: tuple[Any, ...], place: str, around: tuple[type, ...], *, omit: bool) -> fields.Field:
    """The field of a map's values. Of values that may be anything, the map has those that are text."""
    key, value = arguments
    if key is not str:
        raise wording.underivable("map_keys", place, _name(key))
    if value is Any or value is object:
        return fields.String()
    made = _field(value, place, around, nullable=False, omit=omit)
    if not made.scalar:
        raise wording.underivable("map_of_containers", place, _name(value))
    return made


def _is_record(cls: object) -> bool:
    # typing.is_typeddict does not know the TypedDict of typing_extensions.
    return isinstance(cls, type) and (
        dataclasses.is_dataclass(cls) or (issubclass(cls, dict) and hasattr(cls, "__optional_keys__"))
    )


def _name(hint: Any) -> str:
    return hint.__qualname__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
