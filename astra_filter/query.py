"""A whole list request (SPEC §6): its query parameters checked together, run in memory or as SQL."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nsmallest
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

from astra_filter.errors import FilterError, QueryError
from astra_filter.language.names import nearest, path_text
from astra_filter.language.span import Span
from astra_filter.language.values import at
from astra_filter.limits import MOST_PROBLEMS, keep
from astra_filter.request.include import Projection, parse_include
from astra_filter.request.order import Order, parse_order
from astra_filter.request.tokens import MOST_ROWS, Tokens, read_natural
from astra_filter.wording import request as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Select

    from astra_filter.errors import Problem
    from astra_filter.filter import Filter
    from astra_filter.limits import Limits
    from astra_filter.meaning.leaves import Leaf
    from astra_filter.schema import Schema
    from astra_filter.sql import SQL
    from astra_filter.sql.items import Row

S = TypeVar("S", bound="Select[Any]")
T = TypeVar("T")

Parameters: TypeAlias = "str | bytes | Mapping[str, str | Sequence[str] | None] | Iterable[tuple[str, str]]"
"""A raw query string; or decoded values by name, None for one that is not given; or pairs of name and decoded value."""

NAMES = ("filter", "include", "limit", "skip", "orderBy", "count", "continue")


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


@dataclass(frozen=True)
class ListQuery:
    """A checked list request. Made by `Schema.query`."""

    schema: Schema
    filter: Filter | None
    projection: Projection
    order: Order
    limit: int | None
    """The most resources on the page; None for all."""
    skip: int
    count: bool
    """Whether the number of all matches is asked for."""
    position: tuple[Any, ...] | None
    """The sort values of the resource that the page follows; None for the first page."""
    _tokens: Tokens | None

    @property
    def include(self) -> tuple[tuple[str, ...], ...] | None:
        """The paths asked for, in order; None for whole objects."""
        return self.projection.include

    def page(self, resources: Iterable[object], *, presorted: bool = False) -> Page:
        """Answer the request from resources in memory.

        Reads ``resources`` once and holds no more of them than the page and what it skips.

        Args:
            resources: mappings or objects, any iterable.
            presorted: they come in the order of this query; reading stops when the page is full and one more is known,
                unless all are to be counted.

        Raises:
            StorageError: the next token would be too long.
        """
        matches = iter(resources) if self.filter is None else filter(self.filter.matches, resources)
        after = None if self.position is None else self.order.rank(self.position)
        rank, values = self.order.rank, self.order.values
        total = 0

        def following() -> Iterator[tuple[tuple[Any, ...], object]]:
            nonlocal total
            for resource in matches:
                total += 1
                place = rank(values(resource))
                if after is None or place > after:
                    yield place, resource

        ranked = following()
        most = None if self.limit is None else self.skip + self.limit + 1
        if presorted:
            chosen = list(islice(ranked, None if most is None else min(most, sys.maxsize)))
        elif most is None:
            chosen = sorted(ranked, key=itemgetter(0))
        else:
            chosen = nsmallest(most, ranked, key=itemgetter(0))
        if self.count:
            for _ in ranked:
                pass
        return self._page_of([resource for _, resource in chosen[self.skip :]], total)

    def _page_of(self, resources: Sequence[object], total: int | None) -> Page:
        from astra_filter.memory.items import of_resources  # Who makes SQL only does not need it.

        return self._page(resources, total, of_resources(self.schema, self.include), self.order.values)

    def _page(
        self,
        found: Sequence[T],
        total: int | None,
        write: Callable[[T], Any],
        sort_values: Callable[[T], tuple[Any, ...]],
    ) -> Page:
        """Make the page of what it begins with, of which one more than the limit says that more follow."""
        more = self.limit is not None and len(found) > self.limit
        if more:
            found = found[: self.limit]
        items = [write(each) for each in found]
        token = self._tokens.write(sort_values(found[-1])) if more and self._tokens is not None else None
        return Page(items, more, token, total if self.count else None)

    def sql(
        self,
        table: str,
        dialect: str,
        *,
        where: SQL | None = None,
        alias: str | None = None,
        placeholders: str | None = None,
        first: int = 1,
    ) -> SQL:
        """Return the SELECT of this page. It selects `columns`, and one row more than the limit when more follow.

        Args:
            table: the table's name, which is quoted.
            dialect: ``sqlite``, ``postgresql``, ``mysql`` or ``duckdb``.
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

        return select(self, table, dialect, where=where, alias=alias, placeholders=placeholders, first=first)

    def count_sql(
        self,
        table: str,
        dialect: str,
        *,
        where: SQL | None = None,
        alias: str | None = None,
        placeholders: str | None = None,
        first: int = 1,
    ) -> SQL:
        """Return the SELECT of the number of all matches, whatever the page; arguments as in `sql`."""
        from astra_filter.sql.select import select_count  # Not paid by those who filter in memory.

        return select_count(self, table, dialect, where=where, alias=alias, placeholders=placeholders, first=first)

    @cached_property
    def leaves(self) -> list[Leaf]:
        """The leaves that the page is made from: what is returned, and the sort keys for the next token."""
        sorting = {key.leaf.path for key in self.order.keys}
        return [leaf for path, leaf in self.schema.leaves.items() if path in sorting or self.projection.needs(leaf)]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that `sql` selects, in order."""
        return tuple(dict.fromkeys(leaf.column.name for leaf in self.leaves))

    def page_from_rows(self, rows: Iterable[Row], *, total: int | None = None) -> Page:
        """Answer the request from the rows of `sql`.

        Args:
            rows: all rows, as tuples in the order of `columns` or as mappings by column; JSON parsed or as text.
            total: what `count_sql` gave, where ``count`` is asked for.

        Raises:
            StorageError: a row lacks a column; or there is no next token, because it would be too long, or the last row
                has a sort value that the database orders and that is none of its field's type.
        """
        from astra_filter.sql.rows import is_ordered, resource  # Not paid by those who filter in memory.

        columns, write = self._rows()

        def sort_values(row: Row) -> tuple[Any, ...]:
            named = row if isinstance(row, Mapping) else dict(zip(columns, row, strict=True))
            held = resource([key.leaf for key in self.order.keys], named)
            values = self.order.values(held)
            for (leaf, _), value in zip(self.order.keys, values, strict=True):
                if value is None and is_ordered(leaf, at(held, leaf.path)):
                    raise wording.unreadable_in_token(path_text(leaf.path))
            return values

        return self._page(list(rows), total, write, sort_values)

    def _rows(self) -> tuple[tuple[str, ...], Callable[[Row], Any]]:
        """Return the columns, and what makes an item of a row; kept for the requests that want the same."""
        key = ("rows", self.include, self.order.text)
        kept = self.schema.prepared
        found = kept.get(key)
        if found is None:
            from astra_filter.sql.items import of_rows  # As above.

            found = keep(kept, key, (self.columns, of_rows(self.schema, self.include, self.columns)))
        return cast("tuple[tuple[str, ...], Callable[[Row], Any]]", found)

    def page_from_resources(self, resources: Iterable[object], *, total: int | None = None) -> Page:
        """Answer the request from the resources of a statement that `apply` or an adapter made.

        Args:
            resources: all that the statement gave, in order: mappings or objects.
            total: the number of all matches, where ``count`` is asked for.

        Raises:
            StorageError: the next token would be too long.
        """
        return self._page_of(list(resources), total)

    def apply(self, statement: S, target: Any = None) -> S:
        """Return a SQLAlchemy SELECT narrowed to this page (see `astra_filter.adapters.sqlalchemy.apply`)."""
        from astra_filter.adapters.sqlalchemy import apply  # Needs the extra of that name.

        return apply(self, statement, target)


# Parameters ----------------------------------------------------------------------------------------------------------


def parse_query(
    schema: Schema,
    parameters: Parameters,
    *,
    scope: str = "",
    secret: str | bytes | None = None,
    default_limit: int | None = None,
    max_limit: int | None = None,
    ignore: Iterable[str] = (),
    limits: Limits,
) -> ListQuery:
    """Check the query parameters of a list request; arguments and errors as in `Schema.query`."""
    for what, value in (("default_limit", default_limit), ("max_limit", max_limit)):
        if value is not None and (type(value) is not int or not 1 <= value <= MOST_ROWS):
            raise wording.bad_page_size(what, value)
    if secret is not None and not (isinstance(secret, (str, bytes)) and secret):
        raise wording.bad_secret()
    if not isinstance(scope, str):
        raise wording.bad_scope(scope)
    if isinstance(ignore, str):
        raise wording.bad_names("ignore", ignore)
    ignored = frozenset(ignore)
    pairs, problems = _pairs(parameters, ignored)
    given = _given(pairs, ignored, problems)

    chosen = _filter(schema, given.filters, limits, problems)
    unreadable = bool(given.filters) and chosen is None
    projection, wrong = parse_include(given.one("include"), schema.root, limits.include_names)
    problems += wrong
    limit = _limit(given.one("limit"), default_limit, max_limit, problems)
    skip = _skip(given.one("skip"), problems)
    order, wrong = parse_order(given.one("orderBy"), schema.root, schema.leaves, schema.key, limits.order_keys)
    problems += wrong
    unreadable = unreadable or bool(wrong)
    count = _count(given.one("count"), problems)

    tokens = position = None
    if schema.key is not None:
        key = secret.encode() if isinstance(secret, str) else secret
        tokens = Tokens(order, chosen, scope, key, limits.token_length)
    token = given.one("continue")
    if token is not None:
        if "skip" in given.values:
            problems.append(wording.skip_with_continue(given.values["skip"]))
        if tokens is None:
            problems.append(wording.token_unsupported(token))
        elif not unreadable:
            position = tokens.read(token)
            if position is None:
                problems.append(wording.bad_token(token))
    if problems:
        raise QueryError(problems)
    return ListQuery(schema, chosen, projection, order, limit, skip, count, position, tokens)


class _Given(NamedTuple):
    filters: list[str]
    values: dict[str, str]

    def one(self, name: str) -> str | None:
        return self.values.get(name)


def _pairs(parameters: Parameters, ignore: frozenset[str]) -> tuple[Iterable[tuple[str, str]], list[Problem]]:
    if isinstance(parameters, (str, bytes)):
        return _decoded(parameters, ignore)
    if not isinstance(parameters, Iterable):
        raise wording.bad_parameters(parameters)
    pairs: list[tuple[str, str]] = []
    entries = parameters.items() if isinstance(parameters, Mapping) else parameters
    for entry in entries:
        if not (isinstance(entry, (tuple, list)) and len(entry) == 2):
            raise wording.bad_parameters(entry)
        name, value = entry
        values = value if isinstance(value, (list, tuple)) else () if value is None else (value,)
        if not isinstance(name, str) or not all(isinstance(value, str) for value in values):
            raise wording.bad_parameters(entry)
        pairs.extend([(name, value) for value in values])
    return pairs, []


def _decoded(raw: str | bytes, ignore: frozenset[str]) -> tuple[list[tuple[str, str]], list[Problem]]:
    """Decode a query string as HTML forms encode it (URL Standard, application/x-www-form-urlencoded), but strictly."""
    from urllib.parse import unquote_to_bytes  # Not paid by servers whose framework has decoded already.

    text = raw.decode("latin-1") if isinstance(raw, bytes) else raw
    pairs: list[tuple[str, str]] = []
    problems: list[Problem] = []

    def decode(part: str) -> str | None:
        if part.isascii() and part.isalnum():
            return part
        try:
            source = part.replace("+", " ")
            return unquote_to_bytes(source.encode("latin-1") if isinstance(raw, bytes) else source).decode()
        except UnicodeError:
            return None

    for part in text.removeprefix("?").split("&"):
        if part:
            name, _, value = part.partition("=")
            decoded_name, decoded = decode(name), decode(value)
            if decoded_name is not None and decoded is not None:
                pairs.append((decoded_name, decoded))
            elif decoded_name not in ignore and len(problems) < MOST_PROBLEMS:
                problems.append(wording.bad_encoding(decoded_name or name, value if decoded is None else name))
    return pairs, problems


def _given(pairs: Iterable[tuple[str, str]], ignore: frozenset[str], problems: list[Problem]) -> _Given:
    given = _Given([], {})
    refused: set[str] = set()
    for name, value in pairs:
        if name in ignore or name in refused:
            continue
        if name == "filter":
            given.filters.append(value)
        elif name not in NAMES:
            refused.add(name)
            if len(refused) <= MOST_PROBLEMS:
                problems.append(wording.unknown_parameter(name, nearest(name, NAMES)))
        elif name in given.values:
            refused.add(name)
            problems.append(wording.repeated_parameter(name, value))
        else:
            given.values[name] = value
    return given


def _filter(schema: Schema, texts: Sequence[str], limits: Limits, problems: list[Problem]) -> Filter | None:
    """Compile the ``filter`` parameters as one filter, their *and*; the limits bound all of them together (SPEC §8)."""
    if not texts:
        return None
    if len(texts) > limits.filters:
        problems.append(wording.too_many_filters(texts[limits.filters], limits.filters))
        return None
    room = limits.text_length
    compiled: list[Filter] = []
    found: list[Problem] = []
    for text in texts:
        if len(text) > room and len(texts) > 1:
            problems.append(wording.filters_too_long(text, room, limits.text_length))
            return None
        room -= len(text)
        try:
            compiled.append(schema.compile(text, limits=limits))
        except FilterError as error:
            found += error.problems
    if found or len(texts) == 1:
        problems += found[:MOST_PROBLEMS]
        return None if found else compiled[0]
    # Each is a filter by itself, so no parenthesis of theirs can reach outside of ours.
    opening, between = "(", ") and ("
    joined = opening + between.join(texts) + ")"
    wider = limits._replace(text_length=len(joined), nesting=limits.nesting + 1)
    try:
        return schema.compile(joined, limits=wider)
    except FilterError as error:
        starts = [len(opening)]
        for text in texts[:-1]:
            starts.append(starts[-1] + len(text) + len(between))
        problems += [_placed(problem, texts, starts) for problem in error.problems]
        return None


def _placed(problem: Problem, texts: Sequence[str], starts: Sequence[int]) -> Problem:
    """Return a problem of the joined filters as one of the filter that it stands in."""
    number = max(number for number, start in enumerate(starts) if start <= max(problem.span.start, starts[0]))
    text, start = texts[number], starts[number]
    return problem._replace(
        text=text, span=Span(max(problem.span.start - start, 0), min(problem.span.end - start, len(text)))
    )


def _limit(text: str | None, default: int | None, most: int | None, problems: list[Problem]) -> int | None:
    if text is None:
        return page_size(default, most)
    limit = read_natural(text, most or MOST_ROWS)
    if not limit:
        problems.append(wording.bad_limit(text))
    return limit


def page_size(default: int | None, most: int | None) -> int | None:
    """Return the page size of a request without ``limit``, given the server's default and its maximum."""
    return most if default is None else min(default, most or MOST_ROWS)


def _skip(text: str | None, problems: list[Problem]) -> int:
    if text is None:
        return 0
    skip = read_natural(text, MOST_ROWS + 2)
    if skip is None or skip > MOST_ROWS + 1:
        problems.append(wording.bad_skip(text))
        return 0
    return skip


def _count(text: str | None, problems: list[Problem]) -> bool:
    if text not in (None, "true", "false"):
        problems.append(wording.bad_count(text))
    return text == "true"
