"""Filter expressions from untrusted clients: one written meaning, as a Python predicate and as parameterised SQL.

Declare a `Schema` of `fields`; `Schema.compile` turns a filter into a `Filter`, which selects resources in memory and
writes WHERE conditions; `Schema.query` does the same for a whole list request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from astra_filter import fields
    from astra_filter.errors import (
        AstraFilterError,
        FilterError,
        MissingExtraError,
        Problem,
        QueryError,
        RequestError,
        SchemaError,
        StorageError,
    )
    from astra_filter.filter import Filter
    from astra_filter.language.span import Span
    from astra_filter.limits import Limits
    from astra_filter.query import ListQuery, Page
    from astra_filter.schema import Schema, compile  # noqa: A004  # The name that `re` gives the same thing.
    from astra_filter.sql import SQL
    from astra_filter.syntax.parser import parse
    from astra_filter.syntax.tree import Syntax

__version__ = "0.1.0"

__all__ = [
    "SQL",
    "AstraFilterError",
    "Filter",
    "FilterError",
    "Limits",
    "ListQuery",
    "MissingExtraError",
    "Page",
    "Problem",
    "QueryError",
    "RequestError",
    "Schema",
    "SchemaError",
    "Span",
    "StorageError",
    "Syntax",
    "compile",
    "fields",
    "parse",
]

# Imported when first asked for: a start pays for what it needs.
_HOMES = {
    "errors": (
        *("AstraFilterError", "FilterError", "MissingExtraError", "Problem"),
        *("QueryError", "RequestError", "SchemaError", "StorageError"),
    ),
    "filter": ("Filter",),
    "limits": ("Limits",),
    "syntax.tree": ("Syntax",),
    "syntax.parser": ("parse",),
    "query": ("ListQuery",),
    "request.page": ("Page",),
    "schema": ("Schema", "compile"),
    "language.span": ("Span",),
    "sql": ("SQL",),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "fields":
        return import_module("astra_filter.fields")
    for home, names in _HOMES.items():
        if name in names:
            found = globals()[name] = getattr(import_module(f"astra_filter.{home}"), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
