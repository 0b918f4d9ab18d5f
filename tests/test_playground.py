"""The playground: what the page asks, and the page itself in a browser."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from astra_filter import Schema, fields
from astra_filter.playground import create_playground

SCHEMA = Schema(
    {"id": fields.Integer(), "state": fields.Enum("running", "failed"), "name": fields.String(nullable=True)}, key="id"
)
ROWS = [
    {"id": number, "state": "running" if number % 2 else "failed", "name": "n\u00e9\U0001f600"} for number in range(250)
]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ROOT = Path(__file__).parent.parent


@pytest.fixture
def client():
    """Send requests to the application, without a network."""
    transport = httpx.ASGITransport(create_playground(SCHEMA, ROWS, "tasks"))

    def send(method, path, **sent):
        async def run():
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **sent)

        return asyncio.run(run())

    return send


@pytest.fixture
def ask(client):
    def ask(path, **body):
        answer = client("POST", path, json=body)
        assert answer.status_code == 200
        return answer.json()

    return ask


def test_the_page_and_its_parts_are_small_and_its_own(client):
    weight = 0
    for path in ("/", "/page.js", "/page.css"):
        answer = client("GET", path)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not re.search(r"https?://|@import|url\(", answer.text)
        weight += len(answer.content)
    assert weight < 100_000


def test_about(ask):
    about = ask("/about")
    assert (about["name"], about["total"], about["columns"]) == ("tasks", 250, ["id", "state", "name"])
    assert about["fields"][1] == {"path": "state", "type": "enum", "nullable": False, "description": ""}


def test_a_filter_and_what_it_means(ask):
    found = ask("/check", filter="state EQ 'running' and id le 3")
    assert found["canonical"] == "state eq 'running' and id lte 3"
    assert (found["matched"], [row["row"] for row in found["rows"]], found["problems"]) == (2, [1, 3], [])
    assert found["rows"][0]["cells"] == ["1", "running", "n\u00e9\U0001f600"]
    assert found["tree"].startswith("and\n")
    assert found["sql"]["sqlite"]["params"] == '["running", 3]'
    assert set(found["sql"]) == set(ask("/about")["dialects"])
    assert "def " in found["python"]
    every = ask("/check", filter="id eq 249", every=True)
    assert (every["matched"], len(every["rows"]), every["rows"][0]["holds"]) == (1, 100, False)
    assert ask("/check", filter=" ")["matched"] == 250


def test_what_is_wrong(ask):
    (problem,) = ask("/check", filter="state eq 'runing'")["problems"]
    assert (problem["span"], "running" in problem["hint"]) == ([9, 17], True)


def test_candidates_and_explanations(ask):
    assert [each["insert"] for each in ask("/complete", filter="state eq ", cursor=9)["candidates"]] == [
        "'running'",
        "'failed'",
    ]
    found = ask("/explain", filter="id gt 5", row=3)
    assert found["explanation"] == {"label": "id gt 5", "holds": False, "decides": True, "value": "3", "operands": []}
    assert '"id": 3' in found["resource"]
    assert ask("/explain", filter="", row=3)["explanation"] is None
    assert ask("/explain", filter="id gt 5", row=250) == {}


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"[]", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"\xff", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"{}", "headers": {"content-type": "text/plain"}}, 415),
        ({"json": {}, "headers": {"host": "elsewhere.example"}}, 400),
        ({"json": {"filter": " " * 300_000}}, 413),
        ({"json": {"filter": 5, "cursor": "x", "row": True}}, 200),
        ({"content": b'{"filter": "\\ud800 x"}', "headers": {"content-type": "application/json"}}, 200),
    ],
)
@pytest.mark.parametrize("path", ["/check", "/complete", "/explain"])
def test_odd_requests_are_answered(client, path, sent, status):
    assert client("POST", path, **sent).status_code == status


# In a browser --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of the page over a file, served by the command."""
    file = tmp_path_factory.mktemp("playground") / "tasks.csv"
    file.write_text(
        "id,state,size\n" + "".join(f"{n},{'running' if n % 3 else 'failed'},{n * 10}\n" for n in range(60)), "utf-8"
    )
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "astra_filter.cli", "playground", str(file), "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, cwd=file.parent) as process:
        line = process.stderr.readline().decode()
        assert line.startswith(f"http://127.0.0.1:{port}/"), line
        yield line.split()[0]
        process.terminate()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no browser")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 375])
def test_a_filter_is_written_mended_and_explained(address, browser, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    failed = []
    page.on("pageerror", lambda error: failed.append(error))
    page.on("request", lambda request: failed.append(request.url) if not request.url.startswith(address) else None)
    begun = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    print(f"interactive after {(time.perf_counter() - begun) * 1000:.0f} ms")
    assert page.text_content("#about").endswith("tasks.csv: 60 rows")
    assert page.text_content("#count") == "60 of 60 match"

    page.fill("#filter", "stat eq 'failed' and size gt 100")
    page.wait_for_selector("#problems p")
    assert page.text_content("#layer .wrong") == "stat"
    assert page.text_content("#problems") == "unknown field 'stat'Hint: did you mean state?"

    # Mended by what is offered, with the keyboard alone.
    page.evaluate("document.getElementById('filter').setSelectionRange(4, 4)")
    page.keyboard.press("Control+Space")
    page.wait_for_selector("#candidates li")
    assert page.text_content("#candidates li[aria-selected=true] span") == "state"
    page.keyboard.press("Enter")
    assert page.input_value("#filter") == "state eq 'failed' and size gt 100"
    page.wait_for_selector("#count:has-text('16 of 60 match')")
    assert page.text_content("#problems") == ""
    assert page.text_content("#canonical") == "state eq 'failed' and size gt 100"
    page.select_option("#dialect", "postgresql")
    assert "%s" in page.text_content("#sql")
    assert page.text_content("#params") == '["failed", "failed", 100]' or "failed" in page.text_content("#params")
    assert page.locator("#rows tbody tr").count() == 16

    page.check("#every")
    page.wait_for_selector("#rows tbody tr.no")
    page.focus("#rows tr[data-row='1'] button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#explanation .decides")
    assert page.text_content("#why-title") == "Why row 2 does not match"
    assert "state eq 'failed' found running" in page.text_content("#explanation")

    # The address leads to the same filter, and nothing of the page is wider than the screen.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    again = browser.new_page()
    again.goto(page.url)
    again.wait_for_selector("#count:has-text('16 of 60 match')")
    assert again.input_value("#filter") == "state eq 'failed' and size gt 100"
    folder = os.environ.get("ASTRA_FILTER_SCREENSHOTS")
    if folder:
        page.screenshot(path=f"{folder}/playground-{width}.png", full_page=True)
    assert failed == []
