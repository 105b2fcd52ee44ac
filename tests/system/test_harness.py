"""The harness itself: a witness that can't see a fault proves nothing."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from harness.queues import Queue, Sent
from harness.scene import Scene, log_id, message
from harness.tables import Table


@pytest.fixture
def staged(
    cloud: Any, new_table: Callable[..., Table], new_audit_table: Callable[[], Table], new_queue: Callable[..., Queue]
) -> Scene:
    """A scene in which the test itself plays the worker."""
    dlq = new_queue("dead")
    scene = Scene(cloud, new_table(), new_audit_table(), new_queue(dlq=dlq), dlq)
    scene.table.put({"id": "x", "version": 0})
    scene._remember()
    return scene


def take(scene: Scene) -> None:
    """Receives a message and deletes it, whatever became of it."""
    (received,) = scene.queue.receive()
    scene.queue.client.delete_message(QueueUrl=scene.queue.url, ReceiptHandle=received["ReceiptHandle"])


def record(scene: Scene, sent: Sent, attributes: dict[str, Any]) -> None:
    """Puts a success record."""
    assert scene.audit
    key = log_id(scene.table.name, sent.key)
    scene.audit.put(
        {
            "log_id": key,
            "status": "success",
            "idempotency_key": sent.key,
            "record_id": "x",
            "updated_attributes": attributes,
        }
    )


def bury(scene: Scene, sent: Sent) -> None:
    """Puts an envelope in the DLQ."""
    assert scene.dlq
    source = {"body": sent.body, "message_id": sent.message_id, "idempotency_key": sent.key}
    scene.dlq.send({"success": False, "error": "DatabaseError", "details": {"code": "x", "source": source}})


def test_a_message_left_on_the_queue_breaks_nothing(staged: Scene) -> None:
    staged.check_invariants(staged.queue.send(message("x", {"version": 1})), environment_only=True, max_receives=0)


def test_a_message_that_is_nowhere_is_seen(staged: Scene) -> None:
    sent = staged.queue.send(message("x", {"version": 1}))
    take(staged)
    with pytest.raises(AssertionError, match="I1"):
        staged.check_invariants(sent)


def test_an_applied_message_breaks_nothing(staged: Scene) -> None:
    sent = staged.queue.send(message("x", {"version": 1}))
    take(staged)
    record(staged, sent[0], {"version": 1})
    staged.table.put({"id": "x", "version": 1})
    staged.check_invariants(sent, environment_only=True)
    staged.check_version_chain("x", 1)


def test_an_effect_without_its_record_is_seen(staged: Scene) -> None:
    sent = staged.queue.send(message("x", {"version": 1}))
    staged.table.put({"id": "x", "version": 1})
    with pytest.raises(AssertionError, match="I2"):
        staged.check_invariants(sent)


def test_a_record_without_its_effect_is_seen(staged: Scene) -> None:
    sent = staged.queue.send(message("x", {"version": 1}))
    record(staged, sent[0], {"version": 1})
    with pytest.raises(AssertionError, match="I2"):
        staged.check_invariants(sent)


def test_an_applied_message_in_the_dlq_is_seen(staged: Scene) -> None:
    sent = staged.queue.send(message("x", {"version": 1}))
    take(staged)
    record(staged, sent[0], {"version": 1})
    staged.table.put({"id": "x", "version": 1})
    bury(staged, sent[0])
    with pytest.raises(AssertionError, match="I4"):
        staged.check_invariants(sent)


def test_a_dlq_message_for_a_fault_of_the_environment_is_seen(staged: Scene) -> None:
    sent = staged.queue.send(message("x", {"version": 1}))
    take(staged)
    bury(staged, sent[0])
    staged.check_invariants(sent)
    with pytest.raises(AssertionError, match="I5"):
        staged.check_invariants(sent, environment_only=True)


def test_one_receive_too_many_is_seen(staged: Scene) -> None:
    sent = staged.queue.send(message("x", {"version": 1}))
    staged.queue.receive(visibility=0)
    with pytest.raises(AssertionError, match="I5"):
        staged.check_invariants(sent, environment_only=True, max_receives=0)
