"""All promises, held against all evidence. Read the `judge_…` files beside it; each function there is one promise."""

from tests.chaos import judge_alerts, judge_cards, judge_requests, judge_words
from tests.chaos.cast import Cast
from tests.chaos.records import Evidence, Violation

PROMISES = (
    judge_requests.requests_without_an_end,
    judge_requests.acknowledged_without_a_row,
    judge_requests.requests_from_nowhere,
    judge_requests.puts_twice_or_without_a_row,
    judge_requests.sent_without_a_put,
    judge_requests.refused_without_a_no,
    judge_requests.two_open_for_one_claim,
    judge_cards.cards_against_the_floor,
    judge_cards.legs_without_a_card,
    judge_cards.too_many_cards,
    judge_cards.connected_before_it_was_so,
    judge_cards.refused_by_mistake,
    judge_cards.ringing_phones_that_are_silent,
    judge_cards.two_cards_for_one_ringing_phone,
    judge_cards.given_up_too_early,
    judge_alerts.one_card_for_one_alert,
    judge_alerts.forgotten_alerts,
    judge_alerts.alerts_against_the_floor,
    judge_alerts.cards_against_their_alerts,
    judge_alerts.protected_calls_on_alerts,
    judge_alerts.alerts_before_they_are_due,
    judge_requests.dates_of_no_clock,
    judge_alerts.listeners_on_alerts,
    judge_words.silent_legs_on_public_cards,
    judge_requests.lost_ledgers,
    judge_words.secrets_in_the_log,
    judge_words.refused_by_slack,
    judge_words.errors_that_people_saw,
    judge_words.orderly_ends,
)


def violations(evidence: Evidence, cast: Cast) -> list[Violation]:
    """Everything that must not be."""
    found = [violation for promise in PROMISES for violation in promise(evidence)]
    return [
        *found,
        *judge_requests.puts_without_permission(evidence, cast),
        *judge_alerts.answers_without_permission(evidence, cast),
        *judge_alerts.help_requests_of_nobody(evidence, cast),
        *judge_words.legs_that_agents_were_shown(evidence, cast),
    ]
