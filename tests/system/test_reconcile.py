"""reconcile: what became of the rows of a job, by the audit records; boto3 counts them as well."""

from __future__ import annotations

import gzip
import json
import signal
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import pytest
from harness import faults
from harness.polling import wait_until
from harness.process import Process
from harness.scene import Scene, log_id

JOB = "prices"


@dataclass
class Outcome:
    """What one run said."""

    code: int
    counts: dict[str, int]
    process: Process = field(repr=False)


def rows_of(count: int, failing: int = 0) -> list[dict[str, Any]]:
    """Updates of as many records; the first of them have a condition that is false."""
    rows = [{"id": f"r{n}", "attributes": {"price": n}} for n in range(1, count + 1)]
    for row in rows[:failing]:
        row["condition_expression"] = "attribute_exists(never)"
    return rows


def write(path: Path, rows: list[dict[str, Any] | str]) -> Path:
    """Rows as JSON lines."""
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def reconcile(scene: Scene, path: Path, *flags: str, **settings: Any) -> Outcome:
    """Runs it with --json."""
    process = scene.command("reconcile", str(path), "--job", JOB, "--json", *flags, **settings)
    code = process.wait()
    return Outcome(code, json.loads(process.output or "{}"), process)


def enqueue(scene: Scene, path: Path, *flags: str) -> int:
    """Enqueues it as the job."""
    return scene.command("enqueue", str(path), "--job", JOB, *flags).wait()


def apply(scene: Scene, rows: list[dict[str, Any]]) -> None:
    """What the worker does with the job's rows, without the queue between."""
    scene.table.put(*({"id": row["id"]} for row in rows))
    keyed = [{**row, "enable_logging": True, "idempotency_key": f"{JOB}:{n}"} for n, row in enumerate(rows, 1)]
    assert all(response["success"] for response in scene.apply(*keyed).responses)


def witness(scene: Scene, count: int) -> Counter[str]:
    """What the audit table says of as many rows, read by boto3: each once."""
    records = {item["log_id"]["S"]: item for item in scene.audit.items()}
    found: Counter[str] = Counter()
    for number in range(1, count + 1):
        key = log_id(scene.table.name, f"{JOB}:{number}")
        found["applied" if key in records else "failed" if f"{key}#failure" in records else "pending"] += 1
    return found


def test_a_job_that_was_applied_is_proved(scene: Scene, tmp_path: Path) -> None:
    rows = rows_of(250)
    apply(scene, rows)
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress("".join(f"{json.dumps(row)}\n" for row in rows).encode()))
    missing, failed = tmp_path / "missing", tmp_path / "failed"
    done = reconcile(scene, path, "--missing", str(missing), "--failed", str(failed))
    assert (done.code, done.counts) == (0, {"applied": 250, "failed": 0, "pending": 0, "rows": 250})
    assert witness(scene, 250) == {"applied": 250}
    assert missing.read_text() == failed.read_text() == ""
    assert list(done.counts) == ["applied", "failed", "pending", "rows"]


def test_rows_that_failed_and_rows_that_are_pending_can_be_enqueued_again(scene: Scene, tmp_path: Path) -> None:
    rows = rows_of(230, failing=7)
    scene.table.put(*({"id": row["id"]} for row in rows))
    sent = write(tmp_path / "sent.jsonl", rows[:205])
    assert enqueue(scene, sent) == 0
    assert scene.run_until_empty().code == 0
    (tmp_path / "whole").mkdir()
    whole = write(tmp_path / "whole" / "rows.jsonl", rows)
    missing, failed = tmp_path / "missing", tmp_path / "failed"
    done = reconcile(scene, whole, "--missing", str(missing), "--failed", str(failed))
    assert (done.code, done.counts) == (1, {"applied": 198, "failed": 7, "pending": 25, "rows": 230})
    assert witness(scene, 230) == {"applied": 198, "failed": 7, "pending": 25}
    again = [json.loads(line) for line in missing.read_text().splitlines()]
    assert [row["idempotency_key"] for row in again] == [f"{JOB}:{n}" for n in range(206, 231)]
    assert all(row["enable_logging"] is True for row in again)
    assert [json.loads(line)["id"] for line in failed.read_text().splitlines()] == [f"r{n}" for n in range(1, 8)]
    table = scene.command("reconcile", "--job", JOB, str(whole))
    assert table.wait() == 1
    assert [line.split() for line in table.output.splitlines()] == [
        *(["applied", "198"], ["failed", "7"], ["7", "ConditionalCheckFailed"], ["pending", "25"], ["rows", "230"])
    ]
    assert table.find_log(r"A row failed.*row=7 line=7 .*ConditionalCheckFailed")
    # What mends the failed is done, and both files are enqueued as they are.
    scene.table.put(*({"id": f"r{n}", "never": 1} for n in range(1, 8)))
    for path in (missing, failed):
        assert scene.command("enqueue", str(path)).wait() == 0
    assert scene.run_until_empty().code == 0
    done = reconcile(scene, whole)
    assert (done.code, done.counts) == (0, {"applied": 230, "failed": 0, "pending": 0, "rows": 230})
    assert witness(scene, 230) == {"applied": 230}


def test_rows_are_given_out_as_the_job_made_them(scene: Scene, tmp_path: Path) -> None:
    """With its condition and its format, though reconcile is told neither: else they would be other messages."""
    path, missing, checkpoint = tmp_path / "rows.txt", tmp_path / "missing", tmp_path / "kept"
    path.write_text("id,price:N\nr1,1\nr2,2\n")
    how = ["--format", "csv", "--condition", "price < 5 OR sold = false"]
    assert enqueue(scene, path, *how, "--checkpoint", str(checkpoint)) == 0
    sent = sorted(message.body for message in scene.queue.drain())
    for flags in (["--checkpoint", str(checkpoint)], how):
        assert reconcile(scene, path, "--missing", str(missing), *flags).counts["pending"] == 2
        again = missing.read_text().splitlines()
        assert again == sent and all('"price < 5 OR sold = false"' in line for line in again)
    for other in (["--format", "csv"], how[2:]):
        assert enqueue(scene, path, *other, "--checkpoint", str(checkpoint)) == 78
    absent = reconcile(scene, path, "--checkpoint", str(tmp_path / "none"))
    assert absent.code == 64 and absent.process.find_log("--checkpoint names a file that doesn't exist")


def test_a_file_that_was_enqueued_without_its_table_is_read_as_it_was_then(
    new_scene: Callable[..., Scene], tmp_path: Path
) -> None:
    """The key's column is called id there, whatever the table calls it."""
    scene = new_scene(table={"partition": "user"})
    path = tmp_path / "rows.csv"
    path.write_text("id,price:N\nr1,1\nr2,2\n")
    assert scene.command("enqueue", str(path), "--job", JOB, TABLE_NAME=None).wait() == 0
    record(scene, 1, 1)
    assert reconcile(scene, path).counts == {"applied": 1, "failed": 0, "pending": 1, "rows": 2}


def test_a_row_that_can_never_be_sent_has_failed(scene: Scene, tmp_path: Path) -> None:
    rows = [*rows_of(2), "{", {"id": "r3"}, {"id": "r4", "attributes": {"a": 1}, "idempotency_key": "own"}]
    apply(scene, rows[:2])
    path, failed = write(tmp_path / "rows.jsonl", rows), tmp_path / "failed"
    done = reconcile(scene, path, "--failed", str(failed))
    assert (done.code, done.counts) == (1, {"applied": 2, "failed": 3, "pending": 0, "rows": 5})
    assert failed.read_text() == ""
    assert done.process.find_log("can't be enqueued as they are")


def record(scene: Scene, first: int, last: int) -> None:
    """Success records of these rows, as far as reconcile looks at them."""
    for start in range(first, last + 1, 25):
        numbers = range(start, min(start + 25, last + 1))
        keys = [log_id(scene.table.name, f"{JOB}:{number}") for number in numbers]
        puts = [{"PutRequest": {"Item": {"log_id": {"S": key}, "status": {"S": "success"}}}} for key in keys]
        scene.audit.client.batch_write_item(RequestItems={scene.audit.name: puts})


def test_interrupted_at_any_moment_the_same_command_goes_on(scene: Scene, tmp_path: Path, dynamodb_proxy: Any) -> None:
    """And what was pending is looked up anew: it may have been applied meanwhile."""
    rows = rows_of(1500)
    record(scene, 1, 1400)
    path, missing = write(tmp_path / "rows.jsonl", rows), tmp_path / "missing"
    dynamodb_proxy.on("BatchGetItem", faults.delay(before=0.05))
    settings = {"AWS_ENDPOINT_URL_DYNAMODB": dynamodb_proxy.url}
    flags = ("--missing", str(missing), "--rate", "4")
    kept = tmp_path / f"{JOB}.table-updater-reconcile"
    kills = 0
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        before = kept.read_text() if kept.exists() else ""
        process = scene.command("reconcile", str(path), "--job", JOB, "--json", *flags, **settings)
        wait_until(lambda: kept.exists() and kept.read_text() not in ("", before), "a place that is kept")
        if number == signal.SIGKILL:
            process.kill()
        else:
            process.send_signal(number)
            assert process.wait() == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
            assert process.find_log("the same command goes on")
            assert json.loads(process.output)["rows"] < 1500
        kills += 1
    done = reconcile(scene, path, "--missing", str(missing), **settings)
    assert (done.code, done.counts) == (1, {"applied": 1400, "failed": 0, "pending": 100, "rows": 1500})
    assert done.process.find_log("Going on where an earlier run ended")
    keys = [json.loads(line)["idempotency_key"] for line in missing.read_text().splitlines()]
    assert keys == [f"{JOB}:{n}" for n in range(1401, 1501)]
    assert not kept.exists()
    assert kills == 3


def test_what_was_pending_when_it_was_interrupted_is_looked_up_anew(
    scene: Scene, tmp_path: Path, dynamodb_proxy: Any
) -> None:
    record(scene, 101, 1000)
    path, missing = write(tmp_path / "rows.jsonl", rows_of(1000)), tmp_path / "missing"
    flags = ("--job", JOB, "--json", "--missing", str(missing))
    settings = {"AWS_ENDPOINT_URL_DYNAMODB": dynamodb_proxy.url}
    process = scene.command("reconcile", str(path), *flags, "--rate", "5", **settings)
    wait_until(lambda: dynamodb_proxy.count("BatchGetItem") >= 5, "some that were looked up")
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130 and json.loads(process.output)["pending"] == 100
    record(scene, 1, 100)
    done = reconcile(scene, path, "--missing", str(missing))
    assert (done.code, done.counts) == (0, {"applied": 1000, "failed": 0, "pending": 0, "rows": 1000})
    assert missing.read_text() == ""


def test_the_rate_bounds_the_requests(scene: Scene, tmp_path: Path, dynamodb_proxy: Any) -> None:
    path = write(tmp_path / "rows.jsonl", rows_of(400))
    begun = time.monotonic()
    done = reconcile(scene, path, "--rate", "4", AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    assert done.counts["pending"] == 400
    requests = dynamodb_proxy.count("BatchGetItem")
    assert requests == 8  # a hundred keys each, of successes and of failures
    assert time.monotonic() - begun >= (requests - 1) / 4 - 0.1


def test_what_is_left_unprocessed_and_what_fails_is_asked_for_again(
    scene: Scene, tmp_path: Path, dynamodb_proxy: Any
) -> None:
    rows = rows_of(120)
    apply(scene, rows)
    path = write(tmp_path / "rows.jsonl", rows)

    def leave_some(answer: dict[str, Any]) -> None:
        ((table, items),) = answer["Responses"].items()
        answer["UnprocessedKeys"] = {table: {"Keys": [{"log_id": item["log_id"]} for item in items[5:]]}}
        answer["Responses"] = {table: items[:5]}

    dynamodb_proxy.on("BatchGetItem", faults.edit_response(leave_some), times=3)
    dynamodb_proxy.on("BatchGetItem", faults.throttled(), times=2)
    dynamodb_proxy.on("BatchGetItem", faults.respond(200, {"Responses": {}}), times=1)
    done = reconcile(scene, path, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    assert (done.code, done.counts["applied"]) == (0, 120)
    asked = dynamodb_proxy.requests("BatchGetItem")
    assert all(next(iter(request.json["RequestItems"].values()))["ConsistentRead"] for request in asked)


@pytest.mark.parametrize(("days", "began", "known"), [(30, 40, False), (30, 20, True), (None, 40, False)])
def test_what_ttl_can_have_removed_is_not_called_pending(
    scene: Scene, dynamodb: Any, tmp_path: Path, days: int | None, began: int, known: bool
) -> None:
    rows = rows_of(5)
    scene.table.put(*({"id": row["id"]} for row in rows))
    path, missing = write(tmp_path / "rows.jsonl", rows), tmp_path / "missing"
    dynamodb.update_time_to_live(
        TableName=scene.audit.name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    assert enqueue(scene, path) == 0
    scene.queue.drain()
    checkpoint = tmp_path / f"{JOB}.table-updater-job"
    backdate(checkpoint, began)
    done = reconcile(scene, path, "--missing", str(missing), AUDIT_LOG_TTL_DAYS=days)
    assert done.code == 1
    if known:
        assert done.counts == {"applied": 0, "failed": 0, "pending": 5, "rows": 5}
        assert len(missing.read_text().splitlines()) == 5
    else:
        assert done.counts == {"applied": 0, "failed": 0, "pending": 0, "unknown": 5, "rows": 5}
        assert missing.read_text() == ""
        assert done.process.find_log("TTL.*rows_unknown=5")


def backdate(checkpoint: Path, days: int) -> None:
    """Makes the job one that began so many days ago."""
    body, _, _ = checkpoint.read_text().partition(',"check":')
    state = json.loads(body + "}")
    state["began"] -= days * 86_400_000_000
    text = json.dumps(state, separators=(",", ":"))[:-1]
    checkpoint.write_text(f'{text},"check":"{zlib.crc32(text.encode()):08x}"}}\n')


def test_what_is_wrong_with_the_command_or_the_world_is_said(scene: Scene, tmp_path: Path, dynamodb_proxy: Any) -> None:
    path = write(tmp_path / "rows.jsonl", rows_of(2))
    wrong = [
        ((str(path),), 64, "--job"),
        ((str(path), "--job", "a/b"), 64, "without slashes"),
        (("-", "--job", JOB), 64, "no standard input"),
        ((str(tmp_path / "none"), "--job", JOB), 64, "can't be read"),
        ((str(path), "--job", JOB, "--missing", str(path)), 64, "the file that is read"),
        ((str(path), "--job", JOB, "--missing", str(tmp_path / "x"), "--failed", str(tmp_path / "x")), 64, "one file"),
        ((str(path), "--job", JOB, "--missing", str(tmp_path / "none" / "x")), 64, "can't be opened"),
        ((str(path), "--job", JOB, "--failed", "-"), 64, "a file's name"),
        ((str(path), "--job", JOB, "--failed", str(tmp_path / f"{JOB}.table-updater-job")), 64, "how far the job"),
        ((str(path), "--job", JOB, "--failed", str(tmp_path / f"{JOB}.table-updater-reconcile")), 64, "how far the"),
    ]
    for arguments, code, sentence in wrong:
        process = scene.command("reconcile", *arguments)
        assert process.wait() == code, arguments
        assert process.find_log(sentence), process.log
    assert path.read_text()
    nothing = {"applied": 0, "failed": 0, "pending": 0, "rows": 0}
    for result in [reconcile(scene, tmp_path / "none"), reconcile(scene, path, TABLE_NAME=None)]:
        assert result.code in (64, 78) and result.counts == nothing
    absent = reconcile(scene, path, AUDIT_LOG_TABLE="there-is-none", ENABLE_AUDIT_LOG="false")
    assert absent.code == 78 and absent.process.find_log("doesn't exist")
    dynamodb_proxy.on("BatchGetItem", faults.denied("not allowed to perform: dynamodb:BatchGetItem"))
    denied = reconcile(scene, path, AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url)
    assert denied.code == 77 and denied.process.find_log("dynamodb:BatchGetItem")
    full = reconcile(scene, path, "--missing", "/dev/full")
    assert full.code == 1 and full.process.find_log("can't be written.*No space left")


def test_another_file_under_the_jobs_name_is_refused(scene: Scene, tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", rows_of(3))
    assert enqueue(scene, path) == 0
    write(path, rows_of(4))
    done = reconcile(scene, path)
    assert done.code == 78 and done.process.find_log("another file")


def test_a_broken_archive_is_told_after_what_was_read(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress("".join(f"{json.dumps(row)}\n" for row in rows_of(20)).encode())[:-6])
    done = reconcile(scene, path)
    assert done.code == 64
    assert done.counts["rows"] == done.counts["pending"] > 0
    assert done.process.find_log("can't be read further")
