"""No secret reaches the log, from any logger and in any shape."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.app.logs import QUIET, configure, redact

SECRETS = {
    "bot token": "xoxb-1234-5678-AbCd",
    "app token": "xapp-1-A0-12-abc",
    "user token": "xoxp-12-34",
    "refreshed token": "xoxe-1-abc",
    "bearer": "Bearer abc.DEF_-~9",
    "bearer in small letters": "authorization: bearer abc.DEF9",
    "socket": "wss://wss-primary.slack.com/link/?ticket=abc&app_id=1",
    "plain socket": "ws://127.0.0.1:1/link?ticket=abc",
    "response_url": "https://hooks.slack.com/commands/T1/2/abc",
    "token in a form": "grant_type=x&client_secret=abc&state=0",
    "token in a query": "/uapi?access_token=abc",
    "token in JSON": '{"access_token": "abc", "expires_in": 3600}',
    "secret in a dict": "{'client_secret': 'abc'}",
}
Logged = Callable[[Callable[[], object]], list[dict[str, Any]]]


def blotted(value: object) -> str:
    return str(redact(None, "info", {"event": value})["event"])


@pytest.fixture
def restored() -> Iterator[None]:
    """Logging as it was before the test."""
    root, quiet = logging.getLogger(), [logging.getLogger(name) for name in QUIET]
    before = (root.handlers, root.level, [logger.level for logger in quiet])
    yield
    root.handlers, root.level = before[0], before[1]
    for logger, level in zip(quiet, before[2], strict=True):
        logger.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def logged(restored: None, capsys: pytest.CaptureFixture[str]) -> Logged:
    """What somebody logs, as JSON, at debug."""

    def lines(log: Callable[[], object]) -> list[dict[str, Any]]:
        configure("debug", "json")
        log()
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    return lines


# ── secrets ──


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_a_secret_is_replaced(text: str) -> None:
    assert ("abc" in blotted(text), "[secret]" in blotted(text)) == (False, True)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: {"a": {"b": text}},
        lambda text: [text],
        lambda text: (1, (text,)),
        lambda text: {text},
        str.encode,
        ValueError,
    ],
    ids=["dict", "list", "tuple", "set", "bytes", "object"],
)
def test_a_secret_is_replaced_however_it_is_wrapped(wrap: Callable[[str], object]) -> None:
    assert "xoxb-1234" not in blotted(wrap("sent xoxb-1234-5678 to Slack"))


@settings(max_examples=60, deadline=None)
@given(st.text(), st.from_regex(r"xox[abp]-[A-Za-z0-9-]{8,40}", fullmatch=True), st.text())
def test_no_text_around_it_hides_a_token(before: str, token: str, after: str) -> None:
    assert token not in blotted(f"{before}{token}{after}")


@pytest.mark.parametrize("value", [None, True, 3, 2.5, "put", "0003*210", "Connected", "b817d2618fe6f1804333"])
def test_what_is_no_secret_stays(value: object) -> None:
    assert redact(None, "info", {"event": value}) == {"event": value}


# ── the whole chain ──


def ours() -> Any:
    return structlog.get_logger("callbot.test")


def theirs() -> logging.Logger:
    return logging.getLogger("somebody.else")


def test_our_own_line_has_level_time_and_words(logged: Logged) -> None:
    (line,) = logged(lambda: ours().info("state", state="connected"))
    assert (line["event"], line["state"], line["level"], line["timestamp"][-1]) == ("state", "connected", "info", "Z")


def test_a_secret_of_ours_is_not_logged(logged: Logged) -> None:
    assert "abc" not in str(logged(lambda: ours().info("sent", headers={"Authorization": "Bearer abc"})))


def test_a_secret_of_a_library_is_not_logged(logged: Logged) -> None:
    (line,) = logged(lambda: theirs().debug("token %s for %s", "xoxb-1234-5678", {"token": "abc"}))
    assert (line["level"], "1234" in str(line), "abc" in str(line)) == ("debug", False, False)


@pytest.mark.parametrize("name", QUIET)
def test_libraries_that_log_whole_payloads_are_quiet(logged: Logged, name: str) -> None:
    assert logged(lambda: logging.getLogger(f"{name}.inside").warning("payload")) == []


def test_errors_of_quiet_libraries_are_heard(logged: Logged) -> None:
    assert [line["event"] for line in logged(lambda: logging.getLogger("asyncio").error("bad"))] == ["bad"]


def failing_with(log: Callable[[str], object]) -> Callable[[], None]:
    """Log an exception whose text holds what nobody may read."""

    def fail() -> None:
        try:
            int("Jane Roe <+15550100>")
        except ValueError:
            log("failed")

    return fail


def test_an_exception_of_ours_is_its_type_and_place_and_never_its_text(logged: Logged) -> None:
    (line,) = logged(failing_with(lambda text: ours().exception(text)))
    assert (line["error"], line["at"].split(":")[0], "Jane" in str(line)) == ("ValueError", "fail", False)


def test_an_exception_of_a_library_is_its_type_and_place_and_never_its_text(logged: Logged) -> None:
    (line,) = logged(failing_with(lambda text: theirs().exception(text)))
    assert (line["error"], line["at"].split(":")[0], "Jane" in str(line)) == ("ValueError", "fail", False)


def test_an_exception_may_be_handed_in(logged: Logged) -> None:
    (line,) = logged(lambda: ours().error("failed", exc_info=KeyError("Jane")))
    assert (line["error"], line["at"], "Jane" in str(line)) == ("KeyError", "", False)


def test_no_exception_is_no_exception(logged: Logged) -> None:
    assert ["error" in line for line in logged(lambda: ours().error("failed", exc_info=True))] == [False]


@pytest.mark.parametrize(("level", "heard"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_a_level_silences_what_is_below_it(
    restored: None,
    capsys: pytest.CaptureFixture[str],
    level: Literal["debug", "info", "warning", "error"],
    heard: int,
) -> None:
    configure(level, "json")
    for logger in (structlog.get_logger("callbot.test"), logging.getLogger("somebody.else")):
        logger.debug("x")
        logger.info("x")
        logger.warning("x")
    assert len(capsys.readouterr().err.splitlines()) == 2 * heard


def test_text_is_for_people(restored: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "text")
    structlog.get_logger("callbot.test").info("state", token="xoxb-1234-5678")
    line = capsys.readouterr().err
    assert ("state" in line, "[secret]" in line, "1234" in line) == (True, True, False)
