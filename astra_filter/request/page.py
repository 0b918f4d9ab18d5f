"""A page of a collection, as it is returned (SPEC §1, §6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from astra_filter.request.request import Request

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a collection, as it is returned."""

    items: list[Any]
    """Dictionaries, or with ``include`` lists, of what JSON can hold."""
    more: bool
    """Whether more resources follow."""
    next_token: str | None
    """What ``continue`` takes for the next page; None when nothing follows, or the schema has no key."""
    total: int | None
    """The number of all matches, whatever the page; None when it was not asked for, or not given."""

    def body(
        self,
        *,
        type: str | None = None,  # noqa: A002  # As in the document.
        version: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the response document of SPEC §1.

        Args:
            type: the media type of the collection; left out where None.
            version: its version; left out where None.
            metadata: what else ``metadata`` holds beside ``continue`` and ``count``.
        """
        more = dict(metadata or {})
        if self.next_token is not None:
            more["continue"] = self.next_token
        if self.total is not None:
            more["count"] = self.total
        head = {name: value for name, value in (("type", type), ("version", version)) if value is not None}
        return {**head, "items": self.items, "metadata": more}


def make_page(
    request: Request,
    matching: Sequence[T],
    total: int | None,
    write: Callable[[T], Any],
    sort_values: Callable[[T], tuple[Any, ...]],
) -> Page:
    """Make a page of the resources that match, from the page's first on.

    Args:
        request: the list request.
        matching: resources or rows, in order. One more than the limit means that more follow.
        total: the number of all matches.
        write: makes an item of a resource or row.
        sort_values: returns the canonical values that the order goes by, for the token.
    """
    more = request.limit is not None and len(matching) > request.limit
    if more:
        matching = matching[: request.limit]
    items = [write(each) for each in matching]
    token = request.tokens.write(sort_values(matching[-1])) if more and request.tokens is not None else None
    return Page(items, more, token, total if request.with_count else None)
