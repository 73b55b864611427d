"""Whether the ledger takes rows, as its last write showed. Failures are logged and counted by their reason."""

from collections.abc import Callable

import structlog

from bot.ledger.failures import LedgerUnavailable
from bot.ledger.reasons import Reason

_log = structlog.get_logger("callbot.ledger")


class Health:
    """The health of one database. A new reason is logged once, and so is that the ledger works again."""

    def __init__(self) -> None:
        self.takes_rows = True
        self.on_failure: Callable[[str], None] = lambda _reason: None
        """Called for each failure, with its reason."""
        self._logged: Reason | None = None
        self._wrote = False

    def failed(self, error: LedgerUnavailable, *, writing: bool) -> None:
        """A transaction failed. A failure without a reason and a conflict are about one request, and do not count."""
        if error.reason is None or error.reason is Reason.CONFLICT:
            return
        self.on_failure(error.reason)
        self.takes_rows = self.takes_rows and not writing
        if error.reason is not self._logged:
            self._logged = error.reason
            _log.error("ledger_failed", reason=error.why)

    def wrote(self) -> None:
        """Rows were written."""
        self.takes_rows = self._wrote = True
        if self._logged is not None:
            self._logged = None
            _log.info("ledger_works_again")

    def wrote_since_asked(self) -> bool:
        """Whether rows were written since this was asked last."""
        wrote, self._wrote = self._wrote, False
        return wrote
