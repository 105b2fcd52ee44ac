#!/usr/bin/env python3
"""How fast table-updater works a queue off against the local servers, and what a message costs it.

    tests/bench/local_servers.py [--messages 20000] [--in-flight 256] [--unaudited]
                                 [--binary build/release/table-updater]

Prints messages a second (the local servers are the limit), CPU and context switches a message, and peak memory of the
process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "conf"), str(ROOT / "tests" / "system")]

from harness.queues import Queue, make_queue  # noqa: E402
from harness.scene import message  # noqa: E402
from harness.tables import Table, make_table, to_item  # noqa: E402
from local_services import Cloud, cloud_in, isolate_environment  # noqa: E402

RECORDS = 1000


def fill(cloud: Cloud, table: Table, queue: Queue, count: int) -> None:
    """Makes the records, and sends the messages in batches from a few threads."""
    for start in range(0, RECORDS, 25):
        puts = [{"PutRequest": {"Item": to_item({"id": f"user-{n}", "version": 0})}} for n in range(start, start + 25)]
        table.client.batch_write_item(RequestItems={table.name: puts})
    value = {"name": "John Doe", "email": "john@example.com", "status": "active", "score": 12.5, "tags": ["a", "b"]}
    bodies = [message(f"user-{n % RECORDS}", {**value, "version": n}) for n in range(count)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda at: queue.send(*bodies[at : at + 10]), range(0, count, 10)))


def peak_memory(pid: int) -> int:
    """VmHWM in KiB; getrusage() would count the parent's memory at the fork as well. 0 once the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def count_successes(audit: Table) -> int:
    """How many audit records say that an update was applied."""
    pages = audit.client.get_paginator("scan").paginate(
        TableName=audit.name,
        Select="COUNT",
        FilterExpression="#s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": "success"}},
    )
    return sum(page["Count"] for page in pages)


def measured(binary: Path, environment: dict[str, str]) -> dict[str, float]:
    started = time.monotonic()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([str(binary), "run", "--until-empty"], env=environment, stderr=log)
        peak, status = 0, None
        while status is None:
            peak = max(peak, peak_memory(process.pid))
            pid, code, usage = os.wait4(process.pid, os.WNOHANG)
            status = code if pid else time.sleep(0.05)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            sys.exit(f"{binary} ended with {process.returncode}:\n{log.read().decode(errors='replace')[-4000:]}")
    return {
        "seconds": seconds,
        "user": usage.ru_utime,
        "system": usage.ru_stime,
        "switches": usage.ru_nvcsw + usage.ru_nivcsw,
        "peak_rss_mib": peak / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20000)
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--unaudited", action="store_true", help="without audit records")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--binary",
        type=Path,
        default=Path(os.environ.get("TABLE_UPDATER") or ROOT / "build" / "release" / "table-updater"),
    )
    chosen = parser.parse_args()
    isolate_environment()
    with tempfile.TemporaryDirectory() as folder, cloud_in(Path(folder)) as cloud:
        dynamodb, sqs, stem = cloud.client("dynamodb"), cloud.client("sqs"), uuid.uuid4().hex[:8]
        table, audit = (
            make_table(dynamodb, f"records-{stem}"),
            make_table(dynamodb, f"audit-{stem}", partition="log_id"),
        )
        dlq = make_queue(sqs, f"dead-{stem}")
        queue = make_queue(sqs, f"updates-{stem}", visibility=300, dlq=dlq)
        fill(cloud, table, queue, chosen.messages)
        result = measured(
            chosen.binary,
            {
                **cloud.environment(),
                "PATH": os.environ["PATH"],
                "TABLE_NAME": table.name,
                "AUDIT_LOG_TABLE": audit.name,
                "ENABLE_AUDIT_LOG": "false" if chosen.unaudited else "true",
                "QUEUE_URL": queue.url,
                "MAX_IN_FLIGHT": str(chosen.in_flight),
                "METRICS_ADDRESS": "off",
            },
        )
        dead, left = dlq.counts().total, queue.counts().total
        audited = count_successes(audit)
    result |= {
        "messages": chosen.messages,
        "messages_per_second": chosen.messages / result["seconds"],
        "cpu_microseconds_per_message": (result["user"] + result["system"]) / chosen.messages * 1e6,
        "audit_records": audited,
        "dead": dead,
        "left": left,
    }
    if chosen.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:32} {value:12.2f}")
    sys.exit(1 if dead or left or not (chosen.unaudited or audited == chosen.messages) else 0)


if __name__ == "__main__":
    main()
