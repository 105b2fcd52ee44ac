"""What the sample producers (conf/producers) have in common: the update that each of them sends, and its effect."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Callable, Sequence

from boto3.dynamodb.types import Binary
from harness.scene import Scene

ROOT = Path(__file__).resolve().parents[3]
PRODUCERS = ROOT / "conf" / "producers"
ORDER = {"id": "order-7", "state": "new", "parcels": 0}
SHIPPED = {
    "id": {"S": "order-7"},
    "state": {"S": "shipped"},
    "note": {"S": 'Größe < 5 & "blue"'},
    "price": {"N": "19.99"},
    "serial": {"N": "12345678901234567890"},
    "weight": {"N": "0.1000000000000000055511151231257827"},
    "label": {"B": b"\x00\xff"},
    "tags": {"SS": ["fragile", "gift"]},
    "parcels": {"N": "1"},
}


def settings_of(scene: Scene) -> dict[str, str]:
    """What any SDK needs to reach the scene's queue."""
    wanted = ("AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    found = {name: value for name, value in scene.environment().items() if name in wanted}
    return {**found, "AWS_DEFAULT_REGION": found["AWS_REGION"], "AWS_EC2_METADATA_DISABLED": "true"}


def run(command: Sequence[str | Path], scene: Scene, cwd: Path | None = None, **more: str) -> None:
    """Runs a producer; it has to end with 0."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        **settings_of(scene),
        **more,
    }
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def check_shipped(scene: Scene, send: Callable[[], None]) -> None:
    """A producer sends its update twice: the record has every digit and byte of it, and its effect once."""
    scene.table.put(ORDER)
    send()
    send()
    assert scene.run_until_empty().code == 0
    assert [plain(item) for item in scene.table.items()] == [SHIPPED]
    assert len(scene.audits()) == 1
    assert not scene.dead()


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """An item whose sets have an order."""

    def value(typed: dict[str, Any]) -> dict[str, Any]:
        ((kind, content),) = typed.items()
        if kind in ("SS", "NS", "BS"):
            return {kind: sorted(content)}
        return {kind: bytes(content.value) if isinstance(content, Binary) else content}

    return {name: value(typed) for name, typed in item.items()}
