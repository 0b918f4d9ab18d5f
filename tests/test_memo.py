"""The memo: what was made for a key is kept, but not without bound."""

from __future__ import annotations

import gc
import random
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from astra_filter import Schema, fields
from astra_filter.memo import Budget, Memo


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


# Bytes ----------------------------------------------------------------------------------------------------------------


def test_the_bytes_of_what_is_kept_are_bounded():
    budget = Budget(10_000)
    memo = Memo(100, budget, most=3_000)
    for number in range(50):
        memo.made(number, str, "x" * (number * 20))
        assert memo.held == budget.held <= 3_000
    assert 0 < len(memo) < 50
    kept = len(memo)
    memo.made("heavy", str, "x" * 3_000)
    assert len(memo) == kept, "what is too heavy drives nothing out"
    assert memo.made("heavy", str, "again") == "again"


def test_the_budget_sheds_when_it_is_spent():
    budget = Budget(1_000)
    calls = []
    budget.shed = lambda: calls.append(budget.held)
    memo = Memo(100, budget, most=5_000)
    memo.made(1, str, "x" * 500)
    assert calls == []
    memo.made(2, str, "x" * 500)
    assert calls == [memo.held]
    assert memo.detach() == memo.held
    memo.made(3, str, "x" * 500)
    assert calls == [budget.held]
    assert budget.held < memo.held


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("tests", None),
        ("tests", "postgresql"),
        ("list", None),
        ("list", "sqlite"),
        ("arrays", None),
        ("arrays", "postgresql"),
        ("one", None),
    ],
)
def test_what_is_counted_is_what_is_held(text: str, dialect: str | None):
    """Within a factor of two and a half, which the bound's own roundness covers."""
    texts = {
        "tests": " and ".join(["name eq 'a'"] * 200),
        "list": f"id in ({','.join(['1'] * 1000)})",
        "arrays": " or ".join(["l.i gt 5"] * 200),
        "one": "id eq 1",
    }
    members = {
        "id": fields.Integer(),
        "name": fields.String(),
        "l": fields.Array(fields.Object({"i": fields.Integer()})),
    }

    def used(schema: Schema) -> None:
        chosen = schema.compile(texts[text])
        if dialect is None:
            chosen.select([])
        else:
            chosen.sql(dialect)

    used(Schema(members, key="id"))  # What is imported and made once for all schemas does not count.
    schema = Schema(members, key="id")
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    used(schema)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert held / 2.5 < schema.cache_info().held < held * 2.5


def test_no_request_fills_the_memory():
    """Permuted names under a page with a long filter took a server from 64 to 2,857 MiB."""
    schema = Schema(
        {
            "id": fields.Integer(),
            "l": fields.Array(fields.Object({"i": fields.Integer(nullable=True)}), nullable=True),
            **{f"k{number}": fields.Number(nullable=True) for number in range(8)},
        },
        key="id",
    )
    numbers = random.Random(5)
    names = list(schema.root.members)
    parameters = {"filter": " and ".join(f"l.i gt {number}" for number in range(100)), "limit": "5"}
    for round_ in range(120):
        numbers.shuffle(names)
        order = ",".join(f"{name} desc" for name in names[:4] if name != "l")
        query = schema.query({**parameters, "include": ",".join(names), "orderBy": order})
        query.sql("t", "postgresql")
        query.sql("t", "sqlite", alias=f"a{round_}")
        schema.compile(f"id eq 1 or {' or '.join(['k1 gt 2'] * (round_ + 1))}").select([])
        info = schema.cache_info()
        assert 0 < info.held <= info.most
        assert info.shapes > 0
    tokens = query.request.tokens
    assert tokens is not None
    before = schema.cache_info().held
    page = schema.query(
        {**parameters, "orderBy": order, "continue": tokens.write((*[1.5] * (len(query.order.keys) - 1), 7))}
    )
    assert len(page.sql("t", "postgresql").text) > 65_536
    assert schema.cache_info().held < before + 20_000, "a very long statement is not kept"
