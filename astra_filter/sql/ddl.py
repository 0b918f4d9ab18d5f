"""The table of a schema (SPEC §5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from astra_filter import errors
from astra_filter.fields import Enum, String
from astra_filter.names import path_text
from astra_filter.sql.dialects import dialect as find_dialect
from astra_filter.sql.rows import columns, is_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from astra_filter.fields import Leaf
    from astra_filter.schema import Schema
    from astra_filter.sql.dialects import Dialect

_COLLATION = re.compile(r"\w+", re.ASCII)


def create_table(schema: Schema, table: str, dialect: str, *, collation: str = "utf8mb4_nopad_bin") -> str:
    """Return CREATE TABLE for the rows of ``to_row``; text columns get a collation that goes by code point.

    Args:
        schema: its key is the primary key.
        table: the table's name; it is quoted.
        dialect: ``sqlite``, ``postgresql``, ``mysql`` or ``duckdb``.
        collation: of text on dialect ``mysql``: the default is MariaDB's, ``utf8mb4_0900_bin`` is MySQL's.

    Raises:
        SchemaError: an unknown dialect, an open schema, two fields stored in the same place, or no name of a collation.
        StorageError: the dialect cannot index the key, or takes two columns for one.
    """
    if _COLLATION.fullmatch(collation) is None:
        raise errors.bad_collation(collation)
    record = find_dialect(dialect)
    held = columns(schema)
    _refuse_folded(held, record)
    lines = [
        f"{record.identifier(name)} {_column_type(leaves, schema, record, collation)}" for name, leaves in held.items()
    ]
    if schema.key is not None:
        lines.append(f"PRIMARY KEY ({record.identifier(schema.leaves[schema.key,].column.name)})")
    return f"CREATE TABLE {record.identifier(table)} (\n    " + ",\n    ".join(lines) + f"\n){record.create_suffix}"


def _column_type(held: tuple[Leaf, ...], schema: Schema, record: Dialect, collation: str) -> str:
    if is_document(held):
        return record.columns["array"].type + ("" if held[0].column.nullable else " NOT NULL")
    leaf = held[0]
    kind = record.columns[leaf.field.type].type
    if isinstance(leaf.field, (String, Enum)):
        kind = _text_type(leaf, record, key=leaf.path == (schema.key,))
        kind += record.text_collation.replace("{collation}", collation)
    return kind if leaf.column.nullable else f"{kind} NOT NULL"


def _text_type(leaf: Leaf, record: Dialect, *, key: bool) -> str:
    kind = record.columns[leaf.field.type].type
    indexed = record.max_indexed_length
    if indexed is None:
        return kind
    # An enum's rows may hold undeclared values too, which are not null.
    length = leaf.field.max_length if isinstance(leaf.field, String) else indexed
    if length is not None and length <= indexed:
        return kind.replace("{length}", str(length))
    if key:
        raise errors.unbounded_key(path_text(leaf.path), record.name, indexed)
    return record.long_text


def _refuse_folded(names: Iterable[str], record: Dialect) -> None:
    if record.folds_column_names:
        seen: dict[str, str] = {}
        for name in names:
            other = seen.setdefault(name.lower(), name)
            if other != name:
                raise errors.folded_column_names(other, name, record.name)
