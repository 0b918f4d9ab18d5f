"""The dialects of SQL that the library writes, by name (SPEC §5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from astra_filter.language.fold import FOLD_FUNCTION
from astra_filter.sql.dialects.duckdb import DUCKDB
from astra_filter.sql.dialects.mysql import MYSQL
from astra_filter.sql.dialects.postgresql import POSTGRESQL
from astra_filter.sql.dialects.sqlite import SQLITE
from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astra_filter.meaning.declaration import Declaration
    from astra_filter.sql.dialects.base import Dialect

DIALECTS: Mapping[str, Dialect] = {record.name: record for record in (SQLITE, POSTGRESQL, MYSQL, DUCKDB)}
"""The dialects by name."""


def find_dialect(name: str) -> Dialect:
    """Return the dialect of that name; MariaDB's is ``mysql``.

    Raises:
        SchemaError: there is no such dialect; the message names the known ones.
    """
    found = DIALECTS.get(name)
    if found is None:
        raise wording.unknown_dialect(name, tuple(DIALECTS))
    return found


_SQLITE_FOLDING = replace(SQLITE, fold=f"{FOLD_FUNCTION}({{x}})")


def dialect_of(declaration: Declaration, name: str) -> Dialect:
    """Return the dialect of that name, as a schema's connections speak it; errors as in `find_dialect`."""
    return with_fold(name) if declaration.sqlite_fold else find_dialect(name)


def with_fold(name: str) -> Dialect:
    """Return the dialect of that name, on connections that `astra_filter.sql.prepare_sqlite` has prepared."""
    return _SQLITE_FOLDING if name == SQLITE.name else find_dialect(name)
