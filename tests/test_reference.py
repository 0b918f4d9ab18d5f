"""The reference evaluator (SPEC §4) against the conformance cases: the judge is judged by what people wrote down."""

from __future__ import annotations

import pytest
from cases import Case, Suite, identity, suites

from astra_filter.testing import matches

CASES = [
    pytest.param(suite, case, id=f"{suite.name}-{number}")
    for suite in suites()
    for number, case in enumerate(suite.cases)
    if case.ids is not None
]


@pytest.mark.parametrize(("suite", "case"), CASES)
def test_reference(suite: Suite, case: Case) -> None:
    compiled = suite.schema.compile(case.filter)
    assert tuple(identity(row) for row in suite.rows if matches(compiled, row)) == case.ids
