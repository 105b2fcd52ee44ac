"""Runs programs and says what they used."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from local_services import die_with_parent

LOOK_SECONDS = 0.02
LONGEST_RUN = 1800


class RunError(Exception):
    """A program didn't end well: what was measured of it is worth nothing."""


@dataclass(frozen=True)
class Used:
    """What a process used until its end, its own children that it waited for included."""

    cpu: float  # seconds, utime + stime
    seconds: float
    peak_rss: int  # KiB, VmHWM
    output: str
    switches: int = 0  # to another process and back, whoever asked for them


def peak_rss(pid: int) -> int:
    """VmHWM in KiB; getrusage() would count the parent's memory at the fork as well. 0 once the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


class Running:
    """A program that runs. Its output goes to files, so that nobody has to read while it is measured."""

    def __init__(self, command: list[str | Path], environment: dict[str, str] | None = None) -> None:
        self._command = [str(word) for word in command]
        self._files = (tempfile.TemporaryFile(), tempfile.TemporaryFile())
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            env={"PATH": os.environ["PATH"], **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=self._files[0],
            stderr=self._files[1],
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        self.pid = self._process.pid

    def terminate(self) -> None:
        """Asks it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """Ends it, whatever it does."""
        self._process.kill()
        self._process.wait()
        for file in self._files:
            file.close()

    def wait(self) -> Used:
        """Waits for its end, watching its memory. Fails where it failed."""
        peak, status, usage = 0, None, None
        while status is None:
            peak = max(peak, peak_rss(self.pid))
            pid, code, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                status = code
            elif time.monotonic() - self._started > LONGEST_RUN:
                self._process.kill()
            else:
                time.sleep(LOOK_SECONDS)
        seconds = time.monotonic() - self._started
        self._process.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in self._files:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
            file.close()
        if self._process.returncode:
            raise RunError(f"{' '.join(self._command)} ended with {self._process.returncode}:\n{texts[1][-2000:]}")
        assert usage
        switches = usage.ru_nvcsw + usage.ru_nivcsw
        return Used(usage.ru_utime + usage.ru_stime, seconds, peak, texts[0], switches)


def run(command: list[str | Path], environment: dict[str, str] | None = None) -> Used:
    """Runs a program to its end."""
    return Running(command, environment).wait()
