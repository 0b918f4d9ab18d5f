"""One meaning everywhere, and the laws that follow from it (SPEC §4), on the predicate and on every database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schemas import SCHEMAS, TASK

from astra_filter import Schema, fields
from astra_filter.syntax.printer import string_text
from astra_filter.testing import Table, assert_same, datasets, filters, matches, queries
from astra_filter.testing.laws import rewritten
from astra_filter.testing.oracle import compare
from astra_filter.testing.proof import check_laws

if TYPE_CHECKING:
    from databases.backends import Backend

# Tracing lines would take longer than the tests; quicker tests run the same lines.
pytestmark = [pytest.mark.slow, pytest.mark.no_cover]

EVERY_SCHEMA = pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)


@EVERY_SCHEMA
@given(data=st.data())
def test_predicate_means_what_the_reference_reads(schema: Schema, data: st.DataObject) -> None:
    resources = data.draw(datasets(schema))
    for chosen in data.draw(st.lists(filters(schema, resources), min_size=1, max_size=5)):
        assert_same(schema, resources, chosen)


@EVERY_SCHEMA
@given(data=st.data())
def test_laws_of_the_predicate(schema: Schema, data: st.DataObject) -> None:
    resources = data.draw(datasets(schema))
    check_laws(schema, resources, data.draw(filters(schema, resources)), data.draw(filters(schema, resources)))


@EVERY_SCHEMA
def test_databases_mean_the_same_and_keep_the_laws(schema: Schema, backend: Backend) -> None:
    with Table(backend.connection, schema) as table:  # type: ignore[attr-defined]

        @settings(max_examples=max(settings().max_examples // 4, 10))
        @given(data=st.data())
        def run(data: st.DataObject) -> None:
            resources = data.draw(datasets(schema))
            table.fill(resources)
            chosen = data.draw(st.lists(filters(schema, resources), min_size=2, max_size=4))
            for each in chosen:
                compare(resources, each, [table])
            check_laws(schema, resources, chosen[0], chosen[1], [table])

        run()


# Arrays of one element: there `ne` in a bracket and on the path through the array say the same (SPEC §4.5).

LABELLED = Schema(
    {
        "labels": fields.Array(
            fields.Object(
                {
                    "name": fields.String(),
                    "n": fields.Number(nullable=True),
                    "inner": fields.Array(
                        fields.Object({"at": fields.Timestamp(nullable=True), "on": fields.Boolean()})
                    ),
                }
            )
        )
    }
)


def one_element(value: Any, field: fields.Field) -> Any:
    """Return the value with one element, an object, in each of its arrays."""
    if isinstance(field, fields.Array):
        elements = value if isinstance(value, (list, tuple)) else ()
        return [one_element(elements[0] if elements else {}, field.items)]
    if isinstance(field, fields.Object):
        owner = value if isinstance(value, dict) else {}
        return {name: one_element(owner.get(name), member) for name, member in field.members.items()}
    return value


@given(data=st.data())
def test_bracket_and_path_agree_on_one_element(data: st.DataObject, backend: Backend) -> None:
    resources = [one_element(resource, LABELLED.root) for resource in data.draw(datasets(LABELLED))]  # type: ignore[arg-type]
    operator = data.draw(st.sampled_from(["eq", "ne", "in", "not in"]))
    path, literal = data.draw(
        st.sampled_from(
            [("name", "'a'"), ("n", "1"), ("n", "null"), ("inner.at", "null"), ("inner.on", "true"), ("name", "''")]
        )
    )
    right = f"({literal}, {literal})" if "in" in operator else literal
    dotted = LABELLED.compile(f"labels.{path} {operator} {right}")
    inner, _, name = path.rpartition(".")
    test = f"{name} {operator} {right}"
    bracketed = LABELLED.compile(f"labels[{inner}[{test}]]" if inner else f"labels[{test}]")
    with Table(backend.connection, LABELLED) as table:  # type: ignore[attr-defined]
        table.fill(resources)
        assert compare(resources, dotted, [table]) == compare(resources, bracketed, [table])


TEXTS = Schema({"text": fields.String(), "list": fields.Array(fields.String())})
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=6)


@given(before=ANY_TEXT, middle=ANY_TEXT, after=ANY_TEXT)
def test_text_operators_find_what_was_put_together(before: str, middle: str, after: str, backend: Backend) -> None:
    whole = before + middle + after
    resources = [{"text": whole, "list": [after, whole]}]
    with Table(backend.connection, TEXTS) as table:  # type: ignore[attr-defined]
        table.fill(resources)
        for path in ("text", "list"):
            for test in (
                f"contains {string_text(middle)}",
                f"startswith {string_text(before)}",
                f"endswith {string_text(after)}",
                f"eq {string_text(whole)}",
                f"gte {string_text(before)}",
            ):
                assert compare(resources, TEXTS.compile(f"{path} {test}"), [table]) == [0]


# Open schemas, in Python only (SPEC §3).

OPEN = Schema.open()
JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from([0, 1, 1.0, 2.5, -1, "", "a", "b", "ab", "1", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from("xyz"), JSON, max_size=3)
PATHS = st.lists(st.sampled_from("xyz"), min_size=1, max_size=3).map(".".join)
LITERALS = st.sampled_from(["'a'", "''", "'1'", "1", "1.0", "0", "2.5", "true", "false"])
LISTS = st.lists(LITERALS | st.just("null"), min_size=1).map(", ".join)
OPEN_TESTS = st.one_of(
    st.builds("{} {} {}".format, PATHS, st.sampled_from(["eq", "ne"]), LITERALS | st.just("null")),
    st.builds("{} {} {}".format, PATHS, st.sampled_from(["lt", "gte"]), st.sampled_from(["'a'", "1"])),
    st.builds("{} contains {}".format, PATHS, st.sampled_from(["'a'", "''"])),
    st.builds("{} {} ({})".format, PATHS, st.sampled_from(["in", "not in"]), LISTS),
)
OPEN_FILTERS = st.recursive(
    OPEN_TESTS,
    lambda inner: st.one_of(
        st.builds("{}[{}]".format, PATHS, inner),
        st.builds("not ({})".format, inner),
        st.builds("({}) {} ({})".format, inner, st.sampled_from(["and", "or"]), inner),
    ),
    max_leaves=5,
)


@given(resources=st.lists(OBJECTS, min_size=1, max_size=4), texts=st.lists(OPEN_FILTERS, min_size=2, max_size=4))
def test_open_schemas(resources: list[Any], texts: list[str]) -> None:
    chosen = [OPEN.compile(text) for text in texts]
    for each in chosen:
        assert_same(OPEN, resources, each)
    check_laws(OPEN, resources, chosen[0], chosen[1])


# What the generators promise


@EVERY_SCHEMA
@given(data=st.data())
def test_filters_are_canonical_and_decided(schema: Schema, data: st.DataObject) -> None:
    resources = data.draw(datasets(schema))
    chosen = data.draw(filters(schema, resources))
    assert chosen.declaration is schema
    assert rewritten(chosen, lambda node, _: node) == str(chosen)
    assert all(isinstance(matches(chosen, resource), bool) for resource in resources)


@given(data=st.data())
def test_queries_are_valid(data: st.DataObject) -> None:
    resources = data.draw(datasets(TASK))
    query = TASK.query(data.draw(queries(TASK, resources)), default_limit=3)
    page = query.page(resources)
    expected = [resource for resource in resources if query.filter is None or matches(query.filter, resource)]
    assert query.limit is not None
    assert len(page.items) == min(query.limit, max(0, len(expected) - query.skip))
    assert page.total in (None, len(expected))
