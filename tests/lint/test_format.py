"""One style of code in all layers: what clang-format (.clang-format) and ruff make of it, and no line over 120
columns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tree import ROOT, files, name_of

COLUMNS = 120
C_SOURCES = [
    path for ending in "ch" for folder in ("include", "src", "tests") for path in files(f"{folder}/**/*.{ending}")
]

BUILD_FILES = files(
    "CMakeLists.txt", "tests/**/CMakeLists.txt", "conf/**/*.cmake", "systemd/*", "src/**/*.cmake", "conf/setup"
)


def scripts() -> list[Path]:
    """Python in files with that ending, and in those that only begin so."""
    beginning = b"#!/usr/bin/env python3"
    named = [path for folder in ("conf", "tests") for path in files(f"{folder}/**/*.py")]
    bare = [
        path for folder in ("conf", "tests") for path in files(f"{folder}/**/*") if path.is_file() and not path.suffix
    ]
    return named + [path for path in bare if path.read_bytes().startswith(beginning)]


def test_clang_format_would_change_nothing() -> None:
    done = subprocess.run(
        ["clang-format-14", "--dry-run", "--Werror", *C_SOURCES], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[:4000]


def test_ruff_would_change_nothing() -> None:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--no-cache",
        "--isolated",
        f"--line-length={COLUMNS}",
        "--check",
    ]
    done = subprocess.run([*command, *scripts()], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[:4000] + done.stderr[:4000]


def test_no_line_is_wider_than_the_page() -> None:
    wide = [
        f"{name_of(path)}:{number}"
        for path in C_SOURCES + scripts() + BUILD_FILES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > COLUMNS
    ]
    assert not wide
