"""The stages of tests/run: each builds what it needs, runs its tests, and counts them."""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
JOBS = str(os.cpu_count() or 1)
WAITERS = str(6 * int(JOBS))  # how many tests at once that mostly wait: for timeouts, for servers
PYTHON = str(BUILD / "venv" / "bin" / "python")
_FUZZ_RUNS = 20000
# Kinds of plans, first seed, runs. The seeds are fixed: what is taken must not hang on chance. New ones are searched by
# hand (README.md).
_SIM_SEARCHES = (("old", 1, 15_000), ("all", 1_000_000_000, 4_000))
_SHOWN_LINES = 80


@dataclass
class Counts:
    """How many tests had which end."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


class StageError(Exception):
    """A stage could not get as far as its tests."""


def call(log: str, *command: str | Path, check: bool = True, environment: dict[str, str] | None = None) -> int:
    """Runs a command with its output in a log file. check: a failure is the stage's."""
    path = LOGS / f"{log}.log"
    with path.open("ab") as sink:
        done = subprocess.run(
            list(map(str, command)),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if check and done.returncode:
        raise StageError(f"{' '.join(map(str, command))} ended with {done.returncode}")
    return done.returncode


def build(stage: str, preset: str) -> None:
    """Configures and builds a preset of CMakePresets.json."""
    call(stage, "cmake", "--preset", preset)
    call(stage, "cmake", "--build", BUILD / preset, "--parallel", JOBS)


def count_cmocka(case: ElementTree.Element) -> Counts:
    """The tests inside one of ctest's cases, a program with cmocka's summary at its end."""
    output = case.findtext("system-out") or ""

    def total(word: str) -> int:
        return sum(map(int, re.findall(rf"^\[  {word}\s*\] (\d+) test\(s\)", output, re.MULTILINE)))

    counts = Counts(total("PASSED"), total("FAILED"), total("SKIPPED"))
    if case.get("status") == "fail" and not counts.failed:
        counts.failed = 1  # it crashed, or a sanitizer ended it
    elif case.get("status") == "run" and counts == Counts():
        counts.passed = 1  # no cmocka program
    return counts


# Left out of the sanitized unit tests, where they take minutes: the law of the rate over fleets of a thousand workers
# (the worker's other tests pass through its code too), and tests that measure memory: sanitizers take their own.
_UNSANITIZED = "^(test_adaptive_rate|fault_28_hostile_.*)$"


def ctest(stage: str, preset: str, without: str = "") -> Counts:
    """Runs the unit tests of a build; without: a pattern of names."""
    report = LOGS / f"{stage}.xml"
    report.unlink(missing_ok=True)
    whole = "100000000"
    settings = {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
    vectors = (
        ROOT.parent / "shared" / "vectors" / "sigv4"
    )  # the public test vectors of SigV4, where they lie beside the project
    if vectors.is_dir():
        settings["SIGV4_VECTORS"] = str(vectors)
    call(
        stage,
        *("ctest", "--test-dir", BUILD / preset, "--parallel", JOBS, "--output-on-failure", "--output-junit", report),
        *("--test-output-size-passed", whole, "--test-output-size-failed", whole),
        *(("--exclude-regex", without) if without else ()),
        check=False,
        environment={**settings, **os.environ},
    )
    if not report.exists():
        raise StageError("ctest left no report")
    return sum((count_cmocka(case) for case in ElementTree.parse(report).iter("testcase")), Counts())


def pytest(
    stage: str, *arguments: str | Path, at_once: str = JOBS, environment: dict[str, str] | None = None
) -> Counts:
    """Runs tests written in Python, so many at once."""
    report = LOGS / f"{stage}.xml"
    report.unlink(missing_ok=True)
    code = call(
        stage,
        *(PYTHON, "-m", "pytest", "--numprocesses", at_once, "--dist", "worksteal"),
        *("-q", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments),
        check=False,
        environment={**os.environ, **(environment or {})},
    )
    if not report.exists() or code not in (0, 1):
        raise StageError(f"pytest ended with {code}")
    suites = list(ElementTree.parse(report).iter("testsuite"))
    total, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return Counts(max(total - failed - skipped, 0), failed if failed or code == 0 else 1, skipped)


def unit() -> Counts:
    """unit tests of the release build"""
    build("unit", "test")
    return ctest("unit", "test")


def sanitize() -> Counts:
    """unit tests under ASan and UBSan"""
    build("sanitize", "sanitize")
    return ctest("sanitize", "sanitize", without=_UNSANITIZED)


def system() -> Counts:
    """the binary against DynamoDB Local and ElasticMQ"""
    build("system", "test")
    return pytest(
        "system", "tests/system", at_once=WAITERS, environment={"TABLE_UPDATER": str(BUILD / "test" / "table-updater")}
    )


def system_sanitized() -> Counts:
    """a part of the same under ASan and UBSan"""
    stage = "system-sanitized"
    build(stage, "sanitize")
    return pytest(
        stage,
        "-m",
        "sanitized",
        "tests/system",
        environment={"TABLE_UPDATER": str(BUILD / "sanitize" / "table-updater")},
    )


def lint() -> Counts:
    """layers, house rules, installation, clang-tidy, gcc's analyzer"""
    build("lint", "test")
    return pytest("lint", "tests/lint")


def fuzz() -> Counts:
    """a short, repeatable run of every fuzz target"""
    build("fuzz", "fuzz")
    counts = Counts()
    artifacts = BUILD / "fuzz" / "artifacts"
    artifacts.mkdir(exist_ok=True)
    for source in sorted(ROOT.glob("tests/fuzz/fuzz_*.c")):
        corpora = [
            folder for folder in source.parent.glob(f"corpus/{source.stem.removeprefix('fuzz_')}") if folder.is_dir()
        ]
        flags = [
            f"-runs={_FUZZ_RUNS}",
            "-seed=1",
            "-verbosity=0",
            "-close_fd_mask=1",
            f"-artifact_prefix={artifacts}/{source.stem}-",
        ]
        # What a run discovers goes to the first folder: a fresh one, so that the next run does the same again.
        with tempfile.TemporaryDirectory() as discovered:
            code = call("fuzz", BUILD / "fuzz" / "tests" / source.stem, *flags, discovered, *corpora, check=False)
        counts += Counts(int(code == 0), int(code != 0))
    return counts


def cost() -> Counts:
    """instructions, allocations and system calls of a message against their ceilings"""
    build("cost", "test")
    code = call("cost", PYTHON, "tests/bench/guard", check=False)
    return Counts(int(code == 0), int(code != 0))


def _same_run(program: Path, seed: int) -> bool:
    """Whether a seed is the same run to the byte in two processes that have little in common."""
    elsewhere = {**os.environ, "PADDING": "x" * 5000, "MALLOC_PERTURB_": "85", "LC_ALL": "C"}
    command = [program, "--seed", str(seed), "--trace"]
    runs = [
        subprocess.run(command, capture_output=True, check=False),
        subprocess.run(
            ["setarch", "--addr-no-randomize", *command], env=elsewhere, cwd="/", capture_output=True, check=False
        ),
    ]
    return bool(runs[0].stdout) and runs[0].stdout == runs[1].stdout


def sim() -> Counts:
    """simulated runs under faults, from fixed seeds"""
    build("sim", "test")
    program = BUILD / "test" / "tests" / "sim" / "sim"
    same = all(_same_run(program, seed) for seed in range(20))
    print(f"sim: the same seed is {'the same run' if same else 'NOT the same run'} in another process", flush=True)
    searches = []
    for i, (kinds, seed, runs) in enumerate(_SIM_SEARCHES):
        sink = (LOGS / f"sim-{i}.log").open("wb")
        command = [program, "--kinds", kinds, "--from", str(seed), "--runs", str(runs)]
        searches.append(
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT)
        )
    failed = sum(search.wait() != 0 for search in searches)
    for i in range(len(searches)):
        text = (LOGS / f"sim-{i}.log").read_text(errors="replace")
        with (LOGS / "sim.log").open("a") as log:
            log.write(text)
        totals = [line for line in text.splitlines() if " counted (" in line]
        for line in text.splitlines():
            if not line.startswith(" ") and line not in totals:
                print(f"sim: {line}", flush=True)  # what was broken, and how to see it again
        print(f"sim: {totals[-1] if totals else 'no runs'}", flush=True)
    return Counts(int(same) + len(searches) - failed, int(not same) + failed)


STAGES: dict[str, Callable[[], Counts]] = {
    "unit": unit,
    "sim": sim,
    "lint": lint,
    "system": system,
    "sanitize": sanitize,
    "system-sanitized": system_sanitized,
    "fuzz": fuzz,
    "cost": cost,
}


def run(name: str) -> Counts:
    """Runs a stage, says how it went, and shows the end of its log where it failed."""
    log = LOGS / f"{name}.log"
    log.unlink(missing_ok=True)
    print(f"{name}: {STAGES[name].__doc__} …", flush=True)
    start = time.monotonic()
    try:
        counts = STAGES[name]()
    except StageError as error:
        print(f"{name}: {error}", flush=True)
        counts = Counts(failed=1)
    if counts.failed:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        print("\n".join(f"    {line}" for line in lines[-_SHOWN_LINES:]))
        print(f"{name}: the whole log is {log}")
    print(f"{name}: {counts} in {time.monotonic() - start:.0f} s", flush=True)
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tests/run",
        description="Installs what is missing, builds, and runs the tests: all of them, or the stages named.",
        epilog="\n".join(["stages:", *(f"  {name:18}{stage.__doc__}" for name, stage in STAGES.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="unit, lint, … (default: all)")
    wanted = parser.parse_args().stages
    if unknown := set(wanted) - set(STAGES):
        parser.error(f"no such stage: {', '.join(sorted(unknown))} (there are {', '.join(STAGES)})")
    LOGS.mkdir(parents=True, exist_ok=True)
    with (BUILD / ".tests.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another run of the tests has this build folder; waiting for its end", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        counts = sum((run(name) for name in STAGES if not wanted or name in wanted), Counts())
    print(counts)
    return 0 if counts.failed == 0 and counts.passed else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
