"""What stands between table-updater and DynamoDB fails for one message alone: the others go on, and it is named and
given back."""

from __future__ import annotations

import time
from typing import Any, Callable

import pytest
from harness import faults
from harness.cases import parse
from harness.polling import wait_until
from harness.proxy import Proxy
from harness.scene import Scene, message

HTML = b"<html><body>No.</body></html>"
OVER_CEILING = 9 << 20

WAYS: dict[str, Callable[[], Any]] = {
    "413": lambda: faults.respond(413, HTML, {"content-type": "text/html"}),
    "400 in HTML": lambda: faults.respond(400, HTML, {"content-type": "text/html"}),
    "403 in HTML": lambda: faults.respond(403, HTML, {"content-type": "text/html"}),
    "503": faults.load_balancer_error,
    "a reset": faults.cut_request,
    "silence": faults.black_hole,
    "an answer over the ceiling": lambda: faults.respond(200, b" " * OVER_CEILING),
}
SET_ASIDE = "it is set aside"


@pytest.fixture
def proxy(dynamodb_proxy: Proxy) -> Proxy:
    return dynamodb_proxy


def healthy(scene: Scene, count: int) -> list[str]:
    scene.table.put(*({"id": f"r{n}"} for n in range(count)))
    return [message(f"r{n}", {"done": True}) for n in range(1, count)]


@pytest.mark.parametrize("way", WAYS)
def test_fault_32_one_message_that_the_way_stops_keeps_no_other_from_being_applied(
    scene: Scene, proxy: Proxy, way: str
) -> None:
    """On a worker that has just started, with that message at the head of the queue; and then beside steady traffic."""
    bodies = healthy(scene, 26)
    rule = proxy.on("TransactWriteItems", WAYS[way](), when=faults.about("r0"))
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    (bad,) = scene.queue.send(message("r0", {"done": True}))
    rule.wait()
    scene.queue.send(*bodies[:20])
    wait_until(lambda: len(scene.audits()) == 20, "the first twenty beside it")
    for body in bodies[20:]:
        before = len(scene.audits())
        scene.queue.send(body)
        wait_until(lambda count=before: len(scene.audits()) > count, "the next one beside it")
    worker.wait_for_log(SET_ASIDE)
    (line,) = [line for line in worker.log if SET_ASIDE in line]
    assert bad.message_id in line and "WARNING" in line and "applying it" in line
    assert not scene.dead()
    assert worker.stop() == 0
    assert bad.message_id in {left.message_id for left in scene.left()}


def test_fault_32_it_is_applied_when_the_way_is_free_again(scene: Scene, proxy: Proxy) -> None:
    (body,) = healthy(scene, 2)
    rule = proxy.on("TransactWriteItems", WAYS["413"](), when=faults.about("r0"))
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    scene.queue.send(message("r0", {"done": True}))
    rule.wait()
    scene.queue.send(body)
    worker.wait_for_log(SET_ASIDE)
    rule.remove()
    wait_until(lambda: len(scene.audits()) == 2, "its next delivery")
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and not scene.dead()


@pytest.mark.parametrize(
    "way, code", [("413", "ConnectionError"), ("a reset", "ConnectionError"), ("silence", "Timeout")]
)
def test_fault_32_apply_answers_all_that_is_known_and_says_which_line_fails_and_how(
    scene: Scene, proxy: Proxy, way: str, code: str
) -> None:
    bodies = healthy(scene, 20)
    lines = [*bodies[:5], message("r0", {"done": True}), *bodies[5:]]
    proxy.on("TransactWriteItems", WAYS[way](), when=faults.about("r0"))
    process = scene.command("apply", stdin="".join(f"{line}\n" for line in lines), AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    assert process.wait() == 1
    responses = [parse(line) for line in process.output.splitlines()]
    assert len(responses) == 20 and [n for n, response in enumerate(responses) if not response["success"]] == [5]
    assert (responses[5]["error"], responses[5]["details"]) == ("DatabaseError", {"code": code})
    (line,) = [line for line in process.log if "gets no answer" in line]
    assert "line=6" in line
    assert not [line for line in process.log if "queue" in line.lower()]


def test_fault_37_a_throttled_record_delays_nobody_else_on_a_quiet_queue(scene: Scene, proxy: Proxy) -> None:
    bodies = healthy(scene, 5)
    rule = proxy.on("TransactWriteItems", faults.reasons(update="ThrottlingError"), when=faults.about("r0"))
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    scene.queue.send(bodies[0])
    wait_until(lambda: len(scene.audits()) == 1, "the first")
    scene.queue.send(message("r0", {"done": True}))
    rule.wait(6)
    for n, body in enumerate(bodies[1:], 2):
        scene.queue.send(body)
        wait_until(lambda count=n: len(scene.audits()) == count, "one beside it")
    assert not [line for line in worker.log if "Holding" in line]
    rule.remove()
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and len(scene.audits()) == 5


@pytest.mark.parametrize(
    "refusal",
    [faults.service_error("ValidationException", message="Not here."), faults.reasons(update="ValidationError")],
    ids=["an exception", "a reason"],
)
def test_fault_33_where_every_message_is_refused_nothing_goes_to_the_dlq(
    scene: Scene, proxy: Proxy, refusal: Any
) -> None:
    bodies = healthy(scene, 61)
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    scene.queue.send(*bodies[:10])
    wait_until(lambda: len(scene.audits()) == 10, "some success before")
    rule = proxy.on("TransactWriteItems", refusal, first=True)
    scene.queue.send(*bodies[10:])
    rule.wait(3)
    worker.wait_for_log("Holding")
    since = time.monotonic()
    wait_until(lambda: time.monotonic() - since > 6, "some seconds of it")
    assert not scene.dead() and worker.running
    rule.remove()
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and len(scene.audits()) == 60 and not scene.dead()
