"""A scene: one test's tables and queues, the programs that run on them, and the witnesses of what they did."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Iterable

from harness.polling import PATIENCE, wait_until
from harness.process import Applied, Process, Worker
from harness.queues import Queue, Received, Sent
from harness.tables import Table
from local_services import Cloud, free_port

Json = dict[str, Any]


def message(identity: Any, attributes: Json, **members: Any) -> str:
    """The body of an update message; members: condition_expression, enable_logging, idempotency_key, …"""
    return json.dumps({"id": identity, "attributes": attributes, **members}, ensure_ascii=False)


def log_id(table_name: str, key: str) -> str:
    """The frozen format of an audit record's log_id."""
    return hashlib.sha256(table_name.encode() + b"\0" + key.encode()).hexdigest()


@dataclass(frozen=True)
class Run:
    """What one `run --until-empty` did."""

    code: int
    log: list[str]
    sent: list[Sent]


def _parsed(text: str) -> Json:
    """A body as an object, {} where it is none; numbers keep their digits."""
    try:
        value = json.loads(text, parse_float=Decimal)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _hashable(value: Any) -> str:
    return repr(sorted(value.items()) if isinstance(value, dict) else value)


class Scene:
    """Table, audit table, queue and DLQ of one test. Every process it starts is stopped and checked at the end."""

    def __init__(self, cloud: Cloud, table: Table, audit: Table | None, queue: Queue, dlq: Queue | None) -> None:
        self.cloud = cloud
        self.table = table
        self.audit = audit
        self.queue = queue
        self.dlq = dlq
        self.processes: list[Process] = []
        self._dead: list[Received] = []
        self._left: list[Received] = []
        self._before: dict[str, Json] | None = None

    # Running

    def environment(self, **settings: Any) -> dict[str, str]:
        """The whole environment of a process: nothing is inherited but PATH. A setting of None is left out."""
        wanted: Json = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "LC_ALL": "C.UTF-8",
            **self.cloud.environment(),
            "TABLE_NAME": self.table.name,
            "QUEUE_URL": self.queue.url,
            "DLQ_URL": self.dlq.url if self.dlq else None,
            "AUDIT_LOG_TABLE": self.audit.name if self.audit else None,
            "ENABLE_AUDIT_LOG": "true" if self.audit else "false",
            "METRICS_ADDRESS": "off",
            **settings,
        }
        return {name: str(value) for name, value in wanted.items() if value is not None}

    def start(self, process: Process) -> Process:
        """Takes a process into the scene's care."""
        self.processes.append(process)
        return process

    def worker(self, *flags: str, log_to: int | None = None, **settings: Any) -> Worker:
        """Starts `run` with a metrics listener of its own. log_to: a descriptor for its standard error."""
        self._remember()
        worker = Worker(
            self.environment(**{"METRICS_ADDRESS": f"127.0.0.1:{free_port()}", **settings}), *flags, log_to=log_to
        )
        self.start(worker)
        return worker

    def command(
        self, *arguments: str, stdin: str | bytes | None = None, log_to: int | None = None, **settings: Any
    ) -> Process:
        """Starts any command. log_to: a descriptor for its standard error."""
        self._remember()
        data = stdin.encode() if isinstance(stdin, str) else stdin
        return self.start(Process(list(arguments), self.environment(**settings), data, log_to))

    def run_until_empty(
        self, *bodies: str | Json, flag: str = "--until-empty", patience: float = PATIENCE, **settings: Any
    ) -> Run:
        """Sends bodies, runs until the queue is empty, and returns exit code, log and what was sent."""
        sent = self.queue.send(*bodies)
        process = self.command("run", flag, **settings)
        return Run(process.wait(patience), process.log, sent)

    def apply(self, *lines: str | Json, **settings: Any) -> Applied:
        """Runs `apply` on lines."""
        texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
        return Applied(self.command("apply", stdin="".join(f"{text}\n" for text in texts), **settings))

    def close(self) -> None:
        """Ends what still runs and fails where anything crashed."""
        for process in self.processes:
            if process.running:
                process.kill()
        for process in self.processes:
            process.check()

    # Witnesses

    def audits(self, status: str = "success") -> dict[str, Json]:
        """The audit records of one status, by log_id."""
        assert self.audit, "this scene has no audit table"
        return {record["log_id"]: record for record in self.audit.scan() if record["status"] == status}

    def audit_of(self, sent: Sent) -> Json | None:
        """The success record of a message."""
        return self.audits().get(log_id(self.table.name, sent.key))

    def dead(self) -> list[Received]:
        """What went to the DLQ until now (read out and remembered)."""
        if self.dlq:
            self._dead += self.dlq.drain()
        return list(self._dead)

    def dead_of(self, sent: Sent) -> list[Received]:
        """The DLQ messages made from a message."""
        return [message for message in self.dead() if message.source["message_id"] == sent.message_id]

    def left(self) -> list[Received]:
        """What the processes left on the queue; waits for what is in flight to come back. Only once they have ended."""
        assert not any(process.running for process in self.processes), "a worker still runs"

        def drained() -> bool:
            self._left += self.queue.drain()
            return self.queue.counts().total == 0

        wait_until(drained, "the return of what was in flight", pause=0.2)
        return list(self._left)

    # Invariants (I3 shows itself as I1: what was deleted too early is nowhere)

    def check_invariants(
        self,
        sent: Iterable[Sent],
        *,
        environment_only: bool = False,
        max_receives: int | None = None,
        effects: bool = True,
    ) -> None:
        """Checks I1-I5 as far as they show from outside, after all processes have ended.

        environment_only: every fault was one of the environment, so that nothing may be in the DLQ and what is left was
        received at most max_receives times. effects: False where the test itself changed records meanwhile."""
        sent = list(sent)
        dead, left = self.dead(), self.left()
        records = self.audits() if self.audit else {}
        self._check_nothing_is_lost(sent, dead, left, records)
        self._check_applied_is_not_dead(dead, records)
        if effects:
            self._check_effects(sent, dead, records)
        if environment_only:
            assert not dead, f"I5: sent to the DLQ: {[message.envelope for message in dead]}"
            # Reading it out here was a receive, too.
            counts = {message.message_id: int(message.system["ApproximateReceiveCount"]) - 1 for message in left}
            assert max_receives is None or all(count <= max_receives for count in counts.values()), (
                f"I5: receives: {counts}"
            )

    def check_version_chain(self, identity: Any, count: int, attribute: str = "version") -> None:
        """I2 for messages that each set the version k+1 under `version = k`, from 0 on: each took effect exactly
        once."""
        record = self.table.get(identity)
        assert record and record[attribute] == count, f"I2: {attribute} is {record and record[attribute]}, not {count}"
        if self.audit:
            mine = [record for record in self.audits().values() if record["record_id"] == identity]
            assert len(mine) == count, f"I2: {len(mine)} success records for {count} effects"

    def _check_nothing_is_lost(
        self, sent: list[Sent], dead: list[Received], left: list[Received], records: dict[str, Json]
    ) -> None:
        buried = {message.source["message_id"] for message in dead}
        waiting = {message.message_id for message in left}
        for one in sent:
            if one.message_id in buried | waiting or log_id(self.table.name, one.key) in records:
                continue
            assert not self._asks_for_audit(one) and self._effect_stands(one), f"I1: nowhere: {one}"

    def _check_applied_is_not_dead(self, dead: list[Received], records: dict[str, Json]) -> None:
        for message in dead:
            if message.envelope["details"].get("field") == "idempotency_key":
                continue  # the key was another message's, and the record is its
            key = message.source["idempotency_key"]
            assert log_id(self.table.name, key) not in records, f"I4: applied, yet in the DLQ: {message.envelope}"

    def _check_effects(self, sent: list[Sent], dead: list[Received], records: dict[str, Json]) -> None:
        """A value that stands was there before, or some message that succeeded put it there."""
        for identity, record in records.items():
            assert identity == log_id(self.table.name, record["idempotency_key"]), f"I2: log_id of {record}"
        buried = {message.source["message_id"] for message in dead}
        certain = self._written((record["record_id"], record["updated_attributes"]) for record in records.values())
        bodies = [_parsed(one.body) for one in sent if not self._asks_for_audit(one) and one.message_id not in buried]
        possible = self._written(
            (body.get("id"), body.get("attributes", {})) for body in bodies if isinstance(body.get("attributes"), dict)
        )
        for key, record in self._snapshot().items():
            for name, value in record.items():
                before = (self._before or {}).get(key, {}).get(name)
                allowed = certain.get((key, name), []) + possible.get((key, name), [])
                if (key, name) not in certain:
                    allowed.append(before)
                assert value in allowed, f"I2: {name} of {key} is {value!r}, which no applied message wrote"

    @staticmethod
    def _written(updates: Iterable[tuple[Any, Json]]) -> dict[tuple[str, str], list[Any]]:
        values: dict[tuple[str, str], list[Any]] = {}
        for identity, attributes in updates:
            for name, value in attributes.items():
                values.setdefault((_hashable(identity), name), []).append(value)
        return values

    def _asks_for_audit(self, sent: Sent) -> bool:
        return bool(self.audit) and _parsed(sent.body).get("enable_logging", True) is True

    def _effect_stands(self, sent: Sent) -> bool:
        body = _parsed(sent.body)
        record = self._snapshot().get(_hashable(body.get("id")), {})
        attributes = body.get("attributes")
        return isinstance(attributes, dict) and all(record.get(name) == value for name, value in attributes.items())

    def _snapshot(self) -> dict[str, Json]:
        """The table's records by their id as a message writes it: the key's value, or an object where there is a sort
        key."""

        def identity(record: Json) -> Any:
            values = {name: record[name] for name in self.table.key}
            return values if len(values) > 1 else values[self.table.key[0]]

        return {_hashable(identity(record)): record for record in self.table.scan()}

    def _remember(self) -> None:
        if self._before is None:
            self._before = self._snapshot()
