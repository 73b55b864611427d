"""What callbot.toml says: the authorization map, where cards go, the watch and the alert rules; every mistake at once. Pure."""

import re
import tomllib
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.actions import ActionName
from bot.authorization import AuthorizationMap, CallerPattern, ExtensionPattern, Person, Role, Scope
from bot.directory import MOST_EXTENSIONS, SLACK_USER, Directory, is_name
from bot.errors import ConfigMistakes
from bot.phonecalls import EXTENSION, USER_ID


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
    if not is_name(text):
        raise ValueError("is one line of 1 to 80 characters")
    return text.strip()


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


ExtensionNumber = Annotated[str, _like(EXTENSION.pattern, "extension; write it like 0003*210")]
UapiUser = Annotated[str, _like(USER_ID.pattern, "user of UnifiedAPI; write @me or its id")]
SlackUser = Annotated[str, _like(SLACK_USER.pattern, "Slack user id; write it like U012AB3CD")]
Channel = Annotated[str, _like(r"[CGD][A-Z0-9]{2,20}", "channel id; write it like C012AB3CD")]
ExtensionPatternText = Annotated[str, AfterValidator(_extension_pattern)]
CallerPatternText = Annotated[str, AfterValidator(_caller_pattern)]
Name = Annotated[str, AfterValidator(_one_line)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class UserTable(_Table):
    """`[users.U0ANA]`."""

    name: Name
    extension: Annotated[
        list[ExtensionNumber], BeforeValidator(_listed), Field(min_length=1, max_length=MOST_EXTENSIONS)
    ]
    """One extension or a list of them; the first rings."""
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
    """`[directory]`. The file is found from the folder of callbot.toml."""

    file: Name


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
    scopes: Annotated[list[ScopeTable], Field(min_length=1)] | None = None
    """None: every user known here. None at all would be blind."""


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

    def authorization(self, directory: Directory | None = None) -> AuthorizationMap:
        """The map that decides, with what the directory knows."""
        scopes = self.watch.scopes
        return AuthorizationMap(
            people={user: _person(user, table) for user, table in self.users.items()},
            roles={name: _role(name, table) for name, table in self.roles.items()},
            protected_extensions=tuple(map(ExtensionPattern, self.protected.extensions)),
            protected_callers=tuple(map(CallerPattern, self.protected.callers)),
            default_user=self.uapi.default_user,
            contact=self.help.contact,
            directory=directory or Directory(),
            watched=None if scopes is None else tuple(Scope(scope.user, scope.extension) for scope in scopes),
        )

    def unknown_teams(self, directory: Directory) -> tuple[str, ...]:
        """Patterns that cover nobody, since the directory has no such team: no mistake, and worth a word."""
        places = {f"roles.{name}.extensions": role.extensions for name, role in self.roles.items()}
        places |= {f"alerts.{number}.extensions": alert.extensions or [] for number, alert in enumerate(self.alerts)}
        return tuple(
            f"{place}: {text} names no team of the directory"
            for place, patterns in places.items()
            for text in dict.fromkeys(patterns)
            if _team(text) not in {None, *directory.teams}
        )


def _team(text: str) -> str | None:
    return text.removeprefix("team:") if text.startswith("team:") else None


def _person(slack_user: str, table: UserTable) -> Person:
    return Person(
        slack_user=slack_user,
        name=table.name,
        extensions=tuple(table.extension),
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


def read_config(raw: bytes, file: str, directory: Directory | None = None) -> Config:
    """Check the whole of callbot.toml. Raises ConfigMistakes with every mistake by its line or key.

    `file` is its name, for the mistakes; `directory` None: not to be read, so nothing is said of its teams.
    """
    try:
        document = _document(raw)
    except ValueError as error:
        raise ConfigMistakes(file, [f"is no TOML: {error}"]) from None
    mistakes = _disagreements(document)
    if directory is not None:
        mistakes += _unprotected(document, directory)
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        mistakes = [line for problem in error.errors() for line in _mistakes(problem)] + mistakes
    if mistakes:
        raise ConfigMistakes(file, list(dict.fromkeys(mistakes)))
    return config


def directory_file(raw: bytes) -> str | None:
    """The file that `[directory]` names, None where it names none, or none that can be."""
    try:
        file = _table(_document(raw).get("directory")).get("file")
    except ValueError:
        return None
    return file.strip() if isinstance(file, str) and is_name(file) else None


def _document(raw: bytes) -> dict[str, Any]:
    """The tables as they stand. Raises ValueError for what is no TOML."""
    try:
        return tomllib.loads(raw.decode())
    except RecursionError:
        raise ValueError("tables are nested too deep") from None


def _disagreements(document: dict[str, Any]) -> list[str]:
    """Where the tables contradict each other; what is of the wrong type is reported elsewhere."""
    users, roles = _table(document.get("users")), _table(document.get("roles"))
    mistakes: list[str] = []
    owners: dict[str, str] = {}
    for user, table in ((user, _table(table)) for user, table in users.items()):
        mistakes += [
            f"users.{user}.roles: there is no [roles.{role}]"
            for role in _texts(table.get("roles"))
            if role not in roles
        ]
        mistakes += [
            f"users.{user}.extension: {phone} is the phone of {owners[phone]} already"
            for phone in _texts(_listed(table.get("extension")))
            if owners.setdefault(phone, user) != user
        ]
    contact = _table(document.get("help")).get("contact")
    if isinstance(contact, str) and contact not in users:
        mistakes.append(f"help.contact: there is no [users.{contact}]")
    return mistakes


def _unprotected(document: dict[str, Any], directory: Directory) -> list[str]:
    """Teams that `[protected]` names in vain."""
    there = "the directory has no such team" if document.get("directory") else "there is no [directory]"
    return [
        f"protected.extensions: {pattern} would protect nobody, since {there}"
        for pattern in _texts(_table(document.get("protected")).get("extensions"))
        if _team(pattern) not in {None, *directory.teams}
    ]


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


KEYS = frozenset(key for table in _Table.__subclasses__() for key in table.model_fields)
"""Every key that callbot.toml knows."""
_WORDS = {"extra_forbidden": "is not a key of callbot.toml", "missing": "is missing"}


def _mistakes(problem: Any) -> list[str]:
    """The lines for one problem that pydantic found, each beginning with the key."""
    key = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    text = _WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    return [f"{key}: {line}" if key else line for line in text.splitlines()]
