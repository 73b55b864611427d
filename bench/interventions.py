"""The whole bot carries out interventions: the way from the command to the PUT, and the processor time of a whole one."""

import tempfile
import time
from pathlib import Path

from bench.commands import ENVIRONMENT
from bench.servers import Server, bot, processor_time, python
from bench.stand_ins import PEOPLE, person
from bench.table import Row, percentile
from bench.world import LISTING_USER, Around

A_SECOND = 20
"""Commands a second on the way to the PUT."""
SHORT = 0.2
"""Seconds between two scans here, so that an intervention ends soon; callbot's own is 1."""
SHOWN = 1.0
"""Seconds in which most cards show their end, so that the metrics are seldom asked whether all do: that costs, too."""


def rules(every: float = 1.0) -> str:
    """callbot.toml for the supervisors of the load, with so many seconds between two scans.

    One UnifiedAPI user owns every extension, so a scan is one list.
    """
    people = []
    for number in range(PEOPLE):
        user, _ = person(number)
        people.append(
            f'[users.{user}]\nname = "Supervisor {number}"\nextension = "0003*5{number:03}"\nroles = ["supervisor"]\n'
        )
    people.append(f'[users.{LISTING_USER}]\nname = "Lister"\nextension = "0003*5999"\nroles = ["supervisor"]\n')
    role = '[roles.supervisor]\nactions = ["Monitor"]\nextensions = ["0003*2XXX", "0003*XXX"]\n'
    return "\n".join([*people, role, f"[watch]\nevery = {every}\nmax_requests_per_second = 200\n"])


def settings(around: Around) -> dict[str, str]:
    """The settings of a bot between the stand-ins, commands over HTTP."""
    return ENVIRONMENT | {
        "SLACK_API_URL": f"{around.url}/api/",
        "UAPI_URL": around.url,
        "UAPI_ACCESS_TOKEN": "fixed-token",
    }


def measure_interventions(around: Around, rounds: int, *, to_put: int, burst: int) -> tuple[Row, Row]:
    """The rows of the way to the PUT and of the processor time, of so many commands in each round."""
    late, used = list[float](), list[float]()
    with (
        tempfile.TemporaryDirectory(prefix="callbot-bench-") as folder,
        bot(Path(folder), rules(SHORT), settings(around), python("bench.unlimited")) as running,
    ):
        _burst(around, running, burst)  # the first one is slower, and not counted
        for _ in range(rounds):
            late.append(percentile(around.ask("to_put", running.port, to_put, A_SECOND), 95))
            running.until_done()
            used.append(_burst(around, running, burst))
    return (
        Row(f"command to PUT, without the PBX's reads, 95 % at {A_SECOND}/s", "ms", late, most=10),
        Row("one whole intervention: processor time", "ms", used, most=6),
    )


def _burst(around: Around, running: Server, many: int) -> float:
    """Carry out so many at once, until each card shows its end; the processor time of one."""
    before = processor_time(running.pid)
    around.ask("burst", running.port, many)
    time.sleep(SHOWN)
    running.until_done()
    return (processor_time(running.pid) - before) / many
