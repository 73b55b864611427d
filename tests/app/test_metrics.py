"""The metrics that an operator watches, as Prometheus reads them."""

import re

import pytest

from bot.app.metrics import Metrics
from bot.polling.phone_calls import Accepted
from bot.slack.rate_limits import HISTORY, OPEN, POST, RESPOND, UPDATE
from bot.slack.web_client import KNOWN_REASONS


def test_a_put_is_counted_by_its_result() -> None:
    metrics = Metrics()
    metrics.put("lost")
    metrics.put("lost")
    metrics.put("refused")
    shown = metrics.exposition().decode()
    assert [line for line in shown.splitlines() if line.startswith("callbot_puts_total")] == [
        'callbot_puts_total{result="lost"} 2.0',
        'callbot_puts_total{result="refused"} 1.0',
    ]


@pytest.mark.parametrize("accepted", list(Accepted))
def test_each_kind_of_yes_is_counted_alike(accepted: Accepted) -> None:
    metrics = Metrics()
    metrics.put(accepted)
    assert 'callbot_puts_total{result="accepted"} 1.0' in metrics.exposition().decode()


def test_the_clock_of_the_pbx_is_asked_for_whenever_the_metrics_are_read() -> None:
    metrics = Metrics()
    metrics.watch("pbx_clock_ahead_seconds", lambda: -61.0)
    assert "callbot_pbx_clock_ahead_seconds -61.0" in metrics.exposition().decode()


def test_an_acknowledgement_within_3_s_is_not_lost() -> None:
    metrics = Metrics()
    metrics.acked("command", 0.02)
    shown = metrics.exposition().decode()
    assert 'callbot_acknowledgement_seconds_bucket{kind="command",le="0.025"} 1.0' in shown
    assert "callbot_acknowledgements_lost_total{" not in shown


def test_an_acknowledgement_after_3_s_counts_as_lost() -> None:
    metrics = Metrics()
    metrics.acked("button", 3.5)
    assert 'callbot_acknowledgements_lost_total{kind="button"} 1.0' in metrics.exposition().decode()


def test_the_time_from_the_request_to_the_proof_is_a_histogram() -> None:
    metrics = Metrics()
    metrics.connected(4.2)
    shown = metrics.exposition().decode()
    assert 'callbot_connected_seconds_bucket{le="5.0"} 1.0' in shown
    assert 'callbot_connected_seconds_bucket{le="3.0"} 0.0' in shown


def test_an_answer_is_timed_and_only_a_failure_is_an_error() -> None:
    metrics = Metrics(KNOWN_REASONS)
    metrics.answered("pbx", "get", 0.03)
    metrics.answered("slack", "chat.update", 0.2, "ratelimited")
    shown = metrics.exposition().decode()
    assert 'callbot_answer_seconds_count{method="get",system="pbx"} 1.0' in shown
    assert 'callbot_answer_errors_total{error="ratelimited",method="message",system="slack"} 1.0' in shown
    assert shown.count("callbot_answer_errors_total{") == 1


@pytest.mark.parametrize("method", [POST, UPDATE, HISTORY, OPEN, RESPOND])
def test_the_methods_of_slack_are_counted_together(method: str) -> None:
    metrics = Metrics()
    metrics.answered("slack", method, 0.2)
    assert re.findall(r'method="([^"]*)"', metrics.exposition().decode())[:1] == ["message"]


def test_reads_of_presence_are_counted_with_reads_of_calls() -> None:
    metrics = Metrics()
    metrics.answered("pbx", "presence", 0.2)
    assert 'callbot_answer_seconds_count{method="get",system="pbx"} 1.0' in metrics.exposition().decode()


@pytest.mark.parametrize("reason", ["certificate_expired", "certificate_not_accepted", "ConnectionTimeoutError"])
def test_why_slack_was_not_reached_is_counted_by_its_name(reason: str) -> None:
    metrics = Metrics(KNOWN_REASONS)
    metrics.answered("slack", POST, 0.2, reason)
    assert f'error="{reason}"' in metrics.exposition().decode()


def test_no_series_shows_when_it_began() -> None:
    metrics = Metrics()
    metrics.put("call")
    metrics.connected(2.0, by_alert=True)
    assert re.findall(r"\S*_created\S*", metrics.exposition().decode()) == []


def test_a_thousand_words_that_nobody_knows_are_one_series_each_label() -> None:
    metrics = Metrics(KNOWN_REASONS)
    for number in range(1000):
        word = f"word_{number}"
        metrics.put(word)
        metrics.acked(word, 9.0)
        metrics.answered("slack", word, 0.1, word)
        metrics.answered("pbx", word, 0.1, f"HTTP {1000 + number}")
    series = re.findall(r"^callbot_(?:\w+_total|\w+_count)\{.*\}", metrics.exposition().decode(), re.MULTILINE)
    assert sorted(series) == [
        'callbot_acknowledgement_seconds_count{kind="other"}',
        'callbot_acknowledgements_lost_total{kind="other"}',
        'callbot_answer_errors_total{error="other",method="message",system="slack"}',
        'callbot_answer_errors_total{error="other",method="other",system="pbx"}',
        'callbot_answer_seconds_count{method="message",system="slack"}',
        'callbot_answer_seconds_count{method="other",system="pbx"}',
        'callbot_puts_total{result="other"}',
    ]


# ── alerts ──


def test_a_scan_is_timed_and_the_lists_that_it_lacks_are_counted() -> None:
    metrics = Metrics()
    metrics.scanned(0.3, 40, 0, 0)
    metrics.scanned(4.0, 38, 3, 2)
    shown = metrics.exposition().decode()
    assert 'callbot_scan_seconds_bucket{le="0.5"} 1.0' in shown
    assert ("callbot_scan_seconds_count 2.0" in shown, "callbot_lists_unread_total 3.0" in shown) == (True, True)


def test_what_becomes_of_alerts_is_counted_by_when_of_their_rule() -> None:
    metrics = Metrics()
    metrics.alert("ringing", "raised")
    metrics.alert("ringing", "raised")
    metrics.alert("help_request", "resolved")
    shown = metrics.exposition().decode()
    assert 'callbot_alerts_total{what="raised",when="ringing"} 2.0' in shown
    assert 'callbot_alerts_total{what="resolved",when="help_request"} 1.0' in shown


def test_a_date_that_cannot_be_used_is_counted_with_why() -> None:
    metrics = Metrics()
    metrics.date_unusable("on_hold", "missing")
    assert 'callbot_alert_dates_unusable_total{when="on_hold",why="missing"} 1.0' in metrics.exposition().decode()


def test_the_way_from_alert_to_ear_is_three_histograms() -> None:
    metrics = Metrics()
    metrics.alert_to_card(1.7)
    metrics.card_to_click(9.0)
    metrics.click_to_connected(4.0)
    shown = metrics.exposition().decode()
    sums = {
        line.split("_sum")[0]: line.split()[-1] for line in shown.splitlines() if "_sum" in line and "alert" in line
    }
    assert sums == {
        "callbot_alert_to_card_seconds": "1.7",
        "callbot_alert_card_to_click_seconds": "9.0",
        "callbot_alert_click_to_connected_seconds": "4.0",
    }


@pytest.mark.parametrize(("seconds", "promise"), [(1.9, "2.0"), (29.0, "30.0")])
def test_what_is_promised_of_cards_can_be_read_off_the_metrics(seconds: float, promise: str) -> None:
    metrics = Metrics()
    metrics.alert_to_card(seconds)
    assert f'callbot_alert_to_card_seconds_bucket{{le="{promise}"}} 1.0' in metrics.exposition().decode()


def test_only_what_was_asked_from_an_alert_is_a_way_from_alert_to_ear() -> None:
    metrics = Metrics()
    metrics.connected(3.0)
    metrics.connected(4.0, by_alert=True)
    shown = metrics.exposition().decode()
    assert "callbot_connected_seconds_count 2.0" in shown
    assert "callbot_alert_click_to_connected_seconds_sum 4.0" in shown


# ── what is so now ──


def test_what_is_true_now_is_asked_whenever_the_metrics_are_read() -> None:
    metrics = Metrics()
    waiting = [1, 2]
    metrics.watch_length("requests", lambda: len(waiting))
    metrics.watch("open_interventions", lambda: 7)
    metrics.watch("config_invalid", lambda: True)
    waiting.append(3)
    shown = metrics.exposition().decode()
    assert 'callbot_queue_length{queue="requests"} 3.0' in shown
    assert ("callbot_open_interventions 7.0" in shown, "callbot_config_invalid 1.0" in shown) == (True, True)


def test_open_alerts_the_age_of_the_scan_and_its_calls_are_asked_whenever_the_metrics_are_read() -> None:
    metrics = Metrics()
    alerts = ["one"]
    metrics.watch("alerts_open", lambda: len(alerts))
    metrics.watch("scan_age_seconds", lambda: 1.5)
    metrics.watch("calls_seen", lambda: 10_000)
    alerts.append("two")
    shown = metrics.exposition().decode()
    assert [line for line in ("callbot_alerts_open 2.0", "callbot_scan_age_seconds 1.5") if line not in shown] == []
    assert "callbot_calls_seen 10000.0" in shown


def test_two_bots_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.put("ringing")
    assert "callbot_puts_total{" not in other.exposition().decode()
