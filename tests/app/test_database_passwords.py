"""Passwords in DATABASE_URL: no command prints a part of one, and each says what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bot as bot_package
from bot.app.settings import read_settings

FIRST, SECOND = "quiet", "hush"
SIGNS = ("#", "/", "?", "[")
ENOUGH = {
    "SLACK_BOT_TOKEN": "xoxb-invented",
    "SLACK_SIGNING_SECRET": "invented-secret",
    "SLACK_API_URL": "http://127.0.0.1:9/",
    "UAPI_URL": "http://127.0.0.1:9",
    "UAPI_ACCESS_TOKEN": "invented-token",
}
MAP = """
[users.U0ANA]
name = "Ana Pop"
extension = "0003*024"
"""


def said(command: str, folder: Path, urls: list[str]) -> list[str]:
    """What the command prints, for each DATABASE_URL."""
    (folder / "callbot.toml").write_text(MAP)
    enough = ENOUGH if command == "run" else {}  # the ledger alone is looked at
    environment = enough | {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(Path(bot_package.__file__).parents[1]),
    }
    running = [
        subprocess.Popen(
            (sys.executable, "-m", "bot", command),
            cwd=folder,
            env=environment | {"DATABASE_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for url in urls
    ]
    return [process.communicate(timeout=50)[0] for process in running]


@pytest.mark.parametrize("command", ["run", "check", "audit"])
def test_a_password_that_is_not_encoded_is_not_printed_and_what_to_do_is_said(command: str, tmp_path: Path) -> None:
    urls = [f"postgresql://ana:{FIRST}{sign}{SECOND}@127.0.0.1:1/callbot" for sign in SIGNS]
    printed = said(command, tmp_path, urls)
    found = [(FIRST in text or SECOND in text, "ercent-encode it" in " ".join(text.split())) for text in printed]
    assert found == [(False, True)] * len(SIGNS), printed


@pytest.mark.parametrize("command", ["check", "audit"])
def test_a_server_that_cannot_be_reached_is_said_without_its_password(command: str, tmp_path: Path) -> None:
    (text,) = said(command, tmp_path, [f"postgresql://ana:{FIRST}%23{SECOND}@127.0.0.1:1/callbot"])
    assert ("no answer" in text, FIRST in text, SECOND in text) == (True, False, False), text


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_schemes_of_postgresql_are_settings(scheme: str) -> None:
    url = f"{scheme}://ana:secret@db.example.com/callbot"
    assert read_settings(ENOUGH | {"DATABASE_URL": url}).database_url == url
