"""What is said by the testing tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence


def nothing_to_make() -> SchemaError:
    return SchemaError("nothing_to_make", "an open schema declares nothing that data or filters could be made for")


def nothing_to_test() -> SchemaError:
    return SchemaError("nothing_to_test", "no field of the schema allows an operator")


def unknown_driver(connection: type, known: Sequence[str]) -> SchemaError:
    return SchemaError(
        "unknown_driver",
        f"a {connection.__module__}.{connection.__qualname__} is no connection of a driver that is known here; "
        f"known are those of {', '.join(known)}",
    )
