"""A whole list request, checked: all its parameters together, each problem reported (SPEC §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from astra_filter.errors import FilterError, QueryError
from astra_filter.language.span import Span
from astra_filter.limits import MOST_PROBLEMS
from astra_filter.request.include import is_included, parse_include
from astra_filter.request.order import Order, parse_order
from astra_filter.request.parameters import MOST_ROWS, read_count, read_limit, read_parameters, read_skip
from astra_filter.request.tokens import Tokens
from astra_filter.wording import request as wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from astra_filter.errors import Problem
    from astra_filter.limits import Limits
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.meaning.leaves import Leaf
    from astra_filter.meaning.shapes import Bound, Shapes
    from astra_filter.request.include import Path
    from astra_filter.request.parameters import Parameters


SigningKeys: TypeAlias = "bytes | str | Sequence[bytes | str]"
"""Of several secrets, the first makes tokens, and those of all are taken."""


class Request(NamedTuple):
    """A checked list request. It knows what the schema declares, but neither resources nor SQL."""

    declaration: Declaration
    filter: Bound | None
    """The shape and the values of the filter; None where every resource matches."""
    include: tuple[Path, ...] | None
    """The paths asked for, in order; None for whole objects."""
    declared: tuple[Path, ...] | None
    """The same without the keys of maps: what SQL depends on."""
    order: Order
    limit: int | None
    """The most resources on the page; None for all."""
    skip: int
    with_count: bool
    """Whether the number of all matches is asked for."""
    position: tuple[Any, ...] | None
    """The sort values of the resource that the page follows; None for the first page."""
    tokens: Tokens | None
    """Makes the token of the next page; None for a schema without a key."""

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The leaves that the page is made from: what is returned, and the sort keys for the next token."""
        return self.declaration.memo.made(("leaves", self.declared, self.order.text), self._leaves)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of those leaves, each once, in order."""
        return tuple(dict.fromkeys([leaf.column.name for leaf in self.leaves]))

    def _leaves(self) -> tuple[Leaf, ...]:
        sorting = {key.leaf.path for key in self.order.keys}
        return tuple(
            [
                leaf
                for path, leaf in self.declaration.leaves.items()
                if path in sorting or is_included(leaf, self.declared)
            ]
        )


def parse_request(
    declaration: Declaration,
    shapes: Shapes,
    parameters: Parameters,
    *,
    scope: str,
    secret: SigningKeys | None,
    default_limit: int | None,
    max_limit: int | None,
    ignore: Iterable[str],
    limits: Limits,
) -> Request:
    """Check the query parameters of a list request; arguments and errors as in `Schema.query`."""
    ignored = _check_arguments(scope, secret, default_limit, max_limit, ignore)

    def meant(name: str, value: str) -> str | None:
        from astra_filter.request.other_names import other_name  # Errors only: not paid by those who send none.

        return other_name(declaration, shapes, name, value)

    values, problems = read_parameters(parameters, ignored, meant)

    bound = _compile(shapes, values.filters, limits, problems)
    if not _room(problems):
        raise QueryError(problems[:MOST_PROBLEMS])
    unreadable = bool(values.filters) and bound is None
    include, declared, wrong = parse_include(values.get("include"), declaration, limits.include_names, _room(problems))
    problems += wrong
    limit = read_limit(values.get("limit"), default_limit, max_limit, problems)
    skip = read_skip(values.get("skip"), problems)
    order, wrong = parse_order(values.get("orderBy"), declaration, limits.order_keys, _room(problems))
    problems += wrong
    unreadable = unreadable or bool(wrong)
    count = read_count(values.get("count"), problems)

    tokens = position = None
    if declaration.key is not None:
        tokens = Tokens(order, bound, scope, _keys(secret), limits.token_length)
    token = values.get("continue")
    if token is not None:
        if "skip" in values.others:
            problems.append(wording.skip_with_continue(values.others["skip"]))
        if tokens is None:
            problems.append(wording.token_unsupported(token))
        elif not unreadable:
            position = tokens.read(token)
            if position is None:
                problems.append(wording.bad_token(token))
    if problems:
        raise QueryError(problems[:MOST_PROBLEMS])
    return Request(declaration, bound, include, declared, order, limit, skip, count, position, tokens)


def _keys(secret: SigningKeys | None) -> tuple[bytes, ...]:
    each = () if secret is None else (secret,) if isinstance(secret, (str, bytes)) else secret
    return tuple([one.encode() if isinstance(one, str) else one for one in each])


def _room(problems: Sequence[Problem]) -> int:
    """Return how many more problems are shown: what is not shown is not looked for."""
    return max(MOST_PROBLEMS - len(problems), 0)


def _check_arguments(
    scope: str, secret: SigningKeys | None, default_limit: int | None, max_limit: int | None, ignore: Iterable[str]
) -> frozenset[str]:
    """Refuse wrong arguments of the server's own code; return the names to ignore."""
    for argument, value in (("default_limit", default_limit), ("max_limit", max_limit)):
        if value is not None and (type(value) is not int or not 1 <= value <= MOST_ROWS):
            raise wording.bad_page_size(argument, value)
    each = secret if isinstance(secret, (list, tuple)) else () if secret is None else (secret,)
    if not all(isinstance(one, (str, bytes)) and one for one in each) or secret in ([], ()):
        raise wording.bad_secret()
    if not isinstance(scope, str):
        raise wording.bad_scope(scope)
    if isinstance(ignore, str):
        raise wording.bad_names("ignore", ignore)
    return frozenset(ignore)


def _compile(shapes: Shapes, texts: Sequence[str], limits: Limits, problems: list[Problem]) -> Bound | None:
    """Compile all ``filter`` parameters as one filter, joined by *and*. The limits hold for all together (SPEC §8)."""
    if not texts:
        return None
    if len(texts) > limits.filters:
        problems.append(wording.too_many_filters(texts[limits.filters], limits.filters))
        return None
    room = limits.text_length
    compiled: list[Bound] = []
    found: list[Problem] = []
    for text in texts:
        if len(found) >= _room(problems):
            break
        if len(text) > room and len(texts) > 1:
            problems.append(wording.filters_too_long(text, room, limits.text_length))
            return None
        room -= len(text)
        try:
            compiled.append(shapes.compile(text, limits))
        except FilterError as error:
            found += error.problems
    if found or len(texts) == 1:
        problems += found
        return None if found else compiled[0]
    # Each compiled alone, so its parentheses are balanced and cannot close ours.
    opening, between = "(", ") and ("
    joined = opening + between.join(texts) + ")"
    wider = limits._replace(text_length=len(joined), nesting=limits.nesting + 1)
    try:
        return shapes.compile(joined, wider)
    except FilterError as error:
        starts = [len(opening)]
        for text in texts[:-1]:
            starts.append(starts[-1] + len(text) + len(between))
        problems += [_placed(problem, texts, starts) for problem in error.problems]
        return None


def _placed(problem: Problem, texts: Sequence[str], starts: Sequence[int]) -> Problem:
    """Return a problem of the joined text as a problem of the filter parameter that it lies in."""
    number = max(number for number, start in enumerate(starts) if start <= max(problem.span.start, starts[0]))
    text, start = texts[number], starts[number]
    return problem._replace(
        text=text, span=Span(max(problem.span.start - start, 0), min(problem.span.end - start, len(text)))
    )
