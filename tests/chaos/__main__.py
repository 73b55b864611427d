"""`python -m tests.chaos --minutes 10 --seed 1`: a run, its numbers, and every promise that was broken."""

import asyncio
import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tests.chaos.judge import violations
from tests.chaos.records import Evidence, Violation
from tests.chaos.run import Run, Score

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


IN_MEMORY = Path("/dev/shm")
"""Where there is one, the ledger is kept there: `kill -9` loses nothing of it, and no disk is slow."""
A_MINUTE = 61.0
"""Seconds in which Slack's own limits let everything through that waited: the calm of a run with them."""
SHORT = 30.0
"""Seconds below which a run is denser, so that something happens in it."""


def chaos(
    minutes: Annotated[float, typer.Option(min=0.05, help="Of trouble; the start and the calm come on top.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Decides everything but the timing of the machine.")] = 1,
    real_limits: Annotated[
        bool, typer.Option("--real-limits", help="Slack's own rate limits, with few people.")
    ] = False,
    calm: Annotated[float, typer.Option(min=1.0, help="Seconds of calm before anything is checked.")] = 10.0,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the ledger and the log, also of a run without violations.")
    ] = False,
) -> None:
    """Kill the bot, disturb the PBX and Slack, let people do what they like, and see which promises still hold."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # a killed bot leaves broken requests behind
    folder = Path(tempfile.mkdtemp(prefix="callbot-chaos-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
    score = Score(seconds=minutes * 60, seed=seed, calm=calm)
    if score.seconds < SHORT:
        score = replace(score, pause=0.7, kill_every=2.2)
    if real_limits:
        score = replace(score, supervisors=5, pause=4.0, kill_every=15.0, calm=max(calm, A_MINUTE), real_limits=True)
    run = Run(folder, score)
    evidence = asyncio.run(run.play())
    found = violations(evidence, run.cast)
    typer.echo(report(evidence, run.stage.done, found, score, folder if found or keep else None))
    if not (found or keep):
        shutil.rmtree(folder)
    raise typer.Exit(1 if found else 0)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(chaos)
    app()
