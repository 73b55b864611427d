"""`python -m tests.chaos --minutes 10 --seed 1`: a run, its numbers, and every promise that was broken."""

import asyncio
import logging
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tests.chaos.judge import violations
from tests.chaos.report import report
from tests.chaos.run import Run, Score

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
