"""Pydantic models to fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from astra_filter import errors
from astra_filter.derive import json_schema

try:
    from pydantic import BaseModel
    from pydantic.errors import PydanticUserError
    from pydantic.json_schema import GenerateJsonSchema
except ImportError as error:
    raise errors.missing_extra("pydantic", error) from error

if TYPE_CHECKING:
    from pydantic_core import core_schema

    from astra_filter.fields import Field


class _Generate(GenerateJsonSchema):
    """Describes what a model's instances hold, not how they are written."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012  # As pydantic has it.

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> dict[str, Any]:  # noqa: ARG002  # Any number.
        return {"type": "number"}

    def field_is_required(self, field: Any, total: bool) -> bool:
        # An instance has what has a default.
        return field["type"] != "typed-dict-field" or super().field_is_required(field, total)


def members(model: type[BaseModel], *, by_alias: bool, omit_unsupported: bool) -> dict[str, Field]:
    """Return the fields of a resource that a model describes; arguments and errors as in `Schema.from_pydantic`."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise errors.underivable("not_a_model", getattr(model, "__qualname__", None) or repr(model))
    try:
        document = model.model_json_schema(by_alias=by_alias, schema_generator=_Generate, mode="serialization")
    except PydanticUserError as error:  # A type that JSON Schema cannot describe; a name that is not defined.
        raise errors.underivable("bad_model", model.__qualname__, error.message) from None
    return json_schema.members(document, ref=None, omit_unsupported=omit_unsupported)
