"""A compiled filter: one shape of a schema, bound to its values."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from astra_filter.limits import keep
from astra_filter.syntax.nodes import Syntax

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement

    from astra_filter.meaning.shapes import Bound
    from astra_filter.memory.predicate import Matches, Predicate, Select
    from astra_filter.schema import Schema
    from astra_filter.sql import SQL, Prepared

R = TypeVar("R")


class Filter:
    """A filter that has passed the check; made by `Schema.compile`. Immutable, and safe to share between threads.

    ``str(f)`` is the canonical text (SPEC §2). Two filters are equal when their schemas are, and their trees and the
    kinds and values of their literals.
    """

    def __init__(self, schema: Schema, bound: Bound) -> None:
        self.schema = schema
        self.template, self.literals, self.values = bound

    def __str__(self) -> str:
        from astra_filter.syntax.printer import canonical  # Only when asked for: the request's way does not need it.

        return canonical(self.syntax)

    def __repr__(self) -> str:
        return f"<Filter {self}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Filter):
            return NotImplemented
        return self.syntax == other.syntax and self.schema.signature == other.schema.signature

    def __hash__(self) -> int:
        return hash((self.template.root, self.literals))

    @property
    def syntax(self) -> Syntax:
        """The syntax tree and its raw literals."""
        return Syntax(self.template.root, self.literals)

    @property
    def fingerprint(self) -> str:
        """A stable hash of the canonical text and the schema, 32 hexadecimal digits, for cache keys and metrics."""
        from hashlib import sha256  # Only when asked for.

        return sha256(f"{self.schema.signature}\0{self}".encode()).hexdigest()[:32]

    @cached_property
    def _functions(self) -> tuple[Matches, Select]:
        predicate = self.template.prepared.get("predicate")
        if predicate is None:
            from astra_filter.memory.predicate import generate  # A filter that goes to SQL only needs no Python code.

            predicate = self.template.prepared["predicate"] = generate(self.template.condition)
        return cast("Predicate", predicate).bind(self.values)

    @cached_property
    def matches(self) -> Matches:
        """``matches(resource)`` says whether the filter selects a mapping or an object with attributes (SPEC §4)."""
        return self._functions[0]

    def select(self, resources: Iterable[R]) -> list[R]:
        """Return the resources that the filter selects, in order."""
        return cast("list[R]", self._functions[1](resources))

    def sql(self, dialect: str, *, placeholders: str | None = None, alias: str | None = None, first: int = 1) -> SQL:
        """Return the text and parameters of a WHERE condition (SPEC §5).

        Args:
            dialect: ``sqlite``, ``postgresql``, ``mysql`` or ``duckdb``.
            placeholders: one of the dialect's styles, ``?``, ``%s``, ``$1`` or ``:p1``; default the dialect's own.
            alias: qualifies every column: the name or alias of the table in the statement.
            first: the number of the first ``$n`` or ``:pn``.

        Returns:
            The text, which depends on the filter's shape alone, and the parameters: a tuple, for ``:p1`` a dict.

        Raises:
            SchemaError: unknown dialect or placeholder style; ``first`` below 1; an open schema.
            StorageError: the dialect cannot express the condition.
        """
        key = (dialect, placeholders, alias, first)
        prepared = self.template.prepared.get(key)
        if prepared is None:
            from astra_filter.sql import prepare_where  # A filter that stays in Python needs no SQL.

            made = prepare_where(self.template.condition, dialect, placeholders, alias, first)
            prepared = keep(self.template.prepared, key, made)
        return cast("Prepared", prepared).bind(self.values)

    def sqlalchemy(self, target: Any) -> ColumnElement[bool]:
        """Return the condition for a SQLAlchemy statement (see `astra_filter.adapters.sqlalchemy.where`)."""
        from astra_filter.adapters.sqlalchemy import where  # Needs the extra of that name.

        return where(self, target)
