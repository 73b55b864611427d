"""The tour that newcomers begin with: no account, no home, no set-up, under half a minute, from an alert on."""

import subprocess
import sys
import time
from pathlib import Path

import bot


def test_the_tour_reaches_every_state_in_under_half_a_minute_from_an_empty_home(tmp_path: Path) -> None:
    started = time.monotonic()
    tour = subprocess.run(
        [sys.executable, "-m", "bot", "demo", "--tour"],
        env={"HOME": str(tmp_path), "PATH": "", "PYTHONPATH": str(Path(bot.__file__).parents[1])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    seconds = time.monotonic() - started
    states = ("Raised", "Resolved", "Ringing", "Connected", "Recording stopped", "Not answered", "Ended")
    words = (*states, "Ana Pop is on it", "Picked up by Ana Pop", "help is coming", "I don't know you yet")
    assert (tour.returncode, tour.stderr) == (0, ""), tour.stdout
    assert [word for word in words if word not in tour.stdout] == []
    assert seconds < 30
    assert list(tmp_path.iterdir()) == []
