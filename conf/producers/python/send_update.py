"""Sends update messages with boto3: python3 send_update.py QUEUE_URL ORDER_ID

Traps of Python, and what to_json() does about them:
- json.dumps(..., default=str) stores a datetime, a Decimal, bytes or a set as text of Python's: nothing fails, and the
  table has '{1, 2}'. Here what isn't plain JSON is an error, but for what has a form of its own.
- NaN and Infinity are written as such, which isn't JSON: allow_nan=False.
- A Decimal that goes through float loses its digits. Numbers that must keep them go into typed_attributes as text.
"""

from __future__ import annotations

import base64
import json
import sys
from decimal import Decimal
from typing import Any

import boto3


def typed(value: Any) -> dict[str, Any]:
    """A value for typed_attributes: exact numbers, bytes, and sets of them or of strings."""
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return {"N": str(value)}
    if isinstance(value, bytes):
        return {"B": base64.b64encode(value).decode()}
    if isinstance(value, (set, frozenset)) and value:
        members = [typed(member) if not isinstance(member, str) else {"S": member} for member in value]
        (kind,) = {name for member in members for name in member}
        return {kind + "S": sorted(member[kind] for member in members)}
    raise TypeError(f"no typed value: {type(value).__name__}")


def to_json(message: dict[str, Any]) -> str:
    """A message's text; a TypeError or ValueError where something isn't plain JSON."""
    return json.dumps(message, allow_nan=False, ensure_ascii=False)


def send(sqs: Any, queue_url: str, messages: list[dict[str, Any]]) -> None:
    """Sends in batches of ten; what fails is sent again, for the same key has one effect."""
    waiting = [{"Id": str(at), "MessageBody": to_json(message)} for at, message in enumerate(messages)]
    for _ in range(5):
        left = []
        for at in range(0, len(waiting), 10):
            batch = waiting[at : at + 10]
            failed = {
                entry["Id"] for entry in sqs.send_message_batch(QueueUrl=queue_url, Entries=batch).get("Failed", [])
            }
            left += [entry for entry in batch if entry["Id"] in failed]
        waiting = left
        if not waiting:
            return
    raise RuntimeError(f"{len(waiting)} messages could not be sent")


def shipped(order_id: str) -> dict[str, Any]:
    """The update that follows an order's shipping. Its key is the event's own name: whoever sends it, and however
    often, it happens once."""
    return {
        "id": order_id,
        "attributes": {"state": "shipped", "note": 'Größe < 5 & "blue"', "price": 19.99},
        "typed_attributes": {
            "serial": typed(12345678901234567890),
            "weight": typed(Decimal("0.1000000000000000055511151231257827")),
            "label": typed(b"\x00\xff"),
            "tags": typed({"fragile", "gift"}),
        },
        "increment": {"parcels": 1},
        "condition_expression": "state <> 'cancelled' AND parcels < 5",
        "enable_logging": True,
        "idempotency_key": f"order:{order_id}:shipped",
    }


if __name__ == "__main__":
    send(boto3.client("sqs"), sys.argv[1], [shipped(sys.argv[2])])
