"""The programmable proxy itself, in front of a small stand-in service: what the fault tests rest on."""

import http.client
import json
import threading
import time
import zlib
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness import faults
from harness.polling import wait_until
from harness.proxy import Proxy


class Service(BaseHTTPRequestHandler):
    """Answers every POST with what it was asked, and remembers it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(body)
        value = json.loads(body) if body else {}
        if "Entries" in value:
            value = {"Successful": [{"Id": e["Id"]} for e in value["Entries"]]}
        answer = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("X-Amz-Crc32", str(zlib.crc32(answer)))
        if self.headers.get("X-Chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for byte in answer:
                self.wfile.write(b"1\r\n%c\r\n" % byte)
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.daemon_threads = True
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def proxy(service):
    with Proxy(f"http://127.0.0.1:{service.server_port}") as p:
        yield p


class Client:
    def __init__(self, proxy):
        self.connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)

    def call(self, operation="Op", value=None, headers=None):
        body = json.dumps(value or {}).encode()
        self.connection.request("POST", "/", body, {"X-Amz-Target": f"Some_2012.{operation}", **(headers or {})})
        response = self.connection.getresponse()
        response.data = response.read()
        return response

    def json(self, *args, **more):
        return json.loads(self.call(*args, **more).data)


@pytest.fixture
def client(proxy):
    client = Client(proxy)
    yield client
    client.connection.close()


def test_without_rules_requests_and_answers_pass_unchanged(proxy, client, service):
    response = client.call("Op", {"a": "ü" * 100000})
    assert response.status == 200 and json.loads(response.data) == {"a": "ü" * 100000}
    assert response.headers["X-Amz-Crc32"] == str(zlib.crc32(response.data))
    client.call("Other", {"b": 2})
    wait_until(lambda: all(r.finished for r in proxy.requests()), "the end of both")
    assert [(r.operation, r.status, r.service_status, r.connection) for r in proxy.requests()] == [
        ("Op", 200, 200, 0),
        ("Other", 200, 200, 0),
    ]
    assert proxy.requests("Other")[0].json == {"b": 2} and proxy.requests()[0].body == service.seen[0]
    assert proxy.requests()[0].started <= proxy.requests()[0].forwarded <= proxy.requests()[0].finished


def test_a_chunked_answer_is_passed_whole(proxy, client):
    assert client.json("Op", {"a": 1}, headers={"X-Chunked": "1"}) == {"a": 1}


def test_a_rule_takes_what_it_names_and_no_more(proxy, client):
    rule = proxy.on("Op", faults.respond(418), when=lambda r: r.json["n"] % 2 == 0, skip=1, times=2)
    answers = [client.call(op, {"n": n}).status for op in ("Op", "Other") for n in range(1, 9)]
    assert answers == [200, 200, 200, 418, 200, 418, 200, 200] + [200] * 8
    assert (rule.fired, rule.matched) == (2, 3)
    proxy.clear()
    proxy.on(("A", "B"), faults.respond(418))
    proxy.on(None, faults.respond(419))
    proxy.on("C", faults.respond(420), first=True)
    assert [client.call(op).status for op in "ABCD"] == [418, 418, 420, 419]


def test_chance_is_the_same_for_the_same_seed(proxy, client):
    def run(seed):
        rule = proxy.on("Op", faults.respond(500), probability=0.3, seed=seed)
        answers = [client.call("Op").status for _ in range(60)]
        rule.remove()
        return answers

    first = run(7)
    assert first == run(7) and first != run(8) and 5 < first.count(500) < 35


def test_errors_bear_the_services_form(proxy, client):
    proxy.on("A", faults.throttled())
    proxy.on("B", faults.cancelled("None", ("ConditionalCheckFailed", {"id": {"S": "x"}})))
    proxy.on("C", faults.internal_error())
    proxy.on("D", faults.load_balancer_error())
    assert client.json("A")["__type"].endswith("#ThrottlingException")
    assert client.json("B")["CancellationReasons"] == [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "The reason as the service has it", "Item": {"id": {"S": "x"}}},
    ]
    assert client.call("C").status == 500
    response = client.call("D")
    assert response.status == 503 and response.data.startswith(b"<html>")


@pytest.mark.parametrize("after", [0, 20, 60])
@pytest.mark.parametrize("reset", [False, True])
def test_a_cut_response_was_committed_and_never_arrives_whole(proxy, client, service, after, reset):
    proxy.on("Op", faults.cut_response(after, reset), times=1)
    try:
        assert (
            client.call("Op", {"a": 1}).data != b'{"a": 1}'
        )  # http.client takes a head that is cut short for a whole one
    except (http.client.HTTPException, ConnectionError):
        pass
    assert len(service.seen) == 1
    request = proxy.requests()[0]
    wait_until(lambda: request.finished, "the request has ended")
    assert request.status is None and request.service_status == 200
    client.connection.close()
    assert client.json("Op", {"a": 1}) == {"a": 1}


def test_a_cut_request_never_reaches_the_service(proxy, client, service):
    proxy.on("Op", faults.cut_request())
    with pytest.raises(ConnectionError):
        client.call("Op")
    assert not service.seen and proxy.requests()[0].forwarded is None


def test_garbage_is_no_answer(proxy, client, service):
    proxy.on("Op", faults.garbage())
    with pytest.raises(http.client.BadStatusLine):
        client.call("Op")
    assert not service.seen


def test_a_slow_answer_arrives_whole(proxy, client):
    proxy.on("Op", faults.slow(pieces=30, pause=0.001))
    assert client.json("Op", {"a": "x" * 1000}) == {"a": "x" * 1000}


def test_a_black_hole_takes_requests_and_never_answers(proxy, service):
    proxy.on("Op", faults.black_hole(commit=True))
    client = Client(proxy)
    thread = threading.Thread(target=lambda: pytest.raises((OSError, http.client.HTTPException), client.call, "Op"))
    thread.start()
    wait_until(lambda: service.seen, "the service was asked")
    assert proxy.requests()[0].finished is None
    proxy.close()
    thread.join()
    assert proxy.requests()[0].status is None


def test_delays_are_before_or_after_the_commit(proxy, client):
    proxy.on("Op", faults.delay(before=0.02))
    proxy.on("Other", faults.delay(after=0.02))
    client.call("Op")
    client.call("Other")
    before, after = proxy.requests()
    wait_until(lambda: before.finished and after.finished, "the end of both")
    assert before.forwarded - before.started >= 0.02 and after.finished - after.forwarded >= 0.02


def test_concurrency_is_counted_while_requests_are_held(proxy):
    gate = threading.Event()
    proxy.on("Op", faults.until(gate))
    threads = [threading.Thread(target=lambda: Client(proxy).call("Op")) for _ in range(5)]
    for thread in threads:
        thread.start()
    proxy.wait_for("Op", 5)
    gate.set()
    for thread in threads:
        thread.join()
    assert proxy.max_concurrency("Op") == 5
    assert proxy.max_concurrency("Other") == 0


def test_an_edited_request_or_response_stays_well_formed(proxy, client, service):
    proxy.on("A", faults.edit_request(lambda value: {**value, "more": 1}))
    proxy.on("B", faults.edit_response(lambda value: value.update(more=2)))
    assert client.json("A", {"a": 1}) == {"a": 1, "more": 1}
    response = client.call("B", {"a": 1})
    assert json.loads(response.data) == {"a": 1, "more": 2} and response.headers["X-Amz-Crc32"] == str(
        zlib.crc32(response.data)
    )


def test_withheld_entries_are_reported_and_never_reach_the_service(proxy, client, service):
    entries = {"Entries": [{"Id": str(n)} for n in range(4)]}
    proxy.on("Fail", faults.fail_entries(lambda at, entry: at in (1, 3)))
    proxy.on("Pretend", faults.pretend_entries(lambda at, entry: entry["Id"] == "2"))
    proxy.on("All", faults.pretend_entries())
    answer = client.json("Fail", entries)
    assert [e["Id"] for e in answer["Successful"]] == ["0", "2"]
    assert [(e["Id"], e["SenderFault"], e["Code"]) for e in answer["Failed"]] == [
        ("1", False, "InternalError"),
        ("3", False, "InternalError"),
    ]
    assert sorted(e["Id"] for e in client.json("Pretend", entries)["Successful"]) == ["0", "1", "2", "3"]
    seen = [[e["Id"] for e in json.loads(body)["Entries"]] for body in service.seen]
    assert len(client.json("All", entries)["Successful"]) == 4
    assert seen == [["0", "2"], ["0", "1", "3"]] and len(service.seen) == 2


def test_dates_and_checksums_can_lie(proxy, client):
    proxy.on("Date", faults.shift_date(3600))
    proxy.on("Crc", faults.wrong_crc32())
    proxy.on("Md5", faults.wrong_body_md5(lambda at, message: at == 1))
    shifted = parsedate_to_datetime(client.call("Date").headers["Date"]).timestamp()
    assert shifted - time.time() > 1800
    response = client.call("Crc")
    assert int(response.headers["X-Amz-Crc32"]) != zlib.crc32(response.data)
    answer = client.json("Md5", {"Messages": [{"MD5OfBody": "a"}, {"MD5OfBody": "b"}]})
    assert [m["MD5OfBody"] for m in answer["Messages"]] == ["a", "0" * 32]


def test_a_sequence_acts_once_each_and_then_lets_pass(proxy, client):
    proxy.on("Op", faults.sequence(faults.throttled(), faults.internal_error()))
    assert [client.call("Op").status for _ in range(3)] == [400, 500, 200]


def test_an_outage_refuses_connections_and_ends(proxy, client):
    client.call("Op")
    proxy.stop_listening()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        client.call("Op")
    client.connection.close()
    with pytest.raises(ConnectionRefusedError):
        client.call("Op")
    proxy.listen_again()
    client.connection.close()
    assert client.call("Op").status == 200


def test_a_service_that_is_down_is_a_502(service):
    port = service.server_port
    service.shutdown()
    service.server_close()
    with Proxy(f"http://127.0.0.1:{port}") as proxy:
        assert Client(proxy).call("Op").status == 502
