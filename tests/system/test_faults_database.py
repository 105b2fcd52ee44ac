"""Faults between table-updater and DynamoDB: what is retried, with which bytes, and what a message is told in the
end."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from typing import Any, Callable

import pytest
from harness import faults
from harness.cases import HOLDING, STARTED, apply_lines
from harness.polling import wait_until
from harness.proxy import Proxy, Request
from harness.scene import Scene, message


@pytest.fixture
def proxy(dynamodb_proxy: Proxy) -> Proxy:
    return dynamodb_proxy


def records(request: Request) -> str:
    """Which record a transaction updates, as text."""
    return json.dumps([action["Update"]["Key"] for action in request.json["TransactItems"] if "Update" in action])


def by_record(proxy: Proxy) -> dict[str, list[Request]]:
    tries: dict[str, list[Request]] = defaultdict(list)
    for request in proxy.requests("TransactWriteItems"):
        tries[records(request)].append(request)
    return tries


def chain(scene: Scene, count: int, audited: bool = True) -> list[str]:
    """One message for each of so many records, which it takes from version 0 to 1: a second effect would falsify its
    own condition."""
    scene.table.put(*({"id": f"r{n}", "version": 0} for n in range(count)))
    return [
        message(f"r{n}", {"version": 1}, condition_expression="version = 0", enable_logging=audited)
        for n in range(count)
    ]


def versions(scene: Scene) -> set[int]:
    return {record["version"] for record in scene.table.scan()}


# Faults that pass: each is met by the first two tries of a message, and the third finds the service well. What could be
# the message's own fault is met once: the second time, with others' success in between, would give it back for a while.
PASSING: dict[str, Callable[..., Any]] = {
    "an InternalServerError": faults.internal_error(),
    "a load balancer's 502": faults.load_balancer_error(502),
    "a load balancer's 503": faults.load_balancer_error(503),
    "a 500 without a body": faults.respond_as_service(500),
    "a 400 that is no JSON": faults.respond(400, b"<html>"),
    "a 200 that is no JSON": faults.respond(200, b"<html>captive portal</html>", {"content-type": "text/html"}),
    "a 200 that is cut JSON": faults.respond(200, b'{"a":'),
    "a ThrottlingException": faults.throttled(),
    "a ProvisionedThroughputExceededException": faults.throttled("ProvisionedThroughputExceededException"),
    "a RequestLimitExceeded": faults.throttled("RequestLimitExceeded"),
    "a ThrottlingException with 500": faults.service_error("ThrottlingException", 500),
    "a conflict": faults.reasons(update="TransactionConflict"),
    "a conflict on the audit record": faults.reasons(audit="TransactionConflict"),
    "a throttled record": faults.reasons(update="ThrottlingError"),
    "a throttled audit record": faults.reasons(audit="ProvisionedThroughputExceeded"),
    "a false condition beside a conflict": faults.reasons(
        update=("ConditionalCheckFailed", {"id": {"S": "x"}}), audit="TransactionConflict"
    ),
    "a missing record beside a throttle": faults.reasons(update="ConditionalCheckFailed", audit="ThrottlingError"),
    "a reason that nobody knows": faults.reasons(update="SomethingNew"),
    "no reasons at all": faults.cancelled(),
    "a request that is cut": faults.cut_request(),
    "a request that ends": faults.cut_request(reset=False),
    "a response that is cut": faults.cut_response(),
    "a response that is reset": faults.cut_response(reset=True),
    "half a status line": faults.cut_response(after=9),
    "half a response": faults.cut_response(after=80),
    "garbage": faults.garbage(),
    "a checksum that does not fit": faults.wrong_crc32(),
    "a token that does not fit": faults.service_error("IdempotentParameterMismatchException"),
}
ONCE = {"an InternalServerError", "a reason that nobody knows", "no reasons at all"}
UNAUDITED = {name for name in PASSING if "audit" not in name and "beside" not in name and "token" not in name}


@pytest.mark.parametrize("audited", [True, False], ids=["audited", "unaudited"])
def test_fault_02_whatever_passes_costs_a_message_nothing(scene: Scene, proxy: Proxy, audited: bool) -> None:
    names = [name for name in PASSING if audited or name in UNAUDITED]
    bodies = chain(scene, len(names), audited)
    for n, name in enumerate(names):
        proxy.on("TransactWriteItems", PASSING[name], when=faults.about(f"r{n}"), times=1 if name in ONCE else 2)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert run.code == 0 and not scene.dead()
    stuck = [name for n, name in enumerate(names) if scene.table.get(f"r{n}")["version"] != 1]
    assert not stuck
    if audited:
        assert len(scene.audits()) == len(names)
    assert {name for name, rule in zip(names, proxy.rules, strict=True) if rule.fired < 1} == set()
    scene.check_invariants(run.sent, environment_only=True, max_receives=1)


def test_fault_02_apply_survives_the_same(scene: Scene, proxy: Proxy) -> None:
    bodies = chain(scene, len(PASSING))
    for n, (name, action) in enumerate(PASSING.items()):
        proxy.on("TransactWriteItems", action, when=faults.about(f"r{n}"), times=1 if name in ONCE else 2)
    responses = apply_lines(scene, list(bodies), AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert [name for name, response in zip(PASSING, responses, strict=True) if not response["success"]] == []
    assert versions(scene) == {1} and len(scene.audits()) == len(PASSING)


@pytest.mark.parametrize("audited", [True, False], ids=["audited", "unaudited"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_fault_02_a_response_lost_after_the_commit_is_asked_again_with_the_same_bytes_and_makes_one_effect(
    scene: Scene, proxy: Proxy, audited: bool, reset: bool
) -> None:
    count = 60
    bodies = chain(scene, count, audited)
    rule = proxy.on("TransactWriteItems", faults.cut_response(reset=reset), probability=0.3, seed=2)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert run.code == 0 and rule.fired > 5 and versions(scene) == {1} and not scene.dead()
    for tries in by_record(proxy).values():
        assert len({request.body for request in tries}) == 1
    if audited:
        assert len(scene.audits()) == count
    scene.check_invariants(run.sent, environment_only=True, max_receives=1)


def test_fault_02_cut_anywhere_in_the_response_it_is_one_effect(scene: Scene, proxy: Proxy) -> None:
    count = 40
    bodies = chain(scene, count)
    for n in range(count):
        proxy.on("TransactWriteItems", faults.cut_response(after=5 * n), when=faults.about(f"r{n}"), times=1)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert run.code == 0 and versions(scene) == {1} and len(scene.audits()) == count and not scene.dead()


def test_fault_03_two_processes_build_the_same_token_for_one_unaudited_message(scene: Scene, proxy: Proxy) -> None:
    bodies = chain(scene, 10, audited=False)
    keyed = [body[:-1] + f', "idempotency_key": "k{n}"}}' for n, body in enumerate(bodies)]
    for _ in range(2):
        responses = apply_lines(scene, list(keyed), AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
        assert all(response["success"] for response in responses)
    for tries in by_record(proxy).values():
        assert len(tries) == 2 and len({request.body for request in tries}) == 1
        assert 1 <= len(tries[0].json["ClientRequestToken"]) <= 36
    assert len({request.json["ClientRequestToken"] for request in proxy.requests("TransactWriteItems")}) == 10


def test_fault_03_an_audited_tokens_mismatch_is_answered_with_a_new_token(scene: Scene, proxy: Proxy) -> None:
    scene.table.put({"id": "a"})
    proxy.on("TransactWriteItems", faults.service_error("IdempotentParameterMismatchException"), times=1)
    assert apply_lines(scene, [message("a", {"n": 1})], AWS_ENDPOINT_URL_DYNAMODB=proxy.url)[0]["success"]
    first, second = proxy.requests("TransactWriteItems")
    assert first.json["ClientRequestToken"] != second.json["ClientRequestToken"]
    assert first.json["TransactItems"] == second.json["TransactItems"]


def test_fault_05_a_transaction_in_progress_is_tried_again_5_seconds_after_the_first(
    scene: Scene, proxy: Proxy
) -> None:
    bodies = chain(scene, 5)
    under_way = time.monotonic() + 60

    def runs_on(request: Request) -> bool:
        """For five seconds from the first attempt on."""
        nonlocal under_way
        mine = faults.about("r2")(request)
        if mine:
            under_way = min(under_way, request.started + 5)
        return mine and request.started < under_way

    held = proxy.on("TransactWriteItems", faults.service_error("TransactionInProgressException"), when=runs_on)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert run.code == 0 and held.fired >= 1 and versions(scene) == {1} and not scene.dead()
    tries = next(tries for record, tries in by_record(proxy).items() if '"r2"' in record)
    assert tries[-1].started - tries[0].started >= 5 and len({request.body for request in tries}) == 1


def test_a_response_that_comes_slowly_is_a_response(scene: Scene, proxy: Proxy) -> None:
    bodies = chain(scene, 20)
    proxy.on("TransactWriteItems", faults.slow(pieces=50, pause=0.01), probability=0.5)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert run.code == 0 and versions(scene) == {1} and proxy.count("TransactWriteItems") <= 22


def test_a_request_that_is_never_answered_is_given_up_and_asked_again(scene: Scene, proxy: Proxy) -> None:
    bodies = chain(scene, 10)
    hole = proxy.on("TransactWriteItems", faults.black_hole(commit=True), when=faults.about("r3"), times=1)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url, patience=120)
    assert run.code == 0 and hole.fired == 1 and versions(scene) == {1} and not scene.dead()
    scene.check_invariants(run.sent, environment_only=True, max_receives=1)


# Verdicts

FINAL: dict[str, tuple[Callable[..., Any], str, dict[str, Any]]] = {
    "a false condition": (
        faults.reasons(update=("ConditionalCheckFailed", {"id": {"S": "x"}})),
        "ConditionalCheckFailed",
        {"id": "r0"},
    ),
    "no record": (faults.reasons(update="ConditionalCheckFailed"), "RecordNotFoundError", {"id": "r0"}),
    "an item collection that is full": (
        faults.reasons(update="ItemCollectionSizeLimitExceeded"),
        "DatabaseError",
        {"code": "ItemCollectionSizeLimitExceeded"},
    ),
}


@pytest.mark.parametrize("name", FINAL)
def test_a_verdict_of_the_database_is_told_at_once(scene: Scene, proxy: Proxy, name: str) -> None:
    action, error, details = FINAL[name]
    bodies = chain(scene, 1)
    rule = proxy.on("TransactWriteItems", action)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert run.code == 0 and rule.fired == 1
    (dead,) = scene.dead()
    assert (
        dead.error == error
        and {key: value for key, value in dead.envelope["details"].items() if key != "source"} == details
    )
    assert proxy.count("GetItem") >= 1, "the audit record was not asked whether it had been applied"
    assert all(request.json.get("ConsistentRead") is True for request in proxy.requests("GetItem"))


def stored_hash(value: str | None) -> Callable[[Any], Any]:
    """Another worker's audit record stands already, with such a request hash (None: the request's own)."""

    async def action(exchange: Any) -> None:
        put = next(one["Put"]["Item"] for one in exchange.request.json["TransactItems"] if "Put" in one)
        item = (
            dict(put)
            if value is None
            else {**put, "request_hash": {"S": value}}
            if value
            else {k: v for k, v in put.items() if k != "request_hash"}
        )
        await faults.reasons(
            update=("ConditionalCheckFailed", {"id": {"S": "x"}}), audit=("ConditionalCheckFailed", item)
        )(exchange)

    return action


@pytest.mark.parametrize(
    "value, error, warned",
    [(None, None, False), ("v9:abc", None, True), ("", None, True), ("v1:" + "0" * 64, "ValidationError", False)],
    ids=["its own", "of a later version", "none", "another"],
)
def test_an_audit_record_that_stands_decides_by_its_hash(
    scene: Scene, proxy: Proxy, value: str | None, error: str | None, warned: bool
) -> None:
    bodies = chain(scene, 1)
    proxy.on("TransactWriteItems", stored_hash(value))
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert run.code == 0 and [dead.error for dead in scene.dead()] == ([error] if error else [])
    if error:
        assert scene.dead()[0].envelope["details"]["field"] == "idempotency_key"
    assert bool([line for line in run.log if "WARNING" in line.upper() and "unknown version" in line]) == warned, (
        run.log
    )


async def commit_and_deny(exchange: Any) -> None:
    """The transaction committed, and the answer says that its condition was false."""
    await exchange.forward()
    await faults.reasons(update=("ConditionalCheckFailed", {"id": {"S": "x"}}))(exchange)


FOREIGN = {
    "a proxy's error": {"error": "proxy authentication required"},
    "an exception": {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "x"},
    "another operation": {"Table": {"TableName": "x"}},
    "another item": {"Item": {"log_id": {"S": "0" * 64}, "request_hash": {"S": "v1:" + "1" * 64}}},
}


@pytest.mark.parametrize("answer", FOREIGN.values(), ids=FOREIGN.keys())
def test_fault_35_a_200_that_only_somebody_else_can_have_given_is_neither_a_commit_nor_a_verdict(
    scene: Scene, proxy: Proxy, answer: Any
) -> None:
    bodies = chain(scene, 3)
    lost = proxy.on("TransactWriteItems", faults.respond_as_service(200, answer), when=faults.about("r0"), times=1)
    proxy.on("TransactWriteItems", commit_and_deny, when=faults.about("r1"), times=1)
    misread = proxy.on("GetItem", faults.respond_as_service(200, answer), times=1)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert run.code == 0 and lost.fired == misread.fired == 1
    assert versions(scene) == {1} and not scene.dead() and len(scene.audits()) == 3


def test_what_had_been_applied_is_never_sent_to_the_dlq_for_a_verdict(scene: Scene, proxy: Proxy) -> None:
    """I4"""
    bodies = chain(scene, 5)
    rule = proxy.on("TransactWriteItems", commit_and_deny, times=5)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert (
        run.code == 0 and rule.fired == 5 and versions(scene) == {1} and not scene.dead() and len(scene.audits()) == 5
    )


def test_while_the_audit_record_cannot_be_read_a_failed_message_waits(scene: Scene, proxy: Proxy) -> None:
    bodies = chain(scene, 10)
    denied = proxy.on("GetItem", faults.denied())
    proxy.on(
        "TransactWriteItems",
        faults.reasons(update=("ConditionalCheckFailed", {"id": {"S": "x"}})),
        when=faults.about("r4"),
    )
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    sent = scene.queue.send(*bodies)
    denied.wait(2)
    wait_until(lambda: len(scene.audits()) == 9, "the others' success")
    assert not scene.dead() and scene.queue.counts().total >= 1
    denied.remove()
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and [dead.error for dead in scene.dead()] == ["ConditionalCheckFailed"]
    scene.check_invariants(sent)


def test_a_validation_exception_that_names_the_item_is_a_validation_error_after_a_look_at_the_tables(
    scene: Scene, proxy: Proxy
) -> None:
    bodies = chain(scene, 3)
    refusal = faults.service_error(
        "ValidationException",
        message="Item size has exceeded the maximum allowed size",
        namespace="com.amazon.coral.validate",
    )
    proxy.on("TransactWriteItems", refusal, when=faults.about("r1"))
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert run.code == 0 and [dead.error for dead in scene.dead()] == ["ValidationError"]
    assert set(scene.dead()[0].envelope["details"]) == {"field", "reason", "source"}


# This message alone

POISON = 40


FEW: dict[str, Any] = {"MAX_IN_FLIGHT": 10}


def poisoned(scene: Scene, proxy: Proxy, action: Any) -> list[str]:
    """100 messages of which one always fails so. With FEW, some seconds long others begin and succeed after it
    failed."""
    proxy.on("TransactWriteItems", action, when=faults.about(f"r{POISON}"))
    late = {json.dumps([{"id": {"S": f"r{n}"}}]) for n in range(POISON + 1, 100)}
    proxy.on("TransactWriteItems", faults.delay(before=0.7), when=lambda request: records(request) in late)
    return chain(scene, 100)


@pytest.mark.parametrize(
    "name, action, code",
    [
        ("a 500", faults.internal_error(), "InternalServerError"),
        ("denied", faults.denied(), "AccessDeniedException"),
        ("an unknown code", faults.service_error("SomethingNewException"), "SomethingNewException"),
    ],
)
def test_a_message_that_alone_fails_twice_the_same_way_is_a_database_error(
    scene: Scene, proxy: Proxy, name: str, action: Any, code: str
) -> None:
    bodies = poisoned(scene, proxy, action)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url, **FEW, MAX_ATTEMPTS=1, patience=120)
    (dead,) = scene.dead()
    assert run.code == 0 and len(scene.audits()) == 99
    assert (dead.error, dead.attributes["StatusCode"], dead.envelope["details"]["code"]) == (
        "DatabaseError",
        "500",
        code,
    )


def test_with_deliveries_left_it_is_given_back_with_a_delay(scene: Scene, proxy: Proxy, sqs_proxy: Proxy) -> None:
    bodies = poisoned(scene, proxy, faults.internal_error())
    worker = scene.worker(
        AWS_ENDPOINT_URL_DYNAMODB=proxy.url, **FEW, AWS_ENDPOINT_URL_SQS=sqs_proxy.url, MAX_ATTEMPTS=2
    )
    sent = scene.queue.send(*bodies)

    def delays() -> list[int]:
        changes = sqs_proxy.requests("ChangeMessageVisibilityBatch")
        return [
            entry["VisibilityTimeout"]
            for request in changes
            for entry in request.json["Entries"]
            if entry["VisibilityTimeout"] in range(25, 36)
        ]

    wait_until(lambda: len(delays()) >= 1, "a delay of about 30 s")
    wait_until(lambda: len(scene.audits()) == 99, "the others' success")
    worker.stop()
    assert not scene.dead()
    assert sent[POISON].message_id in {left.message_id for left in scene.left()}


def test_apply_tells_a_line_that_alone_fails_as_a_database_error(scene: Scene, proxy: Proxy) -> None:
    bodies = poisoned(scene, proxy, faults.internal_error())
    responses = apply_lines(scene, list(bodies), AWS_ENDPOINT_URL_DYNAMODB=proxy.url, **FEW)
    assert [n for n, response in enumerate(responses) if not response["success"]] == [POISON]
    assert (responses[POISON]["error"], responses[POISON]["details"]) == (
        "DatabaseError",
        {"code": "InternalServerError"},
    )


# Outages

OUTAGES: dict[str, Callable[[], Any]] = {
    "no machine answers for it": lambda: faults.load_balancer_error(),
    "500 for everything": lambda: faults.internal_error(),
    "denied": lambda: faults.denied(),
    "the table is missing": lambda: faults.service_error("ResourceNotFoundException"),
    "the credentials have expired": lambda: faults.service_error(
        "ExpiredTokenException", namespace="com.amazon.coral.service"
    ),
    "throttled": lambda: faults.throttled(),
}


def receives_by_message(proxy: Proxy) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for request in proxy.requests("ReceiveMessage"):
        if request.service_status == 200 and request.service_body:
            for one in json.loads(request.service_body).get("Messages", []):
                counts[one["MessageId"]] += 1
    return counts


@pytest.mark.parametrize("name", OUTAGES)
def test_fault_16_in_an_outage_receiving_stops_probes_are_rare_and_nothing_is_dead(
    scene: Scene, proxy: Proxy, sqs_proxy: Proxy, name: str
) -> None:
    count = 120
    bodies = chain(scene, count)
    worker = scene.worker(
        AWS_ENDPOINT_URL_DYNAMODB=proxy.url, AWS_ENDPOINT_URL_SQS=sqs_proxy.url, MAX_IN_FLIGHT=10, MAX_ATTEMPTS=1
    )
    worker.wait_for_log(STARTED)
    sent = scene.queue.send(*bodies[:20])
    wait_until(lambda: len(scene.audits()) >= 20, "some success before")
    outage = proxy.on("TransactWriteItems", OUTAGES[name](), first=True)
    sent += scene.queue.send(*bodies[20:])
    outage.wait(3)
    worker.wait_for_log(HOLDING)
    # From where it holds on, over some seconds: no new receive (one a minute where the fault may be a message's own),
    # probes at a rate.
    started, tries, asked = (
        time.monotonic(),
        proxy.count("TransactWriteItems"),
        sum(receives_by_message(sqs_proxy).values()),
    )
    wait_until(lambda: time.monotonic() - started >= 4, "four seconds")
    probes, seconds = proxy.count("TransactWriteItems") - tries, time.monotonic() - started
    assert probes <= seconds + 12, f"{probes} tries in {seconds:.1f} s"  # those in flight end their own few retries
    assert sum(receives_by_message(sqs_proxy).values()) <= asked + 1
    late = proxy.count("TransactWriteItems")
    again = time.monotonic()
    wait_until(lambda: time.monotonic() - again >= 4, "four seconds")
    assert proxy.count("TransactWriteItems") - late <= (time.monotonic() - again) + 1
    assert not scene.dead() and worker.running
    outage.remove()
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {1} and len(scene.audits()) == count
    assert max(receives_by_message(sqs_proxy).values()) == 1
    scene.check_invariants(sent, environment_only=True)


def test_fault_16_refused_connections_are_an_outage_too(scene: Scene, proxy: Proxy, sqs_proxy: Proxy) -> None:
    bodies = chain(scene, 60)
    worker = scene.worker(
        AWS_ENDPOINT_URL_DYNAMODB=proxy.url, AWS_ENDPOINT_URL_SQS=sqs_proxy.url, MAX_IN_FLIGHT=10, MAX_ATTEMPTS=1
    )
    worker.wait_for_log(STARTED)
    sent = scene.queue.send(*bodies[:10])
    wait_until(lambda: len(scene.audits()) >= 10, "some success before")
    proxy.stop_listening()
    sent += scene.queue.send(*bodies[10:])
    worker.wait_for_log(HOLDING)
    assert not scene.dead()
    proxy.listen_again()
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {1} and max(receives_by_message(sqs_proxy).values()) == 1
    scene.check_invariants(sent, environment_only=True)


def test_fault_16_a_process_that_starts_in_an_outage_receives_one_message_at_most(
    scene: Scene, proxy: Proxy, sqs_proxy: Proxy
) -> None:
    bodies = chain(scene, 30)
    outage = proxy.on("TransactWriteItems", faults.load_balancer_error())
    sent = scene.queue.send(*bodies)
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=proxy.url, AWS_ENDPOINT_URL_SQS=sqs_proxy.url, MAX_ATTEMPTS=1)
    wait_until(lambda: outage.fired >= 3, "some tries")
    assert sum(receives_by_message(sqs_proxy).values()) <= 1 and not scene.dead()
    outage.remove()
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {1}
    scene.check_invariants(sent, environment_only=True)


def test_fault_16_a_process_that_starts_while_nothing_answers_receives_nothing(
    scene: Scene, proxy: Proxy, sqs_proxy: Proxy
) -> None:
    bodies = chain(scene, 10)
    outage = proxy.on(None, faults.load_balancer_error())
    scene.queue.send(*bodies)
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=proxy.url, AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    outage.wait(3)
    assert sqs_proxy.count("ReceiveMessage") == 0
    outage.remove()
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {1}


def test_fault_20_a_clock_that_is_off_is_corrected_by_the_services_date(scene: Scene, proxy: Proxy) -> None:
    """The service refuses what isn't signed an hour ahead, and says in its Date that it is an hour ahead."""
    from datetime import datetime, timedelta, timezone
    from email.utils import format_datetime

    def signed_by_our_clock(request: Request) -> bool:
        signed = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        return abs(signed - datetime.now(timezone.utc)) < timedelta(minutes=30)

    async def refuse(exchange: Any) -> None:
        ahead = {"date": format_datetime(datetime.now(timezone.utc) + timedelta(hours=1), usegmt=True)}
        await faults.service_error("InvalidSignatureException", namespace="com.amazon.coral.service", headers=ahead)(
            exchange
        )

    bodies = chain(scene, 20)
    rule = proxy.on(None, refuse, when=signed_by_our_clock)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert run.code == 0 and rule.fired >= 1 and versions(scene) == {1} and not scene.dead()
    assert rule.fired < proxy.count() / 2, "the correction is not kept"


def test_a_date_that_is_wrong_in_a_good_answer_harms_nothing(scene: Scene, proxy: Proxy) -> None:
    bodies = chain(scene, 20)
    proxy.on(None, faults.shift_date(-7200), probability=0.5)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert run.code == 0 and versions(scene) == {1}


# Bounds


def test_fault_24_no_more_messages_are_held_than_max_in_flight(scene: Scene, proxy: Proxy, sqs_proxy: Proxy) -> None:
    bodies = chain(scene, 100)
    proxy.on("TransactWriteItems", faults.delay(before=0.05))
    sent = scene.queue.send(*bodies)
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=proxy.url, MAX_IN_FLIGHT=7)
    most = 0

    def done() -> bool:
        nonlocal most
        counts = scene.queue.counts()
        most = max(most, counts.in_flight)
        return counts.total == 0

    wait_until(done, "an empty queue")
    assert worker.stop() == 0 and most <= 7 and proxy.max_concurrency("TransactWriteItems") <= 7
    assert versions(scene) == {1}
    scene.check_invariants(sent, environment_only=True)


def test_updates_of_one_record_run_one_at_a_time(scene: Scene, proxy: Proxy) -> None:
    scene.table.put({"id": "hot"})
    proxy.on("TransactWriteItems", faults.delay(before=0.02))
    run = scene.run_until_empty(*(message("hot", {f"n{n}": n}) for n in range(30)), AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert run.code == 0 and proxy.max_concurrency("TransactWriteItems") == 1
    assert scene.table.get("hot") == {"id": "hot", **{f"n{n}": n for n in range(30)}}


def test_max_rate_bounds_transactions_retries_included(scene: Scene, proxy: Proxy) -> None:
    bodies = chain(scene, 40)
    proxy.on("TransactWriteItems", faults.throttled(), probability=0.5, seed=3)
    run = scene.run_until_empty(*bodies, AWS_ENDPOINT_URL_DYNAMODB=proxy.url, MAX_RATE=20)
    assert run.code == 0 and versions(scene) == {1}
    times = [request.started for request in proxy.requests("TransactWriteItems")]
    for first, last in zip(times, times[30:]):
        # A burst may be a tenth of a second's worth: 2.
        assert last - first >= (30 - 3) / 20 * 0.9, "more than 20 a second over 30 requests"


def test_fault_38_an_index_added_under_load_is_taken_over(scene: Scene, proxy: Proxy, dynamodb: Any) -> None:
    """AWS refuses a value of another type than the index's; DynamoDB Local takes it, so the proxy says it, once."""
    scene.table.put(*({"id": f"r{n}"} for n in range(30)))
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    healthy = scene.queue.send(*(message(f"r{n}", {"age": "old"}) for n in range(10)))
    scene.queue.wait_until_empty()
    dynamodb.update_table(
        TableName=scene.table.name,
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "age", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "by_age",
                    "KeySchema": [{"AttributeName": "age", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                    "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
                }
            }
        ],
    )
    sentence = (
        "One or more parameter values were invalid: Type mismatch for Index Key age Expected: N Actual: "
        "S IndexName: by_age"
    )
    proxy.on(
        "TransactWriteItems", faults.service_error("ValidationException", message=sentence), when=faults.about("r10")
    )
    refused = scene.queue.send(message("r10", {"age": "old"}))
    healthy += scene.queue.send(*(message(f"r{n}", {"age": n}) for n in range(11, 20)))
    scene.queue.wait_until_empty()
    worker.wait_for_log("The table's indexes have changed")
    looked = proxy.count("DescribeTable")
    own = scene.queue.send(*(message(f"r{n}", {"age": "old"}) for n in range(20, 25)))
    healthy += scene.queue.send(*(message(f"r{n}", {"age": n}) for n in range(25, 30)))
    scene.queue.wait_until_empty()
    assert worker.stop() == 0
    reasons = {one.source["message_id"]: one.envelope["details"]["reason"] for one in scene.dead()}
    assert reasons == {
        refused[0].message_id: sentence,
        **{one.message_id: "an index has it as a key that takes a number" for one in own},
    }
    assert not [tries for record, tries in by_record(proxy).items() if any(f'"r{n}"' in record for n in range(20, 25))]
    assert proxy.count("DescribeTable") == looked, "a look less than a minute old counts"
    assert all(scene.audit_of(one) for one in healthy)
