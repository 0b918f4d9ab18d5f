"""The resource of SPEC §1, the task: its schema, the published example, and made-up ones."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from astra_filter import fields
from astra_filter.language.values import timestamp_text
from astra_filter.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Iterator

STATES = ("pending", "running", "paused", "completed", "failed", "cancelled")

# Sortable text is bounded, so that no token is ever too long (SPEC §8).
MEMBERS: dict[str, fields.Field] = {
    "type": fields.String(max_length=63, description="The media type of the resource."),
    "version": fields.String(max_length=15, description="The version of the resource."),
    "id": fields.Uuid(description="Identifies the task."),
    "name": fields.String(max_length=255, description="What is done, as a dotted hierarchy: astra.backup.prep."),
    "summary": fields.String(max_length=255, description="A short name for people."),
    "description": fields.String(sortable=False, description="What the task does, for people."),
    "service": fields.String(max_length=63, nullable=True, description="The service that runs the task."),
    "parentTaskID": fields.Uuid(nullable=True, description="The task that this one is part of."),
    "userID": fields.Uuid(nullable=True, description="Who asked for it."),
    "resourceID": fields.Uuid(description="The resource that the task is about."),
    "resourceURI": fields.String(sortable=False, description="Where that resource is; names the account."),
    "resourceCollectionURI": fields.Array(fields.String(), description="Collections that the resource is in."),
    "state": fields.Enum(*STATES, description="How far the task is."),
    "stateTransitions": fields.Array(
        fields.Object({"from": fields.Enum(*STATES), "to": fields.Array(fields.Enum(*STATES))}),
        description="Which states may follow which.",
    ),
    "stateDetails": fields.Array(
        fields.Object(
            {
                "type": fields.String(),
                "title": fields.String(),
                "detail": fields.String(),
                "additionalDetails": fields.String(nullable=True),
            }
        ),
        description="Why the task is in its state.",
    ),
    "orderHint": fields.Number(nullable=True, description="Where people expect the task among its siblings."),
    "percentDone": fields.Number(nullable=True, description="0 to 100."),
    "startTime": fields.Timestamp(nullable=True),
    "endTime": fields.Timestamp(nullable=True),
    "cancelTime": fields.Timestamp(nullable=True),
    "metadata": fields.Object(
        {
            "labels": fields.Array(fields.Object({"name": fields.String(), "value": fields.String()})),
            "creationTimestamp": fields.Timestamp(),
            "modificationTimestamp": fields.Timestamp(),
            "createdBy": fields.Uuid(),
            "modifiedBy": fields.Uuid(nullable=True),
        }
    ),
}
TASK = Schema(MEMBERS, key="id", binary=True, sqlite_fold=True)

EXAMPLE_ACCOUNT = "fdaa655c-15ab-4d34-aa61-1e9098e67be0"
"""The account of the published example."""

_ACCOUNT = re.compile(r"/accounts/([^/]+)/")


def account_of(task: dict[str, Any]) -> str | None:
    """Return the account that a task belongs to, which its ``resourceURI`` names; None when it does not."""
    uri = task.get("resourceURI")
    match = _ACCOUNT.match(uri) if isinstance(uri, str) else None
    return match and match[1]


def example_tasks() -> list[dict[str, Any]]:
    """Return the tasks of the operation's published example response."""
    document = json.loads(files(__package__).joinpath("example.json").read_text("utf-8"))
    items: list[dict[str, Any]] = document["items"]
    return items


_NAMES = (
    ("astra.backup", "Backup"),
    ("astra.backup.prep", "Backup preparation"),
    ("astra.backup.transfer", "Backup transfer"),
    ("astra.restore", "Restore"),
    ("astra.restore.verify", "Restore verification"),
    ("astra.snapshot", "Snapshot"),
    ("astra.clone", "Clone"),
    ("astra.replication.sync", "Replication"),
)
_SERVICES = ("nautilus", "composite-compute", "topology", None)
_LABELS = (("env", "prod"), ("env", "test"), ("team", "storage"), ("app.kubernetes.io/name", "wordpress"))
_ENDED = ("completed", "failed", "cancelled")
_EPOCH = datetime(2020, 8, 6, tzinfo=UTC)


def generated_tasks(count: int, account: str) -> Iterator[dict[str, Any]]:
    """Yield made-up tasks of an account. They are the same every time; a larger count begins with the same ones."""
    random = Random(account)  # noqa: S311  # Repeatable is what it should be.

    def uuid() -> str:
        return str(UUID(int=random.getrandbits(128), version=4))

    def instant(start: datetime, seconds: int) -> datetime:
        return start + timedelta(seconds=random.randrange(seconds), microseconds=random.randrange(1_000_000))

    users = [uuid() for _ in range(5)]
    parent = None
    for number in range(count):
        name, summary = random.choice(_NAMES)
        state = random.choice(STATES)
        created = instant(_EPOCH, 3 * 365 * 86400)
        started = None if state == "pending" else instant(created, 60)
        ended = instant(started, 7200) if started is not None and state in _ENDED else None
        app, snapshot = uuid(), uuid()
        done = {"pending": 0, "completed": 100}.get(state, random.randrange(400) / 4)
        details = {
            "type": "https://astra.netapp.io/problems/5",
            "title": "Snapshot not found",
            "detail": f"The snapshot of task {number} is gone.",
        }
        task = {
            "type": "application/astra-task",
            "version": "1.1",
            "id": uuid(),
            "name": name,
            "summary": summary,
            "description": f"Task {number}: {summary.lower()} of an application",
            "service": random.choice(_SERVICES),
            "parentTaskID": parent if "." in name.removeprefix("astra.") else None,
            "userID": random.choice([*users, None]),
            "resourceID": snapshot,
            "resourceURI": f"/accounts/{account}/k8s/v1/apps/{app}/appSnaps/{snapshot}",
            "resourceCollectionURI": [f"/accounts/{account}/k8s/v1/apps/{app}/appSnaps"][: random.randrange(4)],
            "state": state,
            "stateTransitions": [
                {"from": "running", "to": ["paused", "cancelled"]},
                {"from": "paused", "to": ["running", "cancelled"]},
            ],
            "stateDetails": [details] if state == "failed" else [],
            "orderHint": random.choice((0, 1, 2.5, None)),
            "percentDone": random.choice((done, done, done, None)),
            "startTime": started and timestamp_text(started),
            "endTime": ended and timestamp_text(ended),
            "cancelTime": timestamp_text(ended) if ended is not None and state == "cancelled" else None,
            "metadata": {
                "labels": [{"name": key, "value": value} for key, value in random.sample(_LABELS, random.randrange(3))],
                "creationTimestamp": timestamp_text(created),
                "modificationTimestamp": timestamp_text(ended or started or created),
                "createdBy": random.choice(users),
            },
        }
        parent = task["id"]
        yield {name: value for name, value in task.items() if value is not None}
