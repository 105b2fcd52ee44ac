"""The package of the AWS Lambda function (conf/package-lambda): the same bytes each time, and all that it needs in it.

It runs in an empty root: its files in /var/task, /dev, /proc, /etc/resolv.conf and the certificates of Amazon Linux,
against DynamoDB Local behind TLS. By hand, for it takes minutes; needs root, for chroot(2):

    build/venv/bin/python -m pytest -c tests/system/pytest.ini tests/system/lambda_package.py
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import pytest
from harness.process import ROOT
from harness.runtime_api import RuntimeApi, sqs_event
from harness.scene import Scene, message

LIMIT = 5_000_000


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("package") / "one.zip"
    subprocess.run([ROOT / "conf" / "package-lambda", "--output", output], check=True)
    return output


def test_the_same_sources_elsewhere_give_the_same_bytes_and_few_of_them(package: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for name in ("src", "include", "conf", "systemd", "CMakeLists.txt", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        other.mkdir(exist_ok=True)
        copy(ROOT / name, other / name)
    second = tmp_path / "two.zip"
    subprocess.run([other / "conf" / "package-lambda", "--output", second], check=True)
    assert second.read_bytes() == package.read_bytes() and len(package.read_bytes()) < LIMIT


def test_each_library_has_its_licence(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    assert modes["bootstrap"] == 0o100755 and {name.split("/")[0] for name in names} == {"bootstrap", "lib", "licences"}
    assert {"licences/table-updater", "licences/libc6", "licences/libssl-dev", "licences/libcurl4-openssl-dev"} <= set(
        names
    )


@dataclass(frozen=True)
class Kind:
    """How a server speaks TLS."""

    name: str
    key: tuple[str, ...]  # of `openssl req`
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ciphers: str = ""


def curve(name: str) -> tuple[str, ...]:
    return ("-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{name}")


RSA = ("-newkey", "rsa:2048")
PSS = ("-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048")
OLD = ssl.TLSVersion.TLSv1_2
KINDS = [
    Kind("P-256", curve("P-256")),
    Kind("P-384", (*curve("P-384"), "-sha384")),
    Kind("P-521", (*curve("P-521"), "-sha512")),
    Kind("Ed25519", ("-newkey", "ed25519")),
    Kind("RSA", (*RSA, "-sha384")),
    Kind("PSS", (*PSS, "-sha512")),
    Kind("P-256, TLS 1.2", curve("P-256"), OLD),
    Kind("RSA, TLS 1.2, AES-128", RSA, OLD, "ECDHE-RSA-AES128-GCM-SHA256"),
    Kind("RSA, TLS 1.2, AES-256", RSA, OLD, "ECDHE-RSA-AES256-GCM-SHA384"),
    Kind("RSA, TLS 1.2, ChaCha20", RSA, OLD, "ECDHE-RSA-CHACHA20-POLY1305"),
    Kind("RSA, TLS 1.2, CBC", RSA, OLD, "ECDHE-RSA-AES128-SHA256"),
    Kind("RSA, TLS 1.2, CBC with SHA-1", RSA, OLD, "ECDHE-RSA-AES256-SHA"),
    Kind("RSA, TLS 1.2, without a key of its own", RSA, OLD, "AES128-GCM-SHA256"),
]


class Tls:
    """TLS before a plain server."""

    def __init__(self, port: int, folder: Path, kind: Kind) -> None:
        self._port = port
        self.certificate = folder / "certificate.pem"
        key = folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", *kind.key, "-nodes", "-days", "2"]
            + ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key]
            + ["-out", self.certificate],
            check=True,
            capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = kind.version
        if kind.ciphers:
            context.set_ciphers(kind.ciphers)
        context.load_cert_chain(self.certificate, key)
        self._listener = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except ssl.SSLError:
                continue
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=pair, daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.close()
        except OSError:
            pass

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def tls(request: pytest.FixtureRequest, scene: Scene, tmp_path: Path) -> Iterator[Tls]:
    server = Tls(scene.cloud.dynamodb_server.port, tmp_path, getattr(request, "param", KINDS[0]))
    yield server
    server.close()


@pytest.fixture
def root(package: Path, tmp_path: Path) -> Path:
    """An empty root with the package in it."""
    empty = tmp_path / "root"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(empty / "var" / "task")
        for info in archive.infolist():
            (empty / "var" / "task" / info.filename).chmod(info.external_attr >> 16 & 0o777)
    for name in ("dev", "proc", "etc/pki/tls/certs", "tmp"):
        (empty / name).mkdir(parents=True)
    (empty / "etc" / "resolv.conf").write_text("")
    return empty


def start_in(root: Path, scene: Scene, **settings: str | None) -> subprocess.Popen[bytes]:
    environment = scene.environment(LD_LIBRARY_PATH=None, LD_PRELOAD=None, **settings)
    environment.pop("PATH")
    mounts = f"mount --rbind /dev {root}/dev && mount -t proc proc {root}/proc"
    script = f"{mounts} && exec /usr/sbin/chroot {root} /var/task/bootstrap"
    command = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", f"export PATH=/usr/bin:/bin; {script}"]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


@contextlib.contextmanager
def serving(root: Path, scene: Scene, tls: Tls) -> Iterator[tuple[RuntimeApi, subprocess.Popen[bytes]]]:
    """The function at work in the root, behind a service with that certificate, and a record "a"; it must end well."""
    shutil.copy(tls.certificate, root / "etc" / "pki" / "tls" / "certs" / "ca-bundle.crt")
    scene.table.put({"id": "a"})
    with RuntimeApi() as api:
        process = start_in(root, scene, AWS_LAMBDA_RUNTIME_API=api.address, AWS_ENDPOINT_URL_DYNAMODB=tls.url)
        try:
            yield api, process
        finally:
            process.terminate()
            assert process.stderr
            print(process.stderr.read().decode())
        assert process.wait(10) == 0


def test_it_runs_where_there_is_nothing_else(root: Path, scene: Scene, tls: Tls) -> None:
    with serving(root, scene, tls) as (api, process):
        assert api.invoke(message("a", {"n": 1})).json["success"]
        assert api.invoke(sqs_event(message("a", {"n": 2}), "no JSON")).failures == []
        used = {line.split()[-1] for line in Path(f"/proc/{process.pid}/maps").read_text().splitlines() if "/" in line}
    assert scene.table.get("a") == {"id": "a", "n": 2}
    assert used and all("/var/task/" in path or path.startswith("/dev/") for path in used), used
    assert os.path.exists(root)


@pytest.mark.parametrize("tls", KINDS, indirect=True, ids=lambda kind: kind.name)
def test_it_speaks_tls_with_whatever_a_service_may_have(root: Path, scene: Scene, tls: Tls) -> None:
    with serving(root, scene, tls) as (api, _):
        assert api.invoke(message("a", {"n": 1})).json["success"]


def test_what_openssl_finds_wrong_is_told_in_its_words(root: Path, scene: Scene, tls: Tls) -> None:
    shutil.copy(tls.certificate, root / "etc" / "pki" / "tls" / "certs" / "ca-bundle.crt")
    plain = f"https://127.0.0.1:{scene.cloud.dynamodb_server.port}"
    process = start_in(root, scene, AWS_LAMBDA_RUNTIME_API="127.0.0.1:9", AWS_ENDPOINT_URL_DYNAMODB=plain)
    assert process.stderr
    with process, process.stderr as log:
        said = log.readline()
        process.kill()
    assert b"wrong version number" in said, said


@pytest.mark.parametrize(
    "certificates", ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt", None]
)
def test_what_keeps_it_from_starting_is_told_to_the_runtime(
    root: Path, scene: Scene, tls: Tls, certificates: str | None
) -> None:
    if certificates:
        place = root / certificates.removeprefix("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tls.certificate, place)
    with RuntimeApi() as api:
        process = start_in(root, scene, AWS_LAMBDA_RUNTIME_API=api.address, TABLE_NAME="?")
        assert process.stderr
        said = process.stderr.read().decode()
        assert process.wait(10) == 78, said
        told = api.init_errors.get(timeout=5)
    assert told.error_type == "Runtime.InvalidSettings" and "TABLE_NAME" in told.json["errorMessage"], said
