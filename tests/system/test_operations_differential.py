"""Update messages with paths, counters, lists, sets and removals do what DynamoDB itself does with them, on messages
made at random."""

from __future__ import annotations

import os
from typing import Any

import pytest
from operations_differential import binary_path, compare, local_client

COUNT = int(os.environ.get("OPERATIONS_COUNT", "500"))


@pytest.mark.parametrize("seed", range(1, 3))
def test_operations_mean_what_dynamodb_says(cloud: Any, seed: int) -> None:
    if not binary_path().exists():
        pytest.fail(f"{binary_path()} does not exist: build it, or set TABLE_UPDATER", pytrace=False)
    endpoint = os.environ.get("DYNAMODB_ENDPOINT") or cloud.dynamodb_server.url
    tally = compare(local_client(endpoint), endpoint, binary_path(), COUNT, seed)
    assert not tally.mismatches, "\n".join(tally.mismatches[:3])
    # Each kind of outcome came up, so the comparison was one.
    assert {"both: applied", "both: false", "both: refused"} <= set(tally.outcomes), tally.outcomes
