"""InvalidInputError: messages of the wrong shape are told what is wrong, and where. One `apply` takes all that fit on a
line; the same bodies, and those that don't, go through the queue in test_dead_letters.py."""

from __future__ import annotations

from typing import Any, Iterator

import pytest
from harness import bodies
from harness.cases import apply_lines, ids, scene_in
from harness.scene import Scene, message

pytestmark = pytest.mark.sanitized

Responses = list[dict[str, Any]]


@pytest.fixture(scope="module")
def plain_scene(cloud: Any) -> Iterator[Scene]:
    with scene_in(cloud) as scene:
        yield scene


@pytest.fixture(scope="module")
def shape_responses(plain_scene: Scene) -> Responses:
    return apply_lines(plain_scene, [body for _, body, _ in bodies.WRONG_SHAPES])


@pytest.fixture(scope="module")
def syntax_responses(plain_scene: Scene) -> Responses:
    # A complete first line says that the input is one value a line.
    lines = [message("no such record", {"a": 1}).encode()] + [body for _, body, _ in bodies.ONE_LINE_SYNTAX]
    return apply_lines(plain_scene, lines)[1:]


@pytest.mark.parametrize("at", range(len(bodies.WRONG_SHAPES)), ids=ids(bodies.WRONG_SHAPES))
def test_a_wrong_shape_is_told_member_by_member(shape_responses: Responses, at: int) -> None:
    _, body, details = bodies.WRONG_SHAPES[at]
    response = shape_responses[at]
    assert (response["success"], response["error"], response["details"]) == (False, "InvalidInputError", details), (
        body,
        response,
    )


@pytest.mark.parametrize("at", range(len(bodies.ONE_LINE_SYNTAX)), ids=ids(bodies.ONE_LINE_SYNTAX))
def test_what_is_no_strict_json_object_is_told_its_position(syntax_responses: Responses, at: int) -> None:
    _, body, position = bodies.ONE_LINE_SYNTAX[at]
    response = syntax_responses[at]
    assert (response["error"], response["details"]) == ("InvalidInputError", {"position": position}), (body, response)


def test_missing_members_are_told_in_the_documented_words(shape_responses: Responses) -> None:
    told = {
        name: response["message"] for (name, *_), response in zip(bodies.WRONG_SHAPES, shape_responses, strict=True)
    }
    assert told["nothing at all"] == "ID and attributes are required"
    assert told["no id"] == told["a null id"] == "ID is required"
    assert told["no attributes"] == told["null attributes"] == "Attributes are required"


def test_the_members_of_an_envelope_are_the_documented_ones_in_their_order(shape_responses: Responses) -> None:
    for response in shape_responses:
        assert list(response) == ["success", "error", "message", "details", "timestamp"]
        assert bodies.TIMESTAMP.fullmatch(response["timestamp"])


def test_nesting_beyond_the_parsers_bound_is_told_the_bracket_that_was_too_many(plain_scene: Scene) -> None:
    deep = '{"id":"a","attributes":{"x":' + "[" * 100_000 + "]" * 100_000 + "}}"
    unclosed = '{"id":"a","attributes":{"x":' + '{"y":' * 100_000
    for body, response in zip(
        (deep, unclosed), apply_lines(plain_scene, [message("a", {"b": 1}), deep, unclosed])[1:], strict=True
    ):
        assert response["error"] == "InvalidInputError" and list(response["details"]) == ["position"]
        position = response["details"]["position"]
        assert body[position] in "[{" and body[:position].count("[") + body[:position].count("{") >= 32
