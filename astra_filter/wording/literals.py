"""What is said of a literal that is not a value of its field's type (SPEC §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.errors import LiteralError
from astra_filter.language.span import visible
from astra_filter.wording.phrases import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence


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


def bad_date(literal: str) -> LiteralError:
    return LiteralError("bad_date", f"{quoted(literal)} is not a date", "write year, month and day: '2020-08-06'")
