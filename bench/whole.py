"""The whole bot as a process between a Slack and a PBX of the bench: starting, interventions, memory.

`python -m bench.whole` has it carry out 600 interventions, and shows where the time of its event loop went.
"""

import http.client
import os
import pstats
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bench.commands import ENVIRONMENT
from bench.figures import Figures, percentile
from bench.servers import ALONE, NODE, ON_NODE, STOCK, Server, end, node, python, server
from bench.surroundings import PEOPLE, person
from bench.world import ONE_IN, Around, world

PATIENCE = 30.0
"""Seconds that it may take to be ready, or to be done with what it was asked."""
REST = 1.0
"""Seconds after which a bot that has nothing to do is at rest."""
MANY, TIMES = 20_000, 5
"""Commands of one piece of the memory's growth, and pieces: 100,000 in all."""
BURSTS = 3
"""Bursts of each round."""
SLOW_PBX = 0.05
"""Seconds that the PBX takes for each read where it is checked that this is not counted as callbot's."""


def _map() -> str:
    """Supervisors who may do what they are measured with."""
    people = []
    for number in range(PEOPLE):
        user, _ = person(number)
        people.append(
            f'[users.{user}]\nname = "Supervisor {number}"\nuapi_user = "3"\nextension = "0003*5{number:03}"\n'
            'roles = ["supervisor"]\n'
        )
    roles = '[roles.supervisor]\nactions = ["Monitor"]\nextensions = ["0003*2XXX"]\n'
    watch = '[uapi]\ndefault_user = "@me"\n[watch]\nevery = 0.2\nmax_requests_per_second = 200\n'
    return "\n".join([*people, roles, watch])


@contextmanager
def bot(around: Around, folder: Path, module: tuple[str, ...]) -> Iterator[tuple[Server, float]]:
    """The bot, ready, and how many seconds that took. A second one in the same folder finds the ledger of the first."""
    (folder / "callbot.toml").write_text(_map())
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as other:
        port, metrics = (int(each.getsockname()[1]) for each in (free, other))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "UAPI_"))}
    settings = {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "SLACK_BOT_TOKEN": ENVIRONMENT["SLACK_BOT_TOKEN"],
        "SLACK_SIGNING_SECRET": ENVIRONMENT["SLACK_SIGNING_SECRET"],
        "SLACK_API_URL": f"{around.url}/api/",
        "UAPI_URL": around.url,
        "UAPI_ACCESS_TOKEN": "fixed-token",
        "CALLBOT_CONFIG": str(folder / "callbot.toml"),
        "DATABASE_URL": f"sqlite:///{folder}/callbot.db",
        "PORT": str(port),
        "METRICS_PORT": str(metrics),
    }
    begun = time.perf_counter()
    with (folder / "bot.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", *module], env=clean | settings, cwd=folder, stdout=log, stderr=log, text=True
        )
    try:
        while not _ready(port):
            if process.poll() is not None or time.perf_counter() - begun > PATIENCE:
                raise RuntimeError("the bot did not become ready")
            time.sleep(0.01)
        yield Server(process, port, metrics), time.perf_counter() - begun
    finally:
        end(process)


def _ready(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=1)) as asked:
        try:
            asked.request("GET", "/readyz")
            return asked.getresponse().status == 200
        except OSError:
            return False


_BUSY = re.compile(r"^callbot_(?:open_interventions|queue_length\{.*\}) [^0]", re.MULTILINE)


def _until_done(metrics: int) -> None:
    """Wait until the bot follows nothing any more and nothing waits: it takes no more than 200 open interventions."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        with closing(http.client.HTTPConnection("127.0.0.1", metrics, timeout=5)) as asked:
            asked.request("GET", "/metrics")
            if not _BUSY.search(asked.getresponse().read().decode()):
                return
        time.sleep(0.1)
    raise RuntimeError("the interventions do not end")


def measure_start(around: Around, rounds: int) -> Figures:
    """Start to ready, with a new ledger and with one that is there; and the memory of a bot that has nothing to do."""
    figures = Figures()
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="callbot-bench-") as folder:
            for what in (", new ledger", ""):
                with bot(around, Path(folder), ("bot", "run")) as (running, seconds):
                    figures.add(f"start{what}", seconds)
                    time.sleep(REST)
                    figures.add(f"at rest{what}", running.resident)
    return figures


def measure_interventions(around: Around, rounds: int, *, warm: int, burst: int, to_put: int) -> Figures:
    """Whole interventions a second, next to those who do the least of it; the way to the PUT. `warm`: bursts before."""
    figures, api = Figures(), f"{around.url}/api/"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callbot-bench-")))
        ours, _ = stack.enter_context(bot(around, folder, ("bench.hurried",)))
        ports = {"callbot": ours.port}
        for name, module in ((ALONE, "bench.anchors.aiohttp_alone"), (STOCK, "bench.anchors.stock_bolt")):
            ports[name] = stack.enter_context(server(python(module, "http", api, around.url))).port
        if (program := node()) is not None:
            command = [program, str(NODE / "commands.js"), api, around.url]
            ports[ON_NODE] = stack.enter_context(server(command)).port
        for port in ports.values():
            for _ in range(warm):
                around.ask("interventions", port, burst)
                _until_done(ours.metrics)
        slow = around.ask("to_put", ours.port, to_put, 20, SLOW_PBX)
        figures.add("to PUT, slow PBX", percentile([whole for whole, _ in slow], 95))
        figures.add("to PUT without reads, slow PBX", percentile([own for _, own in slow], 95))
        _until_done(ours.metrics)
        for _ in range(rounds):
            _bursts(around, ports, ours.metrics, burst, figures)
            for name in ("callbot", ALONE):
                took = around.ask("to_put", ports[name], to_put, 20)
                _until_done(ours.metrics)
                figures.add(f"to PUT, {name}", percentile([whole for whole, _ in took], 95))
                figures.add(f"to PUT without reads, {name}", percentile([own for _, own in took], 95))
            _without_waiting(around, ours, folder, figures)
    return figures


def _bursts(around: Around, ports: dict[str, int], metrics: int, burst: int, figures: Figures) -> None:
    """One round: the next one begins when callbot is done with everything that follows its cards."""
    for name, port in ports.items():
        fast, busy = [], []
        for _ in range(BURSTS):
            used, begun = around.ask("busy"), time.perf_counter()
            fast.append(around.ask("interventions", port, burst))
            busy.append((around.ask("busy") - used) / (time.perf_counter() - begun))
            _until_done(metrics)
        figures.add(f"interventions, {name}", sum(fast) / BURSTS)
        figures.add(f"load, {name}", sum(busy) / BURSTS)


def _without_waiting(around: Around, ours: Server, folder: Path, figures: Figures) -> None:
    """Acknowledgements of commands that are carried out, and the same while the ledger takes nothing."""
    figures.add("acknowledged at work", percentile(around.ask("acknowledged", ours.port, 50, 50), 50))
    _until_done(ours.metrics)
    with closing(sqlite3.connect(folder / "callbot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        took = around.ask("acknowledged", ours.port, 50, 50)
        other.execute("ROLLBACK")
    figures.add("acknowledged without ledger", percentile(took, 50))
    figures.add("acknowledged without ledger, longest", max(took))
    _until_done(ours.metrics)


def measure_growth(around: Around) -> Figures:
    """Memory before and after 100,000 commands that are carried out to their answer, none refused."""
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="callbot-bench-") as place:
        folder = Path(place)
        with bot(around, folder, ("bench.hurried",)) as (running, _):
            time.sleep(REST)
            figures.add("resident", running.resident)
            begun = time.perf_counter()
            for _ in range(TIMES):
                around.ask("answered", running.port, MANY)
                _until_done(running.port)
                time.sleep(REST)
                figures.add("resident", running.resident)
            figures.add("seconds", time.perf_counter() - begun)
        _none_was_refused(folder)
    first, *later = figures.of["resident"]
    figures.add("growth", later[-1] - first)
    figures.add("growth at the end", later[-1] - later[-3])
    return figures


def _none_was_refused(folder: Path) -> None:
    """The bot's own ledger says what became of each. Raises RuntimeError."""
    counting = "SELECT outcome, count(*) FROM requests GROUP BY outcome"
    with closing(sqlite3.connect(f"file:{folder}/callbot.db?mode=ro", uri=True)) as ledger:
        found = dict(ledger.execute(counting).fetchall())
    sent = MANY * TIMES // ONE_IN
    if found != {"answered": MANY * TIMES - sent, "sent": sent}:
        raise RuntimeError(f"some commands were not carried out: {found}")


def show_where_time_goes() -> None:
    """Print the functions that took longest by themselves, and those below which most time was spent."""
    with tempfile.TemporaryDirectory(prefix="callbot-bench-") as place, world() as around:
        found = f"{place}/bot.profile"
        with bot(around, Path(place), ("bench.hurried", found)) as (running, _):
            for _ in range(6):
                around.ask("interventions", running.port, 100)
                _until_done(running.port)
        pstats.Stats(found).sort_stats("tottime").print_stats(40).sort_stats("cumtime").print_stats(80)


if __name__ == "__main__":
    show_where_time_goes()
