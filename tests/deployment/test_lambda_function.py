"""conf/lambda-function.yaml deployed to moto, and what is there compared with what should be.

moto has no AWS::Lambda::Alias for CloudFormation, and stops at what refers to one: it gets the template with the
function in the alias' place. What else it doesn't make is listed in NOT_MADE; the test makes it by the services' own
APIs, of the template's properties as they are, and compares again."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from template import ACCOUNT, REGION, ROOT, STACK, Resolved
from test_ec2_service import WHOLE, client, covers, parsed

TEMPLATE = ROOT / "conf" / "lambda-function.yaml"
SQS = f"arn:aws:sqs:{REGION}:{ACCOUNT}"
GIVEN = {
    "CodeBucket": "releases",
    "TableName": "users",
    "QueueArn": f"{SQS}:users-updates",
    "DlqArn": f"{SQS}:users-updates-dlq",
    "DlqUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/users-updates-dlq",
    "Alarms": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
}
ALARMS = ("ErrorRate", "SlowInvocations", "Throttles", "ManyAtOnce")
FOR_MOTO = {
    "!Ref Live": "!Ref Function",
    "${Live}": "${Function.Arn}",
    "  FunctionUrl:\n    Value: !GetAtt Url.FunctionUrl\n": "",
}
# | resource | what moto 5.2.5 doesn't make of it |
NOT_MADE: dict[str, set[str]] = {
    "Function": {"LoggingConfig"},
    "Live": {WHOLE},
    "QueueSource": {"FunctionName"},
    "Url": {WHOLE},
    "Api": {"EndpointConfiguration"},
    "RecordsMethod": {"Integration"},
    "RecordsPermission": {WHOLE},
    "MessagesMethod": {"Integration", "MethodResponses"},
    "Stage": {WHOLE},
    **{alarm: {WHOLE} for alarm in ALARMS},
}
# What moto's APIs can't keep either; an alias in a mapping among them.
NOT_KEPT = {name: NOT_MADE[name] for name in ("Function", "QueueSource", "Api")}


class Stack:
    """The deployed template."""

    def __init__(self, **parameters: str) -> None:
        code, given = io.BytesIO(), {**GIVEN, **parameters}
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("bootstrap", "")
        where = {"LocationConstraint": REGION}
        client("s3").create_bucket(Bucket="releases", CreateBucketConfiguration=where)
        client("s3").put_object(Bucket="releases", Key="table-updater-lambda.zip", Body=code.getvalue())
        client("sqs").create_queue(QueueName="users-updates")
        text = TEMPLATE.read_text()
        for ours, motos in FOR_MOTO.items():
            assert ours in text
            text = text.replace(ours, motos)
        formation = client("cloudformation")
        formation.create_stack(
            StackName=STACK,
            TemplateBody=text,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        made = {alarm: f"{STACK}-{alarm}" for alarm in ALARMS}
        for resource in formation.describe_stack_resources(StackName=STACK)["StackResources"]:
            if "PhysicalResourceId" in resource:
                made[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
        api = made["Api"]
        root = client("apigateway").get_rest_api(restApiId=api)["rootResourceId"]
        (made["Deployment"],) = (one["id"] for one in client("apigateway").get_deployments(restApiId=api)["items"])
        made |= {"DeploymentWithoutQueue": made["Deployment"], "Api.RootResourceId": root}
        made |= {f"{name}.Arn": client("iam").get_role(RoleName=made[name])["Role"]["Arn"] for name in self.roles(made)}
        made["Function.Arn"] = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{made['Function']}"
        made |= {"Live": f"{made['Function.Arn']}:live", "Version.Version": "1"}
        made["LogGroup.Arn"] = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{made['LogGroup']}"
        self.made, self.resolved = made, Resolved(TEMPLATE, given, made)

    @staticmethod
    def roles(made: dict[str, str]) -> list[str]:
        return [name for name in ("FunctionRole", "SendRole") if name in made]

    # What is there, in the template's words

    def there(self, name: str, kind: str) -> dict[str, Any] | None:
        """A resource's properties, as its service tells them; None where there is none."""
        try:
            return getattr(self, "_" + kind.removeprefix("AWS::").replace("::", "_").lower())(name)
        except boto3.client("lambda", region_name=REGION).exceptions.ResourceNotFoundException:
            return None

    def _logs_loggroup(self, name: str) -> dict[str, Any]:
        (found,) = client("logs").describe_log_groups(logGroupNamePrefix=self.made[name])["logGroups"]
        return {"LogGroupName": found["logGroupName"], "RetentionInDays": found["retentionInDays"]}

    def _iam_role(self, name: str) -> dict[str, Any]:
        iam, role = client("iam"), self.made[name]
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        got = {it: parsed(iam.get_role_policy(RoleName=role, PolicyName=it)["PolicyDocument"]) for it in names}
        return {
            "AssumeRolePolicyDocument": iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"],
            "Policies": [{"PolicyName": it, "PolicyDocument": document} for it, document in got.items()],
        }

    def _lambda_function(self, name: str) -> dict[str, Any]:
        found = dict(client("lambda").get_function(FunctionName=self.made[name])["Configuration"])
        return {**found, "Code": self.resolved.properties(name)["Code"]}  # it was taken: there is its checksum

    def _lambda_version(self, _name: str) -> dict[str, Any]:
        versions = client("lambda").list_versions_by_function(FunctionName=self.made["Function"])["Versions"]
        assert [version["Version"] for version in versions] == ["$LATEST", "1"]
        return {"FunctionName": versions[1]["FunctionName"]}

    def _lambda_alias(self, _name: str) -> dict[str, Any]:
        found = client("lambda").get_alias(FunctionName=self.made["Function"], Name="live")
        return {**found, "FunctionName": self.made["Function"]}

    def _lambda_eventsourcemapping(self, _name: str) -> dict[str, Any]:
        (found,) = client("lambda").list_event_source_mappings()["EventSourceMappings"]
        return {**found, "FunctionName": found["FunctionArn"]}

    def _lambda_url(self, _name: str) -> dict[str, Any]:
        found = client("lambda").get_function_url_config(FunctionName=self.made["Function"], Qualifier="live")
        return {**found, "TargetFunctionArn": self.made["Function"], "Qualifier": "live"}

    def _lambda_permission(self, _name: str) -> dict[str, Any]:
        text = client("lambda").get_policy(FunctionName=self.made["Function"], Qualifier="live")["Policy"]
        (statement,) = (it for it in json.loads(text)["Statement"] if it["Resource"] == self.made["Live"])
        return {
            "FunctionName": statement["Resource"],
            "Action": statement["Action"],
            "Principal": statement["Principal"]["Service"],
            "SourceArn": statement["Condition"]["ArnLike"]["AWS:SourceArn"],
        }

    def _apigateway_restapi(self, name: str) -> dict[str, Any]:
        found = client("apigateway").get_rest_api(restApiId=self.made[name])
        types = found["endpointConfiguration"].get("types")
        return {"Name": found["name"], "EndpointConfiguration": {"Types": types}}

    def _apigateway_resource(self, name: str) -> dict[str, Any]:
        found = client("apigateway").get_resource(restApiId=self.made["Api"], resourceId=self.made[name])
        return {"RestApiId": self.made["Api"], "ParentId": found["parentId"], "PathPart": found["pathPart"]}

    def _apigateway_method(self, name: str) -> dict[str, Any]:
        api, place = self.made["Api"], self.made[name.replace("Method", "Resource")]
        found = client("apigateway").get_method(restApiId=api, resourceId=place, httpMethod="POST")
        integration = dict(found["methodIntegration"])
        responses = integration.get("integrationResponses", {}).values()
        return {
            "RestApiId": api,
            "ResourceId": place,
            "HttpMethod": found["httpMethod"],
            "AuthorizationType": found["authorizationType"],
            "MethodResponses": [{"StatusCode": status} for status in sorted(found["methodResponses"])],
            "Integration": {
                "Type": integration["type"],
                "IntegrationHttpMethod": integration["httpMethod"],
                "Uri": integration["uri"],
                "Credentials": integration.get("credentials"),
                "PassthroughBehavior": integration.get("passthroughBehavior"),
                "RequestParameters": integration.get("requestParameters"),
                "RequestTemplates": integration.get("requestTemplates"),
                "IntegrationResponses": [
                    {key[0].upper() + key[1:]: it for key, it in one.items()} for one in responses
                ],
            },
        }

    def _apigateway_deployment(self, _name: str) -> dict[str, Any]:
        return {"RestApiId": self.made["Api"]}

    def _apigateway_stage(self, _name: str) -> dict[str, Any] | None:
        stages = client("apigateway").get_stages(restApiId=self.made["Api"])["item"]
        found = next(iter(stages), None)
        names = {"RestApiId": self.made["Api"], "DeploymentId": found and found["deploymentId"]}
        return {**names, "StageName": found["stageName"]} if found else None

    def _cloudwatch_alarm(self, name: str) -> dict[str, Any] | None:
        found = client("cloudwatch").describe_alarms(AlarmNames=[self.made[name]])["MetricAlarms"]
        return found[0] if found else None

    # The difference

    def lacking(self) -> dict[str, set[str]]:
        """By resource, the properties that are not as the template has them."""
        found = {}
        for name, resource in self.resolved.resources().items():
            wanted, there = self.resolved.properties(name), self.there(name, resource["Type"])
            wrong = {WHOLE} if there is None else {key for key in wanted if not covers(there.get(key), wanted[key])}
            if wrong:
                found[name] = wrong
        return found


@pytest.fixture
def deployed() -> Iterator[Stack]:
    """The template in services that know nothing else."""
    with mock_aws():
        yield Stack()


def make_method(stack: Stack, name: str) -> None:
    properties, gateway = stack.resolved.properties(name), client("apigateway")
    place = {"restApiId": stack.made["Api"], "resourceId": properties["ResourceId"], "httpMethod": "POST"}
    for response in properties.get("MethodResponses", []):
        gateway.put_method_response(**place, statusCode=response["StatusCode"])
    wanted = properties["Integration"]
    given = {key[0].lower() + key[1:]: it for key, it in wanted.items() if key != "IntegrationResponses"}
    gateway.put_integration(**place, **given)
    for response in wanted.get("IntegrationResponses", []):
        gateway.put_integration_response(**place, **{key[0].lower() + key[1:]: it for key, it in response.items()})


def make(stack: Stack, name: str) -> None:
    """What moto doesn't make by the template, by the service's API, of the template's own properties."""
    kind = stack.resolved.template["Resources"][name]["Type"]
    properties, functions = stack.resolved.properties(name), client("lambda")
    if kind == "AWS::Lambda::Alias":
        functions.create_alias(**properties)
    elif kind == "AWS::Lambda::EventSourceMapping":
        functions.update_event_source_mapping(UUID=stack.made[name], FunctionName=properties["FunctionName"])
    elif kind == "AWS::Lambda::Url":
        rest = {key: it for key, it in properties.items() if key != "TargetFunctionArn"}
        functions.create_function_url_config(FunctionName=properties["TargetFunctionArn"], **rest)
    elif kind == "AWS::Lambda::Permission":
        given = {**properties, "FunctionName": stack.made["Function"], "Qualifier": "live"}
        functions.add_permission(StatementId="api", **given)
    elif kind == "AWS::ApiGateway::Method":
        make_method(stack, name)
    elif kind == "AWS::ApiGateway::Stage":
        client("apigateway").create_stage(**{key[0].lower() + key[1:]: it for key, it in properties.items()})
    elif kind == "AWS::CloudWatch::Alarm":
        client("cloudwatch").put_metric_alarm(AlarmName=stack.made[name], **properties)


def test_what_is_there_is_what_the_template_says(deployed: Stack) -> None:
    assert deployed.lacking() == NOT_MADE
    for name in NOT_MADE:
        make(deployed, name)
    assert deployed.lacking() == NOT_KEPT


def test_a_release_and_its_rollback_move_the_alias(deployed: Stack) -> None:
    make(deployed, "Live")
    functions, name = client("lambda"), deployed.made["Function"]
    functions.update_function_code(FunctionName=name, S3Bucket="releases", S3Key="table-updater-lambda.zip")
    functions.publish_version(FunctionName=name)
    for version in ("2", "1"):
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        assert functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == version


def test_the_mapping_keeps_a_body_byte_for_byte(deployed: Stack) -> None:
    template = deployed.resolved.properties("MessagesMethod")["Integration"]["RequestTemplates"]["application/json"]
    assert template == "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
    parameters = deployed.resolved.properties("MessagesMethod")["Integration"]["RequestParameters"]
    assert parameters == {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}
