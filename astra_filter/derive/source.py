"""A schema as Python source: what `fields` declare it by."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from astra_filter.fields import (
    Array,
    Boolean,
    Date,
    Decimal,
    Enum,
    Integer,
    Map,
    Number,
    Object,
    Open,
    String,
    Timestamp,
    Uuid,
)
from astra_filter.language.operators import Operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astra_filter.fields import AnyField


def source(members: Mapping[str, AnyField], key: str | None) -> str:
    """Return the source of a module that declares a schema of these members as ``SCHEMA``."""
    last = "" if key is None else f", key={key!r}"
    inner = _members(members, "    ")
    return f"from astra_filter import Schema, fields\n\nSCHEMA = Schema(\n    {inner}{last},\n)\n"


def _members(members: Mapping[str, AnyField], indent: str) -> str:
    lines = [f"{indent}    {name!r}: {_field(field, indent + '    ')},\n" for name, field in members.items()]
    return "{\n" + "".join(lines) + indent + "}"


def _field(field: AnyField, indent: str) -> str:
    first = _first(field, indent)
    return f"fields.{type(field).__name__}({', '.join([*first, *_options(field)])})"


def _first(field: AnyField, indent: str) -> list[str]:
    """The arguments that are the type's own."""
    match field:
        case Object():
            return [_members(field.members, indent)]
        case Array():
            return [_field(field.items, indent)]
        case Map():
            return [f"fields.{type(field.values).__name__}({', '.join(_first(field.values, indent))})"]
        case Enum():
            return [repr(value) for value in field.values]
        case Decimal():
            return [str(part) for part in field.grid] + (["as_number=True"] if field.as_number else [])
        case String():
            return [] if field.max_length is None else [f"max_length={field.max_length}"]
        case Integer() | Number() | Boolean() | Uuid() | Timestamp() | Date() | Open():
            return []
        case _:
            assert_never(field)


def _options(field: AnyField) -> list[str]:
    """The arguments of every type that are not the default ones."""
    found = ["nullable=True"] if field.nullable else []
    if field.operators != field.allowed:
        found.append(f"operators={[operator.value for operator in Operator if operator in field.operators]}")
    if field.sortable != (field.scalar and field.returnable):
        found.append(f"sortable={field.sortable}")
    if not field.returnable:
        found.append("returnable=False")
    more = ("column", "json_path", "storage")
    found += [f"{name}={getattr(field, name)!r}" for name in more if getattr(field, name) is not None]
    if field.description:
        found.append(f"description={field.description!r}")
    return found
