"""Write into the pages what their code prints: ``python tests/write_docs.py [PAGE …]``, from the root of the repository.

For a change that changes outputs on purpose; read what it wrote (``git diff``). Comments behind a ``print`` are left to
people.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from test_docs import COMMAND, MARK, READ, ROOT, TEXTS, Block, prepare, run_command, run_python, run_shell, steps


def with_output(text: str, block: Block, printed: str) -> str:
    """Return the page with what a block prints in the block of output that follows it."""
    if block.output is None or printed == block.output:
        return text
    code = text.index(f"{block.code}```\n")
    opening = text.index("\n```", code + len(block.code) + 4)
    start = text.index("\n", opening + 1) + 1
    return text[:start] + printed + text[start + len(block.output) :]


def written(page: str) -> str:
    """Return the text of a page with the outputs of its blocks."""
    text = TEXTS[page]
    for language, run in (("python", run_python), ("sh", run_shell)):
        blocks = steps(page, language)
        if any(block.output is not None for block in blocks):
            with tempfile.TemporaryDirectory() as folder:
                outputs = run(page, prepare(page, Path(folder))).split(MARK)
            for block, printed in zip(blocks, outputs, strict=True):
                text = with_output(text, block, printed)
    for block in steps(page, "console"):
        with tempfile.TemporaryDirectory() as folder:
            there = prepare(page, Path(folder))
            lines = [f"$ {command}\n{run_command(command, there)}" for command, _ in COMMAND.findall(block.code)]
        text = text.replace(block.code, "".join(lines))
    return text


if __name__ == "__main__":
    for name in sys.argv[1:] or READ:
        found = written(name)
        if found != TEXTS[name]:
            (ROOT / name).write_text(found, encoding="utf-8")
            print(name)
