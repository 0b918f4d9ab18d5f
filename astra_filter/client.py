"""List requests from the client's side: make the query string, walk all pages, and get problems as errors.

    request = ListRequest(filter=field("state").eq("running"), include=["id", "name"], order_by="name desc")
    with httpx.Client(headers={"Authorization": "Bearer …"}) as client:
        for item in items(client, "https://example.com/tasks", request):
            print(item)

``client`` is what has httpx's or requests' ``get(url, params=…)``: an `httpx.Client`, a `requests.Session`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

from astra_filter.errors import AstraFilterError, Problem, QueryError
from astra_filter.language.span import Span
from astra_filter.wording import client as wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from astra_filter.builder import Condition


class Response(Protocol):
    """What a client's ``get`` returns."""

    @property
    def status_code(self) -> int:
        """The status."""

    def json(self) -> Any:
        """Return the body, parsed; raises a ValueError where it is no JSON."""


class Client(Protocol):
    """What sends requests: an `httpx.Client`, a `requests.Session`."""

    def get(self, url: str, *, params: list[tuple[str, str]]) -> Response:
        """Send a GET request."""


class EndpointError(AstraFilterError):
    """An endpoint answers with something else than a page or a 400 document.

    Attributes:
        status: the status of the answer.
        document: its body, where that is a JSON object, such as a problem document.
    """

    def __init__(self, code: str, message: str, status: int, document: dict[str, Any] | None) -> None:
        super().__init__(code, message)
        self.status = status
        self.document = document


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A list request (SPEC §6).

    Attributes:
        filter: texts or built conditions, whose *and* is meant; or one of them.
        include: the paths to return, as the language writes them: ``metadata.labels``.
        order_by: the sort keys: ``name desc``; or one text of them.
        limit: the most resources on a page.
        skip: how many to pass over.
        count: whether to ask for the number of all matches.
        token: where the last page ended.
    """

    filter: str | Condition | Sequence[str | Condition] | None = None
    include: Sequence[str] = ()
    order_by: str | Sequence[str] = ()
    limit: int | None = None
    skip: int | None = None
    count: bool = False
    token: str | None = None

    def parameters(self) -> list[tuple[str, str]]:
        """Return the query parameters, decoded, as pairs."""
        filters = self.filter if isinstance(self.filter, (list, tuple)) else [self.filter]
        pairs = [("filter", str(each)) for each in filters if each is not None]
        order = self.order_by if isinstance(self.order_by, str) else ",".join(self.order_by)
        single = {
            "include": ",".join(self.include),
            "orderBy": order,
            "limit": "" if self.limit is None else str(self.limit),
            "skip": "" if self.skip is None else str(self.skip),
            "count": "true" if self.count else "",
            "continue": self.token or "",
        }
        return pairs + [(name, value) for name, value in single.items() if value]

    def query_string(self) -> str:
        """Return the query string, percent-encoded; a blank is ``%20``, which every server reads as one."""
        return urlencode(self.parameters(), quote_via=quote)


def pages(client: Client, url: str, request: ListRequest) -> Iterator[dict[str, Any]]:
    """Yield the documents of all pages of an endpoint, from the one that is asked for.

    Args:
        client: sends the requests.
        url: of the collection, without a query.
        request: the first page.

    Raises:
        QueryError: the endpoint refuses the request; holds the problems that it names.
        EndpointError: it answers anything else, or hands out a token that leads nowhere.
    """
    seen: set[str] = set()
    while True:
        document = _page(client.get(url, params=request.parameters()), request)
        yield document
        metadata = document.get("metadata")
        token = metadata.get("continue") if isinstance(metadata, dict) else None
        if not isinstance(token, str) or not token:
            return
        if token in seen:
            raise EndpointError("token_repeated", wording.token_repeated(), 200, document)
        seen.add(token)
        request = replace(request, token=token, skip=None)


def items(client: Client, url: str, request: ListRequest) -> Iterator[Any]:
    """Yield the items of all pages; arguments and errors as in `pages`."""
    for document in pages(client, url, request):
        yield from document["items"]


def _page(response: Response, request: ListRequest) -> dict[str, Any]:
    status = response.status_code
    try:
        body = response.json()
    except ValueError:
        body = None
    document = body if isinstance(body, dict) else None
    if status == 200 and document is not None and isinstance(document.get("items"), list):
        return document
    if status == 400 and document is not None:
        found = [_problem(entry, request) for entry in document.get("invalidParams") or () if isinstance(entry, dict)]
        if found:
            raise QueryError(found)
    raise EndpointError("endpoint_failed", wording.endpoint_failed(status, document), status, document)


def _problem(entry: dict[str, Any], request: ListRequest) -> Problem:
    """Return an entry of ``invalidParams`` as a problem in the text that was sent."""
    name = str(entry.get("name", ""))
    sent = [value for parameter, value in request.parameters() if parameter == name]
    text = sent[0] if len(sent) == 1 else " and ".join(sent)
    start, end = entry.get("start"), entry.get("end")
    # Of several filters the endpoint does not say which one it means.
    told = len(sent) == 1 and type(start) is int and type(end) is int and 0 <= start <= end <= len(text)
    span = Span(start, end) if told else Span(0, len(text))  # type: ignore[arg-type]  # As just tested.
    return Problem(str(entry.get("code", "refused")), str(entry.get("reason", "")), text, span, parameter=name)
