"""Whatever a caller, an agent or a name may hold: Slack takes every message, reads no markup in it, and no line is faked."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.alert import Alert, Helper, Resolution, When, raised, resolved, snoozed
from bot.alerts.card import AlertCard, BlindCard, DigestCard
from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import AskForHelp, Intervene, ListCalls, Offer, Target
from bot.domain.errors import BadCommand
from bot.domain.intervention import Intervention, State
from bot.interventions.call_list import CallChoice, Line, Listing, page_of
from bot.interventions.card import InterventionCard
from bot.sandbox.workspace.conversations import LIVE_MARKUP
from bot.sandbox.workspace.message_rules import check_blocks
from bot.slack.alert_card import alert_message, blind_message, digest_message
from bot.slack.answer_messages import (
    help_coming_message,
    help_not_seen_message,
    never_sent_message,
    phone_not_registered_message,
    refusal_message,
)
from bot.slack.call_lists import call_list_message, choice_message
from bot.slack.intervention_card import intervention_message
from bot.slack.messages import Message

EveryMessage = Callable[[str], dict[str, Message]]
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
OURS = re.compile(r"<!date\^[0-9]{9,10}\^\{time_secs\}( \(\{ago\}\))?\|[0-9:]{8} UTC>|`call=c[0-9]+`|`callbot check`")
"""Our own markup: dates, the ids of calls, a command."""
UPDATED = ("a card", "an alert", "a digest", "an outage")
MOST_TEXT, MOST_UPDATED = 40_000, 4_000
"""Characters of the text of a message ("chat.postMessage"), and of one that is updated later ("chat.update")."""


def mrkdwn(message: Message) -> list[str]:
    """Every text of the blocks in which Slack reads markup."""
    texts = [block["text"] for block in message.blocks if "text" in block]
    texts += [element for block in message.blocks if block["type"] == "context" for element in block["elements"]]
    texts += [field for block in message.blocks for field in block.get("fields", ())]
    return [text["text"] for text in texts if text["type"] == "mrkdwn"]


def elements(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The buttons of a block."""
    return [element for element in block.get("elements", ()) if element["type"] == "button"]


def harm(message: Message, most: int) -> list[object]:
    """What Slack refuses in the message, or would read as markup of somebody else."""
    theirs = OURS.sub("", " ".join([message.text, *mrkdwn(message)]))
    return [
        *check_blocks(list(message.blocks)),
        *LIVE_MARKUP.findall(theirs),
        *(set(theirs) & set("<>@#`_~")),
        *(set(message.text) & set("<>@#\n")),
        *([] if 0 < len(message.text) <= most else [len(message.text)]),
    ]


def every_harm(messages: dict[str, Message]) -> dict[str, list[object]]:
    found = {
        kind: harm(message, MOST_UPDATED if kind.startswith(UPDATED) else MOST_TEXT)
        for kind, message in messages.items()
    }
    return {kind: what for kind, what in found.items() if what}


@pytest.fixture(scope="session")
def with_words(
    an_alert: Callable[..., Alert],
    alert_card_of: Callable[..., AlertCard],
    a_view: Callable[..., PhoneCallView],
    noon: datetime,
) -> Callable[..., AlertCard]:
    """An alert's card in which everything that others may have written is these words: 24 people are on it, and 60 steps."""

    def build(words: str, condition: When = When.RINGING, how: Resolution | None = None, number: int = 1) -> AlertCard:
        view = a_view(callerId=words, source=[words, "+15550188"], destination=[words])
        alert = an_alert(number, view=view, name=words, when=condition, about=words[:200])
        for step in range(30):
            alert = raised(snoozed(alert, words, noon), noon + timedelta(seconds=step))
        people = tuple(Helper(slack_user=f"U{n}", name=words, since=noon, taken=n % 2 == 0) for n in range(24))
        alert = alert.model_copy(update={"helpers": people, "stale": how is None})
        if how is not None:
            alert = resolved(alert, how, noon + timedelta(hours=5), "0003*211")
        return alert_card_of(alert, agent=words or "0003*210", names={words: words}, by=words)

    return build


@pytest.fixture(scope="session")
def every_message(
    *,
    with_words: Callable[..., AlertCard],
    a_digest: Callable[..., DigestCard],
    a_card: Callable[..., InterventionCard],
    reached: Callable[..., Intervention],
    a_call: Callable[..., PhoneCall],
    a_view: Callable[..., PhoneCallView],
    noon: datetime,
) -> EveryMessage:
    """A message of every kind, as long as it gets, in which everything that others may have written is these words."""
    target = Target(kind="extension", text="0003*210")

    def offer(action: ActionName) -> Offer[Intervene]:
        return Offer(command=Intervene(action=action, target=target, call="c1"), channel="C0FLOOR")

    def build(words: str) -> dict[str, Message]:
        name = words[:80] or "0003*210"  # no name in the configuration is longer
        views = [a_view(f"{number:02}", callerId=words, source=[words], destination=[words]) for number in range(64)]
        call = a_call(*views)
        help_offer = Offer(command=AskForHelp(extension="0003*210", call="c1"), channel="C0FLOOR")
        line = Line(
            call=call,
            view=views[0],
            agent=name,
            names={words: words},
            buttons=tuple(map(offer, ActionName)),
            help_button=help_offer,
            present=(words,) * 9,
            asker_present=True,
        )
        choice = CallChoice(
            call=call, view=views[0], agent=name, names={words: words}, button=offer(ActionName.BARGE_IN)
        )
        asked = ListCalls(words=(words[:100] or "x",), page=2)
        page = page_of(["c1"] * 300, 2)
        listing = Listing(
            command=asked,
            channel="C0FLOOR",
            words=asked.words,
            lines=(line,) * 12,
            page=page,
            live=300,
            scopes=9,
            unread=3,
        )
        lines = [with_words(words, number=number) for number in range(20)]
        return {
            **{
                f"a card, {state}": intervention_message(a_card(reached(state, call=call, agent=name, supervisor=name)))
                for state in State
            },
            **{
                f"an alert, {condition}, {how}": alert_message(with_words(words, condition, how))
                for condition in When
                for how in (None, *Resolution)
            },
            "a digest": digest_message(a_digest(*lines, rules=((words, 9, 20),) * 99)),
            "a digest of one rule": digest_message(a_digest(rules=((words, 0, 1),))),
            "a list": call_list_message(listing),
            "an empty list": call_list_message(listing.model_copy(update={"lines": ()})),
            "a question": choice_message(ActionName.BARGE_IN, (choice,) * 200, noon),
            "a refusal": refusal_message(str(BadCommand(words, "/monitor 0003*210")), "r1"),
            "a phone that is not registered": phone_not_registered_message(words, offer(ActionName.MONITOR), "r1"),
            "who is coming": help_coming_message(words),
            "a help request that nobody sees": help_not_seen_message(),
            "a card that was never sent": never_sent_message(),
            **{
                f"an outage, {whole}, {ended}": blind_message(
                    BlindCard(id="b1", place="C0ALERTS", since=noon, whole=whole, ended=ended)
                )
                for whole in (True, False)
                for ended in (None, noon)
            },
        }

    return build


@pytest.mark.parametrize("words", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_words_mean_nothing_in_any_message(every_message: EveryMessage, words: str) -> None:
    assert every_harm(every_message(words)) == {}


@settings(max_examples=15, deadline=None)
@given(words=st.text(st.characters() | st.sampled_from("<>&@#*_~`:\n\u202e"), max_size=900))
def test_any_words_mean_nothing_in_any_message(every_message: EveryMessage, words: str) -> None:
    assert every_harm(every_message(words)) == {}


def test_in_every_message_barge_in_and_record_ask_first_and_nothing_else_does(every_message: EveryMessage) -> None:
    found = [each for message in every_message("Hal").values() for block in message.blocks for each in elements(block)]
    asking = {each["action_id"].split(":")[1]: each["confirm"]["text"]["text"] for each in found if "confirm" in each}
    assert asking == {
        ActionName.BARGE_IN: "The customer will hear you.",
        ActionName.START_RECORDING: "The conversation will be recorded.",
    }
    assert not [each for each in found if "confirm" not in each and each["action_id"].split(":")[1] in asking]


def test_what_does_not_fit_is_left_out_in_whole_sentences(with_words: Callable[..., AlertCard]) -> None:
    """A sentence that is cut might say something else; and a date that is cut is none."""
    message = alert_message(with_words("<>&" * 1000))
    sentences, people, *_ = mrkdwn(message)
    assert [text for text in (message.text, sentences, people) if not text.endswith(".")] == []
    assert [text for text in mrkdwn(message) if text.count("<") != text.count(">")] == []


def test_the_headline_cannot_be_faked_by_a_new_line(
    with_words: Callable[..., AlertCard], told: Callable[[Message], str]
) -> None:
    lines = told(alert_message(with_words(HOSTILE["lines"]))).split("\n")
    assert [line for line in lines if line.startswith("Resolved")] == []


def test_a_hostile_caller_id_is_shown_in_plain_text_alone(
    a_card: Callable[..., InterventionCard], reached: Callable[..., Intervention], a_call: Any, a_view: Any
) -> None:
    one = reached(State.CONNECTED, call=a_call(a_view(callerId=HOSTILE["links"], source=[HOSTILE["links"]])))
    fields = [field for block in intervention_message(a_card(one)).blocks for field in block.get("fields", ())]
    assert {field["type"] for field in fields if "evil" in field["text"]} == {"plain_text"}
