"""Tables of message bodies and what the contract says of them. In SYNTAX a ¦ marks the position: the offset, in bytes,
of the first byte that no valid text could have there."""

from __future__ import annotations

import json
import re
from typing import Any


def _marked(name: str, text: str | bytes) -> tuple[str, bytes, int]:
    data = text if isinstance(text, bytes) else text.encode()
    mark = "¦".encode()
    assert data.count(mark) == 1, name
    return name, data.replace(mark, b""), data.index(mark)


A = '"attributes":{"a":1}'

SYNTAX = [
    _marked(name, text)
    for name, text in [
        ("an empty object cut", "{¦"),
        ("cut in a name", '{"id¦'),
        ("cut in a string", '{"id":"abc¦'),
        ("cut after a member", '{"id":"abc"¦'),
        ("cut after a comma", '{"id":"abc",¦'),
        ("cut in attributes", '{"id":"abc","attributes":{"a":1¦'),
        ("cut in a literal", '{"id":"abc","attributes":{"a":tru¦'),
        ("cut in an escape", '{"id":"abc\\¦'),
        ("cut in a unicode escape", '{"id":"abc\\u00¦'),
        ("cut in a character", '{"id":"é'.encode()[:-1] + "¦".encode()),
        ("cut in a fraction", '{"id":1.¦'),
        ("a byte order mark", '¦\ufeff{"id":"a",' + A + "}"),
        ("a second value", '{"id":"a",' + A + "}¦{}"),
        ("a word behind", '{"id":"a",' + A + "} ¦x"),
        ("a comma behind", '{"id":"a",' + A + "}¦,"),
        ("a closing brace behind", '{"id":"a",' + A + "}¦}"),
        ("a trailing comma in the object", '{"id":"a",' + A + ",¦}"),
        ("a trailing comma in an array", '{"id":"a","attributes":{"a":[1,¦]}}'),
        ("single quotes", "{¦'id':'a'}"),
        ("no quotes", '{¦id:"a"}'),
        ("a missing colon", '{"id"¦"a"}'),
        ("a missing comma", '{"id":"a"¦"attributes":{}}'),
        ("a comment", '{¦/* a */"id":"a"}'),
        ("NaN", '{"id":¦NaN}'),
        ("Infinity", '{"id":-¦Infinity}'),
        ("a plus sign", '{"id":¦+1}'),
        ("a leading zero", '{"id":0¦1}'),
        ("a leading zero behind a minus", '{"id":-0¦1}'),
        ("a number without an integer part", '{"id":¦.5}'),
        ("a number without a fraction", '{"id":1.¦}'),
        ("a number without an exponent", '{"id":1e¦}'),
        ("hexadecimal", '{"id":0¦x10}'),
        ("a capital literal", '{"id":"a","enable_logging":¦True}'),
        ("a misspelt literal", '{"id":"a","enable_logging":tru¦a}'),
        ("a raw tab in a string", '{"id":"a¦\tb"}'),
        ("an unknown escape", '{"id":"a\\¦xb"}'),
        ("a bad hex digit", '{"id":"\\u00¦g0"}'),
        ("an overlong character", b'{"id":"' + "¦".encode() + b'\xc0\xaf"}'),
        ("a surrogate in UTF-8", b'{"id":"\xed' + "¦".encode() + b'\xa0\x80"}'),
        ("a longer overlong character", b'{"id":"\xe0' + "¦".encode() + b'\x9f\xbf"}'),
        ("a character cut by a quote", b'{"id":"\xe2\x82' + "¦".encode() + b'"}'),
        ("beyond U+10FFFF", b'{"id":"\xf4' + "¦".encode() + b'\x90\x80\x80"}'),
        ("a stray continuation byte", b'{"id":"' + "¦".encode() + b'\x80"}'),
        ("a lone high surrogate", '{"id":"¦\\ud800"}'),
        ("a lone low surrogate", '{"id":"ab¦\\udc00"}'),
        ("two high surrogates", '{"id":"¦\\ud800\\ud800"}'),
        ("a high surrogate and a character", '{"id":"¦\\ud800x"}'),
        ("a high surrogate and another escape", '{"id":"¦\\ud800\\n"}'),
        ("a lone surrogate in a name", '{"id":"a","attributes":{"¦\\udfff":1}}'),
        ("a repeated member", '{"id":"a",¦"id":"a",' + A + "}"),
        ("a repeated member, escaped", '{"id":"a",¦"\\u0069d":"a",' + A + "}"),
        ("a repeated unknown member", '{"id":"a","x":1,¦"x":2,' + A + "}"),
        ("a repeated attribute", '{"id":"a","attributes":{"x":1,"y":2,¦"x":3}}'),
        ("a repeated name deep inside", '{"id":"a","attributes":{"x":[{"y":{"z":1,¦"z":1}}]}}'),
        ("a repeated empty name", '{"id":"a","attributes":{"x":{"":1,¦"":1}}}'),
        ("a repeated name in an unknown member", '{"id":"a",' + A + ',"x":{"b":1,¦"b":1}}'),
        ("a syntax error behind a wrong shape", '{"id":5,"attributes":[],¦}'),
        ("an array that is no JSON", "[1,¦]"),
        ("a bare word", "¦hello"),
        ("an array", "¦[]"),
        ("a string", '¦"{}"'),
        ("a number", "¦5"),
        ("null", "¦null"),
        ("true", "¦true"),
        ("an array after spaces", '¦  [{"id":"a"}]'),
    ]
]
ONE_LINE_SYNTAX = [case for case in SYNTAX if case[1].strip()]

# The queue also takes what is no line.
WHOLE_BODY_SYNTAX = [
    _marked(name, text)
    for name, text in [
        ("only spaces", "   ¦"),
        ("only a newline", "\n¦"),
        ("a raw newline in a string", '{"id":"a¦\nb"}'),
        ("cut after a newline", '{"id":"a",\n¦'),
        ("no object, over lines", "¦\n[\n]\n"),
    ]
]


def _shape(name: str, members: str | dict[str, Any], **details: list[str]) -> tuple[str, str, dict[str, list[str]]]:
    return name, members if isinstance(members, str) else json.dumps(members), details


GOOD = {"id": "a", "attributes": {"a": 1}}

WRONG_SHAPES = [
    _shape("nothing at all", {}, missing_fields=["id", "attributes"]),
    _shape("no id", {"attributes": {"a": 1}}, missing_fields=["id"]),
    _shape("no attributes", {"id": "a"}, missing_fields=["attributes"]),
    _shape("a null id", {"id": None, "attributes": {"a": 1}}, missing_fields=["id"]),
    _shape("null attributes", {"id": "a", "attributes": None}, missing_fields=["attributes"]),
    _shape("both null", {"attributes": None, "id": None}, missing_fields=["id", "attributes"]),
    _shape("an empty id", {**GOOD, "id": ""}, invalid_fields=["id"]),
    _shape("a true id", {**GOOD, "id": True}, invalid_fields=["id"]),
    _shape("an array id", {**GOOD, "id": ["a"]}, invalid_fields=["id"]),
    _shape("empty attributes", {**GOOD, "attributes": {}}, invalid_fields=["attributes"]),
    _shape("attributes in an array", {**GOOD, "attributes": [1]}, invalid_fields=["attributes"]),
    _shape("attributes in a string", {**GOOD, "attributes": "{}"}, invalid_fields=["attributes"]),
    _shape("logging null", {**GOOD, "enable_logging": None}, invalid_fields=["enable_logging"]),
    _shape("logging a string", {**GOOD, "enable_logging": "true"}, invalid_fields=["enable_logging"]),
    _shape("logging a number", {**GOOD, "enable_logging": 1}, invalid_fields=["enable_logging"]),
    _shape("a null condition", {**GOOD, "condition_expression": None}, invalid_fields=["condition_expression"]),
    _shape("an empty condition", {**GOOD, "condition_expression": ""}, invalid_fields=["condition_expression"]),
    _shape("a blank condition", {**GOOD, "condition_expression": " \t\n"}, invalid_fields=["condition_expression"]),
    _shape(
        "a condition that is no string",
        {**GOOD, "condition_expression": {"a": 1}},
        invalid_fields=["condition_expression"],
    ),
    _shape("null names", {**GOOD, "expression_attribute_names": None}, invalid_fields=["expression_attribute_names"]),
    _shape(
        "empty names",
        {**GOOD, "condition_expression": "a = 1", "expression_attribute_names": {}},
        invalid_fields=["expression_attribute_names"],
    ),
    _shape(
        "names in an array",
        {**GOOD, "expression_attribute_names": ["#a"]},
        invalid_fields=["expression_attribute_names"],
    ),
    _shape(
        "empty values",
        {**GOOD, "condition_expression": "a = 1", "expression_attribute_values": {}},
        invalid_fields=["expression_attribute_values"],
    ),
    _shape(
        "values in a string",
        {**GOOD, "expression_attribute_values": ":v"},
        invalid_fields=["expression_attribute_values"],
    ),
    _shape(
        "null values", {**GOOD, "expression_attribute_values": None}, invalid_fields=["expression_attribute_values"]
    ),
    _shape("an empty key", {**GOOD, "idempotency_key": ""}, invalid_fields=["idempotency_key"]),
    _shape("a null key", {**GOOD, "idempotency_key": None}, invalid_fields=["idempotency_key"]),
    _shape("a number as the key", {**GOOD, "idempotency_key": 7}, invalid_fields=["idempotency_key"]),
    _shape(
        "one unknown member", {**GOOD, "condition_expresion": "version < 5"}, unknown_fields=["condition_expresion"]
    ),
    _shape(
        "unknown members as they came",
        {"zeta": 1, **GOOD, "alpha": None, "Id": "a", "": 0},
        unknown_fields=["zeta", "alpha", "Id", ""],
    ),
    _shape("an unknown name in escapes", '{"id":"a",' + A + ',"\\u0078\\"y":1}', unknown_fields=['x"y']),
    _shape(
        "invalid members in the table's order",
        {
            "idempotency_key": 1,
            "expression_attribute_values": 1,
            "expression_attribute_names": 1,
            "condition_expression": 1,
            "enable_logging": 1,
            "attributes": 1,
            "id": False,
        },
        invalid_fields=[
            "id",
            "attributes",
            "enable_logging",
            "condition_expression",
            "expression_attribute_names",
            "expression_attribute_values",
            "idempotency_key",
        ],
    ),
    _shape(
        "all three kinds at once",
        {"unknown": 1, "enable_logging": "yes", "attributes": {}, "other": 2},
        missing_fields=["id"],
        invalid_fields=["attributes", "enable_logging"],
        unknown_fields=["unknown", "other"],
    ),
]

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
