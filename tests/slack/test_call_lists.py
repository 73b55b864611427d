"""The live calls as Slack shows them: each line says all that one needs to decide, no list is cut in silence, and calls can be told apart."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import AskForHelp, Command, Intervene, ListCalls, Offer, Target
from bot.interventions.call_list import LINES_ON_A_PAGE, CallChoice, Line, Listing, page_of
from bot.slack.button_codec import unpack
from bot.slack.call_lists import call_list_message, choice_message
from bot.slack.messages import Message, time_of_day

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
MakeLine = Callable[..., Line]
Texts = Callable[[Message], list[str]]
Offered = Callable[..., tuple[CallChoice, ...]]


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
def help_offer(noon: datetime) -> Offer[AskForHelp]:
    return Offer(command=AskForHelp(extension="0003*210", call="c1", published=noon), channel="C0FLOOR")


@pytest.mark.parametrize("buttons", [(), (a_button(), a_button(ActionName.BARGE_IN))])
def test_the_last_button_of_ones_own_call_asks_the_team_for_help(
    a_line: MakeLine, labels: Texts, help_offer: Offer[AskForHelp], buttons: tuple[Offer[Intervene], ...]
) -> None:
    offered = labels(listed(a_line(buttons=buttons, help_button=help_offer)))
    assert offered == [*["Monitor", "Barge in"][: len(buttons)], "Ask for help"]


def test_the_button_that_asks_for_help_carries_the_call(a_line: MakeLine, help_offer: Offer[AskForHelp]) -> None:
    element = listed(a_line(help_button=help_offer)).blocks[-1]["elements"][0]
    assert (element["action_id"], unpack(element["value"])) == ("hand:raise", help_offer)


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


# ── which of several calls is meant ──


@pytest.fixture
def offered(a_call: MakeCall, a_view: MakeView) -> Offered:
    """A choice for each view; `on`: the phones it was asked for, `call`: fields of all calls, `one_call`: all of one."""

    def build(
        *views: dict[str, Any],
        action: ActionName = ActionName.MONITOR,
        on: tuple[str, ...] = (),
        one_call: bool = False,
        **call: Any,
    ) -> tuple[CallChoice, ...]:
        def choice(number: int, fields: dict[str, Any]) -> CallChoice:
            call_id = "c0" if one_call else f"c{number}"
            phone = on[number] if on else "0003*210"
            target = Target(kind="extension", text=phone)
            button = Offer(command=Intervene(action=action, target=target, call=call_id), channel="C0FLOOR")
            one = a_call(call_id=call_id, **call)
            view = a_view(**{"extension": phone, "destination": [phone], **fields})
            return CallChoice(call=one, view=view, agent="Bob Ionescu", button=button)

        return tuple(choice(number, fields) for number, fields in enumerate(views))

    return build


def calls_of(message: Message) -> list[str | None]:
    """The call that each button means, in their order."""
    elements = [element for block in message.blocks if block["type"] == "actions" for element in block["elements"]]
    buttons = [unpack(element["value"]) for element in elements]
    return [button.command.call for button in buttons if isinstance(button.command, Intervene)]


@pytest.mark.parametrize(
    ("phones", "whose"), [(("0003*210",) * 2, "Bob Ionescu 0003*210"), (("0003*210", "0003*211"), "Bob Ionescu")]
)
def test_the_question_says_whose_calls_they_are(
    offered: Offered, noon: datetime, shown: Texts, phones: tuple[str, str], whose: str
) -> None:
    told = shown(choice_message(ActionName.MONITOR, offered({}, {}, on=phones), noon))[1]
    assert told == f"Several calls of {whose} suit. Click the one you mean; nothing was sent yet."


def test_the_question_names_the_action(offered: Offered, noon: datetime) -> None:
    assert choice_message(ActionName.BARGE_IN, offered({}, {}), noon).text == "Barge in: which call? 2 calls suit."


AGES = [
    ({}, "“Jane Roe” <+15550100>, 1 min 0 s"),
    ({"answered": "2026-11-21T11:59:18Z"}, "“Jane Roe” <+15550100>, 42 s"),
    ({"answered": "2026-11-21T10:57:57Z"}, "“Jane Roe” <+15550100>, 62 min 3 s"),
    ({"answered": "2026-11-21T12:59:18Z"}, "“Jane Roe” <+15550100>, 0 s"),
    ({"answered": "2026-11-21T12:59:48+01:00"}, "“Jane Roe” <+15550100>, 12 s"),
    ({"answered": None, "status": 3, "ringing": "2026-11-21T11:59:53Z"}, "“Jane Roe” <+15550100>, 1 min 0 s"),
    ({"answered": None}, "“Jane Roe” <+15550100>, 1 min 0 s"),
    ({"callerId": ""}, "+15550100, 1 min 0 s"),
    ({"callerId": "", "source": ["+1", "+2"]}, "+1, +2, 1 min 0 s"),
    ({"callerId": "", "source": []}, "view 01, 1 min 0 s"),
]


@pytest.mark.parametrize(("fields", "label"), AGES, ids=[f"{fields}" for fields, _ in AGES])
def test_each_call_is_labelled_by_the_other_party_and_its_age(
    offered: Offered, noon: datetime, labels: Texts, fields: dict[str, Any], label: str
) -> None:
    assert labels(choice_message(ActionName.MONITOR, offered(fields), noon)) == [label]


def test_a_call_that_will_only_begin_by_its_clock_is_new(offered: Offered, noon: datetime, labels: Texts) -> None:
    asked = choice_message(ActionName.PICK_UP, offered({"status": 3}, published="2026-11-21T17:00:00+02:00"), noon)
    assert labels(asked) == ["“Jane Roe” <+15550100>, 0 s"]


def test_a_call_whose_age_nobody_knows_has_none(offered: Offered, noon: datetime, labels: Texts) -> None:
    asked = choice_message(ActionName.MONITOR, offered({"answered": None}, published=None), noon)
    assert labels(asked) == ["“Jane Roe” <+15550100>"]


def test_the_oldest_comes_first_and_what_nobody_knows_the_age_of_last(offered: Offered, noon: datetime) -> None:
    answered = ["2026-11-21T11:59:50Z", None, "2026-11-21T11:30:00Z"]
    asked = choice_message(ActionName.MONITOR, offered(*[{"answered": at} for at in answered], published=None), noon)
    assert calls_of(asked) == ["c2", "c0", "c1"]


def test_of_several_phones_each_button_names_its_own(offered: Offered, noon: datetime, labels: Texts) -> None:
    asked = choice_message(ActionName.MONITOR, offered({}, {}, on=("0003*210", "0003*211")), noon)
    assert labels(asked) == [
        "“Jane Roe” <+15550100>, 1 min 0 s, on 0003*210",
        "“Jane Roe” <+15550100>, 1 min 0 s, on 0003*211",
    ]


def test_of_several_views_of_one_call_each_button_names_its_own(
    offered: Offered, noon: datetime, labels: Texts
) -> None:
    asked = choice_message(ActionName.MONITOR, offered({"view_id": "01"}, {"view_id": "02"}, one_call=True), noon)
    assert labels(asked) == [
        "“Jane Roe” <+15550100>, 1 min 0 s, view 01",
        "“Jane Roe” <+15550100>, 1 min 0 s, view 02",
    ]


def test_buttons_that_would_read_the_same_are_told_apart_by_the_ids(
    offered: Offered, noon: datetime, labels: Texts
) -> None:
    asked = choice_message(ActionName.MONITOR, offered({}, {"callerId": "Tom Other <+15550101>"}, {}), noon)
    assert labels(asked) == [
        "“Jane Roe” <+15550100>, 1 min 0 s, call \u2026c0",
        "“Tom Other” <+15550101>, 1 min 0 s",
        "“Jane Roe” <+15550100>, 1 min 0 s, call \u2026c2",
    ]


def test_a_long_name_leaves_room_for_the_age_and_the_phone(offered: Offered, noon: datetime, labels: Texts) -> None:
    phones = (f"{'1' * 16}*{'2' * 16}", "0003*211")
    asked = choice_message(ActionName.MONITOR, offered({"callerId": "Jane " * 40}, {}, on=phones), noon)
    assert labels(asked)[0].endswith(f"…, 1 min 0 s, on {phones[0]}")


def test_each_button_is_for_its_own_call(offered: Offered, noon: datetime) -> None:
    assert calls_of(choice_message(ActionName.MONITOR, offered(*[{}] * 7), noon)) == [f"c{n}" for n in range(7)]


@pytest.mark.parametrize(("many", "buttons"), [(2, 2), (5, 5), (6, 6), (25, 25), (26, 25)])
def test_at_most_25_calls_are_offered(offered: Offered, noon: datetime, labels: Texts, many: int, buttons: int) -> None:
    asked = choice_message(ActionName.START_RECORDING, offered(*[{}] * many), noon)
    assert len(labels(asked)) == buttons


@pytest.mark.parametrize(("phones", "whose"), [(1, "0003*210"), (2, "Bob Ionescu")])
def test_calls_that_are_not_offered_are_counted_with_how_to_name_one(
    offered: Offered, noon: datetime, shown: Texts, phones: int, whose: str
) -> None:
    on = tuple(f"0003*21{number % phones}" for number in range(28))
    told = f"And 3 more. /calls {whose} shows every one with its id, to be named with call=ID."
    assert told in shown(choice_message(ActionName.MONITOR, offered(*[{}] * 28, on=on), noon))
