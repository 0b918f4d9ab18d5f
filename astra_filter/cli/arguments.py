"""The arguments and options that the commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from astra_filter.cli.sources import Format
from astra_filter.cli.writing import OutputFormat
from astra_filter.sql.dialects import DIALECTS

DialectName = StrEnum("DialectName", {name.upper(): name for name in DIALECTS})  # type: ignore[misc]  # Of the registry.
"""The databases that SQL is written for."""

FileArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="JSON, JSON lines, CSV, TSV, YAML, Parquet, Arrow or SQLite, also compressed; - for standard input.",
    ),
]
FilterArgument = Annotated[str, typer.Argument(metavar="FILTER", help="The filter.")]

# The schema

SchemaOption = Annotated[
    str | None,
    typer.Option("--schema", metavar="FILE", help="A JSON Schema or OpenAPI document; default: inferred."),
]
RefOption = Annotated[
    str | None,
    typer.Option(metavar="REF", help="The resource in it: a JSON pointer, or the name of a definition or its end."),
]
OmitOption = Annotated[
    bool, typer.Option("--omit-unsupported", help="Leave out members of it that no field represents.")
]
SampleOption = Annotated[
    str | None,
    typer.Option("--sample", metavar="FILE", help="A file to infer the schema from, instead of --schema."),
]
KeyOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="The field that identifies a resource; default: id, if it does.")
]

# The file

FromOption = Annotated[Format | None, typer.Option("--from", help="What the file is, if its name does not say.")]
TableOption = Annotated[str | None, typer.Option(metavar="NAME", help="The table of an SQLite database.")]
ItemsOption = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Where the array of resources is in a JSON or YAML document: data.rows."),
]
DelimiterOption = Annotated[
    str | None, typer.Option(metavar="CHARACTER", help="What separates the cells of CSV; default: what the header has.")
]
EncodingOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="The encoding of a text file, such as latin-1; default: UTF-8.")
]
SkipInvalidOption = Annotated[
    bool, typer.Option("--skip-invalid", help="Pass over lines and rows that cannot be read, and say how many.")
]

# The request


def _complete_filter(context: typer.Context, incomplete: str) -> list[str]:
    """What a shell may make of a filter that is being written, where the file is known by then."""
    from astra_filter.cli.shell import continuations  # Paid by shells that ask.

    # Where the last option still lacks its value, what stands before it has not been told apart yet.
    file = context.params.get("file") or next(iter(context.args), None)
    return continuations(file, context.params.get("schema"), incomplete)


FilterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="FILTER",
        help="Which resources; given again it means and.",
        autocompletion=_complete_filter,
    ),
]
IncludeOption = Annotated[str | None, typer.Option(metavar="NAMES", help="Which fields, in order: id,name.")]
LimitOption = Annotated[str | None, typer.Option(metavar="N", help="The most resources to return.")]
OrderOption = Annotated[str | None, typer.Option("--order-by", metavar="KEYS", help="The order: name desc,id.")]
SkipOption = Annotated[str | None, typer.Option(metavar="N", help="How many resources to pass over.")]
CountOption = Annotated[bool, typer.Option("--count", help="Count all matches too.")]
ContinueOption = Annotated[str | None, typer.Option("--continue", metavar="TOKEN", help="Where the last page ended.")]

# The answer

FormatOption = Annotated[OutputFormat, typer.Option("--format", help="How to write the answer.")]
CountOnlyOption = Annotated[bool, typer.Option("--count-only", help="Print the number of matches, and nothing else.")]
StatusOption = Annotated[bool, typer.Option("--exit-status", help="Exit with 1 when nothing matches.")]
ExplainRowOption = Annotated[
    int | None,
    typer.Option("--explain-row", metavar="N", min=1, help="Say why row N of the file matches, or does not."),
]
SummaryOption = Annotated[
    bool, typer.Option("--summary", help="Say at the end how many rows were read and matched; on a terminal always.")
]
