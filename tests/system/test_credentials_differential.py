"""Provider, key, account, region and endpoints are botocore's, in worlds made at random; where the SDKs' shared file
format is another than botocore's, they are what aws-sdk-go-v2 reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Iterator

import pytest
from credentials_cases import Case, make
from credentials_fakes import Fakes

HERE = Path(__file__).resolve().parent
COUNT = int(os.environ.get("CREDENTIALS_COUNT", "320"))
FIRST = int(os.environ.get("CREDENTIALS_SEED", "1"))


def tool_path() -> Path:
    """find_credentials: FIND_CREDENTIALS, else the test build's."""
    return Path(os.environ.get("FIND_CREDENTIALS") or HERE.parents[1] / "build" / "test" / "tests" / "find_credentials")


class Judge:
    """botocore, in a process of its own."""

    def __init__(self, home: Path) -> None:
        environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(
            [sys.executable, HERE / "credentials_botocore.py"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def decide(self, case: Case) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"environment": case.environment, "profile": case.profile}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def ours(home: Path, environment: dict[str, str], profile: str | None = None) -> dict[str, Any]:
    command = [tool_path(), *([profile] if profile else [])]
    done = subprocess.run(
        command,
        env={"HOME": str(home), "PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def fakes() -> Iterator[Fakes]:
    if not tool_path().exists():
        pytest.fail(f"{tool_path()} does not exist: build it, or set FIND_CREDENTIALS", pytrace=False)
    with Fakes() as all_of_them:
        yield all_of_them


def show(case: Case, seed: int, we: dict[str, Any], they: dict[str, Any]) -> str:
    files = [
        f"--- {path}\n{path.read_text()}"
        for path in sorted(case.home.rglob("*"))
        if path.is_file() and path.parent.name != "cache"
    ]
    return "\n".join(
        [
            f"seed {seed}: --profile {case.profile}",
            json.dumps(case.environment, indent=1),
            *files,
            f"we:   {we}",
            f"they: {they}",
        ]
    )


@pytest.mark.parametrize("half", [0, 1])
def test_what_is_decided_is_what_botocore_decides(tmp_path: Path, fakes: Fakes, half: int) -> None:
    judge = Judge(tmp_path)
    tally: Counter[str] = Counter()
    wrong = []
    for seed in range(FIRST + half, FIRST + COUNT, 2):
        for path in sorted(tmp_path.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        case = make(seed, tmp_path, fakes.url)
        they, we = judge.decide(case), ours(tmp_path, case.environment, case.profile)
        tally["both refuse" if "refused" in they else they["provider"]] += 1
        same = "refused" in we if "refused" in they else we == they
        if not same:
            wrong.append(show(case, seed, we, they))
    judge.end()
    print(dict(tally))
    assert not wrong, f"{len(wrong)} of {COUNT}\n" + "\n\n".join(wrong[:3])
    wanted = {
        "env",
        "shared-credentials-file",
        "config-file",
        "custom-process",
        "assume-role",
        "assume-role-with-web-identity",
        "sso",
        "container-role",
        "iam-role",
    }
    assert COUNT < 300 or wanted | {"both refuse"} <= set(tally), tally


KEYS = "aws_access_key_id = {}\naws_secret_access_key = s\n"


# What aws-sdk-go-v2's config reads (config/shared_config.go, internal/ini), and botocore doesn't, or otherwise.
@pytest.mark.parametrize(
    ("config", "credentials", "key", "region"),
    [
        ("[default]\nregion = eu-west-1 # here\n", "[default]\n" + KEYS.format("A") + "# end\n", "A", "eu-west-1"),
        (
            "[default]\nregion = eu-west-1 ; here\n",
            "[default]\naws_access_key_id = A #x\naws_secret_access_key = s;x\n",
            "A",
            "eu-west-1",
        ),
        (
            "[default]\nregion = eu-west-1\n[default]\nregion = eu-west-2\n",
            "[default]\n" + KEYS.format("A"),
            "A",
            "eu-west-2",
        ),
        ("[default]\nregion = eu-west-1\nregion = eu-west-2\n", "[default]\n" + KEYS.format("A"), "A", "eu-west-2"),
        (
            "[default]\nregion = eu-west-1\n",
            "[default]\n" + KEYS.format("A") + "[default]\n" + KEYS.format("B"),
            "B",
            "eu-west-1",
        ),
        (
            "[default]\nregion = eu-west-1\n[profile default]\nregion = eu-west-2\n",
            "[default]\n" + KEYS.format("A"),
            "A",
            "eu-west-2",
        ),
        (
            "[profile default]\nregion = eu-west-2\n[default]\nregion = eu-west-1\n",
            "[default]\n" + KEYS.format("A"),
            "A",
            "eu-west-2",
        ),
    ],
)
def test_where_botocore_leaves_the_shared_format_go_is_followed(
    tmp_path: Path, fakes: Fakes, config: str, credentials: str, key: str, region: str
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(config)
    (tmp_path / ".aws" / "credentials").write_text(credentials)
    we = ours(tmp_path, {})
    assert (we.get("key"), we.get("region")) == (key, region), we


def test_an_instance_costs_three_round_trips(tmp_path: Path, fakes: Fakes) -> None:
    """Token, role, keys: no more than any SDK makes."""
    fakes.asked.clear()
    we = ours(tmp_path, {"AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{fakes.url}/imds"})
    assert we["provider"] == "iam-role" and len(fakes.asked) == 3, (we, fakes.asked)
