"""The page of a list request from resources in memory (SPEC §6)."""

from __future__ import annotations

import sys
from heapq import nsmallest
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from astra_filter.memory.items import of_resources
from astra_filter.request.page import Page, make_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from astra_filter.request.request import Request


def select_page(
    request: Request,
    resources: Iterable[object],
    matches: Callable[[object], bool] | None,
    *,
    presorted: bool,
    whole: bool,
) -> Page:
    """Filter, sort and cut resources; arguments and errors as in `ListQuery.page`.

    Args:
        request: the list request.
        resources: any iterable; it is read once.
        matches: the predicate of the filter; None where every resource matches.
        presorted: the resources come in the order of the request.
        whole: the items are the resources themselves.
    """
    order = request.order
    after = None if request.position is None else order.rank(request.position)
    total = 0

    def following() -> Iterator[tuple[tuple[Any, ...], object]]:
        nonlocal total
        for resource in resources if matches is None else filter(matches, resources):
            total += 1
            rank = order.rank(order.values(resource))
            if after is None or rank > after:
                yield rank, resource

    ranked = following()
    max_rows = None if request.limit is None else request.skip + request.limit + 1
    if presorted:
        first = list(islice(ranked, None if max_rows is None else min(max_rows, sys.maxsize)))
    elif max_rows is None:
        first = sorted(ranked, key=itemgetter(0))
    else:
        first = nsmallest(max_rows, ranked, key=itemgetter(0))
    if request.with_count:
        for _ in ranked:
            pass
    write = _itself if whole else of_resources(request.declaration, request.include)
    return make_page(request, [resource for _, resource in first[request.skip :]], total, write, request.order.values)


def _itself(resource: object) -> object:
    return resource
