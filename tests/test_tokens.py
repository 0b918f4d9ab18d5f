"""Whole numbers and continue tokens (SPEC §6, §8)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astra_filter import Limits, QueryError, Schema, SchemaError, StorageError, fields
from astra_filter.limits import DEFAULT_LIMITS
from astra_filter.request.parameters import MOST_ROWS, read_natural

TYPES = {
    "text": (
        fields.String(nullable=True),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50),
    ),
    "state": (fields.Enum("a", "b", nullable=True), st.sampled_from(["a", "b", "undeclared", ""])),
    "owner": (fields.Uuid(nullable=True), st.uuids().map(str)),
    "count": (fields.Integer(nullable=True), st.integers(-(2**63), 2**63 - 1)),
    "share": (fields.Number(nullable=True), st.floats(allow_nan=False, allow_infinity=False)),
    "open": (fields.Boolean(nullable=True), st.booleans()),
    "since": (fields.Timestamp(nullable=True), st.datetimes()),
    "day": (fields.Date(nullable=True), st.dates()),
}
SCHEMA = Schema({**{name: field for name, (field, _) in TYPES.items()}, "id": fields.Integer()}, key="id")
ORDER = ", ".join(TYPES)
RESOURCES = st.fixed_dictionaries({name: st.none() | values for name, (_, values) in TYPES.items()})


def token_of(resource: dict[str, Any], **options: Any) -> str:
    """Return the token of the page that follows a resource."""
    last = {**resource, "id": 2**63 - 1}
    page = SCHEMA.query({"orderBy": ORDER, "limit": "1"}, **options).page([resource, last], presorted=True)
    assert page.next_token is not None
    return page.next_token


def resume(token: str, parameters: dict[str, str] | None = None, **options: Any) -> Any:
    return SCHEMA.query({"orderBy": ORDER, **(parameters or {}), "continue": token}, **options)


def refused(token: str, parameters: dict[str, str] | None = None, **options: Any) -> None:
    with pytest.raises(QueryError) as caught:
        resume(token, parameters, **options)
    ((problem),) = caught.value.problems
    assert (problem.code, problem.parameter, problem.text) == ("bad_token", "continue", token)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("7", 7),
        ("007", 7),
        ("0" * 5000 + "5", 5),
        ("9" * 19, 50),
        ("9" * 10_000_000, 50),
        ("50", 50),
        ("51", 50),
    ],
    ids=range(8),
)
def test_naturals(text: str, value: int) -> None:
    assert read_natural(text, 50) == value


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.0", "1e3", "٣", "１", " 1", "1 ", "1_0", "0x1", "1\n", "one", "1\0"]
)
def test_no_naturals(text: str) -> None:
    assert read_natural(text, 50) is None


def test_the_largest() -> None:
    assert read_natural(str(2**63 - 1), MOST_ROWS) == 2**63 - 2


@settings(max_examples=200, deadline=None)
@given(RESOURCES, st.sampled_from([None, b"secret"]))
def test_values_survive(resource: dict[str, Any], secret: bytes | None) -> None:
    """SPEC §6: values of every type survive in a token exactly."""
    found = resume(token_of({**resource, "id": -1}, secret=secret), secret=secret)
    expected = found.order.values({**resource, "id": -1})
    assert found.position == expected
    assert [type(value) for value in found.position] == [type(value) for value in expected]


EXAMPLE = {
    "text": "é\U0001f600\n\x01'\"" + "x" * 30,
    "count": 2**53 + 1,
    "share": 0.1,
    "since": "2020-08-06T12:24:52.256624Z",
    "id": 1,
}


def test_form() -> None:
    """SPEC §6: URL-safe, versioned, opaque."""
    token = token_of(EXAMPLE)
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[0] == 1


@pytest.mark.parametrize("secret", [None, b"secret", "secret"])
def test_every_change_is_found(secret: bytes | str | None) -> None:
    token = token_of(EXAMPLE, secret=secret, scope="a")
    resume(token, secret=secret, scope="a")
    for place in range(len(token)):
        refused(token[:place], secret=secret, scope="a")
        for character in {"A", "B", "_", "=", "é", "\0", " "} - {token[place]}:
            refused(token[:place] + character + token[place + 1 :], secret=secret, scope="a")
    for altered in (token + "A", token + "=", " " + token, token + "\n", token * 2, ""):
        refused(altered, secret=secret, scope="a")


@pytest.mark.parametrize("secret", [None, b"secret"])
def test_binding(secret: bytes | None) -> None:
    """SPEC §6: bound to filter, orderBy and scope; limit and include may change."""
    token = token_of(EXAMPLE, secret=secret, scope="a")
    options = {"secret": secret, "scope": "a"}
    resume(token, {"limit": "9", "include": "id", "count": "true"}, **options)
    refused(token, {"filter": "count eq 1"}, **options)
    refused(token, {"orderBy": ORDER + " desc"}, **options)
    refused(token, {"orderBy": ORDER.replace(", since", ", since desc")}, **options)
    refused(token, secret=secret, scope="b")
    refused(token, secret=secret)
    refused(token, secret=b"other", scope="a")
    if secret is not None:
        refused(token, scope="a")


def test_canonical_text_decides() -> None:
    """SPEC §6: the filter is compared by canonical text, so its spelling may change."""
    found = SCHEMA.query({"filter": "count  GE 1", "limit": "1"}).page([{"id": 1, "count": 1}, {"id": 2, "count": 1}])
    SCHEMA.query({"filter": "count gte 1", "continue": found.next_token})
    with pytest.raises(QueryError):
        SCHEMA.query({"filter": "count gte 2", "continue": found.next_token})


FORGED = [
    b"",
    b"[",
    b"{}",
    b"null",
    b"[1]",
    b'["a","a",null,1,1.0,true,null,null,1,1]',
    b"\xff",
    b"[" * 5000,
    b"9" * 5000,
    b'{"a":' * 1000,
]
MISTYPED = {
    "text": [1, 1.5, True, ["a"], {}, "a\0", "\ud800"],
    "state": [1, "\0"],
    "owner": ["x", "AE1E6561-9E22-406C-8A5A-762F4604DA00", 5],
    "count": [1.0, "1", True, 2**63, -(2**63) - 1, 10**400],
    "share": [1, "1", True, float("nan"), float("inf")],
    "open": [0, 1, "true"],
    "since": ["2020-08-06", "2020-08-06T12:24:52Z", "2020-08-06T12:24:52.256624", "x", 0],
    "day": ["20200806", "2020-13-01", "2020-08-06T00:00:00Z", 1],
    "id": ["1", 1.5, False],
}


def forge(payload: bytes) -> str:
    """Make a token as anybody can where the server has no secret."""
    tokens = SCHEMA.query({"orderBy": ORDER}).request.tokens
    assert tokens is not None
    return base64.urlsafe_b64encode(b"\1" + tokens._tag(payload) + payload).rstrip(b"=").decode()


@pytest.mark.parametrize("payload", FORGED)
def test_forged_payloads(payload: bytes) -> None:
    refused(forge(payload))


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in MISTYPED.items() for value in values])
def test_forged_values(name: str, value: object) -> None:
    """SPEC §6: what a token decodes to is type-checked."""
    values: dict[str, object] = dict.fromkeys([*TYPES, "id"])
    values["id"] = 1
    resume(forge(json.dumps(list(values.values())).encode()))
    values[name] = value
    refused(forge(json.dumps(list(values.values())).encode()))


def test_another_version() -> None:
    tokens = SCHEMA.query({"orderBy": ORDER}).request.tokens
    assert tokens is not None
    payload = b"[null,null,null,null,null,null,null,null,1]"
    refused(base64.urlsafe_b64encode(b"\2" + tokens._tag(payload) + payload).rstrip(b"=").decode())


def test_length() -> None:
    """SPEC §8: at the limit and one past it; a longer next token is the server's error and names the field."""
    exact = len(token_of(EXAMPLE))
    limits = Limits(token_length=exact)
    resume(token_of(EXAMPLE, limits=limits), limits=limits)
    with pytest.raises(StorageError, match="sort field text is too long") as caught:
        token_of(EXAMPLE, limits=Limits(token_length=exact - 1))
    assert caught.value.code == "token_too_long"
    refused(token_of(EXAMPLE), limits=Limits(token_length=exact - 1))
    refused("A" * 8193)


@pytest.mark.parametrize("text", ["a\0", "\ud800"])
def test_text_that_no_database_holds(text: str) -> None:
    with pytest.raises(StorageError, match="text"):
        token_of({"text": text, "id": 1})


@pytest.mark.parametrize("secret", ["", b"", 5, bytearray(b"x")])
def test_bad_secret(secret: Any) -> None:
    with pytest.raises(SchemaError) as caught:
        SCHEMA.query("", secret=secret)
    assert caught.value.code == "bad_secret"


def schema_of(length: int | None, limits: Limits = DEFAULT_LIMITS, **more: fields.Field) -> Schema:
    return Schema(
        {
            "id": fields.Uuid(),
            "name": fields.String(max_length=length),
            "labels": fields.Array(fields.String()),
            **more,
        },
        key="id",
        limits=limits,
        bounded_tokens=True,
    )


def test_a_schema_can_rule_long_tokens_out() -> None:
    """SPEC §8: the declared lengths bound the token; the longest text there is fits, one character more does not."""
    fitting = max(length for length in range(900, 1100) if _fits(length))
    schema = schema_of(fitting)
    longest = [{"id": f"{number:032x}", "name": "\1" * fitting} for number in (1, 2)]
    page = schema.query({"orderBy": "name", "limit": "1"}).page(longest)
    assert 8100 < len(page.next_token or "") <= 8192
    with pytest.raises(SchemaError, match="name") as caught:
        schema_of(fitting + 1)
    assert caught.value.code == "unbounded_tokens"
    with pytest.raises(SchemaError, match="name"):
        schema_of(None)
    with pytest.raises(SchemaError, match="name, other"):
        schema_of(fitting, other=fields.String(max_length=100))
    schema_of(fitting, Limits(order_keys=1), other=fields.String(max_length=100))
    schema_of(fitting, other=fields.String(sortable=False))
    with pytest.raises(SchemaError):
        schema_of(fitting, other=fields.Enum("x" * 500))


def _fits(length: int) -> bool:
    try:
        schema_of(length)
    except SchemaError:
        return False
    return True


def test_a_secret_is_replaced_by_another() -> None:
    """Of several secrets, the first makes tokens; those of all are taken."""
    old, new = "the old one", b"the new one"
    before = token_of(EXAMPLE, secret=old, scope="a")
    during = token_of(EXAMPLE, secret=[new, old], scope="a")
    resume(before, secret=(new, old), scope="a")
    resume(during, secret=new, scope="a")
    refused(during, secret=old, scope="a")
    refused(before, secret=[new], scope="a")
    for wrong in ([], (), [new, ""], [5]):
        with pytest.raises(SchemaError) as caught:
            SCHEMA.query("", secret=wrong)  # type: ignore[arg-type]
        assert caught.value.code == "bad_secret"
