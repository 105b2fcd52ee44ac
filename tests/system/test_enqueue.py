"""`enqueue`: rows of files become messages, each once, and whatever is wrong with a row or a file is told with its
place."""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import termios
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from harness import faults
from harness.polling import wait_until
from harness.preload import library
from harness.process import Process, binary_path
from harness.proxy import Proxy
from harness.scene import Scene, log_id

ROWS = [{"id": f"r{n}", "attributes": {"n": n}} for n in range(1, 26)]


def lines(rows: list[Any]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def file_of(folder: Path, text: str | bytes, name: str = "rows.jsonl") -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def bodies(scene: Scene) -> list[dict[str, Any]]:
    """What is on the queue, in the order of the numbers that the rows have; the queue is empty then."""
    found = [json.loads(message.body) for message in scene.queue.drain()]
    return sorted(found, key=lambda body: body.get("attributes", {}).get("n", 0))


def enqueue(
    scene: Scene, *arguments: str, stdin: str | bytes | None = None, **settings: Any
) -> tuple[int, dict, Process]:
    """Runs it to its end. Exit code, counts, process."""
    process = scene.command("enqueue", "--json", *arguments, stdin=stdin, **settings)
    code = process.wait()
    counts = json.loads(process.output) if process.output else {}
    return code, counts, process


def without_keys(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in body.items() if name != "idempotency_key"} for body in found]


@pytest.fixture
def queue_scene(module_scene: Scene) -> Scene:
    """The module's scene with an empty queue."""
    module_scene.queue.drain()
    return module_scene


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "rows.csv", "-"])
def test_rows_become_messages(queue_scene: Scene, tmp_path: Path, name: str) -> None:
    text = lines(ROWS)
    if ".csv" in name:
        text = "id,n:N\n" + "".join(f"{row['id']},{row['attributes']['n']}\r\n" for row in ROWS)
    data = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    operand = "-" if name == "-" else file_of(tmp_path, data, name)
    code, counts, _ = enqueue(queue_scene, operand, stdin=data if name == "-" else None)
    assert code == 0
    assert (counts["rows"], counts["sent"], counts["rejected"], counts["bytes"]) == (25, 25, 0, len(data))
    found = bodies(queue_scene)
    assert without_keys(found) == ROWS
    assert len({body["idempotency_key"] for body in found}) == 25


def test_a_column_that_may_be_meant_otherwise_is_warned_of_and_sent(queue_scene: Scene, tmp_path: Path) -> None:
    """It is an attribute as the contract has it; but who meant a condition would have sent updates without one."""
    path = file_of(tmp_path, "id,condition_expression,n:N\na,version < 3,1\nb,version < 3,2\n", "rows.csv")
    code, counts, process = enqueue(queue_scene, path)
    assert code == 0 and counts["sent"] == 2
    assert len(process.find_log('WARNING The column "condition_expression" is an attribute .*--condition')) == 1
    assert bodies(queue_scene)[0]["attributes"] == {"condition_expression": "version < 3", "n": 1}


def test_what_a_row_has_of_its_own_is_kept(queue_scene: Scene) -> None:
    rows = [
        {"id": "a", "attributes": {"n": 1}, "idempotency_key": "mine", "enable_logging": False},
        {"id": "b", "attributes": {"n": 2}, "condition_expression": "n < 5 OR attribute_not_exists(n)"},
        {"id": "c", "attributes": {"n": 3}},
    ]
    wrapped = {"Type": "Notification", "TopicArn": "t", "MessageId": "m", "Message": json.dumps(rows[2])}
    code, _, _ = enqueue(queue_scene, "--log", "--condition", "v = 'it''s'", stdin=lines([*rows[:2], wrapped]))
    assert code == 0
    found = bodies(queue_scene)
    assert found[0] == {**rows[0], "condition_expression": "v = 'it''s'"}
    assert found[1]["condition_expression"] == "(n < 5 OR attribute_not_exists(n)) AND (v = 'it''s')"
    assert [body.get("enable_logging") for body in found] == [False, True, True]
    assert found[2]["idempotency_key"] == "sns:m" and found[2]["id"] == "c"


def test_a_wrapped_row_goes_as_it_is_where_nothing_is_added(queue_scene: Scene) -> None:
    wrapped = json.dumps({"Type": "Notification", "TopicArn": "t", "MessageId": "m", "Message": json.dumps(ROWS[0])})
    assert enqueue(queue_scene, stdin=wrapped)[0] == 0
    assert [message.body for message in queue_scene.queue.drain()] == [wrapped]


def test_bad_rows_go_to_the_rejects_and_the_others_are_sent(queue_scene: Scene, tmp_path: Path) -> None:
    first = file_of(tmp_path, lines([ROWS[0], {"id": "x"}]) + "\n\x00{}\n", "a.jsonl")
    second = file_of(tmp_path, b"\xef\xbb\xbfid,n:N\nr2,2\nr3\nr4,04\nr5,\xff\n", "b.csv")
    rejects = tmp_path / "bad.jsonl"
    code, counts, _ = enqueue(queue_scene, "--rejects", str(rejects), first, second)
    assert code == 1
    assert (counts["rows"], counts["sent"], counts["rejected"]) == (7, 2, 5)
    assert without_keys(bodies(queue_scene)) == ROWS[:2]
    told = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(one["line"], one["file"], one["row"]) for one in told] == [
        (2, first, '{"id": "x"}'),
        (4, first, "\x00{}"),
        (3, second, "r3"),
        (4, second, "r4,04"),
        (5, second, "r5,\ufffd"),
    ]
    assert told[0]["error"]["details"] == {"missing_fields": ["attributes"]}
    assert told[1]["error"]["details"] == {"position": 0}
    assert told[3]["error"]["details"]["field"] == "attributes.n"
    assert all(list(one) == ["line", "file", "error", "row"] for one in told)


def test_strict_ends_with_the_first_bad_row(queue_scene: Scene, tmp_path: Path) -> None:
    path = file_of(tmp_path, lines([*ROWS[:12], {"id": "x"}, *ROWS[12:]]))
    code, counts, process = enqueue(queue_scene, "--strict", path)
    assert code == 1 and counts["sent"] == 12 and counts["rejected"] == 1
    assert process.find_log("line=13 .*Attributes are required")
    assert without_keys(bodies(queue_scene)) == ROWS[:12]


def test_without_a_file_for_them_the_log_names_the_first_bad_rows(queue_scene: Scene) -> None:
    code, counts, process = enqueue(queue_scene, stdin="secret\n" * 12)
    assert code == 1 and counts["rejected"] == 12
    assert len(process.find_log("A row is rejected")) == 10 and process.find_log("only counted")
    assert not process.find_log("secret")


BROKEN: dict[str, tuple[str, bytes, str]] = {
    "a cut archive": ("a.jsonl.gz", gzip.compress(lines(ROWS[:3]).encode())[:-4], "ends too soon, at byte"),
    "a damaged second member": (
        "a.jsonl.gz",
        gzip.compress(lines(ROWS[:3]).encode()) + b"\x00\x1e" + gzip.compress(b"{}\n")[1:],
        "what follows a member is no gzip",
    ),
    "an unclosed quote": ("a.csv", b'id,n:N\nr1,1\nr2,2\nr3,3\nr4,"4\nr5,5\n', "row 4, which begins at line 5"),
    "no gzip": ("a.jsonl.gz", b"BZh91AY&SY", "bzcat"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_told_and_what_came_before_was_sent(queue_scene: Scene, tmp_path: Path, what: str) -> None:
    name, data, why = BROKEN[what]
    code, counts, process = enqueue(queue_scene, file_of(tmp_path, data, name), stdin=None)
    assert code == 64
    assert process.find_log(f"can't be read further.*{why}")
    sent = ROWS[: 0 if what == "no gzip" else 3]
    assert counts["sent"] == len(sent) and without_keys(bodies(queue_scene)) == sent


def test_a_missing_file_is_told_after_those_before_it(queue_scene: Scene, tmp_path: Path) -> None:
    code, counts, process = enqueue(queue_scene, file_of(tmp_path, lines(ROWS)), str(tmp_path / "none"))
    assert code == 64 and counts["sent"] == 25
    assert process.find_log("none .*No such file")
    assert len(bodies(queue_scene)) == 25


def test_a_member_behind_padding_is_read(queue_scene: Scene, tmp_path: Path) -> None:
    data = gzip.compress(lines(ROWS[:5]).encode()) + bytes(700) + gzip.compress(lines(ROWS[5:]).encode())
    assert enqueue(queue_scene, file_of(tmp_path, data))[0] == 0
    assert without_keys(bodies(queue_scene)) == ROWS


def test_a_line_of_two_megabytes_is_a_rejected_row(queue_scene: Scene, tmp_path: Path) -> None:
    long = json.dumps({"id": "x", "attributes": {"a": "x" * (1 << 21)}})
    over = json.dumps({"id": "x", "attributes": {"a": "x" * (1 << 20)}})
    path = file_of(tmp_path, f"{json.dumps(ROWS[0])}\n{long}\n{over}\n{json.dumps(ROWS[1])}")
    rejects = tmp_path / "bad"
    code, counts, _ = enqueue(queue_scene, "--rejects", str(rejects), path, TABLE_NAME=None)
    assert code == 1 and (counts["sent"], counts["rejected"]) == (2, 2)
    assert without_keys(bodies(queue_scene)) == ROWS[:2]
    assert [json.loads(line)["line"] for line in rejects.read_text().splitlines()] == [2, 3]


def test_rows_are_checked_against_the_table(new_scene: Callable[..., Scene], tmp_path: Path) -> None:
    scene = new_scene(table={"partition": "user", "sort": ("at", "N")})
    path = file_of(tmp_path, "at,name,user\n7,seven,u\nx,eight,u\n", "rows.csv")
    code, counts, process = enqueue(scene, path, "--quiet")
    assert code == 1 and counts["sent"] == 1
    assert process.find_log("line=3 error=ValidationError")
    assert [body["id"] for body in bodies(scene)] == [{"at": 7, "user": "u"}]
    code, _, process = enqueue(scene, file_of(tmp_path, "id,name\n1,x\n", "other.csv"))
    assert code == 64 and process.find_log("The header has no column user")


def test_a_dry_run_asks_nobody(tmp_path: Path) -> None:
    done = subprocess.run(
        [binary_path(), "enqueue", "--dry-run", "--json", "-"],
        input=lines([*ROWS, {"id": "x"}]),
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    counts = json.loads(done.stdout)
    assert (counts["rows"], counts["sent"], counts["rejected"]) == (26, 0, 1)


USAGE = {
    "a slash in a job's name": ["--job", "a/b", "FILE"],
    "a job of standard input": ["--job", "a", "-"],
    "a job without a file": ["--job", "a"],
    "a job of two files": ["--job", "a", "FILE", "FILE"],
    "a job's name of 129 bytes": ["--job", "x" * 129, "FILE"],
    "a job of a file that isn't there": ["--job", "a", "/nowhere/x"],
    "a format that there is none": ["--format", "xml", "FILE"],
    "a checkpoint without a job": ["--checkpoint", "x", "FILE"],
    "a condition that is none": ["--condition", "n <", "FILE"],
    "rejects into the input": ["--rejects", "FILE", "FILE"],
    "rejects into the checkpoint": ["--job", "j", "--checkpoint", "KEPT", "--rejects", "KEPT", "FILE"],
    "rejects into an input that isn't there": ["--rejects", "/nowhere/x", "/nowhere/x"],
    "rejects onto standard output": ["--rejects", "-", "FILE"],
    "groups without FIFO": ["--group-by", "id", "FILE"],
    "a rate of 0": ["--rate", "0", "FILE"],
}


@pytest.mark.parametrize("what", USAGE)
def test_a_wrong_command_line_is_64_and_sends_nothing(queue_scene: Scene, tmp_path: Path, what: str) -> None:
    path = file_of(tmp_path, lines(ROWS))
    names = {"FILE": path, "KEPT": str(tmp_path / "kept")}
    process = queue_scene.command("enqueue", *(names.get(word, word) for word in USAGE[what]), stdin="")
    assert process.wait() == 64 and process.log
    assert Path(path).read_text() == lines(ROWS)
    assert queue_scene.queue.counts().total == 0


def test_the_counts_come_after_any_error(queue_scene: Scene, tmp_path: Path) -> None:
    path = file_of(tmp_path, lines(ROWS))
    for arguments, settings, expected in [
        (["--job", "a/b", path], {}, 64),
        ([path], {"QUEUE_URL": None}, 78),
        ([path], {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, 78),
        (["--config", "/nowhere", path], {}, 78),
    ]:
        code, counts, process = enqueue(queue_scene, *arguments, **settings)
        assert code == expected and process.log
        assert counts == {"rows": 0, "sent": 0, "rejected": 0, "bytes": 0, "seconds": 0}


def test_a_job_gives_keys_and_goes_on_where_it_was(queue_scene: Scene, tmp_path: Path) -> None:
    path = file_of(tmp_path, lines([*ROWS, {**ROWS[0], "idempotency_key": "own"}]))
    rejects = tmp_path / "bad"
    job = ["--job", "backfill", "--rejects", str(rejects), path]
    code, counts, _ = enqueue(queue_scene, *job)
    assert code == 1 and (counts["sent"], counts["rejected"]) == (25, 1)
    found = bodies(queue_scene)
    assert [body["idempotency_key"] for body in found] == [f"backfill:{n}" for n in range(1, 26)]
    assert all(body["enable_logging"] is True for body in found)
    # Again: nothing is left to do; that a run before rejected a row is still told.
    code, counts, process = enqueue(queue_scene, *job)
    assert code == 1 and counts["rows"] == 0 and process.find_log("The job goes on row=27")
    assert len(rejects.read_text().splitlines()) == 1
    assert queue_scene.queue.counts().total == 0


def test_a_checkpoint_that_does_not_fit_is_78_and_says_how_to_begin_anew(queue_scene: Scene, tmp_path: Path) -> None:
    path = file_of(tmp_path, lines(ROWS))
    checkpoint = tmp_path / "j.table-updater-job"
    assert enqueue(queue_scene, "--job", "j", path)[0] == 0
    good = checkpoint.read_text()
    other = file_of(tmp_path, lines(ROWS[1:]), "other.jsonl")
    for text, job, file, why in [
        (good, "j", other, "of another file"),
        (good, "k", path, "another job's"),
        (good[:-20], "j", path, "is damaged"),
        ("", "j", path, "is damaged"),
        (good.replace('"row":26', '"row":27'), "j", path, "is damaged"),
        (good.replace('"version":1', '"version":2'), "j", path, "is damaged"),
    ]:
        checkpoint.write_text(text)
        code, _, process = enqueue(queue_scene, "--job", job, "--checkpoint", str(checkpoint), file)
        assert code == 78 and process.find_log(f"{why}.*to begin anew"), process.describe()
        assert checkpoint.read_text() == text
    assert len(bodies(queue_scene)) == 25


def test_a_second_process_with_the_job_is_78(queue_scene: Scene, tmp_path: Path) -> None:
    path = file_of(tmp_path, lines(ROWS * 20))
    first = queue_scene.command("enqueue", "--job", "j", "--rate", "20", path)
    wait_until(lambda: queue_scene.queue.counts().total > 0, "a first message")
    code, _, process = enqueue(queue_scene, "--job", "j", path)
    assert code == 78 and process.find_log("Another process is at this job")
    assert first.stop(signal.SIGTERM) == 143
    bodies(queue_scene)


def numbers_of(scene: Scene, job: str) -> list[int]:
    return [int(body["idempotency_key"].removeprefix(f"{job}:")) for body in bodies(scene)]


def test_a_killed_job_goes_on_elsewhere_and_every_row_is_sent(queue_scene: Scene, tmp_path: Path) -> None:
    rows = [{"id": f"r{n}", "attributes": {"n": n}} for n in range(1, 501)]
    path = file_of(tmp_path, gzip.compress(lines(rows).encode()), "rows.jsonl.gz")
    process = queue_scene.command("enqueue", "--job", "j", "--rate", "150", path)
    checkpoint = tmp_path / "j.table-updater-job"
    wait_until(lambda: checkpoint.exists() and '"row":1,' not in checkpoint.read_text(), "a checkpoint")
    process.kill()
    done = json.loads(checkpoint.read_text())["row"] - 1
    sent = numbers_of(queue_scene, "j")
    assert 0 < done < 500 and set(range(1, done + 1)) <= set(sent)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(checkpoint, elsewhere)
    shutil.copy(path, elsewhere / "renamed.jsonl.gz")
    code, counts, _ = enqueue(queue_scene, "--job", "j", str(elsewhere / "renamed.jsonl.gz"))
    assert code == 0 and counts["sent"] == 500 - done
    assert sorted(set(sent + numbers_of(queue_scene, "j"))) == list(range(1, 501))


def test_a_checkpoint_that_cannot_be_written_any_more_ends_the_job(queue_scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    path = file_of(tmp_path, lines(ROWS * 40))
    process = queue_scene.command("enqueue", "--job", "j", "--rate", "100", "--checkpoint", str(folder / "c"), path)
    wait_until(lambda: queue_scene.queue.counts().total > 0, "a first message")
    shutil.rmtree(folder)
    assert process.wait() == 1
    assert process.find_log("The checkpoint .* can't be written: No such file") and process.find_log("Ended early")
    bodies(queue_scene)


def test_a_checkpoint_that_a_crash_could_take_back_ends_the_job_and_counts_all_the_same(
    queue_scene: Scene, tmp_path: Path
) -> None:
    path, broken = file_of(tmp_path, lines(ROWS * 10)), tmp_path / "broken"
    checkpoint = tmp_path / "j.table-updater-job"
    process = queue_scene.command(
        "enqueue",
        *("--job", "j", "--rate", "60", path),
        LD_PRELOAD=library("failing_folder"),
        FAILING_FOLDER=str(broken),
    )
    wait_until(lambda: checkpoint.exists() and '"row":1,' not in checkpoint.read_text(), "a checkpoint")
    broken.touch()
    assert process.wait() == 1
    assert process.find_log("is written, but its folder can't be brought to the disk: Input/output error; a crash")
    row = json.loads(checkpoint.read_text())["row"]
    assert process.find_log(f"all rows before this one are done with, and the same command goes on.* row={row} ")
    assert len(process.find_log("brought to the disk")) == 1
    code, counts, _ = enqueue(queue_scene, "--job", "j", path)
    assert code == 0 and counts["sent"] == 250 - (row - 1)
    assert sorted(numbers_of(queue_scene, "j")) == list(range(1, 251))  # none twice


def test_rejects_on_a_full_disk_end_it_with_a_sentence(queue_scene: Scene, tmp_path: Path) -> None:
    path = file_of(tmp_path, lines([*ROWS, {"id": "x"}]))
    code, counts, process = enqueue(queue_scene, "--rejects", "/dev/full", path)
    assert code == 1 and counts["sent"] == 25
    assert process.find_log("/dev/full, can't be written: No space left")
    assert process.find_log("Ended early.* row=26 line=26 ")
    assert len(bodies(queue_scene)) == 25


def test_without_a_job_nothing_behind_a_rejected_row_is_sent_before_that_is_kept(
    queue_scene: Scene, tmp_path: Path
) -> None:
    """Sent again with the rows behind it, it would have another random key, and could count twice."""
    path = file_of(tmp_path, lines([ROWS[0], {"id": "x"}, *ROWS[1:]]))
    code, counts, process = enqueue(queue_scene, "--rejects", "/dev/full", path)
    assert code == 1 and counts["sent"] == 1
    assert process.find_log("Ended early: all rows before this line are done with.* row=2 line=2 ")
    assert len(bodies(queue_scene)) == 1


def mixed() -> str:
    """Eighty rows of 3 kB, each second of them none."""
    filler = "x" * 3000
    return lines([{"id": f"r{n}", "attributes" if n % 2 else "attribute": {"n": n, "f": filler}} for n in range(1, 81)])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], capture_output=True).returncode:
        pytest.skip("a file system can't be mounted here (it takes root)")
    yield folder
    subprocess.run(["umount", folder], check=True)


def check_ends_early_and_goes_on(scene: Scene, options: list[str], path: str, why: str, make_room: Callable) -> None:
    """It ends with a sentence, loses nothing that was kept, and with room it goes on to the end."""
    code, _, process = enqueue(scene, *options, path)
    assert code == 1 and process.find_log(f"rows, .*, can't be written: {why}"), process.describe()
    assert process.find_log("how far it came can't be kept.* row=1 line=1 ")
    make_room()
    code, counts, _ = enqueue(scene, *options, path)
    assert code == 1 and counts["sent"] == 40 and counts["rejected"] == 40
    rejects = [json.loads(line) for line in Path(options[options.index("--rejects") + 1]).read_text().splitlines()]
    assert [reject["line"] for reject in rejects] == list(range(2, 81, 2))
    assert sorted(set(numbers_of(scene, "j"))) == list(range(1, 81, 2))


def test_a_disk_that_is_full_ends_a_job_which_goes_on_with_room(
    queue_scene: Scene, tmp_path: Path, small_disk: Path
) -> None:
    options = ["--job", "j", "--checkpoint", str(small_disk / "kept"), "--rejects", str(small_disk / "rejects")]
    check_ends_early_and_goes_on(
        queue_scene,
        options,
        file_of(tmp_path, mixed()),
        "No space left",
        lambda: subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True),
    )


def test_a_limit_of_files_sizes_is_told_like_a_full_disk(queue_scene: Scene, tmp_path: Path) -> None:
    path = file_of(tmp_path, mixed())
    limited = tmp_path / "limited"
    limited.write_text(f'#!/bin/sh\nulimit -f 60\nexec "{binary_path()}" "$@"\n')
    limited.chmod(0o755)
    done = subprocess.run(
        [limited, "enqueue", "--dry-run", "--rejects", tmp_path / "rejects", path],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "rejects, can't be written: File too large" in done.stderr, done.stderr
    place = re.search(r"Ended early.* line=(\d+) ", done.stderr)
    kept = [json.loads(line)["line"] for line in (tmp_path / "rejects").read_text().splitlines()[:-1]]
    # Whatever isn't in the file is rejected again from there on; the last line may be cut.
    assert place and kept == list(range(2, 2 * len(kept) + 1, 2)) and int(place[1]) <= 2 * len(kept) + 2


@pytest.mark.parametrize(("ending", "number", "code"), [(".jsonl", signal.SIGINT, 130), (".csv", signal.SIGTERM, 143)])
def test_told_to_stop_it_names_the_command_that_goes_on(
    queue_scene: Scene, tmp_path: Path, ending: str, number: signal.Signals, code: int
) -> None:
    rows = [{"id": f"r{n}", "attributes": {"n": n}} for n in range(1, 301)]
    text = lines(rows)
    if ".csv" in ending:
        text = "id,n:N\n" + "".join(f"r{n},{n}\n" for n in range(1, 301))
    data = gzip.compress(text.encode()) if ".csv" in ending else text.encode()  # its name doesn't say so
    path = file_of(tmp_path, data, f"it's{ending}")
    process = queue_scene.command("enqueue", "--json", "--rate", "100", path, LOG_FORMAT="json")
    wait_until(lambda: queue_scene.queue.counts().total > 0, "a first message")
    assert process.stop(number) == code
    first = json.loads(process.output)["sent"]
    assert 0 < first < 300
    told = next(json.loads(line) for line in process.log if "Ended early" in line)
    environment = queue_scene.environment()
    environment["PATH"] = f"{binary_path().parent}:{environment['PATH']}"
    again = subprocess.run(
        ["bash", "-c", told["command"].replace("--rate 100", "--rate 100000")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["sent"] == 300 - first
    assert [body["attributes"]["n"] for body in bodies(queue_scene)] == list(range(1, 301))


def test_failed_entries_alone_are_sent_again(queue_scene: Scene, sqs_proxy: Proxy, tmp_path: Path) -> None:
    sqs_proxy.on("SendMessageBatch", faults.fail_entries(lambda at, entry: at % 3 == 0), times=2)
    code, counts, _ = enqueue(queue_scene, stdin=lines(ROWS), AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert code == 0 and counts["sent"] == 25
    assert without_keys(bodies(queue_scene)) == ROWS


def test_characters_that_sqs_refuses_are_no_obstacle(queue_scene: Scene) -> None:
    rows = [{"id": "a", "attributes": {"n": f"x{one}y"}} for one in "\uffff\ufffe\x7f\x01"]
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    code, counts, process = enqueue(queue_scene, stdin=text.encode())
    assert code == 0 and counts["sent"] == 4, process.describe()
    found = [json.loads(message.body)["attributes"]["n"] for message in queue_scene.queue.drain()]
    assert sorted(found) == sorted(row["attributes"]["n"] for row in rows)


def test_an_entry_that_sqs_refuses_is_a_rejected_row(queue_scene: Scene, sqs_proxy: Proxy, tmp_path: Path) -> None:
    sqs_proxy.on(
        "SendMessageBatch",
        faults.fail_entries(lambda at, entry: '"r7"' in entry["MessageBody"], "InvalidMessageContents"),
    )
    rejects = tmp_path / "bad"
    code, counts, _ = enqueue(
        queue_scene, "--rejects", str(rejects), stdin=lines(ROWS), AWS_ENDPOINT_URL_SQS=sqs_proxy.url
    )
    assert code == 1 and (counts["sent"], counts["rejected"]) == (24, 1)
    told = json.loads(rejects.read_text())
    assert (
        told["line"] == 7
        and json.loads(told["row"]) == ROWS[6]
        and "InvalidMessageContents" in told["error"]["message"]
    )
    bodies(queue_scene)


def test_a_network_that_is_lost_for_a_while_costs_no_row(queue_scene: Scene, sqs_proxy: Proxy, tmp_path: Path) -> None:
    rows = [{"id": f"r{n}", "attributes": {"n": n}} for n in range(1, 401)]
    process = queue_scene.command(
        "enqueue", "--job", "j", "--rate", "400", file_of(tmp_path, lines(rows)), AWS_ENDPOINT_URL_SQS=sqs_proxy.url
    )
    sqs_proxy.wait_for("SendMessageBatch", 3)
    sqs_proxy.stop_listening()
    process.wait_for_log("Sending fails; it is tried again")
    sqs_proxy.listen_again()
    assert process.wait() == 0 and process.find_log("Sending works again")
    assert sorted(set(numbers_of(queue_scene, "j"))) == list(range(1, 401))


def test_what_is_denied_or_missing_ends_it_with_its_code(queue_scene: Scene, sqs_proxy: Proxy, tmp_path: Path) -> None:
    denying = sqs_proxy.on("SendMessageBatch", faults.denied())
    code, counts, process = enqueue(queue_scene, stdin=lines(ROWS), AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert code == 77 and counts["sent"] == 0 and process.find_log("sqs:SendMessage")
    denying.remove()
    path = file_of(tmp_path, lines(ROWS))
    assert enqueue(queue_scene, path, TABLE_NAME="no-such-table")[0] == 78
    code, _, process = enqueue(
        queue_scene, "--job", "j", path, AUDIT_LOG_TABLE="no-such-table", ENABLE_AUDIT_LOG="false"
    )
    assert code == 78 and process.find_log("A job's rows need audit records")
    assert enqueue(queue_scene, path, QUEUE_URL="no-such-queue")[0] == 78
    assert queue_scene.queue.counts().total == 0


def test_a_group_keeps_its_order_on_a_fifo_queue(
    new_scene: Callable[..., Scene], cloud: Any, sqs_proxy: Proxy, tmp_path: Path
) -> None:
    scene = new_scene(fifo=True)
    rows = [{"id": f"r{n}", "attributes": {"n": n, "team": f"team {n % 3}"}} for n in range(1, 61)]
    path = file_of(tmp_path, lines(rows))
    assert scene.command("enqueue", path).wait() == 64
    assert scene.command("enqueue", "--delay", "5", path).wait() == 64
    sqs_proxy.on("SendMessageBatch", faults.fail_entries(lambda at, entry: at == 0), probability=0.2)
    code, counts, _ = enqueue(scene, "--group-by", "team", path, AWS_ENDPOINT_URL_SQS=sqs_proxy.url)
    assert code == 0 and counts["sent"] == 60
    for request in sqs_proxy.requests("SendMessageBatch"):
        groups = [entry["MessageGroupId"] for entry in request.json["Entries"]]
        assert len(groups) == len(set(groups))
    received: list[dict[str, Any]] = []
    while messages := scene.queue.receive():
        received += [json.loads(message["Body"]) for message in messages]
        for message in messages:
            scene.queue.client.delete_message(QueueUrl=scene.queue.url, ReceiptHandle=message["ReceiptHandle"])
    for team in range(3):
        assert [row["attributes"]["n"] for row in received if row["attributes"]["n"] % 3 == team] == [
            n for n in range(1, 61) if n % 3 == team
        ]


def test_a_backfill_is_applied_once_each(new_scene: Callable[..., Scene], tmp_path: Path) -> None:
    """Twice on the queue, once in effect: the audit says so."""
    scene = new_scene()
    count = 60
    scene.table.put(*({"id": f"r{n}", "n": 0} for n in range(1, count + 1)))
    path = file_of(tmp_path, "id,n:N\n" + "".join(f"r{n},{n}\n" for n in range(1, count + 1)), "rows.csv")
    for _ in range(2):
        assert scene.command("enqueue", "--job", "fill", path).wait() == 0
        (tmp_path / "fill.table-updater-job").unlink()
    assert scene.queue.counts().total == 2 * count
    assert scene.command("run", "--until-empty").wait() == 0
    keys = {log_id(scene.table.name, f"fill:{n}") for n in range(1, count + 1)}
    assert set(scene.audits()) == keys
    assert {record["id"]: record["n"] for record in scene.table.scan()} == {f"r{n}": n for n in range(1, count + 1)}


def on_terminal(scene: Scene, *arguments: str, columns: int = 80, **settings: Any) -> tuple[int, str]:
    """Runs a command whose standard error is a terminal. Exit code, and what came there."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = scene.command(*arguments, log_to=theirs, **{"TERM": "xterm", **settings})
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    return process.wait(), shown.decode()


@pytest.mark.parametrize("columns", [100, 30])
def test_on_a_terminal_one_line_is_drawn_again_and_again(queue_scene: Scene, tmp_path: Path, columns: int) -> None:
    path = file_of(tmp_path, lines([*ROWS * 4, {"id": "x"}]))
    code, shown = on_terminal(queue_scene, "enqueue", "--rate", "80", path, columns=columns)
    assert code == 1
    drawn = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in re.findall(r"\r\x1b\[K([^\r\n]+)", shown)]
    progress = [line for line in drawn if line.startswith("enqueue ")]
    assert len(progress) >= 3 and all(len(line) < columns for line in progress)
    assert ("[" in progress[-1]) == (columns == 100) and "1 rejected" in shown and "%" in progress[-1]
    # The log's line and the summary stand for themselves.
    assert re.search(r"\r\x1b\[K[^\r\n]*A row is rejected[^\r\n]*\r\n", shown)
    assert re.search(r"\r\x1b\[K101 rows read, 100 sent, 1 rejected, in [0-9.]+ s \(\d+ rows/s\)\r\n$", shown)
    bodies(queue_scene)


def test_colors_and_progress_can_be_done_without(queue_scene: Scene, tmp_path: Path) -> None:
    path = file_of(tmp_path, lines(ROWS * 4))
    _, shown = on_terminal(queue_scene, "enqueue", "--rate", "200", path)
    assert "\x1b[32m" in shown
    _, shown = on_terminal(queue_scene, "enqueue", path, NO_COLOR="1")
    assert "enqueue" in shown and not re.search(r"\x1b\[\d", shown)
    _, shown = on_terminal(queue_scene, "enqueue", path, TERM="dumb")
    assert "\x1b" not in shown and re.search("INFO Ended .*sent=100", shown)
    _, shown = on_terminal(queue_scene, "enqueue", "--quiet", path)
    assert shown == ""
    bodies(queue_scene)


def test_a_terminal_that_goes_away_ends_nothing(queue_scene: Scene, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    process = queue_scene.command(
        "enqueue", "--rate", "150", file_of(tmp_path, lines(ROWS * 4)), log_to=theirs, TERM="xterm"
    )
    os.close(theirs)
    os.read(ours, 10)
    os.close(ours)
    assert process.wait() == 0
    assert len(bodies(queue_scene)) == 100


def test_apply_shows_its_progress_where_nothing_is_in_the_way(queue_scene: Scene, tmp_path: Path) -> None:
    queue_scene.table.put(*({"id": row["id"], "n": 0} for row in ROWS))
    path = file_of(tmp_path, lines([*ROWS, {"id": "x"}]))
    code, shown = on_terminal(queue_scene, "apply", path)
    assert code == 1
    assert re.search(r"\r\x1b\[Kapply .*\d lines", shown)
    code, shown = on_terminal(queue_scene, "apply", "--quiet", path)
    assert code == 1 and "\x1b" not in shown


def kill_soon(process: Process, seconds: float) -> bool:
    """SIGKILL after a while. False: it had ended before."""
    try:
        process._process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return True
    return False


def check_backfill_under_kills(
    scene: Scene, folder: Path, rows: int, kills: int, seed: int, workers: bool = True
) -> None:
    """A job, and the workers behind it, are killed at random moments: every row is applied, and the audit says once
    each."""
    chance = random.Random(seed)
    path = file_of(folder, "id,n:N\n" + "".join(f"r{n},{n}\n" for n in range(1, rows + 1)), "rows.csv")
    rate = str(max(200, rows // 20))
    scene.table.put(*({"id": f"r{n}", "n": 0} for n in range(1, rows + 1)))
    killed = 0
    sent = False
    while killed < kills:
        feeding = scene.command("enqueue", "--job", "fill", "--rate", rate, path)
        working = scene.command("run") if workers else None
        killed += kill_soon(feeding, chance.uniform(0.05, 1.0))
        if working:
            killed += kill_soon(working, chance.uniform(0.05, 1.0))
        sent = sent or feeding._process.returncode == 0
    while not sent:
        sent = scene.command("enqueue", "--job", "fill", path).wait() == 0
    # What the killed ones had in flight is visible again once its time is over.
    wait_until(lambda: scene.queue.counts().in_flight == 0, "the return of what was in flight", patience=120)
    assert scene.command("run", "--until-empty").wait(900) == 0
    judge = scene.command("reconcile", "--job", "fill", "--json", path)
    assert judge.wait(300) == 0
    assert json.loads(judge.output) == {"applied": rows, "failed": 0, "pending": 0, "rows": rows}
    records = scene.audits()
    assert set(records) == {log_id(scene.table.name, f"fill:{n}") for n in range(1, rows + 1)}
    assert {record["id"]: record["n"] for record in scene.table.scan()} == {f"r{n}": n for n in range(1, rows + 1)}
    assert not scene.dead()


def test_a_backfill_under_kills_is_applied_once_each(new_scene: Callable[..., Scene], tmp_path: Path) -> None:
    check_backfill_under_kills(new_scene(), tmp_path, rows=200, kills=3, seed=5, workers=False)
