"""The schemas that the properties, the attacks and the soak run over: every field type, in columns and in JSON."""

from __future__ import annotations

from astra_filter import Schema, fields

_STATES = ("pending", "running", "paused", "completed", "failed", "cancelled")

TASK = Schema(
    {
        "id": fields.Uuid(),
        "name": fields.String(max_length=255),
        "state": fields.Enum(*_STATES),
        "percentDone": fields.Number(nullable=True),
        "startTime": fields.Timestamp(nullable=True),
        "resourceCollectionURI": fields.Array(fields.String()),
        "stateTransitions": fields.Array(
            fields.Object({"from": fields.Enum(*_STATES), "to": fields.Array(fields.Enum(*_STATES))})
        ),
        "metadata": fields.Object(
            {
                "labels": fields.Array(fields.Object({"name": fields.String(), "value": fields.String()})),
                "creationTimestamp": fields.Timestamp(),
            }
        ),
    },
    key="id",
    sqlite_fold=True,
)
"""The resource of SPEC §1, in short."""


def columns(*, binary: bool) -> Schema:
    """Return a schema with every scalar type in a column of its own, nullable and not."""
    return Schema(
        {
            "key": fields.Integer(),
            "text": fields.String(),
            "title": fields.String(nullable=True, max_length=60),
            "state": fields.Enum("a", "A", "it's", "é"),
            "phase": fields.Enum("a", "b", nullable=True),
            "owner": fields.Uuid(),
            "parent": fields.Uuid(nullable=True),
            "n": fields.Integer(nullable=True),
            "x": fields.Number(),
            "y": fields.Number(nullable=True),
            "price": fields.Decimal(12, 2),
            "rate": fields.Decimal(18, 9, nullable=True),
            "units": fields.Decimal(3, 0, nullable=True),
            "yes": fields.Boolean(),
            "ok": fields.Boolean(nullable=True),
            "start": fields.Timestamp(),
            "end": fields.Timestamp(nullable=True),
            "day": fields.Date(),
            "due": fields.Date(nullable=True),
            "labels": fields.Map(fields.String()),
            "value": fields.Map(fields.Decimal(12, 2), nullable=True),
            "we`ird \"na'me%s": fields.String(nullable=True, column="select"),
        },
        key="key",
        sqlite_fold=True,
        binary=binary,
    )


def documents() -> Schema:
    """Return a schema with every type inside JSON, in objects and arrays and arrays in them."""
    scalars = {
        "text": fields.String(nullable=True),
        "state": fields.Enum("a", "A", "it's", nullable=True),
        "owner": fields.Uuid(nullable=True),
        "n": fields.Integer(nullable=True),
        "x": fields.Number(nullable=True),
        "cost": fields.Decimal(17, 2, nullable=True),
        "ok": fields.Boolean(nullable=True),
        "start": fields.Timestamp(nullable=True),
        "day": fields.Date(nullable=True),
    }
    arrays = {f"{name}s": fields.Array(field, nullable=True) for name, field in scalars.items()}
    maps = {f"{name} by key": fields.Map(field, nullable=True) for name, field in scalars.items()}
    element = fields.Object(
        {
            **scalars,
            "app.io/na`me": fields.String(nullable=True),
            "texts": arrays["texts"],
            "n by key": maps["n by key"],
        }
    )
    return Schema(
        {
            "key": fields.String(max_length=60),
            "inner": fields.Object({**scalars, **maps, 'key "of" \\ it\'s': fields.String(nullable=True)}),
            "maybe": fields.Object({"deep": fields.Object({"text": fields.String()}), **arrays}, nullable=True),
            **arrays,
            "required": fields.Array(fields.Integer()),
            "objects": fields.Array(element),
            "nested": fields.Array(fields.Object({"inner": fields.Array(element, nullable=True)}), nullable=True),
            "path": fields.String(nullable=True, column="inner", json_path=["stored", "elsewhere"]),
        },
        key="key",
        sqlite_fold=True,
    )


def narrow() -> Schema:
    """Return a schema that allows little: short text, few operators."""
    return Schema(
        {
            "key": fields.String(max_length=2),
            "short": fields.String(max_length=1, nullable=True),
            "shorts": fields.Array(fields.String(max_length=1), nullable=True),
            "inner": fields.Object({"short": fields.String(max_length=5, nullable=True)}),
            "only_in": fields.Uuid(operators=["in"], nullable=True),
            "only_ne": fields.Enum("a", "it's", operators=["ne"]),
            "only_lt": fields.Number(operators=["lt"], nullable=True),
            "only_gt": fields.Decimal(2, 1, operators=["gt"], nullable=True),
            "only_contains": fields.String(operators=["contains"], max_length=3, nullable=True),
            "nothing": fields.Boolean(operators=[], nullable=True),
            "only_gt by key": fields.Map(fields.String(operators=["gt", "in"], max_length=2), operators=["gt"]),
            "nothing by key": fields.Map(fields.Integer(), operators=[]),
            "labels": fields.Array(
                fields.Object(
                    {
                        "ne": fields.String(operators=["ne"], nullable=True),
                        "in": fields.Integer(operators=["in"], nullable=True),
                        "nothing": fields.String(operators=[]),
                        "ins": fields.Array(fields.Date(operators=["in", "gt"]), nullable=True),
                    }
                )
            ),
        },
        key="key",
        sqlite_fold=True,
    )


SCHEMAS = {
    "task": TASK,
    "columns": columns(binary=False),
    "binary": columns(binary=True),
    "documents": documents(),
    "narrow": narrow(),
}
