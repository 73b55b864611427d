"""What was measured, and the table of it: medians with their spread, next to the goal."""

import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

UNITS = {"ms": 1e3, "MB": 1e-6, "x": 1.0}
"""What a figure in seconds, bytes or nothing is multiplied by to be printed in that unit."""


@dataclass
class Figures:
    """What was measured, by name: seconds, or bytes."""

    of: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, figure: float) -> None:
        """One more of that name."""
        self.of.setdefault(name, []).append(figure)


@dataclass(frozen=True)
class Line:
    """A line of the table. `most` is the goal, in the unit that is printed; None: the figure is there to explain others."""

    name: str
    unit: str
    figures: Sequence[float]
    most: float | None = None

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The line as it is printed."""
        shown = sorted(figure * UNITS[self.unit] for figure in self.figures)
        digits = 2 if self.unit == "x" else 1
        median = statistics.median(shown)
        goal = "" if self.most is None else f"<= {self.most:g} {self.unit}"
        holds = "" if self.most is None else "yes" if median <= self.most else "NO"
        spread = f"{shown[0]:.{digits}f} to {shown[-1]:.{digits}f}"
        return f"{self.name}", f"{median:.{digits}f} {self.unit}  ({spread})", goal, holds


def report(title: str, lines: Sequence[Line]) -> None:
    """Print the machine, the versions and the table."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("pydantic", "pydantic-core", "aiohttp"))
    processor = f"{os.cpu_count()} x {platform.machine()}"
    rows = [("", "median  (spread)", "goal", "holds"), *(line.cells for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    text = [title, f"Python {platform.python_version()}, {versions}; {platform.system()}, {processor}", ""]
    text += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    sys.stdout.write("\n".join(text) + "\n")
