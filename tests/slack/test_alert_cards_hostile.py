"""Whatever a caller, an agent or a name may hold: no markup on the card of an alert, no faked line, and Slack takes it."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.alert import Alert, Helper, Resolution, When, raised, resolved, snoozed
from bot.alerts.card import AlertCard, DigestCard
from bot.domain.calls import PhoneCallView
from bot.sandbox.workspace.conversations import LIVE_MARKUP
from bot.sandbox.workspace.message_rules import check_blocks
from bot.slack.alert_card import alert_message, digest_message
from bot.slack.messages import Message

MakeAlert = Callable[..., Alert]
MakeAlertCard = Callable[..., AlertCard]
MakeDigest = Callable[..., DigestCard]
MakeView = Callable[..., PhoneCallView]
OUR_DATE = re.compile(r"!date\^[0-9]{9,10}\^\{time_secs\}( \(\{ago\}\))?\|[0-9:]{8} UTC")
HOSTILE = {
    "mentions": "<!channel> <@U0BOB> @here",
    "links": "<https://evil.example|Bank> evil.example",
    "a faked date": "<!date^1^{time_secs}|00:00:00 UTC>",
    "marks": "*x* _y_ ~z~ `c` :100: > q",
    "lines": "Hal\nResolved: nothing to do\r\n\u2028here",
    "very long": "& " * 1500,
    "escapes alone": "<>&" * 1000,
    "right to left": "\u202elah\u202c \u2066x\u2069",
    "nothing": "",
    "nothing to be seen": "\u200b\u200d",
}


def mrkdwn(message: Message) -> list[str]:
    """Every text in which Slack reads markup."""
    texts = [block["text"] for block in message.blocks if "text" in block]
    texts += [element for block in message.blocks if block["type"] == "context" for element in block["elements"]]
    return [message.text, *(text["text"] for text in texts if text["type"] == "mrkdwn")]


def is_harmless(message: Message) -> bool:
    """Slack takes it, finds no markup but our own dates, and it is on one line to a screen reader."""
    found = [each for text in mrkdwn(message) for each in LIVE_MARKUP.findall(text)]
    ours = all(OUR_DATE.fullmatch(each) for each in found)
    no_dates = re.sub("<!date[^>]*>", "", "".join(mrkdwn(message)))
    return (
        check_blocks(list(message.blocks)) == []
        and ours
        and not set(no_dates) & set("<>@#`_~")
        and not set(message.text) & set("<>@#\n")
        and len(message.text) <= 4000
    )


@pytest.fixture
def with_words(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, a_view: MakeView, noon: datetime
) -> Callable[..., AlertCard]:
    """A card in which everything that others may have written is these words: 12 people are on it, and 60 steps."""

    def build(words: str, how: Resolution | None = None, condition: When = When.RINGING) -> AlertCard:
        view = a_view(callerId=words, source=[words, "+15550188"], destination=[words])
        alert = an_alert(view=view, name=words, when=condition, about=words[:200])
        people = tuple(
            Helper(slack_user=f"U{number}", name=words, since=noon, taken=number % 2 == 0) for number in range(24)
        )
        alert = alert.model_copy(update={"helpers": people})
        for number in range(30):
            alert = raised(snoozed(alert, words, noon), noon + timedelta(seconds=number))
        alert = alert.model_copy(update={"helpers": people, "stale": how is None})
        if how is not None:
            alert = resolved(alert, how, noon + timedelta(hours=5), "0003*211")
        return alert_card_of(alert, agent=words or "0003*210", names={words: words}, by=words)

    return build


@pytest.mark.parametrize("words", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_words_mean_nothing_on_a_card(with_words: Callable[..., AlertCard], words: str) -> None:
    assert [how for how in (None, *Resolution) if not is_harmless(alert_message(with_words(words, how)))] == []


@pytest.mark.parametrize("words", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_words_mean_nothing_in_any_condition(with_words: Callable[..., AlertCard], words: str) -> None:
    assert [when for when in When if not is_harmless(alert_message(with_words(words, None, when)))] == []


@pytest.mark.parametrize("words", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_words_mean_nothing_in_a_digest(
    with_words: Callable[..., AlertCard], a_digest: MakeDigest, an_alert: MakeAlert, words: str
) -> None:
    cards = [with_words(words) for _ in range(8)]
    apart = [
        card.model_copy(update={"alert": card.alert.model_copy(update={"id": f"{number:032x}"})})
        for number, card in enumerate(cards)
    ]
    rules = tuple((words, 9, 20) for _ in range(30))
    assert is_harmless(digest_message(a_digest(*apart, rules=rules)))


def test_what_does_not_fit_is_left_out_in_whole_sentences(with_words: Callable[..., AlertCard]) -> None:
    """A sentence that is cut might say something else; and a date that is cut is none."""
    texts = mrkdwn(alert_message(with_words("<>&" * 1000)))
    ends = [text for text in texts[:3] if not text.endswith(".")]
    assert (ends, [text for text in texts if text.count("<") != text.count(">")]) == ([], [])


def test_the_headline_cannot_be_faked_by_a_new_line(
    with_words: Callable[..., AlertCard], told: Callable[[Message], str]
) -> None:
    lines = told(alert_message(with_words(HOSTILE["lines"]))).split("\n")
    assert [line for line in lines if line.startswith("Resolved")] == []


NASTY = st.text(st.characters() | st.sampled_from("<>&@#*_~`:\n\u202e"), max_size=400)


@settings(max_examples=60, deadline=None)
@given(caller=NASTY, name=NASTY, who=st.text(min_size=1, max_size=80), about=st.text(max_size=200))
def test_whatever_anybody_wrote_slack_takes_the_card_and_reads_no_markup(
    *,
    an_alert: MakeAlert,
    alert_card_of: MakeAlertCard,
    a_view: MakeView,
    noon: datetime,
    caller: str,
    name: str,
    who: str,
    about: str,
) -> None:
    view = a_view(callerId=caller, source=[caller])
    one = Helper(slack_user="U0ANA", name=who, since=noon, taken=True)
    fields: dict[str, Any] = {"name": name, "about": about, "helpers": (one,)}
    for condition in When:
        alert = snoozed(an_alert(view=view, when=condition, **fields), who, noon)
        assert is_harmless(alert_message(alert_card_of(alert, agent=who)))
