"""callbot.toml and agents.csv while the bot runs: what changes is taken up, whole and right, or not at all."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.app.live_config import READ_EVERY, SETTLED, LiveConfig
from bot.domain.actions import ActionName
from bot.domain.directory import LARGEST_FILE
from bot.domain.errors import ConfigErrors

ANA = '[users.U0ANA]\nname = "Ana Pop"\nextension = "0003*024"\nroles = ["supervisor"]\n'
ROLE = '[roles.supervisor]\nactions = ["Monitor"]\nextensions = ["0003*2XX"]\n'
DIRECTORY = '[directory]\nfile = "agents.csv"\n'
MAP = ANA + ROLE + DIRECTORY
AGENTS = "extension,name,team\n0003*210,Bob Ionescu,floor\n"


class Pauses:
    """Sleep that lasts until the test lets it end."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._asleep = asyncio.Event()
        self._end = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._asleep.set()
        await self._end.acquire()

    async def end(self, number: int) -> None:
        """Let so many pauses pass, and all that is done after each."""
        for _ in range(number):
            await self._asleep.wait()
            self._asleep.clear()
            self._end.release()
        await self._asleep.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "callbot.toml").write_text(MAP)
    (tmp_path / "agents.csv").write_text(AGENTS)
    return tmp_path


class Running:
    """A live configuration that is kept up to date."""

    def __init__(self, folder: Path) -> None:
        self.pauses = Pauses()
        self.folder = folder
        self.live_config = LiveConfig.read(folder / "callbot.toml", sleep=self.pauses.sleep)

    async def read_again(self) -> None:
        """Two readings of whatever stands there now."""
        await self.pauses.end(2)

    async def write(self, config: str | None = None, agents: str | None = None) -> None:
        for name, text in (("callbot.toml", config), ("agents.csv", agents)):
            if text is not None:
                (self.folder / name).write_text(text)
        await self.read_again()

    def name(self) -> str:
        return self.live_config.permissions().name_of("0003*210")

    def allowed(self) -> bool:
        rules = self.live_config.permissions()
        return rules.allows(rules.people["U0ANA"], ActionName.MONITOR, "0003*210", "C0FLOOR")


@asynccontextmanager
async def kept(folder: Path) -> AsyncIterator[Running]:
    running = Running(folder)
    task = asyncio.create_task(running.live_config.keep_up_to_date())
    try:
        yield running
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
async def running(folder: Path) -> AsyncIterator[Running]:
    async with kept(folder) as one:
        yield one


# ── at the start ──


def start(folder: Path) -> LiveConfig:
    return LiveConfig.read(folder / "callbot.toml")


def errors(folder: Path) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        start(folder)
    return caught.value.errors


def test_at_the_start_configuration_and_directory_are_read(folder: Path) -> None:
    live = start(folder)
    assert (live.permissions().name_of("0003*210"), live.config().directory is not None, live.has_errors) == (
        "Bob Ionescu",
        True,
        False,
    )


def test_a_directory_may_stand_elsewhere(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("lists") / "people.csv"
    (folder / "agents.csv").rename(elsewhere)
    (folder / "callbot.toml").write_text(MAP.replace("agents.csv", str(elsewhere)))
    assert start(folder).permissions().name_of("0003*210") == "Bob Ionescu"


def test_errors_of_both_files_are_said_at_once(folder: Path) -> None:
    (folder / "callbot.toml").write_text(MAP + "[bogus]")
    (folder / "agents.csv").write_text(AGENTS + "210,,\n")
    assert [line.partition(": ")[0] for line in errors(folder)] == ["bogus", "agents.csv line 3"]


def test_errors_of_the_directory_alone_stop_the_start(folder: Path) -> None:
    (folder / "agents.csv").write_text(AGENTS * 30)
    with pytest.raises(ConfigErrors, match=r"callbot.toml: 58 errors(?s:.*)\n  … and 38 more") as caught:
        start(folder)
    assert caught.value.errors[0].startswith("agents.csv line 3: ")


def test_errors_that_are_not_listed_are_counted_beside_those_of_callbot_toml(folder: Path) -> None:
    (folder / "callbot.toml").write_text(MAP + "[bogus]")
    (folder / "agents.csv").write_text(AGENTS * 30)
    with pytest.raises(ConfigErrors, match=r"callbot.toml: 59 errors(?s:.*)\n  … and 38 more"):
        start(folder)


def test_a_directory_that_is_not_there_is_an_error_of_the_key_that_names_it(folder: Path) -> None:
    (folder / "agents.csv").unlink()
    assert errors(folder) == ["directory.file: agents.csv cannot be read: there is no such file"]


def test_a_directory_that_cannot_be_opened_says_why(folder: Path) -> None:
    (folder / "callbot.toml").write_text(MAP.replace("agents.csv", 80 * "\U0001f4de"), encoding="utf-8")
    assert errors(folder)[0].endswith("cannot be read: File name too long")


def test_a_file_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    (said,) = errors(tmp_path)
    assert re.fullmatch(
        r"cannot be read: there is no such file. Copy \S+ there, or set CALLBOT_CONFIG",
        said,
    )


def test_the_example_that_is_to_be_copied_is_there_and_valid(tmp_path: Path) -> None:
    named = re.findall(r"Copy (\S+) there", errors(tmp_path)[0])
    assert LiveConfig.read(Path(named[0])).permissions().people


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(folder: Path) -> None:
    (folder / "agents.csv").unlink()
    os.mkfifo(folder / "agents.csv")
    assert errors(folder) == ["directory.file: agents.csv cannot be read: there is no such file"]


@pytest.mark.parametrize(
    ("name", "said"), [("callbot.toml", "is larger than 4 MiB"), ("agents.csv", "agents.csv: is lar")]
)
def test_a_file_that_is_too_large_is_an_error(folder: Path, name: str, said: str) -> None:
    (folder / name).write_bytes(b"#" * (LARGEST_FILE + 1))
    assert errors(folder)[0].startswith(said)


# ── what changes ──


async def test_a_changed_map_holds_from_then_on(running: Running) -> None:
    await running.write(config=MAP.replace('roles = ["supervisor"]', "roles = []"))
    assert not running.allowed()


async def test_a_changed_directory_holds_from_then_on(running: Running) -> None:
    await running.write(agents=AGENTS.replace("Bob", "Rob"))
    assert running.name() == "Rob Ionescu"


async def test_a_directory_that_is_named_anew_holds_from_then_on(running: Running) -> None:
    (running.folder / "others.csv").write_text(AGENTS.replace("Bob", "Rob"))
    await running.write(config=MAP.replace("agents.csv", "others.csv"))
    assert running.name() == "Rob Ionescu"


async def test_a_directory_that_is_named_no_more_is_forgotten(running: Running) -> None:
    await running.write(config=ANA + ROLE)
    assert running.name() == "0003*210"


async def test_map_and_config_change_together(running: Running) -> None:
    await running.write(
        config=MAP + '[cards]\nsilent_in = ["C0STAFF"]\n[watch]\nevery = 2\n[help]\ncontact = "U0ANA"\n'
    )
    config = running.live_config.config()
    assert (config.cards.silent_in, config.watch.every, running.live_config.permissions().contact) == (
        ["C0STAFF"],
        2.0,
        "U0ANA",
    )


async def test_a_replaced_file_is_taken_up(running: Running) -> None:
    (running.folder / "new").write_text(AGENTS.replace("Bob", "Rob"))
    (running.folder / "new").replace(running.folder / "agents.csv")
    await running.read_again()
    assert running.name() == "Rob Ionescu"


async def test_a_symlink_to_another_folder_is_taken_up(tmp_path: Path) -> None:
    """As Kubernetes changes a ConfigMap: the files are links into ..data, and ..data is swapped."""
    for version, first in (("v1", "Bob"), ("v2", "Rob")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "callbot.toml").write_text(MAP)
        (tmp_path / version / "agents.csv").write_text(AGENTS.replace("Bob", first))
    (tmp_path / "..data").symlink_to("v1")
    for name in ("callbot.toml", "agents.csv"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    async with kept(tmp_path) as running:
        (tmp_path / "..tmp").symlink_to("v2")
        (tmp_path / "..tmp").replace(tmp_path / "..data")
        await running.read_again()
        assert running.name() == "Rob Ionescu"


async def test_who_wants_to_know_is_told_once_the_new_rules_hold(running: Running) -> None:
    told: list[str] = []
    running.live_config.on_change(lambda: told.append(running.name()))
    await running.write(agents=AGENTS.replace("Bob", "Rob"))
    assert told == ["Rob Ionescu"]


async def test_nobody_is_told_of_what_has_not_changed(running: Running) -> None:
    told: list[None] = []
    running.live_config.on_change(lambda: told.append(None))
    os.utime(running.folder / "callbot.toml", (1, 1))
    await running.read_again()
    assert told == []


async def test_a_listener_that_fails_keeps_no_later_change_from_being_read(running: Running) -> None:
    def fails() -> None:
        raise LookupError

    running.live_config.on_change(fails)
    await running.write(agents=AGENTS.replace("Bob", "Rob"))
    await running.write(agents=AGENTS.replace("Bob", "Tom"))
    assert running.name() == "Tom Ionescu"


async def test_a_change_is_seen_within_five_seconds(running: Running) -> None:
    await running.write(agents=AGENTS.replace("Bob", "Rob"))
    assert (running.pauses.seconds, READ_EVERY + SETTLED < 5) == ([READ_EVERY, SETTLED, READ_EVERY], True)


# ── what is not finished ──


async def test_half_a_file_is_no_rule_even_where_it_could_be_read(running: Running) -> None:
    """Without its last lines a map may be right, and allow more: they may be those that protect somebody."""
    (running.folder / "callbot.toml").write_text(ANA)
    await running.pauses.end(1)
    (running.folder / "callbot.toml").write_text(MAP)
    await running.read_again()
    assert running.allowed()


async def test_a_file_that_is_being_written_is_read_until_it_stands_still(running: Running) -> None:
    for first in ("Rob", "Tom", "Kim"):
        (running.folder / "agents.csv").write_text(AGENTS.replace("Bob", first))
        await running.pauses.end(1)
        assert running.name() == "Bob Ionescu"
    await running.pauses.end(1)
    assert running.name() == "Kim Ionescu"


async def test_a_file_that_vanishes_for_a_moment_changes_nothing(running: Running) -> None:
    (running.folder / "callbot.toml").unlink()
    await running.pauses.end(1)
    (running.folder / "callbot.toml").write_text(MAP)
    await running.read_again()
    assert (running.allowed(), running.live_config.has_errors) == (True, False)


@pytest.mark.parametrize("name", ["callbot.toml", "agents.csv"])
async def test_a_file_that_stays_away_keeps_the_old_rules(running: Running, name: str) -> None:
    (running.folder / name).unlink()
    await running.read_again()
    assert (running.allowed(), running.name(), running.live_config.has_errors) == (True, "Bob Ionescu", True)


# ── errors ──


async def test_an_error_keeps_all_the_old_rules(running: Running) -> None:
    """Also the good half of what has changed."""
    await running.write(config=MAP.replace('roles = ["supervisor"]', "roles = []"), agents=AGENTS + "210,,\n")
    assert (running.allowed(), running.name(), running.live_config.has_errors) == (True, "Bob Ionescu", True)


async def test_a_good_version_after_an_error_holds(running: Running) -> None:
    await running.write(agents=AGENTS + "210,,\n")
    await running.write(agents=AGENTS.replace("Bob", "Rob"))
    assert (running.name(), running.live_config.has_errors) == ("Rob Ionescu", False)


async def test_the_old_version_after_an_error_is_right_again(running: Running) -> None:
    await running.write(agents=AGENTS + "210,,\n")
    await running.write(agents=AGENTS)
    assert (running.name(), running.live_config.has_errors) == ("Bob Ionescu", False)


async def test_a_directory_without_the_protected_team_is_not_taken_up(folder: Path) -> None:
    (folder / "callbot.toml").write_text(MAP + '[protected]\nextensions = ["team:floor"]\n')
    async with kept(folder) as running:
        await running.write(agents=AGENTS.replace("floor", "other"))
        assert (running.live_config.permissions().protects_extension("0003*210"), running.live_config.has_errors) == (
            True,
            True,
        )


# ── the log ──

Events = list[MutableMapping[str, Any]]


def named(events: Events, event: str) -> Events:
    return [{key: value for key, value in one.items() if key != "log_level"} for one in events if one["event"] == event]


async def test_what_is_taken_up_is_a_line_of_figures(running: Running) -> None:
    with capture_logs() as events:
        await running.write(agents=AGENTS + "0003*211,,\n")
    assert named(events, "config_applied") == [{"event": "config_applied", "people": 1, "roles": 1, "agents": 2}]


async def test_an_error_is_one_line_with_its_place(running: Running) -> None:
    with capture_logs() as events:
        await running.write(agents=AGENTS + "210,,\n")
        await running.read_again()
    assert named(events, "config_rejected") == [
        {"event": "config_rejected", "errors": 1, "places": ["directory line 3"]}
    ]


async def test_the_same_error_in_another_dress_is_not_logged_again(running: Running) -> None:
    with capture_logs() as events:
        await running.write(agents=AGENTS + "210,,\n")
        await running.write(agents=AGENTS + "210,,\n\n")
    assert len(named(events, "config_rejected")) == 1


async def test_an_error_that_comes_again_is_logged_again(running: Running) -> None:
    with capture_logs() as events:
        for agents in (AGENTS + "210,,\n", AGENTS, AGENTS + "210,,\n"):
            await running.write(agents=agents)
    assert len(named(events, "config_rejected")) == 2


PLACES = {
    "a key": (MAP.replace('"0003*024"', '"24"'), AGENTS, ["users.U0ANA.extension.0"]),
    "a line of the map": (MAP + "[users\n", AGENTS, ["callbot.toml line 10"]),
    "a line of the directory": (MAP, AGENTS + "\n+15550142,Vera Private,\n", ["directory line 4"]),
    "the directory": (MAP, "#" * (LARGEST_FILE + 1), ["directory"]),
    "the directory's name": (MAP.replace("agents.csv", "Vera.csv"), AGENTS, ["directory.file"]),
    "a name for a key": (MAP + '[users."Vera Private"]\n', AGENTS, ["users.…", "users.….name", "users.….extension"]),
    "a number for a key": (MAP + "[+15550142]\n", AGENTS, ["callbot.toml line 10"]),
    "a table of a number": (MAP + "[15550142]\n", AGENTS, ["callbot.toml"]),
    "a role of a name": (MAP + '[roles.Vera]\nactions = ["Hang up"]\n', AGENTS, ["roles.….actions.0"]),
    "a key that looks like a line": (MAP + '["agents.csv line 15550142 "]\n', AGENTS, ["….…"]),
}


@pytest.mark.parametrize(("config", "agents", "places"), PLACES.values(), ids=PLACES)
async def test_the_log_says_where_an_error_is_and_nothing_that_somebody_wrote(
    running: Running, config: str, agents: str, places: list[str]
) -> None:
    with capture_logs() as events:
        await running.write(config, agents)
    [line] = named(events, "config_rejected")
    assert line["places"] == places
    assert not [word for word in ("Vera", "5550142", "Private") if word in str(events)]


async def test_of_many_errors_the_log_has_the_number_and_the_first_places(running: Running) -> None:
    with capture_logs() as events:
        await running.write(agents=AGENTS * 300)
    [line] = named(events, "config_rejected")
    assert (line["errors"], len(line["places"])) == (598, 20)
