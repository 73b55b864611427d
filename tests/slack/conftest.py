"""The cards that the tests look at, and what a reader sees of a message."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.actions import ActionName
from bot.authorization import AuthorizationMap
from bot.following import Intervention, State, Step
from bot.planning import next_buttons
from bot.ports import Card, CardElsewhere
from bot.slack.messages import Message

MakeIntervention = Callable[..., Intervention]
MakeCard = Callable[..., Card]
Reached = Callable[..., Intervention]


@pytest.fixture(scope="session")
def a_card(rules: AuthorizationMap) -> MakeCard:
    """The card of some interventions, with the buttons that make sense next."""

    def build(*interventions: Intervention, **fields: Any) -> Card:
        whole = {
            "id": "k1",
            "place": "U0ANA",
            "asked_in": "C0FLOOR",
            "elsewhere": CardElsewhere.NO,
            "interventions": interventions,
            "names": {"0003*210": "Bob Ionescu", "0003*024": "Ana Pop"},
            "buttons": next_buttons(interventions, rules),
        }
        return Card.model_validate({**whole, **fields})

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


@pytest.fixture(scope="session")
def shown() -> Callable[[Message], list[str]]:
    """Every text of the blocks, in reading order."""

    def texts(part: object) -> list[str]:
        if isinstance(part, dict):
            own = [part["text"]] if isinstance(part.get("text"), str) else []
            return own + [text for value in part.values() for text in texts(value)]
        return [text for value in part for text in texts(value)] if isinstance(part, list) else []

    return lambda message: texts(list(message.blocks))


@pytest.fixture(scope="session")
def labels() -> Callable[[Message], list[str]]:
    """The labels of all buttons."""

    def read(message: Message) -> list[str]:
        rows = (block["elements"] for block in message.blocks if block["type"] == "actions")
        return [element["text"]["text"] for row in rows for element in row]

    return read
