"""The reference server: the list operation of SPEC §1 over SQLite or PostgreSQL. Needs the extra ``server``.

Beside the library it is FastAPI, which it shows the adapter for, uvicorn, and SQLAlchemy's connection pool.
"""

from __future__ import annotations

from astra_filter.wording import installation as wording

try:
    from astra_filter.server.app import create_app
    from astra_filter.server.bounds import Bounds
    from astra_filter.server.run import serve
    from astra_filter.server.store import Store, StoreError
    from astra_filter.server.tasks import EXAMPLE_ACCOUNT, MEMBERS, TASK
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] not in ("fastapi", "starlette", "uvicorn", "sqlalchemy"):
        raise
    raise wording.missing_extra("server", error) from error

__all__ = ["EXAMPLE_ACCOUNT", "MEMBERS", "TASK", "Bounds", "Store", "StoreError", "create_app", "serve"]
