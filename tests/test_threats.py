"""Every promise of the threat model has its test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", TEXT)


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_the_test_that_is_named_is_there(file: str, test: str) -> None:
    source = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^def {test or 'test_'}", source, re.MULTILINE), f"{file} has no {test}"


def test_every_promise_names_a_test() -> None:
    promises = TEXT[TEXT.index("## What is promised") : TEXT.index("## What is the server's own business")]
    rows = [line for line in promises.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert len(rows) > 20
    for row in rows:
        assert "`tests/" in row, row


def test_security_names_the_threat_model() -> None:
    assert "docs/threat-model.md" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
