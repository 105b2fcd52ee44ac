"""The source tree as the rules see it: its files, its functions, and how a file is compiled."""

from __future__ import annotations

import functools
import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "test"

# What a layer may include from: the layers below it.
LAYERS: dict[str, list[str]] = {
    "base": [],
    "net": ["base"],
    "txn": ["base"],
    "aws": ["net", "base"],
    "worker": ["aws", "net", "txn", "base"],
    "feed": ["aws", "net", "txn", "base"],
    "lambda": ["worker", "aws", "net", "txn", "base"],
    "app": ["lambda", "worker", "feed", "aws", "net", "txn", "base"],
}

_LITERAL = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
_FUNCTION_END = "}"


def name_of(path: Path) -> str:
    """A path as a test's name has it."""
    return str(path.relative_to(ROOT))


def files(*patterns: str) -> list[Path]:
    """The files that these globs find in the tree; a second checkout's link to its repository is none of them."""
    found = {
        path
        for pattern in patterns
        for path in ROOT.glob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(found - {ROOT / ".git"})


def sources() -> list[Path]:
    """The program's own C files."""
    return files("src/*/*.c")


def c_files() -> list[Path]:
    """All C files and headers, tests included."""
    return files("src/*/*.[ch]", "include/*/*.h", "tests/**/*.[ch]")


def headers(layer: str) -> list[Path]:
    """A layer's public headers."""
    return files(f"include/{layer}/*.h")


def code_of(path: Path) -> str:
    """A C file without comments and the contents of literals; its lines keep their numbers."""

    def blank(match: re.Match[str]) -> str:
        text = match.group(0)
        return text[0] + text[-1] if text[0] in "\"'" else "\n" * text.count("\n")

    return _LITERAL.sub(blank, path.read_text())


def functions(path: Path) -> Iterator[tuple[str, int, int]]:
    """The functions of a C file as the formatter lays them out: (first line's text, its number, how many lines)."""
    start: int | None = None
    lines = code_of(path).splitlines()
    for number, line in enumerate(lines, 1):
        opens = line.endswith("{") and not line.endswith(("= {", "extern {"))
        if opens and (line[0].isalpha() or line.startswith("    ")) and start is None and ")" in line:
            start = number
            while start > 1 and lines[start - 1].startswith(" "):
                start -= 1
        if line == _FUNCTION_END and start is not None:
            yield lines[start - 1], start, number - start + 1
            start = None


@functools.cache
def uses() -> dict[Path, set[Path]]:
    """For each of the program's C files those whose functions it names."""
    texts = {path: code_of(path) for path in sources()}
    owners: dict[str, Path] = {}
    own: dict[Path, set[str]] = {path: set() for path in texts}
    for path in texts:
        for first, _, _ in functions(path):
            name = first.split("(")[0].split()[-1].lstrip("*")
            if first.startswith("static "):
                own[path].add(name)
            else:
                owners[name] = path
    return {
        path: {owners[word] for word in set(re.findall(r"\w+", text)) & owners.keys() - own[path]} - {path}
        for path, text in texts.items()
    }


def circles(graph: dict[Path, set[Path]]) -> list[set[Path]]:
    """Sets of files each of which leads to all others of its set, as large as they come; none of one file alone."""

    def reached(start: Path) -> set[Path]:
        found: set[Path] = set()
        todo = [start]
        while todo:
            for file in graph[todo.pop()] - found:
                found.add(file)
                todo.append(file)
        return found

    ways = {path: reached(path) for path in graph}
    rounds = {frozenset(other for other in way if path in ways[other]) for path, way in ways.items() if path in way}
    return sorted((set(files) for files in rounds), key=min)


@dataclass(frozen=True)
class Compilation:
    """How the build compiles a file."""

    file: Path
    arguments: tuple[str, ...]
    directory: Path

    def run(
        self, *extra: str, stdin: str | None = None, compiler: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Compiles with the build's own flags and some more, to nowhere. stdin: the text instead of the file."""
        kept = list(self.arguments[1:])
        for flag in ("-o", "-MF", "-MT"):
            if flag in kept:
                del kept[kept.index(flag) : kept.index(flag) + 2]
        if stdin is not None:
            kept = [argument for argument in kept if argument not in ("-c", "-MD", str(self.file))] + [
                "-x",
                "c",
                "-c",
                "-",
            ]
        command = [compiler or self.arguments[0], *kept, *extra, "-o", "/dev/null"]
        return subprocess.run(command, cwd=self.directory, input=stdin, capture_output=True, text=True, check=False)


@functools.cache
def compilations() -> dict[Path, Compilation]:
    """The build's compile commands, by file."""
    path = BUILD / "compile_commands.json"
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: cmake --preset test")
    found = {}
    for entry in json.loads(path.read_text()):
        file = Path(entry["file"])
        found[file] = Compilation(file, tuple(shlex.split(entry["command"])), Path(entry["directory"]))
    return found
