"""All templates of conf/ by cfn-lint, and the scripts that are in them."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from template import EC2_SERVICE, ROOT, STACK, Resolved

TEMPLATES = sorted([*ROOT.glob("conf/*.yaml"), *ROOT.glob("conf/producers/cloudformation/*.yaml")])
MADE = {
    **{name: f"https://sqs.eu-central-1.amazonaws.com/123456789012/{name}" for name in ("Updates", "DeadLetters")},
    **{"SecurityGroup": "sg-1", "InstanceProfile.Arn": "arn:aws:iam::123456789012:instance-profile/updater"},
}
GIVEN = {"QueueName": "updates", "TableName": "users", "PackageBucket": "releases", "PackageKey": "table-updater.deb"}
DRAIN = "/usr/local/sbin/table-updater-drain"


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).parent / "cfn-lint", path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_cfn_lint_has_nothing_to_say(path: Path) -> None:
    done = lint(path)
    assert done.returncode == 0 and not done.stdout, done.stdout + done.stderr


def test_cfn_lint_would_say_it(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(EC2_SERVICE.read_text().replace("VisibilityTimeout:", "VisibilityTimeouts:"))
    done = lint(broken)
    assert done.returncode and "VisibilityTimeouts" in done.stdout


@pytest.fixture(scope="module")
def user_data() -> str:
    """What an instance runs at its first start."""
    return Resolved(EC2_SERVICE, GIVEN, MADE).properties("LaunchTemplate")["LaunchTemplateData"]["UserData"]


def written(script: str, path: str) -> str:
    """A file that a script writes by a here-document."""
    return script.split(f" {path} <<'FILE'\n", 1)[1].split("\nFILE\n", 1)[0] + "\n"


@pytest.mark.parametrize("path", ["", DRAIN])
def test_the_scripts_are_sound(user_data: str, path: str) -> None:
    script = written(user_data, path) if path else user_data
    done = subprocess.run(["shellcheck", "-"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


class Metadata(http.server.BaseHTTPRequestHandler):
    """The instance metadata service, version 2 alone."""

    states: list[str] = []

    def answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self) -> None:
        self.answer(200, "token")

    def do_GET(self) -> None:
        path = self.path.removeprefix("/latest/meta-data/")
        if self.headers.get("X-aws-ec2-metadata-token") != "token":
            self.answer(401)
        elif path == "autoscaling/target-lifecycle-state":
            self.answer(200, self.states.pop(0) if len(self.states) > 1 else self.states[0])
        elif path == "instance-id":
            self.answer(200, "i-0123456789abcdef0")
        elif path == "spot/instance-action" and self.states == ["spot"]:
            self.answer(200, '{"action": "terminate"}')
        else:
            self.answer(404)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def metadata() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("states", [["InService", "InService", "Terminated"], ["spot"]], ids=["group", "spot"])
def test_an_instance_that_is_to_end_drains_first_and_then_tells_the_group(
    user_data: str, metadata: str, tmp_path: Path, states: list[str]
) -> None:
    Metadata.states = list(states)
    for name, extra in (
        ("systemctl", ""),
        ("aws", f"[ -e {tmp_path}/again ] || {{ touch {tmp_path}/again; exit 1; }}"),
    ):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@" >>{tmp_path}/asked\n{extra}\n')
        program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "TABLE_UPDATER_IMDS": metadata,
        "TABLE_UPDATER_POLL": "0.01",
    }
    subprocess.run(["bash", "-c", written(user_data, DRAIN)], env=environment, check=True, timeout=60)
    told = (
        "aws autoscaling complete-lifecycle-action --region eu-central-1 --lifecycle-action-result CONTINUE "
        f"--auto-scaling-group-name {STACK} --lifecycle-hook-name drain --instance-id i-0123456789abcdef0"
    )
    assert (tmp_path / "asked").read_text().splitlines() == [
        "systemctl stop table-updater.service table-updater@*.service",
        told,  # which failed
        told,
    ]
    assert Metadata.states in (["Terminated"], ["spot"])
