"""What a second callbot does to the same ledger, in a process of its own. It says on stdout how far it is.

claim URL REQUEST INTERVENTION    "ready"; at a line on stdin it claims, says "won" or "lost to U…", and waits
open URL                          "ready"; at a line on stdin it opens the ledger and says "opened"
hold URL                          takes the lock of a run, says "held" or "refused", and waits
alerts URL                        "ready"; saves the alerts of one line on stdin, says "saved", and waits
"""

import asyncio
import resource
import sys
from datetime import UTC, datetime

import structlog
from pydantic import TypeAdapter

from bot.alerts.alert import Alert
from bot.domain.errors import AlreadyAsked
from bot.domain.intervention import Intervention
from bot.ledger.failures import LedgerInUse
from bot.ledger.ledger import Ledger, LedgerUnavailable
from bot.ledger.single_run import SingleRun


def now() -> datetime:
    return datetime.now(UTC)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def claim(url: str, request: str, document: str, *, full: bool = False) -> None:
    ledger = await Ledger.open(url, now=now)
    if full:
        # No file may grow: the system answers EFBIG to a write, as it answers ENOSPC on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    say("ready")
    sys.stdin.readline()
    try:
        await ledger.claim(request, Intervention.model_validate_json(document), rule="supervisor")
        say("won")
    except AlreadyAsked as taken:
        say(f"lost to {taken.who}")
    except LedgerUnavailable:
        say("unavailable")
    sys.stdin.readline()
    await ledger.close()


async def open_it(url: str) -> None:
    say("ready")
    sys.stdin.readline()
    try:
        ledger = await Ledger.open(url, now=now)
    except LedgerUnavailable as error:
        say(error.why)
        return
    await ledger.close()
    say("opened")


async def hold(url: str) -> None:
    try:
        async with SingleRun(url):
            say("held")
            sys.stdin.readline()
    except LedgerInUse:
        say("refused")


async def save_alerts(url: str) -> None:
    ledger = await Ledger.open(url, now=now)
    say("ready")
    await ledger.alerts.save_alerts(TypeAdapter(tuple[Alert, ...]).validate_json(sys.stdin.readline()))
    say("saved")
    sys.stdin.readline()
    await ledger.close()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # stdout is what the test reads
    match sys.argv[1:]:
        case ["claim", url, request, document]:
            asyncio.run(claim(url, request, document))
        case ["full", url, request, document]:
            asyncio.run(claim(url, request, document, full=True))
        case ["open", url]:
            asyncio.run(open_it(url))
        case ["hold", url]:
            asyncio.run(hold(url))
        case ["alerts", url]:
            asyncio.run(save_alerts(url))
