"""What is written down stays, or nothing is done: a ledger whose file was replaced stops callbot."""

from collections.abc import Iterator

from tests.chaos.records import Evidence, Violation

ON_ITS_WAY = 1.0
"""Seconds for which a PUT may still be on its way whose row stood before the ledger was replaced."""
STOPPED_WITHIN = 13.0
"""Seconds until the bot has stopped: a look at the file every 2 s, and an orderly end within 10 s."""


def lost_ledgers(evidence: Evidence) -> Iterator[Violation]:
    """The bot stops with exit code 1 after its ledger was replaced, and sends nothing meanwhile."""
    for lost in evidence.lost:
        if lost.code != 1 or lost.seconds > STOPPED_WITHIN:
            seen = f"exit code {lost.code} after {lost.seconds:.1f} s"
            yield Violation("a replaced ledger stops callbot", f"replaced at {lost.at:.3f}: {seen}")
        for put in evidence.puts:
            if lost.at + ON_ITS_WAY < put.at < lost.at + lost.seconds:
                yield Violation("nothing is sent past a lost ledger", f"replaced at {lost.at:.3f}: {put.what}")
