"""The ledger as a second reader of the same file sees it, and what others do to the file: they lock it, or replace it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from sqlalchemy import create_engine, select

from bot.ledger.tables import alerts, cards, interventions, requests
from tests.chaos.records import AlertRow, Evidence, InterventionRow, RequestRow
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


# ── what others do to the file ──


TRIES, PAUSE = 100, 0.01
"""How often, and how many seconds apart, the lock is asked for: the bot has it for a moment at each commit."""


class LedgerFile:
    """The SQLite file at `path`. One thing at a time is done to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._one_at_a_time = asyncio.Lock()

    async def locked(self, seconds: float) -> None:
        """Nobody else can write for so long; where the lock cannot be had, nothing happens."""
        async with self._one_at_a_time:
            with closing(sqlite3.connect(self.path, timeout=0, isolation_level=None)) as other:
                for _ in range(TRIES):
                    with suppress(sqlite3.OperationalError):
                        other.execute("BEGIN IMMEDIATE")
                        await asyncio.sleep(seconds)
                        other.execute("ROLLBACK")
                        return
                    await asyncio.sleep(PAUSE)

    @asynccontextmanager
    async def replaced_by_a_backup(self) -> AsyncIterator[Path]:
        """Meanwhile a copy lies in its place; where the file itself lies then. The bot has to be gone at the end."""
        async with self._one_at_a_time:
            kept, backup = self.path.with_name("kept.db"), self.path.with_name("backup.db")
            with closing(self._connected()) as source, closing(sqlite3.connect(backup)) as copy:
                source.backup(copy)
            self._move(self.path, kept)
            backup.replace(self.path)
            try:
                yield kept
            finally:
                for each in (self.path, *self._beside(self.path)):
                    each.unlink(missing_ok=True)
                self._move(kept, self.path)

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=5.0)

    def _move(self, old: Path, new: Path) -> None:
        for source, target in zip((old, *self._beside(old)), (new, *self._beside(new)), strict=True):
            with suppress(FileNotFoundError):
                source.replace(target)

    def _beside(self, file: Path) -> tuple[Path, Path]:
        """The write-ahead log and its index."""
        return file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")
