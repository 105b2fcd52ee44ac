"""Conditions: DynamoDB's grammar with literals, as DynamoDB itself judges them on a record that is known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Iterator

import pytest
from harness.cases import apply_lines, scene_in
from harness.scene import message

pytestmark = pytest.mark.sanitized

RECORD: dict[str, Any] = {
    "version": 5,
    "status": "active",
    "name": "O'Brien",
    "txt": 'say "hi"',
    "tags": ["a", "b"],
    "m": {"k": {"x": 1}},
    "flag": True,
    "nothing": None,
    "big": Decimal("12345678901234567890123456789012345678"),
    "weird-name": 1,
    "a.b": 2,
    "and": 3,
    "size": 4,
    "`": 5,
    "empty": "",
    "list": [[7]],
    "contains": "x",
    "other": 5,
    "é": 8,
}

# Expressions, with names and values where they use placeholders.
TRUE: list[Any] = [
    "version = 5",
    "version=5",
    "version = 5.0",
    "version = 0.5e1",
    "version = 500E-2",
    "5 = version",
    "6 > version",
    "version > -1",
    "-1 < version",
    "version <> 4",
    "version >= 5",
    "version <= 5",
    "version < 6 AND status = 'active'",
    'status = "active"',
    "name = 'O''Brien'",
    'name = "O\'Brien"',
    'txt = "say ""hi"""',
    "txt = 'say \"hi\"'",
    "empty = ''",
    'empty = ""',
    "flag = true",
    "flag = TRUE",
    "flag = tRuE",
    "flag <> false",
    "nothing = null",
    "nothing = NULL",
    "version BETWEEN 1 AND 5",
    "version between 5 and 5",
    "3 BETWEEN 1 AND version",
    "version BETWEEN other AND 6",
    "version IN (5)",
    "version IN (1, 2, 5)",
    "status in ('a','active')",
    "5 IN (version, other)",
    "NOT version = 4",
    "not not version = 5",
    "NOT (version = 4)",
    "not version = 4 and status = 'active' or version = 0",
    "version = 0 or version = 5",
    "version = 5 OR version = 0 AND version = 1",
    "(version = 5)",
    "((version = 5))",
    "((((version = 5) AND (((status = 'active'))))))",
    "version = 5 AND (status = 'x' OR status = 'active')",
    "  version\t=\n5\r\n",
    "version = other",
    "attribute_exists(m.k.x)",
    "attribute_not_exists(m.k.y)",
    "attribute_exists ( tags[1] )",
    "attribute_not_exists(tags[2])",
    "m.k.x = 1",
    "tags[0] = 'a'",
    "list[0][0] = 7",
    "contains(tags, 'b')",
    "contains(status, 'act')",
    "begins_with(status, 'act')",
    "size(status) = 6",
    "size(tags) > 1",
    "2 = size(tags)",
    "size(status) BETWEEN 1 AND 6",
    "size(status) IN (5, 6)",
    "`weird-name` = 1",
    "`a.b` = 2",
    "`and` = 3",
    "```` = 5",
    "size = 4",
    "contains = 'x'",
    "`size` = 4",
    "`é` = 8",
    "big = 12345678901234567890123456789012345678",
    "`version` = 5",
    ("#v = :v", {"#v": "version"}, {":v": 5}),
    ("m.#k.x = :v", {"#k": "k"}, {":v": 1}),
    ("attribute_type(version, :t)", None, {":t": "N"}),
    ("#v = 5 AND version = :v AND #v <> :w", {"#v": "version"}, {":v": 5, ":w": "5"}),
    ("m.k = :m", None, {":m": {"x": 1}}),
    ("tags = :l", None, {":l": ["a", "b"]}),
    ("m = :deep", None, {":deep": {"k": {"x": 1.0}}}),
    ("#0 = :0", {"#0": "version"}, {":0": 5}),
    ("#a_B9 = 1", {"#a_B9": "weird-name"}, None),
    "version IN (" + ", ".join(str(n) for n in range(100)) + ")",
    " AND ".join(["version = 5"] * 140),
]
FALSE: list[Any] = [
    "version < 5",
    "version = '5'",
    "status = 'inactive'",
    "missing = 1",
    "attribute_exists(missing)",
    "attribute_not_exists(version)",
    "NOT flag = true",
    "nothing = false",
    "flag = 'true'",
    "version BETWEEN 6 AND 9",
    "version IN (1, 2)",
    "status = 'active' AND version = 4",
    "name = 'O'",
    "tags[2] = 'a'",
    "contains(tags, 'c')",
    "begins_with(status, 'ACT')",
    "size(missing) = 1",
    "not version = 5 or status = 'x'",
    "big = 12345678901234567890123456789012345677",
    "missing <> version AND version = 4",
    ("attribute_type(version, :t)", None, {":t": "S"}),
    ("#s = :s", {"#s": "status"}, {":s": "' OR version = 5 OR status = '"}),
    "status = ''' OR version = 5'",
]
REFUSED: list[Any] = [
    "version",
    "version =",
    "= 5",
    "version == 5",
    "version != 5",
    "version = 5 AND",
    "AND version = 5",
    "version = 5 version = 5",
    "version = 5)",
    "(version = 5",
    "()",
    "NOT",
    "5",
    "true",
    "'a'",
    "1 = 1",
    "'a' = 'a'",
    "1 < 2 AND version = 5",
    "true = true",
    "null = null",
    "1 BETWEEN 0 AND 2",
    "1 IN (1, 2)",
    "attribute_exists(version) = true",
    "attribute_exists()",
    "attribute_exists(version, status)",
    "attribute_exists('version')",
    "attribute_exists(5)",
    "ATTRIBUTE_EXISTS(version)",
    "Attribute_exists(version)",
    "foo(version)",
    "size(version)",
    "size(size(status)) = 1",
    "SIZE(status) = 6",
    "size('abc') = 3",
    "version IN ()",
    "version IN 5",
    "version IN (5,)",
    "version BETWEEN 1",
    "version BETWEEN 1 OR 2",
    "version BETWEEN 5 AND 1",
    "version BETWEEN 1 AND 'a'",
    "version = [1]",
    "version = {}",
    "version = 'unterminated",
    'version = "unterminated',
    "version = 'a'b'",
    "version = 05",
    "version = .5",
    "version = +5",
    "version = 1.",
    "version = 0x10",
    "version = 1e",
    "version = --1",
    "version - 1 = 4",
    "version + 1 = 6",
    "`unterminated = 1",
    "`` = 1",
    "version = 5; version = 5",
    "version = 5 -- comment",
    "version, status",
    "version = version",
    "contains(tags, tags)",
    "begins_with(status, 5)",
    "begins_with(status, true)",
    "contains(status)",
    "tags[-1] = 1",
    "tags[x] = 1",
    "tags[] = 1",
    "tags[1 = 1",
    "m. = 1",
    ".m = 1",
    "m..k = 1",
    "m.1 = 1",
    "weird-name = 1",
    "é = 8",
    "# = 1",
    ": = 1",
    "version = :",
    "version = # ",
    "version IN (" + ", ".join(str(n) for n in range(101)) + ")",
    "a" + ".a" * 32 + " = 1",
    "(" * 2000 + "version = 5" + ")" * 2000,
    "NOT " * 2000 + "version = 5",
    " AND ".join(["version = 5"] * 301),
    "version = 5\0",
    "attribute_type(version, 5)",
    ("attribute_type(version, :t)", None, {":t": "X"}),
    ("attribute_type(version, :t)", None, {":t": 5}),
    ("begins_with(status, :n)", None, {":n": 5}),
    ("version BETWEEN :b AND :a", None, {":a": 1, ":b": 5}),
    ("SET version = :v", None, {":v": 1}),
]


def parts(case: Any) -> tuple[str, dict[str, str] | None, dict[str, Any] | None]:
    return (case, None, None) if isinstance(case, str) else case


def name_of(case: Any) -> str:
    text = parts(case)[0]
    return text if len(text) < 60 else f"{text[:40]}… ({len(text)})"


def line(record_id: str, case: Any) -> str:
    expression, names, values = parts(case)
    members: dict[str, Any] = {"condition_expression": expression}
    if names:
        members["expression_attribute_names"] = names
    if values:
        members["expression_attribute_values"] = values
    return message(record_id, {"touched": True}, **members)


ALL = [*TRUE, *FALSE, *REFUSED]


@pytest.fixture(scope="module")
def judged(cloud: Any) -> Iterator[list[tuple[dict[str, Any], bool]]]:
    """The response to each, and whether its record was written."""
    with scene_in(cloud) as scene:
        scene.table.put(*({"id": f"c{at}", **RECORD} for at in range(len(ALL))))
        responses = apply_lines(scene, [line(f"c{at}", case) for at, case in enumerate(ALL)])
        touched = {record["id"] for record in scene.table.scan() if record.get("touched")}
        yield [(response, f"c{at}" in touched) for at, response in enumerate(responses)]


@pytest.mark.parametrize("at", range(len(TRUE)), ids=[name_of(case) for case in TRUE])
def test_a_true_condition_lets_the_update_through(judged: list[Any], at: int) -> None:
    response, touched = judged[at]
    assert response["success"] and touched, (ALL[at], response)


@pytest.mark.parametrize("at", range(len(TRUE), len(TRUE) + len(FALSE)), ids=[name_of(case) for case in FALSE])
def test_a_false_condition_is_a_conditional_check_failed(judged: list[Any], at: int) -> None:
    response, touched = judged[at]
    assert (response.get("error"), response.get("details"), touched) == (
        "ConditionalCheckFailed",
        {"id": f"c{at}"},
        False,
    ), (ALL[at], response)


@pytest.mark.parametrize("at", range(len(TRUE) + len(FALSE), len(ALL)), ids=[name_of(case) for case in REFUSED])
def test_what_is_no_condition_is_a_validation_error(judged: list[Any], at: int) -> None:
    response, touched = judged[at]
    field = response.get("details", {}).get("field")
    assert (response.get("error"), touched) == ("ValidationError", False), (ALL[at], response)
    assert field == "condition_expression" or (field or "").startswith("expression_attribute_"), response


def test_a_literal_is_never_part_of_the_expression(cloud: Any) -> None:
    """What stands between quotes only ever is a value, whatever it looks like."""
    wild = [
        "' OR attribute_exists(id) OR name = '",
        '" OR 1 = 1 OR "',
        ":v",
        "#n",
        "`name`",
        "\\",
        "a) OR (version = 5",
        "\0",
        "--",
        "é\U0001f600",
    ]
    with scene_in(cloud) as scene:
        scene.table.put(
            *({"id": f"w{at}", "name": text, "version": 5} for at, text in enumerate(wild)),
            *({"id": f"x{at}", "name": "-", "version": 5} for at in range(len(wild))),
        )
        quoted = [text.replace("'", "''") for text in wild]
        same = [message(f"w{at}", {"a": 1}, condition_expression=f"name = '{text}'") for at, text in enumerate(quoted)]
        different = [
            message(f"x{at}", {"a": 1}, condition_expression=f"name = '{text}'") for at, text in enumerate(quoted)
        ]
        responses = apply_lines(scene, same + different)
        assert all(response["success"] for response in responses[: len(wild)]), responses
        assert all(response.get("error") == "ConditionalCheckFailed" for response in responses[len(wild) :]), responses
