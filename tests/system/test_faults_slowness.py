"""Answers that come slowly, and processes that stand still. Time passes in the process alone (tests/preload)."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from harness import faults
from harness.polling import wait_until
from harness.preload import OtherClock
from harness.proxy import Proxy
from harness.scene import Scene, message
from test_faults_queue import chain, give_back, received, versions


def test_fault_32_a_receive_that_comes_slowly_comes_once(scene: Scene, sqs_proxy: Proxy, tmp_path: Path) -> None:
    """Each answer takes 20 seconds from its first byte to its last, and no second of them passes in silence."""
    bodies = chain(scene, 12)
    clock = OtherClock(tmp_path / "clock")

    async def slowly(exchange: Any) -> None:
        response = await exchange.forward()
        data = response.encode()
        pieces = 20 if response.json.get("Messages") else 1
        size = -(-len(data) // pieces)
        for at in range(0, len(data), size):
            await exchange.send_bytes(data[at : at + size])
            if pieces > 1:
                await exchange.wait(0.03)
                clock.pass_by(1)
        exchange.request.status = response.status

    sqs_proxy.on("ReceiveMessage", slowly)
    worker = scene.worker(AWS_ENDPOINT_URL_SQS=sqs_proxy.url, VISIBILITY_TIMEOUT=60, **clock.settings)
    sent = scene.queue.send(*bodies)
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {1} and not worker.find_log("Receiving fails")
    assert len(received(sqs_proxy)) == len(bodies)  # each once
    scene.check_invariants(sent, environment_only=True, max_receives=1)


def test_fault_36_a_process_that_stood_still_starts_nothing_whose_time_is_over(
    scene: Scene, sqs_proxy: Proxy, dynamodb_proxy: Proxy, tmp_path: Path
) -> None:
    """It holds the first update of a record when its machine is suspended. Meanwhile another worker makes this one, and
    the next."""
    scene.table.put({"id": "r", "n": 0})
    clock = OtherClock(tmp_path / "clock")
    throttle = dynamodb_proxy.on("TransactWriteItems", faults.throttled(), when=faults.about("r"))
    urls = {"AWS_ENDPOINT_URL_SQS": sqs_proxy.url, "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_proxy.url}
    sleeper = scene.worker(VISIBILITY_TIMEOUT=600, **urls, **clock.settings)
    sent = scene.queue.send(message("r", {"n": 1}))
    throttle.wait(2)
    sleeper.send_signal(signal.SIGSTOP)
    throttle.remove()
    tried, dialed = dynamodb_proxy.count("TransactWriteItems"), dynamodb_proxy.accepted
    clock.sleep(900)
    give_back(scene, sqs_proxy)
    other = scene.worker()
    scene.queue.wait_until_empty()
    sent += scene.queue.send(message("r", {"n": 2}))
    scene.queue.wait_until_empty()
    assert other.stop() == 0
    sleeper.send_signal(signal.SIGCONT)
    sleeper.wait_for_log("left to its next delivery")
    scene.table.put({"id": "s", "n": 0})
    sent += scene.queue.send(message("s", {"n": 3}))
    scene.queue.wait_until_empty()
    wait_until(lambda: dynamodb_proxy.count("TransactWriteItems") > tried, "work goes on")
    later = dynamodb_proxy.requests("TransactWriteItems")[tried:]
    assert not any(faults.about("r")(request) for request in later)
    assert all(request.connection >= dialed for request in later)  # those from before are not trusted
    assert sleeper.stop() == 0
    assert {record["id"]: record["n"] for record in scene.table.scan()} == {"r": 2, "s": 3}
    scene.check_invariants(sent, environment_only=True, effects=False)
