"""Whatever a PBX answers is bounded before it is worked on: nobody else waits for it, and nothing of it stays."""

import json
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from bot.domain.calls import LONGEST_TEXT, MOST_PARTIES, MOST_VIEWS_IN_CALL, phone_call
from bot.domain.errors import PbxUnreachable
from bot.uapi.client import UnifiedApi
from bot.uapi.parsing import LARGEST_WHOLE, MOST_ENTRIES
from tests.uapi.conftest import http

NOBODY_WAITS = 0.1
"""Seconds."""
LITTLE = 8_000_000
"""Bytes that may stay: some of the greatest answer that is taken, by itself twice as much."""


def a_list(call: str) -> str:
    return f'{{"entry":[{call}],"totalResults":1}}'


VIEW = '{"id":"01","extension":"0003*210","source":["+15550100"],"callerId":"Jane <+15550100>"}'
HOSTILE: dict[str, Callable[[], str]] = {
    "110,000 views in one call": lambda: a_list(f'{{"id":"c1","phoneCallView":[{",".join([VIEW] * 110_000)}]}}'),
    "as many empty ones": lambda: a_list(f'{{"id":"c1","phoneCallView":[{",".join(["{}"] * 110_000)}]}}'),
    "100 views in each of 2,000 calls": lambda: a_list(
        ",".join(f'{{"id":"c{n}","phoneCallView":[{",".join(["{}"] * 100)}]}}' for n in range(2000))
    ),
    "more views in all than any floor has": lambda: a_list(
        ",".join(f'{{"id":"c{n}","phoneCallView":[{",".join(["{}"] * MOST_VIEWS_IN_CALL)}]}}' for n in range(1000))
    ),
    "more calls than were asked for": lambda: a_list(",".join(f'{{"id":"c{n}"}}' for n in range(MOST_ENTRIES + 1))),
    "a million empty lists": lambda: a_list(",".join(["[]"] * 1_000_000)),
    "a million numbers beside an empty list": lambda: f'{{"entry":[],"x":[{",".join(["1"] * 1_000_000)}]}}',
    "a million calls by their ids": lambda: (
        f'{{"entry":{{{",".join(f"{chr(34)}{n}{chr(34)}:{{}}" for n in range(400_000))}}}}}'
    ),
    "endless depth": lambda: "[" * 4_000_000,
    "endless depth in a call": lambda: a_list('{"id":"c1","x":' + "[" * 4_000_000),
    "a number of a million digits": lambda: a_list('{"id":"c1","cost":' + "9" * 1_000_000 + "}"),
    "escapes without end": lambda: a_list('{"id":"c1","x":"' + r"\n" * (LARGEST_WHOLE // 2 - 50) + '"}'),
    "half characters": lambda: a_list('{"id":"c1","x":"' + r"\ud83d" * (LARGEST_WHOLE // 6 - 20) + '"}'),
    "a source of 100,000 numbers": lambda: a_list(
        f'{{"id":"c1","phoneCallView":[{{"source":{json.dumps(["1"] * 100_000)}}}]}}'
    ),
    "a source of a million numbers": lambda: a_list(
        f'{{"id":"c1","phoneCallView":[{{"source":{json.dumps(["1"] * 1_000_000)}}}]}}'
    ),
    "a call with a number of millions of digits": lambda: a_list('{"id":"c1","cost":' + "9" * 7_000_000 + "}"),
    "a call with a word a million times": lambda: a_list('{"id":"c1"' + ',"x":0' * 1_000_000 + "}"),
    "calls of numbers of thousands of digits": lambda: a_list(
        ",".join(f'{{"id":"c{n}","x":[{",".join(["9" * 4000] * 15)}]}}' for n in range(120))
    ),
    "an error beside it": lambda: f'{{"error":7,"x":[{",".join(["[]"] * 300_000)}]}}',
    "blanks without end": lambda: "[" + " " * 7_000_000,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
async def test_nobody_waits_for_a_hostile_list(
    raw: Any, connect: Callable[..., UnifiedApi], turns: Callable[[], Any], body: Callable[[], str]
) -> None:
    raw.replies = [http(200, body().encode())]
    api = connect(raw.url)
    async with turns() as measured:
        with suppress(PbxUnreachable):
            await api.list("@me", "@self")
    assert measured.longest < NOBODY_WAITS


Ask = Callable[[UnifiedApi], Awaitable[object]]
ABOUT_ONE: dict[str, Ask] = {
    "a call": lambda api: api.get("@me", "0003*210", "c1"),
    "a phone": lambda api: api.presence("@me", "0003*210"),
}


@pytest.mark.parametrize("ask", ABOUT_ONE.values(), ids=ABOUT_ONE)
@pytest.mark.parametrize("entry", ["{}", '{"id":"x","extension":"0003*210"}'])
async def test_nobody_waits_for_a_hostile_answer_about_one_call_or_phone(
    raw: Any, connect: Callable[..., UnifiedApi], turns: Callable[[], Any], ask: Ask, entry: str
) -> None:
    raw.replies = [http(200, a_list(",".join([entry] * (LARGEST_WHOLE // (len(entry) + 2)))).encode())]
    api = connect(raw.url)
    async with turns() as measured:
        with pytest.raises(PbxUnreachable):
            await ask(api)
    assert measured.longest < NOBODY_WAITS


async def test_of_what_was_refused_nothing_stays(raw: Any, connect: Callable[..., UnifiedApi]) -> None:
    raw.replies = [http(200, HOSTILE["more views in all than any floor has"]().encode())]
    api = connect(raw.url)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        with pytest.raises(PbxUnreachable):
            await api.list("@me", "@self")
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < LITTLE


# ── how much of one call is read ──


@pytest.mark.parametrize(("many", "read"), [(MOST_VIEWS_IN_CALL, True), (MOST_VIEWS_IN_CALL + 1, False)])
def test_a_call_with_more_views_than_anybody_could_follow_is_not_read(many: int, *, read: bool) -> None:
    assert (phone_call({"id": "c1", "phoneCallView": [{"id": "01"}] * many}) is not None) is read


@pytest.mark.parametrize(("many", "read"), [(MOST_PARTIES // 2, True), (MOST_PARTIES // 2 + 1, False)])
def test_a_call_with_more_parties_than_any_has_is_not_read(many: int, *, read: bool) -> None:
    views = [{"id": "01", "source": ["1"] * many}, {"id": "02", "destination": ["1"] * many}]
    assert (phone_call({"id": "c1", "phoneCallView": views}) is not None) is read


@pytest.mark.parametrize("text", ["x" * 9000, 10**4000])
def test_of_a_longer_text_the_beginning_is_kept(text: object) -> None:
    call = phone_call({"id": "c1", "phoneCallView": [{"id": "01", "callerId": text}]})
    assert call is not None
    assert call.views[0].caller_id == str(text)[:LONGEST_TEXT]
