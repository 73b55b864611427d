"""The numbers of a run, as text."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.chaos.records import Evidence, Violation
from tests.chaos.run import Score

MOST_SHOWN = 8
"""Violations of one promise that are written out in full."""


def report(evidence: Evidence, done: Counter[str], found: list[Violation], score: Score, folder: Path | None) -> str:
    """Everything that a reader wants to know of one run."""
    deliveries = [one for asked in evidence.asked for one in asked.deliveries]
    taken = [one for one in deliveries if one.error is None]
    latencies = sorted(one.at - one.sent_at for one in taken)
    sections = [
        f"seed {score.seed}, {score.seconds:.0f} s of trouble, {score.supervisors} supervisors",
        f"the clock of the PBX is {evidence.pbx_ahead:+.0f} s off; the wall clock was set {len(evidence.wall_steps)} times",
        f"requests: {len(evidence.asked)}, deliveries: {len(deliveries)}, acknowledged: {len(taken)}",
        f"refused in the acknowledgement: {sum(one.refused for one in taken)}",
        f"errors that people saw: {len(evidence.visible_errors)}: {_counted(_errors(evidence))}",
        f"acknowledgement: median {_share(latencies, 0.5)} s, 95 % within {_share(latencies, 0.95)} s",
        f"in the ledger: {len(evidence.requests)} requests: {_counted(row.outcome for row in evidence.requests)}",
        f"by verb: {_counted(_verb(asked.said) for asked in evidence.asked)}",
        f"PUTs: {len(evidence.puts)}: {_counted(put.action for put in evidence.puts)}",
        f"answered: {_counted(str(put.status) for put in evidence.puts)}",
        f"interventions: {_counted(row.state for row in evidence.interventions)}",
        f"cards: {len(evidence.cards)}, people in calls: {len(evidence.legs)}, at the end: {_still(evidence)}",
        f"alerts: {len(evidence.alerts)}: {_counted(f'{row.when} {row.state}' for row in evidence.alerts)}",
        f"on digests: {_counted(row.channel for row in evidence.alerts if row.digest)}",
        f"resolved: {_counted(row.how for row in evidence.alerts if row.how)}",
        f"done: {_counted(done.elements())}",
        f"violations: {len(found)}: {_counted(one.promise for one in found)}",
        *_some_of_each(found),
    ]
    if folder is not None:
        sections.append(f"ledger and log: {folder}")
    return "\n".join(sections)


def _some_of_each(found: list[Violation]) -> list[str]:
    shown: Counter[str] = Counter()
    lines = []
    for one in found:
        shown[one.promise] += 1
        if shown[one.promise] <= MOST_SHOWN:
            lines.append(f"  {one.promise}: {one.seen}")
    return lines


def _still(evidence: Evidence) -> int:
    """How many people are in a call now."""
    return sum(spans[-1].until is None for spans in evidence.legs.values())


def _errors(evidence: Evidence) -> list[str]:
    return [one.error for asked in evidence.asked for one in asked.deliveries if one.error is not None]


def _verb(said: str) -> str:
    """`/calls monitor …` as `/monitor`, a button as its label where it is one of ours."""
    if said.startswith("["):
        return said if len(said) < 25 and "," not in said else "[which call?]"
    first, _, rest = said.partition(" ")
    verb = rest.partition(" ")[0]
    known = {"monitor", "whisper", "barge", "record", "pickup"}
    return f"/{verb}" if first == "/calls" and verb in known else first


def _share(values: list[float], share: float) -> str:
    return f"{values[int(share * (len(values) - 1))]:.3f}" if values else "-"


def _counted(words: Iterable[str]) -> str:
    counted = Counter(words)
    return ", ".join(f"{word} {number}" for word, number in counted.most_common())
