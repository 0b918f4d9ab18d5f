"""The problem documents of SPEC §1: what an API answers with status 400, 401, 403 and 404.

Each function returns a new dictionary, ready for JSON and for the media type ``application/problem+json`` (RFC 9457;
as in the API of SPEC §1, ``status`` is a string). Common arguments:

- ``base_url``: what the numbered types start with, without the final slash;
- ``detail``: a sentence for people, instead of the usual one;
- ``correlation_id``: names the request in the server's log, and becomes the member ``correlationID``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BASE_URL = "https://astra.netapp.io/problems"


def invalid_parameters(
    invalid: Iterable[Mapping[str, Any]],
    *,
    base_url: str = BASE_URL,
    detail: str = "The supplied query parameters are invalid.",
    correlation_id: str | None = None,
) -> dict[str, Any]:
    """Return the 400 document.

    Args:
        invalid: an entry for each thing that is wrong: ``name`` of the parameter, ``reason``, and what else helps.
        base_url: what the type starts with.
        detail: a sentence for people.
        correlation_id: names the request in the server's log.
    """
    document = _document("400", 5, "Invalid query parameters", detail, base_url, correlation_id)
    document["invalidParams"] = [dict(entry) for entry in invalid]
    return document


def missing_token(
    *,
    base_url: str = BASE_URL,
    detail: str = "The request is missing the required bearer token.",
    correlation_id: str | None = None,
) -> dict[str, Any]:
    """Return the 401 document."""
    return _document("401", 3, "Missing bearer token", detail, base_url, correlation_id)


def not_permitted(
    *,
    base_url: str = BASE_URL,
    detail: str = "The requested operation isn't permitted.",
    correlation_id: str | None = None,
) -> dict[str, Any]:
    """Return the 403 document."""
    return _document("403", 11, "Operation not permitted", detail, base_url, correlation_id)


def collection_not_found(
    *,
    base_url: str = BASE_URL,
    detail: str = "The collection specified in the request URI wasn't found.",
    correlation_id: str | None = None,
) -> dict[str, Any]:
    """Return the 404 document."""
    return _document("404", 2, "Collection not found", detail, base_url, correlation_id)


def _document(
    status: str, number: int, title: str, detail: str, base_url: str, correlation_id: str | None
) -> dict[str, Any]:
    document = {"type": f"{base_url}/{number}", "title": title, "detail": detail, "status": status}
    if correlation_id is not None:
        document["correlationID"] = correlation_id
    return document
