"""The README's code runs, and prints what it says."""

from __future__ import annotations

import os
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
def test_python(section, tmp_path):
    """The blocks of a section run in turn; ``# …`` behind a print, or a text block after it, is what it prints."""
    blocks = BLOCK.findall(section)
    codes = [code for language, code in blocks if language == "python"]
    # What the README calls the reader's own application is that of its first section.
    application = BLOCK.search(SECTIONS[0])
    assert application is not None
    (tmp_path / "myapp.py").write_text(application[2], encoding="utf-8")
    script = tmp_path / "section.py"
    script.write_text("print('\x1e', end='')\n".join(codes), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    for code, printed in zip(codes, ran.stdout.split("\x1e"), strict=True):
        for said in re.findall(r"^ *print\(.*\)  # (.*)$", code, re.MULTILINE):
            assert said in printed.splitlines()
        following = blocks[blocks.index(("python", code)) + 1 :][:1]
        if following and following[0][0] == "text":
            assert printed == following[0][1]


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


def test_the_server(tmp_path):
    [session] = [code for language, code in BLOCK.findall(TEXT) if "astra-filter serve" in code and language == "sh"]
    command = tmp_path / "astra-filter"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m astra_filter.cli "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        ["bash", "-c", session], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert '"continue"' in ran.stdout
    assert "unknown field 'field'" in ran.stdout


def test_the_commands_are_there():
    assert re.search(r"<!-- command: main -->\n\n```sh\n.*astra-filter query tests/data/astra_tasks.json", TEXT)
    assert re.search(r"<!-- command: tests -->\n\n```sh\n.*pytest", TEXT)
