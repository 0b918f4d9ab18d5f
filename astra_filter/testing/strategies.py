"""Hypothesis strategies for a schema: resources, filters, texts of filters, list requests, and garbage.

All shrink to small, readable cases.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from astra_filter.fields import Open
from astra_filter.testing import generate
from astra_filter.wording import testing as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from astra_filter.filter import Filter
    from astra_filter.schema import Schema


def resources(schema: Schema) -> st.SearchStrategy[Any]:
    """Return a strategy for one resource: one of `datasets`."""
    _refuse_open(schema)
    return _made(lambda pick: generate.dataset(schema, pick, 1)[0])


def datasets(schema: Schema, most: int = 8) -> st.SearchStrategy[list[Any]]:
    """Return a strategy for lists of resources that a table for the schema can hold (SPEC §5).

    Required columns are filled and keys are unique. Anything else may be null, missing or of another type; strings are
    look-alikes of each other; numbers and timestamps stand at the edges of their ranges, in every form that data may
    have them in (SPEC §4.7).

    Args:
        schema: not an open one.
        most: the most resources; there is at least one.

    Raises:
        SchemaError: an open schema.
    """
    _refuse_open(schema)
    return _made(lambda pick: generate.dataset(schema, pick, most))


def filters(schema: Schema, near: Iterable[object] = ()) -> st.SearchStrategy[Filter]:
    """Return a strategy for filters of every operator, field type, nesting and quoting.

    Args:
        schema: not an open one.
        near: resources that literals are taken from, so that filters select some and not all.

    Raises:
        SchemaError: an open schema, or one that allows no test.
    """
    near = _nearby(schema, near)
    return _made(lambda pick: schema.compile(generate.filter_text(schema, pick, near)))


def filter_texts(schema: Schema, near: Iterable[object] = ()) -> st.SearchStrategy[str]:
    """Return a strategy for texts: most are valid filters in any spelling, some are near-valid garbage.

    Arguments and errors are those of `filters`.
    """
    near = _nearby(schema, near)

    def make(pick: generate.Pick) -> str:
        text = generate.filter_text(schema, pick, near, wild=True)
        return generate.mutated(text, pick) if pick(4) == 3 else text

    return _made(make)


def queries(schema: Schema, near: Iterable[object] = ()) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Return a strategy for the decoded parameters of valid list requests (SPEC §6), without ``continue``.

    Arguments and errors are those of `filters`.
    """
    _refuse_open(schema)
    near = list(near)
    return _made(lambda pick: generate.query(schema, pick, near))


def mutations(text: str) -> st.SearchStrategy[str]:
    """Return a strategy for near-valid garbage: ``text`` with pieces lost, doubled, moved or replaced."""
    return _made(lambda pick: generate.mutated(text, pick))


def _nearby(schema: Schema, near: Iterable[object]) -> list[object]:
    _refuse_open(schema)
    if not generate.is_testable(schema):
        raise wording.nothing_to_test()
    return list(near)


def _refuse_open(schema: Schema) -> None:
    if isinstance(schema.root, Open):
        raise wording.nothing_to_make()


@cache
def _below(bound: int) -> st.SearchStrategy[int]:
    return st.integers(0, bound - 1)


@st.composite
def _made(draw: st.DrawFn, make: Callable[[generate.Pick], Any]) -> Any:
    return make(lambda bound: draw(_below(bound)))
