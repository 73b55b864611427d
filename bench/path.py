"""Which functions of callbot one request and one alert go through, in order: `python -m bench.path`.

To follow a request through the code, read what it prints beside the code. `README.md` says how to read it and how it counts.
"""

import asyncio
import logging
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import Context, ContextVar
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, Self

import structlog

import bot
from bot.app.bot import Bot
from bot.app.settings import read_settings
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import SandboxPbx
from bot.sandbox.workspace.workspace import Workspace

ROOT = f"{Path(bot.__file__).parent}/"
SANDBOX = f"{ROOT}sandbox/"
PATIENCE = 20.0
CONFIG = """
[users.U0ANA]
name = "Ana Pop"
uapi_user = "3"
extension = "0003*024"
roles = ["supervisor"]
[users.U0BOB]
name = "Bob Ionescu"
uapi_user = "12"
extension = "0003*210"
[roles.supervisor]
actions = ["Whisper"]
extensions = ["0003*2XX"]
[[alerts]]
name = "Held"
when = "on_hold"
longer_than = 0
channel = "C0ALERTS"
"""


class Function(NamedTuple):
    """A function of callbot: its module as a path below `bot`, and its name there."""

    module: str
    name: str


class Entrance(NamedTuple):
    """The first time that a function is entered.

    `callers`: the functions of callbot that it is called in within its task, the outermost first. `line`: where it is defined.
    """

    function: Function
    line: int
    task: str
    callers: tuple[Function, ...] = ()


class Section(NamedTuple):
    """A part of a way: what is entered there, in order."""

    title: str
    entrances: tuple[Entrance, ...]

    @property
    def functions(self) -> tuple[Function, ...]:
        """The functions that are entered."""
        return tuple(entrance.function for entrance in self.entrances)

    def __str__(self) -> str:
        """A headline with the counts, then a line for each function, indented below its caller, and one for each change of task."""
        modules = {function.module for function in self.functions}
        lines = [f"{self.title}: {len(self.functions)} functions in {len(modules)} modules"]
        task: str | None = None
        above: tuple[Function, ...] = ()
        """The function of the line above, with its callers."""
        for entrance in self.entrances:
            if entrance.task != task:
                task, above = entrance.task, ()
                lines.append(f"  {task}")
            depth, (module, name) = len(entrance.callers), entrance.function
            # A caller that is not just above was entered earlier. The indentation does not show it, so the line names it.
            called_by = "" if above[:depth] == entrance.callers else f"  (called by {entrance.callers[-1].name})"
            lines.append(f"{'  ' * (depth + 2)}bot/{module}.py:{entrance.line} {name}{called_by}")
            above = (*entrance.callers, entrance.function)
        return "\n".join(lines)


class Recorder:
    """Notes the functions that are entered for one cause, each once. Use it in a `with`, on a running event loop.

    `entrance`: the function at which the cause enters callbot. From there it is followed by a context variable, and into the
    tasks that are started with an empty context, too. `goal`: the function with which `before_goal` is complete.
    """

    def __init__(self, entrance: Function, goal: Function | None = None) -> None:
        self._entrance = entrance
        self._goal = goal
        self._followed = ContextVar("followed", default="")
        self._before_goal: dict[Function, Entrance] = {}
        """What was entered in the context of the cause itself until its goal."""
        self._all: dict[Function, Entrance] = {}

    def __enter__(self) -> Self:
        asyncio.get_running_loop().set_task_factory(self._new_task)
        sys.setprofile(self._on_event)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        asyncio.get_running_loop().set_task_factory(None)

    def _new_task(
        self, loop: asyncio.AbstractEventLoop, work: Any, *, context: Context | None = None, **how: Any
    ) -> "asyncio.Task[Any]":
        if context is not None and self._followed.get():
            context.run(self._followed.set, "started")
        return asyncio.Task(work, loop=loop, context=context, **how)

    def _on_event(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or (function := _function(frame)) is None:
            return
        if function == self._entrance:
            self._followed.set("own")
        if not self._followed.get():
            return
        kept = [self._all]
        if self._followed.get() == "own" and self._goal not in self._before_goal:
            kept.append(self._before_goal)
        for entered in kept:
            if function not in entered:
                entered[function] = Entrance(function, frame.f_code.co_firstlineno, _task(), _callers(frame))

    def before_goal(self) -> tuple[Entrance, ...]:
        """What was entered in the context of the cause itself, up to the goal and with it."""
        return tuple(self._before_goal.values())

    def all(self) -> tuple[Entrance, ...]:
        """What was entered so far, also in tasks with an empty context."""
        return tuple(self._all.values())


def _function(frame: FrameType) -> Function | None:
    """The function of callbot that runs in this frame; None for others, for the sandbox, lambdas and comprehensions."""
    path, name = frame.f_code.co_filename, frame.f_code.co_qualname
    if not path.startswith(ROOT) or path.startswith(SANDBOX) or name.endswith(">"):
        return None
    return Function(path.removeprefix(ROOT).removesuffix(".py"), name)


def _callers(frame: FrameType) -> tuple[Function, ...]:
    """The functions of callbot below which this frame runs, the outermost first."""
    callers: list[Function] = []
    above = frame.f_back
    while above is not None:
        if (caller := _function(above)) is not None:
            callers.insert(0, caller)
        above = above.f_back
    return tuple(callers)


def _task() -> str:
    """The task that runs: its name, or its coroutine where asyncio has numbered it."""
    task = asyncio.current_task()
    if task is None:
        return "a callback of the event loop"
    name = task.get_name()
    return f"task `{getattr(task.get_coro(), '__qualname__', name) if name.startswith('Task-') else name}`"


class House(NamedTuple):
    """The whole bot between the sandbox's PBX and its workspace, in this process, with Bob in a call."""

    floor: Floor
    pbx: SandboxPbx
    workspace: Workspace
    call: str


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """Start it, deliveries over HTTP, and stop it."""
    floor, workspace = Floor(), Workspace()
    pbx = SandboxPbx(floor)
    for number, user, name in (("0003*024", "3", "Ana Pop"), ("0003*210", "12", "Bob Ionescu")):
        floor.add_extension(number, user=user, name=name)
    workspace.add_person("U0ANA", "ana")
    workspace.add_person("U0BOB", "bob")
    workspace.add_channel("C0FLOOR", "support-floor")
    workspace.add_channel("C0ALERTS", "alerts")
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callbot-bench-")))
        (folder / "callbot.toml").write_text(CONFIG)
        await pbx.start()
        stack.push_async_callback(pbx.stop)
        await workspace.start()
        stack.push_async_callback(workspace.stop)
        settings = {
            "SLACK_SIGNING_SECRET": workspace.signing_secret,
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_API_URL": workspace.api_url,
            "UAPI_URL": pbx.url,
            "UAPI_CLIENT_ID": "sandbox-app",
            "UAPI_CLIENT_SECRET": "sandbox-secret",
            "CALLBOT_CONFIG": str(folder / "callbot.toml"),
            "DATABASE_URL": f"sqlite:///{folder}/callbot.db",
            "PORT": "0",
        }
        call = floor.talk(caller="+15550142", to="0003*210", caller_name="Carla Caller")
        running = await Bot.start(read_settings(settings))
        stack.push_async_callback(running.stop)
        workspace.deliver_to(f"http://127.0.0.1:{running.port}/slack/events")
        yield House(floor, pbx, workspace, call)


async def path_of_a_request() -> list[Section]:
    """Ana types `/whisper @bob`, and answers her phone as soon as it rings."""
    async with house() as (floor, _pbx, workspace, _call):

        def shows(word: str) -> bool:
            return any(message.text.startswith(word) for message in workspace.messages(to="U0ANA"))

        entrance, goal = Function("app/connections", "Connections._within"), Function("uapi/exchange", "put_action")
        with Recorder(entrance, goal) as recorder:
            await workspace.type("U0ANA", "C0FLOOR", "/whisper <@U0BOB|bob>", raw=True)
            await workspace.until(lambda: shows("Ringing"), PATIENCE)
            floor.lift("0003*024")
            await workspace.until(lambda: shows("Connected"), PATIENCE)
            to_put = Section("/whisper @bob, from its delivery to the PUT", recorder.before_goal())
            after = tuple(entrance for entrance in recorder.all() if entrance.function not in to_put.functions)
    return [to_put, Section("… and until its card says Connected, beside those", after)]


async def path_of_an_alert() -> list[Section]:
    """Bob puts his caller on hold, which an alert is about."""
    async with house() as (floor, _, workspace, call):
        with Recorder(Function("alerts/monitor", "AlertMonitor._keep_scanning")) as recorder:
            floor.hold(call)
            await workspace.until(lambda: workspace.messages("C0ALERTS"), PATIENCE)
    return [Section("An alert, from the list of live calls to its posted card", recorder.all())]


async def path() -> list[Section]:
    """Both, in the order in which they are printed."""
    return [*await path_of_a_request(), *await path_of_an_alert()]


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sys.stdout.write("\n\n".join(str(section) for section in asyncio.run(path())) + "\n")
