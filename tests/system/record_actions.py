"""Records which actions each command needs, into iam_actions.json: runs the whole system suite and the rounds of kills
with taps before the services (harness/recorder.py).

    record_actions.py                    the whole, from nothing
    record_actions.py [--anew] FILE…     these files (and pytest's options): what they call is added; anew: to nothing

Tests may fail that look at endpoints or measure time; what they called counts. The file says over which files it was
recorded ("over"), what each command calls of which resource, and which of that in transactions alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILE = HERE / "iam_actions.json"
ROUNDS = ("chaos_kills.py", "chaos_counters.py", "chaos_redrive.py", "backfill_kills.py")
# By command and resource: each action, and what encloses it ("" for a call of its own).
Found = dict[str, dict[str, dict[str, set[str]]]]


def run(folder: Path, arguments: list[str]) -> int:
    """Runs pytest; its exit code."""
    pytest = [sys.executable, "-m", "pytest", "-c", str(HERE / "pytest.ini"), "-q", "-p", "no:cacheprovider"]
    command = [*pytest, f"--junitxml={folder / 'report.xml'}", "--tb=line", *arguments]
    return subprocess.run(command, env={**os.environ, "RECORD_ACTIONS": str(folder)}, check=False).returncode


def files(folder: Path) -> set[str]:
    """Those whose tests ran."""
    cases = ElementTree.parse(folder / "report.xml").iter("testcase")
    return {f"{name.rpartition('.')[2]}.py" for case in cases if (name := case.get("classname", ""))}


def read(folder: Path, found: Found) -> None:
    """Adds what the taps wrote; prints what is new, with a test that it comes of."""
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            command, resource, action, enclosing, test = json.loads(line)
            ways = found.setdefault(command, {}).setdefault(resource, {}).setdefault(action, set())
            if enclosing not in ways:
                print(f"{command:10} {resource:12} {action:35} {enclosing:20} {test}")
            ways.add(enclosing)


def kept() -> tuple[set[str], Found]:
    """What is written down."""
    text = json.loads(FILE.read_text())
    alone = text["in_transactions"]
    found: Found = {}
    for command, resources in text["commands"].items():
        for resource, actions in resources.items():
            for action in actions:
                ways = {"TransactWriteItems"} if action in alone.get(command, {}).get(resource, []) else {""}
                found.setdefault(command, {}).setdefault(resource, {})[action] = ways
    return set(text["over"]), found


def write(over: set[str], found: Found) -> None:
    """The file, in order."""
    commands = {name: {kind: sorted(it[kind]) for kind in sorted(it)} for name, it in sorted(found.items())}
    alone: dict[str, dict[str, list[str]]] = {}
    for name, it in sorted(found.items()):
        for kind in sorted(it):
            if members := sorted(action for action, ways in it[kind].items() if "" not in ways):
                alone.setdefault(name, {})[kind] = members
    FILE.write_text(json.dumps({"over": sorted(over), "commands": commands, "in_transactions": alone}, indent=2) + "\n")


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if argument != "--anew"]
    # (Each file by its name: pytest takes a folder for all that is wanted of it.)
    whole = ["-n", "12", *map(str, sorted(HERE.glob("test_*.py"))), *(str(HERE / name) for name in ROUNDS)]
    over, found = kept() if sys.argv[1:] == arguments and arguments else (set(), {})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        code = run(folder, arguments or whole)
        over |= files(folder)
        read(folder, found)
    write(over, found)
    return 0 if code in (0, 1) else code


if __name__ == "__main__":
    sys.exit(main())
