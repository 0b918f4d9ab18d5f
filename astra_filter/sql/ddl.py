"""The table of a schema and its indexes (SPEC §5, §6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from astra_filter.fields import Array, Enum, Object, Open, String
from astra_filter.language.names import path_text
from astra_filter.request.order import parse_order
from astra_filter.sql.dialects import find_dialect
from astra_filter.sql.dialects.base import TableName, table_parts
from astra_filter.sql.keyset import direction, is_sorted_in_pieces
from astra_filter.sql.operands import folded_operand, resource_operand
from astra_filter.sql.rows import columns, enum_length, folded_columns, is_document
from astra_filter.wording import request as request_wording
from astra_filter.wording import sql as sql_wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from astra_filter.meaning.declaration import Declaration
    from astra_filter.meaning.leaves import Leaf
    from astra_filter.sql.dialects.base import Dialect

_COLLATION = re.compile(r"\w+", re.ASCII)


def create_table(
    declaration: Declaration, table: TableName, dialect: str, *, collation: str = "utf8mb4_nopad_bin"
) -> str:
    """Return CREATE TABLE; arguments and errors as in `Schema.create_table`."""
    if _COLLATION.fullmatch(collation) is None:
        raise sql_wording.bad_collation(collation)
    record = find_dialect(dialect)
    held = columns(declaration)
    folded = folded_columns(declaration)
    _check_names([*held, *folded], record)
    for name in (*table_parts(table), *held, *folded):
        if record.names and re.fullmatch(record.names, name) is None:
            raise sql_wording.impossible_name(name, record.name, record.names_are)
    if "dashed key" in record.cannot:
        _check_keys(declaration.root, record, inside=False)
    lines = [
        f"{record.identifier(name)} {_column_type(leaves, declaration, record, collation)}"
        for name, leaves in held.items()
    ]
    lines += [
        f"{record.identifier(name)} {_column_type((leaf,), declaration, record, collation)}"
        for name, leaf in folded.items()
    ]
    if declaration.key is not None:
        lines.append(f"PRIMARY KEY ({record.identifier(declaration.leaves[declaration.key,].column.name)})")
    return f"CREATE TABLE {record.table(table)} (\n    " + ",\n    ".join(lines) + f"\n){record.create_suffix}"


def create_index(
    declaration: Declaration,
    table: TableName,
    dialect: str,
    *,
    order_by: str | None = None,
    leading: Sequence[str] = (),
    name: str | None = None,
    folded: str | None = None,
) -> str:
    """Return CREATE INDEX; arguments and errors as in `Schema.create_index`."""
    if isinstance(leading, str):
        raise request_wording.bad_names("leading", leading)
    record = find_dialect(dialect)
    held = columns(declaration)
    order, problems = parse_order(order_by, declaration, declaration.limits.order_keys)
    if problems:
        raise request_wording.bad_order(problems)
    parts = [record.identifier(column) for column in leading]
    if folded is not None:
        parts.append(_folded_key(declaration, record, folded, alone=order_by is None))
    for leaf, descending in () if folded is not None else order.keys:
        operand = resource_operand(record, leaf.column, leaf.field, None)
        own = operand.storage.value == "{x}"
        unordered = "ordered index" in record.cannot or (
            (operand.exact or not own) and "ordered index of folded text" in record.cannot
        )
        if unordered or is_document(held[leaf.column.name]) or is_sorted_in_pieces(record, leaf.field):
            raise sql_wording.no_index(path_text(leaf.path), record.name)
        key = operand.ordered() if own else operand.ordered().parenthesised()
        parts.append(key.prepare("?").text + direction(record, operand.nullable, descending))
    *qualifiers, bare = table_parts(table)
    named = name or _index_name(
        [bare, *leading, *(order.text.replace(",", "").split() if folded is None else (folded, "folded"))]
    )
    index, on = (
        (record.table((*qualifiers, named)), (bare,)) if record.index_in_schema else (record.identifier(named), table)
    )
    return f"CREATE INDEX {index} ON {record.table(on)} ({', '.join(parts)})"


def _folded_key(declaration: Declaration, record: Dialect, path: str, *, alone: bool) -> str:
    """Return what an index is on that serves the tests of a string which ignore case."""
    leaf = next((leaf for leaf in declaration.leaves.values() if path_text(leaf.path) == path), None)
    if leaf is None or not isinstance(leaf.field, String) or not alone:
        raise sql_wording.not_folded(path)
    column = folded_columns(declaration).get(leaf.column.folded or "")
    if column is not None:
        kind = _text_type(column, column.field, record, record.columns["string"].type, key=False)  # type: ignore[arg-type]
        if kind != record.long_text or not kind:
            return record.identifier(column.column.name)
    elif record.folds_in_index and record.fold is not None and not leaf.column.json_path:
        operand = folded_operand(resource_operand(record, leaf.column, leaf.field, None))
        return operand.ordered().parenthesised().prepare("?").text
    raise sql_wording.no_fold_index(path, record.name)


def _index_name(words: Iterable[str]) -> str:
    """Return the words joined, cut to a length that every database takes (63 bytes on PostgreSQL)."""
    from hashlib import sha256  # Only for indexes.

    text = " ".join(words)
    name = "_".join(re.findall(r"\w+", text, re.ASCII))
    if len(name) <= 60 and re.fullmatch(r"[\w. ]+", text, re.ASCII):
        return name
    return f"{name[:43]}_{sha256(text.encode()).hexdigest()[:16]}"


def _column_type(held: tuple[Leaf, ...], declaration: Declaration, record: Dialect, collation: str) -> str:
    if is_document(held):
        return record.columns["array"].type + ("" if held[0].column.nullable else " NOT NULL")
    leaf = held[0]
    kind = record.storage(leaf.field).type
    if isinstance(leaf.field, (String, Enum)) and (leaf.field.storage is None or "{length}" in kind):
        kind = _text_type(leaf, leaf.field, record, kind, key=leaf.path == (declaration.key,))
    if isinstance(leaf.field, (String, Enum)) and leaf.field.storage is None:
        kind += record.text_collation.replace("{collation}", collation)
    return kind if leaf.column.nullable else f"{kind} NOT NULL"


def _text_type(leaf: Leaf, field: String | Enum, record: Dialect, kind: str, *, key: bool) -> str:
    indexed = record.max_indexed_length
    if indexed is None:
        return kind
    if isinstance(field, Enum):
        # Rows may hold undeclared values, and an index has room for other columns beside this one.
        length: int | None = enum_length(field)
    else:
        length = field.max_length
    if length is not None and length <= indexed:
        return kind.replace("{length}", str(length))
    if key:
        raise sql_wording.unbounded_key(path_text(leaf.path), record.name, indexed)
    return record.long_text if leaf.field.storage is None else kind.replace("VARCHAR({length})", "LONGTEXT")


def _check_keys(owner: Object | Open, record: Dialect, *, inside: bool) -> None:
    """Refuse members of JSON that the dialect does not find, at all depths.

    Args:
        owner: an object.
        record: the dialect.
        inside: whether the object is JSON, so that its members' names are keys.
    """
    if isinstance(owner, Open):
        return
    for name, member in owner.members.items():
        keys = member.json_path or () if member.column is not None else (name,) if inside else ()
        for key in keys:
            if key.startswith("-"):
                raise sql_wording.unreachable_key(record.name, key)
        if isinstance(member, Object):
            _check_keys(member, record, inside=True)
        elif isinstance(member, Array) and isinstance(member.items, Object):
            _check_keys(member.items, record, inside=True)


def _check_names(names: Iterable[str], record: Dialect) -> None:
    """Refuse column names that the database cuts, or takes for each other."""
    most = record.max_name_length
    if most is not None:
        for name in names:
            if len(name.encode()) > most:
                raise sql_wording.name_too_long(name, record.name, most)
    if record.folds_column_names:
        seen: dict[str, str] = {}
        for name in names:
            other = seen.setdefault(name.lower(), name)
            if other != name:
                raise sql_wording.folded_column_names(other, name, record.name)
