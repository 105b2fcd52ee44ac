#!/usr/bin/env python3
"""The function of AWS Lambda beside the same in Python (boto3, AWS's own runtime client) and Go (aws-lambda-go), all
under AWS's runtime interface emulator, with the sink for DynamoDB over TLS.

    build/venv/bin/python tests/bench/lambda_function.py [--rounds 11] [--package FILE] [--quick] [--one-certificate]

Ours is the package (conf/package-lambda), made first where none is given. A round runs the three in turns. Each is
started anew: the time from its start to its first answered update, which the emulator's invoker sees; then warm
updates, one after the other, whose CPU is the process' own as the kernel has it; its peak of memory until then; then an
event of SQS with 10,000 records. Whose turn comes first changes from round to round; ratios are taken within a round.
All trust this system's certificates and the sink's, by one file, as a function trusts those of Amazon Linux; with
--one-certificate the sink's alone. Needs a Go toolchain; what is built for it goes to
build/lambda-bench.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / "build" / "venv" / "bin" / "python"
BENCH = ROOT / "tests" / "bench"
FOLDER = ROOT / "build" / "lambda-bench"
sys.path[:0] = [str(ROOT / "conf"), str(BENCH), str(ROOT / "tests" / "system")]

EMULATOR = "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@v0.0.0-20261030222936-bef5c4ba774d"
PYTHON_RUNTIME = "awslambdaric==4.2.2"
RECORDS = 10_000
PATIENCE = 3600  # seconds; on a busy machine Python takes minutes for those records
# Tells when the program begins, and what CPU was used until then by the shell whose process it takes over.
STAMP = 'read -r cpu _ </proc/self/schedstat; echo "$EPOCHREALTIME $cpu" >"$0"; exec "$@"'
FIGURES = {
    "first": ("start to first answered update", "ms", 1e3),
    "first_cpu": ("CPU until then", "ms", 1e3),
    "warm_cpu": ("CPU of a warm update", "us", 1e6),
    "peak": ("peak memory, updates", "MiB", 1 / 1024),
    "batch_seconds": (f"a record of {RECORDS:,} in one event", "us", 1e6 / RECORDS),
    "batch_cpu": ("CPU of such a record", "us", 1e6 / RECORDS),
    "batch_peak": ("peak memory with that event", "MiB", 1 / 1024),
}
GOALS = {"Python": {"first": 20, "warm_cpu": 15, "peak": 6}, "Go": {"first": 2, "warm_cpu": 4, "peak": 2}}


def update(number: int) -> dict[str, Any]:
    """An update message as the sink makes them."""
    attributes = {"email": "john.doe@example.com", "name": "John Doe", "notes": "abc", "status": "active", "version": 8}
    return {
        "attributes": attributes,
        "condition_expression": "version < 8",
        "enable_logging": True,
        "id": f"rec-{number:012}",
    }


def sqs_event(first: int) -> bytes:
    """An event of SQS with as many records as fit: all members that Lambda sends, in 6 MiB."""
    records = [
        {
            "messageId": f"059f36b4-87a3-44ab-83d2-{number:012}",
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
            "body": json.dumps(update(number), separators=(",", ":")),
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183"},
            "messageAttributes": {},
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:q",
            "awsRegion": "us-east-2",
        }
        for number in range(first, first + RECORDS)
    ]
    return json.dumps({"Records": records}, separators=(",", ":")).encode()


def cpu_of(pid: int) -> float:
    """Seconds of CPU of a process with all its threads, also those that have ended."""
    return time.clock_gettime((~pid << 3) | 2)


def peak_of(pid: int) -> int:
    """VmHWM, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


@dataclass(frozen=True)
class Function:
    """One of those that are compared."""

    name: str
    command: list[str]
    environment: dict[str, str]


class Emulator:
    """AWS's emulator with a function in it, which begins with the first invocation."""

    def __init__(self, function: Function, environment: dict[str, str], folder: Path) -> None:
        from local_services import die_with_parent, free_port

        port, api = free_port(), free_port()
        self._stamp = folder / "stamp"
        self._stamp.unlink(missing_ok=True)
        self._url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        command = [str(FOLDER / "aws-lambda-rie"), "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{api}", "/bin/bash", "-c", STAMP, str(self._stamp)]
        self._log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*command, *function.command],
            env={
                "PATH": os.environ["PATH"],
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(PATIENCE),
                **environment,
                **function.environment,
            },
            stdout=self._log,
            stderr=self._log,
            preexec_fn=die_with_parent,
        )
        until = time.monotonic() + 30
        while not self._listens(port):
            if time.monotonic() > until:
                raise RuntimeError("the emulator does not start")

    def _listens(self, port: int) -> bool:
        try:
            self._opener.open(f"http://127.0.0.1:{port}/", timeout=1).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.01)
            return False
        return True

    def invoke(self, event: bytes) -> Any:
        with self._opener.open(urllib.request.Request(self._url, event), timeout=PATIENCE) as answer:
            return json.loads(answer.read())

    def said(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-3000:]

    def began(self) -> tuple[float, float]:
        """When the program began, and the CPU that its process had used by then."""
        when, cpu = self._stamp.read_text().split()
        return float(when), int(cpu) / 1e9

    def pid(self) -> int:
        """The function's process."""
        for path in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            for child in path.read_text().split():
                return int(child)
        raise RuntimeError(f"the function does not run:\n{self.said()}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self._log.close()


@contextlib.contextmanager
def emulated(function: Function, environment: dict[str, str], folder: Path) -> Iterator[Emulator]:
    emulator = Emulator(function, environment, folder)
    try:
        yield emulator
    finally:
        emulator.stop()


def trusting(ca_file: Path, folder: Path) -> dict[str, str]:
    """The setting with which a function trusts the system's certificates and these."""
    system = ssl.get_default_verify_paths().cafile
    if not system:
        sys.exit("This system has no file of certificates: --one-certificate measures without")
    together = folder / "certificates.pem"
    together.write_bytes(Path(system).read_bytes() + ca_file.read_bytes())
    return {"AWS_CA_BUNDLE": str(together)}


def measure(function: Function, folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """One start of one function."""
    from rig.sink import Sink

    def applied() -> int:
        return int(sink.counts()["applied"])

    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(Sink(tls=True, messages=2 * RECORDS))
        more = {} if options.one_certificate else trusting(sink.ca_file, folder)
        emulator = stack.enter_context(emulated(function, sink.environment() | more, folder))
        warm = int(options.warm)

        def one(number: int) -> None:
            answer = emulator.invoke(json.dumps(update(number)).encode())
            if not answer.get("success"):
                sys.exit(f"{function.name}: {answer}\n{emulator.said()}")

        one(0)
        answered = time.time()
        began, before = emulator.began()
        pid = emulator.pid()
        found = {"first": answered - began, "first_cpu": cpu_of(pid) - before}
        for number in range(1, 21):
            one(number)
        begin = cpu_of(pid)
        for number in range(21, 21 + warm):
            one(number)
        found["warm_cpu"] = (cpu_of(pid) - begin) / warm
        found["peak"] = peak_of(pid)
        done, event = applied(), sqs_event(RECORDS)
        if done != 21 + warm:
            sys.exit(f"{function.name}: {21 + warm} updates, of which {done} were applied")
        begin, clock = cpu_of(pid), time.monotonic()
        answer = emulator.invoke(event)
        found["batch_seconds"] = time.monotonic() - clock
        found["batch_cpu"] = cpu_of(pid) - begin
        found["batch_peak"] = peak_of(pid)
        if answer != {"batchItemFailures": []} or applied() - done != RECORDS:
            sys.exit(f"{function.name}: {applied() - done} of {RECORDS} records applied\n{emulator.said()}")
    return found


def unpacked(package: Path | None, task: Path = FOLDER / "task") -> list[str]:
    """What starts the function of the package, which AWS Lambda has in /var/task."""
    if not package:
        package = FOLDER / "table-updater-lambda.zip"
        subprocess.run([ROOT / "conf" / "package-lambda", "--output", package], check=True)
    shutil.rmtree(task, ignore_errors=True)
    with zipfile.ZipFile(package) as archive:
        archive.extractall(task)
    (loader,) = (task / "lib").glob("ld-*")
    for program in (loader, task / "bootstrap"):
        program.chmod(0o755)
    return [str(loader), "--library-path", str(task / "lib"), str(task / "bootstrap"), "lambda"]


def prepare_emulator() -> None:
    if not shutil.which("go"):
        sys.exit("This needs a Go toolchain: the emulator and one of the functions are made with it")
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "aws-lambda-rie").exists():
        subprocess.run(["go", "install", EMULATOR], env={**os.environ, "GOBIN": str(FOLDER)}, check=True)


def prepare(package: Path | None) -> list[Function]:
    """Builds what is compared."""
    prepare_emulator()
    go = FOLDER / "go" / "bootstrap"
    # As AWS says to build for provided.al2023.
    command = ["go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags=-s -w", "-o", str(go), "."]
    subprocess.run(command, cwd=BENCH / "peer_function_go", env={**os.environ, "CGO_ENABLED": "0"}, check=True)
    packages = FOLDER / "python"
    if not packages.exists():
        pip = [str(VENV), "-m", "pip", "install", "--quiet", "--target", str(packages), PYTHON_RUNTIME]
        subprocess.run(pip, check=True)
    python = [str(VENV), "-m", "awslambdaric", "peer_function.handler"]
    return [
        Function("table-updater", unpacked(package), {"LOG_FORMAT": "json"}),
        Function("Go", [str(go)], {}),
        Function("Python", python, {"PYTHONPATH": f"{packages}:{BENCH}", "LAMBDA_TASK_ROOT": str(BENCH)}),
    ]


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):9.2f}  ({min(values):.2f} … {max(values):.2f})"


def show(rounds: list[dict[str, dict[str, float]]], peers: list[str]) -> None:
    print(f"\n{len(rounds)} rounds; medians (least … greatest). Ratios, table-updater / the other:")
    for key, (name, _, _) in FIGURES.items():
        for peer in peers:
            ratios = [one["table-updater"][key] / one[peer][key] for one in rounds]
            goal = GOALS[peer].get(key)
            median = statistics.median(ratios)
            wanted = f"   wanted: 1/{goal}, {'met' if median <= 1 / goal else 'NOT MET'}" if goal else ""
            rest = f"(1/{1 / min(ratios):.2f} … 1/{1 / max(ratios):.2f}){wanted}"
            print(f"  {name:44} {peer:7} 1/{1 / median:<6.2f} {rest}")
    for key, (name, unit, scale) in FIGURES.items():
        for program in ("table-updater", *peers):
            print(f"  {name:44} {program:14}{spread([one[program][key] * scale for one in rounds])} {unit}")
    for program in ("table-updater", *peers):
        seconds = statistics.median(one[program]["batch_seconds"] for one in rounds)
        print(f"  records a second {program:14} {RECORDS / seconds:,.0f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--warm", type=int, default=300, help="warm updates of a round")
    parser.add_argument("--package", type=Path)
    parser.add_argument("--one-certificate", action="store_true", help="the functions trust the sink's alone")
    parser.add_argument("--quick", action="store_true", help="two rounds")
    options = parser.parse_args()
    functions = prepare(options.package)
    rounds: list[dict[str, dict[str, float]]] = []
    with tempfile.TemporaryDirectory(prefix="lambda-") as folder:
        for number in range((2 if options.quick else options.rounds) + 1):
            turns = functions[number % len(functions) :] + functions[: number % len(functions)]
            found = {function.name: measure(function, Path(folder), options) for function in turns}
            if number:  # in the first, files come from the disk
                rounds.append(found)
                print(f"round {number}: " + json.dumps(found), flush=True)
    show(rounds, [function.name for function in functions[1:]])
    return 0


if __name__ == "__main__":
    sys.exit(main())
