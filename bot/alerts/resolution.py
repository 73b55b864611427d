"""Whether the condition of an alert goes on in a call as it is now, and if not, why: as far as the call shows it. Pure."""

from collections.abc import Callable, Mapping

from bot.alerts.alert import Alert, Resolution, When
from bot.domain.calls import EXTENSION, PhoneCall, PhoneCallView, Status
from bot.domain.permissions import Permissions

_SHOWS: Mapping[When, Callable[[PhoneCallView], bool]] = {
    When.RINGING: lambda view: view.status is Status.RINGING,
    When.TALKING: lambda view: view.on_call,
    When.ON_HOLD: lambda view: view.on_call and view.on_hold is not None,
    When.PARKED: lambda view: view.parked is not None,
    When.HELP_REQUESTED: lambda view: True,
}
"""Whether a view shows the condition; its dates do not matter here."""


def view_that_goes_on(alert: Alert, call: PhoneCall) -> PhoneCallView | None:
    """The view of the same extension that shows the condition: the one from before, if it does; None if none does."""
    views = [view for view in call.named_views.values() if view.extension == alert.extension]
    showing = [view for view in views if _SHOWS[alert.when](view)]
    return min(showing, key=lambda view: (view.id != alert.view_id, view.id), default=None)


def why_over(
    alert: Alert, call: PhoneCall, parts: PhoneCall, permissions: Permissions
) -> tuple[Resolution, str] | None:
    """Why the condition is over, and the extension that answered; None if the call does not show why, so that it may go on.

    `parts` is the call without all views that may be legs of supervisors: a view that was picked up looks like a leg.
    """
    view = call.view(alert.view_id)
    if alert.when is When.RINGING:
        return _answered(alert, call, parts, permissions)
    if alert.when is When.HELP_REQUESTED and _rang(alert):
        answered = _answered(alert, call, parts, permissions)
        return answered if answered is not None and answered[0] is Resolution.PICKED_UP else None
    if alert.when in {When.ON_HOLD, When.PARKED} and view is not None and view.on_call:
        return Resolution.CONDITION_OVER, ""
    return None


def _rang(alert: Alert) -> bool:
    """Whether its view rang when it was last shown."""
    view = alert.call.view(alert.view_id)
    return view is not None and view.status is Status.RINGING


def _answered(
    alert: Alert, call: PhoneCall, parts: PhoneCall, permissions: Permissions
) -> tuple[Resolution, str] | None:
    """The extension that is on call now and was not before.

    After a PickUp, the source of the view is the extension that picked up ("PickUp PhoneCalls").
    """
    before = alert.call.view(alert.view_id)
    callers = frozenset() if before is None else frozenset(before.source)
    talked = {view.extension for view in alert.call.views if view.on_call}
    answered = [
        view.extension
        for view in sorted(parts.named_views.values(), key=lambda view: view.id != alert.view_id)
        if view.on_call and EXTENSION.fullmatch(view.extension) and view.extension not in callers | talked
    ]
    if answered:
        return Resolution.ANSWERED, answered[0]
    view = call.view(alert.view_id)
    if view is not None and view.on_call and view.extension == alert.extension:
        supervisors = permissions.supervisors_of(alert.extension) - callers
        picked = next((number for number in view.source if number in supervisors), None)
        return (Resolution.ANSWERED, view.extension) if picked is None else (Resolution.PICKED_UP, picked)
    return (Resolution.ANSWERED, "") if call.answered is not None else None


def view_of_phone(call: PhoneCall, phones: tuple[str, ...]) -> PhoneCallView | None:
    """The view of one of these phones: in conversation before on hold, on hold before ringing; None if there is none."""
    views = [view for view in call.named_views.values() if view.extension in phones]
    return max(views, key=lambda view: (view.on_call, view.on_hold is None, view.id == "01"), default=None)
