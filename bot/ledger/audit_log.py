"""The audit log: who asked for what, when, on whom, from where, allowed or not and by which rule, what came of it.

It is read while callbot runs: without the lock, and nothing is migrated or created.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict
from sqlalchemy import Connection, Select, or_, select

from bot.domain.intervention import State
from bot.interventions.outcomes import Outcome
from bot.ledger import schema
from bot.ledger.address import Address
from bot.ledger.database import Database
from bot.ledger.failures import LedgerUnavailable
from bot.ledger.tables import interventions, requests

ENTRIES_IN_A_PIECE = 500
"""So that the largest ledger fits into memory, and no transaction is long."""


_FORMER_OUTCOMES = {
    "asked which call": Outcome.ASKED_WHICH_CALL,
    "mode not changed": Outcome.MODE_NOT_CHANGED,
    "interrupted before anything was sent": Outcome.INTERRUPTED,
}


def _as_code(stored: object) -> object:
    """The code for what a row holds. Until revision 0006 that was a word, and reading migrates nothing."""
    return _FORMER_OUTCOMES.get(stored, stored.lower().replace(" ", "_")) if isinstance(stored, str) else stored


class AuditEntry(BaseModel):
    """One request and what came of it."""

    model_config = ConfigDict(frozen=True)

    id: str
    at: datetime
    slack_user: str
    external: bool
    channel: str
    said: str
    extension: str
    """The agent's, empty where the request did not get as far."""
    call_id: str
    allowed: bool | None
    """None where that was never decided."""
    rule: str
    outcome: Annotated[Outcome, BeforeValidator(_as_code)]
    state: Annotated[State | None, BeforeValidator(_as_code)]
    """Of the intervention, None where nothing was sent."""


def _query(since: datetime | None, slack_user: str | None) -> Select[tuple[object, ...]]:
    asked = requests.c
    columns = [asked[name].label(name) for name in AuditEntry.model_fields if name != "state"]
    query = (
        select(*columns, interventions.c.state)
        .outerjoin_from(requests, interventions, asked.intervention == interventions.c.id)
        .order_by(asked.at, asked.id)
    )
    if since is not None:
        query = query.where(asked.at >= since)
    if slack_user is not None:
        query = query.where(asked.slack_user == slack_user)
    return query


def _entries(connection: Connection, query: Select[tuple[object, ...]]) -> tuple[AuditEntry, ...]:
    return tuple(AuditEntry.model_validate(dict(row)) for row in connection.execute(query).mappings())


class AuditLog:
    """The audit log of a ledger that may be in use. Made by `open`; `close` it in the end."""

    def __init__(self, database: Database, revision: str) -> None:
        self._database = database
        self.revision = revision
        """The revision that the ledger is at."""

    @classmethod
    async def open(cls, url: str) -> "AuditLog":
        """Open the ledger of a DATABASE_URL to read it. Raises LedgerUnavailable, whose text says what to do."""
        address = Address(url)
        try:
            database = Database.open_to_read(address)
            try:
                return cls(database, await schema.readable_revision(database))
            except BaseException:
                await database.close()
                raise
        except LedgerUnavailable as error:
            raise error.at_start(address.place) from error

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()

    @property
    def up_to_date(self) -> bool:
        """Whether the next start of callbot has nothing to migrate."""
        return self.revision == schema.HEAD

    async def pieces(
        self, since: datetime | None = None, *, user: str | None = None, at_once: int = ENTRIES_IN_A_PIECE
    ) -> AsyncIterator[tuple[AuditEntry, ...]]:
        """The requests since an instant (aware), of one Slack user, oldest first, in pieces; None means all.

        Raises LedgerUnavailable.
        """
        rest = _query(since, user)
        asked = requests.c
        while True:
            piece = await self._database.read(partial(_entries, query=rest.limit(at_once)))
            if piece:
                yield piece
            if len(piece) < at_once:
                return
            last = piece[-1]
            # The index on `at` finds the instant; the ids only tell apart what came at that very instant.
            rest = _query(last.at, user).where(or_(asked.at > last.at, asked.id > last.id))
