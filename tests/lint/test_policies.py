"""The policies of templates and manual hold what the commands call (system/iam_actions.json), not one action more."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest
from tree import ROOT

ACTIONS: dict[str, dict[str, list[str]]] = json.loads((ROOT / "tests/system/iam_actions.json").read_text())
SIDS = {"Queue": "queue", "DeadLetterQueue": "dlq", "Table": "table", "AuditTable": "audit_table"}
ROLES = {
    "WorkerRole": ["run", "check"],
    "ProducerRole": ["enqueue"],
    "OperatorRole": ["check", "apply", "enqueue", "dlq", "redrive", "reconcile"],
}


def template(name: str) -> dict[str, Any]:
    """A template of conf/. Debian's own Python has PyYAML, with clang-tidy."""
    program = (
        "import json, pathlib, sys; sys.path.insert(0, 'tests/deployment'); import template; "
        "print(json.dumps(template.load(pathlib.Path(sys.argv[1]))))"
    )
    command = ["/usr/bin/python3", "-B", "-c", program, f"conf/{name}"]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)["Resources"]


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    return template("ec2-service.yaml")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def called(*commands: str) -> dict[str, set[str]]:
    """By resource, what these commands call."""
    found: dict[str, set[str]] = {}
    for command in commands:
        for resource, actions in ACTIONS[command].items():
            found.setdefault(resource, set()).update(actions)
    return found


def of_manual() -> str:
    """The section about permissions, as text."""
    text = (ROOT / "conf/manual/table-updater-operations.7.in").read_text()
    return text.split("\n.SH PERMISSIONS\n")[1].split("\n.SH ")[0].replace("\\-", "-")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_allows_what_its_commands_call(service: dict[str, Any], role: str) -> None:
    statements = service[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    allowed = {SIDS[it["Sid"]]: set(listed(it["Action"])) for it in statements if it["Sid"] in SIDS}
    assert allowed == called(*ROLES[role])
    assert all(it["Effect"] == "Allow" and "*" not in json.dumps([it["Action"], it["Resource"]]) for it in statements)


@pytest.mark.parametrize("role", ROLES)
def test_the_key_is_for_queues_and_tables_alone(service: dict[str, Any], role: str) -> None:
    statements = service[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    (key,) = [it for it in statements if it["Sid"] not in SIDS]
    assert key["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"] and key["Resource"] == {"Fn::GetAtt": ["Key", "Arn"]}
    services = json.dumps(key["Condition"]["StringEquals"]["kms:ViaService"])
    assert "sqs.${AWS::Region}" in services and "dynamodb.${AWS::Region}" in services


def test_services_reach_queue_and_key_from_the_named_sources_alone(service: dict[str, Any]) -> None:
    queue = service["UpdatesPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    key = service["Key"]["Properties"]["KeyPolicy"]["Statement"]
    for statement in (queue[1], key[2]):
        (condition, allowed, otherwise) = statement["Fn::If"]
        assert (condition, otherwise) == ("HasSources", {"Ref": "AWS::NoValue"})
        assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "SourceArns"}}}


def test_the_function_s_role_allows_what_it_calls() -> None:
    document = template("lambda-function.yaml")["FunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    allowed: dict[str, set[str]] = {}
    for statement in document["Statement"]:
        statement = statement.get("Fn::If", [None, statement])[1]
        resource = json.dumps(statement["Resource"])
        places = {"${TableName}": "table", "${AuditLogTable}": "audit_table", '"DlqArn"': "dlq"}
        for place in [kind for text, kind in places.items() if text in resource]:
            allowed[place] = set(listed(statement["Action"]))
    assert allowed == called("lambda")


def test_the_manual_s_policy_is_the_worker_s() -> None:
    policy = json.loads(of_manual().split("\n.nf\n")[1].split("\n.fi")[0])
    places = {"TABLE": "table", "audit_logs": "audit_table", "QUEUE": "queue", "DLQ": "dlq"}
    allowed = {places[re.split("[:/]", it["Resource"])[-1]]: set(it["Action"]) for it in policy["Statement"]}
    assert allowed == called("run")


@pytest.mark.parametrize("command", ["enqueue", "dlq", "redrive", "reconcile", "check", "apply", "lambda"])
def test_the_manual_says_what_each_command_needs(command: str) -> None:
    (line,) = re.findall(rf"^\\fB{command}\\fR: (.*)$", of_manual(), re.MULTILINE)
    places = {"the queue": "queue", "the DLQ": "dlq", "the table": "table", "the audit table": "audit_table"}
    told = {}
    for part in line.rstrip(".").split("; "):
        place, actions = part.removeprefix("on ").split(": ")
        told[places[place]] = set(actions.split(", "))
    assert told == called(command)
