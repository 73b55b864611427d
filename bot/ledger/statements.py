"""The statements that every intervention needs, built once: building one takes longer than executing it.

Values come with the execution: under the name of a column to write it, as `its_…` to compare with one.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import (
    BindParameter,
    Column,
    Connection,
    Table,
    bindparam,
    case,
    delete,
    exists,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bot.interventions.outcomes import Outcome
from bot.ledger.tables import cards, interventions, posts_begun, requests

_ITS_ID: BindParameter[str] = bindparam("its_id")
_ITS_CARD: BindParameter[str] = bindparam("its_card")
_ITS_REQUEST: BindParameter[str] = bindparam("its_request")
_ITS_PERSON: BindParameter[str] = bindparam("its_person")
_ITS_CALL: BindParameter[str] = bindparam("its_call")
_ITS_BEGINNING: BindParameter[datetime] = bindparam("its_beginning")
_ITS_CLAIM: BindParameter[str | None] = bindparam("its_claim")
_POSTED = ("channel", "ts", "shown", "shown_until", "updated_at")
_BEGUN = ("target", "begun_at")

Insert = sqlite.Insert | postgresql.Insert
"""An INSERT with ON CONFLICT: the same SQL in both databases, two classes in SQLAlchemy."""


class AboutRequests:
    """Statements about requests, for the database of that INSERT."""

    def __init__(self, insert: Callable[[Table], Insert]) -> None:
        asked = requests.c
        self.begin = insert(requests).on_conflict_do_nothing(index_elements=["trigger"])
        self.outcome = select(asked.outcome).where(asked.id == _ITS_REQUEST).with_for_update()
        self.intervention = select(asked.intervention).where(asked.id == _ITS_REQUEST).with_for_update()
        self.conclude = update(requests).where(asked.id == _ITS_REQUEST)
        self.sent = self.conclude.where(asked.intervention.is_(None))
        received = (
            select(*(column.label(column.key) for column in asked))
            .where(asked.outcome == Outcome.RECEIVED)
            .order_by(asked.at, asked.id)
        )
        self.received = received.with_for_update()
        self.interrupted = self.conclude.values(outcome=Outcome.INTERRUPTED)
        standing = select(cards.c.id).where(cards.c.shown_until.is_(None))
        may_stand = or_(asked.id.in_(standing), asked.id.in_(select(posts_begun.c.card)))
        shared = exists().where(interventions.c.card == asked.id)
        never_sent = select(asked.id).where(
            asked.intervention.is_(None), asked.at >= _ITS_BEGINNING, may_stand, ~shared
        )
        self.waited_unshown = never_sent.order_by(asked.at, asked.id)
        """A request waits on a new card under its own id. If something else was sent meanwhile, the card goes on with that."""


class AboutInterventions:
    """Statements about interventions, for the database of that INSERT."""

    def __init__(self, insert: Callable[[Table], Insert]) -> None:
        row, other = interventions.c, interventions.alias("other").c
        held = insert(interventions).on_conflict_do_update(index_elements=["claim"], set_={"claim": row.claim})
        self.take = held.returning(row.id, row.slack_user)
        """Inserts the row, or returns the one that has its claim, by an update that changes nothing.

        One statement does both, or the claim could be released between the two.
        """
        taken = exists().where(other.claim == _ITS_CLAIM, other.id != _ITS_ID)
        its_own = update(interventions).where(row.id == _ITS_ID)
        self.save = its_own.values(claim=case((taken, null()), else_=_ITS_CLAIM))
        """Writes the claim, unless another row has it meanwhile."""
        self.withdraw = delete(interventions).where(row.id == _ITS_ID)
        """For an intervention that was claimed and never sent: its request keeps the outcome."""
        self.give_up = its_own.values(following=False, claim=None)
        documents = select(row.id, row.document).order_by(row.asked_at, row.id)
        self.following = documents.where(row.following.is_(True))
        self.of_card = documents.where(row.card == _ITS_CARD)
        self.of_call = documents.where(
            row.slack_user == _ITS_PERSON, row.call_id == _ITS_CALL, row.asked_at >= _ITS_BEGINNING
        )


class AboutCards:
    """Statements about posted cards, for the database of that INSERT."""

    def __init__(self, insert: Callable[[Table], Insert]) -> None:
        card, begun_post = cards.c, posts_begun.c
        self.card = select(card.channel, card.ts, card.shown).where(card.id == _ITS_CARD)
        self.begun_post = select(begun_post.target, begun_post.begun_at).where(begun_post.card == _ITS_CARD)
        self.post_done = delete(posts_begun).where(begun_post.card == _ITS_CARD)
        begun, posted = insert(posts_begun), insert(cards)
        self.begin_post = begun.on_conflict_do_update(
            index_elements=["card"], set_={name: begun.excluded[name] for name in _BEGUN}
        )
        self.save_posted = posted.on_conflict_do_update(
            index_elements=["id"], set_={name: posted.excluded[name] for name in _POSTED}
        )


def newest_row(connection: Connection, going_on: Column[bool]) -> datetime | None:
    """When the newest row was written, of those that go on and of the others: the index answers each apart. None: no row."""
    at = going_on.table.c.updated_at
    newest = [
        connection.execute(select(at).where(going_on.is_(which)).order_by(at.desc()).limit(1)).scalar()
        for which in (True, False)
    ]
    return max((each for each in newest if each is not None), default=None)
