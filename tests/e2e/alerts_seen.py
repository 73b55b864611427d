"""Helpers for the tests of alerts: rules in callbot.toml, cards in the channel."""

from typing import Any

ANA, LIS, BOB, DAN, EVE = "U0ANA", "U0LIS", "U0BOB", "U0DAN", "U0EVE"
FLOOR, ALERTS = "C0FLOOR", "C0ALERTS"
HAL = {"caller": "+15550188", "caller_name": "Hal Holder"}
WORDS = ("Raised", "Snoozed", "Resolved")
"""How the text of every card of an alert begins."""


def rule(name: str, when: str, longer_than: float = 0.3, **more: Any) -> str:
    lines = {"name": name, "when": when, "channel": ALERTS} | more
    text = "\n".join(f"{key} = {value if isinstance(value, list) else repr(value)}" for key, value in lines.items())
    return f"\n[[alerts]]\n{text}\nlonger_than = {longer_than}\n".replace("'", '"')


RINGING = rule("Rings unanswered", "ringing")
TALKING = rule("Talks long", "talking")


async def start(house: Any, *rules: str) -> Any:
    """The house with these rules, and its bot, which reads callbot.toml again at once when it changes."""
    house.config += "".join(rules)
    await house.start_bot(config_every=0.05)
    return house


def raised(house: Any, channel: str = ALERTS) -> list[Any]:
    """Every card of an alert in that channel."""
    return [card for card in house.cards(channel) if card.text.startswith(WORDS)]


def said(card: Any) -> str:
    """The whole text of a card."""
    return "\n".join(card.lines())


def labels(card: Any) -> list[str]:
    return [button.label for button in card.buttons()]


async def alert(house: Any, word: str, *words: str, channel: str = ALERTS) -> Any:
    """The newest alert of the channel, once it begins with the word and has all these words."""
    shown = await house.workspace.until(
        lambda: [
            card
            for card in raised(house, channel)[-1:]
            if card.text.startswith(word) and all(each in said(card) for each in words)
        ],
        10.0,
    )
    return shown[0]


async def scans(house: Any, number: int = 15) -> None:
    """Wait until this number of further lists was read, so that everything is raised that they show."""
    before = len(house.pbx.requests)
    await house.pbx.until(
        lambda: sum(one.method == "GET" for one in house.pbx.requests[before:]) >= number, timeout=10.0
    )
