"""What is not Slack's, or is garbage, is answered with 4xx and one line in the log; the bot goes on as if nothing was."""

import asyncio
import json
import time
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

SECRET_WORD = "hush-hush"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
COMMAND = urlencode(
    {
        "command": "/monitor",
        "text": f"0003*210 {SECRET_WORD}",
        "user_id": "U0ANA",
        "team_id": "T0LOCAL",
        "channel_id": "C0FLOOR",
        "trigger_id": "1.2.3",
    }
).encode()

Hostile = tuple[int, bytes, dict[str, str]]


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def payload(value: object) -> bytes:
    return form(payload=json.dumps(value))


def not_slacks(sign: Callable[..., dict[str, str]]) -> dict[str, Hostile]:
    """Requests that Slack did not sign, or not for now."""
    now, good = int(time.time()), sign(COMMAND)
    stamped = {**good, "X-Slack-Request-Timestamp": str(now)}
    return {
        "unsigned": (401, COMMAND, FORM),
        "signed with another secret": (401, COMMAND, sign(COMMAND, secret="another")),
        "signed for another body": (401, COMMAND + b"&private=1", good),
        "five minutes old": (401, COMMAND, sign(COMMAND, now - 302)),
        "replayed after an hour": (401, COMMAND, sign(COMMAND, now - 3600)),
        "from the future": (401, COMMAND, sign(COMMAND, now + 310)),
        "another time than was signed": (401, COMMAND, {**good, "X-Slack-Request-Timestamp": str(now - 100)}),
        "without a time": (401, COMMAND, {k: v for k, v in good.items() if not k.endswith("Timestamp")}),
        "a time that is no number": (401, COMMAND, sign(COMMAND) | {"X-Slack-Request-Timestamp": SECRET_WORD}),
        "a time in other digits": (401, COMMAND, {**stamped, "X-Slack-Request-Timestamp": "\u0661\u0667"}),
        "a time beyond all times": (401, COMMAND, {**stamped, "X-Slack-Request-Timestamp": "9" * 5000}),
        "a signature outside ASCII": (401, COMMAND, {**stamped, "X-Slack-Signature": "v0=ü" + SECRET_WORD}),
        "an empty signature": (401, COMMAND, {**stamped, "X-Slack-Signature": ""}),
        "a signature of another version": (
            401,
            COMMAND,
            {**good, "X-Slack-Signature": "v1" + good["X-Slack-Signature"][2:]},
        ),
        "a signature cut short": (401, COMMAND, {**good, "X-Slack-Signature": good["X-Slack-Signature"][:-1]}),
    }


def garbage(sign: Callable[..., dict[str, str]]) -> dict[str, Hostile]:
    """Requests that are signed and make no sense."""
    click = {"type": "block_actions", "user": {"id": "U0ANA"}, "team": {"id": "T0LOCAL"}, "trigger_id": "1.2.4"}
    bodies: dict[str, tuple[int, bytes]] = {
        "300 KiB": (413, b"x" * 300 * 1024),
        "nothing": (400, b""),
        "no UTF-8": (400, b"command=%2Fmonitor&text=\xff\xfe" + SECRET_WORD.encode()),
        "no JSON as a payload": (400, form(payload="{" + SECRET_WORD)),
        "a list as a payload": (400, payload([SECRET_WORD])),
        "a number as a payload": (400, payload(7)),
        "null as a payload": (400, payload(None)),
        "a payload too deep": (400, form(payload="[" * 50_000)),
        "an unknown type": (400, payload({"type": "view_submission", "view": {"id": SECRET_WORD}})),
        "a type that is no text": (400, payload({"type": [SECRET_WORD]})),
        "no type": (400, payload({"user": {"id": SECRET_WORD}})),
        "a form without a command": (400, form(text=SECRET_WORD)),
        "a click on nothing": (400, payload(click)),
        "a click on no list": (400, payload({**click, "actions": SECRET_WORD})),
        "a click on an empty list": (400, payload({**click, "actions": []})),
        "a click on a list of numbers": (400, payload({**click, "actions": [1]})),
        "JSON without meaning": (400, b"a=" + SECRET_WORD.encode()),
    }
    return {name: (status, body, sign(body)) for name, (status, body) in bodies.items()} | {
        "a list in JSON": (400, b"[1]", sign(b"[1]") | {"Content-Type": "application/json"}),
        "a huge header": (400, COMMAND, {**sign(COMMAND), "X-Filler": "x" * 100_000}),
    }


def compressed() -> dict[str, Hostile]:
    """Bodies that ask to be unpacked, which Slack's never do."""
    deflate = {**FORM, "Content-Encoding": "deflate"}
    return {
        "a bomb": (400, zlib.compress(bytes(20_000_000)), deflate),
        "broken compression": (400, SECRET_WORD.encode(), deflate),
    }


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client with a connection for each request: the server closes some that it refuses."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield session


async def statuses(session: aiohttp.ClientSession, url: str, requests: dict[str, Hostile]) -> dict[str, int]:
    """What each is answered with; garbage is 400, or 404 where nothing is known that would take it."""
    found = {}
    for name, (_, body, headers) in requests.items():
        raw = {key: value.encode("utf-8").decode("utf-8", "surrogateescape") for key, value in headers.items()}
        async with session.post(url, data=body, headers=raw) as answer:
            found[name] = 400 if answer.status == 404 else answer.status
    return found


def expected(requests: dict[str, Hostile]) -> dict[str, int]:
    return {name: status for name, (status, _, _) in requests.items()}


async def still_works(house: Any) -> None:
    await house.ana_types("/calls help", raw=True)
    await house.told("U0ANA", "What callbot understands")


def address(house: Any) -> str:
    return f"http://127.0.0.1:{house.bots[0].port}/slack/events"


async def test_what_slack_did_not_sign_for_now_is_refused(house: Any, session: aiohttp.ClientSession) -> None:
    house.talk()
    requests = not_slacks(house.workspace.sign)
    assert await statuses(session, address(house), requests) == expected(requests)
    await still_works(house)
    assert [each.said for each in await house.audit_log()] == ["/calls help"]


async def test_signed_garbage_is_refused(house: Any, session: aiohttp.ClientSession) -> None:
    requests = garbage(house.workspace.sign)
    assert await statuses(session, address(house), requests) == expected(requests)
    await still_works(house)


async def test_a_compressed_body_is_refused_whatever_is_in_it(house: Any, session: aiohttp.ClientSession) -> None:
    found = await statuses(session, address(house), compressed())
    assert [name for name, status in found.items() if not 400 <= status < 500] == []
    await still_works(house)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/slack/events", 405),
        ("PUT", "/slack/events", 405),
        ("POST", "/", 404),
        ("POST", "/slack/events/x", 404),
    ],
)
async def test_only_posts_to_the_one_address_are_taken(
    house: Any, session: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    url = f"http://127.0.0.1:{house.bots[0].port}{path}"
    async with session.request(method, url, data=COMMAND, headers=house.workspace.sign(COMMAND)) as answer:
        assert answer.status == status


async def test_a_request_that_is_played_again_within_its_five_minutes_acts_once(
    house: Any, session: aiohttp.ClientSession
) -> None:
    house.talk()
    body = COMMAND.replace(SECRET_WORD.encode(), b"")
    headers = house.workspace.sign(body)
    for _ in range(3):
        async with session.post(address(house), data=body, headers=headers) as answer:
            assert answer.status == 200
    await house.card("Ringing")
    await still_works(house)
    assert house.actions() == ["Monitor"]


async def test_wrong_types_in_the_fields_of_a_click_are_no_reason_to_fall_over(
    house: Any, session: aiohttp.ClientSession
) -> None:
    action = {"type": "button", "action_id": "intervene:Monitor:0", "block_id": "b", "value": {"x": 1}, "text": 3}
    click = {
        "type": "block_actions",
        "user": {"id": ["U0ANA"], "team_id": 4},
        "team": "T0LOCAL",
        "channel": [],
        "container": 5,
        "trigger_id": {},
        "response_url": ["http://example.com"],
        "actions": [action],
    }
    body = payload(click)
    async with session.post(address(house), data=body, headers=house.workspace.sign(body)) as answer:
        assert answer.status < 500
    await still_works(house)


# ── the log, of the process as it is run ──


async def test_each_hostile_request_is_one_line_in_the_log_without_its_body_or_a_traceback(
    empty_house: Any, run_bot: Any, session: aiohttp.ClientSession
) -> None:
    bot = await run_bot(LOG_LEVEL="debug")
    await bot.started()
    url = f"http://127.0.0.1:{bot.port}/slack/events"
    empty_house.workspace.deliver_to(url)
    sign = empty_house.workspace.sign
    requests = not_slacks(sign) | garbage(sign) | compressed()
    await statuses(session, url, requests)
    await still_works(empty_house)
    bot.process.terminate()
    assert await bot.ended() == 0
    lines = [json.loads(line) for line in bot.said.splitlines()]
    assert SECRET_WORD not in bot.said
    assert len([line for line in lines if line["level"] in {"warning", "error"}]) == len(requests)


# ── many connections that say nothing, or say it slowly ──

DESCRIPTORS = 400
MORE = 600
"""Connections, more than there are descriptors."""
HALF = b"POST /slack/events HTTP/1.1\r\nHost: callbot\r\n"


async def half_open(port: int, many: int, says: bytes = HALF) -> list[asyncio.StreamWriter]:
    """So many connections with the beginning of a request."""

    async def one() -> asyncio.StreamWriter:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(says)
        return writer

    return [await one() for _ in range(many)]


@pytest.mark.parametrize("says", [HALF, HALF + b"Content-Length: 9\r\n\r\nslow"], ids=["half a head", "half a body"])
async def test_half_open_connections_keep_no_supervisor_from_a_call(
    empty_house: Any, run_bot: Any, says: bytes
) -> None:
    house = empty_house
    bot = await run_bot(descriptors=DESCRIPTORS)
    await bot.started()
    house.workspace.deliver_to(f"http://127.0.0.1:{bot.port}/slack/events")
    held = await half_open(bot.port, MORE, says)
    house.talk()
    await house.ana_types("/monitor 0003*210")
    await house.puts(1)
    await house.card("Ringing")
    for writer in held:
        writer.close()


async def test_half_open_connections_keep_no_rule_from_being_read(empty_house: Any, run_bot: Any) -> None:
    house = empty_house
    bot = await run_bot(descriptors=DESCRIPTORS)
    await bot.started()
    house.workspace.deliver_to(f"http://127.0.0.1:{bot.port}/slack/events")
    held = await half_open(bot.port, MORE)
    house.change_config("[users.U0LIS]", "[users.U0ANYONE]")
    async with asyncio.timeout(7):
        while '"event": "config_applied"' not in bot.said:
            assert bot.process.stdout is not None
            bot.said += (await bot.process.stdout.readline()).decode()
    await house.workspace.type("U0LIS", "C0FLOOR", "/monitor 0003*210")
    await house.told("U0LIS", "I don't know you yet.")
    for writer in held:
        writer.close()
