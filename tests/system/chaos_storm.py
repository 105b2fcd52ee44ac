"""A storm: processes killed at random moments, three side by side, on machines whose clocks are an hour off, whose log
nobody reads or whose disk is full, while both servers are ended and started again under them. By hand:

    python3 -m pytest -s tests/system/chaos_storm.py

Nothing is lost, nothing is applied twice, nothing is wrongly in the DLQ.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

import pytest
from harness import faults
from harness.polling import wait_until
from harness.preload import OtherClock
from harness.process import Worker
from harness.proxy import Proxy
from harness.queues import Queue, Sent, make_queue
from harness.scene import Scene, log_id, message
from harness.tables import make_table
from local_services import Cloud, Service, start_dynamodb, start_sqs
from test_faults_machine import full_pipe, refuse_the_skewed

WORKERS = 3
RECORDS = 50
FAILING = 20
HOUR = 3600


@dataclass
class Weather:
    """Durable servers behind proxies, and what is wrong with each machine. Everything follows from the seed, but for
    the timing."""

    folder: Path
    chance: random.Random
    servers: dict[str, Service] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    sinks: list[int | None] = field(default_factory=list)
    machines: int = 0

    def start_server(self, name: str) -> None:
        """Starts one, or starts it again where it was, with what it held."""
        before = self.servers.get(name)
        if before:
            before.stop()
        start = start_dynamodb if name == "dynamodb" else start_sqs
        self.servers[name] = start(self.folder / name, before.port if before else None, durable=True)
        assert not before or self.servers[name].port == before.port

    def open(self, closing: contextlib.ExitStack) -> None:
        for name, namespace in (("dynamodb", "com.amazon.coral.service"), ("sqs", "com.amazonaws.sqs")):
            self.start_server(name)
            closing.callback(lambda name=name: self.servers[name].stop())
            self.proxies[name] = closing.enter_context(Proxy(self.servers[name].url))
            refuse_the_skewed(self.proxies[name], namespace)
        self.proxies["dynamodb"].on(
            "TransactWriteItems", faults.cut_response(), probability=0.02, seed=self.chance.random()
        )
        self.proxies["sqs"].on(
            ["DeleteMessageBatch", "SendMessageBatch", "ReceiveMessage"],
            faults.cut_response(),
            probability=0.05,
            seed=self.chance.random(),
        )
        # Without a change of the wait: SQS answers the polls of those that were killed, and their messages come back by
        # themselves.
        reader, pipe = full_pipe()
        full = os.open("/dev/full", os.O_WRONLY)
        for descriptor in (reader, pipe, full):
            closing.callback(os.close, descriptor)
        self.sinks = [None, pipe, full]

    def requests(self) -> int:
        return sum(proxy.count() for proxy in self.proxies.values())

    def machine(self, scene: Scene) -> Worker:
        """A worker on a machine that has something wrong with it, or nothing."""
        self.machines += 1
        clock = OtherClock(self.folder / f"clock-{self.machines}", wall=self.chance.choice([-HOUR, 0, HOUR]))
        urls = {
            "AWS_ENDPOINT_URL_SQS": self.proxies["sqs"].url,
            "AWS_ENDPOINT_URL_DYNAMODB": self.proxies["dynamodb"].url,
        }
        return scene.worker(
            **urls,
            VISIBILITY_TIMEOUT=10,
            ENABLE_AUDIT_LOG="always",
            **clock.settings,
            log_to=self.chance.choice(self.sinks),
        )


@contextlib.contextmanager
def weather_in(folder: Path, seed: int) -> Iterator[Weather]:
    weather = Weather(folder, random.Random(seed))
    with contextlib.ExitStack() as closing:
        weather.open(closing)
        yield weather


def make_scene(cloud: Cloud, fifo: bool) -> Scene:
    dynamodb, sqs, stem = cloud.client("dynamodb"), cloud.client("sqs"), uuid.uuid4().hex[:12]
    dlq = make_queue(sqs, f"dead-{stem}", fifo=fifo)
    tables = make_table(dynamodb, f"records-{stem}"), make_table(dynamodb, f"audit-{stem}", partition="log_id")
    return Scene(cloud, *tables, make_queue(sqs, f"updates-{stem}", dlq=dlq, fifo=fifo), dlq)


def send(scene: Scene, versions: int) -> tuple[list[Sent], list[Sent]]:
    """In a FIFO queue each record goes from version to version, in a group of its own; else each message sets an
    attribute of its own. And some that fail."""
    scene.table.put(*({"id": f"r{n}", "version": 0} for n in range(RECORDS)))
    good: list[Sent] = []
    if scene.queue.fifo:
        for n in range(RECORDS):
            steps = [
                message(f"r{n}", {"version": k + 1}, condition_expression=f"version = {k}") for k in range(versions)
            ]
            good += scene.queue.send(*steps, group=f"r{n}")
    else:
        sets = [
            message(f"r{n}", {f"a{k}": k}, condition_expression=f"attribute_not_exists(a{k})")
            for k in range(versions)
            for n in range(RECORDS)
        ]
        good += scene.queue.send(*sets)
    return good, scene.queue.send(*(message(f"nobody-{n}", {"n": n}) for n in range(FAILING)), group="failing")


def start_again(weather: Weather, name: str, queue: Queue) -> None:
    """Ends a server and starts it again. ElasticMQ takes requests before it has its queues again, and shows them empty
    before it has their messages."""
    held = queue.counts().total
    weather.start_server(name)
    log = weather.folder / "sqs" / "elasticmq.log"
    if name == "sqs" and held:
        wait_until(
            lambda: re.search(rf"Restored \d+ messages in queue {queue.name}\b", log.read_text()),
            "what the queue held",
            pause=0.1,
        )


def history(weather: Weather, scene: Scene, one: Sent) -> str:
    """All that the proxies saw of a message, in order: who lost it, a worker or a server, shows here."""
    marks = one.message_id.encode(), log_id(scene.table.name, one.key).encode()
    concerned = [
        r
        for proxy in weather.proxies.values()
        for r in proxy.requests()
        if any(mark in r.body or mark in (r.service_body or b"") for mark in marks)
    ]
    return f"{one.message_id} {one.body}:\n" + "".join(
        f"    {r.started:.3f} connection {r.connection}: {r}\n" for r in sorted(concerned, key=lambda r: r.started)
    )


def check_none_is_lost(weather: Weather, scene: Scene, good: list[Sent]) -> None:
    """Each has its audit record, written with its update."""
    applied = scene.audits()
    lost = [one for one in good if log_id(scene.table.name, one.key) not in applied]
    assert not lost, f"I1: {len(lost)} lost\n" + "".join(history(weather, scene, one) for one in lost[:20])


def check_end(scene: Scene, versions: int, good: list[Sent], failing: list[Sent]) -> None:
    for record in scene.table.scan():
        assert record == (
            {"id": record["id"], "version": versions}
            if scene.queue.fifo
            else {"id": record["id"], "version": 0, **{f"a{k}": k for k in range(versions)}}
        ), f"I1, I2: {record}"
    effects = Counter(record["record_id"] for record in scene.audits().values())
    assert effects == {f"r{n}": versions for n in range(RECORDS)}, "I2"
    assert {dead.source["message_id"] for dead in scene.dead()} == {one.message_id for one in failing}, "I1, I4, I5"
    scene.check_invariants([*good, *failing])


def check_storm(folder: Path, *, kills: int, restarts: int, versions: int, fifo: bool, seed: int) -> str:
    """Says what happened."""
    with weather_in(folder, seed) as weather:
        scene = make_scene(Cloud(weather.servers["dynamodb"], weather.servers["sqs"]), fifo)
        with contextlib.closing(scene):
            good, failing = send(scene, versions)
            workers = [weather.machine(scene) for _ in range(WORKERS)]
            started, restarted = time.monotonic(), 0
            for kill in range(kills):
                until = weather.requests() + weather.chance.randrange(1, 120)
                deadline = (
                    time.monotonic() + 3 * weather.chance.random()
                )  # what is left is hidden for a while: there may be no more requests
                wait_until(
                    lambda until=until, deadline=deadline: weather.requests() >= until or time.monotonic() > deadline,
                    "the moment",
                    pause=0.001,
                )
                victim = weather.chance.randrange(WORKERS)
                workers[victim].kill()
                workers[victim] = weather.machine(scene)
                if (kill + 1) * restarts // kills > restarted:
                    restarted += 1
                    # Started again, ElasticMQ gives out a group's next message while one is in flight, which SQS never
                    # does.
                    start_again(weather, "dynamodb" if fifo or restarted % 2 else "sqs", scene.queue)
            left = scene.queue.counts().total
            wait_until(lambda: scene.queue.counts().total == 0, "an empty queue", patience=180, pause=0.2)
            codes = [worker.stop() for worker in workers]
            assert codes == [0] * WORKERS
            check_none_is_lost(weather, scene, good)
            check_end(scene, versions, good, failing)
        return (
            f"{len(good)} messages and {FAILING} that fail, {kills} kills of {WORKERS} workers in "
            f"{time.monotonic() - started:.0f} s "
            f"({left} messages left after the last), {restarted} restarts of a server, {weather.requests()} requests"
        )


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_a_hundred_kills_in_a_storm(tmp_path: Path, fifo: bool) -> None:
    print("\n" + check_storm(tmp_path, kills=100, restarts=8, versions=80, fifo=fifo, seed=1))
