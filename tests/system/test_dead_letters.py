"""The DLQ message: the envelope word by word, its forms by size, and the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import bodies, faults
from harness.proxy import Proxy
from harness.queues import Received
from harness.scene import Json, Run, Scene, log_id, message

STATUS = {
    "InvalidInputError": "400",
    "ValidationError": "400",
    "RecordNotFoundError": "404",
    "ConditionalCheckFailed": "412",
    "DatabaseError": "500",
}


def sqs_takes(body: bytes) -> bool:
    """SQS takes UTF-8 of some characters, and no empty body."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    return bool(text) and all(
        c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000" for c in text
    )


def test_an_envelope_has_the_documented_members_and_no_others(scene: Scene) -> None:
    body = ' {"id" : "nobody",\n\t"attributes": {"a\\u00e9é": 1.00}, "idempotency_key": "k-é" }\n'
    run = scene.run_until_empty(body)
    (dead,) = scene.dead()
    envelope = json.loads(dead.body)
    assert list(envelope) == ["success", "error", "message", "details", "timestamp"]
    assert (envelope["success"], envelope["error"]) == (False, "RecordNotFoundError")
    assert bodies.TIMESTAMP.fullmatch(envelope["timestamp"])
    assert set(envelope["details"]) == {"id", "source"} and envelope["details"]["id"] == "nobody"
    source = envelope["details"]["source"]
    assert bodies.TIMESTAMP.fullmatch(source.pop("sent_at"))
    assert source == {
        "body": body,
        "message_id": run.sent[0].message_id,
        "queue": scene.queue.name,
        "receive_count": 1,
        "idempotency_key": "k-é",
    }
    assert dead.attributes == {"ErrorType": "RecordNotFoundError", "StatusCode": "404"}


def test_the_message_attributes_have_the_documented_types(scene: Scene) -> None:
    scene.run_until_empty("{}")
    assert scene.dlq
    (dead,) = scene.dlq.receive()
    assert {name: value["DataType"] for name, value in dead["MessageAttributes"].items()} == {
        "ErrorType": "String",
        "StatusCode": "Number",
    }


def test_the_idempotency_key_is_the_message_id_where_the_body_has_none(scene: Scene) -> None:
    run = scene.run_until_empty(message("nobody", {"a": 1}), "no JSON", '{"idempotency_key":5}')
    assert {dead.source["message_id"]: dead.source["idempotency_key"] for dead in scene.dead()} == {
        sent.message_id: sent.message_id for sent in run.sent
    }


def test_every_body_that_is_no_message_comes_back_byte_for_byte_with_what_is_wrong(scene: Scene) -> None:
    syntax = [
        (body.decode(), {"position": position})
        for _, body, position in [*bodies.SYNTAX, *bodies.WHOLE_BODY_SYNTAX]
        if sqs_takes(body)
    ]
    shapes = [(body, details) for _, body, details in bodies.WRONG_SHAPES]
    cases = syntax + shapes
    run = scene.run_until_empty(*(body for body, _ in cases))
    assert run.code == 0
    dead = {message.source["message_id"]: message for message in scene.dead()}
    wrong = []
    for (body, details), sent in zip(cases, run.sent, strict=True):
        got = dead[sent.message_id]
        told = {name: value for name, value in got.envelope["details"].items() if name != "source"}
        if (got.source["body"], got.error, got.attributes["StatusCode"], told) != (
            body,
            "InvalidInputError",
            "400",
            details,
        ):
            wrong.append((body, details, got))
    assert not wrong and len(dead) == len(cases)


def test_every_error_bears_its_status(scene: Scene) -> None:
    scene.table.put({"id": "a", "n": 1}, {"id": "b", "n": 1})
    run = scene.run_until_empty(
        "{}",
        message(5, {"a": 1}),
        message("nobody", {"a": 1}),
        message("b", {"a": 1}, condition_expression="n = 2"),
        message("a", {"n": 2}),
    )
    assert run.code == 0
    assert {dead.error for dead in scene.dead()} == {
        "InvalidInputError",
        "ValidationError",
        "RecordNotFoundError",
        "ConditionalCheckFailed",
    }
    for dead in scene.dead():
        assert dead.attributes["StatusCode"] == STATUS[dead.error] and dead.envelope["error"] == dead.error
    assert scene.table.get("a")["n"] == 2 and scene.queue.counts().total == 0


# The original's own attributes

OWN: Json = {
    "Zone": {"DataType": "String", "StringValue": 'a "quoted"\n\té \U0001f600'},
    "count.1": {"DataType": "Number.int", "StringValue": "0012"},
    "image-2": {"DataType": "Binary.png", "BinaryValue": bytes(range(256))},
    "raw": {"DataType": "Binary", "BinaryValue": b"\x00"},
}
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def values(typed: Json) -> Json:
    return {
        name: (value["DataType"], value.get("StringValue", value.get("BinaryValue"))) for name, value in typed.items()
    }


def send_with_attributes(scene: Scene, body: str, attributes: Json) -> None:
    more = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if scene.queue.fifo else {}
    system = {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}}
    scene.queue.send_message(MessageBody=body, MessageAttributes=attributes, MessageSystemAttributes=system, **more)


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_the_originals_attributes_and_its_trace_header_go_along(new_scene: Any, fifo: bool) -> None:
    """boto3 is the witness: it checks the MD5 of what it receives; and ElasticMQ's of what it was sent is checked by
    the worker."""
    scene = new_scene(fifo=fifo)
    send_with_attributes(scene, message("nobody", {"n": 1}), OWN)
    assert scene.run_until_empty().code == 0
    (dead,) = scene.dead()
    ours = {"ErrorType": ("String", "RecordNotFoundError"), "StatusCode": ("Number", "404")}
    assert values(dead.typed) == {**values(OWN), **ours}
    assert dead.system.get("AWSTraceHeader") == TRACE


def test_the_group_of_a_fair_queues_message_goes_along_there_and_back(scene: Scene) -> None:
    """On a standard queue the group is a tenant, who gets a fair share; order has nothing to do with it."""
    scene.queue.send_message(MessageBody=message("nobody", {"n": 1}), MessageGroupId="tenant")
    scene.queue.send_message(MessageBody=message("nobody", {"n": 2}))
    assert scene.run_until_empty().code == 0
    assert scene.command("redrive", "--yes").wait() == 0
    assert scene.run_until_empty().code == 0
    groups = {dead.original_body: dead.system.get("MessageGroupId") for dead in scene.dead()}
    assert groups == {message("nobody", {"n": 1}): "tenant", message("nobody", {"n": 2}): None}
    assert all("group_id" not in dead.source for dead in scene.dead())


def test_of_ten_attributes_eight_are_kept_in_the_order_of_their_names_and_ours_win(scene: Scene) -> None:
    names = ["ErrorType", "a", "b", "c", "d", "e", "f", "g", "h", "i"]
    send_with_attributes(scene, "no JSON", {name: {"DataType": "String", "StringValue": "theirs"} for name in names})
    assert scene.run_until_empty().code == 0
    (dead,) = scene.dead()
    assert dead.attributes == {
        "ErrorType": "InvalidInputError",
        "StatusCode": "400",
        **{name: "theirs" for name in "abcdefgh"},
    }


def test_a_redriven_message_keeps_them_through_a_second_failure(scene: Scene) -> None:
    send_with_attributes(scene, message("nobody", {"n": 1}), OWN)
    assert scene.run_until_empty().code == 0
    (first,) = scene.dead()
    send_with_attributes(scene, first.body, first.typed)
    assert scene.run_until_empty().code == 0
    again = scene.dead()[-1]
    assert values(again.typed) == values(first.typed) and again.source == {**first.source, "receive_count": 1}
    scene.table.put({"id": "nobody", "n": 0})
    send_with_attributes(scene, again.body, again.typed)
    assert scene.run_until_empty().code == 0
    assert scene.table.get("nobody")["n"] == 1 and len(scene.dead()) == 2


# The way back


def sent_back(scene: Scene, dead: Received, **settings: Any) -> Run:
    """As an SQS redrive does it: the same body and attributes as a new message."""
    kinds = {"StatusCode": "Number"}
    attributes = {
        name: {"DataType": kinds.get(name, "String"), "StringValue": value} for name, value in dead.attributes.items()
    }
    sent = scene.queue.send_message(MessageBody=dead.body, **({"MessageAttributes": attributes} if attributes else {}))
    run = scene.run_until_empty(**settings)
    return Run(run.code, run.log, [sent])


@pytest.mark.parametrize("members", [{}, {"idempotency_key": "own"}], ids=["by MessageId", "own key"])
def test_a_redriven_message_is_applied_under_its_original_key(scene: Scene, members: Json) -> None:
    first = scene.run_until_empty(message("a", {"n": 1}, **members))
    (dead,) = scene.dead()
    scene.table.put({"id": "a"})
    assert sent_back(scene, dead).code == 0
    key = members.get("idempotency_key", first.sent[0].message_id)
    assert scene.table.get("a")["n"] == 1 and list(scene.audits()) == [log_id(scene.table.name, key)]
    # Again: it was applied already.
    scene.table.put({"id": "a", "n": 7})
    assert sent_back(scene, dead).code == 0
    assert scene.table.get("a")["n"] == 7 and len(scene.audits()) == 1 and scene.queue.counts().total == 0


def test_a_redriven_message_that_fails_again_keeps_its_source_and_never_nests(scene: Scene) -> None:
    first = scene.run_until_empty(message("a", {"n": 1}))
    (dead,) = scene.dead()
    for _ in range(2):
        redriven = sent_back(scene, scene.dead()[-1])
        again = scene.dead()[-1]
        assert (
            again.source == {**dead.source, "receive_count": 1}
            and again.source["message_id"] == first.sent[0].message_id
        )
        assert again.source["body"] == first.sent[0].body and again.message_id != redriven.sent[0].message_id
    assert len(scene.dead()) == 3


def test_what_only_looks_like_an_envelope_is_a_message_of_the_wrong_shape(scene: Scene) -> None:
    whole = {
        "success": False,
        "error": "X",
        "message": "",
        "details": {"source": {"body": message("a", {"n": 1}), "idempotency_key": "k"}},
        "timestamp": "",
    }
    source = whole["details"]["source"]
    unlike = [
        {**whole, "success": True},
        {**whole, "success": "false"},
        {name: value for name, value in whole.items() if name != "error"},
        {**whole, "details": {"source": {**source, "body": 5}}},
        {**whole, "details": {"source": {"body": source["body"]}}},
        {**whole, "details": {"source": {**source, "idempotency_key": None}}},
        {**whole, "details": {}},
    ]
    scene.table.put({"id": "a"})
    run = scene.run_until_empty(*(json.dumps(one) for one in unlike))
    assert run.code == 0 and scene.table.get("a") == {"id": "a"}
    assert [(dead.error, dead.envelope["details"]["missing_fields"]) for dead in scene.dead()] == [
        ("InvalidInputError", ["id", "attributes"])
    ] * len(unlike)
    assert {dead.source["body"] for dead in scene.dead()} == {sent.body for sent in run.sent}


def test_the_least_that_is_an_envelope_is_unwrapped(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    body = json.dumps(
        {
            "success": False,
            "error": "X",
            "details": {"source": {"body": message("a", {"n": 1}), "idempotency_key": "k"}},
        }
    )
    assert scene.run_until_empty(body).code == 0
    assert scene.table.get("a")["n"] == 1 and list(scene.audits()) == [log_id(scene.table.name, "k")]


# Sizes. ElasticMQ has no MaximumMessageSize, so the proxy says what it is, and the sizes are counted here as SQS counts
# them.

LIMIT = 2048


def counted(dead: Received) -> int:
    kinds = {"StatusCode": "Number"}
    return len(dead.body.encode()) + sum(
        len(name) + len(kinds.get(name, "String")) + len(value.encode()) for name, value in dead.attributes.items()
    )


class Limited:
    """A scene whose queues say that they take messages of so many bytes."""

    def __init__(self, scene: Scene, proxy: Proxy, queue: int = LIMIT, dlq: int = LIMIT) -> None:
        self.scene, self.proxy = scene, proxy
        for url, limit in ((scene.queue.url, queue), (scene.dlq.url if scene.dlq else "", dlq)):
            proxy.on(
                "GetQueueAttributes",
                faults.edit_response(
                    lambda answer, limit=limit: answer["Attributes"].update(MaximumMessageSize=str(limit))
                ),
                when=lambda request, url=url: request.json["QueueUrl"] == url,
            )

    def run(self, *bodies_: str) -> Run:
        return self.scene.run_until_empty(*bodies_, AWS_ENDPOINT_URL_SQS=self.proxy.url)


@pytest.fixture
def limited(scene: Scene, sqs_proxy: Proxy) -> Limited:
    return Limited(scene, sqs_proxy)


def failing(size: int, **members: Any) -> str:
    """A message of so many bytes whose record doesn't exist."""
    bare = len(message("nobody", {"x": ""}, **members))
    return message("nobody", {"x": "x" * (size - bare)}, **members)


def quoting() -> str:
    """A failing message that grows when it is quoted: beside its envelope it fits, inside it doesn't."""
    return message("nobody", {"x": '"' * 500, "y": "y" * (LIMIT - 1000 - 600)})


def test_fault_14_an_envelope_is_wrapped_up_to_the_very_byte_of_the_dlqs_limit(limited: Limited) -> None:
    scene = limited.scene
    limited.run(failing(500))
    (probe,) = scene.dead()
    most = 500 + LIMIT - counted(probe)
    run = limited.run(*(failing(most + n) for n in (-1, 0, 1)))
    sizes = {}
    for dead in scene.dead()[1:]:
        wrapped = "ErrorEnvelope" not in dead.attributes
        assert counted(dead) <= LIMIT and dead.original_body in {sent.body for sent in run.sent}
        sizes[len(dead.original_body) - most] = (wrapped, counted(dead) if wrapped else None)
    assert sizes == {-1: (True, LIMIT - 1), 0: (True, LIMIT), 1: (False, None)}


def test_fault_14_beyond_it_the_body_stays_the_body_and_the_envelope_stands_beside_it(limited: Limited) -> None:
    scene = limited.scene
    run = limited.run(quoting())
    (dead,) = scene.dead()
    assert dead.body == run.sent[0].body and set(dead.attributes) == {"ErrorType", "StatusCode", "ErrorEnvelope"}
    envelope = json.loads(dead.attributes["ErrorEnvelope"])
    assert envelope["error"] == "RecordNotFoundError" and "body" not in envelope["details"]["source"]
    assert envelope["details"]["source"]["message_id"] == run.sent[0].message_id
    scene.table.put({"id": "nobody"})
    assert sent_back(scene, dead).code == 0
    assert list(scene.audits()) == [log_id(scene.table.name, run.sent[0].message_id)]


def test_fault_14_at_worst_the_bare_body_goes_with_what_fits_and_a_warning(limited: Limited) -> None:
    scene = limited.scene
    bodies_ = [failing(LIMIT), failing(LIMIT - 30), failing(LIMIT - 60)]
    run = limited.run(*bodies_)
    dead = {message.body: message for message in scene.dead()}
    assert set(dead) == set(bodies_)
    assert [set(dead[body].attributes) for body in (bodies_[0], bodies_[2])] == [set(), {"ErrorType", "StatusCode"}]
    assert all(counted(message) <= LIMIT for message in dead.values())
    assert [line for line in run.log if "WARNING" in line.upper()]


def test_a_redriven_message_in_the_form_beside_keeps_its_source_when_it_fails_again(limited: Limited) -> None:
    scene = limited.scene
    run = limited.run(quoting())
    (first,) = scene.dead()
    sent_back(scene, first, AWS_ENDPOINT_URL_SQS=limited.proxy.url)
    again = scene.dead()[-1]
    assert again.body == run.sent[0].body
    assert (
        again.source["message_id"] == run.sent[0].message_id
        and again.source["idempotency_key"] == first.source["idempotency_key"]
    )


def test_a_dlq_that_takes_less_than_the_queue_is_refused_at_start(scene: Scene, sqs_proxy: Proxy) -> None:
    Limited(scene, sqs_proxy, dlq=LIMIT - 1)
    process = scene.command("run", AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert process.wait() == 78, process.describe()
    assert process.find_log("MaximumMessageSize")


def test_characters_that_sqs_refuses_are_escaped_and_come_back(scene: Scene) -> None:
    """A body can't hold them raw, but names and values in details can mean them."""
    run = scene.run_until_empty(
        '{"id":"nobody\\u0000\\uffff\\ufffe\\u001f","attributes":{"a":1}}', '{"\\u0001\\uffff":1}'
    )
    dead = {message.source["message_id"]: message for message in scene.dead()}
    assert dead[run.sent[0].message_id].envelope["details"]["id"] == "nobody\0\uffff\ufffe\x1f"
    assert dead[run.sent[1].message_id].envelope["details"]["unknown_fields"] == ["\x01\uffff"]
    assert [dead[sent.message_id].source["body"] for sent in run.sent] == [sent.body for sent in run.sent]
