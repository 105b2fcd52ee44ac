"""Processes that vanish: SIGKILL at random moments, one process after another, until the queue is empty."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from chaos_boundaries import check_boundaries
from chaos_counters import check_counters
from chaos_storm import check_storm
from harness import faults
from harness.polling import wait_until
from harness.proxy import Proxy
from harness.queues import Sent
from harness.scene import Scene, message
from test_faults_queue import give_back, shorten_polls


def send_round(scene: Scene, records: int, k: int) -> list[Sent]:
    return scene.queue.send(
        *(message(f"r{n}", {"version": k + 1}, condition_expression=f"version = {k}") for n in range(records))
    )


def killed_once(scene: Scene, sqs: Proxy, dynamodb: Proxy, moment: int) -> None:
    """Runs until so many further requests were received by both services, or the queue is empty, and kills it."""
    before = sqs.count() + dynamodb.count()
    worker = scene.worker(AWS_ENDPOINT_URL_SQS=sqs.url, AWS_ENDPOINT_URL_DYNAMODB=dynamodb.url, VISIBILITY_TIMEOUT=600)
    wait_until(
        lambda: sqs.count() + dynamodb.count() >= before + moment or scene.queue.counts().total == 0,
        "the moment to kill",
        pause=0.001,
    )
    worker.kill()
    sqs.settle()
    dynamodb.settle()
    give_back(scene, sqs)


def check_kills(scene: Scene, cloud: Any, records: int, rounds: int, kills: int, seed: int) -> None:
    """Each record goes from one version to the next in so many rounds, while processes are killed at so many moments in
    all."""
    chance = random.Random(seed)
    scene.table.put(*({"id": f"r{n}", "version": 0} for n in range(records)))
    with Proxy(cloud.sqs_server.url) as sqs, Proxy(cloud.dynamodb_server.url) as dynamodb:
        dynamodb.on("TransactWriteItems", faults.cut_response(), probability=0.02, seed=seed)
        sqs.on("DeleteMessageBatch", faults.cut_response(), probability=0.1, seed=seed)
        shorten_polls(sqs)
        sent: list[Sent] = []
        for k in range(rounds):
            sent += send_round(scene, records, k)
            for _ in range(kills // rounds + (k < kills % rounds)):
                killed_once(scene, sqs, dynamodb, chance.randrange(5, records))
            run = scene.run_until_empty(VISIBILITY_TIMEOUT=10, patience=300)
            assert run.code == 0, run.log
    assert not scene.dead()
    effects = Counter(record["record_id"] for record in scene.audits().values())
    versions = {record["id"]: record["version"] for record in scene.table.scan()}
    assert versions == dict(effects) == {f"r{n}": rounds for n in range(records)}
    scene.check_invariants(sent, environment_only=True)


def test_killed_at_random_moments_nothing_is_lost_applied_twice_or_wrongly_dead(scene: Scene, cloud: Any) -> None:
    check_kills(scene, cloud, records=100, rounds=2, kills=4, seed=1)


def test_counters_and_lists_are_right_to_the_last_unit_whoever_is_killed(scene: Scene, cloud: Any) -> None:
    check_counters(scene, cloud, messages=150, records=8, kills=3, seed=1)


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_fault_12_killed_at_some_boundaries_of_its_io_the_next_process_completes_the_work(
    make_scene: Any, cloud: Any, tmp_path: Path, fifo: bool
) -> None:
    check_boundaries(make_scene, cloud, tmp_path, every=23 + 17 * fifo, fifo=fifo)


def test_the_invariants_hold_in_a_small_storm(tmp_path: Path) -> None:
    check_storm(tmp_path, kills=4, restarts=1, versions=4, fifo=False, seed=2)
