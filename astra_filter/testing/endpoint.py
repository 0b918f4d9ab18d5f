"""The proof for an HTTP endpoint that claims the contract, in whatever language it is written.

Everything is asked for once; then filters, their opposites, orders, pages and wrong requests are compared with what the
predicate says about those resources. The collection must not change meanwhile.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from astra_filter.language.names import path_text
from astra_filter.testing import generate
from astra_filter.wording import testing as wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from astra_filter.filter import Filter
    from astra_filter.schema import Schema

_MOST_FAULTS = 10
_WRONG = (
    ("filter", "("),
    ("filter", "no_such_field_here eq 1"),
    ("filter", ""),
    ("orderBy", "no_such_field_here"),
    ("include", "no_such_field_here"),
    ("limit", "0"),
    ("limit", "-1"),
    ("skip", "x"),
    ("count", "maybe"),
    ("continue", "no-such-token"),
    ("no_such_parameter", "1"),
)


@dataclass
class EndpointProof:
    """How much was asked, without a fault."""

    resources: int = 0
    filters: int = 0
    walks: int = 0
    pages: int = 0
    errors: int = 0
    """Wrong requests that were answered as SPEC §1 says."""

    def __str__(self) -> str:
        return (
            f"{self.resources:,} resources, {self.filters:,} filters, {self.walks:,} walks over {self.pages:,} pages "
            f"and {self.errors:,} wrong requests, with no fault"
        )


def prove_endpoint(
    client: Any,
    schema: Schema,
    url: str,
    *,
    examples: int = 100,
    seed: int = 0,
    headers: Mapping[str, str] | None = None,
) -> EndpointProof:
    """Compare what an endpoint answers with what the contract says.

    Args:
        client: what has ``get(url)``: of httpx, requests, Starlette, FastAPI, Django or Flask.
        schema: what the endpoint declares, with a key.
        url: of the collection, without parameters.
        examples: random filters, each asked in a few ways.
        seed: another one asks other filters.
        headers: for every request, such as a bearer token. Django's client takes them when it is made.

    Returns:
        How much was asked.

    Raises:
        SchemaError: the schema has no key.
        AssertionError: the endpoint does otherwise; shows the faults, each with the requests that show it.
    """
    if schema.key is None:
        raise wording.keyless()
    random = Random(seed)  # noqa: S311  # To be asked again, not to be secret.
    return _Prover(client, schema, url, random, dict(headers or {})).prove(examples)


class _Unanswered(Exception):  # noqa: N818  # No error of the library's.
    """An answer that is not of the contract; it was noted as a fault."""


class _Prover:
    def __init__(self, client: Any, schema: Schema, url: str, random: Random, headers: dict[str, str]) -> None:
        self._client = client
        self._schema = schema
        self._url = url
        self._pick: generate.Pick = random.randrange
        self._headers = {"headers": headers} if headers else {}
        self._key = str(schema.key)
        self._faults: dict[str, str] = {}
        self._everything: list[Any] = []
        self._shown = {path for path, leaf in schema.leaves.items() if leaf.returnable}
        self._found = EndpointProof()

    def prove(self, examples: int) -> EndpointProof:
        """Ask everything; see `prove_endpoint`."""
        try:
            self._everything = self._walk([], 500)
        except _Unanswered:
            self._everything = []
        self._found.resources = len(self._everything)
        for name, value in _WRONG:
            self._refused(name, value)
        rounds = examples if self._everything and generate.is_testable(self._schema) else 0
        while rounds and len(self._faults) < _MOST_FAULTS:
            rounds -= 1
            chosen, other = self._filter(), self._filter()
            if chosen is None or other is None:
                continue
            try:
                self._round(chosen, other)
            except _Unanswered:
                continue
        if self._faults:
            raise AssertionError("\n".join([f"{self._url} has faults:", *self._faults.values()]))
        return self._found

    def _filter(self) -> Filter | None:
        """Return a filter that what is shown decides."""
        chosen = self._schema.compile(generate.filter_text(self._schema, self._pick, self._everything))
        return chosen if self._decided(chosen) else None

    def _decided(self, chosen: Filter) -> bool:
        hidden = [path for path, leaf in self._schema.leaves.items() if not leaf.returnable]
        text = str(chosen)
        # A name that is hidden may stand in brackets, too.
        return not any(path_text(path[-1:]) in text for path in hidden)

    def _round(self, chosen: Filter, other: Filter) -> None:
        self._found.filters += 1
        expected = self._keys(chosen.select(self._everything))
        opposite = self._keys(self._schema.compile(f"not ({chosen})").select(self._everything))
        for text, keys in ((str(chosen), expected), (f"not ({chosen})", opposite)):
            found = self._keys(self._walk([("filter", text)], 3))
            self._same("selects other resources than the predicate", [("filter", text)], keys, found, ordered=False)
        pairs = [("filter", str(chosen)), ("filter", str(other))]
        both = self._keys(self._schema.compile(f"({chosen}) and ({other})").select(self._everything))
        found = self._keys(self._walk(pairs, 50))
        self._same("two filters do not mean *and*", pairs, both, found, ordered=False)
        sortable = [path for path, leaf in self._schema.leaves.items() if leaf.sortable]
        sorted_by = dict.fromkeys(sortable[self._pick(len(sortable))] for _ in range(self._pick(3) + 1))
        order = ", ".join(path_text(path) + ("", " desc")[self._pick(2)] for path in sorted_by)
        wanted = [("filter", str(chosen)), ("orderBy", order)]
        ranked = self._keys(self._schema.query(wanted).page(self._everything).items)
        found = self._keys(self._walk(wanted, self._pick(4) + 1))
        self._same("the order is another", wanted, ranked, found, ordered=True)
        include = [*wanted, ("include", path_text((self._key,))), ("limit", "3"), ("count", "true")]
        body = self._get(include)
        expected_body = self._schema.query(include).page(self._everything)
        if body["items"] != expected_body.items:
            self._fault("include gives other values", include, f"{body['items']!r:.200}")
        if body["metadata"].get("count") != expected_body.total:
            self._fault(
                "the count is wrong", include, f"{body['metadata'].get('count')!r} instead of {expected_body.total}"
            )

    def _walk(self, pairs: Sequence[tuple[str, str]], limit: int) -> list[Any]:
        """Return the items of all pages."""
        self._found.walks += 1
        items: list[Any] = []
        seen: set[Any] = set()
        asked = [*pairs, ("limit", str(limit))]
        token: str | None = None
        tokens: set[str] = set()
        while True:
            request = asked if token is None else [*asked, ("continue", token)]
            body = self._get(request)
            known = len(items)
            for key, item in zip(self._keys(body["items"]), body["items"], strict=True):
                if key in seen:
                    self._fault("a page repeats a resource", request, repr(key))
                else:
                    seen.add(key)
                    items.append(item)
            if len(body["items"]) > limit:
                self._fault("a page is longer than its limit", request, str(len(body["items"])))
            token = body["metadata"].get("continue")
            if token is None:
                return items
            if token in tokens or len(items) == known:
                self._fault("pages do not advance", request, token)
                raise _Unanswered
            tokens.add(token)

    def _keys(self, items: Sequence[Any]) -> list[Any]:
        return [item.get(self._key) if isinstance(item, dict) else repr(item) for item in items]

    def _same(
        self,
        fault: str,
        pairs: Sequence[tuple[str, str]],
        expected: Sequence[Any],
        found: Sequence[Any],
        *,
        ordered: bool,
    ) -> None:
        if (list(found) == list(expected)) if ordered else (sorted(found, key=repr) == sorted(expected, key=repr)):
            return
        missing = [key for key in expected if key not in found]
        surplus = [key for key in found if key not in expected]
        self._fault(fault, pairs, f"missing {missing!r:.200}, surplus {surplus!r:.200}")

    def _get(self, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return the body of a right request."""
        self._found.pages += 1
        status, body = self._ask(pairs)
        well_formed = isinstance(body, dict) and isinstance(body.get("items"), list)
        if status != 200 or not well_formed or not isinstance(body.get("metadata"), dict):
            self._fault("a right request is not answered", pairs, f"{status}: {body!r:.300}")
            raise _Unanswered
        return dict(body)

    def _refused(self, name: str, value: str) -> None:
        """Ask a wrong request, and look at the problem document of SPEC §1."""
        self._found.errors += 1
        status, body = self._ask([(name, value)])
        params = body.get("invalidParams") if isinstance(body, dict) else None
        named = isinstance(params, list) and any(
            isinstance(each, dict) and each.get("name") == name and isinstance(each.get("reason"), str)
            for each in params
        )
        if (
            status != 400
            or not named
            or body.get("status") != "400"
            or not all(isinstance(body.get(member), str) for member in ("type", "title", "detail"))
        ):
            self._fault("a wrong request gets no problem document", [(name, value)], f"{status}: {body!r:.300}")

    def _ask(self, pairs: Sequence[tuple[str, str]]) -> tuple[int, Any]:
        response = self._client.get(self._request(pairs), **self._headers)
        # Flask's client calls the content data.
        content = response.content if hasattr(response, "content") else response.data
        try:
            return response.status_code, json.loads(content)
        except ValueError:
            return response.status_code, content

    def _request(self, pairs: Sequence[tuple[str, str]]) -> str:
        return f"{self._url}?{urlencode(pairs)}" if pairs else self._url

    def _fault(self, fault: str, pairs: Sequence[tuple[str, str]], detail: str) -> None:
        """Note a fault, the first of its kind."""
        shown = " & ".join(f"{name}={value}" for name, value in pairs)
        self._faults.setdefault(fault, f"- {fault}: {shown}\n    {detail}")
