"""The JSON Schema of update messages and the worker judge alike."""

from __future__ import annotations

import copy
import itertools
import json
import os
from typing import Any, Callable, Iterator

import pytest
from schema_judgement import EDGES, SCHEMA, ask, compare, generated, judges, kept, of_tests, tool_path

COUNT = int(os.environ.get("SCHEMA_MESSAGES", "2000"))


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """The worker's side is built."""
    if not tool_path().exists():
        pytest.fail(f"{tool_path()} does not exist: build it, or set JUDGE_UPDATE", pytrace=False)


@pytest.mark.parametrize(
    ("texts", "least"),
    [(of_tests(), 700), (kept(), 200), (generated(COUNT, 1), COUNT)],
    ids=["tests", "kept", "generated"],
)
def test_the_schema_refuses_the_shapes_that_the_worker_refuses(texts: Iterator[bytes], least: int) -> None:
    tally = compare(texts, judges())
    assert not tally.mismatches, "\n".join(tally.mismatches[:5])
    compared = sum(
        count for kind, count in tally.outcomes.items() if kind not in ("no JSON", "no strict JSON", "wrapped")
    )
    assert compared >= least, tally.outcomes
    # Each verdict came up, so the comparison was one.
    assert {"wrong shape", "refused by a rule of the schema's", "fine for some table"} <= set(tally.outcomes)


def test_the_schemas_own_examples_are_messages() -> None:
    examples = json.loads(SCHEMA.read_text())["examples"]
    assert all(judges().whole.is_valid(example) for example in examples)
    assert all("fine" in errors for errors, _ in ask([json.dumps(example).encode() for example in examples]))


def _set(*path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(schema: dict[str, Any]) -> None:
        for name in path[:-1]:
            schema = schema[name]
        schema[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set("$defs", "shape", "additionalProperties", value=True),
        _set("$defs", "shape", "required", value=[]),
        _set("$defs", "shape", "anyOf", value=[True]),
        _set("$defs", "shape", "properties", "id", "type", value=["string", "number", "object", "boolean"]),
        _set("$defs", "shape", "properties", "id", "minLength", value=0),
        _set("$defs", "shape", "properties", "condition_expression", "pattern", value="."),
        _set("$defs", "shape", "properties", "remove", "minItems", value=0),
        _set("$defs", "members", "minProperties", value=2),
        _set("$defs", "rules", "properties", "idempotency_key", "maxLength", value=255),
        _set("$defs", "typed", "properties", "N", value={"type": "number"}),
        _set("$defs", "operator", "patternProperties", value={"^[$]": True}),
    ],
)
def test_a_schema_that_says_otherwise_is_found_out(change: Callable[[dict[str, Any]], None]) -> None:
    wrong = copy.deepcopy(json.loads(SCHEMA.read_text()))
    change(wrong)
    edges = [json.dumps(message).encode() for message in EDGES]
    assert compare(itertools.chain(edges, generated(400, 2)), judges(wrong)).mismatches
