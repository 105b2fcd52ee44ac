"""What becomes of one message: applied, or in the DLQ with the envelope of its error."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from harness.scene import Scene, log_id, message

pytestmark = pytest.mark.sanitized

JOHN = {"name": "John Doe", "email": "john@example.com", "status": "active"}


def test_the_documents_own_example_is_applied_with_its_audit_record(scene: Scene) -> None:
    scene.table.put({"id": "user-123", "name": "J. Doe", "since": 2019})

    run = scene.run_until_empty(message("user-123", JOHN, enable_logging=True))

    assert run.code == 0
    assert scene.table.get("user-123") == {"id": "user-123", "since": 2019, **JOHN}
    record = scene.audit_of(run.sent[0])
    assert record is not None
    assert record["log_id"] == log_id(scene.table.name, run.sent[0].message_id)
    assert (record["table_name"], record["record_id"], record["updated_attributes"]) == (
        scene.table.name,
        "user-123",
        JOHN,
    )
    assert record["user_agent"].startswith("table-updater/") and record["request_hash"].startswith("v1:")
    scene.check_invariants(run.sent, environment_only=True, max_receives=1)


def test_apply_answers_the_documents_own_example_with_its_success_response(scene: Scene) -> None:
    scene.table.put({"id": "user-123"})

    applied = scene.apply(message("user-123", JOHN))

    assert applied.code == 0
    response = applied.responses[0]
    assert response.pop("timestamp").endswith("Z")
    assert response == {
        "success": True,
        "message": "Record updated successfully",
        "updated_id": "user-123",
        "updated_attributes": ["name", "email", "status"],
    }


def test_apply_answers_every_line_in_the_order_of_the_input(scene: Scene) -> None:
    scene.table.put({"id": "a"}, {"id": "b"})

    applied = scene.apply(message("a", {"n": 1}), message("nobody", {"n": 1}), "{}", message("b", {"n": 1}))

    assert applied.code == 1
    assert [response.get("updated_id", response.get("error")) for response in applied.responses] == [
        "a",
        "RecordNotFoundError",
        "InvalidInputError",
        "b",
    ]
    assert applied.responses[2]["message"] == "ID and attributes are required"
    assert applied.responses[2]["details"] == {"missing_fields": ["id", "attributes"]}


FAILURES: list[tuple[str, str, str, int, dict[str, Any]]] = [
    ("nothing at all", "{}", "InvalidInputError", 400, {"missing_fields": ["id", "attributes"]}),
    ("no attributes", '{"id": "known"}', "InvalidInputError", 400, {"missing_fields": ["attributes"]}),
    ("a null id", '{"id": null, "attributes": {"a": 1}}', "InvalidInputError", 400, {"missing_fields": ["id"]}),
    (
        "a misspelt member",
        message("known", {"a": 1}, condition_expresion="a = 1"),
        "InvalidInputError",
        400,
        {"unknown_fields": ["condition_expresion"]},
    ),
    ("not JSON", '{"id": "known", "attributes": {"a": tru}}', "InvalidInputError", 400, {"position": 39}),
    ("no object", "[1, 2]", "InvalidInputError", 400, {"position": 0}),
    ("an unknown record", message("nobody", {"a": 1}), "RecordNotFoundError", 404, {"id": "nobody"}),
    (
        "a false condition",
        message("known", {"a": 1}, condition_expression="version < 5"),
        "ConditionalCheckFailed",
        412,
        {"id": "known"},
    ),
    (
        "a key inside the attributes",
        message("known", {"id": "other"}),
        "ValidationError",
        400,
        {"field": "attributes.id"},
    ),
    (
        "a number out of range",
        '{"id": "known", "attributes": {"a": 1e126}}',
        "ValidationError",
        400,
        {"field": "attributes.a"},
    ),
    ("an id of another type", message(7, {"a": 1}), "ValidationError", 400, {"field": "id"}),
    (
        "a condition that doesn't parse",
        message("known", {"a": 1}, condition_expression="version <"),
        "ValidationError",
        400,
        {"field": "condition_expression"},
    ),
]


@pytest.mark.parametrize(
    ("body", "error", "status", "details"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES]
)
def test_what_cannot_be_applied_goes_to_the_dlq_with_its_envelope(
    scene: Scene, body: str, error: str, status: int, details: dict[str, Any]
) -> None:
    scene.table.put({"id": "known", "version": 7})

    run = scene.run_until_empty(body)

    assert run.code == 0
    (dead,) = scene.dead_of(run.sent[0])
    assert (dead.error, int(dead.attributes["StatusCode"])) == (error, status)
    envelope = dead.envelope
    assert (envelope["success"], envelope["error"]) == (False, error) and envelope["message"]
    assert {name: envelope["details"].get(name) for name in details} == details
    source = dead.source
    assert source["body"] == body
    assert (source["queue"], source["idempotency_key"]) == (scene.queue.name, run.sent[0].message_id)
    assert scene.table.scan() == [{"id": "known", "version": 7}]
    scene.check_invariants(run.sent)


def test_a_second_delivery_of_one_idempotency_key_is_a_success_without_an_effect(scene: Scene) -> None:
    scene.table.put({"id": "user-123", "version": 4})
    body = message("user-123", {"version": 5}, condition_expression="version = 4", idempotency_key="order-1")

    run = scene.run_until_empty(body, body)

    assert run.code == 0
    assert scene.table.get("user-123") == {"id": "user-123", "version": 5}
    assert len(scene.audits()) == 1
    scene.check_invariants(run.sent, environment_only=True, max_receives=1)


def test_one_idempotency_key_for_two_messages_is_refused(scene: Scene) -> None:
    scene.table.put({"id": "a"}, {"id": "b"})
    first = scene.run_until_empty(message("a", {"n": 1}, idempotency_key="order-1"))

    second = scene.run_until_empty(message("b", {"n": 2}, idempotency_key="order-1"))

    (dead,) = scene.dead_of(second.sent[0])
    assert dead.error == "ValidationError" and dead.envelope["details"]["field"] == "idempotency_key"
    assert scene.table.get("b") == {"id": "b"}
    scene.check_invariants(first.sent + second.sent)


def test_a_dlq_message_sent_again_is_applied_under_its_original_key(scene: Scene) -> None:
    first = scene.run_until_empty(message("late", {"n": 1}))
    (dead,) = scene.dead()
    scene.table.put({"id": "late"})

    again = scene.run_until_empty(dead.body)

    assert again.code == 0 and scene.table.get("late") == {"id": "late", "n": 1}
    assert log_id(scene.table.name, first.sent[0].message_id) in scene.audits()


VALUES: list[tuple[str, str, Any]] = [
    ("a string", '"Grüße\\n\\u0000\\ud83d\\ude00"', "Grüße\n\0😀"),
    (
        "every digit of a number",
        "12345678901234567890.123456789012345678",
        Decimal("12345678901234567890.123456789012345678"),
    ),
    ("a boolean", "true", True),
    ("null", "null", None),
    ("nested", '{"l": [1, {"m": [[], {}, ""]}]}', {"l": [1, {"m": [[], {}, ""]}]}),
]


@pytest.mark.parametrize(("text", "value"), [case[1:] for case in VALUES], ids=[case[0] for case in VALUES])
def test_json_values_are_stored_as_what_they_are(scene: Scene, text: str, value: Any) -> None:
    scene.table.put({"id": "x"})

    run = scene.run_until_empty('{"id": "x", "attributes": {"size": %s}}' % text)

    assert run.code == 0 and scene.table.get("x") == {"id": "x", "size": value}


def test_a_composite_key_is_an_object(new_scene: Any) -> None:
    scene = new_scene(table={"partition": "customer", "kind": "S", "sort": ("order", "N")})
    scene.table.put({"customer": "c1", "order": 1}, {"customer": "c1", "order": 2})

    run = scene.run_until_empty(message({"customer": "c1", "order": 2}, {"state": "paid"}))

    assert run.code == 0
    assert scene.table.scan() == [{"customer": "c1", "order": 1}, {"customer": "c1", "order": 2, "state": "paid"}]
    assert scene.audit_of(run.sent[0])["record_id"] == {"customer": "c1", "order": 2}
    scene.check_invariants(run.sent, environment_only=True, max_receives=1)


def test_a_binary_key_is_base64(new_scene: Any) -> None:
    scene = new_scene(table={"kind": "B"})
    scene.table.put({"id": b"\x00\xff"})

    run = scene.run_until_empty(message("AP8=", {"n": 1}))

    assert run.code == 0 and scene.table.get(b"\x00\xff") == {"id": b"\x00\xff", "n": 1}


def test_without_audit_a_message_is_applied_and_leaves_no_record(new_scene: Any) -> None:
    scene = new_scene(audit=False)
    scene.table.put({"id": "x"})

    run = scene.run_until_empty(message("x", {"n": 1}))

    assert run.code == 0 and scene.table.get("x") == {"id": "x", "n": 1}
    scene.check_invariants(run.sent, environment_only=True, max_receives=1)


def test_a_backlog_of_every_outcome_is_worked_off(scene: Scene) -> None:
    scene.table.put(*({"id": f"r{i}", "version": 0} for i in range(20)))
    bodies = [message(f"r{i % 25}", {f"a{i}": i}, condition_expression="version = 0") for i in range(200)]

    run = scene.run_until_empty(*bodies)

    assert run.code == 0
    assert len(scene.dead()) == 40 and len(scene.audits()) == 160
    scene.check_invariants(run.sent)
