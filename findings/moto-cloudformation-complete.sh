#!/usr/bin/env bash
# moto 5.2.1: a stack is CREATE_COMPLETE, and so is each of its resources, though some weren't made and others lack properties.
#
# Kinds that moto's CloudFormation doesn't know (an alarm, a queue policy) are listed as CREATE_COMPLETE with an empty logical
# id; a UserWarning is all one hears. Properties of kinds that it knows go without any warning: a queue's
# RedriveAllowPolicy, a table's time to live and point-in-time recovery. A test that deploys a template to moto has to ask
# each service what is there; the stack's status shows nothing.
#
# Seen on 2026-11-29 (boto3 1.44.8, Python 3.11):
#   stack: CREATE_COMPLETE
#   resources: '' CREATE_COMPLETE, '' CREATE_COMPLETE, Dead CREATE_COMPLETE, Queue CREATE_COMPLETE, Table CREATE_COMPLETE
#   alarms: 0
#   RedriveAllowPolicy: None
#   queue policy: None
#   time to live: DISABLED
#   point-in-time recovery: DISABLED
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install 'moto[cloudformation,sqs,dynamodb,cloudwatch]==5.2.1' boto3==1.44.8 botocore==1.44.8

cat >deploy.py <<'PYTHON'
import json
import warnings

import boto3
from moto import mock_aws

warnings.simplefilter("ignore")
deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
template = {
    "Dead": {
        "Type": "AWS::SQS::Queue",
        "Properties": {"QueueName": "dead", "RedriveAllowPolicy": {"redrivePermission": "denyAll"}},
    },
    "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "work"}},
    "Policy": {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": [deny]}},
    },
    "Alarm": {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": "dead"}],
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
        },
    },
    "Table": {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": "records",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        },
    },
}


def client(service):
    return boto3.client(service, region_name="eu-west-1", aws_access_key_id="example", aws_secret_access_key="example")


def attribute(queue, name):
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"].get(name)


with mock_aws():
    stacks, dynamodb = client("cloudformation"), client("dynamodb")
    stacks.create_stack(StackName="example", TemplateBody=json.dumps({"Resources": template}))
    print("stack:", stacks.describe_stacks(StackName="example")["Stacks"][0]["StackStatus"])
    made = stacks.list_stack_resources(StackName="example")["StackResourceSummaries"]
    names = sorted((each["LogicalResourceId"], each["ResourceStatus"]) for each in made)
    print("resources:", ", ".join(f"{name or repr(name)} {status}" for name, status in names))
    print("alarms:", len(client("cloudwatch").describe_alarms()["MetricAlarms"]))
    print("RedriveAllowPolicy:", attribute("dead", "RedriveAllowPolicy"))
    print("queue policy:", attribute("work", "Policy"))
    lives = dynamodb.describe_time_to_live(TableName="records")["TimeToLiveDescription"]
    print("time to live:", lives["TimeToLiveStatus"])
    backups = dynamodb.describe_continuous_backups(TableName="records")["ContinuousBackupsDescription"]
    print("point-in-time recovery:", backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"])
PYTHON
venv/bin/python deploy.py 2>/dev/null | tee found
diff - found <<'EXPECTED'
stack: CREATE_COMPLETE
resources: '' CREATE_COMPLETE, '' CREATE_COMPLETE, Dead CREATE_COMPLETE, Queue CREATE_COMPLETE, Table CREATE_COMPLETE
alarms: 0
RedriveAllowPolicy: None
queue policy: None
time to live: DISABLED
point-in-time recovery: DISABLED
EXPECTED
echo 'as found'
