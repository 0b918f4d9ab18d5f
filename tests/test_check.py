"""The wording of a refusal names the part of the path that it is about (SPEC §7)."""

from __future__ import annotations

import pytest

from astra_filter import FilterError, Schema, fields

SCHEMA = Schema(
    {
        "n": fields.Integer(),
        "meta": fields.Object({"at": fields.Timestamp(), "in": fields.Object({"depth": fields.Integer()})}),
    }
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n.x eq 1", "n is an integer and has no members"),
        ("meta.at.y.z eq 1", "meta.at is a timestamp and has no members"),
        ("meta.in.depth.x eq 1", "meta.in.depth is an integer and has no members"),
        ("meta.dept eq 1", "unknown field 'dept' in meta"),
        ("meta.in.dept eq 1", "unknown field 'dept' in meta.in"),
    ],
)
def test_message_names_the_path(text: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        SCHEMA.compile(text)
    assert caught.value.message == message
