"""What a message does beside setting attributes: set, increment, append, remove, typed_attributes,
create_if_missing."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from harness import faults
from harness.proxy import Proxy
from harness.scene import Scene, log_id

pytestmark = pytest.mark.sanitized


def body(identity: Any, **members: Any) -> str:
    """An update message without attributes."""
    return json.dumps({"id": identity, **members}, ensure_ascii=False)


def apply_lines(scene: Scene, *lines: str, **environment: str) -> list[dict[str, Any]]:
    """What apply answers."""
    return scene.apply(*lines, **environment).responses


def test_all_members_together_are_one_update_with_its_audit_record(scene: Scene) -> None:
    scene.table.put({"id": "a", "address": {"zip": "8010"}, "items": [1, 2], "logins": 40, "tags": ["x"], "old": True})
    run = scene.run_until_empty(
        body(
            "a",
            attributes={"name": "Ada", "a.b": 1},
            typed_attributes={"roles": {"SS": ["b", "a"]}, "looks": {"M": {"S": {"S": "x"}}}},
            set={"address.city": "Graz", "items[0]": {"price": 5}, "`first name`": "Ada"},
            increment={"logins": 2, "address.visits": 1.5},
            append={"tags": ["y", [1]], "address.log": ["new"]},
            remove=["old", "#z", "items[1]"],
            expression_attribute_names={"#z": "nothing"},
            condition_expression="logins = 40",
            enable_logging=True,
            idempotency_key="k",
        )
    )
    assert run.code == 0 and not scene.dead()
    assert scene.table.get("a") == {
        "id": "a",
        "name": "Ada",
        "a.b": 1,
        "roles": {"a", "b"},
        "looks": {"S": "x"},
        "address": {"zip": "8010", "city": "Graz", "visits": Decimal("1.5"), "log": ["new"]},
        "items": [{"price": 5}],
        "first name": "Ada",
        "logins": 42,
        "tags": ["x", "y", [1]],
    }
    record = scene.audits()[log_id(scene.table.name, "k")]
    assert record["updated_attributes"] == {"name": "Ada", "a.b": 1, "roles": {"a", "b"}, "looks": {"S": "x"}}
    assert record["update"] == {
        "set": {"address.city": "Graz", "items[0]": {"price": 5}, "`first name`": "Ada"},
        "increment": {"logins": 2, "address.visits": Decimal("1.5")},
        "append": {"tags": ["y", [1]], "address.log": ["new"]},
        "remove": ["items[1]", "nothing", "old"],
    }
    assert record["record_key"] == "a" and record["request_hash"].startswith("v2:")


def test_the_response_names_what_was_updated_as_it_was_written(scene: Scene) -> None:
    scene.table.put({"id": "a", "l": [1], "m": {}})
    (response,) = apply_lines(
        scene,
        body(
            "a",
            remove=["z", "l[0]"],
            append={"q": [1]},
            increment={" n ": 1},
            set={"`m`.x": 1, "b": 2},
            typed_attributes={"t": {"S": ""}},
            attributes={"y": 1, "x": 1},
            enable_logging=True,
        ),
    )
    assert response["updated_attributes"] == ["y", "x", "t", "`m`.x", "b", " n ", "q", "z", "l[0]"]


def test_a_counter_counts_each_key_once_however_often_it_is_delivered(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    lines = [
        body("a", increment={"n": 1, "m.n": 1}, append={"l": [n]}, enable_logging=True, idempotency_key=f"k{n}")
        for n in range(20)
    ]
    lines = [body("a", set={"m": {"n": 0}})] + [lines[n % 20] for n in range(60)]
    scene.apply(lines[0])
    run = scene.run_until_empty(*lines[1:])
    assert run.code == 0 and not scene.dead()
    record = scene.table.get("a")
    assert record is not None and (record["n"], record["m"]) == (20, {"n": 20})
    assert sorted(record["l"]) == list(range(20))


def test_without_the_guard_a_condition_has_all_operators_that_dynamodb_takes(scene: Scene) -> None:
    scene.table.put({"id": "a", "n": 1})
    for create, most in [(False, 298), (True, 300)]:
        full = "NOT n = 0" + " OR n = 1" * (most // 2 - 1)
        members: dict[str, Any] = {"attributes": {"m": 1}, "create_if_missing": create}
        lines = [body("a", condition_expression=text, **members) for text in (full, f"NOT {full}")]
        fits, too_many = apply_lines(scene, *lines)
        assert fits["success"], fits
        assert too_many["details"]["field"] == "condition_expression" and str(most) in too_many["message"], too_many


def test_a_record_that_is_not_there_is_created_where_the_message_says_so(scene: Scene) -> None:
    responses = apply_lines(
        scene,
        body("a", increment={"n": 5}, create_if_missing=True, enable_logging=True),
        body("b", attributes={"x": 1}, create_if_missing=True),
        body("c", attributes={"x": 1}, create_if_missing=False),
        body("d", attributes={"x": 1}, create_if_missing=True, condition_expression="attribute_exists(x)"),
        body("e", attributes={"x": 1}, create_if_missing=True, condition_expression="attribute_not_exists(x)"),
        body("f", remove=["x"]),
    )
    assert [response.get("error") for response in responses] == [
        None,
        None,
        "RecordNotFoundError",
        "ConditionalCheckFailed",
        None,
        "RecordNotFoundError",
    ]
    assert "exists" not in responses[3]["message"]
    assert scene.table.scan() == [{"id": "a", "n": 5}, {"id": "b", "x": 1}, {"id": "e", "x": 1}]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("a missing parent", {"set": {"nothing.x": 1}}, "set.nothing.x"),
    ("two missing parents", {"set": {"nothing.x": 1, "nothing.y": 1}}, "set"),
    ("a map where a list is", {"set": {"l.x": 1}}, "set.l.x"),
    ("a list where a map is", {"remove": ["m[0]", "s"], "enable_logging": True}, "remove.m[0]"),
    (
        "a counter that is a string",
        {"increment": {"s": 1}, "attributes": {"x": 1}, "enable_logging": True},
        "increment.s",
    ),
    ("a list that is a map", {"append": {"m": [1]}, "enable_logging": True}, "append.m"),
    ("one of two", {"increment": {"s": 1, "n": 1}, "enable_logging": True}, "increment"),
    ("38 digits", {"increment": {"big": Decimal("0.1")}, "enable_logging": True}, "increment.big"),
    ("overlapping paths", {"set": {"a.b": 1, "a": 1}}, "set.a"),
    ("a key attribute", {"remove": ["id"]}, "remove.id"),
    ("an unaudited counter", {"increment": {"n": 1}, "enable_logging": False}, "increment"),
    ("an unaudited append", {"append": {"l": [1]}, "enable_logging": False}, "append"),
    ("an unaudited index", {"set": {"l[0]": 1}, "enable_logging": False}, "set.l[0]"),
    ("no number", {"increment": {"n": "1"}, "enable_logging": True}, "increment.n"),
    ("DynamoDB's JSON", {"attributes": {"email": {"S": "a@x"}}}, "attributes.email"),
    ("an operator", {"attributes": {"logins": {"$inc": 1}}}, "attributes.logins"),
    ("DynamoDB's JSON of an audited message", {"set": {"m.x": {"N": "5"}}, "enable_logging": True}, "set.m.x"),
    ("a set with a repetition", {"typed_attributes": {"t": {"SS": ["a", "a"]}}}, "typed_attributes.t"),
]


@pytest.mark.parametrize(("members", "field"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_refused_names_the_path_as_it_was_written(
    module_scene: Scene, members: dict[str, Any], field: str
) -> None:
    record = {"id": "a", "l": [1], "m": {}, "s": "x", "n": 1, "big": Decimal("1e37")}
    module_scene.table.put(record)
    text = json.dumps({"id": "a", **members}, default=str).replace('"0.1"', "0.1")
    (response,) = apply_lines(module_scene, text)
    assert (response.get("error"), response["details"].get("field")) == ("ValidationError", field), response
    assert module_scene.table.get("a") == record


def test_counters_need_audit_records_that_outlive_the_queue(scene: Scene, cloud: Any) -> None:
    """Retention is 4 days."""
    scene.table.put({"id": "a"})
    counter, harmless = body("a", increment={"n": 1}), body("a", set={"x": 1})
    with Proxy(cloud.sqs_server.url) as proxy:
        proxy.on(
            "GetQueueAttributes",
            faults.edit_response(lambda answer: answer["Attributes"].update(MessageRetentionPeriod=str(4 * 86400))),
        )
        settings = {"ENABLE_AUDIT_LOG": "true", "AWS_ENDPOINT_URL_SQS": proxy.url}
        run = scene.run_until_empty(counter, harmless, AUDIT_LOG_TTL_DAYS="3", **settings)
        (dead,) = scene.dead()
        assert (dead.error, dead.envelope["details"]["field"]) == ("ValidationError", "increment") and dead.source[
            "body"
        ] == counter
        assert run.code == 0 and scene.table.get("a") == {"id": "a", "x": 1}
        scene.run_until_empty(counter, AUDIT_LOG_TTL_DAYS="4", **settings)
    assert scene.table.get("a") == {"id": "a", "x": 1, "n": 1}


def test_apply_warns_of_counters_without_a_key_of_their_own(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    counter = {"increment": {"n": 1}, "enable_logging": True}
    quiet = scene.apply(body("a", **counter, idempotency_key="k"), body("a", set={"x": 1}))
    assert quiet.code == 0 and not any("idempotency_key" in line for line in quiet.log)
    warned = scene.apply(body("a", set={"x": 1}), body("a", **counter), body("a", **counter))
    assert (
        warned.code == 0 and len([line for line in warned.log if "idempotency_key" in line and "line=2" in line]) == 1
    )
    assert scene.table.get("a") == {"id": "a", "x": 1, "n": 3}


def test_what_an_earlier_version_applied_as_data_is_a_success_and_not_refused(scene: Scene) -> None:
    scene.table.put({"id": "a", "e": {"S": "x"}})
    text = body("a", attributes={"e": {"S": "x"}}, enable_logging=True, idempotency_key="k")
    # As version 0.1.0 hashed it.
    golden = "v1:08fa843306887cebec18a41dd91d004c666326e08ce440b006bc45df22689779"
    assert scene.audit is not None
    scene.audit.put({"log_id": log_id(scene.table.name, "k"), "request_hash": golden, "status": "success"})
    run = scene.run_until_empty(text, text.replace('"x"', '"other"'))
    (dead,) = scene.dead()
    assert run.code == 0 and dead.envelope["details"]["field"] == "idempotency_key"
    (response,) = apply_lines(scene, text)
    assert response["success"] is True
    assert scene.table.get("a") == {"id": "a", "e": {"S": "x"}}
