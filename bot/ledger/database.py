"""The database behind the ledger: one file or server, and transactions to read and to write in.

A transaction is a function of a connection, and does nothing but use it. It is called between BEGIN and COMMIT: in a thread
for SQLite, on a session of asyncpg for PostgreSQL. Its result is returned once it is committed.

No exception of SQLAlchemy, SQLite or PostgreSQL leaves here: every failure is LedgerUnavailable.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from bot.ledger.address import Address
from bot.ledger.failures import LedgerUnavailable, NoLedgerYet, Reason, failing_clearly
from bot.ledger.sqlite import SqliteFile, never

_T = TypeVar("_T")
_FINISH = 5.0
"""Seconds that `close` takes at most."""
_PROBE = 5.0
"""Seconds that `probe` waits."""

_log = structlog.get_logger("callbot.ledger")

Insert = sqlite.Insert | postgresql.Insert
"""An INSERT with ON CONFLICT: the same SQL in both databases, two classes in SQLAlchemy."""


class Transactions(Protocol):
    """One kind of database (`bot.ledger.sqlite`, `bot.ledger.postgresql`). Its exceptions are raised as they are."""

    together: int
    """How many transactions of `write_later` are under way at the same time."""

    async def read(self, work: Callable[[Connection], _T]) -> _T:
        """In a transaction, each statement of which sees one state of the ledger."""

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """In a transaction that is written as a whole or not at all."""

    async def reserve(self) -> None:
        """Open all connections. Raises LedgerUnavailable."""

    async def close(self) -> None:
        """Close every connection, after what is under way."""

    def cut(self) -> None:
        """Drop every connection at once."""


class Database:
    """The database of one ledger. Made by `open`; `close` it in the end."""

    def __init__(self, address: Address, transactions: Transactions) -> None:
        self.address = address
        self.on_postgresql = address.file is None
        self._transactions = transactions
        self._open = True
        self._unfinished: set[asyncio.Task[Any]] = set()
        self.takes_rows = True
        """Whether the last write succeeded."""
        self.on_failure: Callable[[str], None] = lambda _reason: None
        """Called for each failure, with its Reason."""
        self._logged: Reason | None = None
        self._wrote_since_probe = False
        self._later = asyncio.Semaphore(transactions.together)

    @classmethod
    async def open(cls, address: Address, replaced: Callable[[], bool] = never) -> "Database":
        """The database; for SQLite also the file, readable by its owner alone. Raises LedgerUnavailable.

        `replaced` says whether the file was replaced: see SqliteFile.
        """
        if address.file is None:
            return cls(address, _sessions(address.dsn))
        with failing_clearly():
            return cls(address, await SqliteFile.open(address.file, replaced))

    @classmethod
    def open_to_read(cls, address: Address) -> "Database":
        """The database to read alone. Nothing is created. Raises NoLedgerYet."""
        if address.file is None:
            return cls(address, _sessions(address.dsn))
        with failing_clearly():  # a folder above it may not be entered
            there = address.file.exists()
        if not there:
            raise NoLedgerYet(f"{address.file} does not exist")
        return cls(address, SqliteFile(address.file, only_to_read=True))

    async def close(self) -> None:
        """Finish what is under way, within _FINISH seconds, and close every connection.

        Every later call raises LedgerUnavailable. A PostgreSQL that hangs is not waited for: its connections are
        dropped, also where `close` is cancelled. A failure is logged: on a full disk what was written stays in the -wal.
        """
        if not self._open:
            return
        self._open = False
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FINISH):
                    if self._unfinished:
                        await asyncio.wait(self._unfinished)
                    with failing_clearly():
                        await self._transactions.close()
        except LedgerUnavailable as error:
            _log.error("ledger_not_closed", reason=error.why)
        finally:
            self._transactions.cut()

    async def run_to_its_end(self, work: Coroutine[Any, Any, _T], name: str) -> _T:
        """The result of the work, which goes on to its end even where the caller is cancelled. `name`: of its task."""
        task = asyncio.create_task(work, name=name)
        self._unfinished.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._unfinished.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, or asyncio logs it where the caller was cancelled

    async def read(self, work: Callable[[Connection], _T]) -> _T:
        """The result of the work, each statement of which sees one state. Raises LedgerUnavailable, and what the work raises."""
        return await self._transact(self._transactions.read, work, writing=False)

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """The result of the work, once it is written, as a whole or not at all. Raises LedgerUnavailable."""
        return await self._transact(self._transactions.write, work)

    async def write_later(self, work: Callable[[Connection], _T]) -> _T:
        """As `write`, for what may wait: in its order and few at a time, so that no `write` waits long for them."""
        return await self._transact(self._write_in_turn, work)

    async def _write_in_turn(self, work: Callable[[Connection], _T]) -> _T:
        async with self._later:
            return await self._transactions.write(work)

    async def reserve(self) -> None:
        """Open all connections now. Raises LedgerUnavailable."""
        await self._transactions.reserve()

    async def probe(self, work: Callable[[Connection], Any]) -> None:
        """Write what changes nothing, unless rows were written since the last probe: so `takes_rows` is always known."""
        wrote, self._wrote_since_probe = self._wrote_since_probe, False
        if wrote:
            return
        try:
            async with asyncio.timeout(_PROBE):
                await self.write_later(work)
        except TimeoutError:
            self._failed(LedgerUnavailable(Reason.NO_ANSWER, reason=Reason.NO_ANSWER), writing=True)
        except LedgerUnavailable:
            pass  # `takes_rows` says it

    async def _transact(
        self,
        transaction: Callable[[Callable[[Connection], _T]], Coroutine[Any, Any, _T]],
        work: Callable[[Connection], _T],
        *,
        writing: bool = True,
    ) -> _T:
        """Do the work in a transaction, to its end, and note whether the ledger takes rows."""
        if not self._open:
            raise LedgerUnavailable("closed")
        try:
            with failing_clearly():
                result = await self.run_to_its_end(transaction(work), "ledger write" if writing else "ledger read")
        except LedgerUnavailable as error:
            self._failed(error, writing=writing)
            raise
        if writing:
            self.takes_rows = self._wrote_since_probe = True
            if self._logged is not None:
                self._logged = None
                _log.info("ledger_works_again")
        return result

    def _failed(self, error: LedgerUnavailable, *, writing: bool) -> None:
        """Count a failure, and log each new reason once. One without a reason and a conflict are about one request."""
        if error.reason is None or error.reason is Reason.CONFLICT:
            return
        self.on_failure(error.reason)
        self.takes_rows = self.takes_rows and not writing
        if error.reason is not self._logged:
            self._logged = error.reason
            _log.error("ledger_failed", reason=error.why)

    def insert(self, table: Table) -> Insert:
        """An INSERT that knows ON CONFLICT, which both databases write alike and SQLAlchemy keeps apart."""
        return postgresql.insert(table) if self.on_postgresql else sqlite.insert(table)

    def upsert(self, table: Table) -> Insert:
        """An INSERT that updates every other column where the row is there already."""
        insert = self.insert(table)
        rest = {column.name: insert.excluded[column.name] for column in table.c if not column.primary_key}
        return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest)


def _sessions(dsn: str) -> Transactions:
    from bot.ledger.postgresql import Sessions  # noqa: PLC0415  (it brings asyncpg, for which SQLite has no use)

    return Sessions(dsn)
