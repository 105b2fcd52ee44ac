"""The simulated services answer as real servers do: the same scripts played against both, outcome by outcome.

A step has the outcome that AWS gives. Where a local server is known to differ, the step also has that server's own
("real"), and names the exception ("because") that says so and where AWS's behaviour is described.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from pathlib import Path
from typing import Any, Callable

import pytest
from harness.queues import make_queue
from harness.tables import make_table
from sim_scripts import Queues, Tables, play

ROOT = Path(__file__).resolve().parents[2]
FILES = {kind: ROOT / "tests" / "sim" / "conformance" / f"{kind}.json" for kind in ("queues", "tables")}
CONTENTS = {kind: json.loads(path.read_text()) for kind, path in FILES.items()}
SCHEMAS = {
    "users": {"partition": "id"},
    "audit_logs": {"partition": "log_id"},
    "numbered": {"partition": "id", "kind": "N", "sort": ("part", "S")},
}


def scripts(kind: str) -> Any:
    """Parameters: each script of a file with its name."""
    return pytest.mark.parametrize("name", list(CONTENTS[kind]["scripts"]))


@pytest.fixture(scope="module")
def simulated() -> dict[str, Any]:
    """The outcomes of all scripts in the simulation."""
    program = Path(os.environ.get("SIM_CONFORMANCE") or ROOT / "build" / "test" / "tests" / "sim" / "conformance")
    if not program.exists():
        pytest.fail(f"{program} does not exist: build it, or set SIM_CONFORMANCE", pytrace=False)
    answer = subprocess.run([program, *FILES.values()], capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


def compare(steps: list[dict[str, Any]], in_simulation: list[Any], for_real: list[Any]) -> None:
    assert in_simulation == [step["expect"] for step in steps]
    assert for_real == [step.get("real", step["expect"]) for step in steps]


@scripts("queues")
def test_queues_are_as_the_real_ones(
    name: str, simulated: dict[str, Any], sqs: Any, unique: Callable[[str], str]
) -> None:
    script = CONTENTS["queues"]["scripts"][name]
    options = script.get("queue", {})
    fifo = options.get("fifo", False)
    dlq = make_queue(sqs, unique("dead"), fifo=fifo)
    attributes = {"ContentBasedDeduplication": "true"} if options.get("content_based_deduplication") else {}
    if "delay" in options:
        attributes["DelaySeconds"] = str(options["delay"])
    policy = {"dlq": dlq, "max_receive_count": options["max_receive_count"]} if "max_receive_count" in options else {}
    player = Queues(sqs, {"queue": make_queue(sqs, unique("queue"), fifo=fifo, **policy, **attributes), "dlq": dlq})
    operations = {
        "send": player.send,
        "receive": player.receive,
        "delete": player.delete,
        "change": player.change,
        "counts": player.counts,
        "await": player.wait,
    }
    compare(script["steps"], simulated[name], play(script["steps"], operations))


@scripts("tables")
def test_tables_are_as_the_real_ones(
    name: str, simulated: dict[str, Any], dynamodb: Any, unique: Callable[[str], str]
) -> None:
    steps = CONTENTS["tables"]["scripts"][name]["steps"]
    names = {role: make_table(dynamodb, unique(role), **schema).name for role, schema in SCHEMAS.items()}
    player = Tables(dynamodb, names, CONTENTS["tables"]["actions"], uuid.uuid4().hex[:12])
    operations = {"transact": player.transact, "get": player.get, "put": player.put, "items": player.items}
    compare(steps, simulated[name], play(steps, operations))


@pytest.mark.parametrize("kind", FILES)
def test_every_difference_is_explained_and_every_explanation_is_needed(kind: str) -> None:
    steps = [step for script in CONTENTS[kind]["scripts"].values() for step in script["steps"]]
    differing = [step for step in steps if "real" in step]
    assert all(step["real"] != step["expect"] for step in differing)
    assert {step["because"] for step in differing} == set(CONTENTS[kind]["exceptions"])
    assert all({"real", "aws"} <= set(exception) for exception in CONTENTS[kind]["exceptions"].values())
