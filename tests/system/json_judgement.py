"""Holds Python's JSON parser, made strict, against the program's reader: they accept the same texts, and read the same
out of them.

By itself: python3 json_judgement.py [COUNT [SEED]], 1,000,000 generated texts and the fuzzers' kept corpus.
"""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
MAX_DEPTH = 40
BATCH = 5000


def tool_path() -> Path:
    """judge_json: JUDGE_JSON, else the release build's."""
    return Path(os.environ.get("JUDGE_JSON") or ROOT / "build" / "test" / "tests" / "judge_json")


# --- Python's judgement
# ----------------------------------------------------------------------------------------------------------------


class Refused(ValueError):
    """No JSON text as RFC 8259 has it, or one with more than the reader allows."""


@dataclass(frozen=True)
class Digits:
    """A number as it is spelt."""

    text: str


class Members(tuple[tuple[str, Any], ...]):
    """An object's members, in their order."""


def refuse_constant(text: str) -> Any:
    """NaN, Infinity: Python takes them, JSON doesn't."""
    raise Refused(text)


def members(pairs: list[tuple[str, Any]]) -> Members:
    """An object whose names are all different."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refused("repeated name")
    return Members(pairs)


def check(value: Any, depth: int) -> None:
    """What Python's parser lets through: lone surrogates, any depth."""
    if isinstance(value, str):
        value.encode("utf-8")  # a lone surrogate has no UTF-8
    elif isinstance(value, (list, Members)):
        if depth == MAX_DEPTH:
            raise Refused("too deep")
        for element in value:
            if isinstance(value, Members):
                check(element[0], depth)
                element = element[1]
            check(element, depth + 1)


_DECODER = json.JSONDecoder(
    object_pairs_hook=members, parse_int=Digits, parse_float=Digits, parse_constant=refuse_constant, strict=True
)


def read(text: bytes) -> Any:
    """What a text means; a ValueError (as all errors of decoding are) where it is none."""
    try:
        value = _DECODER.decode(text.decode("utf-8"))
    except RecursionError as error:
        raise Refused("too deep") from error
    check(value, 0)
    return value


# --- Texts
# ----------------------------------------------------------------------------------------------------------------------

NUMBERS = [
    "0",
    "-0",
    "1",
    "-1",
    "10",
    "1.5",
    "0.0",
    "1e5",
    "1E+5",
    "-2.50e-10",
    "123456789012345678901234567890123456789012",
    "1e400",
    "0e0",
]
ALMOST_NUMBERS = [
    "01",
    "-",
    "+1",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x1",
    "1_0",
    "NaN",
    "Infinity",
    "-Infinity",
    "--1",
    "1.e5",
    "-01",
    "\u0661",
    "1e5.5",
    "00",
]
CHARACTERS = [
    "a",
    "b",
    " ",
    "é",
    "\u2028",
    "\U0001f600",
    "/",
    "\x7f",
    "\ufeff",
    "\uffff",
    "\U0010ffff",
    '\\"',
    "\\\\",
    "\\/",
    "\\n",
    "\\b",
    "\\f",
    "\\r",
    "\\t",
    "\\u0000",
    "\\u0061",
    "\\u00e9",
    "\\ud83d\\ude00",
    "\\uFFFF",
    "\\uDBFF\\uDFFF",
]
ALMOST_CHARACTERS = [
    "\\ud800",
    "\\udc00",
    "\\ud800\\ud800",
    "\\ude00\\ud83d",
    "\\u12",
    "\\u12G4",
    "\\x41",
    "\\'",
    "\\a",
    "\\0",
    "\n",
    "\t",
    "\x00",
    "\x1f",
    "\\",
    "\\uD83D\\n",
    "\\u 123",
    "\\U0041",
]
TOKENS = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "true",
    "false",
    "null",
    "True",
    "nul",
    "nulll",
    "'",
    "//",
    "/**/",
    "\ufeff",
    "\u00a0",
    "\x0b",
    "\x0c",
    '"a":1',
    "\\",
    *NUMBERS,
    *ALMOST_NUMBERS,
]
BYTES = [
    b"\xff",
    b"\xc0\x80",
    b"\xe0\x80\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xc3",
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\x80",
    b"\xef\xbb\xbf",
    b"\x00",
]


class Writer:
    """Makes texts at random: most of them valid, or one step away from it."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def space(self) -> str:
        """White space, mostly none."""
        return self.rng.choice(["", "", "", "", " ", "\n", "\t", "\r\n", "  "])

    def string(self) -> str:
        """A string."""
        rng = self.rng
        parts = [rng.choice(CHARACTERS) for _ in range(rng.choice([0, 1, 1, 2, 3, 8]))]
        if rng.random() < 0.02:
            parts.insert(rng.randrange(len(parts) + 1), rng.choice(ALMOST_CHARACTERS))
        return '"' + "".join(parts) + '"'

    def value(self, depth: int = 0) -> str:
        """A value."""
        rng = self.rng
        kind = rng.random() + depth * 0.06
        if kind < 0.25:
            items = [self.space() + self.value(depth + 1) + self.space() for _ in range(rng.choice([0, 1, 2, 3]))]
            return "[" + (",".join(items) or self.space()) + "]"
        if kind < 0.55:
            pairs = [
                f"{self.space()}{self.string()}{self.space()}:{self.space()}{self.value(depth + 1)}{self.space()}"
                for _ in range(rng.choice([0, 1, 2, 3, 5]))
            ]
            return "{" + (",".join(pairs) or self.space()) + "}"
        if kind < 0.75:
            return self.string()
        if kind < 0.9:
            return rng.choice(NUMBERS) if rng.random() < 0.97 else rng.choice(ALMOST_NUMBERS)
        return rng.choice(["true", "false", "null"])

    def nested(self) -> str:
        """Something about as deep as allowed."""
        depth = self.rng.choice([MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 2 * MAX_DEPTH])
        kinds = [self.rng.choice([("[", "]"), ('{"a":', "}")]) for _ in range(depth)]
        return "".join(begin for begin, _ in kinds) + "1" + "".join(end for _, end in reversed(kinds))

    def many_names(self) -> str:
        """An object large enough to be hashed, with perhaps a name twice, in two spellings."""
        names = [f'"n{number}"' for number in range(self.rng.randrange(5, 60))]
        if self.rng.random() < 0.5:
            names.insert(self.rng.randrange(len(names) + 1), f'"\\u006e{self.rng.randrange(len(names) + 3)}"')
        return "{" + ",".join(f"{name}:0" for name in names) + "}"

    def text(self) -> bytes:
        """A text, damaged in a third of the cases."""
        rng, chance = self.rng, self.rng.random()
        made = (
            self.nested()
            if chance < 0.01
            else self.many_names()
            if chance < 0.03
            else self.space() + self.value() + self.space()
        )
        data = made.encode("utf-8")
        while rng.random() < 0.3:
            data = self.damaged(data)
        return data

    def damaged(self, data: bytes) -> bytes:
        """Something put in, taken out, cut off, repeated or changed."""
        rng = self.rng
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            return data[:at] + rng.choice(TOKENS).encode("utf-8") + data[at:]
        if kind == 1:
            return data[:at] + data[at + rng.choice([1, 1, 2, 5]) :]
        if kind == 2:
            return data[:at]
        if kind == 3:
            return data[:at] + data[max(0, at - rng.randrange(12)) :]
        if kind == 4:
            return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        return data[:at] + rng.choice(BYTES) + data[at:]


# --- Comparison
# ----------------------------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What the texts came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    mismatches: list[str] = field(default_factory=list)


def ask(tool: Path, texts: list[bytes]) -> list[bytes]:
    """The tool's line for each text."""
    frames = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    done = subprocess.run([str(tool), str(MAX_DEPTH)], input=frames, capture_output=True, check=False)
    lines = done.stdout.split(b"\n")[:-1]
    if done.returncode or len(lines) != len(texts):
        raise RuntimeError(
            f"judge_json ended with {done.returncode} after {len(lines)} of {len(texts)} texts: "
            f"{done.stderr.decode(errors='replace')}"
        )
    return lines


def outcome(text: bytes, line: bytes, reader: Callable[[bytes], Any] = read) -> str:
    """accepted or refused; something else where the two differ."""
    verdict, _, rest = line.partition(b" ")
    try:
        meaning = reader(text)
    except ValueError:
        return "refused" if verdict == b"refused" and int(rest.split()[0]) <= len(text) else "only we accept"
    if verdict != b"accepted":
        return "only we refuse"
    return "accepted" if reader(rest) == meaning else "another meaning"


def compare(tool: Path, texts: Iterator[bytes]) -> Tally:
    """Judges all texts twice."""
    tally, batch = Tally(), []

    def judge_batch() -> None:
        for text, line in zip(batch, ask(tool, batch)):
            result = outcome(text, line)
            tally.outcomes[result] += 1
            if result not in ("accepted", "refused"):
                tally.mismatches.append(f"{result}: {text!r}: {line!r}")
        batch.clear()

    for text in texts:
        batch.append(text)
        if len(batch) == BATCH:
            judge_batch()
    judge_batch()
    return tally


def kept() -> Iterator[bytes]:
    """All that the fuzzers keep, whatever it was found for."""
    for path in sorted(CORPUS.glob("*/*")):
        yield path.read_bytes()


def generated(count: int, seed: int) -> Iterator[bytes]:
    """So many texts."""
    writer = Writer(random.Random(seed))
    for _ in range(count):
        yield writer.text()


def main() -> int:
    """Prints what the texts came to; 1 where the two differ."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    good = True
    for what, texts in (("kept", kept()), ("generated", generated(count, seed))):
        tally = compare(tool_path(), texts)
        print(
            f"{what}: {sum(tally.outcomes.values())} texts, {dict(tally.outcomes)}, {len(tally.mismatches)} mismatches",
            flush=True,
        )
        for mismatch in tally.mismatches[:20]:
            print(mismatch)
        good = good and not tally.mismatches
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
