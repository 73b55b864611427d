"""The first requests to Slack at a start: who the bot is, and the first connection of Socket Mode.

Slack may be busy, or the network not up yet, so callbot tries for half a minute. A refusal is final.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import CallbotError
from bot.slack.listeners import Home
from bot.slack.socket_mode import Sockets
from bot.slack.web_client import CertificateProblem, SlackError, SlackRefusal, answer_of, word

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each further attempt."""

_log = structlog.get_logger("callbot.slack")
T = TypeVar("T")


class SlackUnavailable(CallbotError):
    """At the start, Slack does not accept a token or cannot be reached."""


class Workspace(NamedTuple):
    """The bot's workspace and its ids there, from auth.test."""

    home: Home
    bot_id: str
    bot_user_id: str


async def workspace_of(client: AsyncWebClient, sleep: Callable[[float], Awaitable[None]]) -> Workspace:
    """Ask Slack which workspace and bot the token belongs to. Raises SlackUnavailable."""
    refusal = "Slack does not accept SLACK_BOT_TOKEN: {}. Copy it anew from the app's page."

    async def ask() -> Workspace:
        answer = await answer_of(client.auth_test())
        home = Home(word(answer, "team_id"), str(answer.get("enterprise_id") or ""))
        return Workspace(home, str(answer.get("bot_id", "")), str(answer.get("user_id", "")))

    return await _patiently(ask, refusal, sleep)


async def connect(sockets: Sockets, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Open Socket Mode. Raises SlackUnavailable."""
    refusal = "Slack does not accept SLACK_APP_TOKEN: {}. Make a new one, with connections:write."
    await _patiently(sockets.connect, refusal, sleep)


async def _patiently(ask: Callable[[], Awaitable[T]], refusal: str, sleep: Callable[[float], Awaitable[None]]) -> T:
    """Try `ask` until it succeeds. It raises SlackError. `refusal`: the message for a refusal, with {} for its reason."""
    problem = ""
    for pause in (*PAUSES, None):
        try:
            return await ask()
        except SlackRefusal as error:
            raise SlackUnavailable(refusal.format(error.reason)) from None
        except SlackError as error:
            _log.warning("slack_not_ready", reason=error.reason)
            problem = error.problem if isinstance(error, CertificateProblem) else ""
            if pause is None:
                break
            await sleep(max(pause, getattr(error, "seconds", 0.0)))
    if problem:
        raise SlackUnavailable(
            f"The certificate at SLACK_API_URL is {problem}, so nothing was sent to Slack. Check this machine's clock, and "
            "that no proxy answers in Slack's place with a certificate of its own."
        )
    raise SlackUnavailable(
        "Slack cannot be reached at SLACK_API_URL, though asked for half a minute, or what answers there is not Slack. "
        "Check the network, and SLACK_API_URL where it is set."
    )
