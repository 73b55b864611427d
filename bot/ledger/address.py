"""A DATABASE_URL as people write it."""

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.ledger.failures import LedgerUnavailable


class Address:
    """The ledger that a DATABASE_URL names. Raises LedgerUnavailable for one that names no database we know.

    `file` is the SQLite file, None for PostgreSQL; `place` names the ledger for people, without a password.
    """

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        self.file: Path | None = None
        kind = scheme.partition("+")[0]
        if kind in {"postgresql", "postgres"} and rest:
            self.dsn = f"postgresql://{rest}"
            """As libpq and asyncpg read it, with `sslmode` and all ("Connection URIs" of PostgreSQL)."""
            self.place = "the PostgreSQL database of DATABASE_URL"
            return
        path = _sqlite_path(url) if kind == "sqlite" else ""
        if not path or ":memory:" in path:
            raise LedgerUnavailable(
                "not an address of a ledger",
                "DATABASE_URL names no ledger. Write sqlite:///callbot.db for a file in the working directory, "
                "sqlite:////var/lib/callbot/callbot.db for a file elsewhere, "
                "or postgresql://user:password@host/database.",
            )
        # Symbolic links are followed, so that two names of one file are one ledger.
        self.file = Path(path).resolve()
        self.place = str(self.file)


def _sqlite_path(url: str) -> str:
    try:
        return make_url(url).database or ""
    except ArgumentError:
        return ""
