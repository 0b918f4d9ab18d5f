"""The schema: what a server declares of its resources, and the door to everything the library does with them.

Long because it documents every way to make a schema and every thing that one does.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from astra_filter.fields import Field, Object, Open
from astra_filter.filter import Filter
from astra_filter.language.names import path_text
from astra_filter.limits import DEFAULT_LIMITS, Limits
from astra_filter.meaning.declaration import Declaration
from astra_filter.meaning.shapes import Shapes
from astra_filter.wording import syntax as syntax_wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypedDict, Unpack

    from pydantic import BaseModel

    from astra_filter.meaning.completion import Candidate
    from astra_filter.memo import CacheInfo
    from astra_filter.query import ListQuery, Parameters
    from astra_filter.request.request import SigningKeys

    class SchemaOptions(TypedDict, total=False):
        """What `Schema` takes by name; for type checkers."""

        key: str | None
        limits: Limits
        binary: bool
        sqlite_fold: bool
        bounded_tokens: bool


class Schema(Declaration):
    """The fields of a resource; compiles filters and list requests. Immutable, and safe to share between threads.

    Args:
        members: the fields by name, at least one.
        key: the name of the field that identifies a resource: a scalar at the top level, sortable, never null. It is
            the last sort key of every order (SPEC §6) and the primary key of the table; None where neither is needed.
        limits: the budgets of SPEC §8; default those of `Limits`.
        binary: text columns have a collation that compares by code point, where their field does not say otherwise.
        sqlite_fold: each connection to SQLite has been given to `astra_filter.sql.prepare_sqlite`, so that SQL may
            ignore case there. Without it such a filter has no SQL on SQLite, unless the field is ``folded``.
        bounded_tokens: make sure that no ``continue`` token can be longer than ``limits`` allow (SPEC §8): every
            sortable string needs a ``max_length`` for that, and not too many of them may be long.

    Raises:
        SchemaError: the fields contradict each other, or could need a longer token.
    """

    __slots__ = ("_shapes",)

    _shapes: Shapes

    def __init__(
        self,
        members: Mapping[str, Field],
        *,
        key: str | None = None,
        limits: Limits = DEFAULT_LIMITS,
        binary: bool = False,
        sqlite_fold: bool = False,
        bounded_tokens: bool = False,
    ) -> None:
        self._declare(Object(members), key=key, limits=limits, binary=binary, sqlite_fold=sqlite_fold)
        if bounded_tokens and key is not None:
            from astra_filter.request.tokens import check_token_length  # Not paid by servers that only filter.

            check_token_length(self.leaves.values(), key, limits.order_keys, limits.token_length)

    def _declare(
        self, root: Object | Open, *, key: str | None, limits: Limits, binary: bool, sqlite_fold: bool
    ) -> None:
        super()._declare(root, key=key, limits=limits, binary=binary, sqlite_fold=sqlite_fold)
        object.__setattr__(self, "_shapes", Shapes(self, budget=self.budget))

    def __repr__(self) -> str:
        shown = ", ".join(
            [
                f"{path_text(path)}: {leaf.field.type}{'?' if leaf.nullable else ''}"
                for path, leaf in self.leaves.items()
            ]
        )
        return f"<Schema {shown or 'open'}{'' if self.key is None else f'; key {self.key}'}>"

    @classmethod
    def open(cls, *, limits: Limits = DEFAULT_LIMITS) -> Schema:
        """Return a schema that takes any field: for the command line and quick experiments, in Python only.

        The literal decides the type of a field, and a value of another JSON type does not match (SPEC §3). A path may
        lead through arrays that only the data knows of.
        """
        schema = cls.__new__(cls)
        cls._declare(schema, Open(), key=None, limits=limits, binary=False, sqlite_fold=False)
        return schema

    @classmethod
    def from_json_schema(
        cls,
        document: Mapping[str, Any],
        *,
        ref: str | None = None,
        omit_unsupported: bool = False,
        decimals: bool = False,
        **options: Unpack[SchemaOptions],
    ) -> Schema:
        """Return the schema of a resource that a JSON Schema or an OpenAPI document describes.

        Args:
            document: the parsed document.
            ref: where in it the resource is: ``#/components/schemas/Task``, or the bare name, or what only one name
                has behind its last dot; default the whole.
            omit_unsupported: leave out the members that no field can represent, instead of refusing them.
            decimals: make a `fields.Decimal` of a number or text whose digits the document tells: by ``x-decimal``
                (``{"digits": 12, "places": 2}``), by ``multipleOf`` with a lower and an upper bound, or by the pattern
                of a string with the format ``decimal``. Without it, numbers are doubles.
            options: ``key``, ``limits``, ``binary``, ``sqlite_fold`` and ``bounded_tokens``, as `Schema` takes them.

        Raises:
            SchemaError: the document describes no resource that fields can represent; names the JSON pointer.
        """
        from astra_filter.derive import json_schema  # One way of making a schema, paid by those who use it.

        return cls(
            json_schema.members(document, ref=ref, omit_unsupported=omit_unsupported, decimals=decimals), **options
        )

    @classmethod
    def from_type(cls, resource: type, *, omit_unsupported: bool = False, **options: Unpack[SchemaOptions]) -> Schema:
        """Return the schema of a dataclass or `typing.TypedDict`.

        Args:
            resource: the class.
            omit_unsupported: leave out the members that no field can represent, instead of refusing them.
            options: ``key``, ``limits``, ``binary``, ``sqlite_fold`` and ``bounded_tokens``, as `Schema` takes them.

        Raises:
            SchemaError: a member's type is one that no field can represent.
        """
        from astra_filter.derive import annotations  # One way of making a schema, paid by those who use it.

        return cls(annotations.members(resource, omit_unsupported=omit_unsupported), **options)

    @classmethod
    def from_pydantic(
        cls,
        model: type[BaseModel],
        *,
        by_alias: bool = False,
        omit_unsupported: bool = False,
        **options: Unpack[SchemaOptions],
    ) -> Schema:
        """Return the schema of a pydantic model.

        Args:
            model: the class.
            by_alias: name fields by their aliases, as dumped models may have them, not as the attributes of instances.
            omit_unsupported: leave out the members that no field can represent, instead of refusing them.
            options: ``key``, ``limits``, ``binary``, ``sqlite_fold`` and ``bounded_tokens``, as `Schema` takes them.

        Raises:
            SchemaError: a member's type is one that no field can represent.
            MissingExtraError: pydantic is not installed.
        """
        from astra_filter.derive import pydantic  # Needs the extra of that name.

        return cls(pydantic.members(model, by_alias=by_alias, omit_unsupported=omit_unsupported), **options)

    @classmethod
    def infer(cls, resources: Iterable[Any], **options: Unpack[SchemaOptions]) -> Schema:
        """Return a schema that fits sample resources; every field is nullable (SPEC §3), but for the key.

        Args:
            resources: mappings, as JSON gives them.
            options: ``key``, ``limits``, ``binary``, ``sqlite_fold`` and ``bounded_tokens``, as `Schema` takes them.

        Raises:
            SchemaError: a resource is no mapping, or there is nothing to infer a field from.
        """
        from astra_filter.derive import sample  # One way of making a schema, paid by those who use it.

        return cls(sample.members(resources, key=options.get("key")), **options)

    @classmethod
    def from_database(
        cls,
        connection: Any,
        table: str | tuple[str, ...],
        *,
        omit_unsupported: bool = False,
        **options: Unpack[SchemaOptions],
    ) -> Schema:
        """Return the schema of a table or view as its database's catalogue tells it, with the storage of each column.

        A primary key of one column is the key. Columns of JSON make no field, because nothing tells their members.
        `to_python` writes the schema to paste, and to go on from.

        Args:
            connection: of `sqlite3`, `psycopg`, `pymysql` or `duckdb`. The catalogue is read, and on SQLite the first
                values of columns that are declared to hold instants, for how they are written.
            table: its name; a tuple where it is qualified: ``("app", "tasks")``.
            omit_unsupported: leave out the columns that no storage holds, instead of refusing them.
            options: ``key``, ``limits``, ``binary``, ``sqlite_fold`` and ``bounded_tokens``, as `Schema` takes them.

        Raises:
            SchemaError: a connection of another driver; no such table; columns that no storage holds, all in one error.
        """
        from astra_filter.derive import catalogue  # One way of making a schema, paid by those who use it.

        members, key = catalogue.members(connection, table, omit_unsupported=omit_unsupported)
        options.setdefault("key", key)
        return cls(members, **options)

    def to_python(self, name: str = "SCHEMA") -> str:
        """Return the schema as Python source to paste: imports, and one assignment.

        Its limits are not written.

        Args:
            name: what the schema is assigned to.

        Raises:
            SchemaError: an open schema.
        """
        from astra_filter.derive import source  # For people, not for servers.

        return source.python(self, name)

    # Filters

    def compile(self, text: str, *, limits: Limits | None = None) -> Filter:
        """Compile a filter.

        Args:
            text: the filter (SPEC §2).
            limits: other budgets than the schema's.

        Raises:
            FilterError: the text is no filter, or not one for this schema; holds every problem found.
        """
        if not isinstance(text, str):
            raise syntax_wording.not_text(text)
        return Filter(self, self._shapes.compile(text, limits or self.limits))

    def cache_info(self) -> CacheInfo:
        """Return what the schema's caches hold: known shapes, and bytes, about, of all that was made of them."""
        return self._shapes.info()

    def complete(self, text: str, cursor: int | None = None) -> list[Candidate]:
        """Return what may come next in a filter that is being written: fields, operators, values, marks.

        Each candidate leads to a text that can be continued to a valid filter of this schema.

        Args:
            text: the filter so far; what stands behind the cursor does not matter. Nothing may follow a text that is
                longer than the limits allow.
            cursor: the offset in ``text``; default its end.
        """
        if len(text) > self.limits.text_length:
            return []
        from astra_filter.meaning.completion import complete  # Paid by editors.

        return complete(self.root, text, len(text) if cursor is None else cursor)

    # List requests

    def query(
        self,
        parameters: Parameters,
        *,
        scope: str = "",
        secret: SigningKeys | None = None,
        default_limit: int | None = None,
        max_limit: int | None = None,
        ignore: Iterable[str] = (),
        limits: Limits | None = None,
    ) -> ListQuery:
        """Check the query parameters of a list request (SPEC §6).

        Args:
            parameters: the raw query string; or the decoded parameters, as pairs or as a mapping to a string or a list.
            scope: what a ``continue`` token is bound to besides the request, such as the account.
            secret: authenticates the tokens (HMAC-SHA256); None leaves them readable and forgeable, but type-checked.
                Of several, the first makes tokens and those of all are taken, so that it can be replaced.
            default_limit: the page size of a request without ``limit``, never more than ``max_limit``; None for that.
            max_limit: the largest page size; None for no bound.
            ignore: names of parameters that are the server's own.
            limits: other budgets than the schema's.

        Raises:
            QueryError: holds every problem of the request, for one problem document.
        """
        from astra_filter.query import ListQuery  # A server that only filters does not pay for paging.
        from astra_filter.request.request import parse_request

        return ListQuery(
            parse_request(
                self,
                self._shapes,
                parameters,
                scope=scope,
                secret=secret,
                default_limit=default_limit,
                max_limit=max_limit,
                ignore=ignore,
                limits=limits or self.limits,
            )
        )

    # Storage

    def create_table(self, table: str | tuple[str, ...], dialect: str, *, collation: str = "utf8mb4_nopad_bin") -> str:
        """Return the CREATE TABLE statement for the rows that `to_row` makes (SPEC §5).

        The key is the primary key. Text columns get a collation that compares by code point.

        Args:
            table: the table's name, which is quoted; a tuple for a qualified one: ``("app", "tasks")``.
            dialect: a name in `astra_filter.sql.DIALECTS`.
            collation: of text on ``mysql``: the default is MariaDB's, ``utf8mb4_0900_bin`` is MySQL's.

        Raises:
            SchemaError: unknown dialect; an open schema; two fields in one place; no name of a collation.
            StorageError: the dialect cannot index the key, takes the names of two columns for one, or cuts one.
        """
        from astra_filter.sql import ddl  # Servers that know their tables already do not pay for it.

        return ddl.create_table(self, table, dialect, collation=collation)

    def create_index(
        self,
        table: str | tuple[str, ...],
        dialect: str,
        *,
        order_by: str | None = None,
        leading: Sequence[str] = (),
        name: str | None = None,
        folded: str | None = None,
    ) -> str:
        """Return the CREATE INDEX statement that makes every page of an order a range scan (SPEC §6).

        It serves the opposite order too.

        Args:
            table: the table's name, which is quoted; a tuple for a qualified one: ``("app", "tasks")``.
            dialect: a name in `astra_filter.sql.DIALECTS`.
            order_by: as a request has it; None for the order by key.
            leading: the columns that the server's own condition compares for equality, such as the tenant's.
            name: the index's name; by default made of the table and the columns.
            folded: instead of an order, the path of a string: the index serves the tests of it that ignore case.

        Raises:
            SchemaError: unknown dialect; an open schema; ``order_by`` is not one of this schema.
            StorageError: no index of the dialect has the order: of a field inside JSON, or on ``mysql`` of text that is
                not declared binary or may have more than 255 characters.
        """
        from astra_filter.sql import ddl  # As above.

        return ddl.create_index(self, table, dialect, order_by=order_by, leading=leading, name=name, folded=folded)

    def check_connection(self, connection: Any, dialect: str) -> None:
        """Make sure that the SQL means over a connection what it should; call it once for each new connection.

        Some settings of sessions and databases change what is equal, what comes first, or which characters there are,
        and no SQL can make them harmless: character sets, encodings, collations by default.

        Args:
            connection: of a driver with cursors: sqlite3, psycopg, PyMySQL, mysql.connector, or DuckDB's own.
            dialect: as in `create_table`.

        Raises:
            SchemaError: unknown dialect.
            StorageError: some settings do not hold; the one error names them all.
        """
        from astra_filter.sql.connection import check_connection  # As above.

        check_connection(connection, dialect)

    def to_row(self, resource: object, dialect: str) -> dict[str, Any]:
        """Return what the table stores of a resource, by column: every value canonical, JSON as text (SPEC §5).

        A value that has not its field's type, or that the database cannot hold, is stored as null.

        Args:
            resource: a mapping, or an object with attributes.
            dialect: as in `create_table`.

        Raises:
            SchemaError: unknown dialect; an open schema.
            StorageError: a column that is never null would be; a text is longer than its ``max_length``.
        """
        from astra_filter.sql import rows  # As above.

        return rows.to_row(self, resource, dialect)

    def from_row(self, row: Mapping[str, Any], dialect: str) -> dict[str, Any]:
        """Return the resource that a row holds, in the form that JSON can hold; members that are null are left out.

        Args:
            row: by column, as the driver returns it.
            dialect: as in `create_table`.

        Raises:
            SchemaError: unknown dialect; an open schema.
            StorageError: the row lacks a column.
        """
        from astra_filter.sql import rows  # As above.
        from astra_filter.sql.dialects import find_dialect

        find_dialect(dialect)
        return rows.from_row(self, row)


def compile(text: str) -> Filter:  # noqa: A001  # The name that `re` gives the same thing.
    """Compile a filter against an open schema, which takes any field (see `Schema.open`).

    Raises:
        FilterError: the text is no filter.
    """
    return _open().compile(text)


@cache
def _open() -> Schema:
    return Schema.open()
