"""Who is on the floor and who may do what, and the rules of alerts: as callbot reads them, and once more for the judge.

All names are invented, all callers have 555 numbers. The rules here share no code with the bot.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.workspace.workspace import Workspace
from tests.chaos.records import JOINING, RECORDING, CallSeen, ViewSeen

# ── alerts ──


ALERTS, HOLDS, FLOOR = "C0ALERTS", "C0HOLDS", "C0FLOOR"
"""Where many alerts come at once, where fewer do, and where some people may act from alone."""


@dataclass(frozen=True)
class AlertRule:
    """A rule. `patterns` are the extensions as callbot reads them, `extensions` the same by name; None: all of them."""

    name: str
    when: str
    longer_than: float
    channel: str
    patterns: tuple[str, ...] = ()
    extensions: frozenset[str] | None = None

    def since(self, call: CallSeen, *, of_parties: bool = False) -> float | None:
        """Since when it holds on any side of the call, or of a party's alone; None where it does not."""
        sides = [
            view
            for view in call.views
            if (self.extensions is None or view.extension in self.extensions) and not (view.leg and of_parties)
        ]
        instants = (HOLDS_SINCE[self.when](call, view) for view in sides)
        return min((instant for instant in instants if instant is not None), default=None)

    def toml(self) -> str:
        """The rule as callbot reads it."""
        lines = [f'name = "{self.name}"', f'when = "{self.when}"', f"longer_than = {self.longer_than}"]
        lines.append(f'channel = "{self.channel}"')
        if self.patterns:
            lines.append("extensions = [" + ", ".join(f'"{each}"' for each in self.patterns) + "]")
        return "\n".join(["[[alerts]]", *lines])


def _ringing(call: CallSeen, view: ViewSeen) -> float | None:
    return call.published if view.ringing else None


def _talking(call: CallSeen, view: ViewSeen) -> float | None:
    return view.answered


def _on_hold(call: CallSeen, view: ViewSeen) -> float | None:
    return view.on_hold if view.answered is not None else None


HOLDS_SINCE: Mapping[str, Callable[[CallSeen, ViewSeen], float | None]] = {
    "ringing": _ringing,
    "talking": _talking,
    "on_hold": _on_hold,
}
"""Since when each kind of condition is so of a view; None where it is not."""
LONG_TALKERS = ("0003*201", "0003*205", "0003*209")
RULES = (
    AlertRule("Rings unanswered", "ringing", 2.0, ALERTS),
    AlertRule(
        "Left on hold", "on_hold", 3.0, HOLDS, ("0003*20X",), frozenset(f"0003*{number}" for number in range(200, 210))
    ),
    AlertRule("Talks long", "talking", 10.0, FLOOR, LONG_TALKERS, frozenset(LONG_TALKERS)),
)


# ── people ──


STAFF, OPEN, OUTSIDE, OLD = "C0STAFF", "C0OPEN", "C0OUTSIDE", "C0OLD"
CHANNELS = (FLOOR, FLOOR, FLOOR, STAFF, OPEN, OUTSIDE, OLD)
"""Where people type, the usual place more often. The bot is no member of OUTSIDE, and OLD is archived."""
SILENT_IN = frozenset({STAFF})

AGENTS = tuple(f"0003*{number}" for number in range(201, 221))
PROTECTED_EXTENSION, PROTECTED_CALLER = "0003*299", "+15550199"
PROTECTED = frozenset({PROTECTED_EXTENSION, PROTECTED_CALLER})
FAR_AGENT = "0004*201"
CONTACT = "U0SUP01"
"""Whom messages name for questions."""
TARGETS = (*AGENTS, PROTECTED_EXTENSION, FAR_AGENT)
EVERYTHING = JOINING | RECORDING | {"PickUp"}


@dataclass(frozen=True)
class Role:
    """What a role allows. `channels` None: from anywhere."""

    actions: frozenset[str]
    extensions: frozenset[str] = frozenset()
    pattern: str = "0003*2XX"
    channels: frozenset[str] | None = None


ROLES = {
    "supervisor": Role(EVERYTHING, frozenset(AGENTS)),
    "listener": Role(frozenset({"Monitor"}), frozenset(AGENTS)),
    "on the floor": Role(EVERYTHING, frozenset(AGENTS), channels=frozenset({FLOOR})),
    "recorder": Role(RECORDING, frozenset(AGENTS[:9]), pattern="0003*20X"),
    "second team": Role(EVERYTHING, frozenset(AGENTS[9:19]), pattern="0003*21X"),
    "far": Role(EVERYTHING, frozenset({*AGENTS, FAR_AGENT}), pattern="XXXX*2XX"),
    "agent": Role(frozenset()),
}


@dataclass(frozen=True)
class Person:
    """Somebody of the map. `team_id`: of another workspace, so a stranger in spite of the map."""

    user: str
    name: str
    extension: str
    role: str
    team_id: str | None = None
    uapi_user: str | None = None


def _supervisors(count: int) -> tuple[Person, ...]:
    roles = ["supervisor"] * 6 + ["listener", "on the floor", "recorder", "second team", "supervisor", "supervisor"]
    return tuple(
        Person(f"U0SUP{number:02}", f"Sup{number:02} Marin", f"0003*{100 + number}", roles[number % len(roles)])
        for number in range(1, count + 1)
    )


@dataclass(frozen=True)
class Cast:
    """Everybody of one run."""

    supervisors: tuple[Person, ...]
    others: tuple[Person, ...]

    @classmethod
    def of(cls, supervisors: int) -> "Cast":
        """So many supervisors, and those who may do nothing."""
        agents = tuple(
            Person(f"U0AG{each[-3:]}", f"Ag{each[-3:]} Popa", each, "agent", uapi_user=f"a{number}")
            for number, each in enumerate(AGENTS[:6])
        )
        guests = (
            Person("U0KIM", "Kim Far", "0004*030", "far"),
            Person("U0IDLE", "Idle Nobody", "0003*190", "agent"),
            Person("U0GUEST", "Guest Elsewhere", "0003*191", "supervisor", team_id="T0OTHER"),
        )
        return cls(_supervisors(supervisors), (*agents, *guests))

    @property
    def mapped(self) -> tuple[Person, ...]:
        """Everybody whom the map knows."""
        return (*self.supervisors, *self.others)

    def without(self, user: str) -> "Cast":
        """Everybody but that person."""
        supervisors = tuple(one for one in self.supervisors if one.user != user)
        return Cast(supervisors, tuple(one for one in self.others if one.user != user))

    def person(self, user: str) -> Person | None:
        """The one with that Slack id."""
        return next((person for person in self.mapped if person.user == user), None)

    def toml(self) -> str:
        """The map as callbot reads it."""
        parts = []
        for one in self.mapped:
            parts.append(f'[users.{one.user}]\nname = "{one.name}"\nextension = "{one.extension}"')
            parts.append(f'roles = ["{one.role}"]')
            if one.uapi_user is not None:
                parts.append(f'uapi_user = "{one.uapi_user}"')
        for name, role in ROLES.items():
            actions = ", ".join(f'"{action}"' for action in sorted(role.actions))
            parts.append(f'[roles."{name}"]\nactions = [{actions}]')
            if role.actions:
                parts.append(f'extensions = ["{role.pattern}"]')
            if role.channels is not None:
                parts.append("channels = [" + ", ".join(f'"{each}"' for each in sorted(role.channels)) + "]")
        parts.append(f'[protected]\nextensions = ["{PROTECTED_EXTENSION}"]\ncallers = ["{PROTECTED_CALLER}"]')
        parts.append(f'[cards]\nsilent_in = ["{STAFF}"]\n[watch]\nevery = 0.3\nmax_requests_per_second = 20')
        parts.append(f'[help]\nchannel = "{ALERTS}"\ncontact = "{CONTACT}"')
        parts += [rule.toml() for rule in RULES]
        return "\n".join(parts) + "\n"

    def why_not(self, user: str, action: str, extension: str, channels: frozenset[str]) -> str:
        """Which rule forbids it, asked from one of these channels; empty where none does."""
        person = self.person(user)
        if person is None or person.team_id is not None:
            return "a stranger"
        role = ROLES[person.role]
        if action not in role.actions:
            return f"role {person.role} does not allow {action}"
        if extension not in role.extensions:
            return f"role {person.role} does not cover {extension}"
        if role.channels is not None and not role.channels & channels:
            return f"role {person.role} does not work in {sorted(channels)}"
        if action not in RECORDING and person.extension.partition("*")[0] != extension.partition("*")[0]:
            return "another organisation"
        return "their own phone" if person.extension == extension else ""

    def may_nothing(self, user: str, extension: str, channel: str) -> str:
        """Why somebody may do nothing at all there, asked from that channel; empty where they may do something."""
        reasons = [self.why_not(user, action, extension, frozenset({channel})) for action in sorted(EVERYTHING)]
        return reasons[0] if all(reasons) else ""

    def furnish(self, floor: Floor, chance: random.Random) -> None:
        """Put the phones on the desks: some have call waiting, some are not registered, some are never answered."""
        for number, extension in enumerate(AGENTS):
            floor.add_extension(extension, f"a{number}", f"Ag{extension[-3:]} Popa", recordable=number % 7 != 6)
        floor.add_extension(PROTECTED_EXTENSION, "pp", "Pia Protected")
        floor.add_extension(FAR_AGENT, "fa", "Far Agent", organisation="4")
        for number, one in enumerate([*self.supervisors, *(each for each in self.others if each.role != "agent")]):
            floor.add_extension(
                one.extension,
                f"s{number}",
                one.name,
                organisation=one.extension[3],
                call_waiting=number % 4 == 1,
                registered=number % 11 != 5,
                answers_after=None if number % 5 == 2 else round(chance.uniform(0.1, 1.5), 2),
            )
        floor.add_extension("0003*190", "idle", "Idle Nobody")

    def seat(self, workspace: Workspace) -> None:
        """Let the people in; U0EVE is in no map."""
        for one in self.mapped:
            workspace.add_person(one.user, one.user[2:].lower(), team_id=one.team_id)
        workspace.add_person("U0EVE", "eve")
        for channel, name in (
            (FLOOR, "floor"),
            (STAFF, "staff"),
            (OPEN, "open"),
            (ALERTS, "alerts"),
            (HOLDS, "holds"),
        ):
            workspace.add_channel(channel, name)
        workspace.add_channel(OUTSIDE, "outside", bot_is_member=False)
        workspace.add_channel(OLD, "old", archived=True)
