"""The whole bot as a process between a Slack and a PBX of the bench: starting, interventions, memory."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.commands import ENVIRONMENT
from bench.figures import Figures
from bench.servers import ALONE, NODE, ON_NODE, STOCK, Server, node, python, server
from bench.world import PEOPLE, Around, person

STARTING = 30.0
"""Seconds that it may take to be ready."""
MANY = 10_000
"""Commands of one measurement of memory's growth, a few hundred a second."""


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
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
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
    }
    begun = time.perf_counter()
    with (folder / "bot.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", *module], env=clean | settings, cwd=folder, stdout=log, stderr=log, text=True
        )
    try:
        while not _ready(port):
            if process.poll() is not None or time.perf_counter() - begun > STARTING:
                raise RuntimeError("the bot did not become ready")
            time.sleep(0.01)
        yield Server(process, port), time.perf_counter() - begun
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)


def _ready(port: int) -> bool:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        asked.request("GET", "/readyz")
        return asked.getresponse().status == 200
    except OSError:
        return False
    finally:
        asked.close()


def _until_all_ended(port: int) -> None:
    """Wait until the bot follows nothing any more: it takes no more than 200 open interventions at a time."""
    end = time.monotonic() + STARTING
    while time.monotonic() < end:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        asked.request("GET", "/metrics")
        if b"\ncallbot_open_interventions 0.0\n" in asked.getresponse().read():
            return
        asked.close()
        time.sleep(0.1)
    raise RuntimeError("the interventions do not end")


def measure_start(around: Around, rounds: int) -> Figures:
    """Start to ready, with a new ledger and with one that is there; and the memory of a bot that has just started."""
    figures = Figures()
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="callbot-bench-") as folder:
            for what in ("start, new ledger", "start"):
                with bot(around, Path(folder), ("bot", "run")) as (running, seconds):
                    figures.add(what, seconds)
                    figures.add("at rest", running.resident)
    return figures


def measure_interventions(around: Around, rounds: int, *, many: int, to_put: int, growth: bool) -> Figures:
    """Whole interventions a second, next to those who do the least of it; the way to the PUT; memory after many."""
    figures, api = Figures(), f"{around.url}/api/"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callbot-bench-")))
        ours, _ = stack.enter_context(bot(around, folder, ("bench.hurried",)))
        rest = ours.resident
        ports = {"callbot": ours.port}
        for name, module in ((ALONE, "bench.anchors.aiohttp_alone"), (STOCK, "bench.anchors.stock_bolt")):
            ports[name] = stack.enter_context(server(python(module, "http", api, around.url))).port
        if (program := node()) is not None:
            command = [program, str(NODE / "commands.js"), api, around.url]
            ports[ON_NODE] = stack.enter_context(server(command)).port
        for port in ports.values():
            around.ask("interventions", port, many // 2)
        for _ in range(rounds):
            _until_all_ended(ours.port)
            for name, port in ports.items():
                figures.add(f"interventions, {name}", around.ask("interventions", port, many))
            for name in ("callbot", ALONE):
                _until_all_ended(ours.port)
                took = sorted(around.ask("to_put", ports[name], to_put, 20))
                figures.add(f"to PUT, {name}", took[len(took) * 95 // 100])
            acknowledged = sorted(around.ask("acknowledged", ours.port, 50, 50))
            figures.add("acknowledged by the whole bot", acknowledged[len(acknowledged) // 2])
        if growth:
            for _ in range(10):
                around.ask("saturated", ours.port, MANY)
            figures.add("growth", ours.resident - rest)
    return figures
