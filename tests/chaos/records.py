"""What a chaos run has seen, as plain values. The checks read nothing else, so a made-up record can try each of them.

Instants are seconds of `time.monotonic` in this process; what the ledger and the cards say is turned into them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

HELP_REQUEST = "help_request"
"""What an alert is about that an agent has asked for."""


@dataclass(frozen=True)
class AlertRow:
    """A row of the ledger's table of alerts, and what its document adds. `name` is that of its rule."""

    id: str
    card: str
    channel: str
    open: bool
    name: str
    when: str
    call_id: str
    extension: str
    state: str
    how: str = ""
    digest: str = ""
    asked_by: str = ""

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> "AlertRow":
        """A row with its document read."""
        document = json.loads(row["document"])
        names = ("name", "when", "extension", "state", "how", "digest", "asked_by")
        return cls(
            **{name: row[name] for name in ("id", "card", "channel", "open")},
            **{name: document[name] for name in names},
            call_id=document["call"]["id"],
        )

    @property
    def key(self) -> tuple[str, ...]:
        """What there is one alert of. The floor gives no id of a call twice."""
        return self.when, self.channel, self.name, self.call_id, self.asked_by

    @property
    def is_help_request(self) -> bool:
        """Whether an agent has asked for it."""
        return self.when == HELP_REQUEST

    @property
    def what(self) -> str:
        """In words, for a violation."""
        words = f"alert {self.id} “{self.name}” ({self.when}) {self.extension} {self.call_id} in {self.channel}"
        return f"{words}: {self.state}{f' ({self.how})' if self.how else ''}, card {self.card}"


JOINING = frozenset({"Monitor", "Whisper", "BargeIn"})
SILENT = frozenset({"Monitor", "Whisper"})
RECORDING = frozenset({"StartRecording", "StopRecording"})
DEFAULT_WAIT = 25.0
"""Seconds that the PBX rings where `waitForPickup` is not given (the pages of the actions)."""

OutageKind = Literal["bot", "sockets", "workspace", "pbx", "ledger"]


@dataclass(frozen=True)
class Violation:
    """Something that must never be: which promise it breaks, and what was seen."""

    promise: str
    seen: str


@dataclass(frozen=True)
class Acknowledged:
    """How one delivery of a request ended. `refused`: the acknowledgement itself said that nothing is done.

    `waited`: for how many seconds of its life the bot's process had waited for a processor by then.
    """

    sent_at: float
    at: float
    error: str | None = None
    refused: bool = False
    waited: float = 0.0


@dataclass(frozen=True)
class Kill:
    """`kill -9`, and for how many seconds of its life the process had waited for a processor."""

    at: float
    waited: float = 0.0


@dataclass(frozen=True)
class Lost:
    """The ledger was replaced: when, the exit code of the bot, and after how many seconds it had stopped."""

    at: float
    code: int
    seconds: float


@dataclass(frozen=True)
class Step:
    """The wall clock of the bot's machine was set, so that it is so many seconds ahead; negative: behind."""

    at: float
    ahead: float


@dataclass
class Asked:
    """One command or click. `clicked`: the card that it came from, as its metadata names it, wherever that was posted then.

    `private`: it came from a message that only this person saw.
    """

    trigger: str
    user: str
    channel: str
    said: str
    clicked: str | None = None
    private: bool = False
    deliveries: list[Acknowledged] = field(default_factory=list)


@dataclass(frozen=True)
class ViewSeen:
    """A view of a call on the floor. `ringing`: it rings at a party's phone; the rest: since when it is so, None: it is not."""

    id: str
    extension: str
    source: tuple[str, ...]
    phone: str
    leg: bool = False
    recording: bool = False
    ringing: bool = False
    answered: float | None = None
    on_hold: float | None = None


@dataclass(frozen=True)
class CallSeen:
    """A call of the floor. `parties`: every number in it; `published`: when it came in."""

    id: str
    parties: frozenset[str]
    views: tuple[ViewSeen, ...]
    published: float = 0.0

    def view(self, view_id: str) -> ViewSeen | None:
        """The view of that id."""
        return next((view for view in self.views if view.id == view_id), None)

    def legs_of(self, phone: str) -> list[ViewSeen]:
        """The views that this phone came to through an intervention."""
        mine = [view for view in self.views if view.phone == phone and view.source == (phone,)]
        return [view for view in mine if view.leg or view.extension != phone]


@dataclass
class Put:
    """One PUT as the PBX received it. `rows`: the interventions in the ledger, in that moment, that it may belong to."""

    at: float
    extension: str
    call_id: str
    fields: Mapping[str, object]
    rows: frozenset[str]
    call: CallSeen | None
    status: int | None = None

    @property
    def action(self) -> str:
        """The action asked for."""
        return str(self.fields.get("action"))

    @property
    def phone(self) -> str | None:
        """The phone that is to ring, None for a recording."""
        phone = self.fields.get("sendCallTo")
        return None if phone is None else str(phone)

    @property
    def what(self) -> str:
        """In words, for a violation."""
        return f"PUT at {self.at:.3f} {self.extension} {self.call_id} {dict(self.fields)} -> {self.status}"


@dataclass
class Span:
    """From when to when something was so; `until` None: it still is."""

    since: float
    until: float | None = None


@dataclass(frozen=True)
class Outage:
    """Something was away from `since` to `until`."""

    kind: OutageKind
    since: float
    until: float

    def touches(self, since: float, until: float) -> bool:
        """Whether it and that time have a moment in common."""
        return self.since <= until and since <= self.until


@dataclass(frozen=True)
class RequestRow:
    """A row of the ledger's table of requests."""

    id: str
    trigger: str
    slack_user: str
    channel: str
    said: str
    outcome: str
    at: float
    intervention: str | None
    extension: str = ""
    """The agent's, empty where the request did not get as far."""
    ahead: float = 0.0
    """Seconds by which the clock that dated it was ahead."""


@dataclass(frozen=True)
class InterventionRow:
    """A row of the ledger's table of interventions, and what its document adds."""

    id: str
    card: str
    slack_user: str
    call_id: str
    extension: str
    action: str
    state: str
    following: bool
    asked_at: float
    claim: str | None
    channel: str
    place: str
    phone: str
    view: str
    wait: float
    code: str = ""

    @classmethod
    def read(cls, row: Mapping[str, Any], asked_at: float) -> "InterventionRow":
        """A row with its document read."""
        document = json.loads(row["document"])
        action = document["action"]
        names = ("id", "card", "slack_user", "call_id", "extension", "action", "state", "following", "claim")
        return cls(
            **{name: row[name] for name in names},
            asked_at=asked_at,
            channel=document["channel"],
            place=document["place"],
            phone=document["phone"],
            view=action["phone_call_view_id"],
            wait=float(action.get("wait_for_pickup") or DEFAULT_WAIT),
            code=document["code"],
        )

    @property
    def what(self) -> str:
        """In words, for a violation."""
        words = f"{self.id} {self.slack_user} {self.action} {self.extension} {self.call_id} view {self.view}"
        return f"{words} asked at {self.asked_at:.3f}: {self.state}, card {self.card}"


@dataclass(frozen=True)
class Shown:
    """A message of the bot that all in its channel see. `card`: as its metadata names it.

    `versions`: from when on it showed which text and lines, without the labels of its buttons; `buttons`: those of now.
    """

    channel: str
    ts: str
    text: str
    lines: tuple[str, ...]
    versions: tuple[tuple[float, str], ...] = ()
    card: str = ""
    buttons: tuple[str, ...] = ()


@dataclass
class Evidence:
    """Everything that was seen until `now`. `secrets`: the words that no log may hold, each with what it is."""

    now: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    puts: list[Put] = field(default_factory=list)
    legs: dict[tuple[str, str], list[Span]] = field(default_factory=dict)
    """When a phone was in a call through an intervention, by phone and call."""
    rings: dict[tuple[str, str], list[Span]] = field(default_factory=dict)
    """When a supervisor's phone rang because of an intervention, by phone and call."""
    holds: dict[tuple[str, str], list[Span]] = field(default_factory=dict)
    """When a rule of alerts held, by its name and the call; `since` is the instant that it counts from."""
    pbx_ahead: float = 0.0
    """Seconds by which the clock of the PBX is ahead; negative: behind."""
    wall_steps: list[Step] = field(default_factory=list)
    removed: dict[str, list[Span]] = field(default_factory=dict)
    """When a person was in no map, by their Slack id."""
    slack_keeps_back: float = 0.0
    """Seconds for which Slack's own limits may keep a message back."""
    kills: list[Kill] = field(default_factory=list)
    stalls: list[tuple[float, float]] = field(default_factory=list)
    """When this machine stood still, and for how many seconds, as this process has noticed it."""
    outages: list[Outage] = field(default_factory=list)
    requests: list[RequestRow] = field(default_factory=list)
    interventions: list[InterventionRow] = field(default_factory=list)
    alerts: list[AlertRow] = field(default_factory=list)
    protected: set[str] = field(default_factory=set)
    """The calls in which a protected party was."""
    cards: dict[str, tuple[str, str]] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    slack: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """What the bot has asked of Slack about each message, in words, for those who look for a cause."""
    calls: dict[str, CallSeen] = field(default_factory=dict)
    ringing: frozenset[tuple[str, str]] = frozenset()
    """The phones that ring now, each with the call it rings for."""
    log: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    refusals: list[tuple[float, str]] = field(default_factory=list)
    visible_errors: list[str] = field(default_factory=list)
    deleted: set[tuple[str, str]] = field(default_factory=set)
    """Messages that people took away."""
    exits: list[tuple[int, float]] = field(default_factory=list)
    """Exit code and seconds of each orderly end."""
    lost: list[Lost] = field(default_factory=list)
    private: dict[str, list[Shown]] = field(default_factory=dict)
    """What one person alone has seen, by their id; direct messages are among `shown`."""

    def traces(self, shown: Shown) -> str:
        """What was asked of Slack about that message at last, and the kills since a little before."""
        said = self.slack.get((shown.channel, shown.ts), [])[-4:]
        since = float(said[-1].partition(" ")[0]) if said else self.now
        kills = [f"{kill.at:.3f}" for kill in self.kills if since - 1.0 <= kill.at <= since + 30.0][:2]
        return f"Slack: {' | '.join(said)}; kills {kills}"
