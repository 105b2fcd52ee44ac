"""Another version takes over under load, and gives back: no message is lost, none has two effects.

In the gate both versions are the binary under test, and none is killed. tests/system/upgrade COMMIT builds an older
one, which OLD_TABLE_UPDATER names; UPGRADE_MESSAGES is how many messages each phase takes."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness.polling import wait_until
from harness.process import Worker, binary_path
from harness.proxy import Proxy
from harness.scene import Scene, message

OLD = os.environ.get("OLD_TABLE_UPDATER") or str(binary_path())
NEW = str(binary_path())
PHASE = int(os.environ.get("UPGRADE_MESSAGES", "100"))
RECORDS = 100
PATIENCE = 60 + PHASE / 10


class Load:
    """A producer that sends all the time. Message n sets attribute m<n> where it isn't set: a second effect would be a
    false condition, and go to the DLQ; counted: it adds one to the record's n as well, where all versions know that.
    Each tenth batch has a message for a record that isn't there."""

    def __init__(self, scene: Scene, counted: bool) -> None:
        self.scene, self.sent, self.failing, self.counted = scene, 0, set(), counted
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        for i in range(RECORDS):
            scene.table.put({"id": f"record-{i}"})
        self._thread.start()

    def _send(self) -> None:
        batches, more = 0, {"increment": {"n": 1}} if self.counted else {}
        while not self._over.is_set():
            bodies = []
            for _ in range(10):
                name = f"m{self.sent}"
                members = {"condition_expression": f"attribute_not_exists({name})", **more}
                bodies.append(message(f"record-{self.sent % RECORDS}", {name: 1}, **members))
                self.sent += 1
            batches += 1
            if batches % 10 == 0:
                key = f"nobody-{batches}"
                bodies.append(message(key, {"n": 1}, idempotency_key=key))
                self.failing.add(key)
            self.scene.queue.send(*bodies)
            self._over.wait(0.05)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def knows_increments(scene: Scene, version: str) -> bool:
    """Whether messages may count: versions from before 29 November 2026 don't know it."""
    scene.table.put({"id": "increment"})
    body = message("increment", {"seen": True}, increment={"n": 1})
    asked = subprocess.run([version, "apply"], env=scene.environment(), input=body, text=True, capture_output=True)
    scene.table.client.delete_item(TableName=scene.table.name, Key={"id": {"S": "increment"}})
    return asked.returncode == 0


def of_load(scene: Scene) -> list[dict[str, Any]]:
    """The audit records of the load's messages that were applied."""
    return [it for it in scene.audits().values() if it["record_id"].startswith("record-")]


def judge(scene: Scene, load: Load) -> str:
    """Once all of them have ended: nothing of the load is lost or doubled. What was killed had messages; they are
    visible again once their visibility timeout is over."""
    before = len(of_load(scene))
    assert scene.run_until_empty(patience=PATIENCE + 120).code == 0
    records = scene.table.scan()
    effects = sum(1 for record in records for name in record if name.startswith("m"))
    counted = sum(int(record.get("n", 0)) for record in records)
    applied = len(of_load(scene))
    dead = [it.source["idempotency_key"] for it in scene.dead()]
    doubled = [it for it in scene.dead() if it.envelope["error"] == "ConditionalCheckFailed"]
    assert (effects, applied) == (load.sent, load.sent), f"{load.sent} sent, {effects} effects, {applied} audit records"
    assert counted == (load.sent if load.counted else 0)
    assert set(dead) == load.failing and not doubled
    assert not scene.left()
    return (
        f"{load.sent} messages ({before} applied before the last run), {effects} effects, {applied} audit records, "
        f"counters at {counted if load.counted else 'none'}; {len(load.failing)} failed for good, {len(dead)} dead "
        f"letters; lost {load.sent - effects}, doubled {len(doubled) + (max(counted - effects, 0))}"
    )


class Rolling:
    """Two versions on one queue."""

    def __init__(self, scene: Scene, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scene, self.proxy, self.monkeypatch = scene, proxy, monkeypatch
        self.gaps: dict[str, float] = {}

    def start(self, version: str, **settings: str) -> Worker:
        self.monkeypatch.setenv("TABLE_UPDATER", version)
        return self.scene.worker(
            AWS_ENDPOINT_URL_SQS=self.proxy.url, SHUTDOWN_TIMEOUT="5", VISIBILITY_TIMEOUT="10", **settings
        )

    def deleted(self) -> int:
        return sum(len(request.json["Entries"]) for request in self.proxy.requests("DeleteMessageBatch"))

    def work(self) -> None:
        """Until a phase's worth of messages is done with."""
        wanted = self.deleted() + PHASE
        wait_until(lambda: self.deleted() >= wanted, f"{PHASE} messages more", patience=PATIENCE)

    def replace(self, name: str, worker: Worker, version: str, end: Callable[[Worker], object]) -> Worker:
        """As systemctl restart does it: the one ends, then the other starts. Notes how long nothing was received."""
        began, receives = time.monotonic(), self.proxy.count("ReceiveMessage")
        end(worker)
        receives = self.proxy.count("ReceiveMessage")
        after = self.start(version)
        self.proxy.wait_for("ReceiveMessage", receives + 1)
        self.gaps[name] = self.proxy.requests("ReceiveMessage")[receives].started - began
        self.work()
        return after


@pytest.fixture
def load(scene: Scene) -> Iterator[Load]:
    producing = Load(scene, counted=knows_increments(scene, OLD))
    yield producing
    producing.stop()


def test_versions_take_over_from_each_other_under_load_and_nothing_is_lost_or_doubled(
    scene: Scene, load: Load, sqs_proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolling = Rolling(scene, sqs_proxy, monkeypatch)
    worker = rolling.start(OLD)
    rolling.work()
    worker = rolling.replace("update, SIGTERM", worker, NEW, lambda it: it.stop())
    worker = rolling.replace("back, SIGTERM", worker, OLD, lambda it: it.stop())
    if OLD != NEW:  # else other tests kill; it takes a visibility timeout until what was held is seen again
        worker = rolling.replace("update, killed", worker, NEW, lambda it: it.kill())
        worker = rolling.replace("back, killed", worker, OLD, lambda it: it.kill())
    beside = rolling.start(NEW)  # as an instance of the template unit beside the other
    rolling.work()
    assert worker.stop() == 0
    rolling.work()
    load.stop()
    assert beside.stop() == 0
    monkeypatch.setenv("TABLE_UPDATER", NEW)
    told = judge(scene, load)
    gaps = ", ".join(f"{name}: {seconds * 1000:.0f} ms" for name, seconds in rolling.gaps.items())
    print(f"\n{told}; from SIGTERM or kill to the next receive: {gaps}")


def test_where_the_new_version_is_configured_wrongly_the_old_one_goes_on(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    worker = scene.worker()
    worker.wait_until_ready()
    assert scene.command("check", MAX_RATE="none").wait() == 78, "what is run before a restart"
    assert scene.command("run", MAX_RATE="none").wait() == 78
    assert scene.command("run", TABLE_NAME="no-such-table").wait() == 78
    scene.queue.send(message("a", {"n": 1}))
    wait_until(lambda: scene.table.get("a").get("n") == 1, "the update")
    assert worker.stop() == 0
