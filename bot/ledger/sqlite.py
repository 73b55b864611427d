"""An SQLite file: one thread reads it and one writes it, so that the event loop never waits for a disk.

SQLite has one writer at a time, and each commit waits for the disk. So everything that is to be written while a commit is
under way goes into the next commit together (group commit). Measured on two cores: in a burst of 60 interventions the bot
uses 7.6 ms of processor time for one, and 9.9 ms with a commit for each write (goal: 6 ms).
"""

import asyncio
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event

from bot.ledger.failures import LedgerUnavailable, Reason

_T = TypeVar("_T")
_BUSY = 3.0
"""Seconds that a writer waits for another process, before it says that the database is locked."""
_AT_A_TIME = 0.25
"""Of these, the seconds between two checks whether the ledger was closed meanwhile."""


def never() -> bool:
    """False: the file was not replaced."""
    return False


class _Asked:
    """One transaction, and what came of it once it is done: its result, or its exception."""

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.done = False
        self.result: Any = None
        self.error: Exception | None = None


class SqliteFile:
    """The transactions of one file. Made by `open`, or, where it is there and is only read, by its constructor."""

    together = 16
    """In one commit, beside all of `write`."""

    def __init__(self, file: Path, *, replaced: Callable[[], bool] = never, only_to_read: bool = False) -> None:
        self._replaced = replaced
        self._engine = _engine(file, only_to_read=only_to_read)
        self._connections: dict[bool, Connection] = {}
        """The one that reads (False) and the one that writes (True), each made and used in its own thread."""
        self._closed = False
        self._locked_since: float | None = None
        """When another process was first found to have the file locked: later writes wait only for what is left of _BUSY."""
        self._reads = ThreadPoolExecutor(1, "callbot reads its ledger")
        self._writes = ThreadPoolExecutor(1, "callbot writes its ledger")
        self._waiting = deque[_Asked]()
        """What goes into the next commit."""

    @classmethod
    async def open(cls, file: Path, replaced: Callable[[], bool]) -> "SqliteFile":
        """The file, which is created where there is none. Raises OSError or sqlite3.Error.

        `replaced` says whether another file has its name now: then every write fails, because nobody would find it.
        """
        await asyncio.to_thread(_prepare, file)
        return cls(file, replaced=replaced)

    async def read(self, work: Callable[[Connection], _T]) -> _T:
        """In a transaction that sees one state of the file."""
        return await asyncio.get_running_loop().run_in_executor(self._reads, self._transaction, False, work)

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """In the next commit, together with everything else that waits for it."""
        if self._closed:  # there is no thread any more
            raise LedgerUnavailable("closed")
        asked = _Asked(work)
        self._waiting.append(asked)
        result: _T = await asyncio.get_running_loop().run_in_executor(self._writes, self._commit, asked)
        return result

    async def reserve(self) -> None:
        """Do nothing: both connections of a file are always there."""

    async def close(self) -> None:
        """Close the file, after what is under way."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._reads, self._give_back, False)
        await loop.run_in_executor(self._writes, self._give_back, True)  # the last: SQLite removes the -wal with it

    def cut(self) -> None:
        """Let both threads end after their transaction: within a second, also where another process has the file locked."""
        self._closed = True
        for writes, thread in ((False, self._reads), (True, self._writes)):
            with suppress(RuntimeError):  # it was cut before
                thread.submit(self._give_back, writes)
            thread.shutdown(wait=False)

    def _commit(self, asked: _Asked) -> Any:
        """Commit this one and all that waits beside it, unless the commit before has taken it along."""
        if not asked.done:
            group = [self._waiting.popleft() for _ in range(len(self._waiting))]
            try:
                self._transaction(True, partial(_each_for_itself, group))
            except Exception as error:  # noqa: BLE001  (all of them raise it)
                for each in group:
                    each.error = error
            for each in group:
                each.done = True
        if asked.error is not None:
            raise asked.error
        return asked.result

    def _transaction(self, writes: bool, work: Callable[[Connection], _T]) -> _T:
        """On the connection of this thread, which is kept: to open and close one takes as long as a statement."""
        if self._closed:
            raise LedgerUnavailable("closed")
        if writes not in self._connections:
            self._connections[writes] = self._engine.connect()
        connection = self._connections[writes]
        with connection.begin():
            self._begin(_raw(connection), writes)
            result = work(connection)
        if writes and self._replaced():  # after the commit: the file may have been replaced a moment before it
            raise LedgerUnavailable(Reason.REPLACED, reason=Reason.REPLACED)
        return result

    def _give_back(self, writes: bool) -> None:
        """Close the connection of this thread. The writer moves everything from the -wal into the file before.

        So a copy of the file alone is complete ("PRAGMA wal_checkpoint"), also where another process goes on reading.
        """
        connection = self._connections.pop(writes, None)
        if connection is None:
            return
        try:
            if writes and not self._closed:
                _raw(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def _begin(self, raw: sqlite3.Connection, writes: bool) -> None:
        """A writer takes the lock with BEGIN: one that reads first and writes later could be refused without waiting."""
        if raw.in_transaction:  # left open by a COMMIT that failed: the next COMMIT must not write it
            raw.execute("ROLLBACK")
        if not writes:
            raw.execute("BEGIN")
            return
        while not _done(raw, "BEGIN IMMEDIATE"):
            self._locked_since = monotonic() if self._locked_since is None else self._locked_since
            if self._closed or monotonic() >= self._locked_since + _BUSY - _AT_A_TIME:
                raise LedgerUnavailable(Reason.LOCKED, reason=Reason.LOCKED)
        self._locked_since = None


def _each_for_itself(group: Sequence[_Asked], connection: Connection) -> None:
    """Do them in one transaction. Where one fails, it alone is undone."""
    raw = _raw(connection)
    for asked in group:
        raw.execute("SAVEPOINT one")
        try:
            asked.result = asked.work(connection)
        except Exception as error:
            if not raw.in_transaction:  # SQLite has rolled everything back, on a full disk for example
                raise
            asked.error = error
            raw.execute("ROLLBACK TO one")
        raw.execute("RELEASE one")


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        raise TypeError("a connection of another database")
    return raw


def _prepare(file: Path) -> None:
    """Create the file for its owner alone (SQLite gives -wal and -shm the mode of the file), and turn WAL on.

    WAL stays on for as long as the file lives ("Write-Ahead Logging", Persistence of WAL Mode). Where two
    processes turn it on at once, one may get "locked" without waiting, so this is tried again.
    """
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(file, timeout=_BUSY, isolation_level=None)
    try:
        end = monotonic() + _BUSY
        while not _done(connection, "PRAGMA journal_mode=WAL") and monotonic() < end:
            sleep(0.01)
    finally:
        connection.close()


def _done(connection: sqlite3.Connection, statement: str) -> bool:
    """Execute the statement; False where another process has the file locked."""
    try:
        connection.execute(statement)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return False
        raise
    return True


def _engine(file: Path, *, only_to_read: bool) -> Engine:
    # isolation_level None: sqlite3 begins no transaction by itself; `SqliteFile._begin` does.
    url = URL.create("sqlite", database=str(file))
    if only_to_read:  # "Uniform Resource Identifiers" of SQLite: such a file is never created, nor written
        query = {"mode": "ro", "uri": "true"} | ({"immutable": "1"} if _rests(file) else {})
        url = URL.create("sqlite", database=f"file:{quote(str(file))}", query=query)
    arguments = {"timeout": _AT_A_TIME, "isolation_level": None}
    engine = create_engine(url, connect_args=arguments, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "connect", _set_up)
    return engine


def _rests(file: Path) -> bool:
    """Whether nobody writes the file and this user cannot create the -wal, without which SQLite cannot read it either.

    "Write-Ahead Logging", Read-Only Databases.
    """
    return not file.with_name(f"{file.name}-wal").exists() and not os.access(file.parent, os.W_OK | os.X_OK)


def _set_up(connection: Any, _record: object) -> None:
    """FULL: what is committed survives a loss of power, so the row is there before the PUT."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
