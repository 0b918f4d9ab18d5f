"""The language server, asked as an editor asks it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol.types import Position

from astra_filter import Schema, fields
from astra_filter.cli.lsp import completions, diagnostics, formatting, hover, offset, position

SCHEMA = Schema(
    {"state": fields.Enum("running", "failed"), "n": fields.Integer(nullable=True, description="how many"), "é😀": fields.String()}
)  # fmt: skip


def test_places_count_utf16_units():
    text = "`é😀` eq 'x'\nand n eq 1"
    for place in range(len(text) + 1):
        assert offset(text, position(text, place)) == place
    assert position(text, 4) == Position(0, 5)
    assert offset(text, Position(9, 9)) == len(text)
    assert offset(text, Position(0, 99)) == text.index("\n")


def test_what_an_editor_is_told():
    (found,) = diagnostics(SCHEMA, "n eq 1\nand stat eq 'failed'")
    assert (found.code, found.range.start, found.range.end) == ("unknown_field", Position(1, 4), Position(1, 8))
    assert found.message == "unknown field 'stat'\nhint: did you mean state?"
    assert diagnostics(SCHEMA, " \n") == diagnostics(SCHEMA, "n eq 1") == []
    (item,) = completions(SCHEMA, "state eq 'r", Position(0, 11))
    assert (item.label, item.text_edit.range.start, item.text_edit.new_text) == (
        "'running'",
        Position(0, 9),
        "'running'",
    )
    assert (
        hover(SCHEMA, "state eq 'x' and n gt 1", Position(0, 17)).contents.value
        == "n: integer, may be null\n\nhow many"
    )
    assert hover(SCHEMA, "state eq 'x'", Position(0, 7)) is None
    (edit,) = formatting(SCHEMA, "(n EQ 1)")
    assert edit.new_text == "n eq 1\n"
    assert formatting(SCHEMA, "n eq 1\n") == formatting(SCHEMA, "n =") == []


@pytest.mark.slow
def test_over_its_protocol(tmp_path):
    (tmp_path / "t.json").write_text('[{"state": "running", "n": 1}]', "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-m", "astra_filter.cli", "lsp", "--sample", "t.json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=tmp_path, env=environment) as process:

        def send(method, parameters, number=None):
            message = {"jsonrpc": "2.0", "method": method, "params": parameters}
            body = json.dumps(message if number is None else {**message, "id": number}).encode()
            process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            process.stdin.flush()

        def receive(wanted):
            while True:
                length = 0
                while (line := process.stdout.readline().strip()) != b"":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                message = json.loads(process.stdout.read(length))
                if message.get("id") == wanted or message.get("method") == wanted:
                    return message

        send("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, 1)
        assert receive(1)["result"]["capabilities"]["hoverProvider"]
        send("initialized", {})
        document = {"uri": "file:///f.filter", "languageId": "filter", "version": 1, "text": "nn eq 1"}
        send("textDocument/didOpen", {"textDocument": document})
        (problem,) = receive("textDocument/publishDiagnostics")["params"]["diagnostics"]
        assert problem["code"] == "unknown_field"
        place = {"textDocument": {"uri": "file:///f.filter"}, "position": {"line": 0, "character": 0}}
        send("textDocument/completion", place, 2)
        assert "state" in [item["label"] for item in receive(2)["result"]]
        send("shutdown", None, 3)
        receive(3)
        send("exit", None)
        assert process.wait(30) == 0
