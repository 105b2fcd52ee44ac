"""The stand-in for SQS and DynamoDB of the measurements, under the real binary: what it says of a run is true, and each
message is worked off once."""

from __future__ import annotations

import json
import ssl
import subprocess
import urllib.request
from typing import Any

import pytest
from harness.polling import wait_until
from harness.process import Process, binary_path
from rig.sink import Sink

PROGRAM = binary_path().parent / "tests" / "bench" / "sink"
TWICE = (
    "repeated_tokens",
    "applied_again",
    "dead_again",
    "deleted_again",
    "deleted_unsettled",
    "unknown",
    "given_back",
)


def worked_off(sink: Sink, **settings: str) -> dict[str, Any]:
    process = Process(["run", "--until-empty"], {**sink.environment(), **settings})
    assert process.wait() == 0, process.describe()
    return sink.counts()


@pytest.mark.sanitized
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_each_message_is_applied_once_and_deleted_and_none_is_left(tls: bool) -> None:
    with Sink(tls=tls, program=PROGRAM, messages=2000, invalid_one_in=100) as sink:
        counts = worked_off(sink)
    assert (
        counts["applied"] == counts["transactions"] == counts["unique_tokens"] == 1980 and counts["dead_lettered"] == 20
    )
    assert counts["deleted"] == counts["received"] == counts["tail"]["count"] == 2000
    assert counts["visible"] == counts["in_flight"] == 0 and not any(counts[name] for name in TWICE)
    assert counts["requests"]["DeleteMessageBatch"]["count"] >= 200 and bool(counts["tls_connections"]) == tls


def test_bodies_have_their_size_and_are_unaudited_where_asked() -> None:
    with Sink(program=PROGRAM, messages=50, body_size=5000) as sink:
        audited = worked_off(sink)
    with Sink(program=PROGRAM, messages=50, body_size=5000, unaudited=True) as sink:
        unaudited = worked_off(sink)
    assert audited["body_size"] == unaudited["body_size"] == 5000 and audited["applied"] == unaudited["applied"] == 50
    sizes = [counts["requests"]["TransactWriteItems"]["bytes"] / 50 for counts in (unaudited, audited)]
    assert 5000 < sizes[0] < 7000 and 10000 < sizes[1] < 13000


@pytest.mark.sanitized
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_large_messages_come_and_go(tls: bool) -> None:
    with Sink(tls=tls, program=PROGRAM, messages=200, body_size=100_000) as sink:
        counts = worked_off(sink)
    assert counts["applied"] == counts["deleted"] == counts["received"] == 200


def test_answers_take_their_latency_and_some_the_longer_one() -> None:
    with Sink(
        program=PROGRAM, messages=40, dynamodb_latency=30, slow_one_in=20, slow_latency=400, sqs_latency=10
    ) as sink:
        counts = worked_off(sink)
    tail = counts["tail"]
    assert tail["p50"] >= 30_000 and tail["longest"] >= 400_000
    assert counts["first_tail"] == tail  # all were received at once
    assert counts["most_in_flight"] == 40


def test_messages_come_at_their_rate() -> None:
    with Sink(program=PROGRAM, messages=600, rate=400) as sink:
        counts = worked_off(sink)
    assert counts["applied"] == 600 and counts["microseconds"] >= 1_450_000
    assert 350 <= counts["first_tail"]["count"] <= 450


@pytest.mark.sanitized
def test_a_chain_of_three_certificates_is_served_and_trusted_by_the_one_above_it() -> None:
    with Sink(tls=True, program=PROGRAM, messages=100, chain=True) as sink:
        counts = worked_off(sink)
        shown = subprocess.run(
            ["openssl", "s_client", "-showcerts", "-connect", f"127.0.0.1:{sink.port}", "-CAfile", sink.ca_file],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout
    assert counts["applied"] == 100 and counts["tls_connections"]
    assert shown.count("BEGIN CERTIFICATE") == 3 and "Verify return code: 0 (ok)" in shown


def test_updates_of_one_record_are_counted_beside_those_of_others() -> None:
    with Sink(program=PROGRAM, messages=400, hot_one_in=10, dynamodb_latency=5) as sink:
        counts = worked_off(sink)
    assert counts["applied"] == counts["deleted"] == 400 and not any(counts[name] for name in TWICE)
    assert counts["hot"]["count"] == 40 and counts["others"]["count"] == 360
    assert counts["hot"]["microseconds"] >= counts["hot"]["waited"] >= 39 * 5_000  # one after the other
    assert counts["others"]["waited"] > counts["others"]["microseconds"]  # side by side


def test_what_could_not_be_told_apart_is_refused() -> None:
    for option in ("--unaudited", "--relay", "--endless", "--invalid-one-in=2"):
        ended = subprocess.run([PROGRAM, "--hot-one-in=10", option], capture_output=True, text=True, timeout=30)
        assert ended.returncode == 64 and "--hot-one-in goes with neither" in ended.stderr


def test_what_is_given_back_comes_again() -> None:
    with Sink(program=PROGRAM, messages=100, dynamodb_latency=60_000) as sink:
        process = Process(["run"], {**sink.environment(), "SHUTDOWN_TIMEOUT": "0"})
        process.wait_for_log("(?i)started")
        wait_until(lambda: sink.counts()["in_flight"] > 0, "a message in flight")
        assert process.stop() == 0
        counts = sink.counts()
        assert counts["given_back"] > 0 and counts["visible"] == 100 and counts["in_flight"] == counts["deleted"] == 0


def test_a_relay_gives_what_was_sent_and_finds_its_audit_records(tmp_path: Any) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"id":"rec-{n:012}","attributes":{{"n":{n}}}}}\n' for n in range(100)))
    with Sink(program=PROGRAM, messages=150, relay=True) as sink:
        before = Process(["reconcile", "--json", "--job", "j", str(path)], sink.environment())
        assert before.wait() == 1 and json.loads(before.output)["pending"] == 100, before.describe()
        assert Process(["enqueue", "--job", "j", str(path)], sink.environment()).wait() == 0
        counts = worked_off(sink)
        after = Process(["reconcile", "--json", "--job", "j", str(path)], sink.environment())
        assert after.wait() == 0 and json.loads(after.output)["applied"] == 100, after.describe()
    assert counts["sent"] == counts["applied"] == counts["deleted"] == counts["records"] == 100
    assert not counts["sent_again"] and not any(counts[name] for name in TWICE)


def test_counts_are_there_over_tls_too() -> None:
    with Sink(program=PROGRAM, messages=7) as sink:
        context = ssl.create_default_context(cafile=str(sink.ca_file))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(sink.url.replace("http:", "https:") + "/counts", timeout=30) as answer:
            counts = json.load(answer)
        assert counts["visible"] == counts["messages"] == 7 and sink.counts()["connections"] == 2
