"""Decode the query parameters of a list request, and sort them by name (SPEC §6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from astra_filter.fields import MAX_INTEGER
from astra_filter.language.names import nearest
from astra_filter.limits import MOST_PROBLEMS
from astra_filter.wording import request as wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from astra_filter.errors import Problem

Parameters: TypeAlias = "str | bytes | Mapping[str, str | Sequence[str] | None] | Iterable[tuple[str, str]]"
"""A raw query string; or decoded values by name, None for one that is not given; or pairs of name and decoded value."""

NAMES = ("filter", "include", "limit", "skip", "orderBy", "count", "continue")
"""The parameters that a list request knows."""

MOST_ROWS = MAX_INTEGER - 1
"""The largest limit. One row more is still a 64-bit number."""

_DIGITS = re.compile(r"[0-9]+")


class Values(NamedTuple):
    """The values of a request's parameters."""

    filters: list[str]
    """The values of ``filter``, in order."""
    others: dict[str, str]

    def get(self, name: str) -> str | None:
        """Return the value of a parameter other than ``filter``; None where it was not given."""
        return self.others.get(name)


def read_parameters(
    parameters: Parameters, ignored: frozenset[str], meant: Callable[[str, str], str | None]
) -> tuple[Values, list[Problem]]:
    """Sort the parameters of a request by name.

    Args:
        parameters: as a framework gives them, or the raw query string.
        ignored: names of parameters that are the server's own.
        meant: makes a hint of name and value of a parameter that is not known.

    Returns:
        The values, and the problems of names and encoding.

    Raises:
        SchemaError: ``parameters`` has another type.
    """
    pairs, problems = _pairs(parameters, ignored)
    values = Values([], {})
    refused: set[str] = set()
    for name, value in pairs:
        if name in ignored or name in refused:
            continue
        if name == "filter":
            values.filters.append(value)
        elif name not in NAMES:
            refused.add(name)
            if len(refused) <= MOST_PROBLEMS:
                problems.append(wording.unknown_parameter(name, nearest(name, NAMES), meant(name, value)))
        elif name in values.others:
            refused.add(name)
            problems.append(wording.repeated_parameter(name, value))
        else:
            values.others[name] = value
    return values, problems


def _pairs(parameters: Parameters, ignored: frozenset[str]) -> tuple[Iterable[tuple[str, str]], list[Problem]]:
    if isinstance(parameters, (str, bytes)):
        return _decoded(parameters, ignored)
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


def _decoded(raw: str | bytes, ignored: frozenset[str]) -> tuple[list[tuple[str, str]], list[Problem]]:
    """Decode a query string as HTML forms encode it (URL Standard, application/x-www-form-urlencoded), but strictly."""
    from urllib.parse import unquote_to_bytes  # Servers whose framework decodes do not need it.

    text = raw.decode("latin-1") if isinstance(raw, bytes) else raw
    pairs: list[tuple[str, str]] = []
    problems: list[Problem] = []

    def decode(part: str) -> str | None:
        if part.isascii() and "%" not in part:
            return part.replace("+", " ")
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
            elif decoded_name not in ignored and len(problems) < MOST_PROBLEMS:
                problems.append(wording.bad_encoding(decoded_name or name, value if decoded is None else name))
    return pairs, problems


def read_limit(text: str | None, default: int | None, maximum: int | None, problems: list[Problem]) -> int | None:
    """Return the page size, None for no bound.

    Args:
        text: the value of ``limit``, None where it is not given.
        default: the page size of a request without ``limit``, never more than the maximum; None for that.
        maximum: the largest page size; None for no bound.
        problems: a problem of the text is added here.
    """
    if text is None:
        return page_size(default, maximum)
    limit = read_natural(text, maximum or MOST_ROWS)
    if not limit:
        problems.append(wording.bad_limit(text))
    return limit


def page_size(default: int | None, maximum: int | None) -> int | None:
    """Return the page size of a request without ``limit``, given the server's default and its maximum."""
    return maximum if default is None else min(default, maximum or MOST_ROWS)


def read_skip(text: str | None, problems: list[Problem]) -> int:
    """Return how many rows to pass over; arguments as in `read_limit`."""
    if text is None:
        return 0
    skip = read_natural(text, MOST_ROWS + 2)
    if skip is None or skip > MOST_ROWS + 1:
        problems.append(wording.bad_skip(text))
        return 0
    return skip


def read_count(text: str | None, problems: list[Problem]) -> bool:
    """Return whether the number of all matches is asked for; arguments as in `read_limit`."""
    if text not in (None, "true", "false"):
        problems.append(wording.bad_count(text))
    return text == "true"


def read_natural(text: str, maximum: int) -> int | None:
    """Return a whole number written in ASCII digits, lowered to the maximum; None for any other text."""
    if _DIGITS.fullmatch(text) is None:
        return None
    digits = text.lstrip("0")
    # Counted before conversion: int() takes quadratic time.
    return maximum if len(digits) > 19 else min(int(digits or "0"), maximum)
