"""What was said: no secret in a log, nothing that Slack would refuse, no error before people's eyes without a cause."""

import re
from collections.abc import Iterator

from tests.chaos.records import Evidence, Violation

AROUND = 60
PAD = 0.3
"""Seconds around an outage in which a delivery may have met it."""
GONE = "message_not_found"
TOO_LATE = 10.0
"""Seconds that an orderly end may take."""


def secrets_in_the_log(evidence: Evidence) -> Iterator[Violation]:
    """No token, secret, response_url, caller's name or number in any line, and no traceback."""
    words = {word: what for word, what in evidence.secrets.items() if len(word) >= 4} | {"Traceback": "a traceback"}
    pattern = re.compile("|".join(re.escape(word) for word in words))
    for number, line in enumerate(evidence.log):
        found = pattern.search(line)
        if found is not None:
            at = found.start()
            yield Violation(
                "no secret in a log", f"line {number}: {words[found[0]]}: {line[max(0, at - AROUND) : at + AROUND]}"
            )


def refused_by_slack(evidence: Evidence) -> Iterator[Violation]:
    """The bot sent nothing against Slack's rules. Only that a message is gone it cannot know before."""
    lost = [place for place, said in evidence.slack.items() if any(GONE in one for one in said)]
    taken_away = set(lost) <= evidence.deleted
    for at, text in evidence.refusals:
        if GONE in text and lost and taken_away:
            continue
        reconnecting = any(o.kind == "workspace" and o.touches(at - PAD, at + PAD) for o in evidence.outages)
        if not (reconnecting and "invalid_or_used_address" in text):
            yield Violation("nothing is refused by Slack", f"at {at:.3f}: {text}")


def errors_that_people_saw(evidence: Evidence) -> Iterator[Violation]:
    """Who saw an error of Slack's asked while the bot, the workspace or the sockets were away."""
    failed = [(asked, one) for asked in evidence.asked for one in asked.deliveries if one.error is not None]
    for asked, one in failed:
        away = [
            o
            for o in evidence.outages
            if o.kind not in {"pbx", "ledger"} and o.touches(one.sent_at - PAD, one.at + PAD)
        ]
        if not away:
            yield Violation("no error without a cause", f"{one.error} at {one.at:.3f} for {asked.user} “{asked.said}”")


def orderly_ends(evidence: Evidence) -> Iterator[Violation]:
    """SIGTERM ends the bot with 0 within 10 s."""
    for code, seconds in evidence.exits:
        if code != 0 or seconds > TOO_LATE:
            yield Violation("an orderly end", f"exit code {code} after {seconds:.1f} s")
