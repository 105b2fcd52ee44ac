"""Config and credentials files made at random from a seed: what the format that the SDKs share admits, and what people
write. Sections and settings with spacing, comments, repeats and line ends as they come."""

from __future__ import annotations

import random

REGIONS = ["eu-west-1", "eu-west-2", "us-east-1"]


def spaced(rng: random.Random, name: str, value: str) -> str:
    equals = rng.choice(["=", " = ", " =", "= ", "\t=\t", "  =  "])
    return f"{name}{equals}{value}"


def commented(rng: random.Random, text: str) -> str:
    """Behind white space a comment begins; without, it is part of the value."""
    return text + rng.choice([""] * 6 + [" # here", " ; here", "\t# here", " #", " ; "])


def setting(rng: random.Random, name: str, value: str) -> str:
    case = rng.choice([str.lower] * 5 + [str.upper])
    return commented(rng, spaced(rng, case(name), value))


def between(rng: random.Random) -> list[str]:
    return rng.choice([[]] * 6 + [[""], ["# a comment"], ["; another"], ["", ""], ["\t"], ["#"]])


def section(rng: random.Random, prefixed: bool, profile: str) -> str:
    title = profile if not prefixed else f"profile{rng.choice([' ', '  ', chr(9)])}{profile}"
    pad = rng.choice(["", "", "", " "])
    return f"[{pad}{title}{pad}]" + rng.choice(["", "", "", " # why", " ; why", " "])


def settings_of(rng: random.Random, names: dict[str, list[str]]) -> list[str]:
    lines: list[str] = []
    for name, values in names.items():
        for _ in range(rng.choices([0, 1, 2], [2, 7, 1])[0]):
            lines += between(rng) + [setting(rng, name, rng.choice(values))]
    return lines


def text_of(rng: random.Random, lines: list[str]) -> str:
    end = rng.choice(["\n", "\n", "\n", "\r\n"])
    return end.join(lines) + rng.choice([end, end, ""])


def config_file(rng: random.Random) -> str:
    lines = between(rng)
    for _ in range(rng.choice([1, 1, 2, 3])):
        profile = rng.choice(["default", "default", "work"])
        prefixed = profile != "default" or rng.random() < 0.3
        lines += [section(rng, prefixed, profile)]
        lines += settings_of(rng, {"region": REGIONS, "output": ["json"], "cli_pager": [""]})
    return text_of(rng, lines)


def credentials_file(rng: random.Random) -> str:
    lines = between(rng)
    for _ in range(rng.choice([1, 2, 2])):
        lines += [section(rng, False, rng.choice(["default", "default", "work"]))]
        key = rng.choice(["A", "B", "C"])
        lines += between(rng) + [setting(rng, "aws_access_key_id", f"AKIA{key}")]
        lines += between(rng) + [setting(rng, "aws_secret_access_key", f"secret{key}")]
    return text_of(rng, lines)


def files(seed: int) -> tuple[str, str]:
    """The two files of a seed."""
    rng = random.Random(seed)
    return config_file(rng), credentials_file(rng)
