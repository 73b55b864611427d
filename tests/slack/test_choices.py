"""Where several calls suit, the person is asked which: a button for each, that one can tell from the others."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import Intervene, Offer, Target
from bot.interventions.call_list import CallChoice
from bot.sandbox.workspace.message_rules import check_blocks
from bot.slack.button_codec import unpack
from bot.slack.call_lists import choice_message
from bot.slack.messages import Message

MakeView = Callable[..., PhoneCallView]
MakeCall = Callable[..., PhoneCall]
Texts = Callable[[Message], list[str]]
Offered = Callable[..., tuple[CallChoice, ...]]
HOSTILE = "<!here> <@U0BOB> *x* :100: https://evil.example\n> \u202e"


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
    commands = [unpack(element["value"]).command for element in elements]
    return [command.call for command in commands if isinstance(command, Intervene)]


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


@pytest.mark.parametrize("action", ActionName)
def test_the_buttons_of_barge_in_and_record_ask_first(offered: Offered, noon: datetime, action: ActionName) -> None:
    asked = choice_message(action, offered({}, {}, action=action), noon)
    (row,) = [block for block in asked.blocks if block["type"] == "actions"]
    asks = action in {ActionName.BARGE_IN, ActionName.START_RECORDING}
    assert ["confirm" in element for element in row["elements"]] == [asks, asks]


@pytest.mark.parametrize(("many", "buttons"), [(2, 2), (5, 5), (6, 6), (25, 25), (26, 25), (200, 25)])
def test_at_most_25_calls_are_offered_and_slack_takes_them(
    offered: Offered, noon: datetime, labels: Texts, many: int, buttons: int
) -> None:
    asked = choice_message(ActionName.START_RECORDING, offered(*[{}] * many), noon)
    assert (check_blocks(list(asked.blocks)), len(labels(asked))) == ([], buttons)


@pytest.mark.parametrize(("phones", "whose"), [(1, "0003*210"), (2, "Bob Ionescu")])
def test_calls_that_are_not_offered_are_counted_with_how_to_name_one(
    offered: Offered, noon: datetime, shown: Texts, phones: int, whose: str
) -> None:
    on = tuple(f"0003*21{number % phones}" for number in range(28))
    told = f"And 3 more. /calls {whose} shows every one with its id, to be named with call=ID."
    assert told in shown(choice_message(ActionName.MONITOR, offered(*[{}] * 28, on=on), noon))


def test_a_hostile_caller_still_fits_on_a_button(offered: Offered, noon: datetime) -> None:
    asked = choice_message(ActionName.MONITOR, offered({"callerId": HOSTILE * 50}), noon)
    assert check_blocks(list(asked.blocks)) == []
