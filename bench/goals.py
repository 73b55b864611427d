"""The table of all goals: each figure next to what it should be, with the spread of its rounds."""

import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from bench.figures import UNITS
from bench.servers import node

SCALES = UNITS | {"/s": 1.0}


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
        shown = sorted(figure * SCALES[self.unit] for figure in self.figures)
        median, digits = statistics.median(shown), 0 if self.unit == "/s" else 2
        kept = median <= self.most if self.most is not None else self.least is None or median >= self.least
        spread = f"{shown[0]:,.{digits}f} to {shown[-1]:,.{digits}f}"
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


def report(goals: Sequence[Goal], rounds: int) -> None:
    """Print the machine, the versions and the table."""
    names = ("aiohttp", "uvloop", "slack-bolt", "slack-sdk", "pydantic-core", "sqlalchemy")
    versions = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in names)]
    if (program := node()) is not None:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)  # noqa: S603  found on the PATH
        versions.append(f"Node {said.stdout.strip()}")
    machine = f"{platform.system()}, {os.cpu_count()} x {platform.machine()}, load {os.getloadavg()[0]:.1f}"
    rows = [("", "median  (spread)", "goal", "holds"), *(goal.cells for goal in goals)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    text = [f"{machine}; {', '.join(versions)}", f"medians of {rounds} interleaved rounds", ""]
    text += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    sys.stdout.write("\n".join(text) + "\n")
