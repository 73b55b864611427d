"""slack_sdk's client as callbot uses it, Slack's clock as its answers show it, and how a request can fail.

Every failure of Slack or the network becomes a SlackError, and its class says what to do then:

    SlackError
    ├── NotDone             nothing was done: send it again
    │   ├── RateLimited     429, after some seconds
    │   └── NotReached      no connection
    │       └── CertificateProblem  the certificate of the server is not accepted
    ├── AnswerUnknown       it may have been done: do not post again
    │   └── TimedOut        it may still be done
    └── SlackRefusal        Slack said no, with a reason

Reasons: the error tables of the pages of each method (docs.slack.dev/reference/methods).
"""

import math
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.clock import ServerClock
from bot.domain.errors import CallbotError
from bot.network import CERTIFICATE_PROBLEMS, NOT_SENT, certificate_problem, proxy_for

SHORTEST_WAIT, LONGEST_WAIT = 0.5, 60.0
"""Bounds in seconds for a `Retry-After`: Slack counts by the minute ("Rate limits"), and 0 would be a busy loop."""
UNSAID_WAIT = 1.0
"""Seconds to wait where `Retry-After` is missing or invalid."""
LIMITED = frozenset({"ratelimited", "rate_limited"})
IN_DOUBT = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable"})
"""Reasons after which it is unknown what was done: "some aspect of the operation" may have been (chat.postMessage)."""
NO_ACCESS = frozenset(
    [
        "not_in_channel",
        "channel_not_found",
        "is_archived",
        "no_permission",
        "access_denied",
        "ekm_access_denied",
        "team_access_not_granted",
    ]
)
"""Reasons why callbot may not write in a channel, besides those that begin with restricted_action."""
BAD_MESSAGE = frozenset(
    [
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
    ]
)
"""Reasons in the content of a message: it would be refused everywhere."""
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""Reasons why a message can no longer be updated."""
NO_TOKEN = frozenset(
    ["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "org_login_required"]
)
"""Reasons in the bot token, which only the administrator can fix."""


def web_client(token: str | None, api_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """A client on that session. It does not retry: callbot's card publisher and answers decide that."""
    client = AsyncWebClient(token=token, base_url=api_url, session=session, retry_handlers=[])
    client.proxy = proxy_for(api_url)  # its own choice ignores NO_PROXY
    return client


def clock_trace(clock: ServerClock) -> aiohttp.TraceConfig:
    """A trace for a session that hands the `Date` of each answer to `clock`."""

    async def ask(_: aiohttp.ClientSession, request: SimpleNamespace, __: aiohttp.TraceRequestStartParams) -> None:
        request.asked = clock.now()

    async def note(_: aiohttp.ClientSession, request: SimpleNamespace, answer: aiohttp.TraceRequestEndParams) -> None:
        clock.heard(answer.response.headers.get("Date", ""), request.asked)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(ask)
    trace.on_request_end.append(note)
    return trace


# ── how a request can fail ──


class SlackError(CallbotError):
    """A failed request to Slack. `reason` is one word, for logs and metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotDone(SlackError):
    """Nothing was done."""


class RateLimited(NotDone):
    """Too many requests: try again after so many seconds, which are bounded.

    `whole`: the method is closed for the workspace (status 429); otherwise the channel alone (`ok` is false).
    """

    def __init__(self, seconds: float, *, whole: bool = True) -> None:
        super().__init__("ratelimited")
        self.seconds = min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT) if math.isfinite(seconds) else UNSAID_WAIT
        self.whole = whole


class NotReached(NotDone):
    """There was no connection."""


class CertificateProblem(NotReached):
    """The certificate of the server is not accepted. `problem` says why, for example "expired"."""

    def __init__(self, problem: str) -> None:
        super().__init__("certificate_" + problem.replace(" ", "_").replace("-", "_"))
        self.problem = problem


class AnswerUnknown(SlackError):
    """It may have been done: the connection was lost, there was no answer in time, or Slack itself does not know."""


class TimedOut(AnswerUnknown):
    """There was no answer in time: Slack may still carry it out."""


class SlackRefusal(SlackError):
    """Slack said no, and nothing was done."""

    @property
    def no_access(self) -> bool:
        """Callbot may not write in that channel."""
        return self.reason in NO_ACCESS or self.reason.startswith("restricted_action")

    @property
    def bad_message(self) -> bool:
        """Slack refuses the content, not the channel."""
        return self.reason in BAD_MESSAGE

    @property
    def gone(self) -> bool:
        """The message can no longer be updated."""
        return self.reason in GONE

    @property
    def no_token(self) -> bool:
        """Slack does not accept the bot token."""
        return self.reason in NO_TOKEN


KNOWN_REASONS = frozenset(
    [
        *LIMITED,
        *IN_DOUBT,
        *NO_ACCESS,
        *BAD_MESSAGE,
        *GONE,
        *NO_TOKEN,
        *("restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel"),
        *("missing_scope", "user_not_found", "cannot_dm_bot", "user_disabled", "user_not_visible"),
        *(CertificateProblem(problem).reason for problem in CERTIFICATE_PROBLEMS),
        *("404", "410", "500", "502", "503", "504", "no_room", "queue_full", "unreadable"),
        *("ClientConnectorError", "ClientConnectorDNSError"),
        *("ClientConnectorSSLError", "ConnectionTimeoutError", "SocketTimeoutError", "TimeoutError"),
        *("ClientOSError", "ClientConnectionResetError", "ServerDisconnectedError", "ClientPayloadError"),
    ]
)
"""Reasons that the metrics count by name. Slack may give any word, and each would be a time series of its own."""


@contextmanager
def raising_slack_errors() -> Iterator[None]:
    """Turn what slack_sdk or the network raises into a SlackError."""
    try:
        yield
    except SlackApiError as error:
        raise _error_of(error) from None
    except aiohttp.ClientConnectorCertificateError as error:
        problem = certificate_problem(error.certificate_error)
        raise CertificateProblem(problem) from None
    except NOT_SENT as error:
        raise NotReached(type(error).__name__) from None
    except TimeoutError as error:
        raise TimedOut(type(error).__name__) from None
    except (aiohttp.ClientError, SlackRequestError, OSError) as error:
        raise AnswerUnknown(type(error).__name__) from None


async def answer_of(asking: Awaitable[Any]) -> Mapping[str, Any]:
    """The JSON object of an answer through slack_sdk. Raises SlackError: AnswerUnknown where it is no object."""
    with raising_slack_errors():
        try:
            answer = (await asking).data
        except aiohttp.ClientError:  # some are ValueErrors too, as that of a certificate
            raise
        except (ValueError, AttributeError, RecursionError) as error:  # the library, on what is no JSON object
            raise AnswerUnknown("unreadable") from error
    if not isinstance(answer, dict):
        raise AnswerUnknown("unreadable")
    return answer


def required_text(answer: Mapping[str, Any], name: str) -> str:
    """A text field of an answer. Raises AnswerUnknown where it is missing or empty."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise AnswerUnknown("unreadable")
    return value


def _error_of(error: SlackApiError) -> SlackError:
    """The error that an answer other than ok stands for."""
    response = error.response
    answer, status = getattr(response, "data", None), int(getattr(response, "status_code", 0))
    reason = str(answer.get("error", "")) if isinstance(answer, dict) else ""
    if status == 429 or reason in LIMITED:
        return RateLimited(retry_after(response.headers.get("Retry-After")), whole=status == 429)
    if status >= 500 or not reason or reason in IN_DOUBT:
        return AnswerUnknown(reason or str(status))
    return SlackRefusal(reason)


def retry_after(header: str | None) -> float:
    """The seconds of a `Retry-After`, unbounded; UNSAID_WAIT where it is missing or invalid."""
    try:
        return float(header or UNSAID_WAIT)
    except ValueError:
        return UNSAID_WAIT
