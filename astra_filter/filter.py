"""A compiled filter: one shape of a schema, bound to its values."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

from astra_filter.meaning.shapes import Bound
from astra_filter.syntax.tree import Syntax

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from astra_filter.meaning.conditions import Condition
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.memory.explain import Explanation
    from astra_filter.memory.predicate import Matches, Select
    from astra_filter.sql import SQL, Prepared

R = TypeVar("R")


class Filter:
    """A filter that has passed the check; made by `Schema.compile`. Immutable, and safe to share between threads.

    ``str(f)`` is the canonical text (SPEC §2). Two filters are equal when their schemas are, and their trees and the
    kinds and values of their literals.

    Attributes:
        declaration: what the schema declares that the filter was compiled for.
    """

    def __init__(self, declaration: Declaration, bound: Bound) -> None:
        self.declaration = declaration
        self.template, self._root, self.literals, self.values = bound

    def __copy__(self) -> Self:
        return self  # It never changes.

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        # Generated code stays behind: another process makes its own.
        return (Filter, (self.declaration, Bound(self.template, self._root, self.literals, self.values)))

    def __str__(self) -> str:
        return str(self.syntax)

    def __repr__(self) -> str:
        return f"<Filter {self}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Filter):
            return NotImplemented
        return self.syntax == other.syntax and self.declaration.signature == other.declaration.signature

    def __hash__(self) -> int:
        return hash((self._root, self.literals))

    @property
    def syntax(self) -> Syntax:
        """The syntax tree and its raw literals."""
        return Syntax(self._root, self.literals)

    @property
    def fields(self) -> tuple[str, ...]:
        """The paths that the filter tests, as `Schema` declares them, each once, in order of appearance.

        ``labels[name eq 'env']`` tests ``labels.name``. A test of the value of a key tests the map.
        """
        from astra_filter.meaning.keys import without_keys
        from astra_filter.syntax.printer import tested_paths  # Only when asked for.

        return tested_paths(without_keys(self._root, self.declaration.root))

    @property
    def shape(self) -> str:
        """A stable hash of the filter without its literals and keys of maps, 32 hexadecimal digits: for metrics.

        Filters of one shape have the same SQL text. ``true``, ``false`` and ``null`` belong to the
        shape, and so does that a timestamp equals no value because it is finer than a microsecond.
        """
        from astra_filter.meaning.keys import without_keys
        from astra_filter.syntax.printer import shape_text  # Only when asked for.

        text = shape_text(without_keys(self._root, self.declaration.root), self.literals)
        return _digest("\0".join([str(self.declaration.signature), text, *filter(None, [self.template.variant])]))

    @property
    def fingerprint(self) -> str:
        """A stable hash of the canonical text and the schema, 32 hexadecimal digits, for cache keys and metrics."""
        return _digest(f"{self.declaration.signature}\0{self}")

    @cached_property
    def _functions(self) -> tuple[Matches, Select]:
        from astra_filter.memory.predicate import functions  # A filter that goes to SQL only needs no Python code.

        return functions(self.template.condition, self.values, self.template.memo)

    @cached_property
    def matches(self) -> Matches:
        """``matches(resource)`` says whether the filter selects a mapping or an object with attributes (SPEC §4)."""
        return self._functions[0]

    def select(self, resources: Iterable[R]) -> list[R]:
        """Return the resources that the filter selects, in order."""
        return cast("list[R]", self._functions[1](resources))

    def explain(self, resource: object) -> Explanation:
        """Say why the filter selects a resource or does not: a tree that mirrors it, with what each test found.

        Its root holds exactly where `matches` is true. For one resource that a person looks at: it takes milliseconds.
        """
        from astra_filter.memory.explain import explain  # Only when asked for.

        return explain(self.declaration, self.syntax, resource)

    def sql(self, dialect: str, *, placeholders: str | None = None, alias: str | None = None, first: int = 1) -> SQL:
        """Return the text and parameters of a WHERE condition (SPEC §5).

        Args:
            dialect: a name in `astra_filter.sql.DIALECTS`.
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
        more = (self.template.condition, dialect, placeholders, alias, first, self.declaration.sqlite_fold)
        prepared = self.template.memo.made(key, _prepared, *more)
        return prepared.bind(self.values)


def _prepared(
    condition: Condition, dialect: str, placeholders: str | None, alias: str | None, first: int, sqlite_fold: bool
) -> Prepared:
    # Here, not in `Filter.sql`: a filter that stays in Python needs no SQL, and each call would look the import up.
    from astra_filter.sql import prepare_where

    return prepare_where(condition, dialect, placeholders, alias, first, sqlite_fold=sqlite_fold)


def _digest(text: str) -> str:
    from hashlib import sha256  # Only when asked for.

    return sha256(text.encode()).hexdigest()[:32]
