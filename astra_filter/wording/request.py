"""What is said of the query parameters of a list request (SPEC §6), and of wrong arguments of the server's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.errors import Problem, SchemaError, StorageError
from astra_filter.language.names import name_text
from astra_filter.language.span import Span, visible
from astra_filter.wording.hints import can_be_shown
from astra_filter.wording.phrases import named, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence


def _whole(text: str) -> Span:
    return Span(0, len(text))


def unknown_parameter(name: str, near: Sequence[str], meant: str | None) -> Problem:
    hint = meant or (f"did you mean {near[0]}?" if near else None)
    return Problem("unknown_parameter", f"there is no parameter {quoted(name)}", name, _whole(name), (), hint, name)


def repeated_parameter(name: str, value: str) -> Problem:
    message = "the parameter is given more than once; only filter may be repeated"
    return Problem("repeated_parameter", message, value, _whole(value), parameter=name)


def too_many_filters(value: str, most: int) -> Problem:
    return Problem("too_many_filters", f"the filter parameter may be given at most {most} times", value, _whole(value))


def filters_too_long(value: str, start: int, most: int) -> Problem:
    message = f"the filters of one request may have {most} characters together"
    return Problem("text_too_long", message, value, Span(start, len(value)))


def bad_encoding(name: str, value: str) -> Problem:
    message = "the text is not UTF-8 in percent-encoding"
    return Problem("bad_encoding", message, value, _whole(value), parameter=name)


def bad_limit(value: str) -> Problem:
    hint = "write digits 0 to 9 only: limit=50"
    return Problem("bad_limit", "limit is a whole number, at least 1", value, _whole(value), (), hint, "limit")


def bad_skip(value: str) -> Problem:
    hint = "write digits 0 to 9 only: skip=50"
    message = "skip is a whole number from 0 to 9223372036854775807"
    return Problem("bad_skip", message, value, _whole(value), (), hint, "skip")


def skip_with_continue(value: str) -> Problem:
    message = "skip cannot be combined with continue, which already says where the page begins"
    return Problem("skip_with_continue", message, value, _whole(value), (), "leave out one of them", "skip")


def bad_count(value: str) -> Problem:
    return Problem("bad_count", "count is true or false", value, _whole(value), (), "write count=true", "count")


def bad_token(value: str) -> Problem:
    message = "this is not a continue token of this request"
    hint = (
        "send metadata.continue of the last response unchanged, with the same filter and orderBy, "
        "or leave continue out to start again"
    )
    return Problem("bad_token", message, value, _whole(value), (), hint, "continue")


def token_unsupported(value: str) -> Problem:
    message = "this collection has no key field, so a list of it cannot be continued"
    return Problem("token_unsupported", message, value, _whole(value), (), "use skip and limit", "continue")


def too_many_items(text: str, span: Span, parameter: str, most: int) -> Problem:
    return Problem("too_many_items", f"{parameter} takes at most {most} names", text, span, parameter=parameter)


def missing_item(text: str, span: Span, parameter: str) -> Problem:
    if not text.strip(" \t\r\n"):
        message, hint = f"{parameter} is empty", "name at least one field, or leave the parameter out"
    else:
        message, hint = "a field name is missing here", "remove the comma, or name a field"
    return Problem("missing_item", message, text, span, (), hint, parameter)


def not_a_name(text: str, span: Span, parameter: str) -> Problem:
    found = text[span.start : span.end].strip(" \t\r\n")
    message = f"expected a field name, not {quoted(found)}" if found else "expected a field name"
    hint = "a name that is not letters, digits and _ goes in backquotes"
    return Problem("not_a_name", message, text, span, (), hint, parameter)


def reserved_name(text: str, span: Span, parameter: str = "filter") -> Problem:
    word = text[span.start : span.end]
    hint = f"as a name it needs backquotes: `{word}`"
    return Problem("reserved_name", f"{named(word)} is a keyword", text, span, ("name",), hint, parameter)


def text_after_name(text: str, span: Span, parameter: str, item: str) -> Problem:
    message = f"unexpected {quoted(text[span.start : span.end])} after a field name"
    hint = f"names are separated by commas; as one name write {visible('`' + item.replace('`', '``') + '`')}"
    return Problem("text_after_name", message, text, span, (), hint, parameter)


def bad_direction(text: str, span: Span) -> Problem:
    message = f"unknown direction {quoted(text[span.start : span.end])}"
    return Problem("bad_direction", message, text, span, ("asc", "desc"), None, "orderBy")


def unknown_item(text: str, span: Span, parameter: str, name: str, near: Sequence[str]) -> Problem:
    hint = f"did you mean {near[0]}?" if near else None
    return Problem("unknown_field", f"unknown field {quoted(name)}", text, span, (), hint, parameter)


def not_returnable(text: str, span: Span, name: str) -> Problem:
    return Problem("not_returnable", f"{quoted(name)} is not returned", text, span, parameter="include")


def members_of_entry(text: str, span: Span, parameter: str, path: str, key: str) -> Problem:
    return Problem(
        "no_members",
        f"{visible(path)} is a map of scalars, which have no members",
        text,
        span,
        hint=f"a key with a dot needs backquotes: {path}.{visible(name_text(key))}",
        parameter=parameter,
    )


def through_array(text: str, span: Span, parameter: str, array: str) -> Problem:
    message = f"{quoted(array)} is an array, whose elements have no names here"
    hint = f"include {array} as a whole" if parameter == "include" else "sort by a field that has one value"
    return Problem("through_array", message, text, span, (), hint, parameter)


def not_sortable(text: str, span: Span, name: str, sortable: Sequence[str]) -> Problem:
    shown = ", ".join(sortable[:10]) + (", …" if len(sortable) > 10 else "")
    hint = f"sortable fields: {shown}" if sortable else None
    return Problem("not_sortable", f"{quoted(name)} cannot be sorted by", text, span, (), hint, "orderBy")


def repeated_item(text: str, span: Span, parameter: str, name: str) -> Problem:
    return Problem("repeated_item", f"{quoted(name)} is named twice", text, span, parameter=parameter)


def bad_parameters(value: object) -> SchemaError:
    message = f"query parameters are a query string, a mapping or pairs, of strings, not {value!r:.100}"
    return SchemaError("bad_parameters", message)


def bad_page_size(what: str, value: object) -> SchemaError:
    return SchemaError("bad_page_size", f"{what} is a whole number, at least 1, not {value!r}")


def bad_secret() -> SchemaError:
    return SchemaError(
        "bad_secret", "the secret of continue tokens is bytes or a string, or several such, and not empty"
    )


def bad_scope(scope: object) -> SchemaError:
    return SchemaError("bad_scope", f"the scope of continue tokens is a str, not {type(scope).__name__}: take str(…)")


def bad_names(what: str, names: object) -> SchemaError:
    return SchemaError("bad_names", f"{what} takes a sequence of names, not the single string {names!r}")


def bad_order(problems: Sequence[Problem]) -> SchemaError:
    return SchemaError("bad_order", "\n\n".join(problem.render() for problem in problems))


def token_too_long(name: str, most: int) -> StorageError:
    message = f"a continue token would exceed {most} characters: the value of the sort field {name} is too long"
    return StorageError("token_too_long", message)


def unbounded_tokens(names: Sequence[str], most: int) -> SchemaError:
    message = (
        f"continue tokens could exceed {most} characters: give the sortable strings {', '.join(names)} a smaller "
        "max_length, or allow fewer order keys"
    )
    return SchemaError("unbounded_tokens", message)


def unstorable_in_token(name: str) -> StorageError:
    message = f"no continue token can be made: the sort field {name} holds U+0000 or a lone surrogate"
    return StorageError("unstorable_in_token", message)


def unreadable_in_token(name: str) -> StorageError:
    message = f"no continue token can be made: the sort field {name} holds a value that is none of its type"
    return StorageError("unreadable_in_token", message)


def unordered_in_token(name: str, written: str) -> StorageError:
    message = (
        f"no continue token can be made: the sort field {name} holds the text {written!r:.60}, which is not the "
        "spelling that the database is asked for, so that it would not be found again"
    )
    return StorageError("unordered_in_token", message)


def page_stands_still(names: Sequence[str]) -> StorageError:
    message = (
        f"the page does not advance: the database does not order {', '.join(names)} as their fields do, "
        "or several rows have the same key"
    )
    return StorageError("page_stands_still", message)


def missing_column(name: str) -> StorageError:
    return StorageError("missing_column", f"the row has no column {name!r}")


def wrong_row(columns: Sequence[str], found: int) -> StorageError:
    message = f"the row has {found} values instead of those of {len(columns)} columns: {', '.join(columns)}"
    return StorageError("wrong_row", message)


# Hints for the spellings of other APIs --------------------------------------------------------------------------------

_OTHER_NAMES = {
    "page": "pages have no numbers; use limit, and continue with metadata.continue of the last response, or skip",
    "startindex": "use skip, which counts from 0",
    "continue": "use continue, with metadata.continue of the last response",
    "back": "use continue, with metadata.continue of the last response; lists are read forwards only",
}


def other_name(meant: str, example: str | None) -> str:
    """Say which parameter is meant by one of another API."""
    hint = _OTHER_NAMES.get(meant, f"use {meant}")
    return f"{hint}: {meant}={example}" if example is not None and can_be_shown(example) else hint


def field_as_parameter(test: str) -> str:
    return f"a field is tested in filter: filter={test}"


def direction_behind(key: str) -> str:
    return f"write the name, and desc behind it where it descends: {key}" if can_be_shown(key) else ""
