"""What each command calls, and that `check` names each action that is missing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Iterator

import pytest
from harness import faults
from harness.cases import scene_in
from harness.process import Process
from harness.proxy import Proxy
from harness.recorder import Resources, needed
from harness.runtime_api import RuntimeApi
from harness.scene import Scene, message

ACTIONS = json.loads((Path(__file__).parent / "iam_actions.json").read_text())["commands"]
REFUSAL = (
    "User: arn:aws:sts::123456789012:assumed-role/updater/i-1 is not authorized to perform: {} on resource: "
    "arn:aws:{}:eu-central-1:123456789012:{} because no identity-based policy allows the {} action"
)


@pytest.fixture(scope="module")
def world(cloud: Any) -> Iterator[Scene]:
    with scene_in(cloud, audit=True) as scene:
        yield scene


class Watched:
    """Both services behind proxies."""

    def __init__(self, scene: Scene, dynamodb: Proxy, sqs: Proxy) -> None:
        self.scene, self.dynamodb, self.sqs = scene, dynamodb, sqs
        self.settings = {"AWS_ENDPOINT_URL_DYNAMODB": dynamodb.url, "AWS_ENDPOINT_URL_SQS": sqs.url}
        self.resources = Resources([], scene.environment())

    def asked(self, request: Any) -> set[tuple[str, str]]:
        """Which actions of which resources a request takes."""
        calls = needed(request.headers["x-amz-target"], request.json)
        return {(self.resources.kind(action, name), action) for action, name, _ in calls}

    def calls(self) -> set[tuple[str, str]]:
        """All that was asked until now."""
        return {call for proxy in (self.dynamodb, self.sqs) for it in proxy.requests() for call in self.asked(it)}

    def deny(self, resource: str, action: str) -> None:
        """Refuses what takes an action, as AWS does."""
        service, call = action.split(":")
        refusal = REFUSAL.format(action, service, resource, action)
        proxy, namespace = (
            (self.sqs, "com.amazonaws.sqs") if service == "sqs" else (self.dynamodb, "com.amazon.coral.service")
        )
        code, status = ("AccessDenied", 403) if service == "sqs" else ("AccessDeniedException", 400)
        proxy.on(
            None,
            faults.service_error(code, status, refusal, namespace),
            when=lambda request: (resource, action) in self.asked(request),
        )


@pytest.fixture
def watched(world: Scene, dynamodb_proxy: Proxy, sqs_proxy: Proxy) -> Watched:
    return Watched(world, dynamodb_proxy, sqs_proxy)


def allowed(command: str) -> set[tuple[str, str]]:
    return {(resource, action) for resource, actions in ACTIONS[command].items() for action in actions}


def use(watched: Watched, command: str, folder: Path) -> Process:
    """Has a command do what it is for: starts it, lambda to its end."""
    scene = watched.scene
    scene.table.put({"id": "a"})
    rows = folder / "rows.jsonl"
    rows.write_text(message("a", {"n": 1}) + "\n" + message("nobody", {"n": 1}) + "\n")
    named = {"QUEUE_URL": scene.queue.name, "DLQ_URL": scene.dlq and scene.dlq.name}
    if command == "dlq":
        named["DLQ_URL"] = None  # by the queue's redrive policy
    if command == "lambda":
        with RuntimeApi() as api:
            function = scene.command("lambda", **watched.settings, **named, AWS_LAMBDA_RUNTIME_API=api.address)
            assert api.invoke(message("a", {"n": 1})).kind == "response"
            assert api.invoke(message("nobody", {"n": 1})).kind == "response"
            function.stop()
        return function
    if command == "run":
        scene.queue.send(message("a", {"n": 1}), message("nobody", {"n": 1}))
    if command in ("dlq", "redrive") and scene.dlq:
        scene.dlq.send(message("nobody", {"n": 1}), message("a", {"n": 1}))  # the other is given back
    arguments = {
        "run": ["run", "--until-empty"],
        "apply": ["apply", str(rows)],
        "enqueue": ["enqueue", str(rows), "--job", f"job-{os.getpid()}"],
        "reconcile": ["reconcile", str(rows), "--job", "none"],
        "dlq": ["dlq", "--id", "nobody"],
        "redrive": ["redrive", "--yes", "--id", "nobody"],
    }
    return scene.command(*arguments.get(command, [command]), **watched.settings, **named)


@pytest.mark.parametrize("command", ["run", "check", "apply", "enqueue", "dlq", "redrive", "reconcile", "lambda"])
def test_a_command_calls_what_is_written_down(watched: Watched, command: str, tmp_path: Path) -> None:
    use(watched, command, tmp_path).wait()
    calls = watched.calls()
    assert calls and calls <= allowed(command), sorted(calls - allowed(command))


@pytest.mark.parametrize(("resource", "action"), sorted(allowed("run") | allowed("check")))
def test_check_names_the_action_that_the_worker_s_policy_lacks(watched: Watched, resource: str, action: str) -> None:
    watched.deny(resource, action)
    scene = watched.scene
    named = {"QUEUE_URL": scene.queue.name, "DLQ_URL": scene.dlq and scene.dlq.name}
    process = scene.command("check", "--json", **watched.settings, **named, AUDIT_LOG_TTL_DAYS="90")
    code = process.wait()
    lines = [json.loads(line) for line in process.output.splitlines()]
    if action in ("sqs:ReceiveMessage", "sqs:SendMessage"):  # can't be tried without an effect
        assert code == 0 and [line for line in lines if line["check"] == "permission" and action in line["what"]]
        return
    if (resource, action) not in allowed("run"):  # only asked to have more to tell
        assert code == 0 and [line for line in lines if line.get("mend", "").startswith(f"Allow {action} ")]
        return
    told = [line for line in lines if line["status"] == "problem" and action in f"{line['what']} {line.get('mend')}"]
    assert code == 77 and told, process.output


@pytest.mark.parametrize(
    ("command", "resource", "action"),
    [
        (command, *call)
        for command in ("apply", "enqueue", "dlq", "redrive", "reconcile")
        for call in sorted(allowed(command))
    ],
)
def test_a_command_names_the_action_that_its_policy_lacks(
    watched: Watched, command: str, resource: str, action: str, tmp_path: Path
) -> None:
    """What `check` can't try, or what producers and operators are allowed alone."""
    watched.deny(resource, action)
    process = use(watched, command, tmp_path)
    process.wait_for_log(rf"{action}\b")
    process.kill()  # apply would try on for a while
    assert (resource, action) in watched.calls(), "it was called"
