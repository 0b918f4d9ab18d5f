"""The README's code runs, and prints what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SECTIONS = [section for section in re.split(r"^## ", TEXT, flags=re.MULTILINE) if "```python" in section]


@pytest.mark.parametrize("section", SECTIONS, ids=[section.partition("\n")[0] for section in SECTIONS])
def test_python(section, capsys, monkeypatch, tmp_path):
    """The blocks of a section run in turn; ``# …`` behind a print, or a text block after it, is what it prints."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "readme"}
    blocks = BLOCK.findall(section)
    for index, (language, code) in enumerate(blocks):
        if language != "python":
            continue
        exec(compile(code, "README.md", "exec"), namespace)  # noqa: S102
        printed = capsys.readouterr().out
        for said in re.findall(r"^ *print\(.*\)  # (.*)$", code, re.MULTILINE):
            assert said in printed.splitlines()
        if blocks[index + 1 : index + 2] and blocks[index + 1][0] == "text":
            assert printed == blocks[index + 1][1]


@pytest.mark.parametrize("session", [code for language, code in BLOCK.findall(TEXT) if language == "console"])
def test_console(session):
    """``$ command`` lines and what they print, on either stream."""
    for command, printed in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", session, re.MULTILINE):
        program, *arguments = shlex.split(command)
        assert program == "astra-filter"
        ran = subprocess.run(
            [sys.executable, "-m", "astra_filter.cli", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={"COLUMNS": "120", "PYTHONIOENCODING": "utf-8", "PATH": ""},
        )
        assert ran.stdout == printed


def test_the_commands_are_there():
    assert re.search(r"<!-- command: main -->\n\n```sh\n.*astra-filter query tests/data/astra_tasks.json", TEXT)
    assert re.search(r"<!-- command: tests -->\n\n```sh\n.*pytest", TEXT)
