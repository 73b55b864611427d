"""The trail: who asked for what, when, on whom, from where, allowed or not and by which rule, what came of it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.following import State
from bot.ledger.tables import interventions, requests
from bot.ports import Outcome


class TrailEntry(BaseModel):
    """One request and what came of it, for whoever reads the audit."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    slack_user: str
    stranger: bool
    channel: str
    said: str
    extension: str
    """The agent's, empty where the request did not get as far."""
    call_id: str
    allowed: bool | None
    """None where that was never decided."""
    rule: str
    outcome: Outcome
    state: State | None
    """Of the intervention, None where nothing was sent."""


def _query(since: datetime | None, slack_user: str | None) -> Select[tuple[object, ...]]:
    asked = requests.c
    columns = [asked[name] for name in TrailEntry.model_fields if name != "state"]
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


async def entries(
    connection: AsyncConnection, since: datetime | None, slack_user: str | None
) -> tuple[TrailEntry, ...]:
    """The requests from that instant on, of that person, newest last; None means all."""
    rows = await connection.execute(_query(since, slack_user))
    return tuple(TrailEntry.model_validate(dict(row)) for row in rows.mappings())
