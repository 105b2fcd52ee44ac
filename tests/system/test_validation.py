"""ValidationError: the shape is right, the data breaks a rule of the table, of DynamoDB or ours. `field` is where,
`reason` why."""

from __future__ import annotations

import json
from typing import Any, Callable, Iterator

import pytest
from harness.cases import apply_lines, ids, scene_in
from harness.scene import Scene, log_id, message

pytestmark = pytest.mark.sanitized

GOOD: dict[str, Any] = {"id": "a", "attributes": {"a": 1}}
# An item has at most 400 KB, names included.
ITEM = 400 * 1024


def nested(levels: int, innermost: str = "1") -> str:
    return "[" * levels + innermost + "]" * levels


def attributes(text: str, more: str = "") -> str:
    return f'{{"id":"a","attributes":{text}{more}}}'


def condition(expression: str, **members: Any) -> str:
    return message("a", {"a": 1}, condition_expression=expression, **members)


Case = tuple[str, str, str]
IDS_OF_A_STRING_KEY: list[Case] = [
    ("a number for a string key", message(5, {"a": 1}), "id"),
    ("2049 bytes", message("x" * 2049, {"a": 1}), "id"),
    ("2049 bytes in characters of two", message("é" * 1024 + "x", {"a": 1}), "id"),
    ("the key in attributes", message("a", {"id": "b"}), "attributes.id"),
    ("the key in attributes with its own value", message("a", {"b": 1, "id": "a"}), "attributes.id"),
]
NUMBERS: list[Case] = [
    ("39 digits", attributes('{"n":123456789012345678901234567890123456789}'), "attributes.n"),
    ("39 digits with a fraction", attributes('{"n":1.00000000000000000000000000000000000001}'), "attributes.n"),
    ("a thousand digits", attributes('{"n":' + "7" * 1000 + "}"), "attributes.n"),
    ("1E126", attributes('{"n":1E126}'), "attributes.n"),
    ("beyond the largest by a digit", attributes('{"n":1' + "0" * 126 + "}"), "attributes.n"),
    ("-1E126", attributes('{"n":-1E126}'), "attributes.n"),
    ("1E-131", attributes('{"n":1E-131}'), "attributes.n"),
    ("an exponent that fits no integer", attributes('{"n":1e99999999999999999999}'), "attributes.n"),
    ("a negative exponent that fits no integer", attributes('{"n":1e-99999999999999999999}'), "attributes.n"),
    (
        "39 digits in an object",
        attributes('{"n":{"deep":123456789012345678901234567890123456789}}'),
        "attributes.n.deep",
    ),
    (
        "39 digits in :v",
        condition("a = :v").replace(
            "{", '{"expression_attribute_values":{":v":123456789012345678901234567890123456789},', 1
        ),
        "expression_attribute_values.:v",
    ),
    ("39 digits in a condition", condition("a = 123456789012345678901234567890123456789"), "condition_expression"),
    ("1E126 in a condition", condition("a = 1E126"), "condition_expression"),
]
DEPTHS: list[Case] = [
    ("32 arrays", attributes('{"x":' + nested(32) + "}"), "attributes.x"),
    ("32 arrays with nothing in them", attributes('{"x":' + nested(32, "") + "}"), "attributes.x"),
    ("32 objects", attributes('{"x":' + '{"y":' * 32 + "1" + "}" * 32 + "}"), "attributes.x"),
    (
        "33 arrays in :v",
        condition("a = :v").replace("{", '{"expression_attribute_values":{":v":' + nested(33) + "},", 1),
        "expression_attribute_values.:v",
    ),
]
SIZES: list[Case] = [
    ("a value of an item's size", message("a", {"x": "x" * ITEM}), "attributes"),
    ("many values of an item's size", message("a", {f"x{n}": "x" * 4096 for n in range(100)}), "attributes"),
    ("a name beyond 65535 bytes", message("a", {"x" * 65536: 1}), "attributes"),
    ("an empty name", message("a", {"": 1}), "attributes"),
    ("600 attributes", message("a", {f"attribute_{n}": n for n in range(600)}), "attributes"),
]
INDEX_KEYS: list[Case] = [
    ("a number for a string", message("a", {"email": 5}), "attributes.email"),
    ("null for a string", message("a", {"email": None}), "attributes.email"),
    ("an object for a string", message("a", {"email": {"x": 1}}), "attributes.email"),
    ("an empty string", message("a", {"email": ""}), "attributes.email"),
    ("2049 bytes", message("a", {"email": "x" * 2049}), "attributes.email"),
    ("a string for a number", message("a", {"rank": "5"}), "attributes.rank"),
    ("true for a number", message("a", {"rank": True}), "attributes.rank"),
    ("an array for a binary", message("a", {"mark": [1]}), "attributes.mark"),
    ("a number for a binary", message("a", {"mark": 1}), "attributes.mark"),
]
PLACEHOLDERS: list[Case] = [
    ("an undefined name", condition("#n = 1"), "expression_attribute_names.#n"),
    ("an undefined value", condition("a = :v"), "expression_attribute_values.:v"),
    (
        "a name undefined among others",
        condition("#a = 1 AND #b = 2", expression_attribute_names={"#a": "a"}),
        "expression_attribute_names.#b",
    ),
    ("an unused name", condition("a = 1", expression_attribute_names={"#n": "a"}), "expression_attribute_names.#n"),
    ("an unused value", condition("a = 1", expression_attribute_values={":v": 1}), "expression_attribute_values.:v"),
    (
        "a name without a condition",
        message("a", {"a": 1}, expression_attribute_names={"#n": "a"}),
        "expression_attribute_names.#n",
    ),
    (
        "a value without a condition",
        message("a", {"a": 1}, expression_attribute_values={":v": 1}),
        "expression_attribute_values.:v",
    ),
    ("a name without its #", condition("a = 1", expression_attribute_names={"n": "a"}), "expression_attribute_names.n"),
    (
        "a value without its colon",
        condition("a = 1", expression_attribute_values={"v": 1}),
        "expression_attribute_values.v",
    ),
]
GROUPS = {
    "ids": IDS_OF_A_STRING_KEY,
    "numbers": NUMBERS,
    "depths": DEPTHS,
    "sizes": SIZES,
    "index keys": INDEX_KEYS,
    "placeholders": PLACEHOLDERS,
}
ALL = [(f"{group}: {name}", line, field) for group, cases in GROUPS.items() for name, line, field in cases]


@pytest.fixture(scope="module")
def refused(cloud: Any) -> Iterator[list[dict[str, Any]]]:
    with scene_in(cloud, gsi={"email": "S", "rank": "N", "mark": "B"}) as scene:
        scene.table.put({"id": "a", "untouched": True})
        responses = apply_lines(scene, [line for _, line, _ in ALL])
        assert scene.table.get("a") == {"id": "a", "untouched": True}
        yield responses


@pytest.mark.parametrize("at", range(len(ALL)), ids=ids(ALL))
def test_a_broken_rule_is_told_with_its_field_and_reason(refused: list[dict[str, Any]], at: int) -> None:
    response, field = refused[at], ALL[at][2]
    assert response["error"] == "ValidationError", response
    assert list(response["details"]) == ["field", "reason"] and response["details"]["reason"], response
    told = response["details"]["field"]
    assert told == field or (ALL[at][0].startswith("sizes") and told.startswith("attributes")), response


def test_too_many_attributes_are_told_their_count(refused: list[dict[str, Any]]) -> None:
    response = next(
        response for (name, *_), response in zip(ALL, refused, strict=True) if name == "sizes: 600 attributes"
    )
    assert response["details"]["field"] == "attributes" and "600" in response["details"]["reason"]


def test_what_index_keys_take_is_applied(cloud: Any) -> None:
    with scene_in(cloud, gsi={"email": "S", "rank": "N"}) as scene:
        scene.table.put({"id": "a"})
        written = {"email": "é" * 1024, "rank": -5, "others": None}
        assert apply_lines(scene, [message("a", written)])[0]["success"]
        assert scene.table.get("a") == {"id": "a", **written}


@pytest.mark.parametrize(
    "kind, wrong",
    [
        ("N", ['"1"', '"abc"', "123456789012345678901234567890123456789", "1E126", '{"id":1}']),
        ("B", ['"a"', '"YQ"', '"YQ==="', '"YR=="', '" YQ=="', '"YQ==\\n"', '"-_8="', "5", '"' + "A" * 2736 + '"']),
        ("S", ["5", '{"id":"a"}']),
    ],
)
def test_an_id_that_does_not_fit_the_key_is_refused(cloud: Any, kind: str, wrong: list[str]) -> None:
    with scene_in(cloud, kind=kind) as scene:
        for identity, response in zip(
            wrong, apply_lines(scene, [f'{{"id":{one},"attributes":{{"a":1}}}}' for one in wrong]), strict=True
        ):
            assert response["error"] == "ValidationError" and response["details"]["field"].split(".")[0] == "id", (
                identity,
                response,
            )


WRONG_COMPOSITES: list[Any] = [
    "a",
    5,
    {"id": "a"},
    {"at": 1},
    {"id": "a", "at": 1, "x": 1},
    {"id": "a", "x": 1},
    {"id": "a", "at": "1"},
    {"id": 1, "at": 1},
    {"id": "", "at": 1},
    {"id": "a", "at": None},
    {"id": "a", "at": [1]},
    {"id": "x" * 2049, "at": 1},
]


def test_an_object_that_does_not_fit_a_composite_key_is_refused_on_id(cloud: Any) -> None:
    with scene_in(cloud, sort=("at", "N")) as scene:
        scene.table.put({"id": "a", "at": 1})
        lines = [message(identity, {"a": 1}) for identity in WRONG_COMPOSITES]
        for identity, response in zip(WRONG_COMPOSITES, apply_lines(scene, lines), strict=True):
            assert response["error"] == "ValidationError" and response["details"]["field"].split(".")[0] == "id", (
                identity,
                response,
            )
        for name in ("id", "at"):
            response = apply_lines(scene, [message({"id": "a", "at": 1}, {name: 1})])[0]
            assert (response["error"], response["details"]["field"]) == ("ValidationError", f"attributes.{name}")
        assert scene.table.scan() == [{"id": "a", "at": 1}]


def test_a_sort_key_has_1024_bytes(cloud: Any) -> None:
    with scene_in(cloud, sort=("at", "S")) as scene:
        scene.table.put({"id": "a", "at": "x" * 1024})
        good, bad = apply_lines(scene, [message({"id": "a", "at": "x" * n}, {"a": 1}) for n in (1024, 1025)])
        assert good["success"] and bad["error"] == "ValidationError" and bad["details"]["field"].split(".")[0] == "id"


def test_nesting_that_only_the_audit_record_forbids_says_so(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    lines = [attributes('{"x":' + nested(31) + "}", f',"enable_logging":{logging}') for logging in ("true", "false")]
    audited, plain = apply_lines(scene, lines)
    assert audited["error"] == "ValidationError" and audited["details"]["field"] == "attributes.x"
    assert "audit" in audited["details"]["reason"] and "audit" in audited["message"]
    assert plain["success"]


def largest(fits: Callable[[int], bool], low: int, high: int) -> int:
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def test_an_item_of_400_kb_is_written_and_a_byte_more_is_refused(cloud: Any) -> None:
    # id: 2 + 1, x: 1 + n
    most = ITEM - 4
    with scene_in(cloud) as scene:
        scene.table.put({"id": "a"}, {"id": "b"})
        good, bad = apply_lines(scene, [message("a", {"x": "x" * most}), message("b", {"x": "x" * (most + 1)})])
        assert good["success"], good
        assert bad["error"] == "ValidationError" and bad["details"]["field"].split(".")[0] == "attributes", bad
        assert len(scene.table.get("a")["x"]) == most and scene.table.get("b") == {"id": "b"}


def test_a_size_that_only_the_audit_record_exceeds_says_so(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    lines = [message("a", {"x": "x" * (ITEM - 10)}, enable_logging=logging) for logging in (True, False)]
    audited, plain = apply_lines(scene, lines)
    assert (
        audited["error"] == "ValidationError"
        and audited["details"]["field"].split(".")[0] == "attributes"
        and "audit" in audited["message"]
    )
    assert plain["success"]


def test_an_update_that_makes_the_record_too_large_is_a_validation_error(scene: Scene) -> None:
    scene.table.put({"id": "a", "old": "x" * 300_000})
    for logging in (True, False):
        response = apply_lines(scene, [message("a", {"new": "x" * 200_000}, enable_logging=logging)])[0]
        assert response["error"] == "ValidationError" and response["details"]["field"].split(".")[0] == "attributes", (
            response
        )


@pytest.mark.parametrize("audited", [True, False], ids=["audited", "unaudited"])
def test_an_idempotency_key_that_was_used_for_another_message_is_refused(scene: Scene, audited: bool) -> None:
    scene.table.put({"id": "a"}, {"id": "b"})
    first = message("a", {"n": 1, "m": [1, {"x": 1.50}]}, idempotency_key="k", enable_logging=audited)
    others = [
        message("a", {"n": 2, "m": [1, {"x": 1.5}]}, idempotency_key="k", enable_logging=audited),
        message("b", {"n": 1, "m": [1, {"x": 1.5}]}, idempotency_key="k", enable_logging=audited),
        message(
            "a",
            {"n": 1, "m": [1, {"x": 1.5}]},
            idempotency_key="k",
            enable_logging=audited,
            condition_expression="n = 1",
        ),
    ]
    assert apply_lines(scene, [first])[0]["success"]
    for response in apply_lines(scene, others):
        assert (response["error"], response["details"]["field"]) == ("ValidationError", "idempotency_key"), response
    assert scene.table.get("a")["n"] == 1 and "n" not in scene.table.get("b")


@pytest.mark.parametrize("audited", [True, False], ids=["audited", "unaudited"])
def test_the_same_message_in_another_spelling_is_the_same_message(scene: Scene, audited: bool) -> None:
    scene.table.put({"id": "a", "count": 0})
    logging = json.dumps(audited)
    spellings = [
        f'{{"id":"a","attributes":{{"n":1,"m":{{"x":150,"y":"é"}}}},'
        f'"condition_expression":"count = 0","idempotency_key":"k","enable_logging":{logging}}}',
        f'{{"idempotency_key":"\\u006b","enable_logging":{logging},'
        f'"condition_expression":"((count=0.0))","attributes":{{"m":{{"y":"\\u00e9","x":1.5e2}},"n":1.0}},"id":"a"}}',
        f'{{"id":"a","attributes":{{"n":1,"m":{{"x":150,"y":"é"}}}},'
        f'"condition_expression":"#c = :c","expression_attribute_names":{{"#c":"count"}},'
        f'"expression_attribute_values":{{":c":0}},"idempotency_key":"k","enable_logging":{logging}}}',
    ]
    for spelling in spellings:
        assert apply_lines(scene, [spelling])[0]["success"]
    if audited:
        assert list(scene.audits()) == [log_id(scene.table.name, "k")]


def test_an_idempotency_key_has_1_to_256_bytes(scene: Scene) -> None:
    scene.table.put({"id": "a"})
    keys = ["x", "x" * 256, "é" * 128, "x" * 257, "é" * 128 + "x"]
    responses = apply_lines(scene, [message("a", {"n": n}, idempotency_key=key) for n, key in enumerate(keys)])
    assert [response["success"] for response in responses] == [True, True, True, False, False]
    for response in responses[3:]:
        assert response["error"] in ("InvalidInputError", "ValidationError") and "idempotency_key" in json.dumps(
            response["details"]
        )
