"""The table of goals: each figure next to what it should be, with the spread of its rounds."""

import os
import platform
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.servers import NODE, node

UNITS = {"ms": 1e3, "MB": 1e-6, "x": 1.0, "/s": 1.0, "s": 1.0}
"""What a figure in seconds, bytes or nothing is multiplied by to be printed in that unit."""
DIGITS = {"ms": 2, "MB": 1, "x": 2, "/s": 0, "s": 1}
LIBRARIES = ("aiohttp", "uvloop", "slack-bolt", "slack-sdk", "pydantic", "pydantic-core", "sqlalchemy")


@dataclass(frozen=True)
class Goal:
    """One line. `most` and `least` are in the unit that is printed; without either the figure is there to explain others.

    No figures: it was not measured, and `why` says for what reason.
    """

    name: str
    unit: str
    figures: Sequence[float] = ()
    most: float | None = None
    least: float | None = None
    why: str = ""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The line as it is printed."""
        if self.most is not None:
            goal = f"<= {self.most:g} {self.unit}"
        else:
            goal = "" if self.least is None else f">= {self.least:g} {self.unit}"
        if not self.figures:
            return self.name, f"not measured: {self.why}", goal, "?" if goal else ""
        shown = sorted(figure * UNITS[self.unit] for figure in self.figures)
        median, digits = statistics.median(shown), DIGITS[self.unit]
        kept = median <= self.most if self.most is not None else self.least is None or median >= self.least
        spread = f"{shown[0]:,.{digits}f} to {shown[-1]:,.{digits}f}; {len(shown)}" if len(shown) > 1 else "1"
        return (
            self.name,
            f"{median:,.{digits}f} {self.unit}  ({spread})",
            goal,
            ("yes" if kept else "NO") if goal else "",
        )


def ratio(name: str, ours: Sequence[float], theirs: Sequence[float], **goal: float) -> Goal:
    """Ours by theirs, round by round, so that what slows the machine in a round slows both."""
    if not theirs or not ours:
        return Goal(name, "x", why="Node 20 with `npm ci` in bench/anchors/node is not here", **goal)  # type: ignore[arg-type]
    return Goal(name, "x", [one / other for one, other in zip(ours, theirs, strict=True)], **goal)  # type: ignore[arg-type]


def machine() -> str:
    """What this is, and what else it does at the moment: ask before there is work."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return f"{platform.system()}, {os.cpu_count()} x {model}, load {os.getloadavg()[0]:.1f} before"


def versions() -> str:
    """Of Python, of the libraries that matter, and of Node where it is there."""
    names = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in LIBRARIES)]
    names.append(f"SQLite {sqlite3.sqlite_version}")
    if (program := node()) is not None:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)  # noqa: S603  found on the PATH
        bolt = (NODE / "package.json").read_text().partition('"@slack/bolt": "')[2].partition('"')[0]
        names.append(f"Node {said.stdout.strip()}, @slack/bolt {bolt}")
    return ", ".join(names)


def report(on: str, goals: Sequence[Goal]) -> None:
    """Print the machine, the versions and the table: medians, from the least to the most, of so many."""
    rows = [("", "median  (spread; how many)", "goal", "holds"), *(goal.cells for goal in goals)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    text = [on, versions(), ""]
    text += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    sys.stdout.write("\n".join(text) + "\n")
