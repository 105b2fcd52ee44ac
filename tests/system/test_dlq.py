"""`table-updater dlq`: what it shows, what it chooses, and that it leaves all as it was."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from typing import Any

import pytest
from harness import faults
from harness.polling import wait_until
from harness.process import Process, binary_path
from harness.proxy import Proxy
from harness.scene import Json, Scene, message

FAILED = "InvalidInputError", "RecordNotFoundError", "ConditionalCheckFailed", "ValidationError"


@pytest.fixture(scope="module")
def dead(make_scene: Any) -> Any:
    """A DLQ with one message of each of four errors, one that SQS moved, one without anything of ours; nobody takes
    them out."""
    scene = make_scene()
    try:
        scene.table.put({"id": "a", "n": 1})
        scene.run_until_empty(
            "no JSON",
            message("nobody", {"n": 1}, idempotency_key="k-1"),
            message("nobody else", {"n": 1}),
            message("a", {"n": 2}, condition_expression="n = 7"),
            message(5, {"n": 1}),
        )
        scene.dlq.send(message("moved", {"n": 1}), "5")
        scene.dlq.wait_for(7)
        yield scene
    finally:
        scene.close()


def dlq(scene: Scene, *options: str, **settings: Any) -> Process:
    process = scene.command("dlq", *options, **{"TABLE_NAME": None, "QUEUE_URL": None, **settings})
    process.wait()
    return process


def lines(process: Process) -> list[Json]:
    return [json.loads(line) for line in process.output.splitlines()]


def test_it_groups_by_error_and_reason_and_says_what_mends_each(dead: Scene) -> None:
    shown = dlq(dead)
    assert shown._process.returncode == 0, shown.describe()
    text = shown.output
    assert f"DLQ {dead.dlq.name}: looked at 7;" in text
    assert "\x1b" not in text  # no terminal: plain
    rows = [line.split()[:2] for line in text.splitlines() if line[:6].strip().isdigit()]
    assert sorted(rows) == sorted(
        [["2", "RecordNotFoundError"], ["2", "none"]]
        + [["1", error] for error in FAILED if error != "RecordNotFoundError"]
    )
    assert "No record has this id" in text and "Create the records, then redrive" in text
    assert "Invalid id: the table's key id takes a string" in text
    assert '(id "nobody")' in text and "receive counts of what was looked at have risen by one" in text
    assert dead.dlq.counts().visible == 7 and dead.dlq.counts().in_flight == 0


def test_as_json_each_message_is_a_line_that_holds_all_of_it(dead: Scene) -> None:
    shown = dlq(dead, "--json")
    by_key = {one.get("idempotency_key"): one for one in lines(shown)}
    assert len(by_key) == 7
    one = by_key["k-1"]
    assert (one["error"], one["status"], one["id"], one["details"]) == (
        "RecordNotFoundError",
        404,
        "nobody",
        {"id": "nobody"},
    )
    assert json.loads(one["body"]) == {"id": "nobody", "attributes": {"n": 1}, "idempotency_key": "k-1"}
    assert one["source"]["queue"] == dead.queue.name and one["source"]["receive_count"] == 1
    assert one["attributes"] == {"ErrorType": "RecordNotFoundError", "StatusCode": "404"}
    assert one["receive_count"] >= 1 and one["failed_at"] >= one["source"]["sent_at"]
    assert one["message"] == "No record has this id" and "redrive" in one["mending"]
    foreign = [one for one in lines(shown) if one["error"] is None]
    assert {one.get("id") for one in foreign} == {"moved", None} and all("source" not in one for one in foreign)
    assert any("receive counts of these messages have risen by one" in line for line in shown.log)


def test_receive_counts_rise_by_one_and_everything_is_visible_again(dead: Scene) -> None:
    before, after = ({one["message_id"]: one["receive_count"] for one in lines(dlq(dead, "--json"))} for _ in range(2))
    assert after == {identity: count + 1 for identity, count in before.items()} and len(after) == 7


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--error", "RecordNotFoundError"], 2),
        (["--error=none"], 2),
        (["--id", "nobody"], 1),
        (["--id", '"no\\u0062ody"'], 1),
        (["--id", "5.0"], 1),
        (["--id", "5.0", "--error", "DatabaseError"], 0),
        (["--since", "1h"], 7),
        (["--since", "2024-01-01"], 7),
        (["--since", "0s"], 0),
        (["--since", "2099-01-01T00:00:00Z"], 0),
        (["--limit", "3"], 3),
        (["--limit", "1", "--error", "ConditionalCheckFailed"], 1),
    ],
)
def test_it_chooses_by_error_id_time_and_number(dead: Scene, options: list[str], count: int) -> None:
    assert len(lines(dlq(dead, "--json", *options))) == count
    assert dead.dlq.counts().visible == 7


def test_an_id_is_read_as_a_key_where_the_table_is_known(dead: Scene) -> None:
    assert len(lines(dlq(dead, "--json", "--id", "nobody", TABLE_NAME=dead.table.name))) == 1
    empty = dlq(dead, "--json", "--id", "x" * 2049, TABLE_NAME=dead.table.name)
    assert empty.wait() == 64 and any("can't be a key of the table" in line for line in empty.log)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--error", "Validation"], "it may be InvalidInputError, ValidationError,"),
        (["--since", "yesterday"], "a duration back from now"),
        (["--since", "2024-01-01T00:00:00"], "a time with its zone"),
        (["--limit", "0"], "a whole number from 1 to"),
        (["--id", ""], "--id takes a value"),
        (["--yes"], "dlq takes no --yes"),
        (["file"], "dlq takes no argument"),
    ],
)
def test_a_bad_option_is_told_before_anything_else(dead: Scene, options: list[str], told: str) -> None:
    process = dlq(dead, *options)
    assert process.wait() == 64 and any(told in line for line in process.log), process.describe()
    assert not process.output


def test_the_dlq_is_found_by_the_queues_redrive_policy(dead: Scene) -> None:
    assert len(lines(dlq(dead, "--json", DLQ_URL=None, QUEUE_URL=dead.queue.url))) == 7
    neither = dlq(dead, DLQ_URL=None)
    assert neither.wait() == 78 and any("DLQ_URL is not set" in line for line in neither.log)
    missing = dlq(dead, DLQ_URL="no-such-queue")
    assert missing.wait() == 78 and any("DLQ_URL names a queue that doesn't exist" in line for line in missing.log)


def test_an_empty_dlq_is_told_to_be_so(scene: Scene) -> None:
    shown = dlq(scene)
    assert shown.wait() == 0 and shown.output == f"DLQ {scene.dlq.name}: empty\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_gives_back_what_was_looked_at(
    scene: Scene, sqs_proxy: Proxy, number: signal.Signals, code: int
) -> None:
    scene.dlq.send(*(message(f"r{n}", {"n": 1}) for n in range(25)))
    sqs_proxy.on("ReceiveMessage", faults.delay(before=0.8), skip=1)
    process = scene.command("dlq", AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    wait_until(lambda: scene.dlq.counts().in_flight > 0, "a first receive")
    assert process.stop(number) == code, process.describe()
    assert scene.dlq.counts().visible == 25 and "Stopping" in "".join(process.log)


def test_a_reader_that_goes_away_ends_it_and_all_is_visible_again(dead: Scene) -> None:
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run(
        [str(binary_path()), "dlq", "--json"], env=dead.environment(), stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert process.returncode == 1 and b"closed by its reader" in process.stderr
    assert dead.dlq.counts().visible == 7


def test_a_terminal_gets_its_errors_in_bold_and_lines_that_fit(dead: Scene) -> None:
    def shown(**more: str) -> str:
        parent, child = pty.openpty()
        with subprocess.Popen(
            [str(binary_path()), "dlq"],
            env={**dead.environment(), "TERM": "xterm", **more},
            stdout=child,
            stderr=subprocess.DEVNULL,
        ) as process:
            os.close(child)
            text = b""
            while chunk := _read(parent):
                text += chunk
            assert process.wait() == 0
        os.close(parent)
        return text.decode()

    text = shown()
    assert "\x1b[1mRecordNotFoundError\x1b[0m" in text
    assert "\x1b" not in shown(NO_COLOR="1")
    assert (
        max(
            len(line)
            for line in text.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()[2:]
            if " (id " not in line
        )
        <= 85
    )


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 65536)
    except OSError:
        return b""


def test_of_a_fifo_group_it_says_how_many_of_how_many(new_scene: Any) -> None:
    scene = new_scene(fifo=True)
    scene.dlq.send(*(message(f"r{n}", {"n": 1}) for n in range(13)), group="big")
    scene.dlq.send(message("alone", {"n": 1}), group="small")
    shown = dlq(scene)
    assert (
        re.search("looked at 1[01] of about 14;", shown.output)
        and "Of a FIFO group SQS shows the first ten" in shown.output
    )
    assert scene.dlq.counts().visible == 14
    assert [one["group_id"] for one in lines(dlq(scene, "--json", "--id", "alone"))] == ["small"]


def test_denied_calls_end_it_with_77(dead: Scene, sqs_proxy: Proxy) -> None:
    sqs_proxy.on("ReceiveMessage", faults.denied())
    denied = dlq(dead, AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert denied.wait() == 77, denied.describe()


def test_what_keeps_an_answer_away_is_told_and_waited_for(dead: Scene, sqs_proxy: Proxy) -> None:
    sqs_proxy.on("ReceiveMessage", faults.cut_request(reset=False), times=8)
    shown = dlq(dead, AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert shown.wait() == 0 and "looked at 7;" in shown.output, shown.describe()
    shown.wait_for_log("Receiving from the DLQ fails.* why=.*the server closed the connection without an answer")
