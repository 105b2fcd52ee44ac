"""Where dynoxide, the second judge of what DynamoDB does, is known to differ from DynamoDB Local, and which of them AWS
agrees with.

Both judge the same generated conditions and messages, and the same scripts. What they differ in stands here; anything
else that differs is a mismatch. No row lets a condition be true for one of them and false for the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable


@dataclass(frozen=True)
class Difference:
    """One way in which the judges differ."""

    name: str
    pattern: str  # of the mismatch that it makes
    aws: str  # which of them AWS agrees with, and where it says so


# Conditions. dynoxide evaluates what DynamoDB refuses before it looks at any item.
_STATIC = (
    "DynamoDB Local: an expression is checked as a whole before the item is read (Condition and filter expressions)"
)
CONDITIONS = [
    Difference("a type that has no order", r"takes strings and numbers, not ", _STATIC),
    Difference("begins_with of what is no string", r"begins_with takes strings, not ", _STATIC),
    Difference("one attribute on both sides", r"has the same attribute on both sides", _STATIC),
    Difference("bounds of BETWEEN the wrong way round", r"upper bound of BETWEEN is below the lower", _STATIC),
    Difference("bounds of two types", r"bounds of BETWEEN have different types", _STATIC),
    Difference("attribute_type's operand", r"second operand of attribute_type is no", _STATIC),
    Difference(
        "32 elements of a path",
        r"a path has more than 32 elements",
        "DynamoDB Local: 32 is the nesting that an item has (Service quotas)",
    ),
    Difference(
        "an index beyond 2147483647",
        r"expected a list index from 0 to 2147483647",
        "DynamoDB Local: List index is not within the allowable range",
    ),
    Difference("100 operands of IN", r"IN has more than 100 operands", "DynamoDB Local: 100 (Comparison operators)"),
    Difference(
        "a value as the first operand of attribute_type",
        r"Expected attribute name, got :",
        "DynamoDB Local: the operand is a path or a value in its grammar",
    ),
    Difference(
        "a function in capital letters",
        r"expected the function's name in lower case",
        "DynamoDB Local: function names are case-sensitive (Condition and filter expressions)",
    ),
    Difference(
        "parentheses around an operand",
        r"damaged '.*\( [#:]?[a-z] \).*Expected comparison operator, BETWEEN, or IN",
        "DynamoDB Local: the grammar has operands in parentheses",
    ),
]

# Update messages. dynoxide reads the item's condition first, and refuses the rest of the update after.
MESSAGES = [
    Difference(
        "a false condition before a refusal",
        r"\nwe: \{\"success\": false, \"error\": \"ValidationError\".*\njudge: false\n",
        _STATIC,
    ),
    Difference(
        "a removal inside a list of the message's own",
        r"it overlaps with what (increment|set|append) has before it.*\njudge: applied\n",
        _STATIC,
    ),
]


def unexplained(mismatches: Iterable[str], differences: list[Difference]) -> list[str]:
    """The mismatches that no difference explains."""
    return [text for text in mismatches if not any(re.search(one.pattern, text) for one in differences)]


def never_seen(mismatches: list[str], differences: list[Difference]) -> list[str]:
    """The differences that none of the mismatches shows: such a row is no longer true, or never was."""
    return [one.name for one in differences if not any(re.search(one.pattern, text) for text in mismatches)]
