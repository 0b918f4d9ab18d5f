"""SQL of a shape as an expression of Django, and its parameters."""

from __future__ import annotations

from datetime import MINYEAR, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

from astra_filter.adapters._orm_sql import Ordered, Place, Seek, Sort, Where
from astra_filter.sql.dialects.base import JSON_STORAGE
from astra_filter.sql.fragment import Param

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from astra_filter.adapters._orm_sql import PlaceKey
    from astra_filter.fields import Field
    from astra_filter.meaning.leaves import Column


def order_term(key: Sort, columns: Mapping[PlaceKey, Any]) -> models.OrderBy:
    value = Embedded(Ordered(key.column, key.field), {key.column.name: columns[key.column.name]}, {})
    nulls = {"nulls_last" if key.descending else "nulls_first": True} if key.column.nullable else {}
    return models.OrderBy(value, descending=key.descending, **nulls)


class Embedded(models.Expression):  # type: ignore[misc]  # Django has no types.
    """SQL of a shape, with Django's columns and subqueries in its places and the values in its slots."""

    conditional = True
    output_field = models.BooleanField()

    def __init__(
        self,
        shape: Where | Ordered | Seek,
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

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        children = dict(zip(self._places, self._children, strict=True))
        text: list[str] = []
        params: list[Any] = []
        for part in self._shape.fragment(connection.vendor).parts:
            if isinstance(part, str):
                text.append(part.replace("%", "%%"))
            elif isinstance(part, Place):
                sql, inside = compiler.compile(children[part.value])
                text.append(sql)
                params += inside
            elif isinstance(part, Param):
                text.append("%s")
                params.append(part.value if part.slot is None else self._parameter(part.slot, children, connection))
        return "".join(text), params

    def _parameter(self, slot: int, children: Mapping[PlaceKey, Any], connection: Any) -> Any:
        """Return a canonical value as the column it is tested against stores it."""
        field, value, column = self._parameters[slot]
        if column is None or column.json_path:
            bind = JSON_STORAGE[field.type].bind
            return value if bind is None else bind(value)
        stored = children[column.name].output_field
        match stored:
            case models.UUIDField():
                return stored.get_db_prep_value(value, connection)
            case models.DateTimeField():
                instant = value if settings.USE_TZ else value.replace(tzinfo=None)
                try:
                    return connection.ops.adapt_datetimefield_value(instant)
                except OverflowError:  # The database's time zone has no such day: it is before or after all it has.
                    end = datetime.min if value.year == MINYEAR else datetime.max  # noqa: DTZ901  # As it is stored.
                    return connection.ops.adapt_datetimefield_value(end)
            case models.DateField():
                return connection.ops.adapt_datefield_value(value)
            case models.CharField() | models.TextField():
                return field.json(value)
            case _:
                return value
