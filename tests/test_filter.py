"""What a filter and a list request tell of themselves: paths, shape, fingerprint, equality, text."""

from __future__ import annotations

import pytest

import astra_filter
from astra_filter import Schema, fields, parse

MEMBERS = {
    "id": fields.Integer(),
    "state": fields.Enum("running", "paused"),
    "percentDone": fields.Number(nullable=True),
    "done": fields.Boolean(),
    "meta": fields.Object({"owner": fields.String(), "labels": fields.Array(fields.Object({"name": fields.String()}))}),
    "odd name": fields.String(nullable=True),
}
TASK = Schema(MEMBERS, key="id")


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("state eq 'running'", ("state",)),
        ("done eq true and not (state eq 'paused' or done eq false)", ("done", "state")),
        ("meta.labels[name eq 'a' or name in ('b')] and meta.owner eq 'x'", ("meta.labels.name", "meta.owner")),
        ("meta.labels.name eq 'a'", ("meta.labels.name",)),
        ("`odd name` eq null", ("`odd name`",)),
    ],
)
def test_fields(text, paths):
    assert TASK.compile(text).fields == paths


def test_shape_knows_no_literals():
    shape = TASK.compile("state eq 'running' and percentDone gte 20").shape
    assert shape == TASK.compile("state  EQ 'paused' AND (percentDone ge 1e3)").shape
    assert len(shape) == 32
    assert set(shape) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "other",
    [
        "state ne 'running' and percentDone gte 20",
        "state eq 'running' or percentDone gte 20",
        "state eq 'running' and percentDone gt 20",
        "state in ('running') and percentDone gte 20",
        "state eq 'running'",
    ],
)
def test_other_shapes(other):
    assert TASK.compile("state eq 'running' and percentDone gte 20").shape != TASK.compile(other).shape


def test_constants_belong_to_the_shape():
    shapes = {TASK.compile(f"percentDone {test}").shape for test in ("eq null", "eq 1", "in (1)", "in (1, 2)")}
    assert len(shapes) == 4
    assert TASK.compile("done eq true").shape != TASK.compile("done eq false").shape


def test_shape_belongs_to_the_schema():
    other = Schema({**MEMBERS, "more": fields.Date()}, key="id")
    assert TASK.compile("done eq true").shape != other.compile("done eq true").shape
    assert TASK.compile("done eq true").shape == Schema(MEMBERS, key="id").compile("done eq true").shape


def test_hashes_are_stable():
    """Metrics and caches keep their keys from one release to the next; where they must change, CHANGELOG says so."""
    schema = Schema({"a": fields.Boolean(), "b": fields.String(nullable=True, max_length=5)})
    compiled = schema.compile("a eq true and b eq 'x'")
    assert compiled.fingerprint == "c0ad60282b333d510b0072d4950f2648"
    assert compiled.shape == "6190ac0cc7580592663562902534c4a5"


def test_text_of_a_syntax_tree():
    assert str(parse("state  EQ 'it''s' AND not(a ge 1)")) == "state eq 'it''s' and not a gte 1"


def test_repr_of_a_schema():
    assert repr(
        Schema({"id": fields.Integer(), "a b": fields.Object({"c": fields.Date(nullable=True)})}, key="id")
    ) == ("<Schema id: integer, `a b`.c: date?; key id>")
    assert repr(Schema.open()) == "<Schema open>"


def test_a_schema_does_not_change():
    schema = Schema(MEMBERS, key="id")
    for name in ("key", "root", "limits", "leaves", "new"):
        with pytest.raises(AttributeError, match="a Schema cannot be changed"):
            setattr(schema, name, None)
        with pytest.raises(AttributeError, match="a Schema cannot be changed"):
            delattr(schema, name)
    with pytest.raises(TypeError):
        schema.leaves["state",] = None
    assert schema.key == "id"


REQUEST = {
    "filter": "state eq 'running'",
    "include": "id,`odd name`",
    "limit": "5",
    "skip": "1",
    "orderBy": "state desc",
    "count": "true",
}


def test_equal_requests():
    one, other = TASK.query(REQUEST), Schema(MEMBERS, key="id").query({**REQUEST, "filter": "state EQ  'running'"})
    assert one == other
    assert hash(one) == hash(other)
    assert one.fingerprint == other.fingerprint
    assert len(one.fingerprint) == 32
    assert one == TASK.query(REQUEST, secret="a secret that only the server knows")


@pytest.mark.parametrize(
    "change",
    [
        {"filter": "state eq 'paused'"},
        {"filter": None},
        {"include": "`odd name`,id"},
        {"include": None},
        {"limit": "6"},
        {"limit": None},
        {"skip": "2"},
        {"orderBy": "state"},
        {"count": "false"},
    ],
)
def test_different_requests(change):
    one, other = TASK.query(REQUEST), TASK.query({**REQUEST, **change})
    assert one != other
    assert one.fingerprint != other.fingerprint


def test_scope_position_and_schema_tell_requests_apart():
    asked = {"limit": "1"}
    token = TASK.query(asked).page([{"id": 1}, {"id": 2}]).next_token
    queries = [
        TASK.query(asked),
        TASK.query(asked, scope="tenant"),
        TASK.query({**asked, "continue": token}),
        Schema({**MEMBERS, "more": fields.Date()}, key="id").query(asked),
    ]
    assert len({query.fingerprint for query in queries}) == 4
    assert not any(one == other for place, one in enumerate(queries) for other in queries[place + 1 :])
    assert TASK.query(asked) != "limit=1"


def test_repr_of_a_request():
    assert repr(TASK.query(REQUEST)) == (
        "<ListQuery filter=state eq 'running' include=id,`odd name` orderBy=state desc, id desc limit=5 skip=1 count=true>"
    )
    assert repr(Schema.open().query("")) == "<ListQuery >"


def test_the_package_offers_its_names():
    assert {"Schema", "compile", "fields", "parse"} <= set(dir(astra_filter))
    assert all(getattr(astra_filter, name) is not None for name in astra_filter.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = astra_filter.nothing
