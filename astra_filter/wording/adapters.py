"""What is said of wrong arguments to the adapters of web frameworks and ORMs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.errors import SchemaError
from astra_filter.language.span import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def not_a_query(value: object) -> SchemaError:
    message = (
        f"a filter or a list request is expected (what schema.compile or schema.query returns), not {_shown(value)}"
    )
    return SchemaError("bad_query", message)


def not_a_filter(value: object) -> SchemaError:
    return SchemaError("bad_query", f"a filter is expected (what schema.compile returns), not {_shown(value)}")


def bad_target(value: object, expected: str) -> SchemaError:
    return SchemaError("bad_target", f"{expected} is expected, not {_shown(value)}")


def bad_converter(field: object) -> SchemaError:
    message = f"converted takes a scalar field, to_database and to_resource, two functions; the field is {field!r:.100}"
    return SchemaError("bad_converter", message)


def unknown_column_type(path: str, type_name: str, *, json: bool) -> SchemaError:
    field = "fields.Object({…})" if json else "converted(fields.…, to_database=…, to_resource=…)"
    return _refused("unknown_column_type", path, f"no field represents the type {type_name}", field)


def unguessed_type(path: str, type_name: str) -> SchemaError:
    """Say that a type changes values on their way between Python and the database."""
    return _refused(
        "unguessed_type",
        path,
        f"the type {type_name} changes values on their way to the database or from it, which is not guessed",
        "converted(fields.…, to_database=…, to_resource=…)",
    )


def enum_members(path: str, type_name: str, labels: Iterable[str]) -> SchemaError:
    """Say that an enum has members that are no text."""
    field = f"fields.Enum({', '.join(map(repr, labels))})"
    return _refused("enum_members", path, f"the values of {type_name} are no strings; their names are stored", field)


def misfit(path: str, field: object, type_name: str) -> SchemaError:
    """Say that a field that was given for a column cannot compare what the column holds."""
    name = type(field).__name__
    return _refused(
        "misfit",
        path,
        f"the field {name} does not compare values of the type {type_name}",
        f"converted(fields.{name}(…), to_database=…, to_resource=…)",
    )


def _refused(code: str, path: str, reason: str, field: str) -> SchemaError:
    shown = visible(path, 200)
    return SchemaError(code, f"{shown}: {reason}; write fields={{{path!r}: {field}}}, or exclude=[{path!r}]")


def several(errors: Sequence[SchemaError]) -> SchemaError:
    """Say all that keeps a model from being described, one line each."""
    return errors[0] if len(errors) == 1 else SchemaError("bad_columns", "\n".join(map(str, errors)))


def limited_collection(name: str) -> SchemaError:
    message = f"contains_eager() of the collection {name} and a limit cannot be combined: the limit would cut its rows"
    return SchemaError("limited_collection", message)


def column_not_found(column: str, target: object) -> SchemaError:
    name = getattr(target, "__name__", None) or getattr(target, "name", None) or target
    return SchemaError("column_not_found", f"{name} has no column or attribute {column!r}, which the schema declares")


def _shown(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    # A queryset's repr asks the database.
    plain = value is None or type(value) in (str, bytes, bool, int, float, list, tuple, dict)
    return f"{value!r:.100}" if plain else f"an object of the class {type(value).__name__}"
