"""What the proxy can do to a request: actions for Proxy.on(). Each maker returns a coroutine function that takes an
Exchange."""

import json
import time
import zlib
from email.utils import formatdate

from harness.proxy import Response, pass_on

JSON_HEADERS = {"content-type": "application/x-amz-json-1.0"}


# What the service's answers have, and no box on the path knows.
REQUEST_ID = "5B8G6K2LM5R2VMKSAV3Q1QBPGNVV4KQNSO5AEMVJF66Q9ASUAAJG"


def _encoded(body):
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def respond(status, body=b"", headers=None):
    """Answers without asking the service, as some box on the path does. body: bytes, or a value for JSON."""
    data = _encoded(body)

    async def action(exchange):
        await exchange.send(Response(status, headers or JSON_HEADERS, data))

    return action


def respond_as_service(status, body=b"", headers=None):
    """The same with the marks of the service's own answers."""
    data = _encoded(body)
    marks = {"x-amzn-requestid": REQUEST_ID, "x-amz-crc32": str(zlib.crc32(data))}
    return respond(status, data, {**JSON_HEADERS, **marks, **(headers or {})})


def service_error(
    code, status=400, message="As the service says.", namespace="com.amazonaws.dynamodb.v20120810", headers=None
):
    return respond_as_service(status, {"__type": f"{namespace}#{code}", "message": message}, headers)


def internal_error():
    """A 500 with the body that DynamoDB gives."""
    return service_error("InternalServerError", 500, "The request processing has failed because of an unknown error")


def load_balancer_error(status=503):
    """An error that is no answer of the service: some machine on the way had none."""
    return respond(status, b"<html><body>Service Unavailable</body></html>", {"content-type": "text/html"})


def throttled(code="ThrottlingException"):
    return service_error(code, 400, "Rate exceeded")


def denied(message="User is not authorized to perform this"):
    return service_error("AccessDeniedException", 400, message, "com.amazon.coral.service")


def cancelled(*reasons):
    """A transaction cancelled for these reasons, in order: a code, or (code, item)."""
    entries = []
    for reason in reasons:
        code, item = reason if isinstance(reason, tuple) else (reason, None)
        entry = {"Code": code}
        if code != "None":
            entry["Message"] = "The reason as the service has it"
        if item is not None:
            entry["Item"] = item
        entries.append(entry)
    codes = ", ".join(entry["Code"] for entry in entries)
    return respond_as_service(
        400,
        {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
            "CancellationReasons": entries,
        },
    )


def cut_response(after=0, reset=False):
    """The service commits; of its answer, only so many bytes arrive before the connection is cut."""

    async def action(exchange):
        response = await exchange.forward()
        if after:
            await exchange.send_bytes(response.encode()[:after])
        exchange.cut(reset)

    return action


def cut_request(reset=True):
    """The connection is cut before the service was asked."""

    async def action(exchange):
        exchange.cut(reset)

    return action


def garbage(data=b"\x16\x03\x01\x00\xa5 this is no HTTP \x00\xff\r\n\r\n"):
    async def action(exchange):
        await exchange.send_bytes(data)
        exchange.cut()

    return action


def slow(pieces=20, pause=0.01):
    """The answer comes in so many pieces."""

    async def action(exchange):
        response = await exchange.forward()
        data = response.encode()
        size = max(1, -(-len(data) // pieces))
        for at in range(0, len(data), size):
            await exchange.send_bytes(data[at : at + size])
            await exchange.wait(pause)
        exchange.request.status = response.status

    return action


def black_hole(commit=False):
    """No answer, ever; with commit, the service is asked all the same."""

    async def action(exchange):
        if commit:
            await exchange.forward()
        await exchange.wait_for_end()

    return action


def delay(before=0.0, after=0.0):
    """Waits before the service is asked, or when it has answered."""

    async def action(exchange):
        await exchange.wait(before)
        response = await exchange.forward()
        await exchange.wait(after)
        await exchange.send(response)

    return action


def until(event, commit=False):
    """Holds the request (with commit: its answer) until the threading.Event is set. Where the client is gone by then,
    the service isn't asked any more."""

    async def action(exchange):
        response = await exchange.forward() if commit else None
        while not event.is_set():
            if exchange.client_gone:
                exchange.cut()
            await exchange.wait(0.01)
        await exchange.send(response or await exchange.forward())

    return action


def edit_request(change):
    """change(value) gets the request's JSON, and alters it or returns another."""

    async def action(exchange):
        value = exchange.request.json
        changed = change(value)
        body = json.dumps(value if changed is None else changed).encode()
        await exchange.send(await exchange.forward(body))

    return action


def edit_response(change):
    """change(value) gets the answer's JSON, and alters it or returns another. Answers other than 200 pass as they
    are."""

    async def action(exchange):
        response = await exchange.forward()
        if response.status == 200:
            value = response.json
            changed = change(value)
            response.replace_json(value if changed is None else changed)
        await exchange.send(response)

    return action


def _withhold(select, report):
    async def action(exchange):
        value = exchange.request.json
        withheld = [e for at, e in enumerate(value["Entries"]) if select(at, e)]
        value["Entries"] = [e for e in value["Entries"] if e not in withheld]
        if value["Entries"]:
            response = await exchange.forward(json.dumps(value).encode())
            answer = response.json if response.status == 200 else None
        else:
            response, answer = Response(200, JSON_HEADERS, b"{}"), {}
        if answer is not None:
            for entry in withheld:
                list_name, result = report(entry)
                answer.setdefault(list_name, []).append(result)
            response.replace_json(answer)
        await exchange.send(response)

    return action


def fail_entries(select, code="InternalError", sender_fault=False):
    """Entries of a batch for which select(index, entry) is true don't reach the service, and are reported as Failed."""
    return _withhold(select, lambda entry: ("Failed", {"Id": entry["Id"], "SenderFault": sender_fault, "Code": code}))


def pretend_entries(select=lambda at, entry: True):
    """Entries of a batch don't reach the service, and are reported as Successful: what a stale receipt handle can
    do."""
    return _withhold(select, lambda entry: ("Successful", {"Id": entry["Id"]}))


def shift_date(seconds):
    """The answer's Date is so far from the truth."""

    async def action(exchange):
        response = await exchange.forward()
        response.headers["date"] = formatdate(time.time() + seconds, usegmt=True)
        await exchange.send(response)

    return action


def wrong_crc32():
    async def action(exchange):
        response = await exchange.forward()
        response.headers["x-amz-crc32"] = str(zlib.crc32(response.body) ^ 1)
        await exchange.send(response)

    return action


def wrong_body_md5(select=lambda at, message: True):
    """Received messages for which select(index, message) is true bear an MD5OfBody that isn't theirs."""

    def change(answer):
        for at, message in enumerate(answer.get("Messages", [])):
            if select(at, message):
                message["MD5OfBody"] = "0" * 32

    return edit_response(change)


def sequence(*actions):
    """The first action for the first request that the rule takes, and so on; afterwards requests pass."""
    rest = list(actions)

    async def action(exchange):
        await (rest.pop(0) if rest else pass_on)(exchange)

    return action


def about(record_id, key="id"):
    """For Proxy.on(when=…): transactions that update this record (string key)."""

    def when(request):
        if request.operation != "TransactWriteItems":
            return False
        keys = [action["Update"]["Key"] for action in request.json["TransactItems"] if "Update" in action]
        return any(one[key] == {"S": record_id} for one in keys)

    return when


def reasons(update="None", audit="None"):
    """A cancellation whose reasons stand where the request has its Update and its Put; each as cancelled() takes it."""

    async def action(exchange):
        order = [update if "Update" in one else audit for one in exchange.request.json["TransactItems"]]
        await cancelled(*order)(exchange)

    return action
