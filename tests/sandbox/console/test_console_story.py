"""The story: played by the real bot from beginning to end, over and over while somebody looks, until somebody acts."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from bot.app.demo import stage
from bot.sandbox.console.bot_process import BotProcess
from bot.sandbox.console.server import Console
from bot.sandbox.console.story import MOST_PLAYS, Plays, Scene, Story
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.workspace.workspace import Workspace

Ask = Callable[..., Awaitable[tuple[int, Any]]]
SCENE = Scene("something happens", "U0ANA", "C0FLOOR")


async def test_the_real_bot_does_its_part_from_the_alert_to_the_refusal() -> None:
    scenes: list[Scene] = []
    async with stage(by_hand=True) as (floor, pbx, workspace, _):
        await Story(floor, workspace, scenes.append, pace=0.02).play()
        actions = [request.json["action"] for request in pbx.puts() if isinstance(request.json, dict)]
        refusals = [message.text for message in workspace.private("U0EVE")]
        wrong = [*workspace.refusals, *workspace.visible_errors]
    assert (actions, wrong) == (["Monitor", "Whisper", "StartRecording"], [])
    assert ["I don't know you yet" in refusal for refusal in refusals] == [True]
    assert [scene.typing for scene in scenes if scene.typing] == ["/monitor @bob", "/monitor @bob"]
    pressed = [(scene.press["label"], scene.press["action_id"].rsplit(":", 1)[0]) for scene in scenes if scene.press]
    assert pressed == [("I'm on it", "alert"), ("Whisper", "intervene:Whisper"), ("Record", "intervene:StartRecording")]


# ── over and over ──


class Curtain:
    """Plays that go no further than a test lets them."""

    def __init__(self) -> None:
        self.played = 0
        self.cleaned = 0
        self.go_on = asyncio.Event()
        self.fails: Exception | None = None
        self.plays = Plays(self._play, clean=self._clean, ready=self._ready, between=0)

    async def until(self, condition: Callable[[], bool]) -> None:
        changed = asyncio.Event()
        self.plays.on_change(changed.set)
        async with asyncio.timeout(5):
            while not condition():
                await changed.wait()
                changed.clear()

    async def _play(self, show: Callable[[Scene], object]) -> None:
        self.played += 1
        show(SCENE)
        if self.fails is not None:
            raise self.fails
        await self.go_on.wait()

    async def _clean(self) -> None:
        self.cleaned += 1

    async def _ready(self) -> None:
        return


@pytest.fixture
async def curtain() -> Any:
    curtain = Curtain()
    yield curtain
    await curtain.plays.close()


async def test_the_story_waits_for_somebody_to_look(curtain: Curtain) -> None:
    assert curtain.plays.now() == {"state": "waiting", "plays": 0, "scene": None}


async def test_the_story_begins_when_somebody_looks_and_once_only(curtain: Curtain) -> None:
    curtain.plays.watched()
    curtain.plays.watched()
    await curtain.until(lambda: curtain.played == 1)
    assert (curtain.plays.now()["state"], curtain.plays.now()["scene"]["caption"]) == ("playing", SCENE.caption)


async def test_every_play_begins_on_a_clean_floor(curtain: Curtain) -> None:
    curtain.plays.watched()
    curtain.go_on.set()
    await curtain.until(lambda: curtain.played >= 3)
    assert curtain.cleaned == curtain.played


async def test_with_nobody_left_the_story_is_not_repeated(curtain: Curtain) -> None:
    curtain.plays.watched()
    await curtain.until(lambda: curtain.played == 1)
    curtain.plays.left()
    curtain.go_on.set()
    await curtain.until(lambda: curtain.plays.state == "waiting")
    assert curtain.played == 1


async def test_the_story_rests_after_many_plays(curtain: Curtain) -> None:
    curtain.plays.watched()
    curtain.go_on.set()
    await curtain.until(lambda: curtain.plays.state == "over")
    assert curtain.played == MOST_PLAYS


async def test_a_story_that_is_stopped_stays_stopped(curtain: Curtain) -> None:
    curtain.plays.watched()
    await curtain.until(lambda: curtain.played == 1)
    curtain.plays.stop()
    curtain.plays.watched()
    assert curtain.plays.now() == {"state": "stopped", "plays": 1, "scene": None}


async def test_a_story_that_is_stopped_is_played_again_when_somebody_asks(curtain: Curtain) -> None:
    curtain.plays.watched()
    curtain.plays.stop()
    curtain.plays.again()
    await curtain.until(lambda: curtain.played == 1)
    assert curtain.plays.state == "playing"


@pytest.mark.parametrize("failure", [TimeoutError("too late"), LookupError("no button")])
async def test_a_story_whose_bot_does_not_do_its_part_says_so(curtain: Curtain, failure: Exception) -> None:
    curtain.fails = failure
    curtain.plays.watched()
    await curtain.until(lambda: curtain.plays.state == "broken")
    assert curtain.played == 1


# ── in the interface ──


@pytest.fixture
async def playing(floor: Floor, workspace: Workspace, process: BotProcess) -> Any:
    """A console whose story waits for a bot that never connects."""
    console = Console(floor, workspace, process, story=True)
    await console.start()
    yield console
    await console.stop()


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("type", {"user": "U0ANA", "channel": "C0FLOOR", "text": "hello"}),
        ("ring", {"to": "0003*210"}),
        ("bot", {"do": "restart"}),
        ("story", {"do": "stop"}),
    ],
)
async def test_an_act_stops_the_story(
    playing: Console, session: aiohttp.ClientSession, act: str, fields: dict[str, str]
) -> None:
    address, headers = f"http://127.0.0.1:{playing.port}/v1/", {"Authorization": f"Bearer {playing.token}"}
    protocols = ("callbot.v1", f"token.{playing.token}")
    async with session.ws_connect(f"{address}changes", protocols=protocols) as page:
        before = (await page.receive_json())["story"]["state"]
        async with session.post(address + act, json=fields, headers=headers) as answer:
            assert answer.status == 200
        async with session.get(f"{address}state", headers=headers) as answer:
            after = (await answer.json())["story"]["state"]
    assert (before, after) == ("playing", "stopped")


async def test_a_story_that_is_played_again_starts_a_bot_that_has_ended(ask: Ask, process: BotProcess) -> None:
    await process.start()
    await process.stop()
    status, _ = await ask("story", do="play")
    assert (status, process.state, process.starts) == (200, "running", 2)


async def test_a_story_that_is_played_again_leaves_a_bot_that_runs_alone(ask: Ask, process: BotProcess) -> None:
    await process.start()
    await ask("story", do="play")
    assert process.starts == 1


async def test_what_was_before_the_story_is_played_again_is_not_shown_and_no_call_goes_on(
    ask: Ask, floor: Floor, workspace: Workspace, app: list[dict[str, Any]]
) -> None:
    await ask("type", user="U0BOB", channel="C0FLOOR", text="before")
    floor.ring(caller="+15550100", to="0003*211")
    await ask("story", do="play")
    await floor.until(lambda: [each.views[0].phone for each in floor.calls()] == ["0003*210"], 10)
    _, state = await ask(method="GET", path="/v1/state")
    assert (state["messages"], state["story"]["plays"]) == ([], 1)
