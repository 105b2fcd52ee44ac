"""`table-updater lambda`: the function, with a runtime API that the test holds."""

from __future__ import annotations

import base64
import json
from typing import Any, Callable, Iterator

import pytest
from harness import faults
from harness.process import Process
from harness.proxy import Proxy
from harness.runtime_api import RuntimeApi, http_api, rest_api
from harness.scene import Scene, log_id, message

pytestmark = pytest.mark.sanitized

TRACE = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1"


@pytest.fixture(scope="module")
def api() -> Iterator[RuntimeApi]:
    with RuntimeApi() as served:
        yield served


def no_name_twice(members: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(members)) == len(members), members
    return dict(members)


def start(scene: Scene, api: RuntimeApi, *flags: str, **settings: Any) -> Process:
    return scene.command("lambda", *flags, AWS_LAMBDA_RUNTIME_API=api.address, **settings)


@pytest.fixture(scope="module")
def function(module_scene: Scene, api: RuntimeApi) -> Process:
    """One that serves all of the module's tests that disturb nothing, JSON in its log, without a DLQ."""
    return start(module_scene, api, LOG_FORMAT="json", DLQ_URL=None)


Invoke = Callable[..., Any]


@pytest.fixture
def invoke(function: Process, api: RuntimeApi) -> Invoke:
    return api.invoke


def test_a_direct_invocation_gets_the_response_and_a_failure_its_envelope(
    module_scene: Scene, invoke: Invoke, function: Process
) -> None:
    module_scene.table.put({"id": "direct"})
    answer = invoke(message("direct", {"n": 1}), request_id="request-1")
    assert answer.kind == "response" and answer.json["success"] and answer.json["updated_id"] == "direct"
    assert module_scene.table.get("direct") == {"id": "direct", "n": 1}
    assert module_scene.audits()[log_id(module_scene.table.name, "request-1")]["idempotency_key"] == "request-1"
    for body, error in [
        (message("nobody", {"n": 1}), "RecordNotFoundError"),
        (message("direct", {"n": 2}, condition_expression="n = 5"), "ConditionalCheckFailed"),
        ('{"id": "direct"}', "InvalidInputError"),
        (message("direct", {"id": "x"}), "ValidationError"),
    ]:
        answer = invoke(body)
        assert (answer.kind, answer.json["success"], answer.json["error"]) == ("response", False, error)


@pytest.mark.parametrize(("event", "position"), [
    (b"", 0), (b"{", 1), (b"no JSON", 1), (b'{"id":1,"id":2}', 8), (b"[]", 0), (b'{"id": "\xff"}', 8),
    (b"[" * 100_000, 512),
])  # fmt: skip
def test_what_is_no_json_or_of_nothing_known_gets_an_envelope_that_says_where(
    invoke: Invoke, event: bytes, position: int
) -> None:
    answer = invoke(event)
    assert answer.kind == "response" and answer.json["error"] == "InvalidInputError"
    assert answer.json["details"] == {"position": position}


def test_a_request_in_an_event_that_is_no_json_is_a_400_all_the_same(invoke: Invoke) -> None:
    event = json.dumps(http_api(body="{}")).encode()
    answer = invoke(event[:-1])
    envelope = json.loads(answer.json["body"])
    assert (answer.json["statusCode"], envelope["details"]) == (400, {"position": len(event) - 1})
    assert envelope["message"].endswith(f"see position {len(event) - 1}")


@pytest.mark.parametrize("event", [
    {}, {"Records": "none"}, {"requestContext": {"requestId": "r"}, "requestPayload": {}}, {"detail": {}},
    {"key1": "value1"}, {"httpMethod": "POST", "body": "{}"},
])  # fmt: skip
def test_an_event_of_another_kind_is_a_clear_error(invoke: Invoke, event: Any) -> None:
    answer = invoke(event)
    assert answer.kind == "response" and answer.json["error"] == "InvalidInputError"


@pytest.mark.parametrize("event", [
    {"Records": []}, {"Records": [{"eventSource": "aws:s3", "s3": {}}]}, {"Records": [{}]}, {"Records": [1]},
    {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]},
    {"Records": [{"eventSource": "aws:sqs", "messageId": "", "body": "{}"}]}, b'{"Records": [{]}',
])  # fmt: skip
def test_records_without_an_id_or_of_another_source_are_a_function_error(invoke: Invoke, event: Any) -> None:
    answer = invoke(event)
    assert (answer.kind, answer.error_type) == ("error", "InvalidInputError")
    assert answer.json["errorType"] == "InvalidInputError" and answer.json["errorMessage"]


@pytest.mark.parametrize("shape", [rest_api, http_api])
def test_a_request_is_answered_with_the_status_of_its_error(
    module_scene: Scene, invoke: Invoke, shape: Callable[..., Any]
) -> None:
    module_scene.table.put({"id": "http"})
    status, response = invoke(shape(message("http", {"n": 1}))).http
    assert status == 200 and response["success"] and module_scene.table.get("http") == {"id": "http", "n": 1}
    body = message("http", {"n": 3})
    encoded = base64.b64encode(body.encode()).decode()
    assert invoke(shape(encoded, isBase64Encoded=True)).http[0] == 200
    assert module_scene.table.get("http") == {"id": "http", "n": 3}
    for text, expected in [
        (message("nobody", {"n": 1}), 404),
        (message("http", {"n": 2}, condition_expression="n = 5"), 412),
        ('{"id": "http"}', 400),
        (message("http", {"id": "x"}), 400),
        ("", 400),
        (None, 400),
    ]:
        status, response = invoke(shape(text)).http
        assert status == expected and response["success"] is False, response
    for other in ({"id": "http"}, 5, [], True):
        status, response = invoke(shape(None) | {"body": other}).http
        assert status == 400 and "no string" in response["message"], response
    status, response = invoke(shape("e30*", isBase64Encoded=True)).http
    assert status == 400 and "base64" in response["message"] and response["details"] == {"position": 3}


def test_the_bodys_bytes_reach_the_reader_as_they_are(module_scene: Scene, invoke: Invoke) -> None:
    module_scene.table.put({"id": "bytes"})
    exact = '{"id":"bytes","attributes":{"n":12345678901234567890123456789012345678,"t":"\\u0000é + & %2B"}}'
    assert invoke(http_api(exact)).http[0] == 200
    stored = module_scene.table.get("bytes")
    assert stored and stored["n"] == 12345678901234567890123456789012345678 and stored["t"] == "\0é + & %2B"
    status, response = invoke(http_api('{"id":"bytes","id":"x","attributes":{"n":1}}')).http
    assert status == 400 and response["details"] == {"position": 14}


@pytest.mark.parametrize("shape", [rest_api, http_api])
def test_the_key_is_the_bodys_own_else_the_headers_else_the_requests(
    module_scene: Scene, invoke: Invoke, shape: Callable[..., Any]
) -> None:
    name, table = shape.__name__, module_scene.table.name
    module_scene.table.put({"id": name, "n": 0})
    count = json.dumps({"id": name, "increment": {"n": 1}})
    for header in ("Idempotency-Key", "idempotency-key"):
        assert invoke(shape(count, {header: f"{name}-header"})).http[0] == 200
    for request in (f"{name}-request", f"{name}-request", f"{name}-other"):
        assert invoke(shape(count), request_id=request).http[0] == 200
    own = json.dumps({"id": name, "increment": {"n": 1}, "idempotency_key": f"{name}-own"})
    assert invoke(shape(own, {"Idempotency-Key": f"{name}-header"})).http[0] == 200
    assert module_scene.table.get(name) == {"id": name, "n": 4}
    keys = {f"{name}-header", f"{name}-request", f"{name}-other", f"{name}-own"}
    assert {log_id(table, key) for key in keys} <= set(module_scene.audits())
    other = message(name, {"n": 9})
    status, response = invoke(shape(other, {"Idempotency-Key": f"{name}-header"})).http
    assert status == 400 and response["details"]["field"] == "idempotency_key"
    for key in ("", "k" * 257):
        status, response = invoke(shape(other, {"Idempotency-Key": key})).http
        assert status == 400 and response["details"]["field"] == "idempotency_key", response
    assert module_scene.table.get(name) == {"id": name, "n": 4}


def test_an_invocations_lines_have_its_id_and_no_others(invoke: Invoke, function: Process) -> None:
    count = json.dumps({"id": "nobody", "increment": {"n": 1}})
    invoke(count, request_id="seen-in-the-log")
    function.wait_for_log("counts, appends")
    lines = [json.loads(line) for line in function.log]
    assert [line["invocation"] for line in lines if "counts" in line["message"]][-1] == "seen-in-the-log"
    assert all("invocation" not in line for line in lines if line["message"] == "Started")


def test_the_trace_header_goes_on_that_invocations_calls(scene: Scene, api: RuntimeApi, dynamodb_proxy: Proxy) -> None:
    scene.table.put({"id": "a"})
    with RuntimeApi() as own:
        start(scene, own, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
        assert own.invoke(message("a", {"n": 1}), trace=TRACE).json["success"]
        assert own.invoke(message("a", {"n": 2})).json["success"]
        assert own.invoke(message("a", {"n": 3}), trace="x" * 400).json["success"]
    traces = [request.headers.get("x-amzn-trace-id") for request in dynamodb_proxy.requests("TransactWriteItems")]
    assert traces == [TRACE, None, None]


def test_an_environment_that_fails_is_a_500_with_the_exceptions_name(scene: Scene, dynamodb_proxy: Proxy) -> None:
    scene.table.put({"id": "a"})
    with RuntimeApi() as api:
        function = start(scene, api, LOG_FORMAT="json", AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
        assert api.invoke(message("a", {"n": 1})).json["success"]
        for action, code in [
            (faults.denied(), "AccessDeniedException"),
            (faults.service_error("ResourceNotFoundException"), "ResourceNotFoundException"),
        ]:
            rule = dynamodb_proxy.on("TransactWriteItems", action)
            status, response = api.invoke(http_api(message("a", {"n": 2})), seconds=10).http
            assert status == 500 and response["error"] == "DatabaseError" and response["details"]["code"] == code
            rule.remove()
        # What may pass is tried again until half a second before the deadline.
        for action, code in [
            (faults.throttled("ProvisionedThroughputExceededException"), "ProvisionedThroughputExceededException"),
            (faults.cut_response(reset=True), "ConnectionError"),
            (faults.black_hole(), "Timeout"),
        ]:
            rule = dynamodb_proxy.on("TransactWriteItems", action)
            answer = api.invoke(http_api(message("a", {"n": 2})), seconds=1.2)
            status, response = answer.http
            assert status == 500 and response["details"] == {"code": code}, response
            rule.remove()
        assert api.invoke(message("a", {"n": 3}), seconds=0.1).json["details"] == {"code": "Timeout"}
        assert api.invoke(message("a", {"n": 3})).json["success"]
    assert scene.table.get("a") == {"id": "a", "n": 3}
    # Nobody but the callers heard of it, so the log says each of them, and no line has a name twice.
    lines = [json.loads(line, object_pairs_hook=no_name_twice) for line in function.log]
    told = [line["code"] for line in lines if "The environment fails a message" in line["message"]]
    assert told[:2] == ["AccessDeniedException", "ResourceNotFoundException"] and told[-2:] == ["Timeout", "Timeout"]
    assert len({line["invocation"] for line in lines if "The environment fails" in line["message"]}) == len(told) == 6
