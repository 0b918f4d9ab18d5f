"""What is said of an endpoint's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from astra_filter.language.span import visible

if TYPE_CHECKING:
    from collections.abc import Mapping


def token_repeated() -> str:
    return "the endpoint hands out a continue token that it has handed out before: its pages never end"


def endpoint_failed(status: int, document: Mapping[str, Any] | None) -> str:
    if document is None:
        return f"the endpoint answers with status {status}, and with no JSON object"
    said = [str(document[name]) for name in ("title", "detail") if document.get(name)]
    return f"the endpoint answers with status {status}" + (f": {visible(' '.join(said), 300)}" if said else "")
