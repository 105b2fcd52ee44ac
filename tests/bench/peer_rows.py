"""What the checks of rows are compared with: a file of rows through Python's json or csv, with the plainest checks."""

from __future__ import annotations

import csv
import json
import sys

MEMBERS = {"id", "attributes", "enable_logging", "condition_expression", "idempotency_key"}


def check(row: object) -> None:
    if not isinstance(row, dict) or row.keys() - MEMBERS or not row.get("id") or not row.get("attributes"):
        raise ValueError(row)
    if not isinstance(row["id"], (str, int)) or not isinstance(row["attributes"], dict):
        raise ValueError(row)
    for name, value in row["attributes"].items():
        if not name or isinstance(value, (int, float)) and len(str(value)) > 40:
            raise ValueError(row)


def rows_of_csv(path: str):
    with open(path, newline="") as file:
        reader = csv.reader(file, strict=True)
        names = [column.partition(":")[::2] for column in next(reader)]
        for fields in reader:
            if len(fields) != len(names):
                raise ValueError(fields)
            values = {}
            for (name, kind), text in zip(names, fields):
                values[name] = json.loads(text) if kind == "N" else text
            yield {"id": values.pop("id"), "attributes": values}


def rows_of_json(path: str):
    with open(path) as file:
        for line in file:
            yield json.loads(line)


def main() -> None:
    path = sys.argv[1]
    for row in (rows_of_csv if path.endswith(".csv") else rows_of_json)(path):
        check(row)


if __name__ == "__main__":
    main()
