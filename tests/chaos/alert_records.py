"""An alert as the ledger keeps it, as plain values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HAND = "help_request"
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
    def by_hand(self) -> bool:
        """Whether an agent has asked for it."""
        return self.when == HAND

    @property
    def what(self) -> str:
        """In words, for a violation."""
        words = f"alert {self.id} “{self.name}” ({self.when}) {self.extension} {self.call_id} in {self.channel}"
        return f"{words}: {self.state}{f' ({self.how})' if self.how else ''}, card {self.card}"
