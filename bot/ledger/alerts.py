"""StoredAlerts: the state of each alert, so that after a restart none is raised twice and none is forgotten.

It implements `AlertLedger` of `bot.alerts.manager`. Where the database cannot be used, every method raises
LedgerUnavailable and no other error. No row is ever removed: a call that comes back finds its old card.
"""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select, update

from bot.alerts.alert import Alert, shift_alert
from bot.alerts.card import BlindCard, shift_blind
from bot.ledger import tables
from bot.ledger.database import Database
from bot.ledger.tables import cards, document_of, newest_row, read_document

WRITTEN_TOGETHER = 200
"""Alerts in one transaction. SQLite has one writer at a time, and a new request waits for it."""
_READ_TOGETHER = 100
"""Documents that are parsed before the event loop has its turn."""
_KEYS_TOGETHER = 500
"""Keys in one query: SQLite takes 32,766 values ("Limits In SQLite"), PostgreSQL 32,767."""
_A_DAY = timedelta(days=1)
_MOST_UNSHOWN = 500
"""Cards with a resolved alert that are shown at a start, the newest."""

_ROW = tables.alerts.c
_LEGIBLE = _ROW.key.is_not(None)

_log = structlog.get_logger("callbot.ledger")


class StoredAlerts:
    """The alerts of one ledger, on its database. Times come from `now`, which gives an aware instant."""

    def __init__(
        self, database: Database, now: Callable[[], datetime], stepped: Callable[[], timedelta], ahead: timedelta
    ) -> None:
        self._database = database
        self._now = now
        self._stepped = stepped
        self._ahead = ahead
        self._upsert = database.upsert(tables.alerts)
        self._one_after_the_other = asyncio.Lock()

    async def save_alerts(self, alerts: Sequence[Alert]) -> None:
        """Write down these alerts as they are now, in pieces of WRITTEN_TOGETHER, each as a whole or not at all.

        Other writes go between two pieces; calls are written in their order. Where another alert has the same `key`,
        LedgerUnavailable is raised, and that piece and the rest are not written. Cancelling the caller stops no piece.
        """
        # Each piece runs to its end by itself. All together, too: a caller who is cancelled stops none of the later pieces.
        await self._database.run_to_its_end(self._save(alerts), "alerts into the ledger")

    async def _save(self, alerts: Sequence[Alert]) -> None:
        async with self._one_after_the_other:
            for start in range(0, len(alerts), WRITTEN_TOGETHER):
                await self._write(list(map(self._row, alerts[start : start + WRITTEN_TOGETHER])))

    async def _write(self, rows: Sequence[dict[str, Any]]) -> None:
        await self._database.write_later(lambda connection: connection.execute(self._upsert, rows).close())

    def _row(self, alert: Alert) -> dict[str, Any]:
        newest = max((step.at for step in alert.steps), default=alert.raised_at) + self._ahead
        alert = shift_alert(alert, self._stepped())
        return {
            "id": alert.id,
            "key": _fingerprint(alert.key),
            "card": alert.card,
            "channel": alert.channel,
            "open": alert.open,
            "raised_at": alert.raised_at,
            "updated_at": self._now() - self._stepped() + self._ahead,
            "stepped_at": newest,
            "document": document_of(alert),
        }

    async def alerts_of(self, keys: Collection[str]) -> tuple[Alert, ...]:
        """The alerts of these keys that were ever raised, in no order."""
        each_once = tuple(dict.fromkeys(keys))
        found: list[Alert] = []
        for start in range(0, len(each_once), _KEYS_TOGETHER):
            fingerprints = [_fingerprint(key) for key in each_once[start : start + _KEYS_TOGETHER]]
            found += await self._read(_ROW.key.in_(fingerprints))
        return tuple(found)

    async def alert(self, alert_id: str) -> Alert | None:
        """The alert of that id."""
        return next(iter(await self._read(_ROW.id == alert_id)), None)

    async def open_alerts(self) -> tuple[Alert, ...]:
        """All open alerts, and those that share a card with one; the first raised first."""
        return await self._read(_ROW.card.in_(select(_ROW.card).where(_ROW.open.is_(True))))

    async def resolved_unshown(self) -> tuple[Alert, ...]:
        """Alerts that were resolved within a day before the ledger was last written, and whose card does not show it yet.

        With them all alerts on such a card; the first raised comes first. Of very many cards it is the newest; how many are left out is logged.
        """
        unshown = await self._database.read(_unshown)
        if len(unshown) > _MOST_UNSHOWN:
            _log.warning("alert_cards_left_unshown", number=len(unshown) - _MOST_UNSHOWN)
        return await self._read(_ROW.card.in_(unshown[:_MOST_UNSHOWN]))

    # ── channels that no alert reaches ──

    async def save_blind(self, card: BlindCard, *, done: bool = False) -> None:
        """Write down that a channel is blind; `done`: `blind` gives it no more.

        Its row has no key, which tells it from the row of an alert.
        """
        shifted = shift_blind(card, self._stepped())
        row = {
            "id": card.id,
            "key": None,
            "card": card.id,
            "channel": card.place,
            "open": not done,
            "raised_at": shifted.since,
            "updated_at": self._now() - self._stepped() + self._ahead,
            "stepped_at": (card.ended or card.since) + self._ahead,
            "document": shifted.model_dump_json(),
        }
        await self._write([row])

    async def blind(self) -> tuple[BlindCard, ...]:
        """The channels that are blind, and those whose card may still say so."""
        query = select(_ROW.document).where(_ROW.key.is_(None), _ROW.open.is_(True)).order_by(_ROW.raised_at, _ROW.id)
        found = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return tuple(shift_blind(BlindCard.model_validate_json(each), -self._stepped()) for each in found)

    # ── rows ──

    async def _read(self, which: ColumnElement[bool]) -> tuple[Alert, ...]:
        """The alerts, the first raised first. One whose document cannot be read is closed, and loses its key."""
        query = select(_ROW.id, _ROW.document).where(_LEGIBLE, which).order_by(_ROW.raised_at, _ROW.id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        found: dict[str, Alert | None] = {}
        for number, each in enumerate(rows, 1):
            found[each.id] = read_document(each.document, Alert)
            if number % _READ_TOGETHER == 0:
                await asyncio.sleep(0)
        unreadable = [each for each, alert in found.items() if alert is None]
        if unreadable:
            await self._give_up(unreadable)
        by = -self._stepped()
        return tuple(shift_alert(alert, by) for alert in found.values() if alert is not None)

    async def _give_up(self, unreadable: Sequence[str]) -> None:
        for each in unreadable:
            _log.error("unreadable", alert=each)
        closed = update(tables.alerts).where(_ROW.id == bindparam("given_up")).values(open=False, key=None)
        ids = [{"given_up": each} for each in unreadable]
        await self._database.write_later(lambda connection: connection.execute(closed, ids).close())


def _unshown(connection: Connection) -> Sequence[str]:
    """Cards that do not show yet what was resolved within a day before the ledger was last written, the newest first."""
    newest = newest_row(connection, _ROW.open)
    return () if newest is None else connection.execute(_unshown_since(newest - _A_DAY)).scalars().all()


def _unshown_since(at: datetime) -> Select[Any]:
    """Cards that do not show yet what was resolved since then, the newest first."""
    unshown = cards.c.shown_until.is_(None) | (_ROW.stepped_at > cards.c.shown_until)
    return (
        select(_ROW.card)
        .outerjoin_from(tables.alerts, cards, cards.c.id == _ROW.card)
        .where(_LEGIBLE, _ROW.open.is_(False), _ROW.updated_at >= at, unshown)
        .group_by(_ROW.card)
        .order_by(func.max(_ROW.updated_at).desc(), _ROW.card)
    )


def _fingerprint(key: str) -> str:
    """A fingerprint that every index takes, of a key of any length: PostgreSQL takes a third of a page ("B-Tree Indexes")."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
