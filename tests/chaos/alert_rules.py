"""The rules of alerts: as callbot reads them, and the same said once more for the judge. They share no code with the bot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.chaos.records import CallSeen, ViewSeen

ALERTS, HOLDS, FLOOR = "C0ALERTS", "C0HOLDS", "C0FLOOR"
"""Where many alerts come at once, where fewer do, and where some people may act from alone."""


@dataclass(frozen=True)
class AlertRule:
    """A rule. `patterns` are the extensions as callbot reads them, `extensions` the same by name; None: all of them."""

    name: str
    when: str
    longer_than: float
    channel: str
    patterns: tuple[str, ...] = ()
    extensions: frozenset[str] | None = None

    def since(self, call: CallSeen, *, of_parties: bool = False) -> float | None:
        """Since when it holds on any side of the call, or of a party's alone; None where it does not."""
        sides = [
            view
            for view in call.views
            if (self.extensions is None or view.extension in self.extensions) and not (view.leg and of_parties)
        ]
        instants = (HOLDS_SINCE[self.when](call, view) for view in sides)
        return min((instant for instant in instants if instant is not None), default=None)

    def toml(self) -> str:
        """The rule as callbot reads it."""
        lines = [f'name = "{self.name}"', f'when = "{self.when}"', f"longer_than = {self.longer_than}"]
        lines.append(f'channel = "{self.channel}"')
        if self.patterns:
            lines.append("extensions = [" + ", ".join(f'"{each}"' for each in self.patterns) + "]")
        return "\n".join(["[[alerts]]", *lines])


def _ringing(call: CallSeen, view: ViewSeen) -> float | None:
    return call.published if view.ringing else None


def _talking(call: CallSeen, view: ViewSeen) -> float | None:
    return view.answered


def _on_hold(call: CallSeen, view: ViewSeen) -> float | None:
    return view.on_hold if view.answered is not None else None


HOLDS_SINCE: Mapping[str, Callable[[CallSeen, ViewSeen], float | None]] = {
    "ringing": _ringing,
    "talking": _talking,
    "on_hold": _on_hold,
}
"""Since when each kind of condition is so of a view; None where it is not."""
LONG_TALKERS = ("0003*201", "0003*205", "0003*209")
RULES = (
    AlertRule("Rings unanswered", "ringing", 2.0, ALERTS),
    AlertRule(
        "Left on hold", "on_hold", 3.0, HOLDS, ("0003*20X",), frozenset(f"0003*{number}" for number in range(200, 210))
    ),
    AlertRule("Talks long", "talking", 10.0, FLOOR, LONG_TALKERS, frozenset(LONG_TALKERS)),
)
