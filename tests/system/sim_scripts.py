"""Plays the scripts of tests/sim/conformance against real servers, with the outcomes spelt as tests/sim/conformance.c
spells them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Callable

import botocore.exceptions
from harness.polling import wait_until
from harness.queues import Queue

Step = dict[str, Any]
Outcome = Any


def _refusal(error: botocore.exceptions.ClientError) -> str:
    """The exception's name without its namespace."""
    return error.response["Error"]["Code"].rpartition("#")[2]


@dataclass
class Queues:
    """One script's queues, and what it has seen of them."""

    sqs: Any
    queues: dict[str, Queue]
    handles: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def _url(self, step: Step) -> str:
        name = step.get("queue", "queue")
        return self.queues[name].url if name in self.queues else self.queues["queue"].url + "-missing"

    def send(self, step: Step) -> Outcome:
        names = {"body": "MessageBody", "group": "MessageGroupId", "dedup": "MessageDeduplicationId"}
        entries = [
            {"Id": str(i)} | {names[name]: value for name, value in entry.items()}
            for i, entry in enumerate(step["entries"])
        ]
        answer = self.sqs.send_message_batch(QueueUrl=self._url(step), Entries=entries)
        outcome = {int(failed["Id"]): "refused" for failed in answer.get("Failed", [])}
        for place, message_id in sorted((int(sent["Id"]), sent["MessageId"]) for sent in answer.get("Successful", [])):
            outcome[place] = f"as {self.ids[message_id]}" if message_id in self.ids else "ok"
            self.ids.setdefault(message_id, step["entries"][place]["body"])
        return [outcome.get(i, "not named") for i in range(len(entries))]

    def _symbol(self, body: str, handle: str) -> str:
        for symbol, known in self.handles.items():
            if known == handle:
                return symbol
        count = sum(symbol.rpartition("@")[0] == body for symbol in self.handles) + 1
        self.handles[f"{body}@{count}"] = handle
        return f"{body}@{count}"

    def receive(self, step: Step) -> Outcome:
        attempt = {"ReceiveRequestAttemptId": step["attempt"]} if "attempt" in step else {}
        answer = self.sqs.receive_message(
            QueueUrl=self._url(step),
            MaxNumberOfMessages=step.get("max", 10),
            VisibilityTimeout=step.get("visibility", 30),
            WaitTimeSeconds=step.get("wait", 0),
            MessageSystemAttributeNames=["All"],
            **attempt,
        )
        lines = []
        for message in answer.get("Messages", []):
            group = message["Attributes"].get("MessageGroupId")
            symbol = self._symbol(message["Body"], message["ReceiptHandle"])
            lines.append(
                f"{symbol} count {message['Attributes']['ApproximateReceiveCount']}"
                + (f" group {group}" if group else "")
            )
        return lines if self.queues["queue"].fifo else sorted(lines)

    def _entries(self, answer: dict[str, Any], count: int) -> Outcome:
        outcome = {int(failed["Id"]): "refused" for failed in answer.get("Failed", [])}
        outcome |= {int(entry["Id"]): "ok" for entry in answer.get("Successful", [])}
        return [outcome.get(i, "not named") for i in range(count)]

    def delete(self, step: Step) -> Outcome:
        entries = [
            {"Id": str(i), "ReceiptHandle": self.handles.get(symbol, symbol)}
            for i, symbol in enumerate(step["handles"])
        ]
        return self._entries(self.sqs.delete_message_batch(QueueUrl=self._url(step), Entries=entries), len(entries))

    def change(self, step: Step) -> Outcome:
        entries = [
            {
                "Id": str(i),
                "ReceiptHandle": self.handles.get(entry["handle"], entry["handle"]),
                "VisibilityTimeout": entry["seconds"],
            }
            for i, entry in enumerate(step["entries"])
        ]
        return self._entries(
            self.sqs.change_message_visibility_batch(QueueUrl=self._url(step), Entries=entries), len(entries)
        )

    def counts(self, step: Step) -> Outcome:
        counts = self.queues[step.get("queue", "queue")].counts()
        return f"{counts.visible} visible, {counts.in_flight} in flight, {counts.delayed} delayed"

    def wait(self, step: Step) -> Outcome:
        queue = self.queues[step.get("queue", "queue")]
        wait_until(lambda: queue.counts().visible == step["visible"], f"{step['visible']} visible messages")
        return "ok"


@dataclass
class Tables:
    """One script's tables. names: the script's name of a table → the server's. stem: what no other script's tokens
    begin with."""

    dynamodb: Any
    names: dict[str, str]
    actions: dict[str, Any]
    stem: str

    def _named(self, value: Any) -> Any:
        """A request with the server's names of the tables."""
        if isinstance(value, dict):
            return {
                name: self.names.get(inner, inner) if name == "TableName" else self._named(inner)
                for name, inner in value.items()
            }
        return [self._named(inner) for inner in value] if isinstance(value, list) else value

    def _token(self, token: str) -> str:
        """A token of the script's own, as long as it was where its length matters."""
        return self.stem + (token if len(token) < len(self.stem) else token[len(self.stem) :])

    @staticmethod
    def _seen(item: dict[str, Any]) -> str:
        request_hash = item.get("request_hash", {}).get("S")
        return "item" + (f" {request_hash}" if request_hash else "")

    def _reason(self, reason: dict[str, Any]) -> str:
        return reason["Code"] + (f" with {self._seen(reason['Item'])}" if "Item" in reason else "")

    def transact(self, step: Step) -> Outcome:
        actions = [self.actions[action] if isinstance(action, str) else action for action in step["actions"]]
        token = {"ClientRequestToken": self._token(step["token"])} if "token" in step else {}
        try:
            self.dynamodb.transact_write_items(TransactItems=self._named(actions), **token)
        except self.dynamodb.exceptions.TransactionCanceledException as error:
            return [self._reason(reason) for reason in error.response["CancellationReasons"]]
        return "ok"

    def get(self, step: Step) -> Outcome:
        answer = self.dynamodb.get_item(**self._named(step["request"]))
        return self._seen(answer["Item"]) if "Item" in answer else "none"

    def put(self, step: Step) -> Outcome:
        self.dynamodb.put_item(**self._named(step["request"]))
        return "ok"

    def items(self, step: Step) -> Outcome:
        schema = self.dynamodb.describe_table(TableName=self.names[step["table"]])["Table"]["KeySchema"]
        keys = [key["AttributeName"] for key in sorted(schema, key=lambda key: key["KeyType"])]
        answer = self.dynamodb.scan(TableName=self.names[step["table"]], ConsistentRead=True)
        return {
            json.dumps({name: item[name] for name in keys}, separators=(",", ":")): item for item in answer["Items"]
        }


def play(steps: list[Step], operations: dict[str, Callable[[Step], Outcome]]) -> list[Outcome]:
    """The outcome of each step; of a refused one the exception's name."""
    outcomes: list[Outcome] = []
    for step in steps:
        try:
            outcomes.append(operations[step["do"]](step))
        except botocore.exceptions.ClientError as error:
            outcomes.append(_refusal(error))
    return outcomes
