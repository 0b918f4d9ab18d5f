"""The contract in ``grammar/SPEC.md``: every § that is cited is in it, and what it says in tables and code is so."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from astra_filter import Limits
from astra_filter.sql.dialects import DIALECTS

ROOT = Path(__file__).parent.parent
SPEC = (ROOT / "grammar" / "SPEC.md").read_text(encoding="utf-8")
SIGN = "§"
TITLES = {
    "1": "Where it comes from: the list endpoint",
    "2": "Syntax",
    "3": "Types",
    "4": "Meaning: one semantics on every backend",
    "5": "SQL",
    "6": "Query parameters",
    "7": "Errors",
    "8": "Limits",
    "9": "Shape of the public API",
}
# Fuzzed filters cite nothing; the others are made, not written.
SKIPPED = {"__pycache__", "build", "corpus", "dist", "node_modules", "site"}
CITATION = re.compile(rf"(RFC \d+,? )?{SIGN}\s?(\d+(?:\.\d+)*)(?:[-–]{SIGN}?(\d+(?:\.\d+)*))?")


def numbers(text: str) -> list[str]:
    """The sections and the numbered points of a page, in order: ``4``, ``4.1``."""
    found = []
    section = ""
    for line in re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE).splitlines():
        if heading := re.match(r"## (\d+)\. ", line):
            section = heading[1]
            found.append(section)
        elif section and (point := re.match(r"(\d+)\. ", line)):
            found.append(f"{section}.{point[1]}")
    return found


def citations(text: str) -> list[tuple[int, str]]:
    """What a text cites of the SPEC, with its line: of a range, both ends. Sections of an RFC are not the SPEC's."""
    written = text.replace("\\u00a7", SIGN)
    return [
        (written.count("\n", 0, match.start()) + 1, number)
        for match in CITATION.finditer(written)
        if match[1] is None
        for number in match.groups()[1:]
        if number is not None
    ]


def texts(folder: Path = ROOT) -> dict[str, str]:
    """Every text of the project by path, but for what tools leave behind."""
    found = {}
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in (".ci", ".github")
        if hidden or path.name in SKIPPED or path.suffix == ".egg-info" or (path / "pyvenv.cfg").exists():
            continue
        if path.is_dir():
            found.update(texts(path))
        else:
            try:
                found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # A picture or a database.
    return found


def table(heading: str) -> list[list[str]]:
    """The cells of the rows below the table heading that begins so, without backquotes."""
    [rows] = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", SPEC, re.MULTILINE)
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows.splitlines()]


def test_the_numbers_are_stable():
    assert dict(re.findall(r"^## (\d+)\. (.*)$", SPEC, re.MULTILINE)) == TITLES
    assert [number for number in numbers(SPEC) if "." not in number] == list(TITLES)
    points = [number for number in numbers(SPEC) if number.startswith("4.")]
    assert points[:7] == ["4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7"]
    assert len(set(numbers(SPEC))) == len(numbers(SPEC))


def test_every_citation_is_there():
    known = set(numbers(SPEC))
    cited: dict[str, list[str]] = {}
    for path, text in texts().items():
        for line, number in citations(text):
            cited.setdefault(number, []).append(f"{path}:{line}")
    assert {number: places for number, places in cited.items() if number not in known} == {}
    # Or texts were left out.
    assert set(TITLES) <= set(cited)
    kinds = {place.partition("/")[0] for places in cited.values() for place in places}
    assert {"astra_filter", "benchmarks", "grammar", "tests"} <= kinds


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"SPEC {SIGN}4, and\n{SIGN}12.3: a", [(1, "4"), (2, "12.3")]),
        (f"({SIGN}1, {SIGN}7).", [(1, "1"), (1, "7")]),
        (f"{SIGN}4.1-4.9; {SIGN}2-{SIGN}15", [(1, "4.1"), (1, "4.9"), (1, "2"), (1, "15")]),
        (f"RFC 8259 {SIGN}66, RFC 9457, {SIGN}77", []),
        (f"its {SIGN} of the SPEC", []),
        ("\\u00a7" + "88", [(1, "88")]),
    ],
)
def test_what_is_a_citation(text, found):
    assert citations(text) == found


def test_the_limits():
    """SPEC §8"""
    assert {name: int(default.replace(",", "")) for name, default, _ in table("limit")} == Limits()._asdict()


def test_the_dialects():
    """SPEC §5"""
    listed = {name.partition(" ")[0]: (default, also) for name, default, also in table("dialect")}
    styles = {name: tuple(re.findall(r"[?%$:]\w*", f"{default} {also}")) for name, (default, also) in listed.items()}
    assert styles == {name: dialect.placeholders for name, dialect in DIALECTS.items()}
    [heading] = re.findall(r"^\| type \|( `sqlite`.*)\|$", SPEC, re.MULTILINE)
    assert re.findall(r"`(\w+)`", heading) == list(DIALECTS)


def test_the_api():
    """SPEC §9: the code runs, whatever stands for the server's own values."""
    [code] = re.findall(r"^```python\n(.*?)^```$", SPEC, re.DOTALL | re.MULTILINE)
    stored = json.loads((ROOT / "tests" / "data" / "astra_tasks.json").read_text(encoding="utf-8"))["items"]
    given = {"task": stored[0], "tasks": stored, "rows": [], "account_id": "a", "secret": b"s"}
    with closing(connect(":memory:")) as given["connection"]:
        exec(compile(code, "SPEC.md", "exec"), given)  # noqa: S102  # The project's own page.
    assert str(given["running"]) == "state eq 'running' and percentDone gte 20"


def test_the_files():
    named = set(re.findall(r"`((?:\w+/)+\w+\.\w+)`", SPEC))
    assert "tests/data/astra_tasks.json" in named
    assert [name for name in named if not (ROOT / name).is_file()] == []
