"""Nothing below TLS 1.2 is spoken, whatever OpenSSL is configured for on the machine."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.polling import wait_until
from harness.scene import Scene

ALL_IS_ALLOWED = """\
openssl_conf = begin
[begin]
ssl_conf = modules
[modules]
system_default = settings
[settings]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
"""
CLIENT = """\
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
context.minimum_version = ssl.TLSVersion.TLSv1
with context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname="127.0.0.1") as tls:
    print(tls.version())
"""


class OldServer:
    """Speaks no more than one version of TLS, and remembers how each handshake ended."""

    def __init__(self, folder: Path, version: ssl.TLSVersion) -> None:
        self.certificate, key = folder / "certificate.pem", folder / "key.pem"
        make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
        names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.certificate]
        subprocess.run([*make.split(), *names], check=True, capture_output=True)
        self.seen: list[str] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.set_ciphers("ALL:@SECLEVEL=0")
        self._context.minimum_version = ssl.TLSVersion.TLSv1
        self._context.maximum_version = version
        self._context.load_cert_chain(self.certificate, key)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client:
                client.settimeout(30)
                try:
                    with self._context.wrap_socket(client, server_side=True) as tls:
                        self.seen.append(str(tls.version()))
                except OSError as error:
                    self.seen.append(str(error))

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture(params=["TLSv1_1", "TLSv1_2"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OldServer]:
    made = OldServer(tmp_path, ssl.TLSVersion[request.param])
    yield made
    made.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_nothing_below_tls_1_2_is_spoken_whatever_openssl_allows(
    request: pytest.FixtureRequest, scene: Scene, server: OldServer, tmp_path: Path
) -> None:
    allowing = tmp_path / "openssl.cnf"
    allowing.write_text(ALL_IS_ALLOWED)
    version = request.node.callspec.params["server"].replace("_", ".")
    other = [sys.executable, "-c", CLIENT, str(server.port), str(server.certificate)]
    spoken = subprocess.run(other, env={"OPENSSL_CONF": str(allowing)}, capture_output=True, text=True, check=True)
    assert spoken.stdout.strip() == version, "another client, which allows it, speaks it"
    wait_until(lambda: server.seen, "the other's handshake")
    worker = scene.worker(
        OPENSSL_CONF=allowing,
        AWS_CA_BUNDLE=server.certificate,
        AWS_ENDPOINT_URL_DYNAMODB=f"https://127.0.0.1:{server.port}",
    )
    wait_until(lambda: len(server.seen) > 1, "our handshake")
    worker.kill()
    ours = server.seen[1].lower()
    assert ours == version.lower() if version == "TLSv1.2" else "protocol" in ours, server.seen
