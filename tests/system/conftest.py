"""Fixtures: a pair of servers for a session, which a few pytest-xdist workers share, and fresh tables and queues for
every test."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import signal
import tempfile
import uuid
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from harness.process import binary_path
from harness.proxy import Proxy
from harness.queues import Queue, make_queue
from harness.scene import Scene
from harness.tables import Table, make_table
from local_services import Cloud, cloud_at, cloud_in, isolate_environment

Options = dict[str, Any]
# A pair of servers serves so many of pytest-xdist's workers: starting and warming them up costs more than the tests do.
WORKERS_OF_A_PAIR = 6
PAIRS = pytest.StashKey[list[Cloud]]()

isolate_environment()
# A shell that runs this in the background has Ctrl-C ignored, and what is ignored so is inherited.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In the process that leads pytest-xdist's workers: tells one of them which servers are its own."""
    number = int(node.workerinput["workerid"].removeprefix("gw")) // WORKERS_OF_A_PAIR
    pairs = node.config.stash.setdefault(PAIRS, [])
    while len(pairs) <= number:
        folder = Path(tempfile.mkdtemp(prefix="table-updater-servers-"))
        closing = contextlib.ExitStack()
        closing.callback(shutil.rmtree, folder, ignore_errors=True)
        pairs.append(closing.enter_context(cloud_in(folder)))
        node.config.add_cleanup(closing.close)
    node.workerinput["servers"] = (pairs[number].dynamodb_server.url, pairs[number].sqs_server.url)


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """DynamoDB Local and ElasticMQ."""
    servers = getattr(request.config, "workerinput", {}).get("servers")
    if servers:
        yield cloud_at(*servers)
        return
    with cloud_in(tmp_path_factory.mktemp("servers")) as services:
        yield services


@pytest.fixture(scope="session")
def dynamodb(cloud: Cloud) -> Any:
    """A boto3 client."""
    return cloud.client("dynamodb")


@pytest.fixture(scope="session")
def sqs(cloud: Cloud) -> Any:
    """A boto3 client."""
    return cloud.client("sqs")


@pytest.fixture(scope="session")
def unique() -> Callable[[str], str]:
    """Names that nothing else on the servers has."""
    stem, numbers = uuid.uuid4().hex[:12], itertools.count()
    return lambda role: f"{role}-{stem}-{next(numbers)}"


@pytest.fixture(scope="session")
def new_table(dynamodb: Any, unique: Callable[[str], str]) -> Callable[..., Table]:
    """Makes a fresh table; options as make_table() has them."""
    return lambda **options: make_table(dynamodb, unique("records"), **options)


@pytest.fixture(scope="session")
def new_audit_table(dynamodb: Any, unique: Callable[[str], str]) -> Callable[[], Table]:
    """Makes a fresh audit table."""
    return lambda: make_table(dynamodb, unique("audit"), partition="log_id")


@pytest.fixture(scope="session")
def new_queue(sqs: Any, unique: Callable[[str], str]) -> Callable[..., Queue]:
    """Makes a fresh queue; options as make_queue() has them."""
    return lambda role="updates", **options: make_queue(sqs, unique(role), **options)


@pytest.fixture(scope="session")
def make_scene(
    cloud: Cloud, new_table: Callable[..., Table], new_audit_table: Callable[[], Table], new_queue: Callable[..., Queue]
) -> Callable[..., Scene]:
    """Makes scenes that the caller closes."""

    def make(
        audit: bool = True, fifo: bool = False, table: Options | None = None, queue: Options | None = None
    ) -> Scene:
        if not binary_path().exists():
            pytest.fail(
                f"{binary_path()} does not exist: build it (tests/run does), or set TABLE_UPDATER", pytrace=False
            )
        dlq = new_queue("dead", fifo=fifo)
        updates = new_queue(fifo=fifo, dlq=dlq, **(queue or {}))
        return Scene(cloud, new_table(**(table or {})), new_audit_table() if audit else None, updates, dlq)

    return make


@pytest.fixture
def new_scene(make_scene: Callable[..., Scene]) -> Iterator[Callable[..., Scene]]:
    """Makes scenes. audit=False: no audit table. fifo=True: FIFO queues. table=…, queue=…: options of their makers."""
    with contextlib.ExitStack() as closing:

        def make(**options: Any) -> Scene:
            scene = make_scene(**options)
            closing.callback(scene.close)
            return scene

        yield make


@pytest.fixture
def scene(new_scene: Callable[..., Scene]) -> Scene:
    """The usual scene: string key `id`, audit table, standard queue with a DLQ."""
    return new_scene()


@pytest.fixture(scope="module")
def module_scene(make_scene: Callable[..., Scene]) -> Iterator[Scene]:
    """The usual scene, shared by a module's tests that don't disturb each other."""
    with contextlib.closing(make_scene()) as shared:
        yield shared


@pytest.fixture
def sqs_proxy(cloud: Cloud) -> Iterator[Proxy]:
    """Before SQS."""
    with Proxy(cloud.sqs_server.url) as proxy:
        yield proxy


@pytest.fixture
def dynamodb_proxy(cloud: Cloud) -> Iterator[Proxy]:
    """Before DynamoDB."""
    with Proxy(cloud.dynamodb_server.url) as proxy:
        yield proxy
