"""Since when phones ring for an intervention, and for which action the supervisor is then in the call.

The floor itself knows neither: a real phone shows only that it rings, and a real PBX only that there is a leg.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.ringing import Intervention


@dataclass(frozen=True)
class Ring:
    """A ringing phone: for which action, since when and until when (seconds since 1970)."""

    intervention: Intervention
    since: float
    until: float


class RingTimes:
    """Watches one floor. `clock` gives seconds since 1970."""

    def __init__(self, floor: Floor, clock: Callable[[], float]) -> None:
        self._floor = floor
        self._clock = clock
        self._rings: dict[str, Ring] = {}
        self._asked: dict[str, Intervention] = {}
        self._end = floor.on_change(self._update)

    def close(self) -> None:
        """Stop watching."""
        self._end()

    def ring(self, phone: str) -> Ring | None:
        """For which action the phone rings, since when and until when; None: it does not ring."""
        return self._rings.get(phone)

    def action(self, phone: str, call_id: str) -> str | None:
        """The action by which that phone is in that call; None where there is none."""
        asked = self._asked.get(phone)
        return asked.action if asked is not None and asked.call_id == call_id else None

    def _update(self) -> None:
        ringing: dict[str, Ring] = {}
        for each in self._floor.interventions():
            now = self._clock()
            ringing[each.phone] = self._rings.get(each.phone) or Ring(each, now, now + each.wait)
            self._asked[each.phone] = each
        self._rings = ringing
