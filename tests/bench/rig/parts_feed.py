"""Files of rows: what enqueue and its checks cost, beside Python."""

from __future__ import annotations

import contextlib
import functools
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Iterator

from rig.clients import Clients, Done, slope
from rig.figures import Figures
from rig.plan import Plan
from rig.processes import RunError, run
from rig.sink import BENCH, PROGRAMS, Sink

NAMES = ("id", "name", "email", "status", "age:N", "note")


def row(number: int) -> tuple[str, str, str, str, int, str]:
    """About 200 bytes as JSON."""
    return f"user-{number}", f"Name {number}", f"u{number}@example.com", "active", number % 90, "x" * 60


def as_json(number: int) -> str:
    identity, *values = row(number)
    names = [name.partition(":")[0] for name in NAMES[1:]]
    return json.dumps({"id": identity, "attributes": dict(zip(names, values))})


def as_csv(number: int) -> str:
    return ",".join(map(str, row(number)))


def write_rows(path: Path, count: int) -> Path:
    """A file by its ending: .csv or JSON lines, .gz, .zst."""
    plain = path.with_suffix("") if path.suffix in {".gz", ".zst"} else path
    with open(plain, "w") as file:
        if ".csv" in path.name:
            file.write(",".join(NAMES) + "\n")
        line = as_csv if ".csv" in path.name else as_json
        file.writelines(f"{line(number)}\n" for number in range(count))
    if path.suffix == ".gz":
        with open(plain, "rb") as source, gzip.open(path, "wb", compresslevel=6) as packed:
            while piece := source.read(1 << 20):
                packed.write(piece)
    elif path.suffix == ".zst":
        subprocess.run(["zstd", "-q", "-f", plain, "-o", path], check=True)
    return path


@contextlib.contextmanager
def files(counts: tuple[int, ...], *endings: str) -> Iterator[Callable[[str, int], Path]]:
    with tempfile.TemporaryDirectory(prefix="rows-") as folder:
        made = {
            (ending, count): write_rows(Path(folder) / f"rows{count}{ending}", count)
            for ending in endings
            for count in counts
        }
        yield lambda ending, count: made[ending, count]


def sent(command: list[str | Path], count: int, extra: dict[str, str] | None = None) -> Done:
    """A program puts `count` rows onto the sink's queue, over TLS."""
    with Sink(tls=True, messages=0, endless=True) as sink:
        environment = {name: value for name, value in sink.environment().items() if name != "TABLE_NAME"}
        used = run(command, {**environment, **(extra or {})})
        counts, cpu = sink.counts(), sink.cpu()
    if counts["dead_lettered"] != count:  # all that was sent, whatever for
        raise RunError(f"not each of {count} rows was sent once: {counts['dead_lettered']}")
    return Done(count, used, counts, cpu)


@functools.cache
def go_peer() -> Path | None:
    """peer_go, built anew where a Go toolchain is; its modules come from Go's proxy."""
    if not shutil.which("go"):
        return None
    program = BENCH.parents[1] / "build" / "bench" / "peer_go"
    program.parent.mkdir(parents=True, exist_ok=True)
    built = subprocess.run(["go", "build", "-o", program, "."], cwd=BENCH / "peer_go", capture_output=True, text=True)
    if built.returncode:
        raise RunError(f"go build in {BENCH / 'peer_go'}: {built.stderr.strip()}")
    return program


def enqueue_beside_go(mine: Done, cost: float, file: Callable[[str, int], Path], plan: Plan, figures: Figures) -> None:
    """The same of aws-sdk-go-v2. mine: the larger of our runs; cost: microseconds for a row of ours."""
    program = go_peer()
    if not program:
        figures.note("There is no go: the peer on aws-sdk-go-v2 is left out.")
        return
    peer = [sent([program, file(".jsonl", n)], n) for n in plan.go_rows]
    theirs = figures.add("enqueue", "CPU for a row, aws-sdk-go-v2", slope(*peer), "us")
    rate = figures.add("enqueue", "rows a second, aws-sdk-go-v2", peer[1].count / peer[1].used.seconds, "rows/s")
    figures.add("enqueue", "CPU for a row, aws-sdk-go-v2 / table-updater", theirs / cost, ratio=True)
    figures.add(
        "enqueue", "rows a second, table-updater / aws-sdk-go-v2", mine.count / mine.used.seconds / rate, ratio=True
    )


def enqueue(clients: Clients, plan: Plan, figures: Figures) -> None:
    """rows of a JSON file onto the queue over TLS: CPU for a row beside boto3's and aws-sdk-go-v2's, rates, memory"""
    small, large = plan.rows
    python_small, python_large = plan.python_rows
    with files((small, large, python_small, python_large, *plan.go_rows), ".jsonl") as file:
        ours = [sent([clients.binary, "enqueue", "--quiet", file(".jsonl", n)], n) for n in (small, large)]
        peer = [
            sent([sys.executable, BENCH / "peer_boto3_enqueue.py", file(".jsonl", n)], n)
            for n in (python_small, python_large)
        ]
        mine = figures.add("enqueue", "CPU for a row", slope(*ours), "us")
        enqueue_beside_go(ours[1], mine, file, plan, figures)
    theirs = figures.add("enqueue", "CPU for a row, boto3", slope(*peer), "us")
    figures.add("enqueue", "CPU for a row, boto3 / table-updater", theirs / mine, ratio=True)
    figures.add("enqueue", "rows a second", large / ours[1].used.seconds, "rows/s")
    figures.add("enqueue", "rows a second, boto3", python_large / peer[1].used.seconds, "rows/s")
    for count, done in zip((small, large), ours):
        figures.add("enqueue", f"peak memory, {count:,} rows", done.used.peak_rss / 1024, "MiB")
    figures.add(
        "enqueue", "peak memory, many rows - few", (ours[1].used.peak_rss - ours[0].used.peak_rss) / 1024, "MiB"
    )


def dry_run(clients: Clients, plan: Plan, figures: Figures) -> None:
    """enqueue --dry-run: CPU for a row of JSON, CSV and archives, beside Python's json and csv with the same checks"""
    small, large = plan.rows
    python_small, python_large = plan.checked_rows
    bare = {"PATH": os.environ["PATH"]}

    def cost(command: list[str | Path], counts: tuple[int, int], path: Callable[[int], Path]) -> float:
        done = [Done(n, run([*command, path(n)], bare), {}, 0) for n in counts]
        return slope(*done)

    endings = (".jsonl", ".csv", ".jsonl.gz", ".jsonl.zst")
    with files((small, large, python_small, python_large), *endings) as file:
        ours = {
            ending: figures.add(
                "dry_run",
                f"CPU for a row of {ending}",
                cost([clients.binary, "enqueue", "--dry-run", "--quiet"], plan.rows, lambda n: file(ending, n)),
                "us",
            )
            for ending in endings
        }
        for ending in (".jsonl", ".csv"):
            theirs = cost(
                [sys.executable, BENCH / "peer_rows.py"], (python_small, python_large), lambda n: file(ending, n)
            )
            figures.add("dry_run", f"CPU for a row of {ending}, Python", theirs, "us")
            figures.add(
                "dry_run", f"CPU for a row of {ending}, Python / table-updater", theirs / ours[ending], ratio=True
            )
        alone = {
            ending: cost([PROGRAMS / "rows_alone", what], plan.rows, lambda n: file(ending, n))
            for ending, what in zip(endings, ("json", "csv", "gzip", "zstd"))
        }
    for ending, what in ((".jsonl", "the JSON reader alone"), (".csv", "libcsv alone")):
        figures.add("dry_run", f"CPU for a row of {ending}, {what}", alone[ending], "us")
        figures.add(
            "dry_run", f"CPU for a row of {ending}, table-updater / {what}", ours[ending] / alone[ending], ratio=True
        )
    for ending in (".jsonl.gz", ".jsonl.zst"):
        more = ours[ending] - ours[".jsonl"]
        figures.add("dry_run", f"CPU to unpack a row of {ending}, the library alone", alone[ending], "us")
        figures.add(
            "dry_run", f"CPU for a row, {ending} more than .jsonl / the library alone", more / alone[ending], ratio=True
        )
