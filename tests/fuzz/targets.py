"""What the fuzzer runs: each target takes bytes and may raise nothing.

The library's own errors are caught; anything else, and any broken promise, is a crash. `tests/test_fuzz.py` runs the
targets over the seed corpus without a fuzzer.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime

from astra_filter import FilterError, QueryError, Schema, fields, parse
from astra_filter.meaning.shapes import Shapes
from astra_filter.request.order import parse_order
from astra_filter.request.tokens import Tokens

SCHEMA = Schema(
    {
        "id": fields.Uuid(),
        "name": fields.String(),
        "state": fields.Enum("running", "failed", "it's"),
        "n": fields.Integer(nullable=True),
        "percentDone": fields.Number(nullable=True),
        "ok": fields.Boolean(nullable=True),
        "startTime": fields.Timestamp(nullable=True),
        "day": fields.Date(nullable=True),
        "tags": fields.Array(fields.String(), nullable=True),
        "labels": fields.Array(fields.Object({"name": fields.String(), "value": fields.String(nullable=True)})),
        "metadata": fields.Object({"in": fields.String(nullable=True), "ünïcode": fields.Integer(nullable=True)}),
        "app/na`me": fields.String(nullable=True),
        "annotations": fields.Map(fields.String(), nullable=True),
        "runs": fields.Array(fields.Object({"counts": fields.Map(fields.Integer())})),
    },
    key="id",
)
RESOURCES = (
    {
        "id": "12345678-1234-1234-1234-123456789abc",
        "name": "it's",
        "state": "running",
        "n": 5,
        "percentDone": 20.5,
        "ok": True,
        "startTime": "2020-08-06T12:24:52.256624Z",
        "day": "2020-08-06",
        "tags": ["a", None, 3],
        "labels": [{"name": "env", "value": "prod"}, None, {"name": "x"}],
        "metadata": {"in": "a", "ünïcode": 3},
        "app/na`me": "x",
        "annotations": {"env": "prod", "a.b": "", "`": None, "$": 5},
        "runs": [{"counts": {"n": 5}}, {"counts": None}],
    },
    {"id": "22345678-1234-1234-1234-123456789abc", "name": "b", "state": "failed"},
    {
        "id": "32345678-1234-1234-1234-123456789abc",
        "name": 3,
        "state": True,
        "n": 5.0,
        "percentDone": float("nan"),
        "ok": 1,
        "startTime": datetime(2020, 8, 6, tzinfo=UTC),
        "tags": "a",
        "labels": {"name": "env"},
        "metadata": [],
        "annotations": ["env"],
        "runs": {"counts": {"n": 5}},
    },
)
_PLAIN = Shapes(SCHEMA, entries=0)
"""Keeps no shape, so that every text takes the plain way."""


def fuzz_filter(data: bytes) -> None:
    """A text as a filter: refused by `FilterError` alike on both ways, or equal on both and in its canonical text."""
    text = data.decode("utf-8", "surrogateescape")
    bound, problems = _compiled(SCHEMA._shapes, text)
    try:
        syntax = parse(text, SCHEMA.limits, SCHEMA.root)
    except FilterError as error:
        assert problems == error.problems, text
        return
    again = parse(str(syntax))
    assert again == syntax, text
    assert str(again) == str(syntax), text
    assert (bound, problems) == _compiled(SCHEMA._shapes, text), text
    assert (bound, problems) == _compiled(_PLAIN, text), text
    if problems:
        return
    chosen = SCHEMA.compile(text)
    assert chosen.syntax == syntax, text
    matched = chosen.select(RESOURCES)
    assert matched == [resource for resource in RESOURCES if chosen.matches(resource)], text
    opposite = SCHEMA.compile(f"not ({text})").select(RESOURCES)
    assert len(matched) + len(opposite) == len(RESOURCES), text


def _compiled(shapes: Shapes, text: str) -> tuple[object, object]:
    try:
        bound = shapes.compile(text, SCHEMA.limits)
    except FilterError as error:
        return None, error.problems
    return (bound.root, bound.literals, bound.values), ()


def fuzz_query(data: bytes) -> None:
    """A raw query string: refused by `QueryError`, or answered."""
    try:
        query = SCHEMA.query(data, scope="account", default_limit=1, max_limit=2)
    except QueryError as error:
        error.problem()
        return
    page = query.page(RESOURCES)
    assert len(page.items) <= 2, data
    if page.next_token is not None and query.position is None:
        pairs = [("continue", page.next_token)]
        if query.filter is not None:
            pairs.append(("filter", str(query.filter)))
        if query.order.text:
            pairs.append(("orderBy", query.order.text))
        SCHEMA.query(pairs, scope="account", default_limit=1)


_ORDERS = ("", "name", "n desc,percentDone", "startTime,ok desc,day", "metadata.in,state desc,id")
_TOKENS = [Tokens(parse_order(text or None, SCHEMA, 8)[0], None, "", None, 8192) for text in _ORDERS]


def fuzz_token(data: bytes) -> None:
    """A token, as it is and as the payload of a well-made one: None, or values that write the same token again."""
    if not data:
        return
    tokens = _TOKENS[data[0] % len(_TOKENS)]
    _read(tokens, data[1:].decode("utf-8", "surrogateescape"))
    payload = data[1:]
    _read(tokens, urlsafe_b64encode(b"\1" + tokens._tag(payload) + payload).rstrip(b"=").decode())


def _read(tokens: Tokens, token: str) -> None:
    values = tokens.read(token)
    if values is not None:
        assert tokens.read(tokens.write(values)) == values, token


TARGETS = {"filter": fuzz_filter, "query": fuzz_query, "token": fuzz_token}
