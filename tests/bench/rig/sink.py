"""Starts the sink: SQS and DynamoDB for measurements."""

from __future__ import annotations

import json
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from local_services import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, die_with_parent

ROOT = Path(__file__).resolve().parents[3]
BENCH = ROOT / "tests" / "bench"
PROGRAMS = ROOT / "build" / "test" / "tests" / "bench"


def cpu_seconds(pid: int) -> float:
    """What a running process (of one thread) has used, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


class Sink:
    """A running sink. The keywords are its options (`sink --help`), with underscores: Sink(messages=2000,
    endless=True)."""

    def __init__(self, *, tls: bool = False, program: Path = PROGRAMS / "sink", **options: str | float | bool) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sink-")
        self.ca_file = Path(self._folder.name) / "ca.pem"
        flags = [
            f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}")
            for name, value in options.items()
            if value is not False
        ]
        self._process = subprocess.Popen(
            [program, f"--ca-file={self.ca_file}", *flags],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        self.pid = self._process.pid
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line.startswith("port="):
            raise RuntimeError(f"the sink did not start: {' '.join(flags)}")
        self.port = int(line.removeprefix("port="))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.plain_url = f"http://127.0.0.1:{self.port}"
        self._summary: dict[str, Any] | None = None

    def environment(self) -> dict[str, str]:
        """The settings with which table-updater (and boto3) works on this sink."""
        return {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.ca_file),
            "TABLE_NAME": "records",
            "AUDIT_LOG_TABLE": "audit",
            "QUEUE_URL": "updates",
            "METRICS_ADDRESS": "off",
        }

    def cpu(self) -> float:
        """Seconds of CPU that it has used."""
        return cpu_seconds(self.pid)

    def counts(self) -> dict[str, Any]:
        """What it has counted until now."""
        if self._summary is not None:
            return self._summary
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.plain_url}/counts", timeout=30) as answer:
            return dict(json.load(answer))

    def stop(self) -> dict[str, Any]:
        """Ends it. What it counted. A second call gives the same again."""
        if self._summary is None:
            self._process.terminate()
            out, _ = self._process.communicate(timeout=30)
            self._folder.cleanup()
            if self._process.returncode:
                raise RuntimeError(f"the sink ended with {self._process.returncode}")
            self._summary = dict(json.loads(out))
        return self._summary

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
