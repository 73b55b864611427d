"""All goals in one table: `python -m bench`, under five minutes; `python -m bench --quick`, under one.

Exits with 1 when a goal is missed, and says which.
"""

import argparse
import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from bench.acknowledgements import measure_acknowledgements
from bench.alert_cards import measure_alert_cards
from bench.interventions import measure_interventions
from bench.large_floor import measure_lists, measure_scans
from bench.start_and_memory import measure_growth, measure_start
from bench.table import Row, machine, table, versions
from bench.world import world


class Size(NamedTuple):
    """How much of each is measured: rounds, and what each round has."""

    rounds: int
    at_rate: int
    at_saturation: int
    to_put: int
    burst: int
    seconds: int
    lists: int
    starts: int
    changes: int
    commands: int


QUICK = Size(2, 40, 500, 20, 60, 2, 1, 1, 4, 2_000)
WHOLE = Size(3, 120, 2500, 40, 120, 3, 1, 2, 40, 100_000)


def measure(size: Size) -> list[Row]:
    """Measure every row, in the order of the table."""
    with world() as around:
        acknowledgements = measure_acknowledgements(
            around, size.rounds, at_rate=size.at_rate, at_saturation=size.at_saturation
        )
        to_put, processor = measure_interventions(around, size.rounds, to_put=size.to_put, burst=size.burst)
        start = measure_start(around, size.starts)
        # These two take the longest, and go together: memory knows no time, and a card may take two seconds.
        with ThreadPoolExecutor(1) as beside:
            growing = beside.submit(measure_growth, around, size.commands)
            cards = asyncio.run(measure_alert_cards(size.changes))
            growth = growing.result()
        lists = measure_lists(around, size.rounds, seconds=size.seconds, lists=size.lists)
        scans = measure_scans(around, size.rounds)
    return [*acknowledgements, *lists, to_put, cards, *scans, processor, *start, growth]


def report(on: str, rows: list[Row]) -> int:
    """Print the table, name the goals that are missed, and return the exit code."""
    sys.stdout.write(f"{on}\n{versions()}\n\n{table(rows)}")
    missed = [row.name.strip() for row in rows if row.missed]
    for name in missed:
        sys.stderr.write(f"missed: {name}\n")
    return 1 if missed else 0


def main() -> int:
    """Measure and report."""
    options = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    options.add_argument("--quick", action="store_true", help="fewer and smaller rounds, under one minute")
    size = QUICK if options.parse_args().quick else WHOLE
    on, begun = machine(), time.monotonic()
    rows = measure(size)
    return report(f"{on}; {size.rounds} rounds, {time.monotonic() - begun:.0f} s in all.", rows)


if __name__ == "__main__":
    sys.exit(main())
