"""SIGKILL at every boundary of the network I/O of a small load: before and after each connect, write, read and close, each once. By hand:

    python3 -m pytest -s tests/system/chaos_boundaries.py

Another process then finishes the work. Nothing is lost, nothing is applied twice, and the DLQ has each message that fails, once or twice.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
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


def load(scene: Scene) -> tuple[list[Sent], list[Sent]]:
    """What succeeds, audited and not, each message falsifying its own condition; and what fails."""
    kinds = {"audited": True, "plain": False}
    scene.table.put(*({"id": f"{kind}-{n}", "version": 0} for kind in kinds for n in range(RECORDS)))
    good = [
        message(f"{kind}-{n}", {"version": 1}, condition_expression="version = 0", enable_logging=logged)
        for n in range(RECORDS)
        for kind, logged in kinds.items()
    ]
    bad = [
        message("nobody", {"version": 1}),
        message("nobody-else", {"version": 1}, enable_logging=False),
        message("audited-0", {"late": 1}, condition_expression="version = 7"),
        "this is no JSON",
    ]
    sent = scene.queue.send(*(body for pair in zip(good, bad, strict=False) for body in pair), *good[len(bad) :])
    failing = [one for one in sent if one.body in bad]
    return [one for one in sent if one.body in good], failing


def same_but_for_time_and_count(envelope: dict[str, Any]) -> str:
    source = {**envelope["details"]["source"], "receive_count": 0}
    return json.dumps({**envelope, "timestamp": "", "details": {**envelope["details"], "source": source}}, sort_keys=True)


def check_all_is_done(scene: Scene, good: list[Sent], failing: list[Sent]) -> None:
    assert {record["id"]: record["version"] for record in scene.table.scan()} == {
        f"{kind}-{n}": 1 for kind in ("audited", "plain") for n in range(RECORDS)
    }, "I1, I2: an update is missing, or was applied twice"
    assert Counter(record["record_id"] for record in scene.audits().values()) == {f"audited-{n}": 1 for n in range(RECORDS)}
    copies = defaultdict(list)
    for dead in scene.dead():
        copies[dead.source["message_id"]].append(same_but_for_time_and_count(dead.envelope))
    assert set(copies) == {one.message_id for one in failing}, "I1, I4: the DLQ lacks one that failed, or has one that succeeded"
    assert all(len(same) <= 2 and len(set(same)) == 1 for same in copies.values()), "more than a second copy of the same envelope"
    scene.check_invariants([*good, *failing])


def killed_at(scene: Scene, sqs_url: str, folder: Path, boundary: int) -> DieAt:
    """A run that is killed at a boundary (0: not at all) and, where it was, one that finishes the work; everything is checked."""
    good, failing = load(scene)
    with Proxy(sqs_url) as proxy:
        shorten_polls(proxy)
        order = DieAt(folder / f"{scene.queue.name}.order", boundary)
        first = scene.command("run", "--until-empty", AWS_ENDPOINT_URL_SQS=proxy.url, VISIBILITY_TIMEOUT=600, **order.settings)
        code = first.wait()
        assert code == (-9 if order.where else 0), first.describe()
        proxy.settle()
        give_back(scene, proxy)
        if order.where:
            run = scene.run_until_empty(AWS_ENDPOINT_URL_SQS=proxy.url, VISIBILITY_TIMEOUT=10)
            assert run.code == 0, run.log
    check_all_is_done(scene, good, failing)
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
    assert len(deaths) >= len(range(1, count + 1, every)) * 3 // 4, "few were killed"  # runs differ a little in how much comes at once
    return f"{count} boundaries, {len(range(1, count + 1, every))} rounds, {len(deaths)} kills: {places}"


@pytest.mark.timeout(7200)
def test_fault_12_killed_at_every_boundary_the_next_process_completes_the_work(make_scene: Callable[..., Scene], cloud: Any, tmp_path: Path) -> None:
    print("\n" + check_boundaries(make_scene, cloud, tmp_path, every=1))
