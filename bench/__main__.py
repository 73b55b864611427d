"""All goals in one table: `python -m bench`, under ten minutes; `python -m bench --quick`, under one.

callbot and what it is measured against take turns in every round on one machine, so that the ratios hold on any.
"""

import argparse
import sys
from typing import NamedTuple

from bench.acknowledging import goals_http, goals_sockets, measure_http, measure_sockets
from bench.figures import Figures
from bench.goals import Goal, ratio, report
from bench.ledger_work import measure_ledger
from bench.look import measure_reading
from bench.servers import ALONE, ON_NODE, STOCK, node
from bench.whole import measure_interventions, measure_start
from bench.world import world

WITHOUT_NODE = (
    "Node 20 with `npm ci --ignore-scripts` in bench/anchors/node is not here: those lines are not measured.\n\n"
)


class Size(NamedTuple):
    """How much of each is measured."""

    rounds: int
    at_rate: int
    at_saturation: int
    interventions: int
    to_put: int
    in_the_ledger: int
    starts: int
    growth: bool


QUICK, WHOLE = Size(3, 40, 800, 24, 20, 50, 1, growth=False), Size(7, 150, 3000, 120, 60, 200, 5, growth=True)


def measure(size: Size) -> list[Goal]:
    """Everything."""
    with world() as around:
        http = measure_http(around, size.rounds, at_rate=size.at_rate, at_saturation=size.at_saturation)
        sockets = measure_sockets(around, size.rounds, at_rate=size.at_rate)
        whole = measure_interventions(
            around, size.rounds, many=size.interventions, to_put=size.to_put, growth=size.growth
        )
        start = measure_start(around, size.starts)
    ledger, look = measure_ledger(size.rounds, size.in_the_ledger), measure_reading(size.rounds)
    return [*goals_http(http), *goals_sockets(sockets), *_whole(whole), *_own(ledger, look, start, whole)]


def _whole(figures: Figures) -> list[Goal]:
    of = {name: figures.of.get(f"interventions, {name}", []) for name in ("callbot", ALONE, STOCK, ON_NODE)}
    to_put = "command to PUT at 20/s, the PBX's answers counted in, 95 %"
    return [
        *(Goal(f"interventions a second, {name}", "/s", many, why="not installed") for name, many in of.items()),
        ratio("  callbot by @slack/bolt on Node, which does less", of["callbot"], of[ON_NODE], least=1),
        Goal(to_put, "ms", figures.of["to PUT, callbot"], most=10),
        Goal("  the same, aiohttp alone, which reads nothing", "ms", figures.of[f"to PUT, {ALONE}"]),
        Goal("acknowledged at 50/s by the whole bot at work", "ms", figures.of["acknowledged by the whole bot"]),
    ]


def _own(ledger: Figures, look: Figures, start: Figures, whole: Figures) -> list[Goal]:
    new = look.of["all new"]
    return [
        Goal("ledger, interventions a second", "/s", ledger.of["ledger"], least=500),
        ratio("10,000 calls read, all new, by pydantic-core alone", new, look.of["pydantic-core"], most=1.3),
        ratio("10,000 calls read, 1 % changed, by all new", look.of["1 % changed"], new, most=0.25),
        Goal("start to ready, new ledger", "ms", start.of["start, new ledger"], most=1500),
        Goal("start to ready", "ms", start.of["start"], most=1500),
        Goal("memory at rest", "MB", start.of["at rest"], most=90),
        Goal("  more after 100,000 commands", "MB", whole.of.get("growth", []), most=10, why="takes longer"),
    ]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    options.add_argument("--quick", action="store_true", help="fewer rounds: the same table in under one minute")
    size = QUICK if options.parse_args().quick else WHOLE
    if node() is None:
        sys.stdout.write(WITHOUT_NODE)
    report(measure(size), size.rounds)


if __name__ == "__main__":
    main()
