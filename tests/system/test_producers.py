"""The sample producer in Python (those in other languages: tests/producers)."""

from __future__ import annotations

import datetime
import importlib.util
import json
import sys
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from harness.producers import PRODUCERS, check_shipped, run
from harness.scene import Scene

PROGRAM = PRODUCERS / "python" / "send_update.py"


@pytest.fixture(scope="module")
def producer() -> ModuleType:
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("send_update", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_update_that_is_sent_twice_happens_once_with_every_digit(scene: Scene) -> None:
    check_shipped(scene, lambda: run([sys.executable, PROGRAM, scene.queue.url, "order-7"], scene))


NO_JSON = {
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "a time": datetime.datetime(2026, 1, 1),
    "a Decimal": Decimal("0.1"),
    "a set": {1, 2},
    "bytes": b"\x00",
    "an object": object(),
}


@pytest.mark.parametrize("value", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_an_error(producer: ModuleType, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        producer.to_json({"id": "a", "attributes": {"a": value}})


def test_typed_values_keep_what_json_would_lose(producer: ModuleType) -> None:
    assert producer.typed(Decimal("1E-7")) == {"N": "1E-7"}
    assert producer.typed(2**80) == {"N": str(2**80)}
    assert producer.typed({1, 2}) == {"NS": ["1", "2"]}
    assert producer.typed({b"b", b"a"}) == {"BS": ["YQ==", "Yg=="]}
    for value in (set(), {1, "a"}, True, "a", 1.5):
        with pytest.raises((TypeError, ValueError)):
            producer.typed(value)


class Half:
    """An SQS that takes every other entry of a batch."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.calls = 0

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        """As boto3's."""
        assert len(Entries) <= 10
        self.calls += 1
        self.taken += [entry["MessageBody"] for entry in Entries[::2]]
        return {"Failed": [{"Id": entry["Id"]} for entry in Entries[1::2]]}


def test_what_fails_of_a_batch_is_sent_again(producer: ModuleType) -> None:
    sqs = Half()
    producer.send(sqs, "url", [{"id": str(at), "attributes": {"a": 1}} for at in range(25)])
    assert sorted(json.loads(body)["id"] for body in sqs.taken) == sorted(map(str, range(25)))
    with pytest.raises(RuntimeError, match="could not be sent"):
        producer.send(Half(), "url", [{"id": str(at)} for at in range(100)])
