"""Values of settings: what surrounds them is taken off, and values that belong to another setting are recognised. Pure."""

import re
import unicodedata

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
_SLACK = frozenset({"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"})
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
    here = f". {name} is found under {_BELONG[name]}" if name in _SLACK else ""
    return f"this is {what}, which callbot does not use{here}"
