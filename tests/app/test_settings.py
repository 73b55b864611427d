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


# ── the value of a setting, as it was meant ──

RIGHT = {
    "SLACK_BOT_TOKEN": "xoxb-invented",
    "SLACK_APP_TOKEN": "xapp-invented",
    "SLACK_SIGNING_SECRET": "invented-secret",
    "SLACK_API_URL": "https://slack.example.com/api/",
    "UAPI_URL": "https://pbx.example.com",
    "UAPI_CLIENT_ID": "invented-id",
    "UAPI_CLIENT_SECRET": "invented-app-secret",
    "UAPI_ACCESS_TOKEN": "invented-token",
    "CALLBOT_CONFIG": "rules.toml",
    "DATABASE_URL": "sqlite:///ledger.db",
    "HOST": "127.0.0.2",
    "PORT": "3001",
    "LOG_LEVEL": "error",
    "LOG_FORMAT": "json",
}


def plain(settings: Settings) -> dict[str, object]:
    """Everything that was set, secrets in the clear."""
    values = {name.upper(): getattr(settings, name.lower()) for name in RIGHT}
    return {name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in values.items()}


# ── what is around a value ──

WRAPPINGS = {
    "a line end": "{}\n",
    "Windows' line end": "{}\r\n",
    "blanks": "  {}\t ",
    "a no-break space": "{}\u00a0",
    "a mark of byte order": "\ufeff{}",
    "spaces of other widths": "\u2003{}\u3000",
    "a zero-width space": "{}\u200b",
    "a line separator": "{}\u2028",
    "double quotes, as docker keeps them": '"{}"',
    "single quotes, as docker keeps them": "'{}'",
    "quotes with blanks on both sides": ' " {} " ',
}


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
def test_what_is_around_a_value_is_taken_off(wrapping: str) -> None:
    wrapped = {name: wrapping.format(value) for name, value in RIGHT.items()}
    assert plain(read_settings(wrapped)) == plain(read_settings(RIGHT))


@pytest.mark.parametrize("nothing", [" ", "\n", '""', "\ufeff", "' '"], ids=ascii)
def test_a_value_of_blanks_is_no_value(nothing: str) -> None:
    assert read_settings({**RIGHT, "PORT": nothing}).port == 3000


@pytest.mark.parametrize("value", ['xoxb-"quoted', 'xoxb-invented"'])
def test_a_quotation_mark_without_its_other_stays(value: str) -> None:
    assert read_settings({**RIGHT, "SLACK_BOT_TOKEN": value}).slack_bot_token.get_secret_value() == value


def test_a_line_end_inside_a_value_is_one_error_that_does_not_repeat_it() -> None:
    names = [name for name in RIGHT if name not in {"PORT", "LOG_LEVEL", "LOG_FORMAT"}]
    said = "this has a line end or another control character inside (U+000A). Enter it again"
    found = errors(**{name: f"{RIGHT[name]}\nhunter2" for name in names})
    assert sorted(found) == sorted(f"{name}: {said}" for name in names)


@pytest.mark.parametrize("inside", [" ", "\u00a0", "\u200b", "é"], ids=ascii)
def test_a_token_with_a_blank_or_a_foreign_character_inside_is_an_error(inside: str) -> None:
    names = ["SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "UAPI_ACCESS_TOKEN"]
    said = "this has a blank, or a character outside ASCII, inside. Copy it again"
    found = errors(**{name: f"{RIGHT[name]}{inside}hunter2" for name in names})
    assert sorted(found) == [f"{name}: {said}" for name in names]


@pytest.mark.parametrize("inside", ["\u200b", "\u202e", "\ufeff", "\u00ad"], ids=ascii)
def test_a_credential_with_an_invisible_character_inside_is_an_error(inside: str) -> None:
    names = ["UAPI_CLIENT_ID", "UAPI_CLIENT_SECRET"]
    said = f"this has an invisible character inside (U+{ord(inside):04X}). Enter it again"
    found = errors(**{name: f"{RIGHT[name]}{inside}hunter2" for name in names})
    assert sorted(found) == [f"{name}: {said}" for name in names]


def test_a_value_that_is_not_utf_8_is_an_error() -> None:
    assert errors(CALLBOT_CONFIG="r\udcffles") == ["CALLBOT_CONFIG: this is not UTF-8. Enter it again"]


@pytest.mark.parametrize("level", ["INFO", "Info", " info\n"])
def test_a_level_of_logging_may_have_capitals(level: str) -> None:
    assert read_settings({**RIGHT, "LOG_LEVEL": level}).log_level == "info"


# ── values that belong elsewhere ──

BOT_TOKEN = "this is a bot token: it belongs in SLACK_BOT_TOKEN (OAuth & Permissions → Bot User OAuth Token)"
APP_TOKEN = "this is an app token: it belongs in SLACK_APP_TOKEN (Basic Information → App-Level Tokens)"
SECRET = "this is a signing secret: it belongs in SLACK_SIGNING_SECRET (Basic Information → Signing Secret)"
DATABASE = "this is the address of a database: it belongs in DATABASE_URL (where the ledger is)"
USER_TOKEN = "this is a user token, which callbot does not use"
SWAPPED = [
    ("SLACK_BOT_TOKEN", "xapp-1-invented", APP_TOKEN),
    ("SLACK_BOT_TOKEN", "xoxp-invented", f"{USER_TOKEN}. SLACK_BOT_TOKEN is found under OAuth & Permissions"),
    ("SLACK_BOT_TOKEN", "xoxe.xoxb-1-invented", "this is a token that expires, which callbot does not use"),
    ("SLACK_BOT_TOKEN", "xoxe-1-invented", "this is a refresh token, which callbot does not use"),
    ("SLACK_BOT_TOKEN", "xoxc-invented", "this is a token of a browser's session, which callbot does not use"),
    ("SLACK_BOT_TOKEN", "0123456789abcdef" * 2, SECRET),
    ("SLACK_APP_TOKEN", "xoxb-invented", BOT_TOKEN),
    ("SLACK_APP_TOKEN", "xoxp-invented", f"{USER_TOKEN}. SLACK_APP_TOKEN is found under Basic Information"),
    ("SLACK_APP_TOKEN", "0123456789abcdef" * 2, SECRET),
    ("SLACK_SIGNING_SECRET", "xoxb-invented", BOT_TOKEN),
    ("SLACK_SIGNING_SECRET", "xapp-invented", APP_TOKEN),
    ("SLACK_API_URL", "https://hooks.slack.com/services/x", "this is the address of a webhook, which callbot"),
    ("UAPI_URL", "postgresql://db.example.com/callbot", DATABASE),
    ("UAPI_CLIENT_ID", "xoxb-invented", BOT_TOKEN),
    ("UAPI_CLIENT_SECRET", "xapp-invented", APP_TOKEN),
    ("UAPI_ACCESS_TOKEN", "xoxb-invented", BOT_TOKEN),
    ("CALLBOT_CONFIG", "sqlite:///callbot.db", DATABASE),
    ("DATABASE_URL", "xoxb-invented", BOT_TOKEN),
]


@pytest.mark.parametrize(("name", "value", "said"), SWAPPED, ids=[f"{name}={value}" for name, value, _ in SWAPPED])
def test_a_value_in_the_place_of_another_is_named_as_what_it_is_and_not_repeated(
    name: str, value: str, said: str
) -> None:
    (line,) = errors(**{**RIGHT, name: value})
    assert line.startswith(f"{name}: {said}")
    assert value not in line


def test_two_swapped_tokens_are_two_errors() -> None:
    assert errors(SLACK_BOT_TOKEN="xapp-invented", SLACK_APP_TOKEN="xoxb-invented") == [
        f"SLACK_BOT_TOKEN: {APP_TOKEN}",
        f"SLACK_APP_TOKEN: {BOT_TOKEN}",
    ]


# ── HOST ──


@pytest.mark.parametrize(
    ("value", "host"),
    [("[::1]", "::1"), ("::1", "::1"), ("[127.0.0.1]", "127.0.0.1"), ("localhost", "localhost"), ("my_box", "my_box")],
)
def test_an_address_is_understood_with_brackets_and_without(value: str, host: str) -> None:
    assert read_settings({**RIGHT, "HOST": value}).host == host


@pytest.mark.parametrize(
    "value",
    [
        "x86_64-conda-linux-gnu",
        "x86_64-conda_cos6-linux-gnu",
        "aarch64-conda-linux-gnu",
        "arm64-apple-darwin20.0.0",
        "x86_64-apple-darwin13.4.0",
        "x86_64-w64-mingw32",
    ],
)
def test_the_host_that_conda_sets_is_one_error_that_says_what_to_set(value: str) -> None:
    said = "HOST is set by conda to the name of a compiler. Set HOST=127.0.0.1, or HOST=0.0.0.0 for all addresses"
    assert errors(HOST=value) == [said]


@pytest.mark.parametrize(
    "value",
    ["http://127.0.0.1", "http://127.0.0.1:3000", "127.0.0.1:3000", "[::1]:3000", "localhost:3000", "*", "a b", "[::1"],
)
def test_a_host_with_more_than_an_address_is_one_error_that_says_how_to_write_it(value: str) -> None:
    assert errors(HOST=value) == ["HOST is an address alone, as 127.0.0.1 or ::1; the port has a setting of its own"]


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
