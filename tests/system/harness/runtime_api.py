"""AWS Lambda's runtime API on loopback, held by a test, and the events that AWS documents.

with RuntimeApi() as api:
    function = scene.command("lambda", AWS_LAMBDA_RUNTIME_API=api.address)
    answer = api.invoke({"id": "a", "attributes": {"n": 1}})
    assert answer.json["success"]
"""

from __future__ import annotations

import itertools
import json
import queue
import socket
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from harness.polling import PATIENCE

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What the runtime posted for an invocation, or for its initialisation."""

    kind: str  # "response" or "error"
    body: bytes
    error_type: str | None
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def http(self) -> tuple[int, Json]:
        """Of a request: its status and its body."""
        assert self.kind == "response" and self.json["headers"] == {"Content-Type": "application/json"}
        assert self.json["isBase64Encoded"] is False
        return self.json["statusCode"], json.loads(self.json["body"])

    @property
    def failures(self) -> list[str]:
        """Of SQS's records: those that come again."""
        assert self.kind == "response" and list(self.json) == ["batchItemFailures"]
        return [failure["itemIdentifier"] for failure in self.json["batchItemFailures"]]


class RuntimeApi:
    """Serves invocations one after the other. fail_next, fail_answer: statuses (or "close") of the next such requests,
    before they are served as usual."""

    def __init__(self) -> None:
        self.fail_next: deque[int | str] = deque()
        self.fail_answer: deque[int | str] = deque()
        self.nexts = 0  # asked for, failed ones included
        self.init_errors: queue.Queue[Answer] = queue.Queue()
        self._events: queue.Queue[tuple[str, dict[str, str], bytes]] = queue.Queue()
        self._answers: dict[str, queue.Queue[Answer]] = {}
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> RuntimeApi:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def begin(
        self, event: Any, request_id: str | None = None, seconds: float | None = 30, trace: str | None = None
    ) -> str:
        """Puts an invocation in the queue: bytes or text as they are, anything else as JSON. seconds: to its deadline;
        None: no such header."""
        request_id = request_id or str(uuid.uuid4())
        body = event if isinstance(event, bytes) else event.encode() if isinstance(event, str) else None
        headers = {"Lambda-Runtime-Aws-Request-Id": request_id, "Content-Type": "application/json"}
        if seconds is not None:
            headers["Lambda-Runtime-Deadline-Ms"] = str(int((time.time() + seconds) * 1000))
        if trace is not None:
            headers["Lambda-Runtime-Trace-Id"] = trace
        self._answers.setdefault(request_id, queue.Queue())
        self._events.put((request_id, headers, json.dumps(event).encode() if body is None else body))
        return request_id

    def answer(self, request_id: str, patience: float = PATIENCE) -> Answer:
        """Waits for an invocation's answer."""
        return self._answers[request_id].get(timeout=patience)

    def invoke(self, event: Any, **options: Any) -> Answer:
        """One invocation, and its answer."""
        return self.answer(self.begin(event, **options))

    def _handler(api) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else a head waits 40 ms for its body

            def log_message(self, *_: object) -> None:
                pass

            def reply(self, status: int, body: bytes = b"", headers: Json | None = None) -> None:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def fails(self, planned: deque[int | str]) -> bool:
                if not planned:
                    return False
                how = planned.popleft()
                if how == "close":
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                else:
                    self.reply(int(how), b'{"errorMessage":"planned","errorType":"Planned"}')
                return True

            def do_GET(self) -> None:
                api.nexts += 1
                assert self.path == "/2018-06-01/runtime/invocation/next", self.path
                if self.fails(api.fail_next):
                    return
                while not api._closing.is_set():
                    try:
                        _, headers, body = api._events.get(timeout=0.05)
                    except queue.Empty:
                        continue
                    self.reply(200, body, headers)
                    return
                self.close_connection = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.fails(api.fail_answer):
                    return
                error_type = self.headers["Lambda-Runtime-Function-Error-Type"]
                *_, request_id, kind = self.path.split("/")
                answer = Answer(kind, body, error_type)
                if self.path == "/2018-06-01/runtime/init/error":
                    api.init_errors.put(answer)
                else:
                    assert self.path == f"/2018-06-01/runtime/invocation/{request_id}/{kind}", self.path
                    api._answers[request_id].put(answer)
                self.reply(202, b'{"status":"OK"}\n')

        return Handler


# Events, as the developer guides of AWS Lambda and API Gateway show them; what a test gives takes the place of theirs.

_NUMBERS = itertools.count()


def rest_api(body: str | None, headers: Json | None = None, **members: Any) -> Json:
    """A REST API's proxy event (format 1.0)."""
    given = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Host": "gy415nuibc.execute-api.us-east-1.amazonaws.com",
    }
    given |= headers or {}
    return {
        "resource": "/my/path",
        "path": "/my/path",
        "httpMethod": "POST",
        "headers": given,
        "multiValueHeaders": {name: [value] for name, value in given.items()},
        "queryStringParameters": {"parameter1": "value1"},
        "multiValueQueryStringParameters": {"parameter1": ["value1", "value2"]},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "id",
            "authorizer": {"claims": None, "scopes": None},
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "extendedRequestId": "request-id",
            "httpMethod": "POST",
            "identity": {"cognitoIdentityId": None, "sourceIp": "192.0.2.1", "userAgent": "user-agent"},
            "path": "/my/path",
            "protocol": "HTTP/1.1",
            "requestId": "id=",
            "requestTime": "04/Mar/2020:19:15:17 +0000",
            "requestTimeEpoch": 1583349317135,
            "resourceId": None,
            "resourcePath": "/my/path",
            "stage": "$default",
        },
        "pathParameters": None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
        **members,
    }


def http_api(body: str | None, headers: Json | None = None, **members: Any) -> Json:
    """An HTTP API's event (format 2.0); a function URL's is of the same form."""
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/path",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["cookie1", "cookie2"],
        "headers": {"header1": "value1", "content-type": "application/json", **(headers or {})},
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "authentication": None,
            "authorizer": {"iam": {"accessKey": "AKIA", "accountId": "111122223333", "callerId": "AIDA"}},
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": "POST",
                "path": "/my/path",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        "pathParameters": {"parameter1": "value1"},
        "isBase64Encoded": False,
        "stageVariables": {"stageVariable1": "value1"},
        **members,
    }
    return event if body is None else {**event, "body": body}


def sqs_record(body: str | None, queue_name: str = "my-queue", group: str | None = None, **attributes: str) -> Json:
    """One record of an event of SQS; body None: it has none."""
    number = next(_NUMBERS)
    system = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": str(1545082649183 + number),
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": "1545082649185",
    }
    if group is not None:
        fifo = {"SequenceNumber": f"{18849496460467696128 + number}", "MessageDeduplicationId": f"d{number}"}
        system |= {"MessageGroupId": group, **fifo}
    record = {
        "messageId": f"059f36b4-87a3-44ab-83d2-{number:012}",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
        "body": body,
        "attributes": system | attributes,
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-2:123456789012:{queue_name}",
        "awsRegion": "us-east-2",
    }
    if body is None:
        del record["body"]
    return record


def sqs_event(*bodies: str | Json, **options: Any) -> Json:
    """An event of SQS: bodies, or records as they are."""
    return {"Records": [body if isinstance(body, dict) else sqs_record(body, **options) for body in bodies]}


_SNS = "https://sns.us-east-1.amazonaws.com"
_TOPIC = "arn:aws:sns:us-east-1:123456789012:sns-lambda"


def sns_event(message: str, identity: str | None = None) -> Json:
    """An event of SNS."""
    return {
        "Records": [
            {
                "EventVersion": "1.0",
                "EventSubscriptionArn": f"{_TOPIC}:21be56ed-a058-49f5-8c98-aedd2564c486",
                "EventSource": "aws:sns",
                "Sns": {
                    "SignatureVersion": "1",
                    "Timestamp": "2019-01-02T12:45:07.000Z",
                    "Signature": "tcc6faL2yUC6dgZdmrwh1Y4cGa/ebXEkAi6RibDsvpi+tE/1+82j...65r==",
                    "SigningCertUrl": f"{_SNS}/SimpleNotificationService-ac565b8b1a6c5d002d285f9598aa1d9b.pem",
                    "MessageId": identity or str(uuid.uuid4()),
                    "Message": message,
                    "MessageAttributes": {"Test": {"Type": "String", "Value": "TestString"}},
                    "Type": "Notification",
                    "UnsubscribeUrl": f"{_SNS}/?Action=Unsubscribe&SubscriptionArn={_TOPIC}:21be56ed-a058-49f5-8c98",
                    "TopicArn": _TOPIC,
                    "Subject": "TestInvoke",
                },
            }
        ]
    }


def eventbridge_event(detail: Any, identity: str | None = None) -> Json:
    """An event of EventBridge."""
    return {
        "version": "0",
        "id": identity or str(uuid.uuid4()),
        "detail-type": "Record Changed",
        "source": "com.example.app",
        "account": "111122223333",
        "time": "2017-12-22T18:43:48Z",
        "region": "us-west-1",
        "resources": ["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],
        "detail": detail,
    }
