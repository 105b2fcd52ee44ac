"""conf/ec2-service.yaml deployed to moto, and what is there compared with what should be.

moto says CREATE_COMPLETE whatever it has made. So each resource is read back by its service's own API and compared with
the template, property by property. What moto can't make is listed in NOT_MADE; the test then makes it itself, by the
service's API with the template's properties as they are (botocore refuses what the API doesn't know), and compares
again: in the end all is there. A property that moto learns to make, or forgets, fails the test."""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from template import ACCOUNT, EC2_SERVICE, REGION, STACK, Resolved

IMAGE = "/table-updater/image"  # moto has no parameter of Debian's
PUBLIC_IMAGE = "/aws/service/debian/release/12/latest/amd64"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:orders"
GIVEN = {
    "QueueName": "users-updates",
    "TableName": "users",
    "MakeTable": "true",
    "RecordKeyIndex": "true",
    "PackageBucket": "releases",
    "PackageKey": "table-updater_0.1.0-1_amd64.deb",
    "SourceArns": TOPIC,
    "Alarms": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
}
ALARMS = {
    *("ErrorRate", "SlowMessages", "Throttles", "ManyAtOnce", "CredentialsExpire", "DeadLettersThere", "OldMessages"),
    "NoProgress",
}
WHOLE = "everything"
# | resource | what moto 5.2.5 doesn't make of it |
NOT_MADE: dict[str, set[str]] = {
    "Key": {"Description", "EnableKeyRotation", "KeyPolicy"},
    "DeadLetters": {"RedriveAllowPolicy"},
    "UpdatesPolicy": {WHOLE},
    "DeadLettersPolicy": {WHOLE},
    "Table": {"PointInTimeRecoverySpecification", "SSESpecification"},
    "AuditTable": {"PointInTimeRecoverySpecification", "SSESpecification", "TimeToLiveSpecification"},
    "SecurityGroup": {"SecurityGroupEgress"},
    "LogGroup": {"KmsKeyId"},
    "Dashboard": {"DashboardBody"},
    "Group": {"LifecycleHookSpecificationList", "MetricsCollection"},
    "ScaleByBacklog": {WHOLE},
    **{alarm: {WHOLE} for alarm in ALARMS},
}
# What moto's APIs can't keep either: it stands in the template, as far as a test here can tell.
NOT_KEPT: dict[str, set[str]] = {
    "DeadLetters": {"RedriveAllowPolicy"},
    "Table": {"SSESpecification"},
    "AuditTable": {"SSESpecification"},
    "LogGroup": {"KmsKeyId"},
}


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def parsed(document: Any) -> Any:
    """A document, which moto gives as it is, as a text, or as Python's text of it."""
    if not isinstance(document, str):
        return document
    return ast.literal_eval(document) if document.startswith("{'") else json.loads(document)


class Stack:
    """The deployed template."""

    def __init__(self, **parameters: str) -> None:
        ec2 = client("ec2")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
        client("ssm").put_parameter(
            Name=IMAGE, Value=ec2.describe_images()["Images"][0]["ImageId"], Type="String", Overwrite=True
        )
        given = {**GIVEN, "VpcId": vpc, "SubnetIds": ",".join(subnets), "ImageId": IMAGE, **parameters}
        formation = client("cloudformation")
        created = formation.create_stack(
            StackName=STACK,
            TemplateBody=EC2_SERVICE.read_text().replace(PUBLIC_IMAGE, IMAGE),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        made: dict[str, str] = {name: f"{STACK}-{name}" for name in ALARMS}
        for resource in formation.describe_stack_resources(StackName=STACK)["StackResources"]:
            if "LogicalResourceId" in resource:
                made[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
        self.made = made
        made |= self._attributes()
        made["AWS::StackId"] = created["StackId"]
        self.resolved = Resolved(EC2_SERVICE, given, made)
        self.resolved.values["ImageId"] = client("ssm").get_parameter(Name=IMAGE)["Parameter"]["Value"]

    def _attributes(self) -> dict[str, str]:
        """What GetAtt gives."""
        account = f"{REGION}:{ACCOUNT}"
        found = {
            "Key.Arn": f"arn:aws:kms:{account}:key/{self.made['Key']}",
            "LogGroup.Arn": f"arn:aws:logs:{account}:log-group:{self.made['LogGroup']}",
            "InstanceProfile.Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/{self.made['InstanceProfile']}",
            "LaunchTemplate.LatestVersionNumber": "1",
        }
        for name in ("Updates", "DeadLetters"):
            queue = self.made[name].rsplit("/", 1)[1]
            found |= {f"{name}.QueueName": queue, f"{name}.Arn": f"arn:aws:sqs:{account}:{queue}"}
        return found

    # What is there, in the template's words

    def there(self, name: str, kind: str) -> dict[str, Any] | None:
        """A resource's properties, as its service tells them; None where there is none."""
        return getattr(self, "_" + kind.removeprefix("AWS::").replace("::", "_").lower())(self.made.get(name), name)

    def _sqs_queue(self, url: str, _name: str) -> dict[str, Any]:
        attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        read: dict[str, Any] = {"QueueName": url.rsplit("/", 1)[1]}
        for key, value in attributes.items():
            number = value.isdigit() and key not in ("QueueArn",)
            read[key] = parsed(value) if key.startswith("Redrive") or number else value
        read["FifoQueue"] = attributes.get("FifoQueue") == "true" or None
        return read

    def _sqs_queuepolicy(self, _made: str | None, name: str) -> dict[str, Any] | None:
        (url,) = self.resolved.properties(name)["Queues"]
        got = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
        return {"Queues": [url], "PolicyDocument": parsed(got["Policy"])} if "Policy" in got else None

    def _dynamodb_table(self, table: str, _name: str) -> dict[str, Any]:
        dynamodb = client("dynamodb")
        read = dict(dynamodb.describe_table(TableName=table)["Table"])
        live = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        sse = read.get("SSEDescription", {})
        indexes = ("IndexName", "KeySchema", "Projection")
        return {
            **read,
            "BillingMode": read.get("BillingModeSummary", {}).get("BillingMode"),
            "GlobalSecondaryIndexes": [
                {key: index[key] for key in indexes} for index in read.get("GlobalSecondaryIndexes", [])
            ],
            "TimeToLiveSpecification": {
                "AttributeName": live.get("AttributeName"),
                "Enabled": live["TimeToLiveStatus"] == "ENABLED",
            },
            "PointInTimeRecoverySpecification": {
                "PointInTimeRecoveryEnabled": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
                == "ENABLED"
            },
            "SSESpecification": {
                "SSEEnabled": sse.get("Status") == "ENABLED",
                "SSEType": sse.get("SSEType"),
                "KMSMasterKeyId": sse.get("KMSMasterKeyArn"),
            },
        }

    def _kms_key(self, key: str, _name: str) -> dict[str, Any]:
        kms = client("kms")
        try:
            return {
                "Description": kms.describe_key(KeyId=key)["KeyMetadata"]["Description"],
                "EnableKeyRotation": kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"],
                "KeyPolicy": parsed(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]),
            }
        except TypeError:  # moto stumbles over what its own CloudFormation put there
            return {}

    def _iam_role(self, role: str, _name: str) -> dict[str, Any]:
        iam = client("iam")
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        got = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
        documents = {name: parsed(document) for name, document in got.items()}
        return {
            "AssumeRolePolicyDocument": iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"],
            "Policies": [{"PolicyName": name, "PolicyDocument": document} for name, document in documents.items()],
        }

    def _iam_instanceprofile(self, profile: str, _name: str) -> dict[str, Any]:
        found = client("iam").get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]
        return {"Roles": [role["RoleName"] for role in found["Roles"]]}

    def _ec2_securitygroup(self, group: str, _name: str) -> dict[str, Any]:
        found = client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
        assert not found["IpPermissions"], "nobody may ask an instance"
        egress = [
            {
                "IpProtocol": rule["IpProtocol"],
                "FromPort": rule["FromPort"],
                "ToPort": rule["ToPort"],
                "CidrIp": block["CidrIp"],
                "Description": block.get("Description"),
            }
            for rule in found["IpPermissionsEgress"]
            for block in rule["IpRanges"]
            if rule["IpProtocol"] != "-1"
        ]
        return {
            "GroupDescription": found["Description"],
            "VpcId": found["VpcId"],
            "SecurityGroupEgress": sorted(egress, key=lambda rule: -rule["FromPort"]),
        }

    def _ec2_launchtemplate(self, template: str, _name: str) -> dict[str, Any]:
        versions = client("ec2").describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
        data = dict(versions["LaunchTemplateVersions"][0]["LaunchTemplateData"])
        data["UserData"] = base64.b64decode(data["UserData"]).decode()
        return {"LaunchTemplateData": data}

    def _autoscaling_autoscalinggroup(self, group: str, _name: str) -> dict[str, Any]:
        scaling = client("autoscaling")
        found = dict(scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"][0])
        hooks = scaling.describe_lifecycle_hooks(AutoScalingGroupName=group)["LifecycleHooks"]
        wanted = ("LifecycleHookName", "LifecycleTransition", "DefaultResult", "HeartbeatTimeout")
        metrics = [metric["Metric"] for metric in found["EnabledMetrics"]]
        return {
            **found,
            "VPCZoneIdentifier": found["VPCZoneIdentifier"].split(","),
            "LaunchTemplate": {key: found["LaunchTemplate"][key] for key in ("LaunchTemplateId", "Version")},
            "MetricsCollection": [{"Granularity": "1Minute", "Metrics": metrics}],
            "LifecycleHookSpecificationList": [{key: hook[key] for key in wanted} for hook in hooks],
        }

    def _autoscaling_scalingpolicy(self, _made: str | None, name: str) -> dict[str, Any] | None:
        found = client("autoscaling").describe_policies(AutoScalingGroupName=STACK)["ScalingPolicies"]
        return next((policy for policy in found if policy["PolicyName"] == name), None)

    def _logs_loggroup(self, group: str, _name: str) -> dict[str, Any]:
        (found,) = client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        return {
            "LogGroupName": found["logGroupName"],
            "RetentionInDays": found.get("retentionInDays"),
            "KmsKeyId": found.get("kmsKeyId"),
        }

    def _cloudwatch_alarm(self, _made: str | None, name: str) -> dict[str, Any] | None:
        found = client("cloudwatch").describe_alarms(AlarmNames=[self.resolved.values[name]])["MetricAlarms"]
        return found[0] if found else None

    def _cloudwatch_dashboard(self, dashboard: str, _name: str) -> dict[str, Any]:
        found = client("cloudwatch").get_dashboard(DashboardName=dashboard)
        return {"DashboardName": found["DashboardName"], "DashboardBody": found["DashboardBody"]}

    # The difference

    def lacking(self) -> dict[str, set[str]]:
        """By resource, the properties that are not as the template has them."""
        found = {}
        for name, resource in self.resolved.resources().items():
            wanted = self.resolved.properties(name)
            there = self.there(name, resource["Type"])
            wrong = {WHOLE} if there is None else {key for key in wanted if not covers(there.get(key), wanted[key])}
            if wrong:
                found[name] = wrong
        return found


def covers(there: Any, wanted: Any) -> bool:
    """Whether what is there has what is wanted, and in lists and documents nothing else."""
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(covers(there.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(there, list) and len(there) == len(wanted) and all(map(covers, there, wanted))
    return there == wanted or str(there) == str(wanted)


def make(stack: Stack, name: str) -> None:
    """What moto doesn't make by the template, by the service's API, of the template's own properties."""
    properties = stack.resolved.properties(name)
    kind = stack.resolved.template["Resources"][name]["Type"]
    if kind == "AWS::CloudWatch::Alarm":
        client("cloudwatch").put_metric_alarm(AlarmName=stack.resolved.values[name], **properties)
    elif kind == "AWS::SQS::QueuePolicy":
        policy = {"Policy": json.dumps(properties["PolicyDocument"])}
        client("sqs").set_queue_attributes(QueueUrl=properties["Queues"][0], Attributes=policy)
    elif kind == "AWS::SQS::Queue":
        allow = {"RedriveAllowPolicy": json.dumps(properties["RedriveAllowPolicy"])}
        client("sqs").set_queue_attributes(QueueUrl=stack.made[name], Attributes=allow)
    elif kind == "AWS::DynamoDB::Table":
        make_table(stack, properties, NOT_MADE[name])
    elif kind == "AWS::KMS::Key":
        made = client("kms").create_key(
            Policy=json.dumps(properties["KeyPolicy"]), Description=properties["Description"]
        )
        stack.made[name] = made["KeyMetadata"]["KeyId"]
        client("kms").enable_key_rotation(KeyId=stack.made[name])
    elif kind == "AWS::Logs::LogGroup":
        pass  # moto has no AssociateKmsKey
    elif kind == "AWS::CloudWatch::Dashboard":
        client("cloudwatch").put_dashboard(**properties)
    elif kind == "AWS::EC2::SecurityGroup":
        client("ec2").authorize_security_group_egress(
            GroupId=stack.made[name],
            IpPermissions=[
                {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort")}
                | {"IpRanges": [{key: rule[key] for key in ("CidrIp", "Description")}]}
                for rule in properties["SecurityGroupEgress"]
            ],
        )
    elif kind == "AWS::AutoScaling::ScalingPolicy":
        client("autoscaling").put_scaling_policy(PolicyName=name, **properties)
    else:
        (hook,) = properties["LifecycleHookSpecificationList"]
        (collected,) = properties["MetricsCollection"]
        client("autoscaling").put_lifecycle_hook(AutoScalingGroupName=STACK, **hook)
        client("autoscaling").enable_metrics_collection(AutoScalingGroupName=STACK, **collected)


def make_table(stack: Stack, properties: dict[str, Any], lacking: set[str]) -> None:
    dynamodb, table = client("dynamodb"), properties["TableName"]
    recovery, encryption = properties["PointInTimeRecoverySpecification"], properties["SSESpecification"]
    dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)
    dynamodb.update_table(
        TableName=table,
        SSESpecification={
            "Enabled": encryption["SSEEnabled"],
            "SSEType": encryption["SSEType"],
            "KMSMasterKeyId": encryption["KMSMasterKeyId"],
        },
    )
    if "TimeToLiveSpecification" in lacking:
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=properties["TimeToLiveSpecification"])


@pytest.fixture
def deploy() -> Iterator[Callable[..., Stack]]:
    """Deploys the template to services that know nothing yet."""
    with mock_aws():
        yield Stack


def test_what_is_there_is_what_the_template_says(deploy: Callable[..., Stack]) -> None:
    stack = deploy()
    assert stack.lacking() == NOT_MADE
    for name in NOT_MADE:
        make(stack, name)
    assert stack.lacking() == NOT_KEPT
    key = stack.resolved.values["Key.Arn"]
    for table in ("Table", "AuditTable"):
        assert stack.resolved.properties(table)["SSESpecification"]["KMSMasterKeyId"] == key
    assert stack.resolved.properties("LogGroup")["KmsKeyId"] == key


def test_on_request_the_queues_are_fifo_and_tables_that_exist_are_left_alone(deploy: Callable[..., Stack]) -> None:
    stack = deploy(Fifo="true", MakeTable="false", MakeAuditLogTable="false", SourceArns="", Alarms="")
    assert stack.made["Updates"].endswith("/users-updates.fifo")
    assert stack.made["DeadLetters"].endswith("/users-updates-dlq.fifo")
    assert stack.there("Updates", "AWS::SQS::Queue")["FifoQueue"] is True
    assert client("dynamodb").list_tables()["TableNames"] == []
    allow = stack.resolved.properties("DeadLetters")["RedriveAllowPolicy"]
    assert allow["sourceQueueArns"] == [stack.resolved.values["Updates.Arn"]]
    assert [it["Sid"] for it in stack.resolved.properties("UpdatesPolicy")["PolicyDocument"]["Statement"]] == [
        "TlsAlone"
    ]
    assert "AlarmActions" not in stack.resolved.properties("NoProgress")


def test_without_an_index_the_audit_table_has_its_key_alone(deploy: Callable[..., Stack]) -> None:
    stack = deploy(RecordKeyIndex="false")
    there = stack.there("AuditTable", "AWS::DynamoDB::Table")
    assert there["GlobalSecondaryIndexes"] == []
    assert there["AttributeDefinitions"] == [{"AttributeName": "log_id", "AttributeType": "S"}]


def test_instances_answer_to_imdsv2_alone_and_are_told_of_the_queue(deploy: Callable[..., Stack]) -> None:
    stack = deploy()
    data = stack.there("LaunchTemplate", "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert (data["MetadataOptions"]["HttpTokens"], data["MetadataOptions"]["HttpPutResponseHopLimit"]) == (
        "required",
        1,
    )
    settings = f"TABLE_NAME=users\nQUEUE_URL={stack.made['Updates']}\nDLQ_URL={stack.made['DeadLetters']}\n"
    assert settings in data["UserData"] and len(data["UserData"]) < 16384
