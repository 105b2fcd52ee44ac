"""The page in Debian's chromium: what it shows, dark and light, on a phone and on a screen, and axe-core without a
violation.

By hand: it needs the packages chromium and npm, and takes a minute. Screenshots go to the folder that SCREENSHOTS
names.
"""

from __future__ import annotations

import base64
import json
import math
import os
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from harness.polling import wait_until
from harness.process import Worker
from harness.scene import Scene, message

AXE = "axe-core@4.10.3"
ERRORS = ("InvalidInputError", "ValidationError", "RecordNotFoundError", "ConditionalCheckFailed", "DatabaseError")
Json = dict[str, Any]


class Browser:
    """Chromium without a window, spoken to over a pair of pipes."""

    def __init__(self, profile: Path) -> None:
        command_read, self._commands = os.pipe()
        self._answers, answer_write = os.pipe()
        self._process = subprocess.Popen(
            [
                *("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"),
                *(f"--user-data-dir={profile}", "--no-first-run", "--no-proxy-server", "about:blank"),
            ],
            # It reads from 3 and writes to 4.
            preexec_fn=lambda: (os.dup2(command_read, 3), os.dup2(answer_write, 4)),
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(command_read)
        os.close(answer_write)
        self._buffer = b""
        self._number = 0
        self.session: str | None = None
        self.events: list[Json] = []
        self.status: Json | None = None  # what the page gets for /status; None: the truth

    def _read(self) -> Json:
        while b"\0" not in self._buffer:
            piece = os.read(self._answers, 1 << 20)
            assert piece, "chromium has ended"
            self._buffer += piece
        text, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method: str, **parameters: Any) -> Json:
        """One command of the DevTools protocol, and its result."""
        self._number += 1
        number = self._number
        command: Json = {"id": number, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self._happened(answer)

    def _happened(self, event: Json) -> None:
        self.events.append(event)
        if event.get("method") == "Fetch.requestPaused":
            self._number += 1
            body = base64.b64encode(json.dumps(self.status).encode()).decode()
            reply = {"requestId": event["params"]["requestId"], "responseCode": 200, "body": body}
            command = {"id": self._number, "method": "Fetch.fulfillRequest", "params": reply, "sessionId": self.session}
            os.write(self._commands, json.dumps(command).encode() + b"\0")

    def open(self, url: str, width: int, dark: bool, status: Json | None = None) -> None:
        """A page of its own; it has asked for the state when this returns."""
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.status = status
        self.events.clear()
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        if status:
            self.call("Fetch.enable", patterns=[{"urlPattern": "*/status"}])
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Emulation.setScrollbarsHidden", hidden=True)
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=url)
        wait_until(lambda: self.value("document.querySelectorAll('#charts figure').length") == 7, "the charts")

    def value(self, expression: str) -> Any:
        """What an expression is in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """All of the page."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def complaints(self) -> list[str]:
        """What the console says: errors, and what the page's policy forbids."""
        entries = [event["params"]["entry"] for event in self.events if event.get("method") == "Log.entryAdded"]
        return [entry["text"] for entry in entries if entry["level"] in ("error", "warning")] + [
            str(event["params"]) for event in self.events if event.get("method") == "Runtime.exceptionThrown"
        ]

    def close(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    chromium = Browser(tmp_path_factory.mktemp("chromium"))
    yield chromium
    chromium.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The checker's source."""
    folder = tmp_path_factory.mktemp("axe")
    subprocess.run(["npm", "pack", "--silent", AXE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    archive = next(folder.glob("axe-core-*.tgz"))
    return subprocess.run(
        ["tar", "-xzOf", archive, "package/axe.min.js"], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="module")
def worker(module_scene: Scene) -> Worker:
    scene = module_scene
    scene.table.put(*({"id": f"r{n}"} for n in range(10)))
    scene.queue.send(*(message(f"r{n}", {"n": n}) for n in range(10)), message("gone", {"n": 1}), "no json")
    running = scene.worker()
    scene.queue.wait_until_empty()
    return running


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def long_day(told: Json, trouble: bool) -> Json:
    """A status as it would be after a busy quarter of an hour."""
    now = datetime(2026, 3, 1, 3, 14, 10, tzinfo=timezone.utc)
    steps = []
    for n in range(90):
        down = trouble and n > 70
        wave = 1200 + 500 * math.sin(n / 9)
        steps.append(
            {
                "end": (now - timedelta(seconds=10 * (89 - n))).isoformat(),
                "milliseconds": 10000,
                "received": 0 if down else int(wave * 10),
                "applied": 0 if down else int(wave * 9.9),
                "returned": n % 7,
                "throttles": 40 if 30 < n < 40 else 0,
                "dead_lettered": {error: (n * 3) % 5 if error == "ValidationError" else 0 for error in ERRORS},
                "median_ms": None if down else int(14 + n % 5),
                "p99_ms": None if down else int(60 + 30 * (n % 11)),
                "in_flight": 256 if down else 90 + n,
                "oldest_message_age_seconds": (n - 70) * 10 if down else 1,
                "backlog": 1000 + (n * 90 if down else 0),
                "dlq": 12 + n,
            }
        )
    status = {**told, "time": now.isoformat().replace("+00:00", "Z"), "history": steps, "ready": not trouble}
    status["totals"] = {**told["totals"], "applied": 123456789, "received": 123457001, "throttles": 400}
    status["queue"] = {**told["queue"], "visible": 2620, "in_flight": 256, "delayed": 0}
    status["dlq"] = {**told["dlq"], "visible": 101, "in_flight": 0, "delayed": 0}
    status["oldest_message_age_seconds"] = 190 if trouble else 1
    status["last_dead_letters"] = [
        {"time": (now - timedelta(seconds=70 * n)).isoformat(), "error": ERRORS[n % 5]} for n in range(20)
    ]
    if trouble:
        status["clock_offset_seconds"] = 3600
        status["troubles"] = [
            {
                "part": "applying",
                "what": "DynamoDB fails for every message: receiving has stopped, and what is in flight waits",
                "cause": "denied",
                "code": "AccessDeniedException",
                "since": now.isoformat(),
                "seconds": 190,
                "messages": 256,
                "what_to_do": "Allow the action that the log names (AWS denies a call) to the role; it goes on "
                "by itself",
            }
        ]
    return status


LOOKS = [(width, dark) for width in (360, 1280) for dark in (False, True)]
RUN_AXE = "axe.run(document).then(r => JSON.stringify(r.violations.map(v => [v.id, v.nodes.map(n => n.html)])))"


@pytest.mark.parametrize(("width", "dark"), LOOKS)
@pytest.mark.parametrize("state", ["fresh", "busy", "trouble"])
def test_the_page_can_be_read_by_everyone(
    worker: Worker, browser: Browser, axe: str, screenshots: Path, width: int, dark: bool, state: str
) -> None:
    told = json.loads(worker.get("/status")[1])
    host, port = worker.address
    status = None if state == "fresh" else long_day(told, state == "trouble")
    browser.open(f"http://{host}:{port}/", width, dark, status)
    assert browser.complaints() == []
    text = browser.value("document.body.innerText")
    assert ("Not ready" if state == "trouble" else "Ready") in text
    if state == "trouble":
        assert "AccessDeniedException" in text and "Allow the action" in text and "Off by 60 min" in text
    if state == "fresh":
        assert "RecordNotFoundError" in text and "InvalidInputError" in text
    assert browser.value("document.documentElement.scrollWidth") <= width, "it has to be scrolled sideways"
    background = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == dark
    browser.screenshot(screenshots / f"{state}-{width}-{'dark' if dark else 'light'}.png")
    browser.value(axe)
    assert json.loads(browser.value(RUN_AXE)) == []


def test_where_nothing_answers_any_more_it_says_so(worker: Worker, browser: Browser) -> None:
    host, port = worker.address
    browser.open(f"http://{host}:{port}/", 1280, False)
    worker.stop()
    wait_until(lambda: "gives no answer" in browser.value("document.body.innerText"), "the word of it")
