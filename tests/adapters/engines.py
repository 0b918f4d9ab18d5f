"""SQLAlchemy engines of the databases that tests run on, each in a namespace of its own."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from databases.backends import MYSQL_URL, POSTGRES_URL, unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = ("sqlite", "postgresql", "mysql")


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@contextmanager
def engine(name: str, namespace: str) -> Iterator[sa.Engine]:
    """Connect to an empty namespace of a database, and drop it at the end."""
    if name == "sqlite":
        made = sa.create_engine("sqlite://", poolclass=sa.StaticPool, json_serializer=_dumps)
        yield made
        made.dispose()
        return
    word, url = {
        "postgresql": ("SCHEMA", sa.make_url(POSTGRES_URL).set(drivername="postgresql+psycopg")),
        "mysql": ("DATABASE", sa.make_url(MYSQL_URL).set(drivername="mariadb+pymysql")),
    }[name]
    namespace = f"astra_filter_{namespace}_{os.getpid()}"
    outer = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with outer.connect() as connection:
            connection.exec_driver_sql(f"CREATE {word} {namespace}")
    except sa.exc.OperationalError as error:
        unreachable(name, error)
    if name == "postgresql":
        url = url.update_query_dict({"options": f"-csearch_path={namespace},public -ctimezone=Asia/Tokyo"})
    else:
        url = url.set(database=namespace)
    made = sa.create_engine(url, json_serializer=_dumps)
    try:
        yield made
    finally:
        made.dispose()
        with outer.connect() as connection:
            connection.exec_driver_sql(f"DROP {word} {namespace}" + (" CASCADE" if name == "postgresql" else ""))
        outer.dispose()
