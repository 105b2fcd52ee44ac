"""What the witnesses share: the worlds and fakes of the differential test, and our own answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

from credentials_cases import Case, make  # noqa: E402
from credentials_fakes import Fakes  # noqa: E402
from test_credentials_differential import ours, tool_path  # noqa: E402

__all__ = ["Case", "Fakes", "empty", "make", "ours", "require_tool", "show"]


def require_tool() -> None:
    if not tool_path().exists():
        sys.exit(f"{tool_path()} does not exist: build it (cmake --build build/test), or set FIND_CREDENTIALS")


def empty(home: Path) -> None:
    """A new world begins."""
    for path in sorted(home.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def show(title: str, home: Path, we: dict[str, Any], they: dict[str, Any]) -> None:
    print(f"--- {title}")
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.parent.name == ".aws":
            print(f"{path.name}:\n{path.read_text()}")
    print(f"we:   {json.dumps(we)}\nthey: {json.dumps(they)}\n")


def run(*command: str | Path, **options: Any) -> None:
    """Ends the program where a step of the preparation fails."""
    done = subprocess.run([str(word) for word in command], check=False, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}")
