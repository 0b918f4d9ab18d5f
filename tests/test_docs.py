"""The README and the pages of ``docs`` are true: their code runs and prints what they say, their links lead somewhere.

How a page is read, by the language of its blocks:

- ``python``: the blocks of a page run in turn, as one program. A comment behind a ``print`` is what it prints; a block of
  output that follows (``text``, ``json``, ``sql``) is all that the block before it prints.
- ``python title="app.py"``: a file, beside which the page's other blocks run.
- ``console``: ``$`` lines are commands of ``astra-filter``, the lines below each are what it prints.
- ``sh``: the blocks of a page run in turn, as one script of bash, which stops at the first command that fails; a block of
  output may follow each.
- ``filter``: each line is a filter for the page's schema, the first that its Python names.
- In a table, each code span in a column headed "filter" is such a filter, in one headed "request" the query parameters
  of a list request.

A block that cannot run stands below a comment ``<!-- not run: reason -->``. `write_docs.py` writes into the pages what
their code prints.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from rooms import ROOMS

import astra_filter

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
BLOCK = re.compile(
    r"""
    (?:^<!--\ (?P<comment>[^>]*)\ -->\n+)?      # What is said about the block, on the line above it.
    ^```(?P<language>\w+)(?:\ title="(?P<title>[^"]+)")?\n
    (?P<code>.*?)
    ^```$
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
OUTPUT = ("text", "json", "sql")
RUN = ("python", "console", "sh", "filter")
# What stands between the outputs of two blocks.
MARK = "\x1e"


class Block(NamedTuple):
    comment: str
    language: str
    title: str
    code: str
    output: str | None
    """What the page says that it prints, where it says so in a block of its own."""


def blocks(text: str) -> list[Block]:
    found = [Block(*(each or "" for each in match.groups()), None) for match in BLOCK.finditer(text)]
    for number, block in enumerate(found):
        if block.language in OUTPUT and number and found[number - 1].language in ("python", "sh"):
            found[number - 1] = found[number - 1]._replace(output=block.code)
    return found


def reason(block: Block) -> str | None:
    """Why a block is not run; None where it is."""
    kind, _, why = block.comment.partition(": ")
    return why if kind in ("not run", "command") else None


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


TEXTS = {name(page): page.read_text(encoding="utf-8") for page in PAGES}
READ = {page: blocks(text) for page, text in TEXTS.items()}


def is_step(block: Block, language: str) -> bool:
    """Whether a block is part of the page's program in a language."""
    return block.language == language and not block.title and reason(block) is None


def steps(page: str, language: str) -> list[Block]:
    return [block for block in READ[page] if is_step(block, language)]


def pages_with(language: str) -> list[str]:
    return [page for page in READ if steps(page, language)]


def prepare(page: str, folder: Path) -> Path:
    """Make a folder where the blocks of a page can run: beside its files, the test data and the command."""
    (folder / "tests").symlink_to(ROOT / "tests")
    for block in READ[page]:
        if block.title:
            (folder / block.title).write_text(block.code, encoding="utf-8")
    programs = folder / "programs"
    programs.mkdir()
    for command, arguments in (("astra-filter", "-m astra_filter.cli"), ("python", ""), ("uvicorn", "-m uvicorn")):
        program = programs / command
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    return folder


def environment(folder: Path) -> dict[str, str]:
    # What the tests themselves are told (coverage, workers) is not for those that a page shows.
    return {
        **{variable: value for variable, value in os.environ.items() if not variable.startswith("PYTEST_")},
        "PATH": f"{folder / 'programs'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        "PYTHONIOENCODING": "utf-8",
        "COLUMNS": "120",
    }


def run(command: list[str], folder: Path, *, errors: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run a command; what it has started and not ended, such as a server, is ended with it."""
    started = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=errors,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        out, err = started.communicate(timeout=120)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(command, started.returncode, out, err)


def run_python(page: str, folder: Path, after: str = "") -> str:
    """Run the program that a page's Python blocks are, and return what it prints."""
    code = f"print({MARK!r}, end='')\n".join(block.code for block in steps(page, "python"))
    script = folder / "page.py"
    script.write_text(code + after, encoding="utf-8")
    ran = run([sys.executable, "-W", "error", str(script)], folder)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def run_shell(page: str, folder: Path) -> str:
    """Run the script that a page's shell blocks are, and return what it prints."""
    code = f"printf '{MARK}'\n".join(block.code for block in steps(page, "sh"))
    ran = run(["bash", "-euo", "pipefail", "-c", code], folder)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("page", pages_with("python"))
def test_python(page, tmp_path):
    printed_by = run_python(page, prepare(page, tmp_path)).split(MARK)
    for block, printed in zip(steps(page, "python"), printed_by, strict=True):
        for said in re.findall(r"^ *print\(.*\)  # (.*)$", block.code, re.MULTILINE):
            assert said in printed.splitlines()
        if block.output is not None:
            assert printed == block.output


COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def run_command(command: str, folder: Path) -> str:
    """Run a command of ``astra-filter``, and return what it prints on either stream."""
    program, *arguments = shlex.split(command)
    assert program == "astra-filter"
    return run([sys.executable, "-m", "astra_filter.cli", *arguments], folder, errors=subprocess.STDOUT).stdout


@pytest.mark.parametrize("page", pages_with("console"))
def test_console(page, tmp_path):
    there = prepare(page, tmp_path)
    for block in steps(page, "console"):
        for command, printed in COMMAND.findall(block.code):
            assert run_command(command, there) == printed


@pytest.mark.parametrize("page", pages_with("sh"))
def test_shell(page, tmp_path):
    printed_by = run_shell(page, prepare(page, tmp_path)).split(MARK)
    for block, printed in zip(steps(page, "sh"), printed_by, strict=True):
        if block.output is not None:
            assert printed == block.output


def cells(text: str, heading: str) -> list[str]:
    """Return the code spans of every column that is headed so."""
    found: list[str] = []
    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in table.splitlines()]
        if heading in rows[0]:
            for row in rows[2:]:
                spans = re.findall(r"(`+)(.+?)\1(?!`)", row[rows[0].index(heading)])
                found += [span.strip().replace("\\|", "|") for _, span in spans]
    return found


WRITTEN = {
    page: (
        [line for block in READ[page] if block.language == "filter" for line in block.code.splitlines()]
        + cells(text, "filter"),
        cells(text, "request"),
    )
    for page, text in TEXTS.items()
}


@pytest.mark.parametrize("page", [page for page, found in WRITTEN.items() if any(found)])
def test_filters(page, tmp_path):
    """Filters and list requests in tables are ones of the page's schema."""
    filters, requests = WRITTEN[page]
    after = f"""
from astra_filter import Schema
schema = next(value for value in globals().values() if isinstance(value, Schema))
for text in {filters!r}:
    schema.compile(text)
for text in {requests!r}:
    schema.query(text)
"""
    run_python(page, prepare(page, tmp_path), after)


@pytest.mark.parametrize("page", TEXTS)
def test_every_block_is_checked(page):
    found = READ[page]
    assert TEXTS[page].count("\n```") == 2 * len(found), "a block whose beginning the tests do not know"
    for number, block in enumerate(found):
        why = reason(block)
        assert why is None or len(why) > 3, "say why it is not run"
        follows = number > 0 and found[number - 1].language in ("python", "sh") and reason(found[number - 1]) is None
        assert block.language in RUN or why or (block.language in OUTPUT and follows), block


@pytest.mark.parametrize("page", TEXTS)
def test_links(page):
    """Links lead to files of the repository, and to headings of pages."""
    text = re.sub(r"```.*?^```$|`[^`\n]*`", "", TEXTS[page], flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        if heading:
            assert heading in headings(file.read_text(encoding="utf-8")), target


def headings(text: str) -> set[str]:
    """Return the anchors of a page's headings."""
    found = re.findall(r"^#+ (.*)$", re.sub(r"```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in found}


def test_the_readme_is_short_and_has_the_two_commands():
    readme = TEXTS["README.md"]
    assert len(readme.splitlines()) <= 200
    assert re.search(r"<!-- command: main -->\n\n```sh\n.*astra-filter query tests/data/astra_tasks.json", readme)
    assert re.search(r"<!-- command: tests -->\n\n```sh\n.*pytest", readme)


def test_the_reference_is_complete():
    reference = "".join(text for page, text in TEXTS.items() if page.startswith("docs/reference/"))
    named = {path.rpartition(".")[2] for path in re.findall(r"^::: (\S+)$", reference, re.MULTILINE)}
    named.update(name for members in re.findall(r"members: \[(.*?)\]", reference) for name in members.split(", "))
    assert set(astra_filter.__all__) <= named


def test_the_map_has_every_room_in_its_place():
    assert cells(TEXTS["docs/architecture.md"], "room") == [room for level in ROOMS for room in level]
