"""The exceptions of the ledger. What a database, a disk or a network raises becomes LedgerUnavailable."""

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
        kind = LedgerOutOfReach if self.reason in OF_THE_PLACE else LedgerUnavailable
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


@contextmanager
def failing_clearly() -> Iterator[None]:
    """Turn what a database, a disk or a network raises into LedgerUnavailable."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, TimeoutError) as error:
        raise unavailable(error) from error


def unavailable(error: BaseException) -> LedgerUnavailable:
    """What a database, a disk or a network raised, as LedgerUnavailable."""
    reason = reason_of(error)
    kind = Conflict if reason is Reason.CONFLICT else LedgerUnavailable
    return kind(f"{reason} ({code_of(error)})", reason=reason)
