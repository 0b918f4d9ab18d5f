"""Every error, its code, and all the wording a person reads.

One base class, a `ValueError`. What a stranger sent wrong is a `Problem`: a kind and a span. A `FilterError` holds the
problems of a filter, a `QueryError` those of a whole list request. What the server's own code did wrong (a schema that
contradicts itself, a row that cannot be stored) is a `SchemaError` or a `StorageError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from astra_filter import problem as documents
from astra_filter.span import Span, line_and_column, underline, visible


class Problem(NamedTuple):
    """One thing that is wrong with a text that somebody sent."""

    code: str
    """Stable, for programs: ``unknown_field``."""
    message: str
    """One line, for people, without the place."""
    text: str
    """The source text."""
    span: Span
    """The place in ``text``."""
    expected: tuple[str, ...] = ()
    """What could have stood there, if that is a short list."""
    hint: str | None = None
    """How to mend it, where that can be told."""
    parameter: str = "filter"
    """The query parameter that ``text`` is the value of."""

    @property
    def line(self) -> int:
        """1-based."""
        return line_and_column(self.text, self.span.start)[0]

    @property
    def column(self) -> int:
        """1-based, in code points."""
        return line_and_column(self.text, self.span.start)[1]

    def render(self) -> str:
        """Return message, underlined place, what was expected and hint, over several lines (SPEC §7)."""
        lines = [self.message, underline(self.text, self.span)]
        if self.expected:
            lines.append("expected: " + ", ".join(self.expected))
        if self.hint is not None:
            lines.append("hint: " + self.hint)
        return "\n".join(lines)

    def entry(self) -> dict[str, Any]:
        """Return the entry of a 400 document's ``invalidParams`` (SPEC §1), with code and span beside name and reason."""
        reason = self.message
        if self.expected:
            reason += "; expected: " + ", ".join(self.expected)
        if self.hint is not None:
            reason += "; " + self.hint
        start, end = self.span
        return {"name": self.parameter, "reason": reason, "code": self.code, "start": start, "end": end}


class AstraFilterError(ValueError):
    """The base of every error this library raises."""

    code: str

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(cls: type[AstraFilterError], args: tuple[object, ...], state: dict[str, object]) -> AstraFilterError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class RequestError(AstraFilterError):
    """What a stranger sent is wrong. ``problems`` holds at least one."""

    problems: tuple[Problem, ...]

    def problem(self, *, base_url: str = documents.BASE_URL, correlation_id: str | None = None) -> dict[str, Any]:
        """Return the 400 document of SPEC §1, with an entry for each problem; arguments as in `astra_filter.problem`."""
        entries = [problem.entry() for problem in self.problems]
        return documents.invalid_parameters(entries, base_url=base_url, correlation_id=correlation_id)


class FilterError(RequestError):
    """A filter that is no filter, or not one for this schema. ``problems`` holds at least one, in source order.

    A syntax error stops at the first; the check against a schema reports up to 20. The attributes ``code``,
    ``message``, ``text``, ``span``, ``line``, ``column``, ``expected`` and ``hint`` are those of the first problem.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.code, "\n\n".join(problem.render() for problem in self.problems))
        self.message = first.message
        self.text = first.text
        self.span = first.span
        self.line = first.line
        self.column = first.column
        self.expected = first.expected
        self.hint = first.hint


class QueryError(RequestError):
    """A list request that cannot be answered. ``problems`` holds at least one, each of the query parameter it names."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [f"{visible(problem.parameter)}: {problem.render()}" for problem in self.problems]
        super().__init__(self.problems[0].code, "\n\n".join(shown))


class SchemaError(AstraFilterError):
    """A schema, or a request of the server's own code, that contradicts itself."""


class StorageError(AstraFilterError):
    """A row that cannot be stored or read back, or something a dialect cannot do."""


class LiteralError(AstraFilterError):
    """A literal that is no value of its field's type; `check` gives it a place and makes it a `Problem`."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(code, message)
        self.message = message
        self.hint = hint


# Literals of the wrong value -----------------------------------------------------------------------------------------


def undeclared_value(literal: str, values: Sequence[str], near: Sequence[str]) -> LiteralError:
    shown = ", ".join(quoted(value) for value in values[:10]) + (", …" if len(values) > 10 else "")
    hint = f"did you mean {quoted(near[0])}? " if near else ""
    return LiteralError("undeclared_value", f"{quoted(literal)} is not one of the field's values", f"{hint}values: {shown}")


def bad_uuid(literal: str) -> LiteralError:
    return LiteralError(
        "bad_uuid",
        f"{quoted(literal)} is not a UUID",
        "write 32 hexadecimal digits, grouped 8-4-4-4-12: 'ae1e6561-9e22-406c-8a5a-762f4604da00'",
    )


def not_an_integer(literal: str) -> LiteralError:
    return LiteralError("not_an_integer", f"{visible(literal, 40)} is not an integer", "write it without fraction and exponent")


def integer_out_of_range(literal: str) -> LiteralError:
    return LiteralError(
        "integer_out_of_range",
        f"{visible(literal, 40)} is outside the 64-bit integers",
        "the range is -9223372036854775808 to 9223372036854775807",
    )


def number_out_of_range(literal: str) -> LiteralError:
    return LiteralError(
        "number_out_of_range", f"{visible(literal, 40)} is too large for a number", "the largest is about 1.8e308"
    )


def bad_timestamp(literal: str) -> LiteralError:
    return LiteralError(
        "bad_timestamp",
        f"{quoted(literal)} is not a timestamp",
        "write date, time and offset as RFC 3339 does: '2020-08-06T12:24:52Z'; a bare date means midnight UTC",
    )


def timestamp_without_offset(literal: str) -> LiteralError:
    return LiteralError(
        "timestamp_without_offset", f"{quoted(literal)} has no offset from UTC", f"for UTC write {quoted(literal + 'Z')}"
    )


def timestamp_too_fine(literal: str) -> LiteralError:
    return LiteralError(
        "timestamp_too_fine", f"{quoted(literal)} is finer than a microsecond", "write at most 6 digits after the second"
    )


def bad_date(literal: str) -> LiteralError:
    return LiteralError("bad_date", f"{quoted(literal)} is not a date", "write year, month and day: '2020-08-06'")


# Schemas -------------------------------------------------------------------------------------------------------------


def unsortable_type(type_name: str) -> SchemaError:
    return SchemaError("unsortable", f"this {type_name} cannot be sortable: only scalars that are returned can be sorted by")


def path_without_column() -> SchemaError:
    return SchemaError("path_without_column", "json_path needs column: the column that holds the JSON")


def bad_identifier(what: str, name: object) -> SchemaError:
    return SchemaError("bad_identifier", f"{name!r} cannot be the name of a {what}")


def bad_max_length(length: object) -> SchemaError:
    return SchemaError("bad_max_length", f"max_length is at least 1, not {length!r}")


def bad_enum_values(values: Iterable[object]) -> SchemaError:
    return SchemaError("bad_enum_values", f"an enum takes one or more different strings, not {list(values)!r}")


def unknown_allowed_operator(name: str, type_name: str) -> SchemaError:
    return SchemaError("unknown_operator", f"{name!r} is no operator that a field of type {type_name} can allow")


def operator_not_of_type(names: Iterable[str], type_name: str) -> SchemaError:
    return SchemaError("operator_not_of_type", f"a field of type {type_name} cannot allow {', '.join(names)}")


def array_of_arrays() -> SchemaError:
    return SchemaError("array_of_arrays", "the elements of an array cannot be arrays")


def not_a_field(name: str, value: object) -> SchemaError:
    return SchemaError("not_a_field", f"{name!r} must be declared with one of astra_filter.fields, not {value!r}")


def no_members() -> SchemaError:
    return SchemaError("no_members", "an object declares at least one member")


# Deriving schemas ----------------------------------------------------------------------------------------------------

_UNDERIVABLE = {
    "bad_reference": "{} is not found in the document",
    "bad_schema_keyword": "{} is not what JSON Schema allows there",
    "conflicting_types": "its parts leave no type that all of them accept",
    "foreign_reference": "{} does not point into this document",
    "free_form_object": "an object without declared members has nothing to filter by",
    "listed_containers": "its listed values are objects or arrays",
    "mixed_types": "values of different types ({}) have no common field type",
    "nested_array": "the elements of an array cannot be arrays",
    "no_resource": "a resource is an object with declared members, and this is {}",
    "only_null": "it can hold nothing but null",
    "recursive": "{} contains itself, and a schema ends somewhere",
    "too_deep": "it is nested too deeply",
    "too_large": "the schema has too many members",
    "unknown_name": "{} is not defined where the class is",
    "unknown_type": "{} has no field type; annotate it with one of astra_filter.fields",
    "untyped_elements": "an array needs one type of elements",
}


def underivable(code: str, place: str, detail: object = "") -> SchemaError:
    """Say that what stands at ``place`` (a JSON pointer, a class and its member) makes no field."""
    shown = visible(place, 200)
    return SchemaError(code, f"{shown}: {_UNDERIVABLE[code].format(visible(str(detail)))}")


def refused_at(place: str, error: SchemaError) -> SchemaError:
    """Add the place to the refusal of a field type."""
    return SchemaError(error.code, f"{visible(place, 200)}: {error}")


# Query parameters ----------------------------------------------------------------------------------------------------


def _whole(text: str) -> Span:
    return Span(0, len(text))


def unknown_parameter(name: str, near: Sequence[str]) -> Problem:
    hint = f"did you mean {near[0]}?" if near else None
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
    return Problem("bad_count", "count is true or false", value, _whole(value), ("true", "false"), None, "count")


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
    hint = "a name that is not letters, digits and _ goes in backquotes: `app/name`"
    return Problem("not_a_name", message, text, span, (), hint, parameter)


def reserved_name(text: str, span: Span, parameter: str) -> Problem:
    word = text[span.start : span.end]
    return Problem("reserved_name", f"{word} is a keyword", text, span, (), f"as a name write `{word}`", parameter)


def text_after_name(text: str, span: Span, parameter: str) -> Problem:
    message = f"unexpected {quoted(text[span.start : span.end])} after a field name"
    hint = "names are separated by commas, and those that are not letters, digits and _ go in backquotes: `app/name`"
    return Problem("text_after_name", message, text, span, (), hint, parameter)


def bad_direction(text: str, span: Span) -> Problem:
    message = f"unknown direction {quoted(text[span.start : span.end])}"
    return Problem("bad_direction", message, text, span, ("asc", "desc"), None, "orderBy")


def unknown_item(text: str, span: Span, parameter: str, name: str, near: Sequence[str]) -> Problem:
    hint = f"did you mean {near[0]}?" if near else None
    return Problem("unknown_field", f"unknown field {quoted(name)}", text, span, (), hint, parameter)


def not_returnable(text: str, span: Span, name: str) -> Problem:
    return Problem("not_returnable", f"{quoted(name)} is not returned", text, span, parameter="include")


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


# List queries of the server's own code -------------------------------------------------------------------------------


def bad_parameters(value: object) -> SchemaError:
    message = f"query parameters are a query string, a mapping or pairs, of strings, not {value!r:.100}"
    return SchemaError("bad_parameters", message)


def bad_page_size(what: str, value: object) -> SchemaError:
    return SchemaError("bad_page_size", f"{what} is a whole number, at least 1, not {value!r}")


def bad_secret() -> SchemaError:
    return SchemaError("bad_secret", "the secret of continue tokens is bytes or a string, and not empty")


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


def missing_column(name: str) -> StorageError:
    return StorageError("missing_column", f"the row has no column {name!r}")


# Wording -------------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """Return ``text`` as a string literal of the language, fit for a message."""
    return "'" + visible(text.replace("'", "''"), 60) + "'"
