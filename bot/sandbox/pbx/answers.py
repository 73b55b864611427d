"""Calls and phones of the floor as the JSON that UnifiedAPI answers with.

After the "Examples" of the Monitor, Whisper, BargeIn, PickUp and StartRecording PhoneCalls pages, with the
keys of the PhoneCalls Resource page for what the examples do not show. A key without a value is left out, as there.
"""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.forms import Forms
from bot.sandbox.pbx.phones import Call, Extension, Status, View

# The samples write one instant of a call in two zones: `published` in the first, every other date in the second.
PUBLISHED_ZONE = timezone(timedelta(hours=2))
OTHER_ZONE = timezone(timedelta(hours=3))

Json = dict[str, object]

CALL_FIELDS = frozenset({"id", "extension", "ownerId", "ownerName", "answered", "published", "phoneCallView", "links"})
PRESENCE_FIELDS = frozenset({"extension", "status", "registration"})


def _without_nulls(keys: Json) -> Json:
    return {key: value for key, value in keys.items() if value is not None}


class Answers:
    """Renders calls and phones of a floor in the forms that are set."""

    def __init__(self, floor: Floor, forms: Forms) -> None:
        self._floor = floor
        self._forms = forms

    def call(self, call: Call, *, of_action: bool = False) -> Json:
        """Return the whole PhoneCall; the answer of an action has its link with it."""
        linked = of_action or self._forms.links == "links"
        date = partial(self._date, call)
        return _without_nulls(
            {
                "id": call.id,
                "extension": call.extension,
                "ownerId": call.organisation,
                "ownerName": call.organisation_name,
                "answered": date("answered", call.answered),
                "published": date("published", call.published),
                "phoneCallView": [self._view(view, date) for view in call.views],
                self._forms.links: self._link(call) if linked else None,
            }
        )

    def receipt(self, call: Call) -> Json:
        """Return the three keys with which an accepted intervention is answered."""
        return {"id": call.id, "extension": call.extension, self._forms.links: self._link(call)}

    def single(self, entry: Json, envelope: Json) -> object:
        """Return one call in the form that is set; `envelope` is the list answer with this one entry."""
        shapes: dict[str, object] = {
            "object": entry,
            "list": [entry],
            "envelope": envelope,
            "envelope-list": [envelope],
        }
        return shapes[self._forms.single]

    def presence(self, extension: Extension) -> Json:
        """Return what the Presence Resource page says of a phone; `expire` is left out, its form is not documented."""
        registered = {"agent": extension.name, "registration": "1" if extension.registered else "-1"}
        return {
            "extension": extension.number,
            "status": self._state(extension),
            "registration": [registered],
        }

    def _state(self, extension: Extension) -> str:
        views = [view for call in self._floor.calls() for view in call.views if view.phone == extension.number]
        if any(view.status is not Status.RINGING for view in views):
            return "3"
        if views or self._floor.ringing(extension.number):
            return "2"
        return "1" if extension.registered else "0"

    def _link(self, call: Call) -> Json:
        user = self._floor.extension(call.extension).user
        return {"self": f"{self._forms.link_root}/uapi/phoneCalls/{user}/{call.extension}/{call.id}"}

    def _number(self, value: int | None) -> str | int | None:
        return str(int(value)) if value is not None and self._forms.numbers == "strings" else value

    def _date(self, call: Call, key: str, instant: datetime | None) -> str | None:
        if instant is None or key in call.said:
            return None if instant is None else call.said[key]
        instant += timedelta(seconds=self._forms.clock_ahead)
        zone = PUBLISHED_ZONE if key == "published" else OTHER_ZONE
        if self._forms.zones == "one clock":
            return instant.astimezone(PUBLISHED_ZONE).replace(tzinfo=zone).isoformat(timespec="seconds")
        return instant.astimezone(zone).isoformat(timespec="seconds")

    def _view(self, view: View, date: Callable[[str, datetime | None], str | None]) -> Json:
        return _without_nulls(
            {
                "id": view.id,
                "extension": view.extension,
                "answered": date("answered", view.answered),
                "status": self._number(view.status),
                "flow": self._number(view.flow) if self._forms.flow == "shown" else None,
                self._forms.caller_id: view.caller_id,
                "source": list(view.source),
                "destination": list(view.destination),
                "ringing": date("ringing", view.ringing),
                "recording": date("recording", view.recording),
                "onHold": date("onHold", view.on_hold),
                "holder": self._number(view.holder),
                "parked": date("parked", view.parked),
                "parkedPos": self._number(view.parked_pos),
                "parkedBy": view.parked_by,
            }
        )
