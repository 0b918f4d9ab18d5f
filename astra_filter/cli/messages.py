"""What the command says about its input; the errors of filters and schemas word themselves.

Long because every sentence of the command stands here.
"""

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


def bad_compression(name: str, error: Exception) -> InputError:
    return InputError(f"{shown(name)}: this cannot be decompressed: {shown(str(error))}")


def unknown_encoding(name: str) -> InputError:
    return InputError(f"--encoding: there is no encoding '{shown(name)}'")


def bad_encoding(name: str, error: UnicodeDecodeError) -> InputError:
    return InputError(f"{shown(name)}: this is not {error.encoding} text: {error.reason}")


def missing_extra(name: str, error: ModuleNotFoundError) -> InputError:
    return InputError(f"{shown(name)}: this needs {error.name}: pip install 'astra-filter[files]'")


def empty(name: str) -> InputError:
    return InputError(f"{shown(name)}: the file is empty")


def not_text(name: str, line: int, error: UnicodeDecodeError) -> InputError:
    byte = error.object[error.start]
    return InputError(f"{shown(name)}, line {line}: not UTF-8 text (byte 0x{byte:02x})")


def utf16(name: str) -> InputError:
    return InputError(f"{shown(name)}: this is UTF-16 text; read it with --encoding utf-16")


# JSON ----------------------------------------------------------------------------------------------------------------


def not_json(name: str, text: str, span: Span, reason: str, first_line: int = 1, first_column: int = 1) -> InputError:
    line, column = line_and_column(text, span.start)
    if line == 1:
        column += first_column - 1
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


def found_items(name: str, path: str, count: int) -> str:
    return f"{shown(name)}: read the {_count(count, 'object')} of {shown(path)} (say so with --items {shown(path)})"


def which_items(name: str, paths: Sequence[str]) -> InputError:
    return InputError(f"{shown(name)}: say which array to read with --items{_among(paths)}")


def bad_items(path: str) -> InputError:
    return InputError(f"--items: '{shown(path)}' is no path; write names with dots between them: data.rows")


def no_array_there(name: str, path: str, paths: Sequence[str]) -> InputError:
    return InputError(f"{shown(name)}: there is no array at {shown(path)}{_among(paths)}")


def items_elsewhere(name: str) -> InputError:
    return InputError(f"{shown(name)}: --items is for JSON and YAML documents, and this is neither")


def not_a_resource(name: str, place: str, kind: str) -> InputError:
    return InputError(f"{shown(name)}, {place}: a resource is an object, and this is {kind}")


# CSV -----------------------------------------------------------------------------------------------------------------


def bad_csv(name: str, line: int, reason: str) -> InputError:
    return InputError(f"{_at(name, line)}: not CSV: {reason}")


def ragged_row(name: str, line: int, cells: int, columns: int) -> InputError:
    return InputError(f"{_at(name, line)}: {_count(cells, 'cell')} in a row, where the header has {columns}")


def delimiter_elsewhere(name: str) -> InputError:
    return InputError(f"{shown(name)}: --delimiter is for CSV, and this is none")


def bad_delimiter(text: str) -> InputError:
    return InputError(f"--delimiter: '{shown(text)}' is not one character that can stand between cells")


def unnamed_column(name: str, line: int, column: int) -> InputError:
    return InputError(f"{_at(name, line)}: column {column} of the header has no name")


def repeated_column(name: str, line: int, column: str) -> InputError:
    return InputError(f"{_at(name, line)}: the header names '{shown(column)}' twice")


def no_column(name: str, column: str, columns: Sequence[str]) -> InputError:
    return InputError(f"{shown(name)}: there is no column '{shown(column)}'{_among(columns)}")


# YAML, Parquet and Arrow ---------------------------------------------------------------------------------------------


def not_yaml(name: str, line: int | None, reason: object) -> InputError:
    return InputError(f"{_at(name, line)}: not YAML: {shown(str(reason))}")


def not_arrow(name: str, form: object, error: Exception) -> InputError:
    first = str(error).partition("\n")[0]
    return InputError(f"{shown(name)}: this cannot be read as {form}: {shown(first)}")


def no_common_type(error: Exception) -> InputError:
    return InputError(f"--format parquet: a column has values of different types: {shown(str(error))}")


def binary_on_terminal() -> InputError:
    return InputError("--format parquet: send the file somewhere: add > NAME.parquet")


# Databases -----------------------------------------------------------------------------------------------------------


def database_from_pipe(name: str) -> InputError:
    if name == "standard input":
        return InputError("a database cannot be read from standard input; name its file")
    return InputError(f"{shown(name)}: a database cannot be read from a compressed file")


def table_only(option: str) -> InputError:
    return InputError(f"{option} is for files, and this is a database")


def unknown_scheme(scheme: str, known: Iterable[str]) -> InputError:
    return InputError(f"{shown(scheme)}://: there is no such database; known are {', '.join(known)}")


def which_table_of(scheme: str) -> InputError:
    return InputError(f"{shown(scheme)}: say which table with --table")


def unreachable(name: str, reason: str) -> InputError:
    return InputError(f"{shown(name)}: the database cannot be opened: {shown(reason)}")


def missing_driver(name: str, error: ModuleNotFoundError) -> InputError:
    return InputError(f"{shown(name)}: this needs {error.name}: pip install {error.name}")


def no_identifier(name: str) -> InputError:
    return InputError(f"--name: '{shown(name)}' is no name of Python")


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


def at_schema(name: str, error: object, *, omittable: bool) -> InputError:
    hint = "\nhint: --omit-unsupported leaves out what no field represents" if omittable else ""
    return InputError(f"{shown(name)}, {error}{hint}")


def no_schema() -> InputError:
    return InputError("say what fields there are: with --schema FILE, or --sample FILE to infer them from")


def no_filter() -> InputError:
    return InputError("give a filter with --filter, or a table to select from with --table")


def no_filter_to_explain() -> InputError:
    return InputError("--explain-row says why a row matches a filter: give one with --filter")


def no_such_row(name: str, number: int, rows: int) -> InputError:
    return InputError(f"{shown(name)}: there is no row {number}; the file has {_count(rows, 'row')}")


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


def stopped(limit: int) -> str:
    return f"stopped after {_count(limit, 'match', 'matches')}; for pages give --order-by or --skip 0"


def summary(read: int, matched: int, seconds: float) -> str:
    return f"{_count(read, 'row')} read, {matched} matched, {seconds:.1f} s"


def invalid(name: str, count: int) -> str:
    return f"{shown(name)}: passed over {_count(count, 'row')} that cannot be read"


def unread(path: str, kind: str, count: int) -> str:
    """``kind`` is what the values are, in the singular: ``a number``."""
    values = f"{count} value{'' if count == 1 else 's'} of {shown(path)}"
    article, _, noun = kind.partition(" ")
    if count == 1:
        return f"{values} is {kind}: counted as null"
    return f"{values} are {'no ' if article == 'no' else ''}{noun}s: counted as null"


def left_out(name: str, count: int) -> str:
    return f"{_count(count, 'value')} of {shown(name)} left out: the rows at the beginning lack it, so it has no column"


def _at(name: str, line: int | None) -> str:
    return shown(name) if line is None else f"{shown(name)}, line {line}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _among(names: Iterable[str]) -> str:
    listed = [shown(name) for name in names]
    first = ", ".join(listed[:10]) + (", …" if len(listed) > 10 else "")
    return f"; there are: {first}" if listed else ""


# One filter after the other ------------------------------------------------------------------------------------------


def missing_repl(error: ModuleNotFoundError) -> InputError:
    return InputError(f"astra-filter: this needs {error.name}: pip install 'astra-filter[repl]'")


def missing_lsp(error: ModuleNotFoundError) -> InputError:
    return InputError(f"astra-filter: this needs {error.name}: pip install 'astra-filter[lsp]'")


def no_terminal() -> InputError:
    return InputError("astra-filter repl: this is for a terminal; elsewhere use astra-filter query")


def unknown_command(name: str, known: Iterable[str]) -> str:
    return f"there is no command {shown(name)}; there are: {', '.join(known)}"


def not_a_number(text: str, most: int | None) -> str:
    upper = "" if most is None else f" to {most}"
    return f"'{shown(text)}' is no number from 1{upper}"


NO_FILTER_YET = "write a filter first"


# Playground ----------------------------------------------------------------------------------------------------------


def database_in_playground(name: str) -> InputError:
    return InputError(f"{shown(name)}: this is a database, and files of resources are taken here")


def only_the_first(name: str, count: int) -> str:
    return f"{shown(name)}: only the first {count} rows are held"


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
    return InputError(f"{shown(name)}: this is a database, and --data takes files of resources")
