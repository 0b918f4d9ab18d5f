"""The memo: what was made for a key is kept, but not without bound."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from astra_filter.memo import Memo


def test_made_once():
    memo = Memo(2)
    calls = []

    def make(text, *, times):
        calls.append(text)
        return text * times

    assert memo.made("key", make, "a", times=2) == "aa"
    assert memo.made("key", make, "b", times=3) == "aa"
    assert calls == ["a"]


def test_the_first_entry_goes():
    memo = Memo(2)
    for key in "abc":
        memo.made(key, str.upper, key)
    assert len(memo) == 2
    assert memo.made("b", str.upper, "kept") == "B"
    assert memo.made("c", str.upper, "kept") == "C"
    assert memo.made("a", str.upper, "again") == "AGAIN"
    assert len(memo) == 2


def test_a_key_that_fails_is_tried_again():
    memo = Memo(2)
    for _ in range(2):
        try:
            memo.made("key", int, "no number")
        except ValueError:
            continue
        raise AssertionError
    assert memo.made("key", int, "5") == 5


def test_threads_share_it():
    memo = Memo(8)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: memo.made(n % 12, str, n % 12), range(2000)))
    assert found == [str(n % 12) for n in range(2000)]
    assert len(memo) == 8
