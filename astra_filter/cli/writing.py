"""Pages to text: a table, JSON, JSON lines, CSV."""

from __future__ import annotations

import csv
import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from astra_filter.cli import messages
from astra_filter.fields import Object
from astra_filter.language.names import path_text
from astra_filter.language.span import visible
from astra_filter.syntax.nodes import And, Element, Node, Not, Or
from astra_filter.syntax.printer import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astra_filter.query import ListQuery, Page
    from astra_filter.syntax.tree import Syntax


class OutputFormat(StrEnum):
    """How a page is written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


_UNBOUNDED = 1_000_000


def prepare(encoding: str | None = None) -> None:
    """Let what the encoding of standard output cannot write come out escaped, as JSON itself writes lone surrogates.

    Raises:
        InputError: it is closed.
    """
    if sys.stdout is None:
        raise messages.closed("output")
    sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")  # type: ignore[union-attr]  # `TextIO` has none.


def write(page: Page, query: ListQuery, form: OutputFormat) -> None:
    """Write a page to standard output; what JSON keeps in ``metadata`` goes to standard error in the other forms."""
    # JSON and CSV are UTF-8.
    prepare(None if form is OutputFormat.TABLE else "utf-8")
    match form:
        case OutputFormat.JSON:
            json.dump(page.body(), sys.stdout, ensure_ascii=False, indent=2)
            sys.stdout.write("\n")
        case OutputFormat.JSONL:
            for item in page.items:
                sys.stdout.write(json.dumps(item, ensure_ascii=False) + "\n")
        case OutputFormat.CSV:
            writer = csv.writer(_Lines(), lineterminator="\r\n")
            writer.writerow(_header(query))
            writer.writerows([_plain(value) for value in row] for row in _rows(page, query))
        case OutputFormat.TABLE:
            _table(page, query)
    sys.stdout.flush()
    if form is OutputFormat.JSON:
        return
    if page.total is not None:
        sys.stderr.write(messages.total(page.total) + "\n")
    if page.more:
        sys.stderr.write(messages.more(page.next_token) + "\n")


class _Lines:
    """Ends rows by a line feed alone; the writer quotes those characters only that it believes to end them."""

    def write(self, row: str) -> None:
        sys.stdout.write(row.removesuffix("\r\n") + "\n")


def _header(query: ListQuery) -> list[str]:
    if query.include is not None:
        return [path_text(path) for path in query.include]
    root = query.declaration.root
    return [name for name, field in root.members.items() if field.returnable] if isinstance(root, Object) else []


def _rows(page: Page, query: ListQuery) -> Iterator[list[Any]]:
    header = _header(query)
    for item in page.items:
        yield item if isinstance(item, list) else [item.get(name) for name in header]


def _plain(value: object) -> str:
    """A value as a cell of text: strings as they are, null as nothing, anything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table(page: Page, query: ListQuery) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Where no person looks there is no width to fit, and nothing may be cut.
    console = Console() if sys.stdout.isatty() else Console(width=_UNBOUNDED)
    table = Table()
    for name in _header(query):
        table.add_column(Text(visible(name)), overflow="fold")
    for row in _rows(page, query):
        # Control characters in the data must not reach the terminal.
        table.add_row(*(Text(visible(cell, len(cell))) for cell in map(_plain, row)))
    console.print(table)


def tree(syntax: Syntax) -> Iterator[str]:
    """Yield a filter as the lines of a tree: connectives and brackets above what they hold, a test on each leaf."""
    yield from _branch(syntax.root, syntax, "", "")


def _branch(node: Node, syntax: Syntax, first: str, rest: str) -> Iterator[str]:
    inner: tuple[Node, ...]
    match node:
        case And(operands):
            label, inner = "and", operands
        case Or(operands):
            label, inner = "or", operands
        case Not(operand):
            label, inner = "not", (operand,)
        case Element(path, condition):
            label, inner = f"{path_text(path.names)}[…]", (condition,)
        case _:
            label, inner = canonical(node, syntax.literals), ()
    yield first + visible(label, len(label))
    for place, below in enumerate(inner, 1):
        last = place == len(inner)
        yield from _branch(below, syntax, rest + ("└── " if last else "├── "), rest + ("    " if last else "│   "))
