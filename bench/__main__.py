"""All goals in one table: `python -m bench`, under ten minutes; `python -m bench --quick`, under one.

callbot and what it is measured against take turns in every round on one machine, so that the ratios hold on any.
"""

import argparse
import sys
import time
from typing import NamedTuple

from bench.acknowledging import goals_http, goals_sockets, measure_http, measure_sockets
from bench.figures import Figures
from bench.goals import Goal, machine, ratio, report
from bench.ledger_work import measure_ledger
from bench.scan import apart, goals_scans
from bench.servers import ALONE, ON_NODE, STOCK, node
from bench.whole import measure_growth, measure_interventions, measure_start
from bench.world import world

WITHOUT_NODE = (
    "Node 20 with `npm ci --ignore-scripts` in bench/anchors/node is not here: those lines are not measured.\n\n"
)


class Size(NamedTuple):
    """How much of each is measured."""

    rounds: int
    at_rate: int
    at_saturation: int
    warm: int
    burst: int
    to_put: int
    in_the_ledger: int
    starts: int
    growth: bool


QUICK = Size(2, 40, 800, 1, 60, 20, 200, 1, growth=False)
WHOLE = Size(7, 150, 3000, 5, 120, 40, 1000, 7, growth=True)


def measure(size: Size) -> list[Goal]:
    """Everything."""
    with world() as around:
        http = measure_http(around, size.rounds, at_rate=size.at_rate, at_saturation=size.at_saturation)
        sockets = measure_sockets(around, size.rounds, at_rate=size.at_rate)
        whole = measure_interventions(around, size.rounds, warm=size.warm, burst=size.burst, to_put=size.to_put)
        start = measure_start(around, size.starts)
        growth = measure_growth(around) if size.growth else Figures()
    ledger = apart(measure_ledger, size.rounds, size.in_the_ledger)
    return [
        *goals_http(http),
        *goals_sockets(sockets),
        *_whole(whole),
        Goal("ledger, whole interventions a second", "/s", ledger.of["ledger"], least=500),
        *goals_scans(size.rounds),
        *_process(start, growth),
    ]


def _whole(figures: Figures) -> list[Goal]:
    names = ("callbot", ALONE, STOCK, ON_NODE)
    of = {name: figures.of.get(f"interventions, {name}", []) for name in names}
    busy = {name: figures.of.get(f"load, {name}", []) for name in names}
    work, locked = figures.of["acknowledged at work"], figures.of["acknowledged without ledger"]
    own = "  of it while the PBX held no read, "
    return [
        *(Goal(f"interventions a second, {name}", "/s", many, why="not installed") for name, many in of.items()),
        ratio("  callbot / @slack/bolt on Node, which does less", of["callbot"], of[ON_NODE], least=1),
        *(Goal(f"  a processor's share for load and fakes, {name}", "x", busy[name]) for name in ("callbot", ALONE)),
        Goal("command to PUT at 20/s, 95 %", "ms", figures.of["to PUT, callbot"]),
        Goal(f"{own}95 %", "ms", figures.of["to PUT without reads, callbot"], most=10),
        Goal("  the same, aiohttp alone, which reads nothing", "ms", figures.of[f"to PUT without reads, {ALONE}"]),
        Goal("  command to PUT, the PBX takes 50 ms for a read", "ms", figures.of["to PUT, slow PBX"]),
        Goal(f"{own}95 %", "ms", figures.of["to PUT without reads, slow PBX"]),
        Goal("acknowledged at 50/s by the bot that carries it out", "ms", work),
        Goal("  the same while the ledger takes nothing", "ms", locked),
        Goal("  the longest of those", "ms", figures.of["acknowledged without ledger, longest"]),
        ratio("  without the ledger / with it", locked, work, most=1.5),
    ]


def _process(start: Figures, growth: Figures) -> list[Goal]:
    why = "takes two minutes"
    return [
        Goal("start to ready, new ledger", "ms", start.of["start, new ledger"], most=1500),
        Goal("start to ready", "ms", start.of["start"], most=1500),
        Goal("memory at rest, new ledger", "MB", start.of["at rest, new ledger"], most=90),
        Goal("memory at rest", "MB", start.of["at rest"], most=90),
        Goal("  more after 100,000 commands", "MB", growth.of.get("growth", []), most=10, why=why),
        Goal("  of it in the last 40,000", "MB", growth.of.get("growth at the end", []), why=why),
    ]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    options.add_argument("--quick", action="store_true", help="fewer rounds: the same table in under one minute")
    size = QUICK if options.parse_args().quick else WHOLE
    if node() is None:
        sys.stdout.write(WITHOUT_NODE)
    on, begun = machine(), time.monotonic()
    goals = measure(size)
    report(f"{on}; {size.rounds} interleaved rounds in {time.monotonic() - begun:.0f} s", goals)


if __name__ == "__main__":
    main()
