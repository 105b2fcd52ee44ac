"""Many cases in one `apply`: each module runs its table once, and each of its tests looks at one line's response."""

from __future__ import annotations

import contextlib
import json
import uuid
from decimal import Decimal
from typing import Any, Iterator

from harness.queues import make_queue
from harness.scene import Scene
from harness.tables import make_table
from local_services import Cloud

# Log lines of a worker, for wait_for_log().
STARTED = r"\bStarted\b"
HOLDING = r"\bHolding\b"


@contextlib.contextmanager
def scene_in(cloud: Cloud, audit: bool = False, **table: Any) -> Iterator[Scene]:
    """A scene for as long as a fixture wants it. audit: with an audit table. table: as make_table() has it."""
    dynamodb, sqs, stem = cloud.client("dynamodb"), cloud.client("sqs"), uuid.uuid4().hex[:12]
    dlq = make_queue(sqs, f"dead-{stem}")
    scene = Scene(
        cloud,
        make_table(dynamodb, f"records-{stem}", **table),
        make_table(dynamodb, f"audit-{stem}", partition="log_id") if audit else None,
        make_queue(sqs, f"updates-{stem}", dlq=dlq),
        dlq,
    )
    try:
        yield scene
    finally:
        scene.close()


def parse(line: str) -> dict[str, Any]:
    """A response with every digit of its numbers."""
    return json.loads(line, parse_float=Decimal)


def apply_lines(scene: Scene, lines: list[str | bytes], **settings: Any) -> list[dict[str, Any]]:
    """Applies lines, which may be no UTF-8, and returns their responses in order."""
    data = b"".join(
        (line if isinstance(line, bytes) else line.encode("utf-8", "surrogatepass")) + b"\n" for line in lines
    )
    process = scene.command("apply", stdin=data, **settings)
    code = process.wait()
    responses = [parse(line) for line in process.output.splitlines()]
    assert code in (0, 1) and len(responses) == len(lines), (
        f"{len(responses)} responses to {len(lines)} lines\n{process.describe()}"
    )
    assert code == (0 if all(response["success"] for response in responses) else 1)
    return responses


def ids(cases: list[Any]) -> list[str]:
    """The first member of each case as its name."""
    return [case[0] for case in cases]
