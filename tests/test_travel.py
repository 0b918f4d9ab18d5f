"""Schemas, filters and list requests go to other processes and come back, equal; what is kept of them stays behind."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import random
from typing import Any

import pytest
from schemas import SCHEMAS, TASK

from astra_filter import Filter, ListQuery, Schema, compile, fields
from astra_filter.limits import MOST_NESTING, Limits
from astra_filter.testing import generate

RESOURCES = [{"name": name, "state": state} for name in ("a", "b") for state in ("running", "failed", None)]


def travelled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301  # Its own.


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_filters_of_every_schema_travel(name: str) -> None:
    schema = SCHEMAS[name]
    numbers = random.Random(3)

    def pick(bound: int) -> int:
        return int(numbers.random() * bound)

    resources = generate.dataset(schema, pick)
    for _ in range(20):
        chosen = schema.compile(generate.filter_text(schema, pick, resources))
        before = chosen.select(resources)
        again = travelled(chosen)
        assert type(again) is Filter
        assert (again, hash(again), str(again)) == (chosen, hash(chosen), str(chosen))
        assert (again.shape, again.fingerprint) == (chosen.shape, chosen.fingerprint)
        assert again.select(resources) == before
        assert again.sql("sqlite") == chosen.sql("sqlite")


def test_schemas_travel_without_what_they_keep() -> None:
    TASK.compile("name eq 'a'").select(RESOURCES)
    again = travelled(TASK)
    assert type(again) is Schema
    assert (again.signature, repr(again), again.limits) == (TASK.signature, repr(TASK), TASK.limits)
    assert again.cache_info().shapes == 0 < TASK.cache_info().shapes
    assert again.compile("name eq 'a'") == TASK.compile("name eq 'a'")
    assert again.create_table("t", "sqlite") == TASK.create_table("t", "sqlite")
    assert again.cache_info().shapes == 1
    # What is kept does not make it longer.
    assert len(pickle.dumps(TASK)) == len(pickle.dumps(again))
    opened = travelled(compile("a.b[c eq 1] or d contains 'x'"))
    assert opened == compile("a.b[c eq 1] or d contains 'x'")
    assert opened.matches({"d": "xyz"})


def test_list_requests_travel_with_their_place() -> None:
    schema = Schema({"id": fields.Integer(), "at": fields.Timestamp(nullable=True)}, key="id")
    rows = [{"id": number, "at": f"2020-01-0{number}"} for number in range(1, 9)]
    query = schema.query("orderBy=at desc&limit=3&filter=id ne 4&count=true", scope="one", secret="s")
    assert travelled(query) == query
    page = travelled(query).page(rows)
    assert page == query.page(rows)
    assert page.next_token is not None
    following = schema.query(
        [("orderBy", "at desc"), ("limit", "3"), ("filter", "id ne 4"), ("continue", page.next_token)],
        scope="one",
        secret="s",
    )
    again = travelled(following)
    assert type(again) is ListQuery
    assert (again, again.position, again.fingerprint) == (following, following.position, following.fingerprint)
    assert again.page(rows) == following.page(rows)
    assert again.sql("t", "postgresql") == following.sql("t", "postgresql")


@pytest.mark.parametrize("make", [lambda: TASK, lambda: TASK.compile("name eq 'a'"), lambda: TASK.query("limit=1")])
def test_copies_are_the_same_object(make: Any) -> None:
    """None of them ever changes."""
    value = make()
    assert copy.copy(value) is value
    assert copy.deepcopy([value])[0] is value


def test_the_deepest_and_longest_filters_travel() -> None:
    limits = Limits(nesting=MOST_NESTING, tests=2000, text_length=10**6)
    schema = Schema({"id": fields.Integer(nullable=True)}, limits=limits)
    for text in ("(not " * 49 + "id eq 1" + ")" * 49, " or ".join(f"id eq {number}" for number in range(2000))):
        chosen = schema.compile(text)
        assert travelled(chosen) == chosen
        assert travelled(chosen).matches({"id": 1}) == chosen.matches({"id": 1})


def answer(job: tuple[Schema, Filter, ListQuery]) -> tuple[Any, ...]:
    """Return what a process makes of them; it must be importable there."""
    schema, chosen, query = job
    return (
        chosen.select(RESOURCES),
        [schema.compile("name eq 'b'").matches(resource) for resource in RESOURCES],
        str(chosen),
        chosen.fingerprint,
        query.page(RESOURCES).items,
        query.sql("t", "sqlite"),
    )


def test_a_spawned_process_gives_equal_answers() -> None:
    schema = Schema({"name": fields.String(), "state": fields.Enum("running", "failed", nullable=True)})
    job = (schema, schema.compile("state eq 'running' or name ne 'a'"), schema.query("filter=state eq null"))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(answer, [job]) == [answer(job)]
