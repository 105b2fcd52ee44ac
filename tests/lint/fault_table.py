#!/usr/bin/env python3
"""The table of faults in tests/README.md: which tests show each. It is made from the tests' names:

    tests/lint/fault_table.py     writes it anew

What a fault is called stands in the table itself and stays; a new fault is a new row there, its last cell empty.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

from tree import ROOT, files

README = ROOT / "tests" / "README.md"
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]*) \|$", re.MULTILINE)
# How a test with a number begins: a unit test, a program that ctest runs, a system test.
_UNIT = re.compile(r"^static void\s(fault_\d\d_\w+)\(void \*\*", re.MULTILINE)
_PROGRAM = re.compile(r"add_test\(NAME (fault_\d\d_\w+) ")
_SYSTEM = re.compile(r"^def test_(fault_\d\d_\w+)\(", re.MULTILINE)


def _found(pattern: re.Pattern[str], paths: list[Path]) -> Iterator[str]:
    for path in paths:
        yield from pattern.findall(path.read_text())


def numbered_tests() -> list[str]:
    """Each test of the tree that bears a fault's number: units first, by file and place."""
    tests = [
        *_found(_UNIT, files("tests/unit/test_*.c")),
        *_found(_PROGRAM, files("tests/**/CMakeLists.txt")),
        *_found(_SYSTEM, files("tests/system/*.py")),
    ]
    return list(dict.fromkeys(tests))


def faults(text: str) -> list[int]:
    """The numbers of a table's rows."""
    return [int(number) for number, _, _ in _ROW.findall(_section(text)[1])]


def _section(text: str) -> tuple[str, str, str]:
    before, heading, rest = text.partition("## Faults\n")
    section, following, after = rest.partition("\n## ")
    return before + heading, section, following + after


def made(text: str, tests: list[str]) -> str:
    """The text with the rows of its table as the tests' names have them."""
    before, section, after = _section(text)

    def row(match: re.Match[str]) -> str:
        stem = f"fault_{int(match[1]):02}_"
        mine = ", ".join(test.removeprefix(stem) for test in tests if test.startswith(stem))
        return f"| {match[1]} | {match[2]} | {mine} |"

    return before + _ROW.sub(row, section) + after


if __name__ == "__main__":
    README.write_text(made(README.read_text(), numbered_tests()))
