"""Queues of a test: making them, sending to them, and reading out what is left."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from harness.polling import wait_until

_BATCH = 10


@dataclass(frozen=True)
class Sent:
    """A message that SQS took."""

    message_id: str
    body: str

    @property
    def key(self) -> str:
        """Its idempotency key: the body's own, else the MessageId."""
        try:
            return json.loads(self.body)["idempotency_key"]
        except (ValueError, KeyError, TypeError):
            return self.message_id


@dataclass(frozen=True)
class Received:
    """A message that was read out of a queue."""

    message_id: str
    body: str
    attributes: dict[str, str] = field(default_factory=dict)
    system: dict[str, str] = field(default_factory=dict)
    typed: dict[str, Any] = field(default_factory=dict)  # the attributes as SQS has them

    @property
    def envelope(self) -> dict[str, Any]:
        """The DLQ message's error envelope, whichever form it has."""
        return json.loads(self.attributes.get("ErrorEnvelope") or self.body)

    @property
    def error(self) -> str:
        return self.attributes["ErrorType"]

    @property
    def source(self) -> dict[str, Any]:
        return self.envelope["details"]["source"]

    @property
    def original_body(self) -> str:
        return self.source.get("body", self.body)


@dataclass(frozen=True)
class Counts:
    """What a queue says it holds."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True)
class Queue:
    """A queue that a test made."""

    client: Any
    name: str
    url: str

    @property
    def fifo(self) -> bool:
        return self.name.endswith(".fifo")

    def send(self, *bodies: str | dict[str, Any], group: str = "g", delay: int | None = None) -> list[Sent]:
        """Sends bodies in order: text as it is, an object as JSON. group is for FIFO queues."""
        texts = [body if isinstance(body, str) else json.dumps(body, ensure_ascii=False) for body in bodies]
        return [
            sent
            for start in range(0, len(texts), _BATCH)
            for sent in self._send_batch(texts[start : start + _BATCH], group, delay)
        ]

    def _send_batch(self, texts: list[str], group: str, delay: int | None) -> list[Sent]:
        extra: dict[str, Any] = {} if delay is None else {"DelaySeconds": delay}
        entries = [
            {"Id": str(i), "MessageBody": text, **extra}
            | ({"MessageGroupId": group, "MessageDeduplicationId": uuid.uuid4().hex} if self.fifo else {})
            for i, text in enumerate(texts)
        ]
        answer = self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
        assert not answer.get("Failed"), answer["Failed"]
        ids = {entry["Id"]: entry["MessageId"] for entry in answer["Successful"]}
        return [Sent(ids[str(i)], text) for i, text in enumerate(texts)]

    def send_message(self, **request: Any) -> Sent:
        """Sends one message with whatever SendMessage takes (message attributes, say)."""
        answer = self.client.send_message(QueueUrl=self.url, **request)
        return Sent(answer["MessageId"], request["MessageBody"])

    def counts(self) -> Counts:
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        attributes = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return Counts(*(int(attributes[name]) for name in names))

    def wait_until_empty(self) -> None:
        """Waits until nothing is visible, in flight or delayed."""
        wait_until(lambda: self.counts().total == 0, f"an empty queue {self.name}")

    def wait_for(self, count: int) -> None:
        """Waits until the queue holds count messages in all."""
        wait_until(lambda: self.counts().total == count, f"{count} messages in {self.name}")

    def receive(self, limit: int = _BATCH, visibility: int = 43200) -> list[dict[str, Any]]:
        """One ReceiveMessage with all attributes, as boto3 answers it."""
        answer = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=limit,
            VisibilityTimeout=visibility,
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    def drain(self) -> list[Received]:
        """Reads every visible message out and deletes it."""
        taken: list[Received] = []
        while messages := self.receive():
            for message in messages:
                typed = message.get("MessageAttributes", {})
                attributes = {name: value["StringValue"] for name, value in typed.items() if "StringValue" in value}
                taken.append(Received(message["MessageId"], message["Body"], attributes, message["Attributes"], typed))
                self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def delete(self) -> None:
        """Deletes the queue."""
        self.client.delete_queue(QueueUrl=self.url)


def make_queue(
    client: Any,
    name: str,
    visibility: int = 30,
    dlq: Queue | None = None,
    max_receive_count: int = 1000,
    fifo: bool = False,
    **attributes: str,
) -> Queue:
    """Makes a queue. dlq: the target of its redrive policy."""
    wanted = {"VisibilityTimeout": str(visibility), **attributes}
    if fifo:
        name += ".fifo"
        wanted["FifoQueue"] = "true"
    if dlq:
        arn = client.get_queue_attributes(QueueUrl=dlq.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        wanted["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receive_count})
    return Queue(client, name, client.create_queue(QueueName=name, Attributes=wanted)["QueueUrl"])
