"""The value of a setting as it was meant: what came around it on the way, and values that belong elsewhere."""

import pytest
from pydantic import SecretStr

from bot.app.settings import Settings, read_settings
from bot.domain.errors import ConfigErrors

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


def errors(**environ: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        read_settings({**RIGHT, **environ})
    return caught.value.errors


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
    (line,) = errors(**{name: value})
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
