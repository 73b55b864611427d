"""callbot check --try: one Monitor on a test call, from the permissions to the end of the call, with the real PBX of the sandbox."""

import asyncio
import itertools
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import bot as bot_package
from bot.app.check.pbx import unified_api
from bot.app.check.probe import (
    NotConfirmed,
    Probe,
    ProbeLedger,
    ProbeOptions,
    ProbeSettings,
    at_the_terminal,
    supervisor,
)
from bot.app.check.probe_report import LastAnswer, Report
from bot.app.live_config import check_files, read_files
from bot.app.settings import read_part
from bot.domain.errors import (
    AlreadyAsked,
    AlreadyInCall,
    NotAuthorized,
    NotSuitable,
    PbxError,
    SendCallToInvalid,
    WrongUsage,
)
from bot.domain.intervention import State
from bot.domain.permissions import Permissions
from bot.interventions.outcomes import Outcome
from bot.ledger.audit_log import AuditEntry, AuditLog
from bot.ledger.ledger import Ledger
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import Fault, SandboxPbx
from bot.uapi.client import pbx_session

CONFIG = (Path(__file__).parent / "callbot.toml").read_text()
ANA = ProbeOptions("0003*210", supervisor="U0ANA")


class Stage:
    """PBX, ledger and configuration; `try_(options)` is one probe, reported in `said`, with a clock that is quicker than ours."""

    def __init__(self, folder: Path, ledger: ProbeLedger) -> None:
        self.folder = folder
        self.ledger = ledger
        self.late = timedelta()
        """How much the clock has been moved on."""
        self.cut_off_at: str | None = None
        """The words after which Ctrl-C ends the probe."""
        self._probe: asyncio.Task[object] | None = None
        self.floor = Floor(self.now)
        self.pbx = SandboxPbx(self.floor)
        self.floor.add_extension("0003*024", user="3", name="Ana Pop", answers_after=0.0)
        self.floor.add_extension("0003*210", user="12", name="Bob Ionescu")
        self.floor.add_extension("0003*299", user="14", name="Pia Protected")
        self.said: list[str] = []
        self.differs: list[str] = []
        self._number = itertools.count()
        (folder / "callbot.toml").write_text(CONFIG)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.late

    @property
    def environment(self) -> dict[str, str]:
        return {
            "UAPI_URL": self.pbx.url,
            "UAPI_CLIENT_ID": "sandbox-app",
            "UAPI_CLIENT_SECRET": "sandbox-secret",
            "CALLBOT_CONFIG": str(self.folder / "callbot.toml"),
            "DATABASE_URL": f"sqlite:///{self.folder}/callbot.db",
        }

    def permissions(self) -> Permissions:
        path = self.folder / "callbot.toml"
        return check_files(read_files(path), str(path)).permissions

    def talk(self, **more: str) -> str:
        """The test call."""
        return self.floor.talk(**({"caller": "+15550142", "caller_name": "Carla Caller", "to": "0003*210"} | more))

    async def try_(self, options: ProbeOptions = ANA, *, ask: Callable[[str], bool] = lambda question: True) -> bool:
        last = LastAnswer()
        report = Report(self.said.append, lambda finding: self.said.append(str(finding)), self.now)
        self._probe = asyncio.current_task()
        async with pbx_session() as session:
            probe = Probe(
                api=unified_api(session, read_part(ProbeSettings, self.environment), last),
                last=last,
                ledger=self.ledger,
                permissions=self.permissions(),
                report=report,
                ask=ask,
                now=self.now,
                sleep=self._sleep,
                new_id=lambda: f"id{next(self._number)}",
            )
            try:
                return await probe.run(options)
            finally:
                self.differs = [one.topic for one in report.differs()]

    async def _sleep(self, seconds: float) -> None:
        """No time passes but that of the clock; people do what the report has told them."""
        self.late += timedelta(seconds=seconds)
        done = "\n".join(self.said)
        if self.cut_off_at is not None and self.cut_off_at in done and self._probe is not None:
            self._probe.cancel()
            await asyncio.sleep(0)
        for call in self.floor.calls():
            if "Hang up your phone now." in done:
                self.floor.leave(call.id, "0003*024")
        if "Now end the test call." in done:
            for call in self.floor.calls():
                self.floor.hang_up(call.id)
        await asyncio.sleep(0.005)

    async def audit_log(self) -> list[AuditEntry]:
        audit_log = await AuditLog.open(self.environment["DATABASE_URL"])
        try:
            return [entry async for piece in audit_log.pieces() for entry in piece]
        finally:
            await audit_log.close()

    async def entry(self) -> AuditEntry:
        """The only one there is."""
        (entry,) = await self.audit_log()
        return entry


@pytest.fixture
async def stage(tmp_path: Path, empty_ledger: Path) -> AsyncIterator[Stage]:
    shutil.copy(empty_ledger, tmp_path)
    ledger = await ProbeLedger.open(f"sqlite:///{tmp_path}/callbot.db", now=lambda: datetime.now(UTC))
    stage = Stage(tmp_path, ledger)
    await stage.pbx.start()
    yield stage
    await stage.pbx.stop()
    await ledger.close()


# ── what is sent, and written down ──


async def test_one_monitor_goes_out_for_the_persons_own_phone(stage: Stage) -> None:
    call = stage.talk()
    assert await stage.try_()
    (put,) = stage.pbx.puts()
    assert put.path == f"/uapi/phoneCalls/12/0003*210/{call}"
    assert put.json == {"action": "Monitor", "sendCallTo": "0003*024", "waitForPickup": "20", "phoneCallViewId": "01"}


async def test_it_is_in_the_audit_as_a_request_of_that_person_at_the_terminal(stage: Stage) -> None:
    call = stage.talk()
    await stage.try_()
    entry = await stage.entry()
    assert (entry.slack_user, entry.channel, entry.said) == ("U0ANA", "terminal", "check --try 0003*210")
    assert (entry.extension, entry.call_id, entry.outcome) == ("0003*210", call, Outcome.SENT)
    assert (entry.allowed, entry.rule, entry.state) == (True, "role supervisor, at the terminal", State.ENDED)


async def test_nothing_is_claimed_or_followed_afterwards(stage: Stage) -> None:
    stage.talk()
    await stage.try_()
    assert await stage.ledger.tracked() == ()


async def test_what_somebody_has_claimed_is_refused(stage: Stage) -> None:
    stage.talk()
    stage.floor.add_extension("0003*024", user="3", name="Ana Pop")
    holding = asyncio.ensure_future(stage.try_())
    await stage.pbx.until(stage.pbx.puts)
    with pytest.raises(AlreadyAsked):
        await Stage.try_(stage, ask=lambda question: True)
    holding.cancel()
    await asyncio.wait([holding])
    assert len(stage.pbx.puts()) == 1


async def test_a_probe_that_is_cut_off_leaves_no_claim(stage: Stage) -> None:
    stage.talk()
    stage.floor.add_extension("0003*024", user="3", name="Ana Pop")
    probe = asyncio.ensure_future(stage.try_())
    await stage.pbx.until(stage.pbx.puts)
    probe.cancel()
    await asyncio.wait([probe])
    assert await stage.ledger.tracked() == ()


async def test_each_probe_of_a_call_has_a_card_of_its_own(stage: Stage) -> None:
    call = stage.talk()
    stage.floor.add_extension("0003*024", user="3", name="Ana Pop")
    stage.cut_off_at = "answer your phone now"
    for _ in range(2):
        with pytest.raises(asyncio.CancelledError):
            await stage.try_()
        stage.said.clear()
    ledger = await Ledger.open(stage.environment["DATABASE_URL"], now=stage.now)
    first, second = await ledger.of_call("U0ANA", call)
    await ledger.close()
    assert first.card != second.card


@pytest.mark.parametrize(
    ("answers_after", "word", "left"),
    [
        (None, "answer your phone now", "Stopped. Ana Pop's phone, 0003*024, may still ring"),
        (0.0, "You are in the call", "Stopped. Ana Pop's phone, 0003*024, may still be in the call"),
        (0.0, "Now end the test call", "Stopped. Nothing rings any more."),
    ],
    ids=["while the phone rings", "while in the call", "after hanging up"],
)
async def test_a_probe_that_is_cut_off_says_what_is_left_and_sums_up(
    stage: Stage, answers_after: float | None, word: str, left: str
) -> None:
    stage.talk()
    stage.floor.add_extension("0003*024", user="3", name="Ana Pop", answers_after=answers_after)
    stage.cut_off_at = word
    with pytest.raises(asyncio.CancelledError):
        await stage.try_()
    told = "\n".join(stage.said)
    assert (left in told, "Summary, to be copied" in told.partition("Stopped.")[2]) == (True, True)


async def test_of_a_probe_that_is_cut_off_the_audit_shows_what_was_last_seen(stage: Stage) -> None:
    stage.talk()
    stage.cut_off_at = "You are in the call"
    with pytest.raises(asyncio.CancelledError):
        await stage.try_()
    assert ((await stage.entry()).outcome, (await stage.entry()).state) == (Outcome.SENT, State.CONNECTED)


# ── what is reported ──


async def test_the_steps_are_reported_up_to_the_end_of_the_call(stage: Stage) -> None:
    stage.talk()
    await stage.try_()
    told = "\n".join(stage.said)
    steps = ("Ringing", "answer your phone now", "Connected", "Hang up your phone", "Ended", "end the test call")
    assert [step for step in steps if step not in told] == []


async def test_the_form_of_every_answer_is_compared(stage: Stage) -> None:
    stage.talk()
    await stage.try_()
    assert stage.differs == ["call that is over"]


@pytest.mark.parametrize(
    ("form", "value", "differs"),
    [
        ("single", "envelope", "call: form"),
        ("caller_id", "callerID", "call: caller id"),
        ("action", 200, "PUT"),
        ("action", 204, "PUT: body"),
    ],
)
async def test_a_pbx_of_another_form_is_reported_to_differ(
    stage: Stage, form: str, value: object, differs: str
) -> None:
    setattr(stage.pbx.forms, form, value)
    stage.talk()
    await stage.try_()
    assert differs in stage.differs


async def test_the_end_of_a_call_is_as_documented_where_it_is_204(stage: Stage) -> None:
    stage.pbx.forms.gone = "204"
    stage.talk()
    await stage.try_()
    assert stage.differs == []


async def test_the_summary_holds_no_name_number_or_id(stage: Stage) -> None:
    call = stage.talk()
    await stage.try_()
    summary = "\n".join(stage.said).partition("Summary")[2]
    values = (call, "Ana", "Bob", "Carla", "15550142", "0003", "024", "U0ANA", stage.pbx.url)
    assert [value for value in values if value in summary] == []


async def test_no_caller_is_named_anywhere(stage: Stage) -> None:
    stage.talk()
    await stage.try_()
    told = "\n".join(stage.said)
    assert [value for value in ("Carla", "15550142", "sandbox-secret") if value in told] == []


async def test_a_phone_that_nobody_answers_is_reported_as_not_answered(stage: Stage) -> None:
    stage.floor.add_extension("0003*024", user="3", name="Ana Pop")
    stage.talk()
    assert not await stage.try_()
    assert (await stage.entry()).state is State.NOT_ANSWERED
    assert "new view" in stage.differs


async def test_a_refusal_of_the_pbx_is_reported_with_its_code(stage: Stage) -> None:
    stage.floor.add_extension("0003*024", user="3", name="Ana Pop", kind="queue")
    stage.talk()
    assert not await stage.try_()
    assert "pc_sendcallto_invalid" in "\n".join(stage.said)
    assert SendCallToInvalid.advice in "\n".join(stage.said)


async def test_a_lost_answer_is_reported_and_the_call_is_polled(stage: Stage) -> None:
    stage.pbx.faults.add(Fault("cut after", method="PUT"))
    stage.talk()
    assert await stage.try_()
    assert len(stage.pbx.puts()) == 1
    assert "PUT" in stage.differs


async def test_a_call_that_ends_before_anybody_listens_is_reported(stage: Stage) -> None:
    stage.floor.add_extension("0003*024", user="3", name="Ana Pop")
    call = stage.talk()
    probe = asyncio.ensure_future(stage.try_())
    await stage.pbx.until(stage.pbx.puts)
    stage.floor.hang_up(call)
    assert not await probe
    assert (await stage.entry()).state is State.ENDED


# ── what is refused, with nothing sent ──


async def test_without_a_yes_nothing_is_sent(stage: Stage) -> None:
    stage.talk()
    with pytest.raises(NotConfirmed):
        await stage.try_(ask=lambda question: False)
    assert stage.pbx.puts() == []
    assert (await stage.entry()).rule == "not confirmed"


async def test_what_comes_is_said_before_the_question(stage: Stage) -> None:
    call = stage.talk()
    told: list[str] = []

    def ask(question: str) -> bool:
        told.extend(stage.said)
        return False

    with pytest.raises(NotConfirmed):
        await stage.try_(ask=ask)
    assert [
        words for words in (call, "Bob Ionescu", "Ana Pop, 0003*024, rings for 20 s") if words not in "\n".join(told)
    ] == []


async def test_a_call_that_has_changed_during_the_question_is_checked_again(stage: Stage) -> None:
    call = stage.talk()

    def ask(question: str) -> bool:
        stage.floor.hang_up(call)
        return True

    with pytest.raises(NotSuitable):
        await stage.try_(ask=ask)
    assert stage.pbx.puts() == []


async def test_another_call_under_the_same_id_is_refused(stage: Stage) -> None:
    stage.talk(call_id="reused")

    def ask(question: str) -> bool:
        stage.floor.hang_up("reused")
        stage.late += timedelta(seconds=5)
        stage.talk(call_id="reused")
        return True

    with pytest.raises(NotSuitable, match="another one has its id"):
        await stage.try_(ask=ask)
    assert stage.pbx.puts() == []


async def test_a_ledger_that_fails_meanwhile_does_not_end_the_probe(stage: Stage) -> None:
    stage.talk()
    stage.floor.add_extension("0003*024", user="3", name="Ana Pop")
    probe = asyncio.ensure_future(stage.try_())
    await stage.pbx.until(stage.pbx.puts)
    await stage.ledger.close()
    stage.floor.lift("0003*024")
    assert await probe
    assert "The ledger cannot be written" in "\n".join(stage.said)


async def test_several_calls_are_listed_with_their_ids(stage: Stage) -> None:
    calls = {stage.talk(), stage.talk(caller="+15550143")}
    with pytest.raises(NotSuitable) as refusal:
        await stage.try_()
    assert [call for call in calls if f"--call {call}" not in str(refusal.value)] == [], str(refusal.value)


async def test_the_call_that_is_named_is_taken(stage: Stage) -> None:
    stage.talk()
    named = stage.talk(caller="+15550143")
    assert await stage.try_(replace(ANA, call=named))
    assert [put.path.rpartition("/")[2] for put in stage.pbx.puts()] == [named]


async def test_a_call_with_a_protected_party_is_refused(stage: Stage) -> None:
    stage.talk(caller="+15550199")
    with pytest.raises(NotAuthorized):
        await stage.try_()
    assert (await stage.entry()).rule == "protected party"


async def test_a_call_that_the_listeners_own_phone_is_in_is_refused(stage: Stage) -> None:
    stage.talk(caller="0003*024")
    with pytest.raises(AlreadyInCall):
        await stage.try_()
    assert stage.pbx.puts() == []


async def test_a_phone_that_is_not_registered_is_refused(stage: Stage) -> None:
    stage.floor.add_extension("0003*024", user="3", name="Ana Pop", registered=False)
    stage.talk()
    with pytest.raises(NotSuitable, match="no device"):
        await stage.try_()


async def test_a_pbx_that_does_not_say_whether_the_phone_is_registered_is_no_hindrance(stage: Stage) -> None:
    stage.pbx.faults.add(Fault("html 500", path_contains="/presence"))
    stage.talk()
    assert await stage.try_()
    assert "presence" in stage.differs


async def test_a_pbx_that_is_down_is_said_to_be(stage: Stage) -> None:
    await stage.pbx.stop()
    with pytest.raises(PbxError, match="does not answer"):
        await stage.try_()
    assert (await stage.entry()).rule == "pbx PbxUnreachable"


# ── who listens ──


@pytest.mark.parametrize(
    ("options", "asker"),
    [(ProbeOptions("0003*310", supervisor="U0ANA"), "U0ANA"), (ProbeOptions("0004*210"), "terminal")],
    ids=["somebody who may not", "nobody may"],
)
async def test_what_no_role_allows_is_in_the_audit(stage: Stage, options: ProbeOptions, asker: str) -> None:
    with pytest.raises(NotAuthorized) as refusal:
        await stage.try_(options)
    entry = await stage.entry()
    assert (entry.slack_user, entry.extension, entry.outcome) == (asker, options.extension, Outcome.REFUSED)
    assert (entry.allowed, entry.rule) == (False, refusal.value.rule)


async def test_a_refusal_is_in_the_audit_as_of_the_only_one_who_may_listen(stage: Stage) -> None:
    with pytest.raises((NotSuitable, PbxError)):
        await stage.try_(ProbeOptions("0003*211"))
    assert (await stage.entry()).slack_user == "U0ANA"


async def test_options_that_mean_nothing_are_not_in_the_audit(stage: Stage) -> None:
    with pytest.raises(WrongUsage):
        await stage.try_(ProbeOptions("0003*210"))
    assert await stage.audit_log() == []


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (ProbeOptions("210", supervisor="U0ANA"), WrongUsage, "for example --try 0003*210"),
        (ProbeOptions("0003*210", supervisor="U0ANA", call="../x"), WrongUsage, "--call takes the id of a call"),
        (ProbeOptions("0003*210", supervisor="U0NOBODY"), WrongUsage, "nobody there is 'U0NOBODY'"),
        (ProbeOptions("0003*210"), WrongUsage, "U0ANA (Ana Pop), U0LIS (Lis Marin). Say one with --as."),
        (ProbeOptions("0003*310", supervisor="U0ANA"), NotAuthorized, "but not on 0003*310"),
        (ProbeOptions("0004*210"), NotAuthorized, "Nobody may use Monitor on 0004*210: no role"),
        (ProbeOptions("0003*299"), NotAuthorized, "Nobody may use Monitor on 0003*299: it is protected"),
        (ProbeOptions("0003*299", supervisor="U0ANA"), NotAuthorized, "0003*299 is protected"),
        (ProbeOptions("0003*210", supervisor="U0BOB"), NotAuthorized, "None of your roles allows Monitor"),
    ],
    ids=str,
)
def test_who_may_not_listen_is_refused(
    options: ProbeOptions, error: type[Exception], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "callbot.toml"
    path.write_text(CONFIG)
    permissions = at_the_terminal(check_files(read_files(path), str(path)).permissions)
    with pytest.raises(error) as refusal:
        supervisor(options, permissions)
    assert words in str(refusal.value)


def test_channels_of_roles_do_not_count_at_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "callbot.toml"
    path.write_text(CONFIG)
    permissions = at_the_terminal(check_files(read_files(path), str(path)).permissions)
    assert supervisor(ProbeOptions("0003*210", supervisor="U0LIS"), permissions).name == "Lis Marin"


def test_the_only_one_who_may_listen_need_not_be_named(tmp_path: Path) -> None:
    path = tmp_path / "callbot.toml"
    path.write_text(CONFIG)
    permissions = at_the_terminal(check_files(read_files(path), str(path)).permissions)
    assert supervisor(ProbeOptions("0003*211"), permissions).name == "Ana Pop"


# ── the command itself ──


async def command(stage: Stage, *more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "check", "--try", "0003*210", "--as", "U0ANA", *more),
        cwd=stage.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(bot_package.__file__).parents[1]), **stage.environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_the_end_of_the_input_is_no_yes(stage: Stage) -> None:
    stage.talk()
    process = await command(stage)
    said = (await asyncio.wait_for(process.communicate(), 20))[0].decode()
    assert (process.returncode, said.splitlines()[-1]) == (1, "Nothing was sent.")
    assert (await stage.entry()).rule == "not confirmed"


async def test_the_command_plays_the_whole_probe(stage: Stage) -> None:
    call = stage.talk()
    process = await command(stage, "--yes")
    assert process.stdout is not None
    told = ""
    async with asyncio.timeout(20):
        while line := (await process.stdout.readline()).decode():
            told += line
            if "Hang up your phone now." in line:
                stage.floor.hang_up(call)
        assert await process.wait() == 0, told
    assert "Summary, to be copied into an issue" in told
