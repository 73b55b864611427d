"""The headline and the sentences of an alert's card. The headline begins with the state. Pure.

The sentences are mrkdwn, with foreign text escaped by `foreign`. The blocks have Slack's dates, which show how long ago
something was; the text, which screen readers read, has times of day in UTC.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.alerts.alert import HEARD_BY_ALL, Alert, AlertState, Helper, Resolution, When
from bot.alerts.blindness import BlindCard
from bot.alerts.card import AlertCard
from bot.domain.actions import LABEL
from bot.domain.intervention import State
from bot.slack.foreign import foreign, plain
from bot.slack.lists import doing, other_party
from bot.slack.messages import lasting, when, when_and_how_long_ago
from bot.slack.state_words import ALERT_STATE, STATE

RULE, PERSON, PARTY = 70, 40, 120
"""Characters of the name of a rule, of a person's, and of the other party's name and numbers."""
MOST_ON_IT, MOST_NAMED = 6, 5
"""People who get a sentence each, and people named in one sentence."""
PROTECTED = "A party of this call is protected now, so nothing more of it is shown."

LASTS = {
    When.RINGING: ("{} has been ringing", "{} rang"),
    When.TALKING: ("The call{} has lasted", "The call{} lasted"),
    When.ON_HOLD: ("The call{} has been on hold", "The call{} was on hold"),
    When.PARKED: ("The call{} has been parked", "The call{} was parked"),
}
"""What an open alert says, and a resolved one; {} is the other party."""
OVER = {
    When.RINGING: "The ringing is over.",
    When.TALKING: "The conversation is over.",
    When.ON_HOLD: "The hold is over.",
    When.PARKED: "The parking is over.",
    When.HELP_REQUESTED: "Their part of the call is over.",
}


@dataclass(frozen=True)
class Times:
    """How a time is written: `at` as a time of day, `since` also with how long ago that is."""

    at: Callable[[datetime], str]
    since: Callable[[datetime], str]


def _in_utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


SHOWN = Times(at=when, since=when_and_how_long_ago)
READ = Times(at=_in_utc, since=_in_utc)
"""For the blocks, and for the text that screen readers read."""


def hidden(card: AlertCard) -> bool:
    """Whether a party is protected, so that the card shows nothing of the call: no name, number or time."""
    return card.alert.how is Resolution.PROTECTED or not card.agent


def headline_of(card: AlertCard) -> str:
    """The headline. Foreign text in it is not escaped."""
    alert = card.alert
    state = ALERT_STATE[alert.state]
    if not alert.open and not hidden(card):
        state = f"{state} after {lasting(_whole_seconds(_last_step(alert) - alert.since))}"
    return f"{state}: {subject(card)}"


def subject(card: AlertCard) -> str:
    """What the alert is about: the rule, and whose call."""
    alert = card.alert
    if alert.when is When.HELP_REQUESTED:
        asks = "asks for help" if alert.open else "asked for help"
        return f"An agent {asks}" if hidden(card) else f"{plain(card.agent, PERSON)} {asks}"
    return plain(alert.name, RULE) if hidden(card) else f"{plain(alert.name, RULE)}: {_agent(card)}"


def call_sentences(card: AlertCard, times: Times) -> list[str]:
    """The call, how the alert ended, and until when it is snoozed."""
    alert = card.alert
    if hidden(card):
        return [PROTECTED]
    sentences = [_ending(card)]
    sentences += _help_request(card, times) if alert.when is When.HELP_REQUESTED else [_lasting(card, times)]
    if alert.snoozed_until is not None:
        who = next((step.who for step in reversed(alert.steps) if step.state is AlertState.SNOOZED), "")
        sentences.append(f"Snoozed until {times.at(alert.snoozed_until)}{_by(who)}.")
    return [sentence for sentence in sentences if sentence]


def helper_sentences(card: AlertCard, times: Times) -> list[str]:
    """Who is and was on it. What they do in the call is named only where everyone in the call can hear it."""
    alert = card.alert
    if hidden(card):
        return []
    present = alert.on_it if alert.open else ()
    sentences = [f"{_name(one.name)} is on it{_doing(one) or f', since {times.at(one.since)}'}." for one in present]
    if len(present) > MOST_ON_IT:
        sentences = [*sentences[:MOST_ON_IT], f"And {len(present) - MOST_ON_IT} more are on it."]
    former = [one.name for one in alert.helpers if one not in present and one.was_on_it]
    if former:
        sentences.append(f"{_together(former)} {'was' if len(former) == 1 else 'were'} on it.")
    return sentences


def not_updated(since: datetime | None, times: Times) -> list[str]:
    """That the card may be out of date; nothing where it is not."""
    return [] if since is None else [f"Not updated since {times.at(since)}: the PBX does not answer."]


def blind_headline(card: BlindCard) -> str:
    """The headline, with its time in UTC: Slack shows no local times in headlines."""
    since = f"{card.since.astimezone(UTC):%H:%M} UTC"
    if card.ended is not None:
        return f"{ALERT_STATE[AlertState.RESOLVED]}: callbot sees {'the calls' if card.whole else 'all calls'} again"
    return (
        f"Blind since {since}: no alert will come"
        if card.whole
        else f"Partly blind since {since}: some alerts will not come"
    )


def blind_words(card: BlindCard, times: Times) -> list[str]:
    """What cannot be read, and what to do; afterwards, from when to when that was so."""
    calls = "the live calls" if card.whole else "the live calls of some scopes"
    if card.ended is not None:
        return [
            f"From {times.at(card.since)} to {times.at(card.ended)} callbot could not read {calls}.",
            "Alerts come again; nothing is known of calls that began and ended in between.",
        ]
    return [
        f"callbot could read {calls} last at {times.since(card.since)}.",
        "It tries again all the time, and says here when it can.",
        "Until then, watch the calls on the phones.",
        "For the people who run callbot: check that the PBX is up and can be reached; `callbot check` shows what is wrong.",
    ]


def stale_since(alert: Alert) -> datetime | None:
    """When the PBX showed the call last, if that is too long ago; else None."""
    return alert.seen_at if alert.stale and alert.open else None


def step_lines(card: AlertCard) -> list[str]:
    """A line for each state, the newest last."""
    return (
        []
        if hidden(card)
        else [f"{when(step.at)} {ALERT_STATE[step.state]}{_by(step.who)}" for step in card.alert.steps]
    )


# ── the call ──


def _lasting(card: AlertCard, times: Times) -> str:
    """What goes on, with whom, and for how long."""
    alert = card.alert
    goes_on, was = LASTS[alert.when]
    whom = _whom(card)
    party = (whom or "A call") if alert.when is When.RINGING else f" with {whom}" if whom else ""
    if alert.open:
        limit = f" for longer than {lasting(alert.longer_than)}," if alert.longer_than else ""
        return f"{goes_on.format(party)}{limit} since {times.since(alert.since)}."
    if alert.how is Resolution.RULE_GONE:
        return f"{goes_on.format(party)} since {times.at(alert.since)}."
    return f"{was.format(party)} from {times.at(alert.since)} to {times.at(_last_step(alert))}."


def _help_request(card: AlertCard, times: Times) -> list[str]:
    """The call that an agent asks for help with."""
    alert, view = card.alert, card.view
    agent = foreign(_agent(card), PERSON + PARTY)
    whom = _whom(card) or "somebody"
    asked = f"Asked for help at {(times.since if alert.open else times.at)(alert.since)}."
    if view is None:
        return [f"{agent}.", asked]
    is_or_was = "is" if alert.open else "was"
    return [f"{agent} {is_or_was} {doing(view)} {whom}.", asked]


def _whom(card: AlertCard) -> str:
    return "" if card.view is None or not (party := other_party(card.view, card.names)) else foreign(party, PARTY)


ENDINGS = {
    Resolution.CALL_OVER: "The call is over.",
    Resolution.NOT_SEEN: "The PBX has not shown this call for an hour.",
    Resolution.RULE_GONE: "Its rule was changed or taken out.",
}
"""Why an alert is resolved, where the sentence needs neither a person nor the rule's condition."""


def _ending(card: AlertCard) -> str:
    alert = card.alert
    by = f" by {foreign(_person(card.by, alert.by), PERSON + PARTY)}" if alert.by else ""
    match alert.how:
        case Resolution.ANSWERED:
            return f"Answered{by}."
        case Resolution.PICKED_UP:
            return f"Picked up{by}."
        case Resolution.CONDITION_OVER:
            return OVER[alert.when]
    return ENDINGS.get(alert.how, "")


# ── people ──


def _agent(card: AlertCard) -> str:
    return _person(card.agent, card.alert.extension)


def _person(name: str, number: str) -> str:
    return f"{plain(name, PERSON)} {number}" if name and name != number else number


def _name(name: str) -> str:
    return foreign(name, PERSON)


def _by(who: str) -> str:
    return f" by {_name(who)}" if who else ""


def _doing(one: Helper) -> str:
    """The state of their Pick up or Barge in; empty for actions that the call does not hear."""
    action, _, state = one.doing.partition(" ")
    spoken = next((name for name in HEARD_BY_ALL if name == action), None)
    return "" if spoken is None else f": {LABEL[spoken]}, {STATE[State(state)]}"


def _together(names: Sequence[str]) -> str:
    shown = [_name(name) for name in names[:MOST_NAMED]]
    more = len(names) - len(shown)
    *others, last = [*shown, *([f"{more} more"] if more else [])]
    return f"{', '.join(others)} and {last}" if others else last


# ── time ──


def _last_step(alert: Alert) -> datetime:
    return alert.steps[-1].at if alert.steps else alert.raised_at


def _whole_seconds(duration: timedelta) -> timedelta:
    return timedelta(seconds=int(duration.total_seconds()))
