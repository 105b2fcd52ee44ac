"""SIGKILL at every boundary of the network I/O of a small load: before and after each connect, write, read and close,
each once. By hand:

    python3 -m pytest -s tests/system/chaos_boundaries.py

Another process then finishes the work. Nothing is lost, nothing is applied twice, and the DLQ has each message that
fails, once or twice.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest
from harness.preload import DieAt
from harness.proxy import Proxy
from harness.queues import Sent
from harness.scene import Scene, message
from test_faults_queue import give_back, shorten_polls

# At a time: each mostly waits.
AT_ONCE = 4
RECORDS = 4
KINDS = {"audited": True, "plain": False}
NO_JSON = "this is no JSON"


@dataclass(frozen=True)
class Load:
    """What was sent, and what is to become of it."""

    good: list[Sent]
    failing: list[Sent]
    versions: dict[str, int]  # of the records in the end

    @property
    def effects(self) -> dict[str, int]:
        """How many success records each record has."""
        return {name: version for name, version in self.versions.items() if name.startswith("audited")}


def step(record: str, version: int) -> str:
    """From one version to the next: a second effect would falsify its own condition."""
    return message(
        record,
        {"version": version + 1},
        condition_expression=f"version = {version}",
        enable_logging=KINDS[record.partition("-")[0]],
    )


def load(scene: Scene) -> Load:
    """What succeeds and what fails, audited and not, in no order."""
    records = [f"{kind}-{n}" for n in range(RECORDS) for kind in KINDS]
    scene.table.put(*({"id": record, "version": 0} for record in records))
    bad = [
        message("nobody", {"version": 1}),
        message("nobody-else", {"version": 1}, enable_logging=False),
        message("audited-0", {"late": 1}, condition_expression="version = 7"),
        NO_JSON,
    ]
    good = [step(record, 0) for record in records]
    sent = scene.queue.send(*(body for pair in zip(good, bad, strict=False) for body in pair), *good[len(bad) :])
    failing = [one for one in sent if one.body in bad]
    return Load([one for one in sent if one not in failing], failing, {record: 1 for record in records})


def ordered_load(scene: Scene) -> Load:
    """For a FIFO queue: groups whose updates succeed only in their order, with failures between them; and one that has
    only failures."""
    records = [f"{kind}-0" for kind in KINDS]
    scene.table.put(*({"id": record, "version": 0} for record in records))
    bad = {"audited-0": message("nobody", {"version": 1}), "plain-0": NO_JSON}
    good, failing = [], []
    for record in records:
        sent = scene.queue.send(
            step(record, 0), step(record, 1), bad[record], step(record, 2), step(record, 3), group=record
        )
        good += [*sent[:2], *sent[3:]]
        failing.append(sent[2])
    failing += scene.queue.send(
        message("nobody-else", {"n": 1}, enable_logging=False),
        message("plain-0", {"n": 1}, condition_expression="version = 7"),
        group="bad",
    )
    return Load(good, failing, {record: 4 for record in records})


def same_but_for_time_and_count(envelope: dict[str, Any]) -> str:
    source = {**envelope["details"]["source"], "receive_count": 0}
    return json.dumps(
        {**envelope, "timestamp": "", "details": {**envelope["details"], "source": source}}, sort_keys=True
    )


def check_all_is_done(scene: Scene, work: Load) -> None:
    versions = {record["id"]: record["version"] for record in scene.table.scan()}
    assert versions == work.versions, f"I1, I2: an update is missing, or was applied twice: {versions}"
    assert Counter(record["record_id"] for record in scene.audits().values()) == work.effects
    copies = defaultdict(list)
    for dead in scene.dead():
        copies[dead.source["message_id"]].append(same_but_for_time_and_count(dead.envelope))
    assert set(copies) == {one.message_id for one in work.failing}, (
        "I1, I4: the DLQ lacks one that failed, or has one that succeeded"
    )
    assert all(len(same) <= 2 and len(set(same)) == 1 for same in copies.values()), (
        "more than a second copy of the same envelope"
    )
    # Of an unaudited update that the next one has overwritten, the record's version alone tells.
    told = [one for one in work.good if not scene.queue.fifo or '"enable_logging": true' in one.body]
    scene.check_invariants([*told, *work.failing], effects=not scene.queue.fifo)


def killed_at(scene: Scene, sqs_url: str, folder: Path, boundary: int) -> DieAt:
    """A run that is killed at a boundary (0: not at all) and, where it was, one that finishes the work; everything is
    checked."""
    work = ordered_load(scene) if scene.queue.fifo else load(scene)
    with Proxy(sqs_url) as proxy:
        shorten_polls(proxy)
        order = DieAt(folder / f"{scene.queue.name}.order", boundary)
        first = scene.command(
            "run", "--until-empty", AWS_ENDPOINT_URL_SQS=proxy.url, VISIBILITY_TIMEOUT=600, **order.settings
        )
        code = first.wait()
        assert code == (-9 if order.where else 0), first.describe()
        proxy.settle()
        give_back(scene, proxy)
        if order.where:
            run = scene.run_until_empty(AWS_ENDPOINT_URL_SQS=proxy.url, VISIBILITY_TIMEOUT=10)
            assert run.code == 0, run.log
    check_all_is_done(scene, work)
    return order


def check_boundaries(make_scene: Callable[..., Scene], cloud: Any, folder: Path, every: int, **options: Any) -> str:
    """Each so many-th boundary of one run; says how many there were and where the processes died."""

    def one(boundary: int) -> DieAt:
        scene = make_scene(**options)
        try:
            return killed_at(scene, cloud.sqs_server.url, folder, boundary)
        except AssertionError as error:
            raise AssertionError(f"killed at boundary {boundary}: {error}") from error
        finally:
            scene.close()

    count = one(0).count
    assert count > 100
    with ThreadPoolExecutor(AT_ONCE) as pool:
        deaths = [order.where for order in pool.map(one, range(1, count + 1, every)) if order.where]
    places = ", ".join(f"{where} {times}" for where, times in sorted(Counter(deaths).items()))
    assert len(deaths) >= len(range(1, count + 1, every)) * 3 // 4, (
        "few were killed"
    )  # runs differ a little in how much comes at once
    return f"{count} boundaries, {len(range(1, count + 1, every))} rounds, {len(deaths)} kills: {places}"


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_fault_12_killed_at_every_boundary_the_next_process_completes_the_work(
    make_scene: Callable[..., Scene], cloud: Any, tmp_path: Path, fifo: bool
) -> None:
    print("\n" + check_boundaries(make_scene, cloud, tmp_path, every=1, fifo=fifo))
