"""The process itself: start to ready, memory at rest, and how much more memory it has after many commands."""

import tempfile
import time
from collections import defaultdict
from pathlib import Path

from bench.interventions import SHORT, rules, settings
from bench.servers import bot, python
from bench.table import Row
from bench.world import ONE_IN, Around

AT_REST = 1.0
"""Seconds after which a bot that has nothing to do is at rest."""


def measure_start(around: Around, rounds: int) -> list[Row]:
    """The rows of starting and of memory at rest: `callbot run` with a new ledger, and again with the same one."""
    ready, resident = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="callbot-bench-") as folder:
            for ledger in (", new ledger", ""):
                with bot(Path(folder), rules(), settings(around), python("bot", "run")) as running:
                    ready[ledger].append(running.ready_after)
                    time.sleep(AT_REST)
                    resident[ledger].append(running.resident)
    return [
        *(Row(f"start to ready{ledger}", "s", seconds, most=1.5) for ledger, seconds in ready.items()),
        *(Row(f"memory at rest{ledger}", "MB", sizes, most=95) for ledger, sizes in resident.items()),
    ]


def measure_growth(around: Around, many: int) -> Row:
    """The row of growth: memory after so many commands, each carried out to its private answer, less that before them."""
    with (
        tempfile.TemporaryDirectory(prefix="callbot-bench-") as folder,
        bot(Path(folder), rules(SHORT), settings(around), python("bench.unlimited")) as running,
    ):
        time.sleep(AT_REST)
        before = running.resident
        puts = around.ask("answered", running.port, many)
        if puts != many // ONE_IN:
            raise RuntimeError(f"{puts} of {many // ONE_IN} interventions were carried out")
        running.until_done()
        time.sleep(AT_REST)
        return Row(f"growth of memory over {many:,} commands", "MB", [running.resident - before], most=10)
