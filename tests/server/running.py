"""The server in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from databases.backends import POSTGRES_URL

ROOT = Path(__file__).parents[2]
ACCOUNT = "fdaa655c-15ab-4d34-aa61-1e9098e67be0"
OTHER = "0b0b1b0c-0000-4000-8000-000000000001"
TOKEN = "s3cret=="
OTHER_TOKEN = "0ther"
SECRET = "a secret of the server's"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
PATH = f"/accounts/{ACCOUNT}/core/v1/tasks"


class Server:
    """``astra-filter serve`` on a free port of 127.0.0.1; ``lines`` are those of its log."""

    def __init__(self, *options: str, environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "astra_filter.cli", "serve", "--port", "0", "--secret", SECRET]
        command += ["--token", f"{TOKEN}={ACCOUNT}", "--token", f"{OTHER_TOKEN}={OTHER}", *options]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict] = []
        self.url = ""
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        if not self._listening.wait(60) or not self.url:
            self.stop()
            raise RuntimeError(self.errors)

    def _read(self) -> None:
        for line in self.process.stdout:
            entry = json.loads(line)
            self.lines.append(entry)
            if "running on " in entry["message"]:
                self.url = entry["message"].partition("running on ")[2].split()[0]
                self._listening.set()
        self._listening.set()

    def stop(self) -> int:
        """End it as a service manager does, and return its exit status."""
        self.process.terminate()
        return self.wait()

    def kill(self) -> None:
        self.process.kill()
        self.wait()

    def wait(self) -> int:
        status = self.process.wait(60)
        self._reader.join()
        self.errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return status


@contextmanager
def running(*options: str):
    server = Server(*options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


@contextmanager
def namespace(backend):
    """The URL of the PostgreSQL namespace that a backend of the tests works in; the server's table is dropped."""
    try:
        yield f"{POSTGRES_URL}?options=-csearch_path%3D{backend.namespace}&application_name={backend.namespace}"
    finally:
        backend.execute("DROP TABLE IF EXISTS tasks")
