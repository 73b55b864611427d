"""`callbot check`: whether the PBX accepts callbot, and what it shows. Names and numbers of callers are not printed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp

from bot.app.check.configuration import known_extensions
from bot.app.output import Finding, counted, no, ok, remark, some
from bot.app.settings import PbxSettings
from bot.domain.clock import Clock, ServerClock
from bot.domain.errors import PbxError, PbxUnauthenticated, PbxUnreachable, UserInvalid
from bot.domain.permissions import Permissions, Scope
from bot.polling.phone_calls import PartlyRead
from bot.uapi.client import UnifiedApi, pbx_session
from bot.uapi.exchange import Answer, PbxRequest
from bot.uapi.token import ClientCredentials, FixedToken, token_source

T = TypeVar("T")
LISTS_PATIENCE = 6
"""The lists of all scopes together may take this many times as long as one answer."""
LISTS_AT_ONCE = 4
PBX_CLOCK = "PBX clock"
PBX_TOKEN = "PBX token"  # noqa: S105 - the topic of a line


async def check_pbx(settings: PbxSettings, permissions: Permissions | None, patience: float) -> list[Finding]:
    """Ask the PBX for a token, then for the list of every scope. `permissions` None: the configuration cannot be read.

    `patience`: seconds for one answer.
    """
    async with pbx_session(settings.uapi_ca_file) as session:
        token = token_source(session, settings.uapi_url, *settings.credentials())
        try:
            async with asyncio.timeout(patience):
                await token.token()
        except (PbxError, TimeoutError) as error:
            return [no(PBX_TOKEN, _why_no_token(error, patience)), remark("scopes", "not checked: there is no token.")]
        clock = ServerClock(Clock().now)
        api = UnifiedApi(session, settings.uapi_url, token, clock=clock)
        scopes, shown = await _Lists(api, permissions or Permissions(), patience).all()
        return [_token(token), _time(clock), *scopes, *([] if permissions is None else _unseen(permissions, shown))]


def unified_api(
    session: aiohttp.ClientSession, settings: PbxSettings, seen: Callable[[PbxRequest, Answer], None] | None = None
) -> UnifiedApi:
    """A client for the PBX of these settings; `seen` is called with every request and its answer."""
    return UnifiedApi(
        session, settings.uapi_url, token_source(session, settings.uapi_url, *settings.credentials()), seen=seen
    )


def _token(token: ClientCredentials | FixedToken) -> Finding:
    if isinstance(token, FixedToken):
        return remark(
            PBX_TOKEN,
            "UAPI_ACCESS_TOKEN is set, and nothing renews it: use it only to try things out. The scopes below show whether it works.",
        )
    return ok(PBX_TOKEN, f"the App is accepted; the token is good for {token.lifetime:.0f} s and renewed before that")


def _time(clock: ServerClock) -> Finding:
    seconds = clock.ahead().total_seconds()
    if not clock.known:
        return remark(PBX_CLOCK, "its answers have no date, so its clock is assumed to be right.")
    if not seconds:
        return ok(PBX_CLOCK, "agrees with that of this machine")
    side = "ahead of" if seconds > 0 else "behind"
    return remark(
        PBX_CLOCK,
        f"{abs(seconds):.0f} s {side} that of this machine. Alerts allow for it; better have both machines set their "
        "clocks by NTP.",
    )


def _why_no_token(error: PbxError | TimeoutError, patience: float) -> str:
    if isinstance(error, PbxUnauthenticated):
        return (
            f"the App is refused ({error.code}). Check UAPI_CLIENT_ID and UAPI_CLIENT_SECRET, and that the App is enabled "
            "and trusted (Unified Communications → Integrations → Apps)."
        )
    return _why(error, patience)


def _why(error: BaseException, patience: float) -> str:
    """What happened, and what to do."""
    if isinstance(error, PbxUnreachable):
        if "certificate" in error.why:
            return f"{error.why}. Name the certificate of its authority in UAPI_CA_FILE."
        return f"no answer that can be read ({error.why}). Check that UAPI_URL is the PBX, and the network."
    if isinstance(error, PbxUnauthenticated):
        return f"the token is not accepted ({error.code}). Check the App, or UAPI_ACCESS_TOKEN."
    if isinstance(error, PbxError):
        code = f" ({error.code})" if error.code else ""
        return f"{error}{code}"
    return f"no answer in {patience:g} s. Ask again; if there are many scopes, name fewer in [watch] scopes."


class _Lists:
    """Reads the lists of all scopes, a few at a time."""

    def __init__(self, api: UnifiedApi, permissions: Permissions, patience: float) -> None:
        self._api = api
        self._permissions = permissions
        self._patience = patience
        self._gate = asyncio.Semaphore(LISTS_AT_ONCE)

    async def all(self) -> tuple[list[Finding], dict[Scope, frozenset[str] | None]]:
        """A line for each scope, and the extensions that it shows (None: the PBX does not say)."""
        scopes = self._permissions.scopes
        tasks = [asyncio.create_task(self._scope(scope)) for scope in scopes]
        _, late = await asyncio.wait(tasks, timeout=LISTS_PATIENCE * self._patience)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        too_late = _why(TimeoutError(), LISTS_PATIENCE * self._patience)
        found = [
            (no(_about(scope), too_late), None) if task in late else task.result()
            for scope, task in zip(scopes, tasks, strict=True)
        ]
        return [finding for finding, _ in found], dict(zip(scopes, (phones for _, phones in found), strict=True))

    async def _scope(self, scope: Scope) -> tuple[Finding, frozenset[str] | None]:
        async with self._gate:
            began = time.monotonic()
            calls = await self._within(self._api.list(scope.user, scope.extension))
            if isinstance(calls, PartlyRead):
                text = f"{counted(len(calls.calls), 'live call')}; {calls.why}, and can be neither shown nor acted on."
                return remark(_about(scope), text), await self._phones(scope)
            if isinstance(calls, BaseException):
                return no(_about(scope), self._why_not(calls, scope)), None
            took = (time.monotonic() - began) * 1000
            finding = ok(_about(scope), f"{counted(len(calls), 'live call')} ({took:.0f} ms)")
            return finding, await self._phones(scope)

    async def _phones(self, scope: Scope) -> frozenset[str] | None:
        """The extensions that the scope shows; None if the PBX does not say."""
        if scope.extension != "@self":
            return frozenset({scope.extension})
        phones = await self._within(self._api.phones(scope.user))
        return None if isinstance(phones, BaseException) else frozenset(phone.extension for phone in phones)

    async def _within(self, asking: Awaitable[T]) -> T | PbxError | TimeoutError:
        try:
            async with asyncio.timeout(self._patience):
                return await asking
        except (PbxError, TimeoutError) as error:
            return error

    def _why_not(self, error: PbxError | TimeoutError, scope: Scope) -> str:
        if not isinstance(error, UserInvalid):
            return _why(error, self._patience)
        users = [
            f"[users.{one.slack_user}]" for one in self._permissions.people.values() if one.uapi_user == scope.user
        ]
        listed = any(agent.uapi_user == scope.user for agent in self._permissions.directory.agents)
        places = some([*users, *(["the directory"] if listed else [])])
        advice = f"Correct the uapi_user of {places}" if places else "Correct [watch] scopes, or default_user"
        whose = "" if scope.extension == "@self" else f", or {scope.extension} is not theirs"
        return f"the PBX knows no user {scope.user}{whose} ({error.code}). {advice}."


def _about(scope: Scope) -> str:
    return f"scope {scope.user} {scope.extension}"


def _unseen(permissions: Permissions, shown: dict[Scope, frozenset[str] | None]) -> list[Finding]:
    """Whether scopes show every known extension. It is surely not shown if the list of its owner was read and lacks it."""
    about, unsaid = "extensions", list(shown.values()).count(None)
    seen = frozenset[str]().union(*(phones for phones in shown.values() if phones is not None))
    read = {scope.user for scope, phones in shown.items() if phones is not None and scope.extension == "@self"}
    missing, doubtful = list[str](), list[str]()
    for extension, place in known_extensions(permissions).items():
        if extension not in seen:
            surely = not unsaid or permissions.owner(extension) in read
            (missing if surely else doubtful).append(f"{extension} of {place}")
    findings = []
    if missing:
        advice = 'Check the number and its uapi_user, or add { user = "…", extension = "…" } to [watch] scopes.'
        findings.append(no(about, f"no scope shows {some(missing)}: their calls are in no list. {advice}"))
    if doubtful:
        silent = f"of {counted(unsaid, 'scope')} the PBX did not list the phones."
        findings.append(remark(about, f"not known for {some(doubtful)}: {silent}"))
    return findings or [ok(about, "every extension of callbot.toml and the directory is shown by a scope")]
