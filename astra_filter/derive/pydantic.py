"""Pydantic models to fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from astra_filter.derive import json_schema
from astra_filter.wording import derive as derive_wording
from astra_filter.wording import installation as installation_wording

try:
    from pydantic import BaseModel
    from pydantic.errors import PydanticUserError
    from pydantic.json_schema import GenerateJsonSchema
except ImportError as error:
    raise installation_wording.missing_extra("pydantic", error) from error

if TYPE_CHECKING:
    from pydantic_core import core_schema

    from astra_filter.fields import Field


_UNREADABLE = (
    *("set", "frozenset", "deque", "generator", "url", "multi-host-url"),
    *("timedelta", "time", "bytes", "complex", "fraction"),
)
"""Core schemas of values that JSON writes as strings and arrays, but that no field reads."""


class _Generate(GenerateJsonSchema):
    """Describes what a model's instances hold, not how they are written."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012  # As pydantic has it.

    def build_schema_type_to_method(self) -> dict[Any, Any]:
        return {**super().build_schema_type_to_method(), **dict.fromkeys(_UNREADABLE, lambda _: {})}

    def generate_inner(self, schema: Any) -> dict[str, Any]:
        made = super().generate_inner(schema)
        while schema["type"].startswith("function-") and "schema" in schema:
            schema = schema["schema"]
        # For paths, addresses and patterns pydantic describes their text. A secret is hidden in any case.
        written = schema.get("serialization", {}).get("type") == "function-plain"
        opaque = schema["type"] == "lax-or-strict" or (schema["type"] == "function-plain" and written)
        return {} if opaque and not made.get("writeOnly") else made

    def function_plain_schema(self, schema: Any) -> dict[str, Any]:
        # Its serializer still has the type whose validator was replaced.
        kept = schema.get("serialization", {}).get("schema")
        return {} if kept is None else self.generate_inner(kept)

    def ser_schema(self, schema: Any) -> None:
        """Ignore how values are written."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:  # noqa: ARG002  # Pydantic's.
        return {}  # Refused, or omitted, where it stands.

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> dict[str, Any]:
        digits, places = schema.get("max_digits"), schema.get("decimal_places")
        if digits is None or places is None:
            return {"type": "number"}
        return {"type": "number", "x-decimal": {"digits": digits, "places": min(digits, places)}}

    def dict_schema(self, schema: core_schema.DictSchema) -> dict[str, Any]:
        keys: Any = schema.get("keys_schema", {"type": "str"})
        if keys["type"] not in ("str", "any"):  # In JSON only are they text.
            return {}
        values = schema.get("values_schema")
        return {"type": "object", "additionalProperties": {} if values is None else self.generate_inner(values)}

    def field_is_required(self, field: Any, total: bool) -> bool:
        # An instance also has the members with a default.
        return field["type"] != "typed-dict-field" or super().field_is_required(field, total)


def members(model: type[BaseModel], *, by_alias: bool, omit_unsupported: bool) -> dict[str, Field]:
    """Return the fields of a resource that a model describes; arguments and errors as in `Schema.from_pydantic`."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise derive_wording.underivable("not_a_model", getattr(model, "__qualname__", None) or repr(model))
    try:
        document = model.model_json_schema(by_alias=by_alias, schema_generator=_Generate, mode="serialization")
    except PydanticUserError as error:  # A type that JSON Schema cannot describe; a name that is not defined.
        raise derive_wording.underivable("bad_model", model.__qualname__, error.message) from None
    return json_schema.members(document, ref=None, omit_unsupported=omit_unsupported, decimals=True)
