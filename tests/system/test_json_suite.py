"""The JSON reader under a public suite of texts, https://github.com/nst/JSONTestSuite, where JSON_TEST_SUITE names a
checkout of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from json_judgement import ask, tool_path

SUITE = Path(os.environ.get("JSON_TEST_SUITE", os.devnull)) / "test_parsing"
# Two members of one name: valid JSON, and refused in a message all the same.
REFUSED = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}


@pytest.mark.skipif(not SUITE.is_dir(), reason="JSON_TEST_SUITE names no checkout of the suite")
def test_fault_28_a_public_suite_of_texts_is_judged_as_rfc_8259_has_it() -> None:
    """y_ is to be accepted, n_ refused; i_ is either's choice, and ours is to be strict."""
    paths = [path for path in sorted(SUITE.glob("*.json")) if path.read_bytes()]
    verdicts = {
        path.name: line.split()[0]
        for path, line in zip(paths, ask(tool_path(), [path.read_bytes() for path in paths]), strict=True)
    }
    assert len(verdicts) > 300
    expected = {
        name: b"accepted" if name.startswith("y_") and name not in REFUSED else b"refused"
        for name in verdicts
        if not name.startswith("i_")
    }
    assert {name: verdicts[name] for name in expected} == expected
