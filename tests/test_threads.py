"""One schema used by 16 threads at once gives the answers it gives alone, and its cache keeps its bound (SPEC §8)."""

from __future__ import annotations

import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from schemas import SCHEMAS, TASK

from astra_filter import FilterError, QueryError, Schema
from astra_filter.fields import Number, String
from astra_filter.meaning.shapes import Shapes
from astra_filter.memo import CACHE_BYTES, Budget
from astra_filter.sql import DIALECTS
from astra_filter.testing import generate

if TYPE_CHECKING:
    from collections.abc import Iterator

# Tracing lines would take longer than the tests; quicker tests run the same lines.
pytestmark = [pytest.mark.slow, pytest.mark.no_cover]

THREADS = 16


@pytest.fixture(autouse=True)
def _switch_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def texts_for(schema: Schema, seed: int, count: int) -> tuple[list[Any], list[str]]:
    """Return resources, and texts of which many share a shape and some are no filters."""
    numbers = random.Random(seed)

    def pick(bound: int) -> int:
        return int(numbers.random() * bound)

    resources = generate.dataset(schema, pick)
    texts = []
    for _ in range(count):
        text = generate.filter_text(schema, pick, resources, wild=pick(2) == 1)
        texts += [text, text.replace("a", "b"), generate.mutated(text, pick)]
    return resources, texts


def answer(schema: Schema, shapes: Shapes, resources: list[Any], text: str) -> object:
    """Return everything that a text comes to."""
    try:
        bound = shapes.compile(text, schema.limits)
        chosen = schema.compile(text)
    except FilterError as error:
        return error.problems
    assert bound.root == chosen.syntax.root
    return (
        bound.values,
        str(chosen),
        [chosen.matches(resource) for resource in resources],
        [chosen.sql(dialect) for dialect in DIALECTS],
        chosen.sql("postgresql", placeholders="$1", first=3),
    )


@pytest.mark.parametrize(("name", "entries"), [("task", 1024), ("documents", 1024), ("columns", 3), ("binary", 1)])
def test_sixteen_threads_answer_as_one(name: str, entries: int) -> None:
    alone = SCHEMAS[name]
    resources, texts = texts_for(alone, 1, 25)
    expected = {text: answer(alone, Shapes(alone), resources, text) for text in texts}
    shared = Schema(alone.root.members, key=alone.key, binary=alone.binary, sqlite_fold=True)  # type: ignore[union-attr]
    shapes = Shapes(shared, entries=entries)
    together = threading.Barrier(THREADS)

    def work(number: int) -> list[str]:
        mine = list(texts)
        random.Random(number).shuffle(mine)
        together.wait()
        return [text for text in mine if answer(shared, shapes, resources, text) != expected[text]]

    with ThreadPoolExecutor(THREADS) as pool:
        wrong = [text for texts in pool.map(work, range(THREADS)) for text in texts]
    assert wrong == []
    assert 1 <= len(shapes) <= entries


def test_one_filter_in_sixteen_threads() -> None:
    """Its functions and statements are made when first asked for, which all ask for at once."""
    resources, _ = texts_for(TASK, 2, 0)
    alone = TASK.compile("name contains 'a' or state in ('running') and not percentDone lt 5")
    expected = (alone.select(resources), [alone.sql(dialect) for dialect in DIALECTS], hash(alone), alone.fingerprint)
    for _ in range(20):
        shared = Schema(TASK.root.members, key="id", sqlite_fold=True).compile(str(alone))  # type: ignore[union-attr]
        together = threading.Barrier(THREADS)

        def work(_: int, shared: Any = shared, together: Any = together) -> object:
            together.wait()
            statements = [shared.sql(dialect) for dialect in DIALECTS]
            return shared.select(resources), statements, hash(shared), shared.fingerprint

        with ThreadPoolExecutor(THREADS) as pool:
            assert all(found == expected for found in pool.map(work, range(THREADS)))


def test_list_requests_in_sixteen_threads() -> None:
    resources, texts = texts_for(TASK, 3, 15)

    def ask(text: str) -> object:
        try:
            query = TASK.query([("filter", text), ("orderBy", "name desc"), ("include", "id,name"), ("limit", "2")])
        except QueryError as error:
            return error.problems
        page = query.page(resources)
        return page, query.sql("tasks", "sqlite")

    expected = [ask(text) for text in texts]
    with ThreadPoolExecutor(THREADS) as pool:
        for found in pool.map(lambda _: [ask(text) for text in texts], range(THREADS)):
            assert found == expected


def held(shapes: Shapes) -> int:
    """Return the bytes of what is there."""
    return sum(template.weight + template.memo.held for template in shapes._templates.values())


@pytest.mark.parametrize("bound", [{"entries": 5}, {"budget": 200_000}])
def test_cache_of_shapes_is_bounded(bound: dict[str, int]) -> None:
    """By shapes and by what they hold, however many shapes come (SPEC §8)."""
    most = bound.get("budget", CACHE_BYTES)
    shapes = Shapes(TASK, bound.get("entries", 1024), Budget(most))
    for number in range(200):
        text = " or ".join(["name eq 'a'"] * (number % 60 + 1))
        template = shapes.compile(text, TASK.limits).template
        if number % 3 == 0:
            template.memo.made(number, str, "x" * 500)
        assert len(shapes) <= bound.get("entries", 200)
        assert shapes.info() == (len(shapes), held(shapes), most)
        assert held(shapes) <= most
    kept = list(shapes._templates)
    shapes.compile("name eq 'a'", TASK.limits)
    assert len(shapes._templates) >= 1
    assert kept != list(shapes._templates)


def test_cached_shape_moves_to_the_end() -> None:
    shapes = Shapes(TASK, entries=2)
    first = shapes.compile("name eq 'a'", TASK.limits).template
    shapes.compile("name ne 'a'", TASK.limits)
    assert shapes.compile("name eq 'b'", TASK.limits).template is first
    shapes.compile("name lt 'a'", TASK.limits)
    assert shapes.compile("name eq 'c'", TASK.limits).template is first


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("name eq 'a'", "name eq 'it''s'", True),
        ("percentDone eq 1", "percentDone eq -2.5E+3", True),
        ("`name` eq 'a'", "`name` eq 'b'", True),
        ("`name` eq 'a' and percentDone eq 1", "`name` eq '' and percentDone eq 0", True),
        ("percentDone in (null, 1)", "percentDone in (null, 0.5)", True),
        ("percentDone in (null, 1)", "percentDone in (NULL, 1)", False),
        ("`name` eq 'a'", "`state` eq 'paused'", False),
        ("name eq 'a'", "`name` eq 'a'", False),
        ("name eq 'a'", "name  eq 'a'", False),
        ("percentDone eq 1", "percentDone eq null", False),
        ("percentDone in (1, null)", "percentDone in (null, 1)", False),
    ],
)
def test_what_shares_a_shape(first: str, second: str, shared: bool) -> None:
    """Texts that differ in their literals only, whose kinds are the same."""
    one, other = TASK.compile(first), TASK.compile(second)
    assert (one.template is other.template) == shared
    assert (str(one), str(other)) == tuple(
        str(Schema(TASK.root.members, key="id", sqlite_fold=True).compile(t)) for t in (first, second)
    )  # type: ignore[union-attr]


def test_true_false_and_null_are_part_of_the_shape() -> None:
    schema = SCHEMAS["columns"]
    first = schema.compile("yes eq true and ok in (false, null, True) and yes ne false")
    other = schema.compile("yes eq false and ok in (false, null, True) and yes ne false")
    again = schema.compile("yes eq true and ok in (false, null, True) and yes ne false")
    assert first.template is again.template is not other.template
    assert first.literals == again.literals == (True, False, None, True, False)
    assert first.sql("sqlite").text == other.sql("sqlite").text


def test_literals_of_the_shape_stand_between_those_that_are_bound() -> None:
    schema = Schema({"n": Number(nullable=True), "s": String(nullable=True)})
    texts = [f"n in (null, {n}, null, {n + 1}) or s in ('{n}', null) or n eq null" for n in (1, 5)]
    first, other = [schema.compile(text) for text in texts]
    assert first.template is other.template
    assert other.literals == (None, "5", None, "6", "5", None, None)
    assert other.values == (None, 5.0, None, 6.0, "5", None, None)


def test_the_bound_of_the_cache_is_kept_by_all_threads_together() -> None:
    """What is counted is what is there: to put a shape in and to drop one is one step for the others."""
    texts = ["name eq 'a'" + " or name eq 'a'" * count for count in range(8)]
    for repetition in range(3):
        shapes = Shapes(TASK, entries=2)

        def work(number: int, shapes: Shapes = shapes) -> None:
            numbers = random.Random(number)
            for _ in range(150):
                shapes.compile(numbers.choice(texts), TASK.limits)

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(work, range(THREADS * repetition, THREADS * (repetition + 1))))
        assert shapes.info().held == held(shapes)
        assert len(shapes) <= 2
