"""Alert rules, and one alert from raised to resolved. Pure: time is an argument.

    Raised ──the condition ends──▶ Resolved ──it comes back──▶ Raised …   one card for one rule and one call
      │ ▲
      ▼ │ 10 minutes later
    Snoozed

`evaluator` says which rules fire and whether an alert goes on, `monitor` raises and resolves by it, and `manager` keeps the
open alerts and shows them. A help request is an alert that an agent asks for; it lasts as long as the agent is in the call.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from bot.domain.actions import ActionName
from bot.domain.calls import Extension, PhoneCall, PhoneCallView
from bot.domain.clock import shift_call, shift_times
from bot.domain.intervention import UNDECIDED, Intervention, State
from bot.domain.permissions import CallerPattern, ExtensionPattern

SNOOZE = timedelta(minutes=10)
STALE_AFTER = timedelta(seconds=30)
"""An alert whose call no scan has shown for this long is stale, and its card says so."""
ALERT_GIVEN_UP_AFTER = timedelta(hours=1)
"""An alert whose call no scan has shown for this long is resolved as NOT_SEEN. Not while no scope answers at all, and
never a help request: the call of one is read by itself."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
HEARD_BY_ALL = frozenset({ActionName.PICK_UP, ActionName.BARGE_IN})
"""Actions whose state the card of an alert shows: everybody in the call hears them anyway."""


class When(StrEnum):
    """The condition of a rule: the values of `when` in callbot.toml, and the help request, which has no rule there."""

    RINGING = "ringing"
    TALKING = "talking"
    ON_HOLD = "on_hold"
    PARKED = "parked"
    HELP_REQUESTED = "help_request"


@dataclass(frozen=True)
class AlertRule:
    """One of `[[alerts]]` in callbot.toml. `extensions` and `callers` None: all of them."""

    name: str
    when: When
    longer_than: timedelta
    channel: str
    extensions: tuple[ExtensionPattern, ...] | None = None
    callers: tuple[CallerPattern, ...] | None = None

    @property
    def key(self) -> str:
        """Identifies a rule while callbot.toml changes: two rules of one name, condition and channel are one."""
        return f"{self.when} {self.channel} {self.name}"


HELP_REQUEST_KEY = "help_request"
"""What stands for the key of a rule in a help request."""


class AlertState(StrEnum):
    """The state of an alert; the value is the code in the ledger and the logs. `bot.slack.alert_card` has the words."""

    RAISED = "raised"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """Why an alert is resolved; the value is the code in the ledger and the logs."""

    NONE = ""
    ANSWERED = "answered"
    PICKED_UP = "picked_up"
    CONDITION_OVER = "condition_over"
    CALL_OVER = "call_over"
    NOT_SEEN = "not_seen"
    RULE_GONE = "rule_gone"
    PROTECTED = "protected"


class AlertStep(BaseModel):
    """A state that was reached, when, and the name of the person who caused it, if it was a person."""

    model_config = ConfigDict(frozen=True)

    state: AlertState
    at: datetime
    who: str = ""


class Helper(BaseModel):
    """A person who responds to an alert or did so: they acknowledged it, or intervened from its card."""

    model_config = ConfigDict(frozen=True)

    slack_user: str
    name: str
    since: datetime
    taken: bool = False
    """They acknowledged it with *I'm on it*. The field has the name that it has in existing ledgers."""
    coming: bool = False
    """An intervention that they asked for from the card got under way since the alert was raised. It stays true while the
    alert is open, whatever becomes of the intervention, so it does not say that their phone was answered."""
    intervening: bool = False
    """The call shows that they are connected by that intervention, or that they record."""
    came: bool = False
    """They were `intervening` at some time since the alert was raised. It stays true while the alert is open."""
    doing: str = ""
    """Action and state of their Pick up or Barge in, as codes; empty for a silent action."""

    @property
    def on_it(self) -> bool:
        """Whether they respond now."""
        return self.taken or self.intervening

    @property
    def was_on_it(self) -> bool:
        """Whether they respond now or did so before."""
        return self.taken or self.came


class Alert(BaseModel):
    """One alert: one rule and one call. The ledger keeps it as one JSON document, so field names are part of the schema."""

    model_config = ConfigDict(frozen=True)

    id: str
    rule: str
    """The `key` of its rule."""
    name: str
    when: When
    longer_than: timedelta = timedelta()
    channel: str
    call: PhoneCall
    """The call as the PBX showed it last."""
    extension: Extension
    view_id: str
    """The agent's extension, and the view of the call that the alert is about."""
    since: datetime
    """When the condition began, by the clock of the PBX; all other instants here are by callbot's clock."""
    raised_at: datetime
    """When it was raised last; the end of a snooze does not count."""
    seen_at: datetime
    """When a scan showed its call last."""
    state: AlertState = AlertState.RAISED
    steps: tuple[AlertStep, ...] = ()
    helpers: tuple[Helper, ...] = ()
    snoozed_until: datetime | None = None
    how: Resolution = Resolution.NONE
    by: str = ""
    """The extension that answered or picked up the call, if that resolved the alert."""
    stale: bool = False
    """No scan has shown its call for STALE_AFTER, so the card may be out of date."""
    digest: str = ""
    """The id of the digest that shows it; empty if it has a card of its own."""
    known_as: str = ""
    """The `key` that it was first saved with, if its call had no `published` then and has one now."""
    asked_by: str = ""
    """The Slack user who asked for help."""
    about: str = ""
    """What they need help with."""

    @property
    def key(self) -> str:
        """Identifies the alert in the ledger: rule, call and `published`, which tells a reused call id apart. It never changes."""
        return self.known_as or key_of(self.rule, self.call, self.asked_by)

    @property
    def card(self) -> str:
        """The id of the card that shows it: its own, or the digest's."""
        return self.digest or self.id

    @property
    def open(self) -> bool:
        """Whether it is not resolved."""
        return self.state is not AlertState.RESOLVED

    @property
    def on_it(self) -> tuple[Helper, ...]:
        """The people who respond now."""
        return tuple(one for one in self.helpers if one.on_it)

    def helper(self, slack_user: str) -> Helper | None:
        """The entry of that person, None if they never responded."""
        return next((one for one in self.helpers if one.slack_user == slack_user), None)


def key_of(rule: str, call: PhoneCall, asked_by: str = "") -> str:
    """The `key` of an alert of that rule and call."""
    published = "" if call.published is None else f"{call.published.timestamp():.3f}"
    return f"{rule}\n{call.id}\n{published}\n{asked_by}"


# ── transitions: each returns the alert as it is afterwards ──


def raised(alert: Alert, now: datetime) -> Alert:
    """Raised, for the first time or again. Raised again, it has no helpers: they have to respond anew."""
    changes: dict[str, object] = {
        "raised_at": now,
        "how": Resolution.NONE,
        "by": "",
        "snoozed_until": None,
        "helpers": (),
    }
    return _reach(alert.model_copy(update=changes), AlertState.RAISED, now)


def still_firing(alert: Alert, call: PhoneCall, view: PhoneCallView, since: datetime, now: datetime) -> Alert:
    """The condition goes on, perhaps on another view: a call may ring at one agent after the other."""
    if call.published is None:
        call = call.model_copy(update={"published": alert.call.published})
    side = {"extension": view.extension, "view_id": view.id, "since": since, "known_as": alert.known_as}
    if call.published != alert.call.published:
        side["known_as"] = alert.key
    return alert.model_copy(update={"call": call, **side, "seen_at": now, "stale": False})


def snooze_over(alert: Alert, now: datetime) -> Alert:
    """Raised once more, if its snooze is over; else unchanged."""
    if alert.snoozed_until is not None and alert.state is AlertState.SNOOZED and now >= alert.snoozed_until:
        return _reach(alert.model_copy(update={"snoozed_until": None}), AlertState.RAISED, now)
    return alert


def marked_stale(alert: Alert, now: datetime, scanning_since: datetime = LONG_AGO) -> Alert:
    """Stale, if no scan has shown its call for STALE_AFTER, counted from `scanning_since` (the start of callbot) at the earliest."""
    old = alert.open and now - max(alert.seen_at, scanning_since) >= STALE_AFTER
    return alert.model_copy(update={"stale": True}) if old and not alert.stale else alert


def acknowledged(alert: Alert, slack_user: str, name: str, now: datetime) -> Alert:
    """Somebody clicked *I'm on it*."""
    known = alert.helper(slack_user) or Helper(slack_user=slack_user, name=name, since=now)
    return _helped(alert, known.model_copy(update={"taken": True, "since": known.since if known.on_it else now}))


def snoozed(alert: Alert, name: str, now: datetime) -> Alert:
    """Snoozed for SNOOZE by the person of that name."""
    return _reach(alert.model_copy(update={"snoozed_until": now + SNOOZE}), AlertState.SNOOZED, now, name)


def with_interventions(alert: Alert, interventions: Iterable[Intervention]) -> Alert:
    """With the interventions that one person asked for from its card, as they are now. A resolved alert stays as it is."""
    theirs = [one for one in interventions if one.alert == alert.id]
    if not theirs or not alert.open:
        return alert
    newest = theirs[-1]
    under_way = any(one.following and one.state in {*UNDECIDED, *_PROVEN} for one in theirs)
    proven = [one for one in theirs if one.following and one.state in _PROVEN]
    known = alert.helper(newest.slack_user)
    if known is None and not under_way:
        return alert  # none of them got under way
    if known is None:
        known = Helper(slack_user=newest.slack_user, name=newest.supervisor, since=theirs[0].asked_at)
    spoken = [one for one in proven if one.name in HEARD_BY_ALL]
    # Nobody may see when a silent leg ends, so a helper with one stays on it until the alert is resolved.
    stays = known.intervening and any(one.name not in HEARD_BY_ALL for one in theirs)
    changes = {
        "coming": known.coming or under_way,
        "intervening": bool(proven) or stays,
        "came": known.came or bool(proven),
        "doing": f"{spoken[-1].name} {spoken[-1].state}" if spoken else "",
        "since": newest.asked_at if proven and not known.on_it else known.since,
    }
    return _helped(alert, known.model_copy(update=changes))


def resolved(alert: Alert, how: Resolution, now: datetime, by: str = "") -> Alert:
    """Resolved, for that reason; `by` is the extension that answered or picked up. A resolved alert stays as it is."""
    if not alert.open:
        return alert
    changes = {"how": how, "by": by, "stale": False, "snoozed_until": None}
    return _reach(alert.model_copy(update=changes), AlertState.RESOLVED, now)


def shift_alert(alert: Alert, own: timedelta, pbx: timedelta = timedelta()) -> Alert:
    """The alert with its times by callbot's clock shifted by `own`, by the clock of the PBX by `pbx` (see `bot.domain.clock`)."""
    if not (own or pbx):
        return alert
    changed = shift_times(shift_times(alert, ("raised_at", "seen_at", "snoozed_until"), own), ("since",), pbx)
    steps = tuple(shift_times(step, ("at",), own) for step in alert.steps)
    helpers = tuple(shift_times(one, ("since",), own) for one in alert.helpers)
    return changed.model_copy(update={"steps": steps, "helpers": helpers, "call": shift_call(alert.call, pbx)})


def alert_taken_up(alert: Alert, now: datetime) -> Alert:
    """An alert from the ledger. If its newest time is after `now`, all are moved back by the difference."""
    ahead = max(alert.raised_at, alert.seen_at, *(step.at for step in alert.steps), now) - now
    return shift_alert(alert, -ahead) if ahead else alert


_PROVEN = frozenset({State.CONNECTED, State.RECORDING})
"""States that the call itself shows. Before them nobody is on it: a ringing phone may never be answered."""


def _helped(alert: Alert, helper: Helper) -> Alert:
    known = alert.helper(helper.slack_user)
    if known is None:
        return alert.model_copy(update={"helpers": (*alert.helpers, helper)})
    return alert.model_copy(update={"helpers": tuple(helper if one is known else one for one in alert.helpers)})


def _reach(alert: Alert, state: AlertState, now: datetime, who: str = "") -> Alert:
    return alert.model_copy(update={"state": state, "steps": (*alert.steps, AlertStep(state=state, at=now, who=who))})
