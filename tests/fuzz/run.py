"""A bounded run of all targets under Atheris: ``python tests/fuzz/run.py --runs 5000000`` (extra ``fuzz``).

Stops at the first crash, whose input libFuzzer leaves in the folder of ``--work``; put it into ``tests/conformance`` as a
case. What the fuzzer learns stays in ``--work`` and serves the next run.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_SHARES = {"token": 0.4, "query": 0.3, "filter": 0.3}
"""Of the executions; the cheap targets come first."""


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Fuzz for a bounded number of executions.")
    parser.add_argument("--runs", type=int, default=5_000_000)
    parser.add_argument("--work", type=Path, default=Path(".fuzz"))
    chosen = parser.parse_args()
    total = 0
    for target, share in _SHARES.items():
        learnt = (chosen.work / target).resolve()
        learnt.mkdir(parents=True, exist_ok=True)
        command = [
            *(sys.executable, str(_HERE / "fuzz.py"), target, str(learnt), str(_HERE / "corpus" / target)),
            *(f"-runs={round(chosen.runs * share)}", f"-dict={_HERE / 'filter.dict'}", "-max_len=300"),
            *("-print_final_stats=1", "-verbosity=0"),
        ]
        environment = {**os.environ, "PYTHONPATH": f"{_HERE.parents[1]}{os.pathsep}{_HERE}"}
        ended = subprocess.run(
            command, cwd=learnt.parent, env=environment, stderr=subprocess.PIPE, check=False, text=True
        )  # Its own script.
        found = re.search(r"number_of_executed_units:\s*([0-9]+)", ended.stderr)
        if ended.returncode or found is None:
            sys.stderr.write(ended.stderr)
            return 1
        total += int(found[1])
        print(f"{target}: {int(found[1]):,} executions without a crash", flush=True)
    print(f"{total:,} executions without a crash")
    return 0


if __name__ == "__main__":
    sys.exit(main())
