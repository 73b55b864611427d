"""What is remembered of the open cards is the same by card and by call, whatever came in which order."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.actions import ActionName
from bot.domain.intervention import Intervention
from bot.interventions.open_cards import OpenCards

MakeIntervention = Callable[..., Intervention]
CARDS, CALLS = ("card1", "card2"), ("call1", "call2")

truths = st.tuples(st.integers(0, 5), st.booleans())
"""The n-th intervention, and whether it is followed from now on."""
events = st.lists(st.one_of(truths, st.sampled_from(CARDS)), max_size=30)
"""A new truth, or a card that is forgotten."""


@given(events=events)
def test_what_is_followed_by_call_is_what_is_followed_on_the_cards(
    an_intervention: MakeIntervention, events: list[tuple[int, bool] | str]
) -> None:
    plain = an_intervention(ActionName.MONITOR)
    cards = OpenCards()
    on_cards: dict[str, dict[str, Intervention]] = {}
    for event in events:
        if isinstance(event, str):
            cards.forget(event)
            on_cards.pop(event, None)
            continue
        number, following = event
        its = {"id": f"i{number}", "card": CARDS[number % 2], "call_id": CALLS[number // 3], "following": following}
        one = plain.model_copy(update=its)
        cards.put(one)
        on_cards.setdefault(one.card, {})[one.id] = one
    everything = [one for shown in on_cards.values() for one in shown.values()]
    followed = {one.id: one for one in everything if one.following}
    assert {one.id: one for one in cards.followed} == followed
    assert {one.id for call in CALLS for one in cards.followed_in(call)} == set(followed)
    assert all(one.call_id == call for call in CALLS for one in cards.followed_in(call))
    assert {card: cards.on(card) for card in cards.ids} == {
        card: tuple(shown.values()) for card, shown in on_cards.items()
    }


def test_a_card_that_was_forgotten_comes_back_as_it_was_last(an_intervention: MakeIntervention) -> None:
    cards, one = OpenCards(), an_intervention(ActionName.MONITOR)
    shown = cards.take_up(one.card, [one])
    over = one.model_copy(update={"following": False})
    cards.put(over)
    cards.forget(one.card)
    cards.put_back(one.card, shown)
    assert (cards.on(one.card), cards.followed) == ((over,), ())


def test_what_is_here_already_is_not_taken_from_the_ledger(an_intervention: MakeIntervention) -> None:
    cards, one = OpenCards(), an_intervention(ActionName.MONITOR)
    over = one.model_copy(update={"following": False})
    cards.put(over)
    cards.take_up(one.card, [one])
    assert cards.on(one.card) == (over,)


def test_what_is_taken_up_from_the_ledger_is_followed(an_intervention: MakeIntervention) -> None:
    cards, one = OpenCards(), an_intervention(ActionName.MONITOR)
    cards.take_up(one.card, [one])
    assert (cards.followed, cards.followed_in(one.call_id)) == ((one,), (one,))
