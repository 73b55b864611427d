"""The cards of alerts: of one alert, of a digest of many in one channel, and of an outage of the PBX. Pure.

The headline, and with it the text, begins with the word of the state. The blocks have Slack's dates, which show how long ago
something was; the text, which screen readers read, has times of day in UTC. All sentences are mrkdwn.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from slack_sdk.models.blocks import ActionsBlock, Block

from bot.alerts.alert import HEARD_BY_ALL, SNOOZE, Alert, AlertState, Helper, Resolution, When
from bot.alerts.card import AlertCard, BlindCard, DigestCard
from bot.domain.actions import LABEL
from bot.domain.commands import AnswerAlert, Offer
from bot.domain.intervention import State
from bot.slack.intervention_card import STATE
from bot.slack.messages import (
    MOST_CHARACTERS,
    Message,
    activity,
    as_many_as_fit,
    button_element,
    duration_text,
    escaped,
    headline,
    intervention_button,
    message,
    mrkdwn_context,
    mrkdwn_section,
    other_party,
    plain,
    plain_context,
    plain_section,
    time_and_how_long_ago,
    time_of_day,
)

MOST_TEXT = 3900
"""Characters of the text that screen readers read; Slack refuses an update of more than 4,000 ("chat.update")."""
MOST_ALERT_STEPS, MOST_LINES, MOST_RULES = 20, 8, 20
"""Steps that a card shows, and alerts and rules that a digest does."""
RULE, RULE_IN_DIGEST, PERSON, PARTY = 70, 100, 40, 120
"""Characters of the name of a rule, of a person's, and of the other party's name and numbers."""
MOST_ON_IT, MOST_NAMED = 6, 5
"""People who get a sentence each, and people named in one sentence."""
ALERT_NOW_PROTECTED = "A party of this call is protected now, so nothing more of it is shown."

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
ALERT_STATE: Mapping[AlertState, str] = {
    AlertState.RAISED: "Raised",
    AlertState.SNOOZED: "Snoozed",
    AlertState.RESOLVED: "Resolved",
}
"""The word for each state. The ledger and the logs have codes."""


class Times(NamedTuple):
    """How a time is written: `at` as a time of day, `since` also with how long ago that is."""

    at: Callable[[datetime], str]
    since: Callable[[datetime], str]


def _in_utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


IN_BLOCKS = Times(at=time_of_day, since=time_and_how_long_ago)
IN_TEXT = Times(at=_in_utc, since=_in_utc)
"""For the blocks, where Slack shows local times, and for the text, which screen readers read."""


def alert_message(card: AlertCard) -> Message:
    """The card of one alert. Its text begins with the state."""
    alert, head = card.alert, _headline_text(card)
    about = f"“{plain(alert.about, 700)}”" if alert.about and not _hidden(card) else ""
    stale_since = alert.seen_at if alert.stale and alert.open else None
    blocks: list[Block] = [headline(head)]
    if about:
        blocks.append(plain_section(about))
    blocks += [
        _sentences_section(sentences, "\n")
        for sentences in (_call_sentences(card, IN_BLOCKS), _helper_sentences(card, IN_BLOCKS))
        if sentences
    ]
    blocks += [mrkdwn_context(sentence) for sentence in _not_updated(stale_since, IN_BLOCKS)]
    blocks += [*_steps(card), *_buttons(card)]
    read = [
        f"{escaped(head, 300)}.",
        *([f"{escaped(about, 220)}."] if about else []),
        *_call_sentences(card, IN_TEXT),
        *_not_updated(stale_since, IN_TEXT),
        *_helper_sentences(card, IN_TEXT),
    ]
    return message(_text(read), blocks)


def digest_message(card: DigestCard) -> Message:
    """A digest: how many alerts are open of how many, by rule, and the longest open ones with their buttons."""
    head = _counted(card)
    rules = [f"{plain(name, RULE_IN_DIGEST)}: {_still_open(*numbers)}" for name, *numbers in card.rules]
    unnamed = len(rules) - MOST_RULES
    rules = [*rules[:MOST_RULES], *([f"And {unnamed} more rules"] if unnamed > 0 else [])]
    lines = card.lines[:MOST_LINES]
    blocks: list[Block] = [headline(head)]
    blocks += [plain_section(*part) for part in (rules[: MOST_RULES // 2], rules[MOST_RULES // 2 :]) if part]
    blocks += [mrkdwn_context(sentence) for sentence in _not_updated(card.not_updated_since, IN_BLOCKS)]
    for line in lines:
        sentences = (
            f"{escaped(_subject(line), 300)}.",
            *_call_sentences(line, IN_BLOCKS),
            *_helper_sentences(line, IN_BLOCKS),
        )
        blocks += [_sentences_section(sentences, " "), *_buttons(line)]
    more = [f"And {card.open - len(lines)} more: /calls shows every call."] if card.open > len(lines) else []
    blocks += [plain_context(sentence) for sentence in more]
    blocks.append(
        mrkdwn_context(f"Many alerts came at once, from {time_of_day(card.begun_at)} on; they share this card.")
    )
    read = [
        *(f"{escaped(sentence, 300)}." for sentence in (head, *rules)),
        *_not_updated(card.not_updated_since, IN_TEXT),
        *(f"{escaped(_subject(line), 300)}." for line in lines),
        *more,
    ]
    return message(_text(read), blocks)


def blind_message(card: BlindCard) -> Message:
    """That no alerts come, or not all, and what to do; afterwards, from when to when that was so."""
    head, sign = _blind_headline(card), "⚠️" if card.ended is None else "✅"
    blocks = [headline(f"{sign} {head}"), _sentences_section(_blind_sentences(card, IN_BLOCKS), "\n")]
    return message(_text([f"{head}.", *_blind_sentences(card, IN_TEXT)]), blocks)


def _counted(card: DigestCard) -> str:
    alerts = "1 alert" if card.total == 1 else f"{card.total} alerts"
    if card.open:
        return f"{ALERT_STATE[AlertState.RAISED]}: {alerts} in this channel, {card.open} open"
    return f"{ALERT_STATE[AlertState.RESOLVED]}: {'the only alert' if card.total == 1 else f'all {alerts}'}"


def _still_open(still: int, number: int) -> str:
    return f"{still} of {number} open" if still else f"all {number} resolved" if number > 1 else "resolved"


def _sentences_section(sentences: Sequence[str], between: str) -> Block:
    """As many whole sentences as fit into one section: half a sentence could mean something else."""
    return mrkdwn_section(between.join(as_many_as_fit(sentences, MOST_CHARACTERS, between)))


def _text(sentences: Sequence[str]) -> str:
    return " ".join(as_many_as_fit(sentences, MOST_TEXT, " "))


def _steps(card: AlertCard) -> list[Block]:
    """A line for each state, the newest last: as many of the newest as fit."""
    if _hidden(card):
        return []
    newest = reversed(card.alert.steps[-MOST_ALERT_STEPS:])
    lines = [f"{time_of_day(step.at)} {ALERT_STATE[step.state]}{_by(step.who)}" for step in newest]
    shown = as_many_as_fit(lines, MOST_CHARACTERS, "\n")
    return [mrkdwn_context("\n".join(reversed(shown)))] if shown else []


def _buttons(card: AlertCard) -> list[Block]:
    """The buttons for the call and the alert; none once the alert is resolved or its call is protected."""
    alert = card.alert
    if not alert.open or _hidden(card):
        return []
    elements = [intervention_button(one, number) for number, one in enumerate(card.buttons)]
    # "take" stands for "I'm on it" in the buttons of messages that are in Slack, so it stays.
    acknowledge = Offer(AnswerAlert(alert=alert.id, answer="take"), alert.channel)
    elements.append(button_element("I'm on it", "alert:take", acknowledge, style="primary"))
    if alert.state is AlertState.RAISED:
        snooze = Offer(AnswerAlert(alert=alert.id, answer="snooze"), alert.channel)
        elements.append(button_element(f"Snooze {duration_text(SNOOZE)}", "alert:snooze", snooze))
    return [ActionsBlock(block_id=f"alert-{alert.id}-{alert.state}-{len(alert.steps)}", elements=elements)]


# ── the sentences ──


def _hidden(card: AlertCard) -> bool:
    """Whether a party is protected, so that the card shows nothing of the call: no name, number or time."""
    return card.alert.how is Resolution.PROTECTED or not card.agent


def _headline_text(card: AlertCard) -> str:
    """The headline. Foreign text in it is not escaped."""
    alert = card.alert
    state = ALERT_STATE[alert.state]
    if not alert.open and not _hidden(card):
        seconds = int((_last_step(alert) - alert.since).total_seconds())
        state = f"{state} after {duration_text(timedelta(seconds=seconds))}"
    return f"{state}: {_subject(card)}"


def _subject(card: AlertCard) -> str:
    """What the alert is about: the rule, and whose call."""
    alert = card.alert
    if alert.when is When.HELP_REQUESTED:
        asks = "asks for help" if alert.open else "asked for help"
        return f"An agent {asks}" if _hidden(card) else f"{plain(card.agent, PERSON)} {asks}"
    return (
        plain(alert.name, RULE)
        if _hidden(card)
        else f"{plain(alert.name, RULE)}: {_person(card.agent, card.alert.extension)}"
    )


def _call_sentences(card: AlertCard, times: Times) -> list[str]:
    """The call, how the alert ended, and until when it is snoozed."""
    alert = card.alert
    if _hidden(card):
        return [ALERT_NOW_PROTECTED]
    sentences = [_ending(card)]
    sentences += _help_request(card, times) if alert.when is When.HELP_REQUESTED else [_what_lasts(card, times)]
    if alert.snoozed_until is not None:
        who = next((step.who for step in reversed(alert.steps) if step.state is AlertState.SNOOZED), "")
        sentences.append(f"Snoozed until {times.at(alert.snoozed_until)}{_by(who)}.")
    return [sentence for sentence in sentences if sentence]


def _helper_sentences(card: AlertCard, times: Times) -> list[str]:
    """Who is and was on it. What they do in the call is named only where everyone in the call can hear it."""
    alert = card.alert
    if _hidden(card):
        return []
    present = alert.on_it if alert.open else ()
    sentences = [
        f"{escaped(one.name, PERSON)} is on it{_heard_action(one) or f', since {times.at(one.since)}'}."
        for one in present
    ]
    if len(present) > MOST_ON_IT:
        sentences = [*sentences[:MOST_ON_IT], f"And {len(present) - MOST_ON_IT} more are on it."]
    former = [one.name for one in alert.helpers if one not in present and one.was_on_it]
    if former:
        sentences.append(f"{_together(former)} {'was' if len(former) == 1 else 'were'} on it.")
    return sentences


def _not_updated(since: datetime | None, times: Times) -> list[str]:
    """That the card may be out of date; nothing where it is not."""
    return [] if since is None else [f"Not updated since {times.at(since)}: the PBX does not answer."]


def _blind_headline(card: BlindCard) -> str:
    """The headline, with its time in UTC: Slack shows no local times in headlines."""
    since = f"{card.since.astimezone(UTC):%H:%M} UTC"
    if card.ended is not None:
        return f"{ALERT_STATE[AlertState.RESOLVED]}: callbot sees {'the calls' if card.whole else 'all calls'} again"
    return (
        f"Blind since {since}: no alert will come"
        if card.whole
        else f"Partly blind since {since}: some alerts will not come"
    )


def _blind_sentences(card: BlindCard, times: Times) -> list[str]:
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


# ── the call ──


def _what_lasts(card: AlertCard, times: Times) -> str:
    """What goes on, with whom, and for how long."""
    alert = card.alert
    goes_on, was = LASTS[alert.when]
    whom = _whom(card)
    party = (whom or "A call") if alert.when is When.RINGING else f" with {whom}" if whom else ""
    if alert.open:
        limit = f" for longer than {duration_text(alert.longer_than)}," if alert.longer_than else ""
        return f"{goes_on.format(party)}{limit} since {times.since(alert.since)}."
    if alert.how is Resolution.RULE_GONE:
        return f"{goes_on.format(party)} since {times.at(alert.since)}."
    return f"{was.format(party)} from {times.at(alert.since)} to {times.at(_last_step(alert))}."


def _help_request(card: AlertCard, times: Times) -> list[str]:
    """The call that an agent asks for help with."""
    alert, view = card.alert, card.view
    agent = escaped(_person(card.agent, card.alert.extension), PERSON + PARTY)
    whom = _whom(card) or "somebody"
    asked = f"Asked for help at {(times.since if alert.open else times.at)(alert.since)}."
    if view is None:
        return [f"{agent}.", asked]
    is_or_was = "is" if alert.open else "was"
    return [f"{agent} {is_or_was} {activity(view)} {whom}.", asked]


def _whom(card: AlertCard) -> str:
    return "" if card.view is None or not (party := other_party(card.view, card.names)) else escaped(party, PARTY)


ENDINGS = {
    Resolution.CALL_OVER: "The call is over.",
    Resolution.NOT_SEEN: "The PBX has not shown this call for an hour.",
    Resolution.RULE_GONE: "Its rule was changed or taken out.",
}
"""Why an alert is resolved, where the sentence needs neither a person nor the rule's condition."""


def _ending(card: AlertCard) -> str:
    alert = card.alert
    by = f" by {escaped(_person(card.by, alert.by), PERSON + PARTY)}" if alert.by else ""
    match alert.how:
        case Resolution.ANSWERED:
            return f"Answered{by}."
        case Resolution.PICKED_UP:
            return f"Picked up{by}."
        case Resolution.CONDITION_OVER:
            return OVER[alert.when]
    return ENDINGS.get(alert.how, "")


# ── people ──


def _person(name: str, number: str) -> str:
    return f"{plain(name, PERSON)} {number}" if name and name != number else number


def _by(who: str) -> str:
    return f" by {escaped(who, PERSON)}" if who else ""


def _heard_action(one: Helper) -> str:
    """The state of their Pick up or Barge in; empty for actions that the call does not hear."""
    action, _, state = one.doing.partition(" ")
    spoken = next((name for name in HEARD_BY_ALL if name == action), None)
    return "" if spoken is None else f": {LABEL[spoken]}, {STATE[State(state)]}"


def _together(names: Sequence[str]) -> str:
    shown = [escaped(name, PERSON) for name in names[:MOST_NAMED]]
    more = len(names) - len(shown)
    *others, last = [*shown, *([f"{more} more"] if more else [])]
    return f"{', '.join(others)} and {last}" if others else last


def _last_step(alert: Alert) -> datetime:
    return alert.steps[-1].at if alert.steps else alert.raised_at
