"""Runs the real binary and watches it: its lines, its exit, and whether it crashed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from harness.polling import PATIENCE, wait_until
from harness.recorder import tapped
from local_services import die_with_parent

ROOT = Path(__file__).resolve().parents[3]
# Not one of the program's own exit codes.
SANITIZER_EXIT = 99
_SANITIZER_REPORT = re.compile(r"(Address|Leak|UndefinedBehavior|Memory)Sanitizer|: runtime error: ")
_CRASHES = {
    signal.SIGSEGV,
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGILL,
    signal.SIGFPE,
    signal.SIGTRAP,
    signal.SIGSYS,
    signal.SIGPIPE,
}


def binary_path() -> Path:
    """The binary under test: TABLE_UPDATER, else the release build's."""
    return Path(os.environ.get("TABLE_UPDATER") or ROOT / "build" / "test" / "table-updater").resolve()


def _prepare() -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a runner in the background has it ignored, and so would its children


class Process:
    """One run of table-updater. Its output is collected while it runs; check() fails where it crashed.

    log_to: a descriptor that takes its standard error; the log is then not ours to read."""

    def __init__(
        self, arguments: list[str], environment: dict[str, str], stdin: bytes | None = None, log_to: int | None = None
    ) -> None:
        self.arguments = arguments
        self._lines: list[str] = []
        self._out = bytearray()
        self._news = threading.Condition()
        self._log_ended = False
        self._killed = False
        self._process = subprocess.Popen(
            [str(binary_path()), *arguments],
            env={
                **tapped(arguments, environment),
                "ASAN_OPTIONS": f"exitcode={SANITIZER_EXIT}:detect_leaks=1"
                f":verify_asan_link_order={int('LD_PRELOAD' not in environment)}",
                "UBSAN_OPTIONS": f"exitcode={SANITIZER_EXIT}:print_stacktrace=1",
            },
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if log_to is None else log_to,
            start_new_session=True,
            preexec_fn=_prepare,
        )
        readers = [self._read_output] if log_to is not None else [self._read_log, self._read_output]
        self._threads = [threading.Thread(target=read, daemon=True) for read in readers]
        if stdin is not None:
            self._threads.append(threading.Thread(target=self._feed, args=(stdin,), daemon=True))
        for thread in self._threads:
            thread.start()

    def _read_log(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            with self._news:
                self._lines.append(line.decode("utf-8", "backslashreplace").rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._log_ended = True
            self._news.notify_all()

    def _read_output(self) -> None:
        assert self._process.stdout
        while chunk := self._process.stdout.read1(65536):
            self._out += chunk

    def _feed(self, data: bytes) -> None:
        assert self._process.stdin
        try:
            with self._process.stdin as pipe:
                pipe.write(data)
        except BrokenPipeError:
            pass  # it ended before it had read all

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> list[str]:
        """The lines of standard error until now."""
        with self._news:
            return list(self._lines)

    @property
    def output(self) -> str:
        """Standard output until now."""
        return bytes(self._out).decode("utf-8", "backslashreplace")

    def find_log(self, pattern: str) -> list[re.Match[str]]:
        """The lines until now that pattern matches somewhere."""
        return [match for line in self.log if (match := re.search(pattern, line))]

    def wait_for_log(self, pattern: str, after: int = 0, patience: float = PATIENCE) -> re.Match[str]:
        """Waits for a line that pattern matches, from line number `after` on. Fails when the process ends without
        one."""

        def found() -> re.Match[str] | None:
            return next((match for line in self._lines[after:] if (match := re.search(pattern, line))), None)

        with self._news:
            self._news.wait_for(lambda: found() or self._log_ended, patience)
            match = found()
        if not match:
            raise AssertionError(f"no log line matches {pattern!r}\n{self.describe()}")
        return match

    def send_signal(self, number: signal.Signals) -> None:
        """Sends a signal; to stop it, use stop() or kill()."""
        self._process.send_signal(number)

    def wait(self, patience: float = PATIENCE) -> int:
        """Waits for its end, checks that it didn't crash, and returns the exit code (-9 after kill())."""
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {patience:g} s\n{self.describe()}") from None
        for thread in self._threads:
            thread.join(5)
        self.check()
        return self._process.returncode

    def stop(self, number: signal.Signals = signal.SIGTERM, patience: float = PATIENCE) -> int:
        """Asks it to end, waits, and returns the exit code. Fine to call when it has ended."""
        if self.running:
            self.send_signal(number)
        return self.wait(patience)

    def kill(self) -> None:
        """SIGKILL, as when a machine vanishes."""
        self._killed = True
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(5)

    def check(self) -> None:
        """Fails where it crashed or a sanitizer spoke."""
        code = self._process.poll()
        crashed = code is not None and code < 0 and -code in _CRASHES
        if crashed or code == SANITIZER_EXIT or any(_SANITIZER_REPORT.search(line) for line in self.log):
            raise AssertionError(f"crashed\n{self.describe()}")

    def describe(self) -> str:
        """The command, its exit and the end of its log, for a failed test's report."""
        lines = "\n".join(self.log[-200:])
        return f"$ table-updater {' '.join(self.arguments)}\n{lines}\n[exit {self._process.poll()}]"


class Worker(Process):
    """`table-updater run`, with a metrics listener on its own port."""

    def __init__(self, environment: dict[str, str], *flags: str, log_to: int | None = None) -> None:
        super().__init__(["run", *flags], environment, log_to=log_to)
        self._metrics = environment.get("METRICS_ADDRESS", "off")

    @property
    def address(self) -> tuple[str, int]:
        """Where the metrics listener is."""
        host, port = self._metrics.rsplit(":", 1)
        return host.strip("[]"), int(port)

    def get(self, path: str) -> tuple[int, str]:
        """GETs a path of the metrics listener: status and body; (0, "") while nobody listens."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{self._metrics}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_until_ready(self) -> None:
        """Waits until /readyz says 200."""

        def ready() -> bool:
            if not self.running:
                raise AssertionError(f"ended before it was ready\n{self.describe()}")
            return self.get("/readyz")[0] == 200

        wait_until(ready, "readiness")

    def metrics(self) -> dict[str, float]:
        """The samples of /metrics, by name with labels as they are written there."""
        samples = {}
        for line in self.get("/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples


class Applied:
    """What `table-updater apply` did: exit code, one response a line, log."""

    def __init__(self, process: Process) -> None:
        self.code = process.wait()
        self.log = process.log
        self.output = process.output

    @property
    def responses(self) -> list[dict[str, Any]]:
        """The responses, parsed."""
        return [json.loads(line) for line in self.output.splitlines()]
