"""The condition language has DynamoDB's own outcome, on conditions made at random."""

from __future__ import annotations

import os
from typing import Any

import pytest
from conditions_differential import compare, local_client, tool_path

COUNT = int(os.environ.get("CONDITIONS_COUNT", "600"))


@pytest.fixture(scope="module")
def judge_client(request: pytest.FixtureRequest) -> Any:
    """A client of DYNAMODB_ENDPOINT, else of the session's own server."""
    endpoint = os.environ.get("DYNAMODB_ENDPOINT")
    return local_client(endpoint) if endpoint else request.getfixturevalue("dynamodb")


@pytest.mark.parametrize("seed", range(1, 3))
def test_conditions_mean_what_dynamodb_says(judge_client: Any, seed: int) -> None:
    if not tool_path().exists():
        pytest.fail(f"{tool_path()} does not exist: build it, or set BIND_CONDITION", pytrace=False)
    tally = compare(judge_client, tool_path(), COUNT, seed)
    assert not tally.mismatches, "\n".join(tally.mismatches[:5])
    # Each kind of outcome came up, so the comparison was one.
    assert {
        "true",
        "false",
        "both refuse",
        "only we refuse: only literals",
        "damaged: both refuse",
        "damaged: true",
    } <= set(tally.outcomes), tally.outcomes
