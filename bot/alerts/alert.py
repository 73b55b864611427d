"""Alerts: the rules that raise them, and what is true of one from raised to resolved. Pure; time is an argument.

    Raised ──the condition ends──▶ Resolved ──it comes back──▶ Raised …   one card for one rule and one call
      │ ▲
      ▼ │ 10 minutes later
    Snoozed

Which rules hold is `watching`, whether an alert goes on `judging`; `lookout` raises and resolves by them, `alarms` shows them,
and `floods` says on which card. A raised hand is an alert that an agent asks for; it lasts as long as their side of the call.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from bot.domain.actions import ActionName
from bot.domain.calls import Extension, PhoneCall, PhoneCallView
from bot.domain.intervention import UNDECIDED, Intervention, State
from bot.domain.permissions import CallerPattern, ExtensionPattern

SNOOZE = timedelta(minutes=10)
STALE_AFTER = timedelta(seconds=30)
"""An alert whose call no look has told of for so long says so."""
GIVE_UP = timedelta(hours=1)
"""One whose call no look has told of for so long is over, for all that anybody can know; not while
no scope answers at all, and never a raised hand."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
HEARD_BY_ALL = frozenset({ActionName.PICK_UP, ActionName.BARGE_IN})
"""Actions whose state an alert tells: whoever is in the call hears of them anyway."""


class When(StrEnum):
    """What an alert is about; the values of `when` in callbot.toml, and a raised hand."""

    RINGING = "ringing"
    TALKING = "talking"
    ON_HOLD = "on_hold"
    PARKED = "parked"
    HELP_REQUESTED = "hand raised"


@dataclass(frozen=True)
class Rule:
    """One of `[[alerts]]`. `extensions` and `callers` None: all of them."""

    name: str
    when: When
    longer_than: timedelta
    channel: str
    extensions: tuple[ExtensionPattern, ...] | None = None
    callers: tuple[CallerPattern, ...] | None = None

    @property
    def key(self) -> str:
        """What a rule is known by while callbot.toml changes: two of one name, condition and channel are one."""
        return f"{self.when} {self.channel} {self.name}"


HELP_REQUESTS = "hand raised"
"""The key of the rule that nobody writes down: an agent asks for help."""


class AlertState(StrEnum):
    """What the card says; the value is the word that people read."""

    RAISED = "Raised"
    SNOOZED = "Snoozed"
    RESOLVED = "Resolved"


class How(StrEnum):
    """Why an alert is resolved."""

    NONE = ""
    ANSWERED = "answered"
    PICKED_UP = "picked up"
    CONDITION_OVER = "condition over"
    CALL_OVER = "call over"
    NOT_SEEN = "not seen"
    RULE_GONE = "rule gone"
    PROTECTED = "protected"


class AlertStep(BaseModel):
    """A state that was reached, when, and who brought it about where it was a person."""

    model_config = ConfigDict(frozen=True)

    state: AlertState
    at: datetime
    who: str = ""


class Helper(BaseModel):
    """Somebody who is on it, or was: they took it, or intervened from its card."""

    model_config = ConfigDict(frozen=True)

    slack_user: str
    name: str
    since: datetime
    taken: bool = False
    """They pressed *I'm on it*."""
    coming: bool = False
    """Something that they asked for from the card was under way. Whether their phone is answered is not known by that."""
    intervening: bool = False
    """They are in the call by it, or record it: that is proven."""
    came: bool = False
    """That was so once."""
    doing: str = ""
    """How that goes: of Pick up and Barge in alone, never of what is silent."""

    @property
    def on_it(self) -> bool:
        """Whether they still are."""
        return self.taken or self.intervening

    @property
    def was_on_it(self) -> bool:
        """Whether they are or were."""
        return self.taken or self.came


class Alert(BaseModel):
    """One rule and one call, from the moment it is raised. Kept whole in the ledger."""

    model_config = ConfigDict(frozen=True)

    id: str
    rule: str
    """The key of its rule."""
    name: str
    when: When
    longer_than: timedelta = timedelta()
    channel: str
    call: PhoneCall
    """The call as it was last seen."""
    extension: Extension
    view_id: str
    """Whose side of the call it is about: the agent's extension, and its view."""
    since: datetime
    """When what it is about began, in the time of the PBX; all other instants of it are in callbot's."""
    raised_at: datetime
    """When it was raised last, but for the end of a snooze."""
    seen_at: datetime
    """When a look told of its call last."""
    state: AlertState = AlertState.RAISED
    steps: tuple[AlertStep, ...] = ()
    helpers: tuple[Helper, ...] = ()
    snoozed_until: datetime | None = None
    how: How = How.NONE
    by: str = ""
    """The extension that answered the call or picked it up, where that resolved it."""
    stale: bool = False
    """No look has told of its call for a while, so what is shown may be out of date."""
    digest: str = ""
    """The digest that shows it; empty where it has a card of its own."""
    known_as: str = ""
    """The `key` that it was first written down under, where its call has told only later when it entered."""
    asked_by: str = ""
    """The Slack user who raised their hand."""
    about: str = ""
    """What they ask for help with."""

    @property
    def key(self) -> str:
        """What there is one alert of: its rule, and its call with the instant that tells a reused id apart. It never changes."""
        return self.known_as or key_of(self.rule, self.call, self.asked_by)

    @property
    def card(self) -> str:
        """The card that shows it: its own, or the digest's."""
        return self.digest or self.id

    @property
    def open(self) -> bool:
        """Whether somebody is still needed, for all we know."""
        return self.state is not AlertState.RESOLVED

    @property
    def on_it(self) -> tuple[Helper, ...]:
        """Who is on it now."""
        return tuple(one for one in self.helpers if one.on_it)

    def helper(self, slack_user: str) -> Helper | None:
        """That person, if they are or were on it."""
        return next((one for one in self.helpers if one.slack_user == slack_user), None)


def key_of(rule: str, call: PhoneCall, asked_by: str = "") -> str:
    """What there is one alert of."""
    published = "" if call.published is None else f"{call.published.timestamp():.3f}"
    return f"{rule}\n{call.id}\n{published}\n{asked_by}"


# ── what happens to it ──


def raised(alert: Alert, now: datetime) -> Alert:
    """It is raised, for the first time or again: then nobody is on it who does not come anew."""
    changes: dict[str, object] = {"raised_at": now, "how": How.NONE, "by": "", "snoozed_until": None, "helpers": ()}
    return _reach(alert.model_copy(update=changes), AlertState.RAISED, now)


def seen(alert: Alert, call: PhoneCall, view: PhoneCallView, since: datetime, now: datetime) -> Alert:
    """A look shows that what it is about goes on, perhaps elsewhere: a call may ring at one agent after the other."""
    if call.published is None:
        call = call.model_copy(update={"published": alert.call.published})
    side = {"extension": view.extension, "view_id": view.id, "since": since, "known_as": alert.known_as}
    if call.published != alert.call.published:
        side["known_as"] = alert.key
    return alert.model_copy(update={"call": call, **side, "seen_at": now, "stale": False})


def awake(alert: Alert, now: datetime) -> Alert:
    """Raised once more, if it was snoozed and that is over."""
    if alert.snoozed_until is not None and alert.state is AlertState.SNOOZED and now >= alert.snoozed_until:
        return _reach(alert.model_copy(update={"snoozed_until": None}), AlertState.RAISED, now)
    return alert


def grown_old(alert: Alert, now: datetime, looking_since: datetime = LONG_AGO) -> Alert:
    """Out of date, if no look has told of it for a while: counted from `looking_since` at the earliest, the start of callbot."""
    old = alert.open and now - max(alert.seen_at, looking_since) >= STALE_AFTER
    return alert.model_copy(update={"stale": True}) if old and not alert.stale else alert


def taken(alert: Alert, slack_user: str, name: str, now: datetime) -> Alert:
    """Somebody says that they are on it."""
    known = alert.helper(slack_user) or Helper(slack_user=slack_user, name=name, since=now)
    return _helped(alert, known.model_copy(update={"taken": True, "since": known.since if known.on_it else now}))


def snoozed(alert: Alert, name: str, now: datetime) -> Alert:
    """Nobody needs to be told of it for a while."""
    return _reach(alert.model_copy(update={"snoozed_until": now + SNOOZE}), AlertState.SNOOZED, now, name)


def intervened(alert: Alert, interventions: Iterable[Intervention]) -> Alert:
    """What one person asked for from the card of this alert, as it is now. What is resolved stays as it was then."""
    theirs = [one for one in interventions if one.alert == alert.id]
    if not theirs or not alert.open:
        return alert
    newest = theirs[-1]
    coming = any(one.following and one.state in {*UNDECIDED, *_PROVEN} for one in theirs)
    proven = [one for one in theirs if one.following and one.state in _PROVEN]
    known = alert.helper(newest.slack_user)
    if known is None and not coming:
        return alert  # nothing came of it
    if known is None:
        known = Helper(slack_user=newest.slack_user, name=newest.supervisor, since=theirs[0].asked_at)
    spoken = [one for one in proven if one.name in HEARD_BY_ALL]
    # When a silent leg ends is nobody's business: who was on it by one stays so until the alert is resolved.
    stays = known.intervening and any(one.name not in HEARD_BY_ALL for one in theirs)
    changes = {
        "coming": known.coming or coming,
        "intervening": bool(proven) or stays,
        "came": known.came or bool(proven),
        "doing": f"{spoken[-1].name} {spoken[-1].state}" if spoken else "",
        "since": newest.asked_at if proven and not known.on_it else known.since,
    }
    return _helped(alert, known.model_copy(update=changes))


def resolved(alert: Alert, how: How, now: datetime, by: str = "") -> Alert:
    """What it is about has ended."""
    if not alert.open:
        return alert
    changes = {"how": how, "by": by, "stale": False, "snoozed_until": None}
    return _reach(alert.model_copy(update=changes), AlertState.RESOLVED, now)


_PROVEN = frozenset({State.CONNECTED, State.RECORDING})
"""States that the call has shown. Until then nobody is on it: a phone that rings may never be answered."""


def _helped(alert: Alert, helper: Helper) -> Alert:
    known = alert.helper(helper.slack_user)
    if known is None:
        return alert.model_copy(update={"helpers": (*alert.helpers, helper)})
    return alert.model_copy(update={"helpers": tuple(helper if one is known else one for one in alert.helpers)})


def _reach(alert: Alert, state: AlertState, now: datetime, who: str = "") -> Alert:
    return alert.model_copy(update={"state": state, "steps": (*alert.steps, AlertStep(state=state, at=now, who=who))})
