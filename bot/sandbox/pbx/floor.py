"""The floor: phones, calls, views and time. The sandbox PBX answers with what happens here.

Everything is synchronous and is called on the event loop; a change is visible at once. People act through `ring`,
`talk`, `answer`, `hold`, `park`, `hang_up`, `lift` and `leave`; the PBX acts through `hop`, `intervene` and `record`.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from bot.sandbox.changes import Changes
from bot.sandbox.pbx.phones import Call, Extension, Flow, Intervention, Kind, RungPhones, Status, View, leg_of

T = TypeVar("T")


class UnknownExtension(LookupError):
    """There is no extension of that number."""


class UnknownCall(LookupError):
    """There is no call of that id, or it is over."""


def utc_now() -> datetime:
    """Return this instant, aware, in UTC."""
    return datetime.now(UTC)


class Floor:
    """The phones of a contact centre and the calls on them. `now` gives the instants that calls are marked with."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._extensions: dict[str, Extension] = {}
        self._changes = Changes()
        self._held_back = 0
        self._calls: dict[str, Call] = {}
        self._rung = RungPhones(answered=self._connect, unanswered=self._changed)

    # ── what there is ──

    def add_extension(
        self,
        number: str,
        user: str,
        name: str,
        *,
        organisation: str = "3",
        organisation_name: str = "Default Organization",
        kind: Kind = "phone terminal",
        call_waiting: bool = False,
        answers_after: float | None = None,
        recordable: bool = True,
        registered: bool = True,
    ) -> Extension:
        """Add an extension, or put another in its place; the attributes are described at `Extension`."""
        extension = Extension(
            number=number,
            user=user,
            name=name,
            organisation=organisation,
            organisation_name=organisation_name,
            kind=kind,
            call_waiting=call_waiting,
            answers_after=answers_after,
            recordable=recordable,
            registered=registered,
        )
        self._extensions[number] = extension
        self._changed()
        return extension

    def extension(self, number: str) -> Extension:
        """Return the extension of that number, or raise UnknownExtension."""
        try:
            return self._extensions[number]
        except KeyError:
            raise UnknownExtension(f"no extension {number}") from None

    def extensions(self) -> list[Extension]:
        """Return every extension, in the order in which they were added."""
        return list(self._extensions.values())

    def calls(self) -> list[Call]:
        """Return the calls in progress, oldest first."""
        return list(self._calls.values())

    def call(self, call_id: str) -> Call | None:
        """Return the call of that id while it is in progress."""
        return self._calls.get(call_id)

    def ringing(self, number: str) -> bool:
        """Whether an intervention is ringing that phone right now."""
        return number in self._rung

    def interventions(self) -> list[Intervention]:
        """Return what phones ring for right now, oldest first."""
        return self._rung.interventions()

    def busy(self, number: str) -> bool:
        """Whether that phone is in a call: as a party that rings or talks, or as a supervisor's leg."""
        return any(view.phone == number for call in self._calls.values() for view in call.views)

    # ── subscribers ──

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` without arguments after every change; the function returned unsubscribes it."""
        return self._changes.subscribe(callback)

    async def until(self, condition: Callable[[], T], timeout: float = 5.0) -> T:  # noqa: ASYNC109 - a wait ends, always
        """Wait, without polling, until `condition()` is true and return its value; TimeoutError after `timeout` s."""
        value = await self._changes.until(condition, timeout)
        if value is None:
            raise TimeoutError(f"not within {timeout} s; {self._describe()}")
        return value

    # ── what people do ──

    def ring(self, *, caller: str, to: str, caller_name: str | None = None, call_id: str | None = None) -> str:
        """Let a call enter and ring at `to`; return its id (20 hex digits unless one is given).

        The called extension has view "01". A caller who is an extension too has view "00" (status 4). From an extension
        to a public number, view "01" is the caller's. Raises UnknownExtension when neither is an extension.
        """
        called, calling = self._extensions.get(to), self._extensions.get(caller)
        charged = calling or called
        if charged is None:
            raise UnknownExtension(f"neither {caller} nor {to} is an extension")
        call_id = call_id or secrets.token_hex(10)
        if call_id in self._calls:
            raise ValueError(f"a call {call_id} is in progress")
        now = self._now()
        flow = Flow.INCOMING if calling is None else Flow.LOCAL if called else Flow.OUTGOING
        caller_id = f"{caller_name or (calling.name if calling else caller)} <{caller}>"
        call = Call(call_id, charged.number, charged.organisation, charged.organisation_name, now)
        if calling:
            view_id, status = ("00" if called else "01"), Status.OTHER_SIDE_RINGING
            call.views.append(View(view_id, caller, [caller], [to], caller_id, flow, caller, status))
        if called:
            call.views.append(View("01", to, [caller], [to], caller_id, flow, to, Status.RINGING, ringing=now))
        self._calls[call_id] = call
        self._changed()
        return call_id

    def talk(self, *, caller: str, to: str, caller_name: str | None = None, call_id: str | None = None) -> str:
        """Let a call enter and be answered at once; return its id."""
        call_id = self.ring(caller=caller, to=to, caller_name=caller_name, call_id=call_id)
        self.answer(call_id)
        return call_id

    def answer(self, call_id: str) -> None:
        """Let the called party answer; phones that ring for a PickUp of that call stop."""
        call, now = self._find(call_id), self._now()
        for view in call.views:
            self._put_on_call(call, view, now)
        self._changed()

    def hop(self, call_id: str, to: str) -> None:
        """Let a ringing call go on to the next phone: its view moves there and starts to ring; `published` stays."""
        call, phone = self._find(call_id), self.extension(to)
        ringing = next((view for view in call.parties() if view.status is Status.RINGING), None)
        if ringing is None:
            raise ValueError(f"call {call_id} does not ring")
        ringing.extension = ringing.phone = phone.number
        ringing.ringing = self._now()
        for view in call.parties():
            view.destination = [phone.number]
        self._changed()

    def crowd(self, number: int, *, to: Sequence[str], talking: bool = False) -> list[str]:
        """Let so many calls enter as one change, spread over these extensions; return their ids."""
        if not to or isinstance(to, str):
            raise ValueError("a list of extensions")
        for extension in to:
            self.extension(extension)
        enter = self.talk if talking else self.ring
        with self._one_change():
            return [enter(caller=f"+1555{place:07}", to=to[place % len(to)]) for place in range(number)]

    def hold(self, call_id: str) -> None:
        """Let the party of view "01" put the call on hold."""
        now = self._now()
        for view in self._find(call_id).parties():
            view.on_hold, view.holder = now, 1 if view.id == "01" else None
        self._changed()

    def unhold(self, call_id: str) -> None:
        """Take the call off hold."""
        for view in self._find(call_id).parties():
            view.on_hold = view.holder = None
        self._changed()

    def park(self, call_id: str) -> None:
        """Let the party of view "01" park the call, in the lowest free slot from 1."""
        call, now = self._find(call_id), self._now()
        taken = {view.parked_pos for other in self._calls.values() for view in other.views}
        slot = next(number for number in range(1, len(taken) + 2) if number not in taken)
        parker = call.view("01") or call.views[0]
        for view in call.parties():
            view.parked, view.parked_pos, view.parked_by = now, slot, parker.phone
        self._changed()

    def transfer(self, call_id: str, to: str) -> None:
        """Let the party of view "01" transfer the call: the view moves to that phone, which is on call at once.

        Supervisors' legs stay as they are, in a call that their agent has left.
        """
        call, phone, now = self._find(call_id), self.extension(to), self._now()
        view = call.view("01")
        if view is None or view.status is not Status.ON_CALL:
            raise ValueError(f"nobody talks in call {call_id}")
        view.extension = view.phone = phone.number
        view.answered = now
        for party in call.parties():
            party.destination = [phone.number]
        self._changed()

    def unpark(self, call_id: str) -> None:
        """Retrieve the parked call."""
        for view in self._find(call_id).parties():
            view.parked = view.parked_pos = view.parked_by = None
        self._changed()

    def misdate(self, call_id: str, dates: Mapping[str, str | None]) -> None:
        """Replace dates of the call and of its views in the answers of the PBX; see `Call.said`."""
        self._find(call_id).say(dates)
        self._changed()

    def hang_up(self, call_id: str) -> None:
        """End the call: it is gone at once, and phones that ring for it stop."""
        self._find(call_id)
        del self._calls[call_id]
        self._changed()

    def lift(self, number: str) -> bool:
        """Let a person answer the phone that an intervention rings; False when none does."""
        return self._rung.lift(number)

    def leave(self, call_id: str, number: str) -> bool:
        """Let the supervisor at `number` hang up; False when that phone is on no leg of the call.

        The leg goes and the call goes on. If they have picked up the call, they are a party of it, and the call is over.
        """
        call = self._find(call_id)
        going = [view for view in call.views if view.source == [number] and view.phone == number]
        if not going:
            return False
        call.views = [view for view in call.views if view not in going]
        if not all(view.leg for view in going) or not call.parties():
            del self._calls[call_id]
        self._changed()
        return True

    # ── what the PBX does ──

    def intervene(self, intervention: Intervention) -> bool:
        """Ring the phone of the intervention; False when it cannot ring: busy, ringing already, or not registered."""
        phone = self.extension(intervention.phone)
        engaged = self.busy(phone.number) and not phone.call_waiting
        if engaged or self.ringing(phone.number) or not phone.registered:
            return False
        self._rung.ring(intervention, phone.answers_after)
        self._changed()
        return True

    def record(self, call_id: str, view_id: str) -> bool:
        """Start recording that view; False when the phone's setup does not allow it (then nothing changes)."""
        view = self._find(call_id).view(view_id)
        if view is None or not self.extension(view.extension).recordable:
            return False
        view.recording = view.recording or self._now()
        self._changed()
        return True

    def stop_recording(self, call_id: str, view_id: str) -> None:
        """Stop recording that view."""
        view = self._find(call_id).view(view_id)
        if view is not None:
            view.recording = None
            self._changed()

    def _describe(self) -> str:
        """A description of the floor for a wait that timed out."""
        ringing = [intervention.phone for intervention in self.interventions()]
        return f"phones rung: {ringing}; calls: {self.calls()}"

    def _find(self, call_id: str) -> Call:
        call = self._calls.get(call_id)
        if call is None:
            raise UnknownCall(f"no call {call_id}")
        return call

    def _put_on_call(self, call: Call, view: View, now: datetime) -> None:
        if view.status is not Status.ON_CALL:
            view.status, view.ringing, view.answered = Status.ON_CALL, None, now
            call.answered = call.answered or now

    def _connect(self, intervention: Intervention) -> None:
        """Add the supervisor who answered: a new view, or the view that is picked up (see "Examples" of the pages)."""
        call, now = self._find(intervention.call_id), self._now()
        view, phone = call.view(intervention.view_id), intervention.phone
        if view is not None and intervention.action == "PickUp":
            view.source, view.phone = [phone], phone
            for party in call.parties():
                self._put_on_call(call, party, now)
        elif view is not None:
            call.views.append(leg_of(call, view, intervention, now))
        self._changed()

    def _has_a_point(self, intervention: Intervention) -> bool:
        call = self._calls.get(intervention.call_id)
        view = call.view(intervention.view_id) if call else None
        wanted = Status.RINGING if intervention.action == "PickUp" else Status.ON_CALL
        return view is not None and view.status is wanted

    def _changed(self) -> None:
        """Silence the phones that ring for nothing any more, and notify the subscribers."""
        for intervention in self._rung.interventions():
            if not self._has_a_point(intervention):
                self._rung.stop(intervention.phone)
        if not self._held_back:
            self._changes.tell()

    @contextmanager
    def _one_change(self) -> Iterator[None]:
        """Make everything within one change: subscribers are notified once, at the end."""
        self._held_back += 1
        try:
            yield
        finally:
            self._held_back -= 1
            self._changed()
