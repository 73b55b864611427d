"""When a run's people, phones and troubles come to their end: each brings to its end what it has begun."""

import asyncio
from contextlib import suppress


class Curtain:
    """Up until it falls."""

    def __init__(self) -> None:
        self._fallen = asyncio.Event()

    def fall(self) -> None:
        """Let nobody begin anything new."""
        self._fallen.set()

    async def stays_up(self, seconds: float) -> bool:
        """Wait so long, or until it falls; whether it is still up."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._fallen.wait(), seconds)
        return not self._fallen.is_set()
