"""Forms of answers on which the sources about UnifiedAPI disagree, each with a switch.

The defaults are the forms of the Monitor, Whisper, BargeIn, PickUp and StartRecording PhoneCalls pages; the other forms
come from the resource pages or from what public clients were written to read.
"""

from dataclasses import dataclass, fields
from typing import Literal

ALLOWED: dict[str, tuple[object, ...]] = {
    "single": ("object", "list", "envelope", "envelope-list"),
    "gone": ("envelope", "204", "400"),
    "numbers": ("strings", "numbers"),
    "links": ("link", "links"),
    "caller_id": ("callerId", "callerID"),
    "action": (None, 200, 202, 204),
    "spelling": ("documented", "correct"),
    "unauthenticated": (401, 403),
    "flow": ("shown", "left out"),
    "zones": ("right", "one clock"),
}


@dataclass
class Forms:
    """The forms of answers. Setting an unknown form raises ValueError."""

    single: Literal["object", "list", "envelope", "envelope-list"] = "object"
    """One call, read by its id or returned with status 200 by an action."""
    gone: Literal["envelope", "204", "400"] = "envelope"
    """A call that is over, read by its id: 200 with an empty envelope, nothing, or pc_phonecall_invalid."""
    numbers: Literal["strings", "numbers"] = "strings"
    """Status, flow, holder and parkedPos: "5" as on the five pages, or 5 as on the PhoneCalls Resource page."""
    links: Literal["link", "links"] = "link"
    """"link": in the answers of actions, as on the five pages. "links": in every call, as on the resource page."""
    caller_id: Literal["callerId", "callerID"] = "callerId"
    action: Literal[200, 202, 204] | None = None
    """The status of every accepted action; None: 202 where a phone rings, 200 for recording, as on the pages."""
    spelling: Literal["documented", "correct"] = "documented"
    """Error codes as each page spells them (pc_phoncall_invalid, pc_honecall_invalid), or as they are meant."""
    unauthenticated: Literal[401, 403] = 401
    """The answer to an expired token: 401 on the HTTP Return Codes page, 403 in 4PSA's demo apps."""
    flow: Literal["shown", "left out"] = "shown"
    """The resource page has `flow` in every view; the samples of the five pages leave it out."""
    zones: Literal["right", "one clock"] = "right"
    """The samples write `published` and all other dates in two zones. "right": each is the true instant. "one clock": the
    same clock is read for both, so that a call seems answered an hour before it was published, as in the samples."""
    clock_ahead: float = 0.0
    """Seconds that the clock of the PBX is ahead, in all dates and in the `Date` of its answers; negative: behind."""
    link_root: str = "https://x.x.x.x/"
    """The beginning of links. The double slash after it is as on the pages; a client should not follow links."""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in {known.name for known in fields(self)}:
            raise ValueError(f"no form {name}")
        if name in ALLOWED and value not in ALLOWED[name]:
            raise ValueError(f"{name} is one of {ALLOWED[name]}, not {value!r}")
        object.__setattr__(self, name, value)
