#!/usr/bin/env python3
"""aws-sdk-go-v2 as the judge of what config and credentials files mean: same key and region, or both refuse.

    build/venv/bin/python tests/witnesses/sdk_go.py [--count N] [--first SEED] [--program FILE]

Builds sdk_go/ with the Go toolchain (its modules are fetched once), unless --program names the program."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from common import HERE, Fakes, empty, make, ours, require_tool, run, show
from formats import files


class Judge:
    """One process; a world is a line."""

    def __init__(self, program: Path, home: Path) -> None:
        environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([str(program)], env=environment, **pipes)

    def decide(self, environment: dict[str, str], profile: str | None) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"environment": environment, "profile": profile}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def build(into: Path) -> Path:
    if not shutil.which("go"):
        sys.exit("go is not there: install a Go toolchain (1.24 or later)")
    program = into / "sdk_go"
    run("go", "build", "-o", program, ".", cwd=HERE / "sdk_go")
    return program


def same(we: dict[str, Any], they: dict[str, Any], members: list[str]) -> bool:
    if "refused" in we or "refused" in they:
        return "refused" in we and "refused" in they
    return all(we.get(name) == they.get(name) for name in members)


def formats(judge: Judge, home: Path, seeds: range) -> int:
    """File formats. The instance metadata service is off, and a profile is chosen by the variable."""
    wrong, tally = 0, Counter[str]()
    for seed in seeds:
        empty(home)
        (home / ".aws").mkdir()
        config, credentials = files(seed)
        (home / ".aws" / "config").write_text(config, newline="")
        (home / ".aws" / "credentials").write_text(credentials, newline="")
        environment = {"AWS_EC2_METADATA_DISABLED": "true"}
        if seed % 3 == 0:
            environment["AWS_PROFILE"] = "work"
        we, they = ours(home, environment), judge.decide(environment, None)
        tally["both refuse" if "refused" in they else "both find"] += 1
        if not same(we, they, ["key", "region"]):
            wrong += 1
            show(f"seed {seed} {environment}", home, we, they)
    print(f"file formats: {len(seeds)} worlds {dict(tally)}, {wrong} mismatches")
    return wrong


def worlds(judge: Judge, home: Path, seeds: range) -> None:
    """The worlds of the differential test. botocore is their judge: here it is only told how often Go agrees."""
    tally = Counter[str]()
    with Fakes() as fakes:
        for seed in seeds:
            empty(home)
            case = make(seed, home, fakes.url)
            we = ours(home, case.environment, case.profile)
            they = judge.decide(case.environment, case.profile)
            members = ["key", "region", "sqs", "dynamodb"]
            tally["same" if same(we, they, members) else "other"] += 1
    print(f"worlds of the differential test: {dict(tally)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--worlds", type=int, default=0, help="of the differential test, as many as that beside")
    parser.add_argument("--program", type=Path)
    arguments = parser.parse_args()
    require_tool()
    with tempfile.TemporaryDirectory() as folder:
        program = arguments.program or build(Path(folder))
        home = Path(folder) / "home"
        home.mkdir()
        judge = Judge(program.resolve(), home)
        wrong = formats(judge, home, range(arguments.first, arguments.first + arguments.count))
        if arguments.worlds:
            worlds(judge, home, range(1, 1 + arguments.worlds))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
