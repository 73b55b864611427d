"""The messages of alerts: of one alert, of a digest of many in one channel, and of an outage of the PBX. Pure.

`alert_words` has their sentences. The text, for notifications and screen readers, says the same as the blocks.
"""

from collections.abc import Sequence

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, PlainTextObject

from bot.alerts.alert import SNOOZE, AlertState
from bot.alerts.blindness import BlindCard
from bot.alerts.card import AlertCard, DigestCard
from bot.domain.actions import LABEL
from bot.domain.buttons import AlertButton
from bot.domain.commands import AnswerAlert
from bot.slack.alert_words import (
    READ,
    SHOWN,
    blind_headline,
    blind_words,
    call_sentences,
    headline_of,
    helper_sentences,
    hidden,
    not_updated,
    stale_since,
    step_lines,
    subject,
)
from bot.slack.button_codec import pack
from bot.slack.foreign import foreign, plain
from bot.slack.messages import (
    ALERT,
    MOST_CHARACTERS,
    Message,
    act,
    as_many_as_fit,
    headline,
    lasting,
    message,
    our_words,
    said,
    small,
    small_words,
    when,
)
from bot.slack.state_words import ALERT_STATE

MOST_READ = 3900
"""Characters of the text; Slack refuses an update of more than 4,000 ("chat.update")."""
MOST_STEPS, MOST_LINES, MOST_RULES = 20, 8, 20
"""Steps that a card shows, and alerts and rules that a digest does."""
LONGEST_RULE = 100


def alert_message(card: AlertCard) -> Message:
    """The card of one alert. Its text begins with the state."""
    alert, head = card.alert, headline_of(card)
    about = f"“{plain(alert.about, 700)}”" if alert.about and not hidden(card) else ""
    blocks: list[Block] = [headline(head)]
    if about:
        blocks.append(said(about))
    blocks.append(_sentences(call_sentences(card, SHOWN), "\n"))
    people = helper_sentences(card, SHOWN)
    if people:
        blocks.append(_sentences(people, "\n"))
    blocks += [small_words(sentence) for sentence in not_updated(stale_since(alert), SHOWN)]
    steps = as_many_as_fit(step_lines(card)[: -MOST_STEPS - 1 : -1], MOST_CHARACTERS, "\n")
    if steps:
        blocks.append(small_words("\n".join(reversed(steps))))
    blocks += _buttons(card)
    read = [
        f"{foreign(head, 300)}.",
        *([f"{foreign(about, 220)}."] if about else []),
        *call_sentences(card, READ),
        *not_updated(stale_since(alert), READ),
        *helper_sentences(card, READ),
    ]
    return message(_read(read), blocks)


def digest_message(card: DigestCard) -> Message:
    """A digest: how many alerts are open of how many, by rule, and the longest open ones with their buttons."""
    head = _counted(card)
    rules = [f"{plain(name, LONGEST_RULE)}: {_still_open(*numbers)}" for name, *numbers in card.rules]
    unnamed = len(rules) - MOST_RULES
    rules = [*rules[:MOST_RULES], *([f"And {unnamed} more rules"] if unnamed > 0 else [])]
    lines = card.lines[:MOST_LINES]
    blocks: list[Block] = [headline(head)]
    blocks += [said(*part) for part in (rules[: MOST_RULES // 2], rules[MOST_RULES // 2 :]) if part]
    blocks += [small_words(sentence) for sentence in not_updated(card.not_updated_since, SHOWN)]
    for line in lines:
        blocks += [_sentences(_line(line), " "), *_buttons(line)]
    more = [f"And {card.open - len(lines)} more: /calls shows every call."] if card.open > len(lines) else []
    blocks += [small(sentence) for sentence in more]
    blocks.append(small_words(f"Many alerts came at once, from {when(card.begun_at)} on; they share this card."))
    read = [
        *(f"{foreign(sentence, 300)}." for sentence in (head, *rules)),
        *not_updated(card.not_updated_since, READ),
        *(f"{foreign(subject(line), 300)}." for line in lines),
        *more,
    ]
    return message(_read(read), blocks)


def blind_message(card: BlindCard) -> Message:
    """That no alerts come, or not all, and what to do; afterwards, from when to when that was so."""
    head, sign = blind_headline(card), "⚠️" if card.ended is None else "✅"
    blocks = [headline(f"{sign} {head}"), _sentences(blind_words(card, SHOWN), "\n")]
    return message(_read([f"{head}.", *blind_words(card, READ)]), blocks)


def _counted(card: DigestCard) -> str:
    alerts = "1 alert" if card.total == 1 else f"{card.total} alerts"
    if card.open:
        return f"{ALERT_STATE[AlertState.RAISED]}: {alerts} in this channel, {card.open} open"
    return f"{ALERT_STATE[AlertState.RESOLVED]}: {'the only alert' if card.total == 1 else f'all {alerts}'}"


def _still_open(still: int, number: int) -> str:
    return f"{still} of {number} open" if still else f"all {number} resolved" if number > 1 else "resolved"


def _line(line: AlertCard) -> list[str]:
    """One alert of a digest, in a few sentences."""
    return [f"{foreign(subject(line), 300)}.", *call_sentences(line, SHOWN), *helper_sentences(line, SHOWN)]


def _sentences(sentences: Sequence[str], between: str) -> Block:
    """As many whole sentences as fit into one section: half a sentence could mean something else."""
    return our_words(between.join(as_many_as_fit(sentences, MOST_CHARACTERS, between)))


def _read(sentences: Sequence[str]) -> str:
    return " ".join(as_many_as_fit(sentences, MOST_READ, " "))


# ── buttons ──


def _buttons(card: AlertCard) -> list[Block]:
    """The buttons for the call and the alert; none once the alert is resolved or its call is protected."""
    alert = card.alert
    if not alert.open or hidden(card):
        return []
    elements = [act(one, LABEL[one.intervene.action], number) for number, one in enumerate(card.buttons)]
    elements.append(_answer(card, "I'm on it", AnswerAlert(alert=alert.id, answer="take"), style="primary"))
    if alert.state is AlertState.RAISED:
        elements.append(_answer(card, f"Snooze {lasting(SNOOZE)}", AnswerAlert(alert=alert.id, answer="snooze")))
    return [ActionsBlock(block_id=f"{ALERT}-{alert.id}-{alert.state}-{len(alert.steps)}", elements=elements)]


def _answer(card: AlertCard, label: str, answer: AnswerAlert, style: str | None = None) -> ButtonElement:
    return ButtonElement(
        text=PlainTextObject(text=label, emoji=False),
        action_id=f"{ALERT}:{answer.answer}",
        value=pack(AlertButton(answer=answer, channel=card.alert.channel)),
        style=style,
    )
