"""The extensions of a floor, and subscriptions to its changes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from bot.sandbox.changes import Changes
from bot.sandbox.pbx.phones import Extension, Kind

T = TypeVar("T")


class UnknownExtension(LookupError):
    """There is no extension of that number."""


class Desks:
    """The extensions, and the subscribers to changes."""

    def __init__(self) -> None:
        self._extensions: dict[str, Extension] = {}
        self._changes = Changes()
        self._held_back = 0

    # ── what there is ──

    def add_extension(
        self,
        number: str,
        user: str,
        name: str,
        *,
        organisation: str = "3",
        organisation_name: str = "Default Organization",
        kind: Kind = "phone terminal",
        call_waiting: bool = False,
        answers_after: float | None = None,
        recordable: bool = True,
        registered: bool = True,
    ) -> Extension:
        """Add an extension, or put another in its place; the attributes are described at `Extension`."""
        extension = Extension(
            number=number,
            user=user,
            name=name,
            organisation=organisation,
            organisation_name=organisation_name,
            kind=kind,
            call_waiting=call_waiting,
            answers_after=answers_after,
            recordable=recordable,
            registered=registered,
        )
        self._extensions[number] = extension
        self._changed()
        return extension

    def extension(self, number: str) -> Extension:
        """Return the extension of that number, or raise UnknownExtension."""
        try:
            return self._extensions[number]
        except KeyError:
            raise UnknownExtension(f"no extension {number}") from None

    def extensions(self) -> list[Extension]:
        """Return every extension, in the order in which they were added."""
        return list(self._extensions.values())

    # ── subscribers ──

    def on_change(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` without arguments after every change; the function returned unsubscribes it."""
        return self._changes.subscribe(callback)

    async def until(self, condition: Callable[[], T], timeout: float = 5.0) -> T:  # noqa: ASYNC109 - a wait ends, always
        """Wait, without polling, until `condition()` is true and return its value; TimeoutError after `timeout` s."""
        value = await self._changes.until(condition, timeout)
        if value is None:
            raise TimeoutError(f"not within {timeout} s; {self._describe()}")
        return value

    def _describe(self) -> str:
        """A description of the floor for a wait that timed out."""
        return f"extensions: {list(self._extensions)}"

    def _changed(self) -> None:
        """Notify the subscribers."""
        if not self._held_back:
            self._changes.tell()

    @contextmanager
    def _one_change(self) -> Iterator[None]:
        """Make everything within one change: subscribers are notified once, at the end."""
        self._held_back += 1
        try:
            yield
        finally:
            self._held_back -= 1
            self._changed()
