"""What callbot says privately: each fits into Slack, and its examples are right."""

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.actions import ActionName
from bot.buttons import Button, unpack
from bot.commands import Help, Intervene, ListCalls, Target, Verb, parse
from bot.errors import BadCommand
from bot.phonecalls import PhoneCall, PhoneCallView
from bot.ports import CardElsewhere, Choice, Line, Request
from bot.sandbox.block_rules import check_blocks
from bot.slack.answers import choices, elsewhere, help_text, interrupted, live_calls, refusal
from bot.slack.messages import Message, message, said, when

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
Texts = Callable[[Message], list[str]]
HOSTILE = "<!here> <@U0BOB> *x* :100: https://evil.example\n> \u202e"


def a_button(action: ActionName = ActionName.MONITOR, call: str = "c1") -> Button:
    target = Target(kind="extension", text="0003*210")
    return Button(intervene=Intervene(action=action, target=target, call=call), channel="C0FLOOR")


# ── refusals ──


def test_a_refusal_says_why_and_the_requests_id(shown: Texts) -> None:
    assert shown(refusal("Nothing was sent.", "r1")) == ["Nothing was sent.", "Request r1"]


def test_a_refusal_is_read_out_too() -> None:
    assert refusal("You may not use Monitor on 0003*400.", "r1").text == "You may not use Monitor on 0003*400."


def test_what_was_typed_is_no_markup_in_a_refusal() -> None:
    text = refusal(str(BadCommand(HOSTILE, "/monitor 0003*210")), "r1").text
    assert not set(text) & set("<>@\n")


def test_a_long_refusal_still_fits() -> None:
    assert check_blocks(list(refusal("& " * 9000, "r1").blocks)) == []


# ── which call? ──


@pytest.fixture
def offered(a_call: MakeCall, a_view: MakeView) -> Callable[..., tuple[Choice, ...]]:
    def build(*views: dict[str, Any], action: ActionName = ActionName.MONITOR, **call: Any) -> tuple[Choice, ...]:
        return tuple(
            Choice(
                call=a_call(**call), view=a_view(**fields), agent="Bob Ionescu", button=a_button(action, f"c{number}")
            )
            for number, fields in enumerate(views)
        )

    return build


Offered = Callable[..., tuple[Choice, ...]]


def test_the_question_names_the_action(offered: Offered, noon: datetime) -> None:
    assert choices(ActionName.BARGE_IN, offered({}, {}), noon).text == "Barge in: which call? 2 calls suit."


AGES = [
    ({}, "Jane Roe <+15550100>, 1 min 0 s"),
    ({"answered": "2026-11-21T11:59:18Z"}, "Jane Roe <+15550100>, 42 s"),
    ({"answered": "2026-11-21T10:57:57Z"}, "Jane Roe <+15550100>, 62 min 3 s"),
    ({"answered": "2026-11-21T12:59:18Z"}, "Jane Roe <+15550100>, 0 s"),
    ({"answered": None, "ringing": "2026-11-21T11:59:53Z"}, "Jane Roe <+15550100>, 7 s"),
    ({"answered": None}, "Jane Roe <+15550100>, 1 min 0 s"),
    ({"callerId": ""}, "+15550100, 1 min 0 s"),
    ({"callerId": "", "source": ["+1", "+2"]}, "+1, +2, 1 min 0 s"),
    ({"callerId": "", "source": []}, "view 01, 1 min 0 s"),
]


@pytest.mark.parametrize(("fields", "label"), AGES, ids=[f"{fields}" for fields, _ in AGES])
def test_each_call_is_labelled_by_the_other_party_and_its_age(
    offered: Offered, noon: datetime, labels: Texts, fields: dict[str, Any], label: str
) -> None:
    assert labels(choices(ActionName.MONITOR, offered(fields), noon)) == [label]


def test_a_call_whose_age_nobody_knows_has_none(offered: Offered, noon: datetime, labels: Texts) -> None:
    assert labels(choices(ActionName.MONITOR, offered({"answered": None}, published=None), noon)) == [
        "Jane Roe <+15550100>"
    ]


def test_each_button_is_for_its_own_call(offered: Offered, noon: datetime) -> None:
    blocks = choices(ActionName.MONITOR, offered(*[{}] * 7), noon).blocks
    elements = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    assert [unpack(element["value"]).intervene.call for element in elements] == [f"c{n}" for n in range(7)]


@pytest.mark.parametrize(("many", "buttons"), [(2, 2), (5, 5), (6, 6), (25, 25), (26, 25), (200, 25)])
def test_at_most_25_calls_are_offered_and_slack_takes_them(
    offered: Offered, noon: datetime, labels: Texts, many: int, buttons: int
) -> None:
    asked = choices(ActionName.START_RECORDING, offered(*[{}] * many), noon)
    assert (check_blocks(list(asked.blocks)), len(labels(asked))) == ([], buttons)


def test_calls_that_are_not_offered_are_counted(offered: Offered, noon: datetime, shown: Texts) -> None:
    assert "And 3 more. Name one with call=ID." in shown(choices(ActionName.MONITOR, offered(*[{}] * 28), noon))


def test_a_hostile_caller_still_fits_on_a_button(offered: Offered, noon: datetime) -> None:
    asked = choices(ActionName.MONITOR, offered({"callerId": HOSTILE * 50}), noon)
    assert check_blocks(list(asked.blocks)) == []


# ── live calls ──


@pytest.fixture
def a_line(a_call: MakeCall, a_view: MakeView) -> Callable[..., Line]:
    def build(agent: str = "Bob Ionescu", buttons: tuple[Button, ...] = (), call_id: str = "c1", **fields: Any) -> Line:
        return Line(call=a_call(call_id=call_id), view=a_view(**fields), agent=agent, buttons=buttons)

    return build


MakeLine = Callable[..., Line]


def test_no_live_calls_are_said_to_be_none() -> None:
    assert live_calls((), ()).text == "No live calls on the extensions you may see."


def test_no_live_calls_for_some_words_name_the_words(shown: Texts) -> None:
    assert shown(live_calls((), ("bob", "210"))) == [
        "No live calls for \u201cbob 210\u201d on the extensions you may see."
    ]


@pytest.mark.parametrize(("many", "words"), [(1, "1 live call"), (2, "2 live calls")])
def test_live_calls_are_counted(a_line: MakeLine, many: int, words: str) -> None:
    assert live_calls([a_line(call_id=f"c{number}") for number in range(many)], ()).text == words


LINES = [
    ({}, "Bob Ionescu 0003*210: on call with Jane Roe <+15550100>"),
    ({"onHold": "2026-11-21T11:59:50Z"}, "Bob Ionescu 0003*210: on hold with Jane Roe <+15550100>"),
    ({"status": 3}, "Bob Ionescu 0003*210: ringing with Jane Roe <+15550100>"),
    ({"status": 4}, "Bob Ionescu 0003*210: the other side rings with Jane Roe <+15550100>"),
    ({"status": 2}, "Bob Ionescu 0003*210: being called with Jane Roe <+15550100>"),
    ({"agent": "0003*210"}, "0003*210: on call with Jane Roe <+15550100>"),
]


@pytest.mark.parametrize(("fields", "line"), LINES, ids=[f"{fields}" for fields, _ in LINES])
def test_each_line_says_whose_call_and_in_which_state(
    a_line: MakeLine, shown: Texts, fields: dict[str, Any], line: str
) -> None:
    assert line in shown(live_calls([a_line(**fields)], ()))


def test_a_ringing_call_tells_since_when_it_rings(a_line: MakeLine, shown: Texts, noon: datetime) -> None:
    line = a_line(status=3, answered=None)
    assert f"Since {when(noon - timedelta(minutes=1))}" in shown(live_calls([line], ()))


def test_a_line_without_a_time_tells_none(a_line: MakeLine, shown: Texts) -> None:
    assert not any("Since" in text for text in shown(live_calls([a_line(answered=None)], ())))


def test_each_line_has_the_buttons_of_what_may_be_done(a_line: MakeLine, labels: Texts) -> None:
    lines = [a_line(buttons=(a_button(), a_button(ActionName.BARGE_IN))), a_line(buttons=(a_button(),))]
    assert labels(live_calls(lines, ())) == ["Monitor", "Barge in", "Monitor"]


@pytest.mark.parametrize("many", [1, 15, 16, 300])
def test_slack_takes_a_list_of_any_length(a_line: MakeLine, many: int) -> None:
    line = a_line(buttons=tuple(map(a_button, ActionName)), callerId=HOSTILE, agent=HOSTILE * 9)
    shown = live_calls([line] * many, (HOSTILE * 9,))
    assert (check_blocks(list(shown.blocks)), set(shown.text) & set("<>@\n")) == ([], set())


def test_calls_that_are_not_shown_are_counted(a_line: MakeLine, shown: Texts) -> None:
    texts = shown(live_calls([a_line()] * 18, ()))
    assert "And 3 more: /calls with a name or a number shows fewer." in texts


# ── help ──


def examples() -> list[str]:
    texts = (block["text"]["text"] for block in help_text().blocks)
    return list(dict.fromkeys(html.unescape(found) for text in texts for found in re.findall("`([^`]*)`", text)))


@pytest.mark.parametrize("line", examples())
def test_every_example_of_the_help_is_right(line: str) -> None:
    command, _, text = line.partition(" ")
    assert isinstance(parse(command, text), Intervene | ListCalls | Help)


@pytest.mark.parametrize("command", [*(f"/{verb}" for verb in Verb), "/calls"])
def test_the_help_shows_every_command(command: str) -> None:
    assert (any(line.split()[0] == command for line in examples()), command in help_text().text) == (True, True)


def test_the_help_shows_how_to_stop_a_recording() -> None:
    read = [parse(*line.split(" ", 1)) for line in examples() if " " in line]
    assert any(isinstance(one, Intervene) and one.action is ActionName.STOP_RECORDING for one in read)


@pytest.mark.parametrize("option", ["call=", "view=", "wait=", "as=", "format=", "private", "stop"])
def test_the_help_names_every_option(shown: Texts, option: str) -> None:
    assert any(option in text for text in shown(help_text()))


def test_the_help_is_no_markup_but_its_code() -> None:
    texts = [block["text"] for block in help_text().blocks]
    assert not [text for text in texts if text["type"] == "mrkdwn" and set(text["text"]) & set("<>")]


def test_slack_takes_the_help() -> None:
    assert check_blocks(list(help_text().blocks)) == []


# ── where the card is, and what a restart cut off ──

REASONS = [
    (CardElsewhere.SILENT, "an agent may read this channel"),
    (CardElsewhere.THERE_ALREADY, "direct message"),
    (CardElsewhere.NO_ACCESS, "/invite @callbot"),
]


@pytest.mark.parametrize(("why", "words"), REASONS)
def test_who_asked_is_told_where_the_card_is_and_why(shown: Texts, why: CardElsewhere, words: str) -> None:
    told = elsewhere(why)
    assert (words in told.text, shown(told)) == (True, [told.text])


def test_every_reason_is_told() -> None:
    assert {why for why, _ in REASONS} == set(CardElsewhere) - {CardElsewhere.NO}


def test_a_request_that_a_restart_cut_off_is_named_and_was_not_sent(noon: datetime) -> None:
    asked = Request(id="r1", trigger="t", slack_user="U0ANA", channel="C0FLOOR", said="/monitor <!here>", at=noon)
    told = interrupted(asked)
    assert ("/monitor &lt;!here&gt;" in told.text, "Nothing was sent" in told.text) == (True, True)


# ── any message ──


def test_a_message_has_at_most_50_blocks() -> None:
    assert len(message("x", [said("x")] * 51).blocks) == 50


def test_a_time_is_on_the_readers_clock_and_in_utc_where_that_cannot_be(noon: datetime) -> None:
    assert when(noon.astimezone()) == "<!date^1795262400^{time_secs}|12:00:00 UTC>"
