"""How fast a command is acknowledged: callbot's door beside aiohttp alone and @slack/bolt on Node, in turns."""

import statistics
from contextlib import ExitStack

from bench.servers import NO_NODE, NODE, Server, node, python, server
from bench.table import Row, percentile
from bench.world import Around

CALLBOT, ALONE, ON_NODE = "callbot", "aiohttp alone", "@slack/bolt on Node"
WARM_UP = 150
PER_SECOND = 50


def measure_acknowledgements(around: Around, rounds: int, *, at_rate: int, at_saturation: int) -> list[Row]:
    """The rows of acknowledgements. Each round sends so many commands to each server at 50/s, then so many at saturation."""
    with ExitStack() as stack:
        servers = _servers(stack, f"{around.url}/api/")
        took: dict[str, list[list[float]]] = {name: [] for name in servers}
        a_second: dict[str, list[float]] = {name: [] for name in servers}
        for one in servers.values():
            around.ask("acknowledged", one.port, WARM_UP, 6 * PER_SECOND)
        for _ in range(rounds):
            for name, one in servers.items():
                took[name].append(around.ask("acknowledged", one.port, at_rate, PER_SECOND))
            for name, one in servers.items():
                a_second[name].append(around.ask("saturated", one.port, at_saturation))
    return _rows(took, a_second)


def _servers(stack: ExitStack, api: str) -> dict[str, Server]:
    commands = {ALONE: python("bench.anchors.aiohttp_alone"), CALLBOT: python("bench.door", api)}
    if (program := node()) is not None:
        commands[ON_NODE] = [program, str(NODE / "commands.js"), api]
    return {name: stack.enter_context(server(command)) for name, command in commands.items()}


def _rows(took: dict[str, list[list[float]]], a_second: dict[str, list[float]]) -> list[Row]:
    medians = {name: [percentile(one, 50) for one in rounds] for name, rounds in took.items()}
    # One round has too few for a 99th percentile, so that is of all rounds together.
    late = {name: [percentile([each for one in rounds for each in one], 99)] for name, rounds in took.items()}
    what = f"acknowledged at {PER_SECOND}/s"
    return [
        _ratio(f"{what}, median / {ALONE}", "ms", medians, ALONE, most=2),
        _ratio(f"{what}, 99 % / {ALONE}", "ms", late, ALONE, most=2),
        _ratio(f"{what}, median / {ON_NODE}", "ms", medians, ON_NODE, most=1),
        _ratio(f"{what}, 99 % / {ON_NODE}", "ms", late, ON_NODE, most=1),
        _ratio(f"acknowledged a second, saturated / {ON_NODE}", "/s", a_second, ON_NODE, least=1),
    ]


def _ratio(
    name: str,
    unit: str,
    of: dict[str, list[float]],
    other: str,
    *,
    most: float | None = None,
    least: float | None = None,
) -> Row:
    """The ratio of callbot to the other, round by round, so that what slows the machine in a round slows both."""
    if other not in of:
        return Row(name, "x", (), most, least, NO_NODE)
    ours, theirs = (statistics.median(of[each]) * (1e3 if unit == "ms" else 1) for each in (CALLBOT, other))
    digits = 2 if unit == "ms" else 0
    ratios = [one / two for one, two in zip(of[CALLBOT], of[other], strict=True)]
    return Row(name, "x", ratios, most, least, f"{ours:.{digits}f} by {theirs:.{digits}f} {unit}")
