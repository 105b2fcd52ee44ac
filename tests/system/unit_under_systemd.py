"""The installed unit under a real systemd, which runs in namespaces of its own over a copy-on-write root: as root.

build/venv/bin/python -m pytest -c tests/system/pytest.ini tests/system/unit_under_systemd.py
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.polling import wait_until
from harness.scene import Scene, message
from local_services import free_port

ROOT = Path(__file__).resolve().parents[2]
UNIT = "table-updater.service"
# In new namespaces: a root over this machine's, which only tmpfs is written to; then systemd in it, as process 1.
BOOT = """\
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1"/upper "$1"/work "$1"/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
root=$1/root
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for place in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$place"; done
chmod 1777 "$root/tmp"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
DESTDIR=$root cmake --install "$2" --prefix /usr >"$1/install"
rm -rf "$root/etc/table-updater" "$root/var/log/journal"
mkdir "$root/etc/table-updater"
mkdir "$root/old"
cd "$root"
pivot_root . old
umount -l old
mount --make-rshared /  # what systemd mounts for a service in one namespace has to show in its own
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
    /lib/systemd/systemd --system --unit=basic.target --show-status=0
"""


def die_with_parent() -> None:
    """unshare waits through a SIGTERM; killed, it takes systemd with it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Machine:
    """What runs in there."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "boot"
        names = [f"--{kind}" for kind in ("mount", "pid", "fork", "uts", "ipc", "cgroup")]
        with self.log.open("wb") as sink:
            self.process = subprocess.Popen(
                ["unshare", *names, "--kill-child", "--propagation", "private", "bash", "-c", BOOT, "boot"]
                + [str(folder), str(ROOT / "build" / "test")],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                preexec_fn=die_with_parent,
            )
        self.root = folder / "root"
        wait_until(self._is_up, "systemd", patience=60)

    def _is_up(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.pid = int(children[0]) if children else 0
        return bool(self.pid) and self.run("systemctl", "is-active", "basic.target").returncode == 0

    def run(self, *command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """A command in there."""
        enter = ["nsenter", "-t", str(self.pid), *("-m", "-p", "-u", "-i", "-C", "-r", "-w")]
        return subprocess.run([*enter, *command], input=text, capture_output=True, text=True, check=False)

    def systemctl(self, *command: str) -> str:
        """Which has to succeed."""
        done = self.run("systemctl", *command)
        assert done.returncode == 0, done.stdout + done.stderr + self.status()
        return done.stdout

    def write(self, path: str, text: str) -> None:
        done = self.run("sh", "-c", f"mkdir -p $(dirname {path}) && cat >{path} && chmod 600 {path}", text=text)
        assert done.returncode == 0, done.stderr

    def show(self, name: str, unit: str = UNIT) -> str:
        return self.systemctl("show", "--value", "-p", name, unit).strip()

    def status(self, unit: str = UNIT) -> str:
        return self.run("systemctl", "status", "--no-pager", "--full", unit).stdout

    def journal(self, unit: str = UNIT) -> str:
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit).stdout

    def of_main(self, unit: str = UNIT) -> Path:
        """/proc of the main process, as it is seen from outside."""
        inside = self.show("MainPID", unit)
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                found = re.search(r"^NSpid:\t\d+\t(\d+)$", status.read_text(), re.MULTILINE)
                if found and found.group(1) == inside and os.readlink(status.parent / "ns/pid") == self._pid_space():
                    return status.parent
            except OSError:
                continue  # it is gone
        raise AssertionError(f"no process {inside}")

    def _pid_space(self) -> str:
        return os.readlink(f"/proc/{self.pid}/ns/pid")

    def close(self) -> None:
        os.kill(self.pid or self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if os.geteuid():
        pytest.fail("namespaces and mounts are made as root")
    made = Machine(tmp_path_factory.mktemp("machine"))
    yield made
    made.close()


SETTINGS = ("TABLE_NAME", "QUEUE_URL", "DLQ_URL", "AUDIT_LOG_TABLE", "ENABLE_AUDIT_LOG", "AWS_REGION")
ENDPOINTS = ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_DYNAMODB")


def settings(scene: Scene, **others: str) -> str:
    environment = scene.environment()
    kept = {name: environment[name] for name in SETTINGS + ENDPOINTS if name in environment}
    return "".join(f"{name}={value}\n" for name, value in {**kept, **others}.items())


@pytest.fixture
def service(machine: Machine, scene: Scene) -> Iterator[Machine]:
    """Configured as the manual says it, with its keys as a credential; not started."""
    machine.write("/etc/table-updater/table-updater.conf", settings(scene, METRICS_ADDRESS=f"127.0.0.1:{free_port()}"))
    machine.write("/etc/table-updater/credentials", "[default]\naws_access_key_id=local\naws_secret_access_key=local\n")
    drop_in = """\
        [Service]
        LoadCredential=aws:/etc/table-updater/credentials
        Environment=AWS_SHARED_CREDENTIALS_FILE=%d/aws
        """
    for unit in ("table-updater.service.d", "table-updater@.service.d"):
        machine.write(f"/etc/systemd/system/{unit}/credentials.conf", textwrap.dedent(drop_in))
    machine.systemctl("daemon-reload")
    yield machine
    machine.run("systemctl", "stop", UNIT, "table-updater@*.service")
    machine.run("systemctl", "reset-failed")


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
    service.write("/etc/table-updater/table-updater.conf", settings(scene, METRICS_EMF=file, METRICS_ADDRESS="off"))
    service.systemctl("start", UNIT)
    apply_one(scene, 1)
    service.systemctl("stop", UNIT)
    assert '"Applied":1' in service.run("cat", file).stdout
    service.write("/etc/table-updater/table-updater.conf", settings(scene, METRICS_EMF="/metrics.json"))
    assert service.run("systemctl", "start", UNIT).returncode
    assert service.show("ExecMainStatus") == "78" and "Read-only file system" in service.status()


def test_kill_hup_never_ends_it_and_reload_takes_settings_over_or_leaves_them(service: Machine, scene: Scene) -> None:
    scene.table.put({"id": "a"})
    service.systemctl("start", UNIT)
    pid = service.show("MainPID")
    for _ in range(20):
        service.systemctl("kill", "-s", "HUP", UNIT)
    service.write("/etc/table-updater/table-updater.conf", settings(scene, MAX_RATE="77", METRICS_ADDRESS="off"))
    service.systemctl("reload", UNIT)
    wait_until(lambda: re.search(r"MAX_RATE.*77", service.journal()), "the new rate in the log")
    half_written = settings(scene) + "MAX_RATE=7x"
    service.write("/etc/table-updater/table-updater.conf", half_written)
    service.systemctl("reload", UNIT)
    wait_until(lambda: "all of them stay as they were" in service.journal(), "the refusal")
    assert re.search(r'MAX_RATE is "7x"', service.journal())
    assert service.show("MainPID") == pid and service.show("NRestarts") == "0"
    apply_one(scene, 2)


def test_it_does_without_a_settings_file(service: Machine, scene: Scene) -> None:
    scene.table.put({"id": "a"})
    lines = [f"Environment={line}" for line in settings(scene, METRICS_ADDRESS="off").splitlines()]
    path = f"/etc/systemd/system/{UNIT}.d/settings.conf"
    service.run("rm", "/etc/table-updater/table-updater.conf")
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
    service.write("/etc/table-updater/table-updater.conf", text)
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
