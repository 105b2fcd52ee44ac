"""reconcile beside boto3 doing the same: CPU for a row, and memory at 100,000 and 1,000,000 rows.

    python3 tests/bench/reconcile.py [--rounds N] [--quick]

Both read a file of JSON lines, make each row's log_id, and ask a stand-in for DynamoDB for a hundred records a request,
strongly consistent; every record is there. CPU is user and system time of the whole process as the kernel has it at its
end, as the slope between two counts of rows: what starting costs drops out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TABLE_UPDATER") or ROOT / "build" / "test" / "table-updater")
KEY = re.compile(rb'"log_id": ?\{ ?"S": ?"([0-9a-f]{64})" ?\}')
TABLE = {
    "Table": {
        "KeySchema": [{"AttributeName": "", "KeyType": "HASH"}],
        "TableStatus": "ACTIVE",
        "AttributeDefinitions": [{"AttributeName": "", "AttributeType": "S"}],
    }
}
PEER = """
import hashlib, json, sys
import boto3
from botocore.config import Config

client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 3}))
counts = {"applied": 0, "absent": 0}

def look(keys):
    names = {"#e": "error"}
    wanted = {"audit": {"Keys": [{"log_id": {"S": key}} for key in keys], "ConsistentRead": True,
                        "ProjectionExpression": "log_id,#e", "ExpressionAttributeNames": names}}
    found = set()
    while wanted:
        answer = client.batch_get_item(RequestItems=wanted)
        found.update(item["log_id"]["S"] for item in answer["Responses"]["audit"])
        wanted = answer["UnprocessedKeys"]
    counts["applied"] += sum(key in found for key in keys)
    counts["absent"] += sum(key not in found for key in keys)

keys = []
with open(sys.argv[1], encoding="utf-8") as rows:
    for number, row in enumerate(rows, 1):
        json.loads(row)
        keys.append(hashlib.sha256(f"records\\0job:{number}".encode()).hexdigest())
        if len(keys) == 100:
            look(keys)
            keys = []
if keys:
    look(keys)
print(json.dumps(counts))
"""


async def _serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lower = head.lower()
            length = int(re.search(rb"content-length: *(\d+)", lower).group(1))
            body = await reader.readexactly(length)
            operation = re.search(rb"x-amz-target: *\S+\.(\w+)", lower).group(1).decode()
            if operation == "batchgetitem":
                items = b",".join(b'{"log_id":{"S":"%b"}}' % key for key in KEY.findall(body))
                answer = b'{"Responses":{"audit":[%b]},"UnprocessedKeys":{}}' % items
            elif operation == "describetable":
                name = json.loads(body)["TableName"]
                key = "log_id" if name == "audit" else "id"
                answer = json.dumps({**TABLE}).replace('""', f'"{key}"').encode()
                answer = answer.replace(b'{"Table": {', b'{"Table": {"TableName": "%b", ' % name.encode())
            else:
                answer = b'{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}'
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nx-amzn-RequestId: BENCH\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(answer), answer)
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _serve(port: multiprocessing.Queue) -> None:
    async def run() -> None:
        server = await asyncio.start_server(_serve_one, "127.0.0.1", 0, limit=1 << 20)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def _run(command: list[str], environment: dict[str, str]) -> tuple[float, float, dict[str, int]]:
    """CPU seconds, memory in MiB at its greatest, and what it printed."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    output, errors = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {errors[-2000:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, json.loads(output)


def _rows(path: Path, count: int) -> None:
    filling = "x" * 120
    with path.open("w") as file:
        for number in range(1, count + 1):
            file.write(f'{{"id":"record-{number:08}","attributes":{{"note":"{filling}","number":{number}}}}}\n')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    options = parser.parse_args()
    scale = 10 if options.quick else 1
    counts = {"ours": (100_000 // scale, 1_000_000 // scale), "boto3": (2_000, 20_000)}
    ports: multiprocessing.Queue = multiprocessing.Queue()
    server = multiprocessing.Process(target=_serve, args=(ports,), daemon=True)
    server.start()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{ports.get()}",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "TABLE_NAME": "records",
        "AUDIT_LOG_TABLE": "audit",
    }
    ratios, ours, theirs, memories = [], [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in {n for pair in counts.values() for n in pair}:
            _rows(folder / f"{number}.jsonl", number)
        for _ in range(options.rounds):
            slopes = {}
            for who, (few, many) in counts.items():
                seconds = []
                for count in (few, many):
                    path = str(folder / f"{count}.jsonl")
                    command = (
                        [str(BINARY), "reconcile", path, "--job", "job", "--json", "--quiet"]
                        if who == "ours"
                        else [sys.executable, "-c", PEER, path]
                    )
                    cpu, memory, said = _run(command, environment)
                    if said["applied"] != count:
                        raise RuntimeError(f"{who}: {said} of {count} rows")
                    seconds.append(cpu)
                    if who == "ours":
                        memories.append((count, memory))
                slopes[who] = (seconds[1] - seconds[0]) / (many - few)
            ours.append(slopes["ours"] * 1e6)
            theirs.append(slopes["boto3"] * 1e6)
            ratios.append(theirs[-1] / ours[-1])
    server.terminate()
    spread = f"{min(ratios):.1f} to {max(ratios):.1f}"
    print(f"CPU for a row, boto3 / table-updater: {statistics.median(ratios):.1f} ({spread})")
    print(f"  table-updater {statistics.median(ours):.2f} us, boto3 {statistics.median(theirs):.1f} us")
    for count in sorted({count for count, _ in memories}):
        print(f"memory at {count} rows: {max(memory for n, memory in memories if n == count):.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
