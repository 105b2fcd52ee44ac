#!/usr/bin/env python3
"""One backfill from a file to the proof of it: enqueue --job, a worker beside it, reconcile. All against the sink, over
TLS: it keeps what is sent until the worker has it, and the audit records' keys for reconcile.

    python3 tests/bench/backfill.py [--rows 1000000] [--binary FILE]

Fails where reconcile doesn't end with 0, or the sink counted anything but each row sent, applied and deleted once."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / "build" / "venv" / "bin" / "python"
sys.path[:0] = [str(ROOT / "conf"), str(ROOT / "tests" / "bench")]


def write_rows(path: Path, count: int) -> None:
    """About 200 bytes a row."""
    with path.open("w") as file:
        for number in range(count):
            attributes = {"name": f"Name {number}", "email": f"u{number}@example.com", "note": "x" * 80}
            file.write(json.dumps({"id": f"rec-{number:012}", "attributes": attributes}) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--binary", type=Path, default=ROOT / "build" / "test" / "table-updater")
    options = parser.parse_args()
    if Path(sys.prefix).resolve() != VENV.parent.parent.resolve() and VENV.exists():
        os.execv(VENV, [str(VENV), __file__, *sys.argv[1:]])
    from rig.processes import Running, run
    from rig.sink import Sink

    rows, binary = options.rows, options.binary.resolve()
    with tempfile.TemporaryDirectory(prefix="backfill-") as folder:
        path = Path(folder) / "rows.jsonl"
        write_rows(path, rows)
        with Sink(tls=True, messages=rows, relay=True) as sink:
            settings = sink.environment()
            worker = Running([binary, "run"], settings)
            began = time.monotonic()
            fed = run([binary, "enqueue", "--quiet", "--job", "fill", path], settings)
            while sink.counts()["deleted"] < rows:
                time.sleep(0.05)
            applied = time.monotonic() - began
            worker.terminate()
            worked = worker.wait()
            judged = run([binary, "reconcile", "--quiet", "--json", "--job", "fill", path], settings)
            counts = sink.counts()
    said = json.loads(judged.output)
    for what, used, seconds in (
        ("enqueue", fed, fed.seconds),
        ("worker", worked, applied),
        ("reconcile", judged, judged.seconds),
    ):
        print(
            f"{what:10}{seconds:8.1f} s {rows / seconds:10,.0f} rows/s {used.cpu / rows * 1e6:8.2f} us CPU a row "
            f"{used.peak_rss / 1024:7.1f} MiB"
        )
    wanted = {"sent": rows, "applied": rows, "deleted": rows, "records": rows, "dead_lettered": 0}
    wanted |= dict.fromkeys(("applied_again", "deleted_again", "deleted_unsettled", "sent_again", "unknown"), 0)
    found = {name: counts[name] for name in wanted}
    print(f"reconcile: {said}; the sink: {found}")
    return 0 if found == wanted and said == {"applied": rows, "failed": 0, "pending": 0, "rows": rows} else 1


if __name__ == "__main__":
    sys.exit(main())
