"""The command on a large file of JSON lines, beside jq and DuckDB: ``python -m benchmarks.command [MEGABYTES]``.

Each process is given the same file and the same question, and prints the rows that match. They take turns; the best of
three times is shown, and the most memory that the process ever held. The rows must be the same.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FILTER = "Level eq 'ERROR' and Pid eq 2931"
JQ = 'select(.Level == "ERROR" and .Pid == 2931)'
SQL = "SELECT * FROM read_json_auto('{0}', format='newline_delimited') WHERE Level = 'ERROR' AND Pid = 2931"
DUCKDB = "import duckdb; duckdb.sql(\"COPY ({0}) TO '/dev/stdout' (FORMAT json)\")"


def main() -> None:
    """Print the table."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "log.jsonl"
        rows = write(file, size * 1_000_000)
        commands = {
            "astra-filter": [sys.executable, "-m", "astra_filter.cli", "query", str(file), "--filter", FILTER, "--format", "jsonl"],
            "jq": ["jq", "-c", JQ, str(file)],
            "DuckDB": [sys.executable, "-c", DUCKDB.format(SQL.format(file))],
        }  # fmt: skip
        if shutil.which("jq") is None:
            del commands["jq"]
        best: dict[str, tuple[float, int]] = {}
        answers: dict[str, list[object]] = {}
        for _ in range(3):
            for name, command in commands.items():
                seconds, kilobytes, output = run(command)
                answers[name] = [json.loads(line) for line in output.splitlines()]
                best[name] = min(best.get(name, (seconds, kilobytes)), (seconds, kilobytes))
        first = answers["astra-filter"]
        if any(identities(found) != identities(first) for found in answers.values()):
            sys.exit("the rows differ")
        print(f"{rows} rows, {file.stat().st_size / 1e6:.0f} MB, {len(first)} match\n")
        print("| command | seconds | MB |\n|---|---|---|")
        for name, (seconds, kilobytes) in best.items():
            print(f"| {name} | {seconds:.1f} | {kilobytes / 1000:.0f} |")


def identities(found: list[object]) -> list[object]:
    """The rows as what tells them apart: DuckDB writes timestamps in a form of its own."""
    return [(row["LineId"], row["Pid"], row["Level"]) for row in found]  # type: ignore[index]


def write(file: Path, size: int) -> int:
    """Write lines such as a cloud's log has; return how many."""
    rng = random.Random(5)
    rows = written = 0
    with file.open("w", encoding="utf-8") as out:
        while written < size:
            row = {
                "LineId": rows,
                "Logrecord": "nova-api.log.1.2017-05-16_13:53:08",
                "Date": "2017-05-16",
                "Time": f"00:00:{rows % 60:02}.{rows % 1000:03}",
                "Pid": rng.choice([25746, 2931, 25743]),
                "Level": rng.choice(["INFO"] * 8 + ["WARNING", "ERROR"]),
                "Component": "nova.osapi_compute.wsgi.server",
                "ADDR": "req-38101a0b-2096-447d-96ea-a692162415ae 113d3a99c3da401fbd62cc2caa5b96d2 - - -",
                "Content": f'10.11.10.1 "GET /v2/servers/detail HTTP/1.1" status: 200 len: 1893 time: {rng.random()}'
                * 4,
                "EventId": f"E{rows % 40}",
                "EventTemplate": '<*> "GET <*>" status: <*> len: <*> time: <*>.<*>',
            }
            written += out.write(json.dumps(row) + "\n")
            rows += 1
    return rows


# A process counts as its own what the process that it came from held; so a small one stands between.
MEASURE = """
import os, sys, time
begun = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ), 0)
print(time.perf_counter() - begun, usage.ru_maxrss, os.waitstatus_to_exitcode(status), file=sys.stderr)
"""


def run(command: list[str]) -> tuple[float, int, bytes]:
    """Run a command; return its seconds, the kilobytes that it held at most, and its output."""
    measured = [sys.executable, "-S", "-c", MEASURE, *command]
    done = subprocess.run(measured, capture_output=True, check=True)
    seconds, kilobytes, status = done.stderr.split()[-3:]
    if int(status):
        sys.exit(f"{command[0]} failed: {done.stderr.decode()}")
    return float(seconds), int(kilobytes), done.stdout


if __name__ == "__main__":
    main()
