"""What people say to alerts: *I'm on it*, *Snooze*; and agents who raise their hand for help with their own call."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.alerts.alert import HELP_REQUESTS, Alert, AlertState, When, snoozed
from bot.alerts.manager import AlertManager
from bot.alerts.ports import AlertLedger
from bot.alerts.resolution import side_of
from bot.domain.calls import PhoneCall, PhoneCallView
from bot.domain.commands import AnswerAlert, AskForHelp
from bot.domain.errors import NotSuitable
from bot.domain.permissions import Permissions, Person
from bot.domain.request import Request
from bot.polling.live_calls import live_on
from bot.polling.ports import PhoneCalls

OVER = "This alert is over: nobody is needed any more. Nothing was changed."


class AlertResponses:
    """Alerts as people answer them and ask for them. `channel` is where calls for help go, None where that is not set."""

    def __init__(
        self,
        *,
        manager: AlertManager,
        ledger: AlertLedger,
        phone_calls: PhoneCalls,
        rules: Callable[[], Permissions],
        without_legs: Callable[[PhoneCall], PhoneCall],
        channel: Callable[[], str | None],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        new_id: Callable[[], str],
        pbx_ahead: Callable[[], timedelta] = timedelta,
    ) -> None:
        self._pbx_ahead = pbx_ahead
        self._manager = manager
        self._ledger = ledger
        self._phone_calls = phone_calls
        self._rules = rules
        self._without_legs = without_legs
        self._channel = channel
        self._now = now
        self._sleep = sleep
        self._new_id = new_id
        self._one_hand_at_a_time = asyncio.Lock()

    @property
    def channel(self) -> str | None:
        """Where calls for help go."""
        return self._channel()

    # ── an answer to an alert ──

    async def answer(self, request: Request, command: AnswerAlert) -> tuple[str, Alert]:
        """The rule that lets this person say so, and the alert. Raises Refusal where nothing changes."""
        rules = self._rules()
        person = rules.person(request.slack_user, external=request.external)
        alert = self._manager.of_id(command.alert) or await self._ledger.alert(command.alert)
        if alert is None:
            raise NotSuitable(OVER)
        rule = rules.permit_any(person, alert.extension, alert.channel)
        if not alert.open or rules.protects(alert.call):
            raise NotSuitable(OVER)
        if command.answer == "take":
            self._take(alert, person)
        else:
            self._snooze(alert, person)
        return rule, alert

    def _take(self, alert: Alert, person: Person) -> None:
        known = alert.helper(person.slack_user)
        if known is not None and known.taken:
            raise NotSuitable("You are on it already: the card says so. Nothing was changed.")
        self._manager.take(alert, person.slack_user, person.name)

    def _snooze(self, alert: Alert, person: Person) -> None:
        if alert.state is AlertState.SNOOZED:
            raise NotSuitable("This alert is quiet already: the card says until when. Nothing was changed.")
        self._manager.change(snoozed(alert, person.name, self._now()))

    # ── a raised hand ──

    async def ask_for_help(self, request: Request, command: AskForHelp) -> Alert:
        """The call for help, written down and on its card. Raises Refusal where there is no channel or no call."""
        asked = self._now()
        person = self._rules().person(request.slack_user, external=request.external)
        if self._channel() is None:
            raise NotSuitable(_NO_CHANNEL)
        call, view = await self._own_call(person, command)
        channel = self._channel()  # that of now: reading the call may have taken its time
        if channel is None:
            raise NotSuitable(_NO_CHANNEL)
        if self._rules().protects(call):
            raise NotSuitable(_NO_CALL)
        async with self._one_hand_at_a_time:
            open_one = self._manager.about(HELP_REQUESTS, call, person.slack_user)
            if open_one is not None:
                said = command.about or open_one.about
                self._manager.change(open_one.model_copy(update={"about": said}))
                return open_one
            (alert,) = await self._manager.raise_([self._hand(person, command, channel, call, view)], [asked])
            return alert

    async def _own_call(self, person: Person, command: AskForHelp) -> tuple[PhoneCall, PhoneCallView]:
        """The call that they are in, and their side of it: of several the conversation that began last."""
        phones = self._rules().extensions_of(person.slack_user)
        asked = tuple(phone for phone in phones if command.extension in {None, phone})
        if not asked:
            raise NotSuitable("This is not a call of yours any more. Nothing was posted.")

        def side(call: PhoneCall) -> tuple[PhoneCall, PhoneCallView] | None:
            """The call as they may know of it, and their side of it; None where they are no party."""
            call = self._without_legs(call)
            view = side_of(call, asked)
            hidden = self._rules().protects(call) or command.published not in {None, call.published}
            return None if view is None or hidden else (call, view)

        found = await live_on(
            command.call,
            asked,
            self._rules(),
            self._phone_calls,
            self._sleep,
            counts=lambda call: side(call) is not None,
        )
        sides = [theirs for _, call in found if (theirs := side(call)) is not None]
        if not sides:
            raise NotSuitable(_NO_CALL)
        return max(sides, key=_how_much_theirs)

    def _hand(self, person: Person, command: AskForHelp, channel: str, call: PhoneCall, view: PhoneCallView) -> Alert:
        now = self._now()
        return Alert(
            id=self._new_id(),
            rule=HELP_REQUESTS,
            name=person.name,
            when=When.HELP_REQUESTED,
            channel=channel,
            call=call,
            extension=view.extension,
            view_id=view.id,
            since=now + self._pbx_ahead(),
            raised_at=now,
            seen_at=now,
            asked_by=person.slack_user,
            about=command.about,
        )


_NO_CHANNEL = (
    "No channel is set for calls for help, so nobody would see yours. Ask whoever keeps the map of callbot "
    "to set [help] channel. Nothing was posted."
)
_NO_CALL = (
    "You are in no call right now, or in none that may be shown. Type /calls help-me while you are in one. "
    "Nothing was posted."
)


def _how_much_theirs(side: tuple[PhoneCall, PhoneCallView]) -> tuple[bool, bool, float]:
    """A conversation before one on hold, before what rings; of several the one that began last."""
    call, view = side
    begun = view.answered or call.answered or call.published
    return view.on_call, view.on_hold is None, 0.0 if begun is None else begun.timestamp()
