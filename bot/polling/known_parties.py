"""The parties of a call that other lists have shown: a read as one UnifiedAPI user may leave some of them out.

One of them could be protected, and a call with a protected party is protected wherever it is read.
"""

import asyncio
from collections.abc import Callable, Iterable

from bot.domain.actions import PhoneCallAction
from bot.domain.calls import PhoneCall, Presence
from bot.domain.errors import PbxError
from bot.domain.permissions import Scope
from bot.polling.phone_calls import Accepted, PhoneCalls
from bot.polling.scan import is_refusal, read_lists
from bot.tasks import in_slices

REMEMBERED = 60.0
"""Seconds after which a list that was not read again is forgotten."""


class KnownParties:
    """The last list of each scope. `clock` counts seconds.

    `parties_of` gives the parties of a call as one list shows it, without supervisors who only listen.
    """

    def __init__(
        self, clock: Callable[[], float], parties_of: Callable[[PhoneCall], frozenset[str]] = lambda call: call.parties
    ) -> None:
        self._clock = clock
        self._parties_of = parties_of
        self._lists: dict[Scope, tuple[float, tuple[PhoneCall, ...]]] = {}
        """When each scope was read last, by `clock`, and its calls."""
        self._by_id: dict[Scope, dict[str, PhoneCall]] = {}
        """The calls of a list by id, made when first needed: most lists are replaced before anybody asks."""

    def remember(self, scope: Scope, calls: tuple[PhoneCall, ...]) -> None:
        """Remember a list."""
        self._lists[scope] = (self._clock(), calls)
        self._by_id.pop(scope, None)

    def complete(self, call: PhoneCall) -> PhoneCall:
        """The call with the parties that other lists show besides."""
        return self._with_parties(call, (self._calls(scope).get(call.id) for scope in tuple(self._lists)))

    def complete_all(self, calls: Iterable[PhoneCall]) -> tuple[PhoneCall, ...]:
        """Many calls, each with the parties that other lists show besides. It goes through the lists once."""
        shown: dict[str, list[PhoneCall]] = {}
        for scope in tuple(self._lists):
            for call in self._calls(scope).values():
                shown.setdefault(call.id, []).append(call)
        return tuple(self._with_parties(call, shown.get(call.id, ())) for call in calls)

    def _calls(self, scope: Scope) -> dict[str, PhoneCall]:
        read_at, calls = self._lists[scope]
        if self._clock() - read_at > REMEMBERED:
            del self._lists[scope]
            self._by_id.pop(scope, None)
            return {}
        if scope not in self._by_id:
            self._by_id[scope] = {call.id: call for call in calls}
        return self._by_id[scope]

    def _with_parties(self, call: PhoneCall, shown: Iterable[PhoneCall | None]) -> PhoneCall:
        others = [
            one
            for one in shown
            if one is not None and one is not call and not one.parties <= call.parties and not one.is_another_than(call)
        ]
        more = frozenset[str]().union(*map(self._parties_of, others)) - call.parties
        return call.model_copy(update={"other_parties": call.other_parties | more}) if more else call


class WithEveryParty:
    """The PBX as interventions use it: each call that is read has the parties that other lists show besides.

    With each read the lists of other users' protected extensions are read; `protected` gives these scopes for a user. A call in
    one of them is protected, even if another user's list does not show that party.
    """

    def __init__(
        self, pbx: PhoneCalls, known_parties: KnownParties, protected: Callable[[str], tuple[Scope, ...]]
    ) -> None:
        self._pbx = pbx
        self._known_parties = known_parties
        self._protected = protected

    async def get(self, user: str, extension: str, call_id: str) -> PhoneCall | None:
        """The call as it is now, None if it is gone. Raises PbxError."""
        call, _ = await asyncio.gather(self._pbx.get(user, extension, call_id), self._read_protected(user))
        return None if call is None else self._known_parties.complete(call)

    async def list(self, user: str, extension: str) -> tuple[PhoneCall, ...]:
        """The live calls of an extension, each once. Raises PbxError."""
        calls, _ = await asyncio.gather(self._pbx.list(user, extension), self._read_protected(user))
        return tuple([self._known_parties.complete(call) async for call in in_slices(calls)])

    async def presence(self, user: str, extension: str) -> Presence | None:
        """What the PBX knows of one phone besides its calls. Raises PbxError."""
        return await self._pbx.presence(user, extension)

    async def act(self, user: str, extension: str, call_id: str, action: PhoneCallAction) -> Accepted:
        """Send the action, once. Raises PbxError."""
        return await self._pbx.act(user, extension, call_id, action)

    async def _read_protected(self, user: str) -> None:
        """Read the lists of protected extensions. Unless it is known who is protected, no call may be touched.

        So a failure fails the read. An extension that the PBX refuses has no calls.
        """
        failures: list[PbxError] = []

        def keep_failure(scope: Scope, failure: PbxError) -> None:
            if is_refusal(failure):
                self._known_parties.remember(scope, ())
            else:
                failures.append(failure)

        await read_lists(self._pbx, self._protected(user), self._known_parties.remember, keep_failure)
        if failures:
            raise failures[0]
