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


def test_no_path_from_the_resource_is_suggested_in_a_bracket() -> None:
    """Paths inside are relative to the element (SPEC §4.5)."""
    schema = Schema(
        {
            "n": fields.Integer(),
            "meta": fields.Object({"depth": fields.Integer()}),
            "objects": fields.Array(fields.Object({"value": fields.String()})),
        }
    )
    for text in ("objects[depth eq 1]", "objects[n eq 1]", "objects.depth eq 1", "meta.n eq 1"):
        with pytest.raises(FilterError) as caught:
            schema.compile(text)
        assert caught.value.code == "unknown_field"
        assert caught.value.hint is None
