"""`table-updater check`: what it looks at, that it changes nothing, and what it says to the ten commonest mistakes."""

from __future__ import annotations

import json
import signal
import socketserver
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest
from credentials_fakes import Fakes
from harness import faults
from harness.cases import scene_in
from harness.polling import wait_until
from harness.process import Process
from harness.proxy import Proxy
from harness.queues import make_queue
from harness.scene import Scene
from harness.tables import make_table

SQS = "com.amazonaws.sqs"


@pytest.fixture(scope="module")
def set_up(cloud: Any) -> Iterator[Scene]:
    with scene_in(cloud, audit=True) as scene:
        yield scene


class Checked:
    """One run, with --json."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.code = process.wait()
        self.lines: list[dict[str, str]] = [json.loads(line) for line in process.output.splitlines()]

    def of(self, status: str, check: str | None = None) -> list[dict[str, str]]:
        return [line for line in self.lines if line["status"] == status and check in (None, line["check"])]

    def only_problem(self, check: str) -> dict[str, str]:
        problems = self.of("problem")
        assert len(problems) == 1 and problems[0]["check"] == check, self.process.output
        return problems[0]


def check(scene: Scene, *options: str, **settings: Any) -> Checked:
    return Checked(scene.command("check", "--json", *options, **settings))


def text(line: dict[str, str]) -> str:
    return f"{line['what']}. {line.get('mend', '')}"


# What is set up


def test_where_all_is_set_up_there_is_no_problem_and_nothing_in_the_log(set_up: Scene) -> None:
    set_up.queue.send("this stays where it is")
    done = check(set_up)
    assert done.code == 0 and not done.of("problem") and not done.process.log, done.process.output
    checks = {line["check"] for line in done.lines}
    assert checks == {
        *("setting", "profile", "region", "credentials", "endpoint", "table", "queue", "clock", "permission")
    }, checks
    assert {line["subject"] for line in done.of("ok", "permission")} == {
        "UpdateItem, PutItem",
        "GetItem",
        "DeleteMessage",
        "ChangeMessageVisibility",
        "ReceiveMessage, SendMessage",
    }
    said = [line["what"] for line in done.of("ok", "credentials")]
    assert len(said) == 2 and "access key local" in said[0] and said[1].startswith("of account 000000000000"), said
    [left] = set_up.queue.drain()
    assert (
        left.system["ApproximateReceiveCount"] == "1"
        and not set_up.table.scan()
        and set_up.audit
        and not set_up.audit.scan()
    )


def test_for_people_a_line_is_a_status_a_thing_and_what_to_do(set_up: Scene) -> None:
    process = set_up.command("check", ENABLE_AUDIT_LOG="false")
    assert process.wait() == 0
    lines = process.output.splitlines()
    assert all(line.split()[0] in ("ok", "warning", "problem") for line in lines)
    assert f"ok       setting TABLE_NAME: {set_up.table.name} (environment)" in lines
    [warning] = [line for line in lines if line.startswith("warning  setting ENABLE_AUDIT_LOG: ")]
    assert ". Set it to true" in warning


def test_each_setting_says_who_gives_it(set_up: Scene, tmp_path: Path) -> None:
    file = tmp_path / "settings.conf"
    file.write_text(f"# why\nTABLE_NAME={set_up.table.name}\nMAX_RATE=100\n")
    config = tmp_path / "config"
    config.write_text("[default]\n\nregion = eu-central-1\n")
    done = check(
        *(set_up, "--config", str(file), "--max-rate=200"),
        **{"TABLE_NAME": None, "AWS_REGION": None, "AWS_DEFAULT_REGION": None, "AWS_CONFIG_FILE": config},
    )
    said = {line.get("subject"): line["what"] for line in done.of("ok", "setting")}
    assert said["TABLE_NAME"] == f"{set_up.table.name} ({file}, line 2)"
    assert said["MAX_RATE"] == "200 (option)"
    assert said["QUEUE_URL"] == f"{set_up.queue.url} (environment)"
    [region] = done.of("ok", "region")
    assert region["what"] == f"eu-central-1, by region of profile default ({config}, line 3)"
    [sqs] = [line for line in done.of("ok", "endpoint") if line["subject"] == "sqs"]
    assert sqs["what"].endswith(", by AWS_ENDPOINT_URL_SQS (environment)")


def test_no_secret_is_shown(set_up: Scene) -> None:
    canaries = {"AWS_SECRET_ACCESS_KEY": "CanarySecret", "AWS_SESSION_TOKEN": "CanaryToken"}
    done = check(set_up, **canaries, http_proxy="http://u:CanaryProxy@127.0.0.1:9", no_proxy="127.0.0.1")
    assert done.code == 0 and "AWS_SESSION_TOKEN" in done.process.output
    assert "Canary" not in done.process.output + "".join(done.process.log)


def test_all_problems_are_told_and_the_first_of_78_77_69_is_the_exit_status(
    set_up: Scene, dynamodb_proxy: Proxy
) -> None:
    dynamodb_proxy.on("TransactionAtStart", faults.denied())
    done = check(
        set_up,
        MAX_ATTEMPTS="none",
        AWS_ENDPOINT_URL_SQS="http://127.0.0.1:9",
        AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url,
    )
    assert [line["check"] for line in done.of("problem")] == ["setting", "queue", "permission"], done.process.output
    assert "MAX_ATTEMPTS" in done.of("problem")[0]["what"] and "environment" in done.of("problem")[0]["what"]
    assert done.code == 78
    done = check(set_up, AWS_ENDPOINT_URL_SQS="http://127.0.0.1:9", AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    assert done.code == 77
    done = check(set_up, AWS_ENDPOINT_URL_SQS="http://127.0.0.1:9")
    assert done.code == 69


def test_figures_that_could_not_be_written_are_a_problem_and_no_file_is_made(set_up: Scene, tmp_path: Path) -> None:
    done = check(set_up, METRICS_EMF=tmp_path / "nowhere" / "figures")
    assert done.code == 78 and done.only_problem("setting")["subject"] == "METRICS_EMF"
    done = check(set_up, METRICS_EMF=tmp_path / "figures")
    assert done.code == 0 and not done.of("problem") and not list(tmp_path.iterdir())


def test_without_a_queue_only_a_warning_says_so(set_up: Scene) -> None:
    done = check(set_up, QUEUE_URL=None, DLQ_URL=None)
    assert done.code == 0 and [line for line in done.of("warning", "queue") if "QUEUE_URL" in line["what"]]


def test_without_a_dead_letter_queue_there_is_a_problem(set_up: Scene, sqs: Any, unique: Any) -> None:
    lonely = make_queue(sqs, unique("lonely"))
    done = check(set_up, QUEUE_URL=lonely.name, DLQ_URL=None)
    assert done.code == 78 and done.only_problem("queue")["mend"].startswith("Set DLQ_URL")


def test_output_that_nobody_takes_is_an_error(set_up: Scene) -> None:
    import os
    import subprocess

    from harness.process import binary_path

    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [binary_path(), "check"],
            env={**set_up.environment(), **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1 and "Standard output can't be written" in done.stderr


# The ten commonest mistakes


@pytest.fixture(scope="module")
def fakes() -> Iterator[Fakes]:
    with Fakes() as all_of_them:
        yield all_of_them


def on_instance(fakes: Fakes) -> dict[str, Any]:
    """An instance, or a container of one, without keys."""
    return {
        "AWS_ACCESS_KEY_ID": None,
        "AWS_SECRET_ACCESS_KEY": None,
        "AWS_EC2_METADATA_DISABLED": None,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{fakes.url}/imds",
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "1",
    }


def test_an_instance_without_a_role_is_told_what_was_tried_and_what_to_attach(set_up: Scene, fakes: Fakes) -> None:
    fakes.imds_has_role = False
    try:
        done = check(set_up, **on_instance(fakes))
    finally:
        fakes.imds_has_role = True
    said = text(done.only_problem("credentials"))
    assert done.code == 77
    tried = ["AWS_ACCESS_KEY_ID", "profile default", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS"]
    assert all(word in said for word in tried) and "attach an instance profile" in said, said
    assert [line for line in done.of("warning") if line["check"] == "not checked"]


@pytest.mark.parametrize("command", ["run", "apply"])
def test_a_machine_without_credentials_is_told_what_was_tried_in_its_order(set_up: Scene, command: str) -> None:
    nobody = {"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"}
    once = {"AWS_METADATA_SERVICE_NUM_ATTEMPTS": "1", "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    process = set_up.command(command, stdin="{}\n", **nobody, **once)
    assert process.wait() == 77, process.describe()
    [line] = {found.group(1) for found in process.find_log(r"There are no usable AWS credentials.* why=\"(.*)\"")}
    tried = [
        *("AWS_ACCESS_KEY_ID", "profile default", "role_arn", "web identity", "SSO", "keys", "login_session"),
        *("credential_process", "AWS_CONTAINER_CREDENTIALS_", "instance metadata service (http://127.0.0.1:9)"),
    ]
    places = [line.find(word) for word in tried]
    assert -1 not in places and places == sorted(places), line


def test_a_hop_limit_is_told_with_the_command_that_raises_it(set_up: Scene, fakes: Fakes) -> None:
    fakes.imds_drops_tokens = True
    try:
        done = check(set_up, **on_instance(fakes))
    finally:
        fakes.imds_drops_tokens = False
    said = text(done.only_problem("credentials"))
    assert done.code == 77 and "--http-put-response-hop-limit 2" in said, said


def test_a_metadata_service_that_is_busy_is_waited_for_as_any_service(set_up: Scene, fakes: Fakes) -> None:
    """As when an instance has just booted: its role is known, its keys aren't there yet."""
    fakes.imds_is_busy = True
    try:
        assert check(set_up, **on_instance(fakes)).code == 69
        worker = set_up.worker(**on_instance(fakes))
        line = worker.wait_for_log("Waiting: the service can't be reached").string
        assert "metadata service has no credentials for the role" in line and "status 503" in line
    finally:
        fakes.imds_is_busy = False
    worker.wait_until_ready()
    assert worker.stop() == 0, worker.describe()


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_while_it_waits(set_up: Scene, fakes: Fakes, number: signal.Signals, code: int) -> None:
    fakes.imds_drops_tokens = True
    fakes.asked.clear()
    try:
        process = set_up.command("check", **on_instance(fakes), AWS_METADATA_SERVICE_TIMEOUT="60")
        wait_until(lambda: fakes.asked, "a request for a token")
        assert process.stop(number) == code and "ok       region: " in process.output, process.describe()
    finally:
        fakes.imds_drops_tokens = False


def test_an_expired_token_is_told_once(set_up: Scene, dynamodb_proxy: Proxy) -> None:
    dynamodb_proxy.on(
        None,
        faults.service_error("ExpiredTokenException", message="expired", namespace="com.amazon.coral.service"),
    )
    done = check(set_up, AWS_SESSION_TOKEN="old", AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    said = text(done.only_problem("credentials"))
    assert done.code == 77 and "has expired" in said and "log in again" in said and faults.REQUEST_ID in said, said


def test_a_queue_url_of_another_region_is_told_with_both_ways_out(set_up: Scene) -> None:
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/updates"
    done = check(set_up, QUEUE_URL=url)
    [said] = [text(line) for line in done.of("problem", "endpoint")]
    assert done.code == 78 and "AWS_REGION=us-east-1" in said and "eu-central-1" in said, said


SENTENCE = (
    "User: arn:aws:sts::123456789012:assumed-role/updater/i-1 is not authorized to perform: {} on resource: "
    "arn:aws:{} because no identity-based policy allows the action"
)


def test_a_missing_action_is_told_in_awss_words_with_what_to_allow(
    set_up: Scene, dynamodb_proxy: Proxy, sqs_proxy: Proxy
) -> None:
    update = SENTENCE.format("dynamodb:UpdateItem", "dynamodb:eu-central-1:123456789012:table/users")
    dynamodb_proxy.on("TransactionAtStart", faults.denied(update))
    sqs_proxy.on("DeleteMessageBatch", faults.service_error("AccessDenied", 403, "no", SQS))
    done = check(set_up, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    transaction, delete = done.of("problem", "permission")
    assert done.code == 77 and len(done.of("problem")) == 2
    assert update in transaction["what"] and "Allow dynamodb:UpdateItem on TABLE_NAME" in transaction["mend"]
    assert "Allow sqs:DeleteMessage on QUEUE_URL" in delete["mend"]


def with_key(response: Any) -> None:
    value = response.json
    value["Attributes"]["KmsMasterKeyId"] = "alias/updates"
    response.replace_json(value)


def edit_answer(change: Any) -> Any:
    async def action(exchange: Any) -> None:
        response = await exchange.forward()
        change(response)
        await exchange.send(response)

    return action


def test_a_denied_key_is_told_with_both_policies_that_have_to_allow_it(
    set_up: Scene, dynamodb_proxy: Proxy, sqs_proxy: Proxy
) -> None:
    decrypt = SENTENCE.format("kms:Decrypt", "kms:eu-central-1:123456789012:key/1")
    dynamodb_proxy.on("TransactionAtStart", faults.denied(decrypt))
    sqs_proxy.on("GetQueueAttributes", edit_answer(with_key))
    done = check(set_up, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    said = text(done.only_problem("permission"))
    assert done.code == 77 and decrypt in said and "the key's own policy" in said, said
    keys = [line["what"] for line in done.of("ok", "queue") if "alias/updates" in line["what"]]
    assert len(keys) == 2 and "kms:Decrypt" in keys[0] and "kms:GenerateDataKey" in keys[1]


def test_an_audit_table_of_another_key_is_told_with_the_key_it_has(set_up: Scene, dynamodb: Any, unique: Any) -> None:
    wrong = make_table(dynamodb, unique("audit"), partition="id", sort=("at", "N"))
    done = check(set_up, AUDIT_LOG_TABLE=wrong.name)
    said = text(done.only_problem("table"))
    assert done.code == 78 and "id (S), sort key at (N)" in said and "log_id (S)" in said, said


def test_redrive_races_are_warned_of(set_up: Scene, sqs: Any, unique: Any) -> None:
    dlq = make_queue(sqs, unique("dead"))
    other = make_queue(sqs, unique("other"))
    queue = make_queue(sqs, unique("updates"), dlq=dlq, max_receive_count=5)
    done = check(set_up, QUEUE_URL=queue.url, DLQ_URL=other.url)
    said = [text(line) for line in done.of("warning", "queue")]
    assert done.code == 0 and len(said) == 2, said
    assert "maxReceiveCount (5) is not above MAX_ATTEMPTS (5)" in said[0] and "Set maxReceiveCount to 1000" in said[0]
    assert "in two places" in said[1]
    fifo = make_queue(sqs, unique("dead"), fifo=True)
    done = check(set_up, QUEUE_URL=queue.url, DLQ_URL=fifo.url)
    assert done.code == 78 and "Name a standard queue" in done.only_problem("queue")["mend"]


@pytest.mark.parametrize("seconds, words", [(-600, [" s ahead of"]), (60, [" s behind"]), (0, [])])
def test_a_clock_that_is_off_is_told_by_how_much(
    set_up: Scene, dynamodb_proxy: Proxy, seconds: int, words: list[str]
) -> None:
    dynamodb_proxy.on(None, faults.shift_date(seconds))
    done = check(set_up, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    [clock] = [line for line in done.lines if line["check"] == "clock"]
    assert done.code == 0 and clock["status"] == ("warning" if words else "ok")
    assert all(word in clock["what"] for word in words) and ("chrony" in clock.get("mend", "")) == bool(words), clock
    if seconds:  # a slow machine is a second late
        assert abs(int(clock["what"].split()[0]) - abs(seconds)) <= 3, clock


class Refusing(socketserver.StreamRequestHandler):
    """A proxy that wants a password."""

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")


def test_a_proxy_in_the_way_is_named_with_the_variable_that_names_it(set_up: Scene) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        proxy = f"127.0.0.1:{server.server_address[1]}"
        done = check(set_up, http_proxy=f"http://user:CanaryPassword@{proxy}")
        server.shutdown()
    endpoints = {line["subject"]: line["what"] for line in done.of("ok", "endpoint")}
    assert all(f"through the proxy http://{proxy} of http_proxy (environment)" in endpoints[name] for name in endpoints)
    said = [text(line) for line in done.of("problem")]
    assert done.code == 69 and len(said) == 2 and all("407" in line and "proxy" in line for line in said), said
    assert "Canary" not in done.process.output
