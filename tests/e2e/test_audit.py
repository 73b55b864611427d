"""callbot audit: the audit log of a real ledger that is in use, as a table, CSV and JSON."""

import asyncio
import csv
import io
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import bot as bot_package
from bot.app.audit import Form, write_audit
from bot.app.settings import OwnSettings, read_part
from bot.domain.commands import Request
from bot.domain.errors import WrongUsage
from bot.interventions.outcomes import Outcome
from bot.ledger.audit_log import AuditLog
from bot.ledger.failures import LedgerUnavailable
from bot.ledger.ledger import Ledger
from bot.ledger.single_run import SingleRun

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CONFIG = """
[users.U0ANA]
name = "Ana Pop"
extension = "0003*024"

[users.U0BOB]
name = "Bob Ionescu"
extension = "0003*210"
"""


class Desk:
    """A ledger in a folder of its own, and the audit of it."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.folder = folder
        self.ledger = ledger
        self.remarks: list[str] = []
        self._number = 0
        (folder / "callbot.toml").write_text(CONFIG)

    @property
    def environment(self) -> dict[str, str]:
        """All that an audit needs."""
        return {
            "DATABASE_URL": f"sqlite:///{self.folder}/callbot.db",
            "CALLBOT_CONFIG": str(self.folder / "callbot.toml"),
        }

    async def asked(self, said: str = "/monitor 210", *, at: datetime = NOON, user: str = "U0ANA", **more: Any) -> None:
        """Somebody asked for something, and was refused by a rule."""
        self._number += 1
        name = f"r{self._number:05}"
        request = Request(id=name, trigger=name, slack_user=user, channel="C0FLOOR", said=said, at=at, **more)
        await self.ledger.begin(request)
        await self.ledger.conclude(
            name, Outcome.REFUSED, rule="action", allowed=False, extension="0003*210", call_id="c1"
        )

    async def audit(self, form: Form = Form.TABLE, *, since: str | None = None, user: str | None = None) -> str:
        out = io.StringIO()
        settings = read_part(OwnSettings, self.environment)
        now = NOON + timedelta(hours=1)
        await write_audit(settings, out, self.remarks.append, since=since, user=user, form=form, now=now)
        return out.getvalue()

    async def records(self, **options: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(await self.audit(Form.JSON, **options))
        return found


@pytest.fixture
async def desk(tmp_path: Path, empty_ledger: Path) -> AsyncIterator[Desk]:
    shutil.copy(empty_ledger, tmp_path)
    ledger = await Ledger.open(f"sqlite:///{tmp_path}/callbot.db", now=lambda: NOON)
    yield Desk(tmp_path, ledger)
    await ledger.close()


async def test_json_says_who_asked_for_what_when_on_whom_from_where_and_what_came_of_it(desk: Desk) -> None:
    await desk.asked()
    assert await desk.records() == [
        {
            "at": "2026-11-20T12:00:00Z",
            "user": "U0ANA",
            "name": "Ana Pop",
            "external": False,
            "channel": "C0FLOOR",
            "said": "/monitor 210",
            "extension": "0003*210",
            "agent": "Bob Ionescu",
            "call": "c1",
            "allowed": False,
            "rule": "action",
            "outcome": "refused",
            "state": None,
            "request": "r00001",
        }
    ]


async def test_csv_has_a_header_and_quotes_what_needs_it(desk: Desk) -> None:
    await desk.asked('/calls "a,b"')
    (row,) = csv.DictReader(io.StringIO(await desk.audit(Form.CSV)))
    assert (row["at"], row["name"], row["said"], row["allowed"]) == (
        "2026-11-20T12:00:00Z",
        "Ana Pop",
        '/calls "a,b"',
        "no",
    )


async def test_csv_never_begins_a_cell_with_a_formula(desk: Desk) -> None:
    await desk.asked("=cmd|' /C calc'!A0")
    (row,) = csv.DictReader(io.StringIO(await desk.audit(Form.CSV)))
    assert row["said"] == "'=cmd|' /C calc'!A0"


async def test_a_table_shows_what_was_typed_without_what_acts_on_a_terminal(desk: Desk) -> None:
    await desk.asked("/calls \x1b[2J\u202e[red]")
    table = await desk.audit()
    assert "/calls \\x1b[2J\\u202e[red]" in table
    assert "\x1b" not in table


async def test_a_table_names_people_and_rule(desk: Desk) -> None:
    await desk.asked()
    row = (await desk.audit()).splitlines()[-1]
    told = ("2026-11-20 12:00:00", "Ana Pop, C0FLOOR", "/monitor 210", "Bob Ionescu 0003*210", "no: action", "refused")
    assert [words for words in told if words not in row] == []


async def test_the_newest_stands_last(desk: Desk) -> None:
    for minutes in (2, 1, 3):
        await desk.asked(f"{minutes}", at=NOON + timedelta(minutes=minutes))
    assert [record["said"] for record in await desk.records()] == ["1", "2", "3"]


async def test_since_leaves_out_what_is_older(desk: Desk) -> None:
    await desk.asked("old", at=NOON - timedelta(hours=2))
    await desk.asked("new")
    assert [record["said"] for record in await desk.records(since="2h")] == ["new"]


@pytest.mark.parametrize("who", ["U0BOB", "Bob Ionescu", "bob"])
async def test_the_requests_of_one_person_are_found_by_id_and_name(desk: Desk, who: str) -> None:
    await desk.asked("Ana's")
    await desk.asked("Bob's", user="U0BOB")
    assert [record["said"] for record in await desk.records(user=who)] == ["Bob's"]


async def test_somebody_of_another_workspace_has_no_name_of_ours(desk: Desk) -> None:
    await desk.asked(external=True)
    (record,) = await desk.records()
    assert (record["name"], record["external"]) == (None, True)


async def test_without_a_configuration_ids_stand_for_names(desk: Desk) -> None:
    (desk.folder / "callbot.toml").write_text("[users")
    await desk.asked()
    (record,) = await desk.records()
    assert (record["user"], record["name"]) == ("U0ANA", None)
    assert "ids stand for names" in desk.remarks[0]


async def test_without_a_configuration_nobody_is_found_by_name(desk: Desk) -> None:
    (desk.folder / "callbot.toml").unlink()
    with pytest.raises(WrongUsage):
        await desk.audit(user="Ana Pop")


@pytest.mark.parametrize(("form", "empty"), [(Form.TABLE, ""), (Form.JSON, "[]\n")])
async def test_where_nothing_was_asked_that_is_said_beside_the_audit(desk: Desk, form: Form, empty: str) -> None:
    assert await desk.audit(form) == empty
    assert desk.remarks == ["Nothing was asked yet."]


async def test_a_ledger_that_is_not_there_is_said_to_be_so_and_not_made(desk: Desk) -> None:
    for path in desk.folder.glob("callbot.db*"):
        path.unlink()
    with pytest.raises(LedgerUnavailable, match="There is no ledger yet"):
        await desk.audit()
    assert list(desk.folder.glob("callbot.db*")) == []


async def test_a_ledger_without_tables_is_left_without(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    with pytest.raises(LedgerUnavailable, match="There is no ledger yet"):
        await AuditLog.open(f"sqlite:///{tmp_path}/empty.db")
    assert (tmp_path / "empty.db").stat().st_size == 0


async def test_a_running_callbot_is_not_in_the_way(desk: Desk) -> None:
    async with SingleRun(desk.environment["DATABASE_URL"]):
        await desk.asked()
        assert len(await desk.records()) == 1


async def test_every_request_is_read_once_however_many_pieces_it_takes(desk: Desk) -> None:
    for number in range(23):
        await desk.asked(f"{number:02}", at=NOON + timedelta(seconds=number // 7))
    audit_log = await AuditLog.open(desk.environment["DATABASE_URL"])
    pieces = [piece async for piece in audit_log.pieces(at_once=5)]
    await audit_log.close()
    assert [len(piece) for piece in pieces] == [5, 5, 5, 5, 3]
    assert [entry.said for piece in pieces for entry in piece] == [f"{number:02}" for number in range(23)]


async def test_reading_does_not_keep_others_from_writing(desk: Desk) -> None:
    for number in range(6):
        await desk.asked(f"{number}", at=NOON + timedelta(seconds=number))
    audit_log = await AuditLog.open(desk.environment["DATABASE_URL"])
    said = []
    async for piece in audit_log.pieces(at_once=3):
        said += [entry.said for entry in piece]
        if len(said) == 3:
            await desk.asked("meanwhile", at=NOON + timedelta(minutes=1))
    await audit_log.close()
    assert said == ["0", "1", "2", "3", "4", "5", "meanwhile"]


# ── the command itself ──

Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def run(desk: Desk) -> Run:
    """`await run("--format", "csv")` → exit code, output, errors."""

    async def run(*words: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "audit", *words),
            cwd=desk.folder,
            env={
                "PATH": os.environ["PATH"],
                "TZ": "Asia/Tokyo",
                "PYTHONPATH": str(Path(bot_package.__file__).parents[1]),
                **desk.environment,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await asyncio.wait_for(process.communicate(), 20)
        return process.returncode or 0, out.decode(), errors.decode()

    return run


async def test_the_command_needs_no_settings_of_slack_and_pbx(desk: Desk, run: Run) -> None:
    await desk.asked()
    code, out, _ = await run("--format", "json")
    assert (code, [record["said"] for record in json.loads(out)]) == (0, ["/monitor 210"])


async def test_a_day_begins_at_midnight_utc_wherever_the_machine_is(desk: Desk, run: Run) -> None:
    await desk.asked("the day before", at=datetime(2026, 11, 19, 23, 0, tzinfo=UTC))
    await desk.asked("that day", at=datetime(2026, 11, 20, 0, 0, tzinfo=UTC))
    _, out, _ = await run("--format", "json", "--since", "2026-11-20")
    assert [record["said"] for record in json.loads(out)] == ["that day"]


async def test_a_time_that_is_none_is_wrong_usage(desk: Desk, run: Run) -> None:
    code, out, errors = await run("--since", "yesterday")
    assert (code, out) == (2, "")
    assert "--since yesterday is no time. Write how long ago (30m, 2h, 7d)" in errors
