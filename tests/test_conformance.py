"""Every conformance case, on the Python predicate and on every database (SPEC §4, §5); `cases` tells their format."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from datetime import UTC, date, datetime
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cases import Case, Suite, identity, suites

from astra_filter import FilterError, StorageError, fields, parse
from astra_filter.filter import Filter
from astra_filter.language.operators import Kind
from astra_filter.meaning.conditions import AllOf, AnyOf, Compare, Condition, In, IsNull, Some
from astra_filter.meaning.shapes import Bound
from astra_filter.sql.dialects import DIALECTS
from astra_filter.syntax.nodes import And, Comparison, Element, Membership, Node, Not, Or, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from databases.backends import Backend, Table

    from astra_filter import Schema
    from astra_filter.language.span import Span

    Tables = Callable[[Backend, Suite, bool], Table]

CASES = [
    pytest.param(suite, case, id=f"{suite.name}-{number}-{case.filter[:40].encode('unicode_escape').decode()}")
    for suite in suites()
    for number, case in enumerate(suite.cases)
]
SELECTING = [param for param in CASES if param.values[1].ids is not None]
STORED = [param for param in SELECTING if param.values[0].only is None]
REFUSED = [param for param in CASES if param.values[1].problems is not None]


def opposite(schema: Schema, text: str) -> Filter:
    """Compile the complement of a filter, which may stand at the limits."""
    limits = schema.limits
    room = limits._replace(nesting=limits.nesting + 2, text_length=limits.text_length + len("not ()"))
    return schema.compile(f"not ({text})", limits=room)


@pytest.mark.parametrize(("suite", "case"), SELECTING)
def test_predicate(suite: Suite, case: Case) -> None:
    compiled = suite.schema.compile(case.filter)
    assert tuple(map(identity, compiled.select(suite.rows))) == case.ids
    assert tuple(identity(row) for row in suite.rows if compiled.matches(row)) == case.ids
    others = opposite(suite.schema, case.filter).select(suite.rows)
    assert [identity(row) for row in others] == [identity(row) for row in suite.rows if identity(row) not in case.ids]


@pytest.mark.parametrize(("suite", "case"), SELECTING)
def test_canonical_text(suite: Suite, case: Case) -> None:
    compiled = suite.schema.compile(case.filter)
    text = str(compiled)
    if case.canonical is not None:
        assert text == case.canonical
    again = suite.schema.compile(text)
    assert again == compiled
    assert str(again) == text
    # The schema may allow less or more than the default limits, by which `parse` goes.
    if len(text) <= len(case.filter):
        assert parse(text) == parse(case.filter) == compiled.syntax


@pytest.mark.parametrize(("suite", "case"), REFUSED)
def test_refusal(suite: Suite, case: Case) -> None:
    with pytest.raises(FilterError) as caught:
        suite.schema.compile(case.filter)
    assert [(problem.code, tuple(problem.span)) for problem in caught.value.problems] == list(case.problems)
    if case.hint is not None:
        assert caught.value.hint == case.hint


def test_the_example_for_contributors() -> None:
    page = Path(__file__).parents[1] / "CONTRIBUTING.md"
    [block] = re.findall(r"^```json\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    for document in json.loads(block):
        suite = Suite("example", document)
        for case in suite.cases:
            (test_refusal if case.ids is None else test_predicate)(suite, case)


# Databases -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    """Tables of the suites' rows, each made when first asked for."""
    made: dict[tuple[str, str, bool], Table] = {}
    with ExitStack() as stack:

        def table(backend: Backend, suite: Suite, binary: bool) -> Table:
            key = (backend.name, suite.name, binary)
            if key not in made:
                schema = suite.make_schema(binary=binary)
                made[key] = stack.enter_context(
                    backend.table(schema, suite.rows, temporary=backend.name != "mysql", hostile=not binary)
                )
            return made[key]

        yield table


@pytest.mark.parametrize(("suite", "case"), STORED)
def test_database(backend: Backend, tables: Tables, suite: Suite, case: Case) -> None:
    positions = [position for position, row in enumerate(suite.rows) if identity(row) in case.ids]
    others = [position for position in range(len(suite.rows)) if position not in positions]
    # Declared binary, on columns that are; and undeclared, on columns that fold case and accents.
    for binary in (True, False):
        if backend.name in suite.beyond:
            with pytest.raises(StorageError):
                suite.make_schema(binary=binary).create_table("t", backend.name)
            continue
        table = tables(backend, suite, binary)
        compiled = table.schema.compile(case.filter)
        if backend.name in case.beyond:
            with pytest.raises(StorageError):
                compiled.sql(backend.name)
            continue
        assert table.select(compiled) == positions
        assert table.select(opposite(table.schema, case.filter)) == others


@pytest.mark.parametrize(
    "suite", {pair.values[0].name: pair.values[0] for pair in STORED}.values(), ids=lambda s: s.name
)
def test_page(backend: Backend, tables: Tables, suite: Suite) -> None:
    """Whole rows come out alike in memory and from every database (SPEC §6)."""
    if backend.name in suite.beyond:
        pytest.skip("it holds no such table")
    table = tables(backend, suite, True)
    query = table.schema.query("count=true")
    in_memory = query.page(suite.rows)
    statement, counting = (make(table.name, backend.name) for make in (query.sql, query.count_sql))
    [(total,)] = backend.execute(*counting)
    assert query.page_from_rows(backend.execute(*statement), total=total) == in_memory
    assert len(in_memory.items) == len(suite.rows)


# The text of the SQL -------------------------------------------------------------------------------------------------

HOSTILE = (
    "x' OR 1=1 --",
    "'",
    "''; DROP TABLE rows_0; --",
    '"',
    "`",
    "\\",
    "\\'",
    "%s",
    "%",
    "?",
    "$1",
    ":p1",
    "*/",
    "é\U0001f600",
    "",
)
OTHERS: dict[str, Sequence[str]] = {
    "uuid": ("{00000000-0000-0000-0000-000000000000}", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"),
    "timestamp": ("0001-01-01", "9999-12-31T23:59:59.999999Z", "2020-08-06t14:24:52+02:00"),
    "date": ("0001-01-01", "9999-12-31"),
    "integer": ("-9223372036854775808", "9223372036854775807", "0"),
    "number": ("-1.5E-300", "1e308", "0"),
    "decimal": ("-0.001", "1e999999999999999999999", "12345678901234567890.12", "0"),
    "boolean": ("TRUE", "false"),
}  # fmt: skip


def slots(node: Node) -> Iterator[Slot]:
    match node:
        case Comparison(slot=slot):
            yield slot
        case Membership(slots=several):
            yield from several
        case Not(operand):
            yield from slots(operand)
        case Element(condition=condition):
            yield from slots(condition)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from slots(operand)


def slot_fields(condition: Condition) -> Iterator[tuple[int, fields.Field]]:
    match condition:
        case IsNull():
            return
        case Compare(ref=ref, slot=slot):
            yield slot, ref.field
        case In(ref=ref, slots=several):
            yield from ((slot, ref.field) for slot in several)
        case Some(condition=inner):
            yield from slot_fields(inner)
        case AllOf(operands) | AnyOf(operands):
            for operand in operands:
                yield from slot_fields(operand)


def substituted(compiled: Filter, text: str) -> str:
    """Return the filter's text with every literal replaced by another of its kind, hostile where any text will do."""
    found = dict(slot_fields(compiled.template.condition))
    supply: dict[int, Iterator[str]] = {}
    root = parse(text, compiled.declaration.limits).root
    replaced = [(span, f"`{key.replace('`', '``')}`") for span, key in zip(key_spans(root, compiled), cycle(KEYS))]
    # The spans in the template are those of the first text of the shape.
    for slot in slots(root):
        if slot.kind is Kind.NULL:
            continue
        if compiled.template.variant and slot.number not in found:
            continue  # The test is constant, which is part of the shape.
        field = found[slot.number]
        if isinstance(field, fields.Enum):
            values: Sequence[str] = field.values[::-1]
        else:
            values = HOSTILE if isinstance(field, fields.String) else OTHERS[field.type]
        value = next(supply.setdefault(id(field), cycle(values)))
        quoted = "'" + value.replace("'", "''") + "'" if slot.kind is Kind.STRING else value
        replaced.append((slot.span, quoted))
    pieces: list[str] = []
    end = 0
    for span, other in sorted(replaced):
        pieces += (text[end : span.start], other)
        end = span.end
    return "".join((*pieces, text[end:]))


KEYS = [text for text in HOSTILE if text] + ["$", "-", "a.b", "env", '"$', "~1"]


def key_spans(root: Node, compiled: Filter) -> Iterator[Span]:
    """Yield the places of the keys of maps."""

    def visit(node: Node, owner: fields.Field) -> Iterator[Span]:
        match node:
            case Comparison(path) | Membership(path) | Element(path):
                for name, span in zip(path.names, path.spans, strict=True):
                    if isinstance(owner, fields.Map):
                        yield span
                    owner = owner.members[name] if isinstance(owner, fields.Object) else owner
                    owner = owner.items if isinstance(owner, fields.Array) else owner
                if isinstance(node, Element):
                    yield from visit(node.condition, owner)
            case Not(operand):
                yield from visit(operand, owner)
            case And(operands) | Or(operands):
                for operand in operands:
                    yield from visit(operand, owner)

    return visit(root, compiled.declaration.root)


@pytest.mark.parametrize(("suite", "case"), STORED)
@pytest.mark.slow
def test_sql_text_depends_on_the_shape_alone(suite: Suite, case: Case) -> None:
    """SPEC §5: nothing of a filter's text ever appears in the SQL text."""
    compiled = suite.schema.compile(case.filter)
    # A schema of its own each, so that no text comes out of the other's cache.
    schema = suite.make_schema()
    wider = schema.limits._replace(text_length=2**20)
    other = schema.compile(substituted(compiled, case.filter), limits=wider)
    if not any(isinstance(literal, bool) for literal in compiled.literals):  # Those are part of the shape.
        assert schema.compile(case.filter, limits=wider).shape == other.shape
    for dialect in DIALECTS.keys() - set(case.beyond):
        for style in DIALECTS[dialect].placeholders:
            text = compiled.sql(dialect, placeholders=style).text
            assert other.sql(dialect, placeholders=style).text == text
            forced, passed = forced_values(other, schema, dialect, style)
            assert forced.text == text
            held = tuple(forced.params.values() if isinstance(forced.params, dict) else forced.params)
            assert passed <= set(held)


def forced_values(compiled: Filter, schema: Schema, dialect: str, style: str) -> tuple[Any, set[str]]:
    """Bind values that no literal could have got past the check; return the SQL and the hostile texts among them."""
    supply = cycle(HOSTILE)
    values = []
    for value in compiled.values:
        if isinstance(value, str):
            values.append(next(supply))
        elif isinstance(value, datetime):
            values.append(datetime(1, 1, 1, tzinfo=UTC))
        elif isinstance(value, date):
            values.append(date(1, 1, 1))
        else:
            values.append(value)
    bound = Bound(compiled.template, compiled.syntax.root, compiled.literals, tuple(values))
    form = DIALECTS[dialect].bind_key or str
    texts = [(value, place >= len(compiled.literals)) for place, value in enumerate(values) if isinstance(value, str)]
    passed = {form(value) if is_key else value for value, is_key in texts}
    return Filter(schema, bound).sql(dialect, placeholders=style), passed
