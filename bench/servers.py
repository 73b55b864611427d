"""What is measured, each as a process of its own that says its port in its first line."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.commands import ENVIRONMENT

NODE = Path(__file__).parent / "anchors" / "node"
CALLBOT, ALONE, STOCK, ON_NODE = "callbot", "aiohttp alone", "stock slack-bolt", "@slack/bolt on Node"


class Server(NamedTuple):
    """One that runs."""

    process: subprocess.Popen[str]
    port: int
    metrics: int = 0
    """The port that serves its metrics."""

    @property
    def resident(self) -> float:
        """Bytes of memory that it has."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return float(line.split()[1]) * 1024
        return float("nan")


@contextmanager
def server(arguments: Sequence[str]) -> Iterator[Server]:
    """Start it, wait for its first line, and end it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "UAPI_"))}
    source = str(Path(__file__).parents[1])
    environment = clean | {"PYTHONPATH": source} | ENVIRONMENT
    process = subprocess.Popen(  # noqa: S603  our own commands
        list(arguments), env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        if process.stdout is None or not (first := process.stdout.readline().strip()):
            raise RuntimeError(f"{' '.join(arguments)} did not start")
        yield Server(process, int(first))
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Have it end in order, or not, after 15 seconds."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def node() -> str | None:
    """Where Node is, if it is and what is measured on it is installed."""
    return shutil.which("node") if (NODE / "node_modules" / "@slack" / "bolt").is_dir() else None


def python(module: str, *arguments: str) -> list[str]:
    """The command line of a module, in this Python."""
    return [sys.executable, "-m", module, *arguments]


def doors(mode: str, api: str) -> dict[str, list[str]]:
    """By name, the command lines of those who acknowledge: mode is `http` or `sockets`."""
    found = {
        ALONE: python("bench.anchors.aiohttp_alone", mode, api),
        STOCK: python("bench.anchors.stock_bolt", mode, api),
        CALLBOT: python("bench.door", mode, api),
    }
    if (program := node()) is not None:
        script = NODE / ("commands.js" if mode == "http" else "sockets.js")
        found[ON_NODE] = [program, str(script), api]
    return found
