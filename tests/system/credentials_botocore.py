"""What botocore decides: reads a case a line (JSON: "environment", "profile"), writes an answer a line. Run as a
program of its own: some of what botocore takes from the environment it takes when it is imported."""

from __future__ import annotations

import getpass
import json
import os
import sys
from typing import Any


def no_code(*_: Any, **__: Any) -> str:
    raise EOFError("nobody is there to type a code")


getpass.getpass = no_code  # before botocore takes it for its own

import botocore.loaders  # noqa: E402
import botocore.session  # noqa: E402
from botocore.awsrequest import AWSResponse  # noqa: E402
from botocore.utils import ContainerMetadataFetcher  # noqa: E402

ContainerMetadataFetcher.SLEEP_TIME = 0
OURS = {"HOME", "PATH"}
LOADER = botocore.loaders.create_loader()  # its models are read once


class Answer:
    """The response that ends a call before it is sent."""

    def stream(self, *_: Any, **__: Any) -> Any:
        yield b"{}"

    def read(self, *_: Any) -> bytes:
        return b"{}"


def place(session: Any, service: str) -> str:
    """Where a call would go."""
    urls: list[str] = []

    def seen(request: Any, **_: Any) -> AWSResponse:
        urls.append(request.url)
        return AWSResponse(request.url, 200, {}, Answer())

    client = session.create_client(service)
    client.meta.events.register(f"before-send.{service}", seen)
    if service == "sqs":
        client.list_queues()
    else:
        client.describe_limits()
    return urls[0].rstrip("/")


def decide(case: dict[str, Any]) -> dict[str, Any]:
    for name in set(os.environ) - OURS:
        del os.environ[name]
    os.environ.update(case["environment"])
    # botocore alone among the SDKs doesn't know AWS_REGION, nor that a variable that is set to nothing isn't set.
    region = os.environ.pop("AWS_REGION", "") or os.environ.pop("AWS_DEFAULT_REGION", "")
    os.environ.pop("AWS_DEFAULT_REGION", None)
    if region:
        os.environ["AWS_DEFAULT_REGION"] = region
    session = botocore.session.Session(profile=case["profile"])
    session.register_component("data_loader", LOADER)
    session.full_config  # noqa: B018
    credentials = session.get_credentials()
    if credentials is None:
        raise LookupError("no credentials")
    frozen = credentials.get_frozen_credentials()
    return {
        "provider": credentials.method,
        "key": frozen.access_key,
        "account": credentials.account_id or "",
        "region": session.get_config_variable("region"),
        "sqs": place(session, "sqs"),
        "dynamodb": place(session, "dynamodb"),
    }


def main() -> None:
    for line in sys.stdin:
        try:
            answer = decide(json.loads(line))
        except Exception as error:  # noqa: BLE001: whatever it is, botocore refuses
            answer = {"refused": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
