"""Every promise can be seen broken: a made-up record of each kind of violation is found, and a good one is not."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.cast import FLOOR, OPEN, PROTECTED_CALLER, STAFF, Cast
from tests.chaos.judge import violations
from tests.chaos.records import (
    Acknowledged,
    Asked,
    CallSeen,
    Evidence,
    InterventionRow,
    Kill,
    Lost,
    Outage,
    Put,
    RequestRow,
    Shown,
    Span,
    ViewSeen,
)

CAST = Cast.of(12)
AGENT, PHONE, USER = "0003*201", "0003*101", "U0SUP01"
LEG = ViewSeen("02", AGENT, (PHONE,), PHONE, leg=True)
CALL = CallSeen("c1", frozenset({AGENT, "+15550101"}), (ViewSeen("01", AGENT, ("+15550101",), AGENT), LEG))
RINGING = CallSeen("c1", CALL.parties, CALL.views[:1])
ROW = InterventionRow(
    id="i1",
    card="k1",
    slack_user=USER,
    call_id="c1",
    extension=AGENT,
    action="Monitor",
    state="connected",
    following=True,
    asked_at=10.0,
    claim="c1 Monitor U0SUP01",
    channel=FLOOR,
    place=USER,
    phone=PHONE,
    view="01",
    wait=2.0,
)
PUT = Put(
    10.1,
    AGENT,
    "c1",
    {"action": "Monitor", "sendCallTo": PHONE, "phoneCallViewId": "01"},
    frozenset({"i1"}),
    RINGING,
    status=202,
)
REQUEST = RequestRow("r1", "t1", USER, FLOOR, "/monitor 201", "sent", 9.9, "i1")
ASKED = Asked("t1", USER, FLOOR, "/monitor 201", deliveries=[Acknowledged(9.8, 9.9)])
TEXT = "Connected after 1 s. Who hears Sup01: nobody."
CARD = Shown("D0SUP01", "1.1", TEXT, ("Connected after 1 s", "Who hears Sup01: nobody"), ((11.0, TEXT),))


def evidence(**changes: Any) -> Evidence:
    """One Monitor that went well and is connected now, with these changes."""
    good: dict[str, Any] = {
        "now": 30.0,
        "asked": [ASKED],
        "puts": [PUT],
        "legs": {(PHONE, "c1"): [Span(10.5)]},
        "requests": [REQUEST],
        "interventions": [ROW],
        "cards": {"k1": ("D0SUP01", "1.1")},
        "shown": [CARD],
        "calls": {"c1": CALL},
        "log": ['{"event": "put"}'],
        "secrets": {"xoxb-123": "the token of the bot"},
        "exits": [(0, 0.5)],
    }
    return Evidence(**good | changes)


def card(text: str, *lines: str, **changes: Any) -> Shown:
    return replace(CARD, text=text, lines=lines or (text,), **changes)


def test_a_good_record_has_no_violation() -> None:
    assert violations(evidence(), CAST) == []


def click_of_another(asked_in: str) -> dict[str, Any]:
    """Somebody whose role works on the floor alone has clicked the first person's card, which was asked for there."""
    phone, put = "0003*107", "t7"
    fields = {"action": "BargeIn", "sendCallTo": phone, "phoneCallViewId": "01"}
    mine = replace(ROW, id="i7", card="k7", slack_user="U0SUP07", action="BargeIn", phone=phone, state="not_answered")
    mine = replace(mine, claim=None, following=False, asked_at=20.0)
    unanswered = "Not answered. Who hears Sup07: nobody (no connection seen)."
    return {
        "asked": [replace(ASKED, channel=asked_in), Asked(put, "U0SUP07", STAFF, "[Barge in]", "k1")],
        "puts": [PUT, replace(PUT, at=20.1, fields=fields, rows=frozenset({"i7"}))],
        "requests": [
            replace(REQUEST, channel=asked_in),
            RequestRow("r7", put, "U0SUP07", FLOOR, "[Barge in]", "sent", 20.0, "i7"),
        ],
        "interventions": [ROW, mine],
        "cards": {"k1": ("D0SUP01", "1.1"), "k7": (FLOOR, "7.7")},
        "shown": [CARD, Shown(FLOOR, "7.7", unanswered, (unanswered,), ((22.2, unanswered),))],
    }


def click_where_it_waited(asked_in: str) -> dict[str, Any]:
    """A person clicks the card on which their own request had waited for the phone and was never sent."""
    record = click_of_another(FLOOR)
    waited = RequestRow("r0", "t0", "U0SUP07", asked_in, "/barge 201", "refused", 15.0, None)
    clicked = replace(record["asked"][1], clicked="r0")
    asked = [record["asked"][0], Asked("t0", "U0SUP07", asked_in, "/barge 201"), clicked]
    return {**record, "asked": asked, "requests": [*record["requests"], waited]}


GONE = {"calls": {}, "legs": {(PHONE, "c1"): [Span(10.5, 20.0)]}}
WAITED_IN_VAIN = "Ended: nothing was sent. You cancelled it while your phone was busy"
UNANSWERED = replace(ROW, state="not_answered", following=False, claim=None)
REFUSED = replace(REQUEST, id="r2", trigger="t2", outcome="refused", at=20.0, intervention=None)
TWICE = [PUT, replace(PUT, at=10.4)]
BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "a request without an outcome": ("one end state", {"requests": [replace(REQUEST, outcome="received")]}),
    "a sent request without an intervention": ("one end state", {"requests": [replace(REQUEST, intervention=None)]}),
    "an end that is still followed": ("one end state", {"interventions": [replace(ROW, state="ended")]}),
    "ringing after the calm": ("one end state", {"interventions": [replace(ROW, state="ringing")]}),
    "an acknowledgement without a row": ("acknowledged is written down", {"requests": [], "kills": [Kill(10.2)]}),
    "a row that nobody asked for": ("rows are people's", {"asked": []}),
    "a row of somebody else": ("rows are people's", {"asked": [replace(ASKED, user="U0SUP02")]}),
    "two rows of one trigger": ("rows are people's", {"requests": [REQUEST, replace(REQUEST, id="r2")]}),
    "a PUT twice": ("no PUT twice", {"puts": TWICE}),
    "a PUT before its row": ("a row before the PUT", {"puts": [replace(PUT, rows=frozenset())]}),
    "a PUT without a row": ("a row before the PUT", {"interventions": []}),
    "a row without a PUT": ("sent is sent", {"puts": []}),
    "a refusal that was none": ("Refused is a no of the PBX", {"interventions": [replace(ROW, state="refused")]}),
    "two holders of one claim": ("one open request", {"interventions": [ROW, replace(ROW, id="i2")]}),
    "a claim that nobody follows": ("one open request", {"interventions": [replace(ROW, following=False)]}),
    "Connected without a leg": ("no card contradicts its call", {"calls": {"c1": RINGING}}),
    "Connected in a call that is over": ("no card contradicts its call", GONE),
    "Ringing, and nothing rings": (
        "no card contradicts its call",
        {"shown": [card("Ringing", "Who hears Sup01: nobody yet; once")]},
    ),
    "Ended, and the call goes on": (
        "no card contradicts its call",
        {
            "shown": [card("Ended: Ag201's call is over", "Who hears Sup01: nobody (not in the call)")],
            "interventions": [replace(ROW, state="ended", following=False, claim=None)],
        },
    ),
    "Nothing was sent, and the request that was refused is about another extension": (
        "no card contradicts its call",
        {
            "requests": [REQUEST, replace(REFUSED, extension="0003*202")],
            "shown": [card(WAITED_IN_VAIN, "Who hears Sup01: nobody (not in the call)")],
            "interventions": [UNANSWERED],
            "calls": {"c1": RINGING},
        },
    ),
    "a leg that no card shows": (
        "no card contradicts its call",
        {"shown": [card("Not answered", "Who hears Sup01: nobody (no connection seen)")]},
    ),
    "no card at all": ("every intervention has a card", {"shown": []}),
    "a card that nobody keeps": ("one card", {"shown": [CARD, replace(CARD, ts="2.2")]}),
    "a card that nobody keeps though the ledger was free long before the kill": (
        "one card",
        {
            "shown": [CARD, replace(CARD, ts="2.2")],
            "outages": [Outage("ledger", 9.95, 12.0)],
            "kills": [Kill(20.0)],
        },
    ),
    "two private cards for one call": ("one card", {"interventions": [ROW, replace(ROW, id="i2", card="k2")]}),
    "listening in an open channel": ("silent stays silent", {"interventions": [replace(ROW, place=OPEN)]}),
    "Connected before the leg": ("Connected is proven", {"legs": {(PHONE, "c1"): [Span(11.5)]}}),
    "a token in the log": ("no secret in a log", {"log": ["said xoxb-123 to"]}),
    "a traceback in the log": ("no secret in a log", {"log": ["Traceback (most recent call last)"]}),
    "a mistake that Slack refused": ("nothing is refused by Slack", {"refusals": [(12.0, "no_text")]}),
    "an update of a message that never was": (
        "nothing is refused by Slack",
        {
            "slack": {("D0SUP01", "8.8"): ["12.000 chat.update Ended -> 200 message_not_found"]},
            "refusals": [(12.0, "chat.update: message_not_found")],
        },
    ),
    "an error without a cause": (
        "no error without a cause",
        {"asked": [replace(ASKED, deliveries=[Acknowledged(9.8, 9.9), Acknowledged(12.0, 15.0, "operation_timeout")])]},
    ),
    "a slow end": ("an orderly end", {"exits": [(0, 10.5)]}),
    "an end with an error": ("an orderly end", {"exits": [(1, 0.5)]}),
    "a stranger's PUT": (
        "no PUT without permission",
        {
            "asked": [replace(ASKED, user="U0EVE")],
            "requests": [replace(REQUEST, slack_user="U0EVE")],
            "interventions": [replace(ROW, slack_user="U0EVE")],
        },
    ),
    "a PUT of somebody who was removed": ("no PUT without permission", {"removed": {USER: [Span(7.0, 12.0)]}}),
    "another phone rings": (
        "no PUT without permission",
        {"puts": [replace(PUT, fields={**PUT.fields, "sendCallTo": "0003*102"})]},
    ),
    "an action on a leg": (
        "no PUT without permission",
        {
            "puts": [replace(PUT, call=CALL, fields={**PUT.fields, "phoneCallViewId": "02"})],
            "interventions": [replace(ROW, view="02")],
        },
    ),
    "a protected caller": (
        "no PUT without permission",
        {"puts": [replace(PUT, call=replace(RINGING, parties=frozenset({PROTECTED_CALLER})))]},
    ),
    "a click that counts as from where the role does not work": ("no PUT without permission", click_of_another(STAFF)),
    "a click on a card that waited, from where the role does not work": (
        "no PUT without permission",
        click_where_it_waited(STAFF),
    ),
    "a ledger that was replaced and nobody stopped": (
        "a replaced ledger stops callbot",
        {"lost": [Lost(12.0, -9, 15.0)]},
    ),
    "a PUT past a lost ledger": ("nothing is sent past a lost ledger", {"lost": [Lost(9.0, 1, 3.0)]}),
    "a field of another action": (
        "no PUT without permission",
        {"puts": [replace(PUT, fields={**PUT.fields, "private": 1})]},
    ),
}


@pytest.mark.parametrize(("promise", "changes"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_promise_is_found(promise: str, changes: dict[str, Any]) -> None:
    assert promise in {violation.promise for violation in violations(evidence(**changes), CAST)}


EXCUSED: dict[str, dict[str, Any]] = {
    "a kill within 100 ms of the acknowledgement": {
        "requests": [],
        "interventions": [],
        "puts": [],
        "shown": [],
        "kills": [Kill(9.95)],
        "cards": {},
        "calls": {"c1": RINGING},
        "legs": {},
    },
    "a click in a direct message on a card that was asked for where the role works": click_of_another(FLOOR),
    "a click on a card that waited for the phone, asked for where the role works": click_where_it_waited(FLOOR),
    "a kill after the bot had no processor": {
        "asked": [ASKED, replace(ASKED, trigger="t2", deliveries=[Acknowledged(11.8, 11.9, waited=0.1)])],
        "kills": [Kill(12.2, waited=0.31)],
    },
    "a PUT again that was refused as unauthenticated": {"puts": [replace(PUT, status=401), replace(PUT, at=10.4)]},
    "a PUT that a kill has prevented": {"puts": [], "outages": [Outage("bot", 10.05, 12.0)]},
    "an error while the bot was away": {
        "asked": [replace(ASKED, deliveries=[*ASKED.deliveries, Acknowledged(12.0, 12.0, "dispatch_failed")])],
        "outages": [Outage("bot", 11.0, 13.0)],
    },
    "listening where no agent reads": {
        "interventions": [replace(ROW, place=STAFF)],
        "cards": {"k1": (STAFF, "1.1")},
        "shown": [replace(CARD, channel=STAFF)],
    },
    "an update of a card that somebody took away": {
        "deleted": {("D0SUP01", "9.9")},
        "slack": {("D0SUP01", "9.9"): ["12.000 chat.update Ended -> 200 message_not_found"]},
        "refusals": [(12.0, "chat.update: message_not_found")],
    },
    "a request while the ledger took nothing": {
        "requests": [],
        "interventions": [],
        "puts": [],
        "shown": [],
        "cards": {},
        "calls": {"c1": RINGING},
        "legs": {},
        "outages": [Outage("ledger", 9.0, 12.0)],
    },
    "a ledger that was replaced after the PUT": {"lost": [Lost(12.0, 1, 3.0)]},
    "a PUT before callbot can know that somebody was removed": {"removed": {USER: [Span(9.0, 12.0)]}},
    "a PUT of somebody who was away and is back": {"removed": {USER: [Span(3.0, 9.0)]}},
    "the card of a request that has waited in vain after another": {
        "requests": [REQUEST, replace(REFUSED, extension=AGENT)],
        "asked": [ASKED, replace(ASKED, trigger="t2", deliveries=[Acknowledged(19.9, 20.0)])],
        "shown": [card(WAITED_IN_VAIN, "Who hears Sup01: nobody (not in the call)")],
        "interventions": [UNANSWERED],
        "calls": {"c1": RINGING},
    },
    "a card that was posted while the ledger was locked, before a kill": {
        "shown": [CARD, replace(CARD, ts="2.2")],
        "outages": [Outage("ledger", 9.95, 12.0)],
        "kills": [Kill(13.0)],
    },
    "a card that somebody took away": {"shown": [], "deleted": {("D0SUP01", "1.1")}},
}


@pytest.mark.parametrize("changes", EXCUSED.values(), ids=EXCUSED.keys())
def test_what_is_explained_is_no_violation(changes: dict[str, Any]) -> None:
    assert violations(evidence(**changes), CAST) == []


@pytest.mark.parametrize(
    ("user", "action", "extension", "channel", "forbidden"),
    [
        ("U0SUP01", "Whisper", AGENT, OPEN, ""),
        ("U0SUP06", "Whisper", AGENT, OPEN, "does not allow Whisper"),
        ("U0SUP07", "Monitor", AGENT, FLOOR, ""),
        ("U0SUP07", "Monitor", AGENT, OPEN, "does not work in"),
        ("U0SUP08", "StartRecording", AGENT, OPEN, ""),
        ("U0SUP08", "StartRecording", "0003*215", OPEN, "does not cover"),
        ("U0AG202", "Monitor", AGENT, OPEN, "does not allow"),
        ("U0KIM", "BargeIn", AGENT, OPEN, "another organisation"),
        ("U0KIM", "StartRecording", AGENT, OPEN, ""),
        ("U0GUEST", "Monitor", AGENT, OPEN, "a stranger"),
        ("U0EVE", "Monitor", AGENT, OPEN, "a stranger"),
    ],
)
def test_the_judge_knows_who_may_do_what(user: str, action: str, extension: str, channel: str, forbidden: str) -> None:
    found = CAST.why_not(user, action, extension, frozenset({channel}))
    assert (forbidden in found) if forbidden else (found == "")


# ── silent legs ──


PUBLIC, OWN = "public cards show no silent leg", "agents are shown no leg"


def listened_to(text: str, *public: str, channel: str = FLOOR) -> dict[str, Any]:
    """Another supervisor records the call that the first one listens to; their card, in that channel, says this."""
    phone = "0003*102"
    mine = replace(ROW, id="i2", card="k2", slack_user="U0SUP02", action="StartRecording", phone=phone, state="ended")
    mine = replace(mine, claim=None, following=False, channel=channel, place=channel)
    barged = [
        replace(ROW, id=f"b{n}", action=action, state="ended", following=False) for n, action in enumerate(public)
    ]
    return {
        "interventions": [ROW, *barged, mine],
        "shown": [CARD, Shown(channel, "2.2", text, (text,), ((20.0, text),), card="k2")],
    }


def answered(user: str, text: str) -> dict[str, Any]:
    """What a person alone was shown."""
    return {"private": {user: [Shown(FLOOR, "3.3", text, (text,), ((20.0, text),))]}}


def promises(changes: dict[str, Any]) -> set[str]:
    return {violation.promise for violation in violations(evidence(**changes), CAST)}


def test_a_silent_leg_on_another_persons_public_card_is_found() -> None:
    assert PUBLIC in promises(listened_to(f"Ended. From: {PHONE}"))


@pytest.mark.parametrize(
    "changes",
    [
        listened_to("Ended. From: +15550101"),
        listened_to(f"Ended. From: {PHONE}", channel=STAFF),
        listened_to(f"Ended. From: {PHONE}", "BargeIn"),
    ],
    ids=["it shows nobody", "it is where no agent reads", "all hear that one"],
)
def test_what_a_card_may_show_is_no_violation(changes: dict[str, Any]) -> None:
    assert PUBLIC not in promises(changes)


def test_a_leg_in_an_agents_own_list_is_found() -> None:
    assert OWN in promises(answered("U0AG201", f"Monitor <{PHONE}>"))


@pytest.mark.parametrize(
    "changes",
    [
        answered("U0SUP02", f"Monitor <{PHONE}>"),
        answered("U0AG201", "+15550101"),
        answered("U0IDLE", "1 live call. Idle Nobody 0003*190: on call"),
    ],
    ids=["a supervisor sees another", "an agent sees their caller", "an agent sees their own phone"],
)
def test_what_a_person_alone_may_be_shown_is_no_violation(changes: dict[str, Any]) -> None:
    assert promises(changes) == set()
