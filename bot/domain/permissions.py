"""Who may do what to whom. Deny by default; pure.

A Slack user is a Person with a phone and roles; a role allows actions on extensions, from channels; roles add up.
`[protected]` beats every role. Each refusal carries the rule that said no, for the person and for the ledger.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from bot.domain.actions import LABEL, ActionName
from bot.domain.calls import PhoneCall, PhoneCallView, caller_numbers, organisation
from bot.domain.commands import Target
from bot.domain.directory import TEAM, Agent, Directory
from bot.domain.errors import NotAuthorized, NotSuitable
from bot.domain.phone_numbers import forms, in_ascii, spellings

MOST_KNOWN = 2**14
"""Parties of which it is remembered whether they are protected: a floor of 10,000 calls has hardly more."""


@dataclass(frozen=True)
class ExtensionPattern:
    """`0003*2XX` (X = any digit) or `team:sales` (a team of the directory). Raises ValueError for anything else."""

    text: str
    team: str | None = field(init=False)
    _form: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the text once."""
        team = re.fullmatch(rf"team:({TEAM.pattern})", self.text)
        if team is None and re.fullmatch(r"[0-9X]{1,16}\*[0-9X]{1,16}", self.text) is None:
            raise ValueError(
                f"“{self.text}” is no pattern of extensions; write 0003*210, 0003*2XX (X = any digit) or team:sales"
            )
        object.__setattr__(self, "team", team[1] if team else None)
        object.__setattr__(self, "_form", None if team else re.compile(digits_of(self.text)))

    def covers(self, extension: str, teams: Mapping[str, frozenset[str]]) -> bool:
        """Whether the pattern means this extension."""
        if self._form is None:
            return extension in teams.get(self.team or "", frozenset())
        return self._form.fullmatch(extension) is not None


@dataclass(frozen=True)
class CallerPattern:
    """`+407220001XX` (X = any digit): these numbers, however they are spelled. `country`: whose national numbers are meant."""

    text: str
    country: str | None = None
    forms: frozenset[str] = field(init=False, repr=False, compare=False)
    """The digits that a number may have to be meant, X for any."""
    _form: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the text once. Raises ValueError."""
        digits = re.sub(r"[ \u00a0().\-/]", "", in_ascii(self.text))
        if re.fullmatch(r"\+?[0-9X]{1,32}", digits) is None:
            raise ValueError(f"“{self.text}” is no pattern of numbers; write +40722000111 or +407220001XX")
        object.__setattr__(self, "forms", forms(digits, self.country))
        object.__setattr__(self, "_form", re.compile("|".join(map(digits_of, sorted(self.forms)))))

    def covers(self, number: str) -> bool:
        """Whether the pattern means this number."""
        return any(self._form.fullmatch(digits) for digits in spellings(number, self.country))


def digits_of(pattern: str) -> str:
    """The regular expression for digits of which X is any."""
    return re.escape(pattern).replace("X", "[0-9]")


@dataclass(frozen=True)
class Person:
    """Somebody whom callbot.toml names. The first extension is the phone that rings."""

    slack_user: str
    name: str
    extensions: tuple[str, ...]
    uapi_user: str | None = None
    roles: tuple[str, ...] = ()

    @property
    def phone(self) -> str:
        """The extension that rings when this person intervenes."""
        return self.extensions[0]


@dataclass(frozen=True)
class Role:
    """What those who have it may do. `channels` None: from anywhere."""

    name: str
    actions: frozenset[ActionName] = frozenset()
    extensions: tuple[ExtensionPattern, ...] = ()
    channels: frozenset[str] | None = None


@dataclass(frozen=True)
class Permit:
    """A yes: who may do which action on which extension, from where, and the rule that says so."""

    person: Person
    action: ActionName
    extension: str
    channel: str
    rule: str


class Scope(NamedTuple):
    """One list of live calls that the PBX is asked for: `extension` of `user`, or all of theirs (`@self`)."""

    user: str
    extension: str = "@self"


@dataclass(frozen=True)
class Permissions:
    """callbot.toml and its directory as permissions. Where both know an extension, callbot.toml counts.

    `contact` is the person to ask, a Slack user id; `watched` is `[watch] scopes`, None where it is left out.
    """

    people: Mapping[str, Person] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    protected_extensions: tuple[ExtensionPattern, ...] = ()
    protected_callers: tuple[CallerPattern, ...] = ()
    default_user: str = "@me"
    contact: str | None = None
    directory: Directory = field(default_factory=Directory)
    watched: tuple[Scope, ...] | None = None

    def person(self, slack_user: str, *, external: bool = False) -> Person:
        """Who this is. Raises NotAuthorized for people whom callbot.toml does not name, and for other workspaces' people."""
        contact = self.people.get(self.contact or "")
        if external:
            ask = contact.name if contact else "a supervisor there"
            raise NotAuthorized(
                "external user",
                "You are of another Slack workspace than callbot, which takes requests from people of its own alone. "
                f"Nothing was sent. Ask {ask} to do it for you.",
            )
        person = self.people.get(slack_user)
        if person is None:
            ask = contact.name if contact else "the person who looks after callbot.toml"
            raise NotAuthorized(
                "unknown person",
                f"I don't know you yet. Ask {ask} to add [users.{slack_user}] with your extension and role. Nothing was sent.",
            )
        return person

    def knows_person(self, slack_user: str) -> bool:
        """Whether callbot.toml or its directory names this person."""
        return slack_user in self.people or slack_user in self.directory.by_slack_user

    def extensions_meant(self, target: Target, asker: Person) -> tuple[str, ...]:
        """The extensions that a target stands for. Raises NotSuitable for a person whose extension is not known."""
        if target.kind == "short":
            return (f"{organisation(asker.phone)}*{target.text}",)
        if target.kind == "extension":
            return (target.text,)
        meant = self.extensions_of(target.text)
        if not meant:
            raise NotSuitable(
                "I don't know the extension of the person you mention. Name the extension itself, for example 0003*210."
            )
        return meant

    def extensions_of(self, slack_user: str) -> tuple[str, ...]:
        """All phones of somebody: those of callbot.toml, then those of the directory that it does not give to another."""
        person = self.people.get(slack_user)
        theirs = () if person is None else person.extensions
        listed = self.directory.by_slack_user.get(slack_user, ())
        free = (extension for extension in listed if self._holders.get(extension, person) is person)
        return tuple(dict.fromkeys((*theirs, *free)))

    def permit(self, person: Person, action: ActionName, extension: str, channel: str) -> Permit:
        """A Permit, or NotAuthorized that says which rule is in the way."""
        if self.protects_extension(extension):
            raise NotAuthorized("protected extension", f"{extension} is protected: nobody may act on its calls.")
        roles = [self.roles[name] for name in person.roles if name in self.roles]
        acting = [role for role in roles if action in role.actions]
        if not acting:
            raise NotAuthorized("action", f"None of your roles allows {LABEL[action]}.{self._what_now(person)}")
        covering = [role for role in acting if self._covers(role.extensions, extension)]
        if not covering:
            covered = ", ".join(pattern.text for role in acting for pattern in role.extensions) or "no extension"
            raise NotAuthorized(
                "extension",
                f"You may use {LABEL[action]} on {covered}, but not on {extension}.{self._what_now(person)}",
            )
        for role in covering:
            if role.channels is None or channel in role.channels:
                return Permit(person, action, extension, channel, rule=f"role {role.name}")
        raise NotAuthorized(
            "channel",
            f"You may use {LABEL[action]} on {extension}, but not from this conversation: "
            f"your role names the channels it works in.{self._what_now(person)}",
        )

    def allows(self, person: Person, action: ActionName, extension: str, channel: str) -> bool:
        """Whether `permit` would say yes."""
        try:
            self.permit(person, action, extension, channel)
        except NotAuthorized:
            return False
        return True

    def permit_any(self, person: Person, extension: str, channel: str) -> str:
        """The rule by which this person may do at least one thing there, or NotAuthorized."""
        for action in ActionName:
            if self.allows(person, action, extension, channel):
                return self.permit(person, action, extension, channel).rule
        raise NotAuthorized(
            "no action there",
            f"None of your roles allows anything on {extension} from this channel.{self._what_now(person)}",
        )

    def protects(self, call: PhoneCall) -> bool:
        """Whether `[protected]` names any party of the call."""
        return any(map(self._protects_party, call.parties))

    def protects_extension(self, extension: str) -> bool:
        """Whether `[protected]` names this extension."""
        return self._covers(self.protected_extensions, extension)

    @cached_property
    def _protects_party(self) -> Callable[[str], bool]:
        """Whether `[protected]` names a party. Every poll shows the same parties, so each answer is kept."""
        callers = {
            country: re.compile(
                "|".join(
                    digits_of(form) for one in self.protected_callers if one.country == country for form in one.forms
                )
            )
            for country in {one.country for one in self.protected_callers}
        }

        @lru_cache(MOST_KNOWN)
        def protects(party: str) -> bool:
            return self.protects_extension(party) or any(
                form.fullmatch(digits) is not None
                for country, form in callers.items()
                for digits in spellings(party, country)
            )

        return protects

    def protected_elsewhere(self, user: str) -> tuple[Scope, ...]:
        """The lists of those protected extensions that are known here and are not this UnifiedAPI user's."""
        return tuple(scope for scope in self._protected if scope.user != user)

    def supervisors_of(self, extension: str) -> frozenset[str]:
        """The extensions of everyone who may do at least one thing on this extension, wherever they ask."""
        covering = (
            name for name, role in self.roles.items() if role.actions and self._covers(role.extensions, extension)
        )
        return frozenset[str]().union(*(self._phones.get(name, ()) for name in covering))

    def owner(self, extension: str) -> str:
        """The UnifiedAPI user in whose name the extension's calls are asked for."""
        users = (known.uapi_user for known in self._known(extension))
        return next((user for user in users if user is not None), self.default_user)

    def knows(self, extension: str) -> bool:
        """Whether it is somebody's here."""
        return extension in self._holders or extension in self.directory.by_extension

    def name_of(self, extension: str) -> str:
        """Whose extension this is, as people say it: the name, else the number itself."""
        names = (known.name for known in self._known(extension))
        return next((name for name in names if name is not None), extension)

    def names_of(self, numbers: Iterable[str]) -> dict[str, str]:
        """The names of those extensions that are somebody's."""
        return {number: name for number in numbers if (name := self.name_of(number)) != number}

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """What to ask the PBX for to see every live call, each once: `[watch] scopes`, else every user known here."""
        if self.watched is not None:
            return tuple(dict.fromkeys(self.watched))
        known: tuple[Person | Agent, ...] = (*self.people.values(), *self.directory.agents)
        users = {one.uapi_user for one in known if one.uapi_user is not None} - {self.default_user}
        return (Scope(self.default_user), *map(Scope, sorted(users)))

    @cached_property
    def _protected(self) -> tuple[Scope, ...]:
        known = sorted({*self._holders, *self.directory.by_extension})
        return tuple(Scope(self.owner(each), each) for each in known if self.protects_extension(each))

    @cached_property
    def _holders(self) -> Mapping[str, Person]:
        """Whose each extension is, of the people of callbot.toml."""
        return {
            extension: person for person in reversed(tuple(self.people.values())) for extension in person.extensions
        }

    @cached_property
    def _phones(self) -> Mapping[str, frozenset[str]]:
        """All extensions of those who have a role, by its name."""
        return {
            name: frozenset(
                number for person in self.people.values() if name in person.roles for number in person.extensions
            )
            for name in self.roles
        }

    def _known(self, extension: str) -> tuple[Person | Agent, ...]:
        """What is known of an extension, the best source first."""
        both = (self._holders.get(extension), self.directory.by_extension.get(extension))
        return tuple(known for known in both if known is not None)

    def _covers(self, patterns: tuple[ExtensionPattern, ...], extension: str) -> bool:
        return any(pattern.covers(extension, self.directory.teams) for pattern in patterns)

    def _what_now(self, person: Person) -> str:
        contact = self.people.get(self.contact or "")
        ask = f" Ask {contact.name} if you need it." if contact and contact != person else ""
        return f" Nothing was sent.{ask}"


def names_on(view: PhoneCallView, permissions: Permissions) -> dict[str, str]:
    """The names of this side's parties, by the numbers that the view calls them; `211` is one of its organisation."""
    own = organisation(view.extension)
    numbers = {*view.source, *view.destination, *caller_numbers(view.caller_id)} - {view.extension}
    extended = {number: number if "*" in number else f"{own}*{number}" for number in numbers}
    return {number: name for number, full in extended.items() if (name := permissions.name_of(full)) != full}
