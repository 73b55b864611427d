"""Whatever the PBX answers: a value or a PbxError comes of it, and what comes of it can be acted on and shown."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.calls import OBJECT_ID, PhoneCall
from bot.domain.commands import ListCalls
from bot.domain.errors import PbxError
from bot.domain.intervention import Intervention, State, Step
from bot.domain.legs import Known, own_views
from bot.domain.permissions import Permissions
from bot.interventions.call_list import CallChoice, Listing, Viewer, live_calls
from bot.interventions.card import CardElsewhere, InterventionCard, next_buttons
from bot.sandbox.workspace.message_rules import check_blocks
from bot.slack import call_lists
from bot.slack.intervention_card import STATE, intervention_message
from bot.slack.messages import Message
from bot.uapi import parsing
from bot.uapi.list_reader import ListReader

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Spoil = Callable[[st.DataObject, Any], Any]
Hidden = Callable[[object], list[str]]
Read = Callable[[st.DataObject], tuple[PhoneCall, ...]]
MakeIntervention = Callable[..., Intervention]

SAMPLES = Path(__file__).parent.parent / "samples" / "uapi"
ACTIONS = ("monitor", "whisper", "bargein", "pickup", "startrecording")
CALLS = [json.loads((SAMPLES / action / "200.json").read_text()) for action in ACTIONS]
ANSWERS = [json.loads(path.read_text()) for path in sorted(SAMPLES.rglob("*.json")) if path.stem != "request"]
OURS = str(CALLS[0]["id"])
PRESENCE = {"extension": "0003*024", "status": "0", "registration": [{"agent": "Desk", "registration": "1"}]}
STATUSES = st.sampled_from([200, 201, 202, 204, 299, 301, 400, 401, 403, 404, 408, 409, 429, 500, 501, 503, 599])


def body(document: object) -> bytes:
    return json.dumps(document).encode()


def enveloped(*entries: object) -> dict[str, object]:
    return {"totalResults": len(entries), "itemsPerPage": 20, "startIndex": 0, "entry": list(entries)}


FORMS = [*ANSWERS, enveloped(*CALLS), CALLS, enveloped(PRESENCE)]


def read_page(http_status: int, raw: bytes) -> parsing.Page[PhoneCall]:
    return asyncio.run(ListReader([]).read(http_status, raw))


# ── reading ──

READINGS: dict[str, Callable[[int, bytes], object]] = {
    "one call": lambda http_status, raw: parsing.read_call(http_status, raw, OURS),
    "calls": read_page,
    "phones": parsing.read_presences,
    "an action": parsing.read_accepted,
}


@quick
@given(st.sampled_from(sorted(READINGS)), STATUSES, st.sampled_from(FORMS), st.data())
def test_a_true_answer_that_was_spoilt_is_a_value_or_an_expected_failure(
    spoil: Spoil, reading: str, http_status: int, form: Any, data: st.DataObject
) -> None:
    raw = body(spoil(data, form))
    at = data.draw(st.integers(0, len(raw)))
    raw = data.draw(st.sampled_from([raw, raw[:at], raw[:at] + b"\xff\xfe" + raw[at:]]))
    try:
        said = repr(READINGS[reading](http_status, raw))
    except PbxError as failure:
        said = str(failure)
    assert said.isprintable()


AROUND: list[Callable[[Any], object]] = [
    lambda call: call,
    lambda call: [call],
    enveloped,
    lambda call: enveloped(CALLS[0] | {"id": "c0"}, call),
    lambda call: {"entry": {"c0": call}},
]


@quick
@given(around=st.sampled_from(AROUND), same=st.booleans(), data=st.data())
def test_the_call_that_is_followed_is_never_another_one(
    *, spoil: Spoil, any_text: st.SearchStrategy[str], around: Callable[[Any], object], same: bool, data: st.DataObject
) -> None:
    answer = around(CALLS[0] | {"id": OURS if same else data.draw(any_text)})
    try:
        call = parsing.read_call(200, body(spoil(data, answer) if same else answer), OURS)
    except PbxError:
        return
    assert call is None or call.id == OURS


# ── what was read ──


SAID = ("callerId", "ownerName", "source", "destination")
DATES = ("published", "answered", "ringing", "onHold", "recording", "parked")
MOMENTS = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2012-06-27T16:08:55+03:00", "2012-06-27", "?"]
STATES = ["0", "1", "2", "3", "4", "5", 5, "9", "-1", None]


@pytest.fixture(scope="session")
def read(spoil: Spoil, any_text: st.SearchStrategy[str]) -> Read:
    """The calls of a page that says whatever it likes in the right places, or is spoilt, as far as it can be read."""

    def hostile(data: st.DataObject, call: dict[str, Any]) -> Any:
        if data.draw(st.booleans()):
            return spoil(data, call)
        text, moment = data.draw(any_text), data.draw(st.sampled_from(MOMENTS))
        whole = call | dict.fromkeys(SAID, text) | dict.fromkeys(DATES, moment)
        state = {
            name: data.draw(st.sampled_from(STATES)) for name in data.draw(st.sets(st.sampled_from(["status", "flow"])))
        }
        said = dict.fromkeys(data.draw(st.sets(st.sampled_from(SAID))), text)
        dates = dict.fromkeys(data.draw(st.sets(st.sampled_from(DATES))), moment)
        views = [view | said | dates | state for view in call["phoneCallView"]]
        return whole | {"phoneCallView": views * data.draw(st.sampled_from([1, 1, 1, 30]))}

    def calls(data: st.DataObject) -> tuple[PhoneCall, ...]:
        found = [hostile(data, call) for call in data.draw(st.lists(st.sampled_from(CALLS), min_size=1, max_size=3))]
        try:
            return read_page(200, body(enveloped(*found))).entries
        except PbxError:
            return ()

    return calls


@quick
@given(
    legs=st.frozensets(st.sampled_from(["01", "02"])),
    data=st.data(),
)
def test_no_supervisors_leg_and_no_other_extension_is_ever_acted_on(
    read: Read, rules: Permissions, legs: frozenset[str], data: st.DataObject
) -> None:
    for call in read(data):
        own = own_views(call, "0003*210", Known(legs), rules)
        calling = {view.extension for view in call.views if view.extension in view.source}
        assert all(view.extension == "0003*210" and OBJECT_ID.fullmatch(view.id) for view in own)
        assert all(view.id not in legs for view in own)
        assert all("0003*024" not in view.source or "0003*024" in calling for view in own)


def shown_without_harm(shown: Message, hidden: Hidden) -> None:
    """Slack takes the message, reads no markup of others in it, and nothing in it is hidden."""
    assert check_blocks(list(shown.blocks)) == []
    assert hidden([shown.text, *shown.blocks]) == []
    assert 0 < len(shown.text) <= 4000
    assert not set(shown.text) & set("<>@#\n")


@quick
@given(state=st.sampled_from(State), data=st.data())
def test_a_card_of_whatever_was_read_does_no_harm(
    *,
    read: Read,
    hidden: Hidden,
    an_intervention: MakeIntervention,
    rules: Permissions,
    noon: datetime,
    state: State,
    data: st.DataObject,
) -> None:
    for call in read(data):
        asked = an_intervention(call=call, call_id=call.id)
        step = Step(state=state, at=noon + timedelta(seconds=4))
        one = asked.model_copy(update={"state": state, "steps": (*asked.steps, step)})
        card = InterventionCard(
            id="k1",
            place="U0ANA",
            elsewhere=CardElsewhere.NO,
            interventions=(one,),
            names={"0003*210": "Bob Ionescu"},
            legs=frozenset({"02"}),
            buttons=next_buttons((one,), rules),
        )
        shown = intervention_message(card)
        shown_without_harm(shown, hidden)
        assert shown.text.startswith(STATE[state])
        assert not card.buttons or any(block["type"] == "actions" for block in shown.blocks)


def listing(calls: tuple[PhoneCall, ...], rules: Permissions) -> Listing:
    """What Ana may know of the calls."""
    viewer = Viewer(
        person=rules.people["U0ANA"], channel="C0FLOOR", permissions=rules, known={OURS: Known(frozenset({"02"}))}
    )
    return asyncio.run(live_calls(viewer, ListCalls(), calls, scopes=1))


@quick
@given(data=st.data())
def test_a_list_of_whatever_was_read_does_no_harm(
    read: Read, hidden: Hidden, rules: Permissions, data: st.DataObject
) -> None:
    shown_without_harm(call_lists.call_list_message(listing(read(data), rules)), hidden)


@quick
@given(data=st.data())
def test_a_question_about_whatever_was_read_does_no_harm(
    *, read: Read, hidden: Hidden, rules: Permissions, noon: datetime, data: st.DataObject
) -> None:
    found = [line for line in listing(read(data), rules).lines if line.buttons]
    offered = [CallChoice(call=one.call, view=one.view, agent=one.agent, button=one.buttons[0]) for one in found]
    if offered:
        shown_without_harm(call_lists.choice_message(offered[0].button.command.action, offered, noon), hidden)
