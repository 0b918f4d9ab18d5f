"""Other libraries, each given the same filters in its own syntax.

A peer that is not installed, cannot express a case, or gives another answer than ours has no figure for it. Whatever
can be made ready before the clock starts (parsers, contexts, converted data) is, in the peer's favour.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from benchmarks.cases import NUMBERS, Case, Test, fields_of, write
from benchmarks.tasks import schema

Tasks: TypeAlias = Sequence[dict[str, Any]]
COLUMNS = ("id", "state", "service", "name", "percentDone", "orderHint", "startTime")
_SYMBOLS = {"eq": "==", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class CannotExpressError(Exception):
    """A peer's syntax has no way to say what a case says."""


class Peer:
    """One library. The methods that a subclass does not have, it has no figures for."""

    name: str
    compiled = False
    """Its parser is native code."""

    def text(self, case: Case) -> str:
        """Return the case in the peer's syntax."""
        raise NotImplementedError

    def parse(self, text: str) -> Any:
        """Do what the library does to make a text ready for use, once per request."""
        raise NotImplementedError

    def selector(self, case: Case) -> Callable[[Tasks], Sequence[Any]] | None:
        """Return what selects tasks that `ready` prepared, or None when the library is not for data in memory."""

    def ready(self, tasks: Tasks) -> Any:
        """Return the tasks in the form the library takes."""
        return tasks

    def where(self, case: Case) -> tuple[str, Any] | None:
        """Return the condition of a WHERE clause for SQLite and its parameters, or None when the library writes none."""

    def sql_writer(self, case: Case) -> Callable[[], Any] | None:
        """Return what writes SQL from the parsed text, or None."""

    def answer(self, case: Case, tasks: Tasks) -> list[str]:
        """Return the ids of the selected tasks, in order."""
        selector = self.selector(case)
        if selector is not None:
            return [task["id"] for task in self._back(selector(self.ready(tasks)), tasks)]
        where = self.where(case)
        if where is None:
            raise CannotExpressError
        text, parameters = where
        database = table(tasks, spaced=True)
        return [i for (i,) in database.execute(f"SELECT id FROM tasks WHERE {text} ORDER BY rowid", parameters)]

    def _back(self, selected: Sequence[Any], tasks: Tasks) -> Sequence[dict[str, Any]]:
        return selected


def table(tasks: Tasks, *, spaced: bool) -> sqlite3.Connection:
    """Return a database with the tasks in a table.

    Args:
        spaced: timestamps as SQLite's own ``datetime()`` writes them, which peers compare with; else in storage form.
    """
    rows = []
    for task in tasks:
        moment = task.get("startTime")
        if moment is not None:
            value = datetime.fromisoformat(moment).replace(tzinfo=None)
            moment = value.isoformat(" " if spaced else "T", timespec="microseconds") + ("" if spaced else "Z")
        rows.append([*[task.get(name) for name in COLUMNS[:-1]], moment])
    database = sqlite3.connect(":memory:")
    numbers = [f'"{name}" REAL' if name in NUMBERS else f'"{name}" TEXT' for name in COLUMNS]
    database.execute(f"CREATE TABLE tasks ({', '.join(numbers)}) STRICT")
    database.executemany(f"INSERT INTO tasks VALUES ({', '.join('?' * len(COLUMNS))})", rows)
    return database


def _quoted(value: Any) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def _listed(values: Sequence[Any]) -> str:
    return ",".join(map(_quoted, values))


class Ours(Peer):
    name = "astra-filter"

    def __init__(self) -> None:
        self._schema = schema()

    def text(self, case: Case) -> str:
        def test(t: Test) -> str:
            value = f"({_listed(t.value)})" if t.operator == "in" else _quoted(t.value)
            return f"{t.field} {t.operator} {value}"

        return write(case, test, "and", "or")

    def parse(self, text: str) -> Any:
        return self._schema.compile(text)

    def selector(self, case: Case) -> Callable[[Tasks], Sequence[Any]]:
        return self._schema.compile(self.text(case)).select


class OData(Peer):
    name = "odata-query"

    def __init__(self) -> None:
        from odata_query.grammar import ODataLexer, ODataParser
        from odata_query.sql import AstToSqliteSqlVisitor

        self._lexer, self._parser, self._visitor = ODataLexer(), ODataParser(), AstToSqliteSqlVisitor

    def text(self, case: Case) -> str:
        def test(t: Test) -> str:
            if t.operator == "in":
                return f"{t.field} in ({_listed(t.value)})"
            operator = {"gte": "ge", "lte": "le"}.get(t.operator, t.operator)
            return f"{t.field} {operator} {t.value if t.field == 'startTime' else _quoted(t.value)}"

        return write(case, test, "and", "or")

    def parse(self, text: str) -> Any:
        return self._parser.parse(self._lexer.tokenize(text))

    def where(self, case: Case) -> tuple[str, Any]:
        return self._visitor().visit(self.parse(self.text(case))), ()

    def sql_writer(self, case: Case) -> Callable[[], Any]:
        tree, visitor = self.parse(self.text(case)), self._visitor()
        return lambda: visitor.visit(tree)


class PyGeoFilter(Peer):
    name = "pygeofilter (ECQL)"

    def __init__(self) -> None:
        from pygeofilter.backends.native.evaluate import NativeEvaluator
        from pygeofilter.backends.sql import to_sql_where
        from pygeofilter.parsers.ecql import parse

        self._parse, self._evaluator, self._write = parse, NativeEvaluator, to_sql_where

    def text(self, case: Case) -> str:
        def test(t: Test) -> str:
            if t.operator == "in":
                return f"{t.field} IN ({_listed(t.value)})"
            if t.field == "startTime":
                return f"startTime {'BEFORE' if t.operator == 'lt' else 'AFTER'} {t.value}"
            return f"{t.field} {'=' if t.operator == 'eq' else _SYMBOLS[t.operator]} {_quoted(t.value)}"

        return write(case, test, "AND", "OR")

    def parse(self, text: str) -> Any:
        return self._parse(text)

    def selector(self, case: Case) -> Callable[[Tasks], Sequence[Any]] | None:
        if "startTime" not in fields_of(case):
            return None  # Its own predicate fails on nulls; its SQL does not, and is asked instead.
        matches = self._evaluator({}, None, use_getattr=False).evaluate(self.parse(self.text(case)))

        def select(tasks: Tasks) -> Sequence[Any]:
            selected = []
            for task in tasks:
                try:
                    if matches(task):
                        selected.append(task)
                except (KeyError, TypeError):
                    pass
            return selected

        return select

    def where(self, case: Case) -> tuple[str, Any]:
        return self._write(self.parse(self.text(case)), {name: name for name in COLUMNS}), ()

    def sql_writer(self, case: Case) -> Callable[[], Any] | None:
        if "startTime" in fields_of(case):
            return None  # Its SQL has no timestamps.
        tree, names = self.parse(self.text(case)), {name: name for name in COLUMNS}
        return lambda: self._write(tree, names)


class RuleEngine(Peer):
    name = "rule-engine"

    def __init__(self) -> None:
        import rule_engine

        self._rule, self._context = rule_engine.Rule, rule_engine.Context(default_value=None)

    def text(self, case: Case) -> str:
        def test(t: Test) -> str:
            if t.operator == "in":
                return f"{t.field} in [{_listed(t.value)}]"
            if t.field == "startTime":
                return f"(startTime != null and $parse_datetime(startTime) {_SYMBOLS[t.operator]} d'{t.value}')"
            guard = "" if t.operator == "eq" else f"{t.field} != null and "
            return f"({guard}{t.field} {_SYMBOLS[t.operator]} {_quoted(t.value)})"

        return write(case, test, "and", "or")

    def parse(self, text: str) -> Any:
        return self._rule(text, context=self._context)

    def selector(self, case: Case) -> Callable[[Tasks], Sequence[Any]]:
        rule = self.parse(self.text(case))
        return lambda tasks: list(rule.filter(tasks))


def _cel_text(case: Case, null: str) -> str:
    def test(t: Test) -> str:
        if t.operator == "in":
            return f"(has(t.{t.field}) && t.{t.field} in [{_listed(t.value)}])"
        value = _quoted(t.value) if isinstance(t.value, str) else repr(float(t.value))
        left = f"t.{t.field}"
        if t.operator == "eq":
            return f"has({left}) && {left} == {value}" if t.field == "service" else f"{left} == {value}"
        guard = f"has({left}) && {null.format(left)} && "
        function = "timestamp" if t.field == "startTime" else "double"
        right = f"timestamp({value})" if t.field == "startTime" else value
        return f"{guard}{function}({left}) {_SYMBOLS[t.operator]} {right}"

    return write(case, test, "&&", "||")


class CelPython(Peer):
    name = "cel-python"

    def __init__(self) -> None:
        import celpy

        self._celpy, self._environment = celpy, celpy.Environment()

    def text(self, case: Case) -> str:
        return _cel_text(case, "type({}) != null_type")

    def parse(self, text: str) -> Any:
        return self._environment.compile(text)

    def ready(self, tasks: Tasks) -> Any:
        return [{"t": self._celpy.json_to_cel(task)} for task in tasks]

    def selector(self, case: Case) -> Callable[[Tasks], Sequence[Any]]:
        evaluate = self._environment.program(self.parse(self.text(case))).evaluate
        return lambda tasks: [task for task in tasks if evaluate(task)]

    def _back(self, selected: Sequence[Any], tasks: Tasks) -> Sequence[dict[str, Any]]:
        chosen = {str(task["t"]["id"]) for task in selected}
        return [task for task in tasks if task["id"] in chosen]


class CelRust(Peer):
    name = "common-expression-language (Rust)"
    compiled = True

    def __init__(self) -> None:
        import cel

        self._compile = cel.compile

    def text(self, case: Case) -> str:
        return _cel_text(case, "{} != null")

    def parse(self, text: str) -> Any:
        return self._compile(text)

    def selector(self, case: Case) -> Callable[[Tasks], Sequence[Any]]:
        execute = self.parse(self.text(case)).execute
        return lambda tasks: [task for task in tasks if execute({"t": task})]


class Cql2(Peer):
    name = "cql2 (Rust)"
    compiled = True

    def __init__(self) -> None:
        import cql2

        self._parse = cql2.parse_text

    def text(self, case: Case) -> str:
        def test(t: Test) -> str:
            if t.operator == "in":
                return f"{t.field} IN ({_listed(t.value)})"
            value = f"TIMESTAMP('{t.value}')" if t.field == "startTime" else _quoted(t.value)
            return f"{t.field} {'=' if t.operator == 'eq' else _SYMBOLS[t.operator]} {value}"

        return write(case, test, "AND", "OR")

    def parse(self, text: str) -> Any:
        return self._parse(text)

    def selector(self, case: Case) -> Callable[[Tasks], Sequence[Any]]:
        matches = self.parse(self.text(case)).matches

        def select(tasks: Tasks) -> Sequence[Any]:
            selected = []
            for task in tasks:
                try:
                    if matches(task):
                        selected.append(task)
                except Exception:  # noqa: BLE001, S110  # Of this very class; raised on a null or missing member.
                    pass
            return selected

        return select

    def sql_writer(self, case: Case) -> Callable[[], Any]:
        return self.parse(self.text(case)).to_sql


class JmesPath(Peer):
    name = "jmespath"

    def __init__(self) -> None:
        import jmespath

        self._compile = jmespath.compile

    def text(self, case: Case) -> str:
        def test(t: Test) -> str:
            if t.field == "startTime":
                raise CannotExpressError  # JMESPath orders numbers only.
            if t.operator == "in":
                return f"contains(`{json.dumps(t.value)}`, {t.field})"
            value = _quoted(t.value) if isinstance(t.value, str) else f"`{t.value}`"
            return f"{t.field} {_SYMBOLS[t.operator]} {value}"

        return f"[?{write(case, test, '&&', '||')}]"

    def parse(self, text: str) -> Any:
        return self._compile(text)

    def selector(self, case: Case) -> Callable[[Tasks], Sequence[Any]]:
        search: Callable[[Tasks], Sequence[Any]] = self.parse(self.text(case)).search
        return search


class PyCel2Sql(Peer):
    name = "pycel2sql"

    def __init__(self) -> None:
        import pycel2sql

        self._dialect = pycel2sql.SQLiteDialect()
        self._convert = pycel2sql.convert_parameterized

    def text(self, case: Case) -> str:
        def test(t: Test) -> str:
            if t.operator == "in":
                return f"{t.field} in [{_listed(t.value)}]"
            value = _quoted(t.value) if isinstance(t.value, str) else repr(float(t.value))
            return f"{t.field} {_SYMBOLS[t.operator]} {f'timestamp({value})' if t.field == 'startTime' else value}"

        return write(case, test, "&&", "||")

    def parse(self, text: str) -> Any:
        return self._convert(text, dialect=self._dialect)

    def where(self, case: Case) -> tuple[str, Any]:
        result = self.parse(self.text(case))
        return result.sql, result.parameters


class Scim2(Peer):
    name = "scim2-filter-parser"

    def __init__(self) -> None:
        from scim2_filter_parser.lexer import SCIMLexer
        from scim2_filter_parser.parser import SCIMParser
        from scim2_filter_parser.queries import SQLQuery

        self._lexer, self._parser, self._query = SCIMLexer(), SCIMParser(), SQLQuery

    def text(self, case: Case) -> str:
        def test(t: Test) -> str:
            if t.operator == "in":
                return "(" + " or ".join([f'{t.field} eq "{value}"' for value in t.value]) + ")"
            operator = {"gte": "ge", "lte": "le"}.get(t.operator, t.operator)
            value = t.value.replace("T", " ").removesuffix("Z") if t.field == "startTime" else t.value
            # Its lexer reads numbers of one digit only; as a string, SQLite's column type makes it a number again.
            return f'{t.field} {operator} "{value}"'

        return write(case, test, "and", "or")

    def parse(self, text: str) -> Any:
        return self._parser.parse(self._lexer.tokenize(text))

    def where(self, case: Case) -> tuple[str, Any]:
        columns = {(name, None, None): f'"{name}"' for name in COLUMNS}
        query = self._query(self.text(case), "tasks", columns)
        return query.where_sql.format(**dict.fromkeys(query.params_dict, "?")), list(query.params_dict.values())


def peers() -> tuple[list[Peer], dict[str, str]]:
    """Return the peers that are installed, and why others are not here."""
    found: list[Peer] = []
    missing: dict[str, str] = {}
    for peer in (Cql2, CelRust, OData, PyGeoFilter, RuleEngine, CelPython, JmesPath, PyCel2Sql, Scim2):
        try:
            found.append(peer())
        except ImportError as error:
            missing[peer.name] = str(error)
    return found, missing
