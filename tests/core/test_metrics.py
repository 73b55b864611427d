"""The figures that an operator watches, as Prometheus reads them."""

from bot.metrics import Metrics


def test_a_put_is_counted_by_action_and_result() -> None:
    metrics = Metrics()
    metrics.put("Monitor", "ringing")
    metrics.put("Monitor", "ringing")
    metrics.put("PickUp", "refused")
    shown = metrics.exposition().decode()
    assert 'callbot_puts_total{action="Monitor",result="ringing"} 2.0' in shown
    assert 'callbot_puts_total{action="PickUp",result="refused"} 1.0' in shown


def test_an_acknowledgement_within_3_s_is_not_lost() -> None:
    metrics = Metrics()
    metrics.acknowledged("command", 0.02)
    shown = metrics.exposition().decode()
    assert 'callbot_acknowledgement_seconds_bucket{kind="command",le="0.025"} 1.0' in shown
    assert "callbot_acknowledgements_lost_total{" not in shown


def test_an_acknowledgement_after_3_s_counts_as_lost() -> None:
    metrics = Metrics()
    metrics.acknowledged("button", 3.5)
    assert 'callbot_acknowledgements_lost_total{kind="button"} 1.0' in metrics.exposition().decode()


def test_the_time_from_the_request_to_the_proof_is_a_histogram() -> None:
    metrics = Metrics()
    metrics.connected("Whisper", 4.2)
    shown = metrics.exposition().decode()
    assert 'callbot_connected_seconds_bucket{action="Whisper",le="5.0"} 1.0' in shown
    assert 'callbot_connected_seconds_bucket{action="Whisper",le="3.0"} 0.0' in shown


def test_an_answer_is_timed_and_only_a_failure_is_an_error() -> None:
    metrics = Metrics()
    metrics.answered("pbx", "get", 0.03)
    metrics.answered("slack", "chat.update", 0.2, "ratelimited")
    shown = metrics.exposition().decode()
    assert 'callbot_answer_seconds_count{method="get",system="pbx"} 1.0' in shown
    assert 'callbot_answer_errors_total{error="ratelimited",method="chat.update",system="slack"} 1.0' in shown
    assert shown.count("callbot_answer_errors_total{") == 1


def test_what_is_so_now_is_asked_whenever_the_figures_are_read() -> None:
    metrics = Metrics()
    waiting = [1, 2]
    metrics.watch_length("requests", lambda: len(waiting))
    metrics.watch_open(lambda: 7)
    metrics.watch_mistaken(lambda: True)
    waiting.append(3)
    shown = metrics.exposition().decode()
    assert 'callbot_queue_length{queue="requests"} 3.0' in shown
    assert ("callbot_open_interventions 7.0" in shown, "callbot_rules_mistaken 1.0" in shown) == (True, True)


def test_two_bots_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.put("Monitor", "ringing")
    assert "callbot_puts_total{" not in other.exposition().decode()
