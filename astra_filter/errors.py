"""Every error, its code, and all the wording a person reads.

One base class, a `ValueError`. What a stranger sent wrong is a `Problem`: a kind and a span. A `FilterError` holds the
problems of a filter, a `QueryError` those of a whole list request. What the server's own code did wrong (a schema that
contradicts itself, a row that cannot be stored) is a `SchemaError` or a `StorageError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from astra_filter import problem as documents
from astra_filter.names import name_text
from astra_filter.nodes import Operator
from astra_filter.span import Span, line_and_column, underline, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OPERATORS = tuple(operator.value for operator in Operator)
"""The operators by their canonical spelling."""


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
        if self.hint is not None:
            lines.append("hint: " + self.hint)
        elif self.expected:
            lines.append("expected: " + ", ".join(self.expected))
        return "\n".join(lines)

    def entry(self) -> dict[str, Any]:
        """Return the entry of ``invalidParams`` in a 400 document (SPEC §1), with code and span beside the reason."""
        reason = self.message
        if self.hint is not None:
            reason += "; " + self.hint
        elif self.expected:
            reason += "; expected: " + ", ".join(self.expected)
        start, end = self.span
        return {"name": visible(self.parameter), "reason": reason, "code": self.code, "start": start, "end": end}


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
        """Return the 400 document of SPEC §1, an entry for each problem; arguments as in `astra_filter.problem`."""
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


class MissingExtraError(AstraFilterError, ImportError):
    """A part of the library was imported without the packages it needs; the message names the extra."""


class LiteralError(AstraFilterError):
    """A literal that is no value of its field's type; `check` gives it a place and makes it a `Problem`."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(code, message)
        self.message = message
        self.hint = hint


# Limits --------------------------------------------------------------------------------------------------------------


def text_too_long(text: str, bound: int) -> Problem:
    # The text is not kept: it is as long as the sender liked.
    return Problem(
        "text_too_long",
        f"the filter has {len(text):,} characters; at most {bound:,} are allowed",
        text[: bound + 1],
        Span(bound, bound + 1),
    )


def too_deep(text: str, span: Span, bound: int) -> Problem:
    return Problem("too_deep", f"more than {bound} parentheses, brackets and nots are open here", text, span)


def too_many_tests(text: str, span: Span, bound: int) -> Problem:
    return Problem("too_many_tests", f"the filter has more than {bound:,} tests", text, span)


def too_many_literals(text: str, span: Span, bound: int) -> Problem:
    return Problem("too_many_literals", f"the filter has more than {bound:,} values", text, span)


def list_too_long(text: str, span: Span, bound: int) -> Problem:
    return Problem("list_too_long", f"the list has more than {bound:,} items", text, span)


# Syntax --------------------------------------------------------------------------------------------------------------


def not_text(value: object) -> AstraFilterError:
    return AstraFilterError("not_text", f"a filter is a str, not {type(value).__name__}")


def empty_filter(text: str) -> Problem:
    return Problem(
        "empty_filter",
        "the filter is empty",
        text,
        Span(0, len(text)),
        hint="leave the parameter out to filter nothing, or write a test: state eq 'running'",
    )


def forbidden_character(text: str, span: Span) -> Problem:
    shown = f"U+{ord(text[span.start]):04X}"
    return Problem("forbidden_character", f"the character {shown} is not allowed in a filter", text, span)


def bad_name_character(text: str, span: Span) -> Problem:
    found = text[span.start]
    hint = "a name holds letters, marks, digits and _, and begins with a letter or _; write any other in backquotes"
    if found in "“”„‘’‚":
        hint = "names are not written in quotes; one that needs some stands in backquotes"
    message = f"{visible(found)!r} cannot stand in a name that is written without backquotes"
    return Problem("bad_name_character", message, text, span, hint=hint)


def unclosed_string(text: str, span: Span) -> Problem:
    return Problem(
        "unclosed_string",
        "this string is never closed",
        text,
        span,
        hint="end it with a single quote; a quote inside a string is written twice: 'it''s'",
    )


def unclosed_name(text: str, span: Span) -> Problem:
    return Problem("unclosed_name", "this name is never closed", text, span, hint="end it with a backquote")


def empty_name(text: str, span: Span) -> Problem:
    return Problem(
        "empty_name", "a name is never empty", text, span, hint="write the field's name between the backquotes"
    )


def symbol_connective(text: str, span: Span, found: str, word: str) -> Problem:
    example = "not state eq 'running'" if word == "not" else f"state eq 'running' {word} percentDone gte 20"
    return Problem(
        "unknown_connective", f"{found!r} does not join tests", text, span, (word,), f"use {word}: {example}"
    )


def unknown_operator(text: str, span: Span, found: str, near: str | None, path: str, literal: str | None) -> Problem:
    hint = "the operators are " + ", ".join(OPERATORS) if near is None else f"use {near}"
    if near is not None and literal is not None:
        shown = f"({literal})" if near.endswith("in") else literal
        hint += f": {visible(path)} {near} {visible(shown)}"
    return Problem("unknown_operator", f"unknown operator {_named(found)}", text, span, OPERATORS, hint)


def two_operators(text: str, span: Span, found: str) -> Problem:
    return Problem(
        "two_operators",
        f"a value belongs here, not the operator {_named(found)}",
        text,
        span,
        _LITERALS,
        "leave it out",
    )


def missing_operator(text: str, span: Span, example: str) -> Problem:
    return Problem(
        "missing_operator",
        "an operator belongs here",
        text,
        span,
        OPERATORS,
        f"write a test: {visible(example)}",
    )


def is_null(text: str, span: Span, path: str, *, negated: bool, never_null: bool) -> Problem:
    if never_null:
        return null_never(text, span, path)
    operator = "ne" if negated else "eq"
    found = "is not" if negated else "is"
    return Problem(
        "unknown_operator",
        f"unknown operator '{found}'",
        text,
        span,
        OPERATORS,
        f"use {operator}: {visible(path)} {operator} null",
    )


def like_operator(text: str, span: Span, found: str, path: str, pattern: str, *, negated: bool) -> Problem:
    inner = pattern[1:-1]
    if "%" in inner.strip("%") or "_" in inner or "\\" in inner:
        hint = "there are no wildcards: use contains, startswith or endswith for the parts of the text"
        return Problem("unknown_operator", f"unknown operator {_named(found)}", text, span, OPERATORS, hint)
    operator = {
        (True, True): "contains",
        (False, True): "startswith",
        (True, False): "endswith",
        (False, False): "eq" if pattern else "contains",
    }[inner.startswith("%") and bool(inner), len(inner) > 1 and inner.endswith("%")]
    value = f"'{inner.strip('%')}'" if pattern else "'text'"
    test = f"{'not ' if negated else ''}{visible(path)} {operator} {visible(value)}"
    return Problem(
        "unknown_operator", f"unknown operator {_named(found)}", text, span, OPERATORS, f"use {operator}: {test}"
    )


def negated_operator(text: str, span: Span, operator: str, path: str, literal: str | None) -> Problem:
    shown = visible(literal or "'value'")
    test = f"not {visible(path)} {operator} {shown}"
    return Problem(
        "negated_operator",
        f"'not' cannot stand before {operator!r}",
        text,
        span,
        ("not in",),
        f"negate the test: {test}",
    )


def between(text: str, span: Span, path: str, low: str, high: str, *, negated: bool) -> Problem:
    first, last = ("lt", "gt") if negated else ("gte", "lte")
    join = "or" if negated else "and"
    # In parentheses, for what stands around it.
    test = f"({visible(path)} {first} {visible(low)} {join} {visible(path)} {last} {visible(high)})"
    hint = f"use {first} and {last}: {test}"
    return Problem("unknown_operator", "unknown operator 'between'", text, span, OPERATORS, hint)


def double_quoted_string(text: str, span: Span, inner: str) -> Problem:
    return Problem(
        "double_quoted", "strings are written in single quotes", text, span, ("string",), f"write {quoted(inner)}"
    )


def double_quoted_name(text: str, span: Span, inner: str) -> Problem:
    return Problem(
        "double_quoted", "names are not written in quotes", text, span, ("name",), f"write {visible(name_text(inner))}"
    )


def name_needs_quotes(text: str, span: Span, name: str) -> Problem:
    return Problem(
        "name_needs_quotes",
        f"the name {_named(name)} needs backquotes",
        text,
        span,
        hint=f"write {visible('`' + name + '`')}",
    )


def stepped_by_dots(text: str, span: Span, path: str) -> Problem:
    return Problem(
        "name_needs_quotes",
        f"{_named(text[span.start : span.end])} is no name",
        text,
        span,
        hint=f"members are reached by dots: {visible(path)}",
    )


def literal_first(text: str, span: Span) -> Problem:
    return Problem(
        "literal_first",
        "a test begins with a field's name, not with a value",
        text,
        span,
        ("name",),
        "write the field first: state eq 'running'",
    )


def missing_test(text: str, span: Span, found: str) -> Problem:
    return Problem("missing_test", f"a test belongs before {_named(found)}", text, span, ("name", "not", "("))


def nothing_inside(text: str, span: Span, opened: str) -> Problem:
    if opened in ("(", "["):
        return Problem("missing_test", "a test belongs between these", text, span, ("name", "not", "("))
    return Problem("missing_test", f"a test belongs after {_named(opened)}", text, span, ("name", "not", "("))


def nothing_after(text: str, span: Span, found: str) -> Problem:
    return Problem(
        "nothing_after",
        f"nothing follows {_named(found)}",
        text,
        span,
        hint=f"finish the test: {_EXAMPLES.get(found.lower(), _EXAMPLE)}",
    )


def missing_literal(text: str, span: Span, before: str) -> Problem:
    return Problem("missing_literal", f"a value belongs after {_named(before)}", text, span, _LITERALS)


def list_with_eq(text: str, span: Span, operator: str) -> Problem:
    use = "in" if operator == "eq" else "not in"
    return Problem(
        "list_with_eq",
        f"{operator!r} takes one value",
        text,
        span,
        _LITERALS,
        f"for a list use {use}: state {use} ('a', 'b')",
    )


def string_only(text: str, span: Span, before: str) -> Problem:
    return Problem(
        "string_only",
        f"a string belongs after {_named(before)}",
        text,
        span,
        ("string",),
        f"write '{text[span.start : span.end]}'",
    )


def bad_number(text: str, span: Span, found: str) -> Problem:
    return Problem(
        "bad_number",
        f"{_named(found)} is not a number",
        text,
        span,
        ("number",),
        "numbers are written as in JSON: 12, -0.5, 6.02e23; anything else is a string in single quotes",
    )


def field_as_value(text: str, span: Span, found: str) -> Problem:
    return Problem(
        "field_as_value",
        f"{_named(found)} is a field; fields cannot be compared with each other",
        text,
        span,
        _LITERALS,
        f"if you mean the text, write {quoted(found)}",
    )


def bare_word(text: str, span: Span, found: str) -> Problem:
    return Problem(
        "bare_word", f"the text {_named(found)} needs quotes", text, span, _LITERALS, f"write {quoted(found)}"
    )


def bare_value(text: str, span: Span, found: str, what: str) -> Problem:
    return Problem(
        "bare_value", f"a {what} is written in single quotes", text, span, ("string",), f"write {quoted(found)}"
    )


def quote_in_string(text: str, span: Span, string: str) -> Problem:
    return Problem(
        "text_after_end",
        f"the string {visible(string, 30)} has ended before this",
        text,
        span,
        hint="a quote inside a string is written twice: 'it''s'",
    )


def unclosed(text: str, span: Span, found: str) -> Problem:
    closing, what = (")", "parenthesis") if found == "(" else ("]", "bracket")
    return Problem("unclosed", f"this {what} is never closed", text, span, (closing,), f"add a {closing!r}")


def stray(text: str, span: Span, found: str, opened: str | None) -> Problem:
    if opened is None:
        return Problem("stray", f"nothing is open that {found!r} could close", text, span, hint="leave it out")
    return Problem("stray", f"{found!r} cannot close {opened!r}", text, span, (")" if opened == "(" else "]",))


def missing_comma(text: str, span: Span) -> Problem:
    return Problem("missing_comma", "a comma or the end of the list belongs here", text, span, (",", ")"))


def text_after_end(text: str, span: Span) -> Problem:
    return Problem(
        "text_after_end",
        "the filter has ended before this",
        text,
        span,
        ("and", "or"),
        "join tests with and, or with or",
    )


def unexpected_end(text: str, span: Span, wanted: str) -> Problem:
    return Problem("unexpected_end", f"the filter ends where {wanted} belongs", text, span)


def unexpected_text(text: str, span: Span, found: str, wanted: str) -> Problem:
    return Problem("unexpected_text", f"{wanted} belongs here, not {_named(found)}", text, span)


# The check against the schema ----------------------------------------------------------------------------------------


def unknown_field(text: str, span: Span, name: str, near: Sequence[str], owner: str) -> Problem:
    where = f" in {visible(owner)}" if owner else ""
    hint = f"did you mean {visible(near[0])}?" if near else None
    return Problem("unknown_field", f"unknown field {_named(name)}{where}", text, span, tuple(near), hint)


def no_such_member(text: str, span: Span, path: str, type_name: str) -> Problem:
    return Problem("no_members", f"{visible(path)} is {_article(type_name)} and has no members", text, span)


def object_tested(text: str, span: Span, path: str, members: Sequence[str]) -> Problem:
    return Problem(
        "object_tested",
        f"{visible(path)} is an object, which no operator takes",
        text,
        span,
        hint=f"test one of its members: {path}.{name_text(members[0])}",
    )


def objects_tested(text: str, span: Span, path: str, members: Sequence[str]) -> Problem:
    return Problem(
        "object_tested",
        f"{visible(path)} is an array of objects, which only eq null and ne null take",
        text,
        span,
        hint=f"test one of their members: {path}[{name_text(members[0])} eq …]",
    )


def brackets_on_scalar(text: str, span: Span, path: str, type_name: str) -> Problem:
    return Problem(
        "no_elements", f"{visible(path)} is {_article(type_name)}; brackets take arrays of objects", text, span
    )


def brackets_on_scalars(text: str, span: Span, path: str) -> Problem:
    return Problem(
        "no_elements",
        f"the elements of {visible(path)} have no members; brackets take arrays of objects",
        text,
        span,
        hint=f"test the array: {path} eq 'value' asks for one element that is equal",
    )


def operator_not_allowed(
    text: str, span: Span, operator: str, path: str, type_name: str, allowed: Sequence[str]
) -> Problem:
    hint = "allowed: " + ", ".join(allowed) if allowed else "this field cannot be filtered by"
    return Problem(
        "operator_not_allowed",
        f"{operator!r} is not allowed on {visible(path)}, {_article(type_name)}",
        text,
        span,
        tuple(allowed),
        hint,
    )


def null_never(text: str, span: Span, path: str) -> Problem:
    return Problem("never_null", f"{visible(path)} is never null", text, span, hint="leave the test out")


def null_with_operator(text: str, span: Span, operator: str) -> Problem:
    return Problem(
        "null_with_operator",
        f"null cannot be compared with {operator!r}",
        text,
        span,
        hint="null goes with eq, ne, in and not in",
    )


def wrong_kind(text: str, span: Span, path: str, type_name: str, found: str) -> Problem:
    literal = text[span.start : span.end]
    hint = {
        "number": "write a number without quotes: 20",
        "integer": "write an integer without quotes: 20",
        "boolean": "write true or false, without quotes",
    }.get(type_name, f"write it in single quotes: {quoted(literal)}")
    if found == "string" and type_name in ("number", "integer") and _looks_like_number(literal[1:-1]):
        hint = f"write it without quotes: {literal[1:-1]}"
    elif found == "string" and type_name == "boolean" and literal[1:-1].lower() in ("true", "false"):
        hint = f"write it without quotes: {literal[1:-1].lower()}"
    return Problem(
        "wrong_kind", f"{visible(path)} is {_article(type_name)}, not {_article(found)}", text, span, (type_name,), hint
    )


def bad_literal(text: str, span: Span, error: LiteralError) -> Problem:
    return Problem(error.code, error.message, text, span, hint=error.hint)


# Literals of the wrong value -----------------------------------------------------------------------------------------


def undeclared_value(literal: str, values: Sequence[str], near: Sequence[str]) -> LiteralError:
    shown = ", ".join(quoted(value) for value in values[:10]) + (", …" if len(values) > 10 else "")
    hint = f"did you mean {quoted(near[0])}? " if near else ""
    return LiteralError(
        "undeclared_value", f"{quoted(literal)} is not one of the field's values", f"{hint}values: {shown}"
    )


def bad_uuid(literal: str) -> LiteralError:
    return LiteralError(
        "bad_uuid",
        f"{quoted(literal)} is not a UUID",
        "write 32 hexadecimal digits, grouped 8-4-4-4-12: 'ae1e6561-9e22-406c-8a5a-762f4604da00'",
    )


def not_an_integer(literal: str) -> LiteralError:
    return LiteralError(
        "not_an_integer", f"{visible(literal, 40)} is not an integer", "write it without fraction and exponent"
    )


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


def timestamp_without_offset(literal: str, in_utc: str) -> LiteralError:
    return LiteralError(
        "timestamp_without_offset",
        f"{quoted(literal)} has no offset from UTC",
        f"for UTC write {quoted(in_utc)}",
    )


def timestamp_too_fine(literal: str) -> LiteralError:
    return LiteralError(
        "timestamp_too_fine",
        f"{quoted(literal)} is finer than a microsecond",
        "write at most 6 digits after the second",
    )


def bad_date(literal: str) -> LiteralError:
    return LiteralError("bad_date", f"{quoted(literal)} is not a date", "write year, month and day: '2020-08-06'")


# Schemas -------------------------------------------------------------------------------------------------------------


def unsortable_type(type_name: str) -> SchemaError:
    return SchemaError(
        "unsortable", f"this {type_name} cannot be sortable: only scalars that are returned can be sorted by"
    )


def path_without_column() -> SchemaError:
    return SchemaError("path_without_column", "json_path needs column: the column that holds the JSON")


def bad_identifier(what: str, name: object) -> SchemaError:
    return SchemaError("bad_identifier", f"{name!r} cannot be the name of a {what}")


def bad_max_length(length: object) -> SchemaError:
    return SchemaError("bad_max_length", f"max_length is a whole number, at least 1, not {length!r}")


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


def bad_key(name: str) -> SchemaError:
    return SchemaError(
        "bad_key", f"the key {name!r} must be a declared field: a sortable scalar, never null, in a column of its own"
    )


def bad_members(members: object) -> SchemaError:
    return SchemaError("bad_members", f"members are a mapping of names to fields, not {type(members).__name__}")


def no_members() -> SchemaError:
    return SchemaError("no_members", "an object declares at least one member")


# Deriving schemas ----------------------------------------------------------------------------------------------------

_UNDERIVABLE = {
    "ambiguous_column": "other columns have its name, and that of its column; exclude it",
    "bad_model": "{}",
    "bad_reference": "{} is not found in the document",
    "bad_schema_keyword": "{} is not what JSON Schema allows there",
    "conflicting_types": "its parts leave no type that all of them accept",
    "foreign_reference": "{} does not point into this document",
    "free_form_object": "an object without declared members has nothing to filter by",
    "listed_containers": "its listed values are objects or arrays",
    "mixed_types": "values of different types ({}) have no common field type",
    "nested_array": "the elements of an array cannot be arrays",
    "no_resource": "a resource is an object with declared members, and this is {}",
    "not_a_model": "a resource is described by a subclass of pydantic.BaseModel",
    "not_a_record": "a resource is described by a dataclass or a TypedDict",
    "nothing_to_infer": "no resource has a member with a value that tells its type",
    "only_null": "it can hold nothing but null",
    "recursive": "{} contains itself, and a schema ends somewhere",
    "timestamp_elements": "PostgreSQL's arrays of timestamps cannot be filtered by; exclude it, or give "
    "Array(Timestamp(operators=[])) for it in fields",
    "too_deep": "it is nested too deeply",
    "too_large": "the schema has too many members",
    "unknown_column": "there is no such column or relationship",
    "unknown_column_type": "no field represents the type {}; give a field for it in fields, or exclude it",
    "unknown_name": "{} is not defined where the class is",
    "unknown_type": "{} has no field type; annotate it with one of astra_filter.fields",
    "unloadable_relationship": "a dynamic or write-only relationship holds no rows to show",
    "unreadable_annotation": "its annotations cannot be read: {}",
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
    hint = "a name that is not letters, digits and _ goes in backquotes: `app/name`"
    return Problem("not_a_name", message, text, span, (), hint, parameter)


def reserved_name(text: str, span: Span, parameter: str = "filter") -> Problem:
    word = text[span.start : span.end]
    hint = f"as a name it needs backquotes: `{word}`"
    return Problem("reserved_name", f"{_named(word)} is a keyword", text, span, ("name",), hint, parameter)


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


def missing_column(name: str) -> StorageError:
    return StorageError("missing_column", f"the row has no column {name!r}")


def wrong_row(columns: Sequence[str], found: int) -> StorageError:
    message = f"the row has {found} values instead of those of {len(columns)} columns: {', '.join(columns)}"
    return StorageError("wrong_row", message)


# SQL and storage ------------------------------------------------------------------------------------------------------


def unknown_dialect(name: object, known: Sequence[str]) -> SchemaError:
    return SchemaError("unknown_dialect", f"there is no dialect {name!r}; the dialects are {', '.join(known)}")


def unknown_placeholders(style: object, dialect: str, known: Sequence[str]) -> SchemaError:
    return SchemaError(
        "unknown_placeholders",
        f"{style!r} is no placeholder style of dialect {dialect}; its styles are {', '.join(known)}",
    )


def bad_first(first: object) -> SchemaError:
    return SchemaError("bad_first", f"placeholders are numbered from a whole number, at least 1, not {first!r}")


def bad_where(where: object) -> SchemaError:
    return SchemaError("bad_where", f"where takes SQL(text, params), not {type(where).__name__}")


def unreachable_key(dialect: str, key: str) -> StorageError:
    return StorageError(
        "unreachable_key", f"dialect {dialect} cannot reach a JSON member whose name begins with '-': {key!r}"
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


def bad_collation(name: object) -> SchemaError:
    return SchemaError("bad_collation", f"{name!r} cannot be the name of a collation")


# Building filters ----------------------------------------------------------------------------------------------------


def no_literal(value: object) -> AstraFilterError:
    shown = f"an integer of {value.bit_length()} bits" if isinstance(value, int) else f"{value!r:.100}"
    return AstraFilterError("no_literal", f"no literal stands for {shown}")


def no_operand(operator: str, kind: str) -> AstraFilterError:
    return AstraFilterError("no_operand", f"{operator} takes no {kind}")


def one_string(value: object) -> AstraFilterError:
    return AstraFilterError("one_string", f"in takes a list of values, not the single string {value!r:.100}")


def condition_too_deep(most: int) -> AstraFilterError:
    message = f"a condition may have {most} parentheses, brackets and not open at one place"
    return AstraFilterError("nesting_too_deep", message)


def empty_list() -> AstraFilterError:
    return AstraFilterError("empty_list", "in needs one value or more")


def no_truth_value() -> AstraFilterError:
    return AstraFilterError("no_truth_value", "a condition is neither true nor false: join conditions with &, | and ~")


# Installation --------------------------------------------------------------------------------------------------------


def no_grammar(place: object) -> AstraFilterError:
    return AstraFilterError("no_grammar", f"filter.lark is missing beside {place}: the installation is incomplete")


def missing_extra(extra: str, error: ImportError) -> MissingExtraError:
    """Say which extra brings the package that could not be imported."""
    package = (error.name or str(error)).partition(".")[0]
    message = f"the package {package} is not installed; install it with: pip install 'astra-filter[{extra}]'"
    return MissingExtraError("missing_extra", message)


# Testing -------------------------------------------------------------------------------------------------------------


def nothing_to_make() -> SchemaError:
    return SchemaError("nothing_to_make", "an open schema declares nothing that data or filters could be made for")


def nothing_to_test() -> SchemaError:
    return SchemaError("nothing_to_test", "no field of the schema allows an operator")


def unknown_driver(connection: type, known: Sequence[str]) -> SchemaError:
    return SchemaError(
        "unknown_driver",
        f"a {connection.__module__}.{connection.__qualname__} is no connection of a driver that is known here; "
        f"known are those of {', '.join(known)}",
    )


# Wording -------------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """Return ``text`` as a string literal of the language, fit for a message."""
    return "'" + visible(text.replace("'", "''"), 60) + "'"


def _named(found: str) -> str:
    return "'" + visible(found, 40) + "'"


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"


def _looks_like_number(text: str) -> bool:
    return text.isascii() and text.lstrip("-")[:1].isdigit() and text.strip("-.0123456789eE+") == ""


_LITERALS = ("string", "number", "true", "false", "null")
_EXAMPLE = "state eq 'running'"
_EXAMPLES = {
    "lt": "percentDone lt 20",
    "lte": "percentDone lte 20",
    "le": "percentDone lte 20",
    "gt": "percentDone gt 20",
    "gte": "percentDone gte 20",
    "ge": "percentDone gte 20",
    "ne": "state ne 'running'",
    "in": "state in ('running', 'paused')",
    "contains": "name contains 'backup'",
    "startswith": "name startswith 'astra'",
    "endswith": "name endswith 'prep'",
    "and": "state eq 'running' and percentDone gte 20",
    "or": "state eq 'running' or percentDone gte 20",
    "not": "not state eq 'running'",
}
