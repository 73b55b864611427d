"""The lock of a run on PostgreSQL. It ends with the session that holds it, so the session is checked."""

from typing import Any

import structlog

from bot.ledger.failures import LedgerInUse, LedgerTaken, LedgerUnavailable
from bot.ledger.fitness import refuse_shared, refuse_unfit
from bot.ledger.postgresql import connector, cut, talking_to_postgresql

RUNNING = 0x72756E
"""The first key of the advisory lock: "run" in ASCII. The second one is the schema, so each ledger has its own."""
ANSWER = 5.0
"""Seconds after which a session that does not answer counts as lost."""

_log = structlog.get_logger("callbot.ledger")


class AdvisoryLock:
    """PostgreSQL: a session-level advisory lock, on a connection that is kept for it ("Advisory Locks").

    The session may end while this process lives, and the lock with it: PostgreSQL is restarted or fails over, an
    administrator ends the session, the network drops the connection. So it is checked, and the lock taken again.
    """

    def __init__(self, dsn: str, place: str) -> None:
        self._connect = connector(dsn)
        self._place = place
        self._held: Any = None
        """The session of asyncpg that holds the lock, or held it last."""
        self._named: tuple[object, object] | None = None
        """The pid of that session and when it began: together they identify it."""
        self._lost = False

    async def acquire(self) -> None:
        """Take the lock. Raises LedgerInUse, LedgerUnavailable."""
        lock = (
            "SELECT pg_try_advisory_lock($1, hashtext(current_schema())) AS taken, pid, backend_start "
            "FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        )
        session = await self._connect()
        taken = False
        try:
            if self._named is None:  # at the start alone: it takes one more connection, and all may be in use later
                await refuse_shared(session, self._connect)
            await refuse_unfit(session)
            with talking_to_postgresql():
                await self._end_former(session)
                row = await session.fetchrow(lock, RUNNING)
            taken = row["taken"]
        finally:
            if not taken:
                cut(session)
        if not taken:
            raise LedgerInUse(self._place)
        self._held, self._named = session, (row["pid"], row["backend_start"])

    async def _end_former(self, session: Any) -> None:
        """End our former session on the server, which may not have noticed its end and may keep the lock for it.

        pg_terminate_backend waits that many milliseconds for its end ("Server Signaling Functions", from PostgreSQL 14).
        """
        if self._named is not None and self._held.is_closed():
            end = "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2"
            await session.execute(end, *self._named)

    async def check(self) -> None:
        """Check the session; where it is lost, take the lock again. Raises LedgerTaken."""
        if await self._lives():
            return
        if not self._lost:
            _log.error("ledger_session_lost")
        self._lost = not await self._taken_again()

    def replaced(self) -> bool:
        """False: a database of a server has no file that could be replaced."""
        return False

    async def _lives(self) -> bool:
        try:
            with talking_to_postgresql():
                await self._held.execute("SELECT 1", timeout=ANSWER)
        except LedgerUnavailable:
            cut(self._held)
            return False
        return True

    async def _taken_again(self) -> bool:
        """Whether the lock is held again; not where PostgreSQL cannot be reached, where nothing can be claimed either."""
        try:
            await self.acquire()
        except LedgerInUse:
            raise LedgerTaken(self._place) from None
        except LedgerUnavailable as error:
            _log.warning("ledger_not_reached", reason=error.why)
            return False
        _log.info("ledger_session_renewed")
        return True

    async def release(self) -> None:
        """Release the lock, at the latest with its session."""
        held, self._held, self._named = self._held, None, None
        if held is None:
            return
        try:
            with talking_to_postgresql():
                await held.close(timeout=ANSWER)
        except LedgerUnavailable as error:
            _log.warning("ledger_session_cut", reason=error.why)
        finally:
            cut(held)
