"""SQL of a shape as an expression of Django, and its parameters."""

from __future__ import annotations

from datetime import MINYEAR, datetime
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db import models

from astra_filter.adapters._orm_forms import converter_of, decimal_parameter
from astra_filter.adapters._orm_sql import KEY, Place, Seek, Sort, Where
from astra_filter.fields import Decimal
from astra_filter.sql.dialects.base import JSON_STORAGE
from astra_filter.sql.fragment import Param

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from astra_filter.adapters._orm_sql import PlaceKey
    from astra_filter.fields import Field
    from astra_filter.meaning.leaves import Column


class OrderTerm(models.OrderBy):  # type: ignore[misc]  # Django has no types.
    """A term of ORDER BY, as SPEC §6 says."""

    def __init__(self, key: Sort, column: Any) -> None:
        super().__init__(Embedded(key, {key.place: column}, {}), descending=key.descending)

    def as_sql(self, compiler: Any, _connection: Any, **_: Any) -> tuple[str, list[Any]]:
        sql, params = compiler.compile(self.expression)
        if not self.descending:  # Django looks for the word.
            term = sql.removesuffix(_NULLS_FIRST)
            sql = term + " ASC" + sql[len(term) :]
        return sql, params


_NULLS_FIRST = " NULLS FIRST"


class Embedded(models.Expression):  # type: ignore[misc]  # Django has no types.
    """SQL of a shape, with Django's columns and subqueries in its places and the values in its slots."""

    conditional = True
    output_field = models.BooleanField()

    def __init__(
        self,
        shape: Where | Sort | Seek,
        children: Mapping[PlaceKey, Any],
        parameters: Mapping[int, tuple[Field, Any, Column | None]],
    ) -> None:
        super().__init__()
        self._shape = shape
        self._places = tuple(children)
        self._children = list(children.values())
        self._parameters = parameters

    def get_source_expressions(self) -> list[Any]:
        return self._children

    def set_source_expressions(self, exprs: Iterable[Any]) -> None:
        self._children = list(exprs)

    def get_group_by_cols(self) -> list[Any]:
        return [column for child in self._children for column in child.get_group_by_cols()]

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        children = dict(zip(self._places, self._children, strict=True))
        text: list[str] = []
        params: list[Any] = []
        for part in self._shape.fragment(_dialect(connection)).parts:
            if isinstance(part, str):
                text.append(part.replace("%", "%%"))
            elif isinstance(part, Place):
                sql, inside = compiler.compile(children[part.value])
                text.append(sql)
                params += inside
            elif isinstance(part, Param):
                text.append("%s")
                params.append(part.value if part.slot is None else self._parameter(part, children, connection))
        return "".join(text), params

    def _parameter(self, param: Param, children: Mapping[PlaceKey, Any], connection: Any) -> Any:
        """Return a canonical value as the column it is tested against stores it."""
        field, value, column = self._parameters[cast("int", param.slot)]
        if field is KEY:
            return value if param.bind is None else param.bind(value)
        if column is None or column.json_path:
            # How a decimal is bound depends on its digits, the database and the operator.
            bind = param.bind if isinstance(field, Decimal) else JSON_STORAGE[field.type].bind
            return value if bind is None else bind(value)
        stored = children[column.name].output_field
        converter = converter_of(field)
        if converter is not None:
            return stored.get_db_prep_value(converter.bound(value), connection)
        if isinstance(field, Decimal):
            return decimal_parameter(value, connection.vendor)
        match stored:
            case models.UUIDField() if isinstance(self._shape, Seek) and connection.vendor == "mysql":
                return value if connection.features.has_native_uuid_field else value.replace("-", "")
            case models.UUIDField():
                # Not as a class of one's own would have it.
                return models.UUIDField().get_db_prep_value(value, connection)
            case models.DateTimeField():
                return _instant(value, connection)
            case models.DateField():
                return connection.ops.adapt_datefield_value(value)
            case models.CharField() | models.TextField():
                return field.json(value)
            case _:
                return value


def _dialect(connection: Any) -> str:
    """Return our dialect's name, ``mariadb`` where UUIDs are of the database's own type."""
    native = connection.vendor == "mysql" and connection.features.has_native_uuid_field
    return "mariadb" if native else str(connection.vendor)


def _instant(value: datetime, connection: Any) -> Any:
    """Return an instant as the database's driver takes it, and as SQL reads it."""
    naive = value if settings.USE_TZ else value.replace(tzinfo=None)
    try:
        adapted = connection.ops.adapt_datetimefield_value(naive)
    except OverflowError:  # The database's time zone has no such day: it is before or after all it has.
        end = datetime.min if value.year == MINYEAR else datetime.max  # noqa: DTZ901  # As it is stored.
        adapted = connection.ops.adapt_datetimefield_value(end)
    whole_seconds = connection.vendor == "sqlite" and "." not in adapted
    return adapted + ".000000" if whole_seconds else adapted
