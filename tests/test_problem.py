"""The problem documents of SPEC §1, to the letter."""

from __future__ import annotations

import pickle

import pytest

from astra_filter import FilterError, QueryError, Schema, fields, problem

SCHEMA = Schema({"id": fields.String(max_length=20), "name": fields.String()}, key="id")


def test_documents() -> None:
    assert problem.missing_token() == {
        "type": "https://astra.netapp.io/problems/3",
        "title": "Missing bearer token",
        "detail": "The request is missing the required bearer token.",
        "status": "401",
    }
    assert problem.not_permitted() == {
        "type": "https://astra.netapp.io/problems/11",
        "title": "Operation not permitted",
        "detail": "The requested operation isn't permitted.",
        "status": "403",
    }
    assert problem.collection_not_found() == {
        "type": "https://astra.netapp.io/problems/2",
        "title": "Collection not found",
        "detail": "The collection specified in the request URI wasn't found.",
        "status": "404",
    }
    assert problem.invalid_parameters([{"name": "limit", "reason": "no"}]) == {
        "type": "https://astra.netapp.io/problems/5",
        "title": "Invalid query parameters",
        "detail": "The supplied query parameters are invalid.",
        "status": "400",
        "invalidParams": [{"name": "limit", "reason": "no"}],
    }


@pytest.mark.parametrize(
    "make",
    [
        problem.missing_token,
        problem.not_permitted,
        problem.collection_not_found,
        lambda **o: problem.invalid_parameters([], **o),
    ],
)
def test_options(make: object) -> None:
    made = make(base_url="https://api.example/problems", detail="Because.", correlation_id="abc")  # type: ignore[operator]
    assert made["type"].startswith("https://api.example/problems/")
    assert made["detail"] == "Because."
    assert made["correlationID"] == "abc"


def test_of_a_filter_error() -> None:
    with pytest.raises(FilterError) as caught:
        SCHEMA.compile("nmae eq 'x'")
    assert caught.value.problem(correlation_id="c")["invalidParams"] == [
        {
            "name": "filter",
            "reason": "unknown field 'nmae'; did you mean name?",
            "code": "unknown_field",
            "start": 0,
            "end": 4,
        }
    ]
    assert caught.value.problem(correlation_id="c")["correlationID"] == "c"


def test_of_a_query_error() -> None:
    with pytest.raises(QueryError) as caught:
        SCHEMA.query("limit=0&nmae=1")
    error = caught.value
    document = error.problem(base_url="urn:p")
    assert document["type"] == "urn:p/5"
    assert [entry["name"] for entry in document["invalidParams"]] == ["nmae", "limit"]
    assert str(error) == (
        "nmae: there is no parameter 'nmae'\n    nmae\n    ^^^^\n\n"
        "limit: limit is a whole number, at least 1\n    0\n    ^\nhint: write digits 0 to 9 only: limit=50"
    )
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert again.problems == error.problems
    assert str(again) == str(error)
