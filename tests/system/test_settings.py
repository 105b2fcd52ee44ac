"""Settings: a bad value ends the start with 78, naming the setting, what was given and what it may be; the file and its
rules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Iterator

import pytest
from credentials_fakes import Fakes
from harness.cases import scene_in
from harness.scene import Scene, message


@pytest.fixture(scope="module")
def settings_scene(cloud: Any) -> Iterator[Scene]:
    with scene_in(cloud, audit=True) as scene:
        scene.table.put({"id": "a"})
        yield scene


# Setting, bad values, and words of which the error has every one: what it may be.
BAD: list[tuple[str, list[str], list[str]]] = [
    ("LOG_LEVEL", ["verbose", "info ", "2"], ["DEBUG", "INFO", "WARNING", "ERROR"]),
    ("LOG_FORMAT", ["xml"], ["text", "json"]),
    ("ENABLE_AUDIT_LOG", ["yes", "1", "on"], ["false", "true", "always"]),
    ("AUDIT_LOG_TTL_DAYS", ["0", "36501", "-1", "1.5", "x", "99999999999999999999"], ["1", "36500"]),
    ("MAX_IN_FLIGHT", ["0", "10001", "-1", "many", "256x", " 5"], ["1", "10000"]),
    ("MAX_RATE", ["0", "100001", "1.5"], ["1", "100000"]),
    ("VISIBILITY_TIMEOUT", ["9", "43201", "30s"], ["10", "43200"]),
    ("MAX_ATTEMPTS", ["0", "1001"], ["1", "1000"]),
    ("SHUTDOWN_TIMEOUT", ["-1", "3601"], ["0", "3600"]),
    ("METRICS_ADDRESS", ["nonsense", "127.0.0.1:99999", "127.0.0.1", ":"], []),
    ("TABLE_NAME", ["a b", "x/y"], []),
    ("AUDIT_LOG_TABLE", ["a b"], []),
]
CASES = [(name, value, words) for name, values, words in BAD for value in values]


@pytest.mark.parametrize("name, value, words", CASES, ids=[f"{name}={value}" for name, value, _ in CASES])
def test_a_bad_value_is_told_with_its_setting_and_what_it_may_be(
    settings_scene: Scene, name: str, value: str, words: list[str]
) -> None:
    process = settings_scene.command("run", **{name: value})
    assert process.wait() == 78, process.describe()
    lines = [line for line in process.log if name in line]
    assert lines and value.strip() in lines[0] and all(word in lines[0] for word in words), process.describe()


def test_every_bad_setting_is_told_at_once(settings_scene: Scene) -> None:
    process = settings_scene.command("run", LOG_FORMAT="xml", MAX_IN_FLIGHT="0", MAX_ATTEMPTS="x")
    assert process.wait() == 78
    for name in ("LOG_FORMAT", "MAX_IN_FLIGHT", "MAX_ATTEMPTS"):
        assert process.find_log(name), process.describe()


def with_file(scene: Scene, path: Path, text: str, **settings: Any) -> Any:
    path.write_text(text)
    process = scene.command("--config", str(path), "run", "--until-empty", **settings)
    if process.wait() == 64:  # where the option stands is free
        process = scene.command("run", "--config", str(path), "--until-empty", **settings)
    process.wait()
    return process


def test_the_file_has_systemds_rules(settings_scene: Scene, tmp_path: Path) -> None:
    scene = settings_scene
    text = f"""# a comment
; another

TABLE_NAME={scene.table.name}
QUEUE_URL="{scene.queue.url}"
DLQ_URL='{scene.dlq.url if scene.dlq else ""}'
MAX_IN_FLIGHT=10
LOG_FORMAT=text
"""
    scene.queue.send(message("a", {"from": "file"}))
    process = with_file(scene, tmp_path / "settings", text, TABLE_NAME=None, QUEUE_URL=None, DLQ_URL=None)
    assert process.wait() == 0, process.describe()
    assert scene.table.get("a")["from"] == "file"


def test_the_environment_goes_before_the_file(settings_scene: Scene, tmp_path: Path) -> None:
    process = with_file(settings_scene, tmp_path / "settings", "TABLE_NAME=no-such-table\n")
    assert process.wait() == 0, process.describe()
    process = with_file(settings_scene, tmp_path / "settings", "TABLE_NAME=no-such-table\n", TABLE_NAME=None)
    assert process.wait() == 78 and process.find_log("no-such-table"), process.describe()


def test_a_bad_value_in_the_file_is_an_error_as_well(settings_scene: Scene, tmp_path: Path) -> None:
    process = with_file(settings_scene, tmp_path / "settings", "MAX_IN_FLIGHT=none\n")
    assert process.wait() == 78 and process.find_log("MAX_IN_FLIGHT"), process.describe()


@pytest.mark.parametrize(
    "wrong, right",
    [
        ("MAX_INFLIGHT", "MAX_IN_FLIGHT"),
        ("TABEL_NAME", "TABLE_NAME"),
        ("ENABLE_AUDIT_LOGS", "ENABLE_AUDIT_LOG"),
        ("log_level", "LOG_LEVEL"),
    ],
)
def test_a_name_in_the_file_that_is_close_to_one_of_ours_is_an_error(
    settings_scene: Scene, tmp_path: Path, wrong: str, right: str
) -> None:
    process = with_file(settings_scene, tmp_path / "settings", f"{wrong}=1\n")
    assert process.wait() == 78, process.describe()
    lines = [line for line in process.log if wrong in line]
    assert lines and right in lines[0] and "did you mean" in lines[0].lower(), process.describe()


@pytest.mark.parametrize("name", ["TZ", "https_proxy", "SOME_FUTURE_SETTING"])
def test_another_unknown_name_in_the_file_is_a_warning(settings_scene: Scene, tmp_path: Path, name: str) -> None:
    process = with_file(settings_scene, tmp_path / "settings", f"{name}=\n")
    assert process.wait() == 0, process.describe()
    assert [line for line in process.log if name in line and "WARNING" in line.upper()], process.describe()


@pytest.mark.parametrize("text", ["no equals sign\n", "=value\n", "MAX_IN_FLIGHT='5\n"])
def test_a_line_that_is_no_setting_is_not_silently_ignored(settings_scene: Scene, tmp_path: Path, text: str) -> None:
    process = with_file(settings_scene, tmp_path / "settings", text)
    assert process.wait() == 78 or process.find_log("(?i)warning"), process.describe()


def test_a_file_that_is_asked_for_and_missing_is_an_error(settings_scene: Scene) -> None:
    process = settings_scene.command("run", "--config", "/no/such/file")
    assert process.wait() in (64, 78) and process.find_log("/no/such/file"), process.describe()


def test_an_unreadable_ca_bundle_is_a_setting_that_is_wrong(settings_scene: Scene) -> None:
    process = settings_scene.command("run", AWS_CA_BUNDLE="/no/such/bundle")
    assert process.wait() == 78 and process.find_log("AWS_CA_BUNDLE"), process.describe()


def test_the_files_of_the_aws_tools_are_told_what_is_wrong_with_them(settings_scene: Scene, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nca_bundle = /no/such/bundle\n")
    process = settings_scene.command("run", AWS_CONFIG_FILE=config)
    assert process.wait() == 78 and process.find_log("ca_bundle of the profile "), process.describe()
    config.write_bytes(b"\xef\xbb\xbf[default]\n")
    process = settings_scene.command("run", AWS_CONFIG_FILE=config)
    assert process.wait() == 78 and process.find_log(
        "AWS_CONFIG_FILE: .*line 1: the file begins with a byte order mark"
    ), process.describe()
    process = settings_scene.command("run", AWS_CONFIG_FILE=tmp_path / "none", MAX_IN_FLIGHT="x")
    assert process.wait() == 78 and process.find_log("WARNING A file that a setting names does not exist.*none"), (
        process.describe()
    )
    process = settings_scene.command("run", AWS_PROFILE="")
    assert process.wait() == 78 and process.find_log("AWS_PROFILE is set, and empty"), process.describe()


def test_the_region_is_the_instances_where_that_is_asked_for(settings_scene: Scene) -> None:
    """What comes first in the settings is faulty, so that nothing else is asked."""
    with Fakes() as fakes:
        nowhere = {
            "AWS_REGION": None,
            "AWS_DEFAULT_REGION": None,
            "AWS_EC2_METADATA_DISABLED": None,
            "MAX_IN_FLIGHT": "x",
        }
        nowhere["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = f"{fakes.url}/imds"
        process = settings_scene.command("run", **nowhere)
        assert process.wait() == 78 and process.find_log("AWS_REGION is not set") and not fakes.asked, (
            process.describe()
        )
        process = settings_scene.command("run", **nowhere, REGION_FROM_INSTANCE="true")
        assert process.wait() == 78 and not process.find_log("AWS_REGION is not set"), process.describe()
        assert fakes.asked == ["PUT /imds/latest/api/token", "GET /imds/latest/meta-data/placement/region"]
        nowhere["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:1"
        process = settings_scene.command("run", **nowhere, REGION_FROM_INSTANCE="true")
        assert process.wait() == 78 and process.find_log("REGION_FROM_INSTANCE is true, but .*can't be reached"), (
            process.describe()
        )


def test_secrets_are_never_told(settings_scene: Scene) -> None:
    process = settings_scene.command("run", MAX_IN_FLIGHT="x", AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI", LOG_LEVEL="DEBUG")
    assert process.wait() == 78 and not process.find_log("wJalrXUtnFEMI")


@pytest.mark.parametrize(
    "wrong, right", [("TABLE_NAM", "TABLE_NAME"), ("QUEUE_URLS", "QUEUE_URL"), ("MAX_INFLIGHT", "MAX_IN_FLIGHT")]
)
def test_a_name_in_the_environment_that_is_close_to_ours_is_a_warning(
    settings_scene: Scene, wrong: str, right: str
) -> None:
    process = settings_scene.command("apply", stdin="", **{wrong: "1"})
    assert process.wait() == 0 and process.find_log(f"WARNING.*{wrong}.*did you mean {right}"), process.describe()


def test_what_systemd_reads_otherwise_is_warned_of_with_its_line(settings_scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "settings"
    path.write_bytes(b"MAX_RATE=5\n# C:\\\nMAX_ATTEMPTS=3\nMAX_RATE=6\nCITY=Orl\xe9ans\n")
    process = settings_scene.command("apply", "--config", str(path), stdin="")
    assert process.wait() == 0, process.describe()
    assert process.find_log("WARNING.*:2: .*backslash.*systemd") and process.find_log("WARNING.*:5: .*UTF-8.*systemd")
    assert process.find_log("WARNING.*:4: MAX_RATE.*line 1"), process.describe()
    path.write_bytes(b"\xef\xbb\xbfMAX_RATE=5\n")
    process = settings_scene.command("apply", "--config", str(path), stdin="")
    assert process.wait() == 78 and process.find_log("ERROR.*:1: .*byte order mark"), process.describe()


def test_a_settings_file_that_is_named_and_does_not_exist_is_said_as_that(settings_scene: Scene) -> None:
    process = settings_scene.command("apply", "--config", "/no/such/file", stdin="")
    assert process.wait() == 78 and process.find_log("--config names a file that does not exist.*/no/such/file"), (
        process.describe()
    )


@pytest.mark.parametrize("arguments", [["run", "--until-empty"], ["apply"]])
def test_the_start_line_says_region_endpoints_and_provider(settings_scene: Scene, arguments: list[str]) -> None:
    process = settings_scene.command(*arguments, stdin="")
    assert process.wait() == 0
    line = process.find_log("Started .*")[0][0]
    assert re.search(rf"region=\S+ dynamodb={settings_scene.cloud.dynamodb_server.url} .*credentials=env", line), line
    assert (f"sqs={settings_scene.cloud.sqs_server.url}" in line) == (arguments[0] == "run"), line


def test_a_slash_behind_the_queues_urls_is_fine(settings_scene: Scene) -> None:
    scene = settings_scene
    scene.queue.send(message("a", {"slash": 1}), "{}")
    process = scene.command(
        "run", "--until-empty", QUEUE_URL=f"{scene.queue.url}/", DLQ_URL=f"{scene.dlq.url if scene.dlq else ''}/"
    )
    assert process.wait() == 0 and scene.table.get("a")["slash"] == 1 and scene.dead(), process.describe()


def test_a_queue_of_another_place_is_warned_of(settings_scene: Scene) -> None:
    name = settings_scene.queue.name
    process = settings_scene.command(
        "run",
        QUEUE_URL=f"https://sqs.us-west-2.amazonaws.com/000000000000/{name}",
        DLQ_URL=f"http://elsewhere/0/{name}",
        AWS_REGION="eu-west-1",
    )
    process.wait_for_log("WARNING QUEUE_URL .*queue_region=us-west-2 region=eu-west-1")
    process.wait_for_log(f"WARNING DLQ_URL .*queue_host=elsewhere endpoint={settings_scene.cloud.sqs_server.url}")
    process.stop()


def test_an_option_goes_before_the_environment_and_the_file(settings_scene: Scene, tmp_path: Path) -> None:
    scene, path = settings_scene, tmp_path / "settings"
    path.write_text("LOG_FORMAT=text\nTABLE_NAME=no-such-table\n")
    scene.queue.send(message("a", {"from": "options"}))
    process = scene.command(
        "--table-name",
        scene.table.name,
        "run",
        "--config",
        str(path),
        "--queue-url",
        scene.queue.url,
        "--until-empty",
        "--log-format=json",
        "--region",
        "eu-central-1",
        QUEUE_URL="no-such-queue",
        LOG_FORMAT="text",
        TABLE_NAME=None,
    )
    assert process.wait() == 0 and scene.table.get("a")["from"] == "options", process.describe()
    assert (
        process.log
        and all(line.startswith("{") for line in process.log)
        and process.find_log('"region":"eu-central-1"')
    )


def test_a_bad_value_of_an_option_is_told_as_that_of_a_setting(settings_scene: Scene) -> None:
    process = settings_scene.command("run", "--max-rate", "none")
    assert process.wait() == 78 and process.find_log("MAX_RATE"), process.describe()


@pytest.mark.parametrize(
    "arguments, part",
    [
        (["--help"], "Commands:"),
        (["-h"], "Commands:"),
        (["help"], "Commands:"),
        (["help", "apply"], "Usage: table-updater apply"),
        (["run", "-h"], "--until-empty[=SECONDS]"),
        (["--version"], "table-updater "),
        (["-V"], "table-updater "),
    ],
)
def test_help_and_version_need_no_settings(settings_scene: Scene, arguments: list[str], part: str) -> None:
    process = settings_scene.command(*arguments, TABLE_NAME=None, QUEUE_URL=None)
    assert process.wait() == 0 and part in process.output and not process.log, process.describe()


@pytest.mark.parametrize(
    "arguments, meant",
    [
        (["rnu"], "run"),
        (["apply", "--tabel-name", "x"], "--table-name"),
        (["--line-number", "apply"], "--line-numbers"),
    ],
)
def test_a_misspelt_word_of_the_command_line_is_answered_with_the_right_one(
    settings_scene: Scene, arguments: list[str], meant: str
) -> None:
    process = settings_scene.command(*arguments, stdin="")
    assert process.wait() == 64 and process.find_log(f"did you mean {meant}[?]") and not process.output, (
        process.describe()
    )


def test_a_profile_that_an_option_names_goes_before_the_keys_of_the_environment(
    settings_scene: Scene, tmp_path: Path
) -> None:
    path = tmp_path / "credentials"
    path.write_text("[mine]\naws_access_key_id = FIRST\naws_secret_access_key = x\n")
    process = settings_scene.command("apply", "--profile", "mine", stdin="", AWS_SHARED_CREDENTIALS_FILE=path)
    assert process.wait() == 0 and process.find_log("Started .*credentials=shared-credentials-file"), process.describe()
    process = settings_scene.command("apply", "--profile", "theirs", stdin="", AWS_SHARED_CREDENTIALS_FILE=path)
    assert process.wait() == 78 and process.find_log("--profile.*there is no such profile"), process.describe()


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_a_file_that_a_setting_names_and_that_does_not_exist_is_said_as_that(settings_scene: Scene, name: str) -> None:
    process = settings_scene.command("apply", stdin="", **{name: "/no/such/file"})
    assert process.wait() == (78 if name == "AWS_CA_BUNDLE" else 0)
    assert [line for line in process.log if name in line and "does not exist" in line and "/no/such/file" in line], (
        process.describe()
    )
