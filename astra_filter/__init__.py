"""Filters from strangers, for API servers: one written meaning, as a Python predicate and as parameterised SQL.

Declare a `Schema` of `fields`; `Schema.compile` turns a filter into a `Filter`, which selects resources in memory and
writes WHERE conditions; `Schema.query` does the same for a whole list request.
"""

from __future__ import annotations

from astra_filter import fields
from astra_filter.errors import AstraFilterError, FilterError, Problem, QueryError, SchemaError, StorageError
from astra_filter.filter import Filter
from astra_filter.limits import Limits
from astra_filter.nodes import Syntax
from astra_filter.parser import parse
from astra_filter.schema import Schema
from astra_filter.span import Span

__version__ = "0.1.0"

__all__ = [
    "AstraFilterError",
    "Filter",
    "FilterError",
    "Limits",
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

_OPEN = Schema.open()


def compile(text: str) -> Filter:  # noqa: A001  # The name that `re` gives the same thing.
    """Compile a filter against an open schema, which takes any field (see `Schema.open`).

    Raises:
        FilterError: the text is no filter.
    """
    return _OPEN.compile(text)
