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


def test_one_path_is_suggested_for_a_name_that_stands_in_several_places() -> None:
    schema = Schema(
        {"first": fields.Object({"depth": fields.Integer()}), "second": fields.Object({"depth": fields.Integer()})}
    )
    with pytest.raises(FilterError) as caught:
        schema.compile("depth eq 1")
    assert caught.value.expected == ("first.depth",)


def test_names_of_untrusted_clients_are_not_kept() -> None:
    schema = Schema({"n": fields.Integer(), "meta": fields.Object({"depth": fields.Integer()})})
    schema.compile("meta.depth eq 1")
    for number in range(5):
        with pytest.raises(FilterError):
            schema.compile(f"x{number} eq 1 and meta.x{number} eq 1")
    assert set(schema._shapes._targets) == {("meta", "depth")}
