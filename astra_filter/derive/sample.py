"""Sample resources to fields: what the values at hand have in common.

Every field is nullable, but for a key that no resource lacks. Where values of different JSON types occur, the type of
the most values stands and the others count as null (SPEC §4.6); on a tie, the type that was seen first. Members of
which no value says more (only nulls, only empty arrays) are strings and arrays of strings. Members that no field
represents (objects that are always empty, arrays of arrays, names that are empty or hold U+0000 or surrogates, what
lies more than 16 objects deep) are left out.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from astra_filter import fields
from astra_filter.language.values import is_text
from astra_filter.wording import derive as wording

_DEPTH = 16
# Bare hexadecimal digits are as often a hash, which a UUID's canonical form would spoil.
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_KINDS = {
    type(None): "null",
    bool: "boolean",
    str: "string",
    datetime: "string",
    date: "string",
    UUID: "string",
    dict: "object",
    list: "array",
    tuple: "array",
}
_INTEGER, _NUMBER = fields.Integer(), fields.Number()
_FORMATS: tuple[fields.Field, ...] = (fields.Date(), fields.Timestamp(), fields.Uuid())


def members(resources: Iterable[Mapping[str, Any]], *, key: str | None = None) -> dict[str, fields.Field]:
    """Return fields that the resources have in common, in the order in which the members are first seen.

    Text is a timestamp, a date or a UUID (with hyphens) where all of a member's strings are readable as one.

    Args:
        resources: mappings, as JSON gives them.
        key: the member that identifies a resource.

    Raises:
        SchemaError: a resource is not a mapping, or there is nothing to infer a field from.
    """
    seen = _Seen(0)
    number = -1
    for number, resource in enumerate(resources):
        if not isinstance(resource, Mapping):
            raise wording.underivable("no_resource", f"resource {number}", type(resource).__name__)
        seen.look(resource)
    made = seen.made()
    if not made:
        raise wording.underivable("nothing_to_infer", "the sample")
    if key in made:
        lacking = max(seen.members[key].counts.values(), default=0) <= number
        made[key] = fields.changed(made[key], nullable=lacking)
    return made


class _Seen:
    """What has been seen of one member, or of the elements of one array."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.counts: dict[str, int] = {}
        self.fraction = False
        self.formats = list(_FORMATS)
        self.members: dict[str, _Seen] = {}
        self.elements: _Seen | None = None

    def look(self, value: Any) -> None:
        kind = _KINDS.get(type(value))
        if kind is None:
            value, kind = _judged(value)
        if kind == "null":
            return
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind == "number":
            self.fraction = self.fraction or isinstance(value, float) or _INTEGER.read(value) is None
        elif kind == "string":
            if self.formats:
                self.formats = [format_ for format_ in self.formats if _readable(format_, value)]
        elif kind == "object" and self.depth < _DEPTH:
            for name, member in value.items():
                if name not in self.members:
                    self.members[name] = _Seen(self.depth + 1)
                self.members[name].look(member)
        elif kind == "array" and self.depth < _DEPTH:
            self.elements = self.elements or _Seen(self.depth + 1)
            for element in value:
                self.elements.look(element)

    def field(self) -> fields.Field | None:
        match max(self.counts, key=self.counts.__getitem__, default="string"):
            case "boolean":
                return fields.Boolean(nullable=True)
            case "number":
                return fields.Number(nullable=True) if self.fraction else fields.Integer(nullable=True)
            case "object":
                made = self.made()
                return fields.Object(made, nullable=True) if made else None
            case "array":
                element = None if self.elements is None else self.elements.field()
                if element is None or isinstance(element, fields.Array):
                    return None
                return fields.Array(element, nullable=True)
            case _:
                readable = self.counts and self.formats
                return type(self.formats[0])(nullable=True) if readable else fields.String(nullable=True)

    def made(self) -> dict[str, fields.Field]:
        found = ((name, member.field()) for name, member in self.members.items() if is_text(name) and name)
        return {name: field for name, field in found if field is not None}


def _judged(value: Any) -> tuple[Any, str]:
    """Return a value without its `enum.Enum`, and its JSON type; a value without a JSON type is null."""
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, Mapping):
        return value, "object"
    if _NUMBER.read(value) is not None:
        return value, "number"
    found = (kind for type_, kind in _KINDS.items() if isinstance(value, type_))
    return value, next(found, "null")


def _readable(format_: fields.Field, value: object) -> bool:
    if isinstance(format_, fields.Uuid) and isinstance(value, str) and not _UUID.fullmatch(value):
        return False
    return format_.read(value) is not None
