"""Logs: one line for each step, as text for people or JSON for machines, without secrets.

Our own events carry nothing but ids and our own words. Log records of libraries pass through the same processors, which
replace anything that looks like a token, a signed address or a header.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SECRETS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|bearer\s+\S+|wss?://\S+|https?://hooks\.\S+"
    r"|(?:access_token|client_secret|token)[\"']?\s*[=:]\s*[\"']?[^&\s\"',}]+",
    re.IGNORECASE,
)
QUIET = (
    "slack_bolt",
    "slack_sdk",
    "aiohttp",
    "asyncio",
    "sqlalchemy",
    "alembic",
    "callbot.bolt",
)
"""Libraries that log whole payloads at DEBUG or INFO."""


def configure(level: Literal["debug", "info", "warning", "error", "critical"], form: Literal["text", "json"]) -> None:
    """Set up structlog and the standard library's logging; both write to standard error."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _brief_exception,
        redact,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=24)
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=renderer))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(number, logging.ERROR))


def redact(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Replace whatever looks like a secret, in every text of the event."""
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redacted(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _SECRETS.sub("[secret]", value.decode(errors="replace") if isinstance(value, bytes) else str(value))


def _brief_exception(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """An exception as its type and its traceback's functions: its text may hold what people typed."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = " < ".join(reversed(_places(error)[-6:]))
    return event


def _places(error: BaseException) -> list[str]:
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places
