"""The value of a button reads back as it was written; an unknown one is refused with advice."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.actions import ActionName
from bot.domain.calls import is_caller_id
from bot.domain.commands import (
    LONGEST_SEARCH,
    AnswerAlert,
    AnswerWaiting,
    AskForHelp,
    Command,
    Intervene,
    ListCalls,
    Offer,
    Target,
)
from bot.domain.errors import BadCommand
from bot.slack.button_codec import BUTTON_VALUE_LIMIT, pack, unpack
from bot.slack.command_parser import parse

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ALERT = "0f" * 16
quick = settings(max_examples=60, deadline=None)
IDS = st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True).filter(lambda text: text not in {".", ".."})
CALLER_IDS = st.from_regex(r"[A-Za-z\u0103\U00010400 .'-]{1,64} <[0-9+*]{1,32}>", fullmatch=True).filter(is_caller_id)
BUTTONS = st.builds(
    Offer,
    channel=st.from_regex(r"[CGD][A-Z0-9]{2,20}", fullmatch=True),
    command=st.builds(
        Intervene,
        action=st.sampled_from(ActionName),
        target=st.builds(
            Target, kind=st.just("extension"), text=st.from_regex(r"[0-9]{1,16}\*[0-9]{1,16}", fullmatch=True)
        ),
        call=IDS,
        view=st.none() | IDS,
        wait=st.none() | st.integers(1, 300),
        caller_id=st.none() | CALLER_IDS,
        format=st.sampled_from([None, "wav", "wav49"]),
        private=st.booleans(),
        published=st.none() | st.datetimes(timezones=st.just(UTC)),
        ring_anyway=st.booleans(),
    ),
)


def button(**fields: Any) -> Offer[Intervene]:
    target = Target(kind="extension", text="0003*210")
    asked = {"action": ActionName.MONITOR, "target": target, "call": "c1", **fields}
    return Offer(command=Intervene.model_validate(asked), channel="C0FLOOR")


@quick
@given(BUTTONS)
def test_a_button_reads_back_as_it_was_packed(one: Offer[Intervene]) -> None:
    assert unpack(pack(one)) == one


@quick
@given(BUTTONS)
def test_a_button_fits_into_its_value(one: Offer[Intervene]) -> None:
    assert len(pack(one)) <= BUTTON_VALUE_LIMIT


STORED: dict[str, Offer[Command]] = {
    '{"v":1,"o":"C0FLOOR","i":{"action":"Monitor","target":{"kind":"extension","text":"0003*210"},"call":"c1"}}': button(),
    '{"v":1,"o":"C0FLOOR","i":{"action":"StartRecording","target":{"kind":"extension","text":"0003*210"},"call":"c1",'
    '"format":"wav49"}}': button(action=ActionName.START_RECORDING, format="wav49"),
    '{"v":1,"o":"C0FLOOR","i":{"action":"Whisper","target":{"kind":"extension","text":"0003*210"},"call":"c1","view":"01",'
    '"wait":20,"caller_id":"Ana Pop <100>","private":true,"published":"2026-11-21T12:00:00Z","ring_anyway":true,'
    '"alert":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"}}': button(
        action=ActionName.WHISPER,
        view="01",
        wait=20,
        caller_id="Ana Pop <100>",
        private=True,
        published=NOON,
        ring_anyway=True,
        alert=ALERT,
    ),
    '{"v":1,"o":"C0FLOOR","s":{"card":"k1","now":true}}': Offer(AnswerWaiting(card="k1", now=True), "C0FLOOR"),
    '{"v":1,"o":"C0FLOOR","l":{"words":[],"page":1}}': Offer(ListCalls(), "C0FLOOR"),
    '{"v":1,"o":"C0FLOOR","l":{"words":["bob","0722"],"page":2}}': Offer(
        ListCalls(words=("bob", "0722"), page=2), "C0FLOOR"
    ),
    '{"v":1,"o":"C0ALERTS","a":{"alert":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","answer":"take"}}': Offer(
        AnswerAlert(alert=ALERT, answer="take"), "C0ALERTS"
    ),
    '{"v":1,"o":"C0FLOOR","h":{"extension":"0003*210","call":"c1","published":"2026-11-21T12:00:00Z"}}': Offer(
        AskForHelp(extension="0003*210", call="c1", published=NOON), "C0FLOOR"
    ),
}
"""The value of each kind of button as it is in Slack since earlier releases."""


@pytest.mark.parametrize(("value", "stored"), STORED.items())
def test_each_kind_of_button_is_written_and_read_as_it_stands_in_slack(value: str, stored: Offer[Command]) -> None:
    assert (pack(stored), unpack(value)) == (value, stored)


def test_a_value_that_does_not_fit_is_not_made() -> None:
    with pytest.raises(ValueError, match="characters"):
        pack(Offer(button().command, "C" * BUTTON_VALUE_LIMIT))


def packed(**changes: Any) -> str:
    document = json.loads(pack(button()))
    return json.dumps({**document, **changes})


def asked(**changes: Any) -> str:
    return packed(i={**json.loads(pack(button()))["i"], **changes})


OLD = {
    "nothing": "",
    "no JSON": "monitor 0003*210",
    "a list": "[]",
    "a number": "1",
    "null": "null",
    "a text": '"v"',
    "an empty object": "{}",
    "of a later version": packed(v=2),
    "without a version": '{"o": "C0FLOOR", "i": {}}',
    "without a call": packed(i={"action": "Monitor", "target": {"kind": "extension", "text": "0003*210"}}),
    "of a person": asked(target={"kind": "person", "text": "U0BOB"}),
    "of a short extension": asked(target={"kind": "short", "text": "210"}),
    "of another action": asked(action="Transfer"),
    "of an empty word": '{"v": 1, "o": "C0FLOOR", "l": {"words": [""], "page": 1}}',
    "of very many words": json.dumps({"v": 1, "o": "C0FLOOR", "l": {"words": ["b"] * 400, "page": 1}}),
    "with a word too many": asked(send_call_to="0003*999"),
    "with a channel that is a number": packed(o=1),
    "with a call that walks up": asked(call=".."),
    "with a view that is a path": asked(view="a/b"),
    "with a wait beyond 300 s": asked(wait=301),
    "with a wait of nothing": asked(wait=0),
    "with a caller id of no form": asked(caller_id="@here"),
    "with a format of no form": asked(format="mp3"),
    "very deep": "[" * 5000,
    "very long": "9" * 5000,
}


@pytest.mark.parametrize("value", OLD.values(), ids=OLD)
def test_a_button_that_is_not_known_says_so_and_how_to_go_on(value: str) -> None:
    with pytest.raises(BadCommand, match=r"too old.*/calls"):
        unpack(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["v", "o", "i", "action"]), inner),
    max_leaves=8,
)


@quick
@given(st.text() | JSON.map(json.dumps) | JSON.map(lambda inner: packed(i=inner)))
def test_no_value_does_worse_than_being_too_old(value: str) -> None:
    with suppress(BadCommand):
        assert isinstance(unpack(value).command, Intervene)


# ── next and previous ──

CHANNELS = st.from_regex(r"[CGD][A-Z0-9]{2,20}", fullmatch=True)
SEARCHES = st.text(st.characters(exclude_categories=["C", "Z", "N"], exclude_characters='"'), max_size=LONGEST_SEARCH)


@quick
@given(SEARCHES, st.integers(1, 1000), CHANNELS)
def test_a_page_of_any_search_that_can_be_typed_fits_and_reads_back(typed: str, page: int, channel: str) -> None:
    with suppress(BadCommand):
        searched = parse("/calls", typed)
        if isinstance(searched, ListCalls):
            one = Offer(command=searched.model_copy(update={"page": page}), channel=channel)
            assert unpack(pack(one)) == one


@pytest.mark.parametrize("letter", ["\U00010400", "\U00010400 ", "\\", "a "], ids=ascii)
def test_the_longest_search_fits_whatever_it_is_written_in(letter: str) -> None:
    searched = parse("/calls", (letter * LONGEST_SEARCH)[:LONGEST_SEARCH])
    assert isinstance(searched, ListCalls)
    page = Offer(command=searched.model_copy(update={"page": 1000}), channel="C" * 21)
    assert len(pack(page)) <= BUTTON_VALUE_LIMIT


OLD_PAGES = {
    "nothing": "",
    "no JSON": "page 2",
    "a list": "[]",
    "of a later version": '{"v": 2, "o": "C0FLOOR", "l": {"words": [], "page": 1}}',
    "without a version": '{"o": "C0FLOOR", "l": {"words": [], "page": 1}}',
    "without a channel": '{"v": 1, "l": {"words": [], "page": 1}}',
    "of page 0": '{"v": 1, "o": "C0FLOOR", "l": {"words": [], "page": 0}}',
    "of words that are none": '{"v": 1, "o": "C0FLOOR", "l": {"words": "bob", "page": 1}}',
    "of an empty word": '{"v": 1, "o": "C0FLOOR", "l": {"words": [""], "page": 1}}',
    "of very many words": json.dumps({"v": 1, "o": "C0FLOOR", "l": {"words": ["b"] * 400, "page": 1}}),
    "with a word too many": '{"v": 1, "o": "C0FLOOR", "l": {"words": [], "page": 1, "all": true}}',
    "very deep": "[" * 5000,
}


OLD_HELP = {
    "without a call": '{"v": 1, "o": "C0FLOOR", "h": {"extension": "0003*210"}}',
    "without an extension": '{"v": 1, "o": "C0FLOOR", "h": {"call": "c1"}}',
    "a call that walks up a path": '{"v": 1, "o": "C0FLOOR", "h": {"call": "..", "extension": "0003*210"}}',
}
OLD_ANSWERS = {
    "an id that is none of ours": '{"v": 1, "o": "C0FLOOR", "a": {"alert": "1 OR 1=1", "answer": "take"}}',
    "an answer that there is not": f'{{"v": 1, "o": "C0FLOOR", "a": {{"alert": "{ALERT}", "answer": "delete"}}}}',
}


@pytest.mark.parametrize("value", OLD_PAGES.values(), ids=OLD_PAGES)
def test_a_page_that_is_not_known_says_so_and_how_to_go_on(value: str) -> None:
    with pytest.raises(BadCommand, match=r"too old.*/calls"):
        unpack(value)


@pytest.mark.parametrize("value", [*OLD_HELP.values(), *OLD_ANSWERS.values()], ids=[*OLD_HELP, *OLD_ANSWERS])
def test_an_answer_or_a_call_for_help_that_is_not_known_says_so(value: str) -> None:
    with pytest.raises(BadCommand, match="too old"):
        unpack(value)
