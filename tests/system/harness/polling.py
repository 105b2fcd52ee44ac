"""Waiting for something outside to come true. The only place that sleeps."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

T = TypeVar("T")

# Long enough for a sanitizer build on a busy machine; reached only by what would never come.
PATIENCE = 60.0


def wait_until(condition: Callable[[], T], what: str, patience: float = PATIENCE, pause: float = 0.05) -> T:
    """Polls until condition() is true and returns its value; fails, naming what was awaited, when patience runs out."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {patience:g} s")
        time.sleep(pause)
    return value
