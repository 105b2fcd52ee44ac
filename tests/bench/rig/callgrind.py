"""What a run of the binary takes under valgrind, by whose code took it: the same on every machine, however busy it
is."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig.clients import Clients

_OURS = re.compile(r"(?:^|/)(?:src|include)/(base|net|txn|aws|worker|feed|app)/[^/]+\.[ch]$")
_ALLOCATIONS = {"malloc", "calloc", "realloc", "strdup", "strndup"}
_SYSTEM_CALL = re.compile(r"SYSCALL\[\d+,\d+\]\(\s*\d+\) sys_(\w+)")
# Without valgrind these don't reach the kernel.
_NO_CALLS = {"clock_gettime", "time", "gettimeofday"}
_TRANSFERS = {"sendto", "sendmsg", "recvfrom", "recvmsg", "read", "write", "readv", "writev"}


@dataclass
class Taken:
    """What a run took."""

    instructions: Counter[str] = field(
        default_factory=Counter
    )  # of our own code, by layer: a library's depend on the CPU
    allocations: int = 0  # that our own code asked for
    transfers: int = 0  # system calls that move data
    system_calls: int = 0  # these and all others


def _read_profile(profile: Path, taken: Taken) -> None:
    """Adds up the costs of our lines, inlined ones included, without those of what they call."""
    layer, called, inclusive = None, "", False
    with profile.open() as lines:
        for line in lines:
            if line.startswith(("fl=", "fi=", "fe=")):
                found = _OURS.search(line[3:].strip())
                layer = found.group(1) if found else None
            elif line.startswith("cfn="):
                called = line[4:].strip()
            elif line.startswith("calls="):
                inclusive = True
                if layer and called in _ALLOCATIONS:
                    taken.allocations += int(line[6:].split()[0])
            elif line[0].isdigit() or line[0] in "+-*":
                if layer and not inclusive:
                    taken.instructions[layer] += int(line.split()[1])
                inclusive = False


def taken(clients: Clients, count: int, **options: Any) -> Taken:
    """table-updater works `count` messages off, so slowly that a sink without latency has always answered before it
    asks."""
    with tempfile.TemporaryDirectory(prefix="callgrind-") as folder:
        profile, log = Path(folder) / "profile", Path(folder) / "log"
        tool = [
            "valgrind",
            "--tool=callgrind",
            f"--callgrind-out-file={profile}",
            "--compress-strings=no",
            "--compress-pos=no",
        ]
        clients.worker(count, wrapper=[*tool, "--trace-syscalls=yes", f"--log-file={log}"], **options)
        result = Taken()
        _read_profile(profile, result)
        with log.open(errors="replace") as lines:
            calls = Counter(found.group(1) for line in lines for found in _SYSTEM_CALL.finditer(line))
        result.transfers = sum(calls[name] for name in _TRANSFERS)
        result.system_calls = sum(number for name, number in calls.items() if name not in _NO_CALLS)
    if not result.instructions["txn"] or not result.system_calls:
        raise RuntimeError("valgrind's output has no code of ours: was the binary built with debug information?")
    return result
