"""The page of a list request from the rows of its SELECT (SPEC §6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from astra_filter.language.names import path_text
from astra_filter.language.values import at
from astra_filter.request.page import Page, make_page
from astra_filter.sql.items import of_rows
from astra_filter.sql.rows import is_ordered, resource
from astra_filter.wording import request as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from astra_filter.request.request import Request
    from astra_filter.sql.items import Row


def page_of_rows(request: Request, rows: Iterable[Row], total: int | None) -> Page:
    """Return the page that the rows of the request's SELECT make; arguments and errors as in `page_from_rows`."""
    if request.declared == request.include:
        memo = request.declaration.memo
        columns, write = memo.made(("rows", request.include, request.order.text), _writer, request)
    else:  # Keys of maps have no end.
        columns, write = _writer(request)
    keys = request.order.keys

    def sort_values(row: Row) -> tuple[Any, ...]:
        named = row if isinstance(row, Mapping) else dict(zip(columns, row, strict=True))
        stored = resource([key.leaf for key in keys], named)
        values = request.order.values(stored)
        for (leaf, _), value in zip(keys, values, strict=True):
            if value is None and is_ordered(leaf, at(stored, leaf.path)):
                raise wording.unreadable_in_token(path_text(leaf.path))
        return values

    return make_page(request, list(rows), total, write, sort_values)


def _writer(request: Request) -> tuple[tuple[str, ...], Callable[[Row], Any]]:
    """Return the columns of the SELECT, and what makes items of its rows."""
    return request.columns, of_rows(request.declaration, request.include, request.columns)
