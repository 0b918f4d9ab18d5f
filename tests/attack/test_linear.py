"""Work grows linearly with the text, whatever the text (SPEC §8): eight times the text takes no thirty times as long.

Quadratic work would take sixty-four times as long. Times are of the processor, the least of three; what takes less than
two milliseconds is taken for two.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from fuzz.targets import SCHEMA

from astra_filter import FilterError, Limits, QueryError, parse

if TYPE_CHECKING:
    from collections.abc import Callable

# Tracing lines would take longer than the tests; quicker tests run the same lines.
pytestmark = [pytest.mark.slow, pytest.mark.no_cover]

LIMITS = Limits(text_length=10**7, tests=10**6, literals=10**6, list_items=10**6, filters=10**6, token_length=10**6)
SHORT, LONG = 800, 6400
PIECES = (
    *("'", "`", '"', "' ", "` ", "'`", '"\\', "“", "“a", "‘", "a'b`c\"d ", "1'a'", "`a`` ", "'' ", "”", "„"),
    *("1", "1.", "1e", "1e+", "-", "1-", "+1", ".", "a.", "a", "a ", "a-", "a/", "\u0301", "😀", "\u202e", "\0", "\ud800"),
    *("\n", "\r", "\r\n", "\n\r", " ", "\t", "(", ")", "[", "]", "()", ",", ";", "=", "==", "&&", "!", "<", "~", "not "),
    *("and ", "or ", "eq ", "in ", "is ", "is not ", "between ", "like '%' ", "null ", "true ", "nul", "true_", "ı", "K"),
    *("12345678-", "2020-08-06T", "0:", "name eq 'a' and ", "name eq 'a'\r\nor ", "n in (1,", "state eq 'x' or ", "nam eq 1 or "),
)  # fmt: skip
BEFORE = ("", "name eq ", "name eq '", "n eq 1", "name ", 'name eq "', "n in (", "labels[")
AFTER = ("", "a", " =")


def seconds(run: Callable[[], object]) -> float:
    least = 1e9
    for _ in range(3):
        start = time.process_time()
        try:
            run()
        except (FilterError, QueryError) as error:
            str(error)
        least = min(least, time.process_time() - start)
    return max(least, 0.002)


def grows_linearly(use: Callable[[str], object], before: str, piece: str, after: str) -> bool:
    # Longer first: it shows at once where there is nothing to compare.
    texts = [before + piece * (length // len(piece)) + after for length in (LONG, SHORT)]
    long, short = (seconds(partial(use, text)) for text in texts)
    return long < 30 * short


@pytest.mark.parametrize("piece", PIECES, ids=ascii)
def test_filters(piece: str) -> None:
    for before in BEFORE:
        for after in AFTER:
            assert grows_linearly(partial(SCHEMA.compile, limits=LIMITS), before, piece, after), (before, after)


@pytest.mark.parametrize("name", ["filter", "include", "orderBy", "limit", "skip", "count", "continue", "?"])
@pytest.mark.parametrize(
    "piece", ["a", "`", "` ", ",", "name,", "name desc,", " ", "1", "0", ".", "é", "\0"], ids=ascii
)
def test_parameters(name: str, piece: str) -> None:
    assert grows_linearly(lambda text: SCHEMA.query([(name, text)], limits=LIMITS), "", piece, "")


@pytest.mark.parametrize("piece", ["%", "%ff=%ff&", "&", "filter=n&", "a=", "=", "+", "limit=1&", "%27", "\xff"])
def test_query_strings(piece: str) -> None:
    assert grows_linearly(partial(SCHEMA.query, limits=LIMITS), "", piece, "")


@pytest.mark.parametrize("piece", [".a", " or a eq 1", ",1"])
def test_long_texts(piece: str) -> None:
    """What is short under the default limits, and does not show there."""
    before, after = ("a in (1", ")") if piece == ",1" else ("a", " eq 1")
    texts = [before + piece * (length // len(piece)) + after for length in (80_000, 10_000)]
    long, short = (seconds(partial(parse, text, LIMITS)) for text in texts)
    assert long < 30 * short
