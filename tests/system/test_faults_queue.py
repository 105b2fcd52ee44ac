"""Faults between table-updater and SQS: responses lost, batches that fail in part, handles gone stale, leases that run
out, a DLQ that is down."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from typing import Any

import pytest
from harness import faults
from harness.cases import STARTED
from harness.polling import wait_until
from harness.process import Worker
from harness.proxy import Proxy, Request
from harness.scene import Scene, message


@pytest.fixture
def proxy(sqs_proxy: Proxy) -> Proxy:
    return sqs_proxy


def chain(scene: Scene, count: int) -> list[str]:
    """One message for each of so many records, which it takes from version 0 to 1: a second effect would falsify its
    own condition."""
    scene.table.put(*({"id": f"r{n}", "version": 0} for n in range(count)))
    return [message(f"r{n}", {"version": 1}, condition_expression="version = 0") for n in range(count)]


def versions(scene: Scene) -> set[int]:
    return {record["version"] for record in scene.table.scan()}


def failing(count: int) -> list[str]:
    return [message(f"missing-{n}", {"n": n}) for n in range(count)]


def answered(request: Request) -> dict[str, Any]:
    return json.loads(request.service_body) if request.service_status == 200 and request.service_body else {}


def received(proxy: Proxy) -> list[dict[str, Any]]:
    """Every message as SQS gave it, in order, one entry a delivery."""
    return [one for request in proxy.requests("ReceiveMessage") for one in answered(request).get("Messages", [])]


def entries(proxy: Proxy, operation: str, url: str | None = None) -> list[dict[str, Any]]:
    requests = [request for request in proxy.requests(operation) if url is None or request.json["QueueUrl"] == url]
    return [entry for request in requests for entry in request.json["Entries"]]


def give_back(scene: Scene, proxy: Proxy) -> None:
    """Makes visible again whatever SQS still has in flight, as if its time were over."""
    for one in received(proxy):
        try:
            scene.queue.client.change_message_visibility(
                QueueUrl=scene.queue.url, ReceiptHandle=one["ReceiptHandle"], VisibilityTimeout=0
            )
        except scene.queue.client.exceptions.ClientError:
            pass  # it was deleted, or isn't in flight


def shorten_polls(proxy: Proxy) -> None:
    """SQS answers a long poll also when its client is gone, and its messages are in flight then: a second instead of
    twenty, so that a killed process's polls are soon over. Add it after the rules that are for receives."""
    proxy.on(
        "ReceiveMessage",
        faults.edit_request(lambda value: value.update(WaitTimeSeconds=min(1, value.get("WaitTimeSeconds", 0)))),
    )


# Deletes that fail for long


@pytest.mark.parametrize("audit", ["true", "false"])
@pytest.mark.parametrize(
    "action",
    [faults.denied(), faults.load_balancer_error(), faults.fail_entries(lambda at, entry: True)],
    ids=["denied", "503", "each entry"],
)
def test_fault_34_while_deletes_fail_receiving_pauses_and_no_message_is_received_twice(
    scene: Scene, proxy: Proxy, action: Any, audit: str
) -> None:
    rule = proxy.on("DeleteMessageBatch", action)
    scene.table.put(*({"id": f"r{n}", "n": 0} for n in range(80)))
    worker = scene.worker(
        AWS_ENDPOINT_URL_SQS=proxy.url, MAX_IN_FLIGHT=32, VISIBILITY_TIMEOUT=10, ENABLE_AUDIT_LOG=audit
    )
    scene.queue.send(*(message(f"r{n}", {"n": 1}) for n in range(80)))
    worker.wait_for_log("Receiving pauses: a quarter of MAX_IN_FLIGHT is done with and can't be deleted")
    extended = lambda: len(
        {entry["ReceiptHandle"] for entry in entries(proxy, "ChangeMessageVisibilityBatch", scene.queue.url)}
    )
    # A receive that was out when receiving paused may still bring its ten.
    wait_until(
        lambda: len(entries(proxy, "ChangeMessageVisibilityBatch", scene.queue.url)) >= 4 * len(received(proxy)),
        "each lease was extended four times",
        120,
    )
    assert extended() == len(received(proxy)) == len({one["MessageId"] for one in received(proxy)}) <= 32
    rule.remove()
    wait_until(lambda: scene.queue.counts().total == 0, "all is deleted once it may be", 60)
    assert {record["n"] for record in scene.table.scan()} == {1}
    assert len(received(proxy)) == 80
    assert worker.stop() == 0


# One message that the network path fails for

ON_THE_PATH = {
    "reset": faults.cut_request(),
    "503": faults.load_balancer_error(),
    "413": faults.respond(413, b"<html>Request Entity Too Large</html>"),
    "403": faults.respond(403, b"<html>Forbidden</html>"),
    "200 of a box": faults.respond(200, {"status": "ok"}),
    "silence": faults.black_hole(),
}


@pytest.mark.parametrize("action", ON_THE_PATH.values(), ids=ON_THE_PATH.keys())
def test_fault_32_one_message_that_cannot_reach_the_dlq_keeps_no_other_from_it(
    scene: Scene, proxy: Proxy, action: Any
) -> None:
    rule = proxy.on("SendMessageBatch", action, when=lambda request: "poisoned" in json.dumps(request.json))
    scene.table.put({"id": "healthy", "n": 0})
    worker = scene.worker(AWS_ENDPOINT_URL_SQS=proxy.url, MAX_IN_FLIGHT=16, VISIBILITY_TIMEOUT=20)
    scene.queue.send(*failing(5), message("poisoned", {"n": 1}), *failing(4))
    wait_until(lambda: len(scene.dead()) == 9, "all but one are in the DLQ", 90)
    wait_until(
        lambda: worker.find_log("A message fails by itself") or not scene.queue.send(*failing(1)), "it is named", 90, 1
    )
    scene.queue.send(message("healthy", {"n": 1}))
    wait_until(lambda: scene.table.get("healthy")["n"] == 1, "a healthy one is applied")
    assert rule.fired >= 2 and not any("poisoned" in dead.body for dead in scene.dead())
    rule.remove()
    wait_until(
        lambda: any("poisoned" in dead.body for dead in scene.dead()), "it gets through when the path lets it", 120, 1
    )
    wait_until(lambda: scene.queue.counts().total == 0, "all is done")
    assert worker.stop() == 0


# Deletes


@pytest.mark.parametrize(
    "action",
    [
        faults.cut_response(),
        faults.cut_response(reset=True),
        faults.cut_response(after=40),
        faults.cut_request(),
        faults.internal_error(),
        faults.load_balancer_error(),
        faults.throttled("RequestThrottled"),
        faults.garbage(),
    ],
    ids=["lost", "reset", "half", "cut before", "500", "503", "throttled", "garbage"],
)
def test_fault_01_a_delete_whose_response_is_lost_leaves_one_effect(scene: Scene, proxy: Proxy, action: Any) -> None:
    bodies = chain(scene, 60)
    rule = proxy.on("DeleteMessageBatch", action, times=3)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_SQS=proxy.url, VISIBILITY_TIMEOUT=10)
    assert run.code == 0 and rule.fired >= 1
    assert versions(scene) == {1} and len(scene.audits()) == 60 and not scene.dead() and scene.queue.counts().total == 0
    scene.check_invariants(run.sent)


def test_fault_01_version_chains_end_at_their_count_however_often_deletes_are_lost(
    scene: Scene, proxy: Proxy, dynamodb_proxy: Proxy
) -> None:
    """n messages set the version k+1 under `version = k`; round by round, so that they come in order."""
    records, rounds = 12, 6
    scene.table.put(*({"id": f"r{n}", "version": 0} for n in range(records)))
    proxy.on("DeleteMessageBatch", faults.pretend_entries(lambda at, entry: at % 3 == 0), probability=0.3, seed=1)
    proxy.on("DeleteMessageBatch", faults.cut_response(), probability=0.4, seed=2)
    dynamodb_proxy.on("TransactWriteItems", faults.cut_response(), probability=0.2, seed=3)
    worker = scene.worker(
        AWS_ENDPOINT_URL_SQS=proxy.url, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, VISIBILITY_TIMEOUT=10
    )
    sent = []
    for k in range(rounds):
        sent += scene.queue.send(
            *(message(f"r{n}", {"version": k + 1}, condition_expression=f"version = {k}") for n in range(records))
        )
        wait_until(lambda k=k: len(scene.audits()) == records * (k + 1), "the round's success records")
    give_back(scene, proxy)
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {rounds} and not scene.dead()
    assert len(scene.audits()) == records * rounds
    scene.check_invariants(sent)


def test_fault_07_a_delete_that_deleted_nothing_converges_on_redelivery(scene: Scene, proxy: Proxy) -> None:
    bodies = chain(scene, 25)
    worker = scene.worker(AWS_ENDPOINT_URL_SQS=proxy.url, VISIBILITY_TIMEOUT=600)
    worker.wait_for_log(STARTED)
    rule = proxy.on("DeleteMessageBatch", faults.pretend_entries())
    sent = scene.queue.send(*bodies)
    wait_until(lambda: len(scene.audits()) == 25, "the success records")
    wait_until(lambda: len(entries(proxy, "DeleteMessageBatch")) >= 25, "all deletes")
    assert scene.queue.counts().in_flight == 25
    rule.remove()
    give_back(scene, proxy)
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {1} and len(scene.audits()) == 25 and not scene.dead()
    assert set(Counter(one["MessageId"] for one in received(proxy)).values()) == {2}
    scene.check_invariants(sent)


def test_fault_10_of_a_delete_that_fails_in_part_only_the_failed_entries_are_sent_again(
    scene: Scene, proxy: Proxy
) -> None:
    """Every entry fails as often as there are bits in the number of its batch and place: many subsets of ten, one after
    another."""
    bodies = chain(scene, 100)
    failures: Counter[str] = Counter()
    chosen = threading.Lock()

    def select(at: int, entry: dict[str, Any]) -> bool:
        with chosen:
            number = len(failures)
            handle = entry["ReceiptHandle"]
            failures.setdefault(handle, 0)
            if failures[handle] < 2 and (number >> (at % 5)) & 1:
                failures[handle] += 1
                return True
            return False

    proxy.on("DeleteMessageBatch", faults.fail_entries(select))
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_SQS=proxy.url, VISIBILITY_TIMEOUT=600)
    assert run.code == 0 and scene.queue.counts().total == 0 and versions(scene) == {1}
    sent = Counter(entry["ReceiptHandle"] for entry in entries(proxy, "DeleteMessageBatch"))
    assert len(sent) == 100 and sum(failures.values()) > 10
    assert sent == Counter({handle: 1 + failed for handle, failed in failures.items()})
    assert set(Counter(one["MessageId"] for one in received(proxy)).values()) == {1}


# The DLQ


def test_fault_11_a_message_is_deleted_only_after_its_own_dlq_message_is_acknowledged(
    scene: Scene, proxy: Proxy
) -> None:
    assert scene.dlq
    refused: Counter[str] = Counter()

    def select(at: int, entry: dict[str, Any]) -> bool:
        source = json.loads(entry["MessageBody"])["details"]["source"]["message_id"]
        if refused[source] < 2 and (at % 2 or len(refused) % 3 == 0):
            refused[source] += 1
            return True
        return False

    proxy.on("SendMessageBatch", faults.fail_entries(select))
    run = scene.run_until_empty(*failing(60), AWS_ENDPOINT_URL_SQS=proxy.url, VISIBILITY_TIMEOUT=600)
    assert run.code == 0 and sum(refused.values()) > 10
    assert Counter(dead.source["message_id"] for dead in scene.dead()) == Counter(sent.message_id for sent in run.sent)
    acknowledged: dict[str, float] = {}
    for request in proxy.requests("SendMessageBatch"):
        taken = {entry["Id"] for entry in answered(request).get("Successful", [])}
        for entry in request.json["Entries"]:
            if entry["Id"] in taken:
                acknowledged[json.loads(entry["MessageBody"])["details"]["source"]["message_id"]] = (
                    request.forwarded or 0
                )
    message_of = {one["ReceiptHandle"]: one["MessageId"] for one in received(proxy)}
    for request in proxy.requests("DeleteMessageBatch"):
        for entry in request.json["Entries"]:
            assert request.started > acknowledged[message_of[entry["ReceiptHandle"]]], (
                "I3: deleted before its DLQ message was acknowledged"
            )


def test_fault_11_a_success_without_the_dlq_messages_id_and_md5_is_no_acknowledgement(
    scene: Scene, proxy: Proxy
) -> None:
    rule = proxy.on("SendMessageBatch", faults.pretend_entries(), times=2)
    run = scene.run_until_empty(*failing(20), AWS_ENDPOINT_URL_SQS=proxy.url)
    assert run.code == 0 and rule.fired == 2 and scene.queue.counts().total == 0
    assert Counter(dead.source["message_id"] for dead in scene.dead()) == Counter(sent.message_id for sent in run.sent)


@pytest.mark.parametrize(
    "action", [faults.cut_response(), faults.cut_response(after=30, reset=True)], ids=["lost", "half"]
)
def test_fault_12_a_dlq_send_whose_response_is_lost_leaves_only_copies_of_one_envelope(
    scene: Scene, proxy: Proxy, action: Any
) -> None:
    rule = proxy.on("SendMessageBatch", action, times=3)
    run = scene.run_until_empty(*failing(30), AWS_ENDPOINT_URL_SQS=proxy.url)
    assert run.code == 0 and rule.fired and scene.queue.counts().total == 0
    copies = defaultdict(list)
    for dead in scene.dead():
        copies[dead.source["message_id"]].append(dead)
    assert set(copies) == {sent.message_id for sent in run.sent}
    for same in copies.values():
        assert len({json.dumps({**one.envelope, "timestamp": ""}) for one in same}) == 1


BOUNDARIES = [
    (operation, committed)
    for operation in ("ReceiveMessage", "TransactWriteItems", "SendMessageBatch", "DeleteMessageBatch")
    for committed in (False, True)
]


@pytest.mark.parametrize(
    "operation, committed",
    BOUNDARIES,
    ids=[f"{operation} {'committed' if committed else 'asked'}" for operation, committed in BOUNDARIES],
)
def test_fault_12_killed_at_any_boundary_the_next_process_completes_the_work(
    scene: Scene, proxy: Proxy, dynamodb_proxy: Proxy, operation: str, committed: bool
) -> None:
    bodies = chain(scene, 10) + failing(10)
    side = dynamodb_proxy if operation == "TransactWriteItems" else proxy
    gate = threading.Event()
    rule = side.on(operation, faults.until(gate, commit=committed), skip=1 if operation == "TransactWriteItems" else 0)
    shorten_polls(proxy)
    worker: Worker = scene.worker(
        AWS_ENDPOINT_URL_SQS=proxy.url, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, VISIBILITY_TIMEOUT=600
    )
    sent = scene.queue.send(*bodies)
    rule.wait()
    if committed:
        wait_until(
            lambda: any(request.rule is rule and request.service_status for request in side.requests(operation)),
            "the commit",
        )
    worker.kill()
    rule.remove()
    gate.set()
    proxy.settle()
    dynamodb_proxy.settle()
    give_back(scene, proxy)
    run = scene.run_until_empty(VISIBILITY_TIMEOUT=10)
    assert run.code == 0 and versions(scene) == {1} and len(scene.audits()) == 10
    copies = Counter(dead.source["message_id"] for dead in scene.dead())
    assert set(copies) == {one.message_id for one in sent[10:]} and max(copies.values()) <= 2
    scene.check_invariants(sent)


def test_fault_12_both_copies_of_a_dlq_message_sent_back_apply_once(scene: Scene, proxy: Proxy) -> None:
    proxy.on("SendMessageBatch", faults.cut_response(), times=1)
    run = scene.run_until_empty(message("late", {"n": 1}), AWS_ENDPOINT_URL_SQS=proxy.url, VISIBILITY_TIMEOUT=10)
    bodies = [dead.body for dead in scene.dead()]
    assert run.code == 0 and 1 <= len(bodies) <= 2
    scene.table.put({"id": "late"})
    again = scene.run_until_empty(*bodies, *bodies, VISIBILITY_TIMEOUT=10)
    assert again.code == 0 and scene.table.get("late")["n"] == 1 and len(scene.audits()) == 1
    assert len(scene.dead()) == len(bodies) and scene.queue.counts().total == 0


@pytest.mark.parametrize(
    "action",
    [
        faults.denied(),
        faults.load_balancer_error(),
        faults.service_error("QueueDoesNotExist", namespace="com.amazonaws.sqs"),
    ],
    ids=["denied", "503", "deleted"],
)
def test_fault_13_while_the_dlq_is_down_healthy_messages_go_on_until_a_quarter_waits(
    scene: Scene, proxy: Proxy, action: Any
) -> None:
    good = chain(scene, 80)
    bodies = [body for pair in zip(good[:40], failing(40), strict=True) for body in pair] + good[40:]
    down = proxy.on("SendMessageBatch", action)
    worker = scene.worker(AWS_ENDPOINT_URL_SQS=proxy.url, MAX_IN_FLIGHT=40, MAX_ATTEMPTS=1)
    sent = scene.queue.send(*bodies)
    wait_until(lambda: scene.queue.counts().in_flight >= 10 and down.fired >= 2, "a quarter of MAX_IN_FLIGHT waits")

    def paused() -> bool:
        # No receive is open or starts for as long as three tries of the DLQ take.
        before, tries = len(received(proxy)), down.fired
        wait_until(lambda: down.fired >= tries + 2, "further tries of the DLQ")
        return len(received(proxy)) == before

    wait_until(paused, "receiving pauses")
    held = scene.queue.counts().in_flight
    assert 10 <= held <= 40 and not scene.dead() and worker.running
    assert scene.queue.counts().visible > 0 and len(scene.audits()) >= 10
    down.remove()
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {1}
    assert Counter(dead.source["message_id"] for dead in scene.dead()) == Counter(
        one.message_id for one in sent if "missing" in one.body
    )
    assert set(Counter(one["MessageId"] for one in received(proxy)).values()) == {1}
    scene.check_invariants(sent)


def test_fault_15_a_redrive_policy_that_races_ours_is_warned_of_at_start(new_scene: Any) -> None:
    few = new_scene(queue={"max_receive_count": 2})
    run = few.run_until_empty(MAX_ATTEMPTS=5)
    assert run.code == 0
    assert [line for line in run.log if "WARNING" in line.upper() and "maxReceiveCount" in line], run.log


# Receiving


def test_a_message_whose_body_does_not_fit_its_md5_is_left_and_comes_again(scene: Scene, proxy: Proxy) -> None:
    bodies = chain(scene, 10)
    rule = proxy.on(
        "ReceiveMessage",
        faults.wrong_body_md5(lambda at, one: at == 0),
        times=1,
        when=lambda request: request.json.get("MaxNumberOfMessages", 1) > 1,
    )
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_SQS=proxy.url, VISIBILITY_TIMEOUT=10)
    assert run.code == 0 and rule.fired == 1 and versions(scene) == {1} and not scene.dead()
    scene.check_invariants(run.sent)


@pytest.mark.parametrize(
    "action",
    [
        faults.cut_response(),
        faults.cut_response(after=300),
        faults.internal_error(),
        faults.throttled("RequestThrottled"),
        faults.garbage(),
        faults.respond(200, b'{"Messages": [{"MessageId": "x"}]}'),
        faults.respond(200, b"<html>"),
    ],
    ids=["lost", "half", "500", "throttled", "garbage", "half a message", "html"],
)
def test_fault_23_a_receive_that_fails_loses_nothing(scene: Scene, proxy: Proxy, action: Any) -> None:
    bodies = chain(scene, 30)
    rule = proxy.on("ReceiveMessage", action, skip=1, times=2)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_SQS=proxy.url, VISIBILITY_TIMEOUT=10)
    assert (
        run.code == 0 and rule.fired >= 1 and versions(scene) == {1} and not scene.dead() and len(scene.audits()) == 30
    )
    scene.check_invariants(run.sent)


def test_a_queue_that_goes_away_for_a_while_is_worked_on_when_it_is_back(scene: Scene, proxy: Proxy) -> None:
    bodies = chain(scene, 40)
    worker = scene.worker(AWS_ENDPOINT_URL_SQS=proxy.url, VISIBILITY_TIMEOUT=10)
    sent = scene.queue.send(*bodies[:20])
    scene.queue.wait_until_empty()
    proxy.stop_listening()
    sent += scene.queue.send(*bodies[20:])
    wait_until(lambda: worker.find_log("(?i)warning|error"), "a line that says so")
    proxy.listen_again()
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {1} and len(scene.audits()) == 40
    scene.check_invariants(sent, environment_only=True)


# Leases


def test_fault_06_a_message_that_is_worked_on_longer_than_its_visibility_is_kept(
    scene: Scene, proxy: Proxy, dynamodb_proxy: Proxy
) -> None:
    """The transaction's answer takes several times the visibility timeout; a second worker is ready to take what
    becomes visible."""
    gate = threading.Event()
    bodies = chain(scene, 5)
    dynamodb_proxy.on("TransactWriteItems", faults.until(gate), when=faults.about("r3"))
    workers = [
        scene.worker(
            AWS_ENDPOINT_URL_SQS=proxy.url, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, VISIBILITY_TIMEOUT=10
        )
        for _ in range(2)
    ]
    for worker in workers:
        worker.wait_for_log(STARTED)
    sent = scene.queue.send(*bodies)
    held = sent[3].message_id
    handle = wait_until(
        lambda: next((one["ReceiptHandle"] for one in received(proxy) if one["MessageId"] == held), None), "its receive"
    )

    def extensions() -> int:
        return sum(
            entry["ReceiptHandle"] == handle and entry["VisibilityTimeout"] > 0
            for entry in entries(proxy, "ChangeMessageVisibilityBatch")
        )

    wait_until(lambda: extensions() >= 2, "two extensions", patience=120)
    gate.set()
    scene.queue.wait_until_empty()
    assert [worker.stop() for worker in workers] == [0, 0]
    assert versions(scene) == {1} and set(Counter(one["MessageId"] for one in received(proxy)).values()) == {1}
    scene.check_invariants(sent, environment_only=True)


def test_fault_06_a_lease_that_is_lost_makes_two_workers_run_it_with_one_effect(
    scene: Scene, proxy: Proxy, dynamodb_proxy: Proxy
) -> None:
    gate = threading.Event()
    bodies = chain(scene, 20)
    dynamodb_proxy.on("TransactWriteItems", faults.until(gate, commit=True), skip=1, times=19)
    proxy.on(
        "ChangeMessageVisibilityBatch",
        faults.fail_entries(lambda at, entry: True, code="ReceiptHandleIsInvalid", sender_fault=True),
    )
    first = scene.worker(
        AWS_ENDPOINT_URL_SQS=proxy.url, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, VISIBILITY_TIMEOUT=600
    )
    first.wait_for_log(STARTED)
    sent = scene.queue.send(*bodies)
    wait_until(lambda: scene.queue.counts().visible == 0 and len(scene.audits()) == 20, "the first worker's commits")
    give_back(scene, proxy)
    second = scene.worker(
        AWS_ENDPOINT_URL_SQS=proxy.url, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, VISIBILITY_TIMEOUT=600
    )
    scene.queue.wait_until_empty()
    gate.set()
    assert [first.stop(), second.stop()] == [0, 0]
    assert versions(scene) == {1} and len(scene.audits()) == 20 and not scene.dead()
    assert max(Counter(one["MessageId"] for one in received(proxy)).values()) == 2
    scene.check_invariants(sent)


# Stopping


@pytest.mark.parametrize("moment", range(6))
def test_fault_25_stopped_at_any_moment_what_is_not_done_is_visible_at_once(
    scene: Scene, proxy: Proxy, dynamodb_proxy: Proxy, moment: int
) -> None:
    """The moment is counted in transactions, not in time."""
    count = 80
    good = chain(scene, count)
    bodies = [body for pair in zip(good, failing(count), strict=True) for body in pair]
    dynamodb_proxy.on("TransactWriteItems", faults.delay(before=0.005, after=0.005))
    worker = scene.worker(
        AWS_ENDPOINT_URL_SQS=proxy.url,
        AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url,
        VISIBILITY_TIMEOUT=43200,
        SHUTDOWN_TIMEOUT=(0, 25)[moment % 2],
    )
    sent = scene.queue.send(*bodies)
    dynamodb_proxy.wait_for("TransactWriteItems", 1 + 25 * moment)
    assert worker.stop() == 0
    # A transaction that was on its way when the process ended may still commit.
    proxy.settle()
    dynamodb_proxy.settle()
    assert scene.queue.counts().in_flight == 0, "held after the end"
    scene.check_invariants(sent)
