"""Which scopes the looks at all live calls can read, and since when they cannot. Pure; time is an argument."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Scope: TypeAlias = tuple[str, str]
"""A UnifiedAPI user, and an extension or `@self`."""


@dataclass(frozen=True)
class Blind:
    """What cannot be read: everything (`whole`), or some scopes. `seconds`: for how long."""

    whole: bool
    seconds: float


class Sight:
    """The lists that were read and that were not. `clock` counts seconds and never goes back."""

    def __init__(self, scopes: Callable[[], tuple[Scope, ...]], clock: Callable[[], float]) -> None:
        self._scopes = scopes
        self._clock = clock
        self._began: float | None = None
        self._read_at: dict[Scope, float] = {}
        self._failed: set[Scope] = set()

    def begin(self) -> None:
        """The scopes are looked at from now on, if they were not before."""
        if self._began is None:
            self._began = self._clock()

    def end(self) -> None:
        """Nobody looks at them any more: what was read before says nothing."""
        self._began = None
        self._read_at.clear()
        self._failed.clear()

    def read(self, scope: Scope) -> None:
        """Its list came."""
        self._read_at[scope] = self._clock()
        self._failed.discard(scope)

    def failed(self, scope: Scope) -> None:
        """Its list did not come."""
        self._failed.add(scope)

    def blind(self, after: float) -> Blind | None:
        """What could not be read for so many seconds; None where there is nothing.

        Many scopes take their time, so one alone counts only where it was tried in vain since.
        """
        if self._began is None:
            return None
        now, scopes = self._clock(), self._scopes()
        ages = {scope: now - self._read_at.get(scope, self._began) for scope in scopes}
        if ages and min(ages.values()) >= after:
            return Blind(whole=True, seconds=min(ages.values()))
        late = [age for scope, age in ages.items() if age >= after and scope in self._failed]
        return Blind(whole=False, seconds=max(late)) if late else None

    @property
    def known(self) -> bool:
        """Whether every scope was read since the looks began, so that what is not blind sees."""
        return self._began is not None and all(scope in self._read_at for scope in self._scopes())
