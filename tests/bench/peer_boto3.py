#!/usr/bin/env python3
"""The same work as people do it with boto3: receive ten, write each with its audit record in one transaction, delete
the ten.

Works until the queue gives nothing any more. The settings are table-updater's own variables (TABLE_NAME,
AUDIT_LOG_TABLE, QUEUE_URL, AWS_…).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import threading
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer
from botocore.config import Config


class Peer:
    """One process of threads, as a service in Python has them; the clients are shared, which boto3 allows."""

    def __init__(self, threads: int) -> None:
        config = Config(max_pool_connections=threads, retries={"mode": "standard"})
        session = boto3.Session()
        self._sqs = session.client("sqs", config=config)
        self._dynamodb = session.client("dynamodb", config=config)
        self._queue = os.environ["QUEUE_URL"]
        if "://" not in self._queue:
            self._queue = self._sqs.get_queue_url(QueueName=self._queue)["QueueUrl"]
        self._table, self._audit = os.environ["TABLE_NAME"], os.environ["AUDIT_LOG_TABLE"]
        self._serialize = TypeSerializer().serialize
        self.errors: list[BaseException] = []

    def _transaction(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        """The update of a message, with the condition that the messages of the measurements have, and its audit
        record."""
        update = json.loads(message["Body"], parse_float=Decimal)
        attributes = update["attributes"]
        names = {f"#{n}": name for n, name in enumerate(attributes)} | {"#id": "id", "#version": "version"}
        values = {f":{n}": self._serialize(value) for n, value in enumerate(attributes.values())}
        values[":limit"] = {"N": update["condition_expression"].rsplit(" ", 1)[1]}
        changed = {
            "TableName": self._table,
            "Key": {"id": {"S": update["id"]}},
            "UpdateExpression": "SET " + ", ".join(f"#{n} = :{n}" for n in range(len(attributes))),
            "ConditionExpression": "attribute_exists(#id) AND #version < :limit",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        audit = {
            "log_id": hashlib.sha256(f"{self._table}\0{message['MessageId']}".encode()).hexdigest(),
            "timestamp": datetime.now(timezone.utc).isoformat(),
            "table_name": self._table,
            "record_id": update["id"],
            "updated_attributes": attributes,
            "user_agent": "peer",
            "status": "success",
            "idempotency_key": message["MessageId"],
            "request_hash": hashlib.sha256(message["Body"].encode()).hexdigest(),
        }
        put = {
            "TableName": self._audit,
            "Item": {name: self._serialize(value) for name, value in audit.items()},
            "ConditionExpression": "attribute_not_exists(log_id)",
        }
        return [{"Update": changed}] + ([{"Put": put}] if update["enable_logging"] else [])

    def _batch(self) -> bool:
        """Works on up to ten messages. False: there were none."""
        answer = self._sqs.receive_message(
            QueueUrl=self._queue,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )
        messages = answer.get("Messages", [])
        for message in messages:
            self._dynamodb.transact_write_items(
                TransactItems=self._transaction(message), ClientRequestToken=message["MessageId"]
            )
        if messages:
            entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
            self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=entries)
        return bool(messages)

    def work(self) -> None:
        try:
            while self._batch():
                pass
        except Exception as error:  # noqa: BLE001 the main thread tells it
            self.errors.append(error)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=8)
    chosen = parser.parse_args()
    peer = Peer(chosen.threads)
    threads = [threading.Thread(target=peer.work) for _ in range(chosen.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in peer.errors:
        print(f"peer_boto3: {error!r}", file=sys.stderr)
    return 1 if peer.errors else 0


if __name__ == "__main__":
    sys.exit(main())
