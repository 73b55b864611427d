"""The live calls as Slack shows them: each line says all that one needs to decide, and no list is cut in silence."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import AskForHelp, Command, Intervene, ListCalls, Offer, Target
from bot.interventions.call_list import LINES_ON_A_PAGE, Line, Listing, page_of
from bot.sandbox.workspace.message_rules import check_blocks
from bot.slack.button_codec import unpack
from bot.slack.call_lists import call_list_message
from bot.slack.messages import Message, time_of_day

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
MakeLine = Callable[..., Line]
Texts = Callable[[Message], list[str]]
HOSTILE = "<!here> <@U0BOB> *x* :100: https://evil.example\n> \u202e"


def a_button(action: ActionName = ActionName.MONITOR) -> Offer[Intervene]:
    target = Target(kind="extension", text="0003*210")
    return Offer(command=Intervene(action=action, target=target, call="c1"), channel="C0FLOOR")


@pytest.fixture
def a_line(a_call: MakeCall, a_view: MakeView) -> MakeLine:
    """Bob's line, on call for a minute; words that a line does not know go to its view."""

    def build(call_id: str = "c1", **fields: Any) -> Line:
        own = {
            name: fields.pop(name)
            for name in ("agent", "buttons", "help_button", "names", "present", "asker_present")
            if name in fields
        }
        return Line.model_validate(
            {"agent": "Bob Ionescu", **own, "call": a_call(call_id=call_id), "view": a_view(**fields)}
        )

    return build


def listed(*lines: Line, words: tuple[str, ...] = (), page: int = 1, **more: Any) -> Message:
    """The answer to /calls, with those lines; `live`: as many calls as there are, unless it is said."""
    whole = {"channel": "C0FLOOR", "words": words, "live": len({line.call.id for line in lines}), **more}
    turned = page_of([line.call.id for line in lines], page)
    on_it = lines[turned.start : turned.end]
    return call_list_message(Listing(command=ListCalls(words=words, page=page), lines=on_it, page=turned, **whole))


def pages(message: Message) -> dict[str, Offer[Command]]:
    """What the buttons that turn the page carry, by their labels."""
    elements = [each for block in message.blocks for each in block.get("elements", ()) if each["type"] == "button"]
    return {each["text"]["text"]: unpack(each["value"]) for each in elements if each["action_id"].startswith("page:")}


# ── how many ──


@pytest.mark.parametrize(("many", "words"), [(1, "1 live call"), (2, "2 live calls"), (12, "12 live calls")])
def test_live_calls_are_counted(a_line: MakeLine, shown: Texts, many: int, words: str) -> None:
    assert shown(listed(*[a_line(f"c{number}") for number in range(many)]))[0] == words


@pytest.mark.parametrize(
    ("found", "live", "words"),
    [
        (1, 1, "1 of 1 live call matches “bob 210”"),
        (1, 200, "1 of 200 live calls matches “bob 210”"),
        (3, 200, "3 of 200 live calls match “bob 210”"),
    ],
)
def test_what_was_looked_for_is_named_with_how_many_match(
    a_line: MakeLine, shown: Texts, found: int, live: int, words: str
) -> None:
    lines = [a_line(f"c{number}") for number in range(found)]
    assert shown(listed(*lines, words=("bob", "210"), live=live))[0] == words


def test_two_sides_of_a_call_are_one_call_and_say_so(a_line: MakeLine, shown: Texts) -> None:
    texts = shown(listed(a_line(), a_line(agent="Dan Rus", extension="0003*220")))
    sides = ["another side of the same call" in text for text in texts if "`call=c1`" in text]
    assert (texts[0], sides) == ("1 live call", [False, True])


EMPTY = [
    (
        {},
        "No live calls on the extensions you may see.\nType /calls again when a phone rings there. What you can type: /calls help",
    ),
    (
        {"words": ("bob",)},
        "No live calls for “bob” on the extensions you may see.\nType /calls again when a phone rings there. What you can type: /calls help",
    ),
    (
        {"words": ("bob",), "live": 1},
        "No live calls for “bob” on the extensions you may see.\n/calls without words shows the one call that is live.",
    ),
    (
        {"words": ("bob",), "live": 12},
        "No live calls for “bob” on the extensions you may see.\n/calls without words shows all 12 live calls.",
    ),
]


@pytest.mark.parametrize(("given", "told"), EMPTY, ids=[f"{given}" for given, _ in EMPTY])
def test_where_there_is_no_call_the_answer_says_what_to_do_next(shown: Texts, given: dict[str, Any], told: str) -> None:
    assert shown(listed(**given)) == [told]


@pytest.mark.parametrize("many", [0, 1, 30])
def test_lists_that_could_not_be_read_are_told(a_line: MakeLine, shown: Texts, many: int) -> None:
    message = listed(*[a_line(f"c{number}") for number in range(many)], scopes=14, unread=2)
    told = "2 of 14 lists could not be read: calls may be missing."
    assert (told in "\n".join(shown(message)), told in message.text) == (True, True)


# ── what a line says ──

LINES = [
    ({}, "Bob Ionescu 0003*210: on call with “Jane Roe” <+15550100>"),
    ({"onHold": "2026-11-21T11:59:50Z"}, "Bob Ionescu 0003*210: on hold with “Jane Roe” <+15550100>"),
    ({"parked": "2026-11-21T11:59:50Z"}, "Bob Ionescu 0003*210: parked with “Jane Roe” <+15550100>"),
    (
        {"recording": "2026-11-21T11:59:50Z"},
        "Bob Ionescu 0003*210: on call with “Jane Roe” <+15550100>, being recorded",
    ),
    ({"status": 3}, "Bob Ionescu 0003*210: ringing with “Jane Roe” <+15550100>"),
    ({"status": 4, "flow": 4, "destination": ["+15550111"]}, "Bob Ionescu 0003*210: calling +15550100, +15550111"),
    ({"status": 4, "source": ["0003*210"], "destination": ["+15550111"]}, "Bob Ionescu 0003*210: calling +15550111"),
    ({"status": 2}, "Bob Ionescu 0003*210: being called with “Jane Roe” <+15550100>"),
    ({"agent": "0003*210"}, "0003*210: on call with “Jane Roe” <+15550100>"),
    # who the other party is
    ({"callerId": ""}, "Bob Ionescu 0003*210: on call with +15550100"),
    ({"callerId": "", "source": []}, "Bob Ionescu 0003*210: on call with view 01"),
    (
        {"source": ["0003*210"], "destination": ["+15550100"], "callerId": "Bob Ionescu <0003*210>", "flow": 4},
        "Bob Ionescu 0003*210: on call with +15550100",
    ),
    (
        {"source": ["210"], "destination": ["211"], "callerId": "Bob <210>", "names": {"211": "Dan Rus"}},
        "Bob Ionescu 0003*210: on call with Dan Rus 211",
    ),
    (
        {"source": ["0003*220"], "callerId": "Desk 4 <0003*220>", "names": {"0003*220": "Dan Rus"}},
        "Bob Ionescu 0003*210: on call with Dan Rus 0003*220",
    ),
    (
        {"source": ["0003*024"], "names": {"0003*024": "Ana Pop"}},
        "Bob Ionescu 0003*210: on call with “Jane Roe” <+15550100>",
    ),
    # who is on it
    ({"present": ("Ana Pop",)}, "Bob Ionescu 0003*210: on call with “Jane Roe” <+15550100>\nAna Pop is on it"),
    ({"asker_present": True}, "Bob Ionescu 0003*210: on call with “Jane Roe” <+15550100>\nYou are on it"),
    (
        {"asker_present": True, "present": ("Ana Pop", "Cleo Dima")},
        "Bob Ionescu 0003*210: on call with “Jane Roe” <+15550100>\nYou, Ana Pop and Cleo Dima are on it",
    ),
]


@pytest.mark.parametrize(("fields", "line"), LINES, ids=[f"{fields}" for fields, _ in LINES])
def test_each_line_says_whose_call_in_which_state_with_whom_and_who_is_on_it(
    a_line: MakeLine, shown: Texts, fields: dict[str, Any], line: str
) -> None:
    assert line in shown(listed(a_line(**fields)))


def test_a_screen_reader_hears_the_lines_too(a_line: MakeLine) -> None:
    assert listed(a_line(callerId="Jane Roe", present=("Ana Pop",))).text == (
        "1 live call. Bob Ionescu 0003*210: on call with “Jane Roe”. Ana Pop is on it."
    )


TIMES = [
    ({}, "incoming, on call since {60}"),
    ({"flow": 4}, "outgoing, on call since {60}"),
    ({"flow": 2}, "internal, on call since {60}"),
    ({"flow": 0}, "on call since {60}"),
    ({"status": 3, "answered": None}, "incoming, ringing since {60}"),
    ({"status": 4}, "incoming, calling since {60}"),
    ({"answered": None}, "incoming"),
    ({"onHold": "2026-11-21T11:59:50Z"}, "incoming, on call since {60}, on hold since {10}"),
    ({"parked": "2026-11-21T11:59:50Z"}, "incoming, on call since {60}, parked since {10}"),
    ({"recording": "2026-11-21T11:59:50Z"}, "incoming, on call since {60}, recorded since {10}"),
]


@pytest.mark.parametrize(("fields", "told"), TIMES, ids=[f"{fields}" for fields, _ in TIMES])
def test_the_small_print_says_the_direction_since_when_and_the_id(
    a_line: MakeLine, shown: Texts, noon: datetime, fields: dict[str, Any], told: str
) -> None:
    since = {f"{{{ago}}}": time_of_day(noon - timedelta(seconds=ago)) for ago in (10, 60)}
    for ago, moment in since.items():
        told = told.replace(ago, moment)
    assert f"{told}, `call=c1`" in shown(listed(a_line(**fields)))


def test_each_line_has_the_buttons_of_what_may_be_done(a_line: MakeLine, labels: Texts) -> None:
    lines = [a_line(buttons=(a_button(), a_button(ActionName.BARGE_IN))), a_line("c2", buttons=(a_button(),))]
    assert labels(listed(*lines)) == ["Monitor", "Barge in", "Monitor"]


# ── help with one's own call ──


@pytest.fixture
def hand(noon: datetime) -> Offer[AskForHelp]:
    return Offer(command=AskForHelp(extension="0003*210", call="c1", published=noon), channel="C0FLOOR")


@pytest.mark.parametrize("buttons", [(), (a_button(), a_button(ActionName.BARGE_IN))])
def test_the_last_button_of_ones_own_call_asks_the_team_for_help(
    a_line: MakeLine, labels: Texts, hand: Offer[AskForHelp], buttons: tuple[Offer[Intervene], ...]
) -> None:
    offered = labels(listed(a_line(buttons=buttons, help_button=hand)))
    assert offered == [*["Monitor", "Barge in"][: len(buttons)], "Ask for help"]


def test_the_button_that_asks_for_help_carries_the_call(a_line: MakeLine, hand: Offer[AskForHelp]) -> None:
    element = listed(a_line(help_button=hand)).blocks[-1]["elements"][0]
    assert (element["action_id"], unpack(element["value"])) == ("hand:raise", hand)


def test_a_line_that_is_not_ones_own_offers_no_help(a_line: MakeLine, labels: Texts) -> None:
    assert labels(listed(a_line(buttons=(a_button(),)))) == ["Monitor"]


# ── pages ──


@pytest.fixture
def many(a_line: MakeLine) -> Callable[..., list[Line]]:
    return lambda number: [a_line(f"c{each}") for each in range(number)]


Many = Callable[..., list[Line]]

PAGES: list[tuple[int, int, str, list[str]]] = [
    (12, 1, "", []),
    (13, 1, "Calls 1\u201312 of 13", ["Next"]),
    (13, 2, "Call 13 of 13", ["Previous"]),
    (200, 1, "Calls 1\u201312 of 200", ["Next"]),
    (200, 9, "Calls 97\u2013108 of 200", ["Previous", "Next"]),
    (200, 17, "Calls 193\u2013200 of 200", ["Previous"]),
    (200, 18, "There is no page 18 any more; this is the last.\nCalls 193\u2013200 of 200", ["Previous"]),
    (5, 2, "There is no page 2 any more; this is the last.\nCalls 1\u20135 of 5", []),
]


@pytest.mark.parametrize(("number", "page", "told", "turns"), PAGES)
def test_a_page_says_which_calls_it_shows_and_leads_on(
    a_line: MakeLine, number: int, page: int, told: str, turns: list[str]
) -> None:
    message = listed(*[a_line(f"c{each}") for each in range(number)], page=page)
    notes = message.blocks[1]["text"]["text"]
    assert (notes if " of " in notes else "", list(pages(message))) == (told, turns)


def test_every_call_is_on_exactly_one_page(many: Many, shown: Texts) -> None:
    found = [
        text.rpartition("=")[2]
        for page in range(1, 18)
        for text in shown(listed(*many(200), page=page))
        if "`call=" in text
    ]
    assert found == [f"c{number}`" for number in range(200)]


def test_the_buttons_carry_the_words_the_page_and_the_channel(many: Many) -> None:
    turns = pages(listed(*many(60), words=("bob", "0722"), page=3))
    assert turns == {
        label: Offer(command=ListCalls(words=("bob", "0722"), page=page), channel="C0FLOOR")
        for label, page in {"Previous": 2, "Next": 4}.items()
    }


def test_a_call_whose_sides_fall_on_two_pages_keeps_its_number(a_line: MakeLine, shown: Texts) -> None:
    lines = [a_line(f"c{(number + 1) // 2}") for number in range(2 * LINES_ON_A_PAGE + 1)]
    told = [shown(listed(*lines, page=page))[1] for page in (1, 2, 3)]
    assert told == ["Calls 1\u20137 of 13", "Calls 7\u201313 of 13", "Call 13 of 13"]


@pytest.mark.parametrize("page", [1, 2, 25])
@pytest.mark.parametrize("number", [1, 12, 13, 300])
def test_slack_takes_any_page_of_a_list_of_any_length(a_line: MakeLine, number: int, page: int) -> None:
    hand = Offer(command=AskForHelp(extension="0003*210", call="c1"), channel="C0FLOOR")
    buttons = tuple(map(a_button, ActionName))
    line = a_line(buttons=buttons, help_button=hand, callerId=HOSTILE, agent=HOSTILE * 9, present=(HOSTILE,) * 9)
    message = listed(*[line] * number, words=((HOSTILE * 9)[:100],), page=page, scopes=9, unread=3)
    assert (check_blocks(list(message.blocks)), set(message.text) & set("<>@\n")) == ([], set())
