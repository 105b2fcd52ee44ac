"""Which actions of IAM a command needs, by the requests that it makes.

`Process` asks tapped() for its environment. Where RECORD_ACTIONS names a folder, the program is led to taps on
loopback: they pass every byte on as it is, and write down which actions the requests take, and of which resource.
Everywhere else nothing changes. record_actions.py makes iam_actions.json of that."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

COMMANDS = ("run", "check", "apply", "enqueue", "reconcile", "dlq", "redrive", "lambda")
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_DYNAMODB")
_MEMBERS = {"Update": "UpdateItem", "Put": "PutItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


def needed(operation: str, body: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The actions that IAM asks for, each with the name of its queue or table and the operation that encloses it.

    A transaction has no action of its own: each of its members is allowed as what it does. A batch of SQS is allowed as
    its single call."""
    service, _, call = operation.partition(".")
    if service == "AmazonSQS":
        queue = body.get("QueueUrl", body.get("QueueName", "")).rsplit("/", 1)[-1]
        return [(f"sqs:{call.removesuffix('Batch')}", queue, "")]
    if call == "TransactWriteItems":
        members = [(_MEMBERS[kind], it) for member in body["TransactItems"] for kind, it in member.items()]
        return [(f"dynamodb:{action}", it["TableName"].rsplit("/", 1)[-1], call) for action, it in members]
    tables = body.get("RequestItems") or [body["TableName"]]
    return [(f"dynamodb:{call}", table.rsplit("/", 1)[-1], "") for table in tables]


def requests(stream: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The whole requests of what a client has sent on one connection: operation and body."""
    found = []
    while (end := stream.find(b"\r\n\r\n")) >= 0:
        lines = stream[:end].decode("latin-1").split("\r\n")[1:]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        body = stream[end + 4 : end + 4 + length]
        stream = stream[end + 4 + length :]
        target = headers.get("x-amz-target", "")
        if len(body) == length and target.startswith(("AmazonSQS.", "DynamoDB_20120810.")):
            found.append((target, json.loads(body)))
    return found


class Resources:
    """Which of a command's four resources a name is: by its settings, else by how the tests call such things."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        given = dict(environment)
        for i, argument in enumerate(arguments):
            name, equals, value = argument.removeprefix("--").partition("=")
            if argument.startswith("--") and (equals or i + 1 < len(arguments)):
                given[name.upper().replace("-", "_")] = value if equals else arguments[i + 1]
        names = ("QUEUE_URL", "DLQ_URL", "TABLE_NAME", "AUDIT_LOG_TABLE")
        self.queue, self.dlq, self.table, self.audit = (given.get(name, "").rsplit("/", 1)[-1] for name in names)

    def kind(self, action: str, name: str) -> str:
        if action.startswith("sqs:"):
            return "dlq" if name != self.queue and (name == self.dlq or name.startswith("dead")) else "queue"
        return "audit_table" if name != self.table and (name == self.audit or name.startswith("audit")) else "table"


class _Taps:
    """All taps of this process, in a thread of their own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / f"{os.getpid()}.jsonl"
        self.seen: set[tuple[str, ...]] = set()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def open(self, url: str, command: str, resources: Resources) -> str:
        parts = urlsplit(url)
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._relay(reader, writer, (parts.hostname or "", parts.port or 80), command, resources, test)

        async def listen() -> int:
            server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
            return int(server.sockets[0].getsockname()[1])

        port = asyncio.run_coroutine_threadsafe(listen(), self.loop).result(60)
        return f"http://127.0.0.1:{port}"

    async def _relay(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        service: tuple[str, int],
        command: str,
        resources: Resources,
        test: str,
    ) -> None:
        with contextlib.suppress(OSError):
            there_reader, there_writer = await asyncio.open_connection(*service)
            sent = bytearray()

            async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, kept: bytearray | None) -> None:
                with contextlib.suppress(OSError):
                    while data := await source.read(65536):
                        if kept is not None:
                            kept += data
                        sink.write(data)
                        await sink.drain()
                with contextlib.suppress(OSError):
                    sink.close()

            await asyncio.gather(pump(reader, there_writer, sent), pump(there_reader, writer, None))
            for operation, body in requests(bytes(sent)):
                for action, name, enclosing in needed(operation, body):
                    self._write((command, resources.kind(action, name), action, enclosing), test)
        writer.close()

    def _write(self, call: tuple[str, ...], test: str) -> None:
        if call not in self.seen:
            self.seen.add(call)
            with self.file.open("a") as out:
                out.write(json.dumps([*call, test]) + "\n")


_taps: list[_Taps] = []


def tapped(arguments: list[str], environment: dict[str, str]) -> dict[str, str]:
    """The environment of a process, with taps before its services while actions are recorded."""
    folder = os.environ.get("RECORD_ACTIONS")
    command = next((argument for argument in arguments if argument in COMMANDS), None)
    if not folder or not command:
        return environment
    if not _taps:
        _taps.append(_Taps(Path(folder)))
    resources = Resources(arguments, environment)
    local = [name for name in _ENDPOINTS if environment.get(name, "").startswith("http://127.0.0.1:")]
    return {**environment, **{name: _taps[0].open(environment[name], command, resources) for name in local}}
