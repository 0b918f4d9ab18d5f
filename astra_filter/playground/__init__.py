"""The playground: one page in the browser to write filters over some resources. Needs the extra ``server``.

It listens on loopback, serves its own files only, and never writes.
"""

from __future__ import annotations

from astra_filter.wording import installation as wording

try:
    from astra_filter.playground.app import create_playground, serve_playground
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] not in ("starlette", "uvicorn"):
        raise
    raise wording.missing_extra("server", error) from error

__all__ = ["create_playground", "serve_playground"]
