"""What an operator sees of `run`: metrics, health, the page, and figures as Embedded Metric Format."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import Any, Iterator

import pytest
from harness.polling import wait_until
from harness.process import Worker
from harness.scene import Scene, message
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as classic

NAME = "table_updater_"


def ask(worker: Worker, request: bytes, patience: float = 10) -> bytes:
    """Sends bytes to the metrics listener, and returns all that comes back."""
    with socket.create_connection(worker.address, timeout=patience) as client:
        client.sendall(request)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    return answer


def get(path: str, *headers: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", *(headers or ("Host: localhost",)), "", ""]).encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def status(worker: Worker) -> dict[str, Any]:
    return json.loads(worker.get("/status")[1])


@pytest.fixture(scope="module")
def worked(module_scene: Scene) -> Iterator[Worker]:
    """A worker that has applied ten messages and sent two to the DLQ."""
    scene = module_scene
    scene.table.put(*({"id": f"r{n}"} for n in range(10)))
    scene.queue.send(*(message(f"r{n}", {"n": n}) for n in range(10)), message("missing", {"n": 1}), "no json")
    worker = scene.worker()
    scene.queue.wait_until_empty()
    wait_until(lambda: worker.metrics().get(f'{NAME}batch_messages_sum{{kind="delete"}}') == 12, "the deletes")
    yield worker


def test_metrics_say_what_became_of_the_messages(worked: Worker) -> None:
    samples = worked.metrics()
    assert samples[f"{NAME}messages_received_total"] == 12
    assert samples[f"{NAME}messages_applied_total"] == 10
    assert samples[f'{NAME}messages_dead_lettered_total{{error="RecordNotFoundError"}}'] == 1
    assert samples[f'{NAME}messages_dead_lettered_total{{error="InvalidInputError"}}'] == 1
    assert samples[f'{NAME}transactions_total{{result="applied"}}'] == 10
    assert samples[f"{NAME}message_received_to_applied_seconds_count"] == 10
    assert samples[f'{NAME}requests_total{{service="dynamodb",result="ok"}}'] >= 10
    assert samples[f"{NAME}ready"] == 1
    assert samples[f'{NAME}trouble{{part="applying",cause="throttled"}}'] == 0
    assert samples[f'{NAME}messages_in_flight{{state="applying"}}'] == 0
    assert samples["process_resident_memory_bytes"] > 1e6
    assert abs(samples["process_start_time_seconds"] - time.time()) < 120
    wait_until(lambda: f'{NAME}queue_messages{{state="visible"}}' in worked.metrics(), "the queue's depth")


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1"])
def test_pythons_parsers_read_the_scrape(worked: Worker, accept: str) -> None:
    answer = ask(worked, get("/metrics", "Host: 127.0.0.1", *([f"Accept: {accept}"] if accept else [])))
    head, body = answer.split(b"\r\n\r\n", 1)
    assert (b"openmetrics" in head) == bool(accept)
    families = list((open_metrics if accept else classic)(body.decode()))
    assert len(families) > 35
    series = [(sample.name, tuple(sorted(sample.labels.items()))) for family in families for sample in family.samples]
    assert len(series) == len(set(series)), "a series has two samples"
    for family in families:
        assert family.documentation and family.type != "unknown", family.name
        if family.type == "histogram":
            check_histogram(family)
    assert len(body) < 65536


def check_histogram(family: Any) -> None:
    """Buckets rise, end with +Inf, and agree with the count."""
    buckets: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    counts = {}
    for sample in family.samples:
        labels = {name: value for name, value in sample.labels.items() if name != "le"}
        key = tuple(sorted(labels.items()))
        if sample.name.endswith("_bucket"):
            buckets.setdefault(key, []).append((float(sample.labels["le"]), sample.value))
        elif sample.name.endswith("_count"):
            counts[key] = sample.value
    assert buckets.keys() == counts.keys()
    for key, pairs in buckets.items():
        assert pairs == sorted(pairs) and pairs[-1] == (float("inf"), counts[key])
        assert [value for _, value in pairs] == sorted(value for _, value in pairs)


def test_the_status_is_the_same_as_json(worked: Worker, module_scene: Scene) -> None:
    told = status(worked)
    assert told["ready"] is True and told["troubles"] == [] and told["draining"] is False
    assert told["totals"]["applied"] == 10
    assert told["totals"]["dead_lettered"]["RecordNotFoundError"] == 1
    assert {letter["error"] for letter in told["last_dead_letters"]} == {"RecordNotFoundError", "InvalidInputError"}
    assert told["table"] == module_scene.table.name
    assert told["credentials"]["provider"] == "env"
    text = json.dumps(told) + worked.get("/metrics")[1] + worked.get("/readyz")[1]
    assert "missing" not in re.sub(r'cause="missing"', "", text) and "r0" not in text, "an id is shown"


def test_the_page_has_all_in_itself_and_allows_nothing_else(worked: Worker) -> None:
    answer = ask(worked, get("/"))
    head, body = (part.decode() for part in answer.split(b"\r\n\r\n", 1))
    policy = re.search(r"Content-Security-Policy: (.*)\r", head)
    assert policy and "default-src 'none'" in policy.group(1) and policy.group(1).count("'sha256-") == 2
    assert "unsafe" not in policy.group(1)
    assert not re.search(r'(?:src|href)="(?!/|data:,)', body), "something comes from outside"
    assert '<html lang="en">' in body and "prefers-color-scheme: dark" in body


def test_healthz_and_readyz_say_so_in_their_first_line(worked: Worker) -> None:
    assert worked.get("/readyz") == (200, "ready\n")
    assert worked.get("/healthz")[1].splitlines()[0] == "ok"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", 200),
        ("localhost:9464", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:9464", 200),
        (socket.gethostname(), 200),
        (f"{socket.gethostname()}.example.internal:80", 200),
        ("example.com", 421),
        ("localhost.example.com", 421),
        ("127.0.0.1.example.com", 421),
        ("[::1", 421),
        ("::1", 421),
        (":80", 421),
        ("x" * 3000, 421),
    ],
)
def test_another_host_is_turned_away(worked: Worker, host: str, expected: int) -> None:
    assert status_of(ask(worked, get("/readyz", f"Host: {host}"))) == expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (get("/"), 200),
        (get("/metrics?x=1"), 200),
        (get("/metrics", method="HEAD"), 200),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
        (get("/nothing"), 404),
        (get("/metrics/"), 404),
        (get("//metrics"), 404),
        (get("/../etc/passwd"), 404),
        (get("/metrics", method="DELETE"), 405),
        (get("/metrics", method="OPTIONS"), 405),
        (get("/metrics", "Host: localhost", "Content-Length: 1000000", method="POST"), 405),
        (b"nonsense\r\n\r\n", 0),
        (get("/metrics", "Host: localhost", "X: " + "x" * 30_000), 200),
        (get("/metrics", "Host: localhost", "X: " + "x" * 1_000_000), 431),
    ],
)
def test_what_is_not_there_or_not_http_is_said_to_be_so(worked: Worker, request_: bytes, expected: int) -> None:
    answer = ask(worked, request_)
    if not expected:  # it is cut off at once
        assert answer == b""
        return
    assert status_of(answer) == expected
    assert b"connection: close" in answer.lower()
    if request_.startswith(b"HEAD"):
        assert answer.endswith(b"\r\n\r\n")
