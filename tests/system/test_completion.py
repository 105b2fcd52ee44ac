"""What Tab offers in the real shells: the scripts that are made of the tables of commands and settings."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest
from harness.process import binary_path
from harness.shells import Bash, Fish, Zsh

SHELLS = {"bash": Bash, "zsh": Zsh, "fish": Fish}


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A shell that has read the script, in a folder with a file."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "updates.jsonl").touch()
    scripts = tmp_path_factory.mktemp("scripts")
    script = scripts / "_table-updater"
    shutil.copy(binary_path().parent / "completions" / f"table-updater.{request.param}", script)
    started = SHELLS[request.param](script, folder)
    yield started
    started.close()


def commands() -> list[str]:
    """The commands as the program's own help has them."""
    text = subprocess.run([binary_path(), "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  ([a-z]+)", text.partition("\nCommands:\n")[2].partition("\n\n")[0], re.MULTILINE)


def test_every_command_is_offered_and_help(shell: Any) -> None:
    assert shell.offers("table-updater ") == sorted(commands())
    assert "run" in commands() and "help" in commands()


def test_a_command_that_was_begun_is_completed(shell: Any) -> None:
    assert shell.offers("table-updater ap") == ["apply"]


def test_an_options_value_is_not_taken_for_the_command(shell: Any) -> None:
    assert shell.offers("table-updater --config apply --log-level=INFO ru") == ["run"]


def test_help_is_followed_by_a_command(shell: Any) -> None:
    assert "apply" in shell.offers("table-updater help ")


def test_a_commands_own_options_are_offered_to_it_alone(shell: Any) -> None:
    assert shell.offers("table-updater apply --line") == ["--line-numbers"]
    assert shell.offers("table-updater run --line") == []
    assert any(offer.startswith("--until-empty") for offer in shell.offers("table-updater run --until"))


def test_settings_are_offered_as_options_wherever_they_may_stand(shell: Any) -> None:
    for line in ("table-updater --table", "table-updater run --table", "table-updater apply updates.jsonl --table"):
        assert shell.offers(line) == ["--table-name"] or shell.offers(line) == ["--table-name="], line


@pytest.mark.parametrize("between", [" ", "="])
def test_a_value_of_few_words_is_completed(shell: Any, between: str) -> None:
    assert shell.offers(f"table-updater run --log-level{between}") == ["DEBUG", "ERROR", "INFO", "WARNING"]
    assert shell.offers(f"table-updater --log-format{between}js") == ["json"]
    assert shell.offers(f"table-updater dlq --error{between}Rec") == ["RecordNotFoundError"]


@pytest.mark.parametrize("between", [" ", "="])
def test_a_file_is_completed_where_one_is_taken(shell: Any, between: str) -> None:
    assert shell.offers(f"table-updater run --config{between}up") == ["updates.jsonl"]


def test_a_commands_files_are_completed_and_others_are_not(shell: Any) -> None:
    assert shell.offers("table-updater apply up") == ["updates.jsonl"]
    assert shell.offers("table-updater run up") == []
    assert shell.offers("table-updater --table-name up") == []
