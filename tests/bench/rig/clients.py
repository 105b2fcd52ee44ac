"""The programs that are compared, each on a sink of its own: table-updater, the floor, wrk, and a worker on boto3."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

from rig.processes import RunError, Running, Used, run
from rig.sink import BENCH, PROGRAMS, Sink

# Whatever is none of these is what the sink must have counted nothing of.
_TWICE = ("repeated_tokens", "applied_again", "dead_again", "deleted_again", "deleted_unsettled", "unknown")


@dataclass(frozen=True)
class Done:
    """Messages (or requests) worked off by one program."""

    count: int
    used: Used
    counts: dict[str, Any]  # the sink's
    sink_cpu: float

    @property
    def rate(self) -> float:
        """Messages a second, from the first receive's answer to the last deletion."""
        return self.count / (self.counts["microseconds"] / 1e6)


@dataclass(frozen=True)
class Clients:
    """What is fixed for all runs of a round: the binary, requests that it made once, an older binary beside it."""

    binary: Path
    samples: Path
    old: Path | None = None
    turn: int = 0  # the round's number: who comes first in it

    def binaries(self) -> dict[str, Path]:
        """Those that are compared, in the order in which they run: the other one first each round."""
        named = {"table-updater": self.binary} | ({"old": self.old} if self.old else {})
        return dict(reversed(named.items())) if self.turn % 2 else named

    def worker(
        self,
        count: int,
        *,
        tls: bool = False,
        binary: Path | None = None,
        processes: int = 1,
        in_flight: int | None = None,
        wrapper: list[str | Path] | None = None,
        environment: dict[str, str] | None = None,
        **sink_options: Any,
    ) -> Done:
        """table-updater works `count` messages off; each must be done once."""
        settings = {"MAX_IN_FLIGHT": str(in_flight)} if in_flight else {}
        with Sink(tls=tls, messages=count, **sink_options) as sink:
            running = [
                Running(
                    [*(wrapper or []), binary or self.binary, "run", "--until-empty"],
                    {**sink.environment(), **settings, **(environment or {})},
                )
                for _ in range(processes)
            ]
            used = [each.wait() for each in running]
            cpu, counts = sink.cpu(), sink.counts()
        if (
            counts["deleted"] != count
            or counts["applied"] + counts["dead_lettered"] != count
            or any(counts[name] for name in _TWICE)
        ):
            raise RunError(f"not each of {count} messages was done once: {counts}")
        whole = Used(
            sum(each.cpu for each in used),
            max(each.seconds for each in used),
            max(each.peak_rss for each in used),
            used[0].output,
            sum(each.switches for each in used),
        )
        return Done(count, whole, counts, cpu)

    def floor(
        self,
        what: str,
        count: int,
        connections: int,
        *,
        tls: bool = False,
        wrapper: list[str | Path] | None = None,
        environment: dict[str, str] | None = None,
        samples: Path | None = None,
        program: str = "floor",
        **sink_options: Any,
    ) -> Done:
        """The floor, or the bare one, sends as many messages or requests (what)."""
        with Sink(tls=tls, endless=True, **sink_options) as sink:
            command = [
                *(wrapper or []),
                PROGRAMS / program,
                f"--url={sink.url}/",
                f"--samples={samples or self.samples}",
                f"--ca-file={sink.ca_file}",
                f"--connections={connections}",
                f"--{what}={count}",
            ]
            used = run(command, environment)
            return Done(count, used, sink.counts(), sink.cpu())

    def wrk(self, seconds: float, connections: int, *, tls: bool = False, **sink_options: Any) -> Done:
        """wrk sends transactions for some seconds."""
        with Sink(tls=tls, endless=True, **sink_options) as sink:
            command = [
                "wrk",
                "-t1",
                f"-c{connections}",
                f"-d{seconds:g}s",
                "--latency",
                "-s",
                BENCH / "post.lua",
                f"{sink.url}/",
            ]
            used = run(command, {"SAMPLE": str(self.samples / "TransactWriteItems.http")})
            counts, cpu = sink.counts(), sink.cpu()
        found = re.search(r"(\d+) requests in", used.output)
        if not found or "Non-2xx" in used.output:
            raise RunError(f"wrk said:\n{used.output}")
        return Done(int(found.group(1)), used, counts, cpu)

    def boto3(self, count: int, *, tls: bool = False, **sink_options: Any) -> Done:
        """The worker in Python works `count` messages off."""
        with Sink(tls=tls, messages=count, **sink_options) as sink:
            used = run([sys.executable, BENCH / "peer_boto3.py"], sink.environment())
            counts, cpu = sink.counts(), sink.cpu()
        if counts["deleted"] != count or counts["applied"] != count:
            raise RunError(f"not each of {count} messages was done once: {counts}")
        return Done(count, used, counts, cpu)


def slope(small: Done, large: Done) -> float:
    """Microseconds of CPU for one more message (or request): what starting and ending cost is in both."""
    return (large.used.cpu - small.used.cpu) / (large.count - small.count) * 1e6


@contextlib.contextmanager
def clients_of(binary: Path, old: Path | None = None) -> Iterator[Clients]:
    """Keeps requests of the binary's for the time of the measurements."""
    with tempfile.TemporaryDirectory(prefix="samples-") as folder:
        clients = Clients(binary, Path(folder), old)
        clients.worker(1000, samples=folder)
        yield clients


def with_longest_poll(samples: Path, folder: Path) -> None:
    """Copies the samples, the receive's with the longest poll that SQS has."""
    for path in samples.glob("*.http"):
        text = path.read_bytes()
        if path.stem == "ReceiveMessage":
            text = re.sub(rb'"WaitTimeSeconds":\d+', b'"WaitTimeSeconds":20', text)
        (folder / path.name).write_bytes(text)


def primitives() -> dict[str, float]:
    """Nanoseconds for a kilobyte, by what is done with it."""
    return dict(json.loads(run([PROGRAMS / "primitives"]).output))
