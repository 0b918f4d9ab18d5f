"""From a resource to a row and back: what a table stores (SPEC §5).

Only declared members are stored, in canonical form. A value of another type than its field's is stored as null. Inside
JSON, null members are left out: a missing member means the same.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from astra_filter.fields import Array, Decimal, Enum, Map, Object, Open, String
from astra_filter.language.fold import fold
from astra_filter.language.names import path_text
from astra_filter.language.values import at, is_text, member
from astra_filter.sql.dialects import find_dialect
from astra_filter.sql.dialects.base import JSON_STORAGE
from astra_filter.sql.forms import as_own
from astra_filter.wording import request as request_wording
from astra_filter.wording import sql as sql_wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from astra_filter.fields import Field
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.meaning.leaves import Leaf
    from astra_filter.sql.dialects.base import Dialect

Path = tuple[str, ...]

_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # Documented by its use in `raw_decode`.


def columns(declaration: Declaration) -> dict[str, tuple[Leaf, ...]]:
    """Return the columns of a schema's table by name, in declared order, each with the leaves it holds.

    Raises:
        SchemaError: two leaves claim the same place, or the schema is an open one.
    """
    if isinstance(declaration.root, Open):
        raise sql_wording.open_schema_has_no_columns()
    found: dict[str, list[Leaf]] = {}
    for leaf in declaration.leaves.values():
        found.setdefault(leaf.column.name, []).append(leaf)
    for name, held in found.items():
        places = sorted(leaf.column.json_path for leaf in held)
        for place, following in pairwise(places):
            if following[: len(place)] == place:
                raise sql_wording.shared_place(name)
    folded = [leaf.column.folded for leaf in declaration.leaves.values() if leaf.column.folded is not None]
    for name in folded:
        if name in found or folded.count(name) > 1:
            raise sql_wording.shared_place(name)
    return {name: tuple(held) for name, held in found.items()}


def folded_columns(declaration: Declaration) -> dict[str, Leaf]:
    """Return the columns that hold folded text by name, each with a leaf that describes it, at the path of the text."""
    found: dict[str, Leaf] = {}
    for leaf in declaration.leaves.values():
        name = leaf.column.folded
        if name is not None and isinstance(leaf.field, String):
            field = String(max_length=leaf.field.max_length)
            found[name] = leaf._replace(field=field, column=leaf.column.of_folded(name))
    return found


def is_document(held: tuple[Leaf, ...]) -> bool:
    """Whether the column of these leaves holds JSON."""
    field = held[0].field
    return bool(held[0].column.json_path) or (not field.scalar and field.storage is None)


def enum_length(field: Enum) -> int:
    """Return the length of an enum's column where text has one: data may hold undeclared, longer values."""
    return max(255, *map(len, field.values))


def to_row(declaration: Declaration, resource: object, dialect: str) -> dict[str, Any]:
    """Return what a table stores of a resource: the driver's value of each column by name, JSON as text.

    Raises:
        SchemaError: an unknown dialect, an open schema, or two fields stored in the same place.
        StorageError: a column that is NOT NULL would be null, a text is longer than its ``max_length``, or no filter
            would find a key of a map in this dialect.
    """
    record = find_dialect(dialect)
    row: dict[str, Any] = {}
    for name, held in columns(declaration).items():
        leaf = held[0]
        if is_document(held):
            value, bind = _document(held, resource, record), None
        else:
            value = _canonical(leaf.field, at(resource, leaf.path), leaf.path)
            storage = record.storage(leaf.field)
            bind = storage.bind
            if value is not None and storage.holds is not None and not storage.holds(value):
                value = None
            if isinstance(leaf.field, Enum) and value is not None and record.max_indexed_length is not None:
                most = enum_length(leaf.field)
                if len(value) > most:
                    raise sql_wording.value_too_long(path_text(leaf.path), most)
        if value is None and not leaf.column.nullable:
            raise sql_wording.null_in_required(path_text(leaf.path))
        row[name] = value if bind is None or value is None else bind(value)
    for name, leaf in folded_columns(declaration).items():
        text = _canonical(leaf.field, at(resource, leaf.path), leaf.path)
        row[name] = None if text is None else fold(text)
    return row


def from_row(declaration: Declaration, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource that a row holds, in canonical form, as values that JSON can hold.

    A member that is null is left out, and so is a nullable object with nothing in it.

    Args:
        declaration: of the schema that the table was made for.
        row: the value of each column by name, as any driver returns it: JSON parsed or as text, timestamps as text or
            as `datetime` (naive means UTC), booleans as 0 and 1, UUIDs as text or objects.

    Raises:
        SchemaError: an open schema, or two fields stored in the same place.
        StorageError: the row lacks a column.
    """
    columns(declaration)
    return _members(declaration.root, resource(declaration.leaves.values(), row), None)  # type: ignore[arg-type]  # Not an open one.


def resource(leaves: Iterable[Leaf], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource of a row, its values as the driver gives them; arguments and errors as in `from_row`."""
    found: dict[str, Any] = {}
    documents: dict[str, object] = {}
    for leaf in leaves:
        name, inside = leaf.column.name, leaf.column.json_path
        try:
            value = row[name]
        except (KeyError, IndexError):  # A sqlite3.Row raises the latter.
            raise request_wording.missing_column(name) from None
        if is_document((leaf,)):
            if name not in documents:
                documents[name] = parsed(value)
            value = at(documents[name], inside)
        else:
            value = as_own(leaf.field, value)
        _put(found, leaf.path, value)
    return found


def is_ordered(leaf: Leaf, value: object) -> bool:
    """Whether SQL takes a stored value for one of its field's type: it does not test the format of text."""
    if value is None or not leaf.column.json_path:
        return value is not None
    return isinstance(value, str) and (isinstance(leaf.field, Decimal) or JSON_STORAGE[leaf.field.type].type == "text")


def _members(owner_field: Object, owner: object, path: Path | None) -> dict[str, Any]:
    found = {}
    for name, field in owner_field.members.items():
        value = _json(field, member(owner, name), None if path is None else (*path, name))
        if isinstance(field, Object) and not value:
            value = None if field.nullable else {}
        if value is not None:
            found[name] = value
    return found


def _json(field: Field, value: object, path: Path | None) -> Any:
    """Return a value in the data as canonical JSON.

    ``path`` names the value in errors; with None, lengths are not checked.
    """
    if isinstance(field, Array):
        elements = field.read(value)
        return None if elements is None else [_json(field.items, element, path) for element in elements]
    if isinstance(field, Object):
        owner = field.read(value)
        return None if owner is None else _members(field, owner, path)
    if isinstance(field, Map):
        entries = field.read(value)
        return None if entries is None else _entries(field, entries, path)
    canonical = _canonical(field, value, path)
    return None if canonical is None else field.json(canonical)


def _entries(field: Map, entries: dict[str, Any], path: Path | None) -> dict[str, Any]:
    found = {}
    for key, value in entries.items():
        entry = _json(field.values, value, None if path is None else (*path, key)) if is_text(key) else None
        if entry is not None:
            found[key] = entry
    return found


def _canonical(field: Field, value: object, path: Path | None) -> Any:
    if isinstance(field, Array):
        elements = field.read(value)
        return None if elements is None else [_canonical(field.items, element, path) for element in elements]
    canonical = field.read(value)
    if isinstance(field, (String, Enum)) and canonical is not None:
        if not is_text(canonical):
            return None
        most = field.max_length if isinstance(field, String) else None
        if path is not None and most is not None and len(canonical) > most:
            raise sql_wording.value_too_long(path_text(path), most)
    return canonical


def _document(held: tuple[Leaf, ...], resource: object, record: Dialect) -> str | None:
    document: Any = None
    for leaf in held:
        value = _json(leaf.field, at(resource, leaf.path), leaf.path)
        if "dashed key" in record.cannot:
            _check_keys(leaf.field, value, leaf.path, record)
        if value is not None and leaf.column.json_path:
            document = document or {}
            _put(document, leaf.column.json_path, value)
        elif value is not None:
            document = value
    if document is None:
        return None
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _check_keys(field: Field, value: Any, path: Path, record: Dialect) -> None:
    """Refuse dashed keys of maps, which no filter would find, in what `_json` gave."""
    match field:
        case Map():
            for key in value or ():
                if key.startswith("-"):
                    raise sql_wording.unreachable_key(record.name, f"{path_text(path)}.{path_text([key])}")
        case Array():
            for element in value or ():
                _check_keys(field.items, element, path, record)
        case Object():
            for name, member_field in field.members.items():
                _check_keys(member_field, (value or {}).get(name), (*path, name), record)


def _put(document: dict[str, Any], path: Path, value: Any) -> None:
    for name in path[:-1]:
        document = document.setdefault(name, {})
    document[path[-1]] = value


def parsed(value: object) -> object:
    """Return the value of a JSON column, which some drivers give as text."""
    if not isinstance(value, (str, bytes)):
        return value
    try:
        if isinstance(value, str) and value[:1] in ("{", "["):
            # Databases give JSON without space around it, and `json.loads` spends half its time looking for some.
            found, end = _scan(value, 0)
            if end == len(value):
                return found
        return json.loads(value)
    except (ValueError, RecursionError, StopIteration):  # Rows written by others may hold anything.
        return None
