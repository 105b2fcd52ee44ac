#!/usr/bin/env python3
"""What being watched costs: the worker's CPU for a message with a scrape a second and a thousand slow clients.

By hand, on a quiet machine. The slow clients send a byte a second each and come again as soon as they are cut off; in a
window that goes round once. One worker on the sink is left alone, watched, and left alone while the same clients watch
another process that has nothing to do, in an order by lot; within such a round the CPU for a message is compared. (Two
runs of a process differ by more than what is measured; and where processors share a core, clients cost whoever works
beside them something, whatever they ask for. The other process tells that from what being watched costs.)
First the worker is busy, which gives the ratios; then few messages come, so that what the watchers cost is seen by
itself, and well: a busy machine's noise is a multiple of it.

    tests/bench/observed.py [--rounds 5] [--quiet-rounds 2] [--results FILE]

A run may be cut into pieces: what is in FILE counts with what is measured now, and is kept there.
"""

from __future__ import annotations

import argparse
import enum
import json
import multiprocessing
import random
import select
import socket
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "conf"), str(ROOT / "tests" / "bench")]

from rig.processes import Running  # noqa: E402
from rig.sink import Sink, cpu_seconds  # noqa: E402

from local_services import free_port  # noqa: E402

WINDOW = 5.0  # seconds: what a slow client has
ARRIVING = 2.5  # until all have come, and none is cut off yet
LEAVING = 0.5
WARMING = 3.0
RESAMPLES = 10_000
BUSY = 0.95  # of a core: where the worker has less, somebody else is at work, and the round doesn't count


def crowd(port: Any, size: int, wanted: Any, arrivals: Any) -> None:
    """Slow clients, while they are wanted."""
    while wanted.wait():
        clients: dict[int, socket.socket] = {}
        cut = select.epoll()

        def arrive() -> None:
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port.value))
            clients[client.fileno()] = client
            cut.register(client, select.EPOLLRDHUP | select.EPOLLHUP)
            arrivals.value += 1

        for _ in range(size):
            arrive()
        while wanted.is_set():
            for client in list(clients.values()):
                try:
                    client.send(b"x")
                except OSError:
                    pass
            until = time.monotonic() + 1
            while (left := until - time.monotonic()) > 0 and wanted.is_set():
                for number, _ in cut.poll(min(left, 0.1)):
                    clients.pop(number).close()
                    arrive()
        for client in clients.values():
            client.close()
        cut.close()


def scraper(port: Any, wanted: Any, sink: Any) -> None:
    """A scrape a second, while it is wanted; its size and seconds go to the queue."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while wanted.wait():
        began = time.monotonic()
        try:
            with opener.open(f"http://127.0.0.1:{port.value}/metrics", timeout=10) as answer:
                size = len(answer.read())
        except OSError:
            size = 0
        sink.put((size, time.monotonic() - began))
        time.sleep(max(0.0, 1 - (time.monotonic() - began)))


class Watching(enum.Enum):
    """Whom the clients watch in a window."""

    NOBODY = enum.auto()
    ANOTHER = enum.auto()
    WORKER = enum.auto()


@dataclass(frozen=True)
class Window:
    """What the worker did in one."""

    cpu: float
    messages: int
    arrivals: int  # of slow clients
    seconds: float

    @property
    def per_message(self) -> float:
        return self.cpu / self.messages


class Scene:
    """A worker on the sink, another that has nothing to do, and clients who watch one of them when they are wanted."""

    def __init__(self, binary: Path, clients: int, **sink_options: Any) -> None:
        self.sink, self.other_sink = Sink(**sink_options), Sink(messages=1)
        self.ports = {Watching.WORKER: free_port(), Watching.ANOTHER: free_port()}
        self.worker, self.other = (
            Running([binary, "run"], {**sink.environment(), "METRICS_ADDRESS": f"127.0.0.1:{self.ports[who]}"})
            for sink, who in ((self.sink, Watching.WORKER), (self.other_sink, Watching.ANOTHER))
        )
        self.wanted, self.arrivals = multiprocessing.Event(), multiprocessing.Value("q", 0)
        self.port = multiprocessing.Value("i", 0)
        self.scrapes: Any = multiprocessing.Queue()
        self.watchers = [
            multiprocessing.Process(target=crowd, args=(self.port, clients, self.wanted, self.arrivals), daemon=True),
            multiprocessing.Process(target=scraper, args=(self.port, self.wanted, self.scrapes), daemon=True),
        ]
        for watcher in self.watchers:
            watcher.start()
        time.sleep(WARMING)

    def window(self, watching: Watching) -> Window:
        """Measures what the worker does."""
        if watching is not Watching.NOBODY:
            self.port.value = self.ports[watching]
            self.wanted.set()
            time.sleep(ARRIVING)
        arrivals, messages = self.arrivals.value, self.sink.counts()["deleted"]
        cpu, began = cpu_seconds(self.worker.pid), time.monotonic()
        time.sleep(WINDOW)
        cpu, seconds = cpu_seconds(self.worker.pid) - cpu, time.monotonic() - began
        messages, arrivals = self.sink.counts()["deleted"] - messages, self.arrivals.value - arrivals
        self.wanted.clear()
        time.sleep(LEAVING)
        return Window(cpu, messages, arrivals, seconds)

    def round(self, kinds: list[Watching]) -> dict[Watching, Window]:
        """A window of each, in any order."""
        return {watching: self.window(watching) for watching in random.sample(kinds, len(kinds))}

    def end(self) -> list[tuple[int, float]]:
        """Ends all. Size and seconds of the scrapes."""
        for watcher in self.watchers:
            watcher.terminate()
            watcher.join()
        for process in (self.worker, self.other):
            process.kill()
        for sink in (self.sink, self.other_sink):
            sink.stop()
        scrapes = []
        while not self.scrapes.empty():
            scrapes.append(self.scrapes.get())
        return scrapes


def interval(values: list[float]) -> str:
    """The median, and where it lies with 95 % by resampling."""
    lots = random.Random(1)
    medians = sorted(statistics.median(lots.choices(values, k=len(values))) for _ in range(RESAMPLES))
    low, high = medians[RESAMPLES // 40], medians[-RESAMPLES // 40]
    return f"{statistics.median(values):.3f} ({low:.3f} to {high:.3f}, {len(values)} rounds)"


def busy_round(scene: Scene) -> dict[str, Any]:
    """The ratios."""
    windows = scene.round(list(Watching))
    alone, another, watched = (windows[watching] for watching in Watching)
    one = {
        "kind": "busy",
        "beside_alone": watched.per_message / alone.per_message,
        "beside_another": watched.per_message / another.per_message,
        "alone": 1e6 * alone.per_message,
        "share": min(window.cpu / window.seconds for window in windows.values()),
        "arrivals": watched.arrivals / watched.seconds,
    }
    print(
        f"busy: {one['beside_another']:.3f} times what it is beside clients of another; {one['beside_alone']:.3f} times"
        f" {one['alone']:.2f} us a message alone; {100 * one['share']:.0f} % of a core at least;"
        f" {one['arrivals']:.0f} arrivals a second",
        flush=True,
    )
    return one


def quiet_round(scene: Scene) -> dict[str, Any]:
    """What the watchers cost by themselves."""
    windows = scene.round([Watching.NOBODY, Watching.WORKER])
    alone, watched = windows[Watching.NOBODY], windows[Watching.WORKER]
    more = 1e3 * (watched.cpu / watched.seconds - alone.cpu / alone.seconds)
    print(f"quiet: {more:.2f} ms a second more than {1e3 * alone.cpu / alone.seconds:.2f} alone", flush=True)
    return {"kind": "quiet", "milliseconds": more, "arrivals": watched.arrivals / watched.seconds}


def measure(options: argparse.Namespace, keep: Callable[[dict[str, Any]], None]) -> None:
    """The rounds of both kinds."""
    kinds = (
        ("busy", busy_round, options.rounds, {"endless": True}),
        ("quiet", quiet_round, options.quiet_rounds, {"messages": 1_000_000, "rate": options.rate}),
    )
    for kind, measure_one, rounds, sink_options in kinds:
        if not rounds:
            continue
        scene = Scene(options.binary, options.clients, **sink_options)
        for _ in range(rounds):
            keep(measure_one(scene))
        for size, seconds in scene.end():
            keep({"kind": "scrape", "beside": kind, "size": size, "seconds": seconds})


def report(everything: list[dict[str, Any]]) -> None:
    """Ratios first."""
    busy, quiet, scrapes = ([one for one in everything if one["kind"] == kind] for kind in ("busy", "quiet", "scrape"))
    all_busy, busy = len(busy), [one for one in busy if one["share"] >= BUSY]
    if busy:
        print(f"rounds in which the worker had {BUSY:.0%} of a core: {len(busy)} of {all_busy}")
        print(f"CPU a message, watched beside clients of another: {interval([one['beside_another'] for one in busy])}")
        print(f"CPU a message, watched beside alone: {interval([one['beside_alone'] for one in busy])}")
    if quiet:
        own = statistics.median(one["milliseconds"] for one in quiet) / 1e3
        print(f"watchers' part of a core that is busy with messages: {1 / (1 - own):.4f} times a message, from")
        print(f"watchers' CPU, ms a second: {interval([one['milliseconds'] for one in quiet])}")
    if scrapes:
        times = sorted(one["seconds"] for one in scrapes)
        print(f"scrapes: {sum(one['size'] > 0 for one in scrapes)} of {len(scrapes)} answered,", end=" ")
        print(f"{max(one['size'] for one in scrapes)} bytes at most;", end=" ")
        print(f"milliseconds: median {times[len(times) // 2] * 1e3:.1f}, most {times[-1] * 1e3:.1f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / "build" / "test" / "table-updater")
    parser.add_argument("--rounds", type=int, default=5, help="of a busy worker, 22 seconds each")
    parser.add_argument("--quiet-rounds", type=int, default=2, help="of one with few messages, 14 seconds each")
    parser.add_argument("--rate", type=int, default=300, help="of these, a second")
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--results", type=Path, help="where rounds are kept")
    options = parser.parse_args()
    known = options.results.read_text().splitlines() if options.results and options.results.exists() else []
    everything: list[dict[str, Any]] = [json.loads(line) for line in known]

    def keep(one: dict[str, Any]) -> None:
        everything.append(one)
        if options.results:
            with options.results.open("a") as file:
                file.write(json.dumps(one) + "\n")

    measure(options, keep)
    report(everything)
    return 0


if __name__ == "__main__":
    sys.exit(main())
