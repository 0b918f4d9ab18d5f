"""The forms in which columns of named storages hold values: how they are written, and read back.

A row does not say which database it came from, so a form is known by the name of the storage alone.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from astra_filter.fields import Array, Boolean, Decimal, Timestamp
from astra_filter.fields import Uuid as UuidField
from astra_filter.language.decimals import from_scaled
from astra_filter.language.values import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from astra_filter.fields import Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PER_SECOND = 1_000_000
LARGEST_SINGLE = 3.4028234663852886e38


def microseconds(value: datetime) -> int:
    """Return the microseconds of an instant since 1970."""
    return (value - _EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> datetime:
    """Return the instant that is so many microseconds after 1970; raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=value)


def units(value: datetime, *, size: int) -> tuple[int, bool]:
    """Return the whole units of ``size`` microseconds from 1970 to an instant, and whether it is exactly so many."""
    whole, rest = divmod(microseconds(value), size)
    return whole, not rest


def is_on_grid(value: datetime, *, size: int) -> bool:
    """Whether an instant is a whole number of units of ``size`` microseconds."""
    return not value.microsecond % size


def _epoch(value: int, *, size: int) -> datetime | None:
    try:
        return from_microseconds(value * size)
    except OverflowError:
        return None  # No field has such an instant.


class Spelling(NamedTuple):
    """A fixed way of writing instants, whose text sorts as they do."""

    size: int
    """The microseconds of the last digit."""
    example: str
    write: Callable[[datetime], str]


def _plain(value: datetime, *, timespec: str, mark: str, end: str) -> str:
    return value.replace(tzinfo=None).isoformat(mark, timespec) + end


SPELLINGS: Mapping[str, Spelling] = {
    "sqlalchemy": Spelling(1, "2020-08-06 12:24:52.256624", partial(_plain, timespec="microseconds", mark=" ", end="")),
    # No fraction where it is zero; what is shorter sorts first.
    "django": Spelling(1, "2020-08-06 12:24:52", partial(_plain, timespec="auto", mark=" ", end="")),
    "current_timestamp": Spelling(
        _PER_SECOND, "2020-08-06 12:24:52", partial(_plain, timespec="seconds", mark=" ", end="")
    ),
    "iso_s": Spelling(_PER_SECOND, "2020-08-06T12:24:52Z", partial(_plain, timespec="seconds", mark="T", end="Z")),
    "iso_ms": Spelling(1000, "2020-08-06T12:24:52.256Z", partial(_plain, timespec="milliseconds", mark="T", end="Z")),
}
"""The text of instants, by storage."""

EPOCHS: Mapping[str, int] = {"epoch_s": _PER_SECOND, "epoch_ms": 1000, "epoch_us": 1}
"""The microseconds of a unit of integers that count from 1970, by storage."""


def hex_of(value: str) -> str:
    """Return a canonical UUID as 32 digits."""
    return value.replace("-", "")


def bytes_of(value: str) -> bytes:
    """Return a canonical UUID as 16 bytes, which sort as its text does."""
    return bytes.fromhex(hex_of(value))


def from_bytes(value: bytes) -> str | None:
    """Return the canonical UUID of 16 bytes, None for others."""
    return str(UUID(bytes=bytes(value))) if len(value) == 16 else None  # Of a UUID.


def _split(value: str) -> list[str]:
    return value.split(",") if value else []


def is_single(value: float) -> bool:
    """Whether a float of four bytes holds a double exactly."""
    return abs(value) <= LARGEST_SINGLE and struct.unpack("f", struct.pack("f", value))[0] == value


def foreign(field: Field) -> tuple[type, Callable[[Any], Any]] | None:
    """Return the type that some drivers give for a field's values, and what makes a value of its own type of one."""
    name = field.storage or ""
    if isinstance(field, Timestamp):
        size = EPOCHS.get(name)
        return None if size is None else (int, partial(_epoch, size=size))
    if isinstance(field, UuidField) and name in ("binary", "blob"):
        return bytes, from_bytes
    if isinstance(field, UuidField):
        return UUID, str  # Of PostgreSQL and DuckDB.
    if isinstance(field, Decimal):
        return int, partial(from_scaled, places=field.grid.places)  # SQLite stores the units.
    if isinstance(field, Array):
        return (str, _split) if name == "set" else None
    if isinstance(field, Boolean):
        return int, bool  # SQLite and MySQL have no booleans of their own.
    return None


def as_own(field: Field, value: object) -> object:
    """Return what a driver gave for a field's value as a value of its own type."""
    if value is None or (type(value) is str and field.storage is None):
        return value  # Most are.
    found = foreign(field)
    return found[1](value) if found is not None and type(value) is found[0] else value


def stored_text(field: Field, value: Any) -> Any:
    """Return the one text by which SQL knows a canonical value, where it is stored as text."""
    spelling = SPELLINGS.get(field.storage or "")
    if spelling is not None:
        return spelling.write(value)
    if field.storage == "hex":
        return hex_of(value)
    return plain_text(field.json(value))
