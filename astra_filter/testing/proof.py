"""The proof for a schema of one's own: random data and filters on the reference, the predicate and any databases."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astra_filter.testing.laws import laws
from astra_filter.testing.oracle import Table, compare, shown
from astra_filter.testing.strategies import datasets, filters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astra_filter.filter import Filter
    from astra_filter.schema import Schema


@dataclass
class Proof:
    """How much was compared, without a difference."""

    backends: int = 2
    """The reference evaluator, the predicate and the databases."""
    datasets: int = 0
    pairs: int = 0
    """Of a filter and a data set, each on every backend."""
    rows: int = 0
    """Answers compared: of each filter on each resource of its data set."""
    selected: int = 0
    """How many of them were yes."""

    def __str__(self) -> str:
        return (
            f"{self.pairs:,} pairs of a filter and a data set, {self.rows:,} answers ({self.selected:,} of them yes), "
            f"each on {self.backends} backends, with no difference"
        )


def prove(schema: Schema, *connections: Any, examples: int = 100) -> Proof:
    """Compare random filters on random data, and the laws of SPEC §4, everywhere.

    Args:
        schema: any but an open one.
        connections: databases to prove it on, besides the predicate: connections as `Table` takes them, each used for
            this alone; PostgreSQL's in autocommit mode. Temporary tables are made and dropped.
        examples: random data sets; on each, a few filters are run.

    Returns:
        How much was compared.

    Raises:
        AssertionError: something differs; shows the smallest case found, with filter, resource, SQL and parameters.
    """
    proof = Proof(backends=2 + len(connections))
    with ExitStack() as stack:
        tables = [stack.enter_context(Table(connection, schema)) for connection in connections]

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            report_multiple_bugs=False,  # Several would come as an `ExceptionGroup`.
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(st.data())
        def run(data: st.DataObject) -> None:
            resources = data.draw(datasets(schema), label="resources")
            for table in tables:
                table.fill(resources)
            chosen = data.draw(st.lists(filters(schema, near=resources), min_size=2, max_size=5), label="filters")
            proof.datasets += 1
            for each in chosen:
                _count(proof, resources, compare(resources, each, tables))
            check_laws(schema, resources, chosen[0], chosen[1], tables)

        run()
    return proof


def check_laws(
    schema: Schema, resources: Sequence[object], first: Filter, second: Filter, tables: Sequence[Table] = ()
) -> None:
    """Assert that all `laws` of two filters of a schema hold, on the predicate and on tables that are filled."""
    everything = range(len(resources))

    def select(chosen: Filter) -> list[int]:
        return [index for index in everything if chosen.matches(resources[index])]

    for law in laws(first, second):
        left, right = schema.compile(law.left), schema.compile(law.right)
        for where, run in (("Filter.matches", select), *[(table.dialect, table.select) for table in tables]):
            one, other = run(left), run(right)
            if law.opposite:
                other = [index for index in everything if index not in other]
            if one != other:
                apart = [f"  row     {resources[i]!r}" for i in everything if (i in one) != (i in other)]
                lines = [*shown(where, left), *shown(where, right, apart)]
                raise AssertionError("\n".join([f"{law.name} does not hold on {where}", *lines]))


def _count(proof: Proof, resources: Sequence[object], selected: Sequence[int]) -> None:
    proof.pairs += 1
    proof.rows += len(resources)
    proof.selected += len(selected)
