"""`callbot check`: checks settings, configuration, Slack, PBX and ledger, and changes nothing. A line each, in a fixed order."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import TextIO

from bot.app.check.configuration import review, review_alerts
from bot.app.check.pbx import check_pbx
from bot.app.check.slack import check_slack
from bot.app.live_config import ReadConfig, check_files, read_files
from bot.app.output import Finding, Mark, console, no, ok, remark, shown
from bot.app.settings import (
    DoorSettings,
    MetricsSettings,
    OwnSettings,
    PbxSettings,
    S,
    Settings,
    SlackSettings,
    read_part,
)
from bot.domain.errors import ConfigErrors
from bot.ledger.address import Address
from bot.ledger.audit_log import AuditLog
from bot.ledger.failures import LedgerUnavailable, NoLedgerYet

STEP_TIMEOUT = 10.0
"""Seconds for one answer."""


async def check(
    say: Callable[[Finding], None], environ: Mapping[str, str] | None = None, *, patience: float = STEP_TIMEOUT
) -> bool:
    """Check everything, and `say` each finding as soon as it is known. True if nothing is wrong.

    An error in one place does not hide those in others. `environ` None: the process's environment and `.env`.
    `patience`: seconds for one answer.
    """
    right = True
    async for finding in _findings(environ, patience):
        right = right and finding.mark is not Mark.NO
        say(finding)
    return right


async def check_on_terminal(out: TextIO) -> bool:
    """`check`, which writes its lines to `out`."""
    screen = console(out)
    return await check(lambda finding: screen.print(shown(finding)))


async def _findings(environ: Mapping[str, str] | None, patience: float) -> AsyncIterator[Finding]:
    for finding in _settings(environ):
        yield finding
    for finding in _metrics(_part(MetricsSettings, environ)):
        yield finding
    own, slack, pbx = _part(OwnSettings, environ), _part(SlackSettings, environ), _part(PbxSettings, environ)
    findings, read = _configuration(own)
    for finding in (*findings, *await _door(_part(DoorSettings, environ), patience)):
        yield finding
    config, permissions = (None, None) if read is None else (read.config, read.permissions)
    asked = [
        *([] if slack is None else [asyncio.create_task(check_slack(slack, config, patience))]),
        *([] if pbx is None else [asyncio.create_task(check_pbx(pbx, permissions, patience))]),
        *([] if own is None else [asyncio.create_task(_ledger(own.database_url, patience))]),
    ]
    for task in asked:
        for finding in await task:
            yield finding


def _settings(environ: Mapping[str, str] | None) -> list[Finding]:
    try:
        read_part(Settings, environ)
    except ConfigErrors as wrong:
        where = "Set it in the environment or in .env."
        return [no("settings", text if text.endswith(".") else f"{text}. {where}") for text in wrong.errors]
    return [ok("settings", "all that are needed are there")]


def _metrics(settings: MetricsSettings | None) -> list[Finding]:
    """Whether other machines may read the metrics; no finding if they are off."""
    if settings is None or settings.metrics_port is None:
        return []
    address = f"{settings.metrics_host}:{settings.metrics_port}"
    if settings.metrics_open_to_neighbours:
        return [
            remark(
                "metrics", f"{address} may be read by other machines. Set METRICS_TOKEN, or METRICS_HOST to 127.0.0.1."
            )
        ]
    return [ok("metrics", f"on {address}")]


def _part(part: type[S], environ: Mapping[str, str] | None) -> S | None:
    """That part of the settings, None if it has errors: `_settings` reports those."""
    try:
        return read_part(part, environ)
    except ConfigErrors:
        return None


def _configuration(own: OwnSettings | None) -> tuple[list[Finding], ReadConfig | None]:
    if own is None:
        return [], None
    path = Path(own.callbot_config)
    try:
        read = check_files(read_files(path), str(path))
    except ConfigErrors as wrong:
        findings = [no("configuration", f"{path.name}: {text}") for text in wrong.errors]
        more = [no("configuration", f"{wrong.unlisted} more errors like these")] if wrong.unlisted else []
        return findings + more, None
    config, permissions, _ = read
    return [*review(config, permissions), *review_alerts(config, permissions)], read


async def _door(door: DoorSettings | None, patience: float) -> list[Finding]:
    """Whether callbot can listen on HOST. PORT is not tried: a running callbot may have it."""
    if door is None:
        return []
    try:
        async with asyncio.timeout(patience):
            server = await asyncio.get_running_loop().create_server(asyncio.Protocol, door.host, 0)
    except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
        why = getattr(error, "strerror", None) or "no answer"
        return [
            no("settings", f"HOST {door.host} cannot be listened on ({why}). Set it to an address of this machine.")
        ]
    server.close()
    await server.wait_closed()
    return []


async def _ledger(url: str, patience: float) -> list[Finding]:
    """Whether the ledger can be used. It is opened for reading only, so a running callbot is not disturbed."""
    try:
        address = Address(url)
    except LedgerUnavailable as error:
        return [no("ledger", str(error))]
    try:
        async with asyncio.timeout(patience):
            if address.file is None:
                await _check_server(address.dsn)
            audit_log = await AuditLog.open(url)
            await audit_log.close()
    except NoLedgerYet:
        return [_place_for(address)]
    except LedgerUnavailable as error:
        return [no("ledger", str(error.at_start(address.place)))]
    except TimeoutError:
        return [no("ledger", f"no answer in {patience:g} s. Check DATABASE_URL and the network.")]
    return [_usable(address, audit_log)]


async def _check_server(dsn: str) -> None:
    from bot.ledger.postgresql import check_server  # noqa: PLC0415  (it imports asyncpg, which SQLite does not need)

    await check_server(dsn)


def _usable(address: Address, audit_log: AuditLog) -> Finding:
    if address.file is not None:
        for path, needs in ((address.file, os.R_OK | os.W_OK), (address.file.parent, os.W_OK | os.X_OK)):
            if not os.access(path, needs):
                return no("ledger", f"{path} cannot be written. Give it to the user who runs callbot.")
    if not audit_log.up_to_date:
        text = f"{address.place}, of an older callbot (revision {audit_log.revision}); the next start brings it up to date."
        return remark("ledger", text)
    return ok("ledger", f"{address.place}, revision {audit_log.revision}")


def _place_for(address: Address) -> Finding:
    if address.file is None or os.access(address.file.parent, os.W_OK | os.X_OK):
        return remark("ledger", f"{address.place}: nothing is there yet; `callbot run` creates it.")
    return no(
        "ledger",
        f"{address.place} cannot be made. Make the folder, for the user who runs callbot, or set DATABASE_URL.",
    )
