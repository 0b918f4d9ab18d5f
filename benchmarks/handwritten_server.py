"""What somebody would write by hand for one fixed request of the reference server: its peer in ``server_load.py``.

The same framework, connection pool, SQL and answer; bearer tokens, limits and JSON by hand; uvicorn's own access log.
It reads one row more than the limit, and says by an authenticated token where the next page begins, as the operation
has it (it does not read tokens): without it, its page would not be the same.
"""

import json
import sys
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hmac import compare_digest, digest
from secrets import token_bytes
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool

TOKEN = "token"  # noqa: S105
SECRET = token_bytes()
ACCOUNT = "fdaa655c-15ab-4d34-aa61-1e9098e67be0"
COLUMNS = (
    "type", "version", "id", "name", "summary", "description", "service", "parentTaskID", "userID", "resourceID",
    "resourceURI", "resourceCollectionURI", "state", "stateTransitions", "stateDetails", "orderHint", "percentDone",
    "startTime", "endTime", "cancelTime", "metadata",
)  # fmt: skip
JSON = ("resourceCollectionURI", "stateTransitions", "stateDetails", "metadata")
UUIDS = ("id", "parentTaskID", "userID", "resourceID")
TIMES = ("startTime", "endTime", "cancelTime")

url = make_url(sys.argv[2])
on_postgresql = url.get_backend_name() == "postgresql"
if on_postgresql:
    url = url.set(drivername="postgresql+psycopg")
engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=QueuePool, pool_size=40, max_overflow=0)
hole = "%s" if on_postgresql else "?"
SELECT = f"""SELECT {", ".join(f'"{name}"' for name in COLUMNS)} FROM "tasks"
WHERE "account_id" = {hole} AND "state" = {hole} AND "percentDone" >= {hole} ORDER BY "id" LIMIT {hole}"""

app = FastAPI()
bearer = HTTPBearer()


async def permitted(account_id: str, credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    if not compare_digest(credentials.credentials.encode(), TOKEN.encode()):
        raise HTTPException(401)
    if account_id != ACCOUNT:
        raise HTTPException(403)
    return account_id


@app.get("/accounts/{account_id}/core/v1/tasks")
def tasks(
    account: Annotated[str, Depends(permitted)],
    state: str = "running",
    percent: float = 20.0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(SELECT, (account, state, percent, limit + 1)).all()
    items = [resource(row) for row in rows[:limit]]
    metadata = {"continue": next_page(account, state, percent, items[-1]["id"])} if len(rows) > limit else {}
    return JSONResponse({"type": "application/astra-tasks", "version": "1.1", "items": items, "metadata": metadata})


def next_page(*position: str | float) -> str:
    payload = json.dumps(position).encode()
    return urlsafe_b64encode(digest(SECRET, payload, "sha256") + payload).rstrip(b"=").decode()


def resource(row) -> dict:  # noqa: ANN001
    found = {name: value for name, value in zip(COLUMNS, row, strict=True) if value is not None}
    if on_postgresql:
        for name in UUIDS:
            if name in found:
                found[name] = str(found[name])
        for name in TIMES:
            if name in found:
                found[name] = text(found[name])
    else:
        for name in JSON:
            found[name] = json.loads(found[name])
    return found


def text(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@app.get("/readyz")
def ready() -> dict[str, str]:
    return {"status": "ready"}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]))
