"""Values in the data: how Python values and texts are read, and how members are reached (SPEC §4.6, §4.7)."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from decimal import Decimal


TIMESTAMP_PATTERN = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([01][0-9]|2[0-3])(:[0-5][0-9]:[0-5][0-9])"
    r"(?:\.([0-9]+))?(?:([Zz])|([+-](?:[01][0-9]|2[0-3]):[0-5][0-9]))?"
)
DATE_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


_SHORT_LENGTH, TIMESTAMP_LENGTH = len("2020-08-06T12:24:52Z"), len("2020-08-06T12:24:52.256624Z")
"""Of a timestamp without a fraction, and in storage form."""


_UUID = re.compile(
    r"(?:urn:uuid:|(\{))?([0-9a-f]{8})(-)?([0-9a-f]{4})(?(3)-)([0-9a-f]{4})(?(3)-)([0-9a-f]{4})(?(3)-)([0-9a-f]{12})(?(1)\})",
    re.IGNORECASE | re.ASCII,
)


is_canonical_uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch


MAX_DIGITS = 1000
"""The most digits of a decimal; what PostgreSQL's ``numeric`` can declare."""


class Between(NamedTuple):
    """What a literal stands for that lies between two neighbouring values of its type: it equals none of them."""

    below: Any
    """The last value before it."""
    above: Any
    """The first value behind it; None where the type has none."""


def is_text(value: object) -> bool:
    """Whether a value is a string that every backend can hold: no U+0000, no lone surrogate."""
    if not isinstance(value, str) or "\0" in value:
        return False
    return value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value)


PLAIN_OBJECTS: set[type] = set()
"""Classes whose instances are objects with attributes and nothing else. `member` finds them, generated code asks."""
PLAIN_ENUMS: set[type] = set()
"""Classes of enumerations whose members have their value in ``_value_``. `unwrap` finds them, generated code asks."""
_MOST_CLASSES = 512
"""A program that makes classes all the time must not fill the memory with them."""
_OWN_WAYS = frozenset({"__class__", "__getattribute__", "__getitem__"})
"""What makes an instance something else than its class tells: a proxy, or a mapping that is registered later."""
_OWN_VALUES = frozenset({"value", "_value_", "__getattribute__"})


def _learn(kind: type, known: set[type]) -> None:
    if len(known) >= _MOST_CLASSES:
        known.clear()
    known.add(kind)


def unwrap(value: object) -> object:
    """Return the value of an `enum.Enum` member, and any other value as it is (SPEC §4.7)."""
    try:
        if isinstance(value, enum.Enum):
            kind = type(value)
            if kind not in PLAIN_ENUMS and _has_plain_value(kind):
                _learn(kind, PLAIN_ENUMS)
            value = value.value
    except Exception:  # noqa: BLE001  # As in `Field.read`.
        return None
    else:
        return value


def _has_plain_value(kind: type) -> bool:
    """Whether nothing but `enum.Enum` says what the value of a member is."""
    for base in kind.__mro__:
        if base is enum.Enum:
            return True
        if base not in (str, int, float) and not _OWN_VALUES.isdisjoint(vars(base)):
            return False
    return False


def plain_text(value: str) -> str:
    """Return the text of a `str`, whatever ``__str__`` its class has; raises where the value is not really a `str`."""
    return str.__str__(value)


def plain_decimal(value: object) -> Decimal | None:
    """Return a `Decimal` as a plain one, whatever its class overrides; None for other values."""
    from decimal import Decimal  # Costs start-up time.

    if type(value) is Decimal:
        return value
    return Decimal(value) if isinstance(value, Decimal) else None


def integral_decimal(value: object) -> int | None:
    """Return the value of a `Decimal` that is an integer of at most 19 digits, None for all others."""
    decimal = plain_decimal(value)
    # The exponent is looked at before conversion: int(Decimal("1e999999999")) would fill the memory.
    if decimal is None or not decimal.is_finite() or decimal.adjusted() > 18 or decimal != decimal.to_integral_value():
        return None
    return int(decimal)


def canonical_uuid(text: str) -> str | None:
    """Return a UUID in canonical form, None where the text is not one."""
    match = _UUID.fullmatch(text)
    return None if match is None else "-".join(match.group(2, 4, 5, 6, 7)).lower()


def usual_instant(text: str) -> datetime | None:
    """Read a timestamp in the usual spelling: UTC, capital letters. Return None for all other texts.

    The marks are checked because `fromisoformat` takes other forms of ISO 8601 too, and ignores what follows U+0000.
    """
    length = len(text)
    marks = text[4:20:3]
    if marks == "--T::." and _SHORT_LENGTH + 2 <= length <= TIMESTAMP_LENGTH:
        usual = text[-1] == "Z"
    else:
        usual = marks == "--T::Z" and length == _SHORT_LENGTH
    if not usual or "\0" in text or (TAKES_HOUR_24 and text[11:13] == "24"):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # No such day.
        return None


def _takes(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


TAKES_HOUR_24 = _takes("2020-08-06T24:00:00Z")
"""Whether this Python's `fromisoformat` takes what RFC 3339 does not."""


def read_instant(match: re.Match[str]) -> datetime | None:
    """Return the instant in UTC that a match of `TIMESTAMP_PATTERN` stands for, None where there is no such day."""
    try:
        # `fromisoformat` reads all that the expression matches, upper-case, and cuts digits past the sixth too.
        value = datetime.fromisoformat(match[0].upper())
        if value.tzinfo is UTC:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):  # No such day; outside the years 1 to 9999 in UTC.
        return None


def to_utc(value: datetime) -> datetime | None:
    """Return a `datetime` in UTC; naive means UTC. Raises OverflowError outside the years 1 to 9999."""
    moved = value.replace(tzinfo=UTC) if value.utcoffset() is None else value.astimezone(UTC)
    if type(moved) is datetime:
        return moved.replace(fold=0)
    # A subclass may hold more than its fields, and compare by it.
    day, time = (moved.year, moved.month, moved.day), (moved.hour, moved.minute, moved.second, moved.microsecond)
    return datetime(*day, *time, tzinfo=UTC)


def read_date(text: str) -> date | None:
    """Return the date that a text ``YYYY-MM-DD`` stands for, None for other texts."""
    if DATE_PATTERN.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def timestamp_text(value: datetime) -> str:
    """Return a UTC timestamp as fixed-width text: ``2020-08-06T12:24:52.256624Z`` (SPEC §5)."""
    return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


NO_MEMBERS = (str, bytes, bool, int, float, list, tuple, datetime, date, type(None))
"""Values that are leaves or arrays, whatever attributes Python gives them."""


def member(owner: object, name: str) -> object:
    """Return a member of a value in the data, None where missing: by key of a mapping, by attribute of an object."""
    # Data never makes a filter raise (SPEC §4.6), and a property or a mapping may raise anything.
    try:
        kind = type(owner)
        if kind not in PLAIN_OBJECTS:
            if isinstance(owner, dict):
                return dict.get(owner, name)  # As the generated code has it.
            owner = unwrap(owner)
            if isinstance(owner, NO_MEMBERS):
                return None
            if isinstance(owner, Mapping):
                return owner.get(name)
            if type(owner) is kind and _is_plain(kind):
                _learn(kind, PLAIN_OBJECTS)
        # No filter reaches the interpreter's own attributes, in an open schema either.
        return None if name[:2] == "__" else getattr(owner, name, None)
    except Exception:  # noqa: BLE001
        return None


def _is_plain(kind: type) -> bool:
    """Whether all instances are objects, where one is: none can pass for an instance of another class."""
    return not any(_OWN_WAYS.intersection(vars(base)) for base in kind.__mro__[:-1] if base is not SimpleNamespace)


def entry(owner: object, key: str) -> object:
    """Return what a map in the data has under a key, None where there is nothing: only mappings are maps."""
    try:
        if isinstance(owner, dict):
            return dict.get(owner, key)
        owner = unwrap(owner)
        return owner.get(key) if isinstance(owner, Mapping) else None
    except Exception:  # noqa: BLE001  # As for `member`.
        return None


def at(owner: object, path: Iterable[str]) -> object:
    """Return what a value in the data has at a path, as `member` steps through it."""
    for name in path:
        owner = member(owner, name)
    return owner
