"""What the page asks: the meaning of a filter over the resources, candidates, and why a row matches."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from astra_filter.errors import AstraFilterError, FilterError
from astra_filter.fields import Array, Object
from astra_filter.language.names import path_text
from astra_filter.sql.dialects import DIALECTS
from astra_filter.syntax.drawing import lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astra_filter.errors import Problem
    from astra_filter.fields import Field
    from astra_filter.filter import Filter
    from astra_filter.memory.explain import Explanation
    from astra_filter.schema import Schema

MOST_ROWS = 100
"""Rows that are shown."""
_LONGEST_CELL = 200


class Answers:
    """Answers about filters over some resources.

    Args:
        schema: their fields.
        resources: the resources.
        name: what they are called on the page.
    """

    def __init__(self, schema: Schema, resources: Sequence[Any], name: str) -> None:
        self._schema = schema
        self._resources = resources
        self._name = name
        self._columns = list(dict.fromkeys(key for resource in resources[:1000] for key in resource))[:12]

    def about(self) -> dict[str, Any]:
        """Return what the page shows before anything is written."""
        root = self._schema.root
        return {
            "name": self._name,
            "total": len(self._resources),
            "columns": self._columns,
            "dialects": list(DIALECTS),
            "fields": list(_described(root, ())) if isinstance(root, Object) else [],
        }

    def check(self, text: str, *, every: bool = False) -> dict[str, Any]:
        """Return what a filter means: its canonical text, tree, SQL and code, and the rows; or what is wrong with it.

        Args:
            text: the filter; blank text is none, and every row matches.
            every: show the rows that do not match too.
        """
        chosen = None
        if text.strip(" \t\r\n"):
            try:
                chosen = self._schema.compile(text)
            except FilterError as error:
                return {"problems": [_problem(problem) for problem in error.problems]}
        matched = [True] * len(self._resources)
        if chosen is not None:
            matched = [chosen.matches(resource) for resource in self._resources]
        shown = [place for place, holds in enumerate(matched) if every or holds][:MOST_ROWS]
        rows = [
            {
                "row": place,
                "holds": matched[place],
                "cells": [_cell(self._resources[place].get(c)) for c in self._columns],
            }
            for place in shown
        ]
        answer: dict[str, Any] = {"problems": [], "matched": sum(matched), "rows": rows}
        return answer if chosen is None else answer | _meaning(chosen)

    def complete(self, text: str, cursor: int) -> dict[str, Any]:
        """Return what may come next in a filter."""
        return {
            "candidates": [
                {**candidate._asdict(), "span": list(candidate.span)}
                for candidate in self._schema.complete(text, cursor)
            ]
        }

    def explain(self, text: str, row: int) -> dict[str, Any]:
        """Return why a row matches a filter, or does not, and the row itself."""
        if not 0 <= row < len(self._resources):
            return {}
        resource = self._resources[row]
        answer: dict[str, Any] = {"resource": json.dumps(resource, ensure_ascii=False, indent=2, default=str)}
        try:
            answer["explanation"] = _part(self._schema.compile(text).explain(resource))
        except FilterError:
            answer["explanation"] = None
        return answer


def _meaning(chosen: Filter) -> dict[str, Any]:
    sql = {}
    for dialect in DIALECTS:
        try:
            statement = chosen.sql(dialect)
        except AstraFilterError as error:
            sql[dialect] = {"error": str(error)}
        else:
            sql[dialect] = {
                "text": statement.text,
                "params": json.dumps(statement.params, ensure_ascii=False, default=str),
            }
    return {
        "canonical": str(chosen),
        "tree": "\n".join(lines(chosen.syntax)),
        "sql": sql,
        "python": inspect.getsource(chosen.matches),
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {"message": problem.message, "hint": problem.hint, "span": list(problem.span)}


def _part(part: Explanation) -> dict[str, Any]:
    is_test = part.label not in ("and", "or", "not")
    return {
        "label": part.label,
        "holds": part.holds,
        "decides": part.decides,
        "value": _cell(part.value) if is_test else None,
        "operands": [_part(operand) for operand in part.operands],
    }


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value[:_LONGEST_CELL]
    return json.dumps(value, ensure_ascii=False, default=str)[:_LONGEST_CELL]


def _described(owner: Object, outer: tuple[str, ...]) -> Any:
    for name, field in owner.members.items():
        path = (*outer, name)
        inner: Field = field.items if isinstance(field, Array) else field
        kind = f"array of {inner.type}" if isinstance(field, Array) else field.type
        yield {
            "path": path_text(path),
            "type": kind,
            "nullable": field.nullable,
            "description": field.description or "",
        }
        if isinstance(inner, Object):
            yield from _described(inner, path)
