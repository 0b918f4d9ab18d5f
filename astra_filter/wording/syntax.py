"""What is said of a text that is not a filter (SPEC §2, §7, §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.errors import OPERATORS, AstraFilterError, Problem
from astra_filter.language.span import Span, visible
from astra_filter.wording.check import null_never
from astra_filter.wording.hints import shown
from astra_filter.wording.phrases import named, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

_LITERALS = ("string", "number", "true", "false", "null")


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


def not_text(value: object) -> AstraFilterError:
    return AstraFilterError("not_text", f"a filter is a str, not {type(value).__name__}")


def empty_filter(text: str, example: str | None) -> Problem:
    hint = "leave the parameter out to filter nothing" + shown(", or write a test", example)
    return Problem("empty_filter", "the filter is empty", text, Span(0, len(text)), hint=hint)


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
    hint = f"use {word}" if word != "not" else "use not, before the test or its parenthesis"
    return Problem("unknown_connective", f"{named(found)} does not join tests", text, span, (word,), hint)


def unknown_operator(text: str, span: Span, found: str, near: str | None) -> Problem:
    hint = "the operators are " + ", ".join(OPERATORS) if near is None else f"use {near}"
    return Problem("unknown_operator", f"unknown operator {named(found)}", text, span, OPERATORS, hint)


def two_operators(text: str, span: Span, found: str) -> Problem:
    return Problem(
        "two_operators",
        f"a value belongs here, not the operator {named(found)}",
        text,
        span,
        _LITERALS,
        "write one operator",
    )


def missing_operator(text: str, span: Span, example: str | None) -> Problem:
    hint = shown("write a test", example) if example else "write the operator and a value behind the field"
    return Problem("missing_operator", "an operator belongs here", text, span, OPERATORS, hint)


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
        f"use {operator} null",
    )


def like_operator(text: str, span: Span, found: str) -> Problem:
    hint = "there are no wildcards: use contains, startswith or endswith for the parts of the text"
    return Problem("unknown_operator", f"unknown operator {named(found)}", text, span, OPERATORS, hint)


def negated_operator(text: str, span: Span, operator: str) -> Problem:
    message = f"'not' cannot stand before {operator!r}"
    return Problem("negated_operator", message, text, span, ("not in",), "put not before the whole test")


def between(text: str, span: Span, example: str | None) -> Problem:
    hint = "use gte and lte" + shown("", example and f"({example})")
    return Problem("unknown_operator", "unknown operator 'between'", text, span, OPERATORS, hint)


def double_quoted_string(text: str, span: Span, inner: str) -> Problem:
    return Problem(
        "double_quoted", "strings are written in single quotes", text, span, ("string",), f"write {quoted(inner)}"
    )


def double_quoted_name(text: str, span: Span, path: str) -> Problem:
    return Problem("double_quoted", "names are not written in quotes", text, span, ("name",), f"write {visible(path)}")


def name_needs_quotes(text: str, span: Span, name: str, near: Sequence[str], *, known: bool) -> Problem:
    hint = f"write {visible('`' + name + '`')}"
    if not known:
        hint = f"did you mean {visible(near[0])}?" if near else "no field has this name"
    return Problem("name_needs_quotes", f"the name {named(name)} needs backquotes", text, span, hint=hint)


def stepped_by_dots(text: str, span: Span, path: str) -> Problem:
    return Problem(
        "name_needs_quotes",
        f"{named(text[span.start : span.end])} is no name",
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
        "write the field first, then the operator and the value",
    )


def missing_test(text: str, span: Span, found: str) -> Problem:
    return Problem("missing_test", f"a test belongs before {named(found)}", text, span, ("name", "not", "("))


def nothing_inside(text: str, span: Span, opened: str) -> Problem:
    if opened in ("(", "["):
        return Problem("missing_test", "a test belongs between these", text, span, ("name", "not", "("))
    return Problem("missing_test", f"a test belongs after {named(opened)}", text, span, ("name", "not", "("))


def nothing_after(text: str, span: Span, found: str, example: str | None) -> Problem:
    hint = "finish the test" + shown("", example)
    if found.lower() in ("and", "or", "not"):
        hint = "write a test behind it, or leave it out"
    return Problem("nothing_after", f"nothing follows {named(found)}", text, span, hint=hint)


def missing_literal(text: str, span: Span, before: str) -> Problem:
    return Problem("missing_literal", f"a value belongs after {named(before)}", text, span, _LITERALS)


def list_with_eq(text: str, span: Span, operator: str) -> Problem:
    use = "in" if operator == "eq" else "not in"
    return Problem(
        "list_with_eq",
        f"{operator!r} takes one value",
        text,
        span,
        _LITERALS,
        f"for a list use {use}",
    )


def string_only(text: str, span: Span, before: str) -> Problem:
    return Problem(
        "string_only",
        f"a string belongs after {named(before)}",
        text,
        span,
        ("string",),
        f"write '{text[span.start : span.end]}'",
    )


def bad_number(text: str, span: Span, found: str) -> Problem:
    return Problem(
        "bad_number",
        f"{named(found)} is not a number",
        text,
        span,
        ("number",),
        "numbers are written as in JSON: 12, -0.5, 6.02e23; anything else is a string in single quotes",
    )


def field_as_value(text: str, span: Span, found: str) -> Problem:
    return Problem(
        "field_as_value",
        f"{named(found)} is a field; fields cannot be compared with each other",
        text,
        span,
        _LITERALS,
        f"if you mean the text, write {quoted(found)}",
    )


def bare_word(text: str, span: Span, found: str) -> Problem:
    return Problem(
        "bare_word", f"the text {named(found)} needs quotes", text, span, _LITERALS, f"write {quoted(found)}"
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
    return Problem("unexpected_text", f"{wanted} belongs here, not {named(found)}", text, span)


def part_of_text_hint(path: str, literal: str) -> str:
    return f"use icontains: {visible(f'{path} icontains {literal}')}"
