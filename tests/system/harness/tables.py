"""Tables of a test: making them, and reading what stands in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator

from items import from_item, to_item


@dataclass(frozen=True)
class Table:
    """A table that a test made."""

    client: Any
    name: str
    key: tuple[str, ...]

    def put(self, *records: dict[str, Any]) -> None:
        """Stores records, given as plain JSON values."""
        for record in records:
            self.client.put_item(TableName=self.name, Item=to_item(record))

    def get(self, *key: Any) -> dict[str, Any] | None:
        """The record with these key values, or None."""
        wanted = to_item(dict(zip(self.key, key, strict=True)))
        answer = self.client.get_item(TableName=self.name, Key=wanted, ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def items(self) -> Iterator[dict[str, Any]]:
        """All items in DynamoDB's own form."""
        for page in self.client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True):
            yield from page["Items"]

    def scan(self) -> list[dict[str, Any]]:
        """All records as plain values, sorted by key."""
        records = [from_item(item) for item in self.items()]
        return sorted(records, key=lambda record: [str(record[name]) for name in self.key])

    def delete(self) -> None:
        """Deletes the table, as an operator might by mistake."""
        self.client.delete_table(TableName=self.name)


def make_table(
    client: Any,
    name: str,
    partition: str = "id",
    kind: str = "S",
    sort: tuple[str, str] | None = None,
    gsi: dict[str, str] | None = None,
) -> Table:
    """Makes a table with an empty start. sort: (name, type). gsi: attribute → type, each the key of an index of its
    own."""
    keys = [(partition, kind, "HASH")] + ([(*sort, "RANGE")] if sort else [])
    indexes = [
        {
            "IndexName": f"by_{attribute}",
            "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        for attribute in gsi or {}
    ]
    types = {attribute: kind for attribute, kind, _ in keys} | (gsi or {})
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": attribute, "KeyType": role} for attribute, _, role in keys],
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": kind} for attribute, kind in types.items()],
        BillingMode="PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )
    return Table(client, name, tuple(attribute for attribute, _, _ in keys))
