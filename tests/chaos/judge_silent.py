"""Nobody learns that somebody listens: neither the agent in their own messages, nor anybody on a public card."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.cast import SILENT_IN, Cast
from tests.chaos.judge_helpers import SUPERVISOR
from tests.chaos.records import SILENT, Evidence, InterventionRow, Shown, Violation


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
