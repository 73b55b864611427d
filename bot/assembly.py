"""Builds the bot from settings and map, starts it, and stops it in order. With `__main__`, the only place that does."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import aiohttp
import structlog
from aiohttp import web
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Config, read_config
from bot.errors import CallbotError, PbxError
from bot.interventions import Interventions
from bot.ledger.ledger import Ledger
from bot.ledger.single_run import SingleRun
from bot.ports import Card
from bot.settings import Settings
from bot.slack.app import Listeners, build_app
from bot.slack.feed import Feed
from bot.slack.http import Front
from bot.slack.sockets import Sockets
from bot.uapi.client import UnifiedApi, pbx_session
from bot.uapi.token import ClientCredentials, FixedToken, TokenSource

SLACK_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
STOP = {"requests": 2.5, "puts": 3.0, "cards": 1.5, "all": 9.0}
"""Seconds for each part of an orderly end, and for all of it: below the 10 s that are promised."""

_log = structlog.get_logger("callbot")


class SlackRefused(CallbotError):
    """Slack does not accept the bot's token, or cannot be reached at the start."""


class CannotListen(CallbotError):
    """HOST:PORT is taken, or not ours."""


class Workspace(NamedTuple):
    """What auth.test says of the bot's own workspace."""

    team_id: str
    bot_id: str
    bot_user_id: str


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """An id that nobody guesses and no two processes share."""
    return uuid.uuid4().hex


class Bot:
    """The whole bot. `start` raises CallbotError where it cannot; `stop` ends it within 10 s."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._config: Config = read_config(Path(settings.callbot_config))
        self._rules = self._config.authorization()
        self._stopping = False
        self._to_close = AsyncExitStack()

    async def start(self) -> None:
        """Everything up, open interventions taken up, and then the doors open."""
        try:
            await self._start()
        except BaseException:
            await self._to_close.aclose()
            raise

    async def _start(self) -> None:
        settings = self._settings
        lock = SingleRun(settings.database_url)
        await lock.acquire()
        self._to_close.push_async_callback(lock.release)
        ledger = await Ledger.open(settings.database_url, now=now)
        self._to_close.push_async_callback(ledger.close)
        self._slack_session = aiohttp.ClientSession(timeout=SLACK_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        self._to_close.push_async_callback(self._slack_session.close)
        self._client = self._web_client(settings.slack_bot_token.get_secret_value())
        workspace = await self._workspace()
        self._pbx_session = pbx_session(settings.uapi_ca_file)
        self._to_close.push_async_callback(self._pbx_session.close)
        self._pbx = UnifiedApi(self._pbx_session, settings.uapi_url, self._token_source())
        self._feed = Feed(self._client, ledger, sleep=asyncio.sleep, on_no_access=self._card_has_no_access)
        self._interventions = Interventions(
            phone_calls=self._pbx,
            ledger=ledger,
            cards=self._feed,
            rules=lambda: self._rules,
            silent_in=lambda: frozenset(self._config.cards.silent_in),
            now=now,
            sleep=asyncio.sleep,
            new_id=new_id,
            every=self._config.watch.every,
        )
        await self._interventions.start()
        await self._open_doors(workspace)
        self._ready_pbx = asyncio.create_task(self._until_pbx_answers(), name="first answer of the PBX")
        _log.info("started", mode="http" if settings.slack_app_token is None else "socket mode", port=self.port)

    async def stop(self) -> None:
        """Take no more work, answer what has arrived, leave open interventions to the next start."""
        self._stopping = True
        self._ready_pbx.cancel()
        try:
            async with asyncio.timeout(STOP["all"]):
                self._interventions.follower.switches.close()
                await self._listeners.drain(STOP["requests"])
                await self._interventions.stop(STOP["puts"])
                await self._feed.drain(STOP["cards"])
                await self._to_close.aclose()
        except TimeoutError:
            _log.error("stopped_late")
        _log.info("stopped")

    def ready(self) -> bool:
        """Whether Slack and the PBX have each answered since the start, and no end is near."""
        return self._pbx.answered and not self._stopping

    # ── parts ──

    def _web_client(self, token: str | None) -> AsyncWebClient:
        """A client on the one session; what is sent again, and when, is the feed's business."""
        return AsyncWebClient(
            token=token, base_url=self._settings.slack_api_url, session=self._slack_session, retry_handlers=[]
        )

    async def _workspace(self) -> Workspace:
        try:
            answer = await self._client.auth_test()
        except SlackApiError as error:
            raise SlackRefused(
                f"Slack does not accept SLACK_BOT_TOKEN: {_reason(error)}. Copy it anew from the app's page."
            ) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SlackRefused(
                f"Slack cannot be reached at SLACK_API_URL ({type(error).__name__}). Check the network and the setting."
            ) from None
        return Workspace(str(answer["team_id"]), str(answer.get("bot_id", "")), str(answer.get("user_id", "")))

    def _token_source(self) -> TokenSource:
        settings = self._settings
        if settings.uapi_client_id is not None and settings.uapi_client_secret is not None:
            secret = settings.uapi_client_secret.get_secret_value()
            return ClientCredentials(self._pbx_session, settings.uapi_url, settings.uapi_client_id, secret)
        token = settings.uapi_access_token
        return FixedToken("" if token is None else token.get_secret_value())

    async def _open_doors(self, workspace: Workspace) -> None:
        self._listeners = Listeners(
            interventions=self._interventions,
            client=self._client,
            session=self._slack_session,
            team_id=workspace.team_id,
            now=now,
            new_id=new_id,
        )
        authorized = AuthorizeResult(
            enterprise_id=None, team_id=workspace.team_id, bot_id=workspace.bot_id, bot_user_id=workspace.bot_user_id
        )
        app = build_app(self._listeners, self._web_client(None), authorized)
        token = self._settings.slack_app_token
        secret = self._settings.slack_signing_secret
        front = Front(
            app=app if token is None else None,
            signing_secret="" if secret is None else secret.get_secret_value(),
            ready=self.ready,
        )
        self._runner = web.AppRunner(front.application(), access_log=None, shutdown_timeout=0.5, auto_decompress=False)
        await self._runner.setup()
        self._to_close.push_async_callback(self._runner.cleanup)
        try:
            await web.TCPSite(self._runner, self._settings.host, self._settings.port).start()
        except OSError as error:
            address = f"{self._settings.host}:{self._settings.port}"
            raise CannotListen(
                f"{address} cannot be listened on ({error.strerror}). Set HOST and PORT to a free one."
            ) from None
        if token is not None:
            sockets = Sockets(app, token.get_secret_value())
            self._to_close.push_async_callback(sockets.close)
            await self._connect(sockets)

    async def _connect(self, sockets: Sockets) -> None:
        try:
            await sockets.connect()
        except SlackApiError as error:
            raise SlackRefused(
                f"Slack does not accept SLACK_APP_TOKEN: {_reason(error)}. Make a new one, with connections:write."
            ) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SlackRefused(f"Socket Mode cannot be opened ({type(error).__name__}). Check the network.") from None

    @property
    def port(self) -> int:
        """The port that is listened on: PORT, or the one that was free where PORT is 0."""
        return int(self._runner.addresses[0][1])

    async def _card_has_no_access(self, card: Card) -> None:
        await self._interventions.card_has_no_access(card)

    async def _until_pbx_answers(self) -> None:
        """Ask the PBX until it answers once, so that /readyz can tell."""
        pause = 0.5
        while not self._pbx.answered:
            try:
                await self._pbx.list(self._rules.default_user, "@self")
            except PbxError as error:
                _log.warning("pbx_not_ready", error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, 10.0)


def _reason(error: SlackApiError) -> str:
    answer = error.response.data
    return str(answer.get("error")) if isinstance(answer, dict) else "no readable answer"
