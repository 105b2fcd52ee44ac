"""Holds conf/update-message.schema.json against the worker's own reading of messages: what the schema calls a wrong
shape is an InvalidInputError, and nothing else is; what its rules refuse as well, the worker refuses for every table.

By itself: python3 schema_judgement.py [COUNT [SEED]], 10,000 generated messages, those of the tests, and the fuzzers'.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import struct
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator

import jsonschema
from jsonschema.protocols import Validator

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "conf" / "update-message.schema.json"
CORPUS = ROOT / "tests" / "fuzz" / "corpus" / "update_read"
# The modules whose tables hold messages, or parts of some.
TEST_MODULES = (
    "harness.bodies",
    "test_conditions",
    "test_events",
    "test_operations",
    "test_update_messages",
    "test_validation",
    "test_values",
)
BATCH = 2000


def tool_path() -> Path:
    """judge_update: JUDGE_UPDATE, else the release build's."""
    return Path(os.environ.get("JUDGE_UPDATE") or ROOT / "build" / "test" / "tests" / "judge_update")


@dataclass(frozen=True)
class Judges:
    """The schema as a whole, and the part that says the shape."""

    shape: Validator
    whole: Validator


def judges(schema: dict[str, Any] | None = None) -> Judges:
    """Of the schema in conf/, or another."""
    schema = schema or json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    whole = jsonschema.Draft202012Validator(schema)
    return Judges(whole.evolve(schema={"$ref": "#/$defs/shape", "$defs": schema["$defs"]}), whole)


# --- Messages
# ------------------------------------------------------------------------------------------------------------------


# On the edge of what the schema says of values.
EDGES = [
    {"id": "a", "typed_attributes": {"n": {"N": "+1.5E-3"}, "b": {"B": ""}, "s": {"SS": ["", "a"]}, "l": {"L": []}}},
    {"id": "a", "typed_attributes": {"n": {"N": "1."}, "m": {"M": {"$inc": {"N": ".5"}}}}},
    {"id": "a", "typed_attributes": {"b": {"B": "AAF="}}},
    {"id": "a", "attributes": {"a": {"$ref": "x"}, "b": {"N": "x"}, "c": {"S": 1}, "d": {"M": {"a": 1}}}},
    {"id": "a", "attributes": {"a": {"L": [], "S": "x"}, "b": {"NULL": False}, "c": {"SS": []}, "d": [{"S": "x"}]}},
    {"id": "a", "attributes": {"a": {"$set": 1}}},
    {"id": "a", "append": {"a": [{"M": {}}]}},
    {"id": "a", "attributes": {"a": 1}, "idempotency_key": "k" * 256},
    {"id": "a", "attributes": {"a": 1}, "idempotency_key": "k" * 257},
]


def texts_in(value: Any) -> Iterator[bytes]:
    """The texts somewhere inside a test's table; its objects, also as members of a message, are texts as well."""
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, str):
        yield value.encode("utf-8", "surrogatepass")
    elif isinstance(value, dict):
        for made in (value, {"id": "a", **value}, {"id": "a", "attributes": {"a": 1}, **value}):
            try:
                yield json.dumps(made, allow_nan=False).encode()
            except (TypeError, ValueError):
                pass  # no message: it holds what JSON doesn't have
        yield from texts_in(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for element in value:
            yield from texts_in(element)


def of_tests() -> Iterator[bytes]:
    """What the tests' tables hold."""
    yield from (json.dumps(message).encode() for message in EDGES)
    for name in TEST_MODULES:
        for value in vars(importlib.import_module(name)).values():
            yield from texts_in(value)


def kept() -> Iterator[bytes]:
    """What the fuzzers keep; the first byte chooses a table there."""
    for path in sorted(CORPUS.iterdir()):
        yield path.read_bytes()[1:]


NAMES = ["a", "name", "x y", "a.b", "größe", "#", "$inc", "$ref", "S", "", "N", "id", "items[0].price"]
PATHS = ["a", "address.city", "items[0].price", "`x y`", "`a.b`.c", "#n", "b", "tags", "", "a..b", "list[1]"]
TYPES = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS", "X"]
TEXTS = ["", " ", "a", "AAE=", "AAF=", "1", "1.50", "-0", "1e3", "01", "é", "x" * 300, "true", "\t\n", "1" * 39]
CONDITIONS = [*["a = 1", "a < :v", "#n = :v", "a =", "version < 5 AND status = 'x'"] * 4, "", "  ", "\t\r\n", "\u00a0"]
IDS: list[Any] = [
    *["a", "user-1", 5, 1.5, "AAE=", {"device": "a", "at": 5}] * 4,
    {"device": "a"},
    {"device": [], "at": 1},
    {},
    "",
]
COUNTS = [0, *[1, 2, 3] * 12]  # of an object's members
IDS += ["x" * 2733, "x" * 2049, {"device": "AAE=", "at": "b"}]


class Writer:
    """Makes messages, most of them nearly right."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def value(self, depth: int = 0) -> Any:
        """Any value."""
        rng = self.rng
        kind = rng.randrange(9 if depth < 4 else 6)
        if kind < 2:
            return rng.choice(TEXTS)
        if kind < 4:
            return rng.choice([0, 1, -7, 1.5, 10**37, 1e30])
        if kind < 6:
            return rng.choice([True, False, None])
        if kind == 6:
            return [self.value(depth + 1) for _ in range(rng.randrange(4))]
        if kind == 7:
            return {rng.choice(NAMES): self.value(depth + 1) for _ in range(rng.randrange(4))}
        return self.typed(depth + 1)

    def typed(self, depth: int = 0) -> Any:
        """Something like a typed value."""
        rng, kind = self.rng, self.rng.choice(TYPES)
        if rng.random() < 0.15 or depth > 4:
            return {kind: self.value(depth + 1)}
        content: dict[str, Callable[[], Any]] = {
            "BOOL": lambda: rng.random() < 0.5,
            "NULL": lambda: rng.random() < 0.9,
            "M": lambda: {rng.choice(NAMES): self.typed(depth + 1) for _ in range(rng.randrange(3))},
            "L": lambda: [self.typed(depth + 1) for _ in range(rng.randrange(3))],
        }
        if kind in ("SS", "NS", "BS"):
            return {kind: [rng.choice(TEXTS) for _ in range(rng.randrange(3))]}
        return {kind: content.get(kind, lambda: rng.choice(TEXTS))()}

    def members(self, names: list[str], value: Callable[[], Any]) -> dict[str, Any]:
        """An object, seldom an empty one."""
        return {self.rng.choice(names): value() for _ in range(self.rng.choice(COUNTS))}

    def member(self, name: str) -> Any:
        """What nearly fits a member, and at times anything."""
        rng = self.rng
        if rng.random() < 0.03:
            return self.value()
        makers: dict[str, Callable[[], Any]] = {
            "id": lambda: rng.choice(IDS),
            "attributes": lambda: self.members(NAMES, self.value),
            "enable_logging": lambda: rng.random() < 0.5,
            "condition_expression": lambda: rng.choice(CONDITIONS),
            "expression_attribute_names": lambda: self.members(
                ["#n", "#", "n", "#größe"], lambda: rng.choice(["a", "", "x y"])
            ),
            "expression_attribute_values": lambda: self.members([":v", ":", "v", ":a b"], self.value),
            "idempotency_key": lambda: rng.choice(
                ["k", "key-1", "k" * 9, "", "k" * 256, "k" * 257, "é" * 128, "é" * 129]
            ),
            "set": lambda: self.members(PATHS, self.value),
            "increment": lambda: self.members(PATHS, lambda: rng.choice([1, -2, 0.5, "1", None])),
            "append": lambda: self.members(PATHS, lambda: [self.value() for _ in range(rng.randrange(3))]),
            "remove": lambda: [rng.choice(PATHS) for _ in range(rng.choice(COUNTS))],
            "typed_attributes": lambda: self.members(NAMES, self.typed),
            "create_if_missing": lambda: rng.random() < 0.5,
        }
        return makers[name]()

    def message(self) -> bytes:
        """A whole message."""
        rng = self.rng
        likely = {"id": 0.97, "attributes": 0.7, "condition_expression": 0.3}
        names = ["id", "attributes", "enable_logging", "condition_expression", "expression_attribute_names"]
        names += ["expression_attribute_values", "idempotency_key", "set", "increment", "append", "remove"]
        names += ["typed_attributes", "create_if_missing"]
        made = {name: self.member(name) for name in names if rng.random() < likely.get(name, 0.1)}
        if rng.random() < 0.03:
            made[rng.choice(["condition_expresion", "Id", "attribute", "", "id "])] = self.value()
        if rng.random() < 0.02:
            return json.dumps(rng.choice([[made], None, "text", 5, True])).encode()
        items = list(made.items())
        rng.shuffle(items)
        return json.dumps(dict(items), ensure_ascii=rng.random() < 0.5).encode()


def generated(count: int, seed: int) -> Iterator[bytes]:
    """So many messages."""
    writer = Writer(random.Random(seed))
    for _ in range(count):
        yield writer.message()


# --- Comparison
# ------------------------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What the messages came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    mismatches: list[str] = field(default_factory=list)


def ask(texts: list[bytes]) -> list[tuple[list[str], dict[str, Any]]]:
    """What the worker says of each text: the error for each table, and the first one's details."""
    frames = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    done = subprocess.run([str(tool_path())], input=frames, capture_output=True, check=False)
    lines = done.stdout.decode().split("\n")[:-1]
    if done.returncode or len(lines) != len(texts):
        raise RuntimeError(f"judge_update ended with {done.returncode} after {len(lines)} of {len(texts)} texts")
    answers = []
    for line in lines:
        *errors, details = line.split(" ", 4)
        answers.append((errors, json.loads(details)))
    return answers


def is_wrapped(value: Any) -> bool:
    """Whether it is one of the forms that messages come wrapped in, which the schema doesn't describe."""
    return isinstance(value, dict) and (
        (value.get("Type") == "Notification" and "TopicArn" in value and "Message" in value)
        or ("detail-type" in value and "detail" in value)
        or (value.get("success") is False and "error" in value and isinstance(value.get("details"), dict))
    )


def outcome(text: bytes, errors: list[str], details: dict[str, Any], schema: Judges) -> str:
    """What both say; it begins with "!" where they differ."""
    try:
        value = json.loads(text.decode("utf-8"))
    except ValueError:
        return "no JSON" if "position" in details else "! only the worker takes it for JSON"
    if is_wrapped(value):
        return "wrapped"
    shaped = schema.shape.is_valid(value)
    if "position" in details and isinstance(value, dict):
        return "no strict JSON"  # a repeated name, a lone surrogate, a constant of Python's, depth
    if len({error == "InvalidInputError" for error in errors}) != 1:
        return "! the shape hangs on the table"
    if shaped != (errors[0] != "InvalidInputError"):
        return "! only the schema takes the shape" if shaped else "! only the worker takes the shape"
    if not shaped:
        return "wrong shape"
    if not schema.whole.is_valid(value):
        return "! a rule that the worker doesn't have" if "fine" in errors else "refused by a rule of the schema's"
    return "fine for some table" if "fine" in errors else "refused by what no schema says"


def compare(texts: Iterator[bytes], schema: Judges) -> Tally:
    """Judges all texts twice."""
    tally, batch = Tally(), []

    def judge_batch() -> None:
        for text, (errors, details) in zip(batch, ask(batch)):
            result = outcome(text, errors, details, schema)
            tally.outcomes[result] += 1
            if result.startswith("!"):
                tally.mismatches.append(f"{result[2:]}: {text!r}: {errors} {details}")
        batch.clear()

    for text in texts:
        batch.append(text)
        if len(batch) == BATCH:
            judge_batch()
    judge_batch()
    return tally


def main() -> int:
    """Prints what the messages came to; 1 where the two differ."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    sys.path[:0] = [str(ROOT / "conf"), str(ROOT / "tests" / "bench")]
    schema, good = judges(), True
    for what, texts in (("tests'", of_tests()), ("fuzzers'", kept()), ("generated", generated(count, seed))):
        tally = compare(texts, schema)
        print(f"{what}: {sum(tally.outcomes.values())} messages, {dict(tally.outcomes)}", flush=True)
        for mismatch in tally.mismatches[:20]:
            print(mismatch[:600])
        good = good and not tally.mismatches
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
