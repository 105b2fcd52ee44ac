#!/usr/bin/env python3
"""From the start of a process to its first transaction, with keys from the instance metadata service: round trips,
milliseconds and CPU, beside botocore and aws-sdk-go-v2.

    tests/bench/first_transaction.py [--rounds 21] [--latency 2] [--binary FILE] [--go FILE]

The metadata service and DynamoDB are stand-ins on loopback; each answer of the former takes so many milliseconds. The
programs run in turns. table-updater's is `apply` with one message, which describes both tables first; the others send
the same transaction and nothing else. Time ends when the transaction arrives, CPU when the process has ended. The Go
program is tests/witnesses/sdk_go, built here where a Go toolchain is; without one its row is left out."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / "build" / "venv" / "bin" / "python"
FOLDER = "/latest/meta-data/iam/security-credentials/"
TABLE = {
    "Table": {
        "TableName": "users",
        "TableStatus": "ACTIVE",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    }
}
MISSING = {"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "none"}
PEER = """
import botocore.session
client = botocore.session.get_session().create_client("dynamodb")
client.transact_write_items(TransactItems=[{"Update": {
    "TableName": "users", "Key": {"id": {"S": "a"}}, "UpdateExpression": "SET #1 = :1",
    "ExpressionAttributeNames": {"#1": "name"}, "ExpressionAttributeValues": {":1": {"S": "Ada"}}}}])
"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Stand

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def metadata(self, body: str) -> None:
        self.server.asked += 1
        time.sleep(self.server.latency)
        self.answer(200, body.encode(), x_aws_ec2_metadata_token_ttl_seconds="21600")

    def do_PUT(self) -> None:
        self.metadata("token==")

    def do_GET(self) -> None:
        keys = {
            "Code": "Success",
            "AccessKeyId": "ASIAINSTANCE",
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 6 * 3600)),
        }
        self.metadata("role" if self.path == FOLDER else json.dumps(keys))

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        status, value = 200, {}
        if operation == "TransactWriteItems":
            self.server.arrived = self.server.arrived or time.monotonic()
        elif request["TableName"] == "users":
            value = TABLE
        else:
            status, value = 400, MISSING
        body = json.dumps(value).encode()
        self.answer(status, body, x_amzn_requestid="R", x_amz_crc32=str(zlib.crc32(body)))


class Stand(ThreadingHTTPServer):
    """Both services."""

    daemon_threads = True

    def __init__(self, latency: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.latency = latency
        self.asked, self.arrived = 0, 0.0
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


@dataclass
class Program:
    name: str
    command: list[str]
    stdin: bytes = b""
    trips: list[int] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self, stand: Stand, home: str) -> None:
        stand.asked, stand.arrived = 0, 0.0
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL_DYNAMODB": stand.url,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": stand.url,
            "TABLE_NAME": "users",
        }
        began = time.monotonic()
        process = subprocess.Popen(
            self.command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert process.stdin and process.stderr
        process.stdin.write(self.stdin)
        process.stdin.close()
        log = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode or not stand.arrived:
            sys.exit(f"{self.name}: exit {process.returncode}\n{log}")
        self.trips.append(stand.asked)
        self.wall.append((stand.arrived - began) * 1000)
        self.cpu.append((usage.ru_utime + usage.ru_stime) * 1000)

    def row(self) -> str:
        def shown(values: list[float]) -> str:
            return f"{statistics.median(values):7.1f} ({min(values):.1f} ... {max(values):.1f})"

        trips = "/".join(str(count) for count in sorted(set(self.trips)))
        return f"{self.name:16} {trips:>11}   {shown(self.wall):26} {shown(self.cpu)}"


def go_program(given: Path | None, folder: str) -> list[str] | None:
    if given:
        return [str(given)]
    if not shutil.which("go"):
        return None
    program = Path(folder) / "sdk_go"
    subprocess.run(["go", "build", "-o", program, "."], cwd=ROOT / "tests" / "witnesses" / "sdk_go", check=True)
    return [str(program)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--latency", type=float, default=2, help="milliseconds")
    parser.add_argument("--binary", type=Path, default=ROOT / "build" / "release" / "table-updater")
    parser.add_argument("--go", type=Path)
    arguments = parser.parse_args()
    if not arguments.binary.exists():
        sys.exit(f"{arguments.binary} does not exist: cmake --preset release && cmake --build build/release")
    message = b'{"id": "a", "attributes": {"name": "Ada"}}\n'
    with tempfile.TemporaryDirectory() as folder:
        programs = [
            Program("table-updater", [str(arguments.binary), "apply"], message),
            Program("botocore", [str(VENV), "-c", PEER]),
        ]
        go = go_program(arguments.go, folder)
        if go:
            programs.append(Program("aws-sdk-go-v2", [*go, "transact"]))
        stand = Stand(arguments.latency / 1000)
        for turn in range(arguments.rounds + 1):
            for program in programs:
                program.run(stand, folder)
                if turn == 0:  # files come from the disk
                    program.trips.clear(), program.wall.clear(), program.cpu.clear()
    print(f"median (least ... greatest) of {arguments.rounds} rounds, {arguments.latency:g} ms for each answer")
    print(f"{'':16} round trips   ms to the transaction       ms of CPU")
    for program in programs:
        print(program.row())
    ours = statistics.median(programs[0].cpu)
    for program in programs[1:]:
        print(f"CPU, table-updater / {program.name}: 1/{statistics.median(program.cpu) / ours:.1f}")


if __name__ == "__main__":
    main()
