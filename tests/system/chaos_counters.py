"""Counters and lists under kills: what isn't idempotent has its effect once, to the last unit.

Two workers at a time run increments and appends. They are killed at random moments; answers of both services are lost;
every tenth message is sent twice under its key; and some fail, go to the DLQ and are redriven once their record is
there. By hand, 2,000 messages and 20 kills for each seed:

    python3 -m pytest tests/system/chaos_counters.py
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from harness import faults
from harness.polling import wait_until
from harness.proxy import Proxy
from harness.scene import Scene
from test_faults_queue import give_back, shorten_polls

LARGEST = 10**30  # sums of these have more digits than a double


@dataclass
class Books:
    """What the messages sent must come to: of each record its sum, and the numbers in its list."""

    sums: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, set[int]] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)  # records that are made only when their messages are in the DLQ

    def entry(self, chance: random.Random, number: int, records: int) -> str:
        """The body of one more message."""
        record = f"late{number % 5}" if number % 25 == 0 else f"r{chance.randrange(records)}"
        amount = chance.choice([1, -1, 0.5, chance.randrange(LARGEST)])
        self.sums[record] += amount if isinstance(amount, int) else 0
        halves = {"halves": amount} if amount == 0.5 else {"counts.total": amount}
        if amount == 0.5:
            self.sums[f"{record}/halves"] += 1
        self.numbers.setdefault(record, set()).add(number)
        if record.startswith("late"):
            self.late.add(record)
        members = {"increment": halves, "append": {"seen": [number]}, "idempotency_key": f"n{number}"}
        return json.dumps({"id": record, "enable_logging": True, **members})

    def check(self, scene: Scene) -> None:
        """Each sum is right to the last unit, and each list has each number once."""
        items = {record["id"]: record for record in scene.table.scan()}
        for record, numbers in self.numbers.items():
            item = items[record]
            assert sorted(map(int, item["seen"])) == sorted(numbers), record
            assert int(item["counts"]["total"]) == self.sums[record], record
            assert item.get("halves", 0) * 2 == self.sums[f"{record}/halves"], record


def killed_once(scene: Scene, sqs: Proxy, dynamodb: Proxy, moment: int) -> None:
    """Two workers run until so many further requests came, or nothing is left, and vanish."""
    before = sqs.count() + dynamodb.count()
    urls = {"AWS_ENDPOINT_URL_SQS": sqs.url, "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.url}
    workers = [scene.worker(**urls, VISIBILITY_TIMEOUT=600) for _ in range(2)]
    wait_until(
        lambda: sqs.count() + dynamodb.count() >= before + moment or scene.queue.counts().total == 0,
        "the moment to kill",
        pause=0.001,
    )
    for worker in workers:
        worker.kill()
    sqs.settle()
    dynamodb.settle()
    give_back(scene, sqs)


def run_out(scene: Scene) -> None:
    run = scene.run_until_empty(VISIBILITY_TIMEOUT=10, patience=300)
    assert run.code == 0, run.log


def redrive(scene: Scene, sqs: Proxy) -> None:
    command = scene.command("redrive", "--yes", AWS_ENDPOINT_URL_SQS=sqs.url)
    assert command.wait() == 0, command.describe()


def check_counters(scene: Scene, cloud: Any, messages: int, records: int, kills: int, seed: int) -> None:
    chance, books = random.Random(seed), Books()
    scene.table.put(*({"id": f"r{n}", "counts": {"total": 0}} for n in range(records)))
    with Proxy(cloud.sqs_server.url) as sqs, Proxy(cloud.dynamodb_server.url) as dynamodb:
        dynamodb.on("TransactWriteItems", faults.cut_response(), probability=0.05, seed=seed)
        sqs.on("DeleteMessageBatch", faults.cut_response(), probability=0.2, seed=seed)
        shorten_polls(sqs)
        bodies = [books.entry(chance, number, records) for number in range(messages)]
        twice = [body for number, body in enumerate(bodies) if number % 10 == 0]
        scene.queue.send(*bodies, *twice)
        for _ in range(kills):
            killed_once(scene, sqs, dynamodb, chance.randrange(20, max(21, messages // kills)))
        run_out(scene)
        assert books.late, "none of the messages fails"
        scene.table.put(*({"id": record, "counts": {"total": 0}} for record in sorted(books.late)))
        redrive(scene, sqs)
        for _ in range(kills // 3):
            killed_once(scene, sqs, dynamodb, chance.randrange(5, 40))
        run_out(scene)
        redrive(scene, sqs)  # a second copy that was sent just before the first redrive looked as if it had come back
        run_out(scene)
    assert not scene.dead()
    books.check(scene)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.timeout(1800)
def test_two_thousand_increments_and_appends_under_twenty_kills(scene: Scene, cloud: Any, seed: int) -> None:
    check_counters(scene, cloud, messages=2000, records=40, kills=20, seed=seed)
