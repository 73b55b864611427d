"""Acknowledgements: callbot's doors next to the anchors, one after the other in each round."""

import time
from contextlib import ExitStack

from bench.figures import Figures, percentile
from bench.goals import Goal, ratio
from bench.servers import ALONE, CALLBOT, ON_NODE, STOCK, Server, doors, server
from bench.world import Around

WARM = 150
PER_SECOND = 50
PATIENCE = 30.0
"""Seconds that a connection may take."""


def measure_http(around: Around, rounds: int, *, at_rate: int, at_saturation: int) -> Figures:
    """Seconds to the acknowledgement at 50 a second, and acknowledgements a second at saturation."""
    figures = Figures()
    with ExitStack() as stack:
        commands = doors("http", f"{around.url}/api/")
        running = {name: stack.enter_context(server(command)) for name, command in commands.items()}
        for one in running.values():
            around.ask("acknowledged", one.port, WARM, 6 * PER_SECOND)
        for _ in range(rounds):
            for name, one in running.items():
                _add(figures, name, around.ask("acknowledged", one.port, at_rate, PER_SECOND))
            for name, one in running.items():
                figures.add(f"{name}, saturated", around.ask("saturated", one.port, at_saturation))
    return figures


def measure_sockets(around: Around, rounds: int, *, at_rate: int) -> Figures:
    """The same over Socket Mode, at 50 a second. callbot starts last, because it has two connections."""
    figures, running = Figures(), dict[str, Server]()
    with ExitStack() as stack:
        commands = doors("sockets", f"{around.url}/api/")
        for name in (ALONE, STOCK, ON_NODE, CALLBOT):
            if name in commands:
                running[name] = stack.enter_context(server(commands[name]))
                _until_connected(around, len(running))
        places = {name: place for place, name in enumerate(running)}
        for place in places.values():
            around.ask("over_sockets", place, WARM, 6 * PER_SECOND)
        for _ in range(rounds):
            for name, place in places.items():
                _add(figures, name, around.ask("over_sockets", place, at_rate, PER_SECOND))
    return figures


def _until_connected(around: Around, many: int) -> None:
    limit = time.monotonic() + PATIENCE
    while around.ask("connected") < many:
        if time.monotonic() > limit:
            raise RuntimeError("no connection of Socket Mode was opened")
        time.sleep(0.01)


def _add(figures: Figures, name: str, took: list[float]) -> None:
    """The median of one round; for the 99th percentile all of it, one round has too few for that."""
    figures.add(name, percentile(took, 50))
    figures.add(f"{name}, all", *took)


def goals_http(figures: Figures) -> list[Goal]:
    """The lines of the table."""
    of = {name: figures.of.get(name, []) for name in (ALONE, STOCK, ON_NODE, CALLBOT)}
    late = {name: [percentile(figures.of[f"{name}, all"], 99)] for name in (ALONE, CALLBOT)}
    full = {name: figures.of.get(f"{name}, saturated", []) for name in of}
    ours, what = of[CALLBOT], "acknowledged at 50/s, "
    return [
        *(Goal(f"{what}{name}", "ms", seconds, why="not installed") for name, seconds in of.items()),
        ratio("  callbot / aiohttp alone", ours, of[ALONE], most=1.5),
        ratio("  callbot / stock slack-bolt", ours, of[STOCK], most=0.2),
        ratio("  callbot / @slack/bolt on Node", ours, of[ON_NODE], most=1),
        *(Goal(f"99th percentile of all rounds, {name}", "ms", late[name]) for name in late),
        ratio("  callbot / aiohttp alone", late[CALLBOT], late[ALONE], most=2),
        *(Goal(f"acknowledged a second, {name}", "/s", many, why="not installed") for name, many in full.items()),
        ratio("  callbot / aiohttp alone", full[CALLBOT], full[ALONE], least=0.6),
        ratio("  callbot / stock slack-bolt", full[CALLBOT], full[STOCK], least=1.5),
        ratio("  callbot / @slack/bolt on Node", full[CALLBOT], full[ON_NODE], least=1),
    ]


def goals_sockets(figures: Figures) -> list[Goal]:
    """The lines of the table."""
    names = (ALONE, STOCK, ON_NODE, CALLBOT)
    lines = [
        Goal(f"Socket Mode at 50/s, {name}", "ms", figures.of.get(name, []), why="not installed") for name in names
    ]
    ours, theirs = figures.of[CALLBOT], figures.of.get(ON_NODE, [])
    return [*lines, ratio("  callbot / @slack/bolt on Node", ours, theirs, most=1)]
