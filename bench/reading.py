"""One look at 10,000 live calls without HTTP: from the bytes of three pages to what 20 rules say of them."""

import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice

from pydantic import TypeAdapter

from bench import floors
from bench.figures import Figures
from bench.goals import Goal, ratio
from bot.alerts.evaluator import Evaluator
from bot.alerts.monitor import AT_A_TIME
from bot.alerts.tracked_call import RuleMatch
from bot.app.collecting import collect_rarely
from bot.domain.calls import PhoneCall
from bot.uapi.pages import Pages, Shown

KINDS = (("all new", ""), ("1 % changed", " later"), ("unchanged", " later"))
"""What a look shows, and the floor that is shown next for it."""


def measure_reading(rounds: int) -> Figures:
    """Pages to calls and what 20 rules say of them, without HTTP, next to pydantic-core alone.

    That reads the same bytes into the same models, and does nothing with them.
    """
    collect_rarely()
    figures, adapter = Figures(), TypeAdapter(list[PhoneCall])
    by_name = {name: _pages(entries) for name, entries in floors.floors()}
    whole = {name: b"[" + b",".join(dict(floors.floors())[name]) + b"]" for name in "AB"}
    watch = Evaluator()
    watch.use_rules(floors.the_rules(), {})
    shown, _ = _read(by_name["B later"], Shown())
    for _ in range(rounds):
        for name in "AB":
            for what, later in KINDS:
                before = shown
                begun = time.process_time()
                shown, calls = _read(by_name[name + later], before)
                figures.add(what, time.process_time() - begun)
                for _ in judged(watch, calls):
                    pass
                figures.add(f"{what}, judged", time.process_time() - begun)
            begun = time.process_time()
            read = adapter.validate_json(whole[name])
            figures.add("pydantic-core", time.process_time() - begun)
            del read
    return figures


def _pages(entries: list[bytes]) -> list[bytes]:
    return [floors.page(entries, start, count) for start, count in ((0, 1000), (950, 4300), (5000, 5000))]


def _read(pages: Iterable[bytes], before: Shown) -> tuple[Shown, list[PhoneCall]]:
    reading, calls = Pages(before), list[PhoneCall]()
    for body in pages:
        slices = reading.reading(200, body)
        while True:
            try:
                next(slices)
            except StopIteration as end:
                calls += end.value.entries
                break
    return reading.shown, calls


def judged(watch: Evaluator, calls: Iterable[PhoneCall]) -> Iterator[list[RuleMatch]]:
    """What 20 rules say of a look, in the slices of `bot.alerts.monitor`: what is due of each."""
    watch.begin_scan()
    left = iter(calls)
    while part := tuple(islice(left, AT_A_TIME)):
        yield watch.evaluate(part, floors.NOW)
    for _ in watch.end_scan(floors.NOW + timedelta(hours=1), complete=True):
        yield []


def goals_reading(reading: Figures) -> list[Goal]:
    """The lines of one look at 10,000 calls, without HTTP."""
    of, alone = reading.of, reading.of["pydantic-core"]
    return [
        Goal("10,000 calls, all new: bytes to calls", "ms", of["all new"]),
        Goal("  the same by pydantic-core alone", "ms", alone),
        ratio("  callbot / pydantic-core", of["all new"], alone),
        Goal("  bytes to judged by 20 rules", "ms", of["all new, judged"], most=250),
        ratio("  the same / pydantic-core's bytes to calls", of["all new, judged"], alone, most=1.3),
        Goal("10,000 calls, 1 % changed: bytes to calls", "ms", of["1 % changed"]),
        ratio("  the same / all new", of["1 % changed"], of["all new"]),
        Goal("  bytes to judged by 20 rules", "ms", of["1 % changed, judged"]),
        ratio("  the same / all new", of["1 % changed, judged"], of["all new, judged"], most=0.25),
        ratio("  the same / pydantic-core's bytes to calls, all new", of["1 % changed, judged"], alone),
        Goal("10,000 calls, none changed: bytes to judged", "ms", of["unchanged, judged"]),
    ]
