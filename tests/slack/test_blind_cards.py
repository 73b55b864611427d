"""The card that says that no alert can come: since when, what to do, and when it is over."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from bot.alerts.card import BlindCard
from bot.sandbox.workspace.message_rules import check_blocks
from bot.slack.alert_card import blind_message
from bot.slack.messages import Message

Told = Callable[[Message], str]


@pytest.fixture
def blind(noon: datetime) -> BlindCard:
    return BlindCard(id="b1", place="C0ALERTS", since=noon, whole=True)


def test_the_text_begins_with_what_cannot_be_read_and_since_when(blind: BlindCard) -> None:
    assert blind_message(blind).text.startswith("Blind since 12:00 UTC: no alert will come.")


def test_a_channel_that_is_blind_in_part_is_not_told_that_no_alert_comes(blind: BlindCard) -> None:
    text = blind_message(blind.model_copy(update={"whole": False})).text
    assert text.startswith("Partly blind since 12:00 UTC: some alerts will not come.")
    assert "no alert will come" not in text


def test_the_card_says_since_when_and_what_to_do(blind: BlindCard, told: Told) -> None:
    read = told(blind_message(blind))
    assert read.startswith("⚠️ Blind since 12:00 UTC: no alert will come\n")
    for words in ("last at 12:00:00 (ago)", "watch the calls on the phones", "`callbot check`"):
        assert words in read


def test_the_card_says_from_when_to_when_it_was_so(blind: BlindCard, noon: datetime, told: Told) -> None:
    read = told(blind_message(blind.model_copy(update={"ended": noon + timedelta(minutes=8)})))
    assert read.startswith("✅ Resolved: callbot sees the calls again\n")
    assert "From 12:00:00 to 12:08:00 callbot could not read the live calls." in read


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("over", [True, False])
def test_slack_takes_it(blind: BlindCard, noon: datetime, *, whole: bool, over: bool) -> None:
    card = blind.model_copy(update={"whole": whole, "ended": noon if over else None})
    assert check_blocks(list(blind_message(card).blocks)) == []
