"""Workers on AWS's SDKs for Go and Rust, which tests/bench/peers builds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rig.clients import Done
from rig.processes import RunError, run
from rig.sink import ROOT, Sink

BUILT = ROOT / "build" / "bench"
GO, RUST = BUILT / "peer_worker_go", BUILT / "peer_worker_rust"
TASKS = 32  # that receive, and write one message after the other


@dataclass(frozen=True)
class Peer:
    """One of them, with a single thread or as its runtime likes it."""

    name: str
    program: Path
    threads: dict[str, str]  # variables

    def work(self, count: int) -> Done:
        """It works `count` messages off over TLS; each must be done once. Rust's TLS trusts no server whose certificate
        is its own authority, so there is a chain."""
        with Sink(tls=True, messages=count, chain=True) as sink:
            used = run([self.program], {**sink.environment(), "PEER_TASKS": str(TASKS), **self.threads})
            counts, cpu = sink.counts(), sink.cpu()
        if counts["deleted"] != count or counts["applied"] != count or counts["repeated_tokens"]:
            raise RunError(f"not each of {count} messages was done once: {counts}")
        return Done(count, used, counts, cpu)


def built_peers() -> list[Peer]:
    """Those that are there."""
    every = [
        Peer("aws-sdk-go-v2", GO, {}),
        Peer("aws-sdk-go-v2, one thread", GO, {"GOMAXPROCS": "1"}),
        Peer("aws-sdk-rust", RUST, {}),
        Peer("aws-sdk-rust, one thread", RUST, {"PEER_THREADS": "1"}),
    ]
    return [peer for peer in every if peer.program.exists()]
