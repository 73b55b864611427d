"""`callbot demo` as it is started: one address, opened where there is a desktop, until Ctrl-C."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http import HTTPStatus
from pathlib import Path
from socket import create_server

import pytest

import bot

SECONDS = 20.0
"""The longest that anything may let wait for itself."""
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/\?token=[0-9a-f]{32,}")
OPENS = '#!/bin/sh\nprintf "%s\\n" "$1" >> "$OPENED"\n'
"""A browser that only writes down what it is to open."""


class Started:
    """One `callbot demo`; every line that it says is kept."""

    def __init__(self, folder: Path, *words: str, **environment: str) -> None:
        self.opened = folder / "opened"
        browser = folder / "browser"
        browser.write_text(OPENS)
        browser.chmod(0o755)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot", "demo", *words],
            env={
                "HOME": str(folder),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(Path(bot.__file__).parents[1]),
                "BROWSER": str(browser),
                "OPENED": str(self.opened),
            }
            | environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            for line in said:
                self._lines.put(line)
        self._lines.put(None)

    def until(self, words: str) -> str:
        """Everything that it has said, up to the line with these words. Raises LookupError where it ends before."""
        while words not in self.said:
            line = self._lines.get(timeout=SECONDS)
            if line is None:
                raise LookupError(f"{words!r} is not in what it said:\n{self.said}")
            self.said += line
        return self.said

    def end(self) -> int:
        """Press Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)

    def close(self) -> None:
        """End it, whatever it does."""
        with suppress(subprocess.TimeoutExpired):
            self.end()
        self.process.kill()
        self.process.wait()
        self._reading.join()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Starts `callbot demo` with these words; it has ended afterwards."""
    started: list[Started] = []

    def start(*words: str, **environment: str) -> Started:
        started.append(Started(tmp_path, *words, **environment))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_it_prints_one_address_that_answers_and_ends_with_ctrl_c(start: Callable[..., Started]) -> None:
    demo = start("--no-browser")
    addresses = [each.group() for each in ADDRESS.finditer(demo.until("Ctrl-C ends."))]
    with closing(urllib.request.urlopen(addresses[0], timeout=SECONDS)) as answer:
        found = answer.status
    assert (len(addresses), found, demo.end()) == (1, HTTPStatus.OK, 0)


def test_behind_a_proxy_it_is_up_too(start: Callable[..., Started]) -> None:
    """One that cannot reach this machine: nobody answers at its address."""
    demo = start("--no-browser", HTTP_PROXY="http://127.0.0.1:9", HTTPS_PROXY="http://127.0.0.1:9")
    assert "Ctrl-C ends." in demo.until("Ctrl-C ends.")


def test_on_a_desktop_it_opens_the_address_that_it_prints(start: Callable[..., Started], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "opened")
    demo = start(DISPLAY=":0")
    opened = (tmp_path / "opened").read_text().strip()  # waits for the browser
    assert ADDRESS.findall(opened)
    assert opened in demo.until("Ctrl-C ends.")


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (("--no-browser",), {"DISPLAY": ":0"}),
        ((), {"DISPLAY": ":0", "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}),
        ((), {}),
    ],
    ids=["as asked", "over ssh", "without a screen"],
)
def test_it_opens_no_browser(
    start: Callable[..., Started], words: tuple[str, ...], environment: dict[str, str]
) -> None:
    demo = start(*words, **environment)
    demo.until("Ctrl-C ends.")
    demo.end()
    assert not demo.opened.exists()


def test_without_its_story_it_promises_none(start: Callable[..., Started]) -> None:
    said = start("--no-browser", "--no-story").until("Ctrl-C ends.")
    assert "The page waits for you." in said
    assert "story" not in said


def test_a_port_that_is_taken_is_said_in_one_sentence(start: Callable[..., Started]) -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demo = start("--no-browser", "--port", str(port))
        sentence = demo.until("Choose another --port.").splitlines()[-1]
        assert (demo.process.wait(SECONDS), sentence) == (
            1,
            f"127.0.0.1:{port} cannot be listened on (Address already in use). Choose another --port.",
        )


def test_it_listens_on_the_port_that_is_asked_for(start: Callable[..., Started]) -> None:
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = start("--no-browser", "--port", str(port)).until("Ctrl-C ends.")
    assert ADDRESS.findall(said) == [str(port)]
