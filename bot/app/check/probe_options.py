"""The options of `callbot check --try`, and who listens by the permissions of callbot.toml. No I/O here."""

from dataclasses import dataclass, replace

from bot.app.output import some
from bot.domain.actions import ActionName
from bot.domain.calls import EXTENSION, OBJECT_ID
from bot.domain.commands import Intervene, Target
from bot.domain.errors import NotAuthorized, WrongUsage
from bot.domain.permissions import Permissions, Person
from bot.interventions.planner import permits_for

TERMINAL = "terminal"
"""The channel of a probe in the audit log, and its user where nobody may make it."""
WAIT = 20
"""Seconds that the phone rings."""


@dataclass(frozen=True)
class ProbeOptions:
    """The extension that is on a test call, whose phone rings (a Slack user id), and which call."""

    extension: str
    supervisor: str | None = None
    call: str | None = None

    def command(self) -> Intervene:
        """The command that these options stand for. Raises WrongUsage."""
        if EXTENSION.fullmatch(self.extension) is None:
            raise WrongUsage("--try takes an extension with its organisation, for example --try 0003*210.")
        if self.call is not None and OBJECT_ID.fullmatch(self.call) is None:
            raise WrongUsage("--call takes the id of a call: letters, digits, and . _ -")
        target = Target(kind="extension", text=self.extension)
        return Intervene(action=ActionName.MONITOR, target=target, call=self.call, wait=WAIT)


def at_the_terminal(permissions: Permissions) -> Permissions:
    """The permissions for somebody at the terminal: no role is bound to a channel, and the audit log says so."""
    roles = {
        key: replace(role, name=f"{role.name}, at the terminal", channels=None)
        for key, role in permissions.roles.items()
    }
    return replace(permissions, roles=roles)


def supervisor(options: ProbeOptions, permissions: Permissions) -> Person:
    """Whose phone rings. Raises WrongUsage where --as must say it, NotAuthorized where a permission is missing."""
    command = options.command()
    if options.supervisor is not None:
        person = permissions.people.get(options.supervisor)
        if person is None:
            raise WrongUsage(
                f"--as takes a Slack user id of callbot.toml, and nobody there is {options.supervisor[:40]!r}."
            )
        permits_for(person, command, TERMINAL, permissions)
        return person
    may = [person for person in permissions.people.values() if _may(person, command, permissions)]
    if len(may) > 1:
        people = some(f"{person.slack_user} ({person.name})" for person in may)
        raise WrongUsage(
            f"Whose phone is to ring? These may use Monitor on {options.extension}: {people}. Say one with --as."
        )
    if not may:
        protected = permissions.protects_extension(options.extension)
        reason = "it is protected" if protected else "no role allows it to anybody of its organisation"
        raise NotAuthorized("action", f"Nobody may use Monitor on {options.extension}: {reason}.")
    return may[0]


def _may(person: Person, command: Intervene, permissions: Permissions) -> bool:
    try:
        permits_for(person, command, TERMINAL, permissions)
    except NotAuthorized:
        return False
    return True
