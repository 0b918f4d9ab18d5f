"""Answers to text: a table, JSON, JSON lines, CSV, Parquet. Rows are written as they come, where the form allows it."""

from __future__ import annotations

import csv
import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from astra_filter.cli import messages, written
from astra_filter.language.span import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from astra_filter.cli.sources import Row
    from astra_filter.fields import Field


class OutputFormat(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


_BLOCK = 200
"""How many rows a table on a terminal has before it is drawn, and the next one begins."""


def prepare(encoding: str | None = None) -> None:
    """Let what the encoding of standard output cannot write come out escaped, as JSON itself writes lone surrogates.

    Raises:
        InputError: it is closed.
    """
    if sys.stdout is None:
        raise messages.closed("output")
    sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")  # type: ignore[union-attr]  # `TextIO` has none.


class Shape:
    """What is written of each row.

    Args:
        names: the columns; of forms that have some.
        columns: the names of the source's own columns, where it has some.
        root: the declared fields whose members may be hidden; None where nothing is.
    """

    def __init__(self, names: list[str], columns: list[str] | None, root: Field | None) -> None:
        self.names = names
        self.columns = columns
        self._root = root if root is not None and written.hides(root) else None
        self.left_out: dict[str, int] = {}
        """How many values of members were left out because they have no column."""

    def line(self, row: Row) -> str | bytes:
        """Return a row as JSON on one line."""
        if self._root is not None:
            return written.text(self.document(row))
        if type(row.text) is bytes and b"\r" not in row.text:
            return row.text
        return written.line(row, self.columns)

    def document(self, row: Row) -> dict[str, Any]:
        """Return a row as what its source wrote, without hidden members."""
        found = written.document(row, self.columns)
        if self._root is None:
            return found
        shown: dict[str, Any] = written.without_hidden(found, self._root)
        return shown

    def shown(self, row: Row) -> dict[str, Any]:
        """Return a row as values, without hidden members."""
        if self._root is None:
            return row.value
        shown: dict[str, Any] = written.without_hidden(row.value, self._root)
        return shown

    def cells(self, item: Row | list[Any]) -> list[str]:
        """Return a row, or the values that were asked for, as cells."""
        if isinstance(item, list):
            return [written.cell(value) for value in item]
        if item.cells is not None and self.names == self.columns:
            return item.cells
        value = self.document(item)
        if len(value) > len(self.names) or not value.keys() <= set(self.names):
            for name in value:
                if name not in self.names:
                    self.left_out[name] = self.left_out.get(name, 0) + 1
        return [written.cell(value.get(name)) for name in self.names]


class Writer:
    """Writes to standard output.

    Args:
        shape: what is written of each row.
    """

    encoding: str | None = "utf-8"

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        prepare(self.encoding)

    def write(self, item: Row | list[Any]) -> None:
        """Write a row, or the values that were asked for."""
        raise NotImplementedError

    def flush(self) -> None:
        """Show what there is: no more may come for a while."""
        sys.stdout.flush()

    def finish(self, metadata: dict[str, Any]) -> None:
        """Write what comes after the rows."""
        del metadata
        self.flush()


class Lines(Writer):
    """JSON lines."""

    def write(self, item: Row | list[Any]) -> None:
        """Write a row, or the values that were asked for."""
        if isinstance(item, list):
            sys.stdout.write(json.dumps(item, ensure_ascii=False) + "\n")
            return
        line = self.shape.line(item)
        if isinstance(line, str):
            sys.stdout.write(line + "\n")
        else:
            sys.stdout.buffer.write(line + b"\n")

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        # Text and bytes go by turns: neither may wait for the other.
        sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]  # As above.


class Document(Writer):
    """The document of a list response, with an item a line."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self._begun = False

    def write(self, item: Row | list[Any]) -> None:
        """Write a row, or the values that were asked for."""
        line = json.dumps(item, ensure_ascii=False) if isinstance(item, list) else self.shape.line(item)
        text = line.decode() if isinstance(line, bytes) else line
        sys.stdout.write((",\n    " if self._begun else '{\n  "items": [\n    ') + text)
        self._begun = True

    def finish(self, metadata: dict[str, Any]) -> None:
        """Write what comes after the rows."""
        sys.stdout.write("\n  ],\n" if self._begun else '{\n  "items": [],\n')
        sys.stdout.write(f'  "metadata": {json.dumps(metadata, ensure_ascii=False)}\n}}\n')
        self.flush()


class Cells(Writer):
    """CSV."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self._writer = csv.writer(_Ends(), lineterminator="\r\n")
        self._writer.writerow(shape.names)

    def write(self, item: Row | list[Any]) -> None:
        """Write a row, or the values that were asked for."""
        self._writer.writerow(self.shape.cells(item))


class _Ends:
    """Ends rows by a line feed alone; the writer quotes those characters only that it believes to end them."""

    def write(self, row: str) -> None:
        sys.stdout.write(row.removesuffix("\r\n") + "\n")


class Tabs(Writer):
    """A table where no terminal is: cells with tabs between them, control characters escaped."""

    encoding = None

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self._line(shape.names)

    def write(self, item: Row | list[Any]) -> None:
        """Write a row, or the values that were asked for."""
        self._line(self.shape.cells(item))

    def _line(self, cells: Iterable[str]) -> None:
        sys.stdout.write("\t".join([visible(cell, len(cell)) for cell in cells]) + "\n")


class Table(Writer):
    """A table on a terminal; one record below the other where columns would have to be cut."""

    encoding = None

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        from rich.console import Console  # Paid by those who look at a table.

        self._console: Console = Console(highlight=False, markup=False, emoji=False)
        self._rows: list[list[str]] = []
        self._number = 0
        self._drawn = False

    def write(self, item: Row | list[Any]) -> None:
        """Write a row, or the values that were asked for."""
        # Control characters in the data must not reach the terminal.
        self._rows.append([visible(cell, len(cell)) for cell in self.shape.cells(item)])
        if len(self._rows) >= _BLOCK:
            self._draw()

    def flush(self) -> None:
        """Show what there is: no more may come for a while."""
        if self._rows:
            self._draw()
        sys.stdout.flush()

    def finish(self, metadata: dict[str, Any]) -> None:
        """Write what comes after the rows."""
        del metadata
        if not self._drawn and not self._rows:
            self._draw()
        self.flush()

    def _draw(self) -> None:
        rows, self._rows, self._drawn = self._rows, [], True
        names = [visible(name, len(name)) for name in self.shape.names]
        if self._fits(names, rows):
            self._table(names, rows)
        else:
            self._records(names, rows)

    def _fits(self, names: list[str], rows: list[list[str]]) -> bool:
        from rich.cells import cell_len

        widths = [max([cell_len(name), *[cell_len(row[place]) for row in rows]]) for place, name in enumerate(names)]
        return sum(widths) + 3 * len(widths) + 1 <= self._console.width

    def _table(self, names: list[str], rows: list[list[str]]) -> None:
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable()
        for name in names:
            table.add_column(Text(name), overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        self._console.print(table)
        self._number += len(rows)

    def _records(self, names: list[str], rows: list[list[str]]) -> None:
        from rich.cells import cell_len
        from rich.text import Text

        width = min(max(map(cell_len, names), default=0), self._console.width // 2)
        for row in rows:
            self._number += 1
            self._console.print(Text(f"── {self._number} ".ljust(self._console.width, "─"), "dim"), overflow="crop")
            for name, value in zip(names, row, strict=True):
                if value:
                    line = Text(name.ljust(width), "bold") + Text(f"  {value}")
                    self._console.print(line, overflow="fold", soft_wrap=False)


class Parquet(Writer):
    """A Parquet file, written at the end."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        if sys.stdout.isatty():
            raise messages.binary_on_terminal()
        self._values: list[dict[str, Any]] = []

    def write(self, item: Row | list[Any]) -> None:
        """Keep a row, or the values that were asked for."""
        if isinstance(item, list):
            self._values.append(dict(zip(self.shape.names, item, strict=True)))
        else:
            self._values.append(self.shape.shown(item))

    def finish(self, metadata: dict[str, Any]) -> None:
        """Write the file."""
        del metadata
        from astra_filter.cli.arrow import write_parquet  # Paid by those who write such files.

        write_parquet(self._values)


def writer(form: OutputFormat, shape: Shape) -> Writer:
    """Return what writes in a form."""
    match form:
        case OutputFormat.TABLE:
            return Table(shape) if sys.stdout is not None and sys.stdout.isatty() else Tabs(shape)
        case OutputFormat.JSON:
            return Document(shape)
        case OutputFormat.JSONL:
            return Lines(shape)
        case OutputFormat.CSV:
            return Cells(shape)
        case OutputFormat.PARQUET:
            return Parquet(shape)
