"""Every promise about alerts can be seen broken: a made-up record of each kind of violation is found, a good one is not."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.cast import ALERTS, FLOOR, HOLDS, PROTECTED_CALLER, RULES, STAFF, AlertRule, Cast
from tests.chaos.judge import violations
from tests.chaos.records import (
    Acknowledged,
    AlertRow,
    Asked,
    CallSeen,
    Evidence,
    InterventionRow,
    Put,
    RequestRow,
    Shown,
    Span,
    ViewSeen,
)

CAST = Cast.of(12)
AGENT, PHONE, USER = "0003*201", "0003*101", "U0SUP01"
LISTENER, RECORDER = "U0SUP06", "U0SUP08"
ANSWERS = ("I'm on it", "Snooze 10 min")
RINGING_VIEW = ViewSeen("01", AGENT, ("+15550101",), AGENT, ringing=True)
RINGING = CallSeen("c1", frozenset({AGENT, "+15550101"}), (RINGING_VIEW,), published=10.0)
TALKING = replace(RINGING, views=(replace(RINGING_VIEW, ringing=False, answered=14.0),))
"""Young enough that the rule about long conversations may not have seen it yet."""
ALERT = AlertRow("a1", "a1", ALERTS, True, "Rings unanswered", "ringing", "c1", AGENT, "raised")
TEXT = f"Raised: Rings unanswered: Ag201 Popa {AGENT}. +15550101 has been ringing."
CARD = Shown(ALERTS, "1.1", TEXT, (TEXT,), ((12.0, TEXT),), "a1", ("Pick up", *ANSWERS))
OVER = replace(ALERT, open=False, state="resolved", how="answered")
OVER_TEXT = "Resolved after 4 s: Rings unanswered: Ag201 Popa 0003*201. Answered."
OVER_CARD = replace(CARD, text=OVER_TEXT, lines=(OVER_TEXT,), versions=((14.0, OVER_TEXT),), buttons=())


def evidence(**changes: Any) -> Evidence:
    """A call that rings for long, and its alert, with these changes."""
    good: dict[str, Any] = {
        "now": 30.0,
        "alerts": [ALERT],
        "cards": {"a1": (ALERTS, "1.1")},
        "shown": [CARD],
        "calls": {"c1": RINGING},
        "holds": {(ALERT.name, "c1"): [Span(10.0)]},
    }
    return Evidence(**good | changes)


def says(text: str, **changes: Any) -> dict[str, Any]:
    """Its card says that."""
    return {"shown": [replace(CARD, text=text, lines=(text,), versions=((12.0, text),), **changes)]}


def over(**changes: Any) -> dict[str, Any]:
    """The call was answered, and the alert is resolved."""
    return {"alerts": [OVER], "shown": [OVER_CARD], "calls": {"c1": TALKING}} | changes


SECOND = replace(ALERT, id="a2", card="d1", digest="d1", call_id="c2")
FIRST = replace(ALERT, card="d1", digest="d1")
OLD = replace(OVER, id="a3", card="d1", digest="d1", call_id="c3")


def digest(text: str, rows: tuple[AlertRow, ...] = (FIRST, SECOND, OLD), **changes: Any) -> dict[str, Any]:
    """Two calls ring, a third has rung, and their alerts share a card that says that."""
    card = {"ts": "5.5", "text": text, "lines": (text,), "card": "d1", "buttons": ANSWERS} | changes
    return {
        "alerts": list(rows),
        "calls": {"c1": RINGING, "c2": replace(RINGING, id="c2")},
        "cards": {"d1": (ALERTS, "5.5")},
        "shown": [replace(CARD, versions=((12.0, text),), **card)],
    }


TWO_OPEN = "Raised: 3 alerts in this channel, 2 open."


def all_over(text: str, **changes: Any) -> dict[str, Any]:
    """Three alerts of a digest are resolved, and it says that."""
    rows = tuple(replace(row, open=False, state="resolved", how="answered") for row in (FIRST, SECOND, OLD))
    return digest(text, rows, **{"buttons": ()} | changes) | {"calls": {}}


HELP_REQUEST = replace(ALERT, name="Ag201 Popa", when="help_request", asked_by="U0AG201")
HELP_TEXT = "Raised: Ag201 Popa asks for help. Ag201 Popa is on call with +15550101."


def help_request(row: AlertRow = HELP_REQUEST, user: str = "U0AG201", said: str = "/calls help-me") -> dict[str, Any]:
    """An agent asks for help."""
    return says(HELP_TEXT) | {
        "alerts": [row],
        "calls": {"c1": TALKING},
        "asked": [Asked("t1", user, FLOOR, said, deliveries=[Acknowledged(10.0, 10.1)])],
        "requests": [RequestRow("r1", "t1", user, FLOOR, said, "answered", 10.0, None)],
    }


def answer(user: str, channel: str = ALERTS, said: str = "[I'm on it]", outcome: str = "answered") -> dict[str, Any]:
    """Somebody answers the alert, which stands in that channel."""
    return {
        "alerts": [replace(ALERT, channel=channel)],
        "cards": {"a1": (channel, "1.1")},
        "shown": [replace(CARD, channel=channel)],
        "asked": [Asked("t1", user, channel, said, "a1", deliveries=[Acknowledged(13.0, 13.1)])],
        "requests": [RequestRow("r1", "t1", user, channel, said, outcome, 13.0, None)],
    }


def pick_up(user: str, phone: str, channel: str) -> dict[str, Any]:
    """Somebody has picked the call up from the card of the alert, which stands in that channel."""
    picked = ViewSeen("01", AGENT, (phone,), phone, answered=14.0)
    text = f"Resolved after 4 s: Rings unanswered: Ag201 Popa {AGENT}. Picked up by Sup Marin {phone}."
    fields = {"action": "PickUp", "sendCallTo": phone, "phoneCallViewId": "01"}
    row = InterventionRow(
        "i1",
        "k1",
        user,
        "c1",
        AGENT,
        "PickUp",
        "connected",
        True,
        13.0,
        "c1 PickUp",
        channel,
        channel,
        phone,
        "01",
        2.0,
    )
    mine = "Connected. Who hears Sup: everyone in the call."
    card = replace(OVER_CARD, channel=channel, text=text, lines=(text,), versions=((15.0, text),))
    return {
        "alerts": [replace(OVER, how="picked_up", channel=channel)],
        "calls": {"c1": replace(RINGING, views=(picked,))},
        "cards": {"a1": (channel, "1.1"), "k1": (channel, "2.2")},
        "shown": [card, Shown(channel, "2.2", mine, (mine,), ((15.0, mine),), "k1")],
        "legs": {(phone, "c1"): [Span(14.0)]},
        "asked": [Asked("t1", user, channel, "[Pick up]", "a1", deliveries=[Acknowledged(13.0, 13.1)])],
        "requests": [RequestRow("r1", "t1", user, channel, "[Pick up]", "sent", 13.0, "i1")],
        "interventions": [row],
        "puts": [Put(13.1, AGENT, "c1", fields, frozenset({"i1"}), RINGING, status=202)],
    }


def pick_up_on_digest() -> dict[str, Any]:
    """That alert on a digest, which shows with whom the call was then."""
    found = pick_up(USER, PHONE, ALERTS)
    told = f"Raised: 1 alert in this channel, 1 open. The call with Sup Marin {PHONE} has lasted."
    text = "Resolved: the only alert."
    _, mine = found["shown"]
    card = replace(OVER_CARD, ts="5.5", text=text, lines=(text,), versions=((15.0, told), (16.0, text)), card="d1")
    return found | {
        "alerts": [replace(OVER, how="picked_up", card="d1", digest="d1")],
        "cards": found["cards"] | {"d1": (ALERTS, "5.5")},
        "shown": [card, mine],
        "asked": [replace(found["asked"][0], clicked="d1")],
    }


GOOD: dict[str, dict[str, Any]] = {
    "a call that rings, and its alert": {},
    "an alert that is snoozed": says("Snoozed: Rings unanswered.", buttons=("Pick up", "I'm on it"))
    | {"alerts": [replace(ALERT, state="snoozed")]},
    "an alert that is resolved": over(),
    "a digest": digest(TWO_OPEN),
    "a digest of what is over": all_over("Resolved: all 3 alerts."),
    "a digest that has counted what has another card now": all_over("Resolved: all 5 alerts."),
    "a help request": help_request(),
    "a help request by the button": help_request(said="[Ask for help]"),
    "a card that somebody took away": {"shown": [], "deleted": {(ALERTS, "1.1")}},
    "a call that has not rung for long": {"now": 20.0, "alerts": [], "cards": {}, "shown": []},
    "a protected call without an alert": {"alerts": [], "cards": {}, "shown": [], "protected": {"c1"}},
    "an answer of somebody who may do one thing": answer(LISTENER),
    "an answer of a stranger that was refused": answer("U0EVE", outcome="refused"),
    "a call picked up from the card": pick_up(USER, PHONE, ALERTS),
    "a call picked up from a digest": pick_up_on_digest(),
    "a call picked up from a card where the role works": pick_up("U0SUP07", "0003*107", FLOOR),
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD.keys())
def test_a_good_record_has_no_violation(changes: dict[str, Any]) -> None:
    assert violations(evidence(**changes), CAST) == []


ONE, FORGOTTEN, LIES = "one card for one alert", "no alert is forgotten", "no alert lies"
QUIET, PROTECTED = "alerts tell of nobody who listens", "protected calls raise nothing"
BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "two messages for one alert": (ONE, {"shown": [CARD, replace(CARD, ts="2.2")]}),
    "two alerts of one rule and call": (ONE, {"alerts": [ALERT, replace(ALERT, id="a2", card="a2")]}),
    "a message that nobody keeps": (ONE, {"shown": [CARD, replace(CARD, ts="2.2", card="a9")]}),
    "an alert on a card and a digest": (
        ONE,
        digest(TWO_OPEN)
        | {"shown": [*digest(TWO_OPEN)["shown"], CARD], "cards": {"d1": (ALERTS, "5.5"), "a1": (ALERTS, "1.1")}},
    ),
    "two messages for one digest": (ONE, digest(TWO_OPEN) | {"shown": 2 * digest(TWO_OPEN)["shown"]}),
    "a call that rings for long without an alert": (FORGOTTEN, {"alerts": [], "cards": {}, "shown": []}),
    "a call that rings for long after its alert was resolved": (FORGOTTEN, over(calls={"c1": RINGING})),
    "an alert without a card": (FORGOTTEN, {"shown": [], "cards": {}}),
    "a resolved alert without a card": (FORGOTTEN, over(shown=[])),
    "an alert for what is over": (LIES, {"calls": {"c1": TALKING}}),
    "an alert for a call that is over": (LIES, {"calls": {}}),
    "a help request after the agent has left the call": (
        LIES,
        help_request() | {"calls": {"c1": replace(TALKING, views=(replace(TALKING.views[0], extension="0003*202"),))}},
    ),
    "over, and the call goes on": (LIES, over(alerts=[replace(OVER, how="call_over")])),
    "a resolved alert that is shown as open": (LIES, over(shown=[CARD])),
    "an open alert that is shown as resolved": (LIES, {"shown": [OVER_CARD]}),
    "a resolved alert with buttons": (LIES, over(shown=[replace(OVER_CARD, buttons=("Pick up",))])),
    "a snoozed alert that is shown as raised": (
        LIES,
        {"alerts": [replace(ALERT, state="snoozed")], "shown": [replace(CARD, buttons=("I'm on it",))]},
    ),
    "an open alert without its buttons": (LIES, {"shown": [replace(CARD, buttons=())]}),
    "a snoozed alert that can be snoozed": (
        LIES,
        says("Snoozed: Rings unanswered.") | {"alerts": [replace(ALERT, state="snoozed")]},
    ),
    "a digest that counts too few open ones": (LIES, digest("Raised: 3 alerts in this channel, 1 open.")),
    "a digest that drops one": (LIES, digest("Raised: 2 alerts in this channel, 2 open.")),
    "a digest that is over while one is open": (LIES, digest("Resolved: all 3 alerts.", buttons=())),
    "a digest that is open after all": (LIES, all_over(TWO_OPEN)),
    "a digest of what is over that drops one": (LIES, all_over("Resolved: all 2 alerts.")),
    "a digest of what is over with buttons": (LIES, all_over("Resolved: all 3 alerts.", buttons=("I'm on it",))),
    "an open digest without buttons": (LIES, digest(TWO_OPEN, buttons=())),
    "an alert that tells who listens": (QUIET, says(f"{TEXT} Sup01 Marin is on it: Monitor, Connected.")),
    "an alert that tells who hears whom": (QUIET, says(f"{TEXT} Who hears Sup01: nobody.")),
    "an alert that names the phone of a leg": (QUIET, says(f"{TEXT} With {PHONE}.")),
    "an alert that told it once": (
        QUIET,
        {"shown": [replace(CARD, versions=((12.0, f"{TEXT} Whispering."), (13.0, TEXT)))]},
    ),
    "a digest that names the phone of a leg": (QUIET, digest(f"{TWO_OPEN} With {PHONE}.")),
    "an alert for a protected call": (PROTECTED, {"protected": {"c1"}}),
    "a resolved alert for a protected call": (PROTECTED, over(protected={"c1"})),
    "a protected caller on a card": (PROTECTED, says(f"{TEXT} {PROTECTED_CALLER}.")),
    "an answer of a stranger": ("no answer without permission", answer("U0EVE")),
    "an answer of an agent": ("no answer without permission", answer("U0AG202", said="[Snooze 10 min]")),
    "an answer from where the role does not work": ("no answer without permission", answer("U0SUP07", HOLDS)),
    "a help request for another's call": (
        "nobody asks for help for somebody else",
        help_request(replace(HELP_REQUEST, asked_by=USER), USER),
    ),
    "a help request that nobody made": ("nobody asks for help for somebody else", help_request(said="/calls")),
    "a call picked up where the role does not work": (
        "no PUT without permission",
        pick_up("U0SUP07", "0003*107", ALERTS),
    ),
}


@pytest.mark.parametrize(("promise", "changes"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_promise_is_found(promise: str, changes: dict[str, Any]) -> None:
    assert promise in {violation.promise for violation in violations(evidence(**changes), CAST)}


LEG = ViewSeen("02", AGENT, (PHONE,), PHONE, leg=True, answered=12.0)
HELD = replace(TALKING.views[0], on_hold=20.0)


@pytest.mark.parametrize(
    ("rule", "views", "since"),
    [
        (RULES[0], (RINGING_VIEW,), 10.0),
        (RULES[0], TALKING.views, None),
        (RULES[1], (HELD,), 20.0),
        (RULES[1], TALKING.views, None),
        (RULES[1], (replace(HELD, extension="0003*210"),), None),
        (RULES[1], (replace(RINGING_VIEW, on_hold=20.0),), None),
        (RULES[2], TALKING.views, 14.0),
        (RULES[2], (replace(TALKING.views[0], extension="0003*202"),), None),
        (RULES[2], (LEG,), None),
    ],
)
def test_the_judge_knows_since_when_a_rule_holds(
    rule: AlertRule, views: tuple[ViewSeen, ...], since: float | None
) -> None:
    assert rule.since(replace(RINGING, views=views), of_parties=True) == since


def test_a_leg_may_keep_an_alert_that_it_did_not_raise() -> None:
    assert RULES[2].since(replace(RINGING, views=(LEG,))) == 12.0


def test_a_card_of_an_alert_is_no_place_to_ask_from_but_its_own() -> None:
    found = violations(evidence(**pick_up("U0SUP07", "0003*107", STAFF)), CAST)
    assert {violation.promise for violation in found} == {"no PUT without permission"}
