"""What `enqueue --dry-run` is measured against makes the same checks: both refuse the same rows."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest
from harness.process import binary_path
from schema_judgement import EDGES, ROOT, Writer

PEER = ROOT / "tests" / "bench" / "peer_rows.py"
MEMBERS = ("id", "attributes", "idempotency_key", "enable_logging")
GENERATED = 6000


def refused_by_us(path: Path) -> set[int]:
    """The lines of rejected rows."""
    rejects = path.with_suffix(".rejects")
    done = subprocess.run([binary_path(), "enqueue", "--dry-run", "--quiet", "--rejects", rejects, path], check=False)
    assert done.returncode in (0, 1)
    return {json.loads(line)["line"] for line in rejects.read_text().splitlines()} if rejects.exists() else set()


def refused_by_peer(path: Path) -> set[int]:
    """The same of the peer."""
    done = subprocess.run([sys.executable, PEER, path], stdout=subprocess.PIPE, check=False)
    assert done.returncode in (0, 1)
    return {int(line.split(b"\t")[0]) for line in done.stdout.splitlines()}


def assert_same(path: Path, rows: list[bytes], first: int = 1) -> set[int]:
    """rows: as they stand in the file, from this line on."""
    ours, theirs = refused_by_us(path), refused_by_peer(path)
    differing = [(rows[line - first][:300], "ours alone" if line in ours else "theirs alone") for line in ours ^ theirs]
    assert not differing, differing[:5]
    return ours


def nested(depth: int) -> Any:
    """So many arrays."""
    return [nested(depth - 1)] if depth else 1


def with_attributes(attributes: Any, **members: Any) -> bytes:
    return json.dumps({"id": "a", "attributes": attributes, **members}).encode()


def with_value(text: str) -> bytes:
    """The value as it is written."""
    return b'{"id":"a","attributes":{"v":%s}}' % text.encode("utf-8", "surrogatepass")


NUMBERS = [
    "0",
    "-0",
    "01",
    "1.",
    ".5",
    "1e5",
    "1E+125",
    "1e126",
    "9.99e125",
    "1e-130",
    "9e-131",
    "0e999",
    "-1.50",
    "+1",
]
NUMBERS += [
    "1" * 38,
    "1" * 39,
    "1" + "0" * 60,
    "0." + "0" * 60 + "1",
    "123456789012345678901234567890.123456789",
    "1 2",
]
TEXTS = [
    '"é€😀"',
    '"\\ud83d\\ude00"',
    '"\\ud83d"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    '"\t"',
    '"\\x"',
    '"\ud800"',
    '"\\"',
]
TEXTS += [
    '"\uffff"',
    "'x'",
    "NaN",
    "Infinity",
    "-Infinity",
    "nul",
    "True",
    "[1,]",
    "[,1]",
    "{}",
    '{"":1}',
    '{"a":1,"a":2}',
]
TEXTS += [
    '{"a":1,"\\u0061":2}',
    '{"a" 1}',
    "{a:1}",
    "1}",
    "/**/1",
    '"a""b"',
    "\x0c1",
    "\u00a01",
    '{"S":"x"}',
    '{"B":"AAE="}',
]
TEXTS += [
    '{"N":"1."}',
    '{"N":"1e999"}',
    '{"SS":["a"]}',
    '{"SS":["a","a"]}',
    '{"NS":["1","1.0"]}',
    '{"M":{"a":{"S":"x"}}}',
]
TEXTS += ['{"$inc":1}', '{"$ref":1}', '{"L":[{"NULL":true}]}', '{"L":[1]}', '{"B":"AAF="}', '{"BS":["AAE=","AAE="]}']


def edges() -> Iterator[bytes]:
    """Rows on both sides of what is refused."""
    yield from (with_value(text) for text in NUMBERS + TEXTS)
    yield from (
        with_attributes({"v": nested(depth)}, enable_logging=logs)
        for depth in (30, 31, 32, 600)
        for logs in (False, True)
    )
    yield from (with_attributes({f"a{i}": 1 for i in range(count)}) for count in (519, 520, 521))
    yield from (with_attributes({"v": "x" * size}) for size in (409_590, 409_597, 409_598, 409_599, 409_600, 409_610))
    yield from (
        with_attributes({"v": [12345] * count, "w": -10}) for count in (81_915, 81_916, 81_917, 81_918, 81_919, 81_920)
    )
    yield from (with_attributes({"v" * size: 1}) for size in (255, 256, 65_535, 65_536))
    yield from (
        with_attributes({"v": 1}, idempotency_key=key) for key in ("", "k", "é" * 128, "é" * 129, 5, None, ["k"])
    )
    yield from (
        with_attributes({"v": 1}, id=key) for key in ("", "é" * 1024, "é" * 1025, 5, 1.5, True, None, [], {}, {"a": 1})
    )
    yield from (
        with_attributes({"v": 1}, id=key)
        for key in ({"a": 1, "b": "x"}, {"a": 1, "b": ""}, {"a": 1, "b": [1]}, 10**40, 10**39 + 1)
    )
    yield from (with_attributes(value) for value in ({}, [], None, 1, "x", {"": 1}, {"id": 1}))
    yield from (with_attributes({"v": 1}, enable_logging=value) for value in (True, False, None, 1, "true"))
    yield from (with_attributes({"v": "\x00" * count}) for count in (100_000, 174_000, 180_000))  # six bytes each
    yield from (
        b"",
        b" \t\r",
        b"\x0b",
        b"\xef\xbb\xbf{}",
        b"{}",
        b"[]",
        b'"x"',
        b"5",
        b"\xff",
        b'{"id":"a","attributes":{"v":"\xff"}}',
    )
    yield from (b'{"id":1,"attributes":{"v":1}} x', b'{"id":1,"id":2,"attributes":{"v":1}}', b'{"attributes":{"v":1}}')
    yield from (json.dumps(message).encode() for message in EDGES if message.keys() <= set(MEMBERS))


def generated(rng: random.Random) -> Iterator[bytes]:
    """Messages nearly right, and plain ones of which a byte is another."""
    writer = Writer(rng)
    for number in range(GENERATED):
        if number % 3 == 0:
            names = [name for name in MEMBERS if rng.random() < (0.97 if name in ("id", "attributes") else 0.2)]
            made = {name: writer.member(name) for name in names}
            if rng.random() < 0.03:
                made[rng.choice(["Id", "attribute", "", "condition"])] = 1
            yield json.dumps(made, ensure_ascii=rng.random() < 0.5).encode()
            continue
        row = bytearray(with_attributes({"name": f"Näme {number}", "age": number % 90, "note": [True, "x\n"]}))
        if number % 3 == 1:
            row[rng.randrange(len(row))] = rng.choice(b'{}[]":,\\ 0123456789eE.-atfnu$\x01\x7f\xc3\xa9\xff')
        yield bytes(row)


def test_the_peer_refuses_the_rows_of_json_that_we_refuse(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [*edges(), *generated(random.Random(5))]
    path.write_bytes(b"\n".join(rows))
    refused = assert_same(path, rows)
    assert len(rows) // 5 < len(refused) < len(rows) * 4 // 5  # both came up often


@pytest.mark.parametrize(("end", "width"), [("\n", 5), ("\r\n", 4)], ids=["newline", "crlf"])
def test_the_peer_refuses_the_rows_of_csv_that_we_refuse(tmp_path: Path, end: str, width: int) -> None:
    path = tmp_path / "rows.csv"
    rng = random.Random(7)
    ids = ["u1", "7", "", "é" * 1024, "é" * 1025]
    texts = ["x", "", '"a,b"', '"say ""x"""', "é", " y ", "\\", "\x01", "{}", "\udcff", "a\0b"]
    numbers = ["1", "-2.5", "01", "x", "", "1e5", "1e126", "1" * 38, "1" * 39, " 1", "NaN"]
    booleans = ["true", "false", "", "True", "1"]
    values = ["1", '"[1,2]"', '"{""a"":1,""b"":[]}"', "", "x", '"{""S"":""x""}"', '"{""a"":1,""a"":2}"', '"1 2"', "NaN"]
    columns = ["id", "text", "age:N", "active:BOOL", "value:JSON"][:width]
    rows = [",".join([f"u{number}", "plain", "7", "true", "null"][:width]) for number in range(20)]
    for _ in range(GENERATED // 2):
        usual = rng.random() < 0.5
        row = [
            rng.choice(kind[:1] if usual and rng.random() < 0.8 else kind)
            for kind in (ids, texts, numbers, booleans, values)
        ]
        rows.append(",".join(row[: width - (rng.random() < 0.01)]) + (",z" if rng.random() < 0.01 else ""))
    text = end.join([",".join(columns), *rows]) + end
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    refused = assert_same(path, [row.encode("utf-8", "surrogateescape") for row in rows], first=2)
    assert len(rows) // 5 < len(refused) < len(rows) * 4 // 5
