"""Secret keys are zeroed: no memory that is freed holds one, wherever they come from (tests/preload/freed_memory.c)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from credentials_fakes import SECRET, Fakes
from harness.preload import library
from harness.scene import Scene, message

PLACES = ("environment", "profile", "process", "container", "instance", "role", "web identity")
KEYS = f"aws_access_key_id = AKIATEST\naws_secret_access_key = {SECRET}\n"


@pytest.fixture(scope="module")
def fakes() -> Iterator[Fakes]:
    with Fakes() as all_of_them:
        yield all_of_them


def keys_from(place: str, folder: Path, fakes: Fakes) -> dict[str, Any]:
    """Settings with which the keys come from there."""
    config = folder / "config"
    nothing = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_CONFIG_FILE": config}
    at_sts = {**nothing, "AWS_ENDPOINT_URL_STS": fakes.url}
    config.write_text("")
    if place == "environment":
        return {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": SECRET}
    if place == "container":
        return {**nothing, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{fakes.url}/container/open"}
    if place == "instance":
        there = {"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{fakes.url}/imds"}
        return {**nothing, **there}
    if place == "web identity":
        token = folder / "token"
        token.write_text("a.b.c")
        return {**at_sts, "AWS_ROLE_ARN": "arn:aws:iam::111111111111:role/r", "AWS_WEB_IDENTITY_TOKEN_FILE": token}
    if place == "process":
        answer = folder / "answer"
        answer.write_text(json.dumps({"Version": 1, "AccessKeyId": "AKIATEST", "SecretAccessKey": SECRET}))
        config.write_text(f"[default]\ncredential_process = /usr/bin/env -u LD_PRELOAD /bin/cat {answer}\n")
    elif place == "role":
        role = "role_arn = arn:aws:iam::111111111111:role/r\nsource_profile = base\n"
        config.write_text(f"[default]\n{role}[profile base]\n{KEYS}")
    else:
        config.write_text(f"[default]\n{KEYS}")
    return at_sts


def guarded(report: Path) -> dict[str, str]:
    return {"LD_PRELOAD": library("freed_memory"), "FREED_SECRET": SECRET, "FREED_REPORT": str(report)}


def test_memory_that_is_freed_with_a_secret_would_be_seen(tmp_path: Path) -> None:
    program = "import ctypes, sys; libc = ctypes.CDLL(None); libc.strdup.restype = ctypes.c_void_p; "
    program += "libc.free(ctypes.c_void_p(libc.strdup(sys.argv[1].encode())))"
    report = tmp_path / "report"
    subprocess.run([sys.executable, "-c", program, SECRET], env=guarded(report), check=True)
    assert "Freed with the secret" in report.read_text()


@pytest.mark.parametrize("place", PLACES)
def test_no_memory_that_is_freed_holds_a_secret_key(scene: Scene, fakes: Fakes, tmp_path: Path, place: str) -> None:
    scene.table.put({"id": "a"})
    report = tmp_path / "report"
    process = scene.command(
        "apply", stdin=message("a", {"n": 1}), **keys_from(place, tmp_path, fakes), **guarded(report)
    )
    assert process.wait() == 0, process.describe()
    assert scene.table.get("a") == {"id": "a", "n": 1}
    assert report.exists() and not report.read_text(), report.read_text()
