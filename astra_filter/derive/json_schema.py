"""JSON Schema, and the components of OpenAPI 3.0 and 3.1, to fields.

Keywords that only narrow the values (``pattern``, ``minimum``, ``not``, ``if``) say nothing that a filter needs and are
passed over. Where OpenAPI 3.0 and JSON Schema disagree on null, a member that either would let be null is nullable.

Long because reading keywords, joining schemas and making fields share one shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from typing import Any, TypeAlias
from urllib.parse import unquote

from astra_filter import errors, fields
from astra_filter.derive.decimals import known_digits
from astra_filter.language.names import nearest
from astra_filter.language.values import is_text
from astra_filter.wording import derive as derive_wording
from astra_filter.wording import schema as schema_wording

_NESTING = 64
_SIZE = 20_000
_TYPES = {name: frozenset({name}) for name in ("string", "integer", "boolean", "array", "object", "null")}
# A number is an integer or has a fraction: written so, "all of" and "any of" are plain set operations.
_TYPES["number"] = frozenset({"integer", "fraction"})
_ANYTHING = frozenset().union(*_TYPES.values())
_HINTS = {
    "properties": "object",
    "required": "object",
    "additionalProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "maxLength": "string",
}
_FORMATS: dict[str | None, type[fields.Field]] = {
    "date-time": fields.Timestamp,
    "date": fields.Date,
    # Pydantic names the version too.
    **dict.fromkeys(("uuid", *(f"uuid{version}" for version in range(1, 9))), fields.Uuid),
}
_NAMED = ("components/schemas", "$defs", "definitions", "schemas")


def members(
    document: Mapping[str, Any], *, ref: str | None = None, omit_unsupported: bool = False, decimals: bool = False
) -> dict[str, fields.Field]:
    """Return the fields of a resource that a JSON Schema describes.

    A member is nullable unless ``required`` lists it and its type excludes null. A ``writeOnly`` member can be neither
    returned nor, lest its value be guessed, filtered by. ``x-filter-operators`` (a list of operator names) and
    ``x-sortable`` (a boolean) set the options of the field.

    Args:
        document: a parsed JSON Schema, or a parsed OpenAPI document.
        ref: where in the document the resource is: ``#/components/schemas/Task``, or ``Task`` for a schema of that
            name among the document's definitions, or of the only name that ends with ``.Task``; default the document
            itself.
        omit_unsupported: leave out members that no field can represent instead of refusing the schema.
        decimals: make a `fields.Decimal` of a member whose digits are known (see `Schema.from_json_schema`).

    Raises:
        SchemaError: the schema is malformed or holds something that no field can represent, such as an array of
            arrays, a free-form object or a recursive reference; the message begins with its JSON pointer.
    """
    pointer = "" if ref is None else _pointer(document, ref)
    found = _Reader(document, decimals=decimals).follow(pointer, f"#{pointer}", 0)
    if found.problem is not None:
        raise found.problem
    if found.types - {"null"} != {"object"}:
        raise derive_wording.underivable("no_resource", found.place, _spelled(found.types) or "nothing")
    return _members(found, hidden=found.write_only, omit=omit_unsupported)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a schema says, references and combinations resolved."""

    place: str
    types: frozenset[str] = _ANYTHING
    nullable: bool = False
    values: tuple[object, ...] | None = None
    format: str | None = None
    max_length: int | None = None
    decimal: tuple[int, int] | None = None
    """Digits and places, where they are known and wanted."""
    members: Mapping[str, _Shape] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    items: _Shape | None = None
    entries: _Shape | None = None
    """Of members with names that are not declared."""
    write_only: bool = False
    description: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    problem: errors.SchemaError | None = None


_Json: TypeAlias = Mapping[str, Any]


class _Reader:
    """Reads one document; remembers which references are being followed."""

    def __init__(self, document: _Json, *, decimals: bool) -> None:
        self.document = document
        self.decimals = decimals
        self.following: list[str] = []
        self.size = 0

    def read(self, node: object, place: str, depth: int) -> _Shape:
        self.size += 1
        if depth > _NESTING:
            raise derive_wording.underivable("too_deep", place)
        if self.size > _SIZE:
            raise derive_wording.underivable("too_large", place)
        if isinstance(node, bool):
            return _Shape(place, _ANYTHING if node else frozenset())
        if not isinstance(node, Mapping):
            raise derive_wording.underivable("bad_schema_keyword", place, repr(node))
        shape = self.own(node, place, depth)
        if "$ref" in node:
            shape = _both(shape, self.refer(_expect(node, "$ref", str, place), place, depth))
        for number, part in enumerate(_expect(node, "allOf", list, place, [])):
            shape = _both(shape, self.read(part, f"{place}/allOf/{number}", depth + 1))
        for keyword in ("anyOf", "oneOf"):
            parts = _expect(node, keyword, list, place, [])
            if parts:
                read = [self.read(part, f"{place}/{keyword}/{n}", depth + 1) for n, part in enumerate(parts)]
                shape = _both(shape, reduce(_either, read))
        return shape

    def own(self, node: _Json, place: str, depth: int) -> _Shape:
        """What the keywords of one schema object say, combinations aside."""
        values = _values(node, place)
        contained = values is not None and any(isinstance(value, (list, Mapping)) for value in values)
        properties = _expect(node, "properties", Mapping, place, {})
        operators = _expect(node, "x-filter-operators", list, place, None)
        options = {"operators": operators, "sortable": _expect(node, "x-sortable", bool, place, None)}
        # A tuple's further elements say nothing about its first ones.
        items = None if "prefixItems" in node else node.get("items")
        # Beside declared members they say nothing that a filter could name.
        entries = None if properties else node.get("additionalProperties")
        return _Shape(
            place,
            _types(node, place, values),
            nullable=_expect(node, "nullable", bool, place, False) or (values is not None and None in values),
            values=values,
            format=_expect(node, "format", str, place, None),
            max_length=_expect(node, "maxLength", int, place, None),
            decimal=_decimal(node, place) if self.decimals else None,
            members={
                name: self.read(member, f"{place}/properties/{_escaped(name)}", depth + 1)
                for name, member in properties.items()
            },
            required=frozenset(filter(_is_text, _expect(node, "required", list, place, []))),
            items=self.read(items, f"{place}/items", depth + 1) if isinstance(items, Mapping) else None,
            entries=self.read(entries, f"{place}/additionalProperties", depth + 1)
            if isinstance(entries, Mapping) or entries is True
            else None,
            write_only=_expect(node, "writeOnly", bool, place, False),
            description=" ".join(_expect(node, "description", str, place, "").split()),
            options={name: value for name, value in options.items() if value is not None},
            problem=derive_wording.underivable("listed_containers", place) if contained else None,
        )

    def refer(self, ref: str, place: str, depth: int) -> _Shape:
        if ref == "#" or ref.startswith("#/"):
            return self.follow(ref[1:], place, depth)
        return _Shape(place, problem=derive_wording.underivable("foreign_reference", place, repr(ref)))

    def follow(self, pointer: str, place: str, depth: int) -> _Shape:
        if pointer in self.following:
            return _Shape(place, problem=derive_wording.underivable("recursive", place, f"#{pointer}"))
        target: Any = self.document
        for step in pointer.split("/")[1:]:
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(target, Mapping) and name in target:
                target = target[name]
            elif isinstance(target, list) and name.isascii() and name.isdecimal() and int(name[:9]) < len(target):
                target = target[int(name)]
            else:
                raise derive_wording.underivable("bad_reference", place, f"#{pointer}")
        self.following.append(pointer)
        try:
            return self.read(target, f"#{pointer}", depth + 1)
        finally:
            self.following.pop()


def _both(one: _Shape, other: _Shape) -> _Shape:
    """What satisfies both: ``allOf``, and a reference with its siblings. The outer one's words come first."""
    shared = {
        name: _both(one.members[name], other.members[name]) if name in one.members else other.members[name]
        for name in other.members
    }
    lengths = [length for length in (one.max_length, other.max_length) if length is not None]
    values = one.values if other.values is None else other.values
    if one.values is not None and other.values is not None:
        values = tuple(value for value in one.values if value in other.values)
    return _Shape(
        one.place,
        one.types & other.types,
        nullable=one.nullable or other.nullable,
        values=values,
        format=one.format or other.format,
        max_length=min(lengths, default=None),
        decimal=one.decimal or other.decimal,
        members={**one.members, **shared},
        required=one.required | other.required,
        items=_both(one.items, other.items) if one.items and other.items else one.items or other.items,
        entries=_both(one.entries, other.entries) if one.entries and other.entries else one.entries or other.entries,
        write_only=one.write_only or other.write_only,
        description=one.description or other.description,
        options={**other.options, **one.options},
        problem=one.problem or other.problem,
    )


def _either(one: _Shape, other: _Shape) -> _Shape:
    """What satisfies one of two: ``anyOf`` and ``oneOf``."""
    for empty, full in ((one, other), (other, one)):
        if empty.types == {"null"}:
            return replace(full, nullable=True)
    shared = {
        name: _either(one.members[name], other.members[name]) if name in one.members else other.members[name]
        for name in other.members
    }
    problem = one.problem or other.problem
    # Some values listed and some not is no list; two formats are no format; one open end is no bound. Where there is a
    # problem, values may be such as cannot be told apart.
    listed = one.values is not None and other.values is not None and problem is None
    bounded = one.max_length is not None and other.max_length is not None
    return _Shape(
        one.place,
        one.types | other.types,
        nullable=one.nullable or other.nullable,
        values=tuple(dict.fromkeys((*one.values, *other.values))) if listed else None,  # type: ignore[misc]
        format=one.format if one.format == other.format else None,
        max_length=max(one.max_length, other.max_length) if bounded else None,  # type: ignore[type-var]
        decimal=one.decimal if one.decimal == other.decimal else None,
        members={**one.members, **shared},
        required=one.required & other.required,
        items=_either(one.items, other.items) if one.items and other.items else None,
        entries=_either(one.entries, other.entries) if one.entries and other.entries else None,
        write_only=one.write_only or other.write_only,
        description=one.description or other.description,
        options={**other.options, **one.options},
        problem=problem,
    )


def _field(shape: _Shape, *, hidden: bool, omit: bool, required: bool) -> fields.Field:
    """Make the field of a shape, which the object around it always has if ``required``, and hides if ``hidden``."""
    if shape.problem is not None:
        raise shape.problem
    types = shape.types - {"null"}
    inner = shape.items or (None if shape.members else shape.entries)
    hidden = hidden or shape.write_only or (inner is not None and inner.write_only)
    options: dict[str, Any] = {"description": shape.description, **shape.options}
    options["nullable"] = shape.nullable or "null" in shape.types or not required
    if hidden:
        options |= {"returnable": False, "operators": (), "sortable": False}
    make: Callable[..., fields.Field]
    if types == {"object"} and shape.entries is not None and not shape.members:
        make = partial(fields.Map, _entry(shape.entries))
    elif types == {"object"}:
        options.pop("operators", None)
        make = partial(fields.Object, _members(shape, hidden=hidden, omit=omit))
    elif types == {"array"}:
        make = partial(fields.Array, _element(shape, hidden=hidden, omit=omit))
    else:
        make = _scalar(shape, types)
    try:
        return make(**options)
    except errors.SchemaError as error:
        raise derive_wording.refused_at(shape.place, error) from None


def _members(shape: _Shape, *, hidden: bool, omit: bool) -> dict[str, fields.Field]:
    made: dict[str, fields.Field] = {}
    for name, member in shape.members.items():
        try:
            if not (name and is_text(name)):
                raise derive_wording.refused_at(member.place, schema_wording.bad_identifier("field", name))
            made[name] = _field(member, hidden=hidden, omit=omit, required=name in shape.required)
        except errors.SchemaError:
            if not omit:
                raise
    if not made:
        raise derive_wording.underivable("free_form_object", shape.place)
    return made


def _element(shape: _Shape, *, hidden: bool, omit: bool) -> fields.Field:
    if shape.items is None or not shape.items.types:
        raise derive_wording.underivable("untyped_elements", shape.place)
    if shape.items.types - {"null"} == {"array"}:
        raise derive_wording.underivable("nested_array", shape.items.place)
    return _field(shape.items, hidden=hidden, omit=omit, required=True)


def _entry(shape: _Shape) -> fields.Field:
    """Make the field of a map's values. Of values that may be anything, the map has those that are text."""
    if shape.problem is not None:
        raise shape.problem
    if shape.types >= _ANYTHING and shape.values is None:
        return fields.String()
    if shape.types & {"object", "array"}:
        raise derive_wording.underivable("map_of_containers", shape.place, _spelled(shape.types))
    return _field(shape, hidden=False, omit=False, required=True)


def _scalar(shape: _Shape, types: frozenset[str]) -> Callable[..., fields.Field]:
    if not types:
        raise derive_wording.underivable("only_null" if "null" in shape.types else "conflicting_types", shape.place)
    if shape.decimal is not None and shape.values is None and types <= {"string", "integer", "fraction"}:
        return partial(fields.Decimal, *shape.decimal)
    if types == {"string"}:
        if shape.values is not None:
            return partial(fields.Enum, *(value for value in shape.values if isinstance(value, str)))
        # A bound of 0 leaves the empty string only: no bound that a column can have.
        return _FORMATS.get(shape.format) or partial(fields.String, max_length=shape.max_length or None)
    if types == {"boolean"}:
        return fields.Boolean
    if types <= {"integer", "fraction"}:
        return fields.Number if "fraction" in types else fields.Integer
    raise derive_wording.underivable("mixed_types", shape.place, _spelled(shape.types))


def _decimal(node: _Json, place: str) -> tuple[int, int] | None:
    stated = _expect(node, "x-decimal", Mapping, place, None)
    if stated is None:
        return known_digits(node)
    return _expect(stated, "digits", int, f"{place}/x-decimal"), _expect(stated, "places", int, f"{place}/x-decimal")


def _types(node: _Json, place: str, values: tuple[object, ...] | None) -> frozenset[str]:
    """The JSON types that a schema accepts: those it names, or else those that its other keywords speak of."""
    kinds = _ANYTHING if values is None else frozenset(map(_type_of, values))
    named = node.get("type")
    if named is None:
        hinted = {hint for keyword, hint in _HINTS.items() if keyword in node}
        if _expect(node, "format", str, place, None) in _FORMATS:
            hinted.add("string")
        return kinds & hinted if len(hinted) == 1 else kinds
    names = named if isinstance(named, list) else [named]
    if not names or not all(isinstance(name, str) and name in _TYPES for name in names):
        raise derive_wording.underivable("bad_schema_keyword", f"{place}/type", repr(named))
    return kinds.intersection(frozenset().union(*(_TYPES[name] for name in names)))


def _values(node: _Json, place: str) -> tuple[object, ...] | None:
    if "const" in node:
        return (node["const"],)
    listed = _expect(node, "enum", list, place, None)
    return None if listed is None else tuple(listed)


def _type_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "fraction"
        case list():
            return "array"
        case str():
            return "string"
        case _:
            return "object"


def _spelled(types: frozenset[str]) -> str:
    if types == _ANYTHING:
        return "anything"
    return ", ".join(sorted(types - {"fraction"} | ({"number"} if "fraction" in types else set())))


def _pointer(document: _Json, ref: str) -> str:
    """The JSON pointer that ``ref`` means: a fragment, or the name of a definition, or what such a name ends with."""
    if ref == "#" or ref.startswith("#/"):
        return ref[1:]
    pointers: dict[str, str] = {}
    for room in _NAMED:
        target: Any = document
        for step in room.split("/"):
            target = target.get(step) if isinstance(target, Mapping) else None
        if isinstance(target, Mapping):
            for name in filter(_is_text, target):
                pointers.setdefault(name, f"/{room}/{_escaped(name)}")
    if ref in pointers:
        return pointers[ref]
    ending = [name for name in pointers if name.rpartition(".")[2] == ref]
    if len(ending) == 1:
        return pointers[ending[0]]
    if ending:
        raise derive_wording.ambiguous_definition(ref, ending)
    # People write the last name; near the last names, then, is what they meant.
    lasts = {name.rpartition(".")[2]: name for name in reversed(pointers)}
    near = [lasts.get(word, word) for word in nearest(ref, [*pointers, *lasts])]
    raise derive_wording.unknown_definition(ref, list(dict.fromkeys(near)))


def _escaped(name: str) -> str:
    return name.replace("%", "%25").replace("~", "~0").replace("/", "~1")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _expect(node: _Json, keyword: str, kind: type, place: str, default: Any = ...) -> Any:
    value = node.get(keyword, default)
    if value is default and default is not ...:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise derive_wording.underivable("bad_schema_keyword", f"{place}/{keyword}", repr(value))
    return value
