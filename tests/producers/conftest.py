"""The system tests' fixtures, and a server that has what ElasticMQ has not: SNS, EventBridge, CloudFormation."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness.polling import wait_until
from local_services import Cloud, Service, answers, die_with_parent, free_port

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "producers"

_spec = importlib.util.spec_from_file_location("system_fixtures", ROOT / "tests" / "system" / "conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
for _name in (
    *("cloud", "dynamodb", "sqs", "unique", "new_table", "new_audit_table", "new_queue"),
    *("make_scene", "new_scene", "scene"),
):
    globals()[_name] = getattr(_fixtures, _name)


def pytest_report_header() -> str:
    """Says where things are built."""
    return f"producers are built in {BUILD}"


@pytest.fixture(scope="session")
def copy_of() -> Callable[[str], Path]:
    """A producer's folder where it may be built; what its package manager fetched is kept from run to run."""

    def make(name: str) -> Path:
        folder = BUILD / name
        shutil.copytree(ROOT / "conf" / "producers" / name, folder, dirs_exist_ok=True)
        return folder

    return make


@pytest.fixture(scope="session")
def aws_cloud(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """DynamoDB Local, and for all else a server that deploys templates and carries messages from service to service."""
    port = free_port()
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [BUILD / "venv" / "bin" / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )
    server = Service("moto", f"http://127.0.0.1:{port}", port, process, log)
    try:
        wait_until(lambda: answers(server.url), "the server's first answer", patience=60)
        yield replace(cloud, sqs_server=server)
    finally:
        server.stop()
