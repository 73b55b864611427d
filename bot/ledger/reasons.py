"""Why a database could not be used. The texts of the libraries are not shown: they may quote a row or a password."""

import errno
import sqlite3
from enum import StrEnum

from sqlalchemy.exc import DBAPIError


class Reason(StrEnum):
    """All reasons, for logs, the metric and people."""

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


OF_THE_PLACE = frozenset({Reason.NO_RIGHTS, Reason.NOT_THERE, Reason.NOT_OPENED, Reason.NO_NAME})
"""Reasons that only another DATABASE_URL or another user can change."""

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


def reason_of(error: BaseException) -> Reason:
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


def code_of(error: BaseException) -> str:
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
