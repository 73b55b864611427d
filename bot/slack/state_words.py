"""The words for states on cards and in `callbot audit`. Their codes are stored and logged. Pure."""

from collections.abc import Mapping

from bot.alerts.alert import AlertState
from bot.domain.intervention import State

STATE: Mapping[State, str] = {
    State.ASKED: "Asked",
    State.RINGING: "Ringing",
    State.CONNECTED: "Connected",
    State.RECORDING: "Recording",
    State.RECORDING_STOPPED: "Recording stopped",
    State.NOT_ANSWERED: "Not answered",
    State.NOT_CONFIRMED: "Not confirmed",
    State.ENDED: "Ended",
    State.REFUSED: "Refused",
    State.UNKNOWN: "Unknown",
}
ALERT_STATE: Mapping[AlertState, str] = {
    AlertState.RAISED: "Raised",
    AlertState.SNOOZED: "Snoozed",
    AlertState.RESOLVED: "Resolved",
}
