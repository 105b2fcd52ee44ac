"""Local stand-ins for DynamoDB (DynamoDB Local) and SQS (ElasticMQ), for the demonstration and the tests.

conf/setup has put them under build/servers. Each runs on a free port of 127.0.0.1 and keeps everything in memory,
unless it is to be durable: then what it holds is in its folder, and a server started there again goes on with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parent.parent
SERVERS = ROOT / "build" / "servers"
REGION = "eu-central-1"
# DynamoDB Local refuses an access key id with anything but letters and digits.
ACCESS_KEY_ID = "local"
SECRET_ACCESS_KEY = "local"

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_JVM = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
_START_SECONDS = 60
_START_ATTEMPTS = 5

_ELASTICMQ_CONFIG = """\
include classpath("application.conf")
node-address {{ protocol = http, host = "127.0.0.1", port = {port}, context-path = "" }}
rest-sqs {{ enabled = true, bind-port = {port}, bind-hostname = "127.0.0.1", sqs-limits = {limits} }}
rest-stats {{ enabled = false }}
generate-node-address = false
queues-storage {{ enabled = {durable}, path = "{folder}/queues.conf" }}
messages-storage {{
  enabled = {durable}, driver-class = "org.h2.Driver", uri = "jdbc:h2:{folder}/messages", username = "", password = ""
}}
aws {{ region = {region}, accountId = 000000000000 }}
"""


class ServiceError(Exception):
    """A local server could not be started."""


@dataclass
class Service:
    """A server; stop() ends one that was started here."""

    name: str
    url: str
    port: int
    process: subprocess.Popen[bytes] | None = None  # None: somebody else has started it, and ends it
    log: Path | None = None

    def stop(self) -> None:
        """Ends the server and waits until it is gone. A second call does nothing."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def isolate_environment() -> None:
    """Forgets every AWS setting of this process, its profile files included: boto3 reads them even where it needs
    none."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def die_with_parent() -> None:
    """In a child before its program starts: asks the kernel to end it when its parent dies, so that nothing is left
    behind."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def answers(url: str) -> bool:
    """Whether a server answers there, whatever it says."""
    try:
        # Proxies of the environment are not for loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False


def _tail(path: Path, lines: int = 20) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _launch(name: str, command: list[str], port: int, log: Path, outlive: bool) -> Service | None:
    """Starts a server and waits until it answers. None: it ended by itself (the port was taken meanwhile, say)."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            # Not in our process group: Ctrl-C is for us, and we stop the servers after the last use of them.
            start_new_session=True,
            preexec_fn=None if outlive else die_with_parent,
        )
    service = Service(name, f"http://127.0.0.1:{port}", port, process, log)
    deadline = time.monotonic() + _START_SECONDS
    try:
        while process.poll() is None:
            if answers(service.url) and process.poll() is None:
                return service
            if time.monotonic() > deadline:
                raise ServiceError(f"{name} did not answer within {_START_SECONDS} s:\n{_tail(log)}")
            time.sleep(0.05)
    except BaseException:
        service.stop()
        raise
    return None


def _start(name: str, command_for, folder: Path, preferred_port: int | None, outlive: bool) -> Service:
    if not (SERVERS / name).is_dir():
        raise ServiceError(f"{SERVERS / name} does not exist: run conf/setup")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    for _ in range(_START_ATTEMPTS):
        port = preferred_port if preferred_port and _is_free(preferred_port) else free_port()
        preferred_port = None
        service = _launch(name, command_for(port), port, log, outlive)
        if service:
            return service
    raise ServiceError(f"{name} ended {_START_ATTEMPTS} times while starting:\n{_tail(log)}")


def start_dynamodb(folder: Path, port: int | None = None, outlive: bool = False, durable: bool = False) -> Service:
    """Starts DynamoDB Local with its log in folder, on port where that is free, else on any free one."""
    home = SERVERS / "dynamodb"
    storage = ["-dbPath", str(folder)] if durable else ["-inMemory"]

    def command(chosen: int) -> list[str]:
        return [
            *_JVM,
            f"-Djava.library.path={home}",
            "-cp",
            f"{home}/*",
            "software.amazon.dynamodb.services.local.main.ServerRunner",
            *storage,
            *("-sharedDb", "-disableTelemetry", "-port", str(chosen)),
        ]

    return _start("dynamodb", command, folder, port, outlive)


def start_sqs(
    folder: Path, port: int | None = None, outlive: bool = False, limits: str = "strict", durable: bool = False
) -> Service:
    """Starts ElasticMQ with its log in folder, on port where that is free, else on any free one."""
    home = SERVERS / "elasticmq"
    config = folder / "elasticmq.conf"

    def command(chosen: int) -> list[str]:
        config.write_text(
            _ELASTICMQ_CONFIG.format(
                port=chosen, region=REGION, limits=limits, folder=folder, durable=str(durable).lower()
            )
        )
        return [*_JVM, f"-Dconfig.file={config}", "-cp", f"{home}/*", "org.elasticmq.server.Main"]

    return _start("elasticmq", command, folder, port, outlive)


def start_judge(folder: Path) -> Service:
    """Starts dynoxide, a second DynamoDB in memory, with its log in folder."""
    home = SERVERS / "dynoxide"
    return _start("dynoxide", lambda port: [str(home / "dynoxide"), "--port", str(port)], folder, None, False)


@dataclass
class Cloud:
    """Both servers, and clients for them."""

    dynamodb_server: Service
    sqs_server: Service

    def client(self, name: str):
        """A boto3 client for "dynamodb" or "sqs"."""
        url = {"dynamodb": self.dynamodb_server.url, "sqs": self.sqs_server.url}[name]
        session = boto3.session.Session(
            aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=REGION
        )
        return session.client(name, endpoint_url=url, config=Config(proxies={}, retries={"total_max_attempts": 3}))

    def environment(self) -> dict[str, str]:
        """What table-updater and the AWS CLI need to find both."""
        return {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_ENDPOINT_URL_SQS": self.sqs_server.url,
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb_server.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def stop(self) -> None:
        self.sqs_server.stop()
        self.dynamodb_server.stop()


def cloud_at(dynamodb_url: str, sqs_url: str) -> Cloud:
    """Both servers, which somebody else has started."""
    urls = {"dynamodb": dynamodb_url, "elasticmq": sqs_url}
    return Cloud(*(Service(name, url, int(url.rpartition(":")[2])) for name, url in urls.items()))


def start_cloud(folder: Path, ports: tuple[int | None, int | None] = (None, None), outlive: bool = False) -> Cloud:
    """Starts DynamoDB Local and ElasticMQ. Stop them with stop(), also when interrupted."""
    dynamodb = start_dynamodb(folder, ports[0], outlive)
    try:
        return Cloud(dynamodb, start_sqs(folder, ports[1], outlive))
    except BaseException:
        dynamodb.stop()
        raise


@contextlib.contextmanager
def cloud_in(folder: Path) -> Iterator[Cloud]:
    """Both servers for the length of a with block."""
    cloud = start_cloud(folder)
    try:
        yield cloud
    finally:
        cloud.stop()
