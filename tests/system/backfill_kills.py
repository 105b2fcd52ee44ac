"""The long form of the backfills in test_enqueue.py: 20,000 rows, enqueue and worker killed 25 times each in turns.

python3 -m pytest -c tests/system/pytest.ini tests/system/backfill_kills.py
"""

from __future__ import annotations

from typing import Any, Callable

import pytest
from harness.scene import Scene
from test_enqueue import check_backfill_under_kills


@pytest.mark.timeout(3600)
def test_fifty_kills_of_a_backfill_of_twenty_thousand_rows(new_scene: Callable[..., Scene], tmp_path: Any) -> None:
    check_backfill_under_kills(new_scene(), tmp_path, rows=20_000, kills=50, seed=1)
