"""The JSON reader and Python's parser, made strict, judge alike."""

from __future__ import annotations

import os
from typing import Iterator

import pytest
from json_judgement import Digits, Refused, compare, generated, kept, read, tool_path

COUNT = int(os.environ.get("JSON_TEXTS", "20000"))


@pytest.mark.parametrize("texts", [kept(), generated(COUNT, 1)], ids=["kept", "generated"])
def test_fault_28_both_readers_accept_the_same_and_read_the_same(texts: Iterator[bytes]) -> None:
    if not tool_path().exists():
        pytest.fail(f"{tool_path()} does not exist: build it, or set JUDGE_JSON", pytrace=False)
    tally = compare(tool_path(), texts)
    assert not tally.mismatches, "\n".join(tally.mismatches[:5])
    # Both verdicts came up, so the comparison was one.
    assert {"accepted", "refused"} <= set(tally.outcomes), tally.outcomes


@pytest.mark.parametrize(
    "text",
    [
        b"NaN",
        b'{"a":1,"a":2}',
        b'"\\ud800"',
        b'{"\\ud800":1}',
        b"\xef\xbb\xbf1",
        b'"\xed\xa0\x80"',
        b"[" * 41 + b"]" * 41,
        b'"\n"',
        b"",
        b"1 2",
    ],
)
def test_python_is_strict_as_well(text: bytes) -> None:
    with pytest.raises(ValueError):
        read(text)


def test_what_it_reads_keeps_digits_and_order() -> None:
    assert read(b'{"b":1.50,"a":[]}') == (("b", Digits("1.50")), ("a", []))
    assert issubclass(Refused, ValueError)
