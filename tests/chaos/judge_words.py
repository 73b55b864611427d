"""What was said and shown: no secret in a log, nothing that Slack refuses, no error without a cause, and no silent leg."""

import re
from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.cast import SILENT_IN, Cast
from tests.chaos.judge_alerts import SUPERVISOR
from tests.chaos.records import SILENT, Evidence, InterventionRow, Shown, Violation

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


# ── silent legs ──


def silent_legs_on_public_cards(evidence: Evidence) -> Iterator[Violation]:
    """No version of an intervention's public card names the phone of somebody else who is in that call only to listen."""
    actions: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    rows: defaultdict[str, list[InterventionRow]] = defaultdict(list)
    for row in evidence.interventions:
        actions[row.phone, row.call_id].add(row.action)
        rows[row.card].append(row)
    for shown in evidence.shown:
        if shown.channel.startswith("D") or shown.channel in SILENT_IN:
            continue
        own = {row.phone for row in rows[shown.card]}
        calls = {row.call_id for row in rows[shown.card]}
        for at, phone in _phones(shown):
            silent = any(actions[phone, call] and actions[phone, call] <= SILENT for call in calls)
            if phone not in own and silent:
                yield Violation("public cards show no silent leg", f"{phone} at {at:.3f} on {shown.card}: {shown.text}")
                break


def legs_that_agents_were_shown(evidence: Evidence, cast: Cast) -> Iterator[Violation]:
    """No message to an agent alone names the phone of a supervisor, but for one who has picked a call up."""
    picked = {row.phone for row in evidence.interventions if row.action == "PickUp"}
    for person in cast.mapped:
        if person.role != "agent":
            continue
        direct = [shown for shown in evidence.shown if shown.channel == "D" + person.user[1:]]
        for shown in (*direct, *evidence.private.get(person.user, ())):
            for at, phone in _phones(shown):
                if phone not in picked and phone != person.extension:
                    yield Violation("agents are shown no leg", f"{phone} at {at:.3f} to {person.user}: {shown.text}")
                    break


def _phones(shown: Shown) -> Iterator[tuple[float, str]]:
    """The supervisors' phones that any version has named, and when."""
    for at, text in shown.versions:
        for phone in SUPERVISOR.findall(text):
            yield at, phone
