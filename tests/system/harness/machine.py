"""A real systemd in namespaces of its own, over a copy-on-write root, with this build installed: made as root."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.polling import wait_until
from harness.process import ROOT
from harness.scene import Scene

UNIT = "table-updater.service"
SETTINGS = "/etc/table-updater/table-updater.conf"
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

    def configure(self, text: str) -> None:
        """The common settings; and the keys as a credential, as the manual says it."""
        self.write(SETTINGS, text)
        keys = "[default]\naws_access_key_id=local\naws_secret_access_key=local\n"
        self.write("/etc/table-updater/credentials", keys)
        drop_in = """\
            [Service]
            LoadCredential=aws:/etc/table-updater/credentials
            Environment=AWS_SHARED_CREDENTIALS_FILE=%d/aws
            """
        for unit in (UNIT, "table-updater@.service"):
            self.write(f"/etc/systemd/system/{unit}.d/credentials.conf", textwrap.dedent(drop_in))
        self.systemctl("daemon-reload")

    def install(self, program: Path, to: str = "/usr/bin/table-updater") -> None:
        """Another version in the place of the one that is installed, as a package puts it there: what runs goes on."""
        place = Path(f"/proc/{self.pid}/root{to}")
        shutil.copyfile(program, place.with_suffix(".new"))
        place.with_suffix(".new").chmod(0o755)
        place.with_suffix(".new").rename(place)

    def end_all(self) -> None:
        self.run("systemctl", "stop", UNIT, "table-updater@*.service")
        self.run("systemctl", "reset-failed")

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
        """Kills it, and all that runs in it."""
        os.kill(self.pid or self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if os.geteuid():
        pytest.fail("namespaces and mounts are made as root")
    made = Machine(tmp_path_factory.mktemp("machine"))
    yield made
    made.close()


NAMES = ("TABLE_NAME", "QUEUE_URL", "DLQ_URL", "AUDIT_LOG_TABLE", "ENABLE_AUDIT_LOG", "AWS_REGION")
ENDPOINTS = ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_DYNAMODB")


def settings(scene: Scene, **others: str) -> str:
    environment = scene.environment()
    kept = {name: environment[name] for name in NAMES + ENDPOINTS if name in environment}
    return "".join(f"{name}={value}\n" for name, value in {**kept, **others}.items())
