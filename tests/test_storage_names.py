"""Names of storages: what is refused, when and why; and the pages that tell them (SPEC §5)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from astra_filter import Schema, SchemaError, StorageError, fields
from astra_filter.language.operators import Kind
from astra_filter.sql.dialects import DIALECTS

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", DIALECTS)
def test_pages_tell_every_storage(name: str) -> None:
    guide = (ROOT / "docs/guides/columns.md").read_text(encoding="utf-8").splitlines()
    specification = (ROOT / "grammar/SPEC.md").read_text(encoding="utf-8")
    [row] = re.findall(rf"^\| `{name}` \|(.*)\|$", specification.partition("| storages |")[2], re.MULTILINE)
    assert {each.partition(":")[0] for each in re.findall(r"`([\w:]+)`", row)} == set(DIALECTS[name].storages)
    for storage, record in DIALECTS[name].storages.items():
        assert record.row(storage) in guide
    assert not set(DIALECTS[name].storages) & set(DIALECTS[name].refused_storages)


def refusal(field: fields.Field, dialect: str) -> StorageError:
    """Return the error that the table, the row, the condition and the statement give alike."""
    schema = Schema({"id": fields.Integer(), "a": field}, key="id")
    literal = {Kind.BOOLEAN: "true", Kind.NUMBER: "5"}.get(field.kind, "'x'")  # type: ignore[arg-type]
    found = []
    for make in (
        lambda: schema.create_table("t", dialect),
        lambda: schema.to_row({"id": 1, "a": None}, dialect),
        lambda: schema.compile(f"a eq {literal}").sql(dialect),
        lambda: schema.query("").sql("t", dialect),
    ):
        with pytest.raises(StorageError) as caught:
            make()
        found.append(str(caught.value))
    assert len(set(found)) == 1
    return caught.value


def test_storages_of_other_dialects() -> None:
    error = refusal(fields.String(storage="citext"), "mysql")
    assert error.code == "unknown_storage"
    assert str(error) == ("dialect mysql has no storage 'citext' for a field of type string: those are charset:…")
    error = refusal(fields.Boolean(storage="integer"), "postgresql")
    assert str(error) == (
        "dialect postgresql has no storage 'integer' for a field of type boolean: it has none but the usual column"
    )


@pytest.mark.parametrize(
    ("field", "dialect"),
    [
        (fields.String(storage="no such"), "sqlite"),
        (fields.String(storage="nocase:x"), "sqlite"),
        (fields.String(storage="nocase:"), "sqlite"),
        (fields.String(storage="charset"), "mysql"),
        (fields.String(storage="charset:"), "mysql"),
        (fields.Integer(storage="epoch_s"), "sqlite"),
        (fields.Array(fields.Integer(), storage="integer"), "postgresql"),
    ],
)
def test_unknown_names(field: fields.Field, dialect: str) -> None:
    assert refusal(field, dialect).code == "unknown_storage"


@pytest.mark.parametrize(
    ("field", "dialect", "reason"),
    [
        (fields.Array(fields.String(), storage="json"), "postgresql", "make it jsonb"),
        (fields.String(storage="iso"), "sqlite", "does not sort as they do"),
        (fields.String(storage="epoch_real"), "sqlite", "store whole milliseconds"),
        (fields.String(storage="julian"), "sqlite", "store whole milliseconds"),
    ],
)
def test_storages_that_cannot_keep_the_promise(field: fields.Field, dialect: str, reason: str) -> None:
    error = refusal(field, dialect)
    assert error.code == "refused_storage"
    assert reason in str(error)


@pytest.mark.parametrize(
    ("field", "dialect", "reason"),
    [
        (fields.String(storage="char"), "postgresql", "give it the max_length of the column"),
        (fields.String(storage="inet"), "postgresql", "declare operators="),
        (fields.String(storage="inet", operators=["eq", "lt"], sortable=False), "postgresql", "declare operators="),
        (fields.String(storage="charset:x; DROP"), "mysql", "that is no name of a character set"),
        (fields.Enum("x", "a\\b", storage="enum"), "mysql", "a label has a backslash"),
        (fields.Enum("x", "b ", storage="enum"), "mysql", "a blank at its end"),
        (fields.Array(fields.Enum("x", "a,b"), storage="set"), "mysql", "a comma"),
        (fields.Array(fields.String(), storage="set"), "mysql", "its elements are those of an Enum"),
        (fields.Array(fields.String(), storage="array:bytea"), "postgresql", "of type string are text, varchar"),
        (fields.Array(fields.Integer(), storage="array:text"), "postgresql", "are smallint, integer, bigint"),
    ],
)
def test_fields_that_a_storage_does_not_hold(field: fields.Field, dialect: str, reason: str) -> None:
    error = refusal(field, dialect)
    assert error.code == "not_of_storage"
    assert reason in str(error)


def test_unsigned_decimals_have_twenty_digits() -> None:
    with pytest.raises(StorageError, match=re.escape("those of Decimal(20, 0)")):
        Schema({"a": fields.Decimal(12, 2, storage="unsigned")}).create_table("t", "mysql")


def test_lists_of_instants_are_refused() -> None:
    with pytest.raises(StorageError, match="have no such column here"):
        Schema({"a": fields.Array(fields.Timestamp(), storage="list")}).create_table("t", "duckdb")


@pytest.mark.parametrize(
    "make",
    [
        lambda: fields.Integer(storage="integer", column="c", json_path=["a"]),
        lambda: Schema({"o": fields.Object({"a": fields.Integer(storage="integer")})}),
        lambda: fields.Object({"a": fields.Integer()}, storage="json"),
        lambda: fields.Map(fields.Integer(), storage="json"),
    ],
)
def test_no_storage_inside_json(make: object) -> None:
    with pytest.raises(SchemaError) as caught:
        make()  # type: ignore[operator]
    assert caught.value.code == "storage_in_json"


@pytest.mark.parametrize("name", ["", 5, "a\0b", "\ud800", ("enum", "t")])
def test_wrong_names(name: object) -> None:
    with pytest.raises(SchemaError) as caught:
        fields.Integer(storage=name)  # type: ignore[arg-type]
    assert caught.value.code == "bad_identifier"


def test_storages_are_part_of_the_signature() -> None:
    plain, stored = (Schema({"a": fields.Integer(storage=storage)}) for storage in (None, "integer"))
    assert plain.signature != stored.signature
    assert plain.compile("a eq 1").fingerprint != stored.compile("a eq 1").fingerprint
