"""Environments and files, made at random from a seed: what people have, and what they get wrong.

Left out is what botocore alone does, and the shared format of the SDKs (Go, Rust, Java) does otherwise, which is ours:
comments behind values, a section or a name twice, [default] beside [profile default], `name : value`, variables that
are there and empty (but the three of keys, and AWS_PROFILE); and dual-stack hosts of us-isof, which its older tables
lack. Those have expectations of their own in test_credentials_differential.py."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from credentials_fakes import moment

REGIONS = [
    "eu-west-1",
    "us-east-1",
    "ap-northeast-3",
    "cn-north-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eusc-de-east-1",
]
ROLE = "arn:aws:iam::{}:role/{}"


def plain(name: str) -> str:
    return name.upper().replace(" ", "")


@dataclass
class Case:
    """One world: files, variables, perhaps --profile."""

    home: Path
    fakes: str
    rng: random.Random
    environment: dict[str, str] = field(default_factory=dict)
    profile: str | None = None
    config: dict[str, dict[str, Any]] = field(default_factory=dict)
    credentials: dict[str, dict[str, Any]] = field(default_factory=dict)

    def chance(self, of: float) -> bool:
        return self.rng.random() < of

    def of(self, name: str) -> dict[str, Any]:
        """A profile's section of the config file."""
        return self.config.setdefault("default" if name == "default" else f"profile {name}", {})

    def static(self, name: str, into: dict[str, Any]) -> None:
        """Keys, whole mostly."""
        kind = self.rng.choices(["both", "id", "secret", "token", "account"], [5, 1, 1, 2, 2])[0]
        if kind != "secret":
            into["aws_access_key_id"] = f"AKIA{plain(name)}"
        if kind != "id":
            into["aws_secret_access_key"] = "secret/key+="
        if kind == "token":
            into["aws_session_token"] = "tok/en=="
        if kind == "account":
            into["aws_account_id"] = "111111111111"

    def process(self, name: str, into: dict[str, Any]) -> None:
        keys: dict[str, Any] = {"Version": 1, "AccessKeyId": f"ASIAPROC{plain(name)}", "SecretAccessKey": "s"}
        kind = self.rng.choice(
            ["plain", "plain", "until", "account", "version", "text", "status", "missing", "expired", "noise", "quotes"]
        )
        if kind in ("until", "expired"):
            keys |= {"SessionToken": "t", "Expiration": moment(-3600 if kind == "expired" else 6 * 3600)}
        if kind == "account":
            keys["AccountId"] = "555555555555"
        if kind == "version":
            keys["Version"] = self.rng.choice([2, "1", None])
        if kind == "missing":
            del keys["SecretAccessKey"]
        script = self.home / f"process {name}.sh"
        text = "nonsense" if kind == "text" else json.dumps(keys)
        script.write_text(f"echo noise >&2\ncat <<'END'\n{text}\nEND\nexit {3 if kind == 'status' else 0}\n")
        into["credential_process"] = f"/bin/sh \"{script}\" --x 'a b'" if kind != "quotes" else f"/bin/sh '{script}"
        if self.chance(0.2):
            into["aws_account_id"] = "666666666666"

    def sso(self, name: str, into: dict[str, Any]) -> None:
        settings = {"sso_start_url": f"https://{plain(name)}.awsapps.com/start", "sso_region": "eu-west-1"}
        into |= {"sso_account_id": "777777777777", "sso_role_name": f"Role{plain(name)}"}
        key = settings["sso_start_url"]
        if self.chance(0.5):
            key = into["sso_session"] = f"session-{name}"
            self.config[f"sso-session {key}"] = dict(settings)
            if self.chance(0.2):
                into["sso_region"] = self.rng.choice(["eu-west-1", "eu-west-2"])
            if self.chance(0.1):
                into["sso_session"] = "no-such"
        else:
            into |= settings
        if self.chance(0.15):
            into.pop(self.rng.choice(["sso_account_id", "sso_role_name", "sso_start_url", "sso_region"]), None)
        token = {
            "accessToken": self.rng.choice(["sso-token", "sso-token", "sso-token", "ended"]),
            "expiresAt": moment(self.rng.choice([7200, 7200, -60])),
        }
        path = self.home / ".aws" / "sso" / "cache" / f"{hashlib.sha1(key.encode()).hexdigest()}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.chance(0.9):
            path.write_text(json.dumps(token))

    def role(self, name: str, into: dict[str, Any], depth: int) -> None:
        into["role_arn"] = ROLE.format(
            self.rng.choice(["222222222222", "333333333333"]), f"{plain(name)}{'-denied' if self.chance(0.05) else ''}"
        )
        for setting, value in (
            ("external_id", "ext id&=/+"),
            ("duration_seconds", "900"),
            ("role_session_name", "me@here"),
            ("mfa_serial", "arn:mfa"),
        ):
            if self.chance(0.05 if setting == "mfa_serial" else 0.25):
                into[setting] = value
        kind = self.rng.choices(["source", "self", "named", "both", "none", "missing"], [8, 2, 4, 1, 1, 1])[0]
        if kind in ("source", "both"):
            source = f"{name}s"
            into["source_profile"] = source
            self.fill(source, depth + 1)
            if depth and self.chance(0.1):
                self.of(source)["source_profile"] = name
        if kind == "self":
            into["source_profile"] = name
            if self.chance(0.7):
                self.static(name, into)
        if kind in ("named", "both"):
            into["credential_source"] = self.rng.choice(
                ["Environment", "Ec2InstanceMetadata", "EcsContainer", "ec2InstanceMetadata"]
            )
        if kind == "missing":
            into["source_profile"] = "no-such-profile"

    def web_identity(self, name: str, into: dict[str, Any]) -> None:
        path = self.home / f"token-{name}"
        path.write_text(f"web.identity.token-{name}")
        into["web_identity_token_file"] = str(path)
        if self.chance(0.9):
            into["role_arn"] = ROLE.format("888888888888", f"web-{plain(name)}")
        if self.chance(0.3):
            into["role_session_name"] = "web-session"

    def fill(self, name: str, depth: int = 0) -> None:
        """What a profile holds of credentials: none, one or several kinds, in either file."""
        kinds = self.rng.choices(
            ["config", "credentials", "role", "web", "process", "sso"],
            [3, 4, 3 if depth < 3 else 0, 1, 3, 2],
            k=self.rng.choice([0, 0, 1, 1, 1, 2, 3]),
        )
        for kind in kinds:
            into = self.of(name)
            if kind == "credentials":
                self.static(f"{name}c", self.credentials.setdefault(name, {}))
            elif kind == "config":
                self.static(name, into)
            elif kind == "role":
                self.role(name, into, depth)
            elif kind == "web":
                self.web_identity(name, into)
            elif kind == "process":
                self.process(name, into if self.chance(0.8) else self.credentials.setdefault(name, {}))
            else:
                self.sso(name, into)

    def choose_profile(self) -> str:
        name = self.rng.choice(["default", "default", "dev", "two words"])
        way = self.rng.choices(["option", "variable", "old", "none"], [2, 4, 1, 2])[0]
        given = name if self.chance(0.95) else "no-such"
        if name != "default" and way == "none":
            way = "variable"
        if way == "option":
            self.profile = given
        elif way != "none":
            self.environment["AWS_PROFILE" if way == "variable" else "AWS_DEFAULT_PROFILE"] = (
                given if self.chance(0.97) or way == "old" else ""
            )
        self.of(name)
        return name

    def choose_variables(self) -> None:
        e = self.environment
        kind = self.rng.choices(["none", "both", "token", "id", "secret", "empty", "account"], [12, 2, 1, 1, 1, 1, 2])[
            0
        ]
        if kind in ("both", "token", "id", "account"):
            e["AWS_ACCESS_KEY_ID"] = "AKIAENVIRONMENT"
        if kind in ("both", "token", "secret", "account"):
            e["AWS_SECRET_ACCESS_KEY"] = "env/secret"
        if kind == "token":
            e["AWS_SESSION_TOKEN"] = "env-token"
        if kind == "empty":
            e |= {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""}
        if kind == "account" or self.chance(0.1):
            e["AWS_ACCOUNT_ID"] = "999999999999"
        if self.chance(0.12):
            (self.home / "env-token").write_text("web.token.of-the-environment")
            e |= {
                "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.home / "env-token"),
                "AWS_ROLE_ARN": ROLE.format("123123123123", "pod"),
            }
            if self.chance(0.3):
                e["AWS_ROLE_SESSION_NAME"] = "pod-session"
            if self.chance(0.1):
                del e["AWS_ROLE_ARN"]
        if self.chance(0.3):
            e["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = self.rng.choice(
                [
                    f"{self.fakes}/container/x",
                    f"{self.fakes}/container/account",
                    f"{self.fakes}/container/closed",
                    "http://example.test/x",
                ]
            )
            if self.chance(0.3):
                e["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = self.rng.choice(["let me in", "a\nb"])
            if self.chance(0.3):
                (self.home / "pod-token").write_text(self.rng.choice(["let me in", "other"]))
                e["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(
                    self.home / self.rng.choice(["pod-token", "pod-token", "gone"])
                )
        if self.chance(0.3):
            e["AWS_EC2_METADATA_DISABLED"] = self.rng.choice(["true", "TRUE", "True", "1", "false", "yes"])

    def choose_place(self, name: str) -> None:
        e, into = self.environment, self.of(name)
        if self.chance(0.7):
            e[self.rng.choice(["AWS_REGION", "AWS_DEFAULT_REGION"])] = self.rng.choice(REGIONS)
        if self.chance(0.6):
            into["region"] = self.rng.choice(REGIONS)
        if self.chance(0.1):
            self.credentials.setdefault(name, {})["region"] = "sa-east-1"
        for variable, setting in (
            ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
        ):
            if self.chance(0.12):
                e[variable] = self.rng.choice(["true", "false", "TRUE"])
            if self.chance(0.08):
                into[setting] = self.rng.choice(["true", "false"])
        if self.chance(0.15):
            e[self.rng.choice(["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_DYNAMODB"])] = "http://127.0.0.1:9324"
        if self.chance(0.1):
            into["services"] = "local"
            if self.chance(0.9):
                self.config["services local"] = {
                    self.rng.choice(["sqs", "dynamodb"]): {"endpoint_url": "http://localhost:4566"}
                }
        if self.chance(0.1):
            e["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true" if self.chance(0.2) else "false"
        if self.chance(0.15):
            e["AWS_ACCOUNT_ID_ENDPOINT_MODE"] = self.rng.choice(
                ["preferred", "disabled", "required", "Required", "sometimes"]
            )
        if self.chance(0.1):
            into["account_id_endpoint_mode"] = self.rng.choice(["disabled", "required"])

    def written(self, sections: dict[str, dict[str, Any]]) -> str:
        """A file's text, with the odd spacing that people have."""
        end = self.rng.choice(["\n", "\n", "\r\n"])
        lines = ["# a comment"] if self.chance(0.3) else []
        for title, settings in self.rng.sample(list(sections.items()), len(sections)):
            word, blank, name = title.partition(" ")
            quoted = f'{word} "{name}"' if blank and " " in name else title
            lines.append(f"[{quoted}]")
            for setting, value in settings.items():
                if self.chance(0.05):
                    lines += ["", "; another = comment"]
                if isinstance(value, dict):
                    lines.append(f"{setting} =")
                    lines += [f"  {inner} = {text}" for inner, text in value.items()]
                else:
                    shown = setting.upper() if self.chance(0.05) else setting
                    lines.append(
                        f"{shown}{self.rng.choice([' = ', '=', ' =', '= ', '  =  '])}{value}"
                        f"{self.rng.choice(['', '', '', '  '])}"
                    )
        return end.join(lines) + end

    def write(self) -> None:
        aws = self.home / ".aws"
        aws.mkdir(exist_ok=True)
        for name, sections in (("config", self.config), ("credentials", self.credentials)):
            path = aws / name
            if self.chance(0.15):
                path = self.home / f"other-{name}"
                self.environment["AWS_CONFIG_FILE" if name == "config" else "AWS_SHARED_CREDENTIALS_FILE"] = str(path)
            for old in (aws / name, self.home / f"other-{name}"):
                old.unlink(missing_ok=True)
            if name == "credentials":
                # Names of profiles with blanks stand there as they are.
                text = (
                    self.written(sections).replace('"', "")
                    if not any("credential_process" in s for s in sections.values())
                    else self.written(sections)
                )
            else:
                text = self.written(sections)
            if sections or self.chance(0.5):
                path.write_bytes(text.encode())


def make(seed: int, home: Path, fakes: str) -> Case:
    """The world of a seed."""
    case = Case(home, fakes, random.Random(seed))
    name = case.choose_profile()
    case.fill(name)
    if case.chance(0.2):
        case.static("other", case.credentials.setdefault("other", {}))
    case.choose_variables()
    case.choose_place(name)
    case.environment |= {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{fakes}/imds",
        "AWS_ENDPOINT_URL_STS": f"{fakes}/sts",
        "AWS_ENDPOINT_URL_SSO": f"{fakes}/sso",
    }
    case.write()
    return case
