"""Instances of the template unit under a real systemd, of an older version and of this one, on one queue under load:
updated and taken back with stop, restart, kill and reload. No message is lost, none has two effects. As root:

tests/system/upgrade --instances COMMIT [MESSAGES]
"""

from __future__ import annotations

import filecmp
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.machine import SETTINGS, Machine, machine, settings  # noqa: F401 (machine is a fixture)
from harness.polling import wait_until
from harness.proxy import Proxy
from harness.scene import Scene
from test_upgrade import NEW, OLD, PATIENCE, PHASE, Load, judge, knows_increments

ONE, OTHER = "table-updater@1.service", "table-updater@2.service"
VERSIONS = {"old": Path(OLD), "new": Path(NEW)}


class Instances:
    """Two instances, each behind a proxy of its own before SQS."""

    def __init__(self, machine: Machine, scene: Scene, proxies: dict[str, Proxy]) -> None:  # noqa: F811
        self.machine, self.scene, self.proxies = machine, scene, proxies
        self.gaps: list[tuple[str, float, float | None]] = []
        machine.configure(self.common())
        for unit, proxy in proxies.items():
            self.own(unit, f"AWS_ENDPOINT_URL_SQS={proxy.url}\n")

    def common(self, **others: str) -> str:
        kept = {"METRICS_ADDRESS": "off", "SHUTDOWN_TIMEOUT": "5", "VISIBILITY_TIMEOUT": "10"}
        return settings(self.scene, **kept, **others)

    def own(self, unit: str, text: str) -> None:
        """An instance's own settings."""
        self.machine.write(f"/etc/table-updater/{unit.removeprefix('table-updater@').split('.')[0]}.conf", text)

    def install(self, version: str) -> None:
        self.machine.install(VERSIONS[version])

    def beside(self, unit: str, version: str | None) -> None:
        """As the manual says it: an instance of a version that isn't the installed one; None: of that again."""
        folder, program = f"/etc/systemd/system/{unit}.d", "/opt/newer/usr/bin/table-updater"
        self.machine.run("rm", "-rf", folder)
        if version:
            self.machine.run("mkdir", "-p", "/opt/newer/usr/bin")
            self.machine.install(VERSIONS[version], program)
            self.machine.write(f"{folder}/newer.conf", f"[Service]\nExecStart=\nExecStart={program} run\n")
        self.machine.systemctl("daemon-reload")

    def version(self, unit: str) -> str:
        """Of the process that runs, whatever is installed by now."""
        program = self.machine.of_main(unit) / "exe"
        return next(name for name, path in VERSIONS.items() if filecmp.cmp(program, path, shallow=False))

    def done(self, unit: str) -> int:
        """How many messages it is done with."""
        return sum(len(request.json["Entries"]) for request in self.proxies[unit].requests("DeleteMessageBatch"))

    def work(self, *units: str) -> None:
        """Until each of these has its part of a phase's messages behind it."""
        wanted = {unit: self.done(unit) + PHASE // (2 * len(units)) for unit in units}
        done = lambda: all(self.done(unit) >= count for unit, count in wanted.items())
        wait_until(done, f"{PHASE} messages more by {units}", patience=PATIENCE)

    def receives(self) -> list[tuple[tuple[str, int], float, float]]:
        """Connection, begin and end of each until now."""
        now = time.monotonic()
        found = [(unit, it) for unit, proxy in self.proxies.items() for it in proxy.requests("ReceiveMessage")]
        return [((unit, it.connection), it.started, it.finished or now) for unit, it in found]

    def systemctl(self, what: str, *words: str, then: Callable[[], object]) -> None:
        """Does it and works on. Notes the longest time since then in which no receive was open; and where a process
        began, which has connections of its own, the time until its first receive."""
        known, began = {connection for connection, _, _ in self.receives()}, time.monotonic()
        self.machine.systemctl(*words)
        then()
        longest, seen, first = 0.0, began, None
        for connection, begin, end in sorted(self.receives(), key=lambda it: it[1]):
            if begin > began and connection not in known and first is None:
                first = begin - began
            if end > began:
                longest, seen = max(longest, begin - seen), max(seen, end)
        self.gaps.append((what, longest, first))

    def told(self) -> str:
        head = f"{'milliseconds':34} {'no receive open':>16} {'to its first':>16}"
        ms = lambda seconds: "-" if seconds is None else f"{seconds * 1000:.0f}"
        return "\n".join([head, *(f"{what:34} {ms(gap):>16} {ms(first):>16}" for what, gap, first in self.gaps)])


@pytest.fixture
def instances(machine: Machine, scene: Scene) -> Iterator[Instances]:  # noqa: F811
    if OLD == NEW:
        pytest.fail("OLD_TABLE_UPDATER names the older version: tests/system/upgrade --instances COMMIT")
    with Proxy(scene.cloud.sqs_server.url) as one, Proxy(scene.cloud.sqs_server.url) as other:
        yield Instances(machine, scene, {ONE: one, OTHER: other})
        machine.end_all()


@pytest.mark.timeout(1800)
def test_instances_of_two_versions_on_one_queue_lose_and_double_nothing(instances: Instances, scene: Scene) -> None:
    at, work = instances, instances.work
    load = Load(scene, counted=knows_increments(scene, OLD))
    try:
        at.install("old")
        at.systemctl("start of the old one", "start", ONE, then=lambda: work(ONE))
        at.beside(OTHER, "new")
        at.systemctl("the new one beside it", "start", OTHER, then=lambda: work(ONE, OTHER))
        assert (at.version(ONE), at.version(OTHER)) == ("old", "new")
        at.systemctl("the old one stopped", "stop", ONE, then=lambda: work(OTHER))
        at.systemctl("back: the old one started", "start", ONE, then=lambda: work(ONE, OTHER))
        at.systemctl("back: the new one stopped", "stop", OTHER, then=lambda: work(ONE))

        at.beside(OTHER, None)
        at.install("new")  # as a package does it, instance by instance
        at.systemctl("update: the new one beside it", "start", OTHER, then=lambda: work(ONE, OTHER))
        at.systemctl("update: the old one stopped", "stop", ONE, then=lambda: work(OTHER))
        at.install("old")
        at.systemctl("back: restart, alone", "restart", OTHER, then=lambda: work(OTHER))
        at.install("new")
        at.systemctl("update: restart, alone", "restart", OTHER, then=lambda: work(OTHER))
        at.install("old")
        at.systemctl("back: the old one beside it", "start", ONE, then=lambda: work(ONE, OTHER))
        assert (at.version(ONE), at.version(OTHER)) == ("old", "new")

        kill = ("kill", "--kill-whom=main", "-s", "KILL")
        at.systemctl("back: the new one killed", *kill, OTHER, then=lambda: work(ONE))
        wait_until(lambda: at.machine.show("NRestarts", OTHER) == "1", "systemd starts it again")
        work(ONE, OTHER)
        assert (at.version(ONE), at.version(OTHER)) == ("old", "old")
        at.install("new")
        at.systemctl("update: an old one killed", *kill, ONE, then=lambda: work(OTHER))
        wait_until(lambda: at.machine.show("NRestarts", ONE) == "1", "systemd starts it again")
        work(ONE, OTHER)
        assert (at.version(ONE), at.version(OTHER)) == ("new", "old")
        at.systemctl("update: the last old one stopped", "stop", OTHER, then=lambda: work(ONE))
        at.systemctl("killed, alone", *kill, ONE, then=lambda: work(ONE))

        pid = at.machine.show("MainPID", ONE)
        at.machine.write(SETTINGS, at.common(MAX_RATE="5000"))
        at.systemctl("reload", "reload", ONE, then=lambda: work(ONE))
        assert "MAX_RATE" in at.machine.journal(ONE) and at.machine.show("MainPID", ONE) == pid
    finally:
        load.stop()
    at.machine.systemctl("stop", "table-updater@*.service")
    for unit in (ONE, OTHER):
        assert at.machine.show("Result", unit) == "success"
    print(f"\n{judge(scene, load)}\n{at.told()}")


def test_where_the_new_version_is_configured_wrongly_the_other_instance_goes_on(
    instances: Instances, scene: Scene
) -> None:
    at, machine = instances, instances.machine  # noqa: F811
    load = Load(scene, counted=False)
    try:
        at.install("old")
        at.systemctl("start", "start", ONE, OTHER, then=lambda: at.work(ONE, OTHER))
        pid = machine.show("MainPID", ONE)
        at.install("new")
        at.own(OTHER, f"AWS_ENDPOINT_URL_SQS={at.proxies[OTHER].url}\nMAX_RATE=none\n")
        assert machine.run("systemctl", "restart", OTHER).returncode, "it says so"
        assert machine.show("ExecMainStatus", OTHER) == "78" and machine.show("NRestarts", OTHER) == "0"
        assert "MAX_RATE" in machine.status(OTHER), machine.status(OTHER)
        at.work(ONE)

        # Mended, it is the new version beside the old one; and settings that are half written leave both as they are.
        at.own(OTHER, f"AWS_ENDPOINT_URL_SQS={at.proxies[OTHER].url}\n")
        machine.systemctl("start", OTHER)
        other = machine.show("MainPID", OTHER)
        machine.write(SETTINGS, at.common() + "MAX_RATE=7x")
        machine.systemctl("reload", OTHER)
        refused = lambda: "all of them stay as they were" in machine.journal(OTHER)
        wait_until(refused, "the refusal of half of the settings")
        at.work(ONE, OTHER)
        assert (machine.show("MainPID", ONE), machine.show("MainPID", OTHER)) == (pid, other)
        assert (at.version(ONE), at.version(OTHER)) == ("old", "new")
    finally:
        load.stop()
    machine.systemctl("stop", "table-updater@*.service")
    machine.write(SETTINGS, at.common())
    print(f"\n{judge(scene, load)}")
