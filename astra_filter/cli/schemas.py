"""What the fields are: as ``--schema`` declares them, or as the data shows them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from astra_filter.cli import messages, reading
from astra_filter.cli.progress import Progress
from astra_filter.cli.sources import Format, Options, Resource, Source
from astra_filter.errors import AstraFilterError, SchemaError
from astra_filter.fields import changed
from astra_filter.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from astra_filter.cli.database import Table
    from astra_filter.fields import Field
    from astra_filter.meaning.leaves import Leaf


class Given(NamedTuple):
    """What the options say of the schema."""

    schema: str | None = None
    ref: str | None = None
    omit_unsupported: bool = False
    sample: str | None = None
    key: str | None = None

    @property
    def form(self) -> Format:
        """What the document of --schema is: YAML where its name says so."""
        yaml = self.schema is not None and self.schema.lower().endswith((".yaml", ".yml"))
        return Format.YAML if yaml else Format.JSON


def declared(given: Given) -> dict[str, Field] | None:
    """Return the fields that --schema declares; None without it.

    Raises:
        InputError: the document declares none.
    """
    if given.schema is None:
        if given.ref is not None:
            raise messages.ref_without_schema()
        return None
    from astra_filter.derive import json_schema

    with reading.open_source(given.schema, Options(given.form), Progress()) as source:
        document = _document(source)
    if not isinstance(document, dict):
        raise messages.schema_not_object(source.name)
    try:
        return json_schema.members(document, ref=given.ref, omit_unsupported=given.omit_unsupported)
    except SchemaError as error:
        omittable = not given.omit_unsupported and error.code in _OMITTABLE
        raise messages.at_schema(source.name, error, omittable=omittable) from None
    except AstraFilterError as error:
        raise messages.at_schema(source.name, error, omittable=False) from None


_OMITTABLE = (
    "conflicting_types",
    "free_form_object",
    "listed_containers",
    "mixed_types",
    "nested_array",
    "only_null",
    "recursive",
    "untyped_elements",
)
"""The refusals that --omit-unsupported turns into a member less."""


def _document(source: Source) -> object:
    if source.format is Format.YAML:
        from astra_filter.cli.json_text import decoded
        from astra_filter.cli.yaml_text import documents

        found = documents(decoded(source.input.all(), source.name, 1), source.name)
        return found[0] if len(found) == 1 else found
    from astra_filter.cli.json_text import json_document

    return json_document(source)


def of_options(given: Given, options: Options, table: str | None, *, selects: bool) -> Schema | None:
    """Return the schema that --schema or --sample gives; a table to select from need not be one of the sample."""
    members = declared(given)
    if members is not None and given.sample is not None:
        raise messages.two_schemas()
    if members is not None:
        return Schema(members, key=given.key or _required_id(members), sqlite_fold=True)
    if given.sample is None:
        return None
    with reading.open_source(given.sample, options, Progress()) as source:
        if source.format is Format.SQLITE:
            with closing(open_table(source, table)) as opened:
                return of_table(opened, None, given.key)
        if table is not None and not selects:
            raise messages.table_elsewhere(source.name)
        return of_resources(source.name, reading.load(source, None), None, given.key)


def of_resources(name: str, resources: Sequence[Resource], members: dict[str, Field] | None, key: str | None) -> Schema:
    """Return the schema of resources that are all at hand, with the key that identifies them."""
    if members is None:
        members = inferred(name, resources)

    def identifies(leaf: Leaf) -> bool:
        values = [leaf.field.read(resource.get(leaf.path[0])) for resource in resources]
        return None not in values and len(set(values)) == len(values)

    return _keyed(name, members, key, "id", identifies)


def inferred(name: str, resources: Iterable[Resource]) -> dict[str, Field]:
    """Return the fields that resources have.

    Raises:
        InputError: nothing tells of what type any of them is.
    """
    from astra_filter.derive import sample

    try:
        return sample.members(resources)
    except SchemaError:
        raise messages.nothing_to_infer(name) from None


def json_schema_of(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of what a schema was inferred from; given to --schema, it makes the same fields."""
    from astra_filter.adapters import openapi  # Paid by those who ask for it.

    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_open_ended(openapi.resource(schema))}


def _open_ended(node: Any) -> Any:
    """A JSON Schema that lets an object have other members: the data of tomorrow may have more."""
    if isinstance(node, dict):
        return {
            name: _open_ended(inner)
            for name, inner in node.items()
            if not (name == "additionalProperties" and inner is False)
        }
    return [_open_ended(inner) for inner in node] if isinstance(node, list) else node


def open_table(source: Source, wanted: str | None) -> Table:
    """Open a table of a database."""
    from astra_filter.cli.database import Table  # Only those who read a database pay for SQLite.

    assert source.path is not None  # noqa: S101  # A database never comes from standard input.
    return Table(source.path, source.name, wanted)


def of_table(table: Table, members: dict[str, Field] | None, key: str | None) -> Schema:
    """Return the schema of a table."""
    name = f"{table.database}, table {table.name}"
    return _keyed(name, table.members(members), key, table.key, table.identifies)


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
        return Schema(members, sqlite_fold=True)
    # As just seen, whatever was declared or inferred.
    return Schema({**members, key: changed(members[key], nullable=False)}, key=key, sqlite_fold=True)


def _required_id(members: Mapping[str, Field]) -> str | None:
    """The member ``id``, where a schema's word alone makes it fit for a key."""
    field = members.get("id")
    return "id" if field is not None and field.sortable and not field.nullable else None
