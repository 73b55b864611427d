"""What the card of an alert shows, which alerts get a card of their own, and which share a digest."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.alert import AlertState, When
from bot.alerts.card import MOST_FULL_ALERTS, OWN_CARDS, WITHIN, Digests, describe_alert, describe_digest
from bot.domain.calls import PhoneCall
from bot.domain.legs import NOTHING_KNOWN, Known, without_legs
from bot.domain.permissions import ExtensionPattern, Permissions

MakeCall = Callable[..., PhoneCall]
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OWN = ""


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def seated(digests: Digests, channel: str, number: int, now: datetime, open_digest: str = "") -> str:
    """Ask for the digest of these alerts, and count them."""
    digest = digests.digest_for(channel, number, now, open_digest)
    digests.count(channel, number, now, digest)
    return digest


def remember(digests: Digests, channel: str, raised_at: datetime, digest: str) -> None:
    digests.count(channel, 1, raised_at, digest)


def ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"digest {next(numbers)}"


SEATS: dict[str, list[tuple[float, int, str]]] = {
    "one": [(0, 1, OWN)],
    "ten at once": [(0, 10, OWN)],
    "eleven at once": [(0, 11, "digest 1")],
    "ten one by one, then one more": [*[(n, 1, OWN) for n in range(10)], (10, 1, "digest 1")],
    "the last that fits, then two": [(0, 9, OWN), (1, 1, OWN), (2, 2, "digest 1")],
    "two that do not fit both": [(0, 9, OWN), (1, 2, "digest 1")],
    "one after a digest of few": [(0, 9, OWN), (1, 2, "digest 1"), (2, 1, "digest 1")],
    "ten, and ten a minute later": [(0, 10, OWN), (60, 10, OWN)],
    "ten, and one not quite a minute later": [(0, 10, OWN), (59.9, 1, "digest 1")],
    "the digested count too": [(0, 11, "digest 1"), (59, 10, "digest 1")],
    "a flood that is over": [(0, 11, "digest 1"), (60, 10, OWN)],
    "a flood that goes on": [(second, 6, OWN if second == 0 else "digest 1") for second in range(0, 300, 50)],
    "the next flood within a minute of the last alert": [
        (0, 11, "digest 1"),
        (59, 1, "digest 1"),
        (90, 11, "digest 1"),
    ],
    "the next flood later": [(0, 11, "digest 1"), (60, 1, OWN), (120, 11, "digest 2")],
}


@pytest.mark.parametrize("seats", SEATS.values(), ids=SEATS)
def test_more_than_ten_within_a_minute_share_a_digest(seats: list[tuple[float, int, str]]) -> None:
    digests = Digests(ids())
    assert [seated(digests, "C0A", number, at(second)) for second, number, _ in seats] == [seat for _, _, seat in seats]


def test_each_channel_has_floods_of_its_own() -> None:
    digests = Digests(ids())
    assert [seated(digests, channel, 10, NOON) for channel in ("C0A", "C0B", "C0C")] == [OWN] * 3


def test_each_channel_has_a_digest_of_its_own() -> None:
    digests = Digests(ids())
    assert [seated(digests, channel, 11, NOON) for channel in ("C0A", "C0B", "C0A")] == [
        "digest 1",
        "digest 2",
        "digest 1",
    ]


def test_a_digest_that_still_has_open_alerts_takes_the_next_flood() -> None:
    assert Digests(ids()).digest_for("C0A", 11, NOON, "an open one") == "an open one"


def test_few_get_cards_of_their_own_though_a_digest_has_open_alerts() -> None:
    assert Digests(ids()).digest_for("C0A", 10, NOON, "an open one") == OWN


def test_the_digest_that_took_the_last_ones_goes_before_another_that_is_open() -> None:
    digests = Digests(ids())
    seated(digests, "C0A", 11, NOON)
    assert seated(digests, "C0A", 11, at(1), "an older one") == "digest 1"


def test_an_open_digest_goes_on_as_the_one_that_took_the_last() -> None:
    digests = Digests(ids())
    seated(digests, "C0A", 11, NOON, "an open one")
    assert seated(digests, "C0A", 11, at(1)) == "an open one"


@pytest.mark.parametrize(("second", "current"), [(0, True), (59.9, True), (60, False), (-60, False)])
def test_a_digest_is_current_until_a_minute_after_its_last_alert(second: float, *, current: bool) -> None:
    digests = Digests(ids())
    seated(digests, "C0A", 11, at(-30))
    digest = seated(digests, "C0A", 11, NOON)
    assert digests.current(digest, at(second)) is current


@pytest.mark.parametrize("digest", ["digest 2", OWN])
def test_what_took_no_alert_is_not_current(digest: str) -> None:
    digests = Digests(ids())
    seated(digests, "C0A", 11, NOON)
    seated(digests, "C0B", 1, NOON)
    assert not digests.current(digest, NOON)


def test_a_flood_without_end_begins_a_new_digest_now_and_then() -> None:
    digests = Digests(ids())
    seats = [seated(digests, "C0A", 11, at(30 * number), OWN) for number in range(40)]
    assert list(dict.fromkeys(seats)) == ["digest 1", "digest 2"]


def test_a_digest_takes_only_so_many() -> None:
    digests = Digests(ids())
    assert [seated(digests, "C0A", 300, at(number)) for number in range(4)] == [*["digest 1"] * 2, *["digest 2"] * 2]


def test_what_was_not_raised_after_all_does_not_count() -> None:
    digests = Digests(ids())
    for _ in range(5):
        digests.digest_for("C0A", 4, NOON)
    assert seated(digests, "C0A", 4, NOON) == OWN


# ── after a restart ──


def test_what_an_earlier_process_raised_counts() -> None:
    digests = Digests(ids())
    for second in range(10):
        remember(digests, "C0A", at(second), OWN)
    assert seated(digests, "C0A", 1, at(59)) == "digest 1"


def test_what_an_earlier_process_raised_long_ago_does_not() -> None:
    digests = Digests(ids())
    for second in range(10):
        remember(digests, "C0A", at(second), OWN)
    assert seated(digests, "C0A", 1, at(60)) == OWN


@pytest.mark.parametrize("order", [1, -1])
def test_the_digest_of_an_earlier_process_goes_on(order: int) -> None:
    digests = Digests(ids())
    for second, digest in [(0, "an old one"), (30, "a newer one"), (40, OWN)][::order]:
        remember(digests, "C0A", at(second), digest)
    assert seated(digests, "C0A", 11, at(80)) == "a newer one"


def test_a_digest_of_an_earlier_process_is_over_after_a_minute() -> None:
    digests = Digests(ids())
    remember(digests, "C0A", NOON, "an old one")
    assert seated(digests, "C0A", 11, at(60)) == "digest 1"


def test_a_clock_that_was_set_back_makes_no_flood() -> None:
    digests = Digests(ids())
    seated(digests, "C0A", 10, NOON)
    assert seated(digests, "C0A", 10, at(-3600)) == OWN


# ── any alerts at all ──

BATCHES = st.lists(
    st.tuples(st.floats(0, 90), st.sampled_from(["C0A", "C0B"]), st.integers(1, 15), st.sampled_from([OWN, "open"])),
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(BATCHES)
def test_every_alert_is_on_exactly_one_card(batches: Any) -> None:
    digests, now, cards = Digests(ids()), NOON, Counter[str]()
    for place, (pause, channel, number, digest) in enumerate(batches):
        now += timedelta(seconds=pause)
        seat = seated(digests, channel, number, now, digest and f"{digest} in {channel}")
        cards.update({seat: number} if seat else {f"alert {place} {each}": 1 for each in range(number)})
    assert sum(cards.values()) == sum(number for _, _, number, _ in batches)


@settings(max_examples=100, deadline=None)
@given(BATCHES)
def test_no_more_than_ten_cards_come_within_a_minute(batches: Any) -> None:
    digests, now = Digests(ids()), NOON
    own: list[tuple[datetime, str, int]] = []
    for pause, channel, number, _ in batches:
        now += timedelta(seconds=pause)
        if not seated(digests, channel, number, now):
            own.append((now, channel, number))
            lately = [many for then, there, many in own if there == channel and now - then < WITHIN]
            assert sum(lately) <= OWN_CARDS


@settings(max_examples=100, deadline=None)
@given(BATCHES)
def test_alerts_that_are_few_all_have_cards_of_their_own(batches: Any) -> None:
    digests, now = Digests(ids()), NOON
    all_of_them: list[tuple[datetime, str, int]] = []
    for pause, channel, number, digest in batches:
        now += timedelta(seconds=pause)
        all_of_them.append((now, channel, number))
        lately = sum(many for then, there, many in all_of_them if there == channel and now - then < WITHIN)
        assert bool(seated(digests, channel, number, now, digest)) is (lately > OWN_CARDS)


@settings(max_examples=100, deadline=None)
@given(BATCHES)
def test_no_digest_is_of_two_channels(batches: Any) -> None:
    digests, now = Digests(ids()), NOON
    channels: dict[str, str] = {}
    for pause, channel, number, _ in batches:
        now += timedelta(seconds=pause)
        seat = seated(digests, channel, number, now)
        assert not seat or channels.setdefault(seat, channel) == channel


# ── what a card shows ──


def as_it_is(call: PhoneCall) -> PhoneCall:
    """Without known legs."""
    return call


def test_a_supervisor_s_leg_is_never_the_view_that_is_shown(
    a_call: MakeCall, a_view: Any, a_leg: Any, an_alert_of: Any, rules: Any
) -> None:
    alert = an_alert_of(a_call(a_leg("02"), a_view("03")), When.TALKING, view_id="02")
    for known in (Known(frozenset({"02"})), NOTHING_KNOWN):
        view = describe_alert(alert, rules, partial(without_legs, known=known, permissions=rules)).view
        assert view is not None
        assert view.id == "03"


def test_of_a_protected_call_nothing_is_shown(a_call: MakeCall, an_alert_of: Any, rules: Permissions) -> None:
    guarded = Permissions(people=rules.people, protected_extensions=(ExtensionPattern("0003*210"),))
    card = describe_alert(an_alert_of(a_call(), When.TALKING), guarded, as_it_is)
    assert (card.view, card.agent, card.names, card.buttons) == (None, "", {}, ())


def test_what_is_resolved_has_no_buttons(a_call: MakeCall, an_alert_of: Any, rules: Any) -> None:
    alert = an_alert_of(a_call(), When.TALKING)
    closed = alert.model_copy(update={"state": AlertState.RESOLVED})
    assert describe_alert(alert, rules, as_it_is).buttons != ()
    assert describe_alert(closed, rules, as_it_is).buttons == ()


def test_a_button_carries_its_alert_and_the_alert_s_channel(a_call: MakeCall, an_alert_of: Any, rules: Any) -> None:
    card = describe_alert(an_alert_of(a_call(), When.TALKING), rules, as_it_is)
    assert {(one.command.alert, one.channel) for one in card.buttons} == {("0f" * 16, "C0ALERTS")}


def test_a_digest_shows_the_oldest_in_full_and_counts_all(
    a_call: MakeCall, an_alert_of: Any, rules: Any, noon: datetime
) -> None:
    alerts = [
        an_alert_of(
            a_call(call_id=f"c{n}"), When.TALKING, id=f"{n:032x}", digest="d", since=noon.replace(minute=59 - n)
        )
        for n in range(20)
    ]
    alerts[19] = alerts[19].model_copy(update={"state": AlertState.RESOLVED})
    card = describe_digest(alerts, rules, as_it_is)
    assert [line.alert.call.id for line in card.lines] == [f"c{n}" for n in range(18, 18 - MOST_FULL_ALERTS, -1)]
    assert (card.open, card.total) == (19, 20)
