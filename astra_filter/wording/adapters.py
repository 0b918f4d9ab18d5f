"""What is said of wrong arguments to the adapters of web frameworks and ORMs."""

from __future__ import annotations

from astra_filter.errors import SchemaError


def not_a_query(value: object) -> SchemaError:
    message = (
        f"a filter or a list request is expected (what schema.compile or schema.query returns), not {_shown(value)}"
    )
    return SchemaError("bad_query", message)


def not_a_filter(value: object) -> SchemaError:
    return SchemaError("bad_query", f"a filter is expected (what schema.compile returns), not {_shown(value)}")


def bad_target(value: object, expected: str) -> SchemaError:
    return SchemaError("bad_target", f"{expected} is expected, not {_shown(value)}")


def column_not_found(column: str, target: object) -> SchemaError:
    name = getattr(target, "__name__", None) or getattr(target, "name", None) or target
    return SchemaError("column_not_found", f"{name} has no column or attribute {column!r}, which the schema declares")


def _shown(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"{value!r:.100}"
