"""Filters from strangers, for API servers: one written meaning, as a Python predicate and as parameterised SQL.

Declare a `Schema` of `fields`; `Schema.compile` turns a filter into a `Filter`, which selects resources in memory and
writes WHERE conditions; `Schema.query` does the same for a whole list request.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from astra_filter import fields
from astra_filter.errors import AstraFilterError, FilterError, Problem, QueryError, SchemaError, StorageError
from astra_filter.filter import Filter
from astra_filter.limits import Limits
from astra_filter.nodes import Syntax
from astra_filter.schema import Schema
from astra_filter.span import Span

if TYPE_CHECKING:
    from astra_filter.parser import parse
    from astra_filter.query import ListQuery, Page
    from astra_filter.sql import SQL

__version__ = "0.1.0"

__all__ = [
    "SQL",
    "AstraFilterError",
    "Filter",
    "FilterError",
    "Limits",
    "ListQuery",
    "Page",
    "Problem",
    "QueryError",
    "Schema",
    "SchemaError",
    "Span",
    "StorageError",
    "Syntax",
    "compile",
    "fields",
    "parse",
]

# Imported when first asked for: a start does not pay for SQL, paging or Lark before it needs them.
_LATER = {
    "SQL": "astra_filter.sql",
    "ListQuery": "astra_filter.query",
    "Page": "astra_filter.query",
    "parse": "astra_filter.parser",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name]), name)


def compile(text: str) -> Filter:  # noqa: A001  # The name that `re` gives the same thing.
    """Compile a filter against an open schema, which takes any field (see `Schema.open`).

    Raises:
        FilterError: the text is no filter.
    """
    return _open().compile(text)


@cache
def _open() -> Schema:
    return Schema.open()
