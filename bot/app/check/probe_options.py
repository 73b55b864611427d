"""Who listens in a trial, and to what: the words of `callbot check --try`, and what the map makes of them. No I/O here."""

from dataclasses import dataclass, replace

from bot.app.findings import some
from bot.domain.actions import ActionName
from bot.domain.calls import EXTENSION, OBJECT_ID
from bot.domain.commands import Intervene, Target
from bot.domain.errors import NotAuthorized, WrongUsage
from bot.domain.permissions import Permissions, Person
from bot.interventions.planner import permits_for

TERMINAL = "terminal"
"""Where the request came from, in the audit; and whose it is, where nobody may make it."""
WAIT = 20
"""Seconds that the phone rings."""


@dataclass(frozen=True)
class ProbeOptions:
    """What stands on the command line: the extension that is on a test call, who listens, and to which call."""

    extension: str
    whose: str | None = None
    call: str | None = None

    def intervene(self) -> Intervene:
        """The same as a command. Raises WrongUsage."""
        if EXTENSION.fullmatch(self.extension) is None:
            raise WrongUsage("--try takes an extension with its organisation, for example --try 0003*210.")
        if self.call is not None and OBJECT_ID.fullmatch(self.call) is None:
            raise WrongUsage("--call takes the id of a call: letters, digits, and . _ -")
        target = Target(kind="extension", text=self.extension)
        return Intervene(action=ActionName.MONITOR, target=target, call=self.call, wait=WAIT)


def from_anywhere(rules: Permissions) -> Permissions:
    """The same rules for somebody at the terminal: no role is bound to a channel."""
    return replace(rules, roles={name: replace(role, channels=None) for name, role in rules.roles.items()})


def who_listens(wish: ProbeOptions, rules: Permissions) -> Person:
    """Whose phone rings. Raises WrongUsage where that must be said, NotAuthorized where a rule is in the way."""
    intervene = wish.intervene()
    if wish.whose is not None:
        person = rules.people.get(wish.whose)
        if person is None:
            raise WrongUsage(f"--as takes a Slack user id of the map, and nobody there is {wish.whose[:40]!r}.")
        permits_for(person, intervene, TERMINAL, rules)
        return person
    may = [person for person in rules.people.values() if _may(person, intervene, rules)]
    if len(may) > 1:
        people = some(f"{person.slack_user} ({person.name})" for person in may)
        raise WrongUsage(
            f"Whose phone shall ring? These may use Monitor on {wish.extension}: {people}. Say one with --as."
        )
    if not may:
        protected = rules.protects_extension(wish.extension)
        reason = "it is protected" if protected else "no role of the map allows it to somebody of its organisation"
        raise NotAuthorized("action", f"Nobody may use Monitor on {wish.extension}: {reason}.")
    return may[0]


def _may(person: Person, intervene: Intervene, rules: Permissions) -> bool:
    try:
        permits_for(person, intervene, TERMINAL, rules)
    except NotAuthorized:
        return False
    return True
