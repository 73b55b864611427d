"""What is on the cards that are kept up to date: by card, and what of it is still followed by call. No I/O here."""

from collections.abc import Iterable
from itertools import chain

from bot.domain.intervention import Intervention


class OpenCards:
    """The newest state of each intervention on each card."""

    def __init__(self) -> None:
        self._on_card: dict[str, dict[str, Intervention]] = {}
        self._followed: dict[str, dict[str, Intervention]] = {}
        """By call id and id; a call without any is not in it."""

    def __contains__(self, card_id: str) -> bool:
        return card_id in self._on_card

    @property
    def ids(self) -> tuple[str, ...]:
        """Of all cards."""
        return tuple(self._on_card)

    def on(self, card_id: str) -> tuple[Intervention, ...]:
        """Everything on a card, oldest first; nothing where it is not here."""
        return tuple(self._on_card.get(card_id, {}).values())

    def newest(self, one: Intervention) -> Intervention | None:
        """What is true of this one now; None where its card is not here."""
        return self._on_card.get(one.card, {}).get(one.id)

    @property
    def followed(self) -> tuple[Intervention, ...]:
        """Everything that is still followed."""
        return tuple(chain.from_iterable(in_call.values() for in_call in self._followed.values()))

    def followed_in(self, call_id: str) -> tuple[Intervention, ...]:
        """What is still followed in calls of this id."""
        return tuple(self._followed.get(call_id, {}).values())

    def take_up(self, card_id: str, shown: Iterable[Intervention]) -> dict[str, Intervention]:
        """The interventions on the card, by id; the dict changes as they do. A card that is not here begins as `shown`.

        The card may be forgotten while a caller waits with that dict: `put_back` has it here again.
        """
        if card_id not in self._on_card:
            self.put_back(card_id, {one.id: one for one in shown})
        return self._on_card[card_id]

    def put_back(self, card_id: str, shown: dict[str, Intervention]) -> None:
        """Have the card here again, if it was forgotten since `take_up` gave what was on it."""
        self._on_card.setdefault(card_id, shown)
        for one in self._on_card[card_id].values():
            self._follow(one)

    def put(self, one: Intervention) -> None:
        """A new state, on its card."""
        self._on_card.setdefault(one.card, {})[one.id] = one
        self._follow(one)

    def forget(self, card_id: str) -> None:
        """Leave the card to the ledger."""
        for one in self._on_card.pop(card_id, {}).values():
            self._unfollow(one)

    def _follow(self, one: Intervention) -> None:
        if one.following:
            self._followed.setdefault(one.call_id, {})[one.id] = one
        else:
            self._unfollow(one)

    def _unfollow(self, one: Intervention) -> None:
        in_call = self._followed.get(one.call_id, {})
        in_call.pop(one.id, None)
        if not in_call:
            self._followed.pop(one.call_id, None)
