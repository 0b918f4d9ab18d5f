"""The reference server under load: no failures, flat memory, throughput beside a hand-written endpoint, kill -9.

Run it as ``python benchmarks/server_load.py``, with wrk on the path. Everything stays on 127.0.0.1 and ends by itself.

- Throughput: wrk asks the server and, in turns, a hand-written FastAPI endpoint (``handwritten_server.py``) for the same
  page of the same database: fixed SQL there, parsed, checked and composed here. The answers are equal, but for the
  next page's token.
- Load: wrk asks for a mix of good and bad requests over 16 connections; memory is measured every second.
- Kill: under the same load the server is killed (SIGKILL) and started again, a few times.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ACCOUNT = "fdaa655c-15ab-4d34-aa61-1e9098e67be0"
OTHER = "0b0b1b0c-0000-4000-8000-000000000001"
PATH = f"/accounts/{ACCOUNT}/core/v1/tasks"
HEADERS = {"Authorization": "Bearer token"}
FIXED = f"{PATH}?filter={quote('''state eq 'running' and percentDone gte 20''')}&limit=20"
"""The request that the hand-written endpoint answers, too."""
CONNECTIONS = 16

GOOD = [
    f"{PATH}?filter={quote(text)}&limit=10"
    for text in (
        "state eq 'running'",
        "state in ('failed', 'paused') and not percentDone lt 20",
        "metadata.labels[name eq 'env' and value eq 'prod']",
        "name startswith 'astra.backup' or service eq null",
        "metadata.creationTimestamp gte '2021-01-01'",
    )
] + [
    f"{PATH}?include=id,name&limit=100",
    f"{PATH}?orderBy=name%20desc&limit=20&count=true",
    f"{PATH}?skip=50&limit=5",
    "/readyz",
]
BAD = [
    f"{PATH}?filter={quote('state == 1')}",
    f"{PATH}?filter={quote('(' * 5000)}",
    f"{PATH}?filter={quote('nme eq 1 or ' * 150 + 'x')}",
    f"{PATH}?filter=%ff&limit=0&skip=-1&orderBy=x&include=y&count=z&continue=a",
    f"/accounts/{OTHER}/core/v1/tasks",
    "/accounts/nobody/core/v1/tasks",
    "/nothing",
]
# A wrk script: each thread goes through the requests in turn; every other bad one comes without a token, and every
# seventh filter is of a shape that nobody has sent before.
MIX = """
local good, bad = %s, %s
local count, statuses = 0, {}
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() math.randomseed(os.time()) end
function request()
  count = count + 1
  local list = count %% 3 == 0 and bad or good
  local path = list[math.random(#list)]
  if count %% 7 == 0 then
    path = "%s?filter=" .. string.rep("not%%20", math.random(8)) .. "x" .. math.random(1000000) .. "%%20eq%%201"
  end
  local headers = {}
  if count %% 6 ~= 0 then headers["Authorization"] = "Bearer token" end
  return wrk.format("GET", path, headers)
end
function response(status) statuses[status] = (statuses[status] or 0) + 1; seen = seen_text() end
function seen_text()
  local parts = {}
  for status, number in pairs(statuses) do table.insert(parts, '"' .. status .. '": ' .. number) end
  return "{" .. table.concat(parts, ", ") .. "}"
end
function done() for _, thread in ipairs(threads) do print("statuses " .. (thread:get("seen") or "{}")) end end
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def started(command: list[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the end of the block, from when it answers."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=os.environ | {"PYTHONPATH": str(HERE.parent)}
        )
    try:
        wait_until_ready(process, port, log)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(600):
        try:
            if ask(port, "/readyz")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    sys.exit(log.read_text()[-2000:])


def ask(port: int, target: str) -> tuple[int, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{target}", headers=HEADERS)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def serve(port: int, database: str, generate: int) -> list[str]:
    command = [sys.executable, "-m", "astra_filter.cli", "serve", "--port", str(port), "--database", database]
    # One token does all the asking.
    command += ["--requests-per-second", "1000000", "--concurrent", "1000"]
    return [*command, "--generate", str(generate), "--token", f"token={ACCOUNT}", "--token", f"other={OTHER}"]


def wrk(port: int, seconds: float, target: str = "/", script: Path | None = None) -> str:
    command = ["wrk", "--threads", "2", "--connections", str(CONNECTIONS), "--duration", f"{seconds:.0f}s"]
    command += ["--timeout", "30s", "--header", f"Authorization: {HEADERS['Authorization']}"]
    command += [] if script is None else ["--script", str(script)]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}{target}"], capture_output=True, text=True, check=True)
    return done.stdout


def rates(process: subprocess.Popen[bytes], port: int, seconds: float) -> tuple[float, float]:
    """Requests per second, and per second of processor time, which other work on the machine disturbs less."""
    before = processor_time(process)
    report = wrk(port, seconds, FIXED)
    if "Non-2xx" in report or "Socket errors" in report:
        sys.exit(report)
    requests = int(re.search(r"(\d+) requests in", report)[1])  # type: ignore[index]
    per_second = float(re.search(r"Requests/sec: +([\d.]+)", report)[1])  # type: ignore[index]
    return per_second, requests / (processor_time(process) - before)


def processor_time(process: subprocess.Popen[bytes]) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process: subprocess.Popen[bytes]) -> float:
    """Resident memory in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def throughput(directory: Path, database: str, generate: int, rounds: int, seconds: float) -> None:
    ports = [free_port(), free_port()]
    handwritten = [sys.executable, str(HERE / "handwritten_server.py"), str(ports[1]), database]
    with (
        started(serve(ports[0], database, generate), ports[0], directory / "ours.log") as one,
        started(handwritten, ports[1], directory / "theirs.log") as other,
    ):
        ours, theirs = (json.loads(ask(port, FIXED)[1]) for port in ports)
        # Only the tokens, which each makes in its own way, tell them apart.
        for answer in (ours, theirs):
            assert isinstance(answer["metadata"].pop("continue"), str)
        assert ours == theirs, (ours, theirs)
        assert len(ours["items"]) == 20
        found: list[list[tuple[float, float]]] = [[], []]
        for port in ports:
            wrk(port, 2, FIXED)
        for turn in range(rounds):
            for place in (0, 1) if turn % 2 == 0 else (1, 0):
                found[place].append(rates((one, other)[place], ports[place], seconds))
        for kind, unit in enumerate(("s", "s of processor time")):
            here, there = ([rate[kind] for rate in turns] for turns in found)
            ratios = [mine / theirs for mine, theirs in zip(here, there, strict=True)]
            print(
                f"throughput: {statistics.median(here):.0f}/{unit} here, {statistics.median(there):.0f} hand-written;"
                f" ratio {statistics.median(ratios):.3f} (median of {rounds}; {min(ratios):.3f} to {max(ratios):.3f})"
            )


def lua(paths: list[str]) -> str:
    return "{" + ", ".join(json.dumps(path) for path in paths) + "}"


def mix(directory: Path) -> Path:
    script = directory / "mix.lua"
    script.write_text(MIX % (lua(GOOD), lua(BAD), PATH))
    return script


def load(directory: Path, database: str, generate: int, seconds: float) -> None:
    port, log = free_port(), directory / "load.log"
    with started(serve(port, database, generate), port, log) as process:
        wrk(port, 10, script=mix(directory))  # Caches and pools fill.
        command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--timeout", "30s", "-s", str(mix(directory))]
        running = subprocess.Popen([*command, f"http://127.0.0.1:{port}"], stdout=subprocess.PIPE, text=True)
        held = []
        while running.poll() is None:
            held.append(memory(process))
            time.sleep(1)
        report = running.communicate()[0]
        statuses: dict[str, int] = {}
        for text in re.findall(r"^statuses (.*)$", report, re.MULTILINE):
            for status, number in json.loads(text).items():
                statuses[status] = statuses.get(status, 0) + number
        third = len(held) // 3
        early, late = statistics.mean(held[:third]), statistics.mean(held[-third:])
        print(
            f"load: {sum(statuses.values())} requests in {seconds:.0f} s, statuses {dict(sorted(statuses.items()))};"
            f" memory {early:.1f} MiB in the first third, {late:.1f} MiB in the last, {max(held):.1f} MiB at most"
        )
        assert not [status for status in statuses if status >= "500"], statuses
        assert {"200", "400", "401", "403", "404"} <= set(statuses), statuses
        assert "Socket errors" not in report, report
        assert late < early * 1.1 + 5, held
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    assert not [line for line in logged if "traceback" in line]
    names = [line["correlationID"] for line in logged if "correlationID" in line]
    assert len(names) == len(set(names)) >= sum(statuses.values())


def kill(directory: Path, generate: int, times: int) -> None:
    file = directory / "kill.db"
    database = f"sqlite:///{file}"
    everything = f"{PATH}?count=true&limit=1"
    for _ in range(times):
        port = free_port()
        with started(serve(port, database, generate), port, directory / "kill.log") as process:
            before = ask(port, everything)
            assert before[0] == 200, before
            assert json.loads(before[1])["metadata"]["count"] == generate + 2
            running = subprocess.Popen(
                ["wrk", "-t2", f"-c{CONNECTIONS}", "-d4s", "-s", str(mix(directory)), f"http://127.0.0.1:{port}"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(2)
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            running.wait(30)
        connection = sqlite3.connect(file, timeout=0)
        connection.execute("BEGIN EXCLUSIVE")  # Raises where a lock is left.
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM tasks").fetchone()[0] == 2 + 2 * generate
        connection.close()
    print(f"kill: {times} times killed under load and started again: every task there, no lock left")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120, help="of the load")
    parser.add_argument("--rounds", type=int, default=8, help="of the throughput, two turns each")
    parser.add_argument("--turn", type=float, default=5, help="seconds of a turn")
    parser.add_argument("--generate", type=int, default=2000, help="tasks")
    parser.add_argument("--database", help="a URL of PostgreSQL for throughput and load; default SQLite")
    parser.add_argument("parts", nargs="*", choices=["throughput", "load", "kill", []], help="default: all")
    options = parser.parse_args()
    parts = options.parts or ["throughput", "load", "kill"]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = options.database or f"sqlite:///{directory}/tasks.db"
        if "throughput" in parts:
            throughput(directory, database, options.generate, options.rounds, options.turn)
        if "load" in parts:
            load(directory, database, options.generate, options.seconds)
        if "kill" in parts:
            kill(directory, options.generate, 3)


if __name__ == "__main__":
    main()
