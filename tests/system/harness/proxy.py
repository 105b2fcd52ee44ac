"""A programmable HTTP/1.1 proxy on loopback that stands between table-updater and one service.

It records every request, and lets rules act on those they match: before the request is forwarded, after the service has
committed it, or instead of it. The actions themselves are in faults.py.

    with Proxy("http://127.0.0.1:8000") as proxy:
        rule = proxy.on("TransactWriteItems", faults.cut_response(), probability=0.3, seed=7)
        ...
        assert rule.fired and proxy.count("TransactWriteItems") > rule.fired
"""

import asyncio
import json
import random
import socket
import struct
import threading
import time
import zlib
from urllib.parse import urlsplit

from harness.polling import PATIENCE, wait_until

HOP_HEADERS = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "te",
    "trailer",
    "upgrade",
    "proxy-connection",
}
BIG = 256 * 1024 * 1024
AT_START = (
    b"attribute_exists(#0) AND attribute_not_exists(#0)"  # what `run` tries before its first receive; it can't hold
)


class Closed(Exception):
    """The peer has closed, or an action has cut the connection."""


class Request:
    """One request as the proxy received it, and what became of it."""

    def __init__(self, number, connection, method, path, headers, body):
        self.number = number  # from 0, over all operations
        self.connection = connection
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if self.operation == "TransactWriteItems" and AT_START in body:
            self.operation = "TransactionAtStart"  # rules and counts are for those of messages
        self.started = time.monotonic()
        self.finished = None  # when the last byte of the answer was sent, or the connection was cut
        self.forwarded = None  # when the service was asked
        self.service_status = None  # what the service answered
        self.service_body = None
        self.status = None  # what the client was answered; None: nothing, or nothing whole
        self.rule = None  # that acted on it

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.number} {self.operation} service={self.service_status} client={self.status}>"


class Response:
    def __init__(self, status, headers, body, reason=""):
        self.status, self.reason, self.headers, self.body = status, reason, dict(headers), body

    @property
    def json(self):
        return json.loads(self.body)

    def replace_json(self, value):
        """Takes another body, with the checksum that belongs to it."""
        self.body = json.dumps(value).encode()
        if "x-amz-crc32" in self.headers:
            self.headers["x-amz-crc32"] = str(zlib.crc32(self.body))

    def encode(self):
        lines = [f"HTTP/1.1 {self.status} {self.reason or 'Answer'}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items() if name.lower() not in HOP_HEADERS]
        lines += [f"content-length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


class Rule:
    """Which requests an action is for."""

    def __init__(self, proxy, operation, action, when, skip, times, probability, seed):
        self.proxy, self.action, self.when, self.skip, self.times = proxy, action, when, skip, times
        self.operations = {operation} if isinstance(operation, str) else operation and set(operation)
        self.probability, self.random = probability, random.Random(seed)
        self.matched = 0  # requests that it is for, those skipped and spared by chance included
        self.fired = 0

    def takes(self, request):
        if self.operations and request.operation not in self.operations:
            return False
        if self.times is not None and self.fired >= self.times:
            return False
        if self.when and not self.when(request):
            return False
        self.matched += 1
        if self.matched <= self.skip or self.random.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def remove(self):
        self.proxy.remove(self)

    def wait(self, times=1):
        wait_until(lambda: self.fired >= times, f"a rule for {self.operations} fired {times} times")


class Exchange:
    """What an action works on: one request, its client, and the way to the service."""

    def __init__(self, connection, request):
        self.connection, self.request, self.proxy = connection, request, connection.proxy
        self.answered = False

    async def forward(self, body=None):
        """Asks the service, with another body where one is given; returns its Response."""
        self.request.forwarded = time.monotonic()
        response = await self.connection.ask(self.request, self.request.body if body is None else body)
        self.request.service_status, self.request.service_body = response.status, response.body
        return response

    async def send(self, response):
        self.answered = True
        await self.connection.write(response.encode())
        self.request.status = response.status

    async def send_bytes(self, data):
        self.answered = True
        await self.connection.write(data)

    def cut(self, reset=False):
        """Closes the connection to the client; with reset, by RST instead of FIN."""
        self.answered = True
        self.connection.cut(reset)
        raise Closed

    @property
    def client_gone(self):
        return self.connection.reader.at_eof()

    async def wait(self, seconds):
        await asyncio.sleep(seconds)

    async def wait_for_end(self):
        """Until the client goes away or the proxy is closed."""
        while await self.connection.reader.read(65536):
            pass


async def pass_on(exchange):
    await exchange.send(await exchange.forward())


class Connection:
    """One client, with a connection of its own to the service."""

    def __init__(self, proxy, number, reader, writer):
        self.proxy, self.number, self.reader, self.writer = proxy, number, reader, writer
        self.service_reader = self.service_writer = None

    async def serve(self):
        try:
            while True:
                request = await self.read_request()
                try:
                    await self.answer(request)
                finally:
                    request.finished = time.monotonic()
        except (Closed, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            for writer in (self.writer, self.service_writer):
                if writer:
                    writer.close()

    async def answer(self, request):
        exchange = Exchange(self, request)
        request.rule = self.proxy.rule_for(request)
        try:
            await (request.rule.action if request.rule else pass_on)(exchange)
        except OSError:
            if exchange.answered:
                raise
            await exchange.send(Response(502, {}, b"the service can't be reached"))
        if not exchange.answered:
            raise Closed

    async def read_head(self, reader):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {}
        for line in head[1:]:
            if line:
                name, _, value = line.partition(":")
                headers[name.strip().lower()] = value.strip()
        return head[0], headers

    async def read_body(self, reader, headers):
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body = b""
            while size := int((await reader.readline()).split(b";")[0], 16):
                body += await reader.readexactly(size)
                await reader.readline()
            while (await reader.readline()).strip():
                pass
            return body
        return await reader.readexactly(int(headers.get("content-length", 0)))

    async def read_request(self):
        line, headers = await self.read_head(self.reader)
        method, path, _ = line.split(" ", 2)
        if headers.get("expect", "").lower() == "100-continue":
            await self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await self.read_body(self.reader, headers)
        return self.proxy.record(self.number, method, path, headers, body)

    async def ask(self, request, body):
        if self.service_reader is None or self.service_reader.at_eof():
            self.service_reader, self.service_writer = await asyncio.open_connection(*self.proxy.service, limit=BIG)
        lines = [f"{request.method} {request.path} HTTP/1.1"]
        lines += [
            f"{name}: {value}"
            for name, value in request.headers.items()
            if name not in HOP_HEADERS and name != "expect"
        ]
        lines += [f"content-length: {len(body)}", "", ""]
        self.service_writer.write("\r\n".join(lines).encode("latin-1") + body)
        await self.service_writer.drain()
        status_line, headers = await self.read_head(self.service_reader)
        _, status, *reason = status_line.split(" ", 2)
        answer = await self.read_body(self.service_reader, headers)
        if headers.get("connection", "").lower() == "close":
            self.service_writer.close()
            self.service_reader = None
        return Response(int(status), headers, answer, *reason)

    async def write(self, data):
        if self.writer.is_closing():
            raise Closed
        self.writer.write(data)
        await self.writer.drain()

    def cut(self, reset):
        if reset:
            linger_zero = struct.pack("ii", 1, 0)
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
            self.writer.transport.abort()
        else:
            self.writer.close()


class Proxy:
    """Runs in a thread of its own, from `with` (or start()) until close()."""

    def __init__(self, service_url, host="127.0.0.1", port=0):
        """port: 0 for any that is free."""
        parts = urlsplit(service_url)
        self.host, self.port = host, port
        self.service = (parts.hostname, parts.port)
        self.lock = threading.Lock()
        self.all, self.rules, self.connections = [], [], {}
        self.accepted = 0
        self.listener = None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def start(self):
        self.thread.start()
        self.run(self.listen())
        self.url = f"http://{self.host}:{self.port}"
        return self

    def close(self):
        if self.loop.is_closed():
            return
        self.run(self.hang_up())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    async def listen(self):
        self.listener = await asyncio.start_server(self.accept, self.host, self.port, limit=BIG, backlog=1024)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def hang_up(self):
        if self.listener:
            self.listener.close()
            self.listener = None
        tasks = list(self.connections.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def accept(self, reader, writer):
        number, self.accepted = self.accepted, self.accepted + 1
        self.connections[number] = asyncio.current_task()
        try:
            await Connection(self, number, reader, writer).serve()
        finally:
            del self.connections[number]

    def stop_listening(self):
        """Cuts every connection and refuses new ones, until listen_again()."""
        self.run(self.hang_up())

    def listen_again(self):
        self.run(self.listen())

    def cut_all(self):
        """Cuts every connection; new ones are taken."""
        self.run(self.hang_up())
        self.run(self.listen())

    def settle(self):
        """Once the clients are gone: waits until whatever they had sent is answered, by the service at least."""
        accepted = self.accepted
        with socket.create_connection((self.host, self.port)):  # it stands behind those that were not accepted yet
            wait_until(lambda: self.accepted > accepted, "the connections that wait")
        wait_until(lambda: not self.connections, "the end of all connections")

    def on(self, operation, action, *, when=None, skip=0, times=None, probability=1.0, seed=1, first=False):
        """Adds a rule. The first that takes a request acts. operation: a name, several, or None for any; skip: that
        many matching requests are spared first; times: it fires at most so often; first: it goes before the rules there
        are."""
        rule = Rule(self, operation, action, when, skip, times, probability, seed)
        with self.lock:
            self.rules.insert(0 if first else len(self.rules), rule)
        return rule

    def remove(self, rule):
        with self.lock:
            self.rules.remove(rule)

    def clear(self):
        with self.lock:
            self.rules.clear()

    def rule_for(self, request):
        with self.lock:
            return next((rule for rule in self.rules if rule.takes(request)), None)

    def record(self, connection, method, path, headers, body):
        with self.lock:
            request = Request(len(self.all), connection, method, path, headers, body)
            self.all.append(request)
            return request

    def requests(self, *operations):
        """What was received so far; of some operations, or of all."""
        with self.lock:
            return [r for r in self.all if not operations or r.operation in operations]

    def count(self, *operations):
        return len(self.requests(*operations))

    def max_concurrency(self, *operations):
        """How many requests were open at once at most."""
        edges = []
        for request in self.requests(*operations):
            edges.append((request.started, 1))
            edges.append((request.finished or time.monotonic(), -1))
        most = now = 0
        for _, step in sorted(edges):
            now += step
            most = max(most, now)
        return most

    def wait_for(self, operation, times=1):
        wait_until(lambda: self.count(operation) >= times, f"{times} requests of {operation}")
