"""WHERE conditions (SPEC §5): their text, and the traps of the databases. `test_conformance` proves what they mean."""

from __future__ import annotations

import json
import random
import re
import sqlite3
from urllib.parse import urlsplit

import psycopg
import pytest
from databases.backends import BACKENDS, POSITION, POSTGRES_URL, Mysql, Unreachable, backend_params

from astra_filter import Schema, StorageError, fields
from astra_filter.sql.dialects import DIALECTS, find_dialect
from astra_filter.testing import Table as OwnTable
from astra_filter.testing.oracle import compare

String = fields.String


# Text ----------------------------------------------------------------------------------------------------------------

PLAIN = Schema(
    {
        "t": String(binary=True),
        "u": String(binary=True, nullable=True),
        "c": String(nullable=True),
        "n": fields.Integer(),
        "m": fields.Integer(nullable=True),
        "a": fields.Array(String()),
    }
)
NOT_TRUE = {"sqlite": "IS NOT 1", "postgresql": "IS NOT TRUE", "duckdb": "IS NOT TRUE", "mysql": "IS NOT TRUE"}


def text_of(filter_text: str, name: str, schema: Schema = PLAIN) -> str:
    """Return a condition as text, with ``?`` for every placeholder and double quotes around identifiers."""
    return schema.compile(filter_text).sql(name).text.replace("%s", "?").replace("`", '"')


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize(
    ("filter_text", "expected"),
    [
        ("t eq 'x'", '"t" = ?'),
        ("t in ('x', 'y')", '"t" IN (?, ?)'),
        ("t lt 'x'", '"t" < ?'),
        # A column that is NOT NULL has plain opposites; no other has.
        ("t ne 'x'", '"t" <> ?'),
        ("not t lt 'x'", '"t" >= ?'),
        ("t not in ('x', 'y')", '"t" NOT IN (?, ?)'),
        ("u ne 'x'", '"u" = ? {not_true}'),
        ("not n gte 1", '"n" < ?'),
        ("not m gte 1", '"m" >= ? {not_true}'),
        ("u not in ('x', 'y')", '"u" IN (?, ?) {not_true}'),
        ("u in ('x', null)", '"u" IN (?) OR "u" IS NULL'),
        ("u not in ('x', null)", '"u" IN (?) {not_true} AND "u" IS NOT NULL'),
        ("u eq null", '"u" IS NULL'),
        # Minimal parentheses, the deepest operand first.
        ("n eq 1 or n eq 2 and m eq 3", '"n" = ? AND "m" = ? OR "n" = ?'),
        ("n eq 1 and (n eq 2 or n eq 3 and (n eq 4 or m eq 5))", '(("n" = ? OR "m" = ?) AND "n" = ? OR "n" = ?) AND "n" = ?'),
        ("not (n eq 1 and (m eq 2 or n eq 3))", '"m" = ? {not_true} AND "n" <> ? OR "n" <> ?'),
    ],
)  # fmt: skip
def test_the_text_of_plain_columns(name, filter_text, expected):
    found = text_of(filter_text, name)
    assert found == expected.replace("{not_true}", NOT_TRUE[name])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sqlite", '"c" COLLATE BINARY = ?'),
        ("postgresql", '"c" = ? AND "c" COLLATE "C" = ?'),
        (
            "mysql",
            '"c" = ? AND CAST(CONVERT("c" USING utf8mb4) AS BINARY) = CAST(CONVERT(? USING utf8mb4) AS BINARY)',
        ),
        ("duckdb", '"c" COLLATE C = ?'),
    ],
)
def test_the_text_of_any_collation(name, expected):
    assert text_of("c eq 'x'", name) == expected


def test_an_alias_qualifies_every_column():
    schema = Schema({"n": fields.Integer(), "o": fields.Object({"s": String()}), "a": fields.Array(String())})
    compiled = schema.compile("n eq 1 and o.s eq 'x' and a contains 'y' and a ne 'z'")
    for name in DIALECTS:
        condition = compiled.sql(name, alias='t"`').text
        quoted = find_dialect(name).identifier('t"`')
        for column in ("n", "o", "a"):
            identifier = find_dialect(name).identifier(column)
            assert condition.count(identifier) == condition.count(f"{quoted}.{identifier}") > 0


def test_arrays_are_asked_once():
    """Some element is P or some is Q where some is P or Q; asked apart, PostgreSQL compiles 200 subqueries for seconds."""
    for name in DIALECTS:
        once = text_of("a eq 'x'", name).count("element1") and text_of("a eq 'x'", name)
        opening = re.match(r"[^?]*?element1", once)[0]
        for several in (
            "a eq 'x' or a contains 'y' or a eq 'z'",
            "a ne 'x' and n eq 1 and not a contains 'y' and a ne 'z'",
            "n eq 1 or (a eq 'x' or not (a ne 'y' and not a eq 'z'))",
        ):
            assert text_of(several, name).count(opening) == 1
        # Different elements may satisfy these.
        assert text_of("a eq 'x' and a contains 'y'", name).count(opening) == 2


@pytest.mark.parametrize("name", list(DIALECTS))
@pytest.mark.parametrize(
    ("several", "one"),
    [
        ("n eq 1 or n eq 2", "n in (1, 2)"),
        ("n eq 1 or (n in (2, 3) or n eq 4)", "n in (1, 2, 3, 4)"),
        ("n ne 1 and n ne 2 and not n in (3)", "n not in (1, 2, 3)"),
        ("n eq 1 or t eq 'x' or n eq 2", "n in (1, 2) or t eq 'x'"),
        ("not (n ne 1 and n ne 2)", "n in (1, 2)"),
        ("a eq 'x' or n eq 1 or a eq 'y'", "n eq 1 or a in ('x', 'y')"),
        ("t eq 'x' and (n eq 1 or n eq 2)", "t eq 'x' and n in (1, 2)"),
    ],
)
def test_tests_of_one_value_become_one(name, several, one):
    """As 200 tests of an array's elements, they took MariaDB over 20 s on 10,000 rows."""
    found, expected = PLAIN.compile(several).sql(name), PLAIN.compile(one).sql(name)
    assert found.text == expected.text
    assert sorted(map(str, found.params)) == sorted(map(str, expected.params))


@pytest.mark.parametrize("text", ["n eq 1 and n eq 2", "n ne 1 or n ne 2", "n eq 1 or n ne 2", "n eq 1 or n gt 2"])
def test_other_tests_of_one_value_stay(text):
    assert " IN " not in PLAIN.compile(text).sql("sqlite").text


def nested(levels):
    members = {"x": fields.Integer(nullable=True)}
    for _ in range(levels):
        members = {"a": fields.Array(fields.Object(members), nullable=True)}
    return Schema({"id": fields.Integer(), "n": fields.Integer(nullable=True), **members}, key="id")


@pytest.mark.parametrize("levels", [1, 8, 9, 10, 15])
def test_arrays_as_deep_as_the_database_bears(backend, levels):
    """What is deeper is refused before it is sent; the schema stays of use (SPEC §5)."""
    schema = nested(levels)
    inside = {"x": 5}
    for _ in range(levels):
        inside = {"a": [inside]}
    rows = [{"id": 1, **inside}, {"id": 2}, {"id": 3, "n": 7}]
    path = ".".join(["a"] * levels + ["x"])
    most = {"sqlite": 9, "duckdb": 8}.get(backend.name, 100)
    with backend.table(schema, rows, temporary=False) as table:
        for text in (
            f"{path} eq 5",
            f"not (n eq 7 or {path} ne 5)",
            f"n eq 7 or ({path} gt 1 and id eq 1 and n eq null)",
        ):
            chosen = schema.compile(text)
            first = schema.query({"filter": text, "limit": "1", "orderBy": "n desc"})
            assert first.request.tokens is not None
            token = first.request.tokens.write((9, 0))
            following = schema.query({"filter": text, "limit": "1", "orderBy": "n desc", "continue": token})
            if levels <= most:
                assert table.select(chosen) == [place for place, row in enumerate(rows) if chosen.matches(row)]
                for query in (first, following):
                    found = query.page_from_rows(backend.execute(*query.sql(table.name, backend.name))).items
                    assert found == query.page(rows).items
            else:
                for make in (chosen.sql, lambda dialect, query=following: query.sql("t", dialect)):
                    with pytest.raises(StorageError) as caught:
                        make(backend.name)
                    assert caught.value.code == "too_deep"
        assert table.select(schema.compile("n eq 7")) == [2]


def test_long_chains_are_balanced():
    compiled = PLAIN.compile(" or ".join(f"n gt {number}" for number in range(200)))
    condition = compiled.sql("sqlite").text
    assert max(len(group.split(" OR ")) for group in re.findall(r"\(([^()]*)\)", condition)) <= 16
    assert condition.count("?") == 200
    connection = sqlite3.connect(":memory:")
    connection.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 40)
    connection.execute("CREATE TABLE r (n INTEGER)")
    connection.execute(f"SELECT 1 FROM r WHERE {condition}", compiled.sql("sqlite").params)
    connection.close()


# Size ----------------------------------------------------------------------------------------------------------------

SIZES = Schema(
    {
        "a": String(nullable=True),
        "n": fields.Number(nullable=True),
        "o": fields.Object(
            {"p": String(nullable=True), "i": fields.Integer(nullable=True), 'q"': String(nullable=True)}, nullable=True
        ),
        "value": fields.Array(String()),
        "arr": fields.Array(
            fields.Object({"x": String(nullable=True), "in": fields.Array(fields.Object({"z": String(nullable=True)}))})
        ),
    }
)
SIZED = [
    {},
    {"a": "x", "n": 1, "o": {"p": "x", "i": 1, 'q"': "x"}, "value": ["x"], "arr": [{"x": "x", "in": [{"z": "x"}]}]},
    {"a": "y", "n": 9, "o": {"p": "y", "i": 9, 'q"': "y"}, "value": ["y"], "arr": [{"x": "y", "in": [{"z": "y"}]}, {}]},
]
for _row in SIZED:
    _row.setdefault("value", [])
    _row.setdefault("arr", [])
LEAVES = {
    "resource": (
        "a ne 'x'",
        "n lt 5",
        "o.p ne 'x'",
        "o.i gt 5",
        "value ne 'x'",
        "o.`q\"` endswith 'y'",
        "arr[x eq 'x' and in[z ne 'x']]",
    ),
    "element": ("x ne 'x'", "in.z eq 'y'"),
    "inner": ("z ne 'x'", "z gt 'x'"),
}


def tree(chance: random.Random, tests: int, depth: int, scope: str, operator: str) -> str:
    """Return a random filter with so many tests, nested at most so deep."""
    if tests == 1 or depth <= 1:
        return chance.choice(LEAVES[scope])
    if chance.random() < 0.15 and scope != "inner":
        path, inner = {"resource": ("arr", "element"), "element": ("in", "inner")}[scope]
        return f"{path}[{tree(chance, tests, depth - 1, inner, chance.choice(('and', 'or')))}]"
    count = min(tests, chance.choice((2, 2, 3, chance.randint(2, 30))))
    sizes = [1] * (count - 1) + [tests - count + 1]
    if chance.random() < 0.4:
        cuts = sorted(chance.sample(range(1, tests), count - 1))
        sizes = [end - start for start, end in zip([0, *cuts], [*cuts, tests], strict=True)]
    chance.shuffle(sizes)
    other = {"and": "or", "or": "and"}[operator]
    operands = [tree(chance, size, depth - 2, scope, other) for size in sizes]
    negated = chance.choice(("", "", "not "))
    return f" {operator} ".join(
        operand if size == 1 else f"{negated}({operand})" for size, operand in zip(sizes, operands, strict=True)
    )


def comb(depth: int) -> str:
    found = "o.i ne 5"
    for level in range(depth):
        found = f"o.i ne 5 {'and' if level % 2 else 'or'} ({found})"
    return found


def full(depth: int) -> str:
    if depth == 0:
        return "o.i ne 5"
    return f"({full(depth - 1)} {'and' if depth % 2 else 'or'} {full(depth - 1)})"


@pytest.mark.slow
@pytest.mark.no_cover  # Tracing lines would take longer than the test.
def test_the_largest_filters(backend):
    """SPEC §8: nesting 32 and 200 tests. SQLite's parser keeps about 100 symbols, and overflows at careless text."""
    chance = random.Random(5)
    texts = [comb(32), full(7), *(tree(chance, 200, 32, "resource", "and") for _ in range(20))]
    limits = SIZES.limits._replace(text_length=100_000, tests=250)
    with backend.table(SIZES, SIZED) as table:
        if backend.name == "postgresql":
            # What it takes to compile so many expressions is the server's own choice.
            backend.execute("SET jit = off")
        for text in texts:
            compiled = SIZES.compile(text, limits=limits)
            assert table.select(compiled) == [place for place, row in enumerate(SIZED) if compiled.matches(row)]


def test_long_lists(backend):
    schema = Schema({"n": fields.Integer(nullable=True), "s": String(nullable=True), "a": fields.Array(String())})
    rows = [{"n": 7, "s": "é7", "a": ["é7"]}, {"n": 1000, "s": "É7", "a": ["é1000"]}, {"a": []}]
    numbers = ", ".join(map(str, range(1000)))
    texts = ", ".join(f"'é{number}'" for number in range(1000))
    limits = schema.limits._replace(text_length=10**5)
    with backend.table(schema, rows, hostile=True) as table:
        for text, expected in (
            (f"n in ({numbers})", [0]),
            (f"n not in ({numbers})", [1, 2]),
            (f"s in ({texts})", [0]),
            (f"s not in ({texts}) and n in ({numbers})", []),
            (f"a in ({texts})", [0]),
            (f"a not in ({texts})", [1, 2]),
        ):
            assert table.select(schema.compile(text, limits=limits)) == expected


# Traps ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["value", "key", "type", "id", "path", "json", "element1", "rowid", "true", "null"])
def test_arrays_with_names_that_mean_something_else(backend, name):
    """On SQLite, json_each has columns of its own, which hide those around; and TRUE may be a column."""
    schema = Schema({name: fields.Array(String()), "o": fields.Object({"true": String(nullable=True)})})
    rows = [{name: ["a", "b"]}, {name: []}, {name: ["b"], "o": {"true": "x"}}]
    quoted = f"`{name}`"
    with backend.table(schema, rows) as table:
        for options in ({}, {"alias": "t"}):
            assert table.select(schema.compile(f"{quoted} eq 'a'"), **options) == [0]
            assert table.select(schema.compile(f"{quoted} ne 'a'"), **options) == [1, 2]
            assert table.select(schema.compile(f"{quoted} eq 'b' and {quoted} ne 'a'"), **options) == [2]
            assert table.select(schema.compile("o.`true` ne 'x'"), **options) == [0, 1]


KEYS = ['a"b', "a\\b", "a\nb", "a'b", "a.b", "a[0]", "", "0", "*", "a~/b", "%s", "ключ", "😀", "?", ":p1", "$1"]


@pytest.mark.parametrize("column", ["value", "key", "type", "json", "document", "member_of", "plain"])
def test_members_with_odd_names_in_columns_that_mean_something_else(backend, column):
    """SQLite reads such members by json_each, whose own columns have these names."""
    odd = 'a"b'
    inner = fields.Object({odd: fields.Integer(nullable=True)}, nullable=True)
    schema = Schema(
        {
            "id": fields.Integer(),
            "o": fields.Object(
                {odd: fields.Integer(nullable=True), "p": inner}, nullable=True, column=column, json_path=[]
            ),
        },
        key="id",
    )
    rows = [{"id": 1, "o": {odd: 5, "p": {odd: 7}}}, {"id": 2, "o": {odd: 7, "p": {odd: 5}}}, {"id": 3}]
    with backend.table(schema, rows) as table:
        for alias in (None, "t", "member_of"):
            for text, expected in ((f"o.`{odd}` eq 5", [0]), (f"o.p.`{odd}` eq 7", [0]), (f"o.p.`{odd}` ne 7", [1, 2])):
                assert table.select(schema.compile(text), alias=alias) == expected, (text, alias)


def test_json_members_of_any_name(backend):
    members = {key: String(nullable=True) for key in KEYS if key}
    deep = fields.Object(members, nullable=True)
    schema = Schema({"o": fields.Object({**members, 'in "it"': deep}, nullable=True), "a": fields.Array(deep)})
    rows = [{"o": {key: "x"}, "a": [{key: "x"}]} for key in members]
    rows += [{"o": {'in "it"': {key: "x"}}, "a": []} for key in members]
    # What looks like an object, but is text.
    rows += [{"o": {'in "it"': json.dumps({key: "x"})}, "a": [json.dumps({key: "x"})]} for key in members]
    with backend.table(schema, rows) as table:
        for place, key in enumerate(members):
            name = f"`{key}`"
            assert table.select(schema.compile(f"o.{name} eq 'x'")) == [place]
            assert table.select(schema.compile(f"o.`in \"it\"`.{name} eq 'x'")) == [place + len(members)]
            assert table.select(schema.compile(f"a.{name} eq 'x'")) == [place]


def test_elements_longer_than_65535_bytes(backend):
    """MariaDB's TEXT columns in JSON_TABLE cut there."""
    schema = Schema({"a": fields.Array(String())})
    long = "é" * 40_000
    with backend.table(schema, [{"a": [long + "x"]}, {"a": [long + "y"]}]) as table:
        assert table.select(schema.compile("a endswith 'y'")) == [1]


FOREIGN = Schema(
    {
        "o": fields.Object(
            {
                "s": String(nullable=True),
                "e": fields.Enum("a", "5", nullable=True),
                "i": fields.Integer(nullable=True),
                "x": fields.Number(nullable=True),
                "b": fields.Boolean(nullable=True),
                "a": fields.Array(String(), nullable=True),
                "j": fields.Array(fields.Integer(), nullable=True),
                "l": fields.Array(fields.Object({"s": String(nullable=True), "i": fields.Integer(nullable=True)}), nullable=True),
                "d": fields.Object({"s": String(nullable=True)}, nullable=True),
            },
            nullable=True,
        ),
        "t": fields.Array(String(), nullable=True),
    }
)  # fmt: skip
VALUES = (
    "null", "true", "false", "5", "5.0", "5e0", "5.5", "-0.0", "1e2", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "1e30", '""', '"a"', '"5"', '"true"', '"null"', '"{}"', '"[]"', r'"\u00e9\ud83d\ude00"',
    '"[\\"a\\"]"', '"{\\"s\\": \\"a\\"}"', "[]", "{}", '["a"]', '["a", 5, null, true, ["a"], {"s": "a"}]', '[5, 5.0, "5"]',
    '{"s": "a"}', '[{"s": "a"}]', '[{"s": "a", "i": 5}, "a", null]', '[[{"s": "a"}]]', '{"0": "a", "s": 5}',
)  # fmt: skip
QUESTIONS = [
    *(f"o.s {test}" for test in ("eq 'a'", "eq '5'", "lt 'b'", "contains 'a'", "endswith ''", "eq 'é😀'", "eq null")),
    *(f"o.e {test}" for test in ("eq 'a'", "in ('5', null)")),
    *(f"o.i {test}" for test in ("eq 5", "gt 5", "lte 9223372036854775807", "in (100, 0)", "eq null")),
    *(f"o.x {test}" for test in ("eq 5", "eq 0", "gt 5", "lt 1e40", "eq null")),
    *(f"o.b {test}" for test in ("eq true", "eq false", "eq null")),
    *(f"o.a {test}" for test in ("eq 'a'", "eq '5'", "contains ''", "eq null")),
    *(f"o.j {test}" for test in ("eq 5", "in (5, 6)", "lt 100", "eq null")),
    *(f"o.l{test}" for test in ("[s eq 'a']", "[s eq 'a' and i eq 5]", "[i eq null]", ".s eq null", " eq null", ".i eq 5")),
    *(f"o.d.s {test}" for test in ("eq 'a'", "eq null")),
    *(f"t {test}" for test in ("eq 'a'", "eq '5'", "eq null", "contains ''")),
]  # fmt: skip


def test_json_of_others_has_the_same_meaning(backend):
    """SPEC §4.6: a value of another type counts as null. No row makes a filter raise, whatever stands beside it."""
    stored = [(f'{{"{name}": {value}}}', None) for name in "seixbajld" for value in VALUES]
    stored += [(value, value) for value in VALUES]
    stored.append(('{"x": 1e-400}', None))  # Zero as a double, which PostgreSQL refuses to make of it.
    resources = [
        {"o": None if document is None else json.loads(document), "t": None if tags is None else json.loads(tags)}
        for document, tags in stored
    ]
    with backend.table(FOREIGN) as table:
        table.insert([{"o": document, "t": tags} for document, tags in stored])
        for question in QUESTIONS:
            for text in (question, f"not {question}"):
                compiled = FOREIGN.compile(text)
                expected = [place for place, resource in enumerate(resources) if compiled.matches(resource)]
                found = table.select(compiled)
                wrong = sorted(set(found) ^ set(expected))
                assert not wrong, (text, [stored[place] for place in wrong])


@pytest.mark.parametrize("name", backend_params(["sqlite", "mysql", "duckdb"]))
def test_documents_that_are_not_json(request, name):
    """Columns of text may hold anything."""
    backend = request.getfixturevalue(name)
    rows = ["{bad", "", "a", '{"s": "a"', '["a"', "nul", "{'s': 'a'}", '{"s": "a"}', '["a"]']
    with backend.table(FOREIGN) as table:
        if name != "sqlite":
            kind = {"mysql": "MODIFY {} LONGTEXT", "duckdb": "ALTER {} TYPE VARCHAR"}[name]
            for column in ("o", "t"):
                backend.execute(f"ALTER TABLE {table.quoted} {kind.format(column)}")
        table.insert([{"o": text, "t": text} for text in rows])
        for question in QUESTIONS:
            chosen, others = FOREIGN.compile(question), FOREIGN.compile(f"not {question}")
            assert sorted(table.select(chosen) + table.select(others)) == list(range(len(rows)))
        assert table.select(FOREIGN.compile("o.s eq 'a'")) == [7]
        assert table.select(FOREIGN.compile("t eq 'a'")) == [8]


@pytest.mark.database
def test_a_latin1_connection():
    """MariaDB takes parameters for text of the connection's character set."""
    schema = Schema(
        {
            "id": String(max_length=9, nullable=True),
            "b": String(max_length=9, nullable=True, binary=True),
            "o": fields.Object({"s": String(nullable=True)}),
            "a": fields.Array(String()),
        }
    )
    rows = [{"id": text, "b": text, "o": {"s": text}, "a": [text]} for text in ("é", "e", "É", "é ")]
    try:
        backend = Mysql(charset="latin1")
    except Unreachable as error:
        pytest.skip(str(error))
    try:
        with backend.table(schema, rows, hostile=True) as table:
            for path in ("id", "b", "o.s", "a"):
                assert table.select(schema.compile(f"{path} eq 'é'")) == [0]
                assert table.select(schema.compile(f"{path} in ('é', 'É')")) == [0, 2]
                assert table.select(schema.compile(f"{path} ne 'é'")) == [1, 2, 3]
                assert table.select(schema.compile(f"{path} gt 'é'")) == [3]
                assert table.select(schema.compile(f"{path} startswith 'é'")) == [0, 3]
                assert table.select(schema.compile(f"{path} endswith 'é'")) == [0]
                assert table.select(schema.compile(f"{path} contains 'é'")) == [0, 3]
    finally:
        backend.close()


def test_a_padding_collation_of_mariadb(mysql):
    """Under utf8mb4_bin, too, trailing spaces do not count; what is not declared binary is exact all the same."""
    schema = Schema({"s": String(max_length=9, nullable=True)})
    with mysql.table(schema, [{"s": "a"}, {"s": "a "}, {"s": "A"}]) as table:
        mysql.execute(f"ALTER TABLE {table.quoted} MODIFY s VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        assert table.select(schema.compile("s eq 'a'")) == [0]
        assert table.select(schema.compile("s in ('a ', 'b')")) == [1]
        assert table.select(schema.compile("s gt 'a'")) == [1]


@pytest.mark.parametrize("name", backend_params(["sqlite", "mysql", "postgresql"]))
def test_indexes_serve(request, name):
    """Equality uses an index of a column of any collation; a range one of a binary column."""
    backend = request.getfixturevalue(name)
    schema = Schema({"c": String(max_length=40), "b": String(max_length=40, binary=True)})
    rows = [{"c": f"k{number}", "b": f"k{number}"} for number in range(1000)]
    with backend.table(schema, rows) as table:
        if name == "postgresql":
            # The default collation of a database that does not compare by code point: its indexes are of no use to "C".
            backend.execute(f'ALTER TABLE {table.quoted} ALTER c TYPE text COLLATE "und-x-icu"')
        if name == "mysql":
            backend.execute(f"ALTER TABLE {table.quoted} MODIFY c VARCHAR(40) COLLATE utf8mb4_general_ci")
        for column in ("c", "b"):
            backend.execute(f"CREATE INDEX index_{column} ON {table.quoted} ({column})")
        if name != "sqlite":
            backend.execute({"postgresql": "ANALYZE ", "mysql": "ANALYZE TABLE "}[name] + table.quoted)
        for text in ("c eq 'k7'", "c in ('k7', 'k8')", "b eq 'k7'", "b in ('k7', 'k8')", "b gt 'k999'"):
            condition = schema.compile(text).sql(name)
            explain = {"sqlite": "EXPLAIN QUERY PLAN"}.get(name, "EXPLAIN")
            plan = backend.execute(
                f"{explain} SELECT {POSITION} FROM {table.quoted} WHERE {condition.text}", condition.params
            )
            used = plan[0][5] if name == "mysql" else str(plan)
            assert f"index_{text[0]}" in str(used), (text, plan)


def test_session_settings_of_postgresql(postgresql):
    """Time zone, date style and digits of floats are the session's; meaning is not."""
    schema = Schema(
        {
            "at": fields.Timestamp(nullable=True),
            "day": fields.Date(nullable=True),
            "x": fields.Number(nullable=True),
            "o": fields.Object({"x": fields.Number(nullable=True), "at": fields.Timestamp(nullable=True)}),
        }
    )
    values = {"at": "2020-08-06T23:30:00Z", "day": "2020-08-06", "x": 0.1 + 0.2}
    try:
        with postgresql.table(schema, [{**values, "o": values}]) as table:
            for setting in ("TimeZone = 'Asia/Tokyo'", "DateStyle = 'SQL, DMY'", "extra_float_digits = -15"):
                postgresql.execute(f"SET {setting}")
                for text in (
                    "at eq '2020-08-06T23:30:00Z'",
                    "day eq '2020-08-06'",
                    "x eq 0.30000000000000004",
                    "o.x eq 0.30000000000000004",
                    "o.at eq '2020-08-06T23:30:00Z'",
                ):
                    assert table.select(schema.compile(text)) == [0], (setting, text)
    finally:
        for setting in ("TimeZone", "DateStyle", "extra_float_digits"):
            postgresql.execute(f"RESET {setting}")


def test_a_database_of_postgresql_in_another_locale(postgresql):
    """Text out of JSON has the database's collation, which need not go by code point."""
    name = f"{postgresql.namespace}_icu"
    postgresql.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en'")
    try:
        url = urlsplit(POSTGRES_URL)._replace(path=f"/{name}").geturl()
        with psycopg.connect(url) as connection:
            schema = Schema(
                {
                    "o": fields.Object({"s": String(nullable=True)}),
                    "a": fields.Array(String()),
                    "s": String(),
                }
            )
            texts = ["a", "B", "é", "z", "_", "Z"]
            rows = [{"o": {"s": text}, "a": [text], "s": text} for text in texts]
            with OwnTable(connection, schema) as table:
                table.fill(rows)
                for text in ("o.s lt 'a'", "o.s gte 'a'", "a gt 'Z'", "not a lte 'a'", "s lt 'a'", "s gte 'z'"):
                    assert compare(rows, schema.compile(text), [table])
            connection.rollback()
    finally:
        postgresql.execute(f"DROP DATABASE {name}")


def test_every_dialect_has_a_backend():
    assert BACKENDS.keys() == DIALECTS.keys()
