"""The live configuration: callbot.toml and its directory, read at the start and again whenever they change.

The files are read by their paths every two seconds, in a thread, and compared by content. So it does not matter whether a
file was edited or replaced, or whether a symlink points elsewhere. A change counts once two readings in a row agree, since a
file may be half written. Then all of it is checked; with an error anywhere the old configuration stays.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self

import structlog

from bot.alerts.alert import AlertRule
from bot.app.config import KEYS, Config, directory_file, read_config
from bot.app.examples import CONFIG, example
from bot.domain.directory import LARGEST_FILE, MOST_LISTED, SLACK_USER, Directory, read_directory
from bot.domain.errors import ConfigErrors, NotAuthorized
from bot.domain.permissions import Permissions

READ_EVERY, SETTLED = 2.0, 0.3
"""Seconds between two readings of the files, and between two that have to agree after a change."""
UNREAD_FOR = 60.0
"""Seconds for which the files may be unreadable. Then nothing new is permitted: somebody may have been removed meanwhile."""

_NO_FILE = "cannot be read: there is no such file"
_WHICH_FILE = "CALLBOT_CONFIG names the file"
_log = structlog.get_logger("callbot.config")


class ReadConfig(NamedTuple):
    """What was read at one time, so that its parts fit together."""

    config: Config
    permissions: Permissions
    alert_rules: tuple[AlertRule, ...] = ()


class Files(NamedTuple):
    """The content of both files. A text instead of bytes says why a file cannot be read."""

    config: bytes | str
    directory_name: str | None = None
    """The name in `[directory]`."""
    directory: bytes | str | None = None


def read_files(path: Path, before: Files | None = None) -> Files:
    """Both files. With `before`, an unchanged callbot.toml is not parsed again for the name of the directory."""
    config = _content(path)
    if before is not None and config == before.config:
        name = before.directory_name
    else:
        name = directory_file(config) if isinstance(config, bytes) else None
    return Files(config, name, None if name is None else _content(path.parent / name))


def _content(path: Path) -> bytes | str:
    """The bytes of the file, at most one more than is allowed, or why they cannot be read."""
    try:
        if path.is_dir():
            return "cannot be read: it is a directory"
        if not path.is_file():
            return _NO_FILE
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def why_unread(files: Files) -> str:
    """Why the files cannot be read; empty if they can. A file with errors can be read, and so can a directory that is missing."""
    if isinstance(files.config, str):
        return f"callbot.toml {files.config}"
    if isinstance(files.directory, str) and files.directory != _NO_FILE:
        return f"{files.directory_name} {files.directory}"
    return ""


def check_files(files: Files, where: str) -> ReadConfig:
    """The configuration in the files. Raises ConfigErrors with every error in both; `where` names callbot.toml."""
    directory, in_directory = None, ConfigErrors(where, [])
    try:
        directory = _directory(files)
    except ConfigErrors as error:
        in_directory = error
    try:
        config = _config(files.config, where, directory)
    except ConfigErrors as error:
        raise ConfigErrors(where, error.errors + in_directory.errors, unlisted=in_directory.unlisted) from None
    if directory is None:
        raise ConfigErrors(where, in_directory.errors, unlisted=in_directory.unlisted)
    return ReadConfig(config, config.permissions(directory), config.alert_rules())


def _config(content: bytes | str, where: str, directory: Directory | None) -> Config:
    if isinstance(content, str):
        copy = f"Copy {example(CONFIG)} there, or set CALLBOT_CONFIG"
        advice = copy if content == _NO_FILE else _WHICH_FILE
        raise ConfigErrors(where, [f"{content}. {advice}"])
    if len(content) > LARGEST_FILE:
        raise ConfigErrors(where, ["is larger than 4 MiB"])
    return read_config(content, where, directory)


def _directory(files: Files) -> Directory:
    if files.directory_name is None or files.directory is None:
        return Directory()
    if isinstance(files.directory, str):
        raise ConfigErrors(files.directory_name, [f"directory.file: {files.directory_name} {files.directory}"])
    return read_directory(files.directory, files.directory_name)


class LiveConfig:
    """The configuration as it is now. The files are read again each `every` seconds.

    `clock` counts seconds, `now` is the time, to say since when the files cannot be read. After `unread_for` seconds
    without them nothing new is permitted.
    """

    def __init__(
        self,
        path: Path,
        files: Files,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        every: float = READ_EVERY,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        unread_for: float = UNREAD_FOR,
    ) -> None:
        self._path = path
        self._files = files
        """The content that was checked last, whether it is applied or has errors."""
        self._clock = clock
        self._now = now
        self._unread_for = unread_for + 2 * every
        self._read_at = clock()
        self._unread = ""
        """Why the files cannot be read now; empty if they can."""
        self._current = check_files(files, str(path))
        self._sleep = sleep
        self._every = every
        self._errors: list[str] = []
        """The errors in the files as they are now; with any, `_current` is older than the files."""
        self._subscribers: list[Callable[[], None]] = []

    @classmethod
    def read(
        cls,
        path: Path,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        every: float = READ_EVERY,
        unread_for: float = UNREAD_FOR,
    ) -> Self:
        """The configuration at this path, with its directory. Raises ConfigErrors."""
        return cls(path, read_files(path), sleep=sleep, every=every, unread_for=unread_for)

    def permissions(self) -> Permissions:
        """Who may do what now."""
        return self._current.permissions

    def silent_in(self) -> frozenset[str]:
        """The channels that may show silent actions."""
        return frozenset(self.config().cards.silent_in)

    def alert_rules(self) -> tuple[AlertRule, ...]:
        """The alert rules as they are now."""
        return self._current.alert_rules

    def help_channel(self) -> str | None:
        """Where help requests go now; None if it is not set."""
        return self._current.config.help.channel

    def config(self) -> Config:
        """The content of callbot.toml as it is now."""
        return self._current.config

    @property
    def has_errors(self) -> bool:
        """Whether the files have errors, so that an older configuration is in use."""
        return bool(self._errors)

    def age(self) -> float:
        """Seconds since the files could be read last."""
        return self._clock() - self._read_at

    def refuse_if_unread(self) -> None:
        """Raise NotAuthorized if the files could not be read for too long: the permissions may be out of date."""
        age = self.age()
        if age >= self._unread_for:
            since = self._now() - timedelta(seconds=age)
            reason = self._unread or "callbot.toml cannot be read: the disk does not answer"
            what, _, why = reason.partition(" cannot be read: ")
            raise NotAuthorized(
                "rules unread",
                f"{what} cannot be read since {since:%H:%M} UTC ({why}), so I cannot tell what you may do now. "
                "Nothing was sent. Tell the person who runs callbot.",
            )

    def on_change(self, callback: Callable[[], None]) -> None:
        """Have this called, in the event loop, after each change of the configuration."""
        self._subscribers.append(callback)

    async def keep_up_to_date(self) -> None:
        """Take up every change of the files, until cancelled."""
        differing: Files | None = None
        while True:
            await self._sleep(self._every if differing is None else min(SETTLED, self._every))
            files = await self._read()
            if files is None or files == self._files:
                differing = None
            elif files != differing:
                differing = files
            else:
                differing, self._files = None, files
                await self._take(files)

    async def _read(self) -> Files | None:
        """The files as they are now; None if they cannot be read at all. Remembers since when that is so."""
        try:
            files = await asyncio.to_thread(read_files, self._path, self._files)
            why = why_unread(files)
        except Exception as error:  # noqa: BLE001 - no thread or no memory: the next reading must take place
            files, why = None, f"callbot.toml cannot be read: {type(error).__name__}"
        if not why:
            self._read_at = self._clock()
        if why != self._unread:
            if why:
                _log.error("config_unreadable", why=why.rpartition(": ")[2])
            else:
                _log.info("config_readable_again")
        self._unread = why
        return files

    async def _take(self, files: Files) -> None:
        try:
            read = await asyncio.to_thread(check_files, files, str(self._path))
        except ConfigErrors as error:
            if error.errors != self._errors:
                places = [_place(text, files.directory_name) for text in error.errors[:MOST_LISTED]]
                _log.error("config_rejected", errors=error.number, places=places)
            self._errors = error.errors
            return
        except Exception:  # noqa: BLE001 - the next change must be read whatever went wrong with this one
            _log.exception("config_rejected")
            self._errors = ["callbot itself failed to read them"]
            return
        self._current, self._errors = read, []
        agents = len(read.permissions.directory.agents)
        _log.info("config_applied", people=len(read.config.users), roles=len(read.config.roles), agents=agents)
        for callback in self._subscribers:
            self._call(callback)

    def _call(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:  # noqa: BLE001 - a subscriber that fails must not keep later changes from being read
            _log.exception("config_change_failed")


def _place(text: str, directory_name: str | None) -> str:
    """Where an error is, for the log: its keys or its line, and nothing else that somebody wrote there."""
    place = text.partition(": ")[0]
    if place == "is not valid TOML":
        line = re.search(r"\(at line ([0-9]+), column [0-9]+\)\Z", text)
        return f"callbot.toml line {line[1]}" if line else "callbot.toml"
    row = re.fullmatch(re.escape(directory_name or "") + r"( line [0-9]+)?", place)
    if row is not None:
        return f"directory{row[1] or ''}"
    words = [word if word in KEYS or _IS_ID.fullmatch(word) else "…" for word in place.split(".")]
    return ".".join(words) if words != ["…"] else "callbot.toml"


_IS_ID = re.compile(rf"[0-9]{{1,2}}|{SLACK_USER.pattern}")
"""A position in a list, or a Slack user id."""
