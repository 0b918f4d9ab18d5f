"""Every conformance case, on the Python predicate and on every database (SPEC §4, §5); `cases` tells their format."""

from __future__ import annotations

import pytest
from cases import Case, Suite, identity, suites

from astra_filter import FilterError, parse

CASES = [
    pytest.param(suite, case, id=f"{suite.name}-{number}-{case.filter[:40].encode('unicode_escape').decode()}")
    for suite in suites()
    for number, case in enumerate(suite.cases)
]
SELECTING = [param for param in CASES if param.values[1].ids is not None]
REFUSED = [param for param in CASES if param.values[1].problems is not None]


@pytest.mark.parametrize(("suite", "case"), SELECTING)
def test_predicate(suite: Suite, case: Case) -> None:
    compiled = suite.schema.compile(case.filter)
    assert tuple(map(identity, compiled.select(suite.rows))) == case.ids
    assert tuple(identity(row) for row in suite.rows if compiled.matches(row)) == case.ids
    opposite = suite.schema.compile(f"not ({case.filter})", limits=suite.schema.limits._replace(nesting=40, text_length=9000))
    assert [identity(row) for row in opposite.select(suite.rows)] == [
        identity(row) for row in suite.rows if identity(row) not in case.ids
    ]


@pytest.mark.parametrize(("suite", "case"), SELECTING)
def test_canonical_text(suite: Suite, case: Case) -> None:
    compiled = suite.schema.compile(case.filter)
    text = str(compiled)
    if case.canonical is not None:
        assert text == case.canonical
    again = suite.schema.compile(text)
    assert again == compiled
    assert str(again) == text
    assert parse(text) == parse(case.filter) == compiled.syntax


@pytest.mark.parametrize(("suite", "case"), REFUSED)
def test_refusal(suite: Suite, case: Case) -> None:
    with pytest.raises(FilterError) as caught:
        suite.schema.compile(case.filter)
    assert [(problem.code, tuple(problem.span)) for problem in caught.value.problems] == list(case.problems)
    if case.hint is not None:
        assert caught.value.hint == case.hint
