"""A silent leg that others were shown is found; what they may be shown is not."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.alert_rules import FLOOR
from tests.chaos.cast import STAFF
from tests.chaos.judge import violations
from tests.chaos.records import Shown
from tests.chaos.test_judge import CARD, CAST, PHONE, ROW, evidence

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
