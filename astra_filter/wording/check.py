"""What is said of a filter that does not fit its schema (SPEC §3, §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.errors import LiteralError, Problem
from astra_filter.language.names import name_text
from astra_filter.language.span import Span, visible
from astra_filter.wording.phrases import article, looks_like_number, named, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence


def unknown_field(text: str, span: Span, name: str, near: Sequence[str], owner: str) -> Problem:
    where = f" in {visible(owner)}" if owner else ""
    hint = f"did you mean {visible(near[0])}?" if near else None
    return Problem("unknown_field", f"unknown field {named(name)}{where}", text, span, tuple(near), hint)


def no_such_member(text: str, span: Span, path: str, type_name: str) -> Problem:
    return Problem("no_members", f"{visible(path)} is {article(type_name)} and has no members", text, span)


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
        "no_elements", f"{visible(path)} is {article(type_name)}; brackets take arrays of objects", text, span
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
        f"{operator!r} is not allowed on {visible(path)}, {article(type_name)}",
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
        "decimal": "write a number without quotes: 20.50",
        "integer": "write an integer without quotes: 20",
        "boolean": "write true or false, without quotes",
    }.get(type_name, f"write it in single quotes: {quoted(literal)}")
    if found == "string" and type_name in ("number", "decimal", "integer") and looks_like_number(literal[1:-1]):
        hint = f"write it without quotes: {literal[1:-1]}"
    elif found == "string" and type_name == "boolean" and literal[1:-1].lower() in ("true", "false"):
        hint = f"write it without quotes: {literal[1:-1].lower()}"
    return Problem(
        "wrong_kind", f"{visible(path)} is {article(type_name)}, not {article(found)}", text, span, (type_name,), hint
    )


def bad_literal(text: str, span: Span, error: LiteralError) -> Problem:
    return Problem(error.code, error.message, text, span, hint=error.hint)
