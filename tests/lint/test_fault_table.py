"""The table of faults in tests/README.md is the one that the tests' names make, and each fault has a test."""

from __future__ import annotations

from fault_table import README, faults, made, numbered_tests

FAULTS = range(1, 39)
TEXT = (
    "# Tests\n## Faults\n\n| # | fault | tests |\n|---|---|---|\n| 7 | stale | a_b, c |\n| 31 | none |  |\n\n## More\n"
)


def test_the_table_is_the_one_that_the_tests_names_make() -> None:
    text = README.read_text()
    assert text == made(text, numbered_tests()), "write it anew: tests/lint/fault_table.py"


def test_the_table_has_each_fault_once_and_in_order() -> None:
    assert faults(README.read_text()) == list(FAULTS)


def test_each_fault_has_a_test_and_each_number_is_a_faults() -> None:
    assert {int(name.split("_")[1]) for name in numbered_tests()} == set(FAULTS)


def test_a_row_gets_the_tests_of_its_number_and_keeps_its_words() -> None:
    tests = ["fault_07_new", "fault_31_first", "fault_31_second"]
    changed = TEXT.replace("a_b, c", "new").replace("|  |", "| first, second |")
    assert made(TEXT, tests) == changed
    assert faults(TEXT) == [7, 31]
