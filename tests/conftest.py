"""What every test of the core and of the messages begins with: one floor, its people, one call.

Ana supervises 0003*2XX and Cleo too; Bob and Dan are agents. All names are invented, all callers have 555 numbers.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app.collecting import FULL, MIDDLE, YOUNG
from bot.domain.actions import ActionName
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.directory import Agent, Directory
from bot.domain.intervention import Intervention, before_put
from bot.domain.permissions import CallerPattern, ExtensionPattern, Permissions, Person, Role

pytest_plugins = ["tests.fixtures.state_table", "tests.fixtures.on_a_clock"]

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MINUTE_AGO = (NOON - timedelta(minutes=1)).isoformat()

ANA = Person("U0ANA", "Ana Pop", ("0003*024",), uapi_user="3", roles=("supervisor",))
BOB = Person("U0BOB", "Bob Ionescu", ("0003*210", "0003*211"), uapi_user="12", roles=("agent",))
CLEO = Person("U0CLEO", "Cleo Dima", ("0003*025",), uapi_user="4", roles=("supervisor",))
DAN = Person("U0DAN", "Dan Rus", ("0003*220",), roles=("agent",))


@pytest.fixture(scope="session")
def noon() -> datetime:
    return NOON


@pytest.fixture(scope="session")
def a_view() -> Callable[..., PhoneCallView]:
    """A view as the PBX shows it; without a word: Bob on call with a customer for a minute."""

    def build(view_id: str = "01", **fields: Any) -> PhoneCallView:
        shown = {
            "id": view_id,
            "extension": "0003*210",
            "source": ["+15550100"],
            "destination": ["0003*210"],
            "flow": "8",
            "status": "5",
            "callerId": "Jane Roe <+15550100>",
            "answered": MINUTE_AGO,
        }
        return PhoneCallView.model_validate({**shown, **fields})

    return build


@pytest.fixture(scope="session")
def a_leg(a_view: Callable[..., PhoneCallView]) -> Callable[..., PhoneCallView]:
    """Ana's leg in Bob's call: the view that comes with Monitor, Whisper and BargeIn."""

    def build(view_id: str = "02", **fields: Any) -> PhoneCallView:
        shown = {"source": ["0003*024"], "callerId": "Monitor <0003*024>", "flow": "2"}
        return a_view(view_id, **{**shown, **fields})

    return build


@pytest.fixture(scope="session")
def a_call(a_view: Callable[..., PhoneCallView]) -> Callable[..., PhoneCall]:
    """A call with the given views; without any: the one of `a_view`."""

    def build(*views: PhoneCallView, call_id: str = "c1", **fields: Any) -> PhoneCall:
        shown = {"id": call_id, "extension": "0003*210", "published": MINUTE_AGO, "views": views or (a_view(),)}
        return PhoneCall.model_validate({**shown, **fields})

    return build


@pytest.fixture(scope="session")
def an_intervention(a_call: Callable[..., PhoneCall]) -> Callable[..., Intervention]:
    """Ana's request on Bob's call, an instant before the PUT. Words that the action does not know go to the whole."""

    def build(name: ActionName = ActionName.MONITOR, *, wait: int | None = None, **fields: Any) -> Intervention:
        body: dict[str, Any] = {"action": name, "phone_call_view_id": "01"}
        if name not in {ActionName.START_RECORDING, ActionName.STOP_RECORDING}:
            body |= {"send_call_to": "0003*024", "wait_for_pickup": wait}
        whole = {
            "id": "i1",
            "card": "k1",
            "slack_user": "U0ANA",
            "supervisor": "Ana Pop",
            "phone": "0003*024",
            "user": "12",
            "extension": "0003*210",
            "agent": "Bob Ionescu",
            "call_id": "c1",
            "action": body,
            "channel": "C0FLOOR",
            "place": "U0ANA",
            "asked_at": NOON,
            "call": a_call(),
        }
        assert not fields.keys() - Intervention.model_fields.keys()
        return before_put(Intervention.model_validate({**whole, **fields}))

    return build


@pytest.fixture(scope="session")
def rules() -> Permissions:
    """Supervisors may do everything on 0003*2XX and on team sales; 0003*299 and +1555019X are protected."""
    supervisor = Role(
        "supervisor",
        actions=frozenset(ActionName),
        extensions=(ExtensionPattern("0003*2XX"), ExtensionPattern("team:sales")),
    )
    return Permissions(
        people={person.slack_user: person for person in (ANA, BOB, CLEO, DAN)},
        roles={"supervisor": supervisor, "agent": Role("agent")},
        protected_extensions=(ExtensionPattern("0003*299"),),
        protected_callers=(CallerPattern("+1555019X"),),
        contact="U0ANA",
        directory=Directory((Agent("0003*310", team="sales"),)),
    )


# ── how long others wait for the event loop ──

RUN_DELAY = Path("/proc/thread-self/schedstat")
"""Its second number: nanoseconds that this thread was ready and no processor was free ("Scheduler Statistics", Linux)."""
PEEK = 0.002


def worked() -> float:
    """Seconds in which this thread had a processor, or waited for something else than one."""
    delayed = int(RUN_DELAY.read_text().split()[1]) / 1e9 if RUN_DELAY.exists() else 0.0
    return time.perf_counter() - delayed


class Turns:
    """The longest time for which others waited for their turn of the event loop, in seconds.

    What other processes took of the processors does not count.
    """

    longest = 0.0

    async def measure(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            before = worked()
            await asyncio.sleep(PEEK)
            self.longest = max(self.longest, worked() - before - PEEK)


@pytest.fixture
def turns() -> Iterator[Callable[[], Any]]:
    """`async with turns() as measured`: how the event loop is shared there. The garbage collector runs as in `callbot run`."""

    @asynccontextmanager
    async def measuring() -> AsyncIterator[Turns]:
        gc.collect()
        gc.freeze()
        measured = Turns()
        task = asyncio.create_task(measured.measure())
        await asyncio.sleep(0)  # it has begun
        try:
            yield measured
            await asyncio.sleep(PEEK)  # what was done in the last turn is seen
        finally:
            task.cancel()

    before = gc.get_threshold()
    gc.set_threshold(YOUNG, MIDDLE, FULL)
    yield measuring
    gc.set_threshold(*before)
    gc.unfreeze()
