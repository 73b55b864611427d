"""The parts of a DATABASE_URL. It holds a password, so no message quotes it."""

import re
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.ledger.failures import LedgerOutOfReach, LedgerUnavailable

_NO_LEDGER = (
    "names no ledger. Write sqlite:///callbot.db for a file in the working directory, "
    "sqlite:////var/lib/callbot/callbot.db for a file elsewhere, or postgresql://user:password@host/database"
)
_UNENCODED = (
    "cannot be read: the user or the password has a sign that means something else in an address. "
    "Percent-encode it, for example # as %23, / as %2F, ? as %3F, [ as %5B, ] as %5D, @ as %40, : as %3A"
)
_LOOP = "names a file behind symbolic links that lead to each other. Name the file itself"
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@]*)(:[0-9]*)?")
"""A host and a port, or neither: then there are those of the query, or those of libpq."""


def error_in(url: str) -> str:
    """What is wrong with a DATABASE_URL, "" where nothing is. The text quotes nothing of it."""
    scheme, _, rest = url.partition("://")
    kind = scheme.partition("+")[0]
    if kind in {"postgresql", "postgres"} and rest:
        return _error_in_server(rest)
    path = _sqlite_path(url) if kind == "sqlite" else ""
    return _NO_LEDGER if not path or ":memory:" in path else ""


def _error_in_server(rest: str) -> str:
    """Find a sign of the user or the password that was not percent-encoded: it ends the account or the host too early."""
    address, asked, query = rest.partition("?")
    authority, _, database = address.partition("/")
    account, at, servers = authority.rpartition("@")
    options = query.split("&") if asked else []
    right = (
        "#" not in rest
        and "@" not in database
        and (at or "@" not in query)
        and all("=" in option for option in options)
        and not re.search(r"[@\[\]]", account)
        and account.count(":") <= 1
        and all(_SERVER.fullmatch(unquote(server)) for server in servers.split(","))
    )
    return "" if right else _UNENCODED


class Address:
    """The ledger that a DATABASE_URL names. Raises LedgerUnavailable where it names no SQLite file and no PostgreSQL.

    `file` is the SQLite file, None for PostgreSQL, and `written` its path as DATABASE_URL has it; `place` names the ledger for people, without a password.
    """

    def __init__(self, url: str) -> None:
        if error := error_in(url):
            raise LedgerUnavailable("not an address of a ledger", f"DATABASE_URL {error}.")
        scheme, _, rest = url.partition("://")
        self.file: Path | None = None
        if not scheme.startswith("sqlite"):
            self.dsn = f"postgresql://{rest}"
            """As libpq and asyncpg read it, with `sslmode` and all ("Connection URIs" of PostgreSQL)."""
            self.place = "the PostgreSQL database of DATABASE_URL"
            return
        # Symbolic links are followed, so that two names of one file are one ledger.
        self.written = Path(_sqlite_path(url)).absolute()
        try:
            self.file = self.written.resolve()
        except (OSError, RuntimeError):  # the latter before Python 3.13
            raise LedgerOutOfReach("links that lead to each other", f"DATABASE_URL {_LOOP}.") from None
        self.place = str(self.file)


def _sqlite_path(url: str) -> str:
    try:
        return make_url(url).database or ""
    except (ArgumentError, ValueError):  # whose words may be a part of the address
        return ""
