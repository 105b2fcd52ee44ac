"""Each sample producer in its own toolchain: what it sends is applied once, with every digit, however often it is
sent."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Callable

from conftest import BUILD
from harness.producers import PRODUCERS, check_shipped, run
from harness.scene import Scene


def build(folder: Path, *command: str) -> None:
    """Builds a producer; what a package manager needs is in the environment."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_aws_cli(scene: Scene) -> None:
    path = f"{BUILD / 'venv' / 'bin'}:{os.environ['PATH']}"
    program = PRODUCERS / "aws-cli" / "send-update"
    check_shipped(scene, lambda: run([program, scene.queue.url, "order-7"], scene, PATH=path))


def test_go(scene: Scene, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("go")
    build(folder, "go", "vet", "./...")
    build(folder, "go", "build", "-o", "send-update", ".")
    check_shipped(scene, lambda: run([folder / "send-update", scene.queue.url, "order-7"], scene))


def test_java(scene: Scene, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("java")
    libraries = ("dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=target/lib")
    build(folder, "mvn", "-B", "-q", "compile", *libraries)
    command = ["java", "-Xmx64m", "-cp", "target/classes:target/lib/*", "SendUpdate", scene.queue.url, "order-7"]
    check_shipped(scene, lambda: run(command, scene, cwd=folder))


def test_javascript(scene: Scene, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("javascript")
    build(folder, "npm", "install", "--no-audit", "--no-fund", "--silent")
    check_shipped(scene, lambda: run(["node", "send-update.mjs", scene.queue.url, "order-7"], scene, cwd=folder))


def test_what_javascript_would_lose_is_an_error(copy_of: Callable[[str], Path], tmp_path: Path) -> None:
    folder = copy_of("javascript")
    build(folder, "npm", "install", "--no-audit", "--no-fund", "--silent")
    wrong = [
        "NaN",
        "Infinity",
        "undefined",
        "2 ** 60",
        "1n",
        "new Set([1])",
        "new Map()",
        "Buffer.from('a')",
        "new Date()",
    ]
    checks = "\n".join(
        f"try {{ toJson({{id: 'a', attributes: {{a: [{value}]}}}}); console.log({value!r}); }} catch (e) "
        f"{{ if (!(e instanceof TypeError)) throw e; }}"
        for value in wrong
    )
    (folder / "wrong.mjs").write_text(f'import {{toJson}} from "./send-update.mjs";\n{checks}\n')
    done = subprocess.run(["node", "wrong.mjs"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
