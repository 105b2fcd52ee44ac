"""`table-updater lambda` with the records of SQS, SNS and EventBridge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

import pytest
from harness import faults
from harness.polling import wait_until
from harness.process import Process
from harness.proxy import Proxy
from harness.queues import Received
from harness.runtime_api import Answer, RuntimeApi, eventbridge_event, sns_event, sqs_event, sqs_record
from harness.scene import Scene, log_id, message

pytestmark = pytest.mark.sanitized

GONE = message("nobody", {"n": 1})


@pytest.fixture(scope="module")
def api() -> Iterator[RuntimeApi]:
    with RuntimeApi() as served:
        yield served


@pytest.fixture(scope="module", autouse=True)
def function(module_scene: Scene, api: RuntimeApi) -> Process:
    """With a DLQ, and without its queue."""
    return module_scene.command("lambda", AWS_LAMBDA_RUNTIME_API=api.address, QUEUE_URL=None)


@pytest.fixture(scope="module")
def without_dlq(module_scene: Scene) -> Iterator[RuntimeApi]:
    with RuntimeApi() as served:
        module_scene.command("lambda", AWS_LAMBDA_RUNTIME_API=served.address, DLQ_URL=None)
        yield served


def ids(event: Any, *positions: int) -> list[str]:
    return [event["Records"][at]["messageId"] for at in positions]


def test_records_are_applied_as_from_the_queue_and_what_fails_for_good_goes_to_the_dlq(
    module_scene: Scene, api: RuntimeApi, function: Process
) -> None:
    module_scene.table.put(*({"id": f"many-{n}"} for n in range(20)))
    bodies = [message(f"many-{n}", {"n": n}) for n in range(20)]
    event = sqs_event(*bodies, GONE, sqs_record("no JSON"), sqs_record(None))
    event["Records"][20]["messageAttributes"] = {
        "color": {"stringValue": "rouge é", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
        "bin": {"binaryValue": "AAEC", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
    }
    event["Records"][20]["attributes"]["AWSTraceHeader"] = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"
    assert api.invoke(event).failures == []
    assert [module_scene.table.get(f"many-{n}") for n in range(20)] == [{"id": f"many-{n}", "n": n} for n in range(20)]
    records = module_scene.audits()
    assert {log_id(module_scene.table.name, one) for one in ids(event, *range(20))} <= set(records)
    dead = {one.source["message_id"]: one for one in module_scene.dead()}
    gone, no_json, no_body = (dead[one] for one in ids(event, 20, 21, 22))
    assert (gone.error, no_json.error, no_body.error) == (
        "RecordNotFoundError",
        "InvalidInputError",
        "InvalidInputError",
    )
    assert gone.source["body"] == GONE and gone.source["queue"] == "my-queue" and gone.source["receive_count"] == 1
    assert gone.source["sent_at"].startswith("2018-12-17T21:37:29.")
    assert gone.attributes["color"] == "rouge é" and gone.typed["bin"]["BinaryValue"] == b"\0\1\2"
    assert gone.system["AWSTraceHeader"] == "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"
    assert no_json.source["body"] == "no JSON" and no_body.source["body"] == ""
    failed = module_scene.audits("failure")
    assert log_id(module_scene.table.name, ids(event, 20)[0]) + "#failure" in failed


def test_without_a_dlq_what_fails_for_good_is_returned_and_a_second_delivery_has_one_effect(
    module_scene: Scene, without_dlq: RuntimeApi
) -> None:
    module_scene.table.put({"id": "once", "n": 0})
    count = json.dumps({"id": "once", "increment": {"n": 1}})
    event = sqs_event(count, GONE, count, "no JSON", count)
    assert without_dlq.invoke(event).failures == ids(event, 1, 3)
    assert without_dlq.invoke(event).failures == ids(event, 1, 3)
    assert module_scene.table.get("once") == {"id": "once", "n": 3}


def test_updates_of_one_record_keep_their_order(module_scene: Scene, without_dlq: RuntimeApi) -> None:
    module_scene.table.put({"id": "chain", "version": 0})
    steps = [message("chain", {"version": n + 1}, condition_expression=f"version = {n}") for n in range(30)]
    event = sqs_event(*(sqs_record(step) for step in steps))
    # Not the order in which they came, but in which they were sent.
    event["Records"].reverse()
    failures = without_dlq.invoke(event).failures
    assert failures == [] and module_scene.table.get("chain") == {"id": "chain", "version": 30}


def test_a_fifo_groups_rest_is_returned_behind_a_failure_and_goes_on_once_it_is_in_the_dlq(
    new_scene: Any, module_scene: Scene, without_dlq: RuntimeApi
) -> None:
    scene = new_scene(fifo=True)

    def event() -> Any:
        return {
            "Records": [
                sqs_record(body, "my-queue.fifo", group)
                for body, group in [
                    (message("a", {"n": 1}), "one"),
                    (message("b", {"n": 1}), "two"),
                    (GONE, "one"),
                    (message("a", {"n": 2}), "one"),
                    (message("b", {"n": 2}), "two"),
                    (message("a", {"n": 3}), "one"),
                ]
            ]
        }

    first = event()
    module_scene.table.put({"id": "a"}, {"id": "b"})
    assert without_dlq.invoke(first).failures == ids(first, 2, 3, 5)
    assert module_scene.table.get("a") == {"id": "a", "n": 1} and module_scene.table.get("b") == {"id": "b", "n": 2}
    scene.table.put({"id": "a"}, {"id": "b"})
    with RuntimeApi() as api:
        scene.command("lambda", AWS_LAMBDA_RUNTIME_API=api.address)
        second = event()
        assert api.invoke(second).failures == []
    assert scene.table.get("a") == {"id": "a", "n": 3} and scene.table.get("b") == {"id": "b", "n": 2}
    (letter,) = scene.dead()
    assert letter.source["group_id"] == "one" and letter.system["MessageGroupId"] == "one"


def test_a_fifo_queues_failures_go_to_a_standard_dlq_as_well(module_scene: Scene, api: RuntimeApi) -> None:
    event = sqs_event(sqs_record(GONE, "my-queue.fifo", "g"))
    assert api.invoke(event).failures == []
    assert ids(event, 0)[0] in {one.source["message_id"] for one in module_scene.dead()}


def test_what_the_environment_fails_is_listed_at_the_deadline_and_nothing_goes_to_the_dlq(
    scene: Scene, dynamodb_proxy: Proxy
) -> None:
    scene.table.put(*({"id": f"r{n}"} for n in range(5)))
    event = sqs_event(*(message(f"r{n}", {"n": n}) for n in range(5)))
    with RuntimeApi() as api:
        scene.command("lambda", AWS_LAMBDA_RUNTIME_API=api.address, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
        assert api.invoke(sqs_event(message("r0", {"n": 0}))).failures == []
        for action in (faults.throttled(), faults.denied(), faults.black_hole()):
            rule = dynamodb_proxy.on("TransactWriteItems", action)
            assert api.invoke(event, seconds=1.2).failures == ids(event, *range(5))
            rule.remove()
        # One of them is silent: only that one isn't known.
        rule = dynamodb_proxy.on("TransactWriteItems", faults.black_hole(), when=faults.about("r3"))
        assert api.invoke(event, seconds=2).failures == ids(event, 3)
        rule.remove()
        assert api.invoke(event).failures == []
    assert not scene.dead() and [scene.table.get(f"r{n}")["n"] for n in range(5)] == [0, 1, 2, 3, 4]


def test_while_the_dlq_is_down_what_failed_for_good_is_listed(scene: Scene, sqs_proxy: Proxy) -> None:
    scene.table.put({"id": "a"})
    event = sqs_event(message("a", {"n": 1}), GONE)
    with RuntimeApi() as api:
        scene.command("lambda", AWS_LAMBDA_RUNTIME_API=api.address, AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
        assert api.invoke(sqs_event(message("a", {"n": 0}))).failures == []
        rule = sqs_proxy.on("SendMessageBatch", faults.load_balancer_error())
        assert api.invoke(event, seconds=1.5).failures == ids(event, 1)
        answer = api.invoke(sns_event(GONE), seconds=1.5)
        assert is_error(answer, "DatabaseError")
        assert "it failed, and the DLQ doesn't take it: " in answer.json["errorMessage"]
        rule.remove()
        assert api.invoke(event).failures == []
    assert [one.source["message_id"] for one in scene.dead()] == ids(event, 1)


def letter_of(scene: Scene, key: str) -> Received:
    (letter,) = [one for one in scene.dead() if one.source["idempotency_key"] == key]
    return letter


def is_error(answer: Answer, error: str) -> bool:
    return (answer.kind, answer.error_type, answer.json["errorType"]) == ("error", error, error)


def test_events_of_sns_and_eventbridge_have_one_effect_and_fail_to_the_dlq(
    module_scene: Scene, api: RuntimeApi, without_dlq: RuntimeApi
) -> None:
    module_scene.table.put({"id": "event", "n": 0})
    count: dict[str, Any] = {"id": "event", "increment": {"n": 1}}
    for served in (api, without_dlq):
        for made in (sns_event(json.dumps(count), "s-1"), eventbridge_event(count, "e-1")):
            answer = served.invoke(made)
            assert (answer.kind, answer.json) == ("response", None)
    assert module_scene.table.get("event") == {"id": "event", "n": 2}
    keys = {"sns:s-1", "eventbridge:com.example.app/e-1"}
    assert {log_id(module_scene.table.name, key) for key in keys} <= set(module_scene.audits())

    gone: dict[str, Any] = {"id": "nobody", "attributes": {"n": 1}}
    notification, event = sns_event(json.dumps(gone), "s-2"), eventbridge_event(gone, "e-2")
    assert api.invoke(notification).json is None and api.invoke(event).json is None
    letter = letter_of(module_scene, "sns:s-2")
    assert letter.error == "RecordNotFoundError" and letter.source["queue"] == "sns-lambda"
    assert letter.source["receive_count"] == 1 and letter.source["sent_at"] == "2019-01-02T12:45:07.000Z"
    assert json.loads(letter.source["body"]) == notification["Records"][0]["Sns"]
    letter = letter_of(module_scene, "eventbridge:com.example.app/e-2")
    assert letter.source["queue"] == "com.example.app" and letter.source["sent_at"] == "2017-12-22T18:43:48.000Z"
    assert json.loads(letter.source["body"]) == event
    assert is_error(without_dlq.invoke(notification), "RecordNotFoundError")
    assert is_error(without_dlq.invoke(event), "RecordNotFoundError")
    assert is_error(without_dlq.invoke(sns_event("no JSON")), "InvalidInputError")


def test_an_event_that_our_reader_refuses_is_not_lost_in_an_envelope(
    module_scene: Scene, api: RuntimeApi, without_dlq: RuntimeApi
) -> None:
    detail: Any = "\ud800"
    for _ in range(600):
        detail = [detail]
    for key, inside in (("e-deep", detail), ("e-lone", "\ud800")):
        event = eventbridge_event({"id": "event", "attributes": {"a": inside}}, key)
        assert is_error(without_dlq.invoke(event), "InvalidInputError")
        assert api.invoke(event).json is None
        (letter,) = [one for one in module_scene.dead() if one.source["message_id"] == key]
        assert letter.error == "InvalidInputError" and json.loads(letter.source["body"]) == event


@pytest.mark.parametrize("dlq", [True, False])
def test_an_environment_that_fails_an_event_is_a_function_error(scene: Scene, dynamodb_proxy: Proxy, dlq: bool) -> None:
    scene.table.put({"id": "a"})
    settings = {} if dlq else {"DLQ_URL": None}
    update: dict[str, Any] = {"id": "a", "attributes": {"n": 1}}
    with RuntimeApi() as api:
        url = dynamodb_proxy.url
        scene.command("lambda", AWS_LAMBDA_RUNTIME_API=api.address, AWS_ENDPOINT_URL_DYNAMODB=url, **settings)
        rule = dynamodb_proxy.on("TransactWriteItems", faults.denied())
        assert is_error(api.invoke(sns_event(json.dumps(update)), seconds=1.5), "DatabaseError")
        assert is_error(api.invoke(eventbridge_event(update), seconds=1.5), "DatabaseError")
        rule.remove()
        assert api.invoke(eventbridge_event(update)).json is None
    assert not scene.dead() and scene.table.get("a") == {"id": "a", "n": 1}


def test_hundreds_of_records_are_worked_on_in_one_invocation(module_scene: Scene, without_dlq: RuntimeApi) -> None:
    module_scene.table.put(*({"id": f"bulk-{n}"} for n in range(40)))
    bodies = [message(f"bulk-{n % 40}", {"n": n}, enable_logging=False) for n in range(320)]
    bodies[70] = bodies[190] = GONE
    event = sqs_event(*bodies)
    assert without_dlq.invoke(event, seconds=60).failures == ids(event, 70, 190)
    stored = [module_scene.table.get(f"bulk-{n}") for n in range(40)]
    assert [record["n"] for record in stored if record] == list(range(280, 320))


def test_each_invocation_writes_its_figures(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    scene.table.put({"id": "a"})
    with RuntimeApi() as served:
        function = scene.command("lambda", AWS_LAMBDA_RUNTIME_API=served.address, METRICS_EMF=str(file))
        served.invoke(message("a", {"n": 1}))
        served.invoke(GONE)
        served.invoke(sqs_event(message("a", {"n": 2}), GONE))
        wait_until(lambda: file.read_text().count("\n") == 3, "the third line")
        function.kill()
    direct, failed, records = [json.loads(line) for line in file.read_text().splitlines()]
    assert (direct["Applied"], direct["Errors"], sum(direct["DurationMs"]["Counts"])) == (1, 0, 1)
    assert direct["Table"] == scene.table.name and "Queue" not in direct and "InFlight" not in direct
    assert (failed["Applied"], failed["Errors"]) == (0, 1)
    assert (records["Applied"], records["Errors"]) == (1, 1)
    assert records["Queue"] == "my-queue"
    assert records["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Queue", "Table"]]
