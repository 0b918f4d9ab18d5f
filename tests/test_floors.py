"""The lowest versions that the package declares are ones that can be installed together, and that its code runs on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


@pytest.mark.parametrize("extra", list(EXTRAS))
def test_every_requirement_has_a_floor(extra):
    """Without one, any old version would do; the session ``floors`` installs each and runs its tests."""
    for need in EXTRAS[extra]:
        assert need.startswith("astra-filter[") or re.fullmatch(r"[A-Za-z0-9-]+(\[[a-z]+\])?>=[0-9.]+(; .*)?", need), (
            need
        )


@pytest.mark.parametrize(
    ("extra", "package", "at_least"),
    [
        ("cli", "typer", (0, 16)),  # 0.15 ends in a traceback with click 8.2.
        ("fastapi", "fastapi", (0, 115, 12)),  # Older ones want a Starlette below the floor of that extra.
        ("server", "psycopg[binary]", (3, 2, 2)),  # 3.2.0 cannot be installed.
    ],
)
def test_versions_that_do_not_work_are_not_declared(extra, package, at_least):
    floor = next(need for need in EXTRAS[extra] if need.startswith(f"{package}>=")).partition(">=")[2]
    assert tuple(map(int, floor.split("."))) >= at_least
