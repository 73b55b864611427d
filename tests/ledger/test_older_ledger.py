"""A ledger that an older callbot has left is taken up: what was open goes on, and the audit log is whole.

`tests/samples/README.md` says how the samples were made, and what is in them.
"""

import csv
import io
import json
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData

from bot.alerts.alert import HELP_REQUEST_KEY, Alert, AlertState, Resolution, When, key_of
from bot.app.audit import Form, audit
from bot.domain.calls import PhoneSeen
from bot.domain.intervention import State, Why
from bot.domain.permissions import Permissions
from bot.interventions.outcomes import Outcome
from bot.ledger import schema
from bot.ledger.address import Address
from bot.ledger.audit_log import AuditEntry, AuditLog
from bot.ledger.database import Database
from bot.ledger.ledger import Ledger

SAMPLE = Path(__file__).parent.parent / "samples" / "ledger" / "revision_0005.db"
NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

Now = Callable[[], datetime]
Entries = Callable[..., Awaitable[list[AuditEntry]]]


@pytest.fixture
def sqlite_address(tmp_path: Path) -> str:
    """The sample itself, in a file that may be changed."""
    shutil.copy(SAMPLE, tmp_path / "callbot.db")
    return f"sqlite:///{tmp_path}/callbot.db"


@pytest.fixture
async def postgresql_address(new_database: Callable[..., Awaitable[str]], request: pytest.FixtureRequest) -> str:
    """A PostgreSQL ledger of that revision with the rows of the sample."""
    url = await new_database(f"sample_{abs(hash(request.node.nodeid)):x}")
    sample = Database.open_to_read(Address(f"sqlite:///{SAMPLE}"))
    rows = await sample.read(_rows)
    await sample.close()
    database = await Database.open(Address(url))
    await database.write(lambda connection: _fill(connection, rows))
    await database.close()
    return url


def _rows(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    tables = MetaData()
    tables.reflect(connection)
    return {
        table.name: [
            {name: _aware(value) for name, value in row.items()}
            for row in connection.execute(table.select()).mappings()
        ]
        for table in tables.sorted_tables
        if table.name != "alembic_version"
    }


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _fill(connection: Connection, rows: dict[str, list[dict[str, Any]]]) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "0005")
    tables = MetaData()
    tables.reflect(connection)
    for name, those in rows.items():
        connection.execute(tables.tables[name].insert(), those)


@pytest.fixture
async def taken_up(address: str) -> AsyncIterator[Ledger]:
    """The sample, opened by today's callbot a minute after it was left."""
    ledger = await Ledger.open(address, now=lambda: NOON + 120 * SECOND)
    yield ledger
    await ledger.close()


# ── interventions ──


async def test_every_open_intervention_is_taken_up_in_its_state(taken_up: Ledger) -> None:
    assert [(one.id, one.state, one.why) for one in await taken_up.tracked()] == [
        ("i01", State.CONNECTED, Why.NONE),
        ("i02", State.RINGING, Why.NONE),
        ("i03", State.ASKED, Why.ANSWER_LOST),
        ("i04", State.UNKNOWN, Why.ANSWER_LOST),
        ("i05", State.NOT_ANSWERED, Why.NONE),
        ("i06", State.RECORDING, Why.NONE),
        ("i07", State.RECORDING_STOPPED, Why.NONE),
        ("i08", State.NOT_CONFIRMED, Why.NONE),
        ("i15", State.CONNECTED, Why.NONE),
    ]


async def test_an_open_intervention_keeps_its_steps_its_call_and_its_proof(taken_up: Ledger) -> None:
    one = (await taken_up.tracked())[0]
    assert [(step.state, (step.at - NOON) / SECOND) for step in one.steps] == [
        (State.ASKED, 1),
        (State.RINGING, 2),
        (State.CONNECTED, 5),
    ]
    assert (one.supervisor, one.agent, one.phone, one.leg) == ("Ana Pop", "Bob Ionescu", "0003*024", "2")
    assert (one.call.id, [view.id for view in one.call.views]) == ("call01", ["1", "2"])


async def test_what_is_doubted_and_what_a_phone_showed_is_kept(taken_up: Ledger) -> None:
    tracked = {one.id: one for one in await taken_up.tracked()}
    assert (tracked["i15"].doubt, tracked["i15"].unseen) == (Why.LEFT, 1)
    assert tracked["i05"].phone_seen is PhoneSeen.NOT_REGISTERED


async def test_what_had_ended_keeps_its_end(taken_up: Ledger) -> None:
    cards = [f"card{number:02}" for number in range(9, 15)]
    ended = [one for card in cards for one in await taken_up.of_card(card)]
    assert [(one.state, one.why) for one in ended] == [
        (State.ENDED, Why.CALL_OVER),
        (State.ENDED, Why.LEFT),
        (State.ENDED, Why.SIDE_GONE),
        (State.ENDED, Why.REMOVED),
        (State.REFUSED, Why.NONE),
        (State.NOT_ANSWERED, Why.NONE),
    ]
    assert [(one.following, one.steps[-1].state) for one in ended] == [(False, one.state) for one in ended]


async def test_an_open_intervention_can_be_saved(taken_up: Ledger) -> None:
    one = (await taken_up.tracked())[0]
    await taken_up.save(one)
    assert (await taken_up.tracked())[0] == one


async def test_a_document_that_cannot_be_read_stops_no_other_one(address: str) -> None:
    database = await Database.open(Address(address))
    damage = "UPDATE interventions SET document = '{' WHERE id IN ('i02', 'i03')"
    await database.write(lambda connection: connection.exec_driver_sql(damage))
    await database.close()
    ledger = await Ledger.open(address, now=lambda: NOON)
    try:
        assert len(await ledger.tracked()) == 7
    finally:
        await ledger.close()


async def test_a_posted_card_is_found_and_a_post_that_had_begun_too(taken_up: Ledger) -> None:
    assert (await taken_up.posted("card01")).address == ("C0FLOOR", "1700000000.000100")
    assert (await taken_up.posted("a-snoozed")).pending == ("C0ALERTS", NOON + 30 * SECOND)


# ── alerts ──


async def test_every_open_alert_is_taken_up_in_its_state(taken_up: Ledger) -> None:
    found = {one.id: (one.when, one.state, one.open) for one in await taken_up.alerts.open_alerts()}
    assert found == {
        "a-open": (When.RINGING, AlertState.RAISED, True),
        "a-snoozed": (When.TALKING, AlertState.SNOOZED, True),
        "a-hold": (When.ON_HOLD, AlertState.RAISED, True),
        "a-parked": (When.PARKED, AlertState.RAISED, True),
        "a-help": (When.HELP_REQUESTED, AlertState.RAISED, True),
        "a-help-known": (When.HELP_REQUESTED, AlertState.RAISED, True),
    }


async def test_an_open_alert_keeps_its_steps_and_who_is_on_it(taken_up: Ledger) -> None:
    one = await _alert(taken_up, "a-open")
    assert [(step.state, step.at) for step in one.steps] == [(AlertState.RAISED, NOON + 20 * SECOND)]
    assert [(each.name, each.taken, each.doing) for each in one.helpers] == [
        ("Ana Pop", False, f"BargeIn {State.CONNECTED}"),
        ("Mia Ene", True, ""),
    ]


async def test_a_snoozed_alert_knows_who_snoozed_it_and_until_when(taken_up: Ledger) -> None:
    one = await _alert(taken_up, "a-snoozed")
    assert one.snoozed_until == NOON + timedelta(minutes=10, seconds=30)
    assert (one.steps[-1].state, one.steps[-1].who) == (AlertState.SNOOZED, "Ana Pop")


async def test_an_alert_is_found_by_its_key_so_none_is_raised_twice(taken_up: Ledger) -> None:
    everything = [await _alert(taken_up, each) for each in ("a-open", "a-help", "a-help-known", "a-answered")]
    assert set(await taken_up.alerts.alerts_of([one.key for one in everything])) == set(everything)


async def test_a_help_request_has_the_key_that_a_new_one_for_that_call_would_have(taken_up: Ledger) -> None:
    one = await _alert(taken_up, "a-help")
    assert one.key == key_of(HELP_REQUEST_KEY, one.call, "U0BOB")


async def test_a_help_request_that_was_raised_before_its_call_was_dated_is_found_by_its_first_key(
    taken_up: Ledger,
) -> None:
    one = await _alert(taken_up, "a-help-known")
    undated = one.call.model_copy(update={"published": None})
    assert one.key == key_of(HELP_REQUEST_KEY, undated, "U0DAN")


async def test_a_resolved_alert_says_how(taken_up: Ledger) -> None:
    for how in set(Resolution) - {Resolution.NONE}:
        one = await _alert(taken_up, f"a-{how.name.lower().replace('_', '-')}")
        assert (one.how, one.state, one.steps[-1].state) == (how, AlertState.RESOLVED, AlertState.RESOLVED)


async def test_a_channel_that_was_blind_is_known(taken_up: Ledger) -> None:
    assert [(card.id, card.place) for card in await taken_up.alerts.blind()] == [("blind1", "C0ALERTS")]


async def _alert(ledger: Ledger, alert_id: str) -> Alert:
    one = await ledger.alerts.alert(alert_id)
    assert one is not None
    return one


# ── the audit log ──

OUTCOMES = {
    "r-i01": Outcome.SENT,
    "r-refused": Outcome.REFUSED,
    "r-external": Outcome.REFUSED,
    "r-choice": Outcome.ASKED_WHICH_CALL,
    "r-answered": Outcome.ANSWERED,
    "r-kept": Outcome.MODE_NOT_CHANGED,
    "r-interrupted": Outcome.INTERRUPTED,
    "r-received": Outcome.RECEIVED,
}


async def test_a_request_that_was_cut_off_comes_back(taken_up: Ledger) -> None:
    assert [request.id for request in await taken_up.interrupted()] == ["r-received"]


@pytest.mark.usefixtures("taken_up")
async def test_every_request_is_in_the_audit_log_with_its_outcome(entries: Entries) -> None:
    found = {entry.id: entry.outcome for entry in await entries()}
    assert len(found) == 22
    assert {each: found[each] for each in OUTCOMES} == OUTCOMES


@pytest.mark.usefixtures("taken_up")
async def test_an_external_user_is_still_one(entries: Entries) -> None:
    assert [entry.id for entry in await entries() if entry.external] == ["r-external"]


@pytest.mark.usefixtures("taken_up")
async def test_every_row_has_a_code_of_today(address: str) -> None:
    database = Database.open_to_read(Address(address))
    for table, column, codes in (("requests", "outcome", Outcome), ("interventions", "state", State)):
        query = f"SELECT DISTINCT {column} FROM {table}"
        found = await database.read(partial(lambda query, at: at.exec_driver_sql(query).scalars().all(), query))
        assert set(found) == set(codes)
    await database.close()


async def test_the_audit_reads_the_ledger_before_it_is_taken_up(address: str, entries: Entries) -> None:
    before = await entries()
    await (await Ledger.open(address, now=lambda: NOON)).close()
    assert await entries() == before


@pytest.fixture
def written(address: str) -> Callable[[Form], Awaitable[str]]:
    """What `callbot audit` writes of the sample, which nobody has taken up."""

    async def written(form: Form) -> str:
        out = io.StringIO()
        audit_log = await AuditLog.open(address)
        try:
            assert await audit(audit_log, Permissions(), out, since=None, user=None, form=form) == 22
        finally:
            await audit_log.close()
        return out.getvalue()

    return written


WRITTEN = {
    "r-i01": ("sent", "connected"),
    "r-i02": ("sent", "ringing"),
    "r-i03": ("sent", "asked"),
    "r-i04": ("sent", "unknown"),
    "r-i05": ("sent", "not_answered"),
    "r-i06": ("sent", "recording"),
    "r-i07": ("sent", "recording_stopped"),
    "r-i08": ("sent", "not_confirmed"),
    "r-i09": ("sent", "ended"),
    "r-i13": ("sent", "refused"),
    "r-refused": ("refused", None),
    "r-choice": ("asked_which_call", None),
    "r-answered": ("answered", None),
    "r-kept": ("mode_not_changed", None),
    "r-interrupted": ("interrupted", None),
    "r-received": ("received", None),
}
"""Every outcome and every state, as the codes that scripts rely on."""


async def test_json_has_codes(written: Callable[[Form], Awaitable[str]]) -> None:
    found = {each["request"]: (each["outcome"], each["state"]) for each in json.loads(await written(Form.JSON))}
    assert {each: found[each] for each in WRITTEN} == WRITTEN


async def test_csv_has_the_codes_of_json(written: Callable[[Form], Awaitable[str]]) -> None:
    rows = csv.DictReader(io.StringIO(await written(Form.CSV)))
    found = {each["request"]: (each["outcome"], each["state"] or None) for each in rows}
    assert {each: found[each] for each in WRITTEN} == WRITTEN


async def test_the_table_has_words(written: Callable[[Form], Awaitable[str]]) -> None:
    table = re.sub(r"\s+", " ", await written(Form.TABLE))
    words = (
        "sent: Recording stopped",
        "sent: Not answered",
        "asked which call",
        "mode not changed",
        "interrupted before",
    )
    assert [each for each in words if each not in table] == []
    assert re.findall(r"\b[a-z]+_[a-z_]+\b", table) == []
