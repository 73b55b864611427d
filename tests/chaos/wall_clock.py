"""The wall clock of the bot's machine, which somebody steps. How far it is off stands in a file in the folder of the run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

FILE = Path("wall-clock")
"""In the folder of the run, which is the bot's working directory. Seconds by which its clock is ahead."""
STEPS = (0.0, 3600.0, -3600.0, 7200.0, -7200.0, 10800.0, -10800.0)
"""Seconds by which it may be ahead: more than a run lasts, so that a date tells by itself which clock wrote it."""


def stepped_wall(file: Path = FILE) -> datetime:
    """What the clock says in the process of the bot."""
    return datetime.now(UTC) + timedelta(seconds=float(file.read_text()))


class WallClock:
    """The clock as the run sees it. `instant` turns a date of this machine into seconds of `time.monotonic`."""

    def __init__(self, folder: Path, instant: Callable[[datetime], float]) -> None:
        self._file = folder / FILE
        self._instant = instant
        self._file.write_text("0.0")

    def step(self, ahead: float) -> None:
        """From now on it is so many seconds ahead."""
        new = self._file.with_suffix(".new")
        new.write_text(str(ahead))
        new.replace(self._file)

    def instant(self, date: datetime, now: float) -> float:
        """When it was, in seconds of `time.monotonic`, that the bot's clock said `date`; `now` is when this is asked."""
        return self._instant(date) - self.ahead(date, now)

    def ahead(self, date: datetime, now: float) -> float:
        """By how many seconds the clock was ahead that said `date`."""
        moment = self._instant(date)
        return min(STEPS, key=lambda ahead: abs(moment - ahead - now))
