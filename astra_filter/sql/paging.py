"""The page of a list request from what the database gave: rows, or the instances of an ORM (SPEC §6).

A ``continue`` token holds the sort values of a page's last row, and the next page begins where the database finds those
values. So a token is made only of values that the database finds again, and only where the page has advanced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from astra_filter.language.names import path_text
from astra_filter.language.values import at
from astra_filter.memory.items import of_resources
from astra_filter.request.page import Page, make_page
from astra_filter.sql.forms import stored_text
from astra_filter.sql.items import of_rows
from astra_filter.sql.rows import is_ordered, resource
from astra_filter.wording import request as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from astra_filter.meaning.leaves import Leaf
    from astra_filter.request.request import Request
    from astra_filter.sql.items import Row

_SPELLED = frozenset({"timestamp", "date", "uuid"})
"""The field types whose values have several spellings, one of which SQL compares where they are stored as text."""


def page_of_rows(request: Request, rows: Iterable[Row], total: int | None) -> Page:
    """Return the page that the rows of the request's SELECT make; arguments and errors as in `page_from_rows`."""
    if request.declared == request.include:
        memo = request.declaration.memo
        columns, write = memo.made(("rows", request.include, request.order.text), _writer, request)
    else:  # Keys of maps have no end.
        columns, write = _writer(request)
    leaves = [key.leaf for key in request.order.keys]

    def stored(row: Row) -> dict[str, Any]:
        return resource(leaves, row if isinstance(row, Mapping) else dict(zip(columns, row, strict=True)))

    return _page(request, list(rows), total, write, stored)


def page_of_instances(request: Request, resources: Sequence[object], total: int | None) -> Page:
    """Return the page of the resources that an ORM's instances hold, in the order of the statement.

    Args:
        request: the list request.
        resources: the instances' values where a resource has them, as the ORM gave them; mappings or objects.
        total: the number of all matches.

    Raises:
        StorageError: there is no next token, as in `page_from_rows`; or the page does not advance.
    """
    write = of_resources(request.declaration, request.include)
    return _page(request, resources, total, write, lambda resource: resource)


def _page(
    request: Request,
    rows: Sequence[Any],
    total: int | None,
    write: Callable[[Any], Any],
    stored: Callable[[Any], object],
) -> Page:
    """Return a page of rows, of which ``stored`` returns the sort values where a resource has them, as they came."""
    order = request.order
    after = None if request.position is None else order.rank(request.position)
    names = [path_text(key.leaf.path) for key in order.keys]

    def sort_values(row: Any) -> tuple[Any, ...]:
        found = stored(row)
        values = order.values(found)
        for (leaf, _), value in zip(order.keys, values, strict=True):
            _check_found_again(leaf, at(found, leaf.path), value)
        if after is not None and not order.rank(values) > after:
            raise wording.page_stands_still(names)
        return values

    if rows and after is not None:
        first = stored(rows[0])
        values = order.values(first)
        held = [is_ordered(key.leaf, at(first, key.leaf.path)) for key in order.keys]
        # What no field can read is a null to the page alone: it has no place in this order.
        unread = any(value is None and is_held for value, is_held in zip(values, held, strict=True))
        if not unread and not order.rank(values) > after:
            sort_values(rows[0])
    return make_page(request, rows, total, write, sort_values)


def _check_found_again(leaf: Leaf, stored: object, value: Any) -> None:
    """Make sure that the database finds a sort value where it stands; ``value`` is what the field reads in it.

    Raises:
        StorageError: it has not the field's type, or as text not the one spelling that SQL compares with.
    """
    if not is_ordered(leaf, stored):
        return
    if value is None:
        raise wording.unreadable_in_token(path_text(leaf.path))
    text = leaf.field.type in _SPELLED and isinstance(stored, str)
    if text and stored_text(leaf.field, value) != stored:
        raise wording.unordered_in_token(path_text(leaf.path), str(stored))


def _writer(request: Request) -> tuple[tuple[str, ...], Callable[[Row], Any]]:
    """Return the columns of the SELECT, and what makes items of its rows."""
    return request.columns, of_rows(request.declaration, request.include, request.columns)
