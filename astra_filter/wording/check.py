"""What is said of a filter that does not fit its schema (SPEC §3, §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.errors import LiteralError, Problem
from astra_filter.language.names import name_text
from astra_filter.language.span import Span, visible
from astra_filter.wording.hints import can_be_shown, lost_plus_hint, mended_hint, shown
from astra_filter.wording.phrases import article, named, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence


def unknown_field(text: str, span: Span, name: str, near: Sequence[str], owner: str) -> Problem:
    where = f" in {visible(owner)}" if owner else ""
    hint = f"did you mean {visible(near[0])}?" if near else None
    return Problem("unknown_field", f"unknown field {named(name)}{where}", text, span, tuple(near), hint)


def no_such_member(text: str, span: Span, path: str, type_name: str) -> Problem:
    return Problem("no_members", f"{visible(path)} is {article(type_name)} and has no members", text, span)


def object_tested(text: str, span: Span, path: str, example: str | None) -> Problem:
    return Problem(
        "object_tested",
        f"{visible(path)} is an object, which no operator takes",
        text,
        span,
        hint=shown("test one of its members", example) or "test one of its members",
    )


def objects_tested(text: str, span: Span, path: str, example: str | None) -> Problem:
    return Problem(
        "object_tested",
        f"{visible(path)} is an array of objects, which only eq null and ne null take",
        text,
        span,
        hint=shown("test one of their members", example) or "test one of their members",
    )


def map_tested(text: str, span: Span, path: str) -> Problem:
    return Problem(
        "map_tested",
        f"{visible(path)} is a map, which takes no test",
        text,
        span,
        hint=f"test the value of a key: {path}.`key` ne null",
    )


def members_of_entry(text: str, span: Span, path: str, key: str) -> Problem:
    return Problem(
        "no_members",
        f"{visible(path)} is a map of scalars, which have no members",
        text,
        span,
        hint=f"a key with a dot needs backquotes: {path}.{visible(name_text(key))}",
    )


def brackets_on_scalar(text: str, span: Span, path: str, type_name: str) -> Problem:
    return Problem(
        "no_elements", f"{visible(path)} is {article(type_name)}; brackets take arrays of objects", text, span
    )


def brackets_on_scalars(text: str, span: Span, path: str, example: str | None) -> Problem:
    return Problem(
        "no_elements",
        f"the elements of {visible(path)} have no members; brackets take arrays of objects",
        text,
        span,
        hint=shown("test the array itself", example) or "test the array itself",
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
    hint = {
        "uuid": "write 32 hexadecimal digits in single quotes, grouped 8-4-4-4-12",
    }.get(type_name)
    return Problem(
        "wrong_kind", f"{visible(path)} is {article(type_name)}, not {article(found)}", text, span, (type_name,), hint
    )


def other_literal_hint(literal: str, found: str) -> str | None:
    """Show the literal that a field takes for one of another kind."""
    words = "write it in single quotes" if literal.startswith("'") else "write it without quotes"
    if found == "number" and not literal.startswith("'"):
        words = "write true or false"
    return f"{words}: {literal}" if can_be_shown(literal) else None


def bad_literal(text: str, span: Span, error: LiteralError, mended: str | None) -> Problem:
    hint = error.hint
    if mended is not None:
        lost = "+" in mended and "+" not in text[span.start : span.end]
        hint = lost_plus_hint(quoted(mended)) if lost else mended_hint(quoted(mended))
    return Problem(error.code, error.message, text, span, hint=hint)
