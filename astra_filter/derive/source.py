"""A schema as Python source to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from astra_filter import fields
from astra_filter.language.operators import Operator
from astra_filter.wording import derive as wording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from astra_filter.fields import AnyField
    from astra_filter.meaning.declaration import Declaration

_INDENT = "    "


def python(declaration: Declaration, name: str) -> str:
    """Return imports and an assignment that make the schema again; its limits are not written.

    Raises:
        SchemaError: an open schema.
    """
    if isinstance(declaration.root, fields.Open):
        raise wording.open_has_no_source()
    lines = [f"{_INDENT}{_members(declaration.root, 1)},"]
    if declaration.key is not None:
        lines.append(f"{_INDENT}key={declaration.key!r},")
    if declaration.binary:
        lines.append(f"{_INDENT}binary=True,")
    if declaration.sqlite_fold:
        lines.append(f"{_INDENT}sqlite_fold=True,")
    head = "from astra_filter import Schema, fields\n"
    return "\n".join([head, f"{name} = Schema(", *lines, ")", ""])


def _members(owner: fields.Object, depth: int) -> str:
    inside, end = _INDENT * (depth + 1), _INDENT * depth
    lines = [f"{inside}{name!r}: {_field(member, depth + 1)}," for name, member in owner.members.items()]
    return "\n".join(["{", *lines, f"{end}}}"])


def _field(field: AnyField, depth: int) -> str:
    arguments = [*_own(field, depth), *_common(field)]
    return f"fields.{type(field).__name__}({', '.join(arguments)})"


def _own(field: AnyField, depth: int) -> Iterable[str]:
    """Return the arguments that only this type has."""
    match field:
        case fields.String():
            return _given(max_length=field.max_length, binary=field.binary, folded=field.folded)
        case fields.Enum():
            return [*map(repr, field.values), *_given(binary=field.binary)]
        case fields.Decimal():
            return [*map(repr, field.grid), *_given(as_number=field.as_number or None)]
        case fields.Array():
            return [_field(field.items, depth)]
        case fields.Object():
            return [_members(field, depth)]
        case fields.Map():
            values = field.values
            # The others are the map's own.
            own = [*_own(values, depth), *_given(operators=_operators(values))]
            return [f"fields.{type(values).__name__}({', '.join(own)})"]
        case (
            fields.Uuid()
            | fields.Integer()
            | fields.Number()
            | fields.Boolean()
            | fields.Timestamp()
            | fields.Date()
            | fields.Open()
        ):
            return []
        case _:
            assert_never(field)


def _common(field: AnyField) -> Iterable[str]:
    """Return the arguments that all types have, where they say something."""
    usual = field.scalar and field.returnable
    return _given(
        nullable=field.nullable or None,
        operators=_operators(field),
        sortable=None if field.sortable == usual else field.sortable,
        returnable=None if field.returnable else False,
        column=field.column,
        json_path=field.json_path,
        storage=field.storage,
        description=field.description or None,
    )


def _operators(field: AnyField) -> list[str] | None:
    if field.operators == field.allowed:
        return None
    return [operator.value for operator in Operator if operator in field.operators]


def _given(**arguments: Any) -> list[str]:
    return [f"{name}={value!r}" for name, value in arguments.items() if value is not None]
