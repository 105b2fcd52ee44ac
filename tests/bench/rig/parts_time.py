"""How fast, how large and how quiet: rates under latency, memory, idling, two processes, the tail."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from typing import Any

from rig.clients import Clients, with_longest_poll
from rig.figures import Figures
from rig.parts_cost import SCHEMES
from rig.plan import Plan
from rig.processes import Running
from rig.sink import PROGRAMS, Sink, cpu_seconds

RSS_LATENCY = 100  # milliseconds
RSS_IN_FLIGHT = ((64, 2_000), (1_000, 10_000))
RSS_BEYOND_MAX = 4  # MiB
RATE_LATENCY = 5
RATE_IN_FLIGHT = 256  # the default
BOUND_LATENCY, BOUND_IN_FLIGHT = 20, 64
PROCESSES = {1: "one process", 2: "two processes", 4: "four processes"}
TAIL_LATENCY, TAIL_SQS_LATENCY = 5, 2


def rss(clients: Clients, plan: Plan, figures: Figures) -> None:
    """peak memory with 64 and 1,000 messages in flight, beside the floor with as many connections"""
    del plan
    for name, tls in SCHEMES.items():
        for in_flight, count in RSS_IN_FLIGHT:
            worker = clients.worker(count, tls=tls, in_flight=in_flight, dynamodb_latency=RSS_LATENCY)
            connections = worker.counts["connections"]
            floor = clients.floor("requests", count, connections, tls=tls, dynamodb_latency=RSS_LATENCY)
            what = f"{in_flight:,} in flight, DynamoDB takes {RSS_LATENCY} ms, {name}"
            figures.add("rss", f"table-updater, {what}", worker.used.peak_rss / 1024, "MiB")
            figures.add("rss", f"floor, {what}", floor.used.peak_rss / 1024, "MiB")
            figures.add("rss", f"connections, {what}", connections, "")
            figures.add(
                "rss",
                f"table-updater / floor, memory, {what}",
                worker.used.peak_rss / floor.used.peak_rss,
                "x",
                ratio=True,
            )
            beyond = (worker.used.peak_rss - floor.used.peak_rss) / 1024 - in_flight * worker.counts[
                "body_size"
            ] / 2**20
            figures.add("rss", f"beyond the floor and the bodies, {what}", beyond, "MiB")
            if tls and beyond > RSS_BEYOND_MAX:
                figures.note(
                    f"rss: a round's worker took more than {RSS_BEYOND_MAX} MiB beyond the floor and the bodies, {what}"
                )


def rate(clients: Clients, plan: Plan, figures: Figures) -> None:
    """messages a second where DynamoDB takes 5 ms, beside the floor"""
    for name, tls in SCHEMES.items():
        worker = clients.worker(plan.large, tls=tls, dynamodb_latency=RATE_LATENCY)
        floor = clients.floor("messages", plan.large, RATE_IN_FLIGHT, tls=tls, dynamodb_latency=RATE_LATENCY)
        what = f"{RATE_IN_FLIGHT} in flight, DynamoDB takes {RATE_LATENCY} ms, {name}"
        figures.add("rate", f"table-updater, {what}", worker.rate, "messages/s")
        figures.add("rate", f"floor, {what}", floor.rate, "messages/s")
        figures.add(
            "rate", f"table-updater / floor, messages a second, {what}", worker.rate / floor.rate, "x", ratio=True
        )


def _wakeups(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.MULTILINE)
    assert found
    return int(found.group(1))


def idle(clients: Clients, plan: Plan, figures: Figures) -> None:
    """CPU and wake-ups with one long poll open, beside the floor that has one open"""
    with Sink(messages=0) as sink, tempfile.TemporaryDirectory() as folder:
        with_longest_poll(clients.samples, Path(folder))
        floor_command: list[str | Path] = [
            PROGRAMS / "floor",
            f"--url={sink.url}/",
            f"--samples={folder}",
            "--connections=1",
            "--polls=1000000",
        ]
        running = {
            "table-updater": Running([clients.binary, "run"], sink.environment()),
            "floor": Running(floor_command),
        }
        time.sleep(plan.idle_warm)  # the polls grow to their longest
        before = {who: (cpu_seconds(p.pid), _wakeups(p.pid)) for who, p in running.items()}
        polls, began = sink.counts()["requests"]["ReceiveMessage"]["count"], time.monotonic()
        time.sleep(plan.idle_seconds)
        seconds = time.monotonic() - began
        polls = sink.counts()["requests"]["ReceiveMessage"]["count"] - polls
        wakeups = {}
        for who, process in running.items():
            used, woken = cpu_seconds(process.pid) - before[who][0], _wakeups(process.pid) - before[who][1]
            figures.add("idle", f"{who}, CPU (10,000 are 1 %)", used / seconds * 1e6, "us/s")
            wakeups[who] = figures.add("idle", f"{who}, wake-ups", woken / seconds * 60, "a minute")
        figures.add("idle", "long polls of both", polls / seconds * 60, "a minute")
        figures.add("idle", "table-updater's wake-ups a minute", wakeups["table-updater"], "a minute", ratio=True)
        running["table-updater"].terminate()
        running["table-updater"].wait()
        running["floor"].kill()


def _of_processes(clients: Clients, figures: Figures, number: int, count: int, how: str, **options: Any) -> list[float]:
    """So many processes at once: messages a second, CPU a message; what they share the cores and the queue for."""
    done = clients.worker(count, tls=True, processes=number, **options)
    cost = done.used.cpu / done.count * 1e6
    what = f"{PROCESSES[number]}, {how}"
    figures.add("processes", f"{what}, rate", done.rate, "messages/s")
    figures.add("processes", f"{what}, CPU, their start with it", cost, "us/message")
    figures.add("processes", f"{what}, cores", done.rate * cost / 1e6)
    figures.add("processes", f"{what}, cores of the sink", done.rate * done.sink_cpu / done.count)
    figures.add("processes", f"{what}, switches", done.used.switches / done.count, "a message")
    requests = sum(done.counts["requests"][name]["count"] for name in ("ReceiveMessage", "DeleteMessageBatch"))
    figures.add("processes", f"{what}, receives and batches of deletions", requests / done.count, "a message")
    figures.add("processes", f"{what}, connections", done.counts["connections"])
    return [done.rate, cost]


def processes(clients: Clients, plan: Plan, figures: Figures) -> None:
    """two and four processes beside one: their rate and CPU a message where latency bounds each, and where cores do"""
    bound = f"{BOUND_IN_FLIGHT} in flight each, {BOUND_LATENCY} ms"
    latency = {"in_flight": BOUND_IN_FLIGHT, "dynamodb_latency": BOUND_LATENCY}
    for how, options, shares in ((bound, latency, True), ("without latency", {}, False)):
        count = plan.large // 2 if shares else plan.large * 2
        of = {
            number: _of_processes(clients, figures, number, count * (number if shares else 1), how, **options)
            for number in PROCESSES
        }
        for number in list(PROCESSES)[1:]:
            for n, name in enumerate(("messages a second", "CPU a message")):
                ratio = of[number][n] / of[1][n]
                figures.add("processes", f"{PROCESSES[number]} / one, {name}, {how}", ratio, "x", ratio=True)
    figures.note(
        "processes: without latency the cores are the limit, of which the sink takes its part; so with latency "
        "tells whether two are twice one."
    )


def tail(clients: Clients, plan: Plan, figures: Figures) -> None:
    """time from a receive's answer to the deletion at half of the greatest load, beside the sink's own latency"""
    latency = {"dynamodb_latency": TAIL_LATENCY, "sqs_latency": TAIL_SQS_LATENCY}
    full = clients.worker(plan.large, tls=True, **latency).rate
    half = clients.worker(int(full / 2 * plan.tail_seconds), tls=True, rate=full / 2, **latency)
    figures.add("tail", "load", half.rate, "messages/s")
    for when, key in (("", "tail"), (", after two seconds", "warm_tail")):
        quantiles = half.counts[key]
        for name, quantile in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"), ("longest", "longest")):
            figures.add("tail", f"receive to deletion{when}, {name}", quantiles[quantile] / 1e3, "ms")
        figures.add("tail", f"p99.9 / p50{when}", quantiles["p999"] / quantiles["p50"], "x", ratio=True)
    wrk = clients.wrk(plan.wrk_seconds, 16, tls=True, **latency)
    for name in ("50", "99"):
        found = re.search(rf"^\s*{name}%\s+([\d.]+)(us|ms|s)", wrk.used.output, re.MULTILINE)
        if found:
            milliseconds = float(found.group(1)) * {"us": 1e-3, "ms": 1, "s": 1e3}[found.group(2)]
            figures.add(
                "tail",
                f"a transaction of wrk's on the same sink (which waits {TAIL_LATENCY} ms), p{name}",
                milliseconds,
                "ms",
            )
    figures.note(
        f"tail: each message needs one transaction ({TAIL_LATENCY} ms at the sink) and its place in a batch of "
        f"deletions, with TLS. In the first seconds connections are opened, which wrk has opened before it measures."
    )
