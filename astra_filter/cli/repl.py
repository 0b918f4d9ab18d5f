"""The command ``repl``: one filter after the other over a file. Needs the extra ``repl``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astra_filter.cli import messages, schemas
from astra_filter.cli.playground import read_first
from astra_filter.cli.selecting import print_line
from astra_filter.cli.sources import Row
from astra_filter.cli.writing import OutputFormat, Shape, writer
from astra_filter.errors import AstraFilterError, FilterError
from astra_filter.language.names import path_text
from astra_filter.schema import Schema
from astra_filter.sql.dialects import DIALECTS

try:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer, Completion
    from prompt_toolkit.history import FileHistory, InMemoryHistory
    from prompt_toolkit.lexers import Lexer
    from prompt_toolkit.styles import Style
    from prompt_toolkit.validation import DummyValidator
except ModuleNotFoundError as error:
    raise messages.missing_repl(error) from None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.history import History

    from astra_filter.cli.schemas import Given
    from astra_filter.cli.sources import Options, Resource
    from astra_filter.errors import Problem
    from astra_filter.filter import Filter

_LIMIT = 20
_STYLE = Style.from_dict({"wrong": "underline ansired", "toolbar": "noreverse"})


def run_repl(file: str, options: Options, given: Given) -> None:
    """Read a file, and take filters until the end of the input.

    Raises:
        InputError: the file is not what it says; there is no terminal.
    """
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout is not None and sys.stdout.isatty()):
        raise messages.no_terminal()
    declared = schemas.declared(given)
    name, resources = read_first(file, options, declared)
    schema = Schema(schemas.inferred(name, resources) if declared is None else declared)
    session: PromptSession[str] = PromptSession(
        "filter> ",
        completer=FilterCompleter(schema),
        lexer=FilterLexer(schema),
        history=_history(),
        style=_STYLE,
        complete_while_typing=False,
        validator=DummyValidator(),
        bottom_toolbar=lambda: _toolbar(schema, session.default_buffer.text),
    )
    answers = Answers(schema, resources)
    print_line(f"{name}: {len(resources)} rows. Tab completes; :help lists commands; Ctrl-D ends.")
    while True:
        try:
            text = session.prompt().strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if text in (":quit", ":q"):
            return
        if text:
            answers.answer(text)


class Answers:
    """Answers what is written.

    Args:
        schema: of the resources.
        resources: what is filtered.
    """

    def __init__(self, schema: Schema, resources: Sequence[Resource]) -> None:
        self._schema = schema
        self._resources = resources
        self._limit = _LIMIT
        self._last: Filter | None = None
        self._commands: dict[str, tuple[str, Callable[[str], None]]] = {
            ":sql": ("DIALECT  the SQL of the last filter", self._sql),
            ":explain": ("ROW  why that row matches the last filter, or does not", self._explain),
            ":limit": ("N  how many rows are shown", self._set_limit),
            ":fields": ("the fields and their types", self._fields),
            ":help": ("this list", self._help),
        }

    def answer(self, text: str) -> None:
        """Answer a command or a filter."""
        if text.startswith(":"):
            name, _, rest = text.partition(" ")
            if name in self._commands:
                self._commands[name][1](rest.strip())
            else:
                print_line(messages.unknown_command(name, self._commands))
            return
        try:
            self._last = self._schema.compile(text)
        except FilterError as error:
            print_line(str(error))
            return
        matched = [number for number, each in enumerate(self._resources, 1) if self._last.matches(each)]
        shown = matched[: self._limit]
        names = list(dict.fromkeys(name for number in shown for name in self._resources[number - 1]))
        if shown:
            out = writer(OutputFormat.TABLE, Shape(["row", *names], None, None))
            for number in shown:
                out.write(Row({"row": number, **self._resources[number - 1]}))
            out.finish({})
        print_line(f"{len(matched)} of {len(self._resources)} rows match")

    def _sql(self, dialect: str) -> None:
        if self._last is None:
            print_line(messages.NO_FILTER_YET)
            return
        try:
            statement = self._last.sql(dialect or next(iter(DIALECTS)))
        except AstraFilterError as error:
            print_line(str(error))
            return
        print_line(statement.text)
        print_line(repr(statement.params))

    def _explain(self, row: str) -> None:
        if self._last is None:
            print_line(messages.NO_FILTER_YET)
        elif not (row.isascii() and row.isdigit() and len(row) < 10 and 1 <= int(row) <= len(self._resources)):
            print_line(messages.not_a_number(row, len(self._resources)))
        else:
            for line in self._last.explain(self._resources[int(row) - 1]).lines():
                print_line(line)

    def _set_limit(self, number: str) -> None:
        if number.isascii() and number.isdigit() and len(number) < 10 and int(number):
            self._limit = int(number)
        else:
            print_line(messages.not_a_number(number, None))

    def _fields(self, _: str) -> None:
        for path, leaf in self._schema.leaves.items():
            print_line(f"{path_text(path)}: {leaf.field.type}{'?' if leaf.nullable else ''}")

    def _help(self, _: str) -> None:
        for name, (words, _command) in self._commands.items():
            print_line(f"{name} {words}")
        print_line(":quit  end")


class FilterCompleter(Completer):
    """Completes filters, and the names of commands."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """Yield what may come next."""
        del complete_event
        text = document.text_before_cursor
        if text.startswith(":"):
            words = [f":sql {dialect}" for dialect in DIALECTS]
            words += [":explain ", ":limit ", ":fields", ":help", ":quit"]
            yield from (Completion(word, -len(text)) for word in words if word.startswith(text))
            return
        for candidate in self._schema.complete(text):
            start = candidate.span.start - len(text)
            yield Completion(candidate.insert, start, display_meta=candidate.detail or candidate.kind)


class FilterLexer(Lexer):
    """Underlines what is wrong with a filter that is being written."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Return what styles a line; filters are one."""
        line: Any = styled(document.text, wrong(self._schema, document.text))
        return lambda number: line if number == 0 else []


def wrong(schema: Schema, text: str) -> tuple[Problem, ...]:
    """Return what is wrong with a text; nothing while it is blank or a command."""
    if not text.strip() or text.startswith(":"):
        return ()
    try:
        schema.compile(text)
    except FilterError as error:
        return error.problems
    return ()


def styled(text: str, problems: Sequence[Problem]) -> list[tuple[str, str]]:
    """Return a text in pieces, each with its style."""
    bad = {place for problem in problems for place in range(problem.span.start, problem.span.end)}
    return [("class:wrong" if place in bad else "", character) for place, character in enumerate(text)]


def _toolbar(schema: Schema, text: str) -> str:
    problems = wrong(schema, text)
    if not problems:
        return ""
    problem = problems[0]
    return problem.message + (f" \N{EM DASH} hint: {problem.hint}" if problem.hint else "")


def _history() -> History:
    """What was written before, kept where the system keeps the state of programs."""
    state = os.environ.get("XDG_STATE_HOME")
    folder = (Path(state) if state else Path.home() / ".local" / "state") / "astra-filter"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "history").touch(0o600)
    except OSError:  # A home that cannot be written.
        return InMemoryHistory()
    return FileHistory(folder / "history")
