"""Schemas from JSON Schema and OpenAPI (SPEC §3, §9)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astra_filter import Schema, fields
from astra_filter.derive.json_schema import members
from astra_filter.errors import SchemaError
from astra_filter.language.operators import Operator


def document(**properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


def one(schema, *, defs=None, **options):
    return members({**document(x=schema), "$defs": defs or {}}, **options)["x"]


def refused(schema, **options):
    with pytest.raises(SchemaError) as caught:
        members(schema, **options)
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"type": "string"}, fields.String()),
        ({"type": "string", "maxLength": 9}, fields.String(max_length=9)),
        ({"type": "string", "maxLength": 0}, fields.String()),
        ({"type": "string", "format": "uri", "pattern": "^/"}, fields.String()),
        ({"type": "string", "format": "int64"}, fields.String()),
        ({"type": "string", "format": "date-time"}, fields.Timestamp()),
        ({"type": "string", "format": "date"}, fields.Date()),
        ({"type": "string", "format": "uuid"}, fields.Uuid()),
        ({"type": "string", "format": "uuid4"}, fields.Uuid()),
        ({"format": "date-time"}, fields.Timestamp()),
        ({"maxLength": 3}, fields.String(max_length=3)),
        ({"type": "integer", "format": "int32"}, fields.Integer()),
        ({"type": "number", "format": "float"}, fields.Number()),
        ({"type": ["integer", "number"]}, fields.Number()),
        ({"type": "boolean"}, fields.Boolean()),
        ({"type": "string", "enum": ["a", "b"]}, fields.Enum("a", "b")),
        ({"enum": ["a", "b"]}, fields.Enum("a", "b")),
        ({"const": "a"}, fields.Enum("a")),
        ({"enum": [1, 2.0]}, fields.Integer()),
        ({"enum": [1, 2.5]}, fields.Number()),
        ({"type": "number", "enum": [1, 2]}, fields.Integer()),
        ({"const": True}, fields.Boolean()),
        ({"type": "array", "items": {"type": "string"}}, fields.Array(fields.String())),
        ({"items": {"enum": ["a"]}}, fields.Array(fields.Enum("a"))),
        (document(y={"type": "integer"}), fields.Object({"y": fields.Integer()})),
        (
            {"properties": {"y": {"type": "integer"}}},
            fields.Object({"y": fields.Integer(nullable=True)}),
        ),
        (
            {"type": "array", "items": document(y={"type": "integer"})},
            fields.Array(fields.Object({"y": fields.Integer()})),
        ),
        ({"type": "object", "additionalProperties": {"type": "string"}}, fields.Map(fields.String())),
        ({"additionalProperties": {"type": "string", "maxLength": 63}}, fields.Map(fields.String(max_length=63))),
        ({"type": "object", "additionalProperties": {"type": ["integer", "null"]}}, fields.Map(fields.Integer())),
        ({"type": "object", "additionalProperties": {"format": "date-time"}}, fields.Map(fields.Timestamp())),
        (
            {"additionalProperties": {"enum": ["a", "b"]}, "nullable": True},
            fields.Map(fields.Enum("a", "b"), nullable=True),
        ),
        ({"type": "object", "additionalProperties": True}, fields.Map(fields.String())),
        ({"type": "object", "additionalProperties": {}}, fields.Map(fields.String())),
        ({"type": "object", "properties": {}, "additionalProperties": True}, fields.Map(fields.String())),
        ({"allOf": [{"type": "object"}, {"additionalProperties": {"type": "boolean"}}]}, fields.Map(fields.Boolean())),
        (
            {"anyOf": [{"additionalProperties": {"type": "integer"}}, {"additionalProperties": {"type": "number"}}]},
            fields.Map(fields.Number()),
        ),
        (
            {"properties": {"y": {"type": "integer"}}, "additionalProperties": {"type": "string"}},
            fields.Object({"y": fields.Integer(nullable=True)}),
        ),
        (
            {"allOf": [{"properties": {"y": {"type": "integer"}}}, {"additionalProperties": {"type": "string"}}]},
            fields.Object({"y": fields.Integer(nullable=True)}),
        ),
        (
            {"additionalProperties": {"type": "string"}, "x-filter-operators": ["eq"]},
            fields.Map(fields.String(), operators=["eq"]),
        ),
        (
            {"additionalProperties": {"type": "string"}, "writeOnly": True},
            fields.Map(fields.String(), operators=[], returnable=False),
        ),
        (
            {"additionalProperties": {"type": "string", "writeOnly": True}},
            fields.Map(fields.String(), operators=[], returnable=False),
        ),
    ],
)
def test_types(schema, field):
    assert one(schema).signature() == field.signature()


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"]},
        {"type": "string", "nullable": True},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"oneOf": [{"type": "null"}, {"type": "string"}]},
        {"anyOf": [{"const": None}, {"type": "string"}]},
        {"type": "string", "anyOf": [{}, {"type": "null"}], "nullable": True},
        {"nullable": True, "allOf": [{"type": "string"}]},
        {"$ref": "#/$defs/name", "nullable": True},
    ],
)
def test_nullable(schema):
    field = members({**document(x=schema), "$defs": {"name": {"type": "string"}}})["x"]
    assert field.signature() == fields.String(nullable=True).signature()


def test_null_among_the_values_makes_an_enum_nullable():
    expected = fields.Enum("a", "b", nullable=True).signature()
    assert one({"enum": ["a", None, "b"]}).signature() == expected
    assert one({"type": ["string", "null"], "enum": ["a", None, "b"]}).signature() == expected
    assert one({"type": "string", "nullable": True, "enum": ["a", "b"]}).signature() == expected


def test_what_is_not_required_is_nullable():
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]}
    assert {name: field.nullable for name, field in members(schema).items()} == {"a": False, "b": True}


def test_one_of_several_constants_is_an_enum():
    schema = {"oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}, {"enum": ["b", "c"]}]}
    assert one(schema).signature() == fields.Enum("a", "b", "c").signature()


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([{"type": "string", "enum": ["a"]}, {"type": "string"}], fields.String()),
        ([{"type": "string", "format": "uuid"}, {"type": "string", "maxLength": 3}], fields.String()),
        ([{"type": "string", "maxLength": 5}, {"type": "string", "maxLength": 3}], fields.String(max_length=5)),
        ([{"type": "string", "format": "uuid"}, {"type": "string", "format": "uuid"}], fields.Uuid()),
        ([{"type": "integer"}, {"type": "number"}], fields.Number()),
        (
            [{"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "number"}}],
            fields.Array(fields.Number()),
        ),
        (
            [document(a={"type": "string"}, b={"const": "x"}), document(b={"const": "y"}, c={"type": "string"})],
            fields.Object(
                {
                    "a": fields.String(nullable=True),
                    "b": fields.Enum("x", "y"),
                    "c": fields.String(nullable=True),
                }
            ),
        ),
    ],
)
def test_any_of_one_type_is_what_holds_all(parts, field):
    assert one({"anyOf": parts}).signature() == field.signature()


def test_all_of_merges_objects():
    schema = {
        "allOf": [
            {"$ref": "#/$defs/base"},
            {"type": "object", "properties": {"name": {"maxLength": 9}, "size": {"type": "number"}}},
            {"required": ["size"], "properties": {"size": {"type": "integer"}}},
        ],
        "$defs": {
            "base": {"required": ["name"], "properties": {"name": {"type": "string", "maxLength": 99}}},
        },
    }
    expected = {"name": fields.String(max_length=9), "size": fields.Integer()}
    assert fields.Object(members(schema)).signature() == fields.Object(expected).signature()


def test_all_of_keeps_the_values_that_every_part_lists():
    schema = {"allOf": [{"enum": ["a", "b", "c"]}, {"enum": ["c", "b"]}, {"type": "string"}]}
    assert one(schema).signature() == fields.Enum("b", "c").signature()


def test_all_of_merges_elements():
    schema = {"allOf": [{"type": "array", "items": {"type": "string"}}, {"items": {"enum": ["a"]}}]}
    assert one(schema).signature() == fields.Array(fields.Enum("a")).signature()


OPENAPI = {
    "openapi": "3.0.3",
    "components": {
        "schemas": {
            "Id": {"type": "string", "format": "uuid", "description": "Names one\n  resource."},
            "Task": {"type": "object", "required": ["id"], "properties": {"id": {"$ref": "#/components/schemas/Id"}}},
            "a/b~c d": {"type": "object", "properties": {"n": {"type": "integer"}}},
        }
    },
}


@pytest.mark.parametrize("ref", ["Task", "#/components/schemas/Task"])
def test_a_component_of_openapi(ref):
    found = members(OPENAPI, ref=ref)
    assert found["id"].signature() == fields.Uuid().signature()
    assert found["id"].description == "Names one resource."


@pytest.mark.parametrize("ref", ["a/b~c d", "#/components/schemas/a~1b~0c d", "#/components/schemas/a~1b~0c%20d"])
def test_pointers_are_unescaped(ref):
    assert list(members(OPENAPI, ref=ref)) == ["n"]


def test_a_reference_may_step_into_a_list():
    schema = {"anyOf": [{"type": "string"}, document(a={"type": "string"})]}
    assert list(members(schema, ref="#/anyOf/1")) == ["a"]
    assert refused(schema, ref="#/anyOf/2") == ("bad_reference", "#/anyOf/2: #/anyOf/2 is not found in the document")


def test_words_beside_a_reference_win():
    schema = document(x={"$ref": "#/$defs/id", "description": "Mine."})
    schema["$defs"] = {"id": {"type": "string", "description": "Theirs."}}
    assert members(schema)["x"].description == "Mine."


def test_write_only_members_are_neither_returned_nor_filtered_by():
    field = one({"type": "string", "writeOnly": True})
    assert (field.returnable, field.sortable, field.operators) == (False, False, frozenset())
    inner = one({**document(pin={"type": "integer"}), "writeOnly": True})
    assert not inner.returnable
    assert (inner.members["pin"].returnable, inner.members["pin"].operators) == (False, frozenset())
    whole = members({**document(pin={"type": "integer"}), "writeOnly": True})
    assert not whole["pin"].returnable


def test_no_extension_opens_write_only_members():
    open_ = {"type": "string", "x-filter-operators": ["eq"], "x-sortable": True}
    hidden = {"writeOnly": True}
    for field in (
        one({**open_, **hidden}),
        one({**document(pin=open_), **hidden}).members["pin"],
        one({"type": "array", "items": open_, **hidden}).items,
        one({"type": "array", "items": {**open_, **hidden}}),
        one({"type": "array", "items": {**open_, **hidden}}).items,
        one({"$ref": "#/$defs/pin", **open_}, defs={"pin": hidden}),
        one({"$ref": "#/$defs/pin", **hidden}, defs={"pin": open_}),
    ):
        assert (field.returnable, field.sortable, field.operators) == (False, False, frozenset())


def test_read_only_members_are_like_others():
    assert one({"type": "string", "readOnly": True}).signature() == fields.String().signature()


def test_extensions_set_the_options_of_a_field():
    field = one({"type": "string", "x-filter-operators": ["eq", "in"], "x-sortable": False})
    assert (field.operators, field.sortable) == ({Operator.EQ, Operator.IN}, False)
    assert refused(document(x={"type": "boolean", "x-filter-operators": ["lt"]})) == (
        "operator_not_of_type",
        "#/properties/x: a field of type boolean cannot allow lt",
    )


RECURSIVE = {
    "$ref": "#/$defs/Node",
    "$defs": {
        "Node": document(
            name={"type": "string"},
            next={"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
            children={"type": "array", "items": {"$ref": "#/$defs/Node"}},
        )
    },
}


UNSUPPORTED = [
    ({"type": ["string", "integer"]}, "mixed_types", "values of different types (integer, string) have no common"),
    ({"anyOf": [{"type": "string"}, {"type": "boolean"}]}, "mixed_types", "different types (boolean, string)"),
    ({}, "mixed_types", "values of different types (anything)"),
    (True, "mixed_types", "values of different types (anything)"),
    ({"enum": ["a", 1]}, "mixed_types", "values of different types (integer, string)"),
    ({"properties": {}, "items": {}}, "mixed_types", "values of different types (anything)"),
    ({"type": ["array", "string"], "items": {"type": "string"}}, "mixed_types", "(array, string)"),
    (False, "conflicting_types", "no type that all of them accept"),
    ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "conflicting_types", "no type that all of them accept"),
    ({"type": "null"}, "only_null", "nothing but null"),
    ({"enum": [["a"]]}, "listed_containers", "its listed values are objects or arrays"),
    ({"const": {}}, "listed_containers", "its listed values are objects or arrays"),
    ({"type": "object"}, "free_form_object", "an object without declared members"),
    ({"type": "object", "additionalProperties": False}, "free_form_object", "without declared members"),
    ({"type": "object", "additionalProperties": {"type": "object"}}, "map_of_containers", "these may be object"),
    ({"additionalProperties": {"type": ["array", "string"]}}, "map_of_containers", "these may be array, string"),
    ({"additionalProperties": {"type": ["integer", "string"]}}, "mixed_types", "types (integer, string)"),
    ({"additionalProperties": {"type": "null"}}, "only_null", "nothing but null"),
    ({"additionalProperties": {"$ref": "#anchor"}}, "foreign_reference", "does not point into this document"),
    ({"items": {"additionalProperties": {"type": "string"}}}, "array_of_maps", "cannot be maps"),
    ({"type": "array"}, "untyped_elements", "an array needs one type of elements"),
    ({"type": "array", "items": False}, "untyped_elements", "an array needs one type of elements"),
    ({"type": "array", "prefixItems": [{"type": "string"}]}, "untyped_elements", "an array needs one type"),
    ({"items": {"type": "string"}, "prefixItems": [{}]}, "untyped_elements", "an array needs one type"),
    ({"$ref": "other.json#/x"}, "foreign_reference", "'other.json#/x' does not point into this document"),
    ({"$ref": "#anchor"}, "foreign_reference", "'#anchor' does not point into this document"),
]


@pytest.mark.parametrize(("schema", "code", "words"), UNSUPPORTED)
def test_what_no_field_represents_is_refused_or_left_out(schema, code, words):
    found, message = refused(document(a={"type": "string"}, x=schema))
    assert found == code
    assert message.startswith(("#/properties/x: ", "#/properties/x/additionalProperties: "))
    assert words in message
    assert list(members(document(a={"type": "string"}, x=schema), omit_unsupported=True)) == ["a"]


def test_an_array_of_arrays_is_refused_where_it_stands():
    schema = document(a={"type": "string"}, x={"type": "array", "items": {"type": "array", "items": {}}})
    assert refused(schema) == (
        "nested_array",
        "#/properties/x/items: the elements of an array cannot be arrays",
    )
    assert list(members(schema, omit_unsupported=True)) == ["a"]


def test_a_recursive_schema_is_refused_or_cut_where_it_recurs():
    assert refused(RECURSIVE) == (
        "recursive",
        "#/$defs/Node/properties/next/anyOf/0: #/$defs/Node contains itself, and a schema ends somewhere",
    )
    assert list(members(RECURSIVE, omit_unsupported=True)) == ["name"]
    assert refused({"$ref": "#"})[0] == "recursive"
    assert list(members(document(x={"type": "string"}, y={"$ref": "#"}), omit_unsupported=True)) == ["x"]


def test_a_schema_of_which_nothing_is_left_is_refused():
    assert refused(document(x={}), omit_unsupported=True)[0] == "free_form_object"
    assert refused({"type": "object"})[1] == "#: an object without declared members has nothing to filter by"


def test_a_resource_is_an_object():
    assert refused({"type": "array", "items": document(x={"type": "string"})}) == (
        "no_resource",
        "#: a resource is an object with declared members, and this is array",
    )
    assert refused({})[1] == "#: a resource is an object with declared members, and this is anything"
    assert refused(False)[1] == "#: a resource is an object with declared members, and this is nothing"


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "text"}, "#/properties/x/type: 'text' is not what JSON Schema allows there"),
        ({"type": []}, "#/properties/x/type: [] is not what JSON Schema allows there"),
        ({"type": "string", "required": True}, "#/properties/x/required: True is not what JSON Schema allows there"),
        ({"format": []}, "#/properties/x/format: [] is not what JSON Schema allows there"),
        ({"maxLength": -1}, "#/properties/x: max_length is a whole number, at least 1, not -1"),
        ({"maxLength": True}, "#/properties/x/maxLength: True is not what JSON Schema allows there"),
        ({"properties": []}, "#/properties/x/properties: [] is not what JSON Schema allows there"),
        ("string", "#/properties/x: 'string' is not what JSON Schema allows there"),
        ({"allOf": [3]}, "#/properties/x/allOf/0: 3 is not what JSON Schema allows there"),
        ({"$ref": 3}, "#/properties/x/$ref: 3 is not what JSON Schema allows there"),
        ({"$ref": "#/nowhere"}, "#/properties/x: #/nowhere is not found in the document"),
        ({"type": "string", "enum": ["a", "a"]}, "an enum takes one or more different strings"),
    ],
)
def test_a_malformed_schema_is_refused(schema, message):
    assert message in refused(document(x=schema))[1]


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
@pytest.mark.parametrize("listed", [{"const": [1]}, {"enum": [[1], [2]]}, {"const": {"a": 1}}])
@pytest.mark.parametrize("other", [{"const": "a"}, {"const": [2]}])
def test_choices_between_listed_containers_are_refused(keyword, listed, other):
    schema = document(x={keyword: [listed, other]}, y={"type": "string"})
    assert refused(schema) == (
        "listed_containers",
        f"#/properties/x/{keyword}/0: its listed values are objects or arrays",
    )
    assert set(members(schema, omit_unsupported=True)) == {"y"}


@pytest.mark.parametrize(("name", "place"), [("", ""), ("a\0", "a\\x00"), ("a\ud800", "a\\ud800")])
def test_names_that_no_field_can_have_are_refused_at_their_place(name, place):
    schema = document(**{name: {"type": "string"}}, x=document(**{name: {"type": "string"}}, y={"type": "string"}))
    code, message = refused(schema)
    assert code == "bad_identifier"
    assert message.startswith(f"#/properties/{place}: ")
    found = members(schema, omit_unsupported=True)
    assert (set(found), set(found["x"].members)) == ({"x"}, {"y"})


@pytest.mark.parametrize("name", ["a%20b", "a b", "a/b", "a~b", "100%"])
def test_a_definition_of_any_name_is_found(name):
    schema = {"$defs": {name: document(x={"type": "array"})}}
    place = f"#/$defs/{name.replace('%', '%25').replace('~', '~0').replace('/', '~1')}"
    for ref in (name, place):
        assert refused(schema, ref=ref) == (
            "untyped_elements",
            f"{place}/properties/x: an array needs one type of elements",
        )


def test_an_unknown_name_is_refused():
    assert refused(OPENAPI, ref="Tusk") == (
        "bad_reference",
        "#: 'Tusk' is not found in the document; did you mean Task?",
    )
    assert refused(OPENAPI, ref="zzzzzz") == ("bad_reference", "#: 'zzzzzz' is not found in the document")


def test_the_end_of_a_name_is_enough_where_only_one_has_it():
    pod = document(x={"type": "string"})
    schema = {"$defs": {"io.k8s.api.core.v1.Pod": pod, "v1.List": pod, "v2.List": pod}}
    assert list(members(schema, ref="Pod")) == ["x"]
    assert refused(schema, ref="List") == (
        "ambiguous_reference",
        "#: more than one definition ends with 'List': v1.List, v2.List",
    )
    assert refused(schema, ref="Pdo") == (
        "bad_reference",
        "#: 'Pdo' is not found in the document; did you mean io.k8s.api.core.v1.Pod?",
    )


@pytest.mark.slow
def test_work_is_bounded():
    deep = {"type": "string"}
    for _ in range(10_000):
        deep = {"type": "array", "items": deep}
    assert refused(document(x=deep))[0] == "too_deep"
    # Each definition names the next twice: 2 to the 40th members in 40 lines.
    wide = {f"d{n}": document(a={"$ref": f"#/$defs/d{n + 1}"}, b={"$ref": f"#/$defs/d{n + 1}"}) for n in range(30)}
    wide["d30"] = document(a={"type": "string"})
    assert refused({"$ref": "#/$defs/d0", "$defs": wide})[0] == "too_large"


def test_a_schema_compiles_filters():
    schema = Schema.from_json_schema(OPENAPI, ref="Task", key="id")
    assert str(schema.compile("id eq 'AE1E6561-9E22-406C-8A5A-762F4604DA00'")).startswith("id eq ")
    assert schema.key == "id"
    assert list(Schema.from_json_schema(RECURSIVE, omit_unsupported=True).leaves) == [("name",)]


WORDS = st.sampled_from(
    [None, True, 0, -1, 2.5, "string", "object", "#", "#/$defs/a", "date", "eq", "a", "\ud800", "\0"]
)
KEYWORDS = st.sampled_from(
    [
        "type",
        "properties",
        "required",
        "items",
        "prefixItems",
        "$ref",
        "allOf",
        "anyOf",
        "oneOf",
        "enum",
        "const",
        "format",
        "nullable",
        "maxLength",
        "writeOnly",
        "description",
        "x-filter-operators",
        "x-sortable",
        "$defs",
        "a",
    ]
)
GARBAGE = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=4), max_leaves=15
)


def schemas(inner):
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["string", "object", "array", ["string", "null"]]),
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            "required": st.lists(st.sampled_from("abc"), max_size=2),
            "items": inner,
            "allOf": st.lists(inner, max_size=2),
            "anyOf": st.lists(inner, max_size=3),
            "$ref": st.sampled_from(["#", "#/$defs/a", "#/properties/a", "other.json"]),
        },
    )


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(KEYWORDS, GARBAGE, max_size=5)
    | st.fixed_dictionaries(
        {
            "properties": st.dictionaries(
                st.sampled_from("abc"), st.recursive(GARBAGE, schemas, max_leaves=10), min_size=1
            )
        }
    ),
    st.booleans(),
)
@pytest.mark.slow
def test_any_document_makes_a_schema_or_a_schema_error(schema, omit):
    message = "#"
    try:
        Schema.from_json_schema(schema, omit_unsupported=omit)
    except SchemaError as error:
        message = str(error)
    assert message.startswith("#")
