"""table-updater beside an older one of itself (--old), in turns: with few in flight, from a cold start, its memory."""

from __future__ import annotations

from typing import Any

from rig.clients import Clients, Done, slope
from rig.figures import Figures
from rig.plan import Plan

FEW, FEW_LATENCY = 10, 5  # messages in flight; milliseconds
BOUNDS, BOUNDS_ROUNDS = (1, 4, 8, 10, 16, 32), 60  # MAX_IN_FLIGHT, and as many times so many messages
BOUNDS_LATENCY = {"dynamodb_latency": 5, "sqs_latency": 2}
START_RATE, START_SECONDS = 8_000, 5  # about half of the greatest load
START_LATENCY = {"dynamodb_latency": 5, "sqs_latency": 2}
MEMORY_LATENCY = 100
MEMORY_IN_FLIGHT, MEMORY_MESSAGES = 1_000, 10_000
MOST_IN_FLIGHT, MOST_MESSAGES, MOST_LATENCY = 10_000, 20_000, 500  # as many as MAX_IN_FLIGHT takes
MOST_BODY, LARGE_BODY = 200, 20_000  # of the large ones so many more than the 64 MiB of bodies that are held at once
HOT_LATENCY, HOT_RATE, HOT_SECONDS = 5, 8_000, 5
HOT_FULL_LATENCY = 20  # at which the messages in flight are the limit, and no core is
HOT_SUPPLY = 1.0  # updates of the hot record that come, in parts of those that can be made one after the other
MIB = 1024  # KiB


def _each(clients: Clients, count: int, **options: Any) -> dict[str, Done]:
    """A run of each binary."""
    return {who: clients.worker(count, tls=True, binary=path, **options) for who, path in clients.binaries().items()}


def few(clients: Clients, plan: Plan, figures: Figures) -> None:
    """CPU a message with 10 in flight where DynamoDB takes 5 ms, beside --old"""
    small, large = next((small, large) for in_flight, small, large in plan.in_flight if in_flight == FEW)
    options = {"in_flight": FEW, "dynamodb_latency": FEW_LATENCY}
    runs = [_each(clients, count, **options) for count in (small, large)]
    costs = {who: slope(runs[0][who], runs[1][who]) for who in runs[0]}
    what = f"{FEW} in flight, DynamoDB takes {FEW_LATENCY} ms, TLS"
    figures.beside_old("few", what, costs, "us/message")


def bounds(clients: Clients, plan: Plan, figures: Figures) -> None:
    """rates where few may be in flight, DynamoDB takes 5 ms and SQS 2, of what three calls allow, beside --old"""
    del plan
    allowed = 1e3 / (BOUNDS_LATENCY["dynamodb_latency"] + 2 * BOUNDS_LATENCY["sqs_latency"])
    for most in BOUNDS:
        runs = _each(clients, most * BOUNDS_ROUNDS, in_flight=most, **BOUNDS_LATENCY)
        for who, done in runs.items():
            figures.add("bounds", f"{who}, MAX_IN_FLIGHT {most}", done.rate / most / allowed, "x", ratio=True)


def start(clients: Clients, plan: Plan, figures: Figures) -> None:
    """the tail from a cold start at half of the greatest load: of the first second, and of all; beside --old"""
    del plan
    runs = _each(clients, START_RATE * START_SECONDS, rate=START_RATE, **START_LATENCY)
    for when, key in (("of the first second", "first_tail"), (f"of {START_SECONDS} seconds", "tail")):
        for name, quantile in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"), ("longest", "longest")):
            times = {who: done.counts[key][quantile] / 1e3 for who, done in runs.items()}
            figures.beside_old("start", f"receive to deletion {when}, {name}", times, "ms")
    for who, done in runs.items():
        figures.add("start", f"{who}, connections", done.counts["connections"])


def _peaks(figures: Figures, part: str, what: str, runs: dict[str, Done]) -> None:
    figures.beside_old(part, what, {who: done.used.peak_rss / MIB for who, done in runs.items()}, "MiB")
    for who, done in runs.items():
        figures.add(part, f"{who}, connections, {what}", done.counts["connections"])


def memory(clients: Clients, plan: Plan, figures: Figures) -> None:
    """peak memory with 1,000 in flight over TLS, with one certificate and a chain as AWS has it, beside --old"""
    del plan
    options = {"in_flight": MEMORY_IN_FLIGHT, "dynamodb_latency": MEMORY_LATENCY}
    for certificates, chain in (("one certificate", False), ("a chain of three", True)):
        runs = _each(clients, MEMORY_MESSAGES, chain=chain, **options)
        _peaks(figures, "memory", f"{MEMORY_IN_FLIGHT:,} in flight, {certificates}", runs)


def most(clients: Clients, plan: Plan, figures: Figures) -> None:
    """peak memory with MAX_IN_FLIGHT's greatest, 10,000, of small bodies and of large ones, beside --old"""
    del plan
    options = {"in_flight": MOST_IN_FLIGHT, "dynamodb_latency": MOST_LATENCY, "chain": True}
    for count, size in ((MOST_MESSAGES, MOST_BODY), (MOST_MESSAGES // 2, LARGE_BODY)):
        runs = _each(clients, count, body_size=size, **options)
        what = f"MAX_IN_FLIGHT {MOST_IN_FLIGHT:,}, bodies of {size:,} bytes"
        _peaks(figures, "most", what, runs)
        for who, done in runs.items():
            figures.add("most", f"{who}, in flight at most, {what}", done.counts["most_in_flight"])


def _chain(figures: Figures, runs: dict[str, Done], what: str) -> dict[str, float]:
    """How near the one record's updates come to one after the other without a pause. Others' updates a second."""
    for who, done in runs.items():
        one = done.counts["hot"]
        share = one["waited"] / one["microseconds"]
        figures.add("hot", f"{who}, one record's rate x latency, {what}", share, "x", ratio=True)
        figures.add("hot", f"{who}, one record, {what}", one["count"] / one["microseconds"] * 1e6, "updates/s")
        latency = one["waited"] / (one["count"] - 1) / 1e3
        figures.add("hot", f"{who}, its latency as the sink had it, {what}", latency, "ms")
    others = {who: done.counts["others"] for who, done in runs.items()}
    return {who: other["count"] / other["microseconds"] * 1e6 for who, other in others.items()}


def hot(clients: Clients, plan: Plan, figures: Figures) -> None:
    """audited updates of one record, one after the other, beside 1,000 others at half and at full rate; beside --old"""
    every = int(HOT_RATE * HOT_LATENCY / 1e3 / HOT_SUPPLY)
    what = f"{HOT_RATE:,} messages a second, {HOT_LATENCY} ms"
    options = {"dynamodb_latency": HOT_LATENCY, "rate": HOT_RATE, "hot_one_in": every}
    runs = _each(clients, HOT_RATE * HOT_SECONDS, **options)
    for who, rate in _chain(figures, runs, what).items():
        came = HOT_RATE * (1 - 1 / every)
        figures.add("hot", f"{who}, others a second / as they come, {what}", rate / came, "x", ratio=True)
    what = f"as many as go, {HOT_FULL_LATENCY} ms"
    alone = _each(clients, plan.large, dynamodb_latency=HOT_FULL_LATENCY)
    every = int(max(done.rate for done in alone.values()) * HOT_FULL_LATENCY / 1e3 / HOT_SUPPLY)
    beside = _each(clients, plan.large, dynamodb_latency=HOT_FULL_LATENCY, hot_one_in=every)
    for who, rate in _chain(figures, beside, what).items():
        figures.add("hot", f"{who}, messages a second without such a record, {what}", alone[who].rate, "messages/s")
        full = alone[who].rate * (1 - 1 / every)
        figures.add("hot", f"{who}, others a second / without it, {what}", rate / full, "x", ratio=True)
