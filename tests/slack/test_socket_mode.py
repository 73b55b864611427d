"""Two Socket Mode connections while Slack refreshes, cuts and refuses them: what was delivered is acknowledged."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.sandbox.workspace.faults import SlackFault
from bot.sandbox.workspace.limits import SlackLimits
from bot.sandbox.workspace.workspace import Workspace
from bot.slack.socket_mode import CONNECTIONS, Connection, Sockets
from bot.slack.web_client import SlackError, SlackRefusal, web_client
from tests.slack.waiting import serving

OPEN = "apps.connections.open"


async def authorize() -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id="T0LOCAL", bot_id="B0", bot_user_id="U0")


class Line:
    """A workspace, an app that acknowledges, and its connections. `typed`: what has reached the app."""

    def __init__(self, workspace: Workspace, session: aiohttp.ClientSession, app_token: str = "") -> None:
        self.workspace = workspace
        self.typed: list[str] = []
        self.pauses: list[float] = []
        self.lost: list[str] = []
        self.go_on = asyncio.Event()
        self.clock_stops = 0
        self.sleeps_badly = 0
        client = web_client(None, workspace.api_url, session)
        app = AsyncApp(
            client=client,
            authorize=authorize,
            signing_secret="",
            request_verification_enabled=False,
            process_before_response=True,
        )

        @app.command("/calls")
        async def hear(ack: AsyncAck, body: dict[str, Any]) -> None:
            self.typed.append(body["text"])
            if body["text"] == "late":
                await self.go_on.wait()
            if body["text"] == "fail":
                raise RuntimeError
            await ack("" if body["text"] != "speak" else {"response_type": "ephemeral", "text": "spoken"})

        self.app = app
        self.sockets = Sockets(
            app,
            app_token or workspace.app_token,
            acks=self,
            clock=self._clock,
            sleep=self._hardly_sleep,
            jitter=lambda: 1.0,
        )

    def acked(self, kind: str, seconds: float) -> None:
        """Counted nowhere: the workspace knows it."""

    def ack_lost(self, kind: str) -> None:
        self.lost.append(kind)

    def _clock(self) -> float:
        if self.clock_stops:
            self.clock_stops -= 1
            raise OverflowError
        return asyncio.get_running_loop().time()

    async def _hardly_sleep(self, seconds: float) -> None:
        if self.sleeps_badly:
            self.sleeps_badly -= 1
            raise asyncio.CancelledError
        self.pauses.append(seconds)
        await asyncio.sleep(0.01)

    async def both(self) -> None:
        """Wait until there are two connections and no more."""
        await self.workspace.until(lambda: self.workspace.sockets == CONNECTIONS)

    async def heard(self, number: int) -> None:
        """Wait until that one has reached the app."""
        await self.workspace.until(lambda: str(number) in self.typed)

    def opened(self) -> int:
        return sum(call.method == OPEN for call in self.workspace.calls)

    async def type(self, number: int) -> bool:
        """Whether it is acknowledged."""
        return (await self.workspace.type("U0ANA", "C0FLOOR", f"/calls {number}")).acknowledged


@dataclass
class Garbled:
    """Slack behind a proxy that answers so many times in its place."""

    url: str
    left: int


@asynccontextmanager
async def garbling(api_url: str, kind: str, body: bytes, times: int) -> AsyncIterator[Garbled]:
    garbled = Garbled("", times)

    async def answer(request: web.BaseRequest) -> web.Response:
        if garbled.left:
            garbled.left -= 1
            return web.Response(body=body, content_type=kind)
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type")}
        method = request.path.rpartition("/")[2]
        async with (
            aiohttp.ClientSession() as session,
            session.post(api_url + method, data=await request.read(), headers=headers) as real,
        ):
            return web.Response(body=await real.read(), content_type=real.content_type)

    async with serving(answer) as address:
        garbled.url = f"http://{address}/"
        yield garbled


@pytest.fixture
def limits() -> SlackLimits:
    """Slack's own, in a hurry."""
    return SlackLimits(acknowledgement=0.5, refresh_grace=0.2)


@pytest.fixture
async def line(limits: SlackLimits) -> AsyncIterator[Line]:
    workspace = Workspace(limits=limits)
    workspace.add_person("U0ANA", "ana")
    workspace.add_channel("C0FLOOR", "support-floor")
    await workspace.start()
    async with aiohttp.ClientSession() as session:
        line = Line(workspace, session)
        await line.sockets.connect()
        await line.both()
        yield line
        await line.sockets.close()
    await workspace.stop()


async def test_a_command_is_acknowledged_with_what_the_listener_says(line: Line) -> None:
    await line.workspace.type("U0ANA", "C0FLOOR", "/calls speak")
    assert [message.text for message in line.workspace.private("U0ANA")] == ["spoken"]


async def test_where_a_listener_fails_slack_gets_no_acknowledgement_and_says_so(line: Line) -> None:
    delivery = await line.workspace.type("U0ANA", "C0FLOOR", "/calls fail")
    assert (delivery.acknowledged, line.lost) == (False, ["command"])


@pytest.mark.parametrize("limits", [SlackLimits()], ids=["in Slack's own time"])
async def test_while_both_are_refreshed_again_and_again_every_command_is_acknowledged_and_heard_once(
    line: Line,
) -> None:
    typing = [asyncio.create_task(line.type(0))]
    for number in range(1, 50):
        if number % 10 == 0:
            await line.workspace.refresh_sockets()
        typing.append(asyncio.create_task(line.type(number)))
        await asyncio.sleep(0.01)
    assert await asyncio.gather(*typing) == [True] * 50
    assert sorted(line.typed, key=int) == [str(number) for number in range(50)]


async def test_the_new_connection_stands_before_the_old_one_goes(line: Line) -> None:
    fewest = [line.workspace.sockets]
    line.workspace.on_change(lambda: fewest.append(line.workspace.sockets))
    await line.workspace.refresh_sockets()
    await line.workspace.until(lambda: line.opened() == 2 * CONNECTIONS)
    await line.both()
    assert (min(fewest) >= CONNECTIONS, line.workspace.visible_errors) == (True, [])


async def test_after_a_cut_without_a_word_there_are_two_again(line: Line) -> None:
    await line.workspace.cut_sockets()
    await line.both()
    assert await line.type(1)


async def test_an_acknowledgement_that_a_cut_has_kept_from_slack_counts_as_lost(line: Line) -> None:
    typing = asyncio.create_task(line.workspace.type("U0ANA", "C0FLOOR", "/calls late"))
    await line.workspace.until(lambda: "late" in line.typed)
    await line.workspace.cut_sockets()
    await line.both()
    line.go_on.set()
    assert (await typing).acknowledged is False
    await line.workspace.until(lambda: line.lost)
    assert line.lost == ["command"]


async def test_a_command_that_reached_the_app_before_a_cut_is_heard_once(line: Line) -> None:
    for number in range(30):
        typing = asyncio.create_task(line.type(number))
        if number % 10 == 5:
            await line.heard(number)
            await line.workspace.cut_sockets()
            await line.both()
        await typing
    assert sorted(line.typed, key=int) == [str(number) for number in range(30)]


@pytest.mark.parametrize(
    "fault", [{"kind": "429", "retry_after": 3}, {"kind": "500"}, {"kind": "lost"}, {"kind": "error"}], ids=str
)
async def test_while_slack_gives_no_address_it_is_asked_with_growing_pauses_until_it_does(
    line: Line, fault: dict[str, Any]
) -> None:
    line.workspace.faults.add(SlackFault(method=OPEN, times=8, **fault))
    line.pauses.clear()
    await line.workspace.cut_sockets()
    await line.both()
    assert await line.type(1)
    assert max(line.pauses) > 2 * min(pause for pause in line.pauses if pause)


async def test_as_long_as_slack_says_no_address_is_asked_for(line: Line) -> None:
    line.workspace.faults.add(SlackFault(method=OPEN, kind="429", times=1, retry_after=30))
    line.pauses.clear()
    await line.workspace.cut_sockets()
    await line.both()
    assert 29 < max(line.pauses) <= 30


@pytest.mark.parametrize("retry_after", ["nan", "-inf", "-1", None], ids=str)
async def test_whatever_slack_asks_to_wait_for_an_address_there_are_two_again(
    line: Line, retry_after: str | None
) -> None:
    line.workspace.faults.add(SlackFault(method=OPEN, kind="429", times=4, retry_after=retry_after))
    line.pauses.clear()
    await line.workspace.cut_sockets()
    await line.both()
    assert await line.type(1)
    assert [pause for pause in line.pauses if not 0 <= pause <= 60] == []


async def test_a_429_on_one_address_keeps_the_other_connection_from_asking_too(line: Line) -> None:
    line.workspace.faults.add(SlackFault(method=OPEN, kind="429", times=1, retry_after=30))
    await line.workspace.cut_sockets()
    await line.both()
    line.pauses.clear()
    await line.workspace.cut_sockets()
    await line.both()
    assert sum(pause > 25 for pause in line.pauses) == 2


async def test_a_keeper_that_ends_for_any_reason_has_a_successor(line: Line) -> None:
    line.sleeps_badly = 2
    line.workspace.faults.add(SlackFault(method=OPEN, kind="429", times=2))
    await line.workspace.cut_sockets()
    await line.workspace.until(lambda: line.sleeps_badly == 0)
    await line.both()
    assert await line.type(1)


async def test_a_link_that_is_switched_off_is_no_hot_loop_and_once_it_is_on_again_there_are_two(line: Line) -> None:
    line.pauses.clear()
    line.workspace.link_disabled()
    await line.workspace.until(lambda: 60.0 in line.pauses)
    asked, pauses = line.opened(), sum(line.pauses)
    line.workspace.link_enabled()
    await line.both()
    assert asked < 2 * 16
    assert pauses > 100


async def test_a_slack_that_cuts_every_connection_soon_is_asked_with_growing_pauses(line: Line) -> None:
    line.pauses.clear()
    for _ in range(4):
        await line.workspace.cut_sockets()
        await line.both()
    assert max(line.pauses, default=0.0) >= 0.4


async def test_what_is_no_envelope_ends_nothing(line: Line) -> None:
    for garbage in ("[]", "{", '"x"', "{}", '{"type": "new", "envelope_id": "e1"}'):
        await line.workspace.send_frame(garbage)
    assert await line.type(1)
    assert line.workspace.sockets == CONNECTIONS


async def test_a_token_that_slack_does_not_take_is_said_at_once() -> None:
    workspace = Workspace()
    await workspace.start()
    async with aiohttp.ClientSession() as session:
        line = Line(workspace, session, "xapp-wrong")
        with pytest.raises(SlackRefusal, match="invalid_auth"):
            await line.sockets.connect()
        await line.sockets.close()
    await workspace.stop()


async def test_whatever_goes_wrong_with_both_there_are_two_again(line: Line) -> None:
    """A failure that nobody thought of: here the clock's."""
    line.clock_stops = 4
    await line.workspace.cut_sockets()
    await line.workspace.until(lambda: line.clock_stops == 0 and line.workspace.sockets >= CONNECTIONS)
    assert await line.type(1)


async def test_a_start_that_fails_again_and_again_leaves_no_session_behind(line: Line) -> None:
    line.workspace.faults.add(SlackFault(method=OPEN, times=2, kind="500"))
    sockets = Sockets(line.app, line.workspace.app_token, acks=line)
    gc.collect()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for _ in range(2):
            with pytest.raises(SlackError):
                await sockets.connect()
        await sockets.close()
        del sockets
        gc.collect()
    assert [str(warning.message) for warning in warned] == []


GARBAGE = [
    ("text/plain", b"no healthy upstream"),
    ("application/json", b'{"ok": true, "url": 7}'),
    ("application/json", b'{"ok": true, "url": "http://"}'),
    ("application/json", b'{"ok": true, "url": "\\ud800"}'),
]


@pytest.mark.parametrize(("kind", "body"), GARBAGE)
async def test_both_connections_come_back_after_answers_that_are_none(line: Line, kind: str, body: bytes) -> None:
    async with garbling(line.workspace.api_url, kind, body, times=4) as garbled:
        line.app.client.base_url = garbled.url
        await line.workspace.cut_sockets()
        await line.both()
        assert (garbled.left, await line.type(1)) == (0, True)


@pytest.mark.parametrize(("kind", "body"), GARBAGE)
async def test_at_the_start_such_an_answer_is_a_failure_like_others(line: Line, kind: str, body: bytes) -> None:
    async with garbling(line.workspace.api_url, kind, body, times=1) as garbled:
        line.app.client.base_url = garbled.url
        sockets = Sockets(line.app, line.workspace.app_token, acks=line)
        with pytest.raises(SlackError):
            await sockets.connect()
        await sockets.close()


async def test_connections_on_which_no_ping_is_answered_are_open_and_not_heard(line: Line) -> None:
    """What a middlebox leaves that has forgotten them: TCP stands, and nothing ever comes."""
    sockets = Sockets(line.app, line.workspace.app_token, acks=line, heartbeat=0.2)
    await sockets.connect()
    await line.workspace.until(lambda: sockets.open == CONNECTIONS)
    line.workspace.link_disabled()
    line.workspace.silence_sockets()
    for _ in range(500):
        if sockets.open == 0:
            break
        await asyncio.sleep(0.01)
    assert sockets.open == 0
    await sockets.close()


async def test_a_peer_that_never_answers_is_given_up(line: Line) -> None:
    """TCP stands, and nothing ever comes: not aiohttp's five minutes."""
    met = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        met.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(TimeoutError):
            await Connection.open(line.app, session, url, line, patience=0.1)
    assert met.is_set()
    server.close()
    await server.wait_closed()
