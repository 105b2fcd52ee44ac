"""Answers that aren't the service's: a box on the path says 200, or an error, in its own words, to each call in turn.
And what the service itself says of permissions and credentials reaches the log in words that tell what to mend."""

from __future__ import annotations

import gzip
import json
import threading
from typing import Any

import pytest
from harness import faults
from harness.cases import STARTED
from harness.polling import wait_until
from harness.proxy import Proxy
from harness.scene import Scene, message

HTML = {"content-type": "text/html", "server": "box/1"}
SHAPES: dict[str, Any] = {
    "status": faults.respond(200, {"status": "ok"}),
    "errors": faults.respond(200, {"errors": [{"code": 1}]}),
    "html": faults.respond(200, b"<html>captive portal</html>", HTML),
    "empty": faults.respond(200, b""),
    "array": faults.respond(200, []),
    "no content": faults.respond(204, b""),
    "redirect": faults.respond(302, b"", {"location": "http://127.0.0.1/login"}),
    "compressed": faults.respond(
        200, gzip.compress(b"{}"), {"content-encoding": "gzip", "x-amzn-requestid": faults.REQUEST_ID}
    ),
    "verdict": faults.respond(400, {"code": "ConditionalCheckFailedException", "message": "no"}),
    "object": faults.respond(200, {}),
}
# What waits longer at each.
SOME = {name: SHAPES[name] for name in ("status", "html", "object", "verdict")}
DYNAMODB = ["DescribeTable", "TransactWriteItems", "GetItem"]
BATCHES = ["ReceiveMessage", "DeleteMessageBatch", "SendMessageBatch"]
OPERATIONS = [*DYNAMODB, *BATCHES, "GetQueueAttributes", "GetQueueUrl"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_fault_35_whatever_a_box_on_the_path_says_is_no_commit_and_no_verdict(
    scene: Scene, dynamodb_proxy: Proxy, sqs_proxy: Proxy, operation: str
) -> None:
    """Each shape once at one operation: healthy messages end applied, failing ones in the DLQ, each once."""
    proxy = dynamodb_proxy if operation in DYNAMODB else sqs_proxy
    shapes = SOME if operation in BATCHES else SHAPES
    rule = proxy.on(operation, faults.sequence(*shapes.values()), times=len(shapes))
    scene.table.put(*({"id": f"r{n}", "version": 0} for n in range(8)))
    healthy = [message(f"r{n}", {"version": 1}, condition_expression="version = 0") for n in range(6)]
    failing = [message(f"r{n}", {"version": 1}, condition_expression="version = 7") for n in (6, 7)]
    run = scene.run_until_empty(
        *healthy,
        *failing,
        AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url,
        AWS_ENDPOINT_URL_SQS=sqs_proxy.url,
        QUEUE_URL=scene.queue.url.rpartition("/")[2],
        VISIBILITY_TIMEOUT=60,
    )
    assert run.code == 0 and rule.fired >= (1 if operation == "GetQueueUrl" else 3)
    assert [scene.table.get(f"r{n}")["version"] for n in range(8)] == [1] * 6 + [0] * 2
    assert sorted(dead.error for dead in scene.dead()) == ["ConditionalCheckFailed"] * 2 and len(scene.audits()) == 6
    assert any(
        f"127.0.0.1:{proxy.port}" in line and operation in line and "not the service's" in line for line in run.log
    ), run.log
    scene.check_invariants(run.sent)


def test_fault_35_a_box_that_answers_everything_empties_no_queue(scene: Scene, dynamodb_proxy: Proxy) -> None:
    """The worker had worked before."""
    scene.table.put(*({"id": f"r{n}", "version": 0} for n in range(30)))
    bodies = [message(f"r{n}", {"version": 1}, condition_expression="version = 0") for n in range(30)]
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    sent = scene.queue.send(*bodies[:5])
    wait_until(lambda: len(scene.audits()) == 5, "the first five")
    box = dynamodb_proxy.on(None, faults.respond(200, {}))
    sent += scene.queue.send(*bodies[5:])
    line = worker.wait_for_log("not the service's").string
    assert "200" in line and "x-amzn-requestid" in line
    box.wait(3)
    assert len(scene.audits()) == 5 and not scene.dead()
    box.remove()
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and len(scene.audits()) == 30
    scene.check_invariants(sent, environment_only=True)


def test_fault_35_what_is_given_back_is_given_back_though_a_box_says_it_was(
    scene: Scene, dynamodb_proxy: Proxy, sqs_proxy: Proxy
) -> None:
    gate = threading.Event()
    scene.table.put({"id": "r0", "version": 0})
    dynamodb_proxy.on("TransactWriteItems", faults.until(gate), when=faults.about("r0"))
    rule = sqs_proxy.on("ChangeMessageVisibilityBatch", faults.sequence(SHAPES["object"], SHAPES["status"]), times=2)
    worker = scene.worker(
        AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url,
        AWS_ENDPOINT_URL_SQS=sqs_proxy.url,
        SHUTDOWN_TIMEOUT=4,
        VISIBILITY_TIMEOUT=600,
    )
    worker.wait_for_log(STARTED)
    sent = scene.queue.send(message("r0", {"version": 1}))
    dynamodb_proxy.wait_for("TransactWriteItems", 2)  # the first is the one at the start, or the message's own
    assert worker.stop() == 0
    gate.set()
    assert rule.fired == 2 and scene.queue.counts().visible == 1
    scene.check_invariants(sent, environment_only=True, max_receives=1)


SENTENCE = (
    "User: arn:aws:sts::123456789012:assumed-role/updater/i-0123 is not authorized to perform: dynamodb:UpdateItem "
    "on resource: "
    "arn:aws:dynamodb:eu-central-1:123456789012:table/records because no identity-based "
    "policy allows the dynamodb:UpdateItem action"
)


def test_a_denied_call_is_in_the_log_in_awss_own_words_with_its_request_id(scene: Scene, dynamodb_proxy: Proxy) -> None:
    scene.table.put({"id": "r0", "version": 0})
    rule = dynamodb_proxy.on("TransactWriteItems", faults.denied(SENTENCE))
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, LOG_FORMAT="json")
    sent = scene.queue.send(message("r0", {"version": 1}))
    line = json.loads(worker.wait_for_log("AWS denies a call").string)
    assert (
        line["why"] == SENTENCE and line["request_id"] == faults.REQUEST_ID and line["code"] == "AccessDeniedException"
    )
    assert line["operation"] == "TransactWriteItems"
    rule.wait(4)
    assert len(worker.find_log("AWS denies a call")) == 1
    rule.remove()
    wait_until(lambda: len(scene.audits()) == 1, "its success")
    assert worker.stop() == 0
    scene.check_invariants(sent, environment_only=True)


REFUSALS = {
    "UnrecognizedClientException": "doesn't know the access key",
    "InvalidSignatureException": "secret access key",
    "ExpiredTokenException": "has expired",
}


@pytest.mark.parametrize("code", REFUSALS)
def test_refused_credentials_are_named_with_what_mends_them_and_nothing_that_was_signed(
    scene: Scene, dynamodb_proxy: Proxy, code: str
) -> None:
    dynamodb_proxy.on(
        None,
        faults.service_error(
            code, 400, "The Canonical String should have been x-amz-security-token:CANARY", "com.amazon.coral.service"
        ),
    )
    done = scene.apply({"id": "r0", "attributes": {"version": 1}}, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    assert done.code == 77
    assert any(REFUSALS[code] in line and faults.REQUEST_ID in line and code in line for line in done.log), done.log
    assert not any("CANARY" in line for line in done.log)


def test_an_error_in_xml_is_read_and_one_that_is_nobodys_names_its_host(scene: Scene, sqs_proxy: Proxy) -> None:
    words = b"<Message>Access to the resource q is denied.</Message>"
    error = b"<Error><Type>Sender</Type><Code>AccessDenied</Code>" + words + b"</Error>"
    xml = b"<ErrorResponse>" + error + b"<RequestId>b8e9-1</RequestId></ErrorResponse>"
    answers = [
        faults.respond(403, b"<html>Forbidden</html>", HTML),
        faults.respond(403, xml, {"content-type": "text/xml"}),
    ]
    sqs_proxy.on("GetQueueAttributes", faults.sequence(*answers), times=2)
    run = scene.run_until_empty(AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert run.code == 77
    assert any(
        "AWS denies a call" in line and "Access to the resource q is denied." in line and "b8e9-1" in line
        for line in run.log
    ), run.log
    assert any(
        "HTTP status 403" in line and f"127.0.0.1:{sqs_proxy.port}" in line and "box/1" in line for line in run.log
    ), run.log
