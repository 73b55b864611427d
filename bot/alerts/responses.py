"""The responses of people to alerts, *I'm on it* and *Snooze*, and the help requests of agents."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.alerts.alert import HELP_REQUEST_KEY, Alert, AlertState, When, snoozed
from bot.alerts.manager import AlertConfig, AlertLedger, AlertManager, OpenInterventions
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.clock import Clock, ServerClock
from bot.domain.commands import AnswerAlert, AskForHelp, Request, new_id
from bot.domain.errors import NotSuitable
from bot.domain.permissions import Person
from bot.polling.phone_calls import PhoneCalls, live_on

_OVER = "This alert is over: nobody is needed any more. Nothing was changed."


class AlertResponses:
    """Responses and help requests."""

    def __init__(
        self,
        *,
        manager: AlertManager,
        ledger: AlertLedger,
        phone_calls: PhoneCalls,
        config: AlertConfig,
        open_interventions: OpenInterventions,
        clock: Clock,
        pbx_clock: ServerClock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._manager = manager
        self._ledger = ledger
        self._phone_calls = phone_calls
        self._config = config
        self._open_interventions = open_interventions
        self._clock = clock
        self._pbx_clock = pbx_clock
        self._sleep = sleep
        self._one_request_at_a_time = asyncio.Lock()

    # ── a response to an alert ──

    async def answer(self, request: Request, command: AnswerAlert) -> tuple[str, Alert]:
        """The role that permits this response, and the alert as it was. Raises Refusal if nothing is changed."""
        permissions = self._config.permissions()
        person = permissions.person(request.slack_user, external=request.external)
        alert = self._manager.by_id(command.alert) or await self._ledger.alert(command.alert)
        if alert is None:
            raise NotSuitable(_OVER)
        rule = permissions.permit_any(person, alert.extension, alert.channel)
        if not alert.open or permissions.protects(alert.call):
            raise NotSuitable(_OVER)
        if command.answer == "take":
            self._acknowledge(alert, person)
        else:
            self._snooze(alert, person)
        return rule, alert

    def _acknowledge(self, alert: Alert, person: Person) -> None:
        known = alert.helper(person.slack_user)
        if known is not None and known.taken:
            raise NotSuitable("You are on it already: the card says so. Nothing was changed.")
        self._manager.note_acknowledgement(alert, person.slack_user, person.name)

    def _snooze(self, alert: Alert, person: Person) -> None:
        if alert.state is AlertState.SNOOZED:
            raise NotSuitable("This alert is quiet already: the card says until when. Nothing was changed.")
        self._manager.update(snoozed(alert, person.name, self._clock.now()))

    # ── a help request ──

    async def ask_for_help(self, request: Request, command: AskForHelp) -> Alert:
        """Raise a help request. Raises Refusal if there is no channel or no call."""
        asked = self._clock.now()
        person = self._config.permissions().person(request.slack_user, external=request.external)
        if self._config.help_channel() is None:
            raise NotSuitable(_NO_CHANNEL)
        call, view = await self._own_call(person, command)
        channel = self._config.help_channel()  # asked again: reading the call may have taken a while
        if channel is None:
            raise NotSuitable(_NO_CHANNEL)
        if self._config.permissions().protects(call):
            raise NotSuitable(_NO_CALL)
        async with self._one_request_at_a_time:
            asked_before = self._manager.of_call(HELP_REQUEST_KEY, call, person.slack_user)
            open_one = next((alert for alert in asked_before if alert.open), None)
            if open_one is not None:
                said = command.about or open_one.about
                self._manager.update(open_one.model_copy(update={"about": said}))
                return open_one
            (alert,) = await self._manager.raise_alerts(
                [self._help_request(person, command, channel, call, view)], [asked]
            )
            return alert

    async def _own_call(self, person: Person, command: AskForHelp) -> tuple[PhoneCall, PhoneCallView]:
        """The call that the person is in, and their view of it; of several calls the one in which they talk since last."""
        phones = self._config.permissions().extensions_of(person.slack_user)
        asked = tuple(phone for phone in phones if command.extension in {None, phone})
        if not asked:
            raise NotSuitable("This call is not yours any more. Nothing was posted.")

        def own_view(call: PhoneCall) -> tuple[PhoneCall, PhoneCallView] | None:
            """The call without legs of supervisors, and their view of it; None if they are no party of it."""
            call = self._open_interventions.without_legs(call)
            view = view_of_phone(call, asked)
            hidden = self._config.permissions().protects(call) or command.published not in {None, call.published}
            return None if view is None or hidden else (call, view)

        found = await live_on(
            command.call,
            asked,
            self._config.permissions(),
            self._phone_calls,
            self._sleep,
            is_wanted=lambda call: own_view(call) is not None,
        )
        own = [view for _, call in found if (view := own_view(call)) is not None]
        if not own:
            raise NotSuitable(_NO_CALL)
        return max(own, key=_preference)

    def _help_request(
        self, person: Person, command: AskForHelp, channel: str, call: PhoneCall, view: PhoneCallView
    ) -> Alert:
        now = self._clock.now()
        return Alert(
            id=new_id(),
            rule=HELP_REQUEST_KEY,
            name=person.name,
            when=When.HELP_REQUESTED,
            channel=channel,
            call=call,
            extension=view.extension,
            view_id=view.id,
            since=now + self._pbx_clock.ahead(),
            raised_at=now,
            seen_at=now,
            asked_by=person.slack_user,
            about=command.about,
        )


_NO_CHANNEL = (
    "No channel is set for help requests, so nobody would see yours. Ask the person who looks after callbot.toml "
    "to set [help] channel. Nothing was posted."
)
_NO_CALL = (
    "You are in no call right now, or in none that may be shown. Type /calls help-me while you are in one. "
    "Nothing was posted."
)


def view_of_phone(call: PhoneCall, phones: tuple[str, ...]) -> PhoneCallView | None:
    """The view of one of these phones: in conversation before on hold, on hold before ringing; None if there is none."""
    views = [view for view in call.named_views.values() if view.extension in phones]
    return max(views, key=lambda view: (view.on_call, view.on_hold is None, view.id == "01"), default=None)


def _preference(own: tuple[PhoneCall, PhoneCallView]) -> tuple[bool, bool, float]:
    """Sorts a conversation after a call on hold, and that after a ringing one; of two the one that began later comes last."""
    call, view = own
    begun = view.answered or call.answered or call.published
    return view.on_call, view.on_hold is None, 0.0 if begun is None else begun.timestamp()
