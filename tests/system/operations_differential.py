"""Compares what update messages do with what DynamoDB itself does.

Each generated message has a record of its own, made for it: paths lead through its maps and lists, or beside them.
`apply` works all messages off; a record of the same content is updated by an UpdateItem that is built here, from the
same plan and by other means: a placeholder for each name of each path, sums for all counters. Outcome and whole item
must be the same. Where a rule of ours, or of the audit record, is stricter than the judge, the outcome says so and is
counted by itself.

By itself: DYNAMODB_ENDPOINT=http://127.0.0.1:8000 python3 operations_differential.py [COUNT [SEED]]
"""

from __future__ import annotations

import base64
import json
import os
import random
import re
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, Iterable

NAMES = ["a", "b", "c", "n", "list", "size", "and", "first name", "a.b", "`q`", "é", '"', "#n", "id2"]
KEYWORDS = {"and", "or", "not", "in", "between", "true", "false", "null"}
NUMBERS = [
    "0",
    "1",
    "-1",
    "2.5",
    "100",
    "0.000001",
    "1E-7",
    "1E+38",
    "12345678901234567890123456789012345678",
    "9.9E+125",
    "-9.9E+125",
    "1E-130",
    "99999999999999999999999999999999999999",
]
STRINGS = ["", "a", "it's", 'say "hi"', "é", "\U0001f600", "\n", "x" * 40]
MEMBERS = ["attributes", "typed_attributes", "set", "increment", "append", "remove"]
INDEX_KEY = "indexed"  # a string key of an index

Element = str | int
Plan = tuple[
    str, list[Element], Any
]  # member, path, value: plain JSON with Decimals; typed_attributes: DynamoDB's JSON

# Ours alone: the judge has no audit record, or takes what AWS refuses.
STRICTER = {
    "the audit record": "only the audit record breaks this limit",
    "the audit record's size": "but its audit record has",
    "a type of an index key": "an index has it as a key",
    "a key attribute, before its condition": "a key attribute can't be updated",
    "nesting, before its condition": "nests at most",
    "a number, before its condition": "a number ",
}


def binary_path() -> Path:
    """TABLE_UPDATER, else the test build's."""
    return Path(
        os.environ.get("TABLE_UPDATER") or Path(__file__).resolve().parents[2] / "build" / "test" / "table-updater"
    )


# --- Values
# ----------------------------------------------------------------------------------------------------------------------


def plain(rng: random.Random, depth: int = 0) -> Any:
    """A JSON value."""
    kind = rng.choice(["s", "s", "n", "n", "n", "b", "0"] + (["l", "m"] if depth < 3 else []))
    if kind == "l":
        return [plain(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == "m":
        return {name: plain(rng, depth + 1) for name in rng.sample(NAMES, rng.randrange(4))}
    return {"s": rng.choice(STRINGS), "n": Decimal(rng.choice(NUMBERS)), "b": rng.random() < 0.5, "0": None}[kind]


def typed(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    """A value in DynamoDB's JSON, sets and bytes (as base64) too."""
    kind = rng.choice(["S", "N", "BOOL", "NULL", "B", "SS", "NS", "BS"] + (["L", "M"] if depth < 2 else []))
    coded = [base64.b64encode(value).decode() for value in (b"", b"a", b"ab", b"\0\xff")]
    return {
        kind: {
            "S": lambda: rng.choice(STRINGS),
            "N": lambda: rng.choice(NUMBERS),
            "BOOL": lambda: rng.random() < 0.5,
            "NULL": lambda: True,
            "B": lambda: rng.choice(coded),
            "SS": lambda: rng.sample(STRINGS, rng.randrange(0 if rng.random() < 0.1 else 1, 4)),
            "NS": lambda: rng.sample([*NUMBERS, "1.0"], rng.randrange(1, 4)),
            "BS": lambda: rng.sample(coded, rng.randrange(1, 4)),
            "L": lambda: [typed(rng, depth + 1) for _ in range(rng.randrange(3))],
            "M": lambda: {name: typed(rng, depth + 1) for name in rng.sample(NAMES, rng.randrange(3))},
        }[kind]()
    }


def looks_typed(value: Any) -> bool:
    """Whether a value of ours might be refused for its looks: these have tests of their own."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and next(iter(value)) in {"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}
    )


def plain_values(plan: Plan) -> list[Any]:
    """What of an operation is looked at for its looks."""
    member, _, value = plan
    return [] if member == "typed_attributes" else value if member == "append" else [value]


def nested(levels: int) -> Any:
    """Lists in each other."""
    value: Any = Decimal(1)
    for _ in range(levels):
        value = [value]
    return value


def to_typed(value: Any) -> dict[str, Any]:
    """Plain JSON in DynamoDB's, as boto3 takes it."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if value is None:
        return {"NULL": True}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, Decimal):
        return {"N": str(value)}
    if isinstance(value, list):
        return {"L": [to_typed(element) for element in value]}
    return {"M": {name: to_typed(member) for name, member in value.items()}}


def with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    """DynamoDB's JSON as boto3 takes it."""
    ((kind, content),) = value.items()
    if kind == "B":
        return {"B": base64.b64decode(content)}
    if kind == "BS":
        return {"BS": [base64.b64decode(element) for element in content]}
    if kind == "L":
        return {"L": [with_bytes(element) for element in content]}
    if kind == "M":
        return {"M": {name: with_bytes(member) for name, member in content.items()}}
    return value


def meaning(value: dict[str, Any]) -> Any:
    """What two items are compared by: numbers by value, sets without an order."""
    ((kind, content),) = value.items()
    with localcontext() as context:
        context.prec = 60
        if kind == "N":
            return kind, Decimal(content).normalize()
        if kind == "NS":
            return kind, frozenset(Decimal(element).normalize() for element in content)
    if kind in ("SS", "BS"):
        return kind, frozenset(content)
    if kind == "L":
        return kind, tuple(meaning(element) for element in content)
    if kind == "M":
        return kind, tuple(sorted((name, meaning(member)) for name, member in content.items()))
    return kind, content


def spelt(value: Any, rng: random.Random) -> str:
    """JSON text, with numbers and blanks spelt at random."""
    if isinstance(value, Decimal):
        text = str(value)
        return rng.choice([text, text.replace("E+", "e"), text + ".0" if re.fullmatch(r"-?\d{1,9}", text) else text])
    if isinstance(value, list):
        return "[" + rng.choice([",", ", "]).join(spelt(element, rng) for element in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{spelt(member, rng)}" for name, member in value.items()) + "}"
    return json.dumps(value, ensure_ascii=rng.random() < 0.5)


# --- Plans
# ----------------------------------------------------------------------------------------------------------------------


def random_path(rng: random.Random, item: dict[str, Any]) -> list[Element]:
    """A path that mostly leads through the item: it may end beside it, beyond a list, or in what is no map."""
    here: Any = item
    path: list[Element] = []
    while True:
        if isinstance(here, dict) and here and rng.random() < 0.8:
            path.append(rng.choice(list(here)))
            here = here[path[-1]]
        elif isinstance(here, list) and path and rng.random() < 0.9:
            path.append(rng.choice([*range(len(here)), len(here), len(here) + 3]))
            here = here[path[-1]] if path[-1] < len(here) else None
        else:
            path.append(rng.choice(NAMES) if not path or rng.random() < 0.7 else rng.randrange(3))
            here = None
        if rng.random() < (0.35 if isinstance(here, (dict, list)) else 0.9):
            return path


def random_operation(rng: random.Random, item: dict[str, Any]) -> Plan:
    """One update of a place."""
    member = rng.choice(MEMBERS)
    if member == "attributes":
        return member, [rng.choice(NAMES)], plain(rng)
    if member == "typed_attributes":
        return member, [rng.choice(NAMES)], typed(rng)
    path = ["id"] if rng.random() < 0.01 else [INDEX_KEY] if rng.random() < 0.02 else random_path(rng, item)
    if member == "set":
        return member, path, nested(rng.randrange(27, 33)) if rng.random() < 0.03 else plain(rng)
    if member == "increment":
        return member, path, Decimal(rng.choice(NUMBERS)) if rng.random() < 0.6 else Decimal(rng.randrange(100))
    if member == "append":
        return member, path, [plain(rng) for _ in range(rng.randrange(1, 3))]
    return member, path, None


@dataclass
class Case:
    """One message, its record and what the judge is to be asked."""

    number: int
    item: dict[str, Any]
    plans: list[Plan]
    create: bool
    exists: bool
    limit: int | None  # a condition: n is below it
    body: str = ""
    written: list[tuple[str, str]] = field(default_factory=list)  # member, path as the message has it

    @property
    def identity(self) -> str:
        return f"m{self.number}"


def spell_path(path: list[Element], rng: random.Random, names: dict[str, str]) -> str:
    """The path as a message may have it; placeholders are added to names."""
    text = ""
    for element in path:
        if isinstance(element, int):
            text += rng.choice(["[{}]", "[ {} ]"]).format(element) if rng.random() < 0.2 else f"[{element}]"
            continue
        bare = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", element) and element.lower() not in KEYWORDS
        choice = rng.random()
        if choice < 0.15:
            placeholder = f"#p{len(names)}"
            names[placeholder] = element
            spelling = placeholder
        elif bare and choice < 0.9:
            spelling = element
        else:
            spelling = "`" + element.replace("`", "``") + "`"
        text += ("." if text else "") + spelling
    return text


def spell(case: Case, rng: random.Random) -> None:
    """Writes the message."""
    names: dict[str, str] = {}
    members: dict[str, Any] = {}
    for member, path, value in case.plans:
        name = str(path[0]) if member in ("attributes", "typed_attributes") else spell_path(path, rng, names)
        case.written.append((member, name))
        if member == "remove":
            members.setdefault(member, []).append(name)
        else:
            members.setdefault(member, {})[name] = value
    parts = [("id", case.identity), ("enable_logging", True), *members.items()]
    if case.create:
        parts.append(("create_if_missing", True))
    if case.limit is not None:
        parts.append(("condition_expression", f"n < {case.limit}"))
    if names:
        parts.append(("expression_attribute_names", names))
    rng.shuffle(parts)
    case.body = "{" + ",".join(f'"{name}":{spelt(value, rng)}' for name, value in parts) + "}"


def make_case(rng: random.Random, number: int) -> Case:
    """A case; a few are as large as a record may be."""
    item = {name: plain(rng) for name in rng.sample(NAMES, rng.randrange(1, 7))}
    item.setdefault("list", [plain(rng, 1) for _ in range(rng.randrange(4))])
    item.setdefault("a", {name: plain(rng, 1) for name in rng.sample(NAMES, rng.randrange(4))})
    plans: list[Plan] = []
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 4])):
        plan = random_operation(rng, item)
        # The same name twice in one object is no plan for a message.
        if not any(plan[0] == other[0] and plan[1] == other[1] and plan[0] != "remove" for other in plans):
            plans.append(plan)
    if rng.random() < 0.004:
        size = rng.choice([409600, 409601, 400000, 300000])
        plans = [("append", ["big"], ["x" * 1000])] if rng.random() < 0.5 else [("set", ["a2"], "y" * 120000)]
        item = {"big": ["z" * (size - 200_000)]}
    case = Case(
        number,
        item,
        plans,
        rng.random() < 0.15,
        rng.random() < 0.93,
        rng.randrange(200) if rng.random() < 0.2 else None,
    )
    spell(case, rng)
    return case


# --- The judge
# ----------------------------------------------------------------------------------------------------------------------


def update_of(case: Case) -> dict[str, Any]:
    """An UpdateItem's parameters, without table and key."""
    names: dict[str, str] = {}
    values: dict[str, Any] = {}

    def place(path: list[Element]) -> str:
        text = ""
        for element in path:
            if isinstance(element, int):
                text += f"[{element}]"
                continue
            names[f"#x{len(names)}"] = element
            text += ("." if text else "") + f"#x{len(names) - 1}"
        return text

    def value_of(value: dict[str, Any]) -> str:
        values[f":x{len(values)}"] = value
        return f":x{len(values) - 1}"

    clauses: dict[str, list[str]] = {"SET": [], "REMOVE": []}
    for member, path, value in case.plans:
        if member == "remove":
            clauses["REMOVE"].append(place(path))
        elif member == "increment":
            clauses["SET"].append(
                f"{place(path)} = if_not_exists({place(path)}, {value_of({'N': '0'})}) + {value_of(to_typed(value))}"
            )
        elif member == "append":
            clauses["SET"].append(
                f"{place(path)} = list_append(if_not_exists({place(path)}, {value_of({'L': []})}), "
                f"{value_of(to_typed(value))})"
            )
        else:
            clauses["SET"].append(
                f"{place(path)} = {value_of(with_bytes(value) if member == 'typed_attributes' else to_typed(value))}"
            )
    conditions = [] if case.create else [f"attribute_exists({place(['id'])})"]
    if case.limit is not None:
        conditions.append(f"{place(['n'])} < {value_of({'N': str(case.limit)})}")
    update: dict[str, Any] = {
        "UpdateExpression": " ".join(f"{clause} {', '.join(parts)}" for clause, parts in clauses.items() if parts),
        "ExpressionAttributeNames": names,
    }
    if values:
        update["ExpressionAttributeValues"] = values
    if conditions:
        update["ConditionExpression"] = " AND ".join(conditions)
    return update


def judge(client: Any, table: str, case: Case) -> str:
    """The judge's outcome."""
    from botocore.exceptions import ClientError

    try:
        client.update_item(TableName=table, Key={"id": {"S": case.identity}}, **update_of(case))
    except ClientError as error:
        return {"ValidationException": "refused", "ConditionalCheckFailedException": "false"}.get(
            error.response["Error"]["Code"], str(error)
        )
    return "applied"


# --- The comparison
# --------------------------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """Outcomes and how often they came, and what differed."""

    outcomes: dict[str, int] = field(default_factory=dict)
    mismatches: list[str] = field(default_factory=list)

    def count(self, outcome: str) -> None:
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def our_outcome(response: dict[str, Any]) -> str:
    if response["success"]:
        return "applied"
    return {"ValidationError": "refused", "ConditionalCheckFailed": "false", "RecordNotFoundError": "false"}.get(
        response["error"], response["error"]
    )


def make_tables(client: Any) -> list[str]:
    """Ours, the judge's, and the audit table."""
    stem = uuid.uuid4().hex[:12]
    names = [f"{role}-{stem}" for role in ("ours", "judged", "audit")]
    index = {
        "IndexName": "by_index",
        "KeySchema": [{"AttributeName": INDEX_KEY, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    for name in names:
        key = "log_id" if name.startswith("audit") else "id"
        types = {key: "S"} | ({} if key == "log_id" else {INDEX_KEY: "S"})
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": attribute, "AttributeType": kind} for attribute, kind in types.items()
            ],
            BillingMode="PAY_PER_REQUEST",
            **({} if key == "log_id" else {"GlobalSecondaryIndexes": [index]}),
        )
    return names


def items_of(client: Any, table: str) -> dict[str, Any]:
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return {item["id"]["S"]: meaning({"M": item}) for page in pages for item in page["Items"]}


def put_all(client: Any, tables: list[str], cases: Iterable[Case]) -> None:
    with ThreadPoolExecutor(8) as pool:
        for case in cases:
            if not case.exists:
                continue
            for table in tables:
                pool.submit(
                    client.put_item, TableName=table, Item={"id": {"S": case.identity}, **to_typed(case.item)["M"]}
                )


def apply(binary: Path, endpoint: str, tables: list[str], cases: list[Case]) -> list[dict[str, Any]]:
    """What apply answers to all messages."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "TABLE_NAME": tables[0],
        "AUDIT_LOG_TABLE": tables[2],
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "LOG_LEVEL": "ERROR",
        "METRICS_ADDRESS": "off",
    }
    text = "".join(case.body + "\n" for case in cases)
    done = subprocess.run(
        [str(binary), "apply"],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        check=False,
    )
    responses = [json.loads(line) for line in done.stdout.splitlines()]
    if len(responses) != len(cases):
        raise AssertionError(
            f"{len(responses)} answers to {len(cases)} messages, exit code {done.returncode}: {done.stderr[-2000:]}"
        )
    return responses


def check_field(case: Case, response: dict[str, Any]) -> bool:
    """Whether a refusal names a path as it was written, or what is inside of it, or a member that the message has."""
    named = response["details"]["field"]
    fields = {f"{member}.{name}" for member, name in case.written} | {member for member, _ in case.written}
    return any(named == field or named.startswith((f"{field}.", f"{field}[")) for field in fields)


def compare(client: Any, endpoint: str, binary: Path, count: int, seed: int) -> Tally:
    """Runs so many cases."""
    rng = random.Random(seed)
    cases = [make_case(rng, number) for number in range(count)]
    cases = [
        case for case in cases if not any(looks_typed(value) for plan in case.plans for value in plain_values(plan))
    ]
    tables = make_tables(client)
    put_all(client, tables[:2], cases)
    responses = apply(binary, endpoint, tables, cases)
    with ThreadPoolExecutor(8) as pool:
        judged = list(pool.map(lambda case: judge(client, tables[1], case), cases))
    ours, theirs = items_of(client, tables[0]), items_of(client, tables[1])
    tally = Tally()
    for case, response, verdict in zip(cases, responses, judged, strict=True):
        outcome = our_outcome(response)
        reason = str(response.get("details", {}).get("reason", ""))
        stricter = next((name for name, words in STRICTER.items() if words in reason), None)
        if stricter and verdict != "refused":
            tally.count(f"only we refuse: {stricter}")
            continue
        tally.count(f"both: {outcome}" if outcome == verdict else f"we: {outcome}, the judge: {verdict}")
        if (
            outcome != verdict
            or ours.get(case.identity) != theirs.get(case.identity)
            or (outcome == "refused" and not check_field(case, response))
        ):
            tally.mismatches.append(
                f"{case.body[:1500]}\non {spelt(case.item, random.Random(0))[:1500]}\nwe: "
                f"{json.dumps(response)[:600]}\njudge: {verdict}\n"
                f"ours: {str(ours.get(case.identity))[:1500]}\njudged: {str(theirs.get(case.identity))[:1500]}"
            )
    for table in tables:
        client.delete_table(TableName=table)
    return tally


def local_client(endpoint: str) -> Any:
    """A client of a server that checks no signatures; it shall refuse nothing by itself."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="eu-central-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"max_attempts": 0}, parameter_validation=False, max_pool_connections=16),
    )


def main() -> int:
    """Prints what the cases came to; 1 where some differ."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    endpoint = os.environ["DYNAMODB_ENDPOINT"]
    tally = compare(local_client(endpoint), endpoint, binary_path(), count, seed)
    for outcome, times in sorted(tally.outcomes.items()):
        print(f"{times:7} {outcome}")
    print(f"{len(tally.mismatches):7} mismatches")
    for mismatch in tally.mismatches[:20]:
        print(mismatch)
    return 1 if tally.mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
