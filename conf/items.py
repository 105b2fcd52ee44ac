"""DynamoDB's typed values and plain ones: {"a": {"S": "x"}} and {"a": "x"}."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

_to_python = TypeDeserializer().deserialize
_to_dynamodb = TypeSerializer().serialize


def _plain(value: Any) -> Any:
    """A value as JSON would have it: whole numbers as int, others as Decimal, binaries as bytes."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 10**38 else value
    if isinstance(value, Binary):
        return bytes(value)
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if isinstance(value, dict):
        return {name: _plain(element) for name, element in value.items()}
    return value


def from_item(item: dict[str, Any]) -> dict[str, Any]:
    """{"a": {"S": "x"}} as {"a": "x"}."""
    return {name: _plain(_to_python(value)) for name, value in item.items()}


def to_item(record: dict[str, Any]) -> dict[str, Any]:
    """{"a": "x"} as {"a": {"S": "x"}}."""
    return {
        name: _to_dynamodb(Decimal(repr(value)) if isinstance(value, float) else value)
        for name, value in record.items()
    }
