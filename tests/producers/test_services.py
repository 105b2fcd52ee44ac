"""The templates of conf/producers/cloudformation, deployed; messages go the way that they lay."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Callable

import boto3
import pytest
from conftest import BUILD
from harness.producers import ORDER, PRODUCERS
from harness.queues import Queue
from harness.scene import Scene
from harness.tables import Table
from local_services import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Cloud

TEMPLATES = PRODUCERS / "cloudformation"
MESSAGE = {"id": "order-7", "increment": {"parcels": 1}, "enable_logging": True}


class Stack:
    """A deployed template with a worker's tables beside it."""

    def __init__(self, cloud: Cloud, table: Table, audit: Table, template: Path, name: str, **parameters: str) -> None:
        self.client = lambda service: boto3.client(
            service,
            endpoint_url=cloud.sqs_server.url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )
        given = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in {"QueueName": name, **parameters}.items()
        ]
        formation = self.client("cloudformation")
        formation.create_stack(
            StackName=name, TemplateBody=template.read_text(), Parameters=given, Capabilities=["CAPABILITY_IAM"]
        )
        (stack,) = formation.describe_stacks(StackName=name)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        self.sqs = self.client("sqs")
        self.scene = Scene(cloud, table, audit, Queue(self.sqs, name, self.outputs["QueueUrl"]), None)

    def attributes(self) -> dict[str, str]:
        """The queue's."""
        return self.sqs.get_queue_attributes(QueueUrl=self.outputs["QueueUrl"], AttributeNames=["All"])["Attributes"]


@pytest.fixture
def deploy(
    aws_cloud: Cloud,
    new_table: Callable[..., Table],
    new_audit_table: Callable[[], Table],
    unique: Callable[[str], str],
) -> Any:
    """Deploys a template."""
    made: list[Stack] = []

    def make(template: str, **parameters: str) -> Stack:
        stack = Stack(aws_cloud, new_table(), new_audit_table(), TEMPLATES / template, unique("orders"), **parameters)
        stack.scene.table.put(ORDER)
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.scene.close()


def keys(stack: Stack) -> list[str]:
    """The idempotency keys that were applied; the effect is there as often."""
    assert stack.scene.run_until_empty().code == 0
    applied = [record["idempotency_key"] for record in stack.scene.audits().values()]
    assert stack.scene.table.get("order-7")["parcels"] == len(applied)
    return sorted(applied)


def read_template(name: str) -> dict[str, Any]:
    """A template as plain values: of !Ref, !Sub and !GetAtt what stands behind them."""
    program = (
        "import json, sys, yaml\n"
        "yaml.SafeLoader.add_multi_constructor('!', lambda loader, tag, node: node.value)\n"
        "json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)\n"
    )
    python = BUILD / "venv" / "bin" / "python"
    return json.loads(subprocess.run([python, "-c", program, TEMPLATES / name], capture_output=True, check=True).stdout)


def subscribe(stack: Stack, raw: str) -> str:
    """The template's subscription, which the local server doesn't make of it. Returns the topic."""
    topic = stack.outputs["TopicArn"]
    properties = read_template("sns.yaml")["Resources"]["Subscription"]["Properties"]
    given = {"Topic": topic, "Updates.Arn": stack.attributes()["QueueArn"], "RawMessageDelivery": raw}
    stack.client("sns").subscribe(
        TopicArn=given[properties["TopicArn"]],
        Protocol=properties["Protocol"],
        Endpoint=given[properties["Endpoint"]],
        Attributes={"RawMessageDelivery": given[properties["RawMessageDelivery"]]},
    )
    return topic


@pytest.mark.parametrize(("template", "source"), [("sns.yaml", "Topic"), ("eventbridge.yaml", "Rule.Arn")])
def test_the_source_alone_may_send_to_the_queue(template: str, source: str) -> None:
    policy = read_template(template)["Resources"]["MaySend"]["Properties"]
    assert policy["Queues"] == ["Updates"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sqs:SendMessage")
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": source}}


def test_a_notification_of_sns_is_applied_under_its_own_id(deploy: Callable[..., Stack]) -> None:
    stack = deploy("sns.yaml")
    topic = subscribe(stack, "false")
    published = stack.client("sns").publish(TopicArn=topic, Message=json.dumps(MESSAGE))["MessageId"]
    assert keys(stack) == [f"sns:{published}"]


def test_what_is_published_twice_under_one_key_happens_once_raw_or_not(deploy: Callable[..., Stack]) -> None:
    for raw in ("true", "false"):
        stack = deploy("sns.yaml", RawMessageDelivery=raw)
        topic = subscribe(stack, raw)
        for _ in range(2):
            body = json.dumps({**MESSAGE, "idempotency_key": "order:7"})
            stack.client("sns").publish(TopicArn=topic, Message=body)
        assert keys(stack) == ["order:7"]


def test_an_event_is_applied_under_its_source_and_id(deploy: Callable[..., Stack]) -> None:
    stack = deploy("eventbridge.yaml")
    entry = {"Source": "shop.orders", "DetailType": "record-update", "Detail": json.dumps(MESSAGE)}
    other = {**entry, "DetailType": "something else"}
    answer = stack.client("events").put_events(Entries=[entry, other])
    assert answer["FailedEntryCount"] == 0
    assert keys(stack) == [f"eventbridge:shop.orders/{answer['Entries'][0]['EventId']}"]


def test_the_http_apis_integration_sends_the_body_as_it_is(deploy: Callable[..., Stack]) -> None:
    """No local server plays the gateway's part: here it is done by hand, as the template says it."""
    stack = deploy("api-gateway.yaml")
    resources = read_template("api-gateway.yaml")["Resources"]
    integration, route = resources["Send"]["Properties"], resources["Route"]["Properties"]
    assert (integration["IntegrationType"], integration["IntegrationSubtype"]) == ("AWS_PROXY", "SQS-SendMessage")
    assert (route["AuthorizationType"], route["Target"]) == ("AWS_IAM", "integrations/${Send}")
    body = json.dumps({**MESSAGE, "idempotency_key": "order:7"})
    filled = {"$request.body": body, "Updates": stack.outputs["QueueUrl"]}
    parameters = {name: filled[value] for name, value in integration["RequestParameters"].items()}
    for _ in range(2):
        stack.sqs.send_message(**parameters)
    assert keys(stack) == ["order:7"]
