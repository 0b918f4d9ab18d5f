"""The SELECT of a page on real databases: the server's own condition, placeholders, collations (SPEC §5, §6)."""

from __future__ import annotations

import itertools
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from databases.backends import backend_params

from astra_filter import Schema, SchemaError, StorageError, fields
from astra_filter.sql import SQL
from astra_filter.sql import select as select_module
from astra_filter.sql.dialects import DIALECTS, find_dialect

if TYPE_CHECKING:
    from databases.backends import Backend, Table

MEMBERS: dict[str, fields.Field] = {
    "id": fields.Integer(),
    "tenant": fields.String(max_length=20),
    "name": fields.String(max_length=200),
    "share": fields.Number(nullable=True),
    "since": fields.Timestamp(nullable=True),
    "owner": fields.Uuid(nullable=True),
    "open": fields.Boolean(nullable=True),
    "doc": fields.Object(
        {
            "rank": fields.Integer(nullable=True, column="doc", json_path=["rank"]),
            "word": fields.String(nullable=True, column="doc", json_path=["word"]),
            "tags": fields.Array(fields.String(), nullable=True, column="doc", json_path=["tags"]),
        },
        nullable=True,
    ),
    "100%": fields.String(nullable=True, max_length=20, column='odd "`% name'),
    "hidden": fields.String(returnable=False, sortable=False, nullable=True, max_length=20),
}
SCHEMA = Schema(MEMBERS, key="id")
WORDS = [
    "",
    "a",
    "A",
    "a ",
    "b",
    "B",
    "ä",
    "é",
    "e",
    "ß",
    "ss",
    "Z",
    "z",
    "_",
    "%",
    "\\",
    "'",
    "\uffee",
    "\U0001f600",
    "一",
    "١",
]
ROWS = [
    {
        "id": number,
        "tenant": "one" if number % 3 else "two",
        "name": WORDS[number % len(WORDS)],
        "share": None if number % 5 == 0 else (number - 20) / 8,
        "since": None if number % 4 == 0 else f"2020-08-06T12:24:52.{number % 3:06d}Z",
        "owner": None if number % 3 == 0 else f"{'f0a9'[number % 4]}0000000-0000-4000-8000-{number:012d}",
        "open": (None, True, False)[number % 3],
        "doc": {"rank": number % 4 or None, "word": WORDS[-number % len(WORDS)], "tags": ["x"]},
        "100%": WORDS[number // 3],
        "hidden": "secret",
    }
    for number in range(1, 41)
]
ORDERS = [
    "name",
    "name desc",
    "share desc, name",
    "open, since desc",
    "owner desc, open",
    "doc.rank desc",
    "doc.word, doc.rank desc",
    "`100%` desc, tenant",
]


def expected(parameters: dict[str, str], rows: list[dict[str, Any]] = ROWS) -> list[Any]:
    return list(SCHEMA.query(parameters).page(rows).items)


def walk(table: Table, parameters: dict[str, str], **options: Any) -> list[Any]:
    """Return the items of all pages of three."""
    items: list[Any] = []
    token: dict[str, str] = {}
    for _ in range(100):
        query = table.schema.query({**parameters, **token, "limit": "3"})
        rows = table.backend.execute(*query.sql(table.name, table.backend.name, **options))
        page = query.page_from_rows(rows)
        items += page.items
        if page.next_token is None:
            return items
        token = {"continue": page.next_token}
    raise AssertionError("the walk does not end")


@pytest.mark.parametrize("order", ORDERS)
def test_orders(backend: Backend, order: str) -> None:
    with backend.table(SCHEMA, ROWS) as table:
        assert walk(table, {"orderBy": order}) == expected({"orderBy": order})
        assert walk(table, {"orderBy": order, "include": "tenant"}) == expected({"orderBy": order, "include": "tenant"})


def test_projection_is_pushed_down() -> None:
    query = SCHEMA.query("include=name,doc.rank&orderBy=share")
    assert query.columns == ("id", "name", "share", "doc")
    text = query.sql("t", "sqlite").text
    assert text == (
        'SELECT "t"."id" AS "id", "t"."name" AS "name", "t"."share" AS "share", "t"."doc" AS "doc" FROM "t" '
        'ORDER BY "t"."share", "t"."id"'
    )
    assert "hidden" not in SCHEMA.query("").sql("t", "sqlite").text


def where(name: str, tenant: str, style: str) -> SQL:
    """Return a condition with an OR at its top, in a placeholder style."""
    column = find_dialect(name).identifier("tenant")
    if style == ":p1":
        return SQL(f"{column} = :tenant OR {column} = :p1", {"tenant": tenant, "p1": "none"})
    first, second = ("$1", "$2") if style == "$1" else (style, style)
    return SQL(f"{column} = {first} OR {column} = {second}", (tenant, "none"))


@pytest.mark.parametrize("alias", [None, "tasks", "a b"])
@pytest.mark.parametrize("order", ["name desc", "share desc, name", "doc.rank"])
def test_where_of_the_server(backend: Backend, order: str, alias: str | None) -> None:
    """SPEC §9: joined outside everything the caller wrote; no filter widens it."""
    parameters = {"orderBy": order, "filter": "name ne 'a' or tenant eq 'two' or share eq null", "count": "true"}
    own = [row for row in ROWS if row["tenant"] == "one"]
    style = find_dialect(backend.name).placeholders[0]
    condition = where(backend.name, "one", style)
    with backend.table(SCHEMA, ROWS) as table:
        assert walk(table, parameters, where=condition, alias=alias) == expected(parameters, own)
        counted = SCHEMA.query(parameters).count_sql(table.name, backend.name, where=condition, alias=alias)
        ((total,),) = backend.execute(*counted)
        assert total == len(expected(parameters, own)) > 0


def test_styles_bind_the_same() -> None:
    """SPEC §5: every placeholder style has every parameter at its place, those of the server's condition too."""
    parameters = {"orderBy": "share desc,name", "filter": "name gt 'A' and share lt 100", "limit": "3"}
    query = SCHEMA.query({**parameters, "continue": SCHEMA.query(parameters).page(ROWS).next_token})
    found: dict[str, set[str]] = {}
    for name, record in DIALECTS.items():
        for style in record.placeholders:
            text, params = query.sql("t", name, where=where(name, "one", style), placeholders=style)
            pieces = _inlined(text, params, style)
            found.setdefault(name, set()).add(pieces)
        assert len(found[name]) == 1, found[name]
        assert "'one'" in next(iter(found[name]))


def _inlined(text: str, params: Any, style: str) -> str:
    """Return the text with each placeholder replaced by its value, for comparison only."""
    if isinstance(params, dict):
        for name in sorted(params, key=len, reverse=True):
            text = text.replace(f":{name}", repr(params[name]))
        return text
    if style == "$1":
        for number in range(len(params), 0, -1):
            text = text.replace(f"${number}", repr(params[number - 1]))
        return text
    pieces = text.replace("%%", "\0").split(style)
    assert len(pieces) == len(params) + 1
    joined = "".join(itertools.chain(*zip(pieces, [*map(repr, params), ""], strict=True)))
    return joined.replace("\0", "%")


def test_named_style_runs() -> None:
    database = sqlite3.connect(":memory:")
    database.execute(SCHEMA.create_table("t", "sqlite"))
    for row in ROWS:
        stored = SCHEMA.to_row(row, "sqlite")
        database.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(stored))})", tuple(stored.values()))
    query = SCHEMA.query("filter=name ne 'a'&orderBy=name desc")
    found = database.execute(
        *query.sql("t", "sqlite", where=where("sqlite", "one", ":p1"), placeholders=":p1")
    ).fetchall()
    own = [row for row in ROWS if row["tenant"] == "one"]
    assert query.page_from_rows(found).items == query.page(own).items
    database.row_factory = sqlite3.Row
    rows = database.execute(*query.sql("t", "sqlite")).fetchall()
    assert query.page_from_rows(rows).items == query.page(ROWS).items
    database.close()


def test_numbering() -> None:
    """SPEC §9: ``first`` numbers the first placeholder; the server's condition comes first."""
    query = SCHEMA.query("filter=name eq 'a'&limit=5")
    text, params = query.sql("t", "postgresql", where=SQL('"tenant" = $4', ("one",)), placeholders="$1", first=4)
    assert text.endswith(
        """WHERE ("tenant" = $4) AND ("t"."name" = $5 AND "t"."name" COLLATE "C" = $6) ORDER BY "t"."id" LIMIT $7"""
    )
    assert params == ("one", "a", "a", 6)


@pytest.mark.parametrize(
    ("skip", "limit"), [(2**63 - 1, 2**63 - 2), (2**63 - 1, None), (0, 2**63 - 2), (38, None), (5, 2)]
)
def test_extremes(backend: Backend, skip: int, limit: int | None) -> None:
    parameters = {"skip": str(skip), "limit": None if limit is None else str(limit), "include": "id"}
    query = SCHEMA.query(parameters)
    with backend.table(SCHEMA, ROWS) as table:
        rows = backend.execute(*query.sql(table.name, backend.name))
    assert query.page_from_rows(rows) == query.page(ROWS)


def test_text_depends_on_the_shape_only() -> None:
    """SPEC §5: no value reaches the text, and equal shapes have equal text."""
    hostile = "x' OR 1=1 -- \" ` % %s $1 :p1 ? ; DROP TABLE t"
    for name in DIALECTS:
        texts = set()
        for value, share, rows in (("a", "1", "2"), (hostile.replace("'", "''"), "-7.5", "39")):
            parameters = {
                "filter": f"name ne '{value}' and share ne {share}",
                "orderBy": "name desc, share",
                "limit": rows,
            }
            found = [{"id": number, "name": f"{value} {number}", "share": 5} for number in (1, 2)]
            token = SCHEMA.query({**parameters, "limit": "1"}).page(found).next_token
            assert token is not None
            texts.add(SCHEMA.query({**parameters, "continue": token}).sql("t", name).text)
        assert len(texts) == 1
        assert "DROP" not in texts.pop()


@pytest.mark.parametrize(("name", "bound"), [("sqlite", 32_766), ("postgresql", 65_535)])
def test_parameters_of_long_requests(name: str, bound: int) -> None:
    """SPEC §5: a request within the limits stays within what the database takes."""
    items = ", ".join(f"'{number}'" for number in range(1000))
    text = f"name in ({items}) and `100%` in ({items})"
    order = "share desc, since, owner desc, open, name desc, tenant, `100%` desc"
    limits = SCHEMA.limits._replace(text_length=50_000)
    parameters = {"filter": text, "orderBy": order, "limit": "1"}
    rows = [{"id": number, "name": "1", "100%": "1", "share": 5, "tenant": ""} for number in (1, 2)]
    token = SCHEMA.query(parameters, limits=limits).page(rows).next_token
    query = SCHEMA.query({**parameters, "continue": token}, limits=limits)
    assert len(query.sql("t", name).params) < bound
    if name == "sqlite":
        database = sqlite3.connect(":memory:")
        database.execute(SCHEMA.create_table("t", "sqlite"))
        for row in rows:
            stored = SCHEMA.to_row(row, "sqlite")
            database.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(stored))})", tuple(stored.values()))
        assert len(database.execute(*query.sql("t", "sqlite")).fetchall()) == 1
        database.close()


@pytest.mark.parametrize("order", ["name", "name desc, note", "note desc", "note, name desc, id"])
def test_foreign_collations(backend: Backend, order: str) -> None:
    """SPEC §5: correct by default: text goes by code point, whatever the columns' collations."""
    schema = Schema(
        {
            "id": fields.Integer(),
            "name": fields.String(max_length=60),
            "note": fields.String(max_length=60, nullable=True),
        },
        key="id",
    )
    rows = [
        {"id": number, "name": WORDS[number * 5 % len(WORDS)], "note": [None, *WORDS][number * 3 % (len(WORDS) + 1)]}
        for number in range(60)
    ]
    with backend.table(schema, rows, hostile=True) as table:
        assert walk(table, {"orderBy": order}) == schema.query({"orderBy": order}).page(rows).items


@pytest.mark.parametrize("options", [{}, {"binary": True}, {"max_length": 700}, {"max_length": 700, "binary": True}])
@pytest.mark.parametrize("order", ["name", "name desc"])
def test_long_text(backend: Backend, options: dict[str, Any], order: str) -> None:
    """MySQL and MariaDB sort by the first 1,024 bytes only (max_sort_length), unless told otherwise."""
    schema = Schema({"id": fields.Integer(), "name": fields.String(**options)}, key="id")
    ends = ["", "a", "b", "é", "\U0001f600"]
    rows = [{"id": -number, "name": "é" * (number // 5 * 150) + ends[number % 5]} for number in range(24)]
    with backend.table(schema, rows, temporary=False) as table:
        assert walk(table, {"orderBy": order}) == schema.query({"orderBy": order}).page(rows).items


@pytest.mark.parametrize("length", [255, 256])
@pytest.mark.parametrize("order", ["name", "name desc"])
def test_text_as_long_as_mysql_sorts(backend: Backend, length: int, order: str) -> None:
    """To the last of its characters, of four bytes each, and one past it."""
    schema = Schema({"id": fields.Integer(), "name": fields.String(max_length=length)}, key="id")
    ends = "aeb😀é￮😁c"
    rows = [{"id": -number, "name": "😀" * (length - 1) + end} for number, end in enumerate(ends)]
    with backend.table(schema, rows, temporary=False) as table:
        assert walk(table, {"orderBy": order}) == schema.query({"orderBy": order}).page(rows).items


def test_forged_nulls(backend: Backend) -> None:
    """A token may say that a field is null which never is; nulls are the smallest there too."""
    with backend.table(SCHEMA, ROWS) as table:
        for order, all_follow in (("name", True), ("name desc", False), ("id", True), ("id desc", False)):
            tokens = SCHEMA.query({"orderBy": order}).request.tokens
            assert tokens is not None
            token = tokens.write((None,) * len(SCHEMA.query({"orderBy": order}).order.keys))
            query = SCHEMA.query({"orderBy": order, "continue": token, "include": "id"})
            found = query.page_from_rows(backend.execute(*query.sql(table.name, backend.name))).items
            assert found == query.page(ROWS).items
            assert len(found) == (len(ROWS) if all_follow else 0)


def test_index_statements() -> None:
    schema = Schema(
        {
            "id": fields.Uuid(),
            "name": fields.String(max_length=60),
            "plain": fields.String(max_length=60, binary=False),
            "long": fields.String(),
            "share": fields.Number(nullable=True),
            "doc": fields.Object({"rank": fields.Number(column="doc", json_path=["rank"])}),
        },
        key="id",
        binary=True,
    )
    assert schema.create_index("tasks", "sqlite", order_by="name desc") == (
        'CREATE INDEX "tasks_name_desc_id_desc" ON "tasks" ("name" DESC, "id" DESC)'
    )
    assert schema.create_index("tasks", "postgresql", order_by="share, plain desc, id", leading=["a c"]) == (
        'CREATE INDEX "tasks_a_c_share_plain_desc_id" ON "tasks" '
        '("a c", "share" NULLS FIRST, "plain" COLLATE "C" DESC, "id")'
    )
    assert schema.create_index("tasks", "postgresql", order_by="share desc", name="by share") == (
        'CREATE INDEX "by share" ON "tasks" ("share" DESC NULLS LAST, "id" DESC)'
    )
    assert schema.create_index("t`", "mysql") == ("CREATE INDEX `t_id_152d3083b03de042` ON `t``` (`id`)")
    long = schema.create_index("t" * 60, "postgresql", order_by="name")
    assert len(long.split('"')[1]) <= 60
    assert long.split('"')[1] != schema.create_index("t" * 60, "postgresql", order_by="share").split('"')[1]
    for name, order in (("mysql", "plain"), ("mysql", "long"), ("postgresql", "doc.rank"), ("duckdb", "name")):
        with pytest.raises(StorageError):
            schema.create_index("tasks", name, order_by=order)
    with pytest.raises(SchemaError, match="did you mean name"):
        schema.create_index("tasks", "sqlite", order_by="nmae")
    with pytest.raises(SchemaError):
        Schema.open().create_index("tasks", "sqlite")


def test_refusals() -> None:
    query = SCHEMA.query("")
    with pytest.raises(SchemaError, match="there is no dialect"):
        query.sql("t", "oracle")
    with pytest.raises(SchemaError):
        query.sql("t", "sqlite", placeholders="%s")
    with pytest.raises(SchemaError):
        Schema.open().query("").sql("t", "sqlite")
    with pytest.raises(SchemaError):
        Schema.open().query("").count_sql("t", "sqlite")


def test_no_end_of_orders() -> None:
    """Statements are kept per shape, but not without bound."""
    names = ["name", "tenant", "share", "since", "owner", "open"]
    schema = Schema({"id": fields.Integer(), **{name: fields.Integer() for name in names}}, key="id")
    for order in itertools.permutations(names, 4):
        schema.query({"orderBy": ",".join(order)}).sql("t", "sqlite")
    assert 0 < len(schema.memo) <= 256


def test_indexes_of_different_orders_have_different_names() -> None:
    schema = Schema(
        {
            "id": fields.Integer(),
            "имя": fields.Integer(),
            "цена": fields.Integer(),
            "a_b": fields.Integer(),
            "a-b": fields.Integer(),
        },
        key="id",
    )
    orders = (None, "имя", "цена", "a_b", "`a-b`", "a_b desc")
    names = [schema.create_index("t", "sqlite", order_by=order).split('"')[1] for order in orders]
    assert len(set(names)) == len(orders)
    assert (names[0], names[3]) == ("t_id", "t_a_b_id")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_timestamps_at_the_ends_of_the_range_in_any_time_zone(postgresql: Backend, zone: str) -> None:
    schema = Schema({"id": fields.Integer(), "at": fields.Timestamp()}, key="id")
    ends = ("0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z")
    rows = [{"id": number, "at": at} for number, at in enumerate(ends)]
    postgresql.execute(f"SET TIME ZONE '{zone}'")
    try:
        with postgresql.table(schema, rows) as table:
            first = schema.query("orderBy=at&limit=1")
            page = first.page_from_rows(run(table, first))
            assert page.items == rows[:1]
            following = schema.query([("orderBy", "at"), ("continue", page.next_token or "")])
            assert following.page_from_rows(run(table, following)).items == rows[1:]
    finally:
        postgresql.execute("SET TIME ZONE 'UTC'")


def run(table: Table, query: Any) -> list[Any]:
    statement = query.sql(table.name, table.backend.name)
    return table.backend.execute(statement.text, statement.params)


def test_parameters_of_the_servers_own_condition_count() -> None:
    """A page that follows another repeats them in each seek, as long as the database takes so many (SPEC §5)."""
    schema = Schema({"id": fields.Integer(), **{f"f{n}": fields.Integer(nullable=True) for n in range(4)}}, key="id")
    token = schema.query("orderBy=f0 desc,f1,f2 desc,f3&limit=1").page([{"id": 1}, {"id": 0}]).next_token
    assert token is not None
    query = schema.query([("orderBy", "f0 desc,f1,f2 desc,f3"), ("limit", "1"), ("continue", token)])
    for name in ("sqlite", "postgresql"):
        mark = DIALECTS[name].placeholders[0]
        for count, repeated in ((100, True), (12_000, False)):
            where = SQL(f'"id" NOT IN ({", ".join([mark] * count)})', tuple(range(count)))
            params = query.sql("t", name, where=where).params
            assert (len(params) > 2 * count) == repeated
            assert len(params) < 32_767


@pytest.mark.parametrize("descending", ["", " desc"])
def test_values_that_sql_orders_and_python_cannot_read(sqlite: Backend, descending: str) -> None:
    """A token would say null, from which a page goes on elsewhere (SPEC §6); rows of others may hold such values."""
    schema = Schema(
        {
            "id": fields.Integer(),
            "at": fields.Timestamp(nullable=True),
            "doc": fields.Object({"at": fields.Timestamp(nullable=True), "n": fields.Number(nullable=True)}),
        },
        key="id",
    )
    with sqlite.table(schema, [{"id": number} for number in range(3)]) as table:
        for column, held, name, refused in (
            ("at", "soon", "at", True),
            ("doc", '{"at": "soon"}', "doc.at", True),
            ("doc", '{"at": 5}', "doc.at", False),
            ("doc", '{"n": "5"}', "doc.n", False),
        ):
            sqlite.execute(f"UPDATE {table.quoted} SET at = NULL, doc = NULL")
            sqlite.execute(f"UPDATE {table.quoted} SET {column} = ?", (held,))
            query = schema.query([("orderBy", name + descending), ("limit", "1")])
            rows = run(table, query)
            if not refused:
                assert query.page_from_rows(rows).next_token is not None
                continue
            with pytest.raises(StorageError) as caught:
                query.page_from_rows(rows)
            assert caught.value.code == "unreadable_in_token"
            assert name in str(caught.value)
            last = schema.query([("orderBy", name + descending), ("limit", "3")])
            assert len(last.page_from_rows(run(table, last)).items) == 3


@pytest.mark.parametrize("first", [0, -3, "1", True])
def test_numbers_of_placeholders(first: Any) -> None:
    for make in (SCHEMA.compile("id eq 1").sql, lambda *a, **o: SCHEMA.query("").sql("t", *a, **o)):
        with pytest.raises(SchemaError) as caught:
            make("postgresql", placeholders="$1", first=first)
        assert caught.value.code == "bad_first"


def test_where_is_sql() -> None:
    for make in (SCHEMA.query("").sql, SCHEMA.query("").count_sql):
        with pytest.raises(SchemaError) as caught:
            make("t", "sqlite", where="id = 1")  # type: ignore[arg-type]
        assert caught.value.code == "bad_where"


@pytest.mark.parametrize("name", backend_params(["postgresql", "duckdb"]))
def test_numbers_that_sql_orders_and_json_has_not(request: pytest.FixtureRequest, name: str) -> None:
    """NaN is the greatest to SQL and null to Python: no token is made of it, so that no page repeats or is lost."""
    backend: Backend = request.getfixturevalue(name)
    schema = Schema({"id": fields.Integer(), "n": fields.Number(nullable=True)}, key="id")
    with backend.table(schema, [{"id": 1}, {"id": 2, "n": 5}, {"id": 3, "n": 6}, {"id": 4}]) as table:
        backend.execute(f"UPDATE {table.quoted} SET n = 'NaN' WHERE id = 3")
        first = [("orderBy", "n"), ("limit", "1"), ("include", "id")]
        seen = []
        following: list[tuple[str, str]] = []
        while True:
            query = schema.query([*first, *following])
            page = query.page_from_rows(run(table, query))
            seen += page.items
            if page.next_token is None:
                break
            following = [("continue", page.next_token)]
        assert seen == [[1], [4], [2], [3]]
        query = schema.query([("orderBy", "n desc"), ("limit", "1")])
        with pytest.raises(StorageError) as caught:
            query.page_from_rows(run(table, query))
        assert caught.value.code == "unreadable_in_token"


def test_a_condition_whose_parameters_come_in_another_order() -> None:
    query = SCHEMA.query("limit=1")
    text = '"name" = :a AND "tenant" = :b'
    for params in ({"a": "x", "b": "one"}, {"b": "one", "a": "x"}, {"a": "y", "b": "two"}):
        for make in (query.sql, query.count_sql):
            found = make("t", "sqlite", where=SQL(text, params), placeholders=":p1").params
            assert isinstance(found, dict)
            assert {name: found[name] for name in params} == params


# How often a page's statement may say the filter ------------------------------------------------------------------

HOSTILE = Schema(
    {
        "id": fields.Integer(),
        "l": fields.Array(
            fields.Object({"o": fields.Object({"n": fields.Number(nullable=True)}, nullable=True)}), nullable=True
        ),
        **{f"k{number}": fields.Number(nullable=True) for number in range(8)},
    },
    key="id",
)


def bound_forms(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """Let statements be made in the form that a long filter leads to."""
    if form == "wide":
        monkeypatch.setattr(select_module._Statement, "_is_bearable", lambda _, statement: _union(statement) <= 1)
    elif form == "once":
        monkeypatch.setattr(select_module._Statement, "_is_bearable", lambda *_: False)


def _union(statement: Any) -> int:
    return sum(part.count(" UNION ALL ") for part in statement.parts if isinstance(part, str))


@pytest.mark.parametrize("name", list(DIALECTS))
@pytest.mark.parametrize("tests", [1, 20, 60, 100, 199])
@pytest.mark.parametrize("order", ["{} desc", "{}"])
def test_a_page_repeats_no_long_filter(name: str, tests: int, order: str) -> None:
    """3 kB of request made 1.2 MB of SQL, and PostgreSQL took 486 MiB for it."""
    text = " and ".join(f"l.o.n gt {number}" for number in range(tests))
    parameters = {"filter": text, "limit": "5", "orderBy": ", ".join(order.format(f"k{place}") for place in range(8))}
    tokens = HOSTILE.query(parameters).request.tokens
    assert tokens is not None
    query = HOSTILE.query({**parameters, "continue": tokens.write((*[1.5] * 8, 7))})
    assert query.filter is not None
    own = len(query.filter.sql(name).text)
    page = query.sql("t", name)
    assert own < len(page.text) <= max(65_536, min(3 * own, 160_000), own + 20_000)
    assert len(page.params) <= max(32_000, 3 * tests)


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
@pytest.mark.parametrize("form", ["wide", "once"])
@pytest.mark.parametrize("order", [*ORDERS, "open desc, share desc, since", "share, open desc, since"])
def test_forms_that_long_filters_lead_to(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, name: str, form: str, order: str
) -> None:
    """They give the pages that memory gives, one row at a time, inside the server's own condition."""
    backend: Backend = request.getfixturevalue(name)
    bound_forms(monkeypatch, form)
    schema = Schema(MEMBERS, key="id")  # Keeps no statements of another form.
    condition = where(name, "one", find_dialect(name).placeholders[0])
    own = [row for row in ROWS if row["tenant"] == "one"]
    parameters = {"orderBy": order, "filter": "id ne 8", "include": "id,share,open"}
    with backend.table(schema, ROWS) as table:
        for alias in (None, "a b"):
            found = walk(table, parameters, where=condition, alias=alias)
            assert found == list(schema.query(parameters).page(own).items)
