"""What is said by the testing tools."""

from __future__ import annotations

from astra_filter.errors import SchemaError


def nothing_to_make() -> SchemaError:
    return SchemaError("nothing_to_make", "an open schema declares nothing that data or filters could be made for")


def nothing_to_test() -> SchemaError:
    return SchemaError("nothing_to_test", "no field of the schema allows an operator")
