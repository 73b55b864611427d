"""The ledger as a second reader of the same file sees it: its tables, opened read-only."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine, select

from bot.ledger.tables import alerts, cards, interventions, requests
from tests.chaos.alert_records import AlertRow
from tests.chaos.records import Evidence, InterventionRow, RequestRow
from tests.chaos.wall_clock import WallClock

_CLAIMED = "SELECT id FROM interventions WHERE call_id = ? AND extension = ? AND action = ?"


class Memory:
    """The ledger of the run, whose dates are those of the bot's wall clock."""

    def __init__(self, file: Path, wall: WallClock) -> None:
        self.file = file
        """Where it lies now."""
        self._wall = wall

    def claimed(self, call_id: str, extension: str, action: str) -> frozenset[str]:
        """The interventions that are written down now, and that a PUT of this action may belong to."""
        with closing(self._connect()) as connection:
            return frozenset(row[0] for row in connection.execute(_CLAIMED, (call_id, extension, action)))

    def tell(self, evidence: Evidence) -> None:
        """Write everything that the ledger holds into the evidence."""
        engine = create_engine("sqlite://", creator=self._connect)
        try:
            with engine.connect() as connection:
                asked = connection.execute(select(requests)).mappings().all()
                done = connection.execute(select(interventions)).mappings().all()
                raised = connection.execute(select(alerts)).mappings().all()
                places = connection.execute(select(cards.c.id, cards.c.channel, cards.c.ts)).all()
        finally:
            engine.dispose()
        names = ("id", "trigger", "slack_user", "channel", "said", "outcome", "intervention", "extension")
        evidence.requests = [
            RequestRow(
                **{name: row[name] for name in names},
                at=self._wall.instant(row["at"], evidence.now),
                ahead=self._wall.ahead(row["at"], evidence.now),
            )
            for row in asked
        ]
        evidence.interventions = [
            InterventionRow.read(dict(row), self._wall.instant(row["asked_at"], evidence.now)) for row in done
        ]
        evidence.alerts = [AlertRow.read(dict(row)) for row in raised]
        evidence.cards = {place.id: (place.channel, place.ts) for place in places}

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=5.0)
