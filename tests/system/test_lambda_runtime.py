"""`table-updater lambda` and its runtime: the beginning, the end, and an API that fails."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest
from harness import faults
from harness.polling import wait_until
from harness.preload import OtherClock
from harness.process import Process, binary_path
from harness.proxy import Proxy
from harness.runtime_api import RuntimeApi, http_api, sqs_event
from harness.scene import Scene, message
from local_services import free_port

pytestmark = pytest.mark.sanitized


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    with RuntimeApi() as served:
        yield served


def start(scene: Scene, api: RuntimeApi, **settings: Any) -> Process:
    return scene.command("lambda", AWS_LAMBDA_RUNTIME_API=api.address, **settings)


def test_without_a_runtime_api_it_ends_and_says_what_it_is_for(module_scene: Scene) -> None:
    for address in (None, "", "no address"):
        process = module_scene.command("lambda", AWS_LAMBDA_RUNTIME_API=address)
        assert process.wait() == 78 and process.find_log("ERROR .*AWS_LAMBDA_RUNTIME_API has to name")


def test_what_keeps_it_from_starting_is_told_to_the_runtime(module_scene: Scene, api: RuntimeApi) -> None:
    for settings, code, error_type, sentence in [
        ({"TABLE_NAME": None}, 78, "Runtime.InvalidSettings", "TABLE_NAME is not set"),
        ({"TABLE_NAME": "absent"}, 78, "Runtime.InvalidSettings", "TABLE_NAME names a table that doesn't exist"),
        ({"MAX_RATE": "fast"}, 78, "Runtime.InvalidSettings", "MAX_RATE"),
        ({"DLQ_URL": "absent-queue"}, 78, "Runtime.InvalidSettings", "DLQ_URL names a queue that doesn't exist"),
        ({"AWS_CA_BUNDLE": "/nonexistent"}, 78, "Runtime.InvalidSettings", "AWS_CA_BUNDLE"),
    ]:
        process = start(module_scene, api, **settings)
        assert process.wait() == code
        told = api.init_errors.get(timeout=5)
        assert (told.kind, told.error_type, told.json["errorType"]) == ("error", error_type, error_type)
        assert sentence in told.json["errorMessage"], told.json
    assert api.nexts == 0


def test_denied_access_at_the_start_is_77(module_scene: Scene, api: RuntimeApi, dynamodb_proxy: Proxy) -> None:
    dynamodb_proxy.on("DescribeTable", faults.denied())
    process = start(module_scene, api, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    assert process.wait() == 77 and api.init_errors.get(timeout=5).error_type == "Runtime.NotPermitted"


def test_services_that_are_away_at_the_start_are_waited_for_eight_seconds(
    module_scene: Scene, api: RuntimeApi, tmp_path: Path
) -> None:
    clock = OtherClock(tmp_path / "clock")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = start(module_scene, api, AWS_ENDPOINT_URL_DYNAMODB=url, **clock.settings)
        silent.accept()
        clock.pass_by(7)
        assert process.running and api.init_errors.empty()
        clock.pass_by(1)
        assert process.wait() == 69
    told = api.init_errors.get(timeout=5)
    assert told.error_type == "Runtime.ServiceUnreachable"
    why = "setting: TABLE_NAME, service: DynamoDB, why: no answer"
    assert f"Giving up: the service can't be reached ({why})" in told.json["errorMessage"].splitlines()


def test_called_bootstrap_it_is_the_function(module_scene: Scene, api: RuntimeApi, tmp_path: Path) -> None:
    named = tmp_path / "bootstrap"
    named.symlink_to(binary_path())
    environment = module_scene.environment(AWS_LAMBDA_RUNTIME_API=api.address, QUEUE_URL=None)
    with subprocess.Popen([str(named)], env=environment, stderr=subprocess.DEVNULL) as process:
        module_scene.table.put({"id": "bootstrap"})
        assert api.invoke(message("bootstrap", {"n": 1})).json["success"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_told_to_end_it_answers_what_is_under_way(module_scene: Scene, api: RuntimeApi, dynamodb_proxy: Proxy) -> None:
    module_scene.table.put({"id": "last"})
    rule = dynamodb_proxy.on("TransactWriteItems", faults.delay(before=0.5))
    process = start(module_scene, api, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    request = api.begin(message("last", {"n": 1}))
    rule.wait()
    process.send_signal(signal.SIGTERM)
    assert api.answer(request).json["success"] and process.wait() == 0


def test_an_api_that_fails_is_tried_five_times(module_scene: Scene, api: RuntimeApi) -> None:
    module_scene.table.put({"id": "five"})
    process = start(module_scene, api)
    api.fail_next.extend([500, "close", 503, 404])
    assert api.invoke(message("five", {"n": 1})).json["success"]
    api.fail_answer.extend([500, "close", 500, 502])
    assert api.invoke(message("five", {"n": 2})).json["success"]
    assert process.running and module_scene.table.get("five") == {"id": "five", "n": 2}
    api.fail_next.extend([500] * 50)
    api.begin("{}")
    assert process.wait() == 69 and process.find_log("ERROR Lambda's runtime API has failed five times")


def test_an_api_that_is_gone_ends_it_with_69(module_scene: Scene, api: RuntimeApi) -> None:
    process = module_scene.command("lambda", AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{free_port()}")
    assert process.wait() == 69 and len(process.find_log("WARNING Lambda's runtime API fails")) == 4


def test_an_answer_that_is_refused_is_over_and_one_too_large_is_a_function_error(
    module_scene: Scene, api: RuntimeApi
) -> None:
    module_scene.table.put({"id": "refused"})
    process = start(module_scene, api)
    api.fail_answer.append(400)
    api.begin(message("refused", {"n": 1}))
    assert api.invoke(message("refused", {"n": 2})).json["success"]
    process.wait_for_log("WARNING Lambda's runtime API refuses an answer.* status=400")
    api.fail_answer.append(413)
    answer = api.invoke(sqs_event("no JSON"))
    assert (answer.kind, answer.error_type) == ("error", "Function.ResponseSizeTooLarge")
    assert api.invoke(http_api(message("refused", {"n": 3}))).http[0] == 200


def test_a_request_id_that_comes_again_has_one_effect(module_scene: Scene, api: RuntimeApi) -> None:
    module_scene.table.put({"id": "again", "n": 0})
    start(module_scene, api)
    count = json.dumps({"id": "again", "increment": {"n": 1}})
    for _ in range(3):
        assert api.invoke(count, request_id="the-same").json["success"]
    assert module_scene.table.get("again") == {"id": "again", "n": 1}


def test_an_event_without_an_id_a_deadline_or_of_six_megabytes(module_scene: Scene, api: RuntimeApi) -> None:
    module_scene.table.put({"id": "big"})
    start(module_scene, api)
    assert api.invoke(message("big", {"n": 1}), seconds=None).json["success"]
    big = message("big", {"t": "x" * (6 << 20)})
    assert api.invoke(big).json["error"] == "ValidationError"
    status, response = api.invoke(http_api(big)).http
    assert status == 400 and response["error"] == "ValidationError"
    assert api.invoke(big[:-2]).json["details"] == {"position": len(big) - 2}
    event = sqs_event(*(message("big", {"n": n, "t": "é" * 150_000}, enable_logging=False) for n in range(18)))
    assert api.invoke(event).failures == []


def test_fault_36_after_a_thaw_no_stale_connection_is_used(
    module_scene: Scene, api: RuntimeApi, dynamodb_proxy: Proxy, tmp_path: Path
) -> None:
    """An hour goes by that only the wall's clock knows of, and who was at the other ends has forgotten."""
    module_scene.table.put({"id": "thaw"})
    clock = OtherClock(tmp_path / "clock")
    start(module_scene, api, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, **clock.settings)
    for n in range(2):
        assert api.invoke(message("thaw", {"n": n})).json["success"]
    wait_until(lambda: api.nexts == 3, "the ask for a third")
    clock.set_wall(3600)
    answer = api.invoke(message("thaw", {"n": 2}), seconds=3630).json
    assert answer["success"] and module_scene.table.get("thaw") == {"id": "thaw", "n": 2}
    first, second, third = (request.connection for request in dynamodb_proxy.requests("TransactWriteItems"))
    assert first == second and third != second
