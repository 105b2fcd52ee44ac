"""`table-updater redrive`: what it moves, in which form, and what it leaves; boto3 and the real worker are the
witnesses."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from typing import Any

import pytest
from chaos_redrive import check_redrive_kills
from harness import faults
from harness.polling import wait_until
from harness.process import Process, binary_path
from harness.proxy import Proxy
from harness.scene import Json, Scene, log_id, message
from test_dead_letters import OWN, TRACE, values


def redrive(scene: Scene, *options: str, yes: bool = True, **settings: Any) -> Process:
    process = scene.command(
        "redrive", *(["--yes"] if yes else []), *options, **{"TABLE_NAME": None, "DLQ_URL": None, **settings}
    )
    process.wait()
    return process


def summary(process: Process) -> Json:
    return json.loads(process.output)


def letter(error: str, body: str) -> str:
    """A DLQ message as the worker writes it, as far as redrive looks at it."""
    source = {"body": body, "idempotency_key": "k-" + error}
    return json.dumps({"success": False, "error": error, "message": "It failed", "details": {"source": source}})


def test_our_own_messages_go_back_under_their_keys_and_are_applied_once(scene: Scene) -> None:
    scene.queue.send(message("a", {"n": 1}), message("b", {"n": 1}, idempotency_key="own"))
    worker = scene.worker()
    scene.dlq.wait_for(2)
    scene.table.put({"id": "a"}, {"id": "b"})
    moved = redrive(scene, "--json")
    assert moved.wait() == 0, moved.describe()
    seconds = summary(moved).pop("seconds")
    assert 0 <= seconds < 60
    assert summary(moved) == {
        "moved": 2,
        "failed": 0,
        "behind": 0,
        "sent_not_deleted": 0,
        "passed_over": 0,
        "came_meanwhile": 0,
        "seconds": seconds,
    }
    scene.queue.wait_until_empty()
    worker.kill()
    assert scene.dlq.counts().total == 0
    assert scene.table.get("a")["n"] == 1 and scene.table.get("b")["n"] == 1
    assert log_id(scene.table.name, "own") in scene.audits() and len(scene.audits()) == 2


def test_what_sqs_moved_itself_runs_under_the_id_that_the_worker_knows_it_by(new_scene: Any) -> None:
    """Applied, never deleted, and moved by the queue's own policy at last: its redrive is one more delivery of it."""
    scene = new_scene(queue={"max_receive_count": 1, "visibility": 1})
    scene.table.put({"id": "a", "n": 0})
    (sent,) = scene.queue.send(message("a", {"seen": 1}, increment={"n": 1}))
    assert scene.queue.receive(visibility=0)
    scene.queue.receive()
    scene.dlq.wait_for(1)
    assert redrive(scene).wait() == 0
    (back,) = scene.queue.receive(visibility=0)
    envelope = json.loads(back["MessageAttributes"]["ErrorEnvelope"]["StringValue"])
    assert envelope["details"]["source"]["idempotency_key"] == sent.message_id and back["MessageId"] != sent.message_id


def test_two_sends_of_a_message_without_a_key_have_one_effect(scene: Scene) -> None:
    scene.table.put({"id": "a", "n": 0})
    body = message("a", {"seen": 1}, increment={"n": 1})
    (dead,) = scene.dlq.send(body)
    assert redrive(scene).wait() == 0
    (back,) = scene.queue.receive(visibility=0)
    scene.queue.send_message(MessageBody=back["Body"], MessageAttributes=back["MessageAttributes"])
    worker = scene.worker()
    scene.queue.wait_until_empty()
    worker.kill()
    assert scene.table.get("a")["n"] == 1 and list(scene.audits()) == [log_id(scene.table.name, dead.message_id)]


def test_one_that_fails_again_keeps_its_source(scene: Scene) -> None:
    (dead,) = scene.dlq.send(message("nobody", {"n": 1}))
    worker = scene.worker()
    for _ in range(2):
        assert redrive(scene).wait() == 0
        scene.dlq.wait_for(1)
        scene.queue.wait_until_empty()
    worker.kill()
    (again,) = scene.dead()
    assert again.source["idempotency_key"] == again.source["message_id"] == dead.message_id
    assert again.source["queue"] == scene.queue.name and again.original_body == dead.body
    assert again.error == "RecordNotFoundError"


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_attributes_and_trace_header_go_along(new_scene: Any, fifo: bool) -> None:
    scene = new_scene(fifo=fifo)
    more = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if fifo else {}
    system = {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}}
    body = message("a", {"n": 1}, idempotency_key="k")
    scene.dlq.send_message(MessageBody=body, MessageAttributes=OWN, MessageSystemAttributes=system, **more)
    assert redrive(scene).wait() == 0
    (back,) = scene.queue.receive()
    assert back["Body"] == body and values(back["MessageAttributes"]) == values(OWN)
    assert back["Attributes"].get("AWSTraceHeader") == TRACE
    assert back["Attributes"].get("MessageGroupId") == ("g" if fifo else None)


def test_an_event_keeps_the_key_that_it_has(scene: Scene) -> None:
    event = {"Type": "Notification", "TopicArn": "arn:t", "MessageId": "m", "Message": message("a", {"n": 1})}
    scene.dlq.send(event)
    assert redrive(scene).wait() == 0
    (back,) = scene.queue.receive()
    assert "MessageAttributes" not in back


def test_only_what_is_meant_moves(scene: Scene) -> None:
    scene.dlq.send(
        letter("InvalidInputError", "no JSON"),
        letter("RecordNotFoundError", message("nobody", {"n": 1})),
        letter("ConditionalCheckFailed", message("a", {"n": 2})),
    )
    dry = redrive(scene, "--error", "ConditionalCheckFailed", "--dry-run", yes=False)
    assert dry.wait() == 0 and "looked at 3, 1 as asked for" in dry.output
    assert f"Without --dry-run, 1 message would be moved to {scene.queue.name}" in dry.output
    as_json = redrive(scene, "--id", "nobody", "--dry-run", "--json")
    assert summary(as_json) == {"dry_run": True, "would_move": 1}
    assert scene.queue.counts().total == 0 and scene.dlq.counts().visible == 3
    moved = redrive(scene, "--error", "ConditionalCheckFailed", "--since", "1h", "--json")
    assert moved.wait() == 0 and (summary(moved)["moved"], summary(moved)["passed_over"]) == (1, 2)
    assert scene.queue.counts().visible == 1 and scene.dlq.counts().visible == 2
    limited = redrive(scene, "--limit", "1", "--json", "--rate", "5")
    assert limited.wait() == 0 and summary(limited)["moved"] == 1 and scene.dlq.counts().visible == 1


def test_what_fails_again_meanwhile_is_not_taken_again(scene: Scene) -> None:
    scene.dlq.send(*(message(f"nobody-{n}", {"n": 1}) for n in range(25)))
    worker = scene.worker()
    worker.wait_for_log("Started")
    moved = redrive(scene, "--json", "--rate", "20")
    assert moved.wait() == 0 and summary(moved)["moved"] == 25, moved.describe()
    scene.dlq.wait_for(25)
    worker.kill()


def test_fifo_groups_come_back_in_order(new_scene: Any) -> None:
    scene = new_scene(fifo=True)
    for group, count in (("a", 13), ("b", 4)):
        scene.dlq.send(
            *(message(f"{group}{n}", {"n": n}, idempotency_key=f"{group}{n}") for n in range(count)), group=group
        )
    assert redrive(scene).wait() == 0
    back: dict[str, list[str]] = {}
    for one in scene.queue.drain():
        back.setdefault(one.system["MessageGroupId"], []).append(json.loads(one.body)["idempotency_key"])
    assert back == {group: [f"{group}{n}" for n in range(count)] for group, count in (("a", 13), ("b", 4))}


# Asking


def asked(scene: Scene, answer: bytes, *options: str, number: int | None = None) -> tuple[int, str]:
    """Runs it on a terminal, and answers once it asks."""
    parent, child = pty.openpty()
    environment = {**scene.environment(), "TERM": "dumb"}
    with subprocess.Popen(
        [str(binary_path()), "redrive", *options], env=environment, stdin=child, stdout=subprocess.DEVNULL, stderr=child
    ) as process:
        os.close(child)
        text = b""
        try:
            while b"[y/N] " not in text and (chunk := os.read(parent, 4096)):
                text += chunk
            if number is not None:
                process.send_signal(number)
            else:
                os.write(parent, answer)
            while chunk := os.read(parent, 4096):
                text += chunk
        except OSError:
            pass  # it has ended
        code = process.wait()
    os.close(parent)
    return code, text.decode()


@pytest.mark.parametrize(
    ("answer", "moved"),
    [(b"\n", 0), (b"n\n", 0), (b"\x04", 0), (b"yes, please, go on\n", 0), (b"y\n", 3), (b"Yes\n", 3)],
)
def test_on_a_terminal_it_asks_and_names_the_count(new_scene: Any, answer: bytes, moved: int) -> None:
    scene = new_scene()
    scene.dlq.send(*(message(f"r{n}", {"n": 1}) for n in range(3)))
    code, text = asked(scene, answer)
    assert code == 0 and f"Move about 3 messages from {scene.dlq.name} to {scene.queue.name}? [y/N]" in text
    assert ("Nothing was moved" in text) == (moved == 0)
    assert scene.queue.counts().visible == moved and scene.dlq.counts().visible == 3 - moved


def test_it_counts_what_is_meant_before_it_asks(scene: Scene) -> None:
    scene.dlq.send(*(message(f"r{n}", {"n": 1}) for n in range(3)))
    code, text = asked(scene, b"y\n", "--id", "r1")
    assert code == 0 and "Move 1 message from" in text and scene.queue.counts().visible == 1
    code, text = asked(scene, b"", number=signal.SIGINT)
    assert code == 130 and scene.queue.counts().visible == 1 and scene.dlq.counts().visible == 2


def test_without_a_terminal_it_needs_a_yes(scene: Scene) -> None:
    scene.dlq.send("x")
    process = redrive(scene, "--json", yes=False)
    assert process.wait() == 64 and "give --yes" in "".join(process.log)
    assert summary(process)["moved"] == 0
    assert scene.dlq.counts().visible == 1


@pytest.mark.parametrize(
    ("options", "settings", "code", "told"),
    [
        (["--rate", "0"], {}, 64, "a whole number from 1 to"),
        (["--error", "Nonsense"], {}, 64, "it may be InvalidInputError"),
        (["--jsn"], {}, 64, "did you mean --json?"),
        ([], {"QUEUE_URL": None}, 78, "QUEUE_URL is not set"),
        ([], {"QUEUE_URL": "no-such-queue"}, 78, "QUEUE_URL names a queue that doesn't exist"),
        ([], {"DLQ_URL": "no-such-queue"}, 78, "DLQ_URL names a queue that doesn't exist"),
    ],
)
def test_what_cannot_be_is_told(module_scene: Scene, options: list[str], settings: Json, code: int, told: str) -> None:
    process = redrive(module_scene, "--json", *options, **settings)
    assert process.wait() == code and any(told in line for line in process.log), process.describe()
    assert code == 64 or summary(process)["moved"] == 0


# Faults


def test_denied_sends_end_it_with_77_and_move_nothing(scene: Scene, sqs_proxy: Proxy) -> None:
    scene.dlq.send(*(message(f"r{n}", {"n": 1}) for n in range(15)))
    sqs_proxy.on("SendMessageBatch", faults.denied())
    denied = redrive(scene, AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert denied.wait() == 77, denied.describe()
    assert scene.dlq.counts().visible == 15 and scene.queue.counts().total == 0


def test_denied_deletes_end_it_with_77_after_one_batch(scene: Scene, sqs_proxy: Proxy) -> None:
    scene.dlq.send(*(message(f"r{n}", {"n": 1}) for n in range(35)))
    sqs_proxy.on("DeleteMessageBatch", faults.denied())
    denied = redrive(scene, "--json", AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert denied.wait() == 77 and summary(denied)["sent_not_deleted"] == 10, denied.describe()
    assert scene.dlq.counts().visible == 35 and scene.queue.counts().visible == 10


def test_a_delete_whose_answer_was_lost_is_no_message_left(scene: Scene, sqs_proxy: Proxy) -> None:
    """ElasticMQ says of what a lost answer's delete has deleted that its handle isn't valid."""
    scene.dlq.send(*(message(f"r{number}", {"n": 1}, idempotency_key=f"k{number}") for number in range(30)))
    sqs_proxy.on("DeleteMessageBatch", faults.cut_response(), times=2)
    moved = redrive(scene, "--json", AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert moved.wait() == 0, moved.describe()
    assert (summary(moved)["moved"], summary(moved)["sent_not_deleted"]) == (30, 0)
    assert scene.dlq.counts().total == 0 and scene.queue.counts().total == 30


def test_what_the_queue_refuses_stays_and_ends_it_with_1(scene: Scene, sqs_proxy: Proxy) -> None:
    scene.dlq.send(*(message(f"r{n}", {"n": 1}) for n in range(12)))

    def refuse_first(value: Json) -> None:
        first = value["Successful"].pop(0)
        value["Failed"] = [{"Id": first["Id"], "SenderFault": True, "Code": "InvalidMessageContents"}]

    sqs_proxy.on("SendMessageBatch", faults.edit_response(refuse_first), times=1)
    refused = redrive(scene, "--json", AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert refused.wait() == 1, refused.describe()
    assert (summary(refused)["moved"], summary(refused)["failed"]) == (11, 1)
    assert any("can't be sent to the queue" in line and "InvalidMessageContents" in line for line in refused.log)
    assert scene.dlq.counts().visible == 1


def test_a_signal_finishes_what_was_begun_and_gives_back_the_rest(scene: Scene) -> None:
    scene.dlq.send(*(message(f"r{n}", {"n": 1}) for n in range(60)))
    process = scene.command("redrive", "--yes", "--rate", "10")
    wait_until(lambda: scene.queue.counts().visible > 5, "the first sends")
    assert process.stop(signal.SIGTERM) == 143, process.describe()
    moved = scene.queue.counts().visible
    assert 5 < moved < 60 and scene.dlq.counts().visible == 60 - moved


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_fault_12_a_redrive_that_is_killed_loses_nothing_and_applies_nothing_twice(new_scene: Any, fifo: bool) -> None:
    check_redrive_kills(new_scene(fifo=fifo), records=40, kills=2, seed=3)
