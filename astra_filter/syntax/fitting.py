"""Tests that a schema accepts: what a hint may show. Imported to explain errors only.

Whatever is made here of a path, an operator and literals compiles where the path is meant: the operator is one that the
field allows, and each literal is turned into one of the field's type, ``5`` of a string field into ``'5'``. Else there
is no test at all, and a `Misfit` says why.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from astra_filter.errors import LiteralError
from astra_filter.fields import Array, Enum, Map, Object, Open, String
from astra_filter.language.names import nearest, path_text, unquote
from astra_filter.language.operators import TEXT, Kind, Operator
from astra_filter.syntax.lenient import NUMBER, quote
from astra_filter.syntax.printer import test_text
from astra_filter.wording import hints as wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astra_filter.fields import Field


class Misfit(Exception):  # noqa: N818  # Not an error: it ends an attempt to read a text, and may say why in a hint.
    """The words stand for no test of this schema."""

    def __init__(self, hint: str | None = None) -> None:
        super().__init__(hint)
        self.hint = hint


class Found(NamedTuple):
    """What a path leads to; ``field`` is None where no schema says."""

    field: Field | None
    nullable: bool
    bracket: int
    """How many of the names lead to the last array before the end; 0 where there is none."""


_OPERATORS = {**{operator.value: operator for operator in Operator}, "not in": Operator.IN}
_TEXT = frozenset([operator.value for operator in TEXT])
_EXAMPLES: dict[str, tuple[str, str]] = {
    "string": ("'a'", "'m'"),
    "uuid": ("'ae1e6561-9e22-406c-8a5a-762f4604da00'", "'bc1e6561-9e22-406c-8a5a-762f4604da00'"),
    "integer": ("1", "9"),
    "number": ("1", "9"),
    "decimal": ("1", "9"),
    "boolean": ("true", "false"),
    "timestamp": ("'2020-08-06T12:24:52Z'", "'2020-08-07T12:24:52Z'"),
    "date": ("'2020-08-06'", "'2020-08-07'"),
}
_BOOLEANS = {"1": "true", "'1'": "true", "'yes'": "true", "0": "false", "'0'": "false", "'no'": "false"}


def scope_of(field: Field | None) -> Field | None:
    """Return where the paths inside the brackets of a field begin; None where that cannot be told."""
    return field.items if isinstance(field, Array) else None


def find(scope: Field | None, names: Sequence[str]) -> Found | None:
    """Return what a path leads to, or None when the schema has no such path."""
    nullable, bracket = False, 0
    field = scope
    for index, name in enumerate(names):
        if isinstance(field, Array):
            field, bracket = field.items, index
            nullable = nullable or field.nullable
        if field is None or isinstance(field, Open):
            return Found(None, nullable=True, bracket=0)
        found = field.members.get(name) if isinstance(field, Object) else None
        if isinstance(field, Map):
            found = field.values
        if found is None:
            return None
        field = found
        nullable = nullable or field.nullable
    return Found(field, nullable, bracket)


def write(scope: Field | None, names: Sequence[str], operator: str, literals: Sequence[str] = ()) -> str:
    """Return a test of the path that compiles: ``size gt 5``, ``kind not in ('a', 'b')``, ``note eq null``.

    Raises:
        Misfit: there is none.
    """
    found = find(scope, names)
    if found is None:
        raise Misfit
    path = path_text(names)
    field = found.field
    base = {"ne": "eq", "not in": "in"}.get(operator, operator)
    if literals == ["null"] and base in ("eq", "in") and not found.nullable:
        raise Misfit(wording.never_null_hint(path))
    if isinstance(field, (Object, Map)):
        raise Misfit
    real = _OPERATORS.get(operator)
    if "null" in literals and base not in ("eq", "in"):
        raise Misfit
    if real is None or not literals or (base != "in" and len(literals) > 1):
        raise Misfit
    if field is not None and real not in field.operators:
        raise Misfit(wording.takes_hint(path, [o.value for o in Operator if o in field.operators]))
    values = [fit(field, literal, nullable=found.nullable, text_only=operator in _TEXT) for literal in literals]
    if base == "in":
        return f"{path} {operator} ({', '.join(values)})"
    return test_text(path, real, values[0])


def several(
    scope: Field | None, names: Sequence[str], tests: Sequence[tuple[str, str]], join: str, *, negated: bool = False
) -> str:
    """Return several tests of one value: ``size gt 5 and size lt 9``, ``parts[n gt 5 and n lt 9]`` for an element.

    Raises:
        Misfit: there is no filter that means it.
    """
    found = find(scope, names)
    if found is None:
        raise Misfit
    rest, head = names, ""
    if join == "and" and found.field is not None:
        if isinstance(found.field, Array):
            raise Misfit(wording.one_element_hint(path_text(names)))
        if found.bracket:
            head, rest = path_text(names[: found.bracket]), names[found.bracket :]
            owner = find(scope, names[: found.bracket])
            scope = scope_of(owner.field) if owner is not None else None
    joined = f" {join} ".join([write(scope, rest, operator, [literal]) for operator, literal in tests])
    if head:
        joined = f"{head}[{joined}]"
    elif negated:
        joined = f"({joined})"
    return f"not {joined}" if negated else joined


def is_array(field: Field | None) -> bool:
    """Whether a field is an array."""
    return isinstance(field, Array)


def is_text(field: Field | None) -> bool:
    """Whether a field is a string."""
    return isinstance(field, String)


def has_members(field: Field | None) -> bool:
    """Whether the elements of an array are objects."""
    return isinstance(field, Array) and isinstance(field.items, Object)


def takes_elements(scope: Field | None, names: Sequence[str]) -> bool:
    """Whether a path ends at an array or at an enum, where ``has`` means ``eq``."""
    found = find(scope, names)
    return found is not None and isinstance(found.field, (Array, Enum))


def example(scope: Field | None, names: Sequence[str], literal: str | None = None) -> str | None:
    """Return a test of the path, or of the first member of it that allows one; with ``literal`` where that fits."""
    found = find(scope, names)
    field = None if found is None else found.field
    if isinstance(field, Map):
        return example(scope, [*names, "key"], literal)
    inner = field.items if isinstance(field, Array) else field
    if isinstance(inner, Object):
        start: Sequence[str] = () if isinstance(field, Array) else names
        within = scope_of(field) if isinstance(field, Array) else scope
        for name in inner.members:
            shown = example(within, [*start, name])
            if shown is not None:
                return f"{path_text(names)}[{shown}]" if isinstance(field, Array) else shown
        return None
    if found is None:
        return None
    for operator in Operator:
        if field is None or operator in field.operators:
            for value in (literals(field)[0],) if literal is None else (literal, literals(field)[0]):
                try:
                    return write(scope, names, operator.value, [value])
                except Misfit:
                    continue
    return None


def any_example(scope: Field | None, operator: str | None = None) -> str | None:
    """Return a test of the first field that allows one, with ``operator`` where that is given."""
    members = scope.members if isinstance(scope, Object) else {}
    for name, field in members.items():
        if operator is None:
            shown = example(scope, [name])
        elif isinstance(field, Object):
            continue
        else:
            try:
                shown = write(scope, [name], operator, [literals(field)[0]])
            except Misfit:
                continue
        if shown is not None:
            return shown
    return None


def literals(field: Field | None) -> tuple[str, str]:
    """Return two literals that a field takes, the lower first; text where the field is not known."""
    if isinstance(field, Array):
        field = field.items
    if isinstance(field, Enum):
        return quote(field.values[0]), quote(field.values[-1])
    return _EXAMPLES.get("string" if field is None else field.type, _EXAMPLES["string"])


def fit(field: Field | None, literal: str, *, nullable: bool = True, text_only: bool = False) -> str:
    """Return a literal as the field takes it: ``'5'`` for ``5`` of a string, ``true`` for ``1`` of a boolean.

    Raises:
        Misfit: it stands for no value of the field.
    """
    if isinstance(field, Array):
        field = field.items
    if literal == "null":
        if text_only or not nullable:
            raise Misfit
        return literal
    is_string = literal.startswith("'")
    if "\0" in literal or any("\ud800" <= character <= "\udfff" for character in literal):
        raise Misfit
    if field is None:
        return literal if is_string or not text_only else quote(literal)
    if field.kind is Kind.STRING:
        text = unquote(literal) if is_string else literal
        return _of_text(field, text, is_number=NUMBER.fullmatch(literal) is not None)
    bare = unquote(literal) if is_string else literal
    if field.kind is Kind.BOOLEAN:
        bare = _BOOLEANS.get(literal.lower(), bare.lower())
        if bare in ("true", "false"):
            return bare
        raise Misfit(wording.boolean_hint())
    if field.kind is not Kind.NUMBER:
        raise Misfit
    if not NUMBER.fullmatch(bare) or len(bare) > 400:
        raise Misfit(wording.number_hint(field.type))
    try:
        field.coerce(bare.lower())
    except LiteralError as error:
        raise Misfit(error.hint) from None
    return bare


def _of_text(field: Field, text: str, *, is_number: bool) -> str:
    """Return the string that a field takes for ``text``: an enum value in its own case, an instant with its offset."""
    if isinstance(field, Enum):
        for found in (text, *nearest(text, field.values)):
            if found in field.values and found.casefold() == text.casefold():
                return quote(found)
        raise Misfit(wording.values_hint(field.values, nearest(text, field.values)))
    if is_number and field.type in ("timestamp", "date"):
        moment = instant(text, of_day=field.type == "date")
        if moment is None:
            raise Misfit(wording.instant_hint(field.type))
        return quote(moment)
    for candidate in (text, *mended_instants(text)) if field.type in ("timestamp", "date") else (text,):
        try:
            field.coerce(candidate)
        except LiteralError:
            continue
        return quote(candidate)
    raise Misfit(wording.instant_hint(field.type) if field.type in ("timestamp", "date") else None)


def mended_instants(text: str) -> list[str]:
    """Return what a timestamp may be meant to be: with the ``+`` that was lost on the way, or with UTC's offset."""
    mended = re.sub(r"(?i:%2b)|(?<=[0-9]) (?=[0-9]{2}:?[0-9]{2}$)", "+", text)
    mended = re.sub(r"(?<=T[0-9]{2})%3A|(?<=:[0-9]{2})%3A", ":", mended, flags=re.IGNORECASE)
    mended = re.sub(r"([+-][0-9]{2})([0-9]{2})$", r"\1:\2", mended)
    found = [] if mended == text else [mended]
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+", text):
        found.append(text.replace(" ", "T") + "Z")
    return found


def instant(digits: str, *, of_day: bool = False) -> str | None:
    """Return the instant that a number means: ``20200806``, or seconds, milliseconds or microseconds since 1970."""
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 17:
        return None
    if len(digits) == 8:
        try:
            return date.fromisoformat(digits).isoformat()
        except ValueError:
            return None
    scale = {9: 0, 10: 0, 12: 3, 13: 3, 15: 6, 16: 6}.get(len(digits))
    if scale is None:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(digits) * 10 ** (6 - scale))
    return moment.date().isoformat() if of_day else moment.isoformat().replace("+00:00", "Z")
