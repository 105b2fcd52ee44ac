"""The services that credentials come from, on loopback: IMDS, a container's endpoint, STS, the portal of SSO."""

from __future__ import annotations

import json
import threading
import time
import zlib
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable
from urllib.parse import parse_qs, urlsplit

TOKEN = "instance-token=="
ROLE = "instance-role"
SECRET = "sEcReTaCcEsSkEy/of+all+fakes"


def moment(seconds_ahead: float = 6 * 3600) -> str:
    return datetime.fromtimestamp(time.time() + seconds_ahead, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def keys(name: str, **more: str) -> dict[str, str]:
    return {"AccessKeyId": name, "SecretAccessKey": SECRET, "Token": "token", "Expiration": moment(), **more}


def role_key(form: dict[str, list[str]], signer: str) -> str:
    """A key that says what was asked for, and by whom."""
    names = ("Action", "RoleArn", "ExternalId", "DurationSeconds", "WebIdentityToken", "RoleSessionName")
    asked = [form.get(name, [""])[0] for name in names]
    if asked[-1].startswith(("botocore-session-", "table-updater-")):
        asked[-1] = ""
    return f"ASIA{zlib.crc32(repr((asked, signer)).encode()):08X}"


class Handler(BaseHTTPRequestHandler):
    """Each service has its own first part of the path."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Fakes

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, body: str = "") -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_PUT(self) -> None:
        if self.server.imds_drops_tokens:
            self.server.asked.append(f"{self.command} {self.path}")
            self.server.ended.wait()
            self.close_connection = True
            return
        fine = (
            self.path == "/imds/latest/api/token"
            and self.headers.get("x-aws-ec2-metadata-token-ttl-seconds") == "21600"
        )
        self.answer(200 if fine else 404, TOKEN if fine else "")

    def imds(self) -> None:
        folder = "/imds/latest/meta-data/iam/security-credentials/"
        if self.headers.get("x-aws-ec2-metadata-token") != TOKEN:
            self.answer(401)
        elif self.path == folder:
            self.answer(200, ROLE) if self.server.imds_has_role else self.answer(404)
        elif self.path == folder + ROLE and self.server.imds_is_busy:
            self.answer(503)
        elif self.path == folder + ROLE:
            self.answer(200, json.dumps(keys("ASIAINSTANCE", Code="Success")))
        elif self.path == "/imds/latest/meta-data/placement/region":
            self.answer(200, "ap-southeast-2")
        else:
            self.answer(404)

    def container(self) -> None:
        token = self.headers.get("Authorization")
        if self.path == "/container/closed" and token != "let me in":
            self.answer(403, "{}")
        elif self.server.is_down:
            self.answer(503)
        else:
            name = (
                self.server.container_key()
                if self.server.container_key
                else "ASIACONTAINER"
                if token is None
                else "ASIAPOD"
            )
            self.answer(
                200, json.dumps(keys(name, **({"AccountId": "444444444444"} if "account" in self.path else {})))
            )

    def portal(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if self.headers.get("x-amz-sso_bearer_token") != "sso-token":
            self.answer(401, "{}")
            return
        role = {
            "accessKeyId": f"ASIASSO{query['role_name'][0]}{query['account_id'][0]}",
            "secretAccessKey": SECRET,
            "sessionToken": "t",
        }
        self.answer(200, json.dumps({"roleCredentials": {**role, "expiration": int((time.time() + 6 * 3600) * 1000)}}))

    def do_GET(self) -> None:
        for prefix, serve in (("/imds/", self.imds), ("/container/", self.container), ("/sso/", self.portal)):
            if self.path.startswith(prefix):
                serve()
                return
        self.answer(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        form = parse_qs(body)
        signer = self.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
        arn = form.get("RoleArn", [""])[0]
        if "denied" in arn:
            self.answer(
                403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>"
            )
            return
        action = form["Action"][0]
        account = arn.split(":")[4] if arn.count(":") >= 5 else ""
        self.answer(
            200,
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>'
            f"<AccessKeyId>{role_key(form, signer)}</AccessKeyId>"
            f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>t</SessionToken>"
            f"<Expiration>{moment()}</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>X:s</AssumedRoleId>"
            f"<Arn>arn:aws:sts::{account}:assumed-role/r/s</Arn></AssumedRoleUser></{action}Result></{action}Response>",
        )


class Fakes(ThreadingHTTPServer):
    """All of them behind one port."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.is_down = False
        self.imds_has_role = True
        self.imds_is_busy = False
        self.imds_drops_tokens = False  # as behind one hop too many: the answer to the PUT never comes
        self.ended = threading.Event()
        self.container_key: Callable[[], str] | None = None  # whose key it is that the container has at present
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __enter__(self) -> Fakes:
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()
