"""One filter after the other, on a real terminal."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pexpect
import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from astra_filter import Schema, fields
from astra_filter.cli.repl import Answers, FilterCompleter, styled, wrong

SCHEMA = Schema({"id": fields.Integer(), "state": fields.Enum("running", "failed", nullable=True)})
ROWS = [{"id": 1, "state": "running"}, {"id": 2, "state": "failed"}, {"id": 3, "state": None}]


@pytest.fixture
def answer(capsys):
    answers = Answers(SCHEMA, ROWS)

    def answer(text):
        answers.answer(text)
        return capsys.readouterr().out

    return answer


def test_filters_and_commands(answer):
    assert answer(":sql") == answer(":explain 1") == "write a filter first\n"
    assert answer("state eq 'failed'") == "row\tid\tstate\n2\t2\tfailed\n1 of 3 rows match\n"
    assert answer(":explain 3") == "✗ state eq 'failed'   None ←\n"
    assert answer(":explain 4") == "'4' is no number from 1 to 3\n"
    assert '"state"' in answer(":sql postgresql")
    assert "nosuch" in answer(":sql nosuch")
    assert answer(":limit 1") == ""
    assert answer("id gt 1").count("\n") == 3
    assert answer(":limit x") == "'x' is no number from 1\n"
    assert answer(":fields") == "id: integer\nstate: enum?\n"
    assert answer(":help").count("\n") == 6
    assert answer(":nosuch").startswith("there is no command :nosuch; there are: :sql")
    assert "did you mean state?" in answer("stat eq 'failed'")
    assert answer("id gt 9") == "0 of 3 rows match\n"


def test_completion():
    def completed(text):
        found = FilterCompleter(SCHEMA).get_completions(Document(text), CompleteEvent())
        return [(each.text, each.start_position) for each in found]

    assert completed("state eq 'r") == [("'running'", -2)]
    assert completed("st") == [("state", -2)]
    assert completed(":e") == [(":explain ", -2)]


def test_what_is_wrong_is_underlined():
    problems = wrong(SCHEMA, "stat eq 'x'")
    assert "".join(text for style, text in styled("stat eq 'x'", problems) if style) == "stat"
    assert wrong(SCHEMA, " ") == wrong(SCHEMA, ":sql") == wrong(SCHEMA, "id eq 1") == ()


@pytest.mark.slow
def test_on_a_terminal(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("id,state\n1,running\n2,failed\n", "utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "XDG_STATE_HOME": str(tmp_path),
        "TERM": "xterm",
        "PROMPT_TOOLKIT_NO_CPR": "1",
    }
    child = pexpect.spawn(
        sys.executable, ["-m", "astra_filter.cli", "repl", "t.csv"], cwd=str(tmp_path), env=environment, timeout=30,
        dimensions=(24, 100),
    )  # fmt: skip
    child.expect("2 rows")
    child.expect("filter>")
    child.send("stat\t")
    child.expect(pexpect.TIMEOUT, timeout=3)  # What completes runs beside what reads keys.
    child.send(" eq 'failed'\r")
    child.expect("1 of 2 rows match")
    child.send("nosuch eq 1")
    child.expect_exact("\x1b[0;31;4mnosuch")  # Underlined while it is being written.
    child.send("\x15:explain 1\r")
    child.expect("running")
    child.send("\x04")
    child.expect(pexpect.EOF)
    assert child.wait() == 0
    assert re.search(r"^\+state eq 'failed'$", (tmp_path / "astra-filter" / "history").read_text("utf-8"), re.MULTILINE)


def test_it_is_for_a_terminal(run_command):
    status, out, err = run_command("repl", "nosuch.csv")
    assert (status, out) == (2, "")
    assert "for a terminal" in err


@pytest.fixture
def run_command(capsys):
    from astra_filter.cli import main

    def run(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        printed = capsys.readouterr()
        return stopped.value.code, printed.out, printed.err

    return run
