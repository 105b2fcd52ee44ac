"""Records which actions each command needs: runs the system tests (all of them, or those that pytest's arguments
name) with taps before the services, and writes iam_actions.json. Tests may fail that look at endpoints or measure time;
what they called counts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILE = HERE / "iam_actions.json"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        arguments = sys.argv[1:] or [str(HERE)]
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            HERE / "pytest.ini",
            "-q",
            "-p",
            "no:cacheprovider",
            *arguments,
        ]
        code = subprocess.run(command, env={**os.environ, "RECORD_ACTIONS": folder}, check=False).returncode
        found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for file in Path(folder).glob("*.jsonl"):
            for line in file.read_text().splitlines():
                name, resource, action = json.loads(line)
                found[name][resource].add(action)
    plain = {
        name: {kind: sorted(actions) for kind, actions in sorted(it.items())} for name, it in sorted(found.items())
    }
    FILE.write_text(json.dumps(plain, indent=2) + "\n")
    for name, it in plain.items():
        for kind, actions in it.items():
            print(f"{name:10} {kind:12} {', '.join(actions)}")
    return 0 if code in (0, 1) else code


if __name__ == "__main__":
    sys.exit(main())
