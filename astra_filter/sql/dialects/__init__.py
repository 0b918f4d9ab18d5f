"""The dialects of SQL that the library writes, by name (SPEC §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.sql.dialects.duckdb import DUCKDB
from astra_filter.sql.dialects.mysql import MYSQL
from astra_filter.sql.dialects.postgresql import POSTGRESQL
from astra_filter.sql.dialects.sqlite import SQLITE
from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from collections.abc import Mapping

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
