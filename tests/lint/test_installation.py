"""What an installation puts where."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from tree import BUILD, ROOT, files, name_of

UNITS = files("systemd/*.service", "systemd/*.timer", "systemd/*.socket", "systemd/*.target")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of an installation with the prefix /usr."""
    folder = tmp_path_factory.mktemp("root")
    environment = {**os.environ, "DESTDIR": str(folder)}
    subprocess.run(["cmake", "--install", BUILD, "--prefix", "/usr"], env=environment, check=True, capture_output=True)
    return folder


def test_the_binary_is_installed_and_runs(installed: Path) -> None:
    binary = installed / "usr" / "bin" / "table-updater"
    answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    assert re.search(r"\b\d+\.\d+\.\d+\b", answer.stdout)


def test_the_binary_is_hardened(installed: Path) -> None:
    binary = installed / "usr" / "bin" / "table-updater"
    headers = subprocess.run(["readelf", "-hldW", binary], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Type:\s+DYN", headers), "position independent"
    assert "GNU_RELRO" in headers and re.search(r"FLAGS.*(BIND_NOW|NOW)", headers), "no writable tables of addresses"
    assert re.search(r"GNU_STACK.* RW ", headers), "no executable stack"
    symbols = subprocess.run(["readelf", "--dyn-syms", "-W", binary], capture_output=True, text=True, check=True).stdout
    assert {"__stack_chk_fail", "__memcpy_chk"} <= set(re.findall(r"\b__\w+_chk(?:_fail)?\b", symbols))


def test_all_of_our_code_is_compiled_hardened() -> None:
    compiled = json.loads((BUILD / "compile_commands.json").read_text())
    ours = [entry["command"] for entry in compiled if entry["file"].startswith(f"{ROOT}/src/")]
    wanted = {"-D_FORTIFY_SOURCE=3", "-fcf-protection=full", "-fstack-clash-protection", "-fstack-protector-strong"}
    assert ours and not [command for command in ours if not wanted <= set(command.split())]
    # The program itself can't say so: Debian's start files have no mark, and the linker then takes all marks away.
    for library in files("build/test/lib*.a"):
        notes = subprocess.run(["readelf", "-n", library], capture_output=True, text=True, check=True).stdout
        objects = re.split(r"^File: ", notes, flags=re.MULTILINE)[1:]
        assert objects and all("x86 feature: IBT, SHSTK" in it for it in objects), library


def test_the_units_are_installed(installed: Path) -> None:
    assert UNITS, "no unit in systemd/"
    for unit in UNITS:
        assert (installed / "usr" / "lib" / "systemd" / "system" / unit.name).is_file(), unit.name


def test_a_sample_of_the_settings_is_installed_and_no_settings(installed: Path) -> None:
    found = [path for path in installed.rglob("table-updater.conf*") if path.is_file()]
    assert found, "no sample"
    assert not [
        path
        for path in found
        if path.name == "table-updater.conf" and path.parent == installed / "etc" / "table-updater"
    ], "an upgrade would overwrite the settings"


def test_each_shell_finds_its_completion(installed: Path) -> None:
    share = installed / "usr" / "share"
    scripts = (
        share / "bash-completion" / "completions" / "table-updater",
        share / "zsh" / "vendor-completions" / "_table-updater",
        share / "fish" / "vendor_completions.d" / "table-updater.fish",
    )
    for script in scripts:
        assert "apply" in script.read_text(), script
    folders = subprocess.run(["zsh", "-f", "-c", "print -l $fpath"], capture_output=True, text=True, check=True).stdout
    assert "/usr/share/zsh/vendor-completions" in folders.splitlines()


def test_nothing_is_installed_that_others_may_write(installed: Path) -> None:
    assert not [path for path in installed.rglob("*") if path.is_file() and path.stat().st_mode & 0o022]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for Debian of what the tests' build made."""
    folder = tmp_path_factory.mktemp("package")
    command = ["cpack", "--config", BUILD / "CPackConfig.cmake", "-G", "DEB", "-B", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [made] = folder.glob("table-updater_*.deb")
    return made


def test_the_package_has_what_an_installation_has_and_no_settings(package: Path, installed: Path) -> None:
    listing = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True).stdout
    modes = {line.split()[-1].removeprefix("."): line.split()[:2] for line in listing.splitlines()}
    pages = {f"/{path.relative_to(installed)}" for path in installed.rglob("man/man?/*")}
    others = {f"/{path.relative_to(installed)}" for path in installed.rglob("*") if path.is_file()} - pages
    assert others | {f"{page}.gz" for page in pages} <= set(modes)
    assert not [path for path in modes if path.startswith("/etc")], "settings would be overwritten by an upgrade"
    for path, (mode, owner) in modes.items():
        runs = path.endswith("/") or path == "/usr/bin/table-updater"
        assert owner == "root/root" and mode[1:] == ("rwxr-xr-x" if runs else "rw-r--r--"), path


def test_the_package_depends_on_each_library_and_the_authorities(package: Path) -> None:
    control = subprocess.run(["dpkg-deb", "--field", package], capture_output=True, text=True, check=True).stdout
    depends = set(re.findall(r"[\w.+-]+(?= \(|,|$)", re.search(r"^Depends: (.*)$", control, re.MULTILINE)[1]))
    assert {"ca-certificates", "libc6", "libcurl4", "libssl3", "libev4", "libsystemd0", "libzstd1"} <= depends
    assert re.search(r"^Section: net\nVersion: \d+\.\d+\.\d+-\d+$", control, re.MULTILINE), control


def test_the_package_says_what_is_linked_and_where_it_came_from(package: Path, tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path], check=True)
    told = json.loads((tmp_path / "usr/share/doc/table-updater/table-updater.spdx.json").read_text())
    direct = {
        relation["relatedSpdxElement"]
        for relation in told["relationships"]
        if relation["relationshipType"] == "DYNAMIC_LINK"
    }
    parts = {part["SPDXID"]: part for part in told["packages"]}
    libraries = {library for part in direct for library in parts[part]["comment"].split()}
    headers = subprocess.run(
        ["readelf", "-d", tmp_path / "usr/bin/table-updater"], capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"\(NEEDED\).*\[(.*)\]", headers)) <= libraries | {"ld-linux-x86-64.so.2"}
    assert all(part["versionInfo"] for part in parts.values())


@pytest.mark.parametrize("unit", ["table-updater.service", "table-updater@.service"])
def test_the_service_is_exposed_to_little(unit: str, installed: Path) -> None:
    path = installed / "usr/lib/systemd/system" / unit
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=11", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Overall exposure level" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=name_of)
def test_systemd_finds_the_unit_sound(unit: Path, installed: Path, tmp_path: Path) -> None:
    text = unit.read_text()
    # Without an installation on this machine: the same unit with the binary where it was put.
    commands = re.findall(r"^Exec\w+=[-@:+!]*(/\S+)", text, re.MULTILINE)
    for command in set(commands):
        if command.endswith("/table-updater"):
            assert (installed / command.lstrip("/")).is_file(), f"{command} is not where it is installed"
            text = text.replace(command, str(installed / command.lstrip("/")))
    name = unit.name.replace("@.", "@1.")
    (tmp_path / unit.name).write_text(text)
    for other in UNITS:
        if other != unit:
            (tmp_path / other.name).write_text(other.read_text())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    about_ours = [line for line in (done.stdout + done.stderr).splitlines() if unit.stem.split("@")[0] in line]
    assert not about_ours and done.returncode == 0, "\n".join(about_ours) or done.stderr
