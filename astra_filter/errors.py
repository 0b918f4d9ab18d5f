"""Every error, its code, and all the wording a person reads.

One base class, a `ValueError`. What a stranger sent wrong is a `Problem`: a kind and a span. A `FilterError` holds the
problems of a filter, a `QueryError` those of a whole list request. What the server's own code did wrong (a schema that
contradicts itself, a row that cannot be stored) is a `SchemaError` or a `StorageError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

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


class FilterError(AstraFilterError):
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


# Wording -------------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """Return ``text`` as a string literal of the language, fit for a message."""
    return "'" + visible(text.replace("'", "''"), 60) + "'"
