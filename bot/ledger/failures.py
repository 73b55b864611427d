"""What may go wrong with a ledger; whatever a database, a disk or a network raises becomes LedgerUnavailable."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from bot.domain.errors import CallbotError, WrongUsage
from bot.ledger.reasons import OF_THE_PLACE, Reason, code_of, reason_of


class LedgerUnavailable(CallbotError):
    """The ledger cannot be read or written. What is not written down is not done.

    `reason`: why, where the database, its disk or the way there is what fails; None where they do not.
    """

    def __init__(self, why: str, message: str = "", reason: Reason | None = None) -> None:
        super().__init__(
            message
            or "callbot cannot reach its ledger, and it does nothing that it cannot write down. "
            "Try again in a moment. If that does not help, tell whoever runs callbot."
        )
        self.general = not message
        """It says nothing of its own."""
        self.why = str(why)
        """For the log, in our own words."""
        self.reason = reason

    def at_start(self, place: str) -> "LedgerUnavailable":
        """The same for whoever starts callbot, unless it says already what to do."""
        if not self.general:
            return self
        message = f"The ledger cannot be opened ({place}): {self.why}. Check DATABASE_URL, and that it may be written."
        kind = LedgerOutOfReach if self.reason in OF_THE_PLACE else LedgerUnavailable
        return kind(self.why, message, self.reason)


class LedgerOutOfReach(LedgerUnavailable, WrongUsage):
    """Where DATABASE_URL puts the ledger, the user who runs callbot can have none: to try again does not help."""


class Conflict(LedgerUnavailable):
    """Another row has what only one may have, or something is missing that the row needs."""


class NoLedgerYet(LedgerUnavailable):
    """There is none in this place; `callbot run` makes it."""

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
    """The ledger is not this run's any more. It stops: what it does next would be written down nowhere, or twice."""


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


@contextmanager
def failing_clearly() -> Iterator[None]:
    """Turn whatever a database, a disk or a network raises into LedgerUnavailable."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, TimeoutError) as error:
        raise unavailable(error) from error


def unavailable(error: BaseException) -> LedgerUnavailable:
    """What a database, a disk or a network raised, in our own words."""
    reason = reason_of(error)
    kind = Conflict if reason is Reason.CONFLICT else LedgerUnavailable
    return kind(f"{reason} ({code_of(error)})", reason=reason)
