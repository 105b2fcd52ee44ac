#!/usr/bin/env python3
"""What being watched costs: the worker's CPU for a message with a scrape a second and a thousand slow clients.

By hand; beside a worker that nobody looks at, on the sink, in turns. The slow clients send a byte a second each, and
come again when they are cut off.
"""

from __future__ import annotations

import argparse
import multiprocessing
import select
import socket
import statistics
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "conf"), str(ROOT / "tests" / "bench")]


def crowd(address: tuple[str, int], size: int) -> None:
    """Slow clients, for ever."""
    clients: dict[int, socket.socket] = {}
    cut = select.epoll()

    def arrive() -> None:
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(address)
        clients[client.fileno()] = client
        cut.register(client, select.EPOLLRDHUP | select.EPOLLHUP)

    while True:
        while len(clients) < size:
            arrive()
        for client in list(clients.values()):
            try:
                client.send(b"x")
            except OSError:
                pass
        until = time.monotonic() + 1
        while (left := until - time.monotonic()) > 0:
            for number, _ in cut.poll(left):
                clients.pop(number).close()


def scraper(address: tuple[str, int], sink: Any) -> None:
    """A scrape a second, for ever; its size and seconds go to the queue."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        began = time.monotonic()
        try:
            with opener.open(f"http://{address[0]}:{address[1]}/metrics", timeout=10) as answer:
                size = len(answer.read())
            sink.put((size, time.monotonic() - began))
        except OSError:
            sink.put((0, time.monotonic() - began))
        time.sleep(max(0.0, 1 - (time.monotonic() - began)))


def main() -> int:
    from local_services import free_port
    from rig.clients import Clients

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=ROOT / "build" / "release" / "table-updater")
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--clients", type=int, default=1000)
    options = parser.parse_args()
    clients = Clients(options.binary, Path())
    costs: dict[bool, list[float]] = {False: [], True: []}
    seconds: list[float] = []
    scrapes: list[tuple[int, float]] = []
    for _ in range(options.pairs):
        for watched in (False, True):
            address = ("127.0.0.1", free_port())
            sink: Any = multiprocessing.Queue()
            watchers = [
                multiprocessing.Process(target=crowd, args=(address, options.clients), daemon=True),
                multiprocessing.Process(target=scraper, args=(address, sink), daemon=True),
            ]
            for watcher in watchers if watched else []:
                watcher.start()
            setting = {"METRICS_ADDRESS": f"{address[0]}:{address[1]}"} if watched else {}
            done = clients.worker(options.messages, environment=setting)
            for watcher in watchers if watched else []:
                watcher.terminate()
                watcher.join()
            costs[watched].append(done.used.cpu / done.count * 1e6)
            seconds += [done.used.seconds] if watched else []
            while not sink.empty():
                scrapes.append(sink.get())
            print(f"{'watched' if watched else 'alone'}: {costs[watched][-1]:.2f} us a message, {done.rate:.0f}/s")
    answered = [one for one in scrapes if one[0]]
    ratio = statistics.median(b / a for a, b in zip(costs[False], costs[True], strict=True))
    print(f"scrapes: {len(answered)} answered, {len(scrapes) - len(answered)} not (before the start and after the end)")
    print(f"their size: {max(size for size, _ in answered)} bytes at most")
    times = sorted(seconds for _, seconds in answered)
    print(f"their time: median {times[len(times) // 2] * 1e3:.1f} ms, most {times[-1] * 1e3:.1f} ms")
    print(f"CPU a message: {ratio:.3f} times what it is alone")
    # What watchers cost goes by the clock: where the machine is busy, fewer messages share it.
    pairs = zip(costs[False], costs[True], seconds, strict=True)
    each = statistics.median((b - a) * options.messages / 1e6 / took for a, b, took in pairs)
    print(f"watchers' CPU a second: {each * 1e3:.1f} ms, {100 * each:.2f} % of a core")
    return 0


if __name__ == "__main__":
    sys.exit(main())
