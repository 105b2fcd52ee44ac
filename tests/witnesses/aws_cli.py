#!/usr/bin/env python3
"""The AWS CLI as a second witness: on worlds of the differential test it takes the same provider, key, region and
endpoint of DynamoDB, or refuses as we do. (Of SQS version 1 of it has an endpoint of its own making, the legacy
region.queue.amazonaws.com, even where a URL is configured; and its copy of botocore is older than the one that is the
judge, so that it asks for fewer accounts at their own hosts.)

    build/venv/bin/python tests/witnesses/aws_cli.py [--count N] [--first SEED] [--cli FILE]

Installs the CLI of the version below into a folder of its own, unless --cli names one. Where a request of it would go,
and with which key, its --debug output says; a proxy that isn't there ends the request."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from pathlib import Path
from typing import Any

from common import Case, Fakes, empty, make, ours, require_tool, run, show

VERSION = "1.46.2"
NOBODY = "http://127.0.0.1:9"
SENT = re.compile(r"url=([^,]+), headers=\{.*?Credential=([^/]+)/\d+/([^/]+)/")
ROW = re.compile(r"^\s*(access_key|region)\s+(\S+)\s+(\S+)\s+(.*)$", re.MULTILINE)


def install(folder: Path) -> Path:
    venv.create(folder / "cli", with_pip=True)
    run(folder / "cli" / "bin" / "pip", "install", "--quiet", f"awscli=={VERSION}")
    return folder / "cli" / "bin" / "aws"


class Cli:
    def __init__(self, program: Path, home: Path) -> None:
        self.program, self.home = program, home

    def call(self, case: Case, *words: str) -> subprocess.CompletedProcess[str]:
        environment = dict(case.environment)
        # As botocore it alone doesn't know AWS_REGION.
        region = environment.pop("AWS_REGION", "") or environment.pop("AWS_DEFAULT_REGION", "")
        environment.pop("AWS_DEFAULT_REGION", None)
        if region:
            environment["AWS_DEFAULT_REGION"] = region
        fixed = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "HTTPS_PROXY": NOBODY,
            "AWS_MAX_ATTEMPTS": "1",
        }
        profile = ["--profile", case.profile] if case.profile else []
        command = [str(self.program), *profile, *words]
        return subprocess.run(
            command, env=environment | fixed, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )

    def sent(self, case: Case, *words: str) -> tuple[str, str, str] | None:
        """URL, key and region of its request; None: it made none."""
        found = SENT.findall(self.call(case, *words, "--debug").stderr)
        return (found[-1][0].rstrip("/"), found[-1][1], found[-1][2]) if found else None

    def decide(self, case: Case) -> dict[str, Any]:
        listed = {row[0]: row[2] for row in ROW.findall(self.call(case, "configure", "list").stdout)}
        dynamodb = self.sent(case, "dynamodb", "describe-limits")
        if not dynamodb:
            return {"refused": "it sends nothing"}
        return {
            "provider": listed.get("access_key", ""),
            "key": dynamodb[1],
            "region": dynamodb[2],
            "dynamodb": dynamodb[0],
        }


def without_account(url: str) -> str:
    return re.sub(r"//\d{12}\.ddb\.", "//dynamodb.", url)


def differs(we: dict[str, Any], they: dict[str, Any]) -> bool:
    if "refused" in we or "refused" in they:
        return not ("refused" in we and "refused" in they)
    if without_account(we["dynamodb"]) != without_account(they["dynamodb"]):
        return True
    return any(we[name] != they[name] for name in ("provider", "key", "region"))


def is_about_account_hosts(case: Case) -> bool:
    """Where accounts' own hosts are required the older botocore knows fewer."""
    in_files = any("account_id_endpoint_mode" in str(section) for section in case.config.values())
    return in_files or "AWS_ACCOUNT_ID_ENDPOINT_MODE" in case.environment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--cli", type=Path)
    arguments = parser.parse_args()
    require_tool()
    wrong, tally = 0, Counter[str]()
    with tempfile.TemporaryDirectory() as folder, Fakes() as fakes:
        program = arguments.cli or install(Path(folder))
        home = Path(folder) / "home"
        home.mkdir()
        cli = Cli(program, home)
        seed, looked_at = arguments.first - 1, 0
        while looked_at < arguments.count:
            seed += 1
            empty(home)
            case = make(seed, home, fakes.url)
            if is_about_account_hosts(case):
                continue
            looked_at += 1
            we, they = ours(home, case.environment, case.profile), cli.decide(case)
            tally[they.get("provider", "both refuse")] += 1
            if differs(we, they):
                wrong += 1
                show(f"seed {seed}: --profile {case.profile} {case.environment}", home, we, they)
    print(
        f"AWS CLI {VERSION if not arguments.cli else program}:",
        f"{arguments.count} worlds {dict(tally)}, {wrong} mismatches",
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
