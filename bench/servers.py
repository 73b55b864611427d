"""Starts what is measured, each in a process of its own, and ends it."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.commands import ENVIRONMENT

ROOT = Path(__file__).parents[1]
NODE = Path(__file__).parent / "anchors" / "node"
NO_NODE = "needs Node 20, and `npm ci --ignore-scripts` in bench/anchors/node"
PATIENCE = 30.0
"""Seconds in which a bot has to be ready, or done with what it was asked."""

_BUSY = re.compile(r"^callbot_(?:open_interventions|queue_length\{.*\}) [^0]", re.MULTILINE)


class Server(NamedTuple):
    """A running process that serves HTTP."""

    process: subprocess.Popen[str]
    port: int
    metrics: int = 0
    """The port of a bot's metrics."""
    ready_after: float = 0.0
    """Seconds from the start of a bot until it was ready."""

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self.process.pid

    @property
    def resident(self) -> float:
        """Bytes of memory that the process has."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return float(line.split()[1]) * 1024
        return float("nan")

    def until_done(self) -> None:
        """Wait until a bot has no open intervention and nothing in its queues."""
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            with closing(http.client.HTTPConnection("127.0.0.1", self.metrics, timeout=5)) as asked:
                asked.request("GET", "/metrics")
                if not _BUSY.search(asked.getresponse().read().decode()):
                    return
            time.sleep(0.1)
        raise RuntimeError("the interventions do not end")


def processor_time(pid: int) -> float:
    """Seconds of a processor that a process has used so far, all threads together.

    The clock's number is made as clock_getcpuclockid(3) makes it on Linux: the complement of the process id, and 2 for time
    as the scheduler counts it.
    """
    return time.clock_gettime(~pid << 3 | 2)


def python(module: str, *arguments: str) -> list[str]:
    """The command line of a module, in this Python."""
    return [sys.executable, "-m", module, *arguments]


def node() -> str | None:
    """The path of Node; None unless Node and what is measured on it are installed."""
    return shutil.which("node") if (NODE / "node_modules" / "@slack" / "bolt").is_dir() else None


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of this process with these settings in place of the user's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "UAPI_"))}
    return {**kept, "PYTHONPATH": str(ROOT), **settings}


@contextmanager
def server(command: Sequence[str]) -> Iterator[Server]:
    """Start a server, read its port from the first line that it prints, and end it."""
    with subprocess.Popen(  # noqa: S603  our own commands
        list(command), env=_environment(ENVIRONMENT), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            if process.stdout is None or not (first := process.stdout.readline().strip()):
                raise RuntimeError(f"{' '.join(command)} did not start")
            yield Server(process, int(first))
        finally:
            _end(process)


@contextmanager
def bot(folder: Path, toml: str, settings: Mapping[str, str], command: Sequence[str]) -> Iterator[Server]:
    """Start the bot, wait until it is ready, and end it. A second one in the same folder takes over the ledger of the first."""
    (folder / "callbot.toml").write_text(toml)
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        port, metrics = (int(each.getsockname()[1]) for each in (one, other))
    own = {
        "CALLBOT_CONFIG": str(folder / "callbot.toml"),
        "DATABASE_URL": f"sqlite:///{folder}/callbot.db",
        "PORT": str(port),
        "METRICS_PORT": str(metrics),
    }
    begun = time.perf_counter()
    with (folder / "bot.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603  our own command
            list(command), env=_environment({**settings, **own}), cwd=folder, stdout=log, stderr=log, text=True
        )
    try:
        while not _ready(port):
            if process.poll() is not None or time.perf_counter() - begun > PATIENCE:
                raise RuntimeError(f"the bot did not become ready:\n{(folder / 'bot.log').read_text()[-2000:]}")
            time.sleep(0.01)
        yield Server(process, port, metrics, time.perf_counter() - begun)
    finally:
        _end(process)


def _ready(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=1)) as asked:
        try:
            asked.request("GET", "/readyz")
            return asked.getresponse().status == 200
        except OSError:
            return False


def _end(process: subprocess.Popen[str]) -> None:
    """End it in order, or kill it after 15 seconds."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
