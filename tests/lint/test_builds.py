"""What no stage runs is built here, so that it is there when it is wanted."""

from __future__ import annotations

import subprocess

from tree import ROOT


def test_the_torture_programs_build() -> None:
    for command in (["cmake", "--preset", "torture"], ["cmake", "--build", "build/torture", "--parallel", "2"]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
