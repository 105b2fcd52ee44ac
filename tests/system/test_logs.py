"""Logs: all on standard error, one event a line, and never a body, a value or a secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import faults
from harness.proxy import Proxy
from harness.scene import Scene, message

CANARY = "kAnArY"


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_fault_31_bodies_values_and_secrets_never_appear_in_the_log(
    scene: Scene, cloud: Any, level: str, form: str
) -> None:
    scene.table.put({"id": "a", "n": 1, "stored": CANARY}, {"id": "b"}, {"id": "c"})
    bodies = [
        message("a", {"secret": CANARY, f"{CANARY}-name": 1}),
        message("a", {"secret": CANARY}, condition_expression=f"stored = '{CANARY}x'"),
        message("a", {"secret": CANARY}, condition_expression=f"stored = '{CANARY}"),
        message(
            "a",
            {"secret": CANARY},
            condition_expression="stored = :v",
            expression_attribute_values={":v": CANARY, ":unused": CANARY},
        ),
        message("a", {"n": 1}, **{CANARY: 1}),
        f'{{"id":"a","attributes":{{"n":1,"n":"{CANARY}"}}}}',
        f"{CANARY} is no JSON",
        message("b", {"secret": CANARY}),
        message("c", {"secret": CANARY}),
    ]
    secrets = {"AWS_SECRET_ACCESS_KEY": f"{CANARY}secret", "AWS_SESSION_TOKEN": f"{CANARY}token"}
    with Proxy(cloud.dynamodb_server.url) as proxy:
        proxy.on(
            "TransactWriteItems",
            faults.service_error("InternalServerError", 500, f"It was {CANARY}"),
            when=faults.about("b"),
            times=2,
        )
        proxy.on(
            "TransactWriteItems",
            faults.reasons(update=("TransactionConflict", {"secret": {"S": CANARY}})),
            when=faults.about("c"),
            times=2,
        )
        run = scene.run_until_empty(
            *bodies, LOG_LEVEL=level, LOG_FORMAT=form, AWS_ENDPOINT_URL_DYNAMODB=proxy.url, **secrets
        )
    assert run.code == 0
    leaked = [line for line in run.log if CANARY in line]
    if level == "DEBUG":
        # The service's own sentence may be told there.
        leaked = [line for line in leaked if f"It was {CANARY}" not in line]
    assert not leaked, leaked


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_fault_31_names_that_messages_give_never_appear_in_the_log(scene: Scene, level: str) -> None:
    deep: Any = 1
    for _ in range(40):
        deep = {CANARY: deep}
    bodies = [
        message("a", {"user": {f"{CANARY}-name": "1" * 3, "n": 10**300}}),
        message("a", {"user": deep}),
        message("a", {CANARY: {"x": 10**300}}),
        message("a", {"n": 1}, condition_expression=f"#{CANARY} = 1"),
        message("a", {"n": 1}, condition_expression=f"{CANARY}(n)"),
        message("a", {"n": 1}, condition_expression="n = :v", expression_attribute_values={":v": {CANARY: 10**300}}),
        message("a", {"n": 1}, **{CANARY: 1}),
        message({CANARY: "a"}, {"n": 1}),
    ]
    run = scene.run_until_empty(*bodies, LOG_LEVEL=level)
    assert run.code == 0 and len(scene.dead()) == len(bodies)
    assert not [line for line in run.log if CANARY in line], run.log
    assert CANARY in json.dumps([letter.envelope for letter in scene.dead()])


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://user:{CANARY}@bad host",
        f"foo://user:{CANARY}@127.0.0.1:1",
        f"http://user:{CANARY}@127.0.0.1:99999999",
        f"http://user:{CANARY}@nowhere.invalid:3128",
        f"http://user:{CANARY}/x@127.0.0.1:1",
        f"http://{CANARY}/x@127.0.0.1:1",
        f"http://{CANARY}#x@127.0.0.1:1",
        f"{CANARY}?x@127.0.0.1:1",
        f"http://user:{CANARY}@127.0.0.1:1",
        f"socks5h://user:{CANARY}@127.0.0.1:1",
    ],
)
def test_fault_31_a_proxys_password_never_appears_in_the_log(scene: Scene, proxy: str) -> None:
    process = scene.command(
        "apply",
        stdin="{}",
        LOG_LEVEL="DEBUG",
        http_proxy=proxy,
        all_proxy=proxy,
        https_proxy=proxy,
        no_proxy=None,
        AWS_ENDPOINT_URL_DYNAMODB="http://elsewhere.invalid",
    )
    process.wait_for_log("A request is tried again")
    process.stop()
    assert not process.find_log(CANARY), process.describe()


def test_json_lines_are_objects_each_with_time_level_and_message(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    run = scene.run_until_empty(message("a", {"n": 1}), "{}", LOG_FORMAT="json", LOG_LEVEL="DEBUG")
    assert run.code == 0 and run.log
    for line in run.log:
        value = json.loads(line)
        assert (
            isinstance(value, dict) and {"level", "message"} <= set(value) and ("time" in value or "timestamp" in value)
        ), line


def test_messages_in_the_log_are_found_by_their_message_id(scene: Scene) -> None:
    run = scene.run_until_empty("{}")
    assert [line for line in run.log if run.sent[0].message_id in line and "InvalidInputError" in line], run.log


def test_a_level_hides_what_is_below_it(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    assert scene.run_until_empty(message("a", {"n": 1}), LOG_LEVEL="ERROR").log == []


def test_standard_output_is_for_results_alone(scene: Scene) -> None:
    process = scene.command("run", "--until-empty", LOG_LEVEL="DEBUG")
    assert process.wait() == 0 and process.output == "" and process.log


PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
HEADER = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1"


def lines_of_traced(scene: Scene, *bodies: str, level: str) -> list[dict[str, Any]]:
    """The log of a run over messages that bear both kinds of traces."""
    for body in bodies:
        scene.queue.client.send_message(
            QueueUrl=scene.queue.url,
            MessageBody=body,
            MessageAttributes={"traceparent": {"DataType": "String", "StringValue": PARENT}},
            MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": HEADER}},
        )
    return [json.loads(line) for line in scene.run_until_empty(LOG_LEVEL=level, LOG_FORMAT="json").log]


def the_one_that_says(lines: list[dict[str, Any]], said: str) -> dict[str, Any]:
    (line,) = [line for line in lines if line["message"] == said]
    return line


def test_for_debugging_each_call_and_each_step_of_a_message_is_a_line_and_its_traces_are_in_one(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    lines = lines_of_traced(scene, message("a", {"n": 1}), message("gone", {"n": 1}), level="DEBUG")
    steps: dict[str, list[str]] = {}
    for line in lines:
        if line["message"] == "A message moves on":
            assert line.keys() <= {"timestamp", "time", "level", "message", "message_id", "from", "to", "why"}
            steps.setdefault(line["message_id"], [line["from"]]).append(line["to"])
    for said, way in (
        ("A message was applied", ["waiting", "applying", "deleting", "gone"]),
        ("A message went to the DLQ", ["waiting", "applying", "dead-lettering", "deleting", "gone"]),
    ):
        line = the_one_that_says(lines, said)
        assert line["traceparent"] == PARENT and line["trace_header"] == HEADER, line
        assert steps[line["message_id"]] == way
    requests = [line for line in lines if line["message"] == "A request ended"]
    transactions = [line for line in requests if line["operation"] == "TransactWriteItems"]
    assert {line["service"] for line in requests} == {"dynamodb", "sqs"}
    assert all(line["request_id"] != "none" and line["ms"] >= 0 and line["attempt"] == 1 for line in transactions)
    assert {line["status"] for line in transactions} == {200, 400}


def test_the_traces_of_a_message_that_goes_to_the_dlq_are_in_its_line_at_any_level_and_go_along(scene: Scene) -> None:
    line = the_one_that_says(
        lines_of_traced(scene, message("gone", {"n": 1}), level="INFO"), "A message went to the DLQ"
    )
    assert line["traceparent"] == PARENT and line["trace_header"] == HEADER, line
    (dead,) = scene.dead()
    assert dead.typed["traceparent"]["StringValue"] == PARENT and dead.system["AWSTraceHeader"] == HEADER
