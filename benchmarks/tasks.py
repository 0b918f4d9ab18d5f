"""Generated tasks, shaped like the published example in ``tests/data/astra_tasks.json``, and their schema."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from astra_filter import Schema, fields

STATES = ("pending", "running", "paused", "completed", "failed", "cancelled")
SERVICES = 3000
"""Services are named ``s0`` to ``s2999``, so that a list of 1,000 of them fits a filter's length."""
KINDS = ("backup", "backup.prep", "clone", "restore", "snapshot", "snapshot.delete")
EPOCH = datetime(2020, 8, 1, tzinfo=UTC)
SPAN = timedelta(days=12)


def schema() -> Schema:
    """Return a schema of tasks that knows no shape yet."""
    nullable: dict[str, Any] = {"nullable": True}
    label = fields.Object({"name": fields.String(), "value": fields.String()})
    return Schema(
        {
            "id": fields.Uuid(),
            "name": fields.String(),
            "summary": fields.String(),
            "service": fields.String(**nullable),
            "parentTaskID": fields.Uuid(**nullable),
            "userID": fields.Uuid(),
            "resourceURI": fields.String(),
            "resourceCollectionURI": fields.Array(fields.String()),
            "state": fields.Enum(*STATES),
            "orderHint": fields.Number(**nullable),
            "percentDone": fields.Number(**nullable),
            "startTime": fields.Timestamp(**nullable),
            "metadata": fields.Object(
                {"labels": fields.Array(label), "creationTimestamp": fields.Timestamp(), "createdBy": fields.Uuid()}
            ),
        },
        key="id",
        binary=True,
    )


def instant(rng: random.Random) -> datetime:
    """Return a moment in the twelve days that the tasks began in."""
    return EPOCH + timedelta(microseconds=rng.randrange(int(SPAN / timedelta(microseconds=1))))


def spelled(moment: datetime) -> str:
    """Return a timestamp as the API writes it: RFC 3339 with the zeros at the end of the fraction left out."""
    text = moment.replace(tzinfo=None).isoformat(timespec="microseconds").rstrip("0").rstrip(".")
    return text + "Z"


def generate(count: int, seed: int = 20200806) -> list[dict[str, Any]]:
    """Return ``count`` tasks, the same for the same seed; optional members are missing in some and null in others."""
    rng = random.Random(seed)  # Repeatable, not secret.
    return [_task(rng) for _ in range(count)]


def _task(rng: random.Random) -> dict[str, Any]:
    def uuid() -> str:
        return str(UUID(int=rng.getrandbits(128), version=4))

    kind = rng.choice(KINDS)
    resource = f"/accounts/{uuid()}/k8s/v1/apps/{uuid()}"
    created = spelled(instant(rng))
    task: dict[str, Any] = {
        "type": "application/astra-task",
        "version": "1.0",
        "id": uuid(),
        "name": f"astra.{kind}",
        "summary": f"{kind.capitalize()} of an application",
        "description": f"Task to {kind} an application",
        "userID": uuid(),
        "resourceID": uuid(),
        "resourceURI": resource,
        "resourceCollectionURI": [f"/accounts/{uuid()}/topology/v1/clouds/{uuid()}"] * rng.randrange(1, 3),
        "state": rng.choice(STATES),
        "stateTransitions": [{"from": "running", "to": ["paused", "cancelled"]}],
        "stateDetails": [],
        "metadata": {
            "labels": [{"name": "env", "value": rng.choice(("prod", "test"))}] * rng.randrange(2),
            "creationTimestamp": created,
            "modificationTimestamp": created,
            "createdBy": uuid(),
        },
    }
    optional: dict[str, Any] = {
        "service": f"s{rng.randrange(SERVICES)}",
        "orderHint": rng.randrange(100),
        "percentDone": rng.choice((rng.randrange(101), round(rng.uniform(0, 100), 2))),
        "startTime": spelled(instant(rng)),
        "parentTaskID": uuid(),
    }
    for name, value in optional.items():
        luck = rng.random()
        if luck < 0.9:
            task[name] = value if luck < 0.8 else None
    return task
