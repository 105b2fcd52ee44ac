"""The function as people write it with boto3, for AWS's Python runtime (awslambdaric): an update message or an event of
SQS; each update and its audit record in one transaction.

Of the contract it has what such a function needs to be right: members that aren't known or have another type are
refused, an update whose audit record is there counts as applied if it asks for the same, and attributes are in the
order of their names, so that a repetition is the same request. It checks less than table-updater does: no sizes,
digits, depths or index keys, and a condition is taken to be a comparison with a number, as the messages of the
measurements have it."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

THREADS = 16
MEMBERS: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "attributes": (dict,),
    "condition_expression": (str,),
    "enable_logging": (bool,),
    "idempotency_key": (str,),
}
TABLE, AUDIT = os.environ["TABLE_NAME"], os.environ["AUDIT_LOG_TABLE"]
serialize = TypeSerializer().serialize
# Made once for an environment, not for each invocation, as AWS advises.
dynamodb = boto3.client("dynamodb", config=Config(max_pool_connections=THREADS, retries={"mode": "standard"}))


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def failed(error: str, message: str, **details: Any) -> dict[str, Any]:
    return {"success": False, "error": error, "message": message, "details": details, "timestamp": now()}


def request_hash(update: dict[str, Any]) -> str:
    """Of what the update asks for."""
    asked = {name: value for name, value in update.items() if name not in ("enable_logging", "idempotency_key")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def transaction(update: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The update, and its audit record where it asks for one."""
    attributes = dict(sorted(update["attributes"].items()))
    names = {f"#{n}": name for n, name in enumerate(attributes)} | {"#id": "id"}
    values = {f":{n}": serialize(value) for n, value in enumerate(attributes.values())}
    condition = "attribute_exists(#id)"
    if "condition_expression" in update:
        name, operator, number = update["condition_expression"].split()
        names["#c"], values[":c"] = name, serialize(Decimal(number))
        condition += f" AND #c {operator} :c"
    changed = {
        "TableName": TABLE,
        "Key": {"id": {"S": update["id"]}},
        "UpdateExpression": "SET " + ", ".join(f"#{n} = :{n}" for n in range(len(attributes))),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if not update.get("enable_logging"):
        return [{"Update": changed}]
    audit = {
        "log_id": hashlib.sha256(f"{TABLE}\0{key}".encode()).hexdigest(),
        "timestamp": now(),
        "table_name": TABLE,
        "record_id": update["id"],
        "updated_attributes": attributes,
        "user_agent": "peer",
        "status": "success",
        "idempotency_key": key,
        "request_hash": request_hash(update),
        "record_key": update["id"],
    }
    put = {
        "TableName": AUDIT,
        "Item": {name: serialize(value) for name, value in audit.items()},
        "ConditionExpression": "attribute_not_exists(log_id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return [{"Update": changed}, {"Put": put}]


def refusal(update: Any) -> dict[str, Any] | None:
    """The envelope for a message of the wrong shape."""
    if not isinstance(update, dict):
        return failed("InvalidInputError", "The message is no object", position=0)
    missing = [name for name in ("id", "attributes") if not update.get(name)]
    if missing:
        return failed("InvalidInputError", "ID and attributes are required", missing_fields=missing)
    unknown = [name for name in update if name not in MEMBERS]
    invalid = [name for name, types in MEMBERS.items() if name in update and not isinstance(update[name], types)]
    if unknown or invalid:
        fields = {"unknown_fields": unknown, "invalid_fields": invalid}
        return failed(
            "InvalidInputError", "The message has the wrong members", **{n: f for n, f in fields.items() if f}
        )
    return None


def cancelled(update: dict[str, Any], reasons: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The envelope for a cancelled transaction; None: the update was applied before."""
    if len(reasons) > 1 and reasons[1].get("Code") == "ConditionalCheckFailed":
        if reasons[1].get("Item", {}).get("request_hash") == {"S": request_hash(update)}:
            return None
        return failed("ValidationError", "The idempotency key was used for another update", field="idempotency_key")
    name = "ConditionalCheckFailed" if "Item" in reasons[0] else "RecordNotFoundError"
    return failed(name, "The record was not updated", id=update["id"])


def apply(update: Any, key: str) -> dict[str, Any]:
    """The response, or the error envelope."""
    refused = refusal(update)
    if refused:
        return refused
    key = update.get("idempotency_key", key)
    token = hashlib.sha256(f"{key}\0{TABLE}".encode()).hexdigest()[:36]
    try:
        dynamodb.transact_write_items(TransactItems=transaction(update, key), ClientRequestToken=token)
    except dynamodb.exceptions.TransactionCanceledException as error:
        envelope = cancelled(update, error.response["CancellationReasons"])
        if envelope:
            return envelope
    except (ClientError, BotoCoreError) as error:
        return failed("DatabaseError", "The database failed", code=type(error).__name__)
    return {
        "success": True,
        "message": "Record updated successfully",
        "updated_id": update["id"],
        "updated_attributes": list(update["attributes"]),
        "timestamp": now(),
    }


def record(one: dict[str, Any]) -> str | None:
    """A record's id where it has to come again."""
    try:
        update = json.loads(one["body"], parse_float=Decimal)
    except ValueError:
        return one["messageId"]
    return None if apply(update, one["messageId"])["success"] else one["messageId"]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if "Records" not in event:
        return apply(event, context.aws_request_id)
    with ThreadPoolExecutor(THREADS) as threads:
        failures = [name for name in threads.map(record, event["Records"]) if name]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failures]}
