"""What is said by the testing tools."""

from __future__ import annotations

from astra_filter.errors import SchemaError


def nothing_to_make() -> SchemaError:
    return SchemaError("nothing_to_make", "an open schema declares nothing that data or filters could be made for")


def nothing_to_test() -> SchemaError:
    return SchemaError("nothing_to_test", "no field of the schema allows an operator")


def keyless() -> SchemaError:
    return SchemaError("keyless", "pages can be walked only where the schema has a key")


def unmade_column(model: str, name: str, kind: str) -> SchemaError:
    message = f"no value can be made for {model}.{name}, of the type {kind}: give make=, which returns an instance"
    return SchemaError("unmade_column", message)


def unknown_model(model: object) -> SchemaError:
    message = f"a class mapped by SQLAlchemy or a model of Django is expected, not {model!r:.100}"
    return SchemaError("unknown_model", message)
