"""Whether what an alert is about goes on in a call as it is, and if not, why: as far as the call shows it. Pure."""

from collections.abc import Callable, Mapping

from bot.alerts.alert import Alert, How, When
from bot.domain.calls import EXTENSION, PhoneCall, PhoneCallView, Status
from bot.domain.permissions import Permissions

_HOLDS: Mapping[When, Callable[[PhoneCallView], bool]] = {
    When.RINGING: lambda view: view.status is Status.RINGING,
    When.TALKING: lambda view: view.on_call,
    When.ON_HOLD: lambda view: view.on_call and view.on_hold is not None,
    When.PARKED: lambda view: view.parked is not None,
    When.HELP_REQUESTED: lambda view: True,
}
"""What of a view an alert is about, whatever its dates say."""


def view_that_goes_on(alert: Alert, call: PhoneCall) -> PhoneCallView | None:
    """The view on which it goes on at the same extension, the one from before if that is there; None where it does not."""
    views = [view for view in call.named_views.values() if view.extension == alert.extension]
    holding = [view for view in views if _HOLDS[alert.when](view)]
    return min(holding, key=lambda view: (view.id != alert.view_id, view.id), default=None)


def why_over(alert: Alert, call: PhoneCall, parts: PhoneCall, rules: Permissions) -> tuple[How, str] | None:
    """Why it is over, and the extension that answered; None where the call does not show why, so that it may go on.

    `parts` is the call without what may be a leg; a call that was picked up looks like one.
    """
    view = call.view(alert.view_id)
    if alert.when is When.RINGING:
        return _answered(alert, call, parts, rules)
    if alert.when is When.HELP_REQUESTED and _rang(alert):
        answered = _answered(alert, call, parts, rules)
        return answered if answered is not None and answered[0] is How.PICKED_UP else None
    if alert.when in {When.ON_HOLD, When.PARKED} and view is not None and view.on_call:
        return How.CONDITION_OVER, ""
    return None


def _rang(alert: Alert) -> bool:
    """Whether its side rang when it was last seen."""
    side = alert.call.view(alert.view_id)
    return side is not None and side.status is Status.RINGING


def _answered(alert: Alert, call: PhoneCall, parts: PhoneCall, rules: Permissions) -> tuple[How, str] | None:
    """Who is on call now that was not: after a PickUp the view's source is whoever picked up ("PickUp PhoneCalls")."""
    before = alert.call.view(alert.view_id)
    callers = frozenset() if before is None else frozenset(before.source)
    talked = {view.extension for view in alert.call.views if view.on_call}
    answered = [
        view.extension
        for view in sorted(parts.named_views.values(), key=lambda view: view.id != alert.view_id)
        if view.on_call and EXTENSION.fullmatch(view.extension) and view.extension not in callers | talked
    ]
    if answered:
        return How.ANSWERED, answered[0]
    view = call.view(alert.view_id)
    if view is not None and view.on_call and view.extension == alert.extension:
        supervisors = rules.supervisors_of(alert.extension) - callers
        picked = next((number for number in view.source if number in supervisors), None)
        return (How.ANSWERED, view.extension) if picked is None else (How.PICKED_UP, picked)
    return (How.ANSWERED, "") if call.answered is not None else None


def side_of(call: PhoneCall, extensions: tuple[str, ...]) -> PhoneCallView | None:
    """The side of the call that one of these phones has, in conversation rather than on hold, rather than ringing."""
    views = [view for view in call.named_views.values() if view.extension in extensions]
    return max(views, key=lambda view: (view.on_call, view.on_hold is None, view.id == "01"), default=None)
