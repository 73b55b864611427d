"""Rules that cannot be read for a minute permit nothing new: somebody may have been removed meanwhile."""

import asyncio
import gc
import os
import resource
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.app.live_config import LiveConfig, read_files
from bot.domain.errors import NotAuthorized

MAP = '[users.U0ANA]\nname = "Ana Pop"\nextension = "0003*024"\nroles = []\n'
DIRECTORY = '[directory]\nfile = "agents.csv"\n'
EVERY = 0.001
MINUTE = 60.0


class Reading:
    """A live configuration that is kept up to date, on a clock that the test turns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seconds = 0.0
        self.slept = 0
        self.live_config = LiveConfig(
            path,
            read_files(path),
            sleep=self._sleep,
            every=EVERY,
            clock=lambda: self.seconds,
            now=lambda: datetime(2026, 11, 21, 14, 4, tzinfo=UTC),
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept += 1
        await asyncio.sleep(seconds)

    async def read_again(self) -> None:
        """Some readings of what stands there now."""
        enough = self.slept + 4
        async with asyncio.timeout(10):
            while self.slept < enough:  # noqa: ASYNC110 - the readings are in threads
                await asyncio.sleep(EVERY)

    async def after(self, seconds: float) -> None:
        await self.read_again()
        self.seconds += seconds
        await self.read_again()


@pytest.fixture
async def reading(tmp_path: Path) -> AsyncIterator[Reading]:
    (tmp_path / "callbot.toml").write_text(MAP + DIRECTORY)
    (tmp_path / "agents.csv").write_text("extension,name\n0003*210,Bob Ionescu\n")
    reading = Reading(tmp_path / "callbot.toml")
    keeping = asyncio.create_task(reading.live_config.keep_up_to_date())
    await reading.read_again()
    yield reading
    keeping.cancel()


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """No file can be opened in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()  # what earlier tests left open would be closed meanwhile, and free a descriptor
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def removed(reading: Reading) -> None:
    reading.path.unlink()


def invalid(reading: Reading) -> None:
    reading.path.write_text("[users")


def without_directory(reading: Reading) -> None:
    (reading.path.parent / "agents.csv").unlink()


async def test_without_descriptors_nothing_is_permitted_after_a_minute(reading: Reading) -> None:
    with no_descriptor_left():
        await reading.after(MINUTE + 1)
        with pytest.raises(NotAuthorized) as caught:
            reading.live_config.refuse_if_unread()
    assert str(caught.value) == (
        "callbot.toml cannot be read since 14:02 UTC (Too many open files), so I cannot tell what you may do now. "
        "Nothing was sent. Tell the person who runs callbot."
    )


async def test_a_file_that_is_gone_permits_nothing_after_a_minute(reading: Reading) -> None:
    removed(reading)
    await reading.after(MINUTE + 1)
    with pytest.raises(NotAuthorized, match=r"callbot\.toml cannot be read since"):
        reading.live_config.refuse_if_unread()


async def test_a_file_that_is_gone_for_less_changes_nothing(reading: Reading) -> None:
    removed(reading)
    await reading.after(MINUTE - 1)
    reading.live_config.refuse_if_unread()


@pytest.mark.parametrize("change", [invalid, without_directory])
async def test_a_file_with_errors_leaves_the_old_rules_for_ever(
    reading: Reading, change: Callable[[Reading], None]
) -> None:
    change(reading)
    await reading.after(100 * MINUTE)
    reading.live_config.refuse_if_unread()
    assert reading.live_config.permissions().name_of("0003*210") == "Bob Ionescu"


async def test_as_soon_as_they_are_read_again_all_is_as_before(reading: Reading) -> None:
    with no_descriptor_left():
        await reading.after(MINUTE + 1)
    await reading.read_again()
    reading.live_config.refuse_if_unread()


async def test_a_disk_that_does_not_answer_permits_nothing_after_a_minute(tmp_path: Path) -> None:
    """Nothing reads any more: as where a reading of the file never returns."""
    (tmp_path / "callbot.toml").write_text(MAP)
    reading = Reading(tmp_path / "callbot.toml")
    reading.seconds = MINUTE + 1
    with pytest.raises(NotAuthorized, match=r"cannot be read since 14:02 UTC \(the disk does not answer\)"):
        reading.live_config.refuse_if_unread()


async def test_the_log_says_once_why_and_when_it_is_over(reading: Reading) -> None:
    with capture_logs() as logged:
        with no_descriptor_left():
            await reading.read_again()
            await reading.read_again()
        await reading.read_again()
    told = [(line["event"], line.get("why")) for line in logged if line["event"] != "config_rejected"]
    assert told[0] == ("config_unreadable", "Too many open files")
    assert [event for event, _ in told].count("config_unreadable") == 1
    assert "config_readable_again" in [event for event, _ in told]


async def test_how_old_the_rules_are_is_known(reading: Reading) -> None:
    removed(reading)
    await reading.after(7)
    assert reading.live_config.age() == 7
