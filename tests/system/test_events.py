"""Update messages in SNS notifications and EventBridge events, in the forms that these services give their messages on
a queue."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness.scene import Scene, log_id, message

pytestmark = pytest.mark.sanitized

# As moto 5.2.1 delivers them, which has them from AWS's documentation: recorded, but for what a test gives them.
RECORDED_NOTIFICATION = {
    "Message": "",
    "MessageId": "",
    "Signature": "NueIf8lJ8CSYwIz1IVB46CDzQPsgCKgUUhArIrjXFmKo3rYw62eU4WWdzSRUNOwZnNI5370AS0UDnUkI9LQtiA==",
    "SignatureVersion": "2",
    "SigningCertURL": "https://sns.us-east-1.amazonaws.com/"
    "SimpleNotificationService-f95542db08a14934a88025bc916ecfab.pem",
    "Subject": "s",
    "Timestamp": "2026-11-29T06:22:32.681Z",
    "TopicArn": "arn:aws:sns:us-east-1:123456789012:t",
    "Type": "Notification",
    "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/"
    "?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-east-1:123456789012:t:2bcfbf39",
}
RECORDED_EVENT = {
    "id": "",
    "time": "2026-11-29T06:22:32Z",
    "version": "0",
    "detail-type": "update",
    "source": "app",
    "region": "us-east-1",
    "resources": [],
}


def notification(text: str, identity: str) -> str:
    """A notification, indented as SNS has it."""
    return json.dumps({**RECORDED_NOTIFICATION, "Message": text, "MessageId": identity}, indent=2)


def event(detail: str, identity: str, **more: Any) -> str:
    """An event with this JSON text as its detail."""
    return json.dumps({**RECORDED_EVENT, "id": identity, **more})[:-1] + f', "detail": {detail}}}'


def test_a_second_delivery_of_an_event_under_another_message_id_has_one_effect(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    counter = json.dumps({"id": "a", "increment": {"n": 1}, "enable_logging": True})
    bodies = [
        notification(counter, "one"),
        event(counter, "two"),
        notification(event(counter, "three"), "outer-1"),
        notification(event(counter, "three"), "outer-2"),
    ]
    run = scene.run_until_empty(*bodies, *bodies[:2])
    assert run.code == 0 and not scene.dead()
    assert scene.table.get("a") == {"id": "a", "n": 3}
    keys = ["sns:one", "eventbridge:app/two", "eventbridge:app/three"]
    assert set(scene.audits()) == {log_id(scene.table.name, key) for key in keys}
    assert {record["idempotency_key"] for record in scene.audits().values()} == set(keys)


def test_what_fails_is_in_the_dlq_with_the_body_as_it_came_and_can_be_redriven(scene: Scene) -> None:
    bodies = [
        notification(message("nobody", {"n": 1}), "one"),
        event(message("nobody", {"n": 2}), "two"),
        notification("no JSON", "three"),
    ]
    run = scene.run_until_empty(*bodies)
    dead = {letter.source["body"]: letter for letter in scene.dead()}
    keys = ["sns:one", "eventbridge:app/two", "sns:three"]
    assert run.code == 0 and [dead[body].source["idempotency_key"] for body in bodies] == keys
    assert dead[bodies[2]].envelope["details"]["position"] == 1
    scene.table.put({"id": "nobody"})
    redriven = [dead[body].body for body in bodies[:2]]
    run = scene.run_until_empty(*redriven, *redriven)
    assert run.code == 0 and set(scene.audits("success")) == {log_id(scene.table.name, key) for key in keys[:2]}


def test_a_fifo_topics_notifications_keep_their_groups_order(new_scene: Any) -> None:
    scene = new_scene(fifo=True)
    scene.table.put({"id": "a", "n": 0})
    bodies = [notification(message("a", {"n": n + 1}, condition_expression=f"n = {n}"), f"id-{n}") for n in range(10)]
    run = scene.run_until_empty(*bodies)
    assert run.code == 0 and not scene.dead()
    assert scene.table.get("a") == {"id": "a", "n": 10}


@pytest.mark.parametrize(
    "body",
    [
        notification(message("a", {"n": 1}), ""),
        json.dumps({"Type": "Notification", "id": "a", "attributes": {"n": 1}}),
        json.dumps({**RECORDED_NOTIFICATION, "MessageId": "m", "Type": "SubscriptionConfirmation"}),
        event(message("a", {"n": 1}), ""),
    ],
)
def test_what_is_nearly_an_event_keeps_its_clear_error(module_scene: Scene, body: str) -> None:
    (response,) = module_scene.apply(body.replace("\n", " ")).responses
    assert response["error"] == "InvalidInputError" and response["details"]["unknown_fields"], response
