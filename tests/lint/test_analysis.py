"""What clang-tidy and gcc's analyzer find in the program's sources. A verdict is kept until anything it depends on
changes."""

from __future__ import annotations

import functools
import hashlib
import subprocess
from pathlib import Path

import pytest
from tree import BUILD, ROOT, compilations, files, name_of, sources

VERDICTS = ROOT / "build" / "analysis"


@functools.cache
def headers_and_settings() -> bytes:
    """A fingerprint of what any source may depend on besides itself."""
    paths = [*files("include/*/*.h", "src/*/*.h"), ROOT / ".clang-tidy", Path(__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).digest()


def check(tool: str, path: Path, command) -> None:
    """Runs command() unless it passed before on exactly this input. It gives the exit code and what it said."""
    settings = repr(compilations()[path].arguments).encode()
    key = hashlib.sha256(headers_and_settings() + settings + path.read_bytes()).hexdigest()
    verdict = VERDICTS / f"{tool}-{key}"
    if verdict.exists():
        return
    code, text = command()
    assert code == 0, text
    VERDICTS.mkdir(parents=True, exist_ok=True)
    verdict.touch()


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_clang_tidy_finds_nothing(path: Path) -> None:
    def run() -> tuple[int, str]:
        command = ["clang-tidy-14", "--quiet", "-p", str(BUILD), "--extra-arg=-Wno-unknown-warning-option", str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    check("clang-tidy", path, run)


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_gccs_analyzer_finds_nothing(path: Path) -> None:
    def run() -> tuple[int, str]:
        # Without optimisation it sees the code as it was written; with it, gcc 12 stumbles over what was inlined.
        done = compilations()[path].run("-O0", "-U_FORTIFY_SOURCE", "-fanalyzer", compiler="gcc")
        return done.returncode, done.stderr

    check("gcc", path, run)
