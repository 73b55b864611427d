"""The whole bot over 10,000 live calls: acknowledgements while `/calls` is asked for, `/calls` itself, and scans with 20 rules."""

import tempfile
import time
from pathlib import Path

from bench.floor import twenty_rules
from bench.interventions import rules, settings
from bench.servers import bot, python
from bench.table import Row, percentile
from bench.unlimited import read_turns
from bench.world import Around

PER_SECOND = 50
"""Commands a second, each carried out as far as the PUT and the card."""


def measure_lists(around: Around, rounds: int, *, seconds: int, lists: int) -> list[Row]:
    """The rows of `/calls`. Each round sends commands for so many seconds while lists are asked for, then so many lists alone."""
    took, held_up, answered = list[float](), list[float](), list[float]()
    with tempfile.TemporaryDirectory(prefix="callbot-bench-") as place:
        turns = Path(place) / "turns"
        with bot(Path(place), rules(), settings(around), python("bench.unlimited", str(turns))) as running:
            around.ask("show_floor")
            around.ask("listed", running.port, 1)
            for _ in range(rounds):
                begun = time.monotonic()
                took += around.ask("acknowledged_beside_lists", running.port, seconds, PER_SECOND)
                held_up.append(max(turn.late for turn in read_turns(turns, begun, time.monotonic())))
                running.until_done()
                answered += around.ask("listed", running.port, lists)
    return [
        Row("acknowledged while /calls is asked for, 99 %", "ms", [percentile(took, 99)], most=50),
        Row("  longest hold-up by the event loop", "ms", held_up, most=50),
        Row("/calls over 10,000 calls, after the PBX's answer", "s", answered, most=1),
    ]


def measure_scans(around: Around, rounds: int) -> list[Row]:
    """The rows of scans: so many that show new calls alone, and so many that show 1 % changed.

    Turns of the event loop are recorded in a process of their own, since that takes processor time, too.
    """
    toml = rules() + twenty_rules()
    with tempfile.TemporaryDirectory(prefix="callbot-bench-") as place:
        with bot(Path(place), toml, settings(around), python("bench.unlimited")) as running:
            used = around.ask("scanned", running.pid, rounds + 1)[2:]  # the first two take new memory
        turns = Path(place) / "turns"
        with bot(Path(place), toml, settings(around), python("bench.unlimited", str(turns))) as running:
            begun = time.monotonic()
            around.ask("scanned", running.pid, max(1, rounds // 2))
            worked = max(turn.worked for turn in read_turns(turns, begun, time.monotonic()))
    return [
        Row("scan of 10,000 calls, all new: processor time", "ms", used[::2], most=350),
        Row("scan of 10,000 calls, 1 % changed: processor time", "ms", used[1::2], most=200),
        Row("  longest turn of the event loop", "ms", [worked], most=20),
    ]
