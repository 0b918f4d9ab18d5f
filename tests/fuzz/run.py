"""A bounded run of all targets under Atheris: ``python tests/fuzz/run.py --runs 5000000`` (extra ``fuzz``).

A crash leaves its input in the folder of ``--work``; put it into ``tests/conformance`` as a case. What the fuzzer learns
stays in ``--work`` and serves the next run.
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
_LONGEST = 150
"""Bytes of an input: what longer ones find, the attack tests look for."""


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Fuzz for a bounded number of executions.")
    parser.add_argument("--runs", type=int, default=5_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path(".fuzz"))
    chosen = parser.parse_args()
    total = 0
    for target, share in _SHARES.items():
        runs = round(chosen.runs * share / chosen.processes)
        started = [_start(target, runs, number, chosen.work / target) for number in range(chosen.processes)]
        done = 0
        for process in started:
            _, written = process.communicate()
            found = re.search(r"number_of_executed_units:\s*([0-9]+)", written)
            if process.returncode or found is None:
                sys.stderr.write(written)
                return 1
            done += int(found[1])
        print(f"{target}: {done:,} executions without a crash", flush=True)
        total += done
    print(f"{total:,} executions without a crash")
    return 0


def _start(target: str, runs: int, number: int, work: Path) -> subprocess.Popen[str]:
    """Start a process of its own folder and seed."""
    learnt = (work / str(number)).resolve()
    learnt.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, str(_HERE / "fuzz.py"), target, str(learnt), str(_HERE / "corpus" / target)),
        *(f"-runs={runs}", f"-seed={number + 1}", f"-dict={_HERE / 'filter.dict'}", f"-max_len={_LONGEST}"),
        *("-print_final_stats=1", "-verbosity=0"),
    ]
    environment = {**os.environ, "PYTHONPATH": f"{_HERE.parents[1]}{os.pathsep}{_HERE}"}
    return subprocess.Popen(command, cwd=learnt.parent, env=environment, stderr=subprocess.PIPE, text=True)


if __name__ == "__main__":
    sys.exit(main())
