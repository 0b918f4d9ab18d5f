"""A request over the rows of a file: answered while they are read, or, where they are to be sorted, after that."""

from __future__ import annotations

import sys
import time
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from astra_filter.cli import messages, reading, schemas
from astra_filter.cli.sources import SAMPLE_BYTES, SAMPLE_ROWS, Resource, Row
from astra_filter.cli.writing import OutputFormat, Shape, Writer, prepare, writer
from astra_filter.errors import QueryError, RequestError
from astra_filter.fields import Array, Object
from astra_filter.language.names import path_text
from astra_filter.language.values import at
from astra_filter.meaning.conditions import AllOf, AnyOf, Condition
from astra_filter.memory.items import of_resources
from astra_filter.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from astra_filter.cli.progress import Progress
    from astra_filter.cli.sources import Source
    from astra_filter.fields import Field
    from astra_filter.query import ListQuery


class Asked(NamedTuple):
    """What a person wants to see."""

    parameters: list[tuple[str, str]]
    """The query parameters of the request."""
    form: OutputFormat
    count_only: bool = False
    exit_status: bool = False
    summary: bool = False
    key: str | None = None
    explain_row: int | None = None
    """The number of the row to explain, from 1, instead of an answer."""


class Outcome(NamedTuple):
    """What became of a request."""

    read: int
    matched: int


_SORTING = ("orderBy", "skip", "continue")
_OF_FIELDS = ("filter", "include", *_SORTING)


def answer(
    source: Source,
    declared: dict[str, Field] | None,
    asked: Asked,
    progress: Progress,
    reopen: Callable[[], Source],
) -> Outcome:
    """Answer a request from the rows of a file, on standard output.

    Args:
        source: the file.
        declared: its fields; None to infer them.
        asked: the request.
        progress: shows how far the reading is.
        reopen: opens the file anew, where its beginning does not tell all the fields that are asked for.

    Raises:
        InputError: the file is not what it says.
        RequestError: the request is wrong.
    """
    sorts = asked.key is not None or any(name in _SORTING for name, _ in asked.parameters)
    if sorts and asked.explain_row is None:
        return _sorted(source, declared, asked, progress)
    rows = reading.rows(source, declared)
    sample, more = _beginning(rows, wanted=declared is None or asked.form in (OutputFormat.TABLE, OutputFormat.CSV))
    values = [row.value for row in sample]
    try:
        request = _request(source.name, values, declared, asked)
        if asked.explain_row is not None:
            return _explain(source, request, asked.explain_row, chain(sample, rows))
    except QueryError as error:
        path = source.path
        if declared is not None or not more or path is None or not path.is_file() or not _unknown(error):
            raise
        # The field may come later in the file, which can be read again.
        members = schemas.inferred(source.name, chain(values, (row.value for row in rows if row is not None)))
        request = Schema(members).query(asked.parameters)
        names = _names(source, request, None, sample)
        with reopen() as again:
            return _Stream(again, request, asked, progress).run(reading.rows(again, None), names)
    return _Stream(source, request, asked, progress).run(chain(sample, rows), _names(source, request, declared, sample))


def _explain(source: Source, request: ListQuery, number: int, rows: Iterator[Row | None]) -> Outcome:
    """Say why a row matches, or does not."""
    if request.filter is None:
        raise messages.no_filter_to_explain()
    read = 0
    for row in rows:
        read += row is not None
        if row is not None and read == number:
            found = request.filter.explain(row.value)
            for line in found.lines():
                print_line(line)
            return Outcome(read, int(found.holds))
    raise messages.no_such_row(source.name, number, read)


def _beginning(rows: Iterator[Row | None], *, wanted: bool) -> tuple[list[Row], bool]:
    """Return the rows at the beginning, and whether more may follow: not before a pipe is silent for the first time."""
    found: list[Row] = []
    size = 0
    if not wanted:
        return found, True
    for row in rows:
        if row is None:
            if found:
                return found, True
            continue
        found.append(row)
        size += len(row.text or "") + sum(map(len, row.cells or ()))
        if len(found) >= SAMPLE_ROWS or size >= SAMPLE_BYTES:
            return found, True
    return found, False


def _unknown(error: QueryError) -> bool:
    return all(problem.code == "unknown_field" for problem in error.problems)


def _request(name: str, values: Sequence[Resource], declared: dict[str, Field] | None, asked: Asked) -> ListQuery:
    if declared is not None:
        return Schema(declared).query(asked.parameters)
    if not values:
        return _without_fields(asked.parameters)
    try:
        members = schemas.inferred(name, values)
    except messages.InputError:
        if any(parameter in _OF_FIELDS for parameter, _ in asked.parameters):
            raise
        return _without_fields(asked.parameters)
    return Schema(members).query(asked.parameters)


def _without_fields(parameters: list[tuple[str, str]]) -> ListQuery:
    """The request where nothing tells what fields there are: any will do, and no order or place makes a difference."""
    wanted = [(name, value) for name, value in parameters if name != "continue"]
    try:
        return Schema.open().query(wanted)
    except RequestError as error:
        wrong = [problem for problem in error.problems if problem.code != "not_sortable"]
        if wrong:
            raise QueryError(wrong) from None
    return Schema.open().query([(name, value) for name, value in wanted if name != "orderBy"])


def _names(source: Source, request: ListQuery, declared: dict[str, Field] | None, sample: Sequence[Row]) -> list[str]:
    """The columns of the answer: those asked for, or those that the rows at the beginning have."""
    if request.include is not None:
        return [path_text(path) for path in request.include]
    names: dict[str, None] = dict.fromkeys(source.columns or ())
    if source.columns is None:
        for row in sample:
            names.update(dict.fromkeys(row.value))
    if not names:
        names = dict.fromkeys(request.declaration.root.members) if isinstance(request.declaration.root, Object) else {}
    hidden = {name for name, field in (declared or {}).items() if not field.returnable}
    return [name for name in names if name not in hidden]


class _Stream:
    """Answers while rows are read."""

    def __init__(self, source: Source, request: ListQuery, asked: Asked, progress: Progress) -> None:
        self._source = source
        self._request = request
        self._asked = asked
        self._progress = progress
        self._begun = time.monotonic()

    def run(self, rows: Iterator[Row | None], names: list[str]) -> Outcome:
        request, asked = self._request, self._asked
        unread = Unread(request)
        look = unread.look if unread.paths else None
        matches = None if request.filter is None else request.filter.matches
        items = None if request.include is None else of_resources(request.declaration, request.include)
        limit = None if asked.count_only else request.limit
        counts = request.count or asked.count_only
        shape = Shape(names, self._source.columns, request.declaration.root)
        out: Writer | None = None
        if not asked.count_only:
            out = writer(asked.form, shape)
        read = matched = 0
        stopped = False
        for row in rows:
            if row is None:
                if out is not None:
                    self._progress.stop()
                    out.flush()
                continue
            read += 1
            if look is not None:
                look(row.value)
            if matches is not None and not matches(row.value):
                continue
            matched += 1
            if out is None or (limit is not None and matched > limit):
                continue
            if matched == 1:
                self._progress.stop()
            out.write(row if items is None else items(row.value))
            if matched == limit and not counts:
                # Not even the next row is waited for: who asks for five lines of a log wants them now.
                stopped = self._source.input.live or any(next_row is not None for next_row in rows)
                break
        self._progress.stop()
        if out is not None:
            out.finish({"count": matched} if request.count else {})
        else:
            print_line(str(matched))
        if request.count and out is not None and asked.form is not OutputFormat.JSON:
            tell(messages.total(matched))
        if stopped and limit is not None:
            tell(messages.stopped(limit))
        report(self._source, unread, shape)
        summarise(asked, Outcome(read, matched), self._begun)
        return Outcome(read, matched)


def _sorted(source: Source, declared: dict[str, Field] | None, asked: Asked, progress: Progress) -> Outcome:
    """Answer after all rows have been read, in the order of the request; in that of the file where it has none."""
    begun = time.monotonic()
    rows = [row for row in reading.rows(source, declared) if row is not None]
    progress.stop()
    values = [row.value for row in rows]
    kept = not any(name in _SORTING for name, _ in asked.parameters)
    if not values and declared is None:
        request = _without_fields(asked.parameters)
    else:
        request = schemas.of_resources(source.name, values, declared, asked.key).query(asked.parameters)
    unread = Unread(request)
    if unread.paths:
        for value in values:
            unread.look(value)
    shape = Shape(_names(source, request, declared, rows), source.columns, request.declaration.root)
    if asked.count_only:
        matched = len(values) if request.filter is None else len(request.filter.select(values))
        print_line(str(matched))
    else:
        page = request.page(values, presorted=kept, whole=request.include is None)
        matched = len(page.items)
        by_identity = {id(row.value): row for row in rows}
        out = writer(asked.form, shape)
        for item in page.items:
            out.write(item if isinstance(item, list) else by_identity[id(item)])
        token = None if kept else page.next_token
        metadata = {"continue": token, "count": page.total}
        out.finish({name: value for name, value in metadata.items() if value is not None})
        if asked.form is not OutputFormat.JSON:
            if page.total is not None:
                tell(messages.total(page.total))
            if page.more:
                tell(messages.more(token))
    report(source, unread, shape)
    summarise(asked, Outcome(len(rows), matched), begun)
    return Outcome(len(rows), matched)


class Unread:
    """Counts the values that the schema reads as null though the source has one, at the paths that a request names.

    Args:
        request: the request.
    """

    def __init__(self, request: ListQuery) -> None:
        wanted = set(request.include or ())
        if request.filter is not None:
            wanted |= _tested(request.filter.template.condition)
        leaves = request.declaration.leaves
        self.paths = [
            (path, leaf.field.read, _QUICK.get(leaf.field.type, ()), leaf.field)
            for path, leaf in leaves.items()
            if any(path[: len(each)] == each for each in wanted)
        ]
        self.counts: dict[tuple[tuple[str, ...], str], int] = {}

    def look(self, resource: Resource) -> None:
        """Look at a resource."""
        for path, read, quick, field in self.paths:
            value = resource.get(path[0]) if len(path) == 1 else at(resource, path)
            if value is None or type(value) in quick or read(value) is not None:
                continue
            key = (path, _kind(value, field))
            self.counts[key] = self.counts.get(key, 0) + 1


_QUICK: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "enum": (str,),
    "boolean": (bool,),
    "number": (int,),
    "array": (list,),
}
"""The types of values that need no closer look."""
_JSON_TYPES = {"a boolean": "boolean", "a string": "string", "a number": "number", "an array": "array"}


def _kind(value: object, field: Field) -> str:
    from astra_filter.cli.json_text import kind

    found = kind(value)
    own = "array" if isinstance(field, Array) else {"boolean": "boolean", "integer": "number"}.get(field.type, "string")
    return f"no {field.type}" if _JSON_TYPES.get(found) == own else found


def _tested(condition: Condition) -> set[tuple[str, ...]]:
    """The paths of a resource that a filter tests."""
    match condition:
        case AllOf(operands) | AnyOf(operands):
            return set().union(*map(_tested, operands))
        case _:
            return {condition.ref.path}


# What is said beside the answer


def tell(line: str) -> None:
    """Say something on standard error."""
    if sys.stderr is not None:
        sys.stderr.write(line + "\n")


def print_line(line: str) -> None:
    """Print a line on standard output."""
    prepare()
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def report(source: Source, unread: Unread, shape: Shape) -> None:
    """Say what of the file did not come through as it is."""
    for note in source.notes:
        tell(note)
    if source.invalid:
        tell(messages.invalid(source.name, source.invalid))
    for (path, kind), count in unread.counts.items():
        tell(messages.unread(path_text(path), kind, count))
    for name, count in shape.left_out.items():
        tell(messages.left_out(name, count))


def summarise(asked: Asked, outcome: Outcome, begun: float) -> None:
    """Say how much was read, where a person watches or asks."""
    if asked.summary or (sys.stderr is not None and sys.stderr.isatty()):
        tell(messages.summary(outcome.read, outcome.matched, time.monotonic() - begun))
