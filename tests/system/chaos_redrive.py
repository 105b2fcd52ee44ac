"""Redrives that are killed. The long form of what test_redrive.py has in short: twenty kills, on standard and FIFO
queues, while the worker runs beside them. Run by hand:

python3 -m pytest -s tests/system/chaos_redrive.py
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError
from harness import faults
from harness.polling import wait_until
from harness.proxy import Proxy
from harness.scene import Scene, message
from test_faults_queue import received


def give_back(scene: Scene, proxy: Proxy) -> None:
    """What a killed redrive has hidden is visible again, as if its time were over."""
    for one in received(proxy):
        try:
            scene.dlq.client.change_message_visibility(
                QueueUrl=scene.dlq.url, ReceiptHandle=one["ReceiptHandle"], VisibilityTimeout=0
            )
        except ClientError:
            pass  # it was deleted, or isn't in flight


def killed_once(scene: Scene, proxy: Proxy, moment: int) -> None:
    """Begins a redrive and kills it when SQS has received so many further requests of it."""
    before = proxy.count()
    process = scene.command("redrive", "--yes", AWS_ENDPOINT_URL_SQS=proxy.url)
    wait_until(lambda: proxy.count() >= before + moment or not process.running, "the moment to kill", pause=0.001)
    process.kill()
    proxy.settle()
    give_back(scene, proxy)


def check_redrive_kills(scene: Scene, records: int, kills: int, seed: int) -> Counter[str]:
    """Each message adds one to a record of its own, once, whoever is killed how often; half of them as SQS moves them,
    half in envelopes of ours. Returns what happened."""
    chance = random.Random(seed)
    names = [f"r{n}" for n in range(records)]
    bodies = [message(name, {"seen": True}, increment={"n": 1}) for name in names]
    group = {"group": "g0"} if scene.queue.fifo else {}
    enveloped = bodies[: records // 2]
    for start in range(0, len(enveloped), 10):
        scene.queue.send(*enveloped[start : start + 10], **({"group": f"g{start % 7}"} if group else {}))
    worker = scene.worker()
    scene.dlq.wait_for(len(enveloped))  # no record is there: all of them fail
    foreign = bodies[records // 2 :]
    for start in range(0, len(foreign), 10):
        scene.dlq.send(*foreign[start : start + 10], **({"group": f"f{start % 7}"} if group else {}))
    scene.dlq.wait_for(records)
    scene.table.put(*({"id": name, "n": 0} for name in names))
    happened: Counter[str] = Counter()
    with Proxy(scene.cloud.sqs_server.url) as proxy:
        proxy.on(["SendMessageBatch", "DeleteMessageBatch"], faults.cut_response(), probability=0.15, seed=seed)
        for _ in range(kills):
            killed_once(scene, proxy, chance.randrange(4, 8 + 4 * records // 10))
            happened["kills"] += 1
        for operation in ("SendMessageBatch", "DeleteMessageBatch"):
            happened[operation] = proxy.count(operation)
    last = scene.command("redrive", "--yes")
    assert last.wait() == 0, last.describe()
    scene.queue.wait_until_empty()
    assert scene.dlq.counts().total == 0
    worker.kill()
    counts = {record["id"]: record["n"] for record in scene.table.scan()}
    assert counts == {name: 1 for name in names}, {name: n for name, n in counts.items() if n != 1}
    audits = Counter(record["record_id"] for record in scene.audits().values())
    assert audits == {name: 1 for name in names}
    return happened


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
@pytest.mark.timeout(1800)
def test_a_redrive_that_is_killed_twenty_times(new_scene: Any, fifo: bool) -> None:
    happened = check_redrive_kills(new_scene(fifo=fifo), records=300, kills=20, seed=7)
    print(dict(happened))
