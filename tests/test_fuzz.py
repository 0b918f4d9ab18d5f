"""The fuzz targets over their seed corpus, without a fuzzer (SPEC §8)."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz.targets import TARGETS

SEEDS = [
    pytest.param(target, seed, id=f"{target}-{seed.name}")
    for target in TARGETS
    for seed in sorted((Path(__file__).parent / "fuzz" / "corpus" / target).iterdir())
]


@pytest.mark.parametrize(("target", "seed"), SEEDS)
def test_seed(target: str, seed: Path) -> None:
    TARGETS[target](seed.read_bytes())
