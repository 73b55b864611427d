"""A claim that waits for the ledger: what was allowed before it must still be so after it, or nothing is sent."""

import sqlite3
from collections.abc import AsyncIterator, MutableMapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.ledger.ledger import Ledger
from bot.sandbox.pbx.phones import Intervention
from bot.sandbox.pbx.server import Fault

CALLER = {"caller": "+15550142", "caller_name": "Carla Caller", "to": "0003*210"}
READ = "/phoneCalls/12/0003*210"
LONG = 1.1
"""Seconds after which a call is read again."""


class Hold:
    """Another process that has the ledger's file locked, while a claim waits for it."""

    def __init__(self, house: Any, events: list[MutableMapping[str, Any]]) -> None:
        self.events = events
        self._house = house
        self._file = sqlite3.connect(house.folder / "callbot.db", isolation_level=None)
        self._since = 0.0

    async def logged(self, event: str, times: int = 1) -> None:
        """Wait until the log has this event so often."""
        workspace = self._house.workspace
        await workspace.until(lambda: len([one for one in self.events if one["event"] == event]) >= times)

    async def on(self, request: Any, times: int = 1) -> None:
        """Make the request: the call is read and the action allowed, and the claim waits for the ledger."""
        self._house.pbx.meanwhile.after(READ, lambda: self._file.execute("BEGIN IMMEDIATE"))
        await request
        await self.logged("allowed", times)
        self._since = monotonic()

    async def change_config(self, old: str, new: str) -> None:
        """Change callbot.toml. It holds when this returns."""
        self._house.change_config(old, new)
        await self.logged("config_applied")

    def end(self) -> None:
        """Let the ledger take writes again."""
        self._file.execute("ROLLBACK")

    async def end_late(self) -> None:
        """Let the ledger take writes again, once the call has been read too long ago."""
        await self._house.workspace.until(lambda: monotonic() > self._since + LONG)
        self.end()

    def close(self) -> None:
        self._file.close()


@pytest.fixture
async def hold(empty_house: Any) -> AsyncIterator[Hold]:
    """The house's bot reads its configuration often."""
    empty_house.config = empty_house.config.replace('contact = "U0ANA"', "")
    with capture_logs() as events:
        await empty_house.start_bot(config_every=0.05)
        hold = Hold(empty_house, events)
        yield hold
        hold.close()


@pytest.fixture
def house(empty_house: Any, hold: Hold) -> Any:
    return empty_house


async def nothing_of_it_is_left(house: Any, rule: str) -> None:
    """Nothing was sent, the audit says why, and the same may be asked for again."""
    assert house.actions() == []
    entry = (await house.audit_log())[-1]
    assert (entry.outcome, entry.rule, entry.state, entry.extension) == ("refused", rule, None, "0003*210")
    async with aiohttp.ClientSession() as session:
        answer = await session.get(f"http://127.0.0.1:{house.bots[-1].metrics_port}/metrics")
        assert "callbot_open_interventions 0.0" in (await answer.text()).splitlines()


CHANGES = {
    "the person is removed": ("[users.U0ANA]", "[users.U0NEW]", "I don't know you yet", "unknown person"),
    "the action is taken away": (
        *('actions = ["Monitor", "Whisper", ', 'actions = ["Whisper", ', "None of your roles allows Monitor"),
        "action",
    ),
    "the channel is taken away": (
        *('extensions = ["0003*2XX"]', 'extensions = ["0003*2XX"]\nchannels = ["C0STAFF"]'),
        *("but not from this conversation", "channel"),
    ),
    "the caller is protected": ('"+15550199"', '"+15550142"', "This call is over, was never", "protected party"),
    "the phone is another one": ('"0003*024"', '"0003*026"', "The configuration has just changed", "no suitable call"),
    "the extension's owner is another one": (
        *('uapi_user = "12"', 'uapi_user = "14"', "The configuration has just changed", "no suitable call"),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_the_rules_refuse_when_the_claim_is_written_is_not_sent(house: Any, hold: Hold, change: str) -> None:
    old, new, words, rule = CHANGES[change]
    house.talk()
    typed = house.ana_types("/monitor 0003*210")
    await hold.on(typed)
    await hold.change_config(old, new)
    hold.end()
    answer = await house.told("U0ANA", words)
    assert "Nothing was sent." in "\n".join(answer.lines())
    await nothing_of_it_is_left(house, rule)


async def test_a_card_for_which_the_channel_is_no_longer_silent_is_not_posted_there(house: Any, hold: Hold) -> None:
    house.talk()
    await hold.on(house.workspace.type("U0ANA", "C0STAFF", "/monitor 0003*210"))
    await hold.change_config('silent_in = ["C0STAFF"]', "silent_in = []")
    hold.end()
    await house.told("U0ANA", "The configuration has just changed")
    assert (house.actions(), house.cards("C0STAFF")) == ([], [])


def over(house: Any, call: str) -> None:
    house.floor.hang_up(call)


def another_under_the_same_id(house: Any, call: str) -> None:
    house.floor.hang_up(call)
    house.floor.talk(caller="+15550143", to="0003*210", call_id=call)
    house.floor.call(call).published += timedelta(minutes=1)


def joined_by_a_protected_party(house: Any, call: str) -> None:
    house.floor.call(call).view("01").source.append("+15550199")


def without_that_view(house: Any, call: str) -> None:
    house.floor.call(call).view("01").id = "07"


def on_the_phone_of_the_asker(house: Any, call: str) -> None:
    house.floor.intervene(Intervention("Monitor", call, "01", "0003*024", "", 25.0))
    house.floor.lift("0003*024")


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (over, ("This call is over", "no suitable call")),
        (another_under_the_same_id, ("This call is over", "no suitable call")),
        (joined_by_a_protected_party, ("This call is over", "protected party")),
        (without_that_view, ("The call has just changed", "no suitable call")),
        (on_the_phone_of_the_asker, ("You are in this call already", "already in the call")),
    ],
)
async def test_a_call_that_is_another_one_after_a_long_claim_is_not_acted_on(
    house: Any, hold: Hold, change: Any, outcome: tuple[str, str]
) -> None:
    words, rule = outcome
    call = house.talk()
    await hold.on(house.ana_types("/monitor 0003*210"))
    change(house, call)
    await hold.end_late()
    answer = await house.told("U0ANA", words)
    assert "Nothing was sent." in "\n".join(answer.lines())
    await nothing_of_it_is_left(house, rule)


async def test_a_call_that_cannot_be_read_again_is_not_acted_on(house: Any, hold: Hold) -> None:
    house.talk()
    await hold.on(house.ana_types("/monitor 0003*210"))
    house.pbx.faults.add(Fault("html 502", path_contains=READ, times=None))
    await hold.end_late()
    await house.told("U0ANA", "nothing was sent")
    await nothing_of_it_is_left(house, "pbx PbxUnreachable")


async def test_the_same_may_be_asked_for_again_after_a_claim_that_was_withdrawn(house: Any, hold: Hold) -> None:
    call = house.talk()
    await hold.on(house.ana_types("/monitor 0003*210"))
    without_that_view(house, call)
    await hold.end_late()
    await house.told("U0ANA", "The call has just changed")
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")
    assert house.actions() == ["Monitor"]


async def test_a_call_that_goes_on_as_it_was_is_acted_on_after_a_long_claim(house: Any, hold: Hold) -> None:
    house.talk()
    await hold.on(house.ana_types("/monitor 0003*210"))
    await hold.end_late()
    await house.card("Ringing")
    assert (house.actions(), len([one for one in hold.events if one["event"] == "read_again"])) == (["Monitor"], 1)


async def test_a_quick_claim_reads_the_call_once(house: Any) -> None:
    house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.puts(1)
    put = house.pbx.puts()[0].at
    assert len([seen for seen in house.pbx.requests if READ in seen.path and seen.at < put]) == 1


# ── the phone meanwhile ──


def talk_on_the_phone_of_the_asker(house: Any) -> str:
    return str(house.floor.talk(caller="+15550144", to="0003*024"))


async def waits_for_the_phone(house: Any, hold: Hold) -> str:
    """The phone became busy while the claim waited for the ledger; the call that it is busy with."""
    house.talk()
    await hold.on(house.ana_types("/monitor 0003*210"))
    other = talk_on_the_phone_of_the_asker(house)
    await hold.end_late()
    await house.card("Asked: your phone is busy")
    return other


async def test_a_phone_that_is_busy_after_a_long_claim_is_waited_for(house: Any, hold: Hold) -> None:
    other = await waits_for_the_phone(house, hold)
    assert house.actions() == []
    house.floor.hang_up(other)
    await house.card("Ringing")
    assert (house.actions(), len(house.cards("U0ANA"))) == (["Monitor"], 1)


async def test_another_supervisor_may_act_while_a_withdrawn_claim_waits_for_the_phone(house: Any, hold: Hold) -> None:
    await hold.change_config('extensions = ["0003*3XX"]', 'extensions = ["0003*2XX"]')
    house.floor.ring(**CALLER)
    await hold.on(house.ana_types("/pickup 0003*210"))
    talk_on_the_phone_of_the_asker(house)
    await hold.end_late()
    await house.card("Asked: your phone is busy", "C0FLOOR")
    await house.workspace.type("U0LIS", "C0FLOOR", "/pickup 0003*210")
    await house.puts(1)
    assert [put.json["sendCallTo"] for put in house.pbx.puts()] == ["0003*025"]


async def test_a_restart_tells_the_person_whose_withdrawn_claim_waited_for_the_phone(house: Any, hold: Hold) -> None:
    await waits_for_the_phone(house, hold)
    ledger = await Ledger.open(house.environment()["DATABASE_URL"], now=lambda: datetime.now(UTC))
    [request] = await ledger.interrupted()
    await ledger.close()
    assert request.said == "/monitor 0003*210"


async def test_ring_now_anyway_rings_a_phone_that_became_busy_during_a_long_claim(house: Any, hold: Hold) -> None:
    house.floor.extension("0003*024").call_waiting = True
    await waits_for_the_phone(house, hold)
    await house.workspace.click("U0ANA", await house.card("Asked"), "Ring anyway")
    await house.puts(1)
    assert house.actions() == ["Monitor"]


async def test_a_phone_that_is_not_registered_after_a_long_claim_is_not_rung(house: Any, hold: Hold) -> None:
    house.talk()
    await hold.on(house.ana_types("/monitor 0003*210"))
    house.floor.extension("0003*024").registered = False
    await hold.end_late()
    answer = await house.told("U0ANA", "Your phone 0003*024 is not registered.")
    assert [button.label for button in answer.buttons()] == ["Ring anyway"]
    await nothing_of_it_is_left(house, "phone not registered")


async def test_ring_anyway_does_not_ask_about_the_phone_after_a_long_claim(house: Any, hold: Hold) -> None:
    house.talk()
    house.floor.extension("0003*024").registered = False
    await house.ana_types("/monitor 0003*210")
    answer = await house.told("U0ANA", "is not registered")
    await hold.on(house.workspace.click("U0ANA", answer, "Ring anyway"))
    await hold.end_late()
    await house.puts(1)
    assert len([seen for seen in house.pbx.requests if seen.path.endswith("/presence")]) == 1


# ── one path for all ──


async def test_a_change_of_mode_is_asked_about_again_after_its_claim(house: Any, hold: Hold) -> None:
    call = house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.card("Ringing")
    house.floor.lift("0003*024")
    await house.workspace.click("U0ANA", await house.card("Connected"), "Whisper")
    cards = await house.workspace.until(lambda: [card for card in house.cards("U0ANA") if "Hang up" in card.text])

    async def anyway() -> None:
        await house.workspace.click("U0ANA", cards[-1], "Ring now anyway")

    await hold.on(anyway(), times=2)
    await hold.change_config('"+15550199"', '"+15550142"')
    hold.end()
    await house.told("U0ANA", "This call is over, was never")
    assert (house.actions(), house.floor.call(call) is not None) == (["Monitor"], True)


async def test_ring_anyway_is_asked_about_again_after_its_claim(house: Any, hold: Hold) -> None:
    house.talk()
    house.floor.extension("0003*024").registered = False
    await house.ana_types("/monitor 0003*210")
    answer = await house.told("U0ANA", "is not registered")
    await hold.on(house.workspace.click("U0ANA", answer, "Ring anyway"))
    await hold.change_config('"+15550199"', '"+15550142"')
    hold.end()
    await house.told("U0ANA", "This call is over, was never")
    assert house.actions() == []
