"""What an OpenAPI 3.1 document says of a list operation, made from the schema of its resources.

Everything returned is new, plain and ready for JSON.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, assert_never

from astra_filter.fields import (
    MAX_INTEGER,
    Array,
    Boolean,
    Date,
    Decimal,
    Enum,
    Integer,
    Map,
    Number,
    Object,
    Open,
    String,
    Timestamp,
    Uuid,
)
from astra_filter.language.names import path_text
from astra_filter.language.operators import Operator
from astra_filter.request.field_lists import chain
from astra_filter.request.include import returnable
from astra_filter.request.parameters import page_size
from astra_filter.syntax.printer import string_text, test_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astra_filter.fields import AnyField
    from astra_filter.limits import Limits
    from astra_filter.schema import Schema

PROBLEM_TYPE = "application/problem+json"

_TELLING = (Operator.CONTAINS, Operator.GTE, Operator.EQ, Operator.IN, *Operator)
"""Operators for examples, the better ones first."""
_MOST_EXAMPLES = 4


def parameters(
    schema: Schema,
    *,
    limits: Limits | None = None,
    default_limit: int | None = None,
    max_limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return the parameter objects of a list operation (SPEC §6).

    Args:
        schema: of the resources.
        limits: other budgets than the schema's.
        default_limit: the page size of a request without ``limit``, never more than ``max_limit``; None for that.
        max_limit: the largest page size; None for no bound.
    """
    bounds = limits or schema.limits
    found = [_filter(schema, bounds)]
    names = list(map(path_text, returnable(schema.root)))
    if names:
        found.append(
            _listed(
                "include",
                "Which fields to return, in order. Each item is then an array of their values instead of an object.",
                _included(schema, names),
                bounds.include_names,
                names[:2],
            )
        )
    usual = page_size(default_limit, max_limit)
    sizes = [
        "" if usual is None else f" Without it {usual}.",
        "" if max_limit is None else f" More than {max_limit} is lowered to {max_limit}.",
    ]
    found.append(
        _parameter(
            "limit",
            "The most resources to return." + "".join(sizes),
            {"type": "string", "pattern": "^0*[1-9][0-9]*$"},
            "2",
        )
    )
    found.append(
        _parameter(
            "skip",
            "How many resources to pass over, at most 2^63-1. Not together with `continue`.",
            {"type": "string", "pattern": f"^0*({_digits_up_to(MAX_INTEGER)})$"},
            "1",
        )
    )
    sortable = [path_text(path) for path, leaf in schema.leaves.items() if leaf.sortable]
    if sortable:
        found.append(_order(sortable, bounds))
    found.append(
        _parameter(
            "count",
            "Whether to put the number of all matching resources, whatever the page, in `metadata.count`.",
            {"type": "string", "enum": ["true", "false"]},
            "true",
        )
    )
    if schema.key is not None:
        found.append(
            _parameter(
                "continue",
                "What `metadata.continue` of the page before holds: asks for the page after it. "
                "`filter` and `orderBy` must be those of that page.",
                {"type": "string", "format": "continue-token"},
                None,
            )
        )
    return found


def resource(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of a resource as it is returned without ``include``: null members are left out."""
    return _value(schema.root, certain=True)


def collection(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of the document with a page of resources (SPEC §1)."""
    return {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "version": {"type": "string"},
            "items": {
                "type": "array",
                "items": {"anyOf": [resource(schema), {"type": "array"}]},
                "description": "Objects; with `include` arrays of the values asked for, in that order.",
            },
            "metadata": {
                "type": "object",
                "properties": {
                    "continue": {"type": "string", "description": "Asks for the next page, if there is one."},
                    "count": {"type": "integer", "minimum": 0, "description": "The number of all matches."},
                },
            },
        },
        "required": ["items", "metadata"],
    }


def problem_response(description: str, *, invalid_parameters: bool = False) -> dict[str, Any]:
    """Return the response object of a problem document (SPEC §1).

    Args:
        description: when it is sent.
        invalid_parameters: whether the document says what is wrong with the query parameters.
    """
    text = {"type": "string"}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": dict.fromkeys(("type", "title", "detail", "status", "correlationID"), text),
        "required": ["type", "title", "detail", "status"],
    }
    if invalid_parameters:
        place = {"type": "integer", "minimum": 0}
        entry = {"name": text, "reason": text, "code": text, "start": place, "end": place}
        schema["properties"]["invalidParams"] = {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "properties": entry, "required": list(entry)},
        }
        schema["required"] = [*schema["required"], "invalidParams"]
    return {"description": description, "content": {PROBLEM_TYPE: {"schema": schema}}}


# Parameters ----------------------------------------------------------------------------------------------------------


def _digits_up_to(most: int) -> str:
    """Return the pattern of the whole numbers from 0 to ``most``: those that first fall short of it at each digit."""
    digits = str(most)
    found = [f"[0-9]{{1,{len(digits) - 1}}}", digits]
    for place, digit in enumerate(digits):
        if digit != "0":
            found.append(f"{digits[:place]}[0-{int(digit) - 1}][0-9]{{{len(digits) - place - 1}}}")
    return "|".join(found)


def _parameter(name: str, description: str, schema: dict[str, Any], example: Any, **more: Any) -> dict[str, Any]:
    found = {"name": name, "in": "query", "required": False, "description": description, "schema": schema, **more}
    if example is not None:
        found["example"] = example
    return found


def _listed(name: str, description: str, items: dict[str, Any], most: int, example: Any) -> dict[str, Any]:
    schema = {"type": "array", "items": items, "minItems": 1, "maxItems": most, "uniqueItems": True}
    return _parameter(name, description, schema, example, style="form", explode=False)


def _included(schema: Schema, names: list[str]) -> dict[str, Any]:
    """Return the JSON Schema of an item of ``include``."""
    maps = [path for path in returnable(schema.root) if isinstance(chain(schema.root, path)[-1], Map)]
    if not maps:
        return {"type": "string", "enum": names}
    prefixes = "|".join([re.sub(r"[\\^$.|?*+()\[\]{}]", r"\\\g<0>", path_text(path)) for path in maps])
    key = "[A-Za-z_][A-Za-z0-9_]*|`(?:[^`,]|``)+`"
    return {"type": "string", "anyOf": [{"enum": names}, {"pattern": f"^(?:{prefixes})[.](?:{key})$"}]}


def _order(sortable: list[str], limits: Limits) -> dict[str, Any]:
    directed = {name: [name, f"{name} asc", f"{name} desc"] for name in sortable}
    found = _listed(
        "orderBy",
        "Which fields to sort by, each with `asc` or `desc` after it or neither. Nulls are the smallest values.",
        {"type": "string", "enum": [text for texts in directed.values() for text in texts]},
        limits.order_keys,
        [f"{sortable[0]} desc"],
    )
    # Each field once, whatever the direction.
    found["schema"]["allOf"] = [
        {"contains": {"enum": texts}, "minContains": 0, "maxContains": 1} for texts in directed.values()
    ]
    return found


def _filter(schema: Schema, limits: Limits) -> dict[str, Any]:
    description = (
        "Which resources to return: tests of fields, joined by `and`, `or`, `not` and parentheses. Strings, and what"
        " is written like them, stand in single quotes, a quote inside doubled. Given more than once, all must hold."
        f" At most {limits.text_length} characters and {limits.tests} tests, over all of them."
    )
    rows = list(_testable(schema.root, ()))
    if rows:
        lines = ["", "", "| field | type | operators |", "|---|---|---|"]
        lines += [f"| {_code(path_text(path))} | {_type(field)} | {_operators(field)} |" for path, field in rows]
        description += "\n".join(lines)
    examples = _examples(rows)
    item = {"type": "string", "format": "filter"}
    found = _parameter(
        "filter",
        description,
        {"type": "array", "items": item, "minItems": 1, "maxItems": limits.filters},
        None,
        style="form",
        explode=True,
    )
    if examples:
        found["examples"] = {text: {"value": [text]} for text in examples}
    return found


def _testable(owner: AnyField, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], AnyField]]:
    """Yield the paths that a filter may test, those through arrays included."""
    for name, field in owner.members.items() if isinstance(owner, Object) else ():
        place = (*path, name)
        if isinstance(field, Map) and field.operators:
            yield (*place, "key"), field
        elif field.operators or (isinstance(field, Array) and isinstance(field.items, Object)):
            yield place, field
        yield from _testable(field.items if isinstance(field, Array) else field, place)


_CELL = str.maketrans({"|": "\\|", "\n": " ", "\r": " "})
"""What would end a cell of a table, and what stands for it there."""


def _code(text: str) -> str:
    """Return Markdown that shows a text as code, in a cell of a table."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if "`" in text else ""
    return fence + space + text.translate(_CELL) + space + fence


def _type(field: AnyField) -> str:
    name: str = field.type
    if isinstance(field, Array):
        name = f"array of {field.items.type}"
    elif isinstance(field, Map):
        return f"map of {field.values.type}: any name in the place of `key`, nullable"
    elif isinstance(field, Enum):
        name = "enum: " + ", ".join(field.values).translate(_CELL)
    return name + (", nullable" if field.nullable else "")


def _operators(field: AnyField) -> str:
    names = [operator.value for operator in Operator if operator in field.operators]
    if isinstance(field, Array) and isinstance(field.items, Object):
        names = [f"{name} null" for name in ("eq", "ne") if field.nullable and name in names] + ["[…]"]
    return ", ".join(names)


def _examples(rows: list[tuple[tuple[str, ...], AnyField]]) -> list[str]:
    """Return filters that are valid for the schema: of each type of field the first that has an operator."""
    tests: dict[str, str] = {}
    for path, field in rows:
        literal = _literal(field)
        operator = next((operator for operator in _TELLING if operator in field.operators), None)
        if literal is not None and operator is not None:
            tests.setdefault(field.type, test_text(path_text(path), operator, literal))
    found = list(tests.values())[:_MOST_EXAMPLES]
    return [*found, f"{found[-1]} and not ({found[0]})"] if len(found) > 1 else found


def _literal(field: AnyField) -> str | None:
    """Return a literal that goes with a field; None where none does but null."""
    match field:
        case String():
            return "'text'"
        case Enum():
            return string_text(field.values[0])
        case Uuid():
            return "'ae1e6561-9e22-406c-8a5a-762f4604da00'"
        case Integer():
            return "20"
        case Number():
            return "20.5"
        case Decimal():
            return "20.50"
        case Boolean():
            return "true"
        case Timestamp():
            return "'2020-08-06T12:24:52Z'"
        case Date():
            return "'2020-08-06'"
        case Map():
            return _literal(field.values)
        case Array() | Object() | Open():
            return None
        case _:
            assert_never(field)


# Resources -----------------------------------------------------------------------------------------------------------


def _value(field: AnyField, *, certain: bool) -> dict[str, Any]:
    """Return the JSON Schema of a value; ``certain`` to have its field's type, as no element of an array is."""
    found: dict[str, Any]
    match field:
        case Open():
            found = {}
        case Object():
            members = {name: member for name, member in field.members.items() if member.returnable}
            properties = {name: _value(member, certain=certain) for name, member in members.items()}
            found = {"type": "object", "properties": properties, "additionalProperties": False}
            required = [name for name, member in members.items() if certain and not member.nullable]
            if required:
                found["required"] = required
        case Map():
            found = {"type": "object", "additionalProperties": _value(field.values, certain=certain)}
        case Array():
            found = {"type": "array", "items": _or_null(_value(field.items, certain=False))}
        case Enum():
            found = {"type": "string", "enum": list(field.values)}
        case Decimal():
            found = {"type": "number"} if field.as_number else {"type": "string", "format": "decimal"}
        case Integer() | Number() | Boolean():
            found = {"type": field.type}
        case String():
            found = {"type": "string"}
        case Uuid():
            found = {"type": "string", "format": "uuid"}
        case Timestamp():
            found = {"type": "string", "format": "date-time"}
        case Date():
            found = {"type": "string", "format": "date"}
        case _:
            assert_never(field)
    if field.description:
        found["description"] = field.description
    return found


def _or_null(value: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON Schema that takes null besides."""
    more: dict[str, Any] = {"type": [value["type"], "null"]} if "type" in value else {}
    if "enum" in value:
        more["enum"] = [*value["enum"], None]
    return value | more
