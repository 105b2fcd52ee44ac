"""The function under AWS's own runtime interface emulator, for all kinds of events, with DynamoDB Local and ElasticMQ
behind it. By hand, for the emulator is built first (needs Go):

    build/venv/bin/python -m pytest -c tests/system/pytest.ini tests/system/lambda_emulator.py
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from harness.polling import wait_until
from harness.process import ROOT, binary_path
from harness.runtime_api import eventbridge_event, http_api, rest_api, sns_event, sqs_event
from harness.scene import Scene, message
from local_services import die_with_parent, free_port

EMULATOR = "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@v0.0.0-20261030222936-bef5c4ba774d"
FOLDER = ROOT / "build" / "lambda-emulator"
Invoke = Callable[[Any], Any]


@pytest.fixture(scope="session")
def emulator() -> Path:
    """The emulator, built where it isn't there."""
    program = FOLDER / "aws-lambda-rie"
    if not program.exists():
        subprocess.run(["go", "install", EMULATOR], env={**os.environ, "GOBIN": str(FOLDER)}, check=True)
    return program


@pytest.fixture
def invoke(emulator: Path, scene: Scene) -> Iterator[Invoke]:
    """Invokes the function, one invocation after the other."""
    port, api = free_port(), free_port()
    command = [emulator, "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{api}", binary_path(), "lambda"]
    process = subprocess.Popen(command, env=scene.environment(), preexec_fn=die_with_parent, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def post(event: Any) -> Any:
        body = event.encode() if isinstance(event, str) else json.dumps(event).encode()
        with opener.open(urllib.request.Request(url, body), timeout=60) as answer:
            return json.loads(answer.read())

    def listens() -> bool:
        try:
            opener.open(f"http://127.0.0.1:{port}/", timeout=1)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    wait_until(listens, "the emulator")
    yield post
    process.terminate()
    process.wait(10)


def test_events_of_all_kinds_are_answered_as_aws_would_have_it(scene: Scene, invoke: Invoke) -> None:
    scene.table.put(*({"id": f"r{n}", "n": 0} for n in range(6)))
    count = [{"id": f"r{n}", "increment": {"n": 1}} for n in range(6)]
    assert invoke(count[0])["success"]
    assert invoke(message("nobody", {"n": 1}))["error"] == "RecordNotFoundError"
    assert invoke(rest_api(json.dumps(count[1])))["statusCode"] == 200
    assert invoke(http_api(json.dumps(count[2])))["statusCode"] == 200
    assert invoke(http_api("no JSON"))["statusCode"] == 400
    assert invoke(sqs_event(json.dumps(count[3]), "no JSON")) == {"batchItemFailures": []}
    assert invoke(sns_event(json.dumps(count[4]))) is None
    assert invoke(eventbridge_event(count[5])) is None
    assert invoke({"Records": []})["errorType"] == "InvalidInputError"
    assert [record["n"] for record in scene.table.scan()] == [1] * 6
    assert [letter.error for letter in scene.dead()] == ["InvalidInputError"]


def test_an_event_of_six_megabytes_is_taken(scene: Scene, invoke: Invoke) -> None:
    assert invoke(message("a", {"t": "x" * ((6 << 20) - 200)}))["error"] == "ValidationError"
    assert invoke(message("nobody", {"n": 1}))["error"] == "RecordNotFoundError"
