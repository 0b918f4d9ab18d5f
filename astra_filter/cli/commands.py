"""The commands: each reads what it is given, asks the library, and writes the answer."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from astra_filter.cli import messages, reading, writing
from astra_filter.cli.messages import InputError
from astra_filter.cli.progress import Progress
from astra_filter.cli.reading import Format
from astra_filter.cli.serve import serve
from astra_filter.cli.writing import OutputFormat
from astra_filter.errors import AstraFilterError, QueryError, RequestError, SchemaError
from astra_filter.fields import changed
from astra_filter.schema import Schema
from astra_filter.schema import compile as compile_open
from astra_filter.sql.dialects import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from astra_filter.cli.database import Table
    from astra_filter.errors import Problem
    from astra_filter.fields import Field
    from astra_filter.filter import Filter
    from astra_filter.meaning.leaves import Leaf
    from astra_filter.query import ListQuery, Page

app = typer.Typer(
    name="astra-filter",
    help="Filter files, databases and standard input; check filters and turn them into SQL.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_OPTIONS = {"orderBy": "--order-by"}
"""Query parameters whose options have other names."""


DialectName = StrEnum("DialectName", {name.upper(): name for name in DIALECTS})  # type: ignore[misc]  # Of the registry.
"""The databases that SQL is written for."""
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


# Arguments -----------------------------------------------------------------------------------------------------------

FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="JSON, JSON lines, CSV or SQLite; - for standard input.")
]
FilterArgument = Annotated[str, typer.Argument(metavar="FILTER", help="The filter.")]
SchemaOption = Annotated[
    str | None,
    typer.Option("--schema", metavar="FILE", help="A JSON Schema or OpenAPI document; default: inferred."),
]
RefOption = Annotated[
    str | None, typer.Option(metavar="REF", help="The resource in it: a JSON pointer, or the name of a definition.")
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
FromOption = Annotated[Format | None, typer.Option("--from", help="What the file is, if its name does not say.")]
TableOption = Annotated[str | None, typer.Option(metavar="NAME", help="The table of an SQLite database.")]
FilterOption = Annotated[
    list[str] | None, typer.Option("--filter", metavar="FILTER", help="Which resources; given again it means and.")
]
IncludeOption = Annotated[str | None, typer.Option(metavar="NAMES", help="Which fields, in order: id,name.")]
LimitOption = Annotated[str | None, typer.Option(metavar="N", help="The most resources to return.")]
OrderOption = Annotated[str | None, typer.Option("--order-by", metavar="KEYS", help="The order: name desc,id.")]
SkipOption = Annotated[str | None, typer.Option(metavar="N", help="How many resources to pass over.")]
CountOption = Annotated[bool, typer.Option("--count", help="Count all matches too.")]
ContinueOption = Annotated[str | None, typer.Option("--continue", metavar="TOKEN", help="Where the last page ended.")]


# Commands ------------------------------------------------------------------------------------------------------------


@app.command()
def query(
    file: FileArgument,
    filter_: FilterOption = None,
    include: IncludeOption = None,
    limit: LimitOption = None,
    order_by: OrderOption = None,
    skip: SkipOption = None,
    count: CountOption = False,
    continue_: ContinueOption = None,
    form: Annotated[OutputFormat, typer.Option("--format", help="How to write the answer.")] = OutputFormat.TABLE,
    schema: SchemaOption = None,
    ref: RefOption = None,
    omit_unsupported: OmitOption = False,
    key: KeyOption = None,
    from_: FromOption = None,
    table: TableOption = None,
) -> None:
    """Select, sort and page the resources of a file."""
    parameters = _parameters(filter_, include, limit, order_by, skip, count, continue_)
    declared = _declared(schema, ref, omit_unsupported)
    progress = Progress()
    source = reading.open_source(file, from_, progress)
    if source.format is Format.SQLITE:
        with closing(_table(source, table)) as opened:
            request = _schema_of_table(opened, declared, key).query(parameters)
            page = opened.page(request)
    else:
        if table is not None:
            raise messages.table_elsewhere(source.name)
        request, page = _query_resources(source, declared, key, parameters, progress)
    writing.write(page, request, form)


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
    known = _schema(schema, ref, omit_unsupported, sample, key, from_, table, selects=True)
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
    _print(statement.text)
    _print(json.dumps(statement.params, ensure_ascii=False, default=str))


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
    _print(str(_compiled(text, schema, ref, omit_unsupported, sample, from_, table)))


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
    compiled = _compiled(text, schema, ref, omit_unsupported, sample, from_, table)
    for line in writing.tree(compiled.syntax):
        _print(line)


app.command()(serve)


def _compiled(
    text: str,
    schema: str | None,
    ref: str | None,
    omit_unsupported: bool,
    sample: str | None,
    from_: Format | None,
    table: str | None,
) -> Filter:
    if table is not None and sample is None:
        raise messages.table_without_sample()
    known = _schema(schema, ref, omit_unsupported, sample, None, from_, table, selects=False)
    return compile_open(text) if known is None else known.compile(text)


def _print(line: str) -> None:
    writing.prepare()
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


# Steps ---------------------------------------------------------------------------------------------------------------


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


def _declared(schema: str | None, ref: str | None, omit_unsupported: bool) -> dict[str, Field] | None:
    """The fields that --schema declares."""
    if schema is None:
        if ref is not None:
            raise messages.ref_without_schema()
        return None
    from astra_filter.derive import json_schema

    source = reading.open_source(schema, Format.JSON, Progress())
    document = reading.json_document(source)
    if not isinstance(document, dict):
        raise messages.schema_not_object(source.name)
    try:
        return json_schema.members(document, ref=ref, omit_unsupported=omit_unsupported)
    except AstraFilterError as error:
        raise messages.at_schema(source.name, error) from None


def _schema(
    schema: str | None,
    ref: str | None,
    omit_unsupported: bool,
    sample: str | None,
    key: str | None,
    from_: Format | None,
    table: str | None,
    *,
    selects: bool,
) -> Schema | None:
    """The schema that --schema or --sample gives; a table that is to be selected from need not be in the sample."""
    declared = _declared(schema, ref, omit_unsupported)
    if declared is not None and sample is not None:
        raise messages.two_schemas()
    if declared is not None:
        return Schema(declared, key=key or _required_id(declared))
    if sample is None:
        return None
    progress = Progress()
    source = reading.open_source(sample, from_, progress)
    if source.format is Format.SQLITE:
        with closing(_table(source, table)) as opened:
            return _schema_of_table(opened, None, key)
    if table is not None and not selects:
        raise messages.table_elsewhere(source.name)
    return _schema_of_resources(source.name, reading.resources(source, None, progress), None, key, progress)


def _query_resources(
    source: reading.Source,
    declared: dict[str, Field] | None,
    key: str | None,
    parameters: list[tuple[str, str]],
    progress: Progress,
) -> tuple[ListQuery, Page]:
    resources = reading.resources(source, declared, progress)
    if not resources and declared is None:
        request = _without_fields(parameters)
        return request, request.page([])
    schema = _schema_of_resources(source.name, resources, declared, key, progress)
    request = schema.query(parameters)
    return request, request.page(progress.over(resources, len(resources), "filtering"))


def _without_fields(parameters: list[tuple[str, str]]) -> ListQuery:
    """The request where nothing tells what fields there are: any will do, and no order or place makes a difference."""
    asked = [(name, value) for name, value in parameters if name != "continue"]
    try:
        return Schema.open().query(asked)
    except RequestError as error:
        wrong = [problem for problem in error.problems if problem.code != "not_sortable"]
        if wrong:
            raise QueryError(wrong) from None
    return Schema.open().query([(name, value) for name, value in asked if name != "orderBy"])


def _schema_of_resources(
    name: str,
    resources: list[reading.Resource],
    declared: dict[str, Field] | None,
    key: str | None,
    progress: Progress,
) -> Schema:
    if declared is None:
        from astra_filter.derive import sample

        try:
            declared = sample.members(progress.over(resources, len(resources), "looking for fields"))
        except SchemaError:
            raise messages.nothing_to_infer(name) from None

    def identifies(leaf: Leaf) -> bool:
        values = [leaf.field.read(resource.get(leaf.path[0])) for resource in resources]
        return None not in values and len(set(values)) == len(values)

    return _keyed(name, declared, key, "id", identifies)


def _table(source: reading.Source, wanted: str | None) -> Table:
    from astra_filter.cli.database import Table  # Only those who read a database pay for SQLite.

    assert source.path is not None  # noqa: S101  # A database never comes from standard input.
    return Table(source.path, source.name, wanted)


def _schema_of_table(table: Table, declared: dict[str, Field] | None, key: str | None) -> Schema:
    name = f"{table.database}, table {table.name}"
    return _keyed(name, table.members(declared), key, table.key, table.identifies)


def _keyed(
    name: str,
    members: dict[str, Field],
    wanted: str | None,
    usual: str | None,
    identifies: Callable[[Leaf], bool],
) -> Schema:
    """The schema of these fields, with the key that is wanted, or the usual one if it identifies the resources.

    Raises:
        InputError: the wanted field is no key.
    """
    key = wanted or usual
    leaf = Schema(members).leaves.get((key,)) if key is not None else None
    problem = None
    if key not in members:
        problem = messages.NOT_A_FIELD
    elif leaf is None or not leaf.field.sortable:
        problem = messages.NOT_SORTABLE
    elif not identifies(leaf):
        problem = messages.NOT_UNIQUE
    if key is None or problem is not None:
        if wanted is not None:
            raise messages.bad_key(name, wanted, str(problem))
        return Schema(members)
    # As just seen, whatever was declared or inferred.
    return Schema({**members, key: changed(members[key], nullable=False)}, key=key)


def _required_id(members: Mapping[str, Field]) -> str | None:
    """The member ``id``, where a schema's word alone makes it fit for a key."""
    field = members.get("id")
    return "id" if field is not None and field.sortable and not field.nullable else None
