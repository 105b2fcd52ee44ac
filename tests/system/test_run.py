"""`run` from its start to its end: finding its queues, working a queue off, waiting for services, and every way to stop
it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from harness import faults
from harness.cases import HOLDING, STARTED
from harness.polling import wait_until
from harness.process import binary_path
from harness.proxy import Proxy
from harness.scene import Scene, message


def test_a_mixture_is_worked_off_until_the_queue_is_empty(scene: Scene) -> None:
    scene.table.put(*({"id": f"r{n}", "version": 0} for n in range(60)))
    kinds = [
        lambda n: message(f"r{n}", {"version": 1}),
        lambda n: message(f"r{n}", {"version": 1}, condition_expression="version = 0", enable_logging=False),
        lambda n: message(f"r{n}", {"version": 1}, condition_expression="version = 7"),
        lambda n: message(f"missing-{n}", {"version": 1}),
        lambda n: "no JSON at all",
        lambda n: message(f"r{n}", {"id": "other"}),
    ]
    run = scene.run_until_empty(*(kinds[n % len(kinds)](n) for n in range(60)))
    assert run.code == 0 and scene.queue.counts().total == 0
    assert len(scene.dead()) == 40 and len(scene.audits()) == 10 and len(scene.audits("failure")) == 30
    assert {record["id"] for record in scene.table.scan() if record["version"] == 1} == {
        f"r{n}" for n in range(60) if n % 6 in (0, 1)
    }
    scene.check_invariants(run.sent)


def test_until_empty_waits_for_delayed_and_in_flight_messages(scene: Scene) -> None:
    scene.table.put({"id": "a"}, {"id": "b"})
    scene.queue.send(message("a", {"n": 1}), delay=3)
    held = scene.queue.send(message("b", {"n": 1}))
    assert len(scene.queue.receive(visibility=4)) == 1, held
    assert scene.run_until_empty().code == 0
    assert scene.table.get("a")["n"] == scene.table.get("b")["n"] == 1 and scene.queue.counts().total == 0


def test_a_count_that_is_not_told_does_not_end_until_empty(scene: Scene, sqs_proxy: Proxy) -> None:
    scene.table.put({"id": "a"})
    scene.queue.send(message("a", {"n": 1}), delay=8)
    untold = faults.edit_response(
        lambda answer: answer["Attributes"].pop("ApproximateNumberOfMessagesDelayed") and None
    )
    rule = sqs_proxy.on("GetQueueAttributes", untold)
    process = scene.command("run", "--until-empty", AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    rule.wait(6)  # the first two are asked at the start
    rule.remove()
    assert process.wait() == 0 and scene.table.get("a")["n"] == 1


def test_an_empty_queue_ends_until_empty_at_once_with_0(scene: Scene, sqs_proxy: Proxy) -> None:
    assert scene.run_until_empty(AWS_ENDPOINT_URL_SQS=sqs_proxy.url).code == 0
    assert sqs_proxy.count("ReceiveMessage") >= 1 and not scene.table.scan()


def test_until_empty_takes_the_seconds_that_the_queue_must_stay_empty(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    process = scene.command("run", "--until-empty=6")
    process.wait_for_log("(?i)start")
    # It came while the queue was seen empty: still within the seconds.
    scene.queue.send(message("a", {"n": 1}), delay=3)
    assert process.wait() == 0 and scene.table.get("a")["n"] == 1


def test_the_queue_may_be_named_and_the_dlq_is_its_redrive_policys_target(scene: Scene) -> None:
    run = scene.run_until_empty("{}", QUEUE_URL=scene.queue.name, DLQ_URL=None)
    assert run.code == 0 and len(scene.dead()) == 1
    assert scene.dead()[0].source["queue"] == scene.queue.name


def test_the_dlq_may_be_named(scene: Scene) -> None:
    assert scene.dlq
    assert scene.run_until_empty("{}", DLQ_URL=scene.dlq.name).code == 0 and len(scene.dead()) == 1


def test_a_dlq_that_is_set_goes_before_the_redrive_policys(scene: Scene, new_queue: Any) -> None:
    other = new_queue("other-dead")
    assert scene.run_until_empty("{}", DLQ_URL=other.url).code == 0
    assert len(other.drain()) == 1 and not scene.dead()


def test_without_any_dlq_run_does_not_start(scene: Scene, new_queue: Any) -> None:
    process = scene.command("run", QUEUE_URL=new_queue("alone").url, DLQ_URL=None)
    assert process.wait() == 78 and process.find_log("DLQ_URL"), process.describe()


def test_the_start_line_names_table_key_queue_dlq_and_audit(scene: Scene) -> None:
    run = scene.run_until_empty()
    assert scene.audit and scene.dlq
    names = [scene.table.name, scene.queue.name, scene.dlq.name, scene.audit.name]
    assert [
        line for line in run.log if all(name in line for name in names) and "id" in line.replace(scene.audit.name, "")
    ], run.log


@pytest.mark.parametrize(
    "settings, arguments, code, named",
    [
        ({"TABLE_NAME": "no-such-table"}, ["run"], 78, "no-such-table"),
        ({"TABLE_NAME": "no-such-table"}, ["apply"], 78, "no-such-table"),
        ({"TABLE_NAME": None}, ["apply"], 78, "TABLE_NAME"),
        ({"QUEUE_URL": None}, ["run"], 78, "QUEUE_URL"),
        ({"QUEUE_URL": "no-such-queue"}, ["run"], 78, "no-such-queue"),
        ({"DLQ_URL": "no-such-queue"}, ["run"], 78, "no-such-queue"),
        ({}, ["--nonsense"], 64, "nonsense"),
        ({}, ["rum"], 64, "rum"),
        ({}, [], 64, ""),
        ({}, ["run", "more"], 64, "more"),
        ({}, ["run", "--until-empty=x"], 64, "until-empty"),
        ({}, ["run", "--until-empty=-1"], 64, "until-empty"),
        ({}, ["apply", "one", "two"], 64, "two"),
        ({}, ["apply", "/no/such/file"], 66, "/no/such/file"),
    ],
)
def test_what_cannot_be_run_ends_with_its_exit_code_and_says_why(
    scene: Scene, settings: dict[str, Any], arguments: list[str], code: int, named: str
) -> None:
    process = scene.command(*arguments, stdin="", **settings)
    ended = process.wait()
    assert ended == code or (code == 66 and ended in (64, 66, 78)), process.describe()
    assert named in "\n".join(process.log) and process.log and not process.output


def test_run_waits_for_services_that_cannot_be_reached_and_says_so(
    scene: Scene, dynamodb_proxy: Proxy, sqs_proxy: Proxy
) -> None:
    scene.table.put({"id": "a"})
    scene.queue.send(message("a", {"n": 1}))
    dynamodb_proxy.stop_listening()
    sqs_proxy.stop_listening()
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    worker.wait_for_log("(?i)reach")
    dynamodb_proxy.listen_again()
    wait_until(lambda: dynamodb_proxy.count() > 0, "a look at the tables")
    sqs_proxy.listen_again()
    worker.wait_for_log(STARTED)
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and scene.table.get("a")["n"] == 1


@pytest.mark.parametrize(
    "answer",
    [
        faults.service_error("ValidationException", message="Transactions are not supported here"),
        faults.reasons(update="ValidationError"),
        faults.reasons(update="ConditionalCheckFailed", audit="ValidationError"),
    ],
    ids=["exception", "update", "audit"],
)
def test_fault_33_where_no_transaction_is_possible_nothing_is_received(
    scene: Scene, dynamodb_proxy: Proxy, sqs_proxy: Proxy, answer: Any
) -> None:
    dynamodb_proxy.on("TransactionAtStart", answer)
    scene.queue.send(message("a", {"n": 1}))
    process = scene.command("run", AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert process.wait() == 78 and process.find_log(
        "DynamoDB refuses the transaction that each message needs.*Validation"
    ), process.describe()
    assert (
        scene.queue.counts().visible == 1
        and not sqs_proxy.count("ReceiveMessage")
        and not dynamodb_proxy.count("TransactWriteItems")
    )


def test_transactions_that_are_denied_end_the_start_with_77_in_awss_words(
    scene: Scene, dynamodb_proxy: Proxy, sqs_proxy: Proxy
) -> None:
    sentence = (
        "User: arn:aws:iam::1:user/u is not authorized to perform: dynamodb:PutItem on resource: "
        "arn:aws:dynamodb:eu-west-1:1:table/audit"
    )
    dynamodb_proxy.on(
        "TransactionAtStart", faults.service_error("AccessDeniedException", 400, sentence, "com.amazon.coral.service")
    )
    scene.queue.send(message("a", {"n": 1}))
    process = scene.command("run", AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert process.wait() == 77 and process.find_log(sentence), process.describe()
    assert not sqs_proxy.count("ReceiveMessage")


def test_the_transaction_at_the_start_has_no_effect_and_waits_for_a_table_that_throttles(
    scene: Scene, dynamodb_proxy: Proxy
) -> None:
    dynamodb_proxy.on("TransactionAtStart", faults.throttled(), times=2)
    scene.table.put({"id": "a"})
    run = scene.run_until_empty(message("a", {"n": 1}), AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    assert run.code == 0 and any(
        "Waiting: the transaction at the start" in line and "ThrottlingException" in line for line in run.log
    )
    assert [request.status for request in dynamodb_proxy.requests("TransactionAtStart")] == [400, 400, 400]
    assert scene.table.scan() == [{"id": "a", "n": 1}] and len(scene.audits()) == 1 and not scene.dead()


@pytest.mark.parametrize(
    "table", [{"kind": "N"}, {"kind": "B"}, {"kind": "N", "sort": ("s", "B")}], ids=["number", "binary", "composite"]
)
def test_the_transaction_at_the_start_fits_every_key(new_scene: Any, table: Any) -> None:
    scene = new_scene(table=table)
    assert scene.run_until_empty().code == 0 and scene.table.scan() == [] and scene.audit.scan() == []


def test_apply_ends_with_69_where_the_database_cannot_be_reached(scene: Scene, dynamodb_proxy: Proxy) -> None:
    dynamodb_proxy.stop_listening()
    process = scene.command("apply", stdin=message("a", {"n": 1}) + "\n", AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    assert process.wait(120) == 69, process.describe()
    assert process.log and not process.output


def test_apply_says_at_which_line_the_database_went_away(scene: Scene, dynamodb_proxy: Proxy) -> None:
    scene.table.put(*({"id": f"r{n}"} for n in range(3)))
    dynamodb_proxy.on("TransactWriteItems", faults.load_balancer_error(), when=faults.about("r1"))
    dynamodb_proxy.on("TransactWriteItems", faults.load_balancer_error(), when=faults.about("r2"))
    lines = "".join(message(f"r{n}", {"n": 1}) + "\n" for n in range(3))
    process = scene.command("apply", stdin=lines, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    assert process.wait(120) == 69, process.describe()
    assert process.find_log(r"(?i)line\D*2")
    assert [json.loads(line)["updated_id"] for line in process.output.splitlines()] == ["r0"]


def test_denied_access_ends_apply_with_77(scene: Scene, dynamodb_proxy: Proxy) -> None:
    dynamodb_proxy.on(None, faults.denied())
    process = scene.command("apply", stdin=message("a", {"n": 1}) + "\n", AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    assert process.wait(120) == 77, process.describe()


def test_no_credentials_are_a_setting_that_is_missing(scene: Scene) -> None:
    """Neither anywhere nor from the instance, which isn't to be asked."""
    none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true"}
    process = scene.command("apply", stdin=message("a", {"n": 1}) + "\n", **none)
    assert process.wait(120) == 78, process.describe()
    assert process.find_log(
        "there are no credentials: AWS_ACCESS_KEY_ID is not set; profile default of .*METADATA_DISABLED is true"
    )


def test_without_credentials_all_that_was_tried_is_told(scene: Scene) -> None:
    none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": None}
    none["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:1"
    process = scene.command("apply", stdin=message("a", {"n": 1}) + "\n", **none)
    assert process.wait(120) == 77, process.describe()
    assert process.find_log(
        "there are no credentials: AWS_ACCESS_KEY_ID is not set; profile default of .*metadata service .*can't "
        "be reached"
    )


# Stopping


def stalled(scene: Scene, proxy: Proxy, count: int, **settings: Any) -> tuple[Any, threading.Event]:
    """A ready worker that holds messages whose transactions the proxy doesn't let go (beyond the first, which shows
    that all is well)."""
    gate = threading.Event()
    scene.table.put(*({"id": f"r{n}"} for n in range(count)))
    proxy.on("TransactWriteItems", faults.until(gate), skip=1)
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=proxy.url, VISIBILITY_TIMEOUT=600, **settings)
    worker.wait_for_log(STARTED)
    scene.queue.send(*(message(f"r{n}", {"n": 1}) for n in range(count)))
    wait_until(
        lambda: scene.queue.counts().in_flight == count - 1 and scene.queue.counts().visible == 0, "everything held"
    )
    proxy.wait_for("TransactWriteItems", min(count, 5))
    return worker, gate


def test_fault_25_sigterm_lets_what_is_in_flight_finish(scene: Scene, dynamodb_proxy: Proxy) -> None:
    worker, gate = stalled(scene, dynamodb_proxy, 30, SHUTDOWN_TIMEOUT=600)
    worker.send_signal(signal.SIGTERM)
    worker.wait_for_log(r"\bStopping\b")
    gate.set()
    assert worker.wait() == 0
    counts = scene.queue.counts()
    assert counts.in_flight == 0
    assert len(scene.audits()) + counts.visible == 30


def test_fault_25_what_is_left_at_the_deadline_is_visible_again_at_once(scene: Scene, dynamodb_proxy: Proxy) -> None:
    worker, _ = stalled(scene, dynamodb_proxy, 30, SHUTDOWN_TIMEOUT=1)
    assert worker.stop() == 0
    counts = scene.queue.counts()
    assert (counts.in_flight, counts.visible) == (0, 30 - len(scene.audits())), worker.describe()
    assert not scene.dead()


def test_fault_25_a_second_signal_is_fast_and_gives_back_too(scene: Scene, dynamodb_proxy: Proxy) -> None:
    worker, _ = stalled(scene, dynamodb_proxy, 30, SHUTDOWN_TIMEOUT=3600)
    worker.send_signal(signal.SIGTERM)
    worker.wait_for_log(r"\bStopping\b")
    worker.send_signal(signal.SIGTERM)
    worker.wait()
    assert scene.queue.counts().in_flight == 0 and not scene.dead()


def test_sigint_stops_as_sigterm_does(scene: Scene) -> None:
    worker = scene.worker()
    worker.wait_for_log(STARTED)
    assert worker.stop(signal.SIGINT) == 0


def test_no_signal_while_services_are_away_is_lost(scene: Scene, dynamodb_proxy: Proxy) -> None:
    dynamodb_proxy.stop_listening()
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url, SHUTDOWN_TIMEOUT=3600)
    worker.wait_for_log("(?i)reach")
    assert worker.stop() == 0


# apply, to its end or not


def gated_apply(
    scene: Scene, proxy: Proxy, lines: list[str], *arguments: str, **settings: Any
) -> tuple[Any, threading.Event]:
    """An `apply` whose transactions wait at a gate, but for the first five."""
    gate = threading.Event()
    proxy.on("TransactWriteItems", faults.until(gate), skip=5)
    process = scene.command(
        "apply",
        *arguments,
        stdin="".join(f"{line}\n" for line in lines),
        AWS_ENDPOINT_URL_DYNAMODB=proxy.url,
        **settings,
    )
    proxy.wait_for("TransactWriteItems", 10)
    return process, gate


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_apply_at_a_line_from_which_tail_goes_on(
    scene: Scene, dynamodb_proxy: Proxy, number: signal.Signals, code: int
) -> None:
    scene.table.put(*({"id": f"r{n}", "count": 0} for n in range(1, 401)))
    lines = [message(f"r{n}", {"n": n}, condition_expression="attribute_not_exists(n)") for n in range(1, 401)]
    process, gate = gated_apply(scene, dynamodb_proxy, lines, "--line-numbers", MAX_IN_FLIGHT=20)
    process.send_signal(number)
    process.wait_for_log("Stopping")
    gate.set()
    assert process.wait() == code, process.describe()
    line = int(process.find_log(r"go on with it line=(\d+)")[0][1])
    answered = [json.loads(text) for text in process.output.splitlines()]
    assert [response["line"] for response in answered] == list(range(1, line)) and 5 < line < 400
    # The rest, as `tail -n +LINE` has it: nothing twice (the condition would tell), and no gap.
    assert all(response["success"] for response in scene.apply(*lines[line - 1 :]).responses)
    assert all(record["n"] for record in scene.table.scan())


def test_a_second_signal_ends_apply_at_once_and_says_what_is_unknown(scene: Scene, dynamodb_proxy: Proxy) -> None:
    scene.table.put(*({"id": f"r{n}"} for n in range(1, 31)))
    process, gate = gated_apply(
        scene, dynamodb_proxy, [message(f"r{n}", {"n": n}) for n in range(1, 31)], MAX_IN_FLIGHT=8
    )
    process.send_signal(signal.SIGINT)
    process.wait_for_log("Stopping")
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130, process.describe()
    gate.set()
    named = process.find_log(r"may have been applied line=(\d+) last_begun=(\d+)")[0]
    assert int(named[1]) - 1 == len(process.output.splitlines()) and int(named[2]) >= int(named[1])


def test_a_signal_before_anything_was_begun_ends_apply_with_130(scene: Scene, dynamodb_proxy: Proxy) -> None:
    dynamodb_proxy.on(None, faults.until(threading.Event()))
    process = scene.command("apply", stdin=message("a", {"n": 1}), AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    dynamodb_proxy.wait_for("DescribeTable")
    assert process.stop(signal.SIGINT) == 130 and process.find_log("before any line"), process.describe()


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
def test_apply_whose_responses_have_nowhere_to_go_fails(scene: Scene, redirection: str) -> None:
    scene.table.put({"id": "a"})
    ended = subprocess.run(
        ["bash", "-c", f'"$0" apply {redirection}', str(binary_path())],
        env=scene.environment(),
        capture_output=True,
        text=True,
        input=message("a", {"n": 1}),
        check=False,
    )
    assert ended.returncode == 1 and "Standard output" in ended.stderr, ended
    assert ("n" in (scene.table.get("a") or {})) == (redirection == ">/dev/full")


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_what_is_asked_for_and_cannot_be_written_is_an_error(redirection: str, argument: str) -> None:
    ended = subprocess.run(
        ["bash", "-c", f'"$0" {argument} {redirection}', str(binary_path())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1 and "standard output" in ended.stderr, ended


def test_what_apply_says_of_a_fault_does_not_speak_of_a_queue(scene: Scene, dynamodb_proxy: Proxy) -> None:
    dynamodb_proxy.on("TransactWriteItems", faults.service_error("ThrottlingException", 400, "Rate exceeded"))
    process = scene.command("apply", stdin=message("a", {"n": 1}) + "\n", AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    process.wait_for_log(HOLDING)
    assert process.stop(signal.SIGINT) == 130 or process.stop(signal.SIGINT) == 130
    assert not process.find_log("(?i)queue|dlq|receiv"), process.describe()


# SIGHUP


def reloaded(worker: Any) -> list[str]:
    """Sends SIGHUP and returns what it has led to in the log."""
    before = len(worker.log)
    worker.send_signal(signal.SIGHUP)
    worker.wait_for_log("SIGHUP: ", after=before)
    return worker.log[before:]


def test_sighup_takes_over_what_can_change_and_names_what_needs_a_restart(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "settings"
    path.write_text("MAX_RATE=5\nAUDIT_LOG_TTL_DAYS=300\n")
    scene.table.put(*({"id": f"r{n}"} for n in range(40)))
    worker = scene.worker(
        "--config", str(path), MAX_RATE=5
    )  # the service manager puts what the file has into the environment
    worker.wait_for_log(STARTED)
    path.write_text("MAX_RATE=1000\nAUDIT_LOG_TTL_DAYS=400\nLOG_LEVEL=DEBUG\nSHUTDOWN_TIMEOUT=7\n")
    lines = "\n".join(reloaded(worker))
    assert re.search("these have changed .*LOG_LEVEL=DEBUG .*MAX_RATE=1000 .*SHUTDOWN_TIMEOUT=7", lines), lines
    assert re.search("needs a restart.*AUDIT_LOG_TTL_DAYS", lines), lines
    scene.queue.send(*(message(f"r{n}", {"n": 1}) for n in range(40)))
    scene.queue.wait_until_empty()
    path.write_text("MAX_RATE=1000\nAUDIT_LOG_TTL_DAYS=300\nLOG_LEVEL=DEBUG\nSHUTDOWN_TIMEOUT=7\n")
    assert "none has changed" in "\n".join(reloaded(worker))
    assert worker.stop() == 0


@pytest.mark.parametrize(
    "text, named",
    [
        ("MAX_RATE=7\nMAX_IN_FLIGHT=none\n", "MAX_IN_FLIGHT"),
        ("MAX_RATE=7\nTABEL_NAME=x\n", "TABEL_NAME"),
        ("MAX_RATE=7\nAWS_USE_FIPS_ENDPOINT=perhaps\n", "AWS_USE_FIPS_ENDPOINT"),
        (None, "settings"),
    ],
)
def test_sighup_leaves_all_as_it_was_where_one_is_bad(
    scene: Scene, tmp_path: Path, text: str | None, named: str
) -> None:
    path = tmp_path / "settings"
    path.write_text("MAX_RATE=5\n")
    worker = scene.worker("--config", str(path))
    worker.wait_for_log(STARTED)
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    lines = "\n".join(reloaded(worker))
    assert named in lines and "stay as they were" in lines and "changed" not in lines, lines
    path.write_text("MAX_RATE=5\n")
    assert "none has changed" in "\n".join(reloaded(worker))
    assert worker.stop() == 0


def test_sighup_has_files_of_credentials_read_again(scene: Scene, sqs_proxy: Proxy, tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text("[default]\naws_access_key_id = FIRST\naws_secret_access_key = x\n")
    worker = scene.worker(
        AWS_ENDPOINT_URL_SQS=sqs_proxy.url,
        AWS_SHARED_CREDENTIALS_FILE=path,
        AWS_ACCESS_KEY_ID=None,
        AWS_SECRET_ACCESS_KEY=None,
    )
    worker.wait_for_log(STARTED)
    path.write_text("[default]\naws_access_key_id = SECOND\naws_secret_access_key = x\n")
    reloaded(worker)
    scene.queue.send("{}")  # ends the open receive
    wait_until(
        lambda: any("Credential=SECOND/" in request.headers["authorization"] for request in sqs_proxy.requests()),
        "a call with the new key",
    )
    assert worker.stop() == 0


@pytest.mark.parametrize("away", [True, False])
def test_sighup_never_ends_the_daemon(scene: Scene, dynamodb_proxy: Proxy, away: bool) -> None:
    if away:
        dynamodb_proxy.stop_listening()
    worker = scene.worker(AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    worker.wait_for_log("(?i)reach" if away else STARTED)
    worker.send_signal(signal.SIGHUP)
    worker.wait_for_log("SIGHUP")
    assert worker.running and worker.stop() == 0


def test_sighup_while_draining_does_not_cut_the_drain_short(scene: Scene, dynamodb_proxy: Proxy) -> None:
    worker, gate = stalled(scene, dynamodb_proxy, 10, SHUTDOWN_TIMEOUT=600)
    worker.send_signal(signal.SIGTERM)
    worker.wait_for_log(r"\bStopping\b")
    worker.send_signal(signal.SIGHUP)
    worker.wait_for_log("SIGHUP")
    gate.set()
    assert worker.wait() == 0
    counts = scene.queue.counts()
    assert counts.in_flight == 0 and len(scene.audits()) + counts.visible == 10


def test_a_sighup_at_any_moment_of_the_start_ends_nothing(scene: Scene) -> None:
    """From the first moment that the program has a say."""

    def holds_signals(worker: Any) -> bool:
        status = Path(f"/proc/{worker.pid}/status").read_text().split()
        return any(int(status[status.index(f"{kind}:") + 1], 16) & 1 for kind in ("SigBlk", "SigCgt"))

    for _ in range(5):
        worker = scene.worker()
        wait_until(lambda: holds_signals(worker), "the program's first step", pause=0)
        while not worker.log and worker.running:
            worker.send_signal(signal.SIGHUP)
        assert worker.running, worker.describe()
        worker.wait_for_log(STARTED)
        worker.send_signal(signal.SIGTERM)
        while worker.running:
            worker.send_signal(signal.SIGHUP)
        assert worker.wait() == 0
