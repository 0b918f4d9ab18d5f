"""`fields.Map`: keys are values of a filter, never part of its shape (SPEC §3, §5, §8)."""

from __future__ import annotations

import json
import re
import sqlite3
from types import MappingProxyType
from typing import Any

import pytest
from schemas import SCHEMAS

from astra_filter import FilterError, QueryError, Schema, SchemaError, StorageError, fields, parse
from astra_filter.adapters import openapi
from astra_filter.builder import field
from astra_filter.limits import DEFAULT_LIMITS
from astra_filter.meaning.shapes import Shapes
from astra_filter.memo import Budget
from astra_filter.sql.dialects import DIALECTS

SCHEMA = Schema(
    {
        "id": fields.String(max_length=40),
        "labels": fields.Map(fields.String(), nullable=True),
        "prices": fields.Map(fields.Decimal(6, 2)),
        "doc": fields.Object({"seen": fields.Map(fields.Timestamp()), "n": fields.Integer(nullable=True)}),
        "items": fields.Array(fields.Object({"labels": fields.Map(fields.String()), "k": fields.Integer()})),
    },
    key="id",
)
NASTY = ("$", '"', "\\", "'", "`", "%s", "?", ":p1", "$1", "a.b", "app.io/name", "é", "😀", "*", "--", "a" * 3000, "\n")


def quoted(key: str) -> str:
    return "`" + key.replace("`", "``") + "`"


# Shapes --------------------------------------------------------------------------------------------------------------

TEXTS = (
    "labels.{} eq 'a'",
    "labels.{} eq null or not prices.{} gt 1.5",
    "items[labels.{} startswith 'x' and k gt 1] and items.labels.{} ne 'y'",
    "doc.seen.{} in ('2020-08-06', null)",
)


@pytest.mark.parametrize("text", TEXTS)
def test_keys_are_no_part_of_the_shape(text: str) -> None:
    """Whatever the key, there is one template, one text of SQL, one function of Python."""
    first = SCHEMA.compile(text.format("env", "env"))
    for key in NASTY:
        other = SCHEMA.compile(text.format(quoted(key), quoted(key)))
        assert other.template is first.template
        assert (other.shape, other.fields) == (first.shape, first.fields)
        assert other != first
        assert other.fingerprint != first.fingerprint
        assert other.matches.__code__ is first.matches.__code__
        for name, dialect in DIALECTS.items():
            for style in dialect.placeholders:
                assert other.sql(name, placeholders=style).text == first.sql(name, placeholders=style).text


def test_no_key_stands_in_the_code() -> None:
    matches = SCHEMA.compile("labels.unheard_of eq 'a' and items[labels.another ne null]").matches
    consts = [repr(code.co_consts) for code in (matches.__code__, *_inner(matches.__closure__))]
    assert not any("unheard_of" in text or "another" in text for text in consts)


def _inner(closure: Any) -> list[Any]:
    held = [cell.cell_contents for cell in closure or ()]
    return [each.__code__ for each in held if hasattr(each, "__code__")]


def test_equal_filters_name_equal_keys() -> None:
    one, same, other = (SCHEMA.compile(f"labels.{key} eq 'a'") for key in ("env", "`env`", "tier"))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert str(same) == "labels.env eq 'a'"


def test_the_key_may_be_written_in_any_way() -> None:
    for key in NASTY:
        chosen = SCHEMA.compile(f"labels.{quoted(key)} eq 'a'")
        assert str(chosen) == str(SCHEMA.compile(str(chosen)))
        assert chosen.matches({"labels": {key: "a"}})
        assert not chosen.matches({"labels": {key + "x": "a"}})
        assert chosen.values == ("a", key)


@pytest.mark.parametrize("bounds", [{"entries": 8}, {"budget": Budget(60_000)}], ids=["entries", "bytes"])
def test_ever_new_keys_push_out_no_other_shape(bounds: dict[str, Any]) -> None:
    shapes = Shapes(SCHEMA, **bounds)
    plain = [shapes.compile(text, DEFAULT_LIMITS).template for text in ("id eq 'a'", "id ne 'a'", "doc.n gt 1")]
    keyed = shapes.compile("labels.first eq 'a'", DEFAULT_LIMITS).template
    for number in range(500):
        found = shapes.compile(f"labels.`{number}{'x' * (number % 90)}` eq 'a'", DEFAULT_LIMITS)
        assert found.template is keyed
        assert len(shapes) == 4
    again = [shapes.compile(text, DEFAULT_LIMITS).template for text in ("id eq 'b'", "id ne 'c'", "doc.n gt 2")]
    assert all(one is other for one, other in zip(plain, again, strict=True))


@pytest.mark.parametrize("bounds", [{"entries": 40}, {"budget": Budget(100_000)}], ids=["entries", "bytes"])
def test_what_is_kept_of_texts_with_keys_is_bounded(bounds: dict[str, Any]) -> None:
    shapes = Shapes(SCHEMA, **bounds)
    most = shapes.info().most
    for number in range(300):
        shapes.compile(f"labels.`{number}{'x' * (number % 200)}` eq 'a'", DEFAULT_LIMITS)
        assert len(shapes._spellings) <= bounds.get("entries", 400) // 8
        assert shapes._spelled == sum(each.weight for each in shapes._spellings.values()) <= most // 8
        assert shapes.info().held == shapes._spelled + sum(
            each.weight + each.memo.held for each in shapes._templates.values()
        )
    # A text that is too long is not kept at all; nor are the paths that were resolved.
    shapes.compile(f"labels.`{'x' * 8000}` eq 'a'", DEFAULT_LIMITS)
    assert shapes._spelled <= most // 8
    assert {path for path in shapes._targets if path[0] == "labels"} == set()


def test_texts_with_keys_go_before_shapes_do() -> None:
    shapes = Shapes(SCHEMA, budget=Budget(80_000))
    for key in ("a", "b"):
        template = shapes.compile(f"labels.{key} eq 'a'", DEFAULT_LIMITS).template
    assert (len(shapes), len(shapes._spellings)) == (1, 2)
    template.memo.made("much", bytes, 75_000)
    assert (len(shapes), len(shapes._spellings)) == (1, 0)
    template.memo.made("more", bytes, 75_000)
    assert (len(shapes), shapes.info().held, shapes._spelled) == (0, 0, 0)


def test_ever_new_keys_fill_no_memory_of_includes() -> None:
    schema = Schema({"id": fields.String(), "labels": fields.Map(fields.String())}, key="id")
    rows = [("a", '{"k1":"x"}')]
    for number in range(50):
        query = schema.query(f"include=id,labels.k{number}&filter=labels.k{number} ne null".replace(" ", "%20"))
        assert query.page([{"id": "a", "labels": {"k1": "x"}}]).items == ([["a", "x"]] if number == 1 else [])
        assert query.page_from_rows(rows).items == [["a", "x" if number == 1 else None]]
        query.sql("t", "sqlite")
        if number == 0:
            before = len(schema.memo), len(query.filter.template.memo)  # type: ignore[union-attr]
    assert (len(schema.memo), len(query.filter.template.memo)) == before  # type: ignore[union-attr]


def test_a_shape_that_was_dropped_is_made_again() -> None:
    shapes = Shapes(SCHEMA, entries=4)
    first = shapes.compile("labels.env eq 'a'", DEFAULT_LIMITS).template
    for text in ("id eq 'a'", "id ne 'a'", "doc.n gt 1", "doc.n lt 1"):
        shapes.compile(text, DEFAULT_LIMITS)
    again = shapes.compile("labels.env eq 'a'", DEFAULT_LIMITS).template
    assert again is not first
    assert shapes.compile("labels.env eq 'b'", DEFAULT_LIMITS).template is again
    assert shapes.compile("labels.tier eq 'b'", DEFAULT_LIMITS).template is again


def test_known_texts_are_read_with_their_own_keys() -> None:
    for _ in range(2):
        for key in ("env", "tier"):
            assert SCHEMA.compile(f"labels.{key} eq 'a'").values == ("a", key)
    with pytest.raises(FilterError, match="timestamp"):
        SCHEMA.compile("doc.seen.env eq 'x'")
    assert SCHEMA.compile("doc.seen.env eq '2020-08-06'")
    with pytest.raises(FilterError, match="timestamp"):
        SCHEMA.compile("doc.seen.env eq 'y'")


def test_keys_count_as_literals() -> None:
    tight = DEFAULT_LIMITS._replace(literals=4)
    assert SCHEMA.compile("labels.a eq 'x' and labels.b eq 'x'", limits=tight)
    with pytest.raises(FilterError) as caught:
        SCHEMA.compile("labels.a eq 'x' and labels.b in ('x', 'y')", limits=tight)
    assert [problem.code for problem in caught.value.problems] == ["too_many_literals"]
    # Not taken from what is kept for wider limits.
    wider = DEFAULT_LIMITS._replace(literals=5)
    assert SCHEMA.compile("labels.a eq 'x' and labels.b in ('x', 'y')", limits=wider)


def test_syntax_knows_no_keys() -> None:
    assert parse("labels.env eq 'a'") == SCHEMA.compile("labels.env eq 'a'").syntax


def test_the_fields_of_a_filter_are_those_declared() -> None:
    chosen = SCHEMA.compile("labels.a eq 'x' or labels.b eq 'y' or items[labels.c ne null and k gt 1]")
    assert chosen.fields == ("labels", "items.labels", "items.k")


def test_builder() -> None:
    condition = field("labels", "app.io/name").eq("web") & field("items").some(field("labels", "a.b").ne(None))
    assert str(condition) == "labels.`app.io/name` eq 'web' and items[labels.`a.b` ne null]"
    assert SCHEMA.compile(str(condition)).matches(
        {"labels": {"app.io/name": "web"}, "items": [{"labels": {"a.b": "1"}}]}
    )
    with pytest.raises(SchemaError):
        field("labels", "")


# Declarations --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: fields.Map(str), "not_a_field"),
        (lambda: fields.Map(fields.Array(fields.String())), "map_of_containers"),
        (lambda: fields.Map(fields.Object({"a": fields.String()})), "map_of_containers"),
        (lambda: fields.Map(fields.Map(fields.String())), "map_of_containers"),
        (lambda: fields.Map(fields.Open()), "map_of_containers"),
        (lambda: fields.Array(fields.Map(fields.String())), "array_of_maps"),
        (lambda: fields.Map(fields.String(), sortable=True), "unsortable"),
        (lambda: fields.Map(fields.Boolean(), operators=["lt"]), "operator_not_of_type"),
        (lambda: fields.Map(fields.String(operators=["eq"]), operators=["ne"]), "operator_not_of_type"),
        (lambda: Schema({"m": fields.Map(fields.String())}, key="m"), "bad_key"),
    ],
)
def test_refused_declarations(make: Any, code: str) -> None:
    with pytest.raises(SchemaError) as caught:
        make()
    assert caught.value.code == code


def test_values_are_nullable_and_no_more() -> None:
    given = fields.String(max_length=3, column="elsewhere", returnable=False)
    made = fields.Map(given, operators=["eq"]).values
    assert (made.nullable, made.sortable, made.returnable, made.column) == (True, False, True, None)
    assert [operator.value for operator in made.operators] == ["eq"]
    assert not given.nullable
    assert given.column == "elsewhere"


def test_signatures_tell_maps_apart() -> None:
    made = [
        fields.Map(fields.String()),
        fields.Map(fields.String(max_length=3)),
        fields.Map(fields.Integer()),
        fields.Map(fields.String(), nullable=True),
        fields.Map(fields.String(), operators=["eq"]),
    ]
    assert len({each.signature() for each in made}) == len(made)


# Data ----------------------------------------------------------------------------------------------------------------

RESOURCE = {
    "id": "a",
    "labels": MappingProxyType({"env": "x", "n": 5, "none": None, 7: "y", "": "nameless"}),
    "prices": {"k": 1, "l": "2.345"},
    "doc": {"seen": {"first": "2020-08-06T12:24:52+02:00"}},
    "items": [{"labels": {"env": "y"}, "k": 1}, {"labels": [], "k": 2}],
}
ITEM = {
    "id": "a",
    "labels": {"env": "x", "": "nameless"},
    "prices": {"k": "1.00"},
    "doc": {"seen": {"first": "2020-08-06T10:24:52.000000Z"}},
    "items": [{"labels": {"env": "y"}, "k": 1}, {"k": 2}],
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_whole_maps_come_back_as_objects(dialect: str) -> None:
    assert SCHEMA.query("").page([RESOURCE]).items == [ITEM]
    row = SCHEMA.to_row(RESOURCE, dialect)
    assert json.loads(row["labels"]) == ITEM["labels"]
    assert SCHEMA.from_row(row, dialect) == ITEM
    columns = SCHEMA.query("").columns
    assert SCHEMA.query("").page_from_rows([tuple(row[name] for name in columns)]).items == [ITEM]


def test_empty_and_missing_maps() -> None:
    schema = Schema({"id": fields.String(), "m": fields.Map(fields.String(), nullable=True)}, key="id")
    resources = [{"id": "a", "m": {}}, {"id": "b"}, {"id": "c", "m": {"k": None}}, {"id": "d", "m": ["k"]}]
    items = [{"id": "a", "m": {}}, {"id": "b"}, {"id": "c", "m": {}}, {"id": "d"}]
    assert schema.query("").page(resources).items == items
    rows = [schema.to_row(resource, "sqlite") for resource in resources]
    assert [row["m"] for row in rows] == ["{}", None, "{}", None]
    assert schema.query("").page_from_rows(rows).items == items
    assert schema.query("include=m,m.k").page_from_rows(rows).items == [
        [{}, None],
        [None, None],
        [{}, None],
        [None, None],
    ]


def test_include() -> None:
    query = SCHEMA.query("include=labels.env,labels,doc.seen.first,prices.k,prices.l,labels.%60none%60")
    expected = [["x", ITEM["labels"], "2020-08-06T10:24:52.000000Z", "1.00", None, None]]
    assert query.page([RESOURCE]).items == expected
    row = SCHEMA.to_row(RESOURCE, "sqlite")
    assert query.columns == ("id", "labels", "prices", "doc")
    assert query.page_from_rows([row]).items == expected
    assert query.page_from_rows([tuple(row[name] for name in query.columns)]).items == expected
    assert query.sql("t", "sqlite") == SCHEMA.query("include=labels.x,prices.y,doc.seen.z").sql("t", "sqlite")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("include=labels.a.b", "no_members"),
        ("include=labels.a,labels.%60a%60", "repeated_item"),
        ("include=items.labels.a", "through_array"),
        ("orderBy=labels.a", "not_sortable"),
        ("orderBy=labels", "not_sortable"),
        ("orderBy=labels.a.b", "no_members"),
    ],
)
def test_refused_requests(text: str, code: str) -> None:
    with pytest.raises(QueryError) as caught:
        SCHEMA.query(text)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_key_with_a_dot_is_answered_with_backquotes() -> None:
    with pytest.raises(QueryError) as caught:
        SCHEMA.query("include=labels.app.io")
    assert caught.value.problems[0].hint == "a key with a dot needs backquotes: labels.`app.io`"
    with pytest.raises(FilterError) as refused:
        SCHEMA.compile("labels.app.kubernetes.io/name eq 'web'")
    assert refused.value.hint == "write `app.kubernetes.io/name`"


def test_openapi() -> None:
    described = openapi.parameters(SCHEMA)
    assert (
        "| `labels.key` | map of string: any name in the place of `key`, nullable | eq, ne, "
        in described[0]["description"]
    )
    assert "| `items.labels.key` | map of string: " in described[0]["description"]
    for example in described[0]["examples"]:
        assert SCHEMA.compile(example)
    [include] = [each for each in described if each["name"] == "include"]
    listed, keyed = include["schema"]["items"]["anyOf"]
    assert listed["enum"] == ["id", "labels", "prices", "doc", "doc.seen", "doc.n", "items"]
    for text, taken in (
        ("labels.env", True),
        ("labels.`app.io/name`", True),
        ("doc.seen.`a``b`", True),
        ("labels.a.b", False),
        ("labels.``", False),
        ("labels", False),
        ("doc.n.a", False),
        ("items.labels.a", False),
    ):
        assert bool(re.search(keyed["pattern"], text)) == taken
        if taken:
            assert SCHEMA.query({"include": text}).include
    properties = openapi.resource(SCHEMA)["properties"]
    assert properties["labels"] == {"type": "object", "additionalProperties": {"type": "string"}}
    assert properties["prices"]["additionalProperties"] == {"type": "string", "format": "decimal"}
    again = Schema.from_json_schema(openapi.resource(SCHEMA)).root
    assert again.members["labels"].signature() == SCHEMA.root.members["labels"].signature()  # type: ignore[union-attr]


def test_mysql_holds_no_key_that_it_cannot_find() -> None:
    for resource, place in (
        ({**RESOURCE, "labels": {"-a": "x"}}, "labels.`-a`"),
        ({**RESOURCE, "doc": {"seen": {"-": "2020-08-06T00:00:00Z"}}}, "doc.seen.`-`"),
        ({**RESOURCE, "items": [{"labels": {"--": "x"}, "k": 1}]}, "items.labels.`--`"),
    ):
        with pytest.raises(StorageError) as caught:
            SCHEMA.to_row(resource, "mysql")
        assert caught.value.code == "unreachable_key"
        assert place in str(caught.value)
        assert SCHEMA.to_row(resource, "postgresql")
    # A null is not stored.
    assert SCHEMA.to_row({**RESOURCE, "labels": {"-a": None}}, "mysql")["labels"] == "{}"
    assert SCHEMA.compile("labels.`-a` ne null").sql("mysql").params[0] == '$."-a"'


def test_a_value_that_is_too_long_is_refused_with_its_key() -> None:
    schema = Schema({"m": fields.Map(fields.String(max_length=2))})
    with pytest.raises(StorageError, match=r"m\.`a b`"):
        schema.to_row({"m": {"a b": "xyz"}}, "sqlite")


def test_text_that_no_database_holds_is_left_out() -> None:
    schema = Schema({"m": fields.Map(fields.String())})
    assert schema.to_row({"m": {"\ud800": "x", "a": "\udfff", "\0": "x", "b": "y"}}, "sqlite") == {"m": '{"b":"y"}'}


def test_mappings_that_raise_are_none() -> None:
    class Broken(dict[str, str]):
        def __iter__(self) -> Any:
            raise RuntimeError

        def __getitem__(self, key: str) -> Any:
            raise RuntimeError(key)

    schema = Schema({"m": fields.Map(fields.String(), nullable=True)})
    assert schema.query("").page([{"m": Broken(a="x")}]).items == [{}]
    assert schema.to_row({"m": Broken(a="x")}, "sqlite") == {"m": None}


def test_foreign_documents_never_raise() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id TEXT, labels TEXT, prices TEXT, doc TEXT, items TEXT)")
    documents = (
        "{",
        "[1]",
        '"env"',
        "5",
        "null",
        "",
        '{"env":{"env":"x"}}',
        '{"env":"x","env":"y"}',
        '{"env":["x"]}',
        None,
    )
    for number, document in enumerate(documents):
        nested = '{"seen":' + (document or "null") + "}"
        connection.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?)", (str(number), document, document, nested, document))
    for text, expected in (
        ("labels.env eq 'x'", ["7"]),
        ("labels.env ne null", ["7"]),
        ("prices.env ne null or items[labels.env ne null]", []),
        ("doc.seen.env ne null", ["7"]),  # The formats of text are not tested (SPEC §5).
    ):
        condition = SCHEMA.compile(text).sql("sqlite")
        found = connection.execute(f"SELECT id FROM t WHERE {condition.text}", condition.params)
        assert [identity for (identity,) in found] == expected


def test_a_table_may_have_the_name_that_a_subquery_has() -> None:
    members = {"id": fields.String(), "key": fields.Map(fields.String()), "value": fields.Array(fields.String())}
    schema = Schema(members, key="id")
    connection = sqlite3.connect(":memory:")
    for table in ("map_entry", "element1", "key", "value"):
        connection.execute(schema.create_table(table, "sqlite"))
        row = schema.to_row({"id": "a", "key": {"key": "x"}, "value": ["v"]}, "sqlite")
        connection.execute(f'INSERT INTO "{table}" VALUES (?, ?, ?)', tuple(row.values()))
        query = schema.query({"filter": "key.key eq 'x' and value eq 'v' and not value eq 'key'", "include": "id"})
        assert query.page_from_rows(connection.execute(*query.sql(table, "sqlite"))).items == [["a"]]


@pytest.mark.parametrize("name", ["columns", "documents"])
def test_tables_hold_maps_as_json(name: str) -> None:
    for dialect, kind in (("sqlite", "TEXT"), ("postgresql", "jsonb"), ("mysql", "JSON"), ("duckdb", "JSON")):
        statement = SCHEMAS[name].create_table("t", dialect)
        column = "labels" if name == "columns" else "inner"
        assert f"{DIALECTS[dialect].identifier(column)} {kind} NOT NULL" in statement or name == "documents"
