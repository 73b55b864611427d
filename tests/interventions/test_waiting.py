"""A change of mode waits until the old leg is gone, and nobody else decides about it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.actions import ActionName
from bot.domain.calls import PhoneSeen
from bot.domain.errors import NotAuthorized, NotSuitable
from bot.domain.intervention import Intervention, State, Why
from bot.interventions.waiting import Verdict, WaitingRequests, WaitsForPhone


class Phones:
    """What the PBX says of phones, answer by answer, and how often it was asked; busy once that is used up."""

    def __init__(self, *answers: PhoneSeen | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def seen(self, phone: str) -> PhoneSeen:
        self.asked.append(phone)
        answer = self.answers.pop(0) if self.answers else PhoneSeen.BUSY
        if isinstance(answer, Exception):
            raise answer
        return answer


def changes(
    show: Callable[[str], None],
    phones: Phones | None = None,
    *,
    is_ours: Callable[[Intervention], bool] = lambda _: False,
    patience: float = 30.0,
) -> WaitingRequests:
    """What waits, with polls a hundredth of a second apart."""
    seen = (phones or Phones()).seen
    return WaitingRequests(show, phone_seen=seen, is_ours=is_ours, patience=patience, poll_every=0.01)


@pytest.fixture
def current(an_intervention: Callable[..., Intervention]) -> Intervention:
    return an_intervention().model_copy(update={"state": State.CONNECTED, "leg": "02"})


async def begun(
    waiting_requests: WaitingRequests, current: Intervention, to: ActionName = ActionName.WHISPER
) -> "asyncio.Task[Verdict]":
    """A change that waits."""
    waiting = asyncio.create_task(waiting_requests.wait_for_hang_up(current, to))
    while not waiting_requests.waits(current.card):
        await asyncio.wait({waiting}, timeout=0.001)
    return waiting


async def test_it_goes_on_when_the_supervisor_has_hung_up(current: Intervention) -> None:
    shown: list[str] = []
    waiting_requests = changes(shown.append)
    waiting = await begun(waiting_requests, current)
    assert shown == [current.card]
    waiting_requests.ended(current.model_copy(update={"state": State.ENDED, "why": Why.LEFT}))
    assert await waiting is Verdict.FREE
    assert waiting_requests.shown_on(current.card) is None


async def test_it_comes_to_nothing_when_the_call_is_over(current: Intervention) -> None:
    waiting_requests = changes(lambda card: None)
    waiting = await begun(waiting_requests, current)
    waiting_requests.ended(current.model_copy(update={"state": State.ENDED, "why": Why.CALL_OVER}))
    assert await waiting is Verdict.OVER


async def test_the_end_of_another_intervention_on_the_card_decides_nothing(current: Intervention) -> None:
    waiting_requests = changes(lambda card: None)
    waiting = await begun(waiting_requests, current)
    waiting_requests.ended(current.model_copy(update={"id": "another", "state": State.ENDED, "why": Why.LEFT}))
    assert waiting_requests.waits(current.card)
    waiting_requests.decide(current.card, current.slack_user, ring_now=False)
    await waiting


@pytest.mark.parametrize(("now", "verdict"), [(True, Verdict.NOW), (False, Verdict.CANCELLED)])
async def test_its_person_decides_with_a_button(current: Intervention, now: bool, verdict: Verdict) -> None:
    waiting_requests = changes(lambda card: None)
    waiting = await begun(waiting_requests, current)
    waiting_requests.decide(current.card, current.slack_user, ring_now=now)
    assert await waiting is verdict


async def test_nobody_else_decides(current: Intervention) -> None:
    waiting_requests = changes(lambda card: None)
    waiting = await begun(waiting_requests, current)
    with pytest.raises(NotAuthorized):
        waiting_requests.decide(current.card, "U0LIS", ring_now=True)
    assert waiting_requests.waits(current.card)
    waiting_requests.decide(current.card, current.slack_user, ring_now=False)
    await waiting


async def test_a_second_answer_is_refused(current: Intervention) -> None:
    waiting_requests = changes(lambda card: None)
    waiting = await begun(waiting_requests, current)
    waiting_requests.decide(current.card, current.slack_user, ring_now=True)
    with pytest.raises(NotSuitable):
        waiting_requests.decide(current.card, current.slack_user, ring_now=False)
    await waiting


async def test_a_button_of_a_question_that_is_gone_says_so() -> None:
    with pytest.raises(NotSuitable, match="Nothing is waiting there any more"):
        changes(lambda card: None).decide("card", "U0ANA", ring_now=True)


async def test_after_its_time_the_card_says_that_nothing_was_switched(current: Intervention) -> None:
    shown: list[Any] = []
    waiting_requests = changes(lambda card: shown.append(waiting_requests.shown_on(card)), patience=0.01)
    assert await waiting_requests.wait_for_hang_up(current, ActionName.BARGE_IN) is Verdict.LATE
    assert [one.late for one in shown] == [False, True]


async def test_when_callbot_ends_nothing_waits_any_more(current: Intervention) -> None:
    waiting_requests = changes(lambda card: None)
    waiting = await begun(waiting_requests, current)
    waiting_requests.close()
    assert await waiting is Verdict.STOPPED


async def test_the_next_end_takes_the_late_note_away(current: Intervention) -> None:
    waiting_requests = changes(lambda card: None, patience=0.01)
    await waiting_requests.wait_for_hang_up(current, ActionName.BARGE_IN)
    waiting_requests.ended(current)
    assert waiting_requests.shown_on(current.card) is None


# ── a request for another call than the one that the phone is busy with ──


@pytest.fixture
def asked(an_intervention: Callable[..., Intervention]) -> Intervention:
    return an_intervention()


async def test_a_phone_that_stays_busy_is_waited_for_and_no_longer(asked: Intervention) -> None:
    waiting_requests = changes(lambda card: None, patience=0.05)
    assert await waiting_requests.wait_for_phone(asked, "Bob", waiting_requests.ends_at()) is Verdict.LATE
    assert waiting_requests.shown_on(asked.card) is None


@pytest.mark.parametrize("free", [PhoneSeen.ONLINE, PhoneSeen.UNKNOWN, PhoneSeen.NOT_REGISTERED])
async def test_it_goes_on_when_the_phone_is_no_longer_busy(asked: Intervention, free: PhoneSeen) -> None:
    phones = Phones(PhoneSeen.BUSY, RuntimeError("invented"), PhoneSeen.RINGING, free)
    waiting_requests = changes(lambda card: None, phones)
    assert await waiting_requests.wait_for_phone(asked, "Bob", waiting_requests.ends_at()) is Verdict.FREE
    assert phones.asked == [asked.phone] * 4


async def test_the_card_of_what_waits_for_a_phone_names_whose_call_it_is_busy_with(asked: Intervention) -> None:
    shown: list[Any] = []
    waiting_requests = changes(lambda card: shown.append(waiting_requests.shown_on(card)), patience=0.01)
    await waiting_requests.wait_for_phone(asked, "Bob", waiting_requests.ends_at())
    assert shown == [WaitsForPhone(whose="Bob")]


async def test_one_poll_serves_all_that_wait_for_a_phone(asked: Intervention) -> None:
    phones = Phones(PhoneSeen.BUSY, PhoneSeen.BUSY, PhoneSeen.ONLINE)
    waiting_requests = changes(lambda card: None, phones)
    cards = [asked.model_copy(update={"card": f"card {number}"}) for number in range(5)]
    waiting = [waiting_requests.wait_for_phone(one, "Bob", waiting_requests.ends_at()) for one in cards]
    assert set(await asyncio.gather(*waiting)) == {Verdict.FREE}
    assert phones.asked == [asked.phone] * 3


async def test_each_phone_is_polled_for_those_that_wait_for_it(asked: Intervention) -> None:
    phones = Phones(PhoneSeen.ONLINE, PhoneSeen.ONLINE)
    waiting_requests = changes(lambda card: None, phones)
    other = asked.model_copy(update={"card": "another", "phone": "0003*025"})
    waiting = [waiting_requests.wait_for_phone(one, "Bob", waiting_requests.ends_at()) for one in (asked, other)]
    assert await asyncio.gather(*waiting) == [Verdict.FREE, Verdict.FREE]
    assert sorted(phones.asked) == ["0003*024", "0003*025"]


async def test_the_pbx_is_not_asked_about_a_phone_that_callbot_itself_keeps_busy(asked: Intervention) -> None:
    ours = iter([True, True, False])
    phones = Phones(PhoneSeen.ONLINE)
    waiting_requests = changes(lambda card: None, phones, is_ours=lambda _: next(ours))
    assert await waiting_requests.wait_for_phone(asked, "Bob", waiting_requests.ends_at()) is Verdict.FREE
    assert phones.asked == [asked.phone]


async def test_a_phone_is_polled_no_more_when_nothing_waits_for_it(asked: Intervention) -> None:
    phones = Phones()
    waiting_requests = changes(lambda card: None, phones, patience=0.02)
    await waiting_requests.wait_for_phone(asked, "Bob", waiting_requests.ends_at())
    polls = len(phones.asked)
    await waiting_requests.wait_for_hang_up(asked, ActionName.WHISPER)
    assert len(phones.asked) == polls
