"""What is said of conditions that the builder cannot make."""

from __future__ import annotations

from astra_filter.errors import AstraFilterError


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


def no_truth_value() -> AstraFilterError:
    return AstraFilterError("no_truth_value", "a condition is neither true nor false: join conditions with &, | and ~")
