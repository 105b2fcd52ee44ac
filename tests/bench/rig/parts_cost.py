"""What messages cost: CPU beside the floor, wrk and boto3; over sizes; calls of the system, allocations."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from rig.clients import Clients, Done, primitives, slope
from rig.figures import Figures
from rig.peers import TASKS, built_peers
from rig.plan import Plan
from rig.sink import PROGRAMS

SCHEMES = {"plain": False, "TLS": True}
SHOWN_CALLS = 6
COUNTED_IN_FLIGHT = (
    20  # few, so that all connections are open early in the smaller run too, and a slope has no handshakes in it
)
FLOOR_TO_WRK_MAX = 3


def cpu(clients: Clients, plan: Plan, figures: Figures) -> None:
    """CPU a message and a request: table-updater, floor, wrk, boto3, SDKs for Go and Rust; rates; memory"""
    for name, tls in SCHEMES.items():
        runs = {
            who: [clients.worker(count, tls=tls, binary=binary) for count in (plan.small, plan.large)]
            for who, binary in clients.binaries().items()
        }
        small, large = runs["table-updater"]
        connections = large.counts["connections"]
        floors = [clients.floor("messages", count, connections, tls=tls) for count in (plan.small, plan.large)]
        requests = [clients.floor("requests", count, connections, tls=tls) for count in (plan.small, plan.large)]
        bare = [
            clients.floor("messages", count, connections, tls=tls, program="bare") for count in (plan.small, plan.large)
        ]
        bare_requests = [
            clients.floor("requests", count, connections, tls=tls, program="bare") for count in (plan.small, plan.large)
        ]
        wrk = clients.wrk(plan.wrk_seconds, connections, tls=tls)
        boto3 = [clients.boto3(count, tls=tls) for count in (plan.boto3_small, plan.boto3_large)]
        worker_us = slope(small, large)
        figures.beside_old("cpu", name, {who: slope(*both) for who, both in runs.items()}, "us/message")
        floor_us = figures.add("cpu", f"floor, {name}", slope(*floors), "us/message")
        request_us = figures.add("cpu", f"floor, transactions alone, {name}", slope(*requests), "us/request")
        bare_us = figures.add("cpu", f"bare exchange, {name}", slope(*bare), "us/message")
        bare_request_us = figures.add(
            "cpu", f"bare exchange, transactions alone, {name}", slope(*bare_requests), "us/request"
        )
        wrk_us = figures.add("cpu", f"wrk, {name}", wrk.used.cpu / wrk.count * 1e6, "us/request")
        boto3_us = figures.add("cpu", f"boto3, {name}", slope(*boto3), "us/message")
        figures.add("cpu", f"table-updater / floor, per message, {name}", worker_us / floor_us, "x", ratio=True)
        floor_to_wrk = figures.add("cpu", f"floor / wrk, per request, {name}", request_us / wrk_us, "x", ratio=True)
        figures.add("cpu", f"bare exchange / wrk, per request, {name}", bare_request_us / wrk_us, "x", ratio=True)
        figures.add("cpu", f"table-updater / bare exchange, per message, {name}", worker_us / bare_us, "x", ratio=True)
        if floor_to_wrk > FLOOR_TO_WRK_MAX:
            figures.note(f"cpu: a round's floor is above {FLOOR_TO_WRK_MAX} x wrk, so it is no floor to compare with")
        figures.add("cpu", f"boto3 / table-updater, per message, {name}", boto3_us / worker_us, "x", ratio=True)
        for who, done in (("table-updater", large), ("floor", floors[1]), ("boto3, 8 threads", boto3[1])):
            figures.add("cpu", f"{who}, rate, {name}", done.rate, "messages/s")
        figures.add("cpu", f"wrk, rate, {name}", wrk.count / plan.wrk_seconds, "requests/s")
        figures.add(
            "cpu",
            f"boto3 / table-updater, time for as many messages, {name}",
            large.rate / boto3[1].rate,
            "x",
            ratio=True,
        )
        for who, done in (("table-updater", large), ("floor", floors[1]), ("boto3", boto3[1])):
            figures.add("cpu", f"{who}, peak memory, {name}", done.used.peak_rss / 1024, "MiB")
        figures.add("cpu", f"connections, {name}", connections, "")
        if tls:
            _sdk_peers(clients, plan, figures, large, worker_us)


def _sdk_peers(clients: Clients, plan: Plan, figures: Figures, mine: Done, cost: float) -> None:
    """The workers on AWS's SDKs for Go and Rust. mine: our larger run; cost: microseconds of ours for a message. Memory
    is compared with as many in flight."""
    peers = built_peers()
    few = clients.worker(plan.peers_large, tls=True, in_flight=TASKS, chain=True) if peers else mine
    for peer in peers:
        small, large = peer.work(plan.peers_small), peer.work(plan.peers_large)
        theirs = figures.add("cpu", f"{peer.name}, TLS", slope(small, large), "us/message")
        figures.add("cpu", f"{peer.name} / table-updater, per message, TLS", theirs / cost, "x", ratio=True)
        rate, peak = mine.rate / large.rate, large.used.peak_rss
        figures.add("cpu", f"table-updater / {peer.name}, messages a second, TLS", rate, "x", ratio=True)
        figures.add("cpu", f"table-updater / {peer.name}, memory, TLS", few.used.peak_rss / peak, "x", ratio=True)
        figures.add("cpu", f"{peer.name}, rate, TLS", large.rate, "messages/s")
        figures.add("cpu", f"{peer.name}, peak memory, TLS", peak / 1024, "MiB")
    if peers:
        figures.add("cpu", f"table-updater, {TASKS} in flight, peak memory, TLS", few.used.peak_rss / 1024, "MiB")
    else:
        figures.note("cpu: the workers on AWS's SDKs are left out: tests/bench/peers builds them.")


def size(clients: Clients, plan: Plan, figures: Figures) -> None:
    """what a kilobyte more of a message costs, beside hashing, encrypting and copying it"""
    least = primitives()
    for name, value in least.items():
        figures.add("size", f"{name} (program primitives)", value / 1e3, "us/kB")
    costs, bare = {}, {}
    for bytes_, small, large in plan.sizes:
        runs = [clients.worker(count, tls=True, unaudited=True, body_size=bytes_) for count in (small, large)]
        costs[bytes_] = figures.add("size", f"{bytes_:,} bytes, unaudited, TLS", slope(*runs), "us/message")
        bare[bytes_] = _bare_of_size(clients, bytes_, (small, large), runs[1].counts["connections"])
    first, last = min(costs), max(costs)
    per_kb = figures.add(
        "size",
        f"each kB from {first:,} to {last:,} bytes",
        (costs[last] - costs[first]) / (last - first) * 1e3,
        "us/kB",
    )
    bare_per_kb = figures.add(
        "size", "each kB of the bare exchange", (bare[last] - bare[first]) / (last - first) * 1e3, "us/kB"
    )
    hashes = (least["md5"] + least["sha256"]) / 1e3
    figures.add("size", "a kB / the bare exchange, MD5 and SHA-256", per_kb / (bare_per_kb + hashes), "x", ratio=True)
    once = (least["sha256"] + least["aes_gcm"] + least["copy"]) / 1e3
    path = (least["md5"] + least["sha256"] + 2 * least["aes_gcm"] + least["copy"]) / 1e3
    figures.add("size", "a kB / its SHA-256, AES-GCM and one copy", per_kb / once, "x", ratio=True)
    figures.add("size", "a kB / decrypted, MD5, SHA-256, encrypted and one copy", per_kb / path, "x", ratio=True)


def _bare_of_size(clients: Clients, size: int, counts: tuple[int, int], connections: int) -> float:
    """CPU of the bare exchange for a message of this size, with requests that table-updater makes of such."""
    options: dict[str, Any] = {"tls": True, "unaudited": True, "body_size": size}
    with tempfile.TemporaryDirectory(prefix="samples-") as folder:
        clients.worker(counts[0], samples=folder, **options)
        samples = Path(folder)
        runs = [
            clients.floor("messages", count, connections, program="bare", samples=samples, **options)
            for count in counts
        ]
    return slope(*runs)


def _calls_of(text: str) -> dict[str, int]:
    """The table of strace -c: calls by name."""
    rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", text, re.MULTILINE)
    return {name: int(count) for count, name in rows if name != "total"}


def _per_message(of_small: dict[str, int], of_large: dict[str, int], messages: int) -> dict[str, float]:
    return {name: (count - of_small.get(name, 0)) / messages for name, count in of_large.items()}


def _both(
    clients: Clients, plan: Plan, tls: bool, wrapper: Any, environment: Any, read: Any
) -> tuple[dict[str, float], dict[str, float]]:
    """The counts a message of table-updater's and the floor's, that read() finds in the file which wrapper and
    environment name."""
    found = []
    for who in ("worker", "floor"):
        counts = []
        for messages in (plan.calls_small, plan.calls_large):
            with tempfile.NamedTemporaryFile() as file:
                options: dict[str, Any] = {
                    "tls": tls,
                    "wrapper": wrapper(file.name),
                    "environment": environment(file.name),
                }
                if who == "worker":
                    connections = clients.worker(messages, in_flight=COUNTED_IN_FLIGHT, **options).counts["connections"]
                else:
                    clients.floor("messages", messages, connections, **options)
                counts.append(read(Path(file.name).read_text()))
        found.append(_per_message(counts[0], counts[1], plan.calls_large - plan.calls_small))
    return found[0], found[1]


def calls(clients: Clients, plan: Plan, figures: Figures) -> None:
    """calls of the system a message, table-updater and floor (under strace, which slows both)"""
    for name, tls in SCHEMES.items():
        worker, floor = _both(
            clients, plan, tls, lambda path: ["strace", "-c", "-f", "-o", path], lambda path: {}, _calls_of
        )
        for who, counts in (("table-updater", worker), ("floor", floor)):
            figures.add("calls", f"{who}, all, {name}", sum(counts.values()), "calls/message")
            for call in sorted(counts, key=lambda call: -counts[call])[:SHOWN_CALLS]:
                figures.add("calls", f"{who}, {call}, {name}", counts[call], "calls/message")
        figures.add(
            "calls",
            f"table-updater / floor, calls of the system, {name}",
            sum(worker.values()) / sum(floor.values()),
            "x",
            ratio=True,
        )


def allocations(clients: Clients, plan: Plan, figures: Figures) -> None:
    """allocations a message, by who makes them, table-updater and floor"""
    library = PROGRAMS / "count_allocations.so"
    for name, tls in SCHEMES.items():
        worker, floor = _both(
            clients,
            plan,
            tls,
            lambda path: [],
            lambda path: {"LD_PRELOAD": str(library), "COUNT_ALLOCATIONS": path},
            json.loads,
        )
        for who, counts in (("table-updater", worker), ("floor", floor)):
            figures.add("allocations", f"{who}, all, {name}", sum(counts.values()), "a message")
            for module in sorted(counts, key=lambda module: -counts[module]):
                if counts[module] >= 0.05:
                    figures.add("allocations", f"{who}, by {module}, {name}", counts[module], "a message")
        own = sum(count for module, count in worker.items() if module == clients.binary.name)
        figures.add("allocations", f"table-updater's own code, {name}", own, "a message", ratio=True)
        figures.add(
            "allocations", f"table-updater / floor, {name}", sum(worker.values()) / sum(floor.values()), "x", ratio=True
        )
