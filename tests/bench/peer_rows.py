"""What the checks of rows are compared with: a file of rows through Python's json or csv, with the same checks.

Of a row whose members are id, attributes, idempotency_key and enable_logging, of a table that isn't known, it checks
what `enqueue --dry-run` does, and test_peer_rows.py holds that both refuse the same rows:

- that the text is UTF-8 and strict JSON: no name twice in an object, no NaN, no lone surrogate, nothing behind it;
- members, their types, and what must not be empty; keys of at most 2,048 bytes, an idempotency key of 256;
- names of attributes; numbers of 38 digits and in DynamoDB's range; values that look like DynamoDB's JSON or like an
  operator; 31 levels of nesting, 30 with an audit record; 520 attributes, 400 KB as DynamoDB counts them;
- 2 MiB of a row, 1 MiB of a message; of CSV the header, the count of fields and each column's type.

The other members of a message (conditions, operations) are refused as beyond it: the rows measured have none. Of CSV it
takes a quote inside a field that doesn't begin with one, which table-updater refuses: the csv module can't tell.
Written as one would write it with speed in mind: each value is looked at once, and by its type.
"""

from __future__ import annotations

import binascii
import codecs
import csv
import decimal
import json
import re
import sys
from typing import Any, Callable, Iterator

KIB = 1024
ROW_MAX, MESSAGE_MAX, ITEM_MAX = 2 * KIB * KIB, KIB * KIB, 400 * KIB
KEY_MAX, IDEMPOTENCY_KEY_MAX, NAME_MAX = 2048, 256, 65535
DEPTH_MAX, ATTRIBUTES_MAX = 31, 520
MEMBERS = {"id", "attributes", "idempotency_key", "enable_logging"}
DATA_NAMES = {"$ref", "$oid", "$date", "$id"}  # begin like an operator's, and are none
INTEGER_MAX = 10**38
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
TYPED_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
# DynamoDB's numbers: what doesn't fit is an exception.
NUMBERS = decimal.Context(
    prec=38,
    Emin=-130,
    Emax=125,
    traps=[decimal.Inexact, decimal.Overflow, decimal.Subnormal, decimal.InvalidOperation],
)


class Refused(ValueError):
    """The row is no message that could be applied."""


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("a name stands there twice")
    return members


def no_constant(word: str) -> None:
    """NaN and Infinity, which Python would take."""
    raise Refused(f"{word} is no JSON")


decode = json.JSONDecoder(
    object_pairs_hook=unique, parse_float=NUMBERS.create_decimal, parse_constant=no_constant
).decode


def utf8_size(text: str) -> int:
    """Bytes of a text; one with a lone surrogate has no UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def size_of_number(value: int | decimal.Decimal) -> int:
    """Bytes that DynamoDB counts: one for two digits."""
    if type(value) is int:
        if not -INTEGER_MAX < value < INTEGER_MAX:
            return size_of_number(NUMBERS.create_decimal(value))
        digits = str(value).strip("-0")
    else:
        digits = "".join(map(str, value.as_tuple().digits)).strip("0")
    return (len(digits) + 1) // 2 + 1 + (value < 0)


def size_of_name(name: str) -> int:
    """Of an attribute, or of a member of a map."""
    size = utf8_size(name)
    if not 0 < size <= NAME_MAX:
        raise Refused("a name has 1 to 65,535 bytes")
    return size


def size_of(value: Any, depth_left: int) -> int:
    """Bytes that DynamoDB counts for a value, which is refused where it can't be stored."""
    kind = type(value)
    if kind is str:
        return len(value) if value.isascii() else len(value.encode())
    if kind is int or kind is decimal.Decimal:
        return size_of_number(value)
    if kind is bool or value is None:
        return 1
    if depth_left == 0:
        raise Refused("it nests too deep")
    if kind is list:
        return 3 + sum(1 + size_of(element, depth_left - 1) for element in value)
    return 3 + sum(1 + size_of_name(name) + size_of(inner, depth_left - 1) for name, inner in value.items())


def is_base64(text: Any) -> bool:
    """Whether it is a string in base64 with padding, and no bit too many."""
    try:
        return (
            type(text) is str
            and binascii.b2a_base64(binascii.a2b_base64(text, strict_mode=True), newline=False).decode() == text
        )
    except ValueError:
        return False


def is_typed_number(text: Any) -> bool:
    """Whether it is what DynamoDB's JSON has as a number."""
    if type(text) is not str or not TYPED_NUMBER.fullmatch(text):
        return False
    try:
        NUMBERS.create_decimal(text)
    except ArithmeticError:
        return False
    return True


def is_text(text: Any) -> bool:
    """Whether it is a string."""
    return type(text) is str


def is_set(value: Any, is_element: Callable[[Any], bool], meaning: Callable[[str], Any]) -> bool:
    """Whether it is an array of such elements, each of them once."""
    return (
        type(value) is list
        and bool(value)
        and all(map(is_element, value))
        and len({meaning(element) for element in value}) == len(value)
    )


def is_typed(value: Any, depth_left: int = DEPTH_MAX) -> bool:
    """Whether it is a value in DynamoDB's JSON."""
    if type(value) is not dict or len(value) != 1:
        return False
    ((kind, content),) = value.items()
    if kind == "M":
        return (
            depth_left > 0
            and type(content) is dict
            and all(name and is_typed(inner, depth_left - 1) for name, inner in content.items())
        )
    if kind == "L":
        return depth_left > 0 and type(content) is list and all(is_typed(inner, depth_left - 1) for inner in content)
    kinds: dict[str, Callable[[Any], bool]] = {
        "S": is_text,
        "N": is_typed_number,
        "B": is_base64,
        "BOOL": lambda content: type(content) is bool,
        "NULL": lambda content: content is True,
        "SS": lambda content: is_set(content, is_text, str),
        "NS": lambda content: is_set(content, is_typed_number, NUMBERS.create_decimal),
        "BS": lambda content: is_set(content, is_base64, str),
    }
    return kind in kinds and kinds[kind](content)


def check_plain(value: dict[str, Any]) -> None:
    """An object of one member may be meant as something else."""
    (name,) = value
    if (name.startswith("$") and name not in DATA_NAMES) or is_typed(value):
        raise Refused("it looks like DynamoDB's JSON or like an operator")


def size_of_key(value: Any) -> int:
    """One attribute of the record's key."""
    kind = type(value)
    if kind is str:
        size = utf8_size(value)
        if 0 < size <= KEY_MAX:
            return size
    elif kind is int or kind is decimal.Decimal:
        return size_of_number(value)
    raise Refused("a key is a string of 1 to 2,048 bytes, or a number")


def size_of_id(value: Any) -> int:
    """The key as a whole: a value, or an object of two."""
    if type(value) is not dict:
        return size_of_key(value)
    if len(value) != 2:
        raise Refused("a key has two attributes")
    return sum(utf8_size(name) + size_of_key(inner) for name, inner in value.items())


def check(row: Any) -> int:
    """Refuses what can't be applied, or gives the item's size."""
    if type(row) is not dict:
        raise Refused("it is no object")
    if row.keys() - MEMBERS:
        raise Refused("it has other members")
    attributes = row.get("attributes")
    if "id" not in row or type(attributes) is not dict or not attributes:
        raise Refused("id and attributes are required")
    logged = row.get("enable_logging", False)
    if type(logged) is not bool:
        raise Refused("enable_logging is true or false")
    if "idempotency_key" in row:
        key = row["idempotency_key"]
        if type(key) is not str or not 0 < utf8_size(key) <= IDEMPOTENCY_KEY_MAX:
            raise Refused("a key has 1 to 256 bytes")
    if len(attributes) > ATTRIBUTES_MAX:
        raise Refused("so many attributes don't fit in an expression")
    size, depth = size_of_id(row["id"]), DEPTH_MAX - logged
    for name, value in attributes.items():
        size += size_of_name(name) + size_of(value, depth)
        if type(value) is dict and len(value) == 1:
            check_plain(value)
    if size > ITEM_MAX:
        raise Refused("an item has at most 400 KB")
    return size


def check_json(line: bytes) -> None:
    """A line that isn't blank."""
    if len(line) > MESSAGE_MAX:
        raise Refused("it is too long")
    check(decode(line.decode()))


def number_of(text: str) -> int | decimal.Decimal:
    """A field of a column of numbers."""
    match = NUMBER.fullmatch(text)
    if not match:
        raise Refused("it is no number")
    return NUMBERS.create_decimal(text) if match.lastindex else int(text)


def boolean_of(text: str) -> bool:
    """A field of a column of booleans."""
    if text not in ("true", "false"):
        raise Refused("it is neither true nor false")
    return text == "true"


TYPES: dict[str, Callable[[str], Any] | None] = {"S": None, "N": number_of, "BOOL": boolean_of, "JSON": decode}


def read_header(header: list[str]) -> list[tuple[str, Callable[[str], Any] | None]]:
    """Each column's name, and what reads its fields; None: they are text."""
    columns = [column.rpartition(":") if ":" in column else (column, ":", "S") for column in header]
    names = [name for name, _, _ in columns]
    if not all(names) or len(set(names)) != len(names) or any(kind not in TYPES for _, _, kind in columns):
        raise SystemExit("the header isn't one")
    return [(name, TYPES[kind]) for name, _, kind in columns]


def check_fields(columns: list[tuple[str, Callable[[str], Any] | None]], fields: list[str]) -> None:
    """A row of CSV; an empty field is an attribute that the row doesn't have."""
    if len(fields) != len(columns):
        raise Refused("it has more or fewer fields than the header")
    values = {}
    for (name, read), text in zip(columns, fields):
        if text:
            if "\0" in text:
                raise Refused("a NUL")
            values[name] = read(text) if read else text
    if "id" not in values:
        raise Refused("id is required")
    row = {"id": values.pop("id"), "attributes": values}
    # A byte of an item is at most six of JSON.
    if check(row) > MESSAGE_MAX // 8 and len(json.dumps(row, default=str, ensure_ascii=False).encode()) > MESSAGE_MAX:
        raise Refused("it is too long")


REFUSALS = (ValueError, ArithmeticError, RecursionError)


def refused_of_csv(path: str) -> Iterator[tuple[int, Exception]]:
    """The lines of rows that are refused, and why."""
    # A byte that is no UTF-8 becomes a lone surrogate, and that is refused.
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        reader = csv.reader(file, strict=True)
        columns = read_header(next(reader))
        for fields in reader:
            if fields:
                try:
                    check_fields(columns, fields)
                except REFUSALS as error:
                    yield reader.line_num, error


def refused_of_json(path: str) -> Iterator[tuple[int, Exception]]:
    """The same of JSON lines."""
    with open(path, "rb") as file:
        if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            file.seek(0)
        for number, line in enumerate(file, 1):
            if line.isspace() and not line.strip(b" \t\r\n"):
                continue
            try:
                check_json(line)
            except REFUSALS as error:
                yield number, error


def main() -> int:
    """Prints each refused row; 1 where there is any."""
    path, refused = sys.argv[1], 0
    for line, error in (refused_of_csv if path.endswith(".csv") else refused_of_json)(path):
        print(f"{line}\t{error}")
        refused += 1
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
