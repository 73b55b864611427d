"""The schema of callbot.toml: the tables with their keys and values, and the messages for invalid ones. Pure."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bot.domain.actions import ActionName
from bot.domain.calls import EXTENSION
from bot.domain.directory import MOST_EXTENSIONS, SLACK_USER, is_name, is_user, user_meant
from bot.domain.foreign_text import visible_line
from bot.domain.permissions import CallerPattern, ExtensionPattern
from bot.domain.phone_numbers import is_country_code


def _extension_pattern(text: str) -> str:
    return ExtensionPattern(text).text


def _caller_pattern(text: str) -> str:
    return CallerPattern(text).text


def _country(text: str) -> str:
    if not is_country_code(text):
        raise ValueError(f"“{text[:40]}” is no country code; write it like +1 or +40")
    return text


def _user(text: str) -> str:
    if not is_user(text):
        raise ValueError(f"“{text[:40]}” is no user of UnifiedAPI; write @me or its id")
    return user_meant(text)


def _like(form: str, what: str) -> AfterValidator:
    def check(text: str) -> str:
        if re.fullmatch(form, text) is None:
            raise ValueError(f"“{text[:40]}” is no {what}")
        return text

    return AfterValidator(check)


def _one_line(text: str) -> str:
    if not is_name(text):
        raise ValueError("is one line of 1 to 80 characters")
    return text.strip()


def _name(text: str) -> str:
    return visible_line(_one_line(text))


def listed(value: object) -> object:
    """A list, also if the value is one text."""
    return [value] if isinstance(value, str) else value


ExtensionNumber = Annotated[str, _like(EXTENSION.pattern, "extension; write it like 0003*210")]
UapiUser = Annotated[str, AfterValidator(_user)]
SlackUser = Annotated[str, _like(SLACK_USER.pattern, "Slack user id; write it like U012AB3CD")]
Channel = Annotated[str, _like(r"[CGD][A-Z0-9]{2,20}", "channel id; write it like C012AB3CD")]
ExtensionPatternText = Annotated[str, AfterValidator(_extension_pattern)]
CallerPatternText = Annotated[str, AfterValidator(_caller_pattern)]
Name = Annotated[str, AfterValidator(_one_line)]
"""A name that is compared with others, so it stays as it is written."""
ShownName = Annotated[str, AfterValidator(_name)]
"""A name that is shown, without invisible characters."""


class Table(BaseModel):
    """A table. Unknown keys and values of another type are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class UserTable(Table):
    """`[users.U0ANA]`."""

    name: ShownName
    extension: Annotated[
        list[ExtensionNumber], BeforeValidator(listed), Field(min_length=1, max_length=MOST_EXTENSIONS)
    ]
    """One extension or a list of them. The first one rings for an intervention."""
    uapi_user: UapiUser | None = None
    roles: list[str] = []


class RoleTable(Table):
    """`[roles.supervisor]`."""

    actions: list[Annotated[ActionName, Field(strict=False)]]
    extensions: list[ExtensionPatternText] = []
    channels: list[Channel] | None = None


class ProtectedTable(Table):
    """`[protected]`."""

    extensions: list[ExtensionPatternText] = []
    callers: list[CallerPatternText] = []
    country: Annotated[str, AfterValidator(_country)] | None = None
    """The country whose national numbers are understood. None: only international numbers are."""


class DirectoryTable(Table):
    """`[directory]`. The path of the file is relative to the folder of callbot.toml."""

    file: Name


class UapiTable(Table):
    """`[uapi]`."""

    default_user: UapiUser = "@me"


class CardsTable(Table):
    """`[cards]`."""

    silent_in: list[Channel] = []


class ScopeTable(Table):
    """One of `[watch] scopes`."""

    user: UapiUser
    extension: Annotated[str, _like(rf"@self|{EXTENSION.pattern}", "extension; write 0003*210 or @self")] = "@self"


class WatchTable(Table):
    """`[watch]`. Times in seconds."""

    every: Annotated[float, Field(gt=0, le=60, strict=False)] = 1.0
    max_requests_per_second: Annotated[float, Field(gt=0, le=1000, strict=False)] = 5
    scopes: Annotated[list[ScopeTable], Field(min_length=1)] | None = None
    """None: every user that is known here. An empty list is an error: nothing could be read."""


class HelpTable(Table):
    """`[help]`."""

    channel: Channel | None = None
    contact: SlackUser | None = None


class AlertTable(Table):
    """One of `[[alerts]]`. Times in seconds."""

    name: ShownName
    when: Literal["ringing", "talking", "on_hold", "parked"]  # `When` without the help request, which has no rule
    longer_than: Annotated[float, Field(ge=0, le=86400)]
    channel: Channel
    extensions: Annotated[list[ExtensionPatternText], Field(min_length=1)] | None = None
    callers: Annotated[list[CallerPatternText], Field(min_length=1)] | None = None
    """None: all extensions, all callers. An empty list is an error: no call would match."""


class AllTables(Table):
    """The whole file."""

    users: dict[SlackUser, UserTable] = {}
    roles: dict[Name, RoleTable] = {}
    protected: ProtectedTable = ProtectedTable()
    directory: DirectoryTable | None = None
    uapi: UapiTable = UapiTable()
    cards: CardsTable = CardsTable()
    watch: WatchTable = WatchTable()
    help: HelpTable = HelpTable()
    alerts: list[AlertTable] = []
