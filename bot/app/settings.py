"""Settings from the environment or a `.env` file. All errors are reported together.

What surrounds a value is taken off, and a value that belongs to another setting is recognised.
"""

import io
import ipaddress
import os
import re
import ssl
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values
from dotenv.parser import Original, parse_stream
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    model_validator,
)

from bot.domain.errors import ConfigErrors
from bot.ledger.address import error_in


def is_loopback(host: str) -> bool:
    """Whether a name or address is of this machine, and no other machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _safe_url(text: str) -> str:
    """Only https, or http to this machine: tokens are sent there."""
    try:
        parts = urlsplit(text)
        host, bad_port = parts.hostname, parts.port == 0
    except ValueError:  # its text may repeat a part of the address
        raise ValueError(_NO_ADDRESS) from None
    plain = re.fullmatch(r"[A-Za-z0-9._:/\[\]-]+", text) is not None
    if not host or bad_port or not plain:
        raise ValueError(_NO_ADDRESS)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)):
        return text
    raise ValueError("must begin with https:// (http:// only for an address of this machine)")


_NO_ADDRESS = "is not an address like https://pbx.example.com"


def _scheme_and_host(text: str) -> str:
    if urlsplit(_safe_url(text)).path not in {"", "/"}:
        raise ValueError("is scheme and host alone, for example https://pbx.example.com")
    return text.rstrip("/")


def _with_slash(text: str) -> str:
    return _safe_url(text).rstrip("/") + "/"


def _database_url(text: str) -> str:
    if error := error_in(text):
        raise ValueError(error)
    return text


def _ca_file(path: str | None) -> str | None:
    if path is not None:
        try:
            ssl.create_default_context(cafile=path)
        except OSError as error:
            raise ValueError(f"cannot be used ({error.strerror or type(error).__name__}); name a PEM file") from None
    return path


def _bot_token(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().startswith("xoxb-"):
        raise ValueError("begins with xoxb- (OAuth & Permissions → Bot User OAuth Token)")
    return secret


def _app_token(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and not secret.get_secret_value().startswith("xapp-"):
        raise ValueError("begins with xapp- (Basic Information → App-Level Tokens, scope connections:write)")
    return secret


def _host(text: str) -> str:
    """An address or a name. Whether it is one of this machine shows when callbot listens there."""
    host = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if _TOOLCHAIN.fullmatch(host):
            raise ValueError(
                "is set by conda to the name of a compiler. Set HOST=127.0.0.1, or HOST=0.0.0.0 for all addresses"
            ) from None
        if not re.fullmatch(r"[A-Za-z0-9._-]+", host):
            raise ValueError("is an address alone, as 127.0.0.1 or ::1; the port has a setting of its own") from None
    return host


_TOOLCHAIN = re.compile(r"[a-z0-9_.]+-(?:conda(?:_[a-z0-9_]+)?|apple|w64|pc|unknown)-[a-z0-9_.]+(?:-[a-z0-9_.]+)?")
"""What conda's compilers put into HOST, for example `x86_64-conda-linux-gnu` or `arm64-apple-darwin20.0.0`."""


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


class _Part(BaseModel):
    """A part of the settings. No repr shows a secret."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    @model_validator(mode="wrap")
    @classmethod
    def _all_errors(cls, values: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Report missing settings together with invalid ones. Raises ConfigErrors."""
        errors = cls._missing(values)
        wrong = {name: text for name in cls.model_fields if name in values and (text := _wrong(name, values[name]))}
        try:
            settings = validate(values)
            errors += settings.contradictions()
        except ValidationError as error:
            others = [problem for problem in error.errors() if not wrong.keys() & problem["loc"]]
            errors = [line for problem in others for line in _lines(problem)] + errors
        errors = [f"{name.upper()}: {text}" for name, text in wrong.items()] + errors
        if errors:
            raise ConfigErrors(_WHERE, errors)
        return settings

    @classmethod
    def _missing(cls, values: Mapping[str, Any]) -> list[str]:
        """Settings that others require."""
        return []

    def contradictions(self) -> list[str]:
        """Settings that are valid alone, but not together."""
        return []


class SlackSettings(_Part):
    """The settings for Slack."""

    slack_bot_token: Annotated[SecretStr, AfterValidator(_bot_token)]
    slack_app_token: Annotated[SecretStr | None, AfterValidator(_app_token)] = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: Annotated[str, AfterValidator(_with_slash)] = "https://slack.com/api/"

    @classmethod
    def _missing(cls, values: Mapping[str, Any]) -> list[str]:
        if values.get("slack_app_token") or values.get("slack_signing_secret"):
            return super()._missing(values)
        return [
            "SLACK_APP_TOKEN (for Socket Mode) or SLACK_SIGNING_SECRET (for HTTP) is missing",
            *super()._missing(values),
        ]


class PbxSettings(_Part):
    """The settings for the PBX."""

    uapi_url: Annotated[str, AfterValidator(_scheme_and_host)]
    uapi_client_id: str | None = None
    uapi_client_secret: SecretStr | None = None
    uapi_access_token: SecretStr | None = None
    uapi_ca_file: Annotated[str | None, AfterValidator(_ca_file)] = None

    def credentials(self) -> tuple[str | None, str | None, str | None]:
        """The App's id and secret, and the fixed token, unmasked: for the token source alone."""
        secrets = (self.uapi_client_secret, self.uapi_access_token)
        secret, token = (None if each is None else each.get_secret_value() for each in secrets)
        return self.uapi_client_id, secret, token

    @classmethod
    def _missing(cls, values: Mapping[str, Any]) -> list[str]:
        if bool(values.get("uapi_client_id")) is not bool(values.get("uapi_client_secret")):
            return ["UAPI_CLIENT_ID and UAPI_CLIENT_SECRET go together", *super()._missing(values)]
        if not values.get("uapi_client_id") and not values.get("uapi_access_token"):
            return [
                "UAPI_CLIENT_ID with UAPI_CLIENT_SECRET, or UAPI_ACCESS_TOKEN, is missing",
                *super()._missing(values),
            ]
        return super()._missing(values)


class OwnSettings(_Part):
    """Where the configuration and the ledger are."""

    callbot_config: str = "callbot.toml"
    database_url: Annotated[str, AfterValidator(_database_url)] = "sqlite:///callbot.db"


class DoorSettings(_Part):
    """Where callbot listens for Slack and for health checks."""

    host: Annotated[str, AfterValidator(_host)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 3000


class MetricsSettings(_Part):
    """Where Prometheus finds the metrics; there are none unless METRICS_PORT is set."""

    metrics_port: Annotated[int | None, Field(ge=0, le=65535)] = None
    metrics_host: Annotated[str, AfterValidator(_host)] = "127.0.0.1"
    metrics_token: SecretStr | None = None

    @property
    def metrics_open_to_neighbours(self) -> bool:
        """Whether other machines can read the metrics without a token."""
        return self.metrics_port is not None and not is_loopback(self.metrics_host) and self.metrics_token is None


class Settings(SlackSettings, PbxSettings, OwnSettings, DoorSettings, MetricsSettings):
    """All settings."""

    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower)] = "text"

    def contradictions(self) -> list[str]:
        """Two listeners on one port."""
        if self.metrics_port and self.metrics_port == self.port:
            return ["METRICS_PORT is the same as PORT; metrics need a port of their own, for example 9464"]
        return []


S = TypeVar("S", bound=_Part)


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """All settings, from the process's environment and `.env`, or else from `environ` alone. Raises ConfigErrors."""
    return read_part(Settings, environ)


def read_part(part: type[S], environ: Mapping[str, str] | None = None) -> S:
    """One part of the settings. Raises ConfigErrors.

    The environment wins over `.env`. An empty value counts as not set.
    """
    if environ is None:
        environ = _filled(env_file()) | _filled(os.environ)
    return part.model_validate(_filled(environ))


def _filled(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings by their lower-case names, without empty ones. `PORT` wins over `port`."""
    names = sorted(environ, key=str.isupper)
    return {name.lower(): value for name in names if (value := bare(environ[name]))}


_WHERE = "Settings (environment or .env)"


def _wrong(name: str, value: str) -> str | None:
    """Why no setting of this name can have this value, else None."""
    return misplaced(name.upper(), value) or unusable(name.upper(), value)


def _lines(problem: Any) -> list[str]:
    name = str(problem["loc"][0]).upper() if problem["loc"] else ""
    if problem["type"] == "missing":
        return [f"{name} is missing"]
    text = _WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    return [f"{name} {line}".strip() for line in text.splitlines()]


_WORDS = dict.fromkeys(
    ("int_parsing", "int_parsing_size", "greater_than_equal", "less_than_equal"), "is a whole number from 0 to 65535"
)
"""Texts instead of pydantic's. Ports are the only numbers."""


# ── the value of a setting ──

_QUOTED = re.compile(r"""(["'])(.*)\1""", re.DOTALL)


def bare(value: str) -> str:
    """The value without white space, line ends and byte order marks around it, and without a pair of quotation marks.

    A shell removes them; `docker --env-file` does not ("docker run", docs.docker.com).
    """
    value = _stripped(value)
    quoted = _QUOTED.fullmatch(value)
    return _stripped(quoted[2]) if quoted else value


def _stripped(value: str) -> str:
    """Without invisible characters at its ends."""
    if value.isascii():
        return value.strip()
    seen = [place for place, character in enumerate(value) if not _is_blank(character)]
    return value[seen[0] : seen[-1] + 1] if seen else ""


def _is_blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in {"Cc", "Cf"}


_TOKENS = frozenset(
    {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "UAPI_ACCESS_TOKEN", "METRICS_TOKEN"}
)
"""Settings that go into HTTP headers, or sign requests."""
_CREDENTIALS = frozenset({"UAPI_CLIENT_ID", "UAPI_CLIENT_SECRET"})
"""Settings that may hold any visible character. (The name of a file may need an invisible joiner.)"""


def unusable(name: str, value: str) -> str | None:
    """Why the setting `name` cannot have this value, else None. The text repeats nothing of the value."""
    for character in value:
        category = unicodedata.category(character)
        if category == "Cs":
            return "this is not UTF-8. Enter it again"
        if category in {"Cc", "Zl", "Zp"}:
            return f"this has a line end or another control character inside (U+{ord(character):04X}). Enter it again"
        if category == "Cf" and name in _CREDENTIALS:
            return f"this has an invisible character inside (U+{ord(character):04X}). Enter it again"
    if name in _TOKENS and not re.fullmatch("[!-~]+", value):
        return "this has a blank, or a character outside ASCII, inside. Copy it again"
    return None


_BELONG = {
    "SLACK_BOT_TOKEN": "OAuth & Permissions → Bot User OAuth Token",
    "SLACK_APP_TOKEN": "Basic Information → App-Level Tokens",
    "SLACK_SIGNING_SECRET": "Basic Information → Signing Secret",
    "DATABASE_URL": "where the ledger is",
}
"""Settings whose values can be recognised, and where to find each."""
_KINDS: tuple[tuple[str, str, str | None], ...] = (
    ("xoxb-", "a bot token", "SLACK_BOT_TOKEN"),
    ("xapp-", "an app token", "SLACK_APP_TOKEN"),
    ("xoxp-", "a user token", None),
    ("xoxe.xox", "a token that expires", None),
    ("xoxe-", "a refresh token", None),
    ("xoxa-", "a legacy workspace token", None),
    ("xoxc-", "a token of a browser's session", None),
    ("xoxd-", "a cookie of a browser's session", None),
    ("xoxs-", "a token of a browser's session", None),
    ("https://hooks.slack.com/", "the address of a webhook", None),
    ("postgresql://", "the address of a database", "DATABASE_URL"),
    ("postgres://", "the address of a database", "DATABASE_URL"),
    ("sqlite://", "the address of a database", "DATABASE_URL"),
)
"""The beginning of a value, what it is, and the setting where it belongs; None: nowhere ("Token types", docs.slack.dev)."""
_FROM_SLACK = frozenset({"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"})
_SIGNING_SECRET = re.compile("[0-9a-f]{32}")


def misplaced(name: str, value: str) -> str | None:
    """What the value of the setting `name` is and where it belongs, if that is another setting; else None."""
    for begins, what, home in _KINDS:
        if value.startswith(begins):
            return None if home == name else _belongs(name, what, home)
    if name in {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"} and _SIGNING_SECRET.fullmatch(value):
        return _belongs(name, "a signing secret", "SLACK_SIGNING_SECRET")
    return None


def _belongs(name: str, what: str, home: str | None) -> str:
    if home is not None:
        return f"this is {what}: it belongs in {home} ({_BELONG[home]})"
    here = f". {name} is found under {_BELONG[name]}" if name in _FROM_SLACK else ""
    return f"this is {what}, which callbot does not use{here}"


# ── .env ──

LARGEST_ENV_FILE = 1024 * 1024
"""The limit of the file's size, in bytes."""


def env_file() -> Mapping[str, str]:
    """The variables in `.env`; none where there is no file. Raises ConfigErrors with one sentence."""
    try:
        os.getcwd()  # noqa: PTH109 - Path.cwd() does the same; only the error counts
    except OSError:
        raise _invalid("The working directory is gone. Start callbot in one that exists") from None
    text = _env_text(Path(".env"))
    bad = [_line_of(each.original) for each in parse_stream(io.StringIO(text)) if each.error]
    if bad:
        lines = ", ".join(map(str, bad[:20]))
        raise _invalid(f".env line {lines} cannot be read. Write NAME=value there, or # before it")
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)  # a secret may contain ${
    return {name: value for name, value in values.items() if value is not None}


def _line_of(statement: Original) -> int:
    """The line on which it begins: the parser counts the empty lines before it to the statement."""
    written = statement.string.lstrip()
    return statement.line + statement.string.removesuffix(written).count("\n")


def _env_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_ENV_FILE + 1)
    except FileNotFoundError:
        return ""
    except IsADirectoryError:
        raise _invalid(
            ".env is a directory. Put the settings into a file of that name, or into the environment"
        ) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise _invalid(f".env cannot be read ({why}). Let the user who runs callbot read it and its folder") from None
    if len(raw) > LARGEST_ENV_FILE:
        raise _invalid(".env is larger than 1 MiB. Put nothing there but settings")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _invalid(f".env line {line} is not UTF-8. Save the file as UTF-8") from None


def _invalid(text: str) -> ConfigErrors:
    return ConfigErrors("Settings", [f"{text}."])
