"""Shows table-updater at work on local servers: sends it a message of every outcome and prints what became of each."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from items import from_item, to_item
from local_services import Cloud, ServiceError, isolate_environment, start_cloud

USERS, ORDERS, AUDIT, QUEUE, DLQ = "users", "orders", "audit_logs", "updates", "updates-dead"
USUAL_PORTS = (8000, 9324)
_PATIENCE = 300

RECORDS = [
    {"id": "user-123", "name": "J. Doe", "status": "invited"},
    {"id": "user-456", "name": "Ada", "status": "suspended", "version": 7},
]
ORDER = {"customer": "user-123", "number": 1, "state": "open"}

_JOHN = {"name": "John Doe", "email": "john@example.com", "status": "active"}
_ONCE = {
    "id": "user-456",
    "attributes": {"version": 8},
    "condition_expression": "version = 7",
    "idempotency_key": "change-8",
}


class Case(NamedTuple):
    """A message and what it stands for."""

    what: str
    body: str
    key: str | None = None


def _case(what: str, message: dict[str, Any]) -> Case:
    return Case(what, json.dumps(message), message.get("idempotency_key"))


CASES = [
    _case("an update, with its audit record", {"id": "user-123", "attributes": _JOHN, "enable_logging": True}),
    _case("a new version, if the old one is 7", _ONCE),
    _case("the same message, delivered again", _ONCE),
    _case(
        "a condition that is false",
        {"id": "user-456", "attributes": {"status": "active"}, "condition_expression": "version < 5 OR status = 'new'"},
    ),
    _case("a record that doesn't exist", {"id": "user-999", "attributes": {"status": "active"}}),
    _case("a misspelt member", {"id": "user-456", "attributes": {"a": 1}, "condition_expresion": "version < 5"}),
    _case("a number out of range", {"id": "user-456", "attributes": {"balance": 1e126}}),
    _case("nothing in it", {}),
    Case("not JSON", '{"id": "user-456", "attributes": {"status": active}}'),
]

APPLIED = [
    {
        "id": {"customer": "user-123", "number": 1},
        "attributes": {"state": "paid", "items": [{"sku": "x-1", "count": 2}]},
    },
    {"id": {"customer": "user-123", "number": 2}, "attributes": {"state": "paid"}},
]


class DemoError(Exception):
    """table-updater did not do what it should; the text says where to look."""


def compact(value: Any) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False, default=str)


def heading(text: str) -> None:
    """A line between parts."""
    print(f"\n== {text}")


def make_table(client: Any, name: str, *keys: tuple[str, str]) -> None:
    """Makes a table with a partition key and perhaps a sort key, each (name, type)."""
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": role} for (key, _), role in zip(keys, ("HASH", "RANGE"))],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys],
        BillingMode="PAY_PER_REQUEST",
    )


def make_queues(client: Any) -> tuple[str, str]:
    """Makes the DLQ and the queue whose redrive policy names it. Their URLs: queue, DLQ."""
    dlq = client.create_queue(QueueName=DLQ)["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 100})
    return client.create_queue(QueueName=QUEUE, Attributes={"RedrivePolicy": policy})["QueueUrl"], dlq


def records(client: Any, table: str) -> list[dict[str, Any]]:
    """What stands in a table, in the order of its keys, which come first in each record."""
    keys = [key["AttributeName"] for key in client.describe_table(TableName=table)["Table"]["KeySchema"]]
    found = [from_item(item) for item in client.scan(TableName=table, ConsistentRead=True)["Items"]]
    found.sort(key=lambda record: [str(record[key]) for key in keys])
    return [{name: record[name] for name in [*keys, *sorted(record.keys() - set(keys))]} for record in found]


def dead_letters(client: Any, url: str) -> dict[str, dict[str, Any]]:
    """What stands in the DLQ, by the MessageId of the message it was made from; it stays there."""
    found: dict[str, dict[str, Any]] = {}
    while messages := client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=20, MessageAttributeNames=["All"]
    ).get("Messages"):
        for message in messages:
            found[json.loads(message["Body"])["details"]["source"]["message_id"]] = message
    for message in found.values():
        client.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    return found


class Demo:
    """One demonstration, on servers that run."""

    def __init__(self, binary: Path, cloud: Cloud, folder: Path) -> None:
        self.binary = binary
        self.folder = folder
        self.dynamodb = cloud.client("dynamodb")
        self.sqs = cloud.client("sqs")
        self.settings = {**cloud.environment(), "METRICS_ADDRESS": "off"}
        make_table(self.dynamodb, USERS, ("id", "S"))
        make_table(self.dynamodb, ORDERS, ("customer", "S"), ("number", "N"))
        make_table(self.dynamodb, AUDIT, ("log_id", "S"))
        self.queue, self.dlq = make_queues(self.sqs)
        for table, rows in ((USERS, RECORDS), (ORDERS, [ORDER])):
            for row in rows:
                self.dynamodb.put_item(TableName=table, Item=to_item(row))

    def call(self, *arguments: str, expected: tuple[int, ...], stdin: str = "", **settings: str) -> str:
        """Runs table-updater and returns its standard output; its log goes to a file."""
        log = self.folder / f"{arguments[0]}.log"
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.settings, **settings}
        with log.open("w") as sink:
            try:
                done = subprocess.run(
                    [self.binary, *arguments],
                    env=environment,
                    input=stdin,
                    stdout=subprocess.PIPE,
                    stderr=sink,
                    text=True,
                    timeout=_PATIENCE,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise DemoError(
                    f"table-updater {arguments[0]} hasn't ended after {_PATIENCE} s; its log is {log}"
                ) from None
        if done.returncode not in expected:
            tail = "\n".join(log.read_text().splitlines()[-10:])
            raise DemoError(
                f"table-updater {arguments[0]} ended with {done.returncode}; its log, {log}, ends with\n{tail}"
            )
        return done.stdout

    def show_queue(self) -> None:
        """Sends all cases, lets the daemon work them off, and shows what became of each."""
        heading("1. Records, and messages on the queue")
        for record in records(self.dynamodb, USERS):
            print(f"   {compact(record)}")
        sent = [self.sqs.send_message(QueueUrl=self.queue, MessageBody=case.body)["MessageId"] for case in CASES]
        for number, case in enumerate(CASES, 1):
            print(f"{number:2} {case.what}\n   {case.body}")

        heading("2. $ table-updater run --until-empty")
        self.call(
            "run", "--until-empty", expected=(0,), TABLE_NAME=USERS, QUEUE_URL=self.queue, ENABLE_AUDIT_LOG="true"
        )
        dead = dead_letters(self.sqs, self.dlq)
        applied = {
            record["idempotency_key"] for record in records(self.dynamodb, AUDIT) if record["status"] == "success"
        }
        seen: set[str] = set()
        for number, (identity, case) in enumerate(zip(sent, CASES), 1):
            key = case.key or identity
            if identity in dead:
                outcome = self.failure(dead[identity])
            elif key in applied:
                outcome = "applied before, under this idempotency key: no second effect" if key in seen else "applied"
            else:
                outcome = "neither applied nor in the DLQ"
            seen.add(key)
            print(f"{number:2} {case.what:36}{outcome}")

        heading("3. What stands there now: the records, the audit table, and one DLQ message as it is")
        for record in records(self.dynamodb, USERS):
            print(f"   {compact(record)}")
        for record in records(self.dynamodb, AUDIT):
            shown = {
                name: record[name]
                for name in ("status", "error", "record_id", "updated_attributes", "idempotency_key")
                if name in record
            }
            print(f"   {record['log_id'][:8]}… {compact(shown)}")
        if dead:
            print(f"   {next(dead[identity] for identity in sent if identity in dead)['Body']}")

    @staticmethod
    def failure(letter: dict[str, Any]) -> str:
        """What a DLQ message says, in short."""
        envelope = json.loads(letter["Body"])
        status = letter["MessageAttributes"]["StatusCode"]["StringValue"]
        details = {name: value for name, value in envelope["details"].items() if name != "source"}
        return f"DLQ: {status} {envelope['error']}: {envelope['message']}\n{'':39}{compact(details)}"

    def show_apply(self) -> None:
        """Applies messages without a queue, on a table with a sort key."""
        heading("4. Without a queue, on a table with a sort key: $ table-updater apply")
        lines = [compact(message) for message in APPLIED]
        answers = self.call("apply", expected=(0, 1), stdin="\n".join(lines) + "\n", TABLE_NAME=ORDERS)
        for line, answer in zip(lines, answers.splitlines()):
            print(f"   {line}\n-> {answer}")
        for record in records(self.dynamodb, ORDERS):
            print(f"   {compact(record)}")

    def how_to_go_on(self, cloud: Cloud) -> str:
        """The commands for going on by hand."""
        settings = {**self.settings, "TABLE_NAME": USERS, "QUEUE_URL": self.queue, "ENABLE_AUDIT_LOG": "true"}
        exports = "\n".join(f"  export {name}={value}" for name, value in settings.items())
        body = (
            '{"id": "user-123", "attributes": {"status": "away"}, '
            '"condition_expression": "status = \'active\'"}'.replace("'", "'\\''")
        )
        sqs, dynamodb = (f"aws --endpoint-url {server.url}" for server in (cloud.sqs_server, cloud.dynamodb_server))
        return f"""
Both servers go on running. In a shell:
{exports}
Send a message, work it off, look at the table, the audit table and the DLQ (needs the AWS CLI):
  {sqs} sqs send-message --queue-url {self.queue} --message-body '{body}'
  {self.binary} run --until-empty
  {dynamodb} dynamodb scan --table-name {USERS}
  {dynamodb} dynamodb scan --table-name {AUDIT}
  {sqs} sqs receive-message --queue-url {self.dlq} --max-number-of-messages 10 --message-attribute-names All
Stop them:
  kill {cloud.dynamodb_server.process.pid} {cloud.sqs_server.process.pid}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True, help="the table-updater to show")
    parser.add_argument("--keep", action="store_true", help="leave the servers running")
    options = parser.parse_args()
    isolate_environment()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    folder = Path(tempfile.mkdtemp(prefix="table-updater-"))
    cloud = None
    failed = kept = False
    try:
        cloud = start_cloud(folder, USUAL_PORTS, outlive=options.keep)
        print(f"DynamoDB Local: {cloud.dynamodb_server.url}   ElasticMQ: {cloud.sqs_server.url}")
        print(
            "(DynamoDB Local listens on all addresses of this machine: it has no option against it. It comes "
            "under its vendor's own licence.)"
        )
        demo = Demo(options.binary.resolve(), cloud, folder)
        demo.show_queue()
        demo.show_apply()
        if options.keep:
            print(demo.how_to_go_on(cloud))
            kept = True
    except (DemoError, ServiceError) as error:
        failed = True
        sys.stdout.flush()
        print(f"quickstart: {error}", file=sys.stderr)
    finally:
        if cloud and not kept:
            cloud.stop()
        if not failed:
            shutil.rmtree(folder)
    return int(failed)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
