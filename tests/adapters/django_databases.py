"""Django, set up for the tests of its adapter, on the databases that they run on.

PyMySQL stands in for MariaDB's own driver, as it says it can.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import django
import pymysql
from databases.backends import MYSQL_URL, POSTGRES_URL, unreachable
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

pymysql.install_as_MySQLdb()
NAMESPACE = f"astra_filter_django_{os.getpid()}"
SERVER = urlsplit(POSTGRES_URL)
MARIADB = urlsplit(MYSQL_URL)
settings.configure(
    USE_TZ=True,
    INSTALLED_APPS=["adapters"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        "west": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "TIME_ZONE": "America/New_York"},
        "east": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "TIME_ZONE": "Asia/Tokyo"},
        "postgresql": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": SERVER.path[1:],
            "HOST": SERVER.hostname,
            "PORT": SERVER.port or 5432,
            "USER": unquote(SERVER.username or "postgres"),
            "PASSWORD": unquote(SERVER.password or ""),
            "OPTIONS": {"options": f"-csearch_path={NAMESPACE},public"},
        },
        "mysql": {
            "ENGINE": "django.db.backends.mysql",
            "NAME": NAMESPACE,
            "HOST": MARIADB.hostname,
            "PORT": MARIADB.port or 3306,
            "USER": unquote(MARIADB.username or "root"),
            "PASSWORD": unquote(MARIADB.password or ""),
        },
    },
)
django.setup()

from django.db import OperationalError, connections  # noqa: E402  # Models need settings.

DATABASES = ("default", "postgresql", "mysql")


@contextmanager
def database(name: str) -> Iterator[str]:
    """Make an empty namespace of a database, and drop it at the end."""
    connection = connections[name]
    if name == "postgresql":
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE SCHEMA {NAMESPACE}")
        except OperationalError as error:
            unreachable("postgresql", error)
    elif name == "mysql":
        try:
            with connection._nodb_cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {NAMESPACE} CHARACTER SET utf8mb4")
        except OperationalError as error:
            unreachable("mysql", error)
    try:
        yield name
    finally:
        if name != "default":
            with connection.cursor() as cursor:
                cursor.execute(f"DROP SCHEMA {NAMESPACE}" + (" CASCADE" if name == "postgresql" else ""))
        connection.close()
