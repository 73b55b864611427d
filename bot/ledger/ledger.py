"""Ledger: requests, the claims that keep an action from being sent twice, and what is read after a crash.

It implements `InterventionLedger` of `bot.interventions.outcomes`, and keeps where the cards were posted. Where the
database cannot be used, every method raises LedgerUnavailable and no other error.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn, Self

import structlog
from sqlalchemy import (
    BindParameter,
    Connection,
    RowMapping,
    Select,
    bindparam,
    case,
    delete,
    exists,
    null,
    or_,
    select,
    update,
)

from bot.domain.clock import shift_intervention
from bot.domain.commands import Request
from bot.domain.errors import AlreadyAsked
from bot.domain.intervention import Intervention
from bot.interventions.card import PostedCard
from bot.interventions.outcomes import Outcome
from bot.ledger import schema
from bot.ledger.address import Address
from bot.ledger.alerts import StoredAlerts
from bot.ledger.database import Database
from bot.ledger.failures import Conflict, LedgerUnavailable
from bot.ledger.sqlite import never
from bot.ledger.tables import (
    alerts,
    cards,
    document_of,
    interventions,
    newest_row,
    posts_begun,
    read_document,
    requests,
)

__all__ = ["Ledger", "LedgerUnavailable"]

_log = structlog.get_logger("callbot.ledger")
PROBE_EVERY = 5.0
"""Seconds without a write after which `keep` writes, to know whether the ledger takes rows."""
_ASKED = ("id", "card", "slack_user", "call_id", "extension", "asked_at")
"""Columns that are as the intervention has them."""
_A_CALL_LASTS = timedelta(days=1)
"""At most: what is older is not read after a restart."""
_MOST_UNSHOWN = 500
"""Ended interventions whose cards are shown at a start, the newest: more than wait for a Slack that is away for an hour."""

# The statements that every intervention needs, built once: building one takes longer than executing it. Values come with the
# execution: under the name of a column to write it, as `its_…` to compare with one.
_ITS_CARD: BindParameter[str] = bindparam("its_card")
_ITS_CLAIM: BindParameter[str | None] = bindparam("its_claim")
_ITS_BEGINNING: BindParameter[datetime] = bindparam("its_beginning")

_THE_REQUEST = requests.c.id == bindparam("its_request")
_CONCLUDE = update(requests).where(_THE_REQUEST)
_MARK_SENT = _CONCLUDE.where(requests.c.intervention.is_(None))
_MARK_INTERRUPTED = _CONCLUDE.values(outcome=Outcome.INTERRUPTED)
_SELECT_OUTCOME = select(requests.c.outcome).where(_THE_REQUEST).with_for_update()
_SELECT_INTERVENTION = select(requests.c.intervention).where(_THE_REQUEST).with_for_update()
_SELECT_RECEIVED = (
    select(*(column.label(column.key) for column in requests.c))
    .where(requests.c.outcome == Outcome.RECEIVED)
    .order_by(requests.c.at, requests.c.id)
    .with_for_update()
)
_SELECT_WAITED_UNSHOWN = (
    select(requests.c.id)
    .where(
        requests.c.intervention.is_(None),
        requests.c.at >= _ITS_BEGINNING,
        or_(
            requests.c.id.in_(select(cards.c.id).where(cards.c.shown_until.is_(None))),
            requests.c.id.in_(select(posts_begun.c.card)),
        ),
        ~exists().where(interventions.c.card == requests.c.id),
    )
    .order_by(requests.c.at, requests.c.id)
)
"""A request waits on a new card under its own id. If something else was sent meanwhile, the card goes on with that."""

_ROW, _OTHER = interventions.c, interventions.alias("other").c
_THE_INTERVENTION = _ROW.id == bindparam("its_id")
_TAKEN = exists().where(_OTHER.claim == _ITS_CLAIM, _OTHER.id != bindparam("its_id"))
_SAVE = update(interventions).where(_THE_INTERVENTION).values(claim=case((_TAKEN, null()), else_=_ITS_CLAIM))
"""Writes the claim, unless another row has it meanwhile."""
_WITHDRAW = delete(interventions).where(_THE_INTERVENTION)
"""For an intervention that was claimed and never sent: its request keeps the outcome."""
_GIVE_UP = update(interventions).where(_THE_INTERVENTION).values(following=False, claim=None)
_DOCUMENTS = select(_ROW.id, _ROW.document).order_by(_ROW.asked_at, _ROW.id)
_TRACKED = _DOCUMENTS.where(_ROW.following.is_(True))
_OF_CARD = _DOCUMENTS.where(_ROW.card == _ITS_CARD)
_OF_CALL = _DOCUMENTS.where(
    _ROW.slack_user == bindparam("its_person"), _ROW.call_id == bindparam("its_call"), _ROW.asked_at >= _ITS_BEGINNING
)
_SELECT_ENDED_UNSHOWN = (
    select(_ROW.card)
    .outerjoin_from(interventions, cards, cards.c.id == _ROW.card)
    .where(
        _ROW.following.is_(False),
        _ROW.updated_at >= _ITS_BEGINNING,
        _ROW.stepped_at.is_not(None),
        cards.c.shown_until.is_(None) | (_ROW.stepped_at > cards.c.shown_until),
    )
    .order_by(_ROW.updated_at.desc())
    .limit(_MOST_UNSHOWN)
)

_SELECT_POSTED = select(cards.c.channel, cards.c.ts, cards.c.shown).where(cards.c.id == _ITS_CARD)
_SELECT_PENDING_POST = select(posts_begun.c.target, posts_begun.c.begun_at).where(posts_begun.c.card == _ITS_CARD)
_FORGET_PENDING_POST = delete(posts_begun).where(posts_begun.c.card == _ITS_CARD)


class Ledger:
    """Made by `open`; `close` it in the end. Times come from `now`, which gives an aware instant.

    Instants in documents are those of the wall clock: `stepped` is its distance from the instants in memory. The columns
    that say when a state began or was written have an order of their own, from which the next start knows what a card does
    not show yet: `ahead` is added to the instants in memory, so that they never go back, wherever the clock is set to.
    """

    def __init__(
        self, database: Database, now: Callable[[], datetime], stepped: Callable[[], timedelta], ahead: timedelta
    ) -> None:
        self._database = database
        self._now = now
        self._stepped = stepped
        self._ahead = ahead
        self._unreadable: set[str] = set()
        self._begin = database.insert(requests).on_conflict_do_nothing(index_elements=["trigger"])
        taken = database.insert(interventions).on_conflict_do_update(
            index_elements=["claim"], set_={"claim": _ROW.claim}
        )
        self._take = taken.returning(_ROW.id, _ROW.slack_user)
        """Inserts the row, or returns the one that has its claim, by an update that changes nothing.

        One statement does both, or the claim could be released between the two.
        """
        self._save_pending_post = database.upsert(posts_begun)
        self._save_posted = database.upsert(cards)
        self.alerts = StoredAlerts(database, now, stepped, ahead)
        """The alerts, in this database, and closed with it."""

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        now: Callable[[], datetime],
        stepped: Callable[[], timedelta] = timedelta,
        replaced: Callable[[], bool] = never,
    ) -> Self:
        """Open the ledger of a DATABASE_URL (`sqlite:///callbot.db`, `postgresql://…`), its tables up to date.

        `replaced` is that of the SingleRun that holds the ledger: once it is true, nothing is written any more.
        Raises LedgerUnavailable, whose text is for the person who starts callbot.
        """
        address = Address(url)
        try:
            database = await Database.open(address, replaced)
            try:
                await schema.bring_up_to_date(database)
                newest = await database.read(_last_word)
            except BaseException:
                await database.close()
                raise
        except LedgerUnavailable as error:
            raise error.at_start(address.place) from error
        ahead = timedelta() if newest is None else max(timedelta(), newest - (now() - stepped()))
        return cls(database, now, stepped, ahead)

    @property
    def takes_rows(self) -> bool:
        """Whether the last write succeeded. `keep` writes where nobody else does."""
        return self._database.takes_rows

    def on_failure(self, hears: Callable[[str], None]) -> None:
        """Call `hears` for each failure of the database, with its `Reason`."""
        self._database.on_failure = hears

    async def reserve(self) -> None:
        """Open all connections now. Raises LedgerUnavailable, whose text says how many are needed."""
        await self._database.reserve()

    async def keep(self, sleep: Callable[[float], Awaitable[None]]) -> NoReturn:
        """Find out again and again whether the ledger takes rows, until this is cancelled."""
        while True:
            await sleep(PROBE_EVERY)
            await self._database.probe(schema.touch)

    async def close(self) -> None:
        """Finish what is being written, then close the database. Every later call raises LedgerUnavailable."""
        await self._database.close()

    # ── requests ──

    async def begin(self, request: Request) -> bool:
        """Write the request down. False where its trigger is known already: Slack delivered it twice."""
        row = request.model_dump() | {"extension": "", "call_id": "", "rule": "", "outcome": Outcome.RECEIVED}
        return await self._database.write(lambda connection: connection.execute(self._begin, row).rowcount) == 1

    async def conclude(
        self, request: str, outcome: Outcome, *, rule: str, allowed: bool | None, extension: str = "", call_id: str = ""
    ) -> None:
        """Write down the outcome of a request that sent nothing. One that was sent stays `sent`, whatever failed later."""
        values = {"outcome": outcome, "rule": rule, "allowed": allowed, "extension": extension, "call_id": call_id}
        its = {"its_request": request}

        def work(connection: Connection) -> None:
            before = connection.execute(_SELECT_OUTCOME, its).scalar()
            if before is None:
                raise LedgerUnavailable("no such request")
            if before != Outcome.SENT:
                connection.execute(_CONCLUDE, its | values)

        await self._database.write(work)

    async def interrupted(self) -> tuple[Request, ...]:
        """Requests without an outcome when callbot ended: they become INTERRUPTED, and are returned once."""

        def work(connection: Connection) -> Sequence[RowMapping]:
            rows = connection.execute(_SELECT_RECEIVED).mappings().all()
            if rows:
                connection.execute(_MARK_INTERRUPTED, [{"its_request": row["id"]} for row in rows])
            return rows

        return tuple(Request.model_validate(dict(row)) for row in await self._database.write(work))

    async def waited_unshown(self) -> tuple[str, ...]:
        """Cards that may still say that a request of the last day waits, though it was never sent; they show nothing else."""
        its = {"its_beginning": self._now() - _A_CALL_LASTS}
        return tuple(
            await self._database.read(
                lambda connection: connection.execute(_SELECT_WAITED_UNSHOWN, its).scalars().all()
            )
        )

    # ── claims and states ──

    async def claim(self, request: str, intervention: Intervention, *, rule: str) -> None:
        """Write the intervention down before its PUT, and the request as allowed and sent, in one transaction.

        Raises AlreadyAsked, whose `who` has the claim, where an open intervention has the same `claim_key`. One request
        sends one action: a second claim for it raises LedgerUnavailable.
        """
        sent = {
            "its_request": request,
            "outcome": Outcome.SENT,
            "rule": rule,
            "allowed": True,
            "extension": intervention.extension,
            "call_id": intervention.call_id,
            "intervention": intervention.id,
        }
        shifted = shift_intervention(intervention, self._stepped())
        row = {name: getattr(shifted, name) for name in _ASKED} | {"action": shifted.name, "claim": shifted.claim_key}
        row |= self._state_columns(intervention)

        def work(connection: Connection) -> None:
            there = connection.execute(self._take, row).one()
            if there.id != intervention.id:
                raise AlreadyAsked("", there.slack_user)
            if connection.execute(_MARK_SENT, sent).rowcount != 1:
                raise LedgerUnavailable("no such request, or it was sent already")

        await self._database.write(work)

    async def withdraw(
        self,
        request: str,
        *,
        rule: str,
        allowed: bool | None,
        extension: str = "",
        call_id: str = "",
        outcome: Outcome = Outcome.REFUSED,
    ) -> None:
        """Release the claim of a request that sent nothing, whether the claim was written or not; `rule` says why.

        `outcome` RECEIVED: the request goes on, and may claim again.

        The request's row is locked first. Where the answer to the COMMIT of the claim was lost and the server is still
        at work on it, the server has that row locked, so this waits and then sees what became of it.
        """
        values = {"outcome": outcome, "rule": rule, "allowed": allowed, "extension": extension}
        its = {"its_request": request}

        def work(connection: Connection) -> None:
            found = connection.execute(_SELECT_INTERVENTION, its).first()
            if found is None:
                raise LedgerUnavailable("no such request")
            connection.execute(_CONCLUDE, its | values | {"call_id": call_id, "intervention": None})
            if found.intervention is not None:
                connection.execute(_WITHDRAW, {"its_id": found.intervention})

        await self._database.write(work)

    async def save(self, intervention: Intervention) -> None:
        """Write down a new state. Where the intervention has no claim any more, it is released.

        An intervention whose phone is answered late would have its claim back. Where a newer request has that claim
        by then, the state is written without it.
        """
        row = {"its_id": intervention.id, "its_claim": intervention.claim_key} | self._state_columns(intervention)

        def work(connection: Connection) -> None:
            if connection.execute(_SAVE, row).rowcount != 1:
                raise LedgerUnavailable("no such intervention")

        try:
            await self._database.write_later(work)
        except Conflict:  # PostgreSQL: another session had the claim and had not committed it, so it was not to be seen
            await self._database.write_later(work)

    def _state_columns(self, intervention: Intervention) -> dict[str, Any]:
        """The columns that change with the state."""
        return {
            "state": intervention.state,
            "following": intervention.following,
            "updated_at": self._now() - self._stepped() + self._ahead,
            "stepped_at": max((step.at for step in intervention.steps), default=intervention.asked_at) + self._ahead,
            "document": document_of(shift_intervention(intervention, self._stepped())),
        }

    # ── what is read after a restart ──

    async def tracked(self) -> tuple[Intervention, ...]:
        """All interventions that are still tracked, oldest first.

        One whose document cannot be read (another release wrote it) is tracked no more, and has no claim.
        """
        found, unreadable = await self._read(_TRACKED)
        if unreadable:
            ids = [{"its_id": each} for each in unreadable]
            await self._database.write(lambda connection: connection.execute(_GIVE_UP, ids).close())
        return found

    async def of_call(self, slack_user: str, call_id: str) -> tuple[Intervention, ...]:
        """All interventions of this person on this call in the last day, oldest first."""
        its = {"its_person": slack_user, "its_call": call_id, "its_beginning": self._now() - _A_CALL_LASTS}
        return (await self._read(_OF_CALL, its))[0]

    async def of_card(self, card: str) -> tuple[Intervention, ...]:
        """All interventions that one card shows, oldest first."""
        return (await self._read(_OF_CARD, {"its_card": card}))[0]

    async def ended_unshown(self) -> tuple[str, ...]:
        """Cards that do not show yet what ended within a day before the ledger was last written, newest last."""

        def work(connection: Connection) -> Sequence[str]:
            newest = newest_row(connection, _ROW.following)
            if newest is None:
                return ()
            return connection.execute(_SELECT_ENDED_UNSHOWN, {"its_beginning": newest - _A_CALL_LASTS}).scalars().all()

        return tuple(reversed(tuple(dict.fromkeys(await self._database.read(work)))))

    async def _read(
        self, query: Select[Any], its: Mapping[str, Any] | None = None
    ) -> tuple[tuple[Intervention, ...], Sequence[str]]:
        """The interventions, and the ids of those whose document cannot be read."""
        rows = await self._database.read(lambda connection: connection.execute(query, its).all())
        found = {each.id: read_document(each.document, Intervention) for each in rows}
        unreadable = [each for each, intervention in found.items() if intervention is None]
        for each in unreadable:
            if each not in self._unreadable:
                self._unreadable.add(each)
                _log.error("unreadable", intervention=each)
        by = -self._stepped()
        return tuple(shift_intervention(one, by) for one in found.values() if one is not None), unreadable

    # ── where the cards are ──

    async def posted(self, card: str) -> PostedCard:
        """Where the card was posted and what it shows, as far as that is known."""
        its = {"its_card": card}

        def work(connection: Connection) -> tuple[Any, Any]:
            posted = connection.execute(_SELECT_POSTED, its).first()
            return posted, connection.execute(_SELECT_PENDING_POST, its).first()

        posted, pending = await self._database.read(work)
        return PostedCard(
            address=None if posted is None else (posted.channel, posted.ts),
            pending=None if pending is None else (pending.target, pending.begun_at),
            shown="" if posted is None else posted.shown,
        )

    async def save_pending_post(self, card: str, place: str, at: datetime) -> None:
        """Write down, before the post, that the card goes to a channel, or to a user's direct message."""
        row = {"card": card, "target": place, "begun_at": at}

        def work(connection: Connection) -> None:
            connection.execute(self._save_pending_post, row)

        await self._database.write_later(work)

    async def save_posted(
        self, card: str, channel: str, ts: str, *, shown: str = "", until: datetime | None = None
    ) -> None:
        """Write down where the card was posted, and what it shows where that is known; its newest state began at `until`.

        The last post counts, and none is pending any more.
        """
        row = {
            "id": card,
            "channel": channel,
            "ts": ts,
            "shown": shown,
            "shown_until": None if until is None else until + self._ahead,
            "updated_at": self._now(),
        }

        def work(connection: Connection) -> None:
            connection.execute(self._save_posted, row)
            connection.execute(_FORGET_PENDING_POST, {"its_card": card})

        await self._database.write_later(work)


def _last_word(connection: Connection) -> datetime | None:
    """When the newest row of interventions and alerts was written, in the ledger's own order; None where there is none."""
    newest = newest_row(connection, interventions.c.following), newest_row(connection, alerts.c.open)
    return max((at for at in newest if at is not None), default=None)
