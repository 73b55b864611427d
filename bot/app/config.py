"""Reads callbot.toml: permissions, channels of cards, scopes, alert rules. Every error is reported at once. Pure."""

import tomllib
import unicodedata
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from bot.alerts.alert import AlertRule, When
from bot.app.config_schema import AlertTable, AllTables, RoleTable, Table, UserTable, listed
from bot.domain.directory import Directory, is_name
from bot.domain.errors import ConfigErrors
from bot.domain.permissions import CallerPattern, ExtensionPattern, Permissions, Person, Role, Scope


class Config(AllTables):
    """The whole file, validated."""

    def permissions(self, directory: Directory | None = None) -> Permissions:
        """The permissions, with the people and teams of the directory."""
        scopes = self.watch.scopes
        return Permissions(
            people={user: _person(user, table) for user, table in self.users.items()},
            roles={name: _role(name, table) for name, table in self.roles.items()},
            protected_extensions=tuple(map(ExtensionPattern, self.protected.extensions)),
            protected_callers=tuple(CallerPattern(text, self.protected.country) for text in self.protected.callers),
            default_user=self.uapi.default_user,
            contact=self.help.contact,
            directory=directory or Directory(),
            watched=None if scopes is None else tuple(Scope(scope.user, scope.extension) for scope in scopes),
        )

    def alert_rules(self) -> tuple[AlertRule, ...]:
        """The rules of `[[alerts]]`, in their order."""
        return tuple(_rule(alert, self.protected.country) for alert in self.alerts)

    def unknown_teams(self, directory: Directory) -> tuple[str, ...]:
        """Patterns that cover nobody, since the directory has no such team. That is no error, and `callbot check` says it."""
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


def _rule(table: AlertTable, country: str | None) -> AlertRule:
    return AlertRule(
        name=table.name,
        when=When(table.when),
        longer_than=timedelta(seconds=table.longer_than),
        channel=table.channel,
        extensions=None if table.extensions is None else tuple(map(ExtensionPattern, table.extensions)),
        callers=None if table.callers is None else tuple(CallerPattern(text, country) for text in table.callers),
    )


def read_config(raw: bytes, file: str, directory: Directory | None = None) -> Config:
    """Validate the whole of callbot.toml. Raises ConfigErrors with every error, by its line or key.

    `file` is its name in the errors. `directory` None: it cannot be read, so its teams are not checked.
    """
    try:
        document = _document(raw)
    except ValueError as error:
        raise ConfigErrors(file, [f"is not valid TOML: {error}"]) from None
    errors = _disagreements(document)
    if directory is not None:
        errors += _unprotected(document, directory) + _of_two(document, directory)
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        errors = [line for problem in error.errors() for line in _lines(problem)] + errors
    if errors:
        raise ConfigErrors(file, list(dict.fromkeys(errors)))
    return config


def directory_file(raw: bytes) -> str | None:
    """The file that `[directory]` names; None if it names none, or if that cannot be the name of a file."""
    try:
        file = _table(_document(raw).get("directory")).get("file")
    except ValueError:
        return None
    return file.strip() if isinstance(file, str) and is_name(file) else None


def _document(raw: bytes) -> dict[str, Any]:
    """The tables of the file. Raises ValueError if it is not TOML."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = raw.count(b"\n", 0, error.start) + 1, error.start - raw.rfind(b"\n", 0, error.start)
        raise ValueError(f"it is not UTF-8; save it as UTF-8 (at line {line}, column {column})") from None
    try:
        return tomllib.loads(unicodedata.normalize("NFC", text))
    except RecursionError:
        raise ValueError("tables are nested too deep") from None


def _disagreements(document: dict[str, Any]) -> list[str]:
    """Where the tables contradict each other; values of a wrong type are reported by the schema."""
    users, roles = _table(document.get("users")), _table(document.get("roles"))
    errors: list[str] = []
    owners: dict[str, str] = {}
    for user, table in ((user, _table(table)) for user, table in users.items()):
        errors += [
            f"users.{user}.roles: there is no [roles.{role}]"
            for role in _texts(table.get("roles"))
            if role not in roles
        ]
        errors += [
            f"users.{user}.extension: {phone} is the phone of {owners[phone]} already"
            for phone in _texts(listed(table.get("extension")))
            if owners.setdefault(phone, user) != user
        ]
    contact = _table(document.get("help")).get("contact")
    if isinstance(contact, str) and contact not in users:
        errors.append(f"help.contact: there is no [users.{contact}]")
    return errors


def _unprotected(document: dict[str, Any], directory: Directory) -> list[str]:
    """Teams in `[protected]` that the directory does not have."""
    there = "the directory has no such team" if document.get("directory") else "there is no [directory]"
    return [
        f"protected.extensions: {pattern} would protect nobody, since {there}"
        for pattern in _texts(_table(document.get("protected")).get("extensions"))
        if _team(pattern) not in {None, *directory.teams}
    ]


def _of_two(document: dict[str, Any], directory: Directory) -> list[str]:
    """Extensions that callbot.toml and the directory give to different people."""
    file = _table(document.get("directory")).get("file")
    users = {
        user: _texts(listed(_table(table).get("extension"))) for user, table in _table(document.get("users")).items()
    }
    owners = {extension: user for user, extensions in reversed(users.items()) for extension in extensions}
    return [
        f"{file} line {agent.line}: extension “{agent.extension}” is {agent.slack_user}'s here, "
        f"and {owners[agent.extension]}'s in callbot.toml"
        for agent in directory.agents
        if agent.slack_user is not None and owners.get(agent.extension, agent.slack_user) != agent.slack_user
    ]


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


KEYS = frozenset(key for table in Table.__subclasses__() for key in table.model_fields)
"""Every key that callbot.toml may have."""
_WORDS = {
    "extra_forbidden": "is not a key of callbot.toml",
    "missing": "is missing",
    "too_short": "is empty",
    "string_type": "is no text; put quotation marks around it",
}


def _lines(problem: Any) -> list[str]:
    """The lines for one problem that pydantic found, each beginning with the key."""
    key = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    text = _WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    return [f"{key}: {line}" if key else line for line in text.splitlines()]
