"""What the command says about its input; the errors of filters and schemas word themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.language.span import Span, line_and_column, underline
from astra_filter.language.span import visible as _escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class InputError(Exception):
    """What the command was given cannot be used; the message is for the person who gave it."""


def shown(text: str) -> str:
    """Return a name fit for a message; long ones, as of files, are cut late."""
    return _escaped(text, 1000)


# Files ---------------------------------------------------------------------------------------------------------------


def unreadable(name: str, error: OSError) -> InputError:
    return InputError(f"{shown(name)}: {error.strerror or error}")


def unwritable(error: OSError) -> InputError:
    return InputError(f"standard output: {error.strerror or error}")


def closed(stream: str) -> InputError:
    return InputError(f"standard {stream} is closed")


def unknown_format(name: str) -> InputError:
    return InputError(f"{shown(name)}: this is not JSON; say what it is with --from json, jsonl, csv or sqlite")


def empty(name: str) -> InputError:
    return InputError(f"{shown(name)}: the file is empty")


def not_text(name: str, line: int, error: UnicodeDecodeError) -> InputError:
    byte = error.object[error.start]
    return InputError(f"{shown(name)}, line {line}: not UTF-8 text (byte 0x{byte:02x})")


def utf16(name: str) -> InputError:
    return InputError(f"{shown(name)}: this is UTF-16 text, and only UTF-8 is read")


# JSON ----------------------------------------------------------------------------------------------------------------


def not_json(name: str, text: str, span: Span, reason: str, first_line: int = 1) -> InputError:
    line, column = line_and_column(text, span.start)
    place = f"{shown(name)}, line {line + first_line - 1}, column {column}"
    return InputError(f"{place}: {reason}\n{underline(text, span)}")


def bad_json(reason: str) -> str:
    return f"not JSON: {reason[:1].lower()}{reason[1:]}"


def not_a_json_number(word: str) -> str:
    return f"not JSON: {word} is no number in JSON"


LONG_NUMBER = "a number of this many digits cannot be read"
DEEP_JSON = "it is nested too deeply"


def deep_json(name: str, line: int | None) -> InputError:
    return InputError(f"{_at(name, line)}: {DEEP_JSON}")


def no_items(name: str) -> InputError:
    return InputError(f"{shown(name)}: neither an array of resources nor a document with an array called items")


def not_a_resource(name: str, place: str, kind: str) -> InputError:
    return InputError(f"{shown(name)}, {place}: a resource is an object, and this is {kind}")


# CSV -----------------------------------------------------------------------------------------------------------------


def bad_csv(name: str, line: int, reason: str) -> InputError:
    return InputError(f"{_at(name, line)}: not CSV: {reason}")


def ragged_row(name: str, line: int, cells: int, columns: int) -> InputError:
    return InputError(f"{_at(name, line)}: {_count(cells, 'cell')} in a row, where the header has {columns}")


def unnamed_column(name: str, line: int, column: int) -> InputError:
    return InputError(f"{_at(name, line)}: column {column} of the header has no name")


def repeated_column(name: str, line: int, column: str) -> InputError:
    return InputError(f"{_at(name, line)}: the header names '{shown(column)}' twice")


def no_column(name: str, column: str, columns: Sequence[str]) -> InputError:
    return InputError(f"{shown(name)}: there is no column '{shown(column)}'{_among(columns)}")


# Databases -----------------------------------------------------------------------------------------------------------


def database_from_pipe() -> InputError:
    return InputError("a database cannot be read from standard input; name its file")


def not_a_database(name: str, reason: object) -> InputError:
    return InputError(f"{shown(name)}: not a database that SQLite can read: {reason}")


def database_failed(name: str, reason: object) -> InputError:
    return InputError(f"{shown(name)}: SQLite says: {shown(str(reason))}")


def table_elsewhere(name: str) -> InputError:
    return InputError(f"{shown(name)}: --table is for SQLite databases, and this is none")


def no_tables(name: str) -> InputError:
    return InputError(f"{shown(name)}: there is no table in this database")


def table_without_sample() -> InputError:
    return InputError("--table is for the SQLite database of --sample")


def which_table(name: str, tables: Sequence[str]) -> InputError:
    return InputError(f"{shown(name)}: say which table to read with --table{_among(tables)}")


def no_table(name: str, table: str, tables: Sequence[str]) -> InputError:
    return InputError(f"{shown(name)}: there is no table '{shown(table)}'{_among(tables)}")


def utf16_database(name: str) -> InputError:
    return InputError(f"{shown(name)}: this database keeps its text as UTF-16, whose order SQLite gets wrong")


# Schemas and keys ----------------------------------------------------------------------------------------------------


def schema_not_object(name: str) -> InputError:
    return InputError(f"{shown(name)}: a JSON Schema is an object")


def at_schema(name: str, error: object) -> InputError:
    return InputError(f"{shown(name)}, {error}")


def no_schema() -> InputError:
    return InputError("say what fields there are: with --schema FILE, or --sample FILE to infer them from")


def no_filter() -> InputError:
    return InputError("give a filter with --filter, or a table to select from with --table")


def no_table_to_select() -> InputError:
    return InputError("a page is a SELECT, which needs a table: name it with --table")


def two_schemas() -> InputError:
    return InputError("give --schema or --sample, not both")


def ref_without_schema() -> InputError:
    return InputError("--ref is a place in the document of --schema")


def nothing_to_infer(name: str) -> InputError:
    return InputError(
        f"{shown(name)}: no member has a value that tells its type; say what fields there are with --schema"
    )


def bad_key(name: str, key: str, reason: str) -> InputError:
    return InputError(f"{shown(name)}: '{shown(key)}' cannot be the key: {reason}")


NOT_A_FIELD = "there is no such field at the top level"
NOT_SORTABLE = "it cannot be sorted by"
NOT_UNIQUE = "it is missing or null in a resource, or two have the same value"


# The page ------------------------------------------------------------------------------------------------------------


def total(count: int) -> str:
    return f"{_count(count, 'match', 'matches')} in all"


def more(token: str | None) -> str:
    if token is None:
        return "more follow; to continue there, name the field that identifies a resource with --key"
    return f"more follow; the next page: --continue {token}"


def _at(name: str, line: int | None) -> str:
    return shown(name) if line is None else f"{shown(name)}, line {line}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _among(names: Iterable[str]) -> str:
    listed = [shown(name) for name in names]
    first = ", ".join(listed[:10]) + (", …" if len(listed) > 10 else "")
    return f"; there are: {first}" if listed else ""


# Server --------------------------------------------------------------------------------------------------------------


def bad_token_option() -> InputError:
    # What was given is not shown: it is a secret.
    return InputError("--token: write TOKEN=ACCOUNT, each token once")


def bad_account() -> InputError:
    return InputError("--token: an account stands in a path, and so cannot hold /")


def empty_secret() -> InputError:
    return InputError("--secret: an empty one authenticates nothing")


def unreadable_token_file(file: str, error: OSError | ValueError) -> InputError:
    reason = error.strerror if isinstance(error, OSError) else "this is not UTF-8 text"
    return InputError(f"--token-file: {file}: {reason}")


def secret_not_text() -> InputError:
    return InputError("--secret: this is not UTF-8 text")


def database_as_data(name: str) -> InputError:
    return InputError(f"{shown(name)}: this is a database, and --data takes JSON, JSON lines or CSV")
