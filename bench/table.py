"""The table: one row for each goal, with what was measured and whether the goal is met."""

import os
import platform
import sqlite3
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.servers import NODE, node

FACTORS = {"ms": 1e3, "s": 1.0, "MB": 1e-6, "x": 1.0}
"""By unit of the table: what seconds, bytes and ratios are multiplied by."""
DIGITS = {"ms": 1, "s": 2, "MB": 1, "x": 2}
LIBRARIES = ("aiohttp", "uvloop", "slack-bolt", "slack-sdk", "pydantic", "sqlalchemy")


@dataclass(frozen=True)
class Row:
    """One goal. `figures`: what each round measured, in seconds, bytes or as a ratio; their median counts.

    `most` and `least` are in `unit`; a row has one of them. No figures: it was not measured, and `note` says why.
    """

    name: str
    unit: str
    figures: Sequence[float]
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def goal(self) -> str:
        """The goal as it is printed."""
        return f"<= {self.most:g} {self.unit}" if self.most is not None else f">= {self.least:g} {self.unit}"

    @property
    def measured(self) -> str:
        """The median as it is printed, with the least, the most and the number of the figures."""
        if not self.figures:
            return self.note
        shown, digits = sorted(self._in_unit(figure) for figure in self.figures), DIGITS[self.unit]
        spread = f" ({shown[0]:.{digits}f} to {shown[-1]:.{digits}f}; {len(shown)})" if len(shown) > 1 else ""
        return f"{statistics.median(shown):.{digits}f} {self.unit}{spread}" + (f", {self.note}" if self.note else "")

    @property
    def missed(self) -> bool:
        """The row was measured and does not meet its goal."""
        return bool(self.figures) and not self._meets(statistics.median(self.figures))

    @property
    def verdict(self) -> str:
        """The last column: a miss says in how many of the rounds."""
        if not self.figures:
            return "not measured"
        if not self.missed:
            return "ok"
        return f"MISSED {sum(not self._meets(each) for each in self.figures)} of {len(self.figures)}"

    def _meets(self, figure: float) -> bool:
        shown = self._in_unit(figure)
        return shown <= self.most if self.most is not None else self.least is None or shown >= self.least

    def _in_unit(self, figure: float) -> float:
        return figure * FACTORS[self.unit]


def percentile(figures: Sequence[float], of_hundred: int) -> float:
    """The smallest figure that at least so many of a hundred do not exceed (nearest rank)."""
    return sorted(figures)[max(0, -(-len(figures) * of_hundred // 100) - 1)]


def machine() -> str:
    """The machine, and its load at this moment: call this before the bench makes any."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    return f"{platform.system()}, {os.cpu_count()} x {model}, load {os.getloadavg()[0]:.1f} before"


def versions() -> str:
    """The versions of Python, of the libraries that matter here, and of Node if it is installed."""
    names = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in LIBRARIES)]
    names.append(f"SQLite {sqlite3.sqlite_version}")
    if (program := node()) is not None:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)  # noqa: S603  found on the PATH
        bolt = (NODE / "package.json").read_text().partition('"@slack/bolt": "')[2].partition('"')[0]
        names.append(f"Node {said.stdout.strip()}, @slack/bolt {bolt}")
    return ", ".join(names)


def table(rows: Sequence[Row]) -> str:
    """All rows in columns: what, goal, measured, verdict."""
    cells = [("what", "goal", "measured", "")]
    cells += [(row.name, row.goal, row.measured, row.verdict) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join(lines) + "\n"
