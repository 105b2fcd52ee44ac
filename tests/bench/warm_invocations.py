#!/usr/bin/env python3
"""What a warm invocation of the function takes of user and of system time, beside the floor (invocation_floor.c): three
requests and their waits, where nothing is computed.

    build/venv/bin/python tests/bench/warm_invocations.py [--seconds 60] [--package FILE]...

All run at once, each with an emulator and a sink of its own, and are invoked in turns of fifty, so that all see the
same machine; the ratio is the median of the turns. Of several packages, each is compared with the floor. Invocations
are those of lambda_function.py; needs the target `invocation_floor` of the preset `test`."""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import lambda_function
from lambda_function import FOLDER, Emulator, Function, cpu_of, emulated, trusting, unpacked, update
from rig.sink import PROGRAMS, Sink

TURN = 50
SWITCHES = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")


def switches_of(pid: int) -> list[int]:
    """How often a process waited, and how often another one took its core."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return [int(values[name]) for name in SWITCHES]


def ticks_of(pid: int) -> list[int]:
    """User and system time; the kernel counts them by ticks, which is right for many invocations."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(values[11]), int(values[12])]


@dataclass
class Runner:
    """One of those that are compared, running."""

    name: str
    emulator: Emulator
    number: int = 0
    turns: list[float] = field(default_factory=list)  # CPU of an invocation, in microseconds

    def invoke(self, count: int) -> None:
        for _ in range(count):
            self.number += 1
            answer = self.emulator.invoke(json.dumps(update(self.number)).encode())
            if not answer.get("success"):
                sys.exit(f"{self.name}: {answer}\n{self.emulator.said()}")

    def turn(self) -> None:
        begin = cpu_of(self.emulator.pid())
        self.invoke(TURN)
        self.turns.append((cpu_of(self.emulator.pid()) - begin) * 1e6 / TURN)


def start(stack: contextlib.ExitStack, name: str, command: list[str], samples: Path | None = None) -> Runner:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="warm-")))
    sink = stack.enter_context(Sink(tls=True, messages=10, **({"samples": str(samples)} if samples else {})))
    environment = sink.environment() | trusting(sink.ca_file, folder)
    runner = Runner(name, stack.enter_context(emulated(Function(name, command, {}), environment, folder)))
    runner.invoke(20)
    return runner


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--package", type=Path, action="append")
    options = parser.parse_args()
    lambda_function.prepare_emulator()
    with contextlib.ExitStack() as stack:
        samples = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="samples-")))
        runners = []
        for number, package in enumerate(options.package or [None]):
            task = FOLDER / f"task-{number}"
            name = package.name if package else "table-updater"
            runners.append(start(stack, name, unpacked(package, task), None if runners else samples))
        sample = samples / "TransactWriteItems.http"
        floor = start(stack, "floor", [str(PROGRAMS / "invocation_floor"), str(sample)])
        runners.append(floor)
        begun = [(ticks_of(each.emulator.pid()), switches_of(each.emulator.pid())) for each in runners]
        until = time.monotonic() + options.seconds
        while time.monotonic() < until:
            for each in random.sample(runners, len(runners)):
                each.turn()
        for each, (ticks, switches) in zip(runners, begun):
            pid, count = each.emulator.pid(), len(each.turns) * TURN
            cpu = statistics.mean(each.turns)
            user, system = (now - then for now, then in zip(ticks_of(pid), ticks))
            waits, taken = ((now - then) / count for now, then in zip(switches_of(pid), switches))
            ratio = statistics.median(one / least for one, least in zip(each.turns, floor.turns))
            print(
                f"{each.name:20} {count} invocations: {cpu:.1f} us, of which user {cpu * user / (user + system):.1f}"
                f" and system {cpu * system / (user + system):.1f}; switches: {waits:.2f} to wait, {taken:.2f} others;"
                f" {ratio:.2f} times the floor"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
