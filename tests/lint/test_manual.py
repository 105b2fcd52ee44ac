"""The manual pages: made of the program's tables, sound roff, and whole."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tree import BUILD, ROOT

PAGES = ["table-updater.8", "table-updater-message.5", "table-updater-operations.7"]


def rendered(page: str) -> str:
    """A page as a terminal shows it, its lines joined."""
    command = ["mandoc", "-T", "utf8", "-O", "width=1000", BUILD / "manual" / page]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return re.sub(r".\x08", "", text)


def made(template: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """What becomes of a template."""
    source = tmp_path / "page.in"
    source.write_text(template)
    command = [BUILD / "make-manual", source, tmp_path / "page"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_sound(page: str) -> None:
    command = ["mandoc", "-T", "lint", "-W", "warning", BUILD / "manual" / page]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stdout, done.stdout


def test_the_manual_has_every_command_option_and_setting_of_the_help() -> None:
    help_text = subprocess.run([BUILD / "table-updater", "--help"], capture_output=True, text=True, check=True).stdout
    manual = rendered("table-updater.8")
    settings = re.findall(r"^  ([A-Z][A-Z0-9_]+)(?:,|$)", help_text, re.MULTILINE)
    commands = re.findall(r"^  ([a-z]+) {3,}", help_text.partition("Commands:")[2].partition("\n\n")[0], re.MULTILINE)
    assert len(settings) > 30 and "run" in commands
    assert not [name for name in settings if not re.search(rf"^ +{name}\b", manual, re.MULTILINE)]
    for command in commands:
        assert re.search(rf"^ +{command}\b", manual, re.MULTILINE), command
        own = subprocess.run([BUILD / "table-updater", command, "--help"], capture_output=True, text=True, check=True)
        for option in re.findall(r"^  (?:-\w, )?(--[a-z-]+)", own.stdout, re.MULTILINE):
            assert option in manual, f"{command} {option}"


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("@member attributes\n", "not the program's next member"),
        ("@member id\n", "a member is missing: attributes"),
        ("@error ValidationError\n", "not the program's next error"),
        ("@nonsense\n", "no such table: nonsense"),
        ("no end", "has no end"),
    ],
)
def test_a_page_that_lacks_something_is_not_made(template: str, complaint: str, tmp_path: Path) -> None:
    done = made(template, tmp_path)
    assert done.returncode == 1 and complaint in done.stderr
    assert not (tmp_path / "page").exists()


def test_every_page_is_known_to_the_others() -> None:
    for page in PAGES:
        text = (ROOT / "conf" / "manual" / f"{page}.in").read_text().replace("\\-", "-")
        others = {name.rsplit(".", 1)[0] for name in PAGES} - {page.rsplit(".", 1)[0]}
        see_also = text.partition(".SH SEE ALSO")[2]
        assert not [other for other in others if other not in see_also]
