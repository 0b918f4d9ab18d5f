"""The proof for a model of SQLAlchemy or Django: random rows made through the ORM, filtered, ordered and paged."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from astra_filter.language.names import path_text
from astra_filter.testing import generate, reference
from astra_filter.wording import testing as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from astra_filter.filter import Filter
    from astra_filter.query import ListQuery, Page
    from astra_filter.schema import Schema


@dataclass
class ModelProof:
    """How much was compared, without a difference."""

    columns: int = 0
    """The scalars and arrays of the schema."""
    rows: int = 0
    filters: int = 0
    """Each with its opposite."""
    answers: int = 0
    """Of each filter on each row."""
    selected: int = 0
    """How many of them were yes."""
    walks: int = 0
    pages: int = 0

    def __str__(self) -> str:
        return (
            f"{self.columns:,} columns, {self.rows:,} rows, {self.filters:,} filters, {self.answers:,} answers "
            f"({self.selected:,} of them yes), {self.walks:,} walks over {self.pages:,} pages, with no difference"
        )


class Rows(Protocol):
    """The rows of a model, as an ORM makes and finds them."""

    schema: Schema

    def made(self, pick: generate.Pick, count: int) -> AbstractContextManager[None]:
        """Make that many rows, and related ones; they are gone at the end."""

    def items(self) -> list[Any]:
        """Return what a page shows of each row, in the order that `select` counts in."""

    def select(self, chosen: Filter) -> list[int]:
        """Return which rows the database selects, ascending."""

    def page(self, query: ListQuery) -> Page:
        """Answer a list request from the database."""


def prove_model(
    model: Any,
    session_factory: Any = None,
    *,
    schema: Schema | None = None,
    examples: int = 10,
    rows: int = 15,
    filters: int = 20,
    walks: int = 5,
    seed: int = 0,
    make: Callable[[Random], Any] | None = None,
) -> ModelProof:
    """Compare what the database answers for a model with what the predicate says of its rows.

    Rows are made through the ORM, in a transaction that is rolled back; the tables must be there.

    Args:
        model: a class mapped by SQLAlchemy, or a model of Django.
        session_factory: makes a `Session`, as ``sessionmaker(engine)`` does; for Django the alias of the database.
        schema: what is proved; default what the adapter's ``schema(model)`` gives.
        examples: how often new rows are made.
        rows: how many, each time.
        filters: random filters on the rows of an example, each with its opposite.
        walks: random orders on the rows of an example, whose pages are all read; none without a key.
        seed: another one makes other rows and filters.
        make: returns an instance of the model that is not stored yet, where random ones would break a rule of its own.

    Returns:
        How much was compared.

    Raises:
        SchemaError: the schema cannot be made, or a value for a column that must have one.
        AssertionError: something differs; shows the filter or the request, and the rows.
    """
    random = Random(seed)  # noqa: S311  # To be made again, not to be secret.
    found = _rows(model, session_factory, schema, None if make is None else lambda: make(random))
    proof = ModelProof(columns=len(found.schema.leaves))
    testable = generate.is_testable(found.schema)
    for _ in range(examples):
        with found.made(random.randrange, rows):
            items = found.items()
            proof.rows += len(items)
            for _ in range(filters if testable else 0):
                _filter(found, items, generate.filter_text(found.schema, random.randrange, items), proof)
            for _ in range(walks if found.schema.key is not None else 0):
                _walk(found, items, random, proof, testable=testable)
    return proof


def _rows(model: Any, session_factory: Any, schema: Schema | None, make: Callable[[], Any] | None) -> Rows:
    if isinstance(model, type) and hasattr(model, "_meta") and "django" in sys.modules:
        from astra_filter.testing.django_rows import DjangoRows  # Django is not there for all.

        return DjangoRows(model, session_factory or "default", schema, make)
    if not isinstance(model, type) or not callable(session_factory):
        raise wording.unknown_model(model)
    from astra_filter.testing.sqlalchemy_rows import SQLAlchemyRows  # As above.

    return SQLAlchemyRows(model, session_factory, schema, make)


def _filter(found: Rows, items: Sequence[Any], text: str, proof: ModelProof) -> None:
    proof.filters += 1
    for each in (text, f"not ({text})"):
        chosen = found.schema.compile(each)
        expected = [index for index, item in enumerate(items) if reference.matches(chosen, item)]
        matched = [index for index, item in enumerate(items) if chosen.matches(item)]
        selected = found.select(chosen)
        proof.answers += len(items)
        proof.selected += len(expected)
        for where, answer in (("Filter.matches", matched), ("the database", selected)):
            if answer != expected:
                apart = [
                    f"  {'missing' if index in expected else 'surplus'} {items[index]!r}"
                    for index in range(len(items))
                    if (index in expected) != (index in answer)
                ]
                raise AssertionError("\n".join([f"{where} differs from the reference", f"  filter  {chosen}", *apart]))


def _settled(page: Page) -> tuple[Any, ...]:
    """Return a page without the order of related rows, of which nothing is said."""
    return [_unordered(item) for item in page.items], page.more, page.next_token, page.total


def _unordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unordered(inner) for name, inner in value.items()}
    if isinstance(value, list) and any(isinstance(element, dict) for element in value):
        return sorted(map(_unordered, value), key=repr)
    return value


def _walk(found: Rows, items: Sequence[Any], random: Random, proof: ModelProof, *, testable: bool) -> None:
    schema = found.schema
    sortable = [path for path, leaf in schema.leaves.items() if leaf.sortable]
    chosen = dict.fromkeys(random.choice(sortable) for _ in range(random.randrange(1, 4)))
    order = ", ".join(path_text(path) + random.choice(("", " desc")) for path in chosen)
    parameters = {"orderBy": order, "limit": str(random.randrange(1, 5)), "count": "true"}
    if testable and random.randrange(2):
        parameters["filter"] = generate.filter_text(schema, random.randrange, items)
    proof.walks += 1
    for _ in range(len(items) + 1):
        query = schema.query(parameters)
        expected, given = query.page(items), found.page(query)
        proof.pages += 1
        if _settled(given) != _settled(expected):
            lines = [f"  {name}={value}" for name, value in parameters.items()]
            shown = [f"  expected {expected!r}", f"  given    {given!r}"]
            raise AssertionError("\n".join(["a page differs from the reference", *lines, *shown]))
        if given.next_token is None:
            return
        parameters["continue"] = given.next_token
    raise AssertionError("\n".join(["a walk does not end", *(f"  {n}={v}" for n, v in parameters.items())]))
