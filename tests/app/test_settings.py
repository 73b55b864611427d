"""Settings from the environment: the defaults of the table, every error at once, and no secret in sight."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.app.settings import Settings, read_settings
from bot.domain.errors import ConfigErrors

ENOUGH = {
    "SLACK_BOT_TOKEN": "xoxb-invented",
    "SLACK_SIGNING_SECRET": "invented-secret",
    "UAPI_URL": "https://pbx.example.com",
    "UAPI_ACCESS_TOKEN": "invented-token",
}


def errors(**environ: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        read_settings({**ENOUGH, **environ})
    return caught.value.errors


# ── what is right ──

DEFAULTS = {
    "slack_api_url": "https://slack.com/api/",
    "slack_app_token": None,
    "uapi_client_id": None,
    "uapi_ca_file": None,
    "callbot_config": "callbot.toml",
    "database_url": "sqlite:///callbot.db",
    "host": "127.0.0.1",
    "port": 3000,
    "metrics_port": None,
    "metrics_host": "127.0.0.1",
    "metrics_token": None,
    "log_level": "info",
    "log_format": "text",
}


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_what_is_not_set_has_the_default_of_the_table(name: str, value: object) -> None:
    assert getattr(read_settings(ENOUGH), name) == value


def test_every_setting_of_the_table_is_a_setting() -> None:
    assert {*DEFAULTS, *(name.lower() for name in ENOUGH), "uapi_client_secret"} == set(Settings.model_fields)


def test_what_is_set_to_nothing_is_not_set() -> None:
    assert read_settings({**ENOUGH, "PORT": "", "SLACK_APP_TOKEN": "", "HOST": ""}).port == 3000


@pytest.mark.parametrize(
    "more",
    [
        {"SLACK_APP_TOKEN": "xapp-invented", "SLACK_SIGNING_SECRET": ""},
        {"SLACK_APP_TOKEN": "xapp-invented"},
        {"UAPI_CLIENT_ID": "a", "UAPI_CLIENT_SECRET": "b", "UAPI_ACCESS_TOKEN": ""},
        {"UAPI_CLIENT_ID": "a", "UAPI_CLIENT_SECRET": "b"},
        {"DATABASE_URL": "postgresql://callbot@db.example.com/callbot"},
        {"METRICS_PORT": "9464", "METRICS_HOST": "0.0.0.0", "METRICS_TOKEN": "invented"},
        {"PORT": "0", "METRICS_PORT": "0"},
        {"PORT": "0", "LOG_LEVEL": "debug", "LOG_FORMAT": "json"},
        {"SOMETHING_ELSE": "x"},
    ],
    ids=str,
)
def test_what_the_table_allows_is_taken(more: dict[str, str]) -> None:
    assert isinstance(read_settings({**ENOUGH, **more}), Settings)


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://pbx.example.com", "https://pbx.example.com"),
        ("https://pbx.example.com/", "https://pbx.example.com"),
        ("https://pbx.example.com:8443", "https://pbx.example.com:8443"),
        ("https://10.0.0.5", "https://10.0.0.5"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
    ],
)
def test_the_pbx_is_https_or_on_this_machine(url: str, taken: str) -> None:
    assert read_settings({**ENOUGH, "UAPI_URL": url}).uapi_url == taken


def test_the_slack_address_ends_in_a_slash() -> None:
    assert (
        read_settings({**ENOUGH, "SLACK_API_URL": "http://127.0.0.1:9/api"}).slack_api_url == "http://127.0.0.1:9/api/"
    )


# ── what is wrong ──

NO_ADDRESS = [
    "pbx.example.com",
    "https://",
    "https://pbx.example.com:99999",
    "https://pbx.example.com:x",
    "https://[bad",
]
NO_ADDRESS += ["https://user@pbx.example.com", "https://:pw@pbx.example.com", "https://pbx example.com", "https://a\nb"]
NO_ADDRESS += ["https://pbx.example.com/uapi", "https://pbx.example.com/?x=1", "https://pbx.example.com/#x", "ftp://x"]
NO_ADDRESS += ["http://pbx.example.com", "http://127.0.0.1.example.com", "http://128.0.0.1", "http://0.0.0.0"]


@pytest.mark.parametrize("url", NO_ADDRESS, ids=ascii)
def test_any_other_address_of_the_pbx_is_refused(url: str) -> None:
    assert [line.split(" ")[0].rstrip(":") for line in errors(UAPI_URL=url)] == ["UAPI_URL"]


WRONG = [
    ({"SLACK_BOT_TOKEN": "invented"}, "SLACK_BOT_TOKEN begins with xoxb-"),
    ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN is missing"),
    ({"SLACK_APP_TOKEN": "invented"}, "SLACK_APP_TOKEN begins with xapp-"),
    ({"SLACK_SIGNING_SECRET": ""}, "SLACK_APP_TOKEN (for Socket Mode) or SLACK_SIGNING_SECRET (for HTTP) is missing"),
    ({"SLACK_API_URL": "http://slack.example.com/api/"}, "SLACK_API_URL must begin with https://"),
    ({"UAPI_URL": ""}, "UAPI_URL is missing"),
    ({"UAPI_ACCESS_TOKEN": ""}, "UAPI_CLIENT_ID with UAPI_CLIENT_SECRET, or UAPI_ACCESS_TOKEN, is missing"),
    ({"UAPI_CLIENT_ID": "a"}, "UAPI_CLIENT_ID and UAPI_CLIENT_SECRET go together"),
    ({"UAPI_CLIENT_SECRET": "a"}, "UAPI_CLIENT_ID and UAPI_CLIENT_SECRET go together"),
    ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL names no ledger. Write sqlite:///"),
    ({"PORT": "65536"}, "PORT is a whole number from 0 to 65535"),
    ({"PORT": "-1"}, "PORT is a whole number from 0 to 65535"),
    ({"PORT": "9" * 5000}, "PORT is a whole number from 0 to 65535"),
    ({"UAPI_URL": "https://[::1"}, "UAPI_URL is not an address like https://pbx.example.com"),
    ({"UAPI_URL": "https://[hunter2]"}, "UAPI_URL is not an address like https://pbx.example.com"),
    ({"PORT": "http"}, "PORT is a whole number from 0 to 65535"),
    ({"METRICS_PORT": "3000"}, "METRICS_PORT is the same as PORT"),
    ({"METRICS_PORT": "none"}, "METRICS_PORT "),
    ({"METRICS_TOKEN": "two words"}, "METRICS_TOKEN: this has a blank"),
    ({"LOG_LEVEL": "loud"}, "LOG_LEVEL "),
    ({"LOG_FORMAT": "xml"}, "LOG_FORMAT "),
]


@pytest.mark.parametrize(("environ", "said"), WRONG, ids=[f"{environ}"[:60] for environ, _ in WRONG])
def test_each_error_is_one_line_that_names_the_setting(environ: dict[str, str], said: str) -> None:
    (line,) = errors(**environ)
    assert line.startswith(said)


def test_all_errors_are_reported_together() -> None:
    with pytest.raises(ConfigErrors) as caught:
        read_settings({"PORT": "x"})
    assert len(caught.value.errors) == 5


# ── secrets ──

SECRETS = ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "UAPI_CLIENT_SECRET", "UAPI_ACCESS_TOKEN"]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_does_not_show_itself(name: str) -> None:
    assert Settings.model_fields[name.lower()].annotation in {SecretStr, SecretStr | None}


def test_no_secret_is_in_what_is_printed_of_the_settings() -> None:
    shown = repr(read_settings(ENOUGH)) + str(read_settings(ENOUGH).model_dump())
    assert not [secret for name, secret in ENOUGH.items() if name in SECRETS and secret in shown]


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_in_an_error(name: str) -> None:
    assert "hunter2" not in str(errors(PORT="x", **{name: "hunter2"}))


# ── the process's own environment ──

PRINTED = "from bot.app.settings import read_settings; s = read_settings(); print(s.port, s.host, s.slack_app_token)"


def test_the_environment_comes_before_the_env_file_and_nothing_is_no_value(tmp_path: Path) -> None:
    lines = [f"{name}={value}" for name, value in ENOUGH.items()]
    (tmp_path / ".env").write_text("\n".join([*lines, "PORT=3001", "HOST=localhost", "SLACK_APP_TOKEN="]))
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", PRINTED], cwd=tmp_path, env={**path, "PORT": "3002"}, capture_output=True, check=False
    )
    assert (done.stdout.decode().split(), done.stderr) == (["3002", "localhost", "None"], b"")


def test_a_certificate_file_that_is_not_there_is_an_error_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="UAPI_CA_FILE cannot be used"):
        read_settings({**ENOUGH, "UAPI_CA_FILE": str(tmp_path / "none.pem")})


def test_a_file_that_holds_no_certificate_is_an_error_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "poem.pem").write_text("roses are red")
    with pytest.raises(ConfigErrors, match="UAPI_CA_FILE cannot be used"):
        read_settings({**ENOUGH, "UAPI_CA_FILE": str(tmp_path / "poem.pem")})
