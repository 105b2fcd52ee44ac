#!/usr/bin/env python3
"""A million messages through one process against the sink: its memory doesn't grow with what it has done, nor do its
descriptors.

    tests/bench/soak.py [--messages 1000000] [--in-flight 256] [--tls] [--binary build/test/table-updater]

Prints memory (VmRSS) and open descriptors at 1, 10, 25, 50, 75 and 100 %, and ends with 1 where one of them grew, or a
message was lost or done twice. In the first hundredth all that may be in flight has its connections and buffers. What
may still come after it is bounded by SETTLING: connections live for 30 to 45 seconds, so that within the first minutes
each is opened anew beside its successor, with TLS also with a handshake (some 40 KiB each, where the free room of the
last ones doesn't fit); and moments differ. In the second half, where that is over, nothing may: half a byte a message
would be seen.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "conf"), str(ROOT / "tests" / "bench")]

from rig.sink import Sink  # noqa: E402

from local_services import die_with_parent, isolate_environment  # noqa: E402

MARKS = (1, 10, 25, 50, 75, 100)
SETTLING = {False: 512, True: 3 * 1024}  # KiB, by whether it is TLS
NOISE = 256  # KiB
MORE_DESCRIPTORS = 16
TWICE = (
    "repeated_tokens",
    "applied_again",
    "dead_again",
    "deleted_again",
    "deleted_unsettled",
    "unknown",
    "given_back",
)


@dataclass(frozen=True)
class Sample:
    """The process at one moment."""

    percent: int
    messages: int
    seconds: float
    resident: int  # KiB
    descriptors: int

    def __str__(self) -> str:
        memory = f"{self.resident / 1024:11.2f} {self.descriptors:12}"
        return f"{self.percent:5} % {self.messages:10} {self.seconds:8.1f} {memory}"


def take(pid: int, percent: int, messages: int, started: float) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return Sample(percent, messages, time.monotonic() - started, resident, len(os.listdir(f"/proc/{pid}/fd")))


def watched(process: subprocess.Popen[bytes], sink: Sink, total: int) -> list[Sample]:
    """A sample whenever a mark is reached, until all is done."""
    samples: list[Sample] = []
    started = time.monotonic()
    while len(samples) < len(MARKS):
        if process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}")
        done = sink.counts()["deleted"]
        if done * 100 >= MARKS[len(samples)] * total:
            samples.append(take(process.pid, MARKS[len(samples)], done, started))
            print(samples[-1], flush=True)
        time.sleep(0.02)
    return samples


def faults(samples: list[Sample], counts: dict[str, Any], total: int, tls: bool) -> list[str]:
    first, later = samples[0], samples[1:]
    settled = max(sample.resident for sample in later) - first.resident
    half = next(sample for sample in samples if sample.percent == 50)
    grown = max(sample.resident for sample in later if sample.percent > 50) - half.resident
    opened = max(sample.descriptors for sample in later) - first.descriptors
    wrong = {
        f"memory grew by {settled} KiB since the first hundredth": settled > SETTLING[tls],
        f"memory grew by {grown} KiB in the second half": grown > NOISE,
        f"{opened} more descriptors": opened > MORE_DESCRIPTORS,
        f"{counts['deleted']} of {total} messages were deleted": counts["deleted"] != total,
        f"done twice, or wrongly: { {name: counts[name] for name in TWICE} }": any(counts[name] for name in TWICE),
    }
    return [what for what, is_wrong in wrong.items() if is_wrong]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--invalid-one-in", type=int, default=1000, help="every so many-th message is one for the DLQ")
    parser.add_argument(
        "--latency",
        type=float,
        default=10,
        help="milliseconds that DynamoDB takes: with it, all that may be in flight is so at once",
    )
    parser.add_argument("--tls", action="store_true")
    parser.add_argument(
        "--binary",
        type=Path,
        default=Path(os.environ.get("TABLE_UPDATER") or ROOT / "build" / "test" / "table-updater"),
    )
    chosen = parser.parse_args()
    isolate_environment()
    program = chosen.binary.resolve().parent / "tests" / "bench" / "sink"
    with (
        Sink(
            tls=chosen.tls,
            program=program,
            messages=chosen.messages,
            invalid_one_in=chosen.invalid_one_in,
            dynamodb_latency=chosen.latency,
        ) as sink,
        tempfile.TemporaryFile() as log,
    ):
        environment = {
            **sink.environment(),
            "PATH": os.environ["PATH"],
            "MAX_IN_FLIGHT": str(chosen.in_flight),
            "LOG_LEVEL": "WARNING",
        }
        process = subprocess.Popen([chosen.binary, "run"], env=environment, stderr=log, preexec_fn=die_with_parent)
        print("         messages  seconds  memory MiB  descriptors")
        try:
            samples = watched(process, sink, chosen.messages)
            process.terminate()
            code = process.wait(60)
        finally:
            process.kill()
            process.wait()
        found = faults(samples, sink.counts(), chosen.messages, chosen.tls) + (
            [f"it ended with {code}"] if code else []
        )
        log.seek(0)
        found += [
            line for line in log.read().decode(errors="replace").splitlines() if "ERROR" in line or "lost" in line
        ]
    print("\n".join(found) if found else f"flat; {chosen.messages / samples[-1].seconds:.0f} messages a second")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
