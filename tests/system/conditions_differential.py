"""Compares the condition language with DynamoDB itself.

Two kinds of cases. Generated: a condition is made as a tree, spelt at random for us, and spelt independently for
DynamoDB with a placeholder for each name and value; what bind_condition makes of our spelling must have DynamoDB's own
outcome on the same item, and must be refused where DynamoDB refuses its own. Mutated: a text of DynamoDB's own grammar
is damaged token by token; both must refuse it, or neither.

By itself: DYNAMODB_ENDPOINT=http://127.0.0.1:8000 python3 conditions_differential.py [COUNT [SEED]]
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Iterable

TABLE = "conditions"
ITEMS = 60
GUARD = "#_k"
KEYWORDS = {"and", "or", "not", "in", "between", "true", "false", "null"}
COMPARATORS = ["=", "<>", "<", "<=", ">", ">="]
NAMES = [
    "a",
    "b",
    "c",
    "version",
    "status",
    "Name",
    "size",
    "contains",
    "_x",
    "and",
    "IN",
    "true",
    "user-id",
    "a.b",
    "`q`",
    "é",
    "\U0001f600",
    "x y",
    "a[0]",
    '"',
    "#n",
    ":v",
]
STRINGS = ["", "a", "ab", "abc", "b", "it's", 'say "hi"', "é", "\uffff", "\U00010000", "\n\t", "\\", "SS", "N"]
# In the normal form of number.h, which bind_condition expects of values.
NUMBERS = [
    "0",
    "1",
    "-1",
    "2",
    "5",
    "10",
    "1.5",
    "-0.25",
    "100",
    "0.000001",
    "1E-7",
    "10000000000000000000000000000000000000",
    "1E+38",
    "12345678901234567890123456789012345678",
    "9.9E+125",
    "1E-130",
]
TYPES = ["S", "N", "B", "SS", "NS", "BS", "BOOL", "NULL", "L", "M"]

Node = tuple[Any, ...]


def tool_path() -> Path:
    """bind_condition: BIND_CONDITION, else the release build's."""
    return Path(
        os.environ.get("BIND_CONDITION")
        or Path(__file__).resolve().parents[2] / "build" / "test" / "tests" / "bind_condition"
    )


class Tool:
    """The running bind_condition."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def __enter__(self) -> Tool:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def bind(self, condition: str, names: dict[str, str], values: dict[str, Any]) -> dict[str, Any]:
        """What becomes of a condition."""
        assert self._process.stdin and self._process.stdout
        line = json.dumps(
            {"condition": condition, "names": names, "values": values}, ensure_ascii=False, separators=(",", ":")
        )
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


# --- Items and trees
# -------------------------------------------------------------------------------------------------------------------


def stored_value(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    """A value as items have them, sets and bytes too."""
    kind = rng.choice(
        ["S", "S", "N", "N", "N", "BOOL", "NULL", "B", "SS", "NS", "BS"] + (["L", "L", "M", "M"] if depth < 3 else [])
    )
    if kind == "L":
        return {"L": [stored_value(rng, depth + 1) for _ in range(rng.randrange(4))]}
    if kind == "M":
        return {"M": {name: stored_value(rng, depth + 1) for name in rng.sample(NAMES, rng.randrange(5))}}
    return {
        "S": {"S": rng.choice(STRINGS)},
        "N": {"N": rng.choice(NUMBERS)},
        "BOOL": {"BOOL": rng.random() < 0.5},
        "NULL": {"NULL": True},
        "B": {"B": rng.choice([b"", b"a", b"ab"])},
        "SS": {"SS": rng.sample(["a", "ab", "it's"], 2)},
        "NS": {"NS": rng.sample(["1", "2", "5"], 2)},
        "BS": {"BS": [b"a", b"b"]},
    }[kind]


def make_item(rng: random.Random, number: int) -> dict[str, Any]:
    """An item with some of the names, under a key that no condition uses."""
    names = rng.sample(NAMES, rng.randrange(len(NAMES) // 2, len(NAMES)))
    return {"pk": {"S": f"i{number}"}} | {name: stored_value(rng) for name in names}


def make_value(rng: random.Random, kinds: str = "SSSNNN0-LM") -> Node:
    """A value of JSON's types, in DynamoDB JSON."""
    kind = rng.choice(kinds)
    made: dict[str, Any] = {
        "S": {"S": rng.choice(STRINGS)},
        "N": {"N": rng.choice(NUMBERS)},
        "0": {"BOOL": rng.random() < 0.5},
        "-": {"NULL": True},
        "L": {"L": [{"S": "a"}, {"N": "1"}][: rng.randrange(3)]},
        "M": {"M": {"a": {"N": "1"}} if rng.random() < 0.5 else {}},
    }[kind]
    return ("value", made)


def make_path(rng: random.Random) -> Node:
    """A path, rarely one that is too long."""
    elements: list[Any] = [rng.choice(NAMES)]
    for _ in range(rng.choice([0, 0, 0, 0, 1, 1, 2, 3]) if rng.random() < 0.995 else rng.choice([31, 32])):
        elements.append(
            rng.choice(NAMES)
            if rng.random() < 0.5
            else rng.choice([0, 0, 1, 2, 99, 2147483647] if rng.random() < 0.98 else [2147483648])
        )
    return ("path", *elements)


def make_operand(rng: random.Random, kinds: str = "SSSNNN0-LM") -> Node:
    """An operand: mostly a value."""
    chance = rng.random()
    if chance < 0.3:
        return make_path(rng)
    if chance < 0.38:
        return ("size", make_path(rng) if rng.random() < 0.9 else make_operand(rng))
    return make_value(rng, kinds)


def make_predicate(rng: random.Random, careful: bool) -> Node:
    """One operator or function. careful: of operands that DynamoDB takes, mostly."""
    ordered = "SSNNN" if careful else "SSNNN0-LM"
    first: Node = make_path(rng) if rng.random() < (0.9 if careful else 0.6) else make_operand(rng)
    kind = rng.choice(
        ["compare"] * 6 + ["between", "between", "in", "in", "exists", "not_exists", "type", "begins", "contains"]
    )
    if kind == "compare":
        operator = rng.choice(COMPARATORS)
        return (
            "compare",
            operator,
            first,
            make_operand(rng, ordered if operator not in "=<>" or operator == "<" else "SSSNNN0-LM"),
        )
    if kind == "between":
        bounds = [make_operand(rng, ordered), make_operand(rng, ordered)]
        if careful and bounds[0][0] == bounds[1][0] == "value":
            bounds = sorted((make_value(rng, "N"), make_value(rng, "N")), key=lambda v: Decimal(v[1]["N"]))
        return ("between", first, *bounds)
    if kind == "in":
        return (
            "in",
            first,
            *(make_operand(rng) for _ in range(rng.randrange(1, 5) if rng.random() < 0.99 else rng.choice([100, 101]))),
        )
    if kind == "exists":
        return ("call", "attribute_exists", first if not careful else make_path(rng))
    if kind == "not_exists":
        return ("call", "attribute_not_exists", first if not careful else make_path(rng))
    if kind == "type":
        wanted: Node = ("value", {"S": rng.choice(TYPES)}) if careful or rng.random() < 0.7 else make_operand(rng)
        return ("call", "attribute_type", first, wanted)
    return (
        "call",
        "begins_with" if kind == "begins" else "contains",
        first,
        make_operand(rng, "S" if careful and kind == "begins" else "SSNN0-LM"),
    )


def make_condition(rng: random.Random, careful: bool, depth: int = 0) -> Node:
    """A whole condition."""
    chance = rng.random()
    if depth > 4 or chance < 0.45 + 0.1 * depth:
        return make_predicate(rng, careful)
    if chance > 0.88:
        return ("not", make_condition(rng, careful, depth + 1))
    return (
        rng.choice(["and", "or"]),
        *(make_condition(rng, careful, depth + 1) for _ in range(rng.choice([2, 2, 2, 3]))),
    )


# --- Spelling
# ----------------------------------------------------------------------------------------------------------------------


@dataclass
class Terms:
    """The placeholders of one request."""

    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def name(self, meaning: str) -> str:
        """A new placeholder for a name."""
        placeholder = f"#n{len(self.names)}"
        self.names[placeholder] = meaning
        return placeholder

    def value(self, meaning: Any) -> str:
        """A new placeholder for a value."""
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = meaning
        return placeholder


class Theirs:
    """DynamoDB's own spelling: a placeholder for everything, parentheses around every operand of AND, OR and NOT that
    is no predicate."""

    def __init__(self) -> None:
        self.terms = Terms()

    def operand(self, node: Node) -> str:
        """An operand."""
        if node[0] == "value":
            return self.terms.value(node[1])
        if node[0] == "size":
            return f"size({self.operand(node[1])})"
        steps = [f"[{step}]" if isinstance(step, int) else f".{self.terms.name(step)}" for step in node[1:]]
        return "".join(steps)[1:]

    def condition(self, node: Node) -> str:
        """A condition."""
        kind, rest = node[0], node[1:]
        if kind in ("and", "or"):
            return f" {kind.upper()} ".join(self.inner(operand) for operand in rest)
        if kind == "not":
            return f"NOT {self.inner(rest[0])}"
        if kind == "compare":
            return f"{self.operand(rest[1])} {rest[0]} {self.operand(rest[2])}"
        operands = [self.operand(operand) for operand in (rest[1:] if kind == "call" else rest)]
        if kind == "between":
            return f"{operands[0]} BETWEEN {operands[1]} AND {operands[2]}"
        if kind == "in":
            return f"{operands[0]} IN ({', '.join(operands[1:])})"
        return f"{rest[0]}({', '.join(operands)})"

    def inner(self, node: Node) -> str:
        """An operand of AND, OR or NOT."""
        text = self.condition(node)
        return f"({text})" if node[0] in ("and", "or", "not") else text


class Ours:
    """Our spelling, at random: literals or placeholders, cases, spaces, redundant parentheses."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.terms = Terms()
        self.only_literals = False  # some operation has

    def space(self, needed: bool = False) -> str:
        """White space."""
        return self.rng.choice([" ", " ", " ", "  ", "\n", "\t\r"] + ([] if needed else ["", "", ""]))

    def keyword(self, word: str) -> str:
        """A keyword in any case, with its spaces."""
        return self.space(True) + "".join(self.rng.choice([c.lower(), c.upper()]) for c in word) + self.space(True)

    def name(self, name: str) -> str:
        """An element of a path."""
        chance = self.rng.random()
        if chance < 0.6 and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in KEYWORDS:
            return name
        return self.terms.name(name) if chance > 0.85 else "`" + name.replace("`", "``") + "`"

    def number(self, digits: str) -> str:
        """One of a number's spellings in JSON."""
        number = Decimal(digits)
        plain = format(number, "f")
        sign, figures, exponent = number.as_tuple()
        shifted = (
            f"{'-' if sign else ''}{''.join(map(str, figures))}e{exponent:+d}" if isinstance(exponent, int) else plain
        )
        return self.rng.choice(
            [
                digits,
                plain,
                plain if "." in plain else plain + ".0",
                plain + ("0" if "." in plain else "") + "E0",
                shifted,
            ]
        )

    def literal(self, value: dict[str, Any]) -> str | None:
        """A literal, where there is one."""
        kind, meaning = next(iter(value.items()))
        if kind == "S":
            quote = self.rng.choice("'\"")
            return f"{quote}{meaning.replace(quote, quote * 2)}{quote}"
        if kind == "N":
            return self.number(meaning)
        if kind in ("BOOL", "NULL"):
            return self.keyword("null" if kind == "NULL" else str(meaning)).strip()
        return None

    def operand(self, node: Node) -> tuple[str, bool]:
        """An operand, and whether it is a literal."""
        literal = None
        if node[0] == "value":
            literal = self.literal(node[1]) if self.rng.random() < 0.8 else None
            text = literal if literal is not None else self.terms.value(node[1])
        elif node[0] == "size":
            text = self.call("size", node[1:])
        else:
            steps = [
                f"[{self.space()}{step}{self.space()}]"
                if isinstance(step, int)
                else f"{self.space()}.{self.space()}{self.name(step)}"
                for step in node[1:]
            ]
            text = "".join(steps).lstrip(" \t\r\n").removeprefix(".").lstrip(" \t\r\n")
        while self.rng.random() < 0.05:
            text = f"({self.space()}{text}{self.space()})"
        return text, literal is not None

    def operands(self, nodes: Iterable[Node]) -> list[str]:
        """The operands of one operation."""
        made = [self.operand(node) for node in nodes]
        self.only_literals = self.only_literals or all(literal for _, literal in made)
        return [text for text, _ in made]

    def call(self, name: str, nodes: Iterable[Node]) -> str:
        """A function."""
        comma = self.space() + "," + self.space()
        return f"{name}{self.space()}({self.space()}{comma.join(self.operands(nodes))}{self.space()})"

    def condition(self, node: Node) -> str:
        """A condition, perhaps in more parentheses than it needs."""
        kind, rest = node[0], node[1:]
        if kind in ("and", "or"):
            text = self.keyword(kind).join(self.inner(operand, node) for operand in rest)
        elif kind == "not":
            text = self.keyword("not").lstrip() + self.inner(rest[0], node)
        elif kind == "call":
            text = self.call(rest[0], rest[1:])
        else:
            text = self.operation(kind, rest)
        while self.rng.random() < 0.08:
            text = f"({self.space()}{text}{self.space()})"
        return text

    def operation(self, kind: str, rest: tuple[Any, ...]) -> str:
        """A comparison, BETWEEN or IN."""
        operands = self.operands(rest[1:] if kind == "compare" else rest)
        if kind == "compare":
            return operands[0] + self.space() + rest[0] + self.space() + operands[1]
        if kind == "between":
            return operands[0] + self.keyword("between") + operands[1] + self.keyword("and") + operands[2]
        return operands[0] + self.keyword("in") + "(" + (self.space() + "," + self.space()).join(operands[1:]) + ")"

    def inner(self, node: Node, outer: Node) -> str:
        """An operand of AND, OR or NOT, in parentheses where it needs them; chains of one kind sometimes without."""
        needed = node[0] == "or" or (node[0] == "and" and outer[0] == "not")
        needed = needed and not (node[0] == outer[0] == "or" and self.rng.random() < 0.5)
        text = self.condition(node)
        return f"({text})" if needed else text


# --- Comparison
# ----------------------------------------------------------------------------------------------------------------------


class Judge:
    """DynamoDB, with items to judge conditions on."""

    def __init__(self, client: Any, seed: int) -> None:
        self.client = client
        rng = random.Random(seed)
        try:
            client.create_table(
                TableName=TABLE,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        except client.exceptions.ResourceInUseException:
            pass
        self.items = [make_item(rng, number) for number in range(ITEMS)]
        for item in self.items:
            client.put_item(TableName=TABLE, Item=item)

    def outcome(self, number: int, expression: str, names: dict[str, str], values: dict[str, Any]) -> str:
        """'true', 'false', or what DynamoDB says against it."""
        check: dict[str, Any] = {
            "TableName": TABLE,
            "Key": {"pk": {"S": f"i{number}"}},
            "ConditionExpression": expression,
        }
        if names:
            check["ExpressionAttributeNames"] = names
        if values:
            check["ExpressionAttributeValues"] = values
        try:
            self.client.transact_write_items(TransactItems=[{"ConditionCheck": check}])
        except self.client.exceptions.TransactionCanceledException as canceled:
            code = canceled.response["CancellationReasons"][0]["Code"]
            return (
                "false"
                if code == "ConditionalCheckFailed"
                else f"refused: {canceled.response['CancellationReasons'][0]}"
            )
        except self.client.exceptions.ClientError as error:
            return f"refused: {error.response['Error']['Message']}"
        return "true"


@dataclass
class Tally:
    """What the cases came to."""

    outcomes: dict[str, int] = field(default_factory=dict)
    mismatches: list[str] = field(default_factory=list)

    def count(self, outcome: str) -> None:
        """One more of these."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def guarded(bound: dict[str, Any]) -> str:
    """The bound condition behind the guard, as a request has it."""
    inner = f"({bound['expression']})" if bound["is_or"] else bound["expression"]
    return f"attribute_exists({GUARD}) AND {inner}"


def check_generated(tool: Tool, judge: Judge, rng: random.Random, tally: Tally) -> None:
    """One condition from a tree."""
    tree = make_condition(rng, careful=rng.random() < 0.7)
    number = rng.randrange(ITEMS)
    theirs = Theirs()
    expression = theirs.condition(tree)
    wanted = judge.outcome(number, expression, theirs.terms.names, theirs.terms.values)
    ours = Ours(rng)
    text = ours.condition(tree)
    bound = tool.bind(text, ours.terms.names, ours.terms.values)
    about = json.dumps(
        {
            "tree": tree,
            "text": text,
            "theirs": expression,
            "names": ours.terms.names,
            "values": ours.terms.values,
            "bound": bound,
            "wanted": wanted,
        }
    )
    if "Expression size has exceeded" in wanted:
        tally.count("too long")
        return
    if "refused" in bound:
        if wanted.startswith("refused"):
            tally.count("both refuse")
        elif ours.only_literals:
            tally.count("only we refuse: only literals")
        else:
            tally.mismatches.append(f"we refuse what DynamoDB takes: {about}")
        return
    if ours.only_literals:
        tally.mismatches.append(f"an operation of literals alone passed: {about}")
        return
    got = judge.outcome(number, guarded(bound), bound["names"] | {GUARD: "pk"}, bound["values"])
    if got != wanted:
        tally.mismatches.append(f"DynamoDB says {got} to ours: {about}")
        return
    tally.count(wanted)
    check_canonical(tool, rng, tree, bound, tally)


def check_canonical(tool: Tool, rng: random.Random, tree: Node, bound: dict[str, Any], tally: Tally) -> None:
    """Another spelling, and the bound form read again, mean the same."""
    again = tool.bind(bound["expression"], bound["names"], bound["values"])
    other = Ours(rng)
    text = other.condition(tree)
    answer = tool.bind(text, other.terms.names, other.terms.values)
    for got in [again] if other.only_literals else [again, answer]:
        if any(got.get(part) != bound[part] for part in ("canonical", "expression", "names", "values")):
            tally.mismatches.append(f"two spellings differ: {bound} {got} {text!r}")


TOKENS = [
    "a",
    "b",
    "#n",
    "#m",
    ":s",
    ":n",
    ":t",
    ":b",
    ".",
    "[0]",
    "[",
    "]",
    "(",
    ")",
    ",",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "AND",
    "OR",
    "NOT",
    "BETWEEN",
    "IN",
    "size(",
    "attribute_exists(",
    "contains(",
    "begins_with(",
    "attribute_type(",
    "Size(",
    "foo(",
]
ALIKE = [
    ["a", "b", "#n", "#m", ":s", ":n", ":t", ":b"],
    ["=", "<>", "<", "<=", ">", ">="],
    ["AND", "OR"],
    ["attribute_exists(", "size("],
    ["contains(", "begins_with(", "attribute_type("],
]
MUTATED_VALUES = {":s": {"S": "x"}, ":n": {"N": "1"}, ":t": {"S": "SS"}, ":b": {"BOOL": True}}
SEEDS = [
    "a = :s AND NOT b <> :n OR #n IN ( :s , :n )",
    "attribute_exists( a . #m [0] ) AND ( b BETWEEN :n AND :n OR a < :n )",
    "size( a ) > :n",
    "contains( a , :s ) OR begins_with( #n , :s )",
    "NOT ( attribute_type( a , :t ) AND a = b )",
    "( a ) = ( :n )",
    "a IN ( b , :n , size( #m ) )",
]


def check_mutated(tool: Tool, judge: Judge, rng: random.Random, tally: Tally) -> None:
    """One damaged text: both refuse it, or neither."""
    tokens = rng.choice(SEEDS).split()
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(len(tokens))
        kind = rng.randrange(6)
        if kind == 0 and len(tokens) > 1:
            del tokens[at]
        elif kind == 1:
            tokens.insert(at, rng.choice(TOKENS))
        elif kind == 2:
            tokens[at] = rng.choice(TOKENS)
        elif kind in (3, 4):
            alike = next((kinds for kinds in ALIKE if tokens[at] in kinds), [tokens[at]])
            tokens[at] = rng.choice(alike)
        else:
            other = rng.randrange(len(tokens))
            tokens[at], tokens[other] = tokens[other], tokens[at]
    text = " ".join(tokens)
    names = {placeholder: meaning for placeholder, meaning in {"#n": "a", "#m": "q"}.items() if placeholder in text}
    values = {placeholder: meaning for placeholder, meaning in MUTATED_VALUES.items() if placeholder in text}
    number = rng.randrange(ITEMS)
    wanted = judge.outcome(number, text, names, values)
    bound = tool.bind(text, names, values)
    if "redundant parentheses" in wanted or "reserved keyword" in wanted:
        tally.count("DynamoDB alone refuses the spelling")
        return
    got = (
        "refused"
        if "refused" in bound
        else judge.outcome(number, guarded(bound), bound["names"] | {GUARD: "pk"}, bound["values"])
    )
    if got != wanted and not (got == "refused" and wanted.startswith("refused")):
        tally.mismatches.append(f"damaged {text!r}: DynamoDB says {wanted}, we {got}: {bound}")
    tally.count("damaged: " + ("both refuse" if got == "refused" else got))


def compare(client: Any, tool_at: Path, count: int, seed: int) -> Tally:
    """Runs count generated cases, and half as many mutated ones."""
    tally, rng = Tally(), random.Random(seed)
    judge = Judge(client, seed)
    with Tool(tool_at) as tool:
        for _ in range(count):
            check_generated(tool, judge, rng, tally)
        for _ in range(count // 2):
            check_mutated(tool, judge, rng, tally)
    return tally


def local_client(endpoint: str) -> Any:
    """A client of a server that checks no signatures."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 0}, parameter_validation=False),
    )


def main() -> int:
    """Prints what the cases came to; 1 where some differ."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    tally = compare(local_client(os.environ["DYNAMODB_ENDPOINT"]), tool_path(), count, seed)
    for outcome, times in sorted(tally.outcomes.items()):
        print(f"{times:7} {outcome}")
    print(f"{len(tally.mismatches):7} mismatches")
    for mismatch in tally.mismatches[:20]:
        print(mismatch)
    return 1 if tally.mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
