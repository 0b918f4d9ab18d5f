"""What is said of a description from which no schema can be derived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.errors import SchemaError
from astra_filter.language.span import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_UNDERIVABLE = {
    "ambiguous_column": "other columns have its name, and that of its column; exclude it",
    "bad_model": "{}",
    "bad_reference": "{} is not found in the document",
    "bad_schema_keyword": "{} is not what JSON Schema allows there",
    "conflicting_types": "its parts leave no type that all of them accept",
    "foreign_reference": "{} does not point into this document",
    "free_form_object": "an object without declared members has nothing to filter by",
    "listed_containers": "its listed values are objects or arrays",
    "map_keys": "the keys of a map are text, and these are {}",
    "map_of_containers": "the values of a map are scalars of one type, and these may be {}",
    "mixed_types": "values of different types ({}) have no common field type",
    "nested_array": "the elements of an array cannot be arrays",
    "no_resource": "a resource is an object with declared members, and this is {}",
    "not_a_model": "a resource is described by a subclass of pydantic.BaseModel",
    "not_a_record": "a resource is described by a dataclass or a TypedDict",
    "nothing_to_infer": "no resource has a member with a value that tells its type",
    "only_null": "it can hold nothing but null",
    "recursive": "{} contains itself, and a schema ends somewhere",
    "timestamp_elements": "PostgreSQL's arrays of timestamps cannot be filtered by; exclude it, or give "
    "Array(Timestamp(operators=[])) for it in fields",
    "too_deep": "it is nested too deeply",
    "too_large": "the schema has too many members",
    "unknown_column": "there is no such column or relationship",
    "unknown_name": "{} is not defined where the class is",
    "unknown_type": "{} has no field type; annotate it with one of astra_filter.fields",
    "unloadable_relationship": "a dynamic or write-only relationship holds no rows to show",
    "unreadable_annotation": "its annotations cannot be read: {}",
    "untyped_elements": "an array needs one type of elements",
}


def underivable(code: str, place: str, detail: object = "") -> SchemaError:
    """Say that what stands at ``place`` (a JSON pointer, a class and its member) makes no field."""
    shown = visible(place, 200)
    return SchemaError(code, f"{shown}: {_UNDERIVABLE[code].format(visible(str(detail)))}")


def _names(names: Sequence[str]) -> str:
    return ", ".join(visible(name, 100) for name in names)


def unknown_definition(name: str, near: Sequence[str]) -> SchemaError:
    meant = f"; did you mean {_names(near)}?" if near else ""
    return SchemaError("bad_reference", f"#: {visible(repr(name))} is not found in the document{meant}")


def ambiguous_definition(name: str, names: Sequence[str]) -> SchemaError:
    return SchemaError(
        "ambiguous_reference", f"#: more than one definition ends with {visible(repr(name))}: {_names(names[:5])}"
    )


def refused_at(place: str, error: SchemaError) -> SchemaError:
    """Add the place to the refusal of a field type."""
    return SchemaError(error.code, f"{visible(place, 200)}: {error}")


def no_table(table: object) -> SchemaError:
    return SchemaError("no_table", f"the database has no table or view {table!r:.200}")


def unsupported_columns(table: object, reasons: Mapping[str, str]) -> SchemaError:
    """Say which columns of a table no storage can hold, all in one error."""
    lines = [f"  {visible(name, 100)}: {visible(reason, 300)}" for name, reason in reasons.items()]
    what = f"no storage holds these columns of table {table!r:.200}; omit_unsupported=True leaves them out:"
    return SchemaError("unsupported_columns", "\n".join([what, *lines]))


def no_columns(table: object) -> SchemaError:
    return SchemaError("nothing_to_infer", f"no column of table {table!r:.200} makes a field")


def unknown_driver(connection: type, known: Sequence[str]) -> SchemaError:
    return SchemaError(
        "unknown_driver",
        f"a {connection.__module__}.{connection.__qualname__} is no connection of a driver that is known here; "
        f"known are those of {', '.join(known)}",
    )


def open_has_no_source() -> SchemaError:
    return SchemaError("open_schema", "an open schema declares nothing that could be written")
