"""Gives each connection to SQLite the function by which filters ignore case."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.signals import connection_created

from astra_filter.sql import prepare_sqlite


def prepare(connection: Any, **_: Any) -> None:
    """Register the function on a connection of Django's, where that is one to SQLite."""
    if connection.vendor == "sqlite":
        prepare_sqlite(connection.connection)


connection_created.connect(prepare, dispatch_uid="astra_filter.fold")
for opened in connections.all(initialized_only=True) if settings.configured else ():
    if opened.connection is not None:
        prepare(opened)
