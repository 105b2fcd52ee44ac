"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Counts of messages, sizes of steps and seconds, for a whole run or a quick one."""

    rounds: int
    small: int  # the two counts of messages that a slope is taken between
    large: int
    boto3_small: int
    boto3_large: int
    peers_small: int
    peers_large: int
    wrk_seconds: float
    flat_start: int  # messages that open all connections
    flat: tuple[tuple[int, int], ...]  # counts of messages beyond those, and how often each in a round
    in_flight: tuple[tuple[int, int, int], ...]  # and the two counts
    sizes: tuple[tuple[int, int, int], ...]  # bytes of a body, and the two counts
    tail_seconds: float
    idle_warm: float
    idle_seconds: float
    calls_small: int
    calls_large: int
    growth: tuple[int, ...]  # counts of messages
    growth_in_flight: tuple[tuple[int, int, int], ...]
    rows: tuple[int, int]  # of a file
    python_rows: tuple[int, int]
    checked_rows: tuple[int, int]  # by Python, which sends none
    go_rows: tuple[int, int]


WHOLE = Plan(
    rounds=5,
    small=15_000,  # by which all connections are open
    large=75_000,
    boto3_small=200,
    boto3_large=1_700,
    peers_small=1_000,
    peers_large=13_000,
    wrk_seconds=2,
    flat_start=10_000,
    flat=((10_000, 10), (100_000, 2), (1_000_000, 1)),
    in_flight=(
        (10, 1_000, 11_000),
        (30, 1_000, 16_000),
        (100, 3_000, 33_000),
        (300, 5_000, 45_000),
        (1_000, 10_000, 70_000),
    ),
    sizes=(
        (300, 4_000, 24_000),
        (1_000, 4_000, 24_000),
        (10_000, 2_000, 12_000),
        (30_000, 1_000, 6_000),
        (100_000, 500, 2_500),
    ),
    tail_seconds=10,
    idle_warm=34,
    idle_seconds=42,
    calls_small=2_000,
    calls_large=22_000,
    growth=(500, 1_500, 5_000, 40_000),
    growth_in_flight=((10, 500, 2_500), (100, 1_000, 5_000), (1_000, 5_000, 15_000)),
    rows=(100_000, 1_000_000),
    python_rows=(2_000, 22_000),
    checked_rows=(30_000, 330_000),
    go_rows=(10_000, 110_000),
)

QUICK = Plan(
    rounds=2,
    small=2_000,
    large=17_000,
    boto3_small=100,
    boto3_large=600,
    peers_small=1_000,
    peers_large=6_000,
    wrk_seconds=1,
    flat_start=2_000,
    flat=((10_000, 2), (50_000, 1)),
    in_flight=((10, 500, 4_500), (100, 2_000, 12_000), (1_000, 5_000, 25_000)),
    sizes=((300, 2_000, 12_000), (10_000, 1_000, 6_000), (100_000, 250, 1_250)),
    tail_seconds=5,
    idle_warm=10,
    idle_seconds=20,
    calls_small=1_000,
    calls_large=5_000,
    growth=(500, 1_500, 5_000),
    growth_in_flight=((10, 500, 1_500), (100, 1_000, 3_000)),
    rows=(20_000, 120_000),
    python_rows=(1_000, 6_000),
    checked_rows=(5_000, 35_000),
    go_rows=(5_000, 35_000),
)
