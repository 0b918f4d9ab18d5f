"""Every engine folds every letter of Unicode 14 as Python does (SPEC §4.9)."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING
from unicodedata import category, name

import pytest

from astra_filter import Schema, fields
from astra_filter.errors import StorageError
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
