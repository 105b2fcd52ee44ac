"""Whether a message costs the same however many there are, and however many are in flight: by the clock, and in
instructions."""

from __future__ import annotations

import itertools
import statistics

from rig.callgrind import Taken, taken
from rig.clients import Clients, slope
from rig.figures import Figures
from rig.plan import Plan

IN_FLIGHT_LATENCY = 5  # milliseconds
GROWTH_MILLISECONDS = 2  # for each in flight: what a message takes under valgrind, so that so many are


def _by_count(clients: Clients, plan: Plan) -> dict[int, float]:
    """Microseconds a message, by how many the process works off. A few are run before, and count as the start: all
    connections are open by then. Small runs are repeated on both sides of the large one, since a minute on this machine
    isn't like the next."""
    repeated: dict[int, list[float]] = {count: [] for count, _ in plan.flat}

    def once(count: int) -> None:
        few, all_ = (clients.worker(number, tls=True) for number in (plan.flat_start, plan.flat_start + count))
        repeated[count].append(slope(few, all_))

    for half in (0, 1):
        for count, times in plan.flat:
            for _ in range((times + 1 - half) // 2):
                once(count)
    return {count: statistics.fmean(values) for count, values in repeated.items()}


def flat(clients: Clients, plan: Plan, figures: Figures) -> None:
    """whether the cost of a message grows with their number, or with how many are in flight"""
    by_count = _by_count(clients, plan)
    for count, cost in by_count.items():
        figures.add("flat", f"{count:,} messages, TLS", cost, "us/message")
    least = min(by_count)
    for count in sorted(by_count)[1:]:
        figures.add(
            "flat", f"{count:,} / {least:,} messages, per message", by_count[count] / by_count[least], "x", ratio=True
        )
    for latency in (0, IN_FLIGHT_LATENCY):
        worker_us, floor_us = {}, {}
        for in_flight, small, large in plan.in_flight:
            runs = [
                clients.worker(count, tls=True, in_flight=in_flight, dynamodb_latency=latency)
                for count in (small, large)
            ]
            connections = runs[1].counts["connections"]
            floors = [
                clients.floor("messages", count, connections, tls=True, dynamodb_latency=latency)
                for count in (small, large)
            ]
            what = f"{in_flight:,} in flight, DynamoDB takes {latency} ms, TLS"
            worker_us[in_flight] = figures.add("flat", f"table-updater, {what}", slope(*runs), "us/message")
            floor_us[in_flight] = figures.add(
                "flat", f"floor, as many connections, {what}", slope(*floors), "us/message"
            )
            figures.add(
                "flat", f"table-updater / floor, {what}", worker_us[in_flight] / floor_us[in_flight], "x", ratio=True
            )
        first, last = min(worker_us), max(worker_us)
        for who, cost in (("table-updater", worker_us), ("floor", floor_us)):
            figures.add(
                "flat",
                f"{who}, {last:,} / {first:,} in flight, {latency} ms",
                cost[last] / cost[first],
                "x",
                ratio=True,
            )


def growth(clients: Clients, plan: Plan, figures: Figures) -> None:
    """the same in instructions of our own code and calls of the system (under valgrind), which no busy machine
    changes"""
    runs = {count: taken(clients, count, tls=True) for count in plan.growth}
    for few, many in itertools.pairwise(sorted(runs)):
        _work(figures, f"from {few:,} to {many:,} messages", runs[few], runs[many], many - few)
    for in_flight, small, large in plan.growth_in_flight:
        latency = in_flight * GROWTH_MILLISECONDS
        few_taken, many_taken = (
            taken(clients, count, tls=True, in_flight=in_flight, dynamodb_latency=latency) for count in (small, large)
        )
        _work(figures, f"{in_flight:,} in flight", few_taken, many_taken, large - small)


def _work(figures: Figures, what: str, few: Taken, many: Taken, messages: int) -> None:
    figures.add(
        "growth",
        f"instructions of our own, {what}",
        (many.instructions.total() - few.instructions.total()) / messages,
        "a message",
    )
    figures.add(
        "growth", f"calls of the system, {what}", (many.system_calls - few.system_calls) / messages, "a message"
    )
