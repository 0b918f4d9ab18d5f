"""What untrusted clients send reaches a database as parameters only (SPEC §5, §6): real databases, a canary, a second tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from astra_filter import SQL, FilterError, QueryError, Schema, fields
from astra_filter.language.names import name_text
from astra_filter.sql.dialects import DIALECTS, find_dialect
from astra_filter.syntax.printer import string_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databases.backends import Backend, Table

SCHEMA = Schema(
    {
        "id": fields.String(max_length=200),
        "tenant": fields.Enum("ours", "theirs", operators=["eq"], returnable=False, sortable=False),
        "name": fields.String(nullable=True, max_length=200),
        "tags": fields.Array(fields.String(), nullable=True),
        "inner": fields.Object({"text": fields.String(nullable=True)}),
        "labels": fields.Array(fields.Object({"name": fields.String(), "value": fields.String()})),
        "notes": fields.Map(fields.String()),
        "steps": fields.Array(fields.Object({"notes": fields.Map(fields.String())})),
    },
    key="id",
)
PAYLOADS = (
    "' OR '1'='1",
    "' OR 1=1 --",
    "x' OR 1=1 #",
    "'; DROP TABLE canary; --",
    "'); DELETE FROM canary; --",
    "' UNION SELECT secret FROM canary --",
    "') UNION ALL SELECT 1, 2, 3 --",
    "\\' OR 1=1 --",
    "\\'; DROP TABLE canary; --",
    "\\",
    "\\\\' OR ''='",
    '" OR ""="',
    '"; DROP TABLE canary; --',
    "` OR 1=1 --",
    "`; DROP TABLE canary; --",
    "%' OR name LIKE '%",
    "%",
    "_",
    "%s",
    "%%s",
    "%(p1)s",
    "%d%n",
    "?",
    "$1",
    ":p1",
    ":name",
    "@@version",
    "{0}",
    "{x}",
    "/* */ OR 1=1",
    "*/ OR 1=1 /*",
    "--",
    "#",
    ";",
    "$$; DROP TABLE canary; $$",
    "E'\\x27 OR 1=1 --'",
    "0x27204f5220313d31",
    "\u02bc OR 1=1 --",
    "\uff07 OR 1=1 --",
    "\xbf' OR 1=1 --",
    "a' AND (SELECT 1 FROM canary) = '1",
    "'||(SELECT secret FROM canary)||'",
    "1); ATTACH DATABASE 'x' AS y; --",
    "COPY canary TO PROGRAM 'true'",
    "') OR tenant = ('theirs",
    "$.name",
    "\"]' OR 1=1 --",
    "null",
    "\n'; DROP TABLE canary; --",
    "\x1a' OR 1=1 --",
)


def noted(key: str) -> dict[str, Any]:
    """Return maps with a key, but for one that MariaDB refuses."""
    notes = {} if key.startswith("-") else {key: key, "other": "x"}
    return {"notes": notes, "steps": [{"notes": notes}, {"notes": {}}]}


ROWS = [
    *({"id": f"o{i}", "tenant": "ours", "name": text, "tags": [text, "x"], "inner": {"text": text},
       "labels": [{"name": text, "value": "v"}], **noted(text)} for i, text in enumerate(PAYLOADS)),
    {"id": "o-plain", "tenant": "ours", "name": "plain", "tags": ["plain"], "inner": {"text": "plain"}, "labels": [],
     **noted("plain")},
    *({"id": f"t{i}", "tenant": "theirs", "name": text, "tags": [text], "inner": {"text": text},
       "labels": [{"name": text, "value": "v"}], **noted(text)} for i, text in enumerate((*PAYLOADS, "plain"))),
]  # fmt: skip
TESTS = (
    "name eq {}", "name ne {}", "name lt {}", "name in ({}, 'zzz')", "name not in ({})", "name contains {}", "name startswith {}",
    "endswith(name, {})", "tags eq {}", "tags contains {}", "inner.text eq {}", "inner.text contains {}",
    "labels[name eq {} and value eq 'v']", "labels.name in ({})", "not labels.name startswith {}", "id gte {}",
)  # fmt: skip


@pytest.fixture
def attacked(backend: Backend) -> Iterator[Table]:
    """A table of two tenants beside a canary, which must be there, unchanged, when all is over."""
    backend.execute("CREATE TABLE canary (secret INTEGER)")
    backend.execute("INSERT INTO canary VALUES (1), (2), (3)")
    try:
        with backend.table(SCHEMA, ROWS) as table:
            yield table
            assert backend.execute(f"SELECT count(*) FROM {table.quoted}") == [(len(ROWS),)]
        assert sorted(backend.execute("SELECT secret FROM canary")) == [(1,), (2,), (3,)]
    finally:
        backend.execute("DROP TABLE canary")


def ours(table: Table) -> SQL:
    record = find_dialect(table.backend.name)
    return SQL(f"{table.quoted}.{record.identifier('tenant')} = {record.placeholders[0]}", ("ours",))


def run(table: Table, parameters: list[tuple[str, str]], secret: bytes | None = b"s") -> list[Any]:
    """Answer a list request from the database, for tenant ``ours``; return what the page holds."""
    query = SCHEMA.query(parameters, secret=secret, default_limit=500)
    statement = query.sql(table.name, table.backend.name, where=ours(table))
    page = query.page_from_rows(table.backend.execute(statement.text, statement.params))
    mine = [row for row in ROWS if row["tenant"] == "ours"]
    assert page.items == query.page(mine).items
    return page.items


TYPED = Schema(
    {
        "uuid": fields.Uuid(),
        "integer": fields.Integer(),
        "number": fields.Number(),
        "boolean": fields.Boolean(),
        "timestamp": fields.Timestamp(),
        "date": fields.Date(),
        "state": fields.Enum("a", "b"),
        "days": fields.Array(fields.Date()),
        "inner": fields.Object({"at": fields.Timestamp()}),
    }
)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_literals_of_other_types(payload: str) -> None:
    """What is none of the type never gets as far as SQL, nor what follows one (SPEC §3)."""
    for path, literal in (
        ("uuid", "'12345678-1234-1234-1234-123456789abc'"),
        *(
            ("integer", "1"),
            ("number", "1.5"),
            ("boolean", "true"),
            ("timestamp", "'2020-08-06'"),
            ("date", "'2020-08-06'"),
        ),
        *(("state", "'a'"), ("days", "'2020-08-06'"), ("inner.at", "'2020-08-06T12:24:52Z'")),
    ):
        test = f"{path} eq {literal}"
        TYPED.compile(test)
        wrong = string_text(payload)
        for text in (f"{path} eq {wrong}", f"{path} in ({literal}, {wrong})", f"{test} {payload}", f"{test}{payload}"):
            with pytest.raises(FilterError):
                TYPED.compile(text)


@pytest.mark.parametrize(("name", "style"), [(d.name, style) for d in DIALECTS.values() for style in d.placeholders])
@pytest.mark.slow
def test_no_style_of_placeholders_shows_a_literal(name: str, style: str) -> None:
    for test in TESTS:
        plain = SCHEMA.compile(test.format("'plain'")).sql(name, placeholders=style, first=3)
        for payload in PAYLOADS:
            text, params = SCHEMA.compile(test.format(string_text(payload))).sql(name, placeholders=style, first=3)
            assert text == plain.text
            values = params.values() if isinstance(params, dict) else params
            assert any(payload == value or payload in str(value) for value in values)
            query = SCHEMA.query([("filter", test.format(string_text(payload))), ("orderBy", "name")])
            same = SCHEMA.query([("filter", test.format("'plain'")), ("orderBy", "name")])
            assert query.sql("t", name, placeholders=style).text == same.sql("t", name, placeholders=style).text


def test_literals(attacked: Table) -> None:
    """50 payloads in 16 places: no row too many, no text of theirs in the statement (SPEC §5)."""
    name = attacked.backend.name
    for test in TESTS:
        plain = SCHEMA.compile(test.format("'plain'")).sql(name).text
        for payload in PAYLOADS:
            chosen = SCHEMA.compile(test.format(string_text(payload)))
            assert chosen.sql(name).text == plain
            assert attacked.select(chosen) == [i for i, row in enumerate(ROWS) if chosen.matches(row)]
    for payload in PAYLOADS:
        items = run(attacked, [("filter", f"name eq {string_text(payload)}")])
        assert [item["id"] for item in items] == [f"o{PAYLOADS.index(payload)}"]


def test_keys_of_maps(attacked: Table) -> None:
    """50 payloads as keys: each finds its own value, and none is in the statement (SPEC §5)."""
    name = attacked.backend.name
    for test in (
        "notes.{} eq {}",
        "notes.{} ne {}",
        "steps[notes.{} startswith {}]",
        "not steps.notes.{} in ({}, null)",
    ):
        plain = SCHEMA.compile(test.format("plain", "'plain'")).sql(name).text
        for payload in PAYLOADS:
            key = "`" + payload.replace("`", "``") + "`"
            chosen = SCHEMA.compile(test.format(key, string_text(payload)))
            assert chosen.sql(name).text == plain
            assert attacked.select(chosen) == [i for i, row in enumerate(ROWS) if chosen.matches(row)]
    for payload in PAYLOADS:
        key = "`" + payload.replace("`", "``") + "`"
        query = [("filter", f"notes.{key} ne null"), ("include", f"id,notes.{key}")]
        found = [] if payload.startswith("-") else [[f"o{PAYLOADS.index(payload)}", payload]]
        assert run(attacked, query) == found


def test_no_filter_reaches_another_tenant(attacked: Table) -> None:
    """The server's own condition stands outside everything that the caller wrote (SPEC §9)."""
    for text in (
        "tenant eq 'theirs'",
        "name eq 'x' or tenant eq 'theirs'",
        "not tenant eq 'ours'",
        "name ne 'x' or name eq 'x'",
        "not (name eq 'a' and name ne 'a')",
        "tenant eq 'theirs' or not name eq null",
    ):
        for item in run(attacked, [("filter", text)]):
            assert item["id"].startswith("o")
    for first, second in (("name eq 'a') or (name ne 'a'", "name ne ''"), ("name eq 'a", "' or name ne 'a'")):
        with pytest.raises(QueryError):
            SCHEMA.query([("filter", first), ("filter", second)])


def test_names(attacked: Table) -> None:
    """A name that is no field's is refused, wherever it stands; a payload never becomes SQL."""
    for payload in PAYLOADS:
        name = name_text(payload)
        quoted = name if name.startswith("`") else f"`{name}`"
        for text in (
            f"{quoted} eq 'a'",
            f"inner.{quoted} eq 'a'",
            f"labels[{quoted} eq 'a']",
            f"contains({quoted}, 'a')",
        ):
            with pytest.raises(FilterError) as caught:
                SCHEMA.compile(text)
            assert caught.value.code == "unknown_field"
        for parameter, value in (
            ("include", f"id,{quoted}"),
            ("include", payload),
            ("orderBy", quoted),
            ("orderBy", f"name {payload}"),
            ("orderBy", f"{quoted} desc"),
            ("filter", payload),
            ("filter", f"name eq '{payload}"),
            ("limit", payload),
            ("skip", payload),
            ("count", payload),
            ("continue", payload),
            (payload, "1"),
        ):
            with pytest.raises(QueryError):
                SCHEMA.query([(parameter, value)], secret=b"s")
    assert len(run(attacked, [("orderBy", "name desc"), ("include", "id,name")])) == len(PAYLOADS) + 1


def test_tokens(attacked: Table) -> None:
    """A token's values are parameters, too, whoever made it (SPEC §6)."""
    for secret in (None, b"s"):
        for payload in PAYLOADS:
            row = {"id": "o", "tenant": "ours", "name": payload, "inner": {}, "labels": [], **noted("a")}
            first = SCHEMA.query([("orderBy", "name"), ("limit", "1")], secret=secret)
            token = first.page([row, {**row, "id": "p"}]).next_token
            assert token is not None
            run(attacked, [("orderBy", "name"), ("limit", "5"), ("continue", token)], secret)
            for spoiled in (token[:-2], token + "A", token[1:], token[::-1], token.swapcase()):
                with pytest.raises(QueryError):
                    SCHEMA.query([("orderBy", "name"), ("continue", spoiled)], secret=secret)


def test_declared_names_are_quoted(backend: Backend) -> None:
    """Fields and columns that a server itself names so: identifiers are quoted, JSON keys are never code (SPEC §5)."""
    names = [
        payload
        for payload in PAYLOADS
        if payload.isprintable() and payload.isascii() and len(payload) < 60 and not payload.endswith(" ")
    ]
    members: dict[str, fields.Field] = {"id": fields.String(max_length=40)}
    members |= {name: fields.String(nullable=True) for name in names}
    members["inside"] = fields.Object(
        {name: fields.String(nullable=True) for name in names if not name.startswith("-")}
    )
    members["list"] = fields.Array(members["inside"], nullable=True)
    schema = Schema(members, key="id")
    rows: list[dict[str, Any]] = [{"id": "none"}]
    for name in names:
        rows += [
            {"id": f"c{len(rows)}", name: name},
            {"id": f"j{len(rows)}", "inside": {name: name}, "list": [{name: "x"}]},
        ]
    with backend.table(schema, rows) as table:
        for name in names:
            text = name_text(name)
            tests = [f"{text} eq {string_text(name)}", f"{text} ne null", f"not {text} contains {string_text(name)}"]
            if not name.startswith("-"):
                tests += [f"inside.{text} eq {string_text(name)}", f"list[{text} in ('x')]", f"list.{text} ne 'x'"]
            for test in tests:
                chosen = schema.compile(test)
                assert table.select(chosen) == [i for i, row in enumerate(rows) if chosen.matches(row)]
