"""What enqueue is compared with: a file of JSON lines onto the queue with boto3, ten a request, eight threads."""

from __future__ import annotations

import json
import os
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Iterator

import boto3
from botocore.config import Config

THREADS = 8


def batches(path: str) -> Iterator[list[str]]:
    with open(path) as file:
        while lines := list(islice(file, 10)):
            yield lines


def main() -> None:
    client = boto3.client("sqs", config=Config(max_pool_connections=THREADS))
    url = client.get_queue_url(QueueName=os.environ["QUEUE_URL"])["QueueUrl"]

    def send(lines: list[str]) -> None:
        entries = []
        for number, line in enumerate(lines):
            body = json.loads(line)
            body.setdefault("idempotency_key", uuid.uuid4().hex)
            entries.append({"Id": str(number), "MessageBody": json.dumps(body)})
        answer = client.send_message_batch(QueueUrl=url, Entries=entries)
        if answer.get("Failed"):
            raise RuntimeError(answer["Failed"])

    with ThreadPoolExecutor(THREADS) as pool:
        waiting = []
        for lines in batches(sys.argv[1]):
            waiting.append(pool.submit(send, lines))
            if len(waiting) >= 4 * THREADS:
                waiting.pop(0).result()
        for one in waiting:
            one.result()


if __name__ == "__main__":
    main()
