"""Hints lead to the right filter (SPEC §7): what they show compiles, selects what was meant, and is the caller's own."""

from __future__ import annotations

import re

import pytest
from cases import Case, Suite, identity, suites

from astra_filter import FilterError, QueryError, Schema, fields, parse

HINTED = [
    pytest.param(suite, case, id=f"{suite.name}-{number}-{case.filter[:40].encode('unicode_escape').decode()}")
    for suite in suites()
    for number, case in enumerate(suite.cases)
    if case.problems is not None
]
FOLLOWED = [param for param in HINTED if param.values[1].follow is not None]
SCHEMA = Schema(
    {
        "id": fields.String(max_length=40),
        "title": fields.String(),
        "size": fields.Integer(),
        "tags": fields.Array(fields.String()),
        "hidden": fields.String(returnable=False, nullable=True),
        "meta": fields.Object({"at": fields.Timestamp()}),
    },
    key="id",
)


def error_of(suite: Suite, text: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        suite.schema.compile(text)
    return caught.value


def shown(hint: str) -> str | None:
    """Return the filter that a hint shows behind its words; None where it shows none."""
    for place in (found.end() for found in re.finditer(r": ", hint)):
        try:
            parse(hint[place:])
        except FilterError:
            continue
        return hint[place:]
    return None


@pytest.mark.parametrize(("suite", "case"), HINTED)
def test_what_a_hint_shows_compiles(suite: Suite, case: Case) -> None:
    for problem in error_of(suite, case.filter).problems:
        filter_ = shown(problem.hint or "")
        if filter_ is None:
            continue
        # Inside brackets, paths are those of the element.
        opened = case.filter[: problem.span.start].count("[") - case.filter[: problem.span.start].count("]")
        if opened <= 0 or re.match(r"\w+(?:\.\w+)*\[", filter_):
            suite.schema.compile(filter_)


@pytest.mark.parametrize(("suite", "case"), FOLLOWED)
def test_a_hint_that_is_followed_selects_what_was_meant(suite: Suite, case: Case) -> None:
    assert case.follow is not None
    hint = error_of(suite, case.filter).hint
    assert hint is not None
    told = hint.partition(": ")[2] or hint.removeprefix("write ")
    assert told in case.follow
    followed = suite.schema.compile(case.follow)
    assert tuple(map(identity, followed.select(suite.rows))) == case.selects


@pytest.mark.parametrize(("suite", "case"), HINTED)
def test_hints_speak_of_the_callers_own_fields(suite: Suite, case: Case) -> None:
    """No example is taken from the documentation."""
    known = repr(suite._document["schema"]) + case.filter  # The names and values of the suite.
    for problem in error_of(suite, case.filter).problems:
        for word in ("state", "percentDone", "running", "astra", "backup"):
            assert word in known or not re.search(rf"\b{word}\b", problem.hint or "")


def test_followed_hints_are_many() -> None:
    assert len(FOLLOWED) > 350


@pytest.mark.parametrize(
    "text",
    ["", "a", "a eq", "5 eq a", "a eq 'x' &&", "!", "a between", "a eq ('x', 'y')", "a like", "a is", "a not eq", "()"],
)
def test_hints_without_a_schema_name_no_field_but_the_callers(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert not re.search(r"\b(?:state|percentDone|running|name)\b", caught.value.hint or "")


def test_a_filter_that_cannot_be_shown_whole_is_not_shown() -> None:
    for value in ("x" * 1000, "\u202e", "e\u0301", "tab\t"):
        with pytest.raises(FilterError) as caught:
            SCHEMA.compile(f"title == '{value}'")
        assert caught.value.hint == "use eq"


def reason(parameters: str) -> str:
    with pytest.raises(QueryError) as caught:
        SCHEMA.query(parameters)
    return caught.value.problems[0].hint or ""


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("-title", "title desc"),
        ("title:desc", "title desc"),
        ("title:asc", "title"),
        ("title.desc", "title desc"),
        ("title;desc", "title desc"),
        ("title|desc", "title desc"),
        ("title_desc", "title desc"),
        ("title-desc", "title desc"),
        ("title=desc", "title desc"),
        ("title(desc)", "title desc"),
        ("desc(title)", "title desc"),
        ("desc:title", "title desc"),
        ("desc title", "title desc"),
        ("title descending", "title desc"),
        ("title ascending", "title"),
        ("title DESC NULLS LAST", "title desc"),
        ("title -1", "title desc"),
        ("!title", "title desc"),
        ("-meta.at", "meta.at desc"),
        ("-meta/at", "meta.at desc"),
        ('"title"', "title"),
        ("size,-title", "title desc"),
        ("-title,size", "title desc"),
        ("TITLE:DESC", "title desc"),
    ],
)
def test_sort_keys(value: str, key: str) -> None:
    hint = reason(f"orderBy={value.replace(' ', '%20')}")
    assert hint == f"write the name, and desc behind it where it descends: {key}"
    assert SCHEMA.query([("orderBy", key)])


@pytest.mark.parametrize("value", ["-hidden", "-tags", "-nope", "title asc nulls last", "title desc nulls first"])
def test_no_sort_key_is_shown_that_is_none(value: str) -> None:
    """What may not be sorted by; and orders that put nulls elsewhere than this API does."""
    assert "descends" not in reason(f"orderBy={value.replace(' ', '%20')}")


@pytest.mark.parametrize(
    ("parameters", "hint"),
    [
        ("sort=-title", "use orderBy: orderBy=title desc"),
        ("sort=title:desc,size", "use orderBy: orderBy=title desc, size"),
        ("sort=nope", "use orderBy"),
        ("sort_by=title", "use orderBy: orderBy=title"),
        ("sortBy=hidden", "use orderBy"),
        ("order_by=-title", "use orderBy: orderBy=title desc"),
        ("ordering=-title", "use orderBy: orderBy=title desc"),
        ("$orderby=title desc", "use orderBy: orderBy=title desc"),
        ("offset=5", "use skip: skip=5"),
        ("offset=x", "use skip"),
        ("start=0", "use skip: skip=0"),
        ("startIndex=1", "use skip, which counts from 0"),
        ("page_size=3", "use limit: limit=3"),
        ("per_page=3", "use limit: limit=3"),
        ("$top=3", "use limit: limit=3"),
        ("top=0", "use limit"),
        ("fields=title,id", "use include: include=title,id"),
        ("fields=hidden", "use include"),
        ("$select=meta/at", "use include: include=meta.at"),
        ("select=nope", "use include"),
        ("cursor=x", "use continue, with metadata.continue of the last response"),
        ("pageToken=x", "use continue, with metadata.continue of the last response"),
        ("after=x", "use continue, with metadata.continue of the last response"),
        (
            "page=2",
            "pages have no numbers; use limit, and continue with metadata.continue of the last response, or skip",
        ),
        ("where=title eq 'x'", "use filter: filter=title eq 'x'"),
        ("q=x", "use filter"),
        ("total=true", "use count: count=true"),
        ("title=x", "a field is tested in filter: filter=title eq 'x'"),
        ("title=a b", "a field is tested in filter: filter=title eq 'a b'"),
        ("title__icontains=x", "a field is tested in filter: filter=title contains 'x'"),
        ("size__gte=5", "a field is tested in filter: filter=size gte 5"),
        ("size[gte]=5", "a field is tested in filter: filter=size gte 5"),
        ("size=gte.5", "a field is tested in filter: filter=size gte 5"),
        ("size=five", "use limit"),
        ("tags=a", "a field is tested in filter: filter=tags eq 'a'"),
        ("fliter=x", "did you mean filter?"),
        ("ORDERBY=title", "did you mean orderBy?"),
        ("zzz=1", ""),
    ],
)
def test_parameters_of_other_apis(parameters: str, hint: str) -> None:
    assert reason(parameters.replace(" ", "%20")) == hint
    name, _, value = hint.partition(": ")[2].partition("=")
    if name:
        assert SCHEMA.query([(name, value)])
