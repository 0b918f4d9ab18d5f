"""Resources as their source wrote them: the order of members, and the digits of numbers."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import TYPE_CHECKING, Any

from astra_filter.fields import Array, Object
from astra_filter.language.names import NUMBER

if TYPE_CHECKING:
    from astra_filter.cli.sources import Row
    from astra_filter.fields import Field

_NUMBER = re.compile(NUMBER)
_STRING_OR_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')


class Number(str):
    """A number as its source wrote it."""

    __slots__ = ()


def document(row: Row, columns: list[str] | None) -> dict[str, Any]:
    """Return a resource whose numbers are `Number`."""
    if row.text is not None:
        found: dict[str, Any] = json.loads(row.text, parse_float=Number, parse_int=Number)
        return found
    if row.cells is None or columns is None:
        return row.value
    return {
        name: Number(cell) if isinstance(value, (int, float)) and _NUMBER.fullmatch(cell) else value
        for (name, value), cell in zip(row.value.items(), row.cells, strict=True)
    }


def line(row: Row, columns: list[str] | None) -> str:
    """Return a resource as JSON on one line."""
    if row.text is None:
        return text(document(row, columns))
    found = row.text.decode() if isinstance(row.text, bytes) else row.text
    found = found.strip()
    if "\n" in found or "\r" in found:
        # What is written over several lines is made one; what is on one line stays as it is.
        return _STRING_OR_SPACE.sub(lambda match: match[1] or "", found)
    return found


def text(value: Any) -> str:
    """Return a value as JSON; what JSON has no type for is written as text."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join([f"{_string(str(name))}: {text(member)}" for name, member in value.items()]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join([text(element) for element in value]) + "]"
    if isinstance(value, float) and not isfinite(value):
        return "null"
    return json.dumps(value, ensure_ascii=False, default=_other)


def cell(value: Any) -> str:
    """Return a value as a cell: strings as they are, null as nothing, anything else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    found = text(value)
    return str(json.loads(found)) if found.startswith('"') else found


def _string(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _other(value: object) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat()) if isoformat is not None else str(value)


def hides(root: Field) -> bool:
    """Whether a schema has members that are not returned."""
    if isinstance(root, Object):
        return any(not member.returnable or hides(member) for member in root.members.values())
    return isinstance(root, Array) and hides(root.items)


def without_hidden(value: Any, root: Field) -> Any:
    """Return a value without the members that are not returned, at every depth."""
    if isinstance(root, Object) and isinstance(value, dict):
        found = {}
        for name, member in value.items():
            field = root.members.get(name)
            if field is None:
                found[name] = member
            elif field.returnable:
                found[name] = without_hidden(member, field)
        return found
    if isinstance(root, Array) and isinstance(value, (list, tuple)):
        return [without_hidden(element, root.items) for element in value]
    return value
