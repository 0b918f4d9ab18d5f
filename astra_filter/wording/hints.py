"""What a hint says in front of the filter that is meant (SPEC §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.errors import OPERATORS
from astra_filter.language.span import visible
from astra_filter.wording.phrases import article, named, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

_REASONS = {
    "xor": "there is no xor; written out it is",
    "nor": "there is no nor; written out it is",
    "nand": "there is no nand; written out it is",
    "element": "put the condition in brackets behind the array",
    "elements": "test the array itself",
    "order": "write the field first",
    "repeat": "repeat the field",
    "truth": "the test alone is true or false",
    "prefix": "write each test as field, operator, value",
    "typed": "write the value alone",
    "year": "there are no date parts; compare with where the year begins and ends",
    "has": "use eq, as contains looks inside each element",
    "list in": "use in, with the values in parentheses",
    "list not in": "use not in, with the values in parentheses",
}
"""Why a test is written otherwise, the first of those that hold; else its operators are named."""
_LONGEST_HINT = 400


def can_be_shown(test: str) -> bool:
    """Whether a filter can stand in a hint as it is: what is cut or escaped could not be sent."""
    return visible(test, _LONGEST_HINT) == test


def translated(reasons: Sequence[str], test: str, *, joined: bool = False) -> str | None:
    """Show a test that says what was meant.

    Args:
        reasons: what was foreign: operators, or keys of `_REASONS`.
        test: what was meant, as the language has it.
        joined: whether the join of the tests is what is wrong.
    """
    joins = [reason.removeprefix("join ") for reason in reasons if reason.startswith("join ")]
    others = [reason for reason in reasons if reason not in _REASONS and not reason.startswith("join ")]
    named = [reason for reason in others if reason not in ("folded", "literal")]
    operators = list(dict.fromkeys((joins if joined or not named else named) or named))
    words = next((_REASONS[reason] for reason in _REASONS if reason in reasons), "use " + " and ".join(operators[:2]))
    if not operators and words == "use ":
        words = "write it as"
    if "folded" in reasons:
        words += ", which tells upper from lower case" if words.startswith("use ") else "; upper and lower case differ"
    if can_be_shown(test):
        return f"{words}: {test}"
    return None if words == "write it as" else words.removesuffix("; written out it is")


def operator_hint(operator: str) -> str | None:
    """Name an operator, for a test that cannot be shown."""
    if operator in (*OPERATORS, "not in"):
        return f"use {operator}"
    return {"null": "use eq null", "not null": "use ne null", "between": "use gte and lte"}.get(operator)


def never_null_hint(path: str) -> str:
    return f"{visible(path)} is never null; leave the test out"


def takes_hint(path: str, allowed: Sequence[str]) -> str:
    return f"{visible(path)} takes {', '.join(allowed)}" if allowed else f"{visible(path)} cannot be filtered by"


def values_hint(values: Sequence[str], near: Sequence[str]) -> str:
    shown = ", ".join(quoted(value) for value in values[:10]) + (", …" if len(values) > 10 else "")
    return (f"did you mean {quoted(near[0])}? " if near else "") + f"values: {shown}"


def one_element_hint(path: str) -> str:
    return f"no filter puts such a condition to one and the same element of {visible(path)}"


def no_positions_hint() -> str:
    return "the elements of an array have no numbers; a test of an array asks for some element"


def arithmetic_hint() -> str:
    return "there is no arithmetic; write the value that comes of it"


def placeholder_hint() -> str:
    return "there are no placeholders; write the value itself"


def boolean_hint() -> str:
    return "write true or false, without quotes"


def number_hint(type_name: str) -> str:
    return f"write {article(type_name)}, without quotes"


def instant_hint(type_name: str) -> str:
    if type_name == "date":
        return "write year, month and day in single quotes, as in '2020-08-06'"
    return "write an instant in single quotes, as RFC 3339 has it, such as '2020-08-06T12:24:52Z'"


def function_hint(name: str, *, folds: bool) -> str:
    more = "upper and lower case differ in every test" if folds else "a test is a field, an operator and a value"
    return f"there is no function {named(name)}; {more}"


def date_part_hint(name: str) -> str:
    return f"there are no date parts such as {named(name)}; compare with instants, by gte and lt"


def pattern_hint(kind: str) -> str:
    what = "regular expressions" if kind == "regex" else "wildcards"
    return f"there are no {what}: use contains, startswith or endswith for the parts of the text"


def no_field_values_hint(name: str) -> str:
    return f"fields cannot be compared with each other; if you mean the text, write {quoted(name)}"


def encoded_hint(test: str) -> str:
    return f"the text is still encoded as in a URL; send it decoded once more: {test}"


def mended_hint(literal: str) -> str:
    return f"write it as RFC 3339 has it: {literal}"


def lost_plus_hint(literal: str) -> str:
    return f"a + is written %2B in a URL, where it is a blank by itself: {literal}"


def space_hint(found: str, test: str | None) -> str:
    words = f"U+{ord(found):04X} is no space here; write plain spaces"
    return words if test is None else f"{words}: {test}"


def sign_hint(found: str, test: str) -> str:
    return f"{named(found)} is no sign of the language; write words: {test}"


def alone_hint(test: str) -> str:
    return f"send the condition alone: {test}"


def shown(words: str, example: str | None) -> str:
    """Return what shows an example behind ``words``; nothing where there is none that can be shown."""
    return f"{words}: {example}" if example is not None and can_be_shown(example) else ""
