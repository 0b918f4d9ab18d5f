"""Work grows linearly with the text, whatever the text (SPEC §8): eight times the text takes no thirty times as long.

Quadratic work would take sixty-four times as long. Times are of the processor, the least of three; what takes less than
two milliseconds is taken for two.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from fuzz.targets import SCHEMA

from astra_filter import FilterError, Limits, QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = Limits(text_length=10**7, tests=10**6, literals=10**6, list_items=10**6, filters=10**6, token_length=10**6)
SHORT, LONG = 1500, 12000
PIECES = (
    *("'", "`", '"', "' ", "` ", "'`", '"\\', "“", "“a", "‘", "a'b`c\"d ", "1'a'", "`a`` ", "'' ", "”", "„"),
    *("1", "1.", "1e", "1e+", "-", "1-", "+1", ".", "a.", "a", "a ", "a-", "a/", "\u0301", "😀", "\u202e", "\0", "\ud800"),
    *("\n", "\r", "\r\n", "\n\r", " ", "\t", "(", ")", "[", "]", "()", ",", ";", "=", "==", "&&", "!", "<", "~", "not "),
    *("and ", "or ", "eq ", "in ", "is ", "is not ", "between ", "like '%' ", "null ", "true ", "nul", "true_", "ı", "K"),
    *("12345678-", "2020-08-06T", "0:", "name eq 'a' and ", "name eq 'a'\r\nor ", "n in (1,", "state eq 'x' or ", "nam eq 1 or "),
)  # fmt: skip
BEFORE = ("", "name eq ", "name eq '", "n eq 1", "name ", 'name eq "', "n in (", "labels[")
AFTER = ("", "a", "'", " =")


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


@pytest.mark.parametrize("piece", PIECES, ids=ascii)
def test_filters(piece: str) -> None:
    for before in BEFORE:
        for after in AFTER:
            # Longer first: it shows at once where there is nothing to compare.
            long, short = (
                seconds(
                    lambda count=count: SCHEMA.compile(before + piece * (count // len(piece)) + after, limits=LIMITS)
                )
                for count in (LONG, SHORT)
            )
            assert long < 30 * short, (before, piece, after)


@pytest.mark.parametrize("name", ["filter", "include", "orderBy", "limit", "skip", "count", "continue", "?"])
@pytest.mark.parametrize(
    "piece", ["a", "`", "` ", ",", "name,", "name desc,", " ", "1", "0", ".", "a.", "é", "\0"], ids=ascii
)
def test_parameters(name: str, piece: str) -> None:
    long, short = (
        seconds(lambda count=count: SCHEMA.query([(name, piece * (count // len(piece)))], limits=LIMITS))
        for count in (LONG, SHORT)
    )
    assert long < 30 * short


@pytest.mark.parametrize("piece", ["%", "%ff=%ff&", "&", "filter=n&", "a=", "=", "+", "limit=1&", "%27", "\xff"])
def test_query_strings(piece: str) -> None:
    long, short = (
        seconds(lambda count=count: SCHEMA.query(piece * (count // len(piece)), limits=LIMITS))
        for count in (LONG, SHORT)
    )
    assert long < 30 * short
