"""callbot.toml: the authorization map, where cards go, the watch and the alert rules; every mistake is reported at once."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.authorization import AuthorizationMap, CallerPattern, ExtensionPattern, Person, Role
from bot.errors import ConfigMistakes
from bot.phonecalls import EXTENSION, USER_ID, ActionName

LARGEST = 4 * 1024 * 1024


def _extension_pattern(text: str) -> str:
    return ExtensionPattern(text).text


def _caller_pattern(text: str) -> str:
    return CallerPattern(text).text


def _like(form: str, what: str) -> AfterValidator:
    def check(text: str) -> str:
        if re.fullmatch(form, text) is None:
            raise ValueError(f"“{text[:40]}” is no {what}")
        return text

    return AfterValidator(check)


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 80:
        raise ValueError("is one line of 1 to 80 characters")
    return text.strip()


ExtensionNumber = Annotated[str, _like(EXTENSION.pattern, "extension; write it like 0003*210")]
UapiUser = Annotated[str, _like(USER_ID.pattern, "user of UnifiedAPI; write @me or its id")]
SlackUser = Annotated[str, _like(r"[UW][A-Z0-9]{2,20}", "Slack user id; write it like U012AB3CD")]
Channel = Annotated[str, _like(r"[CGD][A-Z0-9]{2,20}", "channel id; write it like C012AB3CD")]
ExtensionPatternText = Annotated[str, AfterValidator(_extension_pattern)]
CallerPatternText = Annotated[str, AfterValidator(_caller_pattern)]
Name = Annotated[str, AfterValidator(_one_line)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class UserTable(_Table):
    """`[users.U0ANA]`."""

    name: Name
    extension: ExtensionNumber | Annotated[list[ExtensionNumber], Field(min_length=1, max_length=20)]
    uapi_user: UapiUser | None = None
    roles: list[str] = []


class RoleTable(_Table):
    """`[roles.supervisor]`."""

    actions: list[Annotated[ActionName, Field(strict=False)]]
    extensions: list[ExtensionPatternText] = []
    channels: list[Channel] | None = None


class ProtectedTable(_Table):
    """`[protected]`."""

    extensions: list[ExtensionPatternText] = []
    callers: list[CallerPatternText] = []


class DirectoryTable(_Table):
    """`[directory]`."""

    file: str


class UapiTable(_Table):
    """`[uapi]`."""

    default_user: UapiUser = "@me"


class CardsTable(_Table):
    """`[cards]`."""

    silent_in: list[Channel] = []


class ScopeTable(_Table):
    """One of `[watch] scopes`."""

    user: UapiUser
    extension: Annotated[str, _like(rf"@self|{EXTENSION.pattern}", "extension; write 0003*210 or @self")] = "@self"


class WatchTable(_Table):
    """`[watch]`. Times in seconds."""

    every: Annotated[float, Field(gt=0, le=60, strict=False)] = 1.0
    max_requests_per_second: Annotated[float, Field(gt=0, le=1000, strict=False)] = 5
    scopes: list[ScopeTable] | None = None


class HelpTable(_Table):
    """`[help]`."""

    channel: Channel | None = None
    contact: SlackUser | None = None


class AlertTable(_Table):
    """One of `[[alerts]]`. Times in seconds."""

    name: Name
    when: Literal["ringing", "talking", "on_hold", "parked"]
    longer_than: Annotated[float, Field(ge=0, le=86400, strict=False)]
    channel: Channel
    extensions: list[ExtensionPatternText] | None = None
    callers: list[CallerPatternText] | None = None


class Config(_Table):
    """The whole file, checked."""

    users: dict[SlackUser, UserTable] = {}
    roles: dict[Name, RoleTable] = {}
    protected: ProtectedTable = ProtectedTable()
    directory: DirectoryTable | None = None
    uapi: UapiTable = UapiTable()
    cards: CardsTable = CardsTable()
    watch: WatchTable = WatchTable()
    help: HelpTable = HelpTable()
    alerts: list[AlertTable] = []

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        problems = [
            f"users.{user}.roles: there is no [roles.{role}]"
            for user, table in self.users.items()
            for role in table.roles
            if role not in self.roles
        ]
        owners: dict[str, str] = {}
        phones = [(user, phone) for user, table in self.users.items() for phone in _listed(table.extension)]
        problems += [
            f"users.{user}.extension: {phone} is the phone of {owners[phone]} already"
            for user, phone in phones
            if owners.setdefault(phone, user) != user
        ]
        if self.help.contact is not None and self.help.contact not in self.users:
            problems.append(f"help.contact: there is no [users.{self.help.contact}]")
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def authorization(self) -> AuthorizationMap:
        """The map that decides."""
        return AuthorizationMap(
            people={user: _person(user, table) for user, table in self.users.items()},
            roles={name: _role(name, table) for name, table in self.roles.items()},
            protected_extensions=tuple(map(ExtensionPattern, self.protected.extensions)),
            protected_callers=tuple(map(CallerPattern, self.protected.callers)),
            default_user=self.uapi.default_user,
            contact=self.help.contact,
        )


def _listed(extension: str | list[str]) -> tuple[str, ...]:
    return (extension,) if isinstance(extension, str) else tuple(extension)


def _person(slack_user: str, table: UserTable) -> Person:
    return Person(
        slack_user=slack_user,
        name=table.name,
        extensions=_listed(table.extension),
        uapi_user=table.uapi_user,
        roles=tuple(table.roles),
    )


def _role(name: str, table: RoleTable) -> Role:
    return Role(
        name=name,
        actions=frozenset(table.actions),
        extensions=tuple(map(ExtensionPattern, table.extensions)),
        channels=None if table.channels is None else frozenset(table.channels),
    )


def read_config(path: Path) -> Config:
    """Read and check callbot.toml. Raises ConfigMistakes with every mistake by its line or key."""
    try:
        raw = path.read_bytes()
        if len(raw) > LARGEST:
            raise ConfigMistakes(str(path), [f"is larger than {LARGEST} bytes"])
        return Config.model_validate(tomllib.loads(raw.decode()))
    except OSError as error:
        raise ConfigMistakes(str(path), [f"cannot be read: {error.strerror}. CALLBOT_CONFIG names the file"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigMistakes(str(path), [f"is no TOML: {error}"]) from None
    except ValidationError as error:
        mistakes = [line for problem in error.errors() for line in _mistakes(problem)]
        raise ConfigMistakes(str(path), list(dict.fromkeys(mistakes))) from None


_WORDS = {"extra_forbidden": "is not a key of callbot.toml", "missing": "is missing"}


def _mistakes(problem: Any) -> list[str]:
    """The lines for one problem that pydantic found, each beginning with the key."""
    parts = [str(part) for part in problem["loc"] if not _is_type_name(part)]
    key = ".".join(parts)
    text = _WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    return [f"{key}: {line}" if key else line for line in text.splitlines()]


def _is_type_name(part: object) -> bool:
    """Pydantic puts the alternative of a union, and `[key]`, into the path; people look for keys only."""
    return isinstance(part, str) and (part == "[key]" or "[" in part or part == "str")
