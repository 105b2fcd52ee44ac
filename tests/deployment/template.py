"""A CloudFormation template as plain values, its functions carried out as CloudFormation does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
EC2_SERVICE = ROOT / "conf" / "ec2-service.yaml"
ACCOUNT, REGION, STACK = "123456789012", "eu-central-1", "updater"


class _Loader(yaml.SafeLoader):
    pass


def _function(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _function)


def load(path: Path) -> dict[str, Any]:
    """Parses a template; functions are objects as in JSON."""
    return yaml.load(path.read_text(), _Loader)


class Resolved:
    """A template with its parameters; what only a deployment knows comes from made: "Name" (Ref), "Name.Attribute"."""

    def __init__(self, path: Path, parameters: dict[str, str], made: dict[str, str] | None = None) -> None:
        self.template = load(path)
        self.values: dict[str, Any] = {
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": STACK,
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/1",
            **(made or {}),
        }
        for name, parameter in self.template["Parameters"].items():
            value = parameters.get(name, parameter.get("Default"))
            if parameter["Type"] == "CommaDelimitedList" or parameter["Type"].startswith("List<"):
                value = value.split(",") if value else []
            self.values[name] = value

    def resources(self) -> dict[str, dict[str, Any]]:
        """Those whose condition holds."""
        found = self.template["Resources"]
        return {name: it for name, it in found.items() if "Condition" not in it or self.holds(it["Condition"])}

    def properties(self, name: str) -> Any:
        """A resource's, resolved."""
        return self.value(self.template["Resources"][name]["Properties"])

    def holds(self, condition: str) -> bool:
        return self.value(self.template["Conditions"][condition])

    def value(self, value: Any) -> Any:
        """Anything of the template, resolved; AWS::NoValue is None, and left out."""
        if isinstance(value, list):
            return [it for it in map(self.value, value) if it is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name,) = value
            if name == "Ref":
                return None if value[name] == "AWS::NoValue" else self.values[value[name]]
            if name.startswith("Fn::"):
                return getattr(self, f"_{name.removeprefix('Fn::').lower()}")(value[name])
        resolved = {name: self.value(it) for name, it in value.items()}
        return {name: it for name, it in resolved.items() if it is not None}

    def _getatt(self, value: list[str]) -> Any:
        return self.values[".".join(value)]

    def _sub(self, value: Any) -> str:
        text, own = value if isinstance(value, list) else (value, {})
        own = {name: self.value(it) for name, it in own.items()}

        def filled(match: re.Match[str]) -> str:
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            return str(own[name] if name in own else self.values[name])

        return re.sub(r"\$\{([^}]+)\}", filled, text)

    def _if(self, value: list[Any]) -> Any:
        return self.value(value[1] if self.holds(value[0]) else value[2])

    def _not(self, value: list[Any]) -> bool:
        return not self.value(value[0])

    def _equals(self, value: list[Any]) -> bool:
        return self.value(value[0]) == self.value(value[1])

    def _join(self, value: list[Any]) -> str:
        return value[0].join(self.value(value[1]))

    def _select(self, value: list[Any]) -> Any:
        return self.value(value[1])[int(value[0])]

    def _split(self, value: list[Any]) -> list[str]:
        return self.value(value[1]).split(value[0])

    def _base64(self, value: Any) -> str:
        return self.value(value)
