"""conf/demo.py, what a newcomer sees first: it says the truth, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness.process import ROOT, binary_path

APPLIED = {1: "applied", 2: "applied", 3: "applied before"}
DEAD = {
    4: "412 ConditionalCheckFailed",
    5: "404 RecordNotFoundError",
    6: "400 InvalidInputError",
    7: "400 ValidationError",
    8: "400 InvalidInputError",
    9: "400 InvalidInputError",
}


def demonstrate(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Runs the demonstration with folder for its temporary files."""
    command = [sys.executable, ROOT / "conf" / "demo.py", "--binary", binary_path(), *flags]
    environment = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def alive(pid: int) -> bool:
    """Whether a process runs still."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_demonstration_shows_every_outcome_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = demonstrate(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = done.stdout.partition("== 2.")[2].partition("== 3.")[0]
    for number, outcome in APPLIED.items():
        assert re.search(rf"^ {number} .*  {outcome}", outcomes, re.MULTILINE), done.stdout
    for number, outcome in DEAD.items():
        assert re.search(rf"^ {number} .*  DLQ: {outcome}: ", outcomes, re.MULTILINE), done.stdout
    assert '"success": true' in done.stdout.replace('":true', '": true')
    assert not list(tmp_path.iterdir())


def test_two_demonstrations_at_once_keep_out_of_each_others_way(tmp_path: Path) -> None:
    kept = demonstrate(tmp_path, "--keep")
    assert kept.returncode == 0, kept.stdout + kept.stderr
    match = re.search(r"^  kill (\d+) (\d+)$", kept.stdout, re.MULTILINE)
    assert match
    pids = [int(pid) for pid in match.groups()]
    try:
        second = demonstrate(tmp_path)
        assert second.returncode == 0, second.stdout + second.stderr
        assert second.stdout.splitlines()[0] != kept.stdout.splitlines()[0]
        assert all(alive(pid) for pid in pids)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGTERM)


def test_a_program_that_fails_is_named_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho no luck >&2\nexit 78\n")
    broken.chmod(0o755)
    monkeypatch.setenv("TABLE_UPDATER", str(broken))
    done = demonstrate(tmp_path)
    assert done.returncode == 1 and "ended with 78" in done.stderr and "no luck" in done.stderr
