"""What a trial has seen, told as it happens and summed up in the end: nobody's name, number or id is in the summary."""

from collections.abc import Callable
from importlib.metadata import version

from bot.app.findings import Finding, counted, ok, remark
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.uapi.shapes import Comparison, id_form


class Report:
    """Says each line at once, and remembers what to sum up."""

    def __init__(self, say: Callable[[str], None], show: Callable[[Finding], None]) -> None:
        self.say = say
        self._show = show
        self._compared: dict[str, Comparison] = {}

    def add(self, *comparisons: Comparison) -> None:
        """Say what is here, and what is promised where that differs. Of one topic the last counts."""
        for one in comparisons:
            self._compared[one.topic] = one
            same = ok(one.topic, one.here)
            self._show(same if one.same else remark(one.topic, f"{one.here}; documented: {one.promised}"))

    def differs(self) -> tuple[Comparison, ...]:
        """What is not as it is documented."""
        return tuple(one for one in self._compared.values() if not one.same)

    def sum_up(self, end: str) -> None:
        """Say it all once more, for whoever keeps callbot."""
        same = [one.topic for one in self._compared.values() if one.same]
        self.say("")
        self.say("Summary, to be copied into an issue (it holds no name, number or id):")
        self.say(f"  callbot {version('callbot')}, Monitor: {end}")
        self.say(f"  As documented: {', '.join(same) or 'nothing'}")
        if not self.differs():
            self.say("  Differs: nothing")
        for one in self.differs():
            self.say(f"  Differs: {one.topic}: {one.here}; documented: {one.promised}")


def new_views(before: PhoneCall, after: PhoneCall, *, phone: str, extension: str) -> tuple[Comparison, ...]:
    """Each view that came with the intervention, next to what the example of "Monitor PhoneCalls" shows."""
    added = [view for key, view in after.named_views.items() if key not in before.named_views]
    number = Comparison("new view", f"{len(added)} came", "1 came", len(added) == 1)
    return (number, *(fact for view in added for fact in _facts(view, phone, extension)))


def _facts(view: PhoneCallView, phone: str, extension: str) -> tuple[Comparison, ...]:
    whose = {phone: "the supervisor's phone", extension: "the agent's extension"}
    here = {
        "new view: source": " and ".join(whose.get(party, "another number") for party in view.source) or "none",
        "new view: extension": whose.get(view.extension, "another one" if view.extension else "none"),
        "new view: destination": " and ".join(whose.get(party, "another number") for party in view.destination)
        or "none",
        "new view: status": str(int(view.status)),
        "new view: id": id_form(view.id),
    }
    promised = ("the supervisor's phone", "the agent's extension", "the agent's extension", "5", "2 digits")
    return tuple(
        Comparison(topic, found, shown, found == shown)
        for (topic, found), shown in zip(here.items(), promised, strict=True)
    )


def glance(call: PhoneCall, phone: str) -> str:
    """What a look shows, without names and numbers: it is told whenever it changes."""
    own = [str(int(view.status)) for view in call.views if phone in view.source]
    return counted(len(call.views), "view") + (
        f", from the supervisor's phone: status {' and '.join(own)}" if own else ""
    )
