"""The installed unit under a real systemd, which runs in namespaces of its own over a copy-on-write root: as root.

build/venv/bin/python -m pytest -c tests/system/pytest.ini tests/system/unit_under_systemd.py
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from harness.machine import SETTINGS, UNIT, Machine, machine, settings  # noqa: F401 (machine is a fixture)
from harness.polling import wait_until
from harness.scene import Scene, message
from local_services import free_port


@pytest.fixture
def service(machine: Machine, scene: Scene) -> Iterator[Machine]:  # noqa: F811
    """Configured as the manual says it, with its keys as a credential; not started."""
    machine.configure(settings(scene, METRICS_ADDRESS=f"127.0.0.1:{free_port()}"))
    yield machine
    machine.end_all()


def apply_one(scene: Scene, value: int) -> None:
    scene.queue.send(message("a", {"n": value}))
    wait_until(lambda: scene.table.get("a").get("n") == value, f"update {value}")


def test_the_service_works_under_exactly_its_unit_with_its_keys_as_a_credential(service: Machine, scene: Scene) -> None:
    scene.table.put({"id": "a"})
    service.systemctl("start", UNIT)
    apply_one(scene, 1)
    proc = service.of_main()
    status = dict(re.findall(r"^(\w+):\t(.*)$", (proc / "status").read_text(), re.MULTILINE))
    assert status["Seccomp"] == "2" and int(status["Seccomp_filters"]) >= 1
    assert status["NoNewPrivs"] == "1" and int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0
    assert all(int(number) > 0 for number in status["Uid"].split()), "a user of its own"
    mounts = {line.split()[4]: line.split()[5].split(",") for line in (proc / "mountinfo").read_text().splitlines()}
    assert "ro" in mounts["/"] and "ro" in mounts["/usr"] if "/usr" in mounts else "ro" in mounts["/"]
    assert re.search(r"^Max core file size +0 +0 ", (proc / "limits").read_text(), re.MULTILINE)
    secret = [word for word in (proc / "environ").read_bytes().split(b"\0") if b"SECRET" in word]
    assert not secret
    before = time.monotonic()
    service.systemctl("stop", UNIT)
    assert service.show("Result") == "success" and service.show("ExecMainStatus") == "0"
    print(f"stopped in {time.monotonic() - before:.2f} s")


def test_the_figures_file_is_where_the_service_may_write(service: Machine, scene: Scene) -> None:
    scene.table.put({"id": "a"})
    file = "/var/log/table-updater/metrics.json"
    service.write(SETTINGS, settings(scene, METRICS_EMF=file, METRICS_ADDRESS="off"))
    service.systemctl("start", UNIT)
    apply_one(scene, 1)
    service.systemctl("stop", UNIT)
    assert '"Applied":1' in service.run("cat", file).stdout
    service.write(SETTINGS, settings(scene, METRICS_EMF="/metrics.json"))
    assert service.run("systemctl", "start", UNIT).returncode
    assert service.show("ExecMainStatus") == "78" and "Read-only file system" in service.status()


def test_kill_hup_never_ends_it_and_reload_takes_settings_over_or_leaves_them(service: Machine, scene: Scene) -> None:
    scene.table.put({"id": "a"})
    service.systemctl("start", UNIT)
    pid = service.show("MainPID")
    for _ in range(20):
        service.systemctl("kill", "-s", "HUP", UNIT)
    service.write(SETTINGS, settings(scene, MAX_RATE="77", METRICS_ADDRESS="off"))
    service.systemctl("reload", UNIT)
    wait_until(lambda: re.search(r"MAX_RATE.*77", service.journal()), "the new rate in the log")
    half_written = settings(scene) + "MAX_RATE=7x"
    service.write(SETTINGS, half_written)
    service.systemctl("reload", UNIT)
    wait_until(lambda: "all of them stay as they were" in service.journal(), "the refusal")
    assert re.search(r'MAX_RATE is "7x"', service.journal())
    assert service.show("MainPID") == pid and service.show("NRestarts") == "0"
    apply_one(scene, 2)


def test_it_does_without_a_settings_file(service: Machine, scene: Scene) -> None:
    scene.table.put({"id": "a"})
    lines = [f"Environment={line}" for line in settings(scene, METRICS_ADDRESS="off").splitlines()]
    path = f"/etc/systemd/system/{UNIT}.d/settings.conf"
    service.run("rm", SETTINGS)
    service.write(path, "\n".join(["[Service]", *lines, ""]))
    service.systemctl("daemon-reload")
    service.systemctl("start", UNIT)
    apply_one(scene, 5)
    service.systemctl("reload", UNIT)
    apply_one(scene, 6)
    service.systemctl("stop", UNIT)
    service.run("rm", path)
    service.systemctl("daemon-reload")


@pytest.mark.parametrize(
    ("text", "setting"),
    [("TABLE_NAME=\nQUEUE_URL=\nAWS_REGION=\n", "TABLE_NAME"), ("TABLE_NAME=users\nMAX_RAET=5\n", "MAX_RAET")],
    ids=["sample", "misspelt"],
)
def test_configured_wrongly_it_ends_with_78_and_status_says_which_setting(
    service: Machine, text: str, setting: str
) -> None:
    service.write(SETTINGS, text)
    assert service.run("systemctl", "start", UNIT).returncode
    assert service.show("ExecMainStatus") == "78" and service.show("ActiveState") == "failed"
    assert service.show("NRestarts") == "0", "people have to mend it"
    assert setting in service.status(), service.status()


def test_a_crash_leaves_no_core(service: Machine, scene: Scene) -> None:
    service.systemctl("start", UNIT)
    began = service.journal()
    service.systemctl("kill", "--kill-whom=main", "-s", "SEGV", UNIT)
    ended = r"Main process exited, code=(\w+), status=11/SEGV"
    wait_until(lambda: re.search(ended, service.journal().removeprefix(began)), "its end")
    # (code=dumped is what systemd calls a process that has written a core.)
    assert re.findall(ended, service.journal().removeprefix(began)) == ["killed"], service.journal()


def test_instances_run_beside_it_and_stop_with_a_pattern(service: Machine, scene: Scene) -> None:
    scene.table.put({"id": "a"})
    service.write("/etc/table-updater/1.conf", "METRICS_ADDRESS=off\nMAX_RATE=50\n")
    service.systemctl("start", UNIT, "table-updater@1.service")
    apply_one(scene, 3)
    assert service.show("ActiveState", "table-updater@1.service") == "active"
    service.systemctl("stop", "table-updater@*.service")
    apply_one(scene, 4)
    assert service.show("ActiveState", "table-updater@1.service") == "inactive"
