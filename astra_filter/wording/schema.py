"""What is said of a schema that contradicts itself (SPEC §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable


def unsortable_type(type_name: str) -> SchemaError:
    return SchemaError(
        "unsortable", f"this {type_name} cannot be sortable: only scalars that are returned can be sorted by"
    )


def path_without_column() -> SchemaError:
    return SchemaError("path_without_column", "json_path needs column: the column that holds the JSON")


def storage_in_json(storage: str) -> SchemaError:
    return SchemaError(
        "storage_in_json", f"storage {storage!r} tells what a column is, but this field is stored inside JSON"
    )


def bad_identifier(what: str, name: object) -> SchemaError:
    return SchemaError("bad_identifier", f"{name!r} cannot be the name of a {what}")


def bad_max_length(length: object) -> SchemaError:
    return SchemaError("bad_max_length", f"max_length is a whole number, at least 1, not {length!r}")


def bad_digits(digits: object, most: int) -> SchemaError:
    return SchemaError("bad_digits", f"digits is a whole number from 1 to {most:,}, not {digits!r:.100}")


def bad_places(places: object, digits: int) -> SchemaError:
    return SchemaError(
        "bad_places", f"places is a whole number from 0 to digits, which is {digits}, not {places!r:.100}"
    )


def not_exact_as_number(digits: int, most: int) -> SchemaError:
    return SchemaError(
        "bad_digits",
        f"as_number takes at most {most} digits, which a JSON reader keeps exact, not {digits}: leave it out",
    )


def bad_enum_values(values: Iterable[object]) -> SchemaError:
    return SchemaError("bad_enum_values", f"an enum takes one or more different strings, not {list(values)!r}")


def unknown_allowed_operator(name: str, type_name: str) -> SchemaError:
    return SchemaError("unknown_operator", f"{name!r} is no operator that a field of type {type_name} can allow")


def operator_not_of_type(names: Iterable[str], type_name: str) -> SchemaError:
    return SchemaError("operator_not_of_type", f"a field of type {type_name} cannot allow {', '.join(names)}")


def array_of_arrays() -> SchemaError:
    return SchemaError("array_of_arrays", "the elements of an array cannot be arrays")


def array_of_maps() -> SchemaError:
    return SchemaError(
        "array_of_maps", "the elements of an array cannot be maps: give them a map as a member, in an Object"
    )


def map_of_containers(type_name: str) -> SchemaError:
    return SchemaError("map_of_containers", f"the values of a map are scalars of one type, not of type {type_name}")


def closed_types(name: str) -> SchemaError:
    return SchemaError(
        "closed_types",
        f"{name} cannot be a field type: those of astra_filter.fields are all there are; declare a field of the type "
        "that the values have in JSON",
    )


def not_a_field(name: str, value: object) -> SchemaError:
    return SchemaError("not_a_field", f"{name!r} must be declared with one of astra_filter.fields, not {value!r}")


def bad_key(name: str) -> SchemaError:
    return SchemaError(
        "bad_key", f"the key {name!r} must be a declared field: a sortable scalar, never null, in a column of its own"
    )


def bad_members(members: object) -> SchemaError:
    return SchemaError("bad_members", f"members are a mapping of names to fields, not {type(members).__name__}")


def no_members() -> SchemaError:
    return SchemaError("no_members", "an object declares at least one member")
