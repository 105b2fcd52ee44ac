"""The long form of test_chaos.py: 10 kills under 2,000 messages, for a few seeds. Run by hand:

python3 -m pytest tests/system/chaos_kills.py
"""

from __future__ import annotations

from typing import Any

import pytest
from harness.scene import Scene
from test_chaos import check_kills


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.timeout(1800)
def test_ten_kills_under_two_thousand_messages(scene: Scene, cloud: Any, seed: int) -> None:
    check_kills(scene, cloud, records=500, rounds=4, kills=10, seed=seed)
