"""The planted faults of tests/sim/mutants: each still fits the sources, and says what must find it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tree import ROOT, files, name_of

MUTANTS = files("tests/sim/mutants/*.patch")
PROMISES = {"I1", "I2", "I3", "I4", "I5", "I6", "order", "lease", "drain", "recovery", "liveness", "named"}


def caught_by(patch: Path) -> str:
    """The promise that a planted fault must be seen to break."""
    found = re.search(r"^Plants: .+\nCaught by: (\w+)\n", patch.read_text())
    return found.group(1) if found else ""


@pytest.mark.parametrize("patch", MUTANTS, ids=name_of)
def test_a_planted_fault_fits_the_sources(patch: Path) -> None:
    command = ["patch", "--dry-run", "--batch", "--fuzz=0", "-p1", "-i", str(patch)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert caught_by(patch) in PROMISES


def test_every_invariant_has_a_planted_fault_that_breaks_it() -> None:
    assert len(MUTANTS) >= 12
    assert {"I1", "I2", "I3", "I4", "I5", "I6"} <= {caught_by(patch) for patch in MUTANTS}
