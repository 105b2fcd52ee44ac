"""base <- net <- aws <- worker <- app and base <- txn <- worker; feed stands beside worker, and neither knows the
other. The compiler itself refuses what goes against the order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tree import LAYERS, c_files, circles, code_of, compilations, files, headers, name_of, sources, uses


# Files that lead back to themselves by the functions that they call, by layer. What is here may only become less.
CIRCLES = {
    "worker": [5],  # the applier's own
}


def compile_include(layer: str, header: str) -> tuple[bool, str]:
    """Compiles one include with a layer's own flags."""
    source = next((path for path in sources() if path.parent.name == layer), None)
    assert source, f"layer {layer} has no source"
    done = compilations()[source].run("-fsyntax-only", "-Wno-error", stdin=f'#include "{header}"\n')
    return done.returncode == 0, done.stderr


PAIRS = [(layer, other) for layer in LAYERS for other in LAYERS if other != layer]


@pytest.mark.parametrize(("layer", "other"), [pair for pair in PAIRS if pair[1] not in LAYERS[pair[0]]])
def test_an_include_against_the_order_does_not_compile(layer: str, other: str) -> None:
    assert headers(other), f"layer {other} has no header"
    for header in headers(other):
        compiles, errors = compile_include(layer, header.name)
        assert not compiles, f"{layer} can include {name_of(header)}"
        assert re.search(rf"{re.escape(header.name)}: No such file", errors), errors


@pytest.mark.parametrize(("layer", "other"), [(layer, other) for layer in LAYERS for other in [layer, *LAYERS[layer]]])
def test_a_header_of_a_lower_layer_compiles_alone(layer: str, other: str) -> None:
    for header in headers(other):
        compiles, errors = compile_include(layer, header.name)
        assert compiles, f"{layer} can't include {name_of(header)}:\n{errors}"


# A header, and the files that alone may include it.
KNOWN_TO = {
    r"<curl/curl\.h>": ["src/net/connection_private.h"],
    r"<curl/urlapi\.h>": ["src/net/url.c"],
    r"<openssl/ssl\.h>": [
        "src/net/connection.c",
        "src/net/connection_setup.c",
        "src/net/connection_tls.c",
        "src/net/tls_client.c",
    ],
    r'"tls_client\.h"': ["src/net/connection_private.h", "src/net/tls_client.c"],
    r'"connection_private\.h"': [
        "src/net/connection.c",
        "src/net/connection_multi.c",
        "src/net/connection_setup.c",
        "src/net/connection_socket.c",
        "src/net/connection_tls.c",
    ],
}


@pytest.mark.parametrize("header", KNOWN_TO)
def test_what_one_module_knows_no_other_file_includes(header: str) -> None:
    pattern = re.compile(rf"^\s*#\s*include\s*{header}", re.MULTILINE)
    assert [name_of(path) for path in files("src/*/*.[ch]", "include/*/*.h") if pattern.search(path.read_text())] == (
        KNOWN_TO[header]
    )


def test_no_other_file_names_a_handle_of_libcurl_or_a_connection_of_openssl() -> None:
    known = {name for names in KNOWN_TO.values() for name in names} | {"src/net/tls_client.h"}
    handle = re.compile(r"\b(CURL|CURLM|CURLSH|CURLU|CURLcode|SSL|SSL_CTX)\b|\bcurl_\w+\(")
    assert not [
        name_of(path)
        for path in files("src/*/*.[ch]", "include/*/*.h")
        if name_of(path) not in known and handle.search(code_of(path))
    ]


def test_includes_go_by_name_alone() -> None:
    ours = {file.name for file in c_files() if file.suffix == ".h"}
    found = []
    for path in files("src/*/*.[ch]", "include/*/*.h"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if match := re.match(r'\s*#\s*include\s*([<"])([^">]+)', line):
                kind, name = match.groups()
                if kind == '"' and "/" in name:
                    found.append(f"{name_of(path)}:{number}: an include through a folder goes around the layers")
                if kind == "<" and name in ours:
                    found.append(f"{name_of(path)}:{number}: our own header in angle brackets")
    assert not found


def test_no_two_headers_have_one_name() -> None:
    seen: dict[str, str] = {}
    for path in (file for file in c_files() if file.suffix == ".h"):
        assert path.name not in seen, f"{name_of(path)} and {seen[path.name]}"
        seen[path.name] = name_of(path)


@pytest.mark.parametrize("layer", LAYERS)
def test_no_further_circle_of_files(layer: str) -> None:
    found = [circle for circle in circles(uses()) if next(iter(circle)).parent.name == layer]
    told = "; ".join(", ".join(sorted(path.name for path in circle)) for circle in found)
    assert sorted(map(len, found)) == sorted(CIRCLES.get(layer, [])), f"circles in {layer}: {told or 'none'}"


def test_circles_are_seen() -> None:
    a, b, c, d = (Path(name) for name in "abcd")
    assert circles({a: {b, c}, b: {a}, c: {d}, d: set()}) == [{a, b}]
    assert circles({a: {b}, b: {c}, c: {a, d}, d: set()}) == [{a, b, c}]
    assert circles({a: {b}, b: {c}, c: set(), d: {a}}) == []


def test_the_code_of_a_file_is_seen_without_its_comments_and_strings(tmp_path) -> None:
    file = tmp_path / "x.c"
    file.write_text('int a; /* strcpy\n */ char *s = "gets(\\"";  // atoi\nint b;\n')
    assert code_of(file) == 'int a; \n char *s = "";  \nint b;\n'
