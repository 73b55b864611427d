"""How a ledger fails: the reasons, and the exceptions that what a database, a disk or a network raises becomes.

The texts of the libraries are not shown: they may quote a row or a password.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.domain.errors import CallbotError, WrongUsage


class Reason(StrEnum):
    """Why a database could not be used, for logs, the metric and people."""

    FULL = "disk full"
    READ_ONLY = "read-only"
    NO_RIGHTS = "no rights"
    LOCKED = "locked by another process"
    NOT_THERE = "no such file or folder"
    NOT_OPENED = "cannot be opened"
    DAMAGED = "not a database, or a damaged one"
    DISK = "disk error"
    REPLACED = "its file was removed or replaced"
    NO_ANSWER = "no answer"
    CONNECTIONS = "too many connections"
    NO_ENTRY = "user or password refused"
    NO_DATABASE = "the database does not exist"
    NO_TABLES = "a table is missing"
    ENCODING = "it cannot hold every character: its encoding is not UTF-8"
    CONFLICT = "another row has that already"
    NO_NAME = "no user in DATABASE_URL, and the user who runs callbot has no name"
    OTHER = "another error"


_OF_THE_PLACE = frozenset({Reason.NO_RIGHTS, Reason.NOT_THERE, Reason.NOT_OPENED, Reason.NO_NAME})
"""Reasons that only another DATABASE_URL or another user can change."""


class LedgerUnavailable(CallbotError):
    """The ledger cannot be read or written. What is not written down is not done.

    `reason`: why, where the database, its disk or the way there is what fails; None where they do not.
    """

    def __init__(self, why: str, message: str = "", reason: Reason | None = None) -> None:
        super().__init__(
            message
            or "callbot cannot reach its ledger, and it does nothing that it cannot write down. "
            "Try again in a moment. If that does not help, tell the person who runs callbot."
        )
        self.general = not message
        """The message is the general one."""
        self.why = str(why)
        """For the log. It quotes no row and no address."""
        self.reason = reason

    def at_start(self, place: str) -> "LedgerUnavailable":
        """The error with a text for the person who starts callbot, unless its text says already what to do."""
        if not self.general:
            return self
        message = f"The ledger cannot be opened ({place}): {self.why}. Check DATABASE_URL, and that it may be written."
        kind = LedgerOutOfReach if self.reason in _OF_THE_PLACE else LedgerUnavailable
        return kind(self.why, message, self.reason)


class LedgerOutOfReach(LedgerUnavailable, WrongUsage):
    """The user who runs callbot cannot have a ledger at this DATABASE_URL: trying again does not help."""


class Conflict(LedgerUnavailable):
    """A unique value is taken by another row, or a row that this one refers to is missing."""


class NoLedgerYet(LedgerUnavailable):
    """There is no ledger at this address yet; `callbot run` creates it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            what,
            f"There is no ledger yet: {what}. `callbot run` makes it; if callbot keeps it elsewhere, set DATABASE_URL as "
            "callbot has it.",
        )


class LedgerInUse(CallbotError):
    """Another `callbot run` holds the ledger."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"Another `callbot run` is using the ledger already ({place}). Two of them would act twice on one call. "
            "Stop the other one first, or give this one a DATABASE_URL of its own."
        )


class LedgerLost(CallbotError):
    """The ledger is no longer this run's. The run stops, because what it does next would be in no ledger, or done twice."""


class LedgerTaken(LedgerLost):
    """Another `callbot run` took the ledger while this one was cut off from it."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"Another `callbot run` has taken the ledger ({place}) while this one had lost its connection to it. This one "
            "has stopped, or two of them would act twice on one call. Look which of the two is to run, and start only it."
        )


class LedgerReplaced(LedgerLost):
    """A file of the ledger was removed, or another one stands in its place."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"The ledger ({place}), its -wal, -shm or .lock was removed or replaced while callbot ran. callbot has stopped, "
            "or what it does would be in no audit. Put the right file there, for example from a backup, and start callbot "
            "again; where no file is there, it begins an empty ledger."
        )


# ── from what was raised ──

_OF_SQLITE = {
    sqlite3.SQLITE_FULL: Reason.FULL,
    sqlite3.SQLITE_READONLY: Reason.READ_ONLY,
    sqlite3.SQLITE_PERM: Reason.NO_RIGHTS,
    sqlite3.SQLITE_AUTH: Reason.NO_RIGHTS,
    sqlite3.SQLITE_BUSY: Reason.LOCKED,
    sqlite3.SQLITE_LOCKED: Reason.LOCKED,
    sqlite3.SQLITE_CANTOPEN: Reason.NOT_OPENED,
    sqlite3.SQLITE_CORRUPT: Reason.DAMAGED,
    sqlite3.SQLITE_NOTADB: Reason.DAMAGED,
    sqlite3.SQLITE_IOERR: Reason.DISK,
    sqlite3.SQLITE_CONSTRAINT: Reason.CONFLICT,
}
"""By its primary codes ("Result and Error Codes")."""
_OF_POSTGRESQL = {
    "53100": Reason.FULL,
    "53300": Reason.CONNECTIONS,
    "25006": Reason.READ_ONLY,
    "42501": Reason.NO_RIGHTS,
    "55P03": Reason.LOCKED,
    "3D": Reason.NO_DATABASE,
    "28": Reason.NO_ENTRY,
    "22P05": Reason.ENCODING,
    "22021": Reason.ENCODING,
    "42P01": Reason.NO_TABLES,
    "3F": Reason.NO_TABLES,
    "23": Reason.CONFLICT,
    "08": Reason.NO_ANSWER,
    "57": Reason.NO_ANSWER,
    "58": Reason.DISK,
    "XX": Reason.DAMAGED,
}
"""By its codes, or their first two characters, which are the class ("PostgreSQL Error Codes")."""
_OF_SYSTEM = {
    errno.ENOSPC: Reason.FULL,
    errno.EDQUOT: Reason.FULL,
    errno.EROFS: Reason.READ_ONLY,
    errno.EACCES: Reason.NO_RIGHTS,
    errno.EPERM: Reason.NO_RIGHTS,
    errno.ENOENT: Reason.NOT_THERE,
    errno.ENOTDIR: Reason.NOT_THERE,
    errno.EISDIR: Reason.NOT_OPENED,
    errno.EIO: Reason.DISK,
}


@contextmanager
def failing_clearly() -> Iterator[None]:
    """Turn what a database, a disk or a network raises into LedgerUnavailable."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, TimeoutError) as error:
        raise unavailable(error) from error


def unavailable(error: BaseException) -> LedgerUnavailable:
    """What a database, a disk or a network raised, as LedgerUnavailable."""
    reason = _reason_of(error)
    kind = Conflict if reason is Reason.CONFLICT else LedgerUnavailable
    return kind(f"{reason} ({_code_of(error)})", reason=reason)


def _reason_of(error: BaseException) -> Reason:
    """The reason for what sqlite3, asyncpg, SQLAlchemy or the system raised."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, sqlite3.Error):
        return _OF_SQLITE.get(getattr(error, "sqlite_errorcode", -1) & 0xFF, Reason.OTHER)
    state = _sqlstate(error)
    if state:
        return _OF_POSTGRESQL.get(state, _OF_POSTGRESQL.get(state[:2], Reason.OTHER))
    if isinstance(error, KeyError) or isinstance(error.__cause__, KeyError):
        return Reason.NO_NAME  # as getpass.getuser says it, which asyncpg asks: with OSError around it from Python 3.13
    if isinstance(error, OSError):  # TimeoutError is one, and so is every failure of a network
        return _OF_SYSTEM.get(error.errno or 0, Reason.NO_ANSWER)
    return Reason.OTHER


def _code_of(error: BaseException) -> str:
    """The class and the code of the error, for the log; nothing of its text."""
    orig = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(orig, "sqlite_errorname", "") or _sqlstate(orig) or getattr(orig, "errno", "") or ""
    return f"{type(orig).__name__} {code}".strip()


def _sqlstate(error: BaseException | None) -> str:
    """PostgreSQL's code, of asyncpg's error or of SQLAlchemy's around it."""
    while error is not None:
        state = getattr(error, "sqlstate", None)
        if isinstance(state, str):
            return state
        error = error.__cause__
    return ""
