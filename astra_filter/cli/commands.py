"""The commands: each reads what it is given, asks the library, and writes the answer.

Long because a command's options are declared where it is.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from astra_filter.cli import messages, reading, schemas, selecting
from astra_filter.cli.arguments import (
    ContinueOption,
    CountOnlyOption,
    CountOption,
    DelimiterOption,
    DialectName,
    EncodingOption,
    ExplainRowOption,
    FileArgument,
    FilterArgument,
    FilterOption,
    FormatOption,
    FromOption,
    IncludeOption,
    ItemsOption,
    KeyOption,
    LimitOption,
    OmitOption,
    OrderOption,
    RefOption,
    SampleOption,
    SchemaOption,
    SkipInvalidOption,
    SkipOption,
    StatusOption,
    SummaryOption,
    TableOption,
)
from astra_filter.cli.introspection import is_database, schema_of
from astra_filter.cli.messages import InputError
from astra_filter.cli.playground import serve_playground
from astra_filter.cli.progress import Progress
from astra_filter.cli.schemas import Given
from astra_filter.cli.selecting import Asked, Outcome, print_line
from astra_filter.cli.serve import serve
from astra_filter.cli.sources import Format, Options, Row
from astra_filter.cli.writing import OutputFormat, Shape, writer
from astra_filter.errors import AstraFilterError, RequestError
from astra_filter.fields import Object
from astra_filter.language.names import path_text
from astra_filter.schema import Schema
from astra_filter.schema import compile as compile_open
from astra_filter.syntax import drawing

if TYPE_CHECKING:
    from astra_filter.cli.sources import Source
    from astra_filter.errors import Problem
    from astra_filter.fields import Field
    from astra_filter.filter import Filter

_EPILOG = """Operators: eq ne lt lte gt gte · in (…) · not in (…) · contains startswith endswith · and or not · a[…].
Examples: astra-filter query tasks.json --filter "state eq 'running' and percentDone gte 20";
astra-filter query people.csv --filter "name in ('Ada', 'Grace')" --include name,born --order-by born;
tail -f app.jsonl | astra-filter query - --filter "level eq 'error'" --format jsonl"""

app = typer.Typer(
    name="astra-filter",
    help="Filter files, databases and standard input; check filters and turn them into SQL.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_OPTIONS = {"orderBy": "--order-by"}
"""Query parameters whose options have other names."""
_SQLITE = DialectName("sqlite")


def run(arguments: list[str]) -> None:
    """Run the command with these arguments, and exit."""
    try:
        app(arguments, prog_name="astra-filter")
    except RequestError as error:
        _fail("\n\n".join(_rendered(problem) for problem in error.problems))
    except (InputError, AstraFilterError) as error:
        _fail(str(error))
    except OSError as error:  # Files and databases word their own.
        if sys.stdout is not None:
            _drop(sys.stdout)
        _fail(str(messages.unwritable(error)))


def _rendered(problem: Problem) -> str:
    name = problem.parameter
    if name == "filter":
        return problem.render()
    return f"{_OPTIONS.get(name, f'--{name}')}: {problem.render()}"


def _fail(message: str) -> None:
    try:
        sys.stderr.write(message + "\n")
        sys.stderr.flush()
    except OSError:  # There is nobody to tell.
        _drop(sys.stderr)
    sys.exit(2)


def _drop(stream: TextIO) -> None:
    """Let what is left to write go nowhere: it would fail again when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # Paid by those who ask.

        print_line(version("astra-filter"))
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version  # Its callback did the work.


# Commands ------------------------------------------------------------------------------------------------------------


@app.command(epilog=_EPILOG)
def query(
    file: FileArgument,
    filter_: FilterOption = None,
    include: IncludeOption = None,
    limit: LimitOption = None,
    order_by: OrderOption = None,
    skip: SkipOption = None,
    count: CountOption = False,
    continue_: ContinueOption = None,
    form: FormatOption = OutputFormat.TABLE,
    count_only: CountOnlyOption = False,
    exit_status: StatusOption = False,
    summary: SummaryOption = False,
    explain_row: ExplainRowOption = None,
    schema: SchemaOption = None,
    ref: RefOption = None,
    omit_unsupported: OmitOption = False,
    key: KeyOption = None,
    from_: FromOption = None,
    table: TableOption = None,
    items: ItemsOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = None,
    skip_invalid: SkipInvalidOption = False,
) -> None:
    """Select, sort and page the resources of a file. Without --include they are printed as the file has them."""
    asked = Asked(
        _parameters(filter_, include, limit, order_by, skip, count, continue_),
        form,
        count_only,
        exit_status,
        summary,
        key,
        explain_row,
    )
    declared = schemas.declared(Given(schema, ref, omit_unsupported))
    options = Options(from_, items, delimiter, encoding, skip_invalid)
    progress = Progress()
    with reading.open_source(file, options, progress) as source:
        if source.format is Format.SQLITE:
            if explain_row is not None:
                raise messages.table_only("--explain-row")
            outcome = _query_table(source, table, declared, asked)
        elif table is not None:
            raise messages.table_elsewhere(source.name)
        else:
            outcome = selecting.answer(
                source, declared, asked, progress, lambda: reading.open_source(file, options, Progress())
            )
    if asked.exit_status and not outcome.matched:
        raise typer.Exit(1)


@app.command()
def sql(
    dialect: Annotated[DialectName, typer.Option(help="The database.")] = _SQLITE,
    filter_: FilterOption = None,
    include: IncludeOption = None,
    limit: LimitOption = None,
    order_by: OrderOption = None,
    skip: SkipOption = None,
    continue_: ContinueOption = None,
    placeholders: Annotated[str | None, typer.Option(metavar="STYLE", help="?, %s, $1 or :p1.")] = None,
    schema: SchemaOption = None,
    ref: RefOption = None,
    omit_unsupported: OmitOption = False,
    sample: SampleOption = None,
    key: KeyOption = None,
    from_: FromOption = None,
    table: TableOption = None,
) -> None:
    """Print the WHERE condition of a filter, or with --table the whole SELECT; then its parameters as JSON."""
    given = Given(schema, ref, omit_unsupported, sample, key)
    known = schemas.of_options(given, Options(from_), table, selects=True)
    if known is None:
        raise messages.no_schema()
    request = known.query(_parameters(filter_, include, limit, order_by, skip, False, continue_))
    if table is not None:
        statement = request.sql(table, dialect.value, placeholders=placeholders)
    elif any(option is not None for option in (include, limit, order_by, skip, continue_)):
        raise messages.no_table_to_select()
    elif request.filter is None:
        raise messages.no_filter()
    else:
        statement = request.filter.sql(dialect.value, placeholders=placeholders)
    print_line(statement.text)
    print_line(json.dumps(statement.params, ensure_ascii=False, default=str))


@app.command()
def check(
    text: FilterArgument,
    schema: SchemaOption = None,
    ref: RefOption = None,
    omit_unsupported: OmitOption = False,
    sample: SampleOption = None,
    from_: FromOption = None,
    table: TableOption = None,
) -> None:
    """Check a filter and print its canonical text. Without a schema any field is taken."""
    print_line(str(_compiled(text, Given(schema, ref, omit_unsupported, sample), from_, table)))


@app.command()
def explain(
    text: FilterArgument,
    schema: SchemaOption = None,
    ref: RefOption = None,
    omit_unsupported: OmitOption = False,
    sample: SampleOption = None,
    from_: FromOption = None,
    table: TableOption = None,
) -> None:
    """Print a filter as a tree."""
    compiled = _compiled(text, Given(schema, ref, omit_unsupported, sample), from_, table)
    for line in drawing.lines(compiled.syntax):
        print_line(line)


class SchemaForm(StrEnum):
    """How a schema is printed."""

    JSON = "json"
    PYTHON = "python"


@app.command("schema")
def print_schema(
    file: FileArgument,
    form: Annotated[
        SchemaForm | None,
        typer.Option("--format", help="JSON Schema, or Python to paste; of a database the latter.", show_default=False),
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="What the Python calls it.")] = "SCHEMA",
    key: KeyOption = None,
    omit_unsupported: Annotated[
        bool, typer.Option(help="Leave out columns of a database that no storage holds.")
    ] = False,
    from_: FromOption = None,
    table: TableOption = None,
    items: ItemsOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = None,
    skip_invalid: SkipInvalidOption = False,
) -> None:
    """Print the schema that the data shows, or a database's catalogue: to look at, to mend, and to give to --schema.

    A database is named by a URL: postgresql://…, mysql://…, sqlite:FILE or duckdb:FILE.
    """
    if not name.isidentifier():
        raise messages.no_identifier(name)
    found: Schema | None
    if is_database(file):
        found = schema_of(file, table, key, omit_unsupported=omit_unsupported)
        form = form or SchemaForm.PYTHON
    else:
        options = Options(from_, items, delimiter, encoding, skip_invalid)
        found = schemas.of_options(Given(sample=file, key=key), options, table, selects=False)
    assert found is not None  # noqa: S101  # There is a sample.
    if form is SchemaForm.PYTHON:
        print_line(found.to_python(name).rstrip("\n"))
    else:
        print_line(json.dumps(schemas.json_schema_of(found), ensure_ascii=False, indent=2))


@app.command()
def repl(
    file: FileArgument,
    schema: SchemaOption = None,
    ref: RefOption = None,
    omit_unsupported: OmitOption = False,
    from_: FromOption = None,
    items: ItemsOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = None,
    skip_invalid: SkipInvalidOption = False,
) -> None:
    """Take one filter after the other over a file, with completion and history."""
    from astra_filter.cli.repl import run_repl  # Needs the extra of that name.

    run_repl(file, Options(from_, items, delimiter, encoding, skip_invalid), Given(schema, ref, omit_unsupported))


@app.command()
def lsp(
    schema: SchemaOption = None,
    ref: RefOption = None,
    omit_unsupported: OmitOption = False,
    sample: SampleOption = None,
    from_: FromOption = None,
    table: TableOption = None,
) -> None:
    """Speak the language server protocol, over standard input and output, about documents that are one filter."""
    from astra_filter.cli.lsp import make_server  # Needs the extra of that name.

    given = Given(schema, ref, omit_unsupported, sample)
    make_server(schemas.of_options(given, Options(from_), table, selects=False) or Schema.open()).start_io()


@app.command()
def playground(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="A file of resources; default: the published example.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 0,
    schema: SchemaOption = None,
    ref: RefOption = None,
    omit_unsupported: OmitOption = False,
    from_: FromOption = None,
    items: ItemsOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = None,
    skip_invalid: SkipInvalidOption = False,
) -> None:
    """Serve a page on this machine, and nowhere else, to write filters over a file and see what they mean."""
    options = Options(from_, items, delimiter, encoding, skip_invalid)
    serve_playground(file, options, Given(schema, ref, omit_unsupported), port)


app.command()(serve)


# Steps ---------------------------------------------------------------------------------------------------------------


def _compiled(text: str, given: Given, from_: Format | None, table: str | None) -> Filter:
    if table is not None and given.sample is None:
        raise messages.table_without_sample()
    known = schemas.of_options(given, Options(from_), table, selects=False)
    return compile_open(text) if known is None else known.compile(text)


def _parameters(
    filters: list[str] | None,
    include: str | None,
    limit: str | None,
    order_by: str | None,
    skip: str | None,
    count: bool,
    continue_: str | None,
) -> list[tuple[str, str]]:
    """The options as the query parameters that they stand for."""
    single = {"include": include, "limit": limit, "orderBy": order_by, "skip": skip, "continue": continue_}
    pairs = [("filter", text) for text in filters or ()]
    pairs += [(name, value) for name, value in single.items() if value is not None]
    return [*pairs, ("count", "true")] if count else pairs


def _query_table(source: Source, wanted: str | None, declared: dict[str, Field] | None, asked: Asked) -> Outcome:
    """Answer a request from a table; its own order is that of its key."""
    with closing(schemas.open_table(source, wanted)) as opened:
        request = schemas.of_table(opened, declared, asked.key).query(asked.parameters)
        if asked.count_only:
            matched = opened.count(request)
            print_line(str(matched))
            return Outcome(matched, matched)
        page = opened.page(request)
    root = request.declaration.root
    assert isinstance(root, Object)  # noqa: S101  # A table has columns.
    if request.include is not None:
        names = [path_text(path) for path in request.include]
    else:
        names = [name for name, field in root.members.items() if field.returnable]
    out = writer(asked.form, Shape(names, None, None))
    for item in page.items:
        out.write(item if isinstance(item, list) else Row(item))
    metadata = {"continue": page.next_token, "count": page.total}
    out.finish({name: value for name, value in metadata.items() if value is not None})
    if asked.form is not OutputFormat.JSON:
        if page.total is not None:
            selecting.tell(messages.total(page.total))
        if page.more:
            selecting.tell(messages.more(page.next_token))
    return Outcome(len(page.items), len(page.items))
