"""The cards that the tests look at, and what a reader sees of a message."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
from pydantic import BaseModel

from bot.alerts.alert import Alert, Resolution, When, raised, resolved, snoozed
from bot.alerts.card import AlertCard, DigestCard
from bot.domain.actions import ActionName, fitting_actions
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import Intervene, Offer, Target
from bot.domain.intervention import Intervention, State, Step
from bot.domain.permissions import Permissions
from bot.interventions.card import CardElsewhere, InterventionCard, next_buttons
from bot.ledger.ledger import Ledger
from bot.sandbox.workspace.conversations import Message as Shown
from bot.sandbox.workspace.faults import SlackFault
from bot.sandbox.workspace.limits import SlackLimits
from bot.sandbox.workspace.message_rules import check_blocks
from bot.sandbox.workspace.web_api import GRANTED
from bot.sandbox.workspace.workspace import Workspace
from bot.slack.card_publisher import BETWEEN_TRIES, CardPublisher
from bot.slack.messages import Message
from bot.slack.outbox import Outbox
from bot.slack.web_client import web_client
from tests.slack.waiting import Post

MakeIntervention = Callable[..., Intervention]
MakeCard = Callable[..., InterventionCard]
Reached = Callable[..., Intervention]
MakeAlert = Callable[..., Alert]
ANA, FLOOR = "U0ANA", "C0FLOOR"
T = TypeVar("T", bound=BaseModel)


def built(model: type[T], fields: dict[str, Any]) -> T:
    """The model with these fields. One that it does not have is an error: a test would ask nothing."""
    assert not fields.keys() - model.model_fields.keys()
    return model.model_validate(fields)


@pytest.fixture(scope="session")
def a_card(rules: Permissions) -> MakeCard:
    """The card of some interventions, with the buttons that make sense next."""

    def build(*interventions: Intervention, **fields: Any) -> InterventionCard:
        whole = {
            "id": "k1",
            "place": "U0ANA",
            "elsewhere": CardElsewhere.NO,
            "interventions": interventions,
            "names": {"0003*210": "Bob Ionescu", "0003*024": "Ana Pop"},
            "buttons": next_buttons(interventions, rules),
        }
        return built(InterventionCard, {**whole, **fields})

    return build


@pytest.fixture(scope="session")
def reached(an_intervention: MakeIntervention, noon: datetime) -> Reached:
    """An intervention in a state, which it reached after some seconds."""

    def build(state: State, name: ActionName = ActionName.MONITOR, *, after: float = 4, **fields: Any) -> Intervention:
        one = an_intervention(name, **fields)
        if state is State.ASKED:
            return one
        step = Step(state=state, at=noon + timedelta(seconds=after))
        return one.model_copy(update={"state": state, "steps": (*one.steps, step)})

    return build


# ── alerts ──


@pytest.fixture(scope="session")
def hals_view(a_view: Callable[..., PhoneCallView]) -> PhoneCallView:
    """Hal rings at Dan's phone since noon."""
    return a_view(
        extension="0003*211",
        destination=["0003*211"],
        source=["+15550188"],
        callerId="Hal Holder <+15550188>",
        status="3",
        answered=None,
    )


@pytest.fixture(scope="session")
def an_alert(a_call: Callable[..., PhoneCall], hals_view: PhoneCallView, noon: datetime) -> MakeAlert:
    """Hal has been ringing at Dan's phone since noon, and 20 s later that was raised. `number` tells alerts apart."""

    def build(number: int = 1, *, view: PhoneCallView = hals_view, **fields: Any) -> Alert:
        whole = {
            "id": f"{number:032x}",
            "rule": "ringing C0ALERTS Rings unanswered",
            "name": "Rings unanswered",
            "when": When.RINGING,
            "longer_than": timedelta(seconds=20),
            "channel": "C0ALERTS",
            "call": a_call(view, call_id=f"c{number}", published=noon.isoformat()),
            "extension": view.extension,
            "view_id": view.id,
            "since": noon,
            "raised_at": noon,
            "seen_at": noon + timedelta(seconds=20),
        }
        return raised(built(Alert, {**whole, **fields}), noon + timedelta(seconds=20))

    return build


@pytest.fixture(scope="session")
def alert_card_of() -> Callable[..., AlertCard]:
    """The card of an alert with the buttons that suit its call."""

    def build(alert: Alert, **fields: Any) -> AlertCard:
        view = alert.call.view(alert.view_id)
        assert view is not None
        target = Target(kind="extension", text=alert.extension)
        buttons = tuple(
            Offer(Intervene(action=action, target=target).on_call(alert.extension, alert.call), alert.channel)
            for action in fitting_actions(view)
        )
        whole = {"alert": alert, "agent": "Dan Popa", "view": view, "buttons": buttons if alert.open else ()}
        return built(AlertCard, {**whole, **fields})

    return build


@pytest.fixture(scope="session")
def a_digest(noon: datetime) -> Callable[..., DigestCard]:
    """A digest of 37 alerts, 12 of them open."""

    def build(*lines: AlertCard, **fields: Any) -> DigestCard:
        rules = (("Rings unanswered", 9, 20), ("Talks long", 3, 17))
        whole = {"id": "d1", "place": "C0ALERTS", "lines": lines, "rules": rules, "begun_at": noon, "changed_at": noon}
        return built(DigestCard, {**whole, **fields})

    return build


# ── what is seen ──


def blocks_of(message: Message) -> list[dict[str, Any]]:
    """The blocks of a message that Slack takes: whatever a test reads is held against Slack's limits and its schema."""
    assert check_blocks(list(message.blocks)) == []
    assert message.text
    return list(message.blocks)


@pytest.fixture(scope="session")
def shown() -> Callable[[Message], list[str]]:
    """Every text of the blocks, in reading order."""

    def texts(part: object) -> list[str]:
        if isinstance(part, dict):
            own = [part["text"]] if isinstance(part.get("text"), str) else []
            return own + [text for value in part.values() for text in texts(value)]
        return [text for value in part for text in texts(value)] if isinstance(part, list) else []

    return lambda message: texts(blocks_of(message))


@pytest.fixture(scope="session")
def told(shown: Callable[[Message], list[str]]) -> Callable[[Message], str]:
    """The texts of a message as people read them: without escapes, dates in UTC, `(ago)` where Slack shows how long ago."""

    def clock(found: re.Match[str]) -> str:
        ago = " (ago)" if "{ago}" in found[0] else ""
        return f"{datetime.fromtimestamp(int(found[1]), UTC):%H:%M:%S}{ago}"

    def read(message: Message) -> str:
        texts = re.sub(r"<!date\^([0-9]+)\^[^>]*>", clock, "\n".join(shown(message)))
        return texts.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    return read


@pytest.fixture(scope="session")
def labels() -> Callable[[Message], list[str]]:
    """The labels of all buttons."""

    def read(message: Message) -> list[str]:
        rows = (block["elements"] for block in blocks_of(message) if block["type"] == "actions")
        return [element["text"]["text"] for row in rows for element in row]

    return read


# ── cards at work ──


class Desk:
    """A publisher at work, what it waits for, and what people see of it."""

    def __init__(self, workspace: Workspace, ledger: Ledger, session: aiohttp.ClientSession) -> None:
        self.workspace = workspace
        self.ledger = ledger
        self.no_access: list[str] = []
        self.nowhere: list[str] = []
        self.posted: list[str] = []
        self.pauses: list[float] = []
        self.rests: asyncio.Event | None = None
        client = web_client(workspace.bot_token, workspace.api_url, session)
        self.outbox = Outbox(client, session, clock=asyncio.get_running_loop().time, sleep=asyncio.sleep)
        self.publisher = self.another_publisher()

    def another_publisher(self) -> CardPublisher:
        """A publisher after a restart, which knows only the ledger."""
        return CardPublisher(
            self.outbox,
            self.ledger,
            now=lambda: datetime.now(UTC),
            slack_now=lambda: datetime.now(UTC),
            sleep=self.hardly_sleep,
            on_no_access=self._hear_no_access,
            on_nowhere=self._hear_nowhere,
            on_posted=lambda card: self.posted.append(card.id),
            jitter=lambda: 1.0,
        )

    def cards(self, place: str = FLOOR) -> list[Shown]:
        """The messages in a channel, or in the direct message with a person."""
        return self.workspace.messages(to=place) if place == ANA else self.workspace.messages(place)

    async def shows(self, word: str, place: str = FLOOR) -> Shown:
        """Wait until the only message there begins with the word."""
        found = await self.workspace.until(lambda: [one for one in self.cards(place) if one.text.startswith(word)])
        assert len(self.cards(place)) == 1
        return found[0]

    def asked(self, method: str) -> int:
        """How many requests of a method there were."""
        return sum(call.method == method for call in self.workspace.calls)

    def fault(self, method: str, kind: Any, **more: Any) -> None:
        self.workspace.faults.add(SlackFault(method=method, kind=kind, **more))

    async def hardly_sleep(self, seconds: float) -> None:
        """Record the publisher's pauses without waiting; minutes wait for `rests`, and Slack's rate limits are real."""
        self.pauses.append(seconds)
        if self.rests is not None and seconds == BETWEEN_TRIES:
            await self.rests.wait()
        await asyncio.sleep(0.01)

    async def _hear_no_access(self, card: InterventionCard) -> None:
        self.no_access.append(card.id)

    async def _hear_nowhere(self, card: InterventionCard) -> None:
        self.nowhere.append(card.id)


@asynccontextmanager
async def desk_with(folder: Path, scopes: frozenset[str] = GRANTED) -> AsyncIterator[Desk]:
    workspace = Workspace(scopes=scopes)
    workspace.add_person(ANA, "ana")
    workspace.add_channel(FLOOR, "support-floor")
    await workspace.start()
    ledger = await Ledger.open(f"sqlite:///{folder}/callbot.db", now=lambda: datetime.now(UTC))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as session:
        desk = Desk(workspace, ledger, session)
        yield desk
        await desk.publisher.drain(1.0)
        await desk.outbox.close()
    await ledger.close()
    await workspace.stop()
    assert workspace.refusals == []


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_with(tmp_path) as desk:
        yield desk


@pytest.fixture
async def blind_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The app was installed without the scopes that let it find a card again."""
    async with desk_with(tmp_path, frozenset({"commands", "chat:write"})) as desk:
        yield desk


@pytest.fixture
def card_in(a_card: MakeCard, reached: Reached) -> Callable[..., InterventionCard]:
    """Ana's card in a state that it reached after some seconds."""

    def build(
        state: State, place: str = FLOOR, *, after: float = 1, card: str = "k1", **fields: Any
    ) -> InterventionCard:
        return a_card(reached(state, after=after, card=card, **fields), id=card, place=place)

    return build


@pytest.fixture
def alert_in(an_alert: MakeAlert, alert_card_of: Callable[..., AlertCard], noon: datetime) -> Callable[..., AlertCard]:
    """The card of an alert in a state: Raised, Snoozed, Resolved, or Raised once more."""

    def build(state: str = "Raised", number: int = 1, channel: str = FLOOR) -> AlertCard:
        alert = an_alert(number, channel=channel)
        if state != "Raised":
            alert = snoozed(alert, "Ana Pop", noon + timedelta(seconds=30))
        if state in {"Resolved", "Again"}:
            alert = resolved(alert, Resolution.CALL_OVER, noon + timedelta(seconds=64))
        if state == "Again":
            alert = raised(alert, noon + timedelta(seconds=90))
        return alert_card_of(alert)

    return build


# ── who waits for a turn ──


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    """Its own clock does not stand still, so it counts nothing."""
    workspace = Workspace(limits=SlackLimits.without_rates())
    workspace.add_person("U0ANA", "ana")
    workspace.add_channel(FLOOR, "support-floor")
    workspace.add_channel("C0ALERTS", "alerts")
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.3)) as session:
        yield session


@pytest.fixture
async def post(workspace: Workspace, session: aiohttp.ClientSession) -> AsyncIterator[Post]:
    post = Post(workspace.api_url, session, workspace.bot_token)
    yield post
    await post.outbox.close()
