"""The card of many alerts of one channel, and the card of an outage, which says that no alert can come."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.alerts.alert import Alert, acknowledged, snoozed
from bot.alerts.card import AlertCard, BlindCard, DigestCard
from bot.domain.commands import AnswerAlert
from bot.slack.alert_card import blind_message, digest_message
from bot.slack.button_codec import unpack
from bot.slack.messages import Message

MakeAlert = Callable[..., Alert]
MakeAlertCard = Callable[..., AlertCard]
MakeDigest = Callable[..., DigestCard]
Told = Callable[[Message], str]

COUNTS: list[tuple[tuple[tuple[str, int, int], ...], str, list[str]]] = [
    (
        (("Rings unanswered", 9, 20), ("Talks long", 3, 17)),
        "Raised: 37 alerts in this channel, 12 open",
        ["Rings unanswered: 9 of 20 open", "Talks long: 3 of 17 open"],
    ),
    (
        (("Rings unanswered", 0, 20), ("Talks long", 17, 17)),
        "Raised: 37 alerts in this channel, 17 open",
        ["Rings unanswered: all 20 resolved", "Talks long: 17 of 17 open"],
    ),
    (
        (("Rings unanswered", 0, 20), ("Talks long", 0, 1)),
        "Resolved: all 21 alerts",
        ["Rings unanswered: all 20 resolved", "Talks long: resolved"],
    ),
    ((("Rings unanswered", 1, 1),), "Raised: 1 alert in this channel, 1 open", ["Rings unanswered: 1 of 1 open"]),
    ((("Rings unanswered", 0, 1),), "Resolved: the only alert", ["Rings unanswered: resolved"]),
]


@pytest.mark.parametrize(("rules", "head", "lines"), COUNTS, ids=[row[1] for row in COUNTS])
def test_the_digest_and_its_text_count_rule_by_rule_what_is_open_and_what_there_was(
    *, a_digest: MakeDigest, told: Told, rules: Any, head: str, lines: list[str]
) -> None:
    message = digest_message(a_digest(rules=rules))
    assert told(message).split("\n")[: len(lines) + 1] == [head, *lines]
    assert message.text.startswith(" ".join(f"{sentence}." for sentence in (head, *lines)))


def test_an_alert_of_a_digest_says_all_that_its_own_card_would(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, a_digest: MakeDigest, told: Told, noon: datetime
) -> None:
    alert = acknowledged(snoozed(an_alert(), "Ana Pop", noon), "U0ANA", "Ana Pop", noon)
    assert (
        "Rings unanswered: Dan Popa 0003*211. “Hal Holder” <+15550188> has been ringing for longer than 20 s, "
        "since 12:00:00 (ago). Snoozed until 12:10:00 by Ana Pop. Ana Pop is on it, since 12:00:00."
    ) in told(digest_message(a_digest(alert_card_of(alert)))).split("\n")


def test_who_has_it_read_out_hears_whose_calls_they_are(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, a_digest: MakeDigest
) -> None:
    cards = [alert_card_of(an_alert(1), agent="Eve Sil"), alert_card_of(an_alert(2))]
    text = digest_message(a_digest(*cards)).text
    assert "Rings unanswered: Eve Sil 0003*211. Rings unanswered: Dan Popa 0003*211. And 10 more" in text


def test_each_alert_of_a_digest_has_its_buttons(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, a_digest: MakeDigest, labels: Callable[[Message], list[str]]
) -> None:
    message = digest_message(a_digest(*(alert_card_of(an_alert(number)) for number in range(3))))
    assert labels(message) == ["Pick up", "I'm on it", "Snooze 10 min"] * 3


def test_the_buttons_of_a_digest_answer_the_alert_beside_them(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, a_digest: MakeDigest
) -> None:
    alerts = [an_alert(number) for number in range(3)]
    message = digest_message(a_digest(*map(alert_card_of, alerts)))
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    assert [unpack(row[1]["value"]).command for row in rows] == [
        AnswerAlert(alert=alert.id, answer="take") for alert in alerts
    ]


MORE = [(12, 8, "And 4 more: /calls shows every call."), (9, 8, "And 1 more: /calls shows every call."), (8, 8, "")]


@pytest.mark.parametrize(("still", "lines", "words"), MORE)
def test_those_that_are_not_shown_whole_are_counted(
    *,
    an_alert: MakeAlert,
    alert_card_of: MakeAlertCard,
    a_digest: MakeDigest,
    told: Told,
    still: int,
    lines: int,
    words: str,
) -> None:
    cards = [alert_card_of(an_alert(number)) for number in range(lines)]
    message = digest_message(a_digest(*cards, rules=(("Rings unanswered", still, 20),)))
    read = told(message)
    assert ("more: " in read, words in read, words in message.text) == (bool(words), True, True)


def test_at_most_eight_are_shown_whole(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, a_digest: MakeDigest, told: Told
) -> None:
    message = digest_message(a_digest(*(alert_card_of(an_alert(number)) for number in range(12))))
    rows = sum(block["type"] == "actions" for block in message.blocks)
    assert (rows, "And 4 more" in told(message)) == (8, True)


def test_a_digest_that_is_out_of_date_says_since_when(a_digest: MakeDigest, told: Told, noon: datetime) -> None:
    message = digest_message(a_digest(not_updated_since=noon + timedelta(seconds=3)))
    assert (
        "Not updated since 12:00:03: the PBX does not answer." in told(message).split("\n"),
        "Not updated since 12:00:03 UTC" in message.text,
    ) == (True, True)


def test_a_digest_that_is_up_to_date_says_nothing_of_that(a_digest: MakeDigest) -> None:
    assert "Not updated" not in digest_message(a_digest()).text


def test_a_digest_says_why_many_alerts_share_a_card(a_digest: MakeDigest, told: Told) -> None:
    assert told(digest_message(a_digest())).endswith(
        "Many alerts came at once, from 12:00:00 on; they share this card."
    )


def test_of_very_many_rules_the_rest_is_counted(a_digest: MakeDigest, told: Told) -> None:
    message = digest_message(a_digest(rules=tuple((f"Rule {number}", 1, 1) for number in range(50))))
    read = told(message)
    assert ("Rule 19:" in read, "Rule 20:" in read, "And 30 more rules" in read) == (True, False, True)


def test_of_a_protected_call_a_digest_shows_nothing(
    an_alert: MakeAlert, alert_card_of: MakeAlertCard, a_digest: MakeDigest, told: Told
) -> None:
    message = digest_message(a_digest(alert_card_of(an_alert(), agent="", view=None)))
    assert [word for word in ("Dan", "Hal", "15550188", "0003*211") if word in told(message) + message.text] == []


# ── an outage of the PBX ──


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
