"""The table of faults in tests/README.md and the tests that bear a fault's number say the same."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Iterator

from tree import ROOT, files, name_of

FAULTS = range(1, 39)
SHOWN = range(1, 32)  # of which the tests show each; those beyond come one by one
ROW = re.compile(r"^\| (\d+) \| [^|]+ \| ([^|]*) \|$", re.MULTILINE)
# How a test with a number begins: a unit test, a program that ctest runs, a system test.
UNIT = re.compile(r"^static void\s(fault_\d\d_\w+)\(void \*\*", re.MULTILINE)
PROGRAM = re.compile(r"add_test\(NAME (fault_\d\d_\w+) ")
SYSTEM = re.compile(r"^def test_(fault_\d\d_\w+)\(", re.MULTILINE)


def table(text: str) -> list[tuple[int, list[str]]]:
    """The rows: a fault's number, and the tests by their whole names, without test_."""
    section = text.partition("## Faults\n")[2].partition("\n## ")[0]
    rows = [(int(number), [name for name in tests.split(", ") if name]) for number, tests in ROW.findall(section)]
    return [(number, [f"fault_{number:02}_{name}" for name in names]) for number, names in rows]


def found(pattern: re.Pattern[str], paths: list[Path]) -> Iterator[tuple[str, Path]]:
    for path in paths:
        for name in pattern.findall(path.read_text()):
            yield name, path


def numbered_tests() -> dict[str, Path]:
    """Each test of the tree that bears a number."""
    tests = dict(found(UNIT, files("tests/unit/test_*.c")))
    tests |= dict(found(PROGRAM, files("tests/**/CMakeLists.txt")))
    return tests | dict(found(SYSTEM, files("tests/system/*.py")))


ROWS = table((ROOT / "tests" / "README.md").read_text())


def test_the_table_has_each_fault_once_and_in_order() -> None:
    numbers = [number for number, _ in ROWS]
    assert numbers == sorted(set(numbers))
    assert set(SHOWN) <= set(numbers) <= set(FAULTS)


def test_each_fault_has_a_test() -> None:
    assert not [number for number, tests in ROWS if not tests]


def test_each_test_of_the_table_is_in_the_tree_and_stands_there_once() -> None:
    named = Counter(name for _, tests in ROWS for name in tests)
    assert not [name for name, times in named.items() if times > 1 or name not in numbered_tests()]


def test_each_test_with_a_number_is_in_the_table() -> None:
    named = {name for _, tests in ROWS for name in tests}
    assert not {name: name_of(path) for name, path in numbered_tests().items() if name not in named}


def test_a_row_is_read() -> None:
    text = (
        "## Faults\n\n| # | fault | tests |\n|---|---|---|\n| 7 | stale | a_b, c |\n| 31 | none |  |\n\n## "
        "More\n| 8 | x | y |\n"
    )
    assert table(text) == [(7, ["fault_07_a_b", "fault_07_c"]), (31, [])]
