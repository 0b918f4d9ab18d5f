"""The conformance cases: SPEC §2-§5, §7 and §8 as data, in ``tests/conformance/*.json``.

A file is a list of suites, each an object with:

- ``about``: what the suite shows, with its § of the SPEC;
- ``schema``: the fields by name, each ``{"type": …}`` with the arguments of the class of that type in
  `astra_filter.fields` (``items``, ``members`` and ``values`` included; those of a map are a field); or ``"open"``. Every resource also has
  ``id``, a string of at most 40 characters, which is the key;
- ``limits`` (optional): budgets other than the default ones;
- ``only`` (optional): ``"python"`` where the resources are none that a table can hold;
- ``beyond`` (optional): the dialects that cannot hold such a table, and must say so when it is made;
- ``rows``: the resources, as JSON;
- ``cases``: a list of objects with ``filter`` and ``why`` (optional), and either

  - ``ids``: of the resources selected, in order; ``canonical`` (optional): the canonical text; ``beyond`` (optional):
    the dialects that cannot express the filter, and must say so; or
  - ``error`` and ``span``: the code and place of the only problem; ``hint`` (optional): its exact words; ``follow``
    (optional): the filter that comes of following the hint, with ``selects``, the ids that it selects, which are those
    that the writer meant; or
  - ``problems``: the ``[code, span]`` of each, in order.

Text that is long and regular is written as a list of strings and ``{"repeat": [text, times]}``. In rows, an object with
one member whose name begins with ``$`` stands for a Python value (SPEC §4.7): ``$datetime``, ``$date``, ``$uuid``,
``$decimal``, ``$float`` and ``$int`` of a text, ``$repeat`` as above, ``$enum`` of any value, ``$tuple`` of a list,
``$object`` of an object, whose members become attributes.
"""

from __future__ import annotations

import enum
import json
from datetime import date, datetime
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

from astra_filter import Limits, Schema, fields

FOLDER = Path(__file__).parent / "conformance"


class Problem(NamedTuple):
    """A problem that a filter must have."""

    code: str
    span: tuple[int, int]


class Case(NamedTuple):
    """A filter and what must come of it: ``ids`` or ``problems``, the other one is None."""

    filter: str
    ids: tuple[str, ...] | None
    problems: tuple[Problem, ...] | None
    hint: str | None
    canonical: str | None
    beyond: tuple[str, ...]
    follow: str | None
    selects: tuple[str, ...]


class Suite:
    """Cases that share a schema and resources."""

    def __init__(self, name: str, document: dict[str, Any]) -> None:
        self.name = name
        self.only = document.get("only")
        self.beyond = tuple(document.get("beyond", ()))
        self._document = document
        self.cases = [_case(case, self.beyond) for case in document["cases"]]

    def make_schema(self, *, binary: bool = False) -> Schema:
        """Return a new schema, which knows no shape yet; ``binary`` as in `Schema`."""
        limits = Limits(**self._document.get("limits", {}))
        if self._document["schema"] == "open":
            return Schema.open(limits=limits)
        members = {name: _field(field) for name, field in self._document["schema"].items()}
        return Schema(
            {"id": fields.String(max_length=40), **members}, key="id", limits=limits, binary=binary, sqlite_fold=True
        )

    @cached_property
    def schema(self) -> Schema:
        return self.make_schema()

    @cached_property
    def rows(self) -> list[Any]:
        return [_value(row) for row in self._document["rows"]]


@cache
def suites() -> tuple[Suite, ...]:
    """Return all suites, by file and place in it."""
    return tuple(
        Suite(f"{path.stem}.{number}", document)
        for path in sorted(FOLDER.glob("*.json"))
        for number, document in enumerate(json.loads(path.read_text(encoding="utf-8")), 1)
    )


def identity(resource: Any) -> str:
    """Return the key of a resource."""
    return resource["id"] if isinstance(resource, dict) else resource.id


def _case(document: dict[str, Any], beyond: tuple[str, ...]) -> Case:
    known = {"filter", "ids", "canonical", "beyond", "error", "span", "hint", "problems", "why", "follow", "selects"}
    assert set(document) <= known, document
    problems = document.get("problems")
    if "error" in document:
        problems = [[document["error"], document["span"]]]
    ids = document.get("ids")
    assert (ids is None) != (problems is None), document
    return Case(
        filter=_text(document["filter"]),
        ids=None if ids is None else tuple(ids),
        problems=None if problems is None else tuple(Problem(code, (start, end)) for code, (start, end) in problems),
        hint=document.get("hint"),
        canonical=document.get("canonical"),
        beyond=(*beyond, *document.get("beyond", ())),
        follow=document.get("follow"),
        selects=tuple(document.get("selects", ())),
    )


def _text(document: str | list[Any]) -> str:
    if isinstance(document, str):
        return document
    return "".join(part if isinstance(part, str) else part["repeat"][0] * part["repeat"][1] for part in document)


_TYPES = {
    field.type: field
    for field in (
        fields.String, fields.Enum, fields.Uuid, fields.Integer, fields.Number, fields.Decimal, fields.Boolean, fields.Timestamp,
        fields.Date, fields.Array, fields.Map, fields.Object,
    )
}  # fmt: skip


def _field(document: dict[str, Any]) -> fields.Field:
    options = dict(document)
    if options["type"] == "map":
        options["values"] = _field(options["values"])
    arguments: list[Any] = list(options.pop("values", ())) if options["type"] == "enum" else []
    if "items" in options:
        arguments.append(_field(options.pop("items")))
    if "members" in options:
        arguments.append({name: _field(member) for name, member in options.pop("members").items()})
    return _TYPES[options.pop("type")](*arguments, **options)


_TAGS = {
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$uuid": UUID,
    "$decimal": Decimal,
    "$float": float,
    "$int": lambda parts: int(_text(parts)),
    "$repeat": lambda part: part[0] * part[1],
    "$enum": lambda value: enum.Enum("Tagged", {"MEMBER": _value(value)}).MEMBER,  # type: ignore[attr-defined]
    "$tuple": lambda items: tuple(map(_value, items)),
    "$object": lambda members: SimpleNamespace(**{name: _value(value) for name, value in members.items()}),
}


def _value(document: Any) -> Any:
    if isinstance(document, list):
        return [_value(item) for item in document]
    if isinstance(document, dict):
        if len(document) == 1:
            [(name, content)] = document.items()
            if name in _TAGS:
                return _TAGS[name](content)
        return {name: _value(value) for name, value in document.items()}
    return document
