"""Worlds that a process is put into by LD_PRELOAD (tests/preload): settings for Scene.command() and Scene.worker()."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from harness.process import binary_path


def library(name: str) -> str:
    """The path of a library that was built beside the binary under test."""
    path = binary_path().parent / "tests" / f"lib{name}.so"
    assert path.exists(), f"{path} is not built"
    return str(path)


class DieAt:
    """Counts the boundaries of a process's network I/O, and has it killed at one of them; at 0, never."""

    _ORDER = struct.Struct("QQ32s")

    def __init__(self, path: Path, boundary: int) -> None:
        path.write_bytes(self._ORDER.pack(0, boundary, b""))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), self._ORDER.size)
        self.settings = {"LD_PRELOAD": library("die_at"), "DIE_AT": str(path)}

    @property
    def count(self) -> int:
        """The boundaries it has passed."""
        return int(self._ORDER.unpack(self._shared)[0])

    @property
    def where(self) -> str:
        """Where it died: "before send", say."""
        return self._ORDER.unpack(self._shared)[2].rstrip(b"\0").decode()


class OtherClock:
    """Clocks that are off, by seconds that change while the process runs."""

    _OFFSETS = struct.Struct("qqq")

    def __init__(self, path: Path, wall: int = 0) -> None:
        self._wall, self._monotonic, self._asleep = wall, 0, 0
        path.write_bytes(self._OFFSETS.pack(wall, 0, 0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), self._OFFSETS.size)
        self.settings = {"LD_PRELOAD": library("other_clock"), "OTHER_CLOCK": str(path)}

    def set_wall(self, seconds: int) -> None:
        """The wall clock is wrong by so much."""
        self._wall = seconds
        self._write()

    def pass_by(self, seconds: int) -> None:
        """So much time has passed."""
        self._wall += seconds
        self._monotonic += seconds
        self._write()

    def sleep(self, seconds: int) -> None:
        """So much time has passed, and the machine slept: only the clock that counts that went on."""
        self._wall += seconds
        self._asleep += seconds
        self._write()

    def _write(self) -> None:
        self._shared[:] = self._OFFSETS.pack(self._wall, self._monotonic, self._asleep)


class OtherNames:
    """A resolver for the names of the domain .test."""

    def __init__(self, path: Path, **addresses: str) -> None:
        self._path = path
        self.move(**addresses)
        self.settings = {"LD_PRELOAD": library("other_names"), "OTHER_NAMES": str(path)}

    def move(self, **addresses: str) -> None:
        """From now on these names (without .test) have these addresses, and no others have any."""
        new = self._path.with_suffix(".new")
        new.write_text("".join(f"{name}.test {address}\n" for name, address in addresses.items()))
        new.rename(self._path)


def together(*worlds: DieAt | OtherClock | OtherNames) -> dict[str, str]:
    """The settings of several worlds at once."""
    merged = {name: value for world in worlds for name, value in world.settings.items()}
    return {**merged, "LD_PRELOAD": ":".join(world.settings["LD_PRELOAD"] for world in worlds)}
