"""A change of mode waits until the old leg is gone, and nobody else decides about it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.errors import NotAuthorized, NotSuitable
from bot.domain.intervention import Intervention, State, Why
from bot.interventions.mode_change import ModeChanges, Verdict
from bot.interventions.ports import BusyPhone


@pytest.fixture
def held(an_intervention: Callable[..., Intervention]) -> Intervention:
    return an_intervention().model_copy(update={"state": State.CONNECTED, "leg": "02"})


async def begun(
    mode_changes: ModeChanges, held: Intervention, to: ActionName = ActionName.WHISPER
) -> "asyncio.Task[Verdict]":
    """A change that waits."""
    waiting = asyncio.create_task(mode_changes.wait(held, to))
    while not mode_changes.waits(held.card):
        await asyncio.wait({waiting}, timeout=0.001)
    return waiting


async def test_it_goes_on_when_the_supervisor_has_hung_up(held: Intervention) -> None:
    shown: list[str] = []
    mode_changes = ModeChanges(shown.append)
    waiting = await begun(mode_changes, held)
    assert shown == [held.card]
    mode_changes.ended(held.model_copy(update={"state": State.ENDED, "why": Why.LEFT}))
    assert await waiting is Verdict.LEFT
    assert mode_changes.on_card(held.card) is None


async def test_it_comes_to_nothing_when_the_call_is_over(held: Intervention) -> None:
    mode_changes = ModeChanges(lambda card: None)
    waiting = await begun(mode_changes, held)
    mode_changes.ended(held.model_copy(update={"state": State.ENDED, "why": Why.CALL_OVER}))
    assert await waiting is Verdict.OVER


async def test_the_end_of_another_intervention_on_the_card_decides_nothing(held: Intervention) -> None:
    mode_changes = ModeChanges(lambda card: None)
    waiting = await begun(mode_changes, held)
    mode_changes.ended(held.model_copy(update={"id": "another", "state": State.ENDED, "why": Why.LEFT}))
    assert mode_changes.waits(held.card)
    mode_changes.decide(held.card, held.slack_user, now=False)
    await waiting


@pytest.mark.parametrize(("now", "verdict"), [(True, Verdict.NOW), (False, Verdict.CANCELLED)])
async def test_its_person_decides_with_a_button(held: Intervention, now: bool, verdict: Verdict) -> None:
    mode_changes = ModeChanges(lambda card: None)
    waiting = await begun(mode_changes, held)
    mode_changes.decide(held.card, held.slack_user, now=now)
    assert await waiting is verdict


async def test_nobody_else_decides(held: Intervention) -> None:
    mode_changes = ModeChanges(lambda card: None)
    waiting = await begun(mode_changes, held)
    with pytest.raises(NotAuthorized):
        mode_changes.decide(held.card, "U0LIS", now=True)
    assert mode_changes.waits(held.card)
    mode_changes.decide(held.card, held.slack_user, now=False)
    await waiting


async def test_a_second_answer_is_refused(held: Intervention) -> None:
    mode_changes = ModeChanges(lambda card: None)
    waiting = await begun(mode_changes, held)
    mode_changes.decide(held.card, held.slack_user, now=True)
    with pytest.raises(NotSuitable):
        mode_changes.decide(held.card, held.slack_user, now=False)
    await waiting


async def test_a_button_of_a_question_that_is_gone_says_so() -> None:
    with pytest.raises(NotSuitable, match="Nothing is waiting there any more"):
        ModeChanges(lambda card: None).decide("card", "U0ANA", now=True)


async def test_after_its_time_the_card_says_that_nothing_was_switched(held: Intervention) -> None:
    shown: list[Any] = []
    mode_changes = ModeChanges(lambda card: shown.append(mode_changes.on_card(card)), patience=0.01)
    assert await mode_changes.wait(held, ActionName.BARGE_IN) is Verdict.LATE
    assert [one.late for one in shown] == [False, True]


async def test_when_callbot_ends_nothing_waits_any_more(held: Intervention) -> None:
    mode_changes = ModeChanges(lambda card: None)
    waiting = await begun(mode_changes, held)
    mode_changes.close()
    assert await waiting is Verdict.STOPPED


async def test_the_next_end_takes_the_late_note_away(held: Intervention) -> None:
    mode_changes = ModeChanges(lambda card: None, patience=0.01)
    await mode_changes.wait(held, ActionName.BARGE_IN)
    mode_changes.ended(held)
    assert mode_changes.on_card(held.card) is None


# ── a request for another call than the one that the phone is busy with ──


@pytest.fixture
def asked(an_intervention: Callable[..., Intervention]) -> Intervention:
    return an_intervention()


async def never() -> bool:
    return False


async def test_a_phone_that_stays_busy_is_waited_for_and_no_longer(asked: Intervention) -> None:
    mode_changes = ModeChanges(lambda card: None, patience=0.05, look_every=0.01)
    assert await mode_changes.wait_for_phone(asked, "Bob", never, mode_changes.ends_at()) is Verdict.LATE
    assert mode_changes.on_card(asked.card) is None


async def test_it_goes_on_when_the_phone_is_free(asked: Intervention) -> None:
    looks = iter([False, False, True])

    async def free() -> bool:
        return next(looks)

    mode_changes = ModeChanges(lambda card: None, look_every=0.01)
    assert await mode_changes.wait_for_phone(asked, "Bob", free, mode_changes.ends_at()) is Verdict.LEFT


async def test_the_card_of_what_waits_for_a_phone_names_whose_call_it_is_busy_with(asked: Intervention) -> None:
    shown: list[Any] = []
    mode_changes = ModeChanges(lambda card: shown.append(mode_changes.on_card(card)), patience=0.01, look_every=0.01)
    await mode_changes.wait_for_phone(asked, "Bob", never, mode_changes.ends_at())
    assert shown == [BusyPhone(whose="Bob")]
