"""What may come next in a filter that is being written (SPEC §2, §3)."""

from __future__ import annotations

import re
import time
from functools import cache
from statistics import median

import pytest
from cases import suites

from astra_filter import FilterError, Schema, fields
from astra_filter.language.names import unquote
from astra_filter.limits import DEFAULT_LIMITS
from astra_filter.syntax.parser import beginning

SCHEMA = Schema(
    {
        "state": fields.Enum("pending", "running", "it's"),
        "size": fields.Integer(nullable=True, description="in bytes"),
        "created-by": fields.String(),
        "tags": fields.Array(fields.String()),
        "labels": fields.Array(fields.Object({"name": fields.String(), "value": fields.String(nullable=True)})),
        "metadata": fields.Object({"at": fields.Timestamp(), "secret": fields.String(operators=[], returnable=False)}),
    }
)


def inserts(text, cursor=None):
    return [candidate.insert for candidate in SCHEMA.complete(text, cursor)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["state", "size", "`created-by`", "tags", "labels", "metadata", "not", "(", "contains(", "endswith(", "icontains(", "iendswith(", "istartswith(", "startswith("]),
        ("s", ["state", "size", "startswith("]),
        ("ST", ["state", "startswith("]),
        ("`cre", ["`created-by`"]),
        ("metadata", ["metadata", "."]),
        ("metadata.", ["at"]),
        ("metadata.at ", ["eq", "ne", "lt", "lte", "gt", "gte", "in", "not in"]),
        ("metadata.at gt ", ["'2020-08-06T12:24:52Z'"]),
        ("labels", ["labels", "[", "."]),
        ("labels[", ["name", "value", "not", "(", "contains(", "endswith(", "icontains(", "iendswith(", "istartswith(", "startswith("]),
        ("labels[value eq ", ["''", "null"]),
        ("labels[value eq null", ["null", "]"]),
        ("labels[value eq null ", ["and", "or", "]"]),
        ("state ", ["eq", "ne", "in", "not in"]),
        ("state not ", ["in"]),
        ("state eq ", ["'pending'", "'running'", "'it''s'"]),
        ("state eq 'r", ["'running'"]),
        ("state in ", ["("]),
        ("state in ('pending'", [")", ","]),
        ("size eq ", ["0", "null"]),
        ("size eq 1 ", ["and", "or"]),
        ("(size eq 1 ", ["and", "or", ")"]),
        ("tags in ", ["(", "''"]),
        ("contains(", ["`created-by`", "tags", "labels"]),
        ("contains(labels.", ["name", "value"]),
        ("contains(tags", ["tags", ","]),
        ("contains(tags, ", ["''"]),
        ("contains(tags, 'a'", [")"]),
        ("nosuch ", []),
        ("state = ", []),
        ("size eq 1 and", ["and", "`created-by`", "("]),
        ("size eq 1 and ", ["state", "size", "`created-by`", "tags", "labels", "metadata", "not", "(", "contains(", "endswith(", "icontains(", "iendswith(", "istartswith(", "startswith("]),
    ],
)  # fmt: skip
def test_candidates(text, expected):
    assert inserts(text) == expected


def test_the_word_at_the_cursor_is_replaced():
    (candidate,) = [each for each in SCHEMA.complete("sta eq 'x'", 2) if each.kind == "field"]
    assert (candidate.text, candidate.span, candidate.detail) == ("state", (0, 3), "enum")
    (candidate,) = SCHEMA.complete("state eq 'ru' and", 11)
    assert (candidate.insert, candidate.span) == ("'running'", (9, 13))
    (candidate,) = SCHEMA.complete("si")
    assert candidate.detail == "integer: in bytes"


def test_any_cursor_is_taken():
    assert inserts("size eq 1 and " + " " * SCHEMA.limits.text_length) == []
    assert inserts("size", -5) == inserts("")
    assert inserts("", 99) == inserts("")


# The filters of the conformance cases ---------------------------------------------------------------------------------

FILTERS = [
    (suite, case.filter)
    for suite in suites()
    for case in suite.cases
    if case.ids is not None and len(case.filter) <= 120 and suite.schema.limits == DEFAULT_LIMITS
]


def map_names():
    found = {"no map"}

    def look(owner):
        for name, field in owner.members.items():
            inner = field.items if isinstance(field, fields.Array) else field
            if isinstance(inner, fields.Map):
                found.add(name)
            elif isinstance(inner, fields.Object):
                look(inner)

    for suite in suites():
        if not is_open(suite):
            look(suite.schema.root)
    return found


def is_open(suite):
    return isinstance(suite.schema.root, fields.Open)


# Of the conformance cases: fields that are maps.
MAPS = "(?:" + "|".join(re.escape(name) for name in map_names()) + ")`?"


def put(text, candidate):
    return text[: candidate.span.start] + candidate.insert + text[candidate.span.end :]


_ORDER = {"value": 1, "literal": 1, "operator": 3, "field": 4, "keyword": 5, "mark": 2}


@cache
def continued(schema, text):
    """The first valid filter that a text can be continued to, each time by the candidate that ends it soonest."""
    for _ in range(100):
        try:
            schema.compile(text)
        except FilterError:
            found = schema.complete(text + " ")
            if not found and (isinstance(schema.root, fields.Open) or text.endswith(".")):
                text += " a"  # Any field of an open schema will do, and any key of a map; none is known.
                continue
            if not found:
                return None
            best = min(found, key=lambda each: (each.insert not in (")", "]"), each.insert == "(", _ORDER[each.kind]))
            text = put(text + " ", best)
        else:
            return text
    return None


@pytest.mark.slow
def test_every_candidate_leads_to_a_filter():
    schemas: dict = {}
    seen = set()
    for number, (suite, text) in enumerate(FILTERS[::5]):
        if text.count("(") + text.lower().count("not") > 20:
            continue  # One more, and it is nested too deeply.
        schema = schemas.setdefault(id(suite), suite.schema)
        # Every place of some filters; of the others the ends of tokens.
        found = beginning(text)
        places = range(len(text) + 1) if number % 10 == 0 else [0, *(span.end for _, _, span, _ in found.tokens)]
        for cursor in places:
            head = text[:cursor]
            for candidate in schema.complete(head):
                after = put(head, candidate)
                if (id(suite), after) not in seen:
                    seen.add((id(suite), after))
                    assert continued(schema, after) is not None, (head, candidate)
    assert len(seen) > 500


def fits(kind, token, is_name, candidate):
    """Whether a candidate is a filter's own token, or stands for it."""
    if is_name and kind in ("NAME", "QUOTED_NAME", "COMPARISON", "TEXTOP", "IN"):
        name = unquote(token) if kind == "QUOTED_NAME" else token
        return (candidate.kind == "field" and candidate.text == name) or candidate.insert == f"{token.lower()}("
    if kind == "STRING":
        return candidate.insert == token if candidate.kind == "value" else candidate.insert[0] == "'"
    if kind == "NUMBER":
        return candidate.insert == "0"
    word = {"le": "lte", "ge": "gte"}.get(token.lower(), token.lower())
    # What opens a call has its parenthesis already.
    return candidate.insert in (word, f"{word} in") or (word == "(" and candidate.insert.endswith("("))


def test_the_next_token_is_among_the_candidates():
    for suite, text in FILTERS:
        if is_open(suite):
            continue
        schema = suite.schema
        tokens = beginning(text).tokens
        ends = [0, *(span.end for _, _, span, _ in tokens)]
        for (kind, token, span, is_name), end in zip(tokens, ends, strict=False):
            found = schema.complete(text[: span.start])
            if not found and re.search(rf"\b{MAPS}\s*\.\s*$", text[: span.start]):
                continue  # The key of a map.
            assert any(fits(kind, token, is_name, each) for each in found), (text, token, found)
            # Marks may follow without a blank.
            if token[0] in ",)[].'`":
                assert any(fits(kind, token, is_name, each) for each in schema.complete(text[:end])), (text, token)


def test_it_takes_less_than_a_millisecond():
    texts = [text[: len(text) * 3 // 4] for suite, text in FILTERS if not is_open(suite)]
    times = []
    for text in texts:
        begun = time.perf_counter()
        SCHEMA.complete(text)
        times.append(time.perf_counter() - begun)
    assert median(times) < 0.001
