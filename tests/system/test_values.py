"""What a message writes: every JSON value as DynamoDB's, every digit kept; ids of each key type; the success
response."""

from __future__ import annotations

import base64
import json
import re
from decimal import Decimal
from typing import Any, Iterator

import pytest
from harness import bodies
from harness.cases import apply_lines, ids, scene_in
from harness.scene import Scene, message

pytestmark = pytest.mark.sanitized

Item = dict[str, Any]


def nested(levels: int, innermost: str = "1") -> str:
    return "[" * levels + innermost + "]" * levels


VALUES: list[tuple[str, str, Item]] = [
    ("a string", '"abc"', {"S": "abc"}),
    ("an empty string", '""', {"S": ""}),
    ("a NUL", '"a\\u0000b"', {"S": "a\0b"}),
    ("only a NUL", '"\\u0000"', {"S": "\0"}),
    ("escapes", '"\\"\\\\\\/\\b\\f\\n\\r\\t"', {"S": '"\\/\b\f\n\r\t'}),
    ("a surrogate pair", '"\\ud83d\\ude00"', {"S": "\U0001f600"}),
    ("characters of two to four bytes", '"é€\U0001f600"', {"S": "é€\U0001f600"}),
    ("a noncharacter", '"\\uffff"', {"S": "\uffff"}),
    ("a byte order mark inside", '"\ufeffx"', {"S": "\ufeffx"}),
    ("true", "true", {"BOOL": True}),
    ("false", "false", {"BOOL": False}),
    ("null", "null", {"NULL": True}),
    ("an empty array", "[]", {"L": []}),
    ("an empty object", "{}", {"M": {}}),
    (
        "an array of all kinds",
        '["a",1,true,null,[],{}]',
        {"L": [{"S": "a"}, {"N": "1"}, {"BOOL": True}, {"NULL": True}, {"L": []}, {"M": {}}]},
    ),
    ("an object in an object", '{"a":{"b":["c"]}}', {"M": {"a": {"M": {"b": {"L": [{"S": "c"}]}}}}}),
    ("an object that looks nearly like DynamoDB's", '{"S":5}', {"M": {"S": {"N": "5"}}}),
]

NUMBERS = [
    "0",
    "-0",
    "0.0",
    "-0.0e10",
    "0e999999",
    "1",
    "-1",
    "1.0",
    "1e0",
    "10E-1",
    "0.1",
    "-0.50",
    "1E2",
    "1e+2",
    "3.141592653589793238462643383279502884",
    "12345678901234567890123456789012345678",
    "-12345678901234567890123456789012345678",
    "0.12345678901234567890123456789012345678",
    "1234567890123456789.0123456789012345678",
    "18446744073709551616",
    "1e37",
    "-12e20",
    "1000",
    "10000",
    "9007199254740993",
    "1" + "0" * 60,
    "1.50000000000000000000000000000000000000000000",
    "0." + "0" * 100 + "1",
    "1E125",
    "9.9999999999999999999999999999999999999E+125",
    "-9.9999999999999999999999999999999999999E+125",
    "1E-130",
    "-1E-130",
    "0.0001e-126",
    "1000e122",
    "5e-124",
    "1.7976931348623157e100",
]

NAMES = [
    "name",
    "size",
    "status",
    "and",
    "null",
    "a b",
    "a.b",
    "a[0]",
    "#a",
    ":a",
    "`",
    "'",
    '"',
    "\\",
    "é",
    "\U0001f600",
    "-",
    "0",
    "a\0b",
    "A" * 255,
    "_",
]


@pytest.fixture(scope="module")
def written(cloud: Any) -> Iterator[tuple[Scene, list[Item]]]:
    """One record a value, each with an attribute that nothing touches."""
    texts = [text for _, text, _ in VALUES] + NUMBERS
    with scene_in(cloud) as scene:
        scene.table.put(*({"id": f"v{n}", "kept": "as it was", "x": "old"} for n in range(len(texts))))
        responses = apply_lines(scene, [f'{{"id":"v{n}","attributes":{{"x":{text}}}}}' for n, text in enumerate(texts)])
        assert all(response["success"] for response in responses), [
            response for response in responses if not response["success"]
        ]
        items = {item["id"]["S"]: item for item in scene.table.items()}
        yield scene, [items[f"v{n}"] for n in range(len(texts))]


@pytest.mark.parametrize("at", range(len(VALUES)), ids=ids(VALUES))
def test_a_json_value_becomes_its_dynamodb_type(written: tuple[Scene, list[Item]], at: int) -> None:
    assert written[1][at]["x"] == VALUES[at][2]


@pytest.mark.parametrize(
    "at", range(len(NUMBERS)), ids=[text if len(text) < 50 else f"{text[:20]}…" for text in NUMBERS]
)
def test_a_number_keeps_every_digit(written: tuple[Scene, list[Item]], at: int) -> None:
    assert Decimal(written[1][len(VALUES) + at]["x"]["N"]) == Decimal(NUMBERS[at])


def test_attributes_that_a_message_does_not_name_stay(written: tuple[Scene, list[Item]]) -> None:
    assert all(item["kept"] == {"S": "as it was"} and set(item) == {"id", "kept", "x"} for item in written[1])


def test_any_attribute_name_is_only_a_name(scene: Scene) -> None:
    scene.table.put({"id": "a"}, {"id": "b"})
    responses = apply_lines(
        scene,
        [
            json.dumps({"id": "a", "attributes": {name: at for at, name in enumerate(NAMES)}}),
            message("b", {"x": {name: 1 for name in NAMES}}),
        ],
    )
    assert [response["success"] for response in responses] == [True, True], responses
    assert scene.table.get("a") == {"id": "a", **{name: at for at, name in enumerate(NAMES)}}
    assert scene.table.get("b") == {"id": "b", "x": {name: 1 for name in NAMES}}


def test_values_stand_at_the_deepest_nesting_that_is_allowed(scene: Scene) -> None:
    scene.table.put({"id": "plain"}, {"id": "audited"})
    lines = [
        f'{{"id":"plain","enable_logging":false,"attributes":{{"x":{nested(31)}}}}}',
        f'{{"id":"audited","enable_logging":true,"attributes":{{"x":{nested(30)}}}}}',
    ]
    assert all(response["success"] for response in apply_lines(scene, lines))
    assert scene.table.get("plain")["x"] == json.loads(nested(31))
    assert scene.table.get("audited")["x"] == json.loads(nested(30))


def test_four_hundred_attributes_are_one_update(scene: Scene) -> None:
    attributes = {f"attribute_{n}": n for n in range(400)}
    scene.table.put({"id": "a"})
    response = apply_lines(scene, [message("a", attributes)])[0]
    assert response["success"] and response["updated_attributes"] == list(attributes)
    assert scene.table.get("a") == {"id": "a", **attributes}


# Ids


def test_a_success_says_what_was_updated_and_no_more(scene: Scene) -> None:
    scene.table.put({"id": "user-123"})
    response = apply_lines(scene, [message("user-123", {"name": "n", "email": "e", "status": "s", "age": 5})])[0]
    assert bodies.TIMESTAMP.fullmatch(response.pop("timestamp"))
    assert response == {
        "success": True,
        "message": "Record updated successfully",
        "updated_id": "user-123",
        "updated_attributes": ["name", "email", "status", "age"],
    }


STRING_IDS = ["a", " ", "a b", "é€\U0001f600", "a\0b", '"', "\\", "{}", "x" * 2048, "é" * 1024, "1"]


def test_string_ids_are_taken_as_they_are(scene: Scene) -> None:
    scene.table.put(*({"id": one} for one in STRING_IDS))
    responses = apply_lines(
        scene, [json.dumps({"id": one, "attributes": {"n": at}}) for at, one in enumerate(STRING_IDS)]
    )
    assert [response.get("updated_id") for response in responses] == STRING_IDS
    assert {record["id"]: record["n"] for record in scene.table.scan()} == {
        one: at for at, one in enumerate(STRING_IDS)
    }


def test_numbers_that_are_equal_are_the_same_record_and_answered_as_written(cloud: Any) -> None:
    with scene_in(cloud, kind="N") as scene:
        scene.table.put({"id": 1}, {"id": 0}, {"id": 10**30}, {"id": Decimal("-0.5")})
        spellings = ["1", "1.0", "1e0", "10E-1", "0.1e+1", "-0", "0.000", "1" + "0" * 30, "1e30", "-5e-1", "-0.50"]
        process = scene.command(
            "apply", stdin="".join(f'{{"id":{one},"attributes":{{"n{at}":1}}}}\n' for at, one in enumerate(spellings))
        )
        assert process.wait() == 0, process.describe()
        assert re.findall(r'"updated_id": ?([^,]*),', process.output) == spellings
        names = {str(record["id"]): sorted(set(record) - {"id"}) for record in scene.table.scan()}
        assert sorted(map(len, names.values())) == [2, 2, 2, 5]


def test_base64_ids_are_compared_by_their_bytes(cloud: Any) -> None:
    keys = [b"\0", b"abc", b"\xff" * 100, bytes(range(256)), b"x" * 2048]
    with scene_in(cloud, kind="B") as scene:
        scene.table.put(*({"id": key} for key in keys))
        responses = apply_lines(
            scene, [message(base64.b64encode(key).decode(), {"n": at}) for at, key in enumerate(keys)]
        )
        assert [base64.b64decode(response["updated_id"]) for response in responses] == keys
        assert {record["id"]: record["n"] for record in scene.table.scan()} == {key: at for at, key in enumerate(keys)}


@pytest.mark.parametrize(
    "partition, sort, identities",
    [
        ("S", "N", [{"id": "a", "at": 1}, {"at": 2.0, "id": "a"}, {"id": "b", "at": -1.5}]),
        ("N", "S", [{"id": 1, "at": "x"}, {"id": 1.5, "at": "\0"}]),
        ("B", "B", [{"id": "AAE=", "at": "/+8="}]),
    ],
)
def test_an_object_names_a_record_with_a_sort_key(
    cloud: Any, partition: str, sort: str, identities: list[Item]
) -> None:
    def stored(name: str, value: Any) -> Any:
        kind = partition if name == "id" else sort
        return base64.b64decode(value) if kind == "B" else Decimal(str(value)) if kind == "N" else value

    with scene_in(cloud, kind=partition, sort=("at", sort)) as scene:
        keys = [{name: stored(name, value) for name, value in identity.items()} for identity in identities]
        scene.table.put(*keys)
        responses = apply_lines(scene, [message(identity, {"n": at}) for at, identity in enumerate(identities)])
        assert [response["updated_id"] for response in responses] == identities
        for at, key in enumerate(keys):
            assert scene.table.get(key["id"], key["at"])["n"] == at


def test_no_record_of_that_id_is_a_record_not_found_error_and_makes_none(cloud: Any) -> None:
    with scene_in(cloud) as scene:
        lines = [
            message("missing", {"a": 1}),
            message("missing", {"a": 1}, condition_expression="a = 1"),
            message("missing", {"a": 1}, condition_expression="attribute_not_exists(a)"),
        ]
        for response in apply_lines(scene, lines):
            assert (response["error"], response["details"]) == ("RecordNotFoundError", {"id": "missing"})
        assert scene.table.scan() == []
    with scene_in(cloud, kind="N", sort=("at", "S")) as scene:
        identity = {"at": "x", "id": 5}
        response = apply_lines(scene, [message(identity, {"a": 1})])[0]
        assert (response["error"], response["details"]) == ("RecordNotFoundError", {"id": identity})
