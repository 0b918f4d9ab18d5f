"""What the readers of files share: an opened file, what it holds, and its rows.

A row keeps what the file itself says, so that nothing is lost.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from astra_filter.cli.inputs import Input
    from astra_filter.cli.messages import InputError

Resource = dict[str, Any]

SAMPLE_ROWS = 10_000
SAMPLE_BYTES = 8 << 20
"""What is looked at to say what the fields are, before the first row is given out."""


class Format(StrEnum):
    """What a file holds."""

    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    YAML = "yaml"
    PARQUET = "parquet"
    ARROW = "arrow"
    SQLITE = "sqlite"


class Row(NamedTuple):
    """One resource of a file."""

    value: Resource
    """What the filter looks at."""
    text: str | bytes | None = None
    """The resource as JSON, as the file has it; None where the file is no JSON."""
    cells: list[str] | None = None
    """The cells as the file has them; None where the file has none."""


class Options(NamedTuple):
    """What a person says of a file."""

    form: Format | None = None
    items: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    skip_invalid: bool = False


class Source:
    """A file that has been opened.

    Args:
        source: its bytes.
        form: what it is; None where neither the person nor the file says it, and the contents look like JSON.
        options: what the person said.
    """

    def __init__(self, source: Input, form: Format | None, options: Options) -> None:
        self.input = source
        self.name = source.name
        self.path = source.path
        self.format = form
        self.options = options
        self.columns: list[str] | None = None
        """The names of the columns, known once the first row is; None for files without columns."""
        self.notes: list[str] = []
        """What to tell the person about how the file was read."""
        self.invalid = 0
        """How many rows could not be read, where that is no error."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.input.close()

    def passes_over(self, error: InputError) -> None:
        """Count a row that cannot be read; raise the error where that is one."""
        if not self.options.skip_invalid:
            raise error
        self.invalid += 1
