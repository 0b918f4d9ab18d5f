"""A whole list request (SPEC §6), ready to be answered in memory or by SQL."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from astra_filter.filter import Filter
from astra_filter.request.page import Page
from astra_filter.request.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from astra_filter.meaning.declaration import Declaration
    from astra_filter.meaning.leaves import Leaf
    from astra_filter.request.order import Order
    from astra_filter.request.request import Request
    from astra_filter.sql import SQL
    from astra_filter.sql.items import Row

__all__ = ["ListQuery", "Page", "Parameters"]


class ListQuery:
    """A checked list request; made by `Schema.query`. Immutable, and safe to share between threads.

    Two are equal when they ask the same of equal schemas: filter, ``include``, order, limit, skip, count, position and
    scope. The secret of their tokens does not count.

    Args:
        request: the checked request.
    """

    def __init__(self, request: Request) -> None:
        self.request = request

    @property
    def declaration(self) -> Declaration:
        """What the schema declares that the request was checked against."""
        return self.request.declaration

    @cached_property
    def filter(self) -> Filter | None:
        """The filter, the *and* of all ``filter`` parameters; None where every resource matches."""
        request = self.request
        return None if request.filter is None else Filter(request.declaration, request.filter)

    @property
    def include(self) -> tuple[tuple[str, ...], ...] | None:
        """The paths asked for, in order; None for whole objects."""
        return self.request.include

    @property
    def order(self) -> Order:
        """The order, which ends with the schema's key."""
        return self.request.order

    @property
    def limit(self) -> int | None:
        """The most resources on the page; None for all."""
        return self.request.limit

    @property
    def skip(self) -> int:
        """How many of the matching resources to pass over."""
        return self.request.skip

    @property
    def count(self) -> bool:
        """Whether the number of all matches is asked for."""
        return self.request.with_count

    @property
    def position(self) -> tuple[Any, ...] | None:
        """The sort values of the resource that the page follows; None for the first page."""
        return self.request.position

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The leaves that the page is made from: what is returned, and the sort keys for the next token."""
        return self.request.leaves

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `sql` selects, in order."""
        return self.request.columns

    @property
    def fingerprint(self) -> str:
        """A stable hash of all that equality goes by, 32 hexadecimal digits, for cache keys."""
        from hashlib import sha256  # Only when asked for.

        return sha256(repr((self.declaration.signature, *self._identity)).encode()).hexdigest()[:32]

    @property
    def _identity(self) -> tuple[object, ...]:
        request = self.request
        scope = "" if request.tokens is None else request.tokens.scope
        text = None if self.filter is None else str(self.filter)
        asked = (request.include, request.order.text, request.limit, request.skip, request.with_count, request.position)
        return (text, *asked, scope)

    def __copy__(self) -> Self:
        return self  # It never changes.

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        # The secret of its tokens travels with it, so that other processes can make them.
        return (ListQuery, (self.request,))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ListQuery):
            return NotImplemented
        same = self.declaration is other.declaration or self.declaration.signature == other.declaration.signature
        return same and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        from astra_filter.language.names import path_text  # For people only.

        request = self.request
        shown = {
            "filter": self.filter,
            "include": None if request.include is None else ",".join(map(path_text, request.include)),
            "orderBy": request.order.text or None,
            "limit": request.limit,
            "skip": request.skip or None,
            "count": "true" if request.with_count else None,
            "after": request.position,
        }
        return f"<ListQuery {' '.join(f'{name}={value}' for name, value in shown.items() if value is not None)}>"

    def page(self, resources: Iterable[object], *, presorted: bool = False, whole: bool = False) -> Page:
        """Answer the request from resources in memory.

        Reads ``resources`` once and holds no more of them than the page and what it skips.

        Args:
            resources: mappings or objects, any iterable.
            presorted: they come in the order of this query; reading stops when the page is full and one more is known,
                unless all are to be counted.
            whole: the items are the resources themselves, whatever ``include`` and the schema say is returned: for
                those who may see all of them.

        Raises:
            StorageError: the next token would be too long.
        """
        from astra_filter.memory.paging import select_page  # Not paid by those who make SQL only.

        matches = None if self.filter is None else self.filter.matches
        return select_page(self.request, resources, matches, presorted=presorted, whole=whole)

    def sql(
        self,
        table: str | tuple[str, ...],
        dialect: str,
        *,
        where: SQL | None = None,
        alias: str | None = None,
        placeholders: str | None = None,
        first: int = 1,
    ) -> SQL:
        """Return the SELECT of this page. It selects `columns`, and one row more than the limit when more follow.

        Args:
            table: the table's name, which is quoted; a tuple for a qualified one: ``("app", "tasks")``.
            dialect: a name in `astra_filter.sql.DIALECTS`.
            where: a condition of the server's own, such as the tenant, with its parameters in the style of
                ``placeholders``; joined outside everything that the caller wrote. Under ``$1`` its own placeholders
                are numbered from ``first`` on.
            alias: the table's alias, for ``where`` to refer to.
            placeholders: the placeholder style (SPEC §5); default the dialect's.
            first: the number of the first numbered placeholder, at least 1.

        Raises:
            SchemaError: unknown dialect or placeholder style; ``first`` below 1; ``where`` is no `SQL`; an open schema.
            StorageError: the dialect cannot express the filter.
        """
        from astra_filter.sql.select import select  # Not paid by those who filter in memory.

        return select(self.request, table, dialect, where=where, alias=alias, placeholders=placeholders, first=first)

    def count_sql(
        self,
        table: str | tuple[str, ...],
        dialect: str,
        *,
        where: SQL | None = None,
        alias: str | None = None,
        placeholders: str | None = None,
        first: int = 1,
    ) -> SQL:
        """Return the SELECT of the number of all matches, whatever the page; arguments as in `sql`."""
        from astra_filter.sql.select import select_count  # Not paid by those who filter in memory.

        return select_count(
            self.request, table, dialect, where=where, alias=alias, placeholders=placeholders, first=first
        )

    def page_from_rows(self, rows: Iterable[Row], *, total: int | None = None) -> Page:
        """Answer the request from the rows of `sql`.

        Args:
            rows: all rows, as tuples in the order of `columns` or as mappings by column; JSON parsed or as text.
            total: what `count_sql` gave, where ``count`` is asked for.

        Raises:
            StorageError: a row lacks a column; or there is no next token, because it would be too long, or because the
                last row has a sort value that the database would not find again: of another type than its field's, or
                text of another spelling than the canonical one; or the page does not advance.
        """
        from astra_filter.sql.paging import page_of_rows  # Not paid by those who filter in memory.

        return page_of_rows(self.request, rows, total)

    def page_from_resources(self, resources: Iterable[object], *, total: int | None = None) -> Page:
        """Answer the request from the resources of a statement that an adapter made.

        Args:
            resources: all that the statement gave, in order: mappings or objects.
            total: the number of all matches, where ``count`` is asked for.

        Raises:
            StorageError: there is no next token, as in `page_from_rows`; or the page does not advance.
        """
        from astra_filter.sql.paging import page_of_instances  # As above.

        return page_of_instances(self.request, list(resources), total)
