"""What the types of SQLAlchemy hold: of those that change values on the way, only what is known exactly.

A type may be decorated, or a class of the user's own, so that Python has other values than the database. Reading is
what matters: where only the binding is changed, Python shows what is stored, and literals go past the change. What
changes both is known where it stands the test: UUIDs as text or bytes, and timestamps that are kept in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from astra_filter import fields
from astra_filter.adapters._orm_forms import FITS
from astra_filter.language.values import to_utc

if TYPE_CHECKING:
    import enum
    from collections.abc import Callable, Mapping

    from astra_filter.adapters._orm_forms import Form
    from astra_filter.fields import Field

_READING = frozenset({"process_result_value", "result_processor", "column_expression"})
_BINDING = frozenset({"process_bind_param", "process_literal_param", "bind_processor", "bind_expression"})
_LOADING = frozenset({"load_dialect_impl"})

_TRIED: tuple[sa.Dialect, ...] = (sqlite.dialect(), postgresql.dialect(), mysql.dialect())  # type: ignore[no-untyped-call]
_UUIDS = tuple(UUID(int=0x0123456789ABCDEF0123456789ABCDEF ^ number * (2**64 + 1)) for number in (0, 1, 0xFEDC))
_INSTANTS = (
    datetime(2020, 8, 6, 12, 24, 52, 256624, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
    datetime(2021, 3, 28, 1, 30, tzinfo=UTC),
)


class Held(NamedTuple):
    """What is known of a type."""

    kind: sa.types.TypeEngine[Any]
    """The type that says which field represents it."""
    form: Form
    own: bool = False
    """Whether values are bound by the type as it stands, because it changes them."""


@lru_cache(maxsize=1024)
def held(stored: sa.types.TypeEngine[Any]) -> Held | None:
    """Return what a type holds; None where it changes values in a way that is not known."""
    kind = stored
    while True:
        hooks = _overridden(kind)
        decorated = isinstance(kind, sa.types.TypeDecorator) and not isinstance(kind, sa.Interval)
        if hooks & _READING or (hooks & _BINDING and not decorated):
            return _tested(kind) if isinstance(kind, sa.types.TypeDecorator) else None
        if (hooks & _LOADING or kind._variant_mapping) and not _alike(kind):  # noqa: SLF001  # What with_variant() gave.
            return None
        if not decorated:
            return Held(kind, _form(kind))
        assert isinstance(kind, sa.types.TypeDecorator)  # noqa: S101  # As above.
        kind = kind.impl_instance


def _overridden(kind: sa.types.TypeEngine[Any]) -> frozenset[str]:
    """Return what classes outside of SQLAlchemy change about a type."""
    own = [cls for cls in type(kind).__mro__ if not cls.__module__.startswith("sqlalchemy.")]
    return frozenset(name for name in _READING | _BINDING | _LOADING if any(name in vars(cls) for cls in own))


def _alike(kind: sa.types.TypeEngine[Any]) -> bool:
    """Whether the types that databases have instead of this one are represented by the same field."""
    found = {family(kind.impl_instance if isinstance(kind, sa.types.TypeDecorator) else kind)}
    for variant in kind._variant_mapping.values():  # noqa: SLF001  # As above.
        known = held(variant)
        found.add(None if known is None else family(known.kind))
    if isinstance(kind, sa.types.TypeDecorator):
        found |= {family(kind.load_dialect_impl(dialect)) for dialect in _TRIED}
    return len(found) == 1 and None not in found


def family(kind: sa.types.TypeEngine[Any]) -> type[Field] | None:
    """Return the type of the field that represents a plain type; None where none does."""
    match kind:
        case sa.Enum():
            return fields.Enum
        case mysql.SET():  # A set, in Python.
            return None
        case sa.String():
            return fields.String
        case sa.Uuid():
            return fields.Uuid
        case sa.Boolean():
            return fields.Boolean
        case sa.Integer():
            return fields.Integer
        case sa.Numeric() | sa.Float():
            return fields.Number
        case sqlite.DATETIME() if not _usual_text(kind):
            return None
        case sa.DateTime():
            return fields.Timestamp
        case sqlite.DATE() if kind._storage_format != _DATE._storage_format:  # noqa: SLF001  # There is no other way.
            return None
        case sa.Date():
            return fields.Date
        case sa.JSON():
            return fields.Object
        case _:
            return None


_DATE = sqlite.DATE()  # type: ignore[no-untyped-call]
_DATETIMES = (sqlite.DATETIME(), sqlite.DATETIME(truncate_microseconds=True))  # type: ignore[no-untyped-call]


def _usual_text(kind: sqlite.DATETIME) -> bool:
    return kind._storage_format in [usual._storage_format for usual in _DATETIMES]  # noqa: SLF001  # As above.


def _form(kind: sa.types.TypeEngine[Any]) -> Form:
    match kind:
        case postgresql.CITEXT():
            return "folding"
        case sa.CHAR():
            return "padded"
        case sa.DateTime():
            return "instant"
        case sa.REAL():
            return "single"
        case sa.Double():
            return "plain"
        case sa.Float():
            return "float" if kind.precision is None else "single" if kind.precision <= _SINGLE_BITS else "plain"
        case sa.Numeric():
            if kind.scale is None and kind.asdecimal and kind.decimal_return_scale is None:
                return "places10"
            exact = kind.precision is not None and kind.precision <= _DOUBLE_DIGITS
            return "plain" if exact else "decimal"
        case mysql.BIGINT() if kind.unsigned:
            return "unsigned"
        case sa.Uuid() if kind.native_uuid:
            return "uuid"
        case _:
            return "plain"


_SINGLE_BITS = 24
"""The most bits of precision that a float of 4 bytes has."""
_DOUBLE_DIGITS = 15
"""The most digits of which a double loses none."""


def _tested(kind: sa.types.TypeDecorator[Any]) -> Held | None:
    """Return what a decorator holds that changes values both ways, where that is known."""
    if _overridden(kind) & (_READING | _BINDING) - {"process_bind_param", "process_result_value"}:
        return None
    if _passes(_keeps_uuids, kind):
        return Held(sa.Uuid(native_uuid=False), "plain", own=True)
    if _passes(_keeps_instants, kind):
        return Held(sa.DateTime(), "instant", own=True)
    return None


def _passes(
    test: Callable[[sa.types.TypeDecorator[Any], sa.Dialect, sa.types.TypeEngine[Any]], bool],
    kind: sa.types.TypeDecorator[Any],
) -> bool:
    try:
        return all(test(kind, dialect, kind.load_dialect_impl(dialect)) for dialect in _TRIED)
    except Exception:  # noqa: BLE001  # People's own classes may raise anything, given values that are not theirs.
        return False


def _keeps_uuids(kind: sa.types.TypeDecorator[Any], dialect: sa.Dialect, stored: sa.types.TypeEngine[Any]) -> bool:
    """Whether a decorator stores a UUID as the database's own, as text in lower case, or as bytes."""
    forms: tuple[Callable[[UUID], Any], ...]
    if isinstance(stored, sa.Uuid):
        forms = (lambda value: value, str)
    elif isinstance(stored, sa.String):
        forms = (str, lambda value: value.hex)
    elif isinstance(stored, sa.types._Binary):  # noqa: SLF001  # The base of all types of bytes.
        forms = (lambda value: value.bytes,)
    else:
        return False

    def kept(form: Callable[[UUID], Any]) -> bool:
        for value in _UUIDS:
            bound = kind.process_bind_param(value, dialect)
            if type(bound) is not type(form(value)) or bound != form(value):
                return False
            if fields.Uuid().read(kind.process_result_value(bound, dialect)) != str(value):
                return False
        return True

    return any(kept(form) for form in forms)


def _keeps_instants(kind: sa.types.TypeDecorator[Any], dialect: sa.Dialect, stored: sa.types.TypeEngine[Any]) -> bool:
    """Whether a decorator stores an instant by the clock of UTC, and reads it so."""
    if family(stored) is not fields.Timestamp:
        return False
    zoned = isinstance(stored, sa.DateTime) and stored.timezone and dialect.name == "postgresql"
    for value in _INSTANTS:
        clock = value.replace(tzinfo=None)
        bound = kind.process_bind_param(value, dialect)
        if not isinstance(bound, datetime) or bound.replace(tzinfo=None) != clock or (zoned and bound != value):
            return False
        read = kind.process_result_value(value if zoned else clock, dialect)
        if not isinstance(read, datetime) or to_utc(read) != value:
            return False
    return True


def labels(kind: sa.Enum) -> Mapping[str, enum.Enum]:
    """Return the members of an enum's class by what the database has for them; none where there is no class."""
    if kind.enum_class is None:
        return {}
    members = [member for name, member in kind.enum_class.__members__.items() if member.name == name]
    return dict(zip(kind.enums, members, strict=False))


def values(kind: sa.Enum) -> Mapping[str, Any]:
    """Return the members of an enum by their values, where all are strings; the strings themselves without a class."""
    if kind.enum_class is None:
        return {value: value for value in kind.enums}
    found = {member.value: member for member in labels(kind).values()}
    return found if all(isinstance(value, str) for value in found) else {}


def fits(field: Field, kind: sa.types.TypeEngine[Any]) -> bool:
    """Whether a field compares the values of a plain type."""
    match field, kind:
        case fields.Array(), sa.ARRAY():
            known = held(kind.item_type)
            timed = isinstance(field.items, fields.Timestamp) and bool(field.items.operators)
            return (
                known is not None
                and kind.dimensions in (None, 1)
                and fits(field.items, known.kind)
                and not (timed or isinstance(field.items, fields.Decimal))
            )
        case ((fields.Array() | fields.Object() | fields.Map()), _):
            return isinstance(kind, sa.JSON)
        case fields.Decimal(), (sa.Float() | sa.Double()):
            return False
        case fields.Enum(), sa.Enum():
            return set(field.values) <= set(values(kind)) or set(field.values) <= set(labels(kind))
        case fields.Integer(), sa.Numeric():
            return kind.scale == 0 or isinstance(kind, sa.Integer)
        case _:
            taken = FITS.get(type(field))
            return taken is None or family(kind) in taken
