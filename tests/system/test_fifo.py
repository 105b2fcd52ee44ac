"""FIFO queues: the order within each message group, under failures, kills and restarts."""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from harness import faults
from harness.cases import STARTED
from harness.polling import wait_until
from harness.proxy import Proxy, Request
from harness.queues import Sent
from harness.scene import Scene, message
from test_faults_queue import answered, entries, give_back, received, shorten_polls

GROUPS, SIZE = 5, 40
Place = tuple[str, int]


@pytest.fixture
def fifo(new_scene: Any) -> Scene:
    return new_scene(fifo=True)


def record_of(group: str, place: int) -> str:
    return f"{group}-{place}"


@dataclass
class Sending:
    """Groups of messages of which each updates a record of its own, so that nothing but their group keeps them in
    order."""

    scene: Scene
    sent: list[Sent] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)  # by MessageId
    failing: set[Place] = field(default_factory=set)

    def send(self, groups: list[str], size: int, failing: Any = lambda place: False, **members: Any) -> None:
        """The groups in turn, ten at a time; those of which failing(place) is true can never succeed."""
        self.scene.table.put(*({"id": record_of(group, place), "n": 0} for group in groups for place in range(size)))
        for start in range(0, size, 10):
            for group in groups:
                numbers = range(start, min(size, start + 10))
                bodies = [
                    message(
                        record_of(group, n),
                        {"n": n + 1},
                        **({"condition_expression": "n = 99"} if failing(n) else {}),
                        **members,
                    )
                    for n in numbers
                ]
                for n, one in zip(numbers, self.scene.queue.send(*bodies, group=group)):
                    self.sent.append(one)
                    self.places[one.message_id] = (group, n)
                    if failing(n):
                        self.failing.add((group, n))

    def check_results(self) -> None:
        """Each took effect or is in the DLQ, there in the order of its group and under its name."""
        values = {record["id"]: record["n"] for record in self.scene.table.scan()}
        for place in self.places.values():
            assert values[record_of(*place)] == (0 if place in self.failing else place[1] + 1), place
        dead: dict[str, list[int]] = defaultdict(list)
        for one in self.scene.dead():
            group, n = self.places[one.source["message_id"]]
            assert one.system["MessageGroupId"] == one.source["group_id"] == group
            assert one.error == "ConditionalCheckFailed"
            dead[group].append(n)
        for group, numbers in dead.items():
            assert numbers == sorted(n for name, n in self.failing if name == group)
        assert sum(map(len, dead.values())) == len(self.failing)

    def check_order(self, sqs: Proxy, dynamodb: Proxy) -> None:
        """No transaction of a message was asked for before all earlier ones of its group were committed or in the
        DLQ."""
        settled: dict[Place, float] = {}

        def settle(place: Place, request: Request) -> None:
            assert request.forwarded is not None
            settled[place] = min(settled.get(place, request.forwarded), request.forwarded)

        transactions = dynamodb.requests("TransactWriteItems")
        for request in transactions:
            if request.service_status == 200:
                settle(place_of(request), request)
        for request in sqs.requests("SendMessageBatch"):
            taken = {entry["Id"] for entry in answered(request).get("Successful", [])}
            for entry in request.json["Entries"]:
                if entry["Id"] in taken:
                    settle(self.places[json.loads(entry["MessageBody"])["details"]["source"]["message_id"]], request)
        assert set(settled) >= set(self.places.values())
        for request in transactions:
            group, n = place_of(request)
            early = [k for k in range(n) if settled[group, k] >= request.started]
            assert not early, f"{n} of {group} began before {early}"


def place_of(request: Request) -> Place:
    key = next(one["Update"]["Key"]["id"]["S"] for one in request.json["TransactItems"] if "Update" in one)
    group, _, n = key.rpartition("-")
    return group, int(n)


def transient_faults(dynamodb: Proxy) -> None:
    dynamodb.on("TransactWriteItems", faults.cut_response(), probability=0.05, seed=1)
    dynamodb.on("TransactWriteItems", faults.reasons(update="TransactionConflict"), probability=0.1, seed=2)
    dynamodb.on("TransactWriteItems", faults.throttled(), probability=0.02, seed=3)
    dynamodb.on("TransactWriteItems", faults.load_balancer_error(), probability=0.02, seed=4)


@pytest.mark.sanitized
@pytest.mark.parametrize("audit", [True, False], ids=["audited", "unaudited"])
def test_fault_09_each_group_keeps_its_order_whatever_fails_and_whoever_is_killed(
    new_scene: Any, sqs_proxy: Proxy, dynamodb_proxy: Proxy, audit: bool
) -> None:
    scene = new_scene(fifo=True, audit=audit)
    sending = Sending(scene)
    sending.send([f"group-{g}" for g in range(GROUPS)], SIZE, failing=lambda n: n % 7 == 6)
    transient_faults(dynamodb_proxy)
    sqs_proxy.on("DeleteMessageBatch", faults.cut_response(), probability=0.1, seed=5)
    sqs_proxy.on("SendMessageBatch", faults.cut_response(), probability=0.2, seed=6)
    shorten_polls(sqs_proxy)
    through = {"AWS_ENDPOINT_URL_SQS": sqs_proxy.url, "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_proxy.url}
    for moment in (40, 110):
        worker = scene.worker(**through, VISIBILITY_TIMEOUT=600)
        wait_until(lambda m=moment: dynamodb_proxy.count("TransactWriteItems") >= m, "the moment to kill", pause=0.001)
        worker.kill()
        wait_until(
            lambda: all(request.finished for request in [*sqs_proxy.requests(), *dynamodb_proxy.requests()]),
            "the end of all requests",
        )
        give_back(scene, sqs_proxy)
    run = scene.command("run", "--until-empty", **through, VISIBILITY_TIMEOUT=10)
    assert run.wait(200) == 0, run.describe()
    sending.check_order(sqs_proxy, dynamodb_proxy)
    sending.check_results()
    if audit:
        assert len(scene.audits()) == GROUPS * SIZE - len(sending.failing)
        times = {record["record_id"]: record["timestamp"] for record in scene.audits().values()}
        for g in range(GROUPS):
            own = [times[record_of(f"group-{g}", n)] for n in range(SIZE) if n % 7 != 6]
            assert own == sorted(own)
        scene.check_invariants(sending.sent)


def test_fault_09_while_one_group_waits_the_others_go_on(fifo: Scene, dynamodb_proxy: Proxy) -> None:
    sending = Sending(fifo)
    gate = threading.Event()
    dynamodb_proxy.on("TransactWriteItems", faults.until(gate), when=faults.about("stuck-1"))
    sending.send(["stuck", "free", "other"], 20)
    worker = fifo.worker(AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    wait_until(
        lambda: all(fifo.table.get(record_of(group, 19))["n"] == 20 for group in ("free", "other")), "the free groups"
    )
    assert [fifo.table.get(record_of("stuck", n))["n"] for n in range(3)] == [1, 0, 0]
    gate.set()
    fifo.queue.wait_until_empty()
    assert worker.stop() == 0
    sending.check_results()


def test_fault_12_what_was_redriven_and_fails_again_within_five_minutes_is_in_the_dlq_again(fifo: Scene) -> None:
    assert fifo.dlq
    fifo.table.put({"id": "a", "n": 0})
    (sent,) = fifo.queue.send(message("a", {"n": 1}, condition_expression="n = 7"), group="a.group")
    assert fifo.command("run", "--until-empty").wait() == 0
    (dead,) = fifo.dlq.drain()
    assert dead.source["message_id"] == sent.message_id and dead.system["MessageDeduplicationId"] == sent.message_id
    (redriven,) = fifo.queue.send(dead.body, group=dead.system["MessageGroupId"])
    assert fifo.command("run", "--until-empty").wait() == 0
    (again,) = fifo.dlq.drain()
    assert again.system["MessageDeduplicationId"] == redriven.message_id
    assert again.system["MessageGroupId"] == again.source["group_id"] == "a.group"
    assert again.source["message_id"] == sent.message_id and again.source["body"] == sent.body


def test_fault_13_while_the_dlq_is_denied_the_groups_concerned_wait_and_the_others_go_on(
    fifo: Scene, sqs_proxy: Proxy
) -> None:
    sending = Sending(fifo)
    rule = sqs_proxy.on(
        "SendMessageBatch", faults.service_error("AccessDeniedException", 400, namespace="com.amazonaws.sqs")
    )
    sending.send(["concerned"], 10, failing=lambda n: n == 2)
    sending.send(["healthy", "sound"], 30)
    worker = fifo.worker(AWS_ENDPOINT_URL_SQS=sqs_proxy.url, MAX_IN_FLIGHT=20)
    wait_until(
        lambda: all(fifo.table.get(record_of(group, 29))["n"] == 30 for group in ("healthy", "sound")),
        "the healthy groups",
    )
    rule.wait(2)
    assert [fifo.table.get(record_of("concerned", n))["n"] for n in range(4)] == [1, 2, 0, 0]
    rule.remove()
    fifo.queue.wait_until_empty()
    assert worker.stop() == 0
    sending.check_results()


def attempt_ids(sqs: Proxy) -> list[str]:
    return [request.json["ReceiveRequestAttemptId"] for request in sqs.requests("ReceiveMessage")]


def test_fault_23_a_receive_whose_answer_was_lost_is_asked_for_again_under_its_id(
    fifo: Scene, sqs_proxy: Proxy
) -> None:
    lost = sqs_proxy.on(
        "ReceiveMessage", faults.cut_response(after=60), when=lambda request: bool(fifo.queue.counts().visible), times=2
    )
    sending = Sending(fifo)
    sending.send(["group"], 20)
    # So long that what was lost would be seen again only after the test's patience.
    worker = fifo.worker(AWS_ENDPOINT_URL_SQS=sqs_proxy.url, VISIBILITY_TIMEOUT=600)
    fifo.queue.wait_until_empty()
    assert worker.stop() == 0 and lost.fired == 2
    ids = attempt_ids(sqs_proxy)
    cut = [at for at, request in enumerate(sqs_proxy.requests("ReceiveMessage")) if request.rule is lost]
    assert all(ids[at] in ids[at + 1 :] for at in cut)
    whole = [one for at, one in enumerate(ids) if at not in cut]
    assert len(set(whole)) == len(whole), "an id that was answered was used again"
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)
    sending.check_results()


def test_fault_25_what_is_given_back_on_sigterm_goes_on_in_order_elsewhere(
    fifo: Scene, sqs_proxy: Proxy, dynamodb_proxy: Proxy
) -> None:
    sending = Sending(fifo)
    dynamodb_proxy.on("TransactWriteItems", faults.delay(before=0.02))
    sending.send([f"group-{g}" for g in range(3)], SIZE, failing=lambda n: n == 20)
    through = {
        "AWS_ENDPOINT_URL_SQS": sqs_proxy.url,
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_proxy.url,
        "VISIBILITY_TIMEOUT": 600,
    }
    for moment in (10, 40, 70):
        worker = fifo.worker(**through)
        wait_until(lambda m=moment: dynamodb_proxy.count("TransactWriteItems") >= m, "the moment to stop", pause=0.001)
        assert worker.stop() == 0
        assert fifo.queue.counts().in_flight == 0
    run = fifo.command("run", "--until-empty", **through)
    assert run.wait(60) == 0, run.describe()
    sending.check_order(sqs_proxy, dynamodb_proxy)
    sending.check_results()
    fifo.check_invariants(sending.sent)


def test_deletes_of_a_group_go_in_batches(fifo: Scene, sqs_proxy: Proxy) -> None:
    sending = Sending(fifo)
    sending.send(["group"], 60)
    run = fifo.command("run", "--until-empty", AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert run.wait() == 0, run.describe()
    assert len(entries(sqs_proxy, "DeleteMessageBatch")) == 60 and sqs_proxy.count("DeleteMessageBatch") <= 30
    assert {one["Attributes"]["MessageGroupId"] for one in received(sqs_proxy)} == {"group"}
    sending.check_results()


def test_the_dlq_of_a_fifo_queue_has_to_be_one(fifo: Scene, new_queue: Any) -> None:
    standard = new_queue("dead")
    process = fifo.command("run", DLQ_URL=standard.url)
    assert process.wait() == 78 and process.find_log("DLQ_URL.*must be a FIFO queue"), process.describe()
    process = fifo.command("run", QUEUE_URL=new_queue().url)
    assert process.wait() == 78 and process.find_log("DLQ_URL names a FIFO queue"), process.describe()


def test_the_queue_is_told_by_its_name_alone(fifo: Scene) -> None:
    assert fifo.dlq
    fifo.table.put({"id": "a", "n": 0})
    fifo.queue.send(message("a", {"n": 1}), message("b", {"n": 1}), message("a", {"n": 2}))
    worker = fifo.worker(QUEUE_URL=fifo.queue.name, DLQ_URL=fifo.dlq.name)
    worker.wait_for_log(STARTED)
    fifo.queue.wait_until_empty()
    assert worker.stop() == 0 and fifo.table.get("a")["n"] == 2
    assert [dead.error for dead in fifo.dead()] == ["RecordNotFoundError"]
