"""What an operator sees of `run`: metrics, health, the page, and figures as Embedded Metric Format."""

from __future__ import annotations

import json
import re
import resource
import signal
import socket
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from harness import faults
from harness import process as processes
from harness.polling import wait_until
from harness.preload import OtherClock
from harness.process import Worker
from harness.proxy import Proxy
from harness.scene import Scene, message
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as classic

NAME = "table_updater_"
CONF = Path(__file__).resolve().parents[2] / "conf"


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


# Health tells the truth


def ready(worker: Worker) -> tuple[int, list[str]]:
    code, body = worker.get("/readyz")
    return code, body.splitlines()


def held_back(worker: Worker, part: str, cause: str) -> str:
    """Waits until /readyz, /metrics and /status all say that a part is held back, and returns its line."""

    def line() -> str:
        code, lines = ready(worker)
        return next((one for one in lines[1:] if code == 503 and one.startswith(f"{part}: ")), "")

    found = wait_until(line, f"the trouble of {part}")
    assert f"Cause: {cause} (" in found and ". What to do: " in found, found
    samples = worker.metrics()
    assert samples[f"{NAME}ready"] == 0
    assert samples[f'{NAME}trouble{{part="{part}",cause="{cause}"}}'] == 1
    assert abs(time.time() - samples[f'{NAME}trouble_since_timestamp_seconds{{part="{part}"}}']) < 60
    trouble = next(one for one in status(worker)["troubles"] if one["part"] == part)
    assert trouble["cause"] == cause and trouble["what_to_do"]
    assert worker.get("/healthz")[0] == 200, "a restart would mend nothing"
    return found


def test_fault_13_while_the_dlq_is_denied_it_is_not_ready_and_says_why(scene: Scene, sqs_proxy: Proxy) -> None:
    sqs_proxy.on("SendMessageBatch", faults.service_error("AccessDeniedException", 403))
    worker = scene.worker(AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    worker.wait_until_ready()
    scene.queue.send(message("missing", {"n": 1}))
    assert "1 messages wait" in held_back(worker, "dead_lettering", "denied")


def test_fault_16_in_an_outage_it_is_not_ready_and_says_why(scene: Scene, dynamodb_proxy: Proxy) -> None:
    scene.table.put({"id": "r"})
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    worker.wait_until_ready()
    rule = dynamodb_proxy.on(None, faults.cut_request())
    scene.queue.send(message("r", {"n": 1}))
    held_back(worker, "applying", "unreachable")
    rule.remove()
    worker.wait_until_ready()
    assert worker.metrics()[f'{NAME}trouble{{part="applying",cause="unreachable"}}'] == 0


def test_before_the_tables_are_seen_it_is_not_ready(scene: Scene, dynamodb_proxy: Proxy) -> None:
    rule = dynamodb_proxy.on(None, faults.cut_request())
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    wait_until(lambda: worker.get("/readyz")[0] == 503, "an answer")
    assert ready(worker)[1][0] == "not ready" and ready(worker)[1][1].startswith("starting: ")
    rule.remove()
    worker.wait_until_ready()


def test_while_it_drains_it_is_not_ready(scene: Scene, dynamodb_proxy: Proxy) -> None:
    scene.table.put({"id": "r"})
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    worker.wait_until_ready()
    rule = dynamodb_proxy.on("TransactWriteItems", faults.delay(3))
    scene.queue.send(message("r", {"n": 1}))
    rule.wait()
    worker.send_signal(signal.SIGTERM)
    wait_until(
        lambda: ready(worker)[1][:1] == ["not ready"] and "draining: " in "\n".join(ready(worker)[1]), "the drain"
    )
    assert worker.wait() == 0


def test_fault_19_with_credentials_that_are_refused_it_is_not_ready_and_says_why(
    scene: Scene, sqs_proxy: Proxy
) -> None:
    worker = scene.worker(AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    worker.wait_until_ready()
    sqs_proxy.on(None, faults.service_error("ExpiredTokenException", 403, namespace="com.amazonaws.sqs"))
    sqs_proxy.cut_all()
    held_back(worker, "receiving", "credentials")


# Where it listens


def test_an_address_that_is_taken_is_an_error_where_it_was_set(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = scene.command("run", METRICS_ADDRESS=address)
        assert process.wait() == 78
    line = next(line for line in process.log if "METRICS_ADDRESS" in line)
    assert "ERROR" in line and address in line and "Address already in use" in line


def test_the_default_address_that_is_taken_is_a_warning(scene: Scene) -> None:
    try:
        taken = socket.create_server(("127.0.0.1", 9464))
    except OSError:
        taken = socket.socket()  # by somebody else: as well
    with taken:
        run = scene.run_until_empty(METRICS_ADDRESS=None)
    assert run.code == 0
    assert any("WARNING" in line and "127.0.0.1:9464" in line and "METRICS_ADDRESS" in line for line in run.log)


# Who must not starve it, nor be starved


class Crowd:
    """Slow clients: a byte more from each at a time, and whoever was cut off comes again."""

    def __init__(self, address: tuple[str, int], size: int, first: bytes) -> None:
        self.address, self.first = address, first
        self.clients = [self.arrive() for _ in range(size)]

    def arrive(self) -> socket.socket:
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(self.address)
        return client

    def drip(self) -> None:
        for at, client in enumerate(self.clients):
            try:
                client.send(b"x")
            except OSError:
                client.close()
                self.clients[at] = self.arrive()

    def say(self) -> None:
        for client in self.clients:
            try:
                client.send(self.first)
            except OSError:
                pass

    def __enter__(self) -> Crowd:
        self.say()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()


@pytest.mark.parametrize("first", [b"x", b"GET / HTTP/1.1\r\nX: "], ids=["bytes", "heads"])
def test_beside_a_thousand_slow_clients_an_answer_comes_within_a_second(worked: Worker, first: bytes) -> None:
    times = []
    with Crowd(worked.address, 1000, first) as crowd:
        for _ in range(5):
            crowd.drip()
            began = time.monotonic()
            assert worked.get("/healthz")[0] == 200
            times.append(time.monotonic() - began)
    assert sorted(times)[2] < 1, "a probe of Kubernetes would have given up"
    wait_until(lambda: worked.metrics()["process_open_fds"] < 150, "the end of their connections")


def limit_files(monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    """Of processes that are started from now on."""
    prepare = processes._prepare

    def limited() -> None:
        prepare()
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    monkeypatch.setattr(processes, "_prepare", limited)


def test_where_few_files_may_be_open_a_crowd_takes_none_of_the_workers(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_files(monkeypatch, 1024)
    worker = scene.worker()
    worker.wait_until_ready()
    assert worker.metrics()["process_max_fds"] == 1024
    scene.table.put({"id": "r"})
    with Crowd(worker.address, 300, b"x"):
        assert worker.metrics()["process_open_fds"] < 150
        scene.queue.send(message("r", {"n": 1}))
        scene.queue.wait_until_empty()


def test_where_hardly_any_files_may_be_open_nothing_looks_like_an_outage(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, dynamodb_proxy: Proxy
) -> None:
    limit_files(monkeypatch, 32)
    dynamodb_proxy.on("TransactWriteItems", faults.delay(before=0.1))
    scene.table.put(*({"id": f"r{number}"} for number in range(60)))
    sent = scene.queue.send(*(message(f"r{number}", {"n": 1}) for number in range(60)))
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    worker.wait_until_ready()
    with Crowd(worker.address, 40, b"x"):
        scene.queue.wait_until_empty()
    assert worker.stop() == 0
    assert not [line for line in worker.log if "no answer" in line or "Holding" in line]
    scene.check_invariants(sent)


# Embedded Metric Format


def test_figures_for_cloudwatch_are_written_at_the_end(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    scene.table.put({"id": "r"})
    run = scene.run_until_empty(message("r", {"n": 1}), message("gone", {"n": 1}), METRICS_EMF=str(file))
    assert run.code == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    line = lines[-1]
    directive = line["_aws"]["CloudWatchMetrics"][0]
    assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 120
    assert directive["Namespace"] == "table-updater" and directive["Dimensions"] == [["Queue", "Table"]]
    assert {metric["Name"] for metric in directive["Metrics"]} <= line.keys()
    assert line["Table"] == scene.table.name and line["Queue"] == scene.queue.url.rsplit("/", 1)[1]
    assert sum(one["Applied"] for one in lines) == 1 and sum(one["Errors"] for one in lines) == 1
    assert sum(sum(one["DurationMs"]["Counts"]) for one in lines if "DurationMs" in one) == 1
    assert len(line.get("DurationMs", {"Values": []})["Values"]) <= 100


def test_figures_may_go_to_standard_output(scene: Scene) -> None:
    process = scene.command("run", "--until-empty", METRICS_EMF="-")
    assert process.wait() == 0
    assert json.loads(process.output.splitlines()[-1])["Applied"] == 0


def test_figures_that_cannot_be_written_are_an_error_at_the_start(scene: Scene, tmp_path: Path) -> None:
    process = scene.command("run", METRICS_EMF=str(tmp_path / "nowhere" / "figures.json"))
    assert process.wait() == 78
    assert any("METRICS_EMF" in line and "No such file or directory" in line for line in process.log)


# For their tools


def test_alerts_and_dashboard_ask_for_metrics_that_are_there(worked: Worker) -> None:
    known = {}
    for family in classic(worked.get("/metrics")[1]):
        for sample in family.samples:
            known.setdefault(sample.name, set()).update(sample.labels)
    described = set(re.findall(r"^# HELP (\S+)", worked.get("/metrics")[1], re.MULTILINE))
    rules = (CONF / "prometheus" / "table-updater.rules.yml").read_text()
    dashboard = json.loads((CONF / "grafana" / "table-updater.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(expressions) > 30
    for text in [*expressions, *re.findall(r"expr: (?:>-\n)?((?:.|\n)*?)\n        (?:for|labels):", rules)]:
        names = re.findall(r"\b(?:table_updater|process)_\w+|\bup\b", text)
        assert names, text
        for name in names:
            assert name in known or name in described or name == "up", f"{name} is not there"
        for name, selectors in re.findall(r"\b(table_updater_\w+)\{([^}]*)\}", text):
            labels = set(re.findall(r"(\w+)=", selectors)) - {"job", "instance"}
            assert labels <= known.get(name, labels), f"{name} has no label of {labels}"


def test_a_trouble_that_lasts_is_told_again_every_hour(scene: Scene, dynamodb_proxy: Proxy, tmp_path: Path) -> None:
    clock = OtherClock(tmp_path / "clock")
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, **clock.settings)
    worker.wait_until_ready()
    scene.table.put({"id": "r"})
    dynamodb_proxy.on(None, faults.denied())
    scene.queue.send(message("r", {"n": 1}))
    held_back(worker, "applying", "denied")
    clock.pass_by(3600)
    line = worker.wait_for_log("A trouble lasts.*").group()
    assert "part=applying cause=denied code=AccessDeniedException seconds=36" in line and "what_to_do=" in line
