"""Which scopes the scans cannot read, and since when. No I/O here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Scope: TypeAlias = tuple[str, str]
"""A UnifiedAPI user, and an extension or `@self`."""


@dataclass(frozen=True)
class Outage:
    """What cannot be read: every scope (`whole`) or some of them. `seconds`: for how long."""

    whole: bool
    seconds: float


class ScopeHealth:
    """When the list of each scope was read last, and which failed. `clock` counts seconds and never goes back."""

    def __init__(self, scopes: Callable[[], tuple[Scope, ...]], clock: Callable[[], float]) -> None:
        self._scopes = scopes
        self._clock = clock
        self._began: float | None = None
        self._read_at: dict[Scope, float] = {}
        self._failed: set[Scope] = set()

    def begin(self) -> None:
        """A scan begins. The time of a scope that was never read counts from the first scan."""
        if self._began is None:
            self._began = self._clock()

    def end(self) -> None:
        """No more scans for now. What was read until now no longer counts."""
        self._began = None
        self._read_at.clear()
        self._failed.clear()

    def succeeded(self, scope: Scope) -> None:
        """The list of that scope was read."""
        self._read_at[scope] = self._clock()
        self._failed.discard(scope)

    def failed(self, scope: Scope) -> None:
        """The list of that scope could not be read."""
        self._failed.add(scope)

    def outage(self, after: float) -> Outage | None:
        """What could not be read for `after` seconds, None if there is nothing.

        One scope of many counts only if a read of it failed: with many scopes it may be long before one has its turn.
        """
        if self._began is None:
            return None
        now, scopes = self._clock(), self._scopes()
        ages = {scope: now - self._read_at.get(scope, self._began) for scope in scopes}
        if ages and min(ages.values()) >= after:
            return Outage(whole=True, seconds=min(ages.values()))
        late = [age for scope, age in ages.items() if age >= after and scope in self._failed]
        return Outage(whole=False, seconds=max(late)) if late else None

    @property
    def all_read(self) -> bool:
        """Whether every scope was read since the first scan."""
        return self._began is not None and all(scope in self._read_at for scope in self._scopes())
