"""The audit record: its members, when it is written, and that it makes every effect happen once."""

from __future__ import annotations

import base64
import json
import re
import threading
from datetime import datetime
from typing import Any

import pytest
from harness import bodies, faults
from harness.cases import STARTED, apply_lines, scene_in
from harness.polling import wait_until
from harness.process import Process
from harness.proxy import Proxy
from harness.scene import Scene, log_id, message


def raw_audits(scene: Scene) -> list[dict[str, Any]]:
    assert scene.audit
    return list(scene.audit.items())


def epoch(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def program_version(scene: Scene) -> str:
    process = scene.start(Process(["--version"], scene.environment()))
    assert process.wait() == 0
    found = re.search(r"\d+\.\d+\.\d+\S*", process.output)
    assert found, process.output
    return found[0]


def test_a_success_record_has_the_documented_members_and_no_others(scene: Scene) -> None:
    scene.table.put({"id": "user-123"})
    apply_lines(
        scene,
        [message("user-123", {"name": "é", "n": 1.50, "list": [True, None, {"x": []}]}, idempotency_key="the key")],
    )
    (record,) = raw_audits(scene)
    assert bodies.TIMESTAMP.fullmatch(record.pop("timestamp")["S"])
    assert re.fullmatch(r"v1:[0-9a-f]{64}", record.pop("request_hash")["S"])
    assert record == {
        "log_id": {"S": log_id(scene.table.name, "the key")},
        "table_name": {"S": scene.table.name},
        "record_id": {"S": "user-123"},
        "record_key": {"S": "user-123"},
        "updated_attributes": {
            "M": {
                "name": {"S": "é"},
                "n": {"N": "1.5"},
                "list": {"L": [{"BOOL": True}, {"NULL": True}, {"M": {"x": {"L": []}}}]},
            }
        },
        "user_agent": {"S": f"table-updater/{program_version(scene)}"},
        "status": {"S": "success"},
        "idempotency_key": {"S": "the key"},
    }


def test_a_table_is_one_table_by_its_name_and_by_its_arn(scene: Scene, dynamodb_proxy: Proxy) -> None:
    scene.table.put({"id": "r", "n": 0})
    line = message("r", {"n": 1}, condition_expression="n = 0", idempotency_key="k")
    assert scene.audit
    arns = [one.client.describe_table(TableName=one.name)["Table"]["TableArn"] for one in (scene.table, scene.audit)]

    async def by_name(exchange: Any) -> None:
        """DynamoDB Local takes ARNs in few operations, AWS in all."""
        body = exchange.request.body
        for arn in arns:
            body = body.replace(arn.encode(), arn.rpartition("/")[2].encode())
        await exchange.send(await exchange.forward(body))

    dynamodb_proxy.on(None, by_name)
    settings = {"TABLE_NAME": arns[0], "AUDIT_LOG_TABLE": arns[1], "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_proxy.url}
    by_arn = apply_lines(scene, [line], **settings)
    assert by_arn[0]["success"] and apply_lines(scene, [line])[0]["success"]
    (record,) = scene.audits().values()
    assert record["log_id"] == log_id(scene.table.name, "k") and record["table_name"] == scene.table.name


@pytest.mark.parametrize(
    "options, identity, expected",
    [
        ({"kind": "N"}, 1.50, {"N": "1.5"}),
        ({"kind": "B"}, "/+8=", {"B": base64.b64decode("/+8=")}),
        ({"sort": ("at", "N")}, {"at": 10, "id": "a"}, {"M": {"id": {"S": "a"}, "at": {"N": "10"}}}),
    ],
)
def test_record_id_is_the_dynamodb_value_of_the_id(
    cloud: Any, options: dict[str, Any], identity: Any, expected: dict[str, Any]
) -> None:
    with scene_in(cloud, audit=True, **options) as scene:
        key = (
            identity
            if isinstance(identity, dict)
            else {"id": base64.b64decode(identity) if options["kind"] == "B" else identity}
        )
        scene.table.put(key)
        assert apply_lines(scene, [message(identity, {"a": 1})])[0]["success"]
        assert raw_audits(scene)[0]["record_id"] == expected


@pytest.mark.parametrize("days", [1, 36500])
def test_expires_at_is_the_days_after_the_timestamp_and_only_with_the_setting(scene: Scene, days: int) -> None:
    scene.table.put({"id": "a"})
    apply_lines(scene, [message("a", {"n": 1})], AUDIT_LOG_TTL_DAYS=days)
    (record,) = raw_audits(scene)
    assert abs(int(record["expires_at"]["N"]) - epoch(record["timestamp"]["S"]) - days * 86400) <= 1


@pytest.mark.parametrize(
    "setting, audited",
    [
        ("false", [False, True, False]),
        ("true", [True, True, False]),
        ("always", [True, True, True]),
        (None, [False, True, False]),
    ],
)
def test_the_setting_and_the_message_say_what_is_audited(
    scene: Scene, setting: str | None, audited: list[bool]
) -> None:
    ids = ["says nothing", "asks", "declines"]
    scene.table.put(*({"id": one} for one in ids))
    lines = [
        message(ids[0], {"n": 1}),
        message(ids[1], {"n": 1}, enable_logging=True),
        message(ids[2], {"n": 1}, enable_logging=False),
    ]
    assert all(response["success"] for response in apply_lines(scene, lines, ENABLE_AUDIT_LOG=setting))
    assert {record["record_id"] for record in scene.audits().values()} == {
        one for one, wanted in zip(ids, audited, strict=True) if wanted
    }


@pytest.mark.parametrize("setting", ["true", "always"])
def test_a_missing_audit_table_does_not_start_where_audit_is_on(new_scene: Any, setting: str) -> None:
    scene = new_scene(audit=False)
    for arguments in (["run"], ["apply"]):
        process = scene.command(*arguments, stdin="", ENABLE_AUDIT_LOG=setting, AUDIT_LOG_TABLE="no-such-audit-table")
        assert process.wait() == 78, process.describe()
        assert process.find_log("no-such-audit-table")


def test_without_an_audit_table_a_message_that_asks_is_refused_and_others_run(new_scene: Any) -> None:
    scene = new_scene(audit=False)
    scene.table.put({"id": "a"})
    lines = [
        message("a", {"n": 1}, enable_logging=True),
        message("a", {"m": 1}),
        message("a", {"o": 1}, enable_logging=False),
    ]
    asked, *others = apply_lines(scene, lines, ENABLE_AUDIT_LOG="false", AUDIT_LOG_TABLE="no-such-audit-table")
    assert (asked["error"], asked["details"]["field"]) == ("ValidationError", "enable_logging")
    assert all(response["success"] for response in others) and scene.table.get("a") == {"id": "a", "m": 1, "o": 1}


@pytest.mark.parametrize(
    "options",
    [{"partition": "id"}, {"partition": "log_id", "kind": "N"}, {"partition": "log_id", "sort": ("timestamp", "S")}],
)
@pytest.mark.parametrize("setting", ["false", "true"])
def test_an_audit_table_with_another_key_never_starts(
    new_scene: Any, new_table: Any, options: dict[str, Any], setting: str
) -> None:
    scene, unfit = new_scene(audit=False), new_table(**options)
    process = scene.command("apply", stdin="", ENABLE_AUDIT_LOG=setting, AUDIT_LOG_TABLE=unfit.name)
    assert process.wait() == 78, process.describe()
    assert process.find_log("log_id")


def test_a_failure_record_is_put_for_what_could_be_parsed_asked_for_audit_and_went_to_the_dlq(scene: Scene) -> None:
    scene.table.put({"id": "a", "version": 1})
    run = scene.run_until_empty(
        message("nobody", {"n": 1}, idempotency_key="k"),
        message("a", {"n": 1}, condition_expression="version = 2"),
        message("a", {"n": 1}, condition_expression="version = 2", enable_logging=False),
        "{}",
        "no JSON",
    )
    assert run.code == 0 and len(scene.dead()) == 5
    keys = ["k", run.sent[1].message_id]
    expected = {f"{log_id(scene.table.name, key)}#failure" for key in keys}
    failures = wait_until(lambda: scene.audits("failure"), "the failure records")
    assert set(failures) == expected and not scene.audits()
    record = failures[f"{log_id(scene.table.name, 'k')}#failure"]
    assert {
        "timestamp",
        "table_name",
        "record_id",
        "record_key",
        "updated_attributes",
        "user_agent",
        "idempotency_key",
        "request_hash",
        "error",
    } <= set(record)
    assert (record["record_id"], record["updated_attributes"], record["idempotency_key"]) == ("nobody", {"n": 1}, "k")
    assert "RecordNotFoundError" in json.dumps(record["error"])


def test_a_failure_record_that_cannot_be_put_holds_nothing_up(scene: Scene, cloud: Any) -> None:
    with Proxy(cloud.dynamodb_server.url) as proxy:
        proxy.on("PutItem", faults.denied())
        run = scene.run_until_empty(
            *(message(f"nobody-{n}", {"n": 1}) for n in range(15)), AWS_ENDPOINT_URL_DYNAMODB=proxy.url
        )
        assert run.code == 0 and len(scene.dead()) == 15 and scene.queue.counts().total == 0
        assert not scene.audits("failure") and proxy.count("PutItem")


# Once


def test_a_message_that_falsified_its_own_condition_is_a_success_when_it_comes_again(scene: Scene) -> None:
    scene.table.put({"id": "a", "version": 1})
    body = message("a", {"version": 2}, condition_expression="version = 1", idempotency_key="k")
    for _ in range(2):
        run = scene.run_until_empty(body, body)
        assert run.code == 0
    assert scene.table.get("a")["version"] == 2
    assert list(scene.audits()) == [log_id(scene.table.name, "k")] and not scene.dead()


def test_fault_04_two_workers_that_run_one_message_at_once_make_one_effect_and_no_dlq_message(
    scene: Scene, cloud: Any
) -> None:
    """Both have read the record's old version before either commits: the proxy lets the transactions go together."""
    count, gate = 20, threading.Event()
    scene.table.put(*({"id": f"r{n}", "version": 1} for n in range(count)))
    with Proxy(cloud.dynamodb_server.url) as proxy:
        proxy.on("TransactWriteItems", faults.until(gate))
        workers = [scene.worker(AWS_ENDPOINT_URL_DYNAMODB=proxy.url) for _ in range(2)]
        for worker in workers:
            worker.wait_for_log(STARTED)
        twice = [
            message(f"r{n}", {"version": 2}, condition_expression="version = 1", idempotency_key=f"k{n}")
            for n in range(count)
        ]
        sent = scene.queue.send(*twice, *twice)
        proxy.wait_for("TransactWriteItems", 2)
        gate.set()
        scene.queue.wait_until_empty()
        assert [worker.stop() for worker in workers] == [0, 0]
    assert not scene.dead()
    assert set(scene.audits()) == {log_id(scene.table.name, f"k{n}") for n in range(count)}
    assert all(scene.table.get(f"r{n}")["version"] == 2 for n in range(count))
    scene.check_invariants(sent)


def test_within_the_tokens_window_an_unaudited_message_takes_effect_once(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    lines = [message("a", {"n": n}, idempotency_key=f"k{n}", enable_logging=False) for n in (1, 2)]
    for line in (lines[0], lines[1], lines[0]):
        assert apply_lines(scene, [line])[0]["success"]
    assert scene.table.get("a")["n"] == 2 and not raw_audits(scene)


def test_what_apply_sends_without_a_key_takes_effect_every_time(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    for n in (1, 2, 1):
        assert apply_lines(scene, [message("a", {"n": n})])[0]["success"]
    assert scene.table.get("a")["n"] == 1 and len(scene.audits()) == 3


def test_a_start_without_audit_warns_of_the_tokens_window(new_scene: Any) -> None:
    scene = new_scene(audit=False)
    run = scene.run_until_empty()
    assert run.code == 0
    assert [line for line in run.log if "WARNING" in line.upper() and "audit" in line.lower()], run.log


@pytest.mark.parametrize("days, warned", [(4, True), (5, False)])
def test_audit_records_that_expire_before_the_queues_retention_are_warned_of(
    scene: Scene, cloud: Any, days: int, warned: bool
) -> None:
    """Retention is 4 days: one more for the record is enough."""
    with Proxy(cloud.sqs_server.url) as proxy:
        proxy.on(
            "GetQueueAttributes",
            faults.edit_response(lambda answer: answer["Attributes"].update(MessageRetentionPeriod=str(4 * 86400))),
        )
        run = scene.run_until_empty(AUDIT_LOG_TTL_DAYS=days, AWS_ENDPOINT_URL_SQS=proxy.url)
    assert bool([line for line in run.log if "WARNING" in line.upper() and "AUDIT_LOG_TTL_DAYS" in line]) == warned, (
        run.log
    )
