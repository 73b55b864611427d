"""The five tables, and interventions and alerts as JSON in their rows.

The tables are the same in both databases; what differs is in the two column types.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    select,
)

from bot.alerts.alert import Alert
from bot.domain.intervention import Intervention

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL's text holds no NUL ("Character Types"), and no half of a surrogate pair can be written as UTF-8."""


def _storable(text: str) -> str:
    """The text with U+FFFD in place of each character that a database cannot hold."""
    return _UNSTORABLE.sub("\ufffd", text)


class ForeignText(TypeDecorator[str]):
    """Text that people and the PBX wrote. It is made storable, as a value of a row and in a comparison alike."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What goes into the database."""
        return None if value is None else _storable(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant or none, kept in UTC and given back aware of its zone. A naive datetime is refused with ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """What goes into the database: SQLite keeps no zone, so everything is in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("An instant without a zone cannot be kept.")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """What comes out of it."""
        if value is None:
            return None
        instant: datetime = value
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

interventions = Table(
    "interventions",
    metadata,
    Column("id", ForeignText, primary_key=True),
    Column("claim", ForeignText),
    Column("card", ForeignText, nullable=False),
    Column("slack_user", ForeignText, nullable=False),
    Column("call_id", ForeignText, nullable=False),
    Column("extension", ForeignText, nullable=False),
    Column("action", ForeignText, nullable=False),
    Column("state", ForeignText, nullable=False),
    Column("following", Boolean, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("stepped_at", UtcDateTime),
    Column("document", ForeignText, nullable=False),
    # NULLs are distinct in a unique index of either database: any number of rows claim nothing.
    Index(None, "claim", unique=True),
    Index(None, "following"),
    Index(None, "following", "updated_at"),
    Index(None, "card"),
    Index(None, "slack_user", "call_id", "asked_at"),
)
"""One row for each intervention. The columns are for finding it; `document` is the whole Intervention as JSON.

`state` is its code. `updated_at` is when it was written last, and `stepped_at` when its newest state began, by a clock of the ledger's own that is
never set back; the latter is NULL in the rows of an older callbot.
"""

requests = Table(
    "requests",
    metadata,
    Column("id", ForeignText, primary_key=True),
    Column("trigger", ForeignText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("slack_user", ForeignText, nullable=False),
    Column("stranger", Boolean, nullable=False, key="external"),  # an external user; its name in revision 0001
    Column("channel", ForeignText, nullable=False),
    Column("said", ForeignText, nullable=False),
    Column("extension", ForeignText, nullable=False),
    Column("call_id", ForeignText, nullable=False),
    Column("allowed", Boolean),
    Column("rule", ForeignText, nullable=False),
    Column("outcome", ForeignText, nullable=False),
    Column("intervention", ForeignText, ForeignKey("interventions.id")),
    Index(None, "trigger", unique=True),
    Index(None, "at"),
    Index(None, "slack_user", "at"),
    Index(None, "outcome"),
)
"""One row for each request: the audit log. `allowed` is NULL until that is decided."""

cards = Table(
    "cards",
    metadata,
    Column("id", ForeignText, primary_key=True),
    Column("channel", ForeignText, nullable=False),
    Column("ts", ForeignText, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("shown", ForeignText, nullable=False, server_default=""),
    Column("shown_until", UtcDateTime),
)
"""Where each card was posted: Slack's channel and ts, which together name a message; and what it shows.

`shown` is a fingerprint of what it shows, `shown_until` when the newest state in it began, as in `stepped_at`; NULL where
that is not known or out of date.
"""

posts_begun = Table(
    "posts_begun",
    metadata,
    Column("card", ForeignText, primary_key=True),
    Column("target", ForeignText, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
)
"""Pending posts: cards whose post to `target` (a channel, or a user for the direct message) has begun, its ts not known yet."""

alerts = Table(
    "alerts",
    metadata,
    Column("id", ForeignText, primary_key=True),
    Column("key", ForeignText),
    Column("card", ForeignText, nullable=False),
    Column("channel", ForeignText, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("stepped_at", UtcDateTime, nullable=False),
    Column("document", ForeignText, nullable=False),
    Index(None, "key", unique=True),
    Index(None, "card"),
    Index(None, "open", "updated_at"),
)
"""One row for each alert, so for one rule and one call. The columns are for finding it; `document` is the whole Alert.

`key` is a fingerprint of the rule and the call. It is NULL for a blind channel, and once the document could not be read.
`card` is its own id, or the digest card that shows it. `updated_at` and `stepped_at` are as those of interventions.
"""

alembic_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where Alembic keeps the revision of the tables, as it makes it itself."""


def newest_row(connection: Connection, going_on: Column[bool]) -> datetime | None:
    """When the newest row was written, of those that go on and of the others: the index answers each apart. None: no row."""
    at = going_on.table.c.updated_at
    newest = [
        connection.execute(select(at).where(going_on.is_(which)).order_by(at.desc()).limit(1)).scalar()
        for which in (True, False)
    ]
    return max((each for each in newest if each is not None), default=None)


# ── documents ──

_Whole = TypeVar("_Whole", Intervention, Alert)


def document_of(whole: Intervention | Alert) -> str:
    r"""As JSON. No text of a PBX may stop a claim: half a surrogate pair (`"\ud800"`) is valid JSON, but no UTF-8."""
    try:
        return whole.model_dump_json()
    except PydanticSerializationError:
        return _storable(json.dumps(whole.model_dump(mode="json"), ensure_ascii=False))


def read_document(document: str, kind: type[_Whole]) -> _Whole | None:
    """What was written; None where the text cannot be read (another release wrote it, or it is damaged)."""
    try:
        return kind.model_validate_json(document)
    except ValidationError:
        # The error quotes the document, and with it names and numbers of callers, so it is not logged.
        return None
