"""What the web adapters share."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from astra_filter.adapters import openapi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from astra_filter.limits import Limits
    from astra_filter.query import ListQuery
    from astra_filter.request.request import SigningKeys
    from astra_filter.schema import Schema

R = TypeVar("R")
"""A framework's request."""


class Parameters(Generic[R]):
    """The query parameters of a list operation, ready to be read from requests.

    Args:
        schema: of the resources.
        scope: what a ``continue`` token is bound to besides the request, or a function that tells it of a request.
        secret: authenticates the tokens, of several the first; None leaves them readable and forgeable.
        default_limit: the page size of a request without ``limit``, never more than ``max_limit``; None for that.
        max_limit: the largest page size; None for no bound.
        ignore: names of parameters that are the server's own.
        limits: other budgets than the schema's.

    Raises:
        SchemaError: the arguments contradict each other.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        scope: str | Callable[[R], str] = "",
        secret: SigningKeys | None = None,
        default_limit: int | None = None,
        max_limit: int | None = None,
        ignore: Iterable[str] = (),
        limits: Limits | None = None,
    ) -> None:
        self.schema = schema
        self._scope = scope
        self._limits = limits
        self._sizes: dict[str, Any] = {"default_limit": default_limit, "max_limit": max_limit}
        # A single string is passed on, for the core to refuse.
        ignored = ignore if isinstance(ignore, str) else tuple(ignore)
        self._options: dict[str, Any] = {**self._sizes, "secret": secret, "ignore": ignored, "limits": limits}
        schema.query((), **self._options)  # So that mistakes show at start-up.

    def read(self, request: R, query_string: bytes | str) -> ListQuery:
        """Check the parameters of a request.

        Args:
            request: what ``scope`` is told of.
            query_string: what stands behind the question mark, still encoded.

        Raises:
            QueryError: holds every problem of the request.
        """
        scope = self._scope if isinstance(self._scope, str) else self._scope(request)
        return self.schema.query(query_string, scope=scope, **self._options)

    @cached_property
    def openapi(self) -> dict[str, Any]:
        """What an OpenAPI document says of the operation: its ``parameters`` and the 400 among its ``responses``."""
        return {
            "parameters": openapi.parameters(self.schema, limits=self._limits, **self._sizes),
            "responses": {
                "400": openapi.problem_response("The query parameters are invalid.", invalid_parameters=True)
            },
        }
