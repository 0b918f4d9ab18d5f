"""Every engine folds every letter of Unicode 14 as Python does (SPEC §4.9)."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING
from unicodedata import category, name

import pytest

from astra_filter import Schema, fields
from astra_filter.errors import AstraFilterError, StorageError
from astra_filter.language.fold import fold

if TYPE_CHECKING:
    from databases.backends import Backend

SCHEMA = Schema({"id": fields.Integer(), "text": fields.String()}, key="id", sqlite_fold=True)
LETTERS = [
    chr(number)
    for number in range(1, 0x110000)
    if not 0xD800 <= number <= 0xDFFF and (fold(chr(number)) != chr(number) or number < 0x250)
]
"""What folding changes, and what stands near it; all other code points come in longer texts."""
OTHERS = [
    chr(number) for number in range(1, 0x110000) if not 0xD800 <= number <= 0xDFFF and category(chr(number)) != "Cn"
]
LONG = ["".join(OTHERS[start : start + 250]) for start in range(0, len(OTHERS), 250)]


def test_fold_is_one_to_one_and_free_of_context() -> None:
    for letter in LETTERS:
        assert len(fold(letter)) == 1, name(letter)
        assert fold(fold(letter)) == fold(letter)
    for text in LONG:
        assert fold(text) == "".join(map(fold, text))
    assert fold("ΑΣ") == fold("ας") == fold("ασ")
    assert fold("İI") == "ii"
    assert fold("ẞß") == "ßß"


@pytest.mark.slow
@pytest.mark.no_cover
def test_every_code_point_is_folded_alike(backend: Backend) -> None:
    texts = [*LETTERS, *LONG]
    rows = [{"id": number, "text": text} for number, text in enumerate(texts)]
    with backend.table(SCHEMA, rows) as table:
        for start in range(0, len(texts), 500):
            sought = texts[start : start + 500]
            folded = {fold(text) for text in sought}
            quoted = ", ".join("'" + fold(text).replace("'", "''") + "'" for text in sought)
            limits = SCHEMA.limits._replace(text_length=2**20)
            chosen = SCHEMA.compile(f"text iin ({quoted})", limits=limits)
            wanted = [number for number, text in enumerate(texts) if fold(text) in folded]
            assert sorted(table.select(chosen)) == wanted


def test_without_the_function_there_is_no_sql() -> None:
    schema = Schema({"text": fields.String(nullable=True)})
    for text in ("text ieq 'a'", "text iin ('a')", "not text icontains 'a'"):
        with pytest.raises(StorageError) as caught:
            schema.compile(text).sql("sqlite")
        assert caught.value.code == "no_fold"
        with pytest.raises(StorageError):
            schema.query({"filter": text}).sql("t", "sqlite")
    assert schema.compile("text ieq null or text iin ()").sql("sqlite").text == '"text" IS NULL OR 1 = 0'


def test_sqlite_is_prepared() -> None:
    from astra_filter.sql import prepare_sqlite

    connection = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("SELECT astra_fold('A')")
    prepare_sqlite(connection)
    found = connection.execute(
        "SELECT astra_fold('ΑΣİ'), astra_fold(NULL), astra_fold(5), astra_fold(x'41')"
    ).fetchone()
    assert found == ("ασi", None, 5, b"A")


FOLDED = Schema(
    {"id": fields.Integer(), "text": fields.String(max_length=40, nullable=True, folded="text_fold")},
    key="id",
)


def test_a_row_holds_folded_text(backend: Backend) -> None:
    row = FOLDED.to_row({"id": 1, "text": "ΑΣ"}, backend.name)
    assert row == {"id": 1, "text": "ΑΣ", "text_fold": "ασ"}
    assert FOLDED.to_row({"id": 2, "text": 5}, backend.name)["text_fold"] is None
    assert FOLDED.from_row(row, backend.name) == {"id": 1, "text": "ΑΣ"}
    with backend.table(FOLDED, [{"id": 1, "text": "ΑΣ"}, {"id": 2, "text": "x"}], temporary=False) as table:
        backend.execute(FOLDED.create_index(table.name, backend.name, folded="text"))
        chosen = FOLDED.compile("text ieq 'Ας'")
        assert "text_fold" in chosen.sql(backend.name).text
        assert table.select(chosen) == [0]


def test_an_index_serves_tests_that_ignore_case() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute(FOLDED.create_table("t", "sqlite"))
    connection.execute(FOLDED.create_index("t", "sqlite", folded="text"))
    for text in ("text ieq 'A'", "text iin ('A', 'B')"):
        found = FOLDED.compile(text).sql("sqlite")
        plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM t WHERE {found.text}", found.params).fetchall()
        assert "SEARCH t USING INDEX t_text_folded (text_fold=?)" in plan[0][3]


def test_an_index_on_the_expression_of_postgresql(postgresql: Backend) -> None:
    with postgresql.table(SCHEMA, [{"id": 1, "text": "ΑΣ"}]) as table:
        postgresql.execute(SCHEMA.create_index(table.name, "postgresql", folded="text"))
        postgresql.execute("SET enable_seqscan = off")
        try:
            found = SCHEMA.compile("text ieq 'Ας'").sql("postgresql")
            plan = postgresql.execute(f"EXPLAIN SELECT * FROM {table.quoted} WHERE {found.text}", found.params)
        finally:
            postgresql.execute("RESET enable_seqscan")
        assert any("Index Cond" in line for (line,) in plan)


@pytest.mark.parametrize(
    ("schema", "dialect", "folded", "code"),
    [
        (SCHEMA, "sqlite", "text", "no_fold_index"),
        (SCHEMA, "mysql", "text", "no_fold_index"),
        (SCHEMA, "sqlite", "id", "not_folded"),
        (SCHEMA, "sqlite", "nothing", "not_folded"),
        (Schema({"a": fields.String(folded="a_fold")}), "mysql", "a", "no_fold_index"),
    ],
)
def test_where_there_is_no_index(schema: Schema, dialect: str, folded: str, code: str) -> None:
    with pytest.raises(AstraFilterError) as caught:
        schema.create_index("t", dialect, folded=folded)
    assert caught.value.code == code


@pytest.mark.parametrize("other", [fields.Integer(), fields.String(folded="a_fold")])
def test_a_folded_column_is_nobody_elses(other: fields.Field) -> None:
    schema = Schema({"a": fields.String(folded="a_fold"), "a_fold" if other.type == "integer" else "b": other})
    with pytest.raises(AstraFilterError) as caught:
        schema.create_table("t", "sqlite")
    assert caught.value.code == "shared_place"


def test_the_name_of_a_folded_column() -> None:
    for wrong in ("", "\0", 5):
        with pytest.raises(AstraFilterError) as caught:
            fields.String(folded=wrong)
        assert caught.value.code == "bad_identifier"


def test_older_declarations_keep_their_fingerprint() -> None:
    """An operator list from before there were operators that ignore case says the same as then."""
    assert fields.String().signature()[2] == fields.String(operators=["ieq", *fields.String.allowed]).signature()[2]
    lists = [
        None,
        [o for o in fields.String.allowed if not o.value.startswith("i") or o.value == "in"],
        ["ieq"],
        ["eq"],
    ]
    assert len({fields.String(operators=each).signature() for each in lists}) == len(lists)
