"""Signatures are those of botocore's SigV4Auth, stage by stage, on generated requests."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SEED = 20240229
COUNT = 400
KEY = "AKIDEXAMPLE"
SEGMENTS = ["a", "B c", "..", ".", "", "é", "~x", "a%2Fb", "1-2_3.4", "*", "(x)", "+"]
QUERY_NAMES = ["a", "A", "a-b", "b", "é", "a b", "x~", "z*"]
QUERY_VALUES = ["", "1", "0", "a b", "/", "=", "é", "-_.~", "%"]
HEADER_VALUES = ["x", "  two   words ", "a\tb", "UPPER", '"q  q"', "1,2"]

Request = dict[str, Any]


def tool_path() -> Path:
    """sign_request: SIGN_REQUEST, else the release build's."""
    return Path(
        os.environ.get("SIGN_REQUEST")
        or Path(__file__).resolve().parents[2] / "build" / "test" / "tests" / "sign_request"
    )


def common(rng: random.Random) -> Request:
    """What all requests have."""
    day = f"{rng.randint(1971, 2999)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    return {
        "date": f"{day}T{rng.randint(0, 23):02}{rng.randint(0, 59):02}{rng.randint(0, 59):02}Z",
        "region": rng.choice(["us-east-1", "eu-central-2", "cn-north-1"]),
        "service": rng.choice(["sqs", "dynamodb", "sts"]),
        "access_key_id": KEY,
        "secret_access_key": "".join(rng.choices("abcXYZ019+/=", k=rng.randint(1, 64))),
        "body": "".join(rng.choices('{}":,aé\U0001f600\n', k=rng.choice([0, 1, 2, 63, 64, 65, 5000]))),
        "query": "",
    }


def json_call(rng: random.Random) -> Request:
    """A call of an AWS JSON service, as the daemon makes them all."""
    headers = [
        ["Host", rng.choice(["sqs.eu-west-1.amazonaws.com", "localhost:8000", "[::1]:4566"])],
        ["Content-Type", "application/x-amz-json-1.0"],
        ["X-Amz-Target", rng.choice(["AmazonSQS.ReceiveMessage", "DynamoDB_20120810.TransactWriteItems"])],
    ]
    if rng.random() < 0.5:
        headers.append(["X-Amz-Security-Token", "".join(rng.choices("abcXYZ019+/=", k=rng.randint(1, 1500)))])
    return common(rng) | {"method": "POST", "path": rng.choice(["/", "/base", "/a//b/"]), "headers": headers}


def any_request(rng: random.Random) -> Request:
    """Any request that has a path, a query and headers."""
    query = [
        f"{quote(rng.choice(QUERY_NAMES), safe='-_.~')}={quote(rng.choice(QUERY_VALUES), safe='-_.~')}"
        for _ in range(rng.randint(0, 6))
    ]
    names = rng.sample(
        ["X-Amz-Meta", "Range", "my-header", "User-Agent", "Zebra", "Expect", "Accept", "X-Amzn-Trace-Id"],
        rng.randint(0, 6),
    )
    return common(rng) | {
        "method": rng.choice(["GET", "PUT", "POST", "DELETE"]),
        "path": "/" + "/".join(rng.choice(SEGMENTS) for _ in range(rng.randint(0, 6))),
        "query": "&".join(query),
        "headers": [["Host", "h.example.com"]] + [[name, rng.choice(HEADER_VALUES)] for name in names],
    }


def botocore_stages(request: Request) -> dict[str, str]:
    """The same request signed by botocore."""
    host = request["headers"][0][1]
    aws = AWSRequest(
        method=request["method"],
        url=f"https://{host}{request['path']}" + (f"?{request['query']}" if request["query"] else ""),
        headers=dict(request["headers"]),
        data=request["body"].encode(),
    )
    aws.context["timestamp"] = request["date"]
    auth = SigV4Auth(Credentials(KEY, request["secret_access_key"]), request["service"], request["region"])
    canonical = auth.canonical_request(aws)
    to_sign = auth.string_to_sign(aws, canonical)
    signed_headers = auth.signed_headers(auth.headers_to_sign(aws))
    return {
        "canonical_request": canonical,
        "string_to_sign": to_sign,
        "authorization": f"AWS4-HMAC-SHA256 Credential={auth.scope(aws)}, SignedHeaders={signed_headers}, "
        f"Signature={auth.signature(to_sign, aws)}",
    }


@pytest.mark.parametrize("make", [json_call, any_request])
def test_each_stage_is_botocores(make: Any) -> None:
    rng = random.Random(SEED)
    requests = [make(rng) for _ in range(COUNT)]
    for request in requests:
        request["headers"].append(["X-Amz-Date", request["date"]])
    lines = "".join(json.dumps(request, ensure_ascii=False) + "\n" for request in requests)
    output = subprocess.run(
        [str(tool_path())], input=lines, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True
    ).stdout
    answers = [json.loads(line) for line in output.splitlines()]
    assert len(answers) == COUNT
    for request, answer in zip(requests, answers):
        short_cut = answer.pop("short_cut")
        expected = botocore_stages(request)
        assert answer == expected, request
        assert (short_cut or expected["authorization"]) == expected["authorization"], request
        assert bool(short_cut) or make is any_request
