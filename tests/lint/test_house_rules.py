"""The rules that no compiler knows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tree import BUILD, LAYERS, ROOT, c_files, code_of, files, functions, headers, name_of, sources

BANNED = {
    "strcpy": "no bound",
    "strcat": "no bound",
    "stpcpy": "no bound",
    "strncpy": "may leave no terminator",
    "strncat": "its bound is not the buffer's",
    "sprintf": "no bound",
    "vsprintf": "no bound",
    "sscanf": "undefined on overflow",
    "scanf": "undefined on overflow",
    "gets": "no bound",
    "strtok": "hidden state",
    "atoi": "no errors",
    "atol": "no errors",
    "atoll": "no errors",
    "atof": "no errors",
    "alloca": "the stack has no bound to check",
    "rand": "predictable",
    "random": "predictable",
    "system": "a shell",
    "popen": "a shell",
    "tmpnam": "a race",
    "mktemp": "a race",
    "gmtime": "hidden state",
    "localtime": "hidden state",
    "ctime": "hidden state",
    "asctime": "hidden state",
}
BLOCKING = {"sleep", "usleep", "nanosleep", "clock_nanosleep"}
ENDING = {"exit", "_exit", "quick_exit", "abort"}
LONGEST_FUNCTION = 80
# What would be true of one machine only. Written so that this file doesn't match itself.
MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(?:work|root|opt/wheels|tmp/w|home/\w+|Users/\w+)" + r"/")
TEXTS = files(
    *("*", ".*", ".ci/*", "conf/**/*", "include/**/*", "src/**/*", "systemd/**/*"),
    *("tests/*", "tests/unit/*", "tests/fuzz/*.[ch]", "tests/lint/*", "tests/system/**/*.py"),
)


def call_pattern(names: set[str]) -> re.Pattern[str]:
    """A call of a function of one of these names, not of a member."""
    return re.compile(r"(?<![\w.>])(" + "|".join(map(re.escape, sorted(names))) + r")\s*\(")


def calls(paths: list[Path], names: set[str]) -> list[str]:
    """Where files call one of these."""
    pattern = call_pattern(names)
    return [
        f"{name_of(path)}:{number}: {match.group(1)}"
        for path in paths
        for number, line in enumerate(code_of(path).splitlines(), 1)
        for match in pattern.finditer(line)
    ]


@pytest.mark.parametrize("name", BANNED)
def test_no_banned_function_is_called(name: str) -> None:
    assert not calls(c_files(), {name}), BANNED[name]


def test_nothing_sleeps() -> None:
    assert not calls(c_files(), BLOCKING)


def test_only_the_app_ends_the_process() -> None:
    assert not calls([path for path in sources() if path.parent.name != "app"], ENDING)


def test_a_call_is_seen_and_a_mention_is_not() -> None:
    code = "fgets(a); o->gets(b); s.gets(c); return gets (d);"
    assert call_pattern({"gets"}).findall(code) == ["gets"]


def test_no_function_is_longer_than_a_page() -> None:
    assert not [
        f"{name_of(path)}:{line}: {length} lines"
        for path in c_files()
        for _, line, length in functions(path)
        if length > LONGEST_FUNCTION
    ]


def test_the_length_of_a_function_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "x.c"
    file.write_text(
        "static const int table[] = {\n    1,\n};\n\nint f(int a,\n      int b) {\n    if (a) {\n        a = "
        "b;\n    }\n    return a;\n}\n"
    )
    assert [(line, length) for _, line, length in functions(file)] == [(5, 7)]


@pytest.mark.parametrize("layer", LAYERS)
def test_there_is_no_global_mutable_state(layer: str) -> None:
    library = BUILD / f"lib{layer}.a"
    assert library.exists(), f"{library} is not built"
    table = subprocess.run(["objdump", "-t", library], capture_output=True, text=True, check=True).stdout
    # .data.rel.ro and .rodata are constant.
    pattern = re.compile(
        r"^\S+ .{7} (\.data|\.bss|\.tdata|\.tbss|\*COM\*)(?!\.rel\.ro)\S*\s+(\S+)\s+(\S+)$", re.MULTILINE
    )
    mutable = [
        match.group(3) for match in pattern.finditer(table) if int(match.group(2), 16) and match.group(3)[0] != "."
    ]
    assert not mutable


PROTOTYPE = re.compile(
    r"^(?!typedef|#|static_assert|_Static_assert|extern \")(?:[A-Za-z_][\w ]*[ *]+)([a-z_]\w*)\(.*", re.ASCII
)


def undocumented(path: Path) -> list[str]:
    """The functions of a header whose block (lines without a blank one between) doesn't open with a comment before
    them."""
    commented = inside = False
    found = []
    depth = 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip()
        if not text and not inside and depth == 0:
            commented = False
        if inside or text.startswith(("/*", "//")):
            commented = True
            inside = (inside or text.startswith("/*")) and "*/" not in text
            continue
        match = PROTOTYPE.match(line) if depth == 0 else None
        # What x_init() and x_free() do, their names say.
        if match and not commented and "/*" not in line and not match.group(1).endswith(("_free", "_init")):
            found.append(f"{name_of(path)}:{number}: {match.group(1)}()")
        depth += line.count("{") - line.count("}")
    return found


PUBLIC_HEADERS = [path for layer in LAYERS for path in headers(layer)]


def test_every_public_function_has_a_comment() -> None:
    assert not [place for path in PUBLIC_HEADERS for place in undocumented(path)]


def test_a_header_opens_with_a_comment_and_guards_itself() -> None:
    texts = {name_of(path): path.read_text() for path in PUBLIC_HEADERS}
    assert not [name for name, text in texts.items() if not text.startswith("/*") or "#pragma once" not in text]


def test_a_test_is_named_after_what_it_tests() -> None:
    modules = {path.stem for path in (*sources(), *files("tests/sim/sim_*.c"))}
    tests = files("tests/unit/test_*.c", "tests/fuzz/fuzz_*.c")
    assert not [name_of(path) for path in tests if path.stem.split("_", 1)[1] not in modules]


def untidy(path: Path) -> list[str]:
    """What is wrong with a text as such."""
    text = path.read_bytes().decode("utf-8")
    wrong = {
        "a path of one machine": MACHINE_PATHS.search(text),
        "no newline at the end": text and not text.endswith("\n"),
        "white space at the end of a line": re.search(r"[ \t]+$", text, re.MULTILINE),
        "a carriage return": "\r" in text,
        "a tab": "\t" in text and path.suffix in {".c", ".h", ".py"},
    }
    return [f"{name_of(path)}: {what}" for what, is_wrong in wrong.items() if is_wrong]


def test_texts_are_tidy_and_know_no_machine() -> None:
    assert not [problem for path in TEXTS for problem in untidy(path)]


def test_shellcheck_finds_nothing() -> None:
    scripts = [
        path for path in TEXTS if path.read_bytes().startswith((b"#!/usr/bin/env bash", b"#!/bin/bash", b"#!/bin/sh"))
    ]
    done = subprocess.run(["shellcheck", *scripts], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_top_level_holds_what_it_should() -> None:
    allowed = {
        "CMakeLists.txt",
        "README.md",
        "LICENSE",
        "src",
        "include",
        "systemd",
        "tests",
        "conf",
        "findings",
        "build",
        "CMakePresets.json",
    }
    assert {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} <= allowed
