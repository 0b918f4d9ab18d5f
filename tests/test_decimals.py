"""Exact decimals: the grid, literals, data, storage, items, pages and derived schemas (SPEC §3, §5)."""

from __future__ import annotations

import decimal
import json
from decimal import Decimal
from typing import Annotated, TypedDict

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_filter import FilterError, Schema, SchemaError, StorageError, fields
from astra_filter.adapters import openapi
from astra_filter.builder import field
from astra_filter.language.decimals import Grid, read_number
from astra_filter.sql.dialects import DIALECTS

GRIDS = st.integers(1, 40).flatmap(lambda digits: st.builds(Grid, st.just(digits), st.integers(0, digits)))
NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,45})(\.[0-9]{1,45})?([eE][+-]?[0-9]{1,4})?\Z")


@given(GRIDS, NUMBERS, st.integers())
def test_half_steps_order_as_the_literal_does(grid: Grid, text: str, units: int) -> None:
    end = 10**grid.digits - 1
    stored = Decimal((0, (1,), -grid.places)) * 0 + Decimal(max(min(units, end), -end)).scaleb(
        -grid.places, decimal.Context(prec=100)
    )
    literal = Decimal(text)
    reduced = grid.half_step(read_number(text))
    assert (stored < literal, stored == literal, stored > literal) == (
        stored < reduced,
        stored == reduced,
        stored > reduced,
    )
    assert len(reduced.as_tuple().digits) <= grid.digits + 1


@given(GRIDS, NUMBERS)
def test_the_grid_has_a_value_or_not(grid: Grid, text: str) -> None:
    literal = Decimal(text)
    found = grid.on(read_number(text))
    if found is None:
        assert abs(literal) > grid.largest or literal != literal.quantize(grid.unit, context=decimal.Context(prec=9999))
    else:
        assert found == literal
        assert found.as_tuple().exponent == -grid.places
        assert str(found.is_signed()) == str(literal < 0)


def test_the_context_of_the_thread_does_not_matter() -> None:
    with decimal.localcontext(decimal.Context(prec=3, traps=[decimal.Inexact])):
        price = fields.Decimal(20, 2)
        assert price.coerce("123456789012345678.905") == Decimal("123456789012345678.905")
        assert price.read("-123456789012345678.90") == Decimal("-123456789012345678.90")
        assert price.coerce("-1e30") == Decimal("-999999999999999999.995")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.5"), "1.50"),
        (Decimal("-0.00"), "0.00"),
        (Decimal("1E+2"), "100.00"),
        (7, "7.00"),
        (0.1, "0.10"),
        (1e-2, "0.01"),
        ("12.3", "12.30"),
        ("1e2", "100.00"),
        (999999.99, "999999.99"),
        (Decimal("0E-999999999999"), "0.00"),
        (0.105, None),
        ("1.234", None),
        (1000000, None),
        (Decimal("1E+999999999999"), None),
        (Decimal("1E-999999999999"), None),
        (10**4000, None),
        ("9" * 5000, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (Decimal("sNaN"), None),
        (Decimal("Infinity"), None),
        ("", None),
        ("1,5", None),
        (" 1", None),
        ("٣", None),
        ("0x1", None),
        ([1], None),
        (None, None),
    ],
)
def test_data(value: object, text: str | None) -> None:
    price = fields.Decimal(8, 2, nullable=True)
    assert price.output(value) == text
    schema = Schema({"price": price})
    assert schema.query("").page([{"price": value}]).items == [{} if text is None else {"price": text}]
    assert schema.compile("price eq null").matches({"price": value}) is (text is None)


def test_json_numbers_on_request() -> None:
    schema = Schema({"a": fields.Decimal(15, 2, as_number=True), "b": fields.Decimal(5, 0, as_number=True)})
    item = schema.query("").page([{"a": "1234567890123.45", "b": "7"}]).items[0]
    assert json.dumps(item) == '{"a": 1234567890123.45, "b": 7}'
    described = openapi.resource(schema)["properties"]
    assert described["a"] == {"type": "number"}
    assert openapi.resource(Schema({"a": fields.Decimal(5, 2)}))["properties"]["a"] == {
        "type": "string",
        "format": "decimal",
    }


@pytest.mark.parametrize(
    ("arguments", "options", "code"),
    [
        ((0, 0), {}, "bad_digits"),
        ((1001, 0), {}, "bad_digits"),
        ((5.0, 2), {}, "bad_digits"),
        ((True, 0), {}, "bad_digits"),
        ((5, 6), {}, "bad_places"),
        ((5, -1), {}, "bad_places"),
        ((16, 2), {"as_number": True}, "bad_digits"),
    ],
)
def test_wrong_declarations(arguments: tuple[int, int], options: dict[str, bool], code: str) -> None:
    with pytest.raises(SchemaError) as caught:
        fields.Decimal(*arguments, **options)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("dialect", "digits", "places"), [(d.name, d.max_digits, d.max_places) for d in DIALECTS.values()]
)
def test_what_a_dialect_cannot_hold_is_refused_before_there_is_sql(dialect: str, digits: int, places: int) -> None:
    fitting = Schema({"id": fields.Decimal(digits, min(places, digits))}, key="id")
    assert fitting.create_table("t", dialect)
    if digits < 1000:
        schema = Schema({"id": fields.Decimal(digits + 1, 0)}, key="id")
        for make in (
            lambda: schema.create_table("t", dialect),
            lambda: schema.compile("id eq 1").sql(dialect),
            lambda: schema.query("orderBy=id").sql("t", dialect),
            lambda: schema.to_row({"id": 1}, dialect),
        ):
            with pytest.raises(StorageError, match=f"{dialect} holds decimals of at most {digits} digits"):
                make()


def test_pages_show_and_keep_all_digits() -> None:
    schema = Schema({"id": fields.Decimal(40, 2)}, key="id")
    resources = [{"id": Decimal(f"12345678901234567890123456789012345678.{n:02}")} for n in range(5)]
    token, seen = None, []
    while True:
        page = schema.query({"limit": "2", "orderBy": "id desc", "continue": token}).page(resources)
        seen += page.items
        token = page.next_token
        if token is None:
            break
    assert seen == [{"id": str(resource["id"])} for resource in resources[::-1]]


def test_money_stays_exact_everywhere(backend) -> None:
    """12345678901234567890.12 in filter, item, token and JSON, on each backend that holds it."""
    amount = "12345678901234567890.12"
    schema = Schema(
        {
            "id": fields.Integer(),
            "paid": fields.Decimal(22, 2, nullable=True),
            "parts": fields.Array(fields.Decimal(22, 2)),
        },
        key="id",
    )
    other = str(Decimal(amount) + Decimal("0.01"))
    resources = [{"id": 1, "paid": amount, "parts": [other]}, {"id": 2, "paid": other, "parts": [amount]}, {"id": 3}]
    resources[2] |= {"parts": []}
    if DIALECTS[backend.name].max_digits < 22:
        with pytest.raises(StorageError, match="at most 18 digits"):
            schema.create_table("t", backend.name)
        return
    with backend.table(schema, resources) as table:
        assert table.select(schema.compile(f"paid eq {amount}")) == [0]
        assert table.select(schema.compile(f"parts eq {amount}")) == [1]
        assert table.select(schema.compile(f"paid gt {amount}")) == [1]
        token, seen = None, []
        while True:
            query = schema.query({"orderBy": "paid desc", "limit": "1", "include": "paid", "continue": token})
            page = query.page_from_rows(backend.execute(*query.sql(table.name, backend.name)))
            seen += page.items
            token = page.next_token
            if token is None:
                break
        assert seen == [[other], [amount], [None]]


def test_walk_over_78_digits(postgresql) -> None:
    schema = Schema({"id": fields.Decimal(78, 0)}, key="id")
    resources = [{"id": 10**77 + n} for n in range(20)]
    with postgresql.table(schema, resources[::-1]) as table:
        token, seen = None, []
        while True:
            query = schema.query({"limit": "3", "continue": token})
            page = query.page_from_rows(postgresql.execute(*query.sql(table.name, "postgresql")))
            seen += page.items
            token = page.next_token
            if token is None:
                break
    assert seen == [{"id": str(resource["id"])} for resource in resources]


def test_rows_come_back(backend) -> None:
    schema = Schema(
        {"id": fields.Integer(), "price": fields.Decimal(9, 3), "doc": fields.Array(fields.Decimal(9, 3))}, key="id"
    )
    resource = {"id": 1, "price": Decimal("-0.010"), "doc": [1, "2.5", None]}
    with backend.table(schema, [resource]) as table:
        assert [schema.from_row(row, backend.name) for row in table.rows()] == [
            {"id": 1, "price": "-0.010", "doc": ["1.000", "2.500", None]}
        ]


def test_builder() -> None:
    schema = Schema({"price": fields.Decimal(30, 2)})
    for value in (Decimal("12345678901234567890.12"), Decimal("1E+3"), 5, 0.1):
        condition = str(field("price").eq(value))
        assert schema.compile(condition).matches({"price": value})


# Derived schemas


def digits(schema: Schema, name: str) -> tuple[int, int]:
    found = schema.leaves[name,].field
    assert isinstance(found, fields.Decimal)
    return found.grid


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ({"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 999.99}, (5, 2)),
        ({"type": "number", "multipleOf": 0.01, "exclusiveMinimum": -1000, "maximum": 0}, (6, 2)),
        ({"type": "integer", "multipleOf": 1, "minimum": 0, "maximum": 10**30}, (31, 0)),
        ({"type": "string", "format": "decimal", "pattern": r"^-?\d{1,10}(\.\d{1,2})?$"}, (12, 2)),
        ({"type": "string", "format": "decimal", "pattern": r"^[0-9]{1,5}$"}, (5, 0)),
        ({"type": "string", "x-decimal": {"digits": 7, "places": 3}}, (7, 3)),
        ({"type": ["number", "null"], "x-decimal": {"digits": 7, "places": 3}}, (7, 3)),
    ],
)
def test_json_schema_that_tells_the_digits(member: dict[str, object], expected: tuple[int, int]) -> None:
    document = {"type": "object", "properties": {"x": member}}
    assert digits(Schema.from_json_schema(document, decimals=True), "x") == expected
    assert not isinstance(Schema.from_json_schema(document).leaves["x",].field, fields.Decimal)


@pytest.mark.parametrize(
    "member",
    [
        {"type": "number"},
        {"type": "number", "multipleOf": 0.01},
        {"type": "number", "multipleOf": 0.01, "maximum": 5},
        {"type": "number", "multipleOf": 0.05, "minimum": 0, "maximum": 5},
        {"type": "number", "multipleOf": 10, "minimum": 0, "maximum": 500},
        {"type": "number", "multipleOf": -0.1, "minimum": 0, "maximum": 5},
        {"type": "string", "format": "decimal"},
        {"type": "string", "format": "decimal", "pattern": "^.*$"},
        {"type": "string", "pattern": r"^\d{1,10}(\.\d{1,2})?$"},
        {"type": "string", "format": "decimal", "pattern": r"^\d{1,5000}$"},
    ],
)
def test_json_schema_that_does_not(member: dict[str, object]) -> None:
    document = {"type": "object", "properties": {"x": member}}
    assert not isinstance(Schema.from_json_schema(document, decimals=True).leaves["x",].field, fields.Decimal)


def test_json_schema_with_impossible_digits() -> None:
    document = {"type": "object", "properties": {"x": {"type": "number", "x-decimal": {"digits": 2, "places": 3}}}}
    with pytest.raises(SchemaError, match="#/properties/x: places is a whole number from 0 to digits"):
        Schema.from_json_schema(document, decimals=True)
    document["properties"]["x"]["x-decimal"] = {"digits": 2}
    with pytest.raises(SchemaError, match="#/properties/x/x-decimal"):
        Schema.from_json_schema(document, decimals=True)


def test_pydantic() -> None:
    class Order(pydantic.BaseModel):
        total: Annotated[Decimal, pydantic.Field(max_digits=12, decimal_places=2)]
        maybe: pydantic.condecimal(max_digits=3, decimal_places=3) | None = None  # type: ignore[valid-type]
        loose: Decimal

    schema = Schema.from_pydantic(Order)
    assert digits(schema, "total") == (12, 2)
    assert digits(schema, "maybe") == (3, 3)
    assert schema.leaves["maybe",].nullable
    assert isinstance(schema.leaves["loose",].field, fields.Number)
    orders = [
        Order(total=Decimal("9999999999.99"), loose=Decimal(1)),
        Order(total=Decimal("9999999999.98"), loose=Decimal(1)),
    ]
    assert schema.compile("total eq 9999999999.99").select(orders) == orders[:1]
    dumped = [order.model_dump(mode="json") for order in orders]
    assert schema.compile("total eq 9999999999.99").select(dumped) == dumped[:1]


def test_annotations() -> None:
    class Order(TypedDict):
        total: Annotated[Decimal, fields.Decimal(12, 2)]

    assert digits(Schema.from_type(Order), "total") == (12, 2)


def test_samples_never_guess_it() -> None:
    schema = Schema.infer([{"a": Decimal("1.10"), "b": "1.10"}])
    assert [leaf.field.type for leaf in schema.leaves.values()] == ["number", "string"]


def test_a_decimal_is_never_quoted() -> None:
    with pytest.raises(FilterError) as caught:
        Schema({"price": fields.Decimal(5, 2)}).compile("price eq '1.50'")
    assert caught.value.hint == "write it without quotes: 1.50"
