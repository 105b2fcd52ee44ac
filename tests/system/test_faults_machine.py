"""Faults of the machine and the network around it: clocks, names, sockets that fall silent, a log that nobody reads,
credentials that expire, cores. Time passes in the process alone (tests/preload): no test waits for it."""

from __future__ import annotations

import array
import contextlib
import fcntl
import json
import os
import re
import resource
import signal
import subprocess
import termios
import threading
import time
from datetime import datetime, timezone
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from credentials_fakes import Fakes
from harness import faults
from harness.polling import wait_until
from harness.preload import OtherClock, OtherNames, together
from harness.process import binary_path
from harness.proxy import Proxy, Request
from harness.scene import Scene, message
from test_faults_queue import chain, shorten_polls, versions


@pytest.fixture
def proxies(sqs_proxy: Proxy, dynamodb_proxy: Proxy) -> tuple[Proxy, Proxy]:
    """Before SQS and before DynamoDB."""
    return sqs_proxy, dynamodb_proxy


def behind(proxies: tuple[Proxy, Proxy]) -> dict[str, str]:
    sqs, dynamodb = proxies
    return {"AWS_ENDPOINT_URL_SQS": sqs.url, "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.url}


# Clocks


def signed_at(request: Request) -> float:
    return datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()


def refuse_the_skewed(proxy: Proxy, namespace: str) -> Any:
    """What isn't signed within 15 minutes is refused, as the services do, with the Date of the true time."""

    def skewed(request: Request) -> bool:
        return abs(signed_at(request) - datetime.now(timezone.utc).timestamp()) > 15 * 60

    async def refuse(exchange: Any) -> None:
        await faults.service_error(
            "RequestTimeTooSkewed", 403, namespace=namespace, headers={"date": formatdate(usegmt=True)}
        )(exchange)

    return proxy.on(None, refuse, when=skewed)


@pytest.mark.parametrize("hours", [-1, 1])
def test_fault_20_a_machine_whose_clock_is_an_hour_off_works_as_any_other(
    scene: Scene, proxies: tuple[Proxy, Proxy], tmp_path: Path, hours: int
) -> None:
    bodies = chain(scene, 30)
    clock = OtherClock(tmp_path / "clock", wall=hours * 3600)
    rules = [
        refuse_the_skewed(proxy, space)
        for proxy, space in zip(proxies, ("com.amazonaws.sqs", "com.amazon.coral.service"), strict=True)
    ]
    worker = scene.worker(**behind(proxies), **clock.settings, AUDIT_LOG_TTL_DAYS=400)
    sent = scene.queue.send(*bodies[:20])
    wait_until(lambda: len(scene.audits()) == 20, "the updates")
    # What is written down bears the true time.
    now = datetime.now(timezone.utc)
    for record in scene.audits().values():
        assert abs((datetime.fromisoformat(record["timestamp"]) - now).total_seconds()) < 300, record
        assert abs(int(record["expires_at"]) - now.timestamp() - 400 * 86400) < 300, record
    code, health = worker.get("/readyz")
    off = re.search(r"off by (-?\d+) s.*What to do: Set this machine's clock", health)
    assert code == 200 and off and abs(int(off.group(1)) - hours * 3600) <= 2, health
    refused = [rule.fired for rule in rules]
    assert all(1 <= count <= 8 for count in refused), f"not corrected at once and for good: {refused}"
    # It is set right under way.
    clock.set_wall(0)
    sent += scene.queue.send(*bodies[20:])
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {1} and len(scene.audits()) == 30
    scene.check_invariants(sent, environment_only=True)


# Names


def test_fault_21_a_service_that_moves_is_found_at_its_new_address_within_a_minute(
    scene: Scene, cloud: Any, tmp_path: Path
) -> None:
    bodies = chain(scene, 60)
    clock = OtherClock(tmp_path / "clock")
    with contextlib.ExitStack() as closing:
        sqs = closing.enter_context(Proxy(cloud.sqs_server.url))
        old = closing.enter_context(Proxy(cloud.dynamodb_server.url))
        new = closing.enter_context(Proxy(cloud.dynamodb_server.url, "127.0.0.2", old.port))
        names = OtherNames(tmp_path / "names", database=old.host)
        shorten_polls(sqs)
        urls = {"AWS_ENDPOINT_URL_SQS": sqs.url, "AWS_ENDPOINT_URL_DYNAMODB": f"http://database.test:{old.port}"}
        worker = scene.worker(**urls, **together(clock, names))
        sent = scene.queue.send(*bodies[:20])
        scene.queue.wait_until_empty()
        assert old.count("TransactWriteItems") == 20 and new.count() == 0
        # Its old address goes on answering: nothing but time tells.
        names.move(database=new.host)
        for step in range(20):
            clock.pass_by(3)
            sent += scene.queue.send(bodies[20 + step])
            scene.queue.wait_until_empty()
        before = old.count()
        sent += scene.queue.send(*bodies[40:])
        scene.queue.wait_until_empty()
        assert old.count() == before and new.count("TransactWriteItems") >= 20
        assert worker.stop() == 0 and versions(scene) == {1}
    scene.check_invariants(sent, environment_only=True)


def test_fault_21_while_a_name_has_no_address_the_live_connections_go_on(
    scene: Scene, cloud: Any, tmp_path: Path
) -> None:
    """For three minutes and more, longer than a connection lives otherwise."""
    bodies = chain(scene, 60)
    clock = OtherClock(tmp_path / "clock")
    with Proxy(cloud.sqs_server.url) as sqs, Proxy(cloud.dynamodb_server.url) as dynamodb:
        names = OtherNames(tmp_path / "names", database=dynamodb.host)
        shorten_polls(sqs)
        urls = {"AWS_ENDPOINT_URL_SQS": sqs.url, "AWS_ENDPOINT_URL_DYNAMODB": f"http://database.test:{dynamodb.port}"}
        worker = scene.worker(**urls, **together(clock, names))
        sent = scene.queue.send(*bodies[:20])
        scene.queue.wait_until_empty()
        names.move()
        for step in range(40):
            clock.pass_by(5)  # less than an open receive waits for its answer
            sent += scene.queue.send(bodies[20 + step])
            scene.queue.wait_until_empty()
        assert worker.stop() == 0 and versions(scene) == {1}
    scene.check_invariants(sent, environment_only=True, max_receives=1)


# Sockets

WAIT = 2  # seconds of a poll; those of an idle worker double up to 20


def test_fault_22_a_long_poll_that_falls_silent_is_over_ten_seconds_after_its_wait(
    scene: Scene, proxies: tuple[Proxy, Proxy], tmp_path: Path
) -> None:
    sqs, _ = proxies
    bodies = chain(scene, 1)
    clock = OtherClock(tmp_path / "clock")
    hole = sqs.on("ReceiveMessage", faults.black_hole(), when=lambda request: request.json["WaitTimeSeconds"] == WAIT)
    worker = scene.worker(**behind(proxies), **clock.settings)
    hole.wait()
    wait_until(lambda: all(one.finished or one.rule is hole for one in sqs.requests("ReceiveMessage")), "silence")
    hole.remove()
    sent = scene.queue.send(*bodies)
    clock.pass_by(WAIT + 10)
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {1} and worker.find_log("Receiving works again")
    scene.check_invariants(sent, environment_only=True)


# The log: nobody reads it, nobody is there, the disk is full

RATE, UPDATES = 100, 200


def write_rate(scene: Scene, log_to: int, first: int) -> float:
    """Updates a second, by the audit records' times, of a process that may do RATE of them and says much about each."""
    bodies = [message(f"r{n}", {"n": first}, idempotency_key=f"{first}-{n}") for n in range(UPDATES)]
    scene.queue.send(*bodies)
    process = scene.command("run", "--until-empty", log_to=log_to, MAX_RATE=RATE, LOG_LEVEL="DEBUG")
    assert process.wait() == 0
    stamps = [
        record["timestamp"] for record in scene.audits().values() if record["idempotency_key"].startswith(f"{first}-")
    ]
    times = sorted(datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() for stamp in stamps)
    assert len(times) == UPDATES
    return (UPDATES - 1) / (times[-1] - times[0])


def full_pipe() -> tuple[int, int]:
    """A pipe whose reader has stopped."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b".")
    os.set_blocking(writer, True)
    return reader, writer


def test_fault_27_a_log_that_takes_nothing_costs_the_updates_nothing(scene: Scene) -> None:
    """By a reader that has stopped, a disk that is full (ENOSPC), and a reader that is gone (SIGPIPE)."""
    scene.table.put(*({"id": f"r{n}"} for n in range(UPDATES)))
    stopped, pipe = full_pipe()
    gone, broken = os.pipe()
    os.close(gone)
    sinks = {
        "heard": os.open(os.devnull, os.O_WRONLY),
        "stopped": pipe,
        "full": os.open("/dev/full", os.O_WRONLY),
        "gone": broken,
    }
    rates = {name: write_rate(scene, sink, first) for first, (name, sink) in enumerate(sinks.items())}
    for first, (name, sink) in enumerate(sinks.items(), len(sinks)):
        if rates[name] < 0.95 * min(rates["heard"], RATE):  # once more: the machine may have been busy just then
            rates[name] = write_rate(scene, sink, first)
    for descriptor in (stopped, *sinks.values()):
        os.close(descriptor)
    assert all(rate >= 0.95 * min(rates["heard"], RATE) for rate in rates.values()), rates
    assert not scene.dead()


def test_fault_27_lines_that_were_lost_are_counted_once_there_is_a_reader_again(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    reader, writer = full_pipe()
    worker = scene.worker(LOG_FORMAT="json", log_to=writer)
    os.close(writer)
    failing = [message(f"nobody-{n}", {"n": n}) for n in range(25)]
    scene.queue.send(*failing)
    scene.queue.wait_until_empty()
    with os.fdopen(reader, "rb") as log:
        filling = array.array("i", [0])
        fcntl.ioctl(reader, termios.FIONREAD, filling)
        assert set(log.read(filling[0])) == set(b".")
        worker.send_signal(signal.SIGTERM)
        lines = [json.loads(line) for line in log.read().decode().splitlines() if line.startswith("{")]
    assert worker.wait() == 0
    lost = [line for line in lines if line["message"] == "Log lines were lost"]
    # One for each message that failed, and the start's.
    assert len(lost) == 1 and len(failing) < int(lost[0]["count"]) < len(failing) + 20 and lost[0] is lines[0], lines


# Credentials that expire


def signed_with(key: str) -> Any:
    return lambda request: f"Credential={key}/" in request.headers["authorization"]


def profile(path: Path, key: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(
        f"[default]\naws_access_key_id = {key}\naws_secret_access_key = secret\naws_session_token = token-of-{key}\n"
    )
    new.rename(path)


def test_fault_19_credentials_that_change_under_way_cost_nothing(
    scene: Scene, proxies: tuple[Proxy, Proxy], tmp_path: Path
) -> None:
    """Three times: new ones stand in the file, the old are refused from then on. At last the file is gone for a while,
    as a provider is."""
    bodies = chain(scene, 150)
    path = tmp_path / "credentials"
    profile(path, "key0")
    none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_SHARED_CREDENTIALS_FILE": path}
    spaces = ("com.amazonaws.sqs", "com.amazon.coral.service")
    worker = scene.worker(**behind(proxies), **none)
    sent = scene.queue.send(*bodies[:30])
    for turn in range(1, 4):
        wait_until(lambda turn=turn: len(scene.audits()) >= 30 * turn - 15, "half of them")
        profile(path, f"key{turn}")
        for proxy, space in zip(proxies, spaces, strict=True):
            proxy.on(
                None,
                faults.service_error("ExpiredTokenException", 403, namespace=space),
                when=signed_with(f"key{turn - 1}"),
            )
        sent += scene.queue.send(*bodies[30 * turn : 30 * turn + 30])
    scene.queue.wait_until_empty()
    # Held ones are used on while the provider is down.
    path.rename(path.with_suffix(".away"))
    sent += scene.queue.send(*bodies[120:135])
    scene.queue.wait_until_empty()
    # Now they expire as well: all waits until there are others.
    for proxy, space in zip(proxies, spaces, strict=True):
        proxy.on(None, faults.service_error("ExpiredTokenException", 403, namespace=space), when=signed_with("key3"))
    sent += scene.queue.send(*bodies[135:])
    worker.wait_for_log("Receiving fails|Holding")
    assert not scene.dead() and worker.running
    profile(path, "key4")
    scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {1} and len(scene.audits()) == 150
    scene.check_invariants(sent, environment_only=True)


def test_fault_19_a_roles_keys_that_change_every_two_seconds_cost_nothing(
    scene: Scene, proxies: tuple[Proxy, Proxy]
) -> None:
    """The old ones are refused at once, with requests under way. At last the provider is down, and those held are used
    on."""
    bodies = chain(scene, 160)
    begun = time.monotonic()
    with Fakes() as fakes:
        fakes.container_key = lambda: f"ROTATED{int((time.monotonic() - begun) / 2)}"

        def is_stale(request: Request) -> bool:
            return f"Credential={fakes.container_key()}/" not in request.headers["authorization"]

        spaces = ("com.amazonaws.sqs", "com.amazon.coral.service")
        rules = [
            proxy.on(None, faults.service_error("ExpiredTokenException", 403, namespace=space), when=is_stale)
            for proxy, space in zip(proxies, spaces, strict=True)
        ]
        none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
        worker = scene.worker(
            **behind(proxies), **none, AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{fakes.url}/container/account"
        )
        worker.wait_for_log("Started.*credentials=container-role account=444444444444")
        sent = []
        for turn in range(7):
            sent += scene.queue.send(*bodies[20 * turn : 20 * turn + 20])
            now = fakes.container_key()
            wait_until(lambda now=now: fakes.container_key() != now, "the next key")
        scene.queue.wait_until_empty()
        used = {
            request.headers["authorization"].partition("Credential=")[2].partition("/")[0] for request in proxies[1].all
        }
        for proxy, rule in zip(proxies, rules, strict=True):
            proxy.remove(rule)
        fakes.is_down = True
        sent += scene.queue.send(*bodies[140:])
        scene.queue.wait_until_empty()
    assert worker.stop() == 0 and versions(scene) == {1} and len(scene.audits()) == 160
    assert len(used) >= 5, used
    scene.check_invariants(sent, environment_only=True)


# Cores


def dumps_core(pid: int, number: signal.Signals) -> bool:
    os.kill(pid, number)
    return os.WCOREDUMP(os.waitpid(pid, 0)[1])


def test_fault_31_a_crash_leaves_no_core(scene: Scene, cloud: Any, tmp_path: Path) -> None:
    """Not even where its limits allow one, while it holds bodies and keys."""

    def allow_cores() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def start(*command: str, **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, preexec_fn=allow_cores)

    if not dumps_core(start("sleep", "600", PATH=os.environ["PATH"]).pid, signal.SIGABRT):
        pytest.skip("this machine writes no cores at all")
    for core in tmp_path.iterdir():
        core.unlink()
    scene.table.put({"id": "a"})
    gate = threading.Event()
    with Proxy(cloud.dynamodb_server.url) as proxy:
        proxy.on("TransactWriteItems", faults.until(gate))
        process = start(str(binary_path()), "run", **scene.environment(AWS_ENDPOINT_URL_DYNAMODB=proxy.url))
        scene.queue.send(message("a", {"secret": "kAnArY"}))
        proxy.wait_for("TransactWriteItems")
        assert not dumps_core(process.pid, signal.SIGABRT) and not list(tmp_path.iterdir())
        gate.set()
    assert process.stderr and b"kAnArY" not in process.stderr.read()
    process.stderr.close()
