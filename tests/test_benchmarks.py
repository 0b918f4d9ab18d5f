"""The benchmark runs to its end, with all answers equal to ours; how fast it all is, it only prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


def test_the_short_run(tmp_path):
    found, drawn = tmp_path / "found.json", tmp_path / "chart.svg"
    command = [sys.executable, "-m", "benchmarks.run", "--short", "--json", str(found), "--chart", str(drawn)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    targets = json.loads(found.read_text("utf-8"))["targets"]
    assert {target["work"] for target in targets} >= {
        "compile, known shape",
        "compile, new shape",
        "select, string and number tests",
        "fresh process: import astra_filter",
    }
    assert "astra-filter" in drawn.read_text("utf-8")
