"""What is said of SQL and rows that cannot be made (SPEC §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.errors import SchemaError, StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def unknown_dialect(name: object, known: Sequence[str]) -> SchemaError:
    return SchemaError("unknown_dialect", f"there is no dialect {name!r}; the dialects are {', '.join(known)}")


def unknown_placeholders(style: object, dialect: str, known: Sequence[str]) -> SchemaError:
    return SchemaError(
        "unknown_placeholders",
        f"{style!r} is no placeholder style of dialect {dialect}; its styles are {', '.join(known)}",
    )


def bad_table(name: object) -> SchemaError:
    message = f"a table is named by text, or by a tuple such as ('schema', 'table'), not {name!r:.100}"
    return SchemaError("bad_table", message)


def bad_first(first: object) -> SchemaError:
    return SchemaError("bad_first", f"placeholders are numbered from a whole number, at least 1, not {first!r}")


def bad_where(where: object) -> SchemaError:
    return SchemaError("bad_where", f"where takes SQL(text, params), not {type(where).__name__}")


def too_many_digits(dialect: str, digits: int, places: int, max_digits: int, max_places: int) -> StorageError:
    limit = f"{max_digits} digits" if digits > max_digits else f"{max_places} places"
    return StorageError(
        "too_many_digits",
        f"dialect {dialect} holds decimals of at most {limit}, not Decimal({digits}, {places}): declare fewer, "
        "or store the value as text",
    )


def unknown_storage(dialect: str, storage: str, type_name: str, known: Sequence[str]) -> StorageError:
    others = f"those are {', '.join(known)}" if known else "it has none but the usual column"
    return StorageError(
        "unknown_storage", f"dialect {dialect} has no storage {storage!r} for a field of type {type_name}: {others}"
    )


def refused_storage(dialect: str, storage: str, reason: str) -> StorageError:
    return StorageError("refused_storage", f"storage {storage!r} of dialect {dialect} is refused: {reason}")


def not_of_storage(storage: str, reason: str) -> StorageError:
    return StorageError("not_of_storage", f"storage {storage!r} cannot hold this field: {reason}")


def unreachable_key(dialect: str, key: str) -> StorageError:
    return StorageError(
        "unreachable_key", f"dialect {dialect} cannot reach a JSON member whose name begins with '-': {key!r}"
    )


def too_deep(dialect: str) -> StorageError:
    return StorageError("too_deep", f"the filter asks arrays nested too deeply for dialect {dialect}")


def setting(name: str, value: object, wanted: str) -> str:
    return f"{name} is {value!r}, but must be {wanted}"


def connection_settings(dialect: str, found: Sequence[str]) -> StorageError:
    listed = "; ".join(found)
    return StorageError(
        "connection_settings", f"filters would not mean the same over this {dialect} connection: {listed}"
    )


def open_schema_has_no_columns() -> SchemaError:
    return SchemaError("open_schema", "an open schema does not say where fields are stored: it has no SQL")


def shared_place(column: str) -> SchemaError:
    return SchemaError("shared_place", f"two fields are stored in the same place of column {column!r}")


def null_in_required(path: str) -> StorageError:
    return StorageError(
        "null_in_required", f"{path} is missing or has no value of its type, and its column is NOT NULL"
    )


def value_too_long(path: str, most: int) -> StorageError:
    return StorageError("value_too_long", f"{path} is longer than {most} characters")


def unbounded_key(path: str, dialect: str, most: int) -> StorageError:
    return StorageError(
        "unbounded_key", f"dialect {dialect} indexes text of at most {most} characters: give {path} such a max_length"
    )


def no_index(path: str, dialect: str) -> StorageError:
    message = f"no index of dialect {dialect} has the order of {path}"
    return StorageError("no_index", message)


def folded_column_names(first: str, second: str, dialect: str) -> StorageError:
    return StorageError(
        "folded_column_names", f"columns {first!r} and {second!r} are the same column in dialect {dialect}"
    )


def name_too_long(name: str, dialect: str, most: int) -> StorageError:
    message = f"the column name {name!r} is longer than the {most} bytes that dialect {dialect} tells apart"
    return StorageError("name_too_long", message)


def impossible_name(name: str, dialect: str, names_are: str) -> StorageError:
    message = f"{name!r:.200} can be no name of a table or column in dialect {dialect}: names are {names_are}"
    return StorageError("impossible_name", message)


def bad_collation(name: object) -> SchemaError:
    return SchemaError("bad_collation", f"{name!r} cannot be the name of a collation")


def no_fold(dialect: str) -> StorageError:
    return StorageError(
        "no_fold",
        f"{dialect} cannot ignore case as filters do; give the field a column of folded text, folded=, or on sqlite "
        "call astra_filter.sql.prepare_sqlite(connection) and declare the schema with sqlite_fold=True",
    )


def not_folded(path: str) -> SchemaError:
    return SchemaError(
        "not_folded", f"folded={path!r} names no string outside arrays, or stands beside an order; give it alone"
    )


def no_fold_index(path: str, dialect: str) -> StorageError:
    return StorageError(
        "no_fold_index",
        f"{dialect} has no index for tests of {path} that ignore case; give the field a column for them, folded=, and "
        "a max_length where the database bounds its keys",
    )
