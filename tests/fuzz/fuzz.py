"""Run one target under Atheris (libFuzzer): ``python tests/fuzz/fuzz.py filter tests/fuzz/corpus/filter -runs=100000``.

What follows the target's name goes to libFuzzer. See `run.py` for a bounded run of all.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["astra_filter"], enable_loader_override=False):
    from targets import TARGETS


if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
