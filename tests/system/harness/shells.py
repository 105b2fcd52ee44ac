"""Shells whose completion is asked as a person asks it: what would Tab offer for the line as it stands?"""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import subprocess
from pathlib import Path

PATIENCE = 60.0
_SHOW = "\x07"  # Ctrl-G: the line as it stands is printed
_CLEAR = "\x15"  # Ctrl-U


class Terminal:
    """An interactive shell on a terminal of its own."""

    def __init__(self, command: list[str], folder: Path, insert_all: str) -> None:
        """insert_all: the keys that put all offers into the line."""
        self._keys = insert_all
        self._primary, secondary = pty.openpty()
        environment = {
            "PATH": os.environ["PATH"],
            "TERM": "dumb",
            "HOME": str(folder),
            "COLUMNS": "4000",
            "LC_ALL": "C",
        }
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=secondary,
            stdout=secondary,
            stderr=secondary,
            start_new_session=True,
        )
        os.close(secondary)
        self._seen = ""

    def say(self, text: str) -> None:
        """Types."""
        os.write(self._primary, text.encode())

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Waits until what it printed matches, and forgets that."""
        while not (match := re.search(pattern, self._seen, re.DOTALL)):
            ready, _, _ = select.select([self._primary], [], [], PATIENCE)
            if not ready:
                raise AssertionError(f"the shell is silent; it had said {self._seen[-2000:]!r}")
            self._seen += os.read(self._primary, 65536).decode(errors="replace")
        self._seen = self._seen[match.end() :]
        return match

    def offers(self, line: str) -> list[str]:
        """What the last word of the line may become."""
        self.say(line + self._keys + _SHOW)
        whole = self.wait_for(r"<<<(.*?)>>>").group(1)
        self.say(_CLEAR)
        before = line[: -len(_last_word(line))] if _last_word(line) else line
        if not whole.startswith(before):
            raise AssertionError(f"{line!r} became {whole!r}")
        found = shlex.split(whole[len(before) :])
        return [] if found == shlex.split(_last_word(line)) else sorted(_value(word, line) for word in found)

    def close(self) -> None:
        """Ends the shell."""
        self._process.kill()
        self._process.wait()
        os.close(self._primary)


def _last_word(line: str) -> str:
    return re.search(r"[^ =]*$", line).group(0)


def _value(offer: str, line: str) -> str:
    """An offer without the option that stands before it in the same word."""
    return offer.rsplit("=", 1)[-1] if re.search(r"=\S*$", line) else offer


class Bash(Terminal):
    """readline's command insert-completions, with no file of anybody's read."""

    def __init__(self, script: Path, folder: Path) -> None:
        super().__init__(["bash", "--norc", "--noprofile", "-i"], folder, "\x18\x01")
        self.say(
            f"source {shlex.quote(str(script))}; bind '\"\\C-x\\C-a\": insert-completions'; "
            'bind -x \'"\\C-g": printf "<<%s%s>>>" "<" "$READLINE_LINE"\'; PS1=; echo rea\'\'dy\n'
        )
        self.wait_for("ready\r?\n")


class Zsh(Terminal):
    """The completer _all_matches, as the manual has it."""

    def __init__(self, script: Path, folder: Path) -> None:
        super().__init__(["zsh", "-f", "-i"], folder, "\x18\x01")
        self.say(
            f"unsetopt prompt_cr prompt_sp; PS1=; fpath=({shlex.quote(str(script.parent))} $fpath); autoload "
            f"-Uz compinit; "
            "compinit -u -D; zle -C all-matches complete-word _generic; "
            "zstyle ':completion:all-matches:*' completer _all_matches _complete; "
            "zstyle ':completion:all-matches:*' insert yes; bindkey -e; bindkey '^X^A' all-matches; "
            "show() { print -n \"<<<$BUFFER>>>\" }; zle -N show; bindkey '^G' show; print rea''dy\n"
        )
        self.wait_for("ready\r?\n")


class Fish:
    """fish has a command for it."""

    def __init__(self, script: Path, folder: Path) -> None:
        self._script, self._folder = script, folder

    def offers(self, line: str) -> list[str]:
        """What the last word of the line may become."""
        done = subprocess.run(
            ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", str(self._script), line],
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder)},
            capture_output=True,
            text=True,
            check=True,
        )
        if done.stderr:
            raise AssertionError(done.stderr)
        words = [shlex.split(offer.split("\t")[0])[0] for offer in done.stdout.splitlines()]
        return sorted(_value(word, line) for word in words)

    def close(self) -> None:
        """Nothing is left."""
