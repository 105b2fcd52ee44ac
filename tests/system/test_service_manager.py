"""What the service manager is told, over its notification socket as systemd listens on it."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness import faults
from harness.polling import PATIENCE, wait_until
from harness.proxy import Proxy
from harness.scene import Scene, message


class Manager:
    """A datagram socket, and what came in so far: one assignment each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def close(self) -> None:
        self._socket.close()

    def wait_for(self, wanted: Callable[[str], bool], patience: float = PATIENCE) -> str:
        """The first assignment from now on that is wanted."""
        deadline = time.monotonic() + patience
        while True:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.01))
            try:
                news = self._socket.recv(65536).decode().split("\n")
            except TimeoutError:
                raise AssertionError(f"not told in time; told were {self.told}") from None
            self.told += news
            found = [assignment for assignment in news if wanted(assignment)]
            if found:
                return found[0]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    listening = Manager(tmp_path / "notify")
    yield listening
    listening.close()


def test_readiness_is_told_once_the_tables_and_queues_were_seen(scene: Scene, manager: Manager) -> None:
    worker = scene.worker(NOTIFY_SOCKET=manager.path)
    manager.wait_for(lambda told: told == "READY=1")
    worker.wait_for_log(r"\bStarted\b")  # written before, but read by a thread of its own
    assert worker.stop() == 0
    manager.wait_for(lambda told: told == "STOPPING=1")
    assert manager.told.count("READY=1") == 1


def test_the_status_line_tells_what_is_waited_for_and_what_was_done(scene: Scene, manager: Manager) -> None:
    scene.table.put({"id": "a"})
    worker = scene.worker(NOTIFY_SOCKET=manager.path)
    assert "aiting" in manager.wait_for(lambda told: told.startswith("STATUS="))
    assert "0 applied" in manager.wait_for(lambda told: told.startswith("STATUS=Running"))
    scene.queue.send(message("a", {"n": 1}))
    told = manager.wait_for(lambda told: told.startswith("STATUS=Running") and "1 applied" in told)
    assert re.match(r"STATUS=Running: \d+\.\d messages a second; \d+ in flight; 1 received", told), told
    assert worker.stop() == 0


def test_the_status_line_tells_what_holds_it_back_and_since_when(
    scene: Scene, manager: Manager, dynamodb_proxy: Proxy
) -> None:
    scene.table.put({"id": "a"})
    worker = scene.worker(NOTIFY_SOCKET=manager.path, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    manager.wait_for(lambda told: told == "READY=1")
    dynamodb_proxy.on(None, faults.denied())
    scene.queue.send(message("a", {"n": 1}))
    told = manager.wait_for(lambda told: told.startswith("STATUS=Held back"))
    since = re.match(
        r"STATUS=Held back since (\S+)Z \(\d+ s\): applying, denied \(AccessDeniedException\); 1 in flight", told
    )
    assert since, told
    began = datetime.fromisoformat(since.group(1)).replace(tzinfo=timezone.utc)
    assert abs((began - datetime.now(timezone.utc)).total_seconds()) < 60, told
    worker.kill()


def test_the_watchdog_is_fed_at_half_its_interval_and_not_without_one(scene: Scene, manager: Manager) -> None:
    worker = scene.worker(NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="400000")
    manager.wait_for(lambda told: told == "READY=1")
    began = time.monotonic()
    for _ in range(5):
        manager.wait_for(lambda told: told == "WATCHDOG=1")
    assert time.monotonic() - began >= 0.5
    assert worker.stop() == 0
    manager.told.clear()
    worker = scene.worker(NOTIFY_SOCKET=manager.path)
    manager.wait_for(lambda told: told == "READY=1")
    assert worker.stop() == 0 and "WATCHDOG=1" not in manager.told[manager.told.index("READY=1") :]


def test_a_manager_that_does_not_read_holds_nothing_up(scene: Scene, manager: Manager) -> None:
    scene.table.put({"id": "user-1"})
    worker = scene.worker(NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="2000")  # its socket is full in no time
    worker.wait_for_log("Started")
    scene.queue.send(message("user-1", {"n": 1}))
    wait_until(lambda: scene.table.get("user-1").get("n") == 1, "the update")
    assert worker.stop() == 0


def test_a_process_that_is_stopped_feeds_no_watchdog(scene: Scene, manager: Manager) -> None:
    worker = scene.worker(NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="200000")
    manager.wait_for(lambda told: told == "READY=1")
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        with pytest.raises(AssertionError):
            while True:
                manager.wait_for(lambda told: told == "WATCHDOG=1", patience=2)
    finally:
        os.kill(worker.pid, signal.SIGCONT)
    manager.wait_for(lambda told: told == "WATCHDOG=1")
    assert worker.stop() == 0


def test_a_start_that_waits_for_a_service_is_told_ready_before_the_manager_loses_patience(
    scene: Scene, manager: Manager, dynamodb_proxy: Proxy
) -> None:
    dynamodb_proxy.stop_listening()
    worker = scene.worker(NOTIFY_SOCKET=manager.path, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    manager.wait_for(lambda told: told == "READY=1", patience=60)
    assert not worker.find_log(r"\bStarted\b")
    assert worker.stop() == 0


def test_the_time_that_draining_needs_is_asked_for(scene: Scene, manager: Manager) -> None:
    worker = scene.worker(NOTIFY_SOCKET=manager.path, SHUTDOWN_TIMEOUT="600")
    manager.wait_for(lambda told: told == "READY=1")
    os.kill(worker.pid, signal.SIGTERM)
    assert int(manager.wait_for(lambda told: told.startswith("EXTEND_TIMEOUT_USEC=")).split("=")[1]) > 600_000_000
    assert "STOPPING=1" in manager.told
    assert worker.wait() == 0


def test_a_start_that_fails_never_tells_readiness(scene: Scene, manager: Manager) -> None:
    process = scene.command("run", TABLE_NAME="no-such-table", NOTIFY_SOCKET=manager.path)
    assert process.wait() == 78
    with pytest.raises(AssertionError):
        manager.wait_for(lambda told: told == "READY=1", patience=1)


def test_a_reload_is_told_from_its_beginning_to_its_end(scene: Scene, manager: Manager) -> None:
    worker = scene.worker(NOTIFY_SOCKET=manager.path)
    manager.wait_for(lambda told: told == "READY=1")
    worker.send_signal(signal.SIGHUP)
    manager.wait_for(lambda told: told == "RELOADING=1")
    assert any(told.startswith("MONOTONIC_USEC=") for told in manager.told)
    if manager.told.count("READY=1") < 2:
        manager.wait_for(lambda told: told == "READY=1")
    assert worker.stop() == 0
