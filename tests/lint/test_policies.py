"""The policies of templates and manual hold what the commands call (system/iam_actions.json), not one action more."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest
from tree import ROOT

RECORDED = json.loads((ROOT / "tests/system/iam_actions.json").read_text())
ACTIONS: dict[str, dict[str, list[str]]] = RECORDED["commands"]
SIDS = {
    "Queue": "queue",
    "DeadLetterQueue": "dlq",
    "Table": "table",
    "TableInTransactions": "table",
    "AuditTable": "audit_table",
    "AuditTableInTransactions": "audit_table",
}
IN_TRANSACTIONS = {"ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}}
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


def granted(statements: list[Any], place: Any) -> dict[str, set[str]]:
    """By resource, what statements allow; place says which resource a statement is for, None of others."""
    allowed: dict[str, set[str]] = {}
    for statement in statements:
        for resource in place(statement):
            allowed.setdefault(resource, set()).update(listed(statement["Action"]))
    return allowed


def bound_to_transactions(statements: list[Any], place: Any) -> set[tuple[str, str]]:
    """The actions that statements allow within a transaction alone."""
    bound = [it for it in statements if it.get("Condition") == IN_TRANSACTIONS]
    return {(resource, action) for resource, actions in granted(bound, place).items() for action in actions}


def only_in_transactions(*commands: str) -> set[tuple[str, str]]:
    """What all of these call in transactions, and no one otherwise."""
    calls = {(resource, action) for resource, actions in called(*commands).items() for action in actions}
    for command in commands:
        alone = RECORDED["in_transactions"].get(command, {})
        for resource, actions in ACTIONS[command].items():
            calls -= {(resource, action) for action in actions if action not in alone.get(resource, [])}
    return calls


def of_manual() -> str:
    """The section about permissions, as text."""
    text = (ROOT / "conf/manual/table-updater-operations.7.in").read_text()
    return text.split("\n.SH PERMISSIONS\n")[1].split("\n.SH ")[0].replace("\\-", "-")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_allows_what_its_commands_call(service: dict[str, Any], role: str) -> None:
    statements = service[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    of = lambda it: [SIDS[it["Sid"]]] if it["Sid"] in SIDS else []
    assert granted(statements, of) == called(*ROLES[role])
    assert bound_to_transactions(statements, of) == only_in_transactions(*ROLES[role])
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
    statements = [it.get("Fn::If", [None, it])[1] for it in document["Statement"]]
    places = {"${TableName}": "table", "${AuditLogTable}": "audit_table", '"DlqArn"': "dlq"}
    of = lambda it: [kind for text, kind in places.items() if text in json.dumps(it["Resource"])]
    assert granted(statements, of) == called("lambda")
    assert bound_to_transactions(statements, of) == only_in_transactions("lambda")


def test_the_manual_s_policy_is_the_worker_s() -> None:
    policy = json.loads(of_manual().split("\n.nf\n")[1].split("\n.fi")[0])
    places = {"TABLE": "table", "audit_logs": "audit_table", "QUEUE": "queue", "DLQ": "dlq"}
    of = lambda it: [places[re.split("[:/]", it["Resource"])[-1]]]
    assert granted(policy["Statement"], of) == called("run")
    assert bound_to_transactions(policy["Statement"], of) == only_in_transactions("run")


@pytest.mark.parametrize("command", ["enqueue", "dlq", "redrive", "reconcile", "check", "apply", "lambda"])
def test_the_manual_says_what_each_command_needs(command: str) -> None:
    (line,) = re.findall(rf"^\\fB{command}\\fR: (.*)$", of_manual(), re.MULTILINE)
    places = {"the queue": "queue", "the DLQ": "dlq", "the table": "table", "the audit table": "audit_table"}
    told = {}
    for part in line.rstrip(".").split("; "):
        place, actions = part.removeprefix("on ").split(": ")
        told[places[place]] = set(actions.split(", "))
    assert told == called(command)


def test_all_is_written_in_transactions_but_failure_records() -> None:
    """As the manual says it."""
    writing = {"dynamodb:UpdateItem", "dynamodb:PutItem"}
    alone = {
        (command, resource, action)
        for command, resources in ACTIONS.items()
        for resource, actions in resources.items()
        for action in writing.intersection(actions)
        if action not in RECORDED["in_transactions"].get(command, {}).get(resource, [])
    }
    assert alone == {(command, "audit_table", "dynamodb:PutItem") for command in ("run", "lambda")}
