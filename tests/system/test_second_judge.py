"""A second DynamoDB, written by others, judges conditions, update messages and the reasons of cancelled transactions as
DynamoDB Local does, but for what second_judge.py and tests/sim/conformance/tables.json name."""

from __future__ import annotations

import os
import uuid
from typing import Any, Callable, Iterator

import conditions_differential
import operations_differential
import pytest
from harness.tables import make_table
from local_services import SERVERS, Service, start_judge
from second_judge import CONDITIONS, MESSAGES, never_seen, unexplained
from sim_scripts import Tables, play
from test_sim_conformance import CONTENTS, SCHEMAS, scripts

CONDITION_COUNT = int(os.environ.get("CONDITIONS_COUNT", "400"))
MESSAGE_COUNT = int(os.environ.get("OPERATIONS_COUNT", "300"))
WHOLE_TABLE = 1500  # so many conditions show each row of the table
SEED = int(os.environ.get("JUDGE_SEED", "7"))

pytestmark = pytest.mark.skipif(
    os.uname().machine != "x86_64" and not (SERVERS / "dynoxide").exists(), reason="dynoxide is there for x86-64 alone"
)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The second judge."""
    service = start_judge(tmp_path_factory.mktemp("dynoxide"))
    yield service
    service.stop()


@pytest.fixture(scope="module")
def client(second: Service) -> Any:
    """A boto3 client of it that refuses nothing by itself."""
    return operations_differential.local_client(second.url)


def test_conditions_mean_the_same_to_a_second_judge(client: Any) -> None:
    tally = conditions_differential.compare(client, conditions_differential.tool_path(), CONDITION_COUNT, SEED)
    strange = unexplained(tally.mismatches, CONDITIONS)
    assert not strange, "\n".join(strange[:5])
    if CONDITION_COUNT >= WHOLE_TABLE:
        assert not never_seen(tally.mismatches, CONDITIONS)
    assert {"true", "false", "both refuse"} <= set(tally.outcomes)


def test_operations_mean_the_same_to_a_second_judge(client: Any, second: Service) -> None:
    binary = operations_differential.binary_path()
    tally = operations_differential.compare(client, second.url, binary, MESSAGE_COUNT, SEED)
    strange = unexplained(tally.mismatches, MESSAGES)
    assert not strange, "\n".join(strange[:3])
    assert {"both: applied", "both: false", "both: refused"} <= set(tally.outcomes), tally.outcomes


@scripts("tables")
def test_reasons_are_the_same_to_a_second_judge(name: str, client: Any, unique: Callable[[str], str]) -> None:
    steps = CONTENTS["tables"]["scripts"][name]["steps"]
    names = {role: make_table(client, unique(role), **schema).name for role, schema in SCHEMAS.items()}
    player = Tables(client, names, CONTENTS["tables"]["actions"], uuid.uuid4().hex[:12])
    operations = {"transact": player.transact, "get": player.get, "put": player.put, "items": player.items}
    outcomes = play(steps, operations)
    assert outcomes == [step.get("second", step["expect"]) for step in steps]


def test_every_difference_of_the_second_judge_is_explained_and_every_explanation_is_needed() -> None:
    steps = [step for script in CONTENTS["tables"]["scripts"].values() for step in script["steps"]]
    differing = [step for step in steps if "second" in step]
    assert all(step["second"] != step["expect"] for step in differing)
    assert {step["second_because"] for step in differing} == set(CONTENTS["tables"]["second_exceptions"])
